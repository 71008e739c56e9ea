/* resize.c - pictures and masks into the network's input. Detection's way, mr_fit_and_mold, makes
 * one row of bytes at a time and looks its floats up, so that it can't differ from resizing and
 * molding one after the other. The loops over channels are inlined with their number known for grey,
 * RGB and RGB with depth. */
#include "image/resize.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "image/bilinear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 256 };

/* Every float that molding can give; a row for each mean. */
typedef struct mold_table {
    float values[MR_MAX_CHANNELS][LEVELS];
    int channels;
} mold_table;

static void fill_mold_table(mold_table *table, const mr_floats *mean) {
    table->channels = mean->count;
    for (int c = 0; c < mean->count; c++)
        for (int v = 0; v < LEVELS; v++) table->values[c][v] = (float)((double)v - mean->values[c]);
}

static inline void mold_pixels(float *restrict out, const uint8_t *restrict pixels, size_t count,
                               const mold_table *table, size_t channels) {
    for (size_t i = 0; i < count; i++, pixels += channels, out += channels)
        for (size_t c = 0; c < channels; c++) out[c] = table->values[c][pixels[c]];
}

static void mold(float *out, const uint8_t *pixels, size_t count, const mold_table *table) {
    switch (table->channels) {
    case 1: mold_pixels(out, pixels, count, table, 1); break;
    case 3: mold_pixels(out, pixels, count, table, 3); break;
    case 4: mold_pixels(out, pixels, count, table, 4); break;
    default: mold_pixels(out, pixels, count, table, (size_t)table->channels); break;
    }
}

void mr_mold_image(const uint8_t *pixels, size_t count, const mr_floats *mean, float *out) {
    mold_table table;
    fill_mold_table(&table, mean);
    mold(out, pixels, count, &table);
}

/* ----------------------------------------------------------------------------------- pictures */

/* One picture on its way; shared by the threads, each of which has a line and a row of its own. */
typedef struct resize_job {
    const mrcnn_image *image;
    const mr_fit *fit;
    const mr_tap *rows, *columns; /* NULL when the size stays as it is */
    uint8_t lowest;               /* of the picture's values */
    double *lines;                /* a blended row, with a zero pixel at either end */
    size_t line_length;
    uint8_t *out_pixels; /* either this */
    float *out_floats;   /* or this, through `bytes` and `table` */
    uint8_t *bytes;
    mold_table table;
} resize_job;

static size_t row_bytes(int width, const mrcnn_image *image) {
    return (size_t)width * (size_t)image->channels;
}

static const uint8_t *source_row(const mrcnn_image *image, int y) {
    return image->pixels + (size_t)y * row_bytes(image->width, image);
}

/* weight * 0 adds nothing: outside rows are left out. */
static void blend_rows(double *restrict line, const mrcnn_image *image, mr_tap tap) {
    size_t count = row_bytes(image->width, image);
    int row = tap.lower - 1;
    double a = tap.weight_lower, b = tap.weight_upper;
    if (row < 0 || row + 1 >= image->height) {
        const uint8_t *only = source_row(image, row < 0 ? 0 : row);
        double weight = row < 0 ? b : a;
        for (size_t i = 0; i < count; i++) line[i] = only[i] * weight;
        return;
    }
    const uint8_t *lower = source_row(image, row), *upper = lower + count;
    for (size_t i = 0; i < count; i++) line[i] = lower[i] * a + upper[i] * b;
}

/* N4: truncation. Clipping to the picture's range (N3) shows at its lower end only: a value above
 * the upper end by rounding is truncated to it. */
static inline void blend_pixels(uint8_t *out, const double *line, const mr_tap *taps, int width,
                                double lowest, size_t channels) {
    for (int x = 0; x < width; x++) {
        const double *p = line + (size_t)taps[x].lower * channels;
        double a = taps[x].weight_lower, b = taps[x].weight_upper;
        for (size_t c = 0; c < channels; c++) {
            double v = p[c] * a + p[c + channels] * b;
            *out++ = (uint8_t)(int)(v < lowest ? lowest : v);
        }
    }
}

