/* h5_read.c - a Keras weight file whole into memory (NUMERICS section 8). First the tree is walked
 * through HDF5: names, shapes, and whatever HDF5 must convert or unpack. What lies in the file as
 * plain float32, which is everything in usual files, is then read from its place by all cores.
 */
#include "weights/weights.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "weights/file_kind.h"
#include "weights/h5_dataset.h"
#include "weights/h5_util.h"
#include "weights/info.h"
#include "weights/names.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_WEIGHTS = 1 << 16,   /* in a file */
    PIECE_ELEMENTS = 1 << 20, /* read by one thread at a time */
    MOST_THREADS = 8          /* more don't make memory faster */
};

/* A part of a tensor to be read from its place in the file. */
typedef struct piece {
    mr_tensor *tensor;
    size_t first, count;
    uint64_t offset;
    int error; /* errno, or -1 when the file ended */
    int bad;   /* not all values are finite */
} piece;

typedef struct reader {
    const char *path;
    mrcnn_error *err;
    uint64_t file_size;
    uint64_t claimed; /* bytes of the file that datasets so far have claimed */
    size_t weights;
    hid_t file, root;   /* root: the group that lists the layers */
    const char *prefix; /* its path */
    mr_tensors *set;
    piece *pieces;
    size_t piece_count, piece_room;
} reader;

/* ------------------------------------------------------------------------------------- values */

static int all_finite(const float *values, size_t count) {
    int bad = 0;
    for (size_t i = 0; i < count; i++) bad |= !(fabsf(values[i]) <= FLT_MAX);
    return !bad;
}

static mrcnn_status not_finite(reader *r, const mr_tensor *t) {
    size_t i = 0;
    while (i + 1 < t->count && isfinite(t->values[i])) i++;
    return mr_fail(r->err, MRCNN_E_WEIGHTS,
                   "%s: %s holds a value that is not a finite number (%g at index %zu); the "
                   "training that wrote it diverged, take an earlier checkpoint",
                   r->path, t->path, (double)t->values[i], i);
}

static mrcnn_status plan_pieces(reader *r, mr_tensor *t, uint64_t offset) {
    for (size_t first = 0; first < t->count; first += PIECE_ELEMENTS) {
        if (r->piece_count == r->piece_room) {
            size_t room = r->piece_room ? r->piece_room * 2 : 256;
            piece *pieces = mr_realloc(r->pieces, room, sizeof *pieces);
            if (!pieces) return mr_fail_memory(r->err, room * sizeof *pieces, "a reading plan");
            r->pieces = pieces;
            r->piece_room = room;
        }
        size_t left = t->count - first;
        r->pieces[r->piece_count++] = (piece){
            t, first, left < PIECE_ELEMENTS ? left : PIECE_ELEMENTS, offset + first * sizeof(float),
            0, 0};
    }
    return MRCNN_OK;
}

typedef struct piece_context {
    int fd;
    piece *pieces;
} piece_context;

