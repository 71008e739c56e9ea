/* unmold.c - from the mask head's small floats straight into run lengths (N39, N40). The reference
 * resizes to the box and compares with 0.5, blending rows before columns. Here the columns come
 * first, once for each column of the picture, because down that column everything is then linear:
 * between two samples on the same side of 0.5 no pixel is computed at all. The other order changes
 * no more than the last bits, so whatever comes that close to 0.5 is computed again in the
 * reference's. */
#include "base/error.h"
#include "base/memory.h"
#include "image/bilinear.h"
#include "image/mask.h"
#include "image/rle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double threshold = 0.5;

/* How close to 0.5 a value must be checked; far above the rounding of three blends of values up to
 * 1, and relative to the largest value. */
static const double margin = 1e-12;

/* Output rows [begin, end) that have the same two rows of samples above and below them. */
typedef struct band {
    int32_t lower, begin, end;
} band;

typedef struct unmold_job {
    double *samples; /* columns + 2 columns of rows + 2 samples, each column contiguous */
    int rows, columns;
    double range[2];
    mr_tap *row_taps, *column_taps;
    band *bands;
    int band_count;
    double *line;             /* rows + 2: the samples blended for the column under way */
    double sure_in, sure_out; /* at least, less than */
    int32_t y1, x1, y2, x2, height, width;
    const double *where; /* subpixel: of the first and the last row and column of samples */
} unmold_job;

/* Neighbours outside the samples: zero in the reference, the edge itself otherwise. */
static void fill_samples(unmold_job *job, const float *small, mr_mask_resize mode) {
    int rows = job->rows, columns = job->columns;
    for (int x = -1; x <= columns; x++)
        for (int y = -1; y <= rows; y++) {
            int inside_x = x < 0 ? 0 : x >= columns ? columns - 1 : x;
            int inside_y = y < 0 ? 0 : y >= rows ? rows - 1 : y;
            int outside = x != inside_x || y != inside_y;
            double value = small[(size_t)inside_y * (size_t)columns + (size_t)inside_x];
            job->samples[(size_t)(x + 1) * (size_t)(rows + 2) + (size_t)(y + 1)] =
                outside && mode == MR_MASK_MATTERPORT ? 0 : value;
        }
}

/* NaN in any sample makes both ends NaN, as NumPy's min and max do. */
static void find_range(double range[2], const float *small, size_t count) {
    range[0] = range[1] = small[0];
    for (size_t i = 1; i < count && !isnan(range[0]); i++) {
        if (!(small[i] >= range[0])) range[0] = small[i];
        if (!(small[i] <= range[1])) range[1] = small[i];
    }
}

static void fill_bands(unmold_job *job) {
    int32_t count = job->y2 - job->y1;
    for (int32_t y = 0; y < count; y++) {
        band *last = job->bands + job->band_count - 1;
        if (job->band_count > 0 && last->lower == job->row_taps[y].lower)
            last->end = y + 1;
        else
            job->bands[job->band_count++] = (band){job->row_taps[y].lower, y, y + 1};
    }
}

/* One pixel as the reference computes it. Clipping to the samples' range (N3) can't move a value
 * across the threshold once the range contains it. */
static int is_inside_exactly(const unmold_job *job, mr_tap row, mr_tap column) {
    const double *left = job->samples + (size_t)column.lower * (size_t)(job->rows + 2) + row.lower;
    const double *right = left + job->rows + 2;
    double l = left[0] * row.weight_lower + left[1] * row.weight_upper;
    double r = right[0] * row.weight_lower + right[1] * row.weight_upper;
    return l * column.weight_lower + r * column.weight_upper >= threshold;
}

static int is_inside(const unmold_job *job, mr_tap row, mr_tap column) {
    const double *at = job->line + row.lower;
    double value = at[0] * row.weight_lower + at[1] * row.weight_upper;
    if (value >= job->sure_in) return 1;
    if (value < job->sure_out) return 0;
    return is_inside_exactly(job, row, column);
}

static void blend_columns(unmold_job *job, mr_tap column) {
    const double *left = job->samples + (size_t)column.lower * (size_t)(job->rows + 2);
    const double *right = left + job->rows + 2;
    for (int y = 0; y < job->rows + 2; y++)
        job->line[y] = left[y] * column.weight_lower + right[y] * column.weight_upper;
}

/* The run under way; run lengths are told when it ends. */
typedef struct run {
    mr_rle *rle;
    int value;
    int32_t begin;
} run;

static void go_on(run *r, int value, int32_t y) {
    if (value == r->value) return;
    mr_rle_append(r->rle, r->value, (uint64_t)(y - r->begin));
    r->value = value;
    r->begin = y;
}

