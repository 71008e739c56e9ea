/* h5_scan.c - see h5_scan.h. The layout of the files is in NUMERICS, section 8. */
#include "weights/h5_scan.h"

#include "base/error.h"
#include "base/half.h"
#include "base/memory.h"
#include "weights/h5_int8.h"
#include "weights/h5_util.h"
#include "weights/info.h"
#include "weights/names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_WEIGHTS = 1 << 16 }; /* in a file */

typedef struct scanner {
    const char *path;
    mrcnn_error *err;
    FILE *out;
    uint64_t file_size;
    int without_values;
    size_t weights;
    int replaced;       /* the name has passed to another file */
    hid_t file, root;   /* root: the group that lists the layers */
    const char *prefix; /* its path */
} scanner;

/* ------------------------------------------------------------------------------------ records */

static mrcnn_status put_bytes(scanner *r, const void *bytes, size_t length) {
    if (length == 0 || fwrite(bytes, 1, length, r->out) == length) return MRCNN_OK;
    return mr_fail(r->err, MRCNN_E_IO, "%s: the pipe from its reader broke", r->path);
}

static mrcnn_status put_record(scanner *r, mr_scan_record *record, const char *a, const char *b,
                               const char *c) {
    const char *texts[MR_SCAN_TEXTS] = {a, b, c};
    for (int i = 0; i < MR_SCAN_TEXTS; i++) record->lengths[i] = strlen(texts[i]);
    mrcnn_status status = put_bytes(r, record, sizeof *record);
    for (int i = 0; i < MR_SCAN_TEXTS && status == MRCNN_OK; i++)
        status = put_bytes(r, texts[i], record->lengths[i]);
    return status;
}

static mrcnn_status put_text(scanner *r, mr_scan_kind kind, const char *text) {
    mr_scan_record record = {.kind = kind};
    return text ? put_record(r, &record, text, "", "") : MRCNN_OK;
}

static mrcnn_status put_info(scanner *r, const mr_weights_info *info) {
    mrcnn_status status = put_text(r, MR_SCAN_KERAS_VERSION, info->keras_version);
    if (status == MRCNN_OK) status = put_text(r, MR_SCAN_BACKEND, info->backend);
    if (status == MRCNN_OK) status = put_text(r, MR_SCAN_CONFIG, info->config);
    if (status == MRCNN_OK) status = put_text(r, MR_SCAN_RANGES, info->ranges);
    for (size_t i = 0; i < info->class_count && status == MRCNN_OK; i++)
        status = put_text(r, MR_SCAN_CLASS_NAME, info->class_names[i]);
    return status;
}

/* ------------------------------------------------------------------------------------ weights */

/* Halves fill the upper half of the values' memory, which they become from below. */
static int read_halves(hid_t dataset, float *values, size_t count) {
    hid_t type = mr_h5_half_type(H5T_NATIVE_FLOAT);
    char *halves = (char *)values + count * (sizeof *values - sizeof(uint16_t));
    int failed = type < 0 || H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, halves) < 0;
    for (size_t i = 0; i < count && !failed; i++) {
        uint16_t half;
        memcpy(&half, halves + i * sizeof half, sizeof half);
        values[i] = mr_half_to_float(half);
    }
    if (type >= 0) H5Tclose(type);
    return failed ? -1 : 0;
}

static mrcnn_status read_floats(scanner *r, float *values, hid_t dataset, const mr_dataset *about,
                                const char *path) {
    int failed = about->bits == 16 ? read_halves(dataset, values, about->count)
                                   : H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL,
                                             H5P_DEFAULT, values) < 0;
    if (!failed) return MRCNN_OK;
    return mr_fail(r->err, MRCNN_E_FORMAT, "%s: can't read %s (%s): the file is damaged", r->path,
                   path, mr_h5_why().text);
}

/* One weight on its way from the file. */
typedef struct weight {
    hid_t dataset;
    const char *group, *name, *path;
    int nested;
} weight;

static mrcnn_status read_integers(scanner *r, float *values, const weight *w,
                                  const mr_dataset *about) {
    mr_weight_key key;
    int named = mr_weight_key_make(&key, w->group, w->name, w->nested, 0);
    mr_int8_source source = {r->file, w->dataset, about, r->file_size, named ? key.layer : "",
                             r->path, w->path};
    return mr_h5_read_int8(values, &source, r->err);
}

/* What HDF5 must convert or unpack goes through the pipe. *values is malloc'ed. */
static mrcnn_status get_values(scanner *r, float **values, const weight *w,
                               const mr_dataset *about) {
    size_t bytes = about->count * sizeof **values;
    *values = mr_alloc_aligned(bytes);
    if (!*values) return mr_fail_memory(r->err, bytes, w->path);
    return about->bits == 8 ? read_integers(r, *values, w, about)
                            : read_floats(r, *values, w->dataset, about, w->path);
}

