/* h5_write.c - Keras 2's layout, as save_weights of Keras 2.1 wrote it (NUMERICS section 8), and
 * plain named arrays. A file is written beside its destination and renamed when it is whole.
 */
#include "weights/weights.h"

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/memory.h"
#include "weights/h5_int8.h"
#include "weights/h5_util.h"
#include "weights/h5_write.h"
#include "weights/info.h"
#include "weights/isolate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------- groups */

/* The tensors of one group, in the order of its weight_names. */
typedef struct group {
    const char *name;
    size_t count, room;
    const mr_tensor **tensors;
} group;

typedef struct groups {
    size_t count;
    group *items;
} groups;

static const char *group_of(const mr_tensor *t) {
    return strncmp(t->layer, "rpn_", 4) == 0 ? "rpn_model" : t->layer;
}

static void free_groups(groups *all) {
    for (size_t i = 0; i < all->count; i++) free(all->items[i].tensors);
    free(all->items);
}

static int append_tensor(group *g, const mr_tensor *t) {
    if (g->count == g->room) {
        size_t room = g->room ? g->room * 2 : 4;
        const mr_tensor **tensors = mr_realloc(g->tensors, room, sizeof *tensors);
        if (!tensors) return 0;
        g->tensors = tensors;
        g->room = room;
    }
    g->tensors[g->count++] = t;
    return 1;
}

/* A layer's tensors follow one another in nearly every set: look at the newest groups first. */
static group *find_group(groups *all, const char *name) {
    for (size_t i = all->count; i-- > 0;)
        if (strcmp(all->items[i].name, name) == 0) return &all->items[i];
    return NULL;
}

/* Keras' order within a layer; a nested model's layers stay in the order of the set. */
static int position(const mr_tensor *t) {
    static const char *const order[] = {"kernel", "bias",        "gamma",
                                        "beta",   "moving_mean", "moving_variance"};
    int n = sizeof order / sizeof order[0], i = 0;
    while (i < n && strcmp(t->param, order[i]) != 0) i++;
    return i;
}

static void sort_group(group *g) {
    for (size_t i = 1; i < g->count; i++) {
        const mr_tensor *t = g->tensors[i];
        size_t k = i;
        for (; k > 0 && strcmp(g->tensors[k - 1]->layer, t->layer) == 0 &&
               position(g->tensors[k - 1]) > position(t);
             k--)
            g->tensors[k] = g->tensors[k - 1];
        g->tensors[k] = t;
    }
}

