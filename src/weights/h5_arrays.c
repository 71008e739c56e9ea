/* h5_arrays.c - see arrays.h. The root's attribute lists the names in order; each array is a
 * dataset in one piece at its name, a text one string of fixed length.
 */
#include "weights/arrays.h"

#include "base/error.h"
#include "base/memory.h"
#include "weights/file_kind.h"
#include "weights/h5_arrays_scan.h"
#include "weights/h5_util.h"
#include "weights/h5_write.h"
#include "weights/isolate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --------------------------------------------------------------------------------------- lists */

void mr_array_list_free(mr_array_list *list) {
    if (!list) return;
    for (size_t i = 0; i < list->count; i++) {
        free((char *)list->arrays[i].name);
        free((void *)list->arrays[i].values);
    }
    free(list->arrays);
    *list = (mr_array_list){0};
}

mr_named_array *mr_array_list_find(const mr_array_list *list, const char *name,
                                   mr_element element) {
    for (size_t i = 0; i < list->count; i++)
        if (list->arrays[i].element == element && strcmp(list->arrays[i].name, name) == 0)
            return &list->arrays[i];
    return NULL;
}

/* The bytes that rank and shape ask for; 0 if they make no sense. A text may have any number. */
static int shape_bytes(int rank, const int64_t *shape, mr_element element, size_t *bytes) {
    *bytes = mr_element_size(element);
    if (rank < 0 || rank > 5 || (element == MR_TEXT && rank != 0)) return 0;
    for (int i = 0; i < rank; i++)
        if (shape[i] < 1 || !mr_mul_size(*bytes, (size_t)shape[i], bytes)) return 0;
    return 1;
}

static int is_name(const char *name) {
    size_t n = strlen(name);
    int good = n > 0 && n < MR_ARRAY_NAME;
    for (size_t i = 0; i < n && good; i++) good = name[i] >= ' ' && name[i] <= '~';
    return good;
}

/* ------------------------------------------------------------------------------------- writing */

typedef struct arrays_job {
    const mr_named_array *arrays;
    size_t count;
} arrays_job;

