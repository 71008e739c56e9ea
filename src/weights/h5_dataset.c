/* h5_dataset.c - see h5_dataset.h. HDF5 can do much that weights never need: other files, virtual
 * datasets, plug-in filters, numbers of any width. What is not needed is refused, by name.
 */
#include "weights/h5_dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "weights/h5_util.h"

#include <string.h>

enum {
    DEFLATE_RATIO = 1100, /* deflate can't shrink anything by more than 1032 */
    MOST_FILTERS = 4,
    CHUNK_SLACK = 1 << 16 /* elements by which a chunk may exceed its dataset */
};

typedef struct subject {
    hid_t dataset;
    uint64_t file_size;
    const char *file, *path;
} subject;

static mrcnn_status refuse(const subject *s, mrcnn_error *err, mrcnn_status status,
                           const char *why) {
    return mr_fail(err, status, "%s: %s %s", s->file, s->path, why);
}

static int is_half(hid_t type) {
    hid_t little = mr_h5_half_type(H5T_IEEE_F32LE), big = mr_h5_half_type(H5T_IEEE_F32BE);
    int equal =
        (little >= 0 && H5Tequal(type, little) > 0) || (big >= 0 && H5Tequal(type, big) > 0);
    if (little >= 0) H5Tclose(little);
    if (big >= 0) H5Tclose(big);
    return equal;
}

static int is_either(hid_t type, hid_t little, hid_t big) {
    return H5Tequal(type, little) > 0 || H5Tequal(type, big) > 0;
}

/* Exactly the IEEE types: HDF5 can describe floats of any layout, and converts them one by one. Integers
 * of 8 bits need scales, for which whoever reads them looks. */
static mrcnn_status check_type(const subject *s, hid_t type, mr_dataset *about, mrcnn_error *err) {
    about->bits = is_either(type, H5T_IEEE_F32LE, H5T_IEEE_F32BE)   ? 32
                  : is_either(type, H5T_IEEE_F64LE, H5T_IEEE_F64BE) ? 64
                  : is_either(type, H5T_STD_I8LE, H5T_STD_I8BE)     ? 8
                  : is_half(type)                                   ? 16
                                                                    : 0;
    return about->bits ? MRCNN_OK
                       : refuse(s, err, MRCNN_E_UNSUPPORTED,
                                "is not of float16, float32 or float64 numbers, or of int8 with "
                                "scales; save it as float32");
}

static mrcnn_status check_space(const subject *s, hid_t space, mr_dataset *about,
                                mrcnn_error *err) {
    hsize_t dims[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_ndims(space);
    if (H5Sget_simple_extent_type(space) == H5S_NULL || rank < 0)
        return refuse(s, err, MRCNN_E_FORMAT, "has no shape: the file is damaged");
    if (rank > 5)
        return refuse(s, err, MRCNN_E_FORMAT, "has more than 5 axes; no weight has so many");
    if (H5Sget_simple_extent_dims(space, dims, NULL) != rank)
        return refuse(s, err, MRCNN_E_FORMAT, "has no shape: the file is damaged");
    about->rank = rank;
    about->count = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 0) return refuse(s, err, MRCNN_E_FORMAT, "is empty (an axis has length 0)");
        if (dims[i] > MR_DATASET_MOST_ELEMENTS ||
            !mr_mul_size(about->count, (size_t)dims[i], &about->count) ||
            about->count > MR_DATASET_MOST_ELEMENTS)
            return refuse(s, err, MRCNN_E_FORMAT, "claims to have more than 2^31 numbers");
        about->shape[i] = (int64_t)dims[i];
    }
    return MRCNN_OK;
}

static mrcnn_status check_contiguous(const subject *s, hid_t plist, hid_t type, mr_dataset *about,
                                     mrcnn_error *err) {
    if (H5Pget_external_count(plist) != 0)
        return refuse(s, err, MRCNN_E_UNSUPPORTED,
                      "keeps its numbers in another file, which is not followed");
    haddr_t offset = H5Dget_offset(s->dataset);
    uint64_t bytes = (uint64_t)about->count * H5Tget_size(type);
    if (offset == HADDR_UNDEF)
        return refuse(s, err, MRCNN_E_FORMAT, "was made but never written; save the model again");
    if (about->stored != bytes || bytes > s->file_size || offset > s->file_size - bytes)
        return refuse(s, err, MRCNN_E_FORMAT,
                      "claims more numbers than the file holds: the file is damaged");
    about->plain = H5Tequal(type, H5T_NATIVE_FLOAT) > 0;
    about->offset = offset;
    return MRCNN_OK;
}