static void read_piece(int fd, piece *p) {
    char *to = (char *)(p->tensor->values + p->first);
    size_t bytes = p->count * sizeof(float), done = 0;
    while (done < bytes) {
        ssize_t n = pread(fd, to + done, bytes - done, (off_t)(p->offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            p->error = n < 0 ? errno : -1;
            return;
        }
        done += (size_t)n;
    }
    p->bad = !all_finite(p->tensor->values + p->first, p->count);
}

static void read_some(void *context, size_t begin, size_t end, int thread) {
    const piece_context *c = context;
    (void)thread;
    for (size_t i = begin; i < end; i++) read_piece(c->fd, &c->pieces[i]);
}

static mrcnn_status read_pieces(reader *r) {
    void *handle = NULL;
    if (r->piece_count == 0) return MRCNN_OK;
    if (H5Fget_vfd_handle(r->file, H5P_DEFAULT, &handle) < 0 || !handle)
        return mr_fail(r->err, MRCNN_E_IO, "%s: HDF5 does not give its file descriptor (%s)",
                       r->path, mr_h5_why().text);
    piece_context context = {*(int *)handle, r->pieces};
    int threads = mr_cores() < MOST_THREADS ? mr_cores() : MOST_THREADS;
    mr_parallel_dynamic(threads, r->piece_count, 1, read_some, &context);
    for (size_t i = 0; i < r->piece_count; i++) {
        const piece *p = &r->pieces[i];
        if (p->error)
            return mr_fail(r->err, MRCNN_E_IO, "%s: can't read %s: %s", r->path, p->tensor->path,
                           p->error > 0 ? strerror(p->error) : "the file is cut off");
        if (p->bad) return not_finite(r, p->tensor);
    }
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------ tensors */

/* No two weights share bytes in a file that Keras wrote: whoever claims more than there is would
 * make us fill memory from a small file. */
static mrcnn_status claim(reader *r, const mr_dataset *about, const char *path) {
    if (about->stored > r->file_size - r->claimed)
        return mr_fail(r->err, MRCNN_E_FORMAT,
                       "%s: its weights claim more bytes than the file has (at %s): it is damaged",
                       r->path, path);
    r->claimed += about->stored;
    return MRCNN_OK;
}

static mrcnn_status add_tensor(reader *r, const char *group, const char *name, int nested,
                               const mr_dataset *about, mr_tensor **tensor) {
    mr_weight_key key;
    int named = mr_weight_key_make(&key, group, name, nested, 0);
    if (named && mr_tensors_find(r->set, key.layer, key.param))
        named = mr_weight_key_make(&key, group, name, nested, 1);
    if (!named)
        return mr_fail(r->err, MRCNN_E_FORMAT,
                       "%s: weight %.200s of layer %.200s: the name is too long", r->path, name,
                       group);
    mrcnn_status status =
        mr_tensors_add(r->set, key.layer, key.param, about->rank, about->shape, tensor, r->err);
    if (status == MRCNN_OK) return status;
    return mr_prefix(r->err, status == MRCNN_E_ARGUMENT ? MRCNN_E_FORMAT : status, r->path);
}

/* `path` (owned by the tensor from here on) is the dataset's place. */
static mrcnn_status read_dataset(reader *r, hid_t dataset, const char *group, const char *name,
                                 int nested, char *path) {
    mr_dataset about;
    mr_tensor *t = NULL;
    mrcnn_status status = mr_dataset_check(&about, dataset, r->file_size, r->path, path, r->err);
    if (status == MRCNN_OK) status = claim(r, &about, path);
    if (status == MRCNN_OK) status = add_tensor(r, group, name, nested, &about, &t);
    if (status != MRCNN_OK) {
        free(path);
        return status;
    }
    t->path = path;
    if (about.plain) return plan_pieces(r, t, about.offset);
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->values) < 0)
        return mr_fail(r->err, MRCNN_E_FORMAT, "%s: can't read %s (%s): the file is damaged",
                       r->path, path, mr_h5_why().text);
    return all_finite(t->values, t->count) ? MRCNN_OK : not_finite(r, t);
}

static mrcnn_status read_weight(reader *r, hid_t group_id, const char *group, const char *name,
                                int nested) {
    hid_t dataset = H5I_INVALID_HID;
    /* tf.keras may repeat the layer once more than weight_names says. */
    int deeper = !mr_h5_exists(group_id, name);
    char *inside = deeper ? mr_format("%s/%s", group, name) : mr_strdup(name);
    if (inside && deeper && !mr_h5_exists(group_id, inside)) strcpy(inside, name);
    char *path = inside ? mr_format("%s/%s/%s", r->prefix, group, inside) : NULL;
    mrcnn_status status = MRCNN_OK;
    if (++r->weights > MOST_WEIGHTS)
        status = mr_fail(r->err, MRCNN_E_FORMAT, "%s: lists more than %d weights: it is damaged",
                         r->path, MOST_WEIGHTS);
    else if (!path)
        status = mr_fail_memory(r->err, strlen(name), "a path");
    else
        status = mr_h5_open(&dataset, group_id, inside, H5I_DATASET, r->path, r->err);
    if (status == MRCNN_OK) {
        status = read_dataset(r, dataset, group, name, nested, path);
        path = NULL;
        H5Dclose(dataset);
    }
    free(path);
    free(inside);
    return status;
}

/* ------------------------------------------------------------------------------------- layers */

/* Keras' names are scopes of TensorFlow: letters, digits and _.-/ alone. What else there is may be
 * a damaged file, and would make a mess of messages and terminals. */
static mrcnn_status check_names(reader *r, const mr_h5_strings *names, const char *attribute) {
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->strings[i];
        size_t n = strlen(name);
        int good = n > 0 && n < 512;
        for (size_t k = 0; k < n && good; k++) good = name[k] >= ' ' && name[k] <= '~';
        if (!good)
            return mr_fail(r->err, MRCNN_E_FORMAT,
                           "%s: entry %zu of %s is not a name: the file is damaged", r->path, i,
                           attribute);
    }
    return MRCNN_OK;
}

static mrcnn_status read_names(reader *r, hid_t object, const char *attribute,
                               mr_h5_strings *names) {
    mrcnn_status status = mr_h5_read_strings(names, object, attribute, r->path, r->err);
    if (status == MRCNN_OK) status = check_names(r, names, attribute);
    return status;
}