static void blend_columns(uint8_t *out, const double *line, const resize_job *job, int width) {
    const mr_tap *taps = job->columns + job->fit->crop_x;
    double lowest = job->lowest;
    switch (job->image->channels) {
    case 1: blend_pixels(out, line, taps, width, lowest, 1); break;
    case 3: blend_pixels(out, line, taps, width, lowest, 3); break;
    case 4: blend_pixels(out, line, taps, width, lowest, 4); break;
    default: blend_pixels(out, line, taps, width, lowest, (size_t)job->image->channels); break;
    }
}

/* Row y of the network's input. */
static void make_row(const resize_job *job, uint8_t *out, int y, double *line) {
    const mr_fit *f = job->fit;
    const mrcnn_image *image = job->image;
    int row = y - f->pad_top + f->crop_y;
    int width = f->window[3] - f->window[1];
    if (y < f->window[0] || y >= f->window[2]) {
        memset(out, 0, row_bytes(f->width, image));
        return;
    }
    memset(out, 0, row_bytes(f->pad_left, image));
    uint8_t *inside = out + row_bytes(f->pad_left, image);
    if (job->rows) {
        blend_rows(line + image->channels, image, job->rows[row]);
        blend_columns(inside, line, job, width);
    } else {
        memcpy(inside, source_row(image, row) + row_bytes(f->crop_x, image),
               row_bytes(width, image));
    }
    memset(inside + row_bytes(width, image), 0, row_bytes(f->width - f->window[3], image));
}

static void make_rows(void *context, size_t begin, size_t end, int thread) {
    const resize_job *job = context;
    size_t size = row_bytes(job->fit->width, job->image);
    double *line = job->lines + job->line_length * (size_t)thread;
    for (size_t y = begin; y < end; y++) {
        if (job->out_pixels) {
            make_row(job, job->out_pixels + y * size, (int)y, line);
            continue;
        }
        uint8_t *bytes = job->bytes + size * (size_t)thread;
        make_row(job, bytes, (int)y, line);
        mold(job->out_floats + y * size, bytes, (size_t)job->fit->width, &job->table);
    }
}

static uint8_t find_lowest(const mrcnn_image *image) {
    uint8_t lowest = 255;
    size_t count = row_bytes(image->width, image);
    for (int y = 0; y < image->height && lowest > 0; y++) {
        const uint8_t *row = source_row(image, y);
        for (size_t i = 0; i < count; i++) lowest = row[i] < lowest ? row[i] : lowest;
    }
    return lowest;
}

static mrcnn_status check_fit(const mr_fit *f, mrcnn_error *err) {
    int width = f->window[3] - f->window[1], height = f->window[2] - f->window[0];
    if (f->crop_y < 0 || f->crop_x < 0 || f->crop_y > f->scaled_height - height ||
        f->crop_x > f->scaled_width - width)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a crop at (%d, %d) leaves the picture of %d x %d",
                       f->crop_x, f->crop_y, f->scaled_width, f->scaled_height);
    return MRCNN_OK;
}

static mrcnn_status check_job(const resize_job *job, mrcnn_error *err) {
    const mrcnn_image *image = job->image;
    const mr_fit *fit = job->fit;
    if (!image->pixels || image->channels < 1 || image->channels > MR_MAX_CHANNELS)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "a picture with %d channels can't be resized: one with 1 to %d can",
                       image->pixels ? image->channels : 0, MR_MAX_CHANNELS);
    if (job->out_floats && image->channels != job->table.channels)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a picture with %d channels and means for %d",
                       image->channels, job->table.channels);
    if (image->height != fit->original_height || image->width != fit->original_width)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a picture of %d x %d was planned, not %d x %d",
                       fit->original_width, fit->original_height, image->width, image->height);
    return check_fit(fit, err);
}

