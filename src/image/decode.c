/* decode.c - pictures in: options, what kind of file it is, and the limits that hold for every
 * format. The formats themselves are in jpeg.c, png.c and npy.c. */
#include "image/codec.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

mrcnn_image_options mrcnn_image_options_default(void) {
    mrcnn_image_options options = {
        .size = sizeof options, .max_pixels = 268435456, .apply_orientation = 1, .channels = 3};
    return options;
}

void mrcnn_image_free(mrcnn_image *image) {
    if (!image) return;
    free(image->pixels);
    memset(image, 0, sizeof *image);
}

mrcnn_status mr_image_take_options(mrcnn_image_options *taken, const mrcnn_image_options *given,
                                   mrcnn_error *err) {
    *taken = mrcnn_image_options_default();
    mrcnn_status status = mr_take_options(taken, sizeof *taken, given, "mrcnn_image_options", err);
    if (status != MRCNN_OK) return status;
    if (taken->max_pixels < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "picture options: max_pixels is %lld, not positive",
                       (long long)taken->max_pixels);
    if (taken->channels == 0) taken->channels = 3;
    if (taken->channels < 1 || taken->channels > MR_MAX_CHANNELS)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "picture options: %d channels; a picture has between 1 and %d",
                       taken->channels, MR_MAX_CHANNELS);
    if (taken->low == 0 && taken->high == 0) return MRCNN_OK;
    if (!isfinite(taken->high - taken->low) || !(taken->low < taken->high))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "picture options: values from %g to %g are no range; low must be less than "
                       "high, or both 0",
                       taken->low, taken->high);
    return MRCNN_OK;
}

mrcnn_status mr_image_allocate(mrcnn_image *image, const mr_encoded *file,
                               const mr_announced *announced, mrcnn_error *err) {
    uint64_t width = announced->width, height = announced->height;
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: its header gives an impossible size, %llu x %llu",
                       file->name, (unsigned long long)width, (unsigned long long)height);
    if (width * height > (uint64_t)file->max_pixels)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: %llu x %llu pixels are more than the limit of %lld: make it smaller or "
                       "raise max_pixels",
                       file->name, (unsigned long long)width, (unsigned long long)height,
                       (long long)file->max_pixels);
    if (announced->least_bytes > file->length)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: it is cut short: %llu x %llu pixels can't be in %zu bytes", file->name,
                       (unsigned long long)width, (unsigned long long)height, file->length);
    size_t bytes, pixel = (size_t)announced->channels * (size_t)announced->sample_bytes;
    if (!mr_mul_size((size_t)width * (size_t)height, pixel, &bytes)) bytes = SIZE_MAX;
    uint8_t *pixels = bytes < PTRDIFF_MAX ? malloc(bytes) : NULL;
    if (!pixels) return mr_fail_memory(err, bytes, file->name);
    *image = (mrcnn_image){(int32_t)width, (int32_t)height, announced->channels, pixels};
    return MRCNN_OK;
}

static mrcnn_status refuse(const char *name, const char *looks_like, mrcnn_error *err) {
    return mr_fail(
        err, MRCNN_E_FORMAT,
        "%s: this is %s; JPEG and PNG pictures and .npy arrays can be read: convert it first", name,
        looks_like);
}

static mrcnn_status decode(mrcnn_image *image, const mr_encoded *file, int apply_orientation,
                           mrcnn_error *err) {
    const char *looks_like;
    mrcnn_image decoded = {0};
    int orientation = 1;
    mrcnn_status status = MRCNN_OK;
    switch (mr_sniff(file->bytes, file->length, &looks_like)) {
    case MR_PICTURE_JPEG: status = mr_jpeg_decode(&decoded, &orientation, file, err); break;
    case MR_PICTURE_PNG: status = mr_png_decode(&decoded, &orientation, file, err); break;
    case MR_PICTURE_NPY: status = mr_npy_decode(&decoded, file, err); break;
    case MR_PICTURE_OTHER: status = refuse(file->name, looks_like, err); break;
    }
    if (status == MRCNN_OK) status = mr_image_convert(&decoded, file->channels, file->name, err);
    if (status == MRCNN_OK && apply_orientation)
        status = mr_image_orient(&decoded, orientation, err);
    if (status == MRCNN_OK)
        *image = decoded;
    else
        mrcnn_image_free(&decoded);
    return status;
}

mrcnn_status mrcnn_image_decode(mrcnn_image *image, const void *bytes, size_t length,
                                const char *name, const mrcnn_image_options *options,
                                mrcnn_error *err) {
    mrcnn_image_options o;
    mrcnn_status status = mr_image_take_options(&o, options, err);
    if (status != MRCNN_OK) return status;
    if (!image || (!bytes && length))
        return mr_fail(err, MRCNN_E_ARGUMENT, "decoding a picture: %s is NULL",
                       image ? "bytes" : "image");
    mr_encoded file = {.bytes = bytes,
                       .length = length,
                       .name = name ? name : "the picture",
                       .max_pixels = o.max_pixels,
                       .channels = o.channels,
                       .low = o.low,
                       .high = o.high};
    return decode(image, &file, o.apply_orientation, err);
}

/* Looks at the first bytes of a file, so that a video given by mistake isn't read to its end. What
 * can't be opened, or can be read only once, is left for mr_file_read to say or do. */
static mrcnn_status check_start(const char *path, mrcnn_error *err) {
    struct stat info;
    if (stat(path, &info) != 0 || S_ISDIR(info.st_mode) || S_ISFIFO(info.st_mode)) return MRCNN_OK;
    FILE *file = fopen(path, "rb");
    if (!file) return MRCNN_OK;
    uint8_t start[MR_SNIFF_BYTES];
    size_t length = fread(start, 1, sizeof start, file);
    int failed = ferror(file);
    fclose(file);
    const char *looks_like;
    if (failed || mr_sniff(start, length, &looks_like) != MR_PICTURE_OTHER) return MRCNN_OK;
    return refuse(path, looks_like, err);
}

mrcnn_status mrcnn_image_read(mrcnn_image *image, const char *path,
                              const mrcnn_image_options *options, mrcnn_error *err) {
    /* About what the default limit of pixels takes without any compression, 16 bits with alpha. */
    const size_t max_file_bytes = 2147483647;
    void *bytes = NULL;
    size_t length = 0;
    if (!path) return mr_fail(err, MRCNN_E_ARGUMENT, "reading a picture: path is NULL");
    mrcnn_status status = check_start(path, err);
    if (status == MRCNN_OK) status = mr_file_read(path, max_file_bytes, &bytes, &length, err);
    if (status == MRCNN_OK) status = mrcnn_image_decode(image, bytes, length, path, options, err);
    free(bytes);
    return status;
}