static mrcnn_status read_layer(reader *r, const char *group) {
    hid_t id = H5I_INVALID_HID;
    mr_h5_strings names = {0};
    mrcnn_status status = mr_h5_open(&id, r->root, group, H5I_GROUP, r->path, r->err);
    if (status == MRCNN_OK && !mr_h5_has_strings(id, "weight_names"))
        status = mr_fail(r->err, MRCNN_E_FORMAT,
                         "%s: layer %s does not list its weights (no attribute weight_names); save "
                         "the model again with Keras' save_weights",
                         r->path, group);
    if (status == MRCNN_OK) status = read_names(r, id, "weight_names", &names);
    int nested = status == MRCNN_OK && mr_group_is_nested(group, names.strings, names.count);
    for (size_t i = 0; i < names.count && status == MRCNN_OK; i++)
        status = read_weight(r, id, group, names.strings[i], nested);
    mr_h5_strings_free(&names);
    if (id >= 0) H5Oclose(id);
    return status;
}

static mrcnn_status read_layers(reader *r) {
    mr_h5_strings layers = {0};
    mrcnn_status status = read_names(r, r->root, "layer_names", &layers);
    for (size_t i = 0; i < layers.count && status == MRCNN_OK; i++)
        status = read_layer(r, layers.strings[i]);
    mr_h5_strings_free(&layers);
    if (status == MRCNN_OK) status = read_pieces(r);
    if (status == MRCNN_OK && mr_tensors_count(r->set) == 0)
        status = mr_fail(r->err, MRCNN_E_FORMAT, "%s: lists layers, but none of them has weights",
                         r->path);
    return status;
}

/* -------------------------------------------------------------------------------------- files */

/* Finds the group with the list of layers: the root, or model_weights in files of model.save. */
static mrcnn_status find_layers(reader *r) {
    r->root = H5Gopen2(r->file, "/", H5P_DEFAULT);
    r->prefix = "";
    if (r->root < 0)
        return mr_fail(r->err, MRCNN_E_FORMAT, "%s: can't open its root group (%s)", r->path,
                       mr_h5_why().text);
    if (mr_h5_has_strings(r->root, "layer_names")) return MRCNN_OK;
    if (mr_h5_exists(r->root, "model_weights")) {
        H5Gclose(r->root);
        r->prefix = "/model_weights";
        mrcnn_status status =
            mr_h5_open(&r->root, r->file, "model_weights", H5I_GROUP, r->path, r->err);
        if (status != MRCNN_OK) return status;
        if (mr_h5_has_strings(r->root, "layer_names")) return MRCNN_OK;
    }
    if (mr_h5_exists(r->file, "_layer_checkpoint_dependencies") || mr_h5_exists(r->file, "layers"))
        return mr_fail(r->err, MRCNN_E_UNSUPPORTED,
                       "%s: is in the format of Keras 3 (.weights.h5); save it with Keras 2, in "
                       "which matterport's code runs",
                       r->path);
    return mr_fail(r->err, MRCNN_E_FORMAT,
                   "%s: is an HDF5 file but lists no Keras layers (no attribute layer_names); "
                   "weights are written by Keras' save_weights",
                   r->path);
}

static mrcnn_status open_file(reader *r) {
    mrcnn_status status = mr_check_hdf5_file(r->path, &r->file_size, r->err);
    if (status != MRCNN_OK) return status;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    /* Weight files are renamed into place, never changed: no need for locks, which read-only and
     * network file systems may not have. */
    if (access >= 0) H5Pset_file_locking(access, 0, 1);
#endif
    r->file = access < 0 ? H5I_INVALID_HID : H5Fopen(r->path, H5F_ACC_RDONLY, access);
    if (r->file < 0)
        status = mr_fail(r->err, MRCNN_E_FORMAT, "%s: HDF5 can't open it (%s): the file is damaged",
                         r->path, mr_h5_why().text);
    if (access >= 0) H5Pclose(access);
    return status == MRCNN_OK ? find_layers(r) : status;
}

static void close_file(reader *r) {
    if (r->root >= 0) H5Gclose(r->root);
    if (r->file >= 0) H5Fclose(r->file);
    free(r->pieces);
}

mrcnn_status mr_weights_read(mr_tensors **set, mr_weights_info *info, const char *path,
                             mrcnn_error *err) {
    reader r = {.path = path, .err = err, .file = H5I_INVALID_HID, .root = H5I_INVALID_HID};
    mr_weights_info found = {0};
    mr_h5_section section;
    mrcnn_status status = MRCNN_OK;
    r.set = mr_tensors_create();
    if (!r.set) return mr_fail_memory(err, sizeof(void *), "a list of tensors");

    mr_h5_enter(&section);
    status = open_file(&r);
    if (status == MRCNN_OK && info)
        status = mr_weights_info_read(&found, r.file, r.root, path, err);
    if (status == MRCNN_OK) status = read_layers(&r);
    close_file(&r);
    mr_h5_leave(&section);

    if (status == MRCNN_OK) {
        *set = r.set;
        if (info) *info = found;
    } else {
        mr_tensors_free(&r.set);
        mr_weights_info_free(&found);
    }
    return status;
}