static mrcnn_status make_groups(groups *all, const mr_tensors *set, const char *path,
                                mrcnn_error *err) {
    size_t count = mr_tensors_count(set);
    *all = (groups){0, mr_calloc(count, sizeof *all->items)};
    if (!all->items) return mr_fail_memory(err, count * sizeof *all->items, "a list of layers");
    for (size_t i = 0; i < count; i++) {
        const mr_tensor *t = mr_tensors_at(set, i);
        if (!t->values)
            return mr_fail(err, MRCNN_E_ARGUMENT,
                           "%s: can't save %s/%s: its values were given back to memory", path,
                           t->layer, t->param);
        group *g = find_group(all, group_of(t));
        if (!g) {
            g = &all->items[all->count++];
            g->name = group_of(t);
        }
        if (!append_tensor(g, t)) return mr_fail_memory(err, sizeof t, "a list of tensors");
    }
    for (size_t i = 0; i < all->count; i++) sort_group(&all->items[i]);
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------ writing */

/* How values lie in the file, and where they come from. */
typedef struct stored {
    hid_t file, memory; /* types */
    const void *values;
    int packed;
} stored;

/* Whole in one chunk, bytes of equal weight side by side, which deflate then finds alike. */
static int pack(hid_t how, int rank, const hsize_t *dims) {
    enum { HARDEST = 9 };
    int failed = H5Pset_chunk(how, rank, dims) < 0 || H5Pset_shuffle(how) < 0 ||
                 H5Pset_deflate(how, HARDEST) < 0;
    return failed ? -1 : 0;
}

/* Groups on the way to `name` are made. */
static int write_stored(hid_t at, const char *name, int rank, const int64_t *shape,
                        const stored *what) {
    hsize_t dims[5] = {0};
    for (int i = 0; i < rank; i++) dims[i] = (hsize_t)shape[i];
    hid_t space = rank > 0 ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t links = H5Pcreate(H5P_LINK_CREATE), how = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    int result = -1;
    if (space >= 0 && links >= 0 && how >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0 &&
        H5Pset_obj_track_times(how, 0) >= 0 && /* the same weights are the same bytes */
        (!what->packed || pack(how, rank, dims) == 0))
        dataset = H5Dcreate2(at, name, what->file, space, links, how, H5P_DEFAULT);
    if (dataset >= 0) {
        result = H5Dwrite(dataset, what->memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, what->values) < 0;
        if (H5Dclose(dataset) < 0) result = -1;
    }
    if (how >= 0) H5Pclose(how);
    if (links >= 0) H5Pclose(links);
    if (space >= 0) H5Sclose(space);
    return result ? -1 : 0;
}

/* Contiguous float32. */
static int write_values(hid_t at, const char *name, int rank, const int64_t *shape,
                        const float *values) {
    stored what = {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values, 0};
    return write_stored(at, name, rank, shape, &what);
}

static int write_halves(hid_t at, const char *name, const mr_tensor *t) {
    uint16_t *halves = mr_calloc(t->count, sizeof *halves);
    stored what = {mr_h5_half_type(H5T_IEEE_F32LE), mr_h5_half_type(H5T_NATIVE_FLOAT), halves, 1};
    int result = -1;
    if (halves && what.file >= 0 && what.memory >= 0) {
        for (size_t i = 0; i < t->count; i++) halves[i] = mr_half_from_float(t->values[i]);
        result = write_stored(at, name, t->rank, t->shape, &what);
    }
    if (what.memory >= 0) H5Tclose(what.memory);
    if (what.file >= 0) H5Tclose(what.file);
    free(halves);
    return result;
}

/* A kernel whose largest value is in the range of halves loses no more than digits: what is rounded to
 * multiples of 2^-24 is small beside the rest. Everything else stays as it is: biases and batch norms,
 * whose variances may be tiny and which take no room, and kernels that would overflow or vanish. */
static int fits_half(const mr_tensor *t) {
    float largest = 0;
    if (t->rank < 2) return 0;
    for (size_t i = 0; i < t->count; i++) {
        float size = fabsf(t->values[i]);
        if (!(size <= MR_HALF_MOST)) return 0; /* NaN, too */
        if (size > largest) largest = size;
    }
    return largest >= MR_HALF_LEAST;
}

/* As integers with scales beside them; as float32 where integers can't stand for the values. */
static int write_int8(hid_t at, const char *name, const mr_tensor *t) {
    mr_filters filters = mr_kernel_filters(t->layer, t->rank, t->shape);
    int64_t count = (int64_t)filters.count;
    float *scales = mr_calloc(filters.count, sizeof *scales);
    int8_t *numbers = mr_calloc(t->count, sizeof *numbers);
    char *beside = mr_h5_scale_path(name);
    int result = -1;
    if (scales && numbers && beside) {
        if (mr_int8_scales(scales, t->values, &filters)) {
            stored what = {H5T_STD_I8LE, H5T_NATIVE_INT8, numbers, 1};
            mr_int8_from_floats(numbers, t->values, scales, &filters);
            result = write_stored(at, name, t->rank, t->shape, &what);
            if (result == 0) result = write_values(at, beside, 1, &count, scales);
        } else {
            result = write_values(at, name, t->rank, t->shape, t->values);
        }
    }
    free(beside);
    free(numbers);
    free(scales);
    return result;
}

static int is_wide(const mr_tensor *t, const mr_weights_storage *storage) {
    for (const char *const *layer = storage->wide; layer && *layer; layer++)
        if (strcmp(*layer, t->layer) == 0) return 1;
    return 0;
}

static int write_tensor(hid_t at, const char *name, const mr_tensor *t,
                        const mr_weights_storage *storage) {
    int small = storage->precision == MR_WEIGHTS_INT8,
        halves = storage->precision == MR_WEIGHTS_F16;
    if (small && t->rank >= 2 && strcmp(t->param, "kernel") == 0) {
        if (!is_wide(t, storage)) return write_int8(at, name, t);
        halves = 1;
    }
    return halves && fits_half(t) ? write_halves(at, name, t)
                                  : write_values(at, name, t->rank, t->shape, t->values);
}

typedef char weight_name[sizeof((mr_tensor *)0)->layer + sizeof((mr_tensor *)0)->param + 4];

static int write_group(hid_t root, const group *g, const mr_weights_storage *storage) {
    hid_t id = H5Gcreate2(root, g->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    weight_name *names = mr_calloc(g->count, sizeof *names);
    const char **list = mr_calloc(g->count, sizeof *list);
    int result = id >= 0 && names && list ? 0 : -1;
    for (size_t i = 0; i < g->count && result == 0; i++) {
        const mr_tensor *t = g->tensors[i];
        snprintf(names[i], sizeof names[i], "%s/%s:0", t->layer, t->param);
        list[i] = names[i];
    }
    if (result == 0) result = mr_h5_write_fixed(id, "weight_names", list, g->count);
    for (size_t i = 0; i < g->count && result == 0; i++)
        result = write_tensor(id, names[i], g->tensors[i], storage);
    free(list);
    free(names);
    if (id >= 0 && H5Gclose(id) < 0) result = -1;
    return result;
}

typedef struct weights_job {
    const groups *all;
    const mr_weights_info *info;
    const mr_weights_storage *storage;
} weights_job;

static int write_layers(hid_t file, const void *what) {
    const weights_job *job = what;
    size_t count = job->all->count;
    const char **names = mr_calloc(count, sizeof *names);
    if (!names) return -1;
    for (size_t i = 0; i < count; i++) names[i] = job->all->items[i].name;
    int result = mr_h5_write_fixed(file, "layer_names", names, count);
    if (result == 0) result = mr_weights_info_write(job->info, file);
    for (size_t i = 0; i < count && result == 0; i++)
        result = write_group(file, &job->all->items[i], job->storage);
    free(names);
    return result;
}

typedef struct arrays_job {
    const mr_array *arrays;
    size_t count;
} arrays_job;

static int write_arrays(hid_t file, const void *what) {
    const arrays_job *job = what;
    int result = 0;
    for (size_t i = 0; i < job->count && result == 0; i++) {
        const mr_array *a = &job->arrays[i];
        result = write_values(file, a->name, a->rank, a->shape, a->values);
    }
    return result;
}

/* -------------------------------------------------------------------------------------- files */

/* What the writing process is to do. It says "ok" or why it can't. */
typedef struct part_job {
    const char *part;
    mr_h5_content content;
    const void *what;
} part_job;

static const char done[] = "ok";

static void write_part(FILE *out, const void *context) {
    const part_job *job = context;
    mr_h5_reason reason;
    mr_h5_remember(&reason);
    hid_t file = H5Fcreate(job->part, H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
    int failed = file < 0 || job->content(file, job->what) < 0 || H5Fclose(file) < 0;
    fputs(failed ? mr_h5_why().text : done, out);
}

/* In a process of its own, like reading: after a write that failed (a full disk), HDF5 1.10 crashes
 * when it tidies up at exit. */
static mrcnn_status write_isolated(const part_job *job, const char *path, mrcnn_error *err) {
    enum { SECONDS = 600, MEMORY = 1 << 30 };
    mr_isolated_limits limits = {SECONDS, MEMORY};
    mr_isolated child;
    mr_h5_reason said = {""};
    mr_h5_lock(); /* no other thread may be within HDF5 when this one forks */
    mrcnn_status status = mr_isolate(&child, write_part, job, &limits, path, err);
    if (status == MRCNN_OK) {
        said.text[fread(said.text, 1, sizeof said.text - 1, child.in)] = 0;
        mr_isolate_end(&child);
    }
    mr_h5_unlock();
    if (status != MRCNN_OK || strcmp(said.text, done) == 0) return status;
    unlink(job->part);
    return mr_fail(err, MRCNN_E_IO,
                   "%s: can't write it (%s); is the folder there, writable and not full?", path,
                   said.text[0] ? said.text : "HDF5 crashed");
}

mrcnn_status mr_h5_write_file(const char *path, mr_h5_content content, const void *what,
                              mrcnn_error *err) {
    char *part = mr_file_part_name(path);
    if (!part) return mr_fail_memory(err, strlen(path), "a file name");
    part_job job = {part, content, what};
    mrcnn_status status = write_isolated(&job, path, err);
    if (status == MRCNN_OK) status = mr_file_commit(part, path, err);
    free(part);
    return status;
}

mrcnn_status mr_weights_write_as(const mr_tensors *set, const mr_weights_info *info,
                                 const char *path, const mr_weights_storage *storage,
                                 mrcnn_error *err) {
    if (mr_tensors_count(set) == 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: there are no weights to save", path);
    groups all;
    mrcnn_status status = mr_weights_info_check(info, path, err);
    if (status != MRCNN_OK) return status;
    status = make_groups(&all, set, path, err);
    weights_job job = {&all, info, storage};
    if (status == MRCNN_OK) status = mr_h5_write_file(path, write_layers, &job, err);
    free_groups(&all);
    return status;
}

mrcnn_status mr_weights_write(const mr_tensors *set, const mr_weights_info *info, const char *path,
                              mrcnn_error *err) {
    mr_weights_storage plain = {.precision = MR_WEIGHTS_F32};
    return mr_weights_write_as(set, info, path, &plain, err);
}

mrcnn_status mr_arrays_write(const mr_array *arrays, size_t count, const char *path,
                             mrcnn_error *err) {
    for (size_t i = 0; i < count; i++) {
        int good = arrays[i].rank >= 0 && arrays[i].rank <= 5;
        for (int k = 0; k < arrays[i].rank && good; k++) good = arrays[i].shape[k] >= 0;
        if (!good)
            return mr_fail(err, MRCNN_E_ARGUMENT, "%s: array %s has an impossible shape", path,
                           arrays[i].name);
    }
    arrays_job job = {arrays, count};
    return mr_h5_write_file(path, write_arrays, &job, err);
}
