/* h5_arrays_scan.c - see h5_arrays_scan.h. Arrays lie in one piece each, as this machine holds
 * them: that is how they were written, and whatever else HDF5 can do is refused.
 */
#include "weights/h5_arrays_scan.h"

#include "base/error.h"
#include "base/memory.h"
#include "weights/h5_util.h"

#include <string.h>
#include <sys/stat.h>

size_t mr_element_size(mr_element element) {
    return element == MR_FLOAT32 ? sizeof(float) : element == MR_TEXT ? 1 : sizeof(int64_t);
}

static mrcnn_status odd(const mr_arrays_scan *scan, const char *name, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_FORMAT, "%s: %s is not as this program writes it: it is damaged",
                   scan->path, name);
}

/* 1 if the type is one that is written here; a text's length is its type's size. */
static int find_element(mr_place *place, hid_t type, size_t *size) {
    *size = H5Tget_size(type);
    if (H5Tget_class(type) == H5T_STRING) {
        place->element = MR_TEXT;
        return H5Tis_variable_str(type) == 0;
    }
    place->element = H5Tequal(type, H5T_NATIVE_FLOAT) > 0    ? MR_FLOAT32
                     : H5Tequal(type, H5T_NATIVE_DOUBLE) > 0 ? MR_FLOAT64
                                                             : MR_INT64;
    return place->element != MR_INT64 || H5Tequal(type, H5T_NATIVE_INT64) > 0;
}

static int find_shape(mr_place *place, hid_t space, size_t *count) {
    hsize_t dims[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_ndims(space);
    if (H5Sget_simple_extent_type(space) == H5S_NULL || rank < 0 || rank > 5) return 0;
    if (H5Sget_simple_extent_dims(space, dims, NULL) != rank) return 0;
    place->rank = rank;
    *count = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 0 || dims[i] > INT64_MAX || !mr_mul_size(*count, (size_t)dims[i], count))
            return 0;
        place->shape[i] = (int64_t)dims[i];
    }
    return 1;
}

static int find_place(mr_place *place, hid_t dataset, hid_t plist, size_t bytes,
                      uint64_t file_size) {
    if (H5Pget_layout(plist) != H5D_CONTIGUOUS || H5Pget_external_count(plist) != 0) return 0;
    haddr_t offset = H5Dget_offset(dataset);
    place->offset = offset;
    place->bytes = bytes;
    return offset != HADDR_UNDEF && bytes > 0 && H5Dget_storage_size(dataset) == bytes &&
           bytes <= file_size && offset <= file_size - bytes;
}

static mrcnn_status scan_array(const mr_arrays_scan *scan, hid_t dataset, const char *name,
                               mr_place *place, mrcnn_error *err) {
    size_t size = 0, count = 0, bytes = 0;
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hid_t plist = H5Dget_create_plist(dataset);
    int good = type >= 0 && space >= 0 && plist >= 0 && find_element(place, type, &size) &&
               find_shape(place, space, &count) && mr_mul_size(count, size, &bytes) &&
               (place->element != MR_TEXT || place->rank == 0) &&
               find_place(place, dataset, plist, bytes, scan->file_size);
    if (plist >= 0) H5Pclose(plist);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return good ? MRCNN_OK : odd(scan, name, err);
}

/* The file that HDF5 opens by name must be the one that the values will be read from. */
static int is_same(hid_t file, int fd) {
    void *handle = NULL;
    struct stat ours, theirs;
    return H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && handle && fstat(fd, &ours) == 0 &&
           fstat(*(int *)handle, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

static mrcnn_status open_file(hid_t *file, const mr_arrays_scan *scan, mrcnn_error *err) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    /* These files are renamed into place, never changed: locks would only fail where there are
     * none. */
    if (access >= 0) H5Pset_file_locking(access, 0, 1);
#endif
    *file = access < 0 ? H5I_INVALID_HID : H5Fopen(scan->path, H5F_ACC_RDONLY, access);
    if (*file < 0)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: HDF5 can't open it (%s): the file is damaged",
                       scan->path, mr_h5_why().text);
    if (!is_same(*file, scan->fd))
        return mr_fail(err, MRCNN_E_IO, "%s: was replaced while it was read; try again",
                       scan->path);
    return MRCNN_OK;
}

static mrcnn_status read_names(mr_h5_strings *names, hid_t file, const char *path,
                               mrcnn_error *err) {
    if (!mr_h5_has_strings(file, MR_ARRAYS_ATTRIBUTE))
        return mr_fail(err, MRCNN_E_FORMAT, "%s: was not written by this program as such a file",
                       path);
    mrcnn_status status = mr_h5_read_strings(names, file, MR_ARRAYS_ATTRIBUTE, path, err);
    if (status == MRCNN_OK && names->count > MR_MOST_ARRAYS)
        status = mr_fail(err, MRCNN_E_FORMAT, "%s: lists more than %d arrays: it is damaged", path,
                         MR_MOST_ARRAYS);
    return status;
}

static mrcnn_status report_array(FILE *out, const mr_arrays_scan *scan, hid_t file,
                                 const char *name, mrcnn_error *err) {
    mr_place place = {.kind = MR_PLACE_ARRAY};
    hid_t dataset = H5I_INVALID_HID;
    if (strlen(name) >= MR_ARRAY_NAME) return odd(scan, "a name in it", err);
    mrcnn_status status = mr_h5_open(&dataset, file, name, H5I_DATASET, scan->path, err);
    if (status != MRCNN_OK) return status;
    status = scan_array(scan, dataset, name, &place, err);
    H5Dclose(dataset);
    strcpy(place.text, name);
    if (status == MRCNN_OK && fwrite(&place, sizeof place, 1, out) != 1)
        status = mr_fail(err, MRCNN_E_IO, "%s: the pipe from its reader broke", scan->path);
    return status;
}

void mr_scan_arrays(FILE *out, const void *context) {
    const mr_arrays_scan *scan = context;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_h5_reason reason;
    mr_h5_strings names = {0};
    hid_t file = H5I_INVALID_HID;
    mr_h5_remember(&reason);
    mrcnn_status status = open_file(&file, scan, &err);
    if (status == MRCNN_OK) status = read_names(&names, file, scan->path, &err);
    for (size_t i = 0; i < names.count && status == MRCNN_OK; i++)
        status = report_array(out, scan, file, names.strings[i], &err);
    mr_place last = {.kind = status == MRCNN_OK ? MR_PLACE_END : MR_PLACE_FAILURE,
                     .status = status};
    memcpy(last.text, err.message, sizeof last.text);
    fwrite(&last, sizeof last, 1, out);
    /* The process ends now: HDF5 is not asked to tidy up what may be damaged. */
}