/* Values are read before the record is put, as a message can't follow in their place. */
static mrcnn_status scan_dataset(scanner *r, const weight *w) {
    mr_scan_record record = {.kind = MR_SCAN_TENSOR, .nested = w->nested};
    mr_dataset *about = &record.dataset;
    float *values = NULL;
    mrcnn_status status =
        mr_dataset_check(about, w->dataset, r->file_size, r->path, w->path, r->err);
    if (status == MRCNN_OK && !about->plain && !r->without_values)
        status = get_values(r, &values, w, about);
    if (status == MRCNN_OK) status = put_record(r, &record, w->group, w->name, w->path);
    if (status == MRCNN_OK && values) status = put_bytes(r, values, about->count * sizeof *values);
    free(values);
    return status;
}

static mrcnn_status scan_weight(scanner *r, hid_t group_id, const char *group, const char *name,
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
        status = scan_dataset(r, &(weight){dataset, group, name, path, nested});
        H5Dclose(dataset);
    }
    free(path);
    free(inside);
    return status;
}

/* ------------------------------------------------------------------------------------- layers */

/* Keras' names are scopes of TensorFlow: letters, digits and _.-/ alone. What else there is may be
 * a damaged file, and would make a mess of messages and terminals. */
static mrcnn_status check_names(scanner *r, const mr_h5_strings *names, const char *attribute) {
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

static mrcnn_status read_names(scanner *r, hid_t object, const char *attribute,
                               mr_h5_strings *names) {
    mrcnn_status status = mr_h5_read_strings(names, object, attribute, r->path, r->err);
    if (status == MRCNN_OK) status = check_names(r, names, attribute);
    return status;
}

static mrcnn_status scan_layer(scanner *r, const char *group) {
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
        status = scan_weight(r, id, group, names.strings[i], nested);
    mr_h5_strings_free(&names);
    if (id >= 0) H5Oclose(id);
    return status;
}

static mrcnn_status scan_layers(scanner *r) {
    mr_h5_strings layers = {0};
    mrcnn_status status = read_names(r, r->root, "layer_names", &layers);
    for (size_t i = 0; i < layers.count && status == MRCNN_OK; i++)
        status = scan_layer(r, layers.strings[i]);
    mr_h5_strings_free(&layers);
    if (status == MRCNN_OK && r->weights == 0)
        status = mr_fail(r->err, MRCNN_E_FORMAT, "%s: lists layers, but none of them has weights",
                         r->path);
    return status;
}

/* -------------------------------------------------------------------------------------- files */

/* Finds the group with the list of layers: the root, or model_weights in files of model.save. */
static mrcnn_status find_layers(scanner *r) {
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

/* The file that HDF5 opened by name must be the one that the values will be read from. */
static int is_same(const scanner *r, int fd) {
    void *handle = NULL;
    struct stat ours, theirs;
    return H5Fget_vfd_handle(r->file, H5P_DEFAULT, &handle) >= 0 && handle &&
           fstat(fd, &ours) == 0 && fstat(*(int *)handle, &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static mrcnn_status open_file(scanner *r, int fd) {
    mrcnn_status status = MRCNN_OK;
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
    if (status == MRCNN_OK && !is_same(r, fd)) {
        r->replaced = 1;
        status = mr_fail(r->err, MRCNN_E_IO, "%s: is replaced again and again while it is read",
                         r->path);
    }
    return status == MRCNN_OK ? find_layers(r) : status;
}

static mrcnn_status scan_all(scanner *r, int fd) {
    mr_weights_info info = {0};
    mrcnn_status status = open_file(r, fd);
    if (status == MRCNN_OK) status = mr_weights_info_read(&info, r->root, r->path, r->err);
    if (status == MRCNN_OK) status = put_info(r, &info);
    if (status == MRCNN_OK) status = scan_layers(r);
    mr_weights_info_free(&info);
    return status;
}

void mr_scan_file(FILE *out, const void *context) {
    const mr_scan *scan = context;
    mrcnn_error err = MRCNN_ERROR_INIT;
    scanner r = {.path = scan->path,
                 .err = &err,
                 .out = out,
                 .file_size = scan->file_size,
                 .without_values = scan->without_values,
                 .file = H5I_INVALID_HID,
                 .root = H5I_INVALID_HID};
    mr_h5_reason reason;
    mr_h5_remember(&reason);
    mr_scan_record last = {.kind = MR_SCAN_END};
    last.status = scan_all(&r, scan->fd);
    if (last.status != MRCNN_OK) last.kind = r.replaced ? MR_SCAN_REPLACED : MR_SCAN_FAILURE;
    put_record(&r, &last, err.message, "", "");
    /* The process ends now: HDF5 is not asked to tidy up what may be damaged. */
}
