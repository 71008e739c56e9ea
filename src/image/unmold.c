/* unmold.c - from the mask head's small floats straight into run lengths (N39, N40). The reference
 * resizes to the box and compares with 0.5. Between four neighbouring samples the result lies
 * between their values: where all four are clearly above or below, no pixel is computed. What is
 * left, a band along the outline, is computed as the reference does, in double precision. */
#include "base/error.h"
#include "base/memory.h"
#include "image/bilinear.h"
#include "image/mask.h"
#include "image/rle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double threshold = 0.5;

/* Far above the rounding of two blends of values up to 1, relative to the largest value. */
static const double margin = 1e-12;

typedef enum cell_class { ALL_OUT, ALL_IN, MIXED } cell_class;

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
    cell_class *classes; /* of the bands, in the column under way */
    int32_t y1, x1, y2, x2, height, width;
} unmold_job;

/* Neighbours outside the samples: zero in the reference, the edge itself in exact mode. */
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

static cell_class classify(const double *left, const double *right, double slack) {
    double low = fmin(fmin(left[0], left[1]), fmin(right[0], right[1]));
    double high = fmax(fmax(left[0], left[1]), fmax(right[0], right[1]));
    if (low >= threshold + slack) return ALL_IN;
    if (high < threshold - slack) return ALL_OUT;
    return MIXED;
}

static void classify_bands(unmold_job *job, const double *left, const double *right) {
    double slack = margin * fmax(1, fmax(fabs(job->range[0]), fabs(job->range[1])));
    for (int i = 0; i < job->band_count; i++) {
        int32_t lower = job->bands[i].lower;
        job->classes[i] = classify(left + lower, right + lower, slack);
    }
}

/* One pixel as the reference computes it: rows first, then columns. Clipping to the samples' range
 * (N3) can't move a value across the threshold once the range contains it. */
static int is_inside(const double *left, const double *right, mr_tap row, mr_tap column) {
    double l = left[row.lower] * row.weight_lower + left[row.lower + 1] * row.weight_upper;
    double r = right[row.lower] * row.weight_lower + right[row.lower + 1] * row.weight_upper;
    return l * column.weight_lower + r * column.weight_upper >= threshold;
}

static void append_mixed(mr_rle *rle, const unmold_job *job, const double *left,
                         const double *right, band b, mr_tap column) {
    int32_t begin = b.begin;
    int value = is_inside(left, right, job->row_taps[begin], column);
    for (int32_t y = b.begin + 1; y < b.end; y++) {
        if (is_inside(left, right, job->row_taps[y], column) == value) continue;
        mr_rle_append(rle, value, (uint64_t)(y - begin));
        begin = y;
        value = !value;
    }
    mr_rle_append(rle, value, (uint64_t)(b.end - begin));
}

static void append_columns(mr_rle *rle, unmold_job *job) {
    int32_t known = -1; /* the sample column that `classes` are of */
    for (int32_t x = 0; x < job->x2 - job->x1; x++) {
        mr_tap column = job->column_taps[x];
        const double *left = job->samples + (size_t)column.lower * (size_t)(job->rows + 2);
        const double *right = left + job->rows + 2;
        if (column.lower != known) classify_bands(job, left, right);
        known = column.lower;
        mr_rle_append(rle, 0, (uint64_t)job->y1);
        for (int i = 0; i < job->band_count; i++) {
            band b = job->bands[i];
            if (job->classes[i] == MIXED)
                append_mixed(rle, job, left, right, b, column);
            else
                mr_rle_append(rle, job->classes[i] == ALL_IN, (uint64_t)(b.end - b.begin));
        }
        mr_rle_append(rle, 0, (uint64_t)(job->height - job->y2));
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

static mrcnn_status append_box(mr_rle *rle, unmold_job *job, const float *small,
                               mr_mask_resize mode, mrcnn_error *err) {
    int32_t box_height = job->y2 - job->y1;
    size_t samples = ((size_t)job->rows + 2) * ((size_t)job->columns + 2);
    mrcnn_status status = MRCNN_OK;
    job->samples = mr_calloc(samples, sizeof *job->samples);
    job->row_taps = mr_bilinear_taps(job->rows, box_height);
    job->column_taps = mr_bilinear_taps(job->columns, job->x2 - job->x1);
    job->bands = mr_calloc((size_t)box_height, sizeof *job->bands);
    job->classes = mr_calloc((size_t)box_height, sizeof *job->classes);
    if (job->samples && job->row_taps && job->column_taps && job->bands && job->classes) {
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
    free(job->classes);
    return status;
}

mrcnn_status mr_unmold_mask(mrcnn_mask *mask, const float *small, int rows, int columns,
                            const int32_t box[4], int height, int width, mr_mask_resize mode,
                            mrcnn_error *err) {
    unmold_job job = {.rows = rows,
                      .columns = columns,
                      .y1 = box[0],
                      .x1 = box[1],
                      .y2 = box[2],
                      .x2 = box[3],
                      .height = height,
                      .width = width};
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