/* Rows and columns are resampled only when the size changes: at equal size every weight is 1. */
static mrcnn_status run(resize_job *job, int threads, mrcnn_error *err) {
    const mr_fit *f = job->fit;
    mr_tap *rows = NULL, *columns = NULL;
    size_t workers = (size_t)(threads > 0 ? threads : 1);
    mrcnn_status status = check_job(job, err);
    if (status != MRCNN_OK) return status;
    int resample = f->scaled_height != f->original_height || f->scaled_width != f->original_width;
    if (resample) {
        job->rows = rows = mr_bilinear_taps(f->original_height, f->scaled_height);
        job->columns = columns = mr_bilinear_taps(f->original_width, f->scaled_width);
        job->line_length = row_bytes(job->image->width, job->image) + 2 * row_bytes(1, job->image);
        job->lowest = find_lowest(job->image);
    }
    job->lines = mr_calloc(workers * job->line_length, sizeof *job->lines);
    job->bytes = mr_calloc(job->out_floats ? workers : 0, row_bytes(f->width, job->image));
    if (!job->lines || !job->bytes || (resample && (!rows || !columns)))
        status = mr_fail_memory(err, workers * job->line_length * sizeof *job->lines, "resizing");
    else
        mr_parallel(threads, (size_t)f->height, make_rows, job);
    free(rows);
    free(columns);
    free(job->lines);
    free(job->bytes);
    return status;
}

mrcnn_status mr_resize_image(const mrcnn_image *image, const mr_fit *fit, uint8_t *out, int threads,
                             mrcnn_error *err) {
    resize_job job = {.image = image, .fit = fit, .out_pixels = out};
    return run(&job, threads, err);
}

mrcnn_status mr_fit_and_mold(const mrcnn_image *image, const mr_fit *fit, const mr_floats *mean,
                             float *out, int threads, mrcnn_error *err) {
    resize_job job = {.image = image, .fit = fit, .out_floats = out};
    fill_mold_table(&job.table, mean);
    return run(&job, threads, err);
}

/* -------------------------------------------------------------------------------------- masks */

/* N6: for each output sample its source, or -1 where scipy gives 0: rounding can push the last
 * coordinate past the last element. */
static int32_t *nearest_taps(int in, int out) {
    int32_t *taps = mr_calloc((size_t)out, sizeof *taps);
    if (!taps) return NULL;
    double step = out > 1 ? (double)(in - 1) / (out - 1) : 1.0;
    for (int i = 0; i < out; i++) {
        double position = i * step;
        double nearest = floor(position + 0.5);
        taps[i] = position > in - 1 ? -1 : nearest > in - 1 ? in - 1 : (int32_t)nearest;
    }
    return taps;
}

/* Of the samples from *begin to *end those whose sources lie in [low, high): sources rise, but for
 * the -1 that may come last. */
static void narrow(const int32_t *taps, int low, int high, int *begin, int *end) {
    while (*end > *begin && (taps[*end - 1] < low || taps[*end - 1] >= high)) --*end;
    while (*begin < *end && taps[*begin] < low) ++*begin;
}

mrcnn_status mr_resize_mask(const mr_patch *mask, const mr_fit *fit, uint8_t *out,
                            mrcnn_error *err) {
    mrcnn_status status = check_fit(fit, err);
    if (status != MRCNN_OK) return status;
    int32_t *rows = nearest_taps(fit->original_height, fit->scaled_height);
    int32_t *columns = nearest_taps(fit->original_width, fit->scaled_width);
    const int32_t *box = mask->box;
    size_t stride = mr_bits_row(box[3] - box[1]);
    int top = fit->crop_y, bottom = top + fit->window[2] - fit->window[0];
    int left = fit->crop_x, right = left + fit->window[3] - fit->window[1];
    if (!rows || !columns) {
        status = mr_fail_memory(err, ((size_t)fit->scaled_height + (size_t)fit->scaled_width) * 4,
                                "resizing a mask");
        goto cleanup;
    }
    memset(out, 0, (size_t)fit->height * (size_t)fit->width);
    narrow(rows, box[0], box[2], &top, &bottom);
    narrow(columns, box[1], box[3], &left, &right);
    for (int y = top; y < bottom; y++) {
        const uint8_t *in = mask->bits + (size_t)(rows[y] - box[0]) * stride;
        uint8_t *to = out + (size_t)(y - fit->crop_y + fit->window[0]) * (size_t)fit->width +
                      fit->window[1] - fit->crop_x;
        for (int x = left; x < right; x++) to[x] = (uint8_t)mr_bit(in, columns[x] - box[1]);
    }
cleanup:
    free(rows);
    free(columns);
    return status;
}