static mrcnn_status check_filters(const subject *s, hid_t plist, int *deflated, mrcnn_error *err) {
    int count = H5Pget_nfilters(plist);
    if (count < 0 || count > MOST_FILTERS)
        return refuse(s, err, MRCNN_E_FORMAT, "has absurd filters: the file is damaged");
    for (int i = 0; i < count; i++) {
        unsigned flags, config;
        unsigned values[8];
        size_t value_count = sizeof values / sizeof values[0];
        char name[2] = "";
        H5Z_filter_t filter = H5Pget_filter2(plist, (unsigned)i, &flags, &value_count, values,
                                             sizeof name, name, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            return refuse(s, err, MRCNN_E_UNSUPPORTED,
                          "is packed by a filter other than gzip, shuffle or fletcher32; repack it "
                          "with h5repack -f NONE");
        if (filter == H5Z_FILTER_DEFLATE) *deflated = 1;
    }
    return MRCNN_OK;
}

static mrcnn_status check_chunks(const subject *s, hid_t plist, hid_t type, mr_dataset *about,
                                 mrcnn_error *err) {
    hsize_t chunk[H5S_MAX_RANK];
    uint64_t elements = 1;
    int deflated = 0;
    mrcnn_status status = check_filters(s, plist, &deflated, err);
    if (status != MRCNN_OK) return status;
    if (H5Pget_chunk(plist, H5S_MAX_RANK, chunk) != about->rank)
        return refuse(s, err, MRCNN_E_FORMAT, "has chunks of another rank: the file is damaged");
    for (int i = 0; i < about->rank; i++) {
        if (chunk[i] == 0 || chunk[i] > MR_DATASET_MOST_ELEMENTS / elements)
            return refuse(s, err, MRCNN_E_FORMAT, "has absurd chunks: the file is damaged");
        elements *= chunk[i];
    }
    if (elements > (uint64_t)about->count * 2 + CHUNK_SLACK)
        return refuse(s, err, MRCNN_E_FORMAT,
                      "has chunks far larger than itself: the file is damaged");
    uint64_t bytes = (uint64_t)about->count * H5Tget_size(type);
    if (about->stored == 0)
        return refuse(s, err, MRCNN_E_FORMAT, "was made but never written; save the model again");
    if (about->stored > s->file_size || bytes / (deflated ? DEFLATE_RATIO : 1) > about->stored)
        return refuse(s, err, MRCNN_E_FORMAT,
                      "claims more numbers than the file holds: the file is damaged");
    return MRCNN_OK;
}

static mrcnn_status check_layout(const subject *s, hid_t plist, hid_t type, mr_dataset *about,
                                 mrcnn_error *err) {
    about->stored = H5Dget_storage_size(s->dataset);
    switch (H5Pget_layout(plist)) {
    case H5D_CONTIGUOUS: return check_contiguous(s, plist, type, about, err);
    case H5D_CHUNKED: return check_chunks(s, plist, type, about, err);
    case H5D_COMPACT:
        if (about->stored == (uint64_t)about->count * H5Tget_size(type)) return MRCNN_OK;
        return refuse(s, err, MRCNN_E_FORMAT, "is not of its own size: the file is damaged");
    case H5D_VIRTUAL:
        return refuse(s, err, MRCNN_E_UNSUPPORTED,
                      "is a virtual dataset, whose numbers are elsewhere; copy it with h5repack");
    default: return refuse(s, err, MRCNN_E_FORMAT, "is laid out in an unknown way");
    }
}

mrcnn_status mr_dataset_check(mr_dataset *about, hid_t dataset, uint64_t file_size,
                              const char *file, const char *path, mrcnn_error *err) {
    subject s = {dataset, file_size, file, path};
    *about = (mr_dataset){0};
    mrcnn_status status = MRCNN_OK;
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hid_t plist = H5Dget_create_plist(dataset);
    if (type < 0 || space < 0 || plist < 0)
        status = refuse(&s, err, MRCNN_E_FORMAT, "can't be examined: the file is damaged");
    if (status == MRCNN_OK) status = check_type(&s, type, about, err);
    if (status == MRCNN_OK) status = check_space(&s, space, about, err);
    if (status == MRCNN_OK) status = check_layout(&s, plist, type, about, err);
    if (plist >= 0) H5Pclose(plist);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return status;
}