static hid_t file_type(const mr_named_array *a) {
    switch (a->element) {
    case MR_FLOAT32: return H5Tcopy(H5T_NATIVE_FLOAT);
    case MR_FLOAT64: return H5Tcopy(H5T_NATIVE_DOUBLE);
    case MR_INT64: return H5Tcopy(H5T_NATIVE_INT64);
    case MR_TEXT: break;
    }
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, a->bytes ? a->bytes : 1) < 0 ||
         H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static int write_array(hid_t file, const mr_named_array *a) {
    hsize_t dims[5] = {0};
    for (int i = 0; i < a->rank; i++) dims[i] = (hsize_t)a->shape[i];
    hid_t type = file_type(a);
    hid_t space = a->rank > 0 ? H5Screate_simple(a->rank, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t links = H5Pcreate(H5P_LINK_CREATE), how = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    int result = -1;
    if (type >= 0 && space >= 0 && links >= 0 && how >= 0 &&
        H5Pset_create_intermediate_group(links, 1) >= 0 && H5Pset_obj_track_times(how, 0) >= 0)
        dataset = H5Dcreate2(file, a->name, type, space, links, how, H5P_DEFAULT);
    if (dataset >= 0) {
        const void *values = a->element == MR_TEXT && a->bytes == 0 ? "" : a->values;
        result = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0 ? -1 : 0;
        if (H5Dclose(dataset) < 0) result = -1;
    }
    if (how >= 0) H5Pclose(how);
    if (links >= 0) H5Pclose(links);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return result;
}

static int write_arrays(hid_t file, const void *what) {
    const arrays_job *job = what;
    const char **names = mr_calloc(job->count, sizeof *names);
    if (!names) return -1;
    for (size_t i = 0; i < job->count; i++) names[i] = job->arrays[i].name;
    int result = mr_h5_write_fixed(file, MR_ARRAYS_ATTRIBUTE, names, job->count);
    for (size_t i = 0; i < job->count && result == 0; i++)
        result = write_array(file, &job->arrays[i]);
    free(names);
    return result;
}

mrcnn_status mr_named_arrays_write(const mr_named_array *arrays, size_t count, const char *path,
                                   mrcnn_error *err) {
    if (count == 0 || count > MR_MOST_ARRAYS)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: can't hold %zu arrays", path, count);
    for (size_t i = 0; i < count; i++) {
        const mr_named_array *a = &arrays[i];
        size_t bytes = 0;
        if (!is_name(a->name))
            return mr_fail(err, MRCNN_E_ARGUMENT, "%s: array %zu can't have the name \"%.300s\"",
                           path, i, a->name);
        if (!shape_bytes(a->rank, a->shape, a->element, &bytes) ||
            (a->element != MR_TEXT && bytes != a->bytes) || (a->bytes > 0 && !a->values))
            return mr_fail(err, MRCNN_E_ARGUMENT, "%s: array %s has an impossible shape or size",
                           path, a->name);
    }
    arrays_job job = {arrays, count};
    return mr_h5_write_file(path, write_arrays, &job, err);
}

/* ------------------------------------------------------------------------------------- reading */

enum {
    SCAN_SECONDS = 3, /* of work for HDF5, which sees no values: a usual file takes 0.05 */
    SCAN_MEMORY = 1 << 28
};

typedef struct reader {
    const char *path;
    mrcnn_error *err;
    int fd;
    uint64_t file_size, claimed; /* bytes of the file that arrays so far have claimed */
    mr_array_list list;
    uint64_t *offsets; /* of each array's values */
    size_t room;
} reader;

static mrcnn_status damaged(const reader *r, const char *what) {
    return mr_fail(r->err, MRCNN_E_FORMAT, "%s: %s: the file is damaged", r->path, what);
}

static int grow(reader *r) {
    if (r->list.count < r->room) return 1;
    size_t room = r->room ? r->room * 2 : 256;
    mr_named_array *arrays = mr_realloc(r->list.arrays, room, sizeof *arrays);
    if (arrays) r->list.arrays = arrays;
    uint64_t *offsets = mr_realloc(r->offsets, room, sizeof *offsets);
    if (offsets) r->offsets = offsets;
    if (!arrays || !offsets) return 0;
    r->room = room;
    return 1;
}

/* The child has checked this already; but a damaged file may have damaged it. */
static mrcnn_status take_place(reader *r, mr_place *place) {
    size_t bytes = 0;
    place->text[sizeof place->text - 1] = 0;
    if ((unsigned)place->element > MR_TEXT || !is_name(place->text) ||
        !shape_bytes(place->rank, place->shape, place->element, &bytes) ||
        (place->element != MR_TEXT && place->bytes != bytes) || place->bytes > r->file_size ||
        place->offset > r->file_size - place->bytes || r->list.count >= MR_MOST_ARRAYS)
        return damaged(r, "its list of arrays makes no sense");
    /* No two arrays share bytes: whoever claims more than there is would make us fill memory. */
    if (place->bytes > r->file_size - r->claimed)
        return damaged(r, "its arrays claim more bytes than it has");
    r->claimed += place->bytes;
    char *name = mr_strdup(place->text);
    if (!name || !grow(r)) {
        free(name);
        return mr_fail_memory(r->err, sizeof *place, "a list of arrays");
    }
    r->offsets[r->list.count] = place->offset;
    mr_named_array *a = &r->list.arrays[r->list.count++];
    *a = (mr_named_array){name, place->element, place->rank, {0}, (size_t)place->bytes, NULL};
    memcpy(a->shape, place->shape, sizeof a->shape);
    return MRCNN_OK;
}

static mrcnn_status take_places(reader *r, FILE *in, int *silent) {
    mr_place place;
    mrcnn_status status = MRCNN_OK;
    while (status == MRCNN_OK) {
        if (fread(&place, sizeof place, 1, in) != 1) {
            *silent = 1;
            return damaged(r, "HDF5 fails over it");
        }
        if (place.kind == MR_PLACE_END) return MRCNN_OK;
        place.text[sizeof place.text - 1] = 0;
        if (place.kind == MR_PLACE_FAILURE)
            status =
                mr_fail(r->err, place.status ? place.status : MRCNN_E_FORMAT, "%s", place.text);
        else
            status = place.kind == MR_PLACE_ARRAY ? take_place(r, &place)
                                                  : damaged(r, "HDF5 fails over it");
    }
    return status;
}

static mrcnn_status scan(reader *r) {
    mr_arrays_scan job = {r->path, r->fd, r->file_size};
    mr_isolated_limits limits = {SCAN_SECONDS, SCAN_MEMORY};
    mr_isolated child;
    int silent = 0;
    mr_h5_lock(); /* no other thread may be within HDF5 when this one forks */
    mrcnn_status status = mr_isolate(&child, mr_scan_arrays, &job, &limits, r->path, r->err);
    if (status == MRCNN_OK) {
        status = take_places(r, child.in, &silent);
        if (mr_isolate_end(&child) == MR_TOOK_TOO_LONG && silent)
            status = damaged(r, "HDF5 finds no end in it");
    }
    mr_h5_unlock();
    return status;
}

static mrcnn_status read_values(reader *r, mr_named_array *a, uint64_t offset) {
    char *bytes = mr_alloc_aligned(a->bytes + 1); /* a text gets a final 0 */
    if (!bytes) return mr_fail_memory(r->err, a->bytes, a->name);
    a->values = bytes;
    size_t done = 0;
    while (done < a->bytes) {
        ssize_t n = pread(r->fd, bytes + done, a->bytes - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return mr_fail(r->err, MRCNN_E_IO, "%s: can't read %s: %s", r->path, a->name,
                           n < 0 ? strerror(errno) : "the file is cut off");
        done += (size_t)n;
    }
    bytes[a->bytes] = 0;
    if (a->element == MR_TEXT) a->bytes = strlen(bytes);
    return MRCNN_OK;
}

mrcnn_status mr_named_arrays_read(mr_array_list *list, const char *path, mrcnn_error *err) {
    mrcnn_error own = MRCNN_ERROR_INIT;
    reader r = {.path = path, .err = err ? err : &own};
    mrcnn_status status = mr_open_hdf5_file(&r.fd, &r.file_size, path, r.err);
    if (status != MRCNN_OK) return status;
    status = scan(&r);
    for (size_t i = 0; i < r.list.count && status == MRCNN_OK; i++)
        status = read_values(&r, &r.list.arrays[i], r.offsets[i]);
    close(r.fd);
    free(r.offsets);
    if (status == MRCNN_OK)
        *list = r.list;
    else
        mr_array_list_free(&r.list);
    return status;
}
