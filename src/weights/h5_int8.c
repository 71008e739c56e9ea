/* h5_int8.c - see h5_int8.h. */
#include "weights/h5_int8.h"

#include "base/error.h"
#include "base/memory.h"
#include "weights/h5_util.h"

#include <stdlib.h>
#include <string.h>

#define REMEDY "make the file again from 32-bit weights"

static int is_transposed(const char *layer, int rank) {
    static const char ending[] = "deconv";
    size_t length = strlen(layer), n = sizeof ending - 1;
    return rank == 4 && length >= n && strcmp(layer + length - n, ending) == 0;
}

mr_filters mr_kernel_filters(const char *layer, int rank, const int64_t *shape) {
    int axis = is_transposed(layer, rank) ? 2 : rank - 1;
    mr_filters filters = {1, (size_t)shape[axis], 1};
    for (int i = 0; i < axis; i++) filters.outer *= (size_t)shape[i];
    for (int i = axis + 1; i < rank; i++) filters.inner *= (size_t)shape[i];
    return filters;
}

char *mr_h5_scale_path(const char *path) {
    const char *colon = strrchr(path, ':');
    if (!colon || strchr(colon, '/')) colon = path + strlen(path);
    return mr_format("%.*s_scale%s", (int)(colon - path), path, colon);
}

static mrcnn_status open_scales(hid_t *scales, const mr_int8_source *s, const char *path,
                                mrcnn_error *err) {
    *scales = H5I_INVALID_HID;
    if (mr_h5_exists(s->file, path))
        return mr_h5_open(scales, s->file, path, H5I_DATASET, s->name, err);
    return mr_fail(err, MRCNN_E_FORMAT,
                   "%s: %s is of 8-bit integers without scales (there is no %s); " REMEDY, s->name,
                   s->path, path);
}

static mrcnn_status check_scales(hid_t scales, const mr_int8_source *s, size_t count,
                                 const char *path, mrcnn_error *err) {
    mr_dataset about;
    mrcnn_status status = mr_dataset_check(&about, scales, s->file_size, s->name, path, err);
    if (status != MRCNN_OK) return status;
    if (about.bits == 32 && about.rank == 1 && about.count == count) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_FORMAT,
                   "%s: %s should be a list of %zu float32 numbers, one for each output filter of "
                   "%s; " REMEDY,
                   s->name, path, count, s->path);
}

static mrcnn_status unreadable(const mr_int8_source *s, const char *path, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_FORMAT, "%s: can't read %s (%s): the file is damaged", s->name,
                   path, mr_h5_why().text);
}

static mrcnn_status read_scales(float *values, hid_t scales, const mr_int8_source *s, size_t count,
                                const char *path, mrcnn_error *err) {
    if (H5Dread(scales, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        return unreadable(s, path, err);
    for (size_t i = 0; i < count; i++)
        if (!mr_int8_scale_is_sane(values[i]))
            return mr_fail(err, MRCNN_E_WEIGHTS,
                           "%s: %s holds %g at index %zu, which can't be the scale of a filter: "
                           "the file is damaged; " REMEDY,
                           s->name, path, (double)values[i], i);
    return MRCNN_OK;
}

/* malloc'ed: a scale for each filter of the dataset. */
static mrcnn_status get_scales(float **values, const mr_int8_source *s, size_t count,
                               mrcnn_error *err) {
    char *path = mr_h5_scale_path(s->path);
    if (!path) return mr_fail_memory(err, strlen(s->path), "a path");
    hid_t scales = H5I_INVALID_HID;
    mrcnn_status status = open_scales(&scales, s, path, err);
    if (status == MRCNN_OK) status = check_scales(scales, s, count, path, err);
    if (status == MRCNN_OK && !(*values = mr_calloc(count, sizeof **values)))
        status = mr_fail_memory(err, count * sizeof **values, path);
    if (status == MRCNN_OK) status = read_scales(*values, scales, s, count, path, err);
    if (scales >= 0) H5Dclose(scales);
    free(path);
    return status;
}

/* They fill the last quarter of the values' memory, which they become from below. */
static mrcnn_status read_numbers(float *values, const mr_int8_source *s, const float *scales,
                                 const mr_filters *filters, mrcnn_error *err) {
    size_t count = s->about->count;
    int8_t *numbers = (int8_t *)values + count * (sizeof *values - 1);
    if (H5Dread(s->dataset, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) < 0)
        return unreadable(s, s->path, err);
    for (size_t i = 0; i < count; i++)
        if (numbers[i] < -MR_INT8_MOST)
            return mr_fail(err, MRCNN_E_WEIGHTS,
                           "%s: %s holds %d at index %zu, and kernels go from -127 to 127: the "
                           "file is damaged; " REMEDY,
                           s->name, s->path, numbers[i], i);
    mr_int8_to_floats(values, numbers, scales, filters);
    return MRCNN_OK;
}

mrcnn_status mr_h5_read_int8(float *values, const mr_int8_source *source, mrcnn_error *err) {
    const mr_dataset *about = source->about;
    if (about->rank < 2)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: %s is of 8-bit integers, as only kernels may be; save it as float32",
                       source->name, source->path);
    mr_filters filters = mr_kernel_filters(source->layer, about->rank, about->shape);
    float *scales = NULL;
    mrcnn_status status = get_scales(&scales, source, filters.count, err);
    if (status == MRCNN_OK) status = read_numbers(values, source, scales, &filters, err);
    free(scales);
    return status;
}