static void append_column(mr_rle *rle, const unmold_job *job, mr_tap column) {
    run r = {rle, 0, -job->y1}; /* rows count from the box's top */
    for (int i = 0; i < job->band_count; i++) {
        band b = job->bands[i];
        double first = job->line[b.lower], second = job->line[b.lower + 1];
        if (first >= job->sure_in && second >= job->sure_in)
            go_on(&r, 1, b.begin);
        else if (first < job->sure_out && second < job->sure_out)
            go_on(&r, 0, b.begin);
        else
            for (int32_t y = b.begin; y < b.end; y++)
                go_on(&r, is_inside(job, job->row_taps[y], column), y);
    }
    go_on(&r, 0, job->y2 - job->y1);
    mr_rle_append(rle, 0, (uint64_t)(job->height - job->y1 - r.begin));
}

static void append_columns(mr_rle *rle, unmold_job *job) {
    double slack = margin * fmax(1, fmax(fabs(job->range[0]), fabs(job->range[1])));
    job->sure_in = threshold + slack;
    job->sure_out = threshold - slack;
    for (int32_t x = 0; x < job->x2 - job->x1; x++) {
        blend_columns(job, job->column_taps[x]);
        append_column(rle, job, job->column_taps[x]);
    }
}

/* N3 clips to the samples' range: when all of them are on one side, so is the whole box. (NaN is on
 * neither and counts as outside.) */
static void append_uniform(mr_rle *rle, const unmold_job *job, int value) {
    for (int32_t x = job->x1; x < job->x2; x++) {
        mr_rle_append(rle, 0, (uint64_t)job->y1);
        mr_rle_append(rle, value, (uint64_t)(job->y2 - job->y1));
        mr_rle_append(rle, 0, (uint64_t)(job->height - job->y2));
    }
}

/* The taps of pixels [begin, end) along an axis (0: down). Without `where` the samples are cells that
 * share the box out among them; with it they are points, from its first place to its last. */
static mr_tap *find_taps(const unmold_job *job, int axis, int count, int32_t begin, int32_t end) {
    if (!job->where) return mr_bilinear_taps(count, end - begin);
    double first = job->where[axis], length = job->where[2 + axis] - first;
    double step = length > 0 ? (count - 1) / length : 0; /* no length: all pixels see one sample */
    return mr_bilinear_taps_at(count, end - begin, (begin - first) * step, step);
}

static mrcnn_status append_box(mr_rle *rle, unmold_job *job, const float *small,
                               mr_mask_resize mode, mrcnn_error *err) {
    int32_t box_height = job->y2 - job->y1;
    size_t samples = ((size_t)job->rows + 2) * ((size_t)job->columns + 2);
    mrcnn_status status = MRCNN_OK;
    job->samples = mr_calloc(samples, sizeof *job->samples);
    job->row_taps = find_taps(job, 0, job->rows, job->y1, job->y2);
    job->column_taps = find_taps(job, 1, job->columns, job->x1, job->x2);
    job->bands = mr_calloc((size_t)box_height, sizeof *job->bands);
    job->line = mr_calloc((size_t)job->rows + 2, sizeof *job->line);
    if (job->samples && job->row_taps && job->column_taps && job->bands && job->line) {
        fill_samples(job, small, mode);
        fill_bands(job);
        append_columns(rle, job);
    } else {
        status = mr_fail_memory(err, samples * sizeof *job->samples, "a mask");
    }
    free(job->samples);
    free(job->row_taps);
    free(job->column_taps);
    free(job->bands);
    free(job->line);
    return status;
}

mrcnn_status mr_unmold_mask(mrcnn_mask *mask, const float *small, int rows, int columns,
                            const int32_t box[4], const double samples[4], int height, int width,
                            mr_mask_resize mode, mrcnn_error *err) {
    unmold_job job = {.rows = rows,
                      .columns = columns,
                      .y1 = box[0],
                      .x1 = box[1],
                      .y2 = box[2],
                      .x2 = box[3],
                      .height = height,
                      .width = width,
                      .where = mode == MR_MASK_SUBPIXEL ? samples : NULL};
    mrcnn_status status = mr_rle_check_size(height, width, err);
    if (status != MRCNN_OK) return status;
    if (rows < 1 || columns < 1 || box[0] < 0 || box[1] < 0 || box[2] <= box[0] ||
        box[3] <= box[1] || box[2] > height || box[3] > width)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "a mask of %d x %d can't go into the box (%d, %d)-(%d, %d) of a picture of "
                       "%d x %d",
                       columns, rows, box[1], box[0], box[3], box[2], width, height);
    mr_rle rle = {0};
    find_range(job.range, small, (size_t)rows * (size_t)columns);
    mr_rle_append(&rle, 0, (uint64_t)box[1] * (uint64_t)height);
    if (job.range[0] < threshold && job.range[1] >= threshold)
        status = append_box(&rle, &job, small, mode, err);
    else
        append_uniform(&rle, &job, job.range[0] >= threshold);
    mr_rle_append(&rle, 0, (uint64_t)(width - box[3]) * (uint64_t)height);
    if (status != MRCNN_OK) {
        free(rle.counts);
        return status;
    }
    return mr_rle_finish(&rle, mask, height, width, err);
}
