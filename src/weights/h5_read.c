/* h5_read.c - a Keras weight file whole into memory. A child process walks the tree through HDF5
 * and reports names, shapes and places (h5_scan.h). What lies in the file as plain float32, which
 * is everything in usual files, is then read from its place by all cores.
 */
#include "weights/weights.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "weights/file_kind.h"
#include "weights/h5_scan.h"
#include "weights/h5_util.h"
#include "weights/isolate.h"
#include "weights/names.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_TRIES = 20,               /* while others rename files over this one */
    PIECE_ELEMENTS = 1 << 20,      /* read by one thread at a time */
    MOST_THREADS = 8,              /* more don't make memory faster */
    SCAN_SECONDS = 3,              /* of work for HDF5: a usual file takes 0.05 */
    SCAN_BYTES_A_SECOND = 1 << 23, /* and this is what it unpacks at least */
    SCAN_MEMORY = 1 << 28,
    SCAN_MEMORY_RATIO = 8 /* to the file's size */
};

typedef enum mr_reading {
    FINITE_VALUES,
    ANY_VALUES, /* what isn't finite will do, too */
    NO_VALUES
} mr_reading;

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
    int fd;
    uint64_t file_size;
    uint64_t claimed; /* bytes of the file that datasets so far have claimed */
    int replaced;     /* another file has taken its name meanwhile */
    mr_reading how;
    FILE *in; /* records */
    mr_tensors *set;
    mr_weights_info info;
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
    piece_context context = {r->fd, r->pieces};
    int threads = mr_cores() < MOST_THREADS ? mr_cores() : MOST_THREADS;
    mr_parallel_dynamic(threads, r->piece_count, 1, read_some, &context);
    for (size_t i = 0; i < r->piece_count; i++) {
        const piece *p = &r->pieces[i];
        if (p->error)
            return mr_fail(r->err, MRCNN_E_IO, "%s: can't read %s: %s", r->path, p->tensor->path,
                           p->error > 0 ? strerror(p->error) : "the file is cut off");
        if (p->bad && r->how == FINITE_VALUES) return not_finite(r, p->tensor);
    }
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------ tensors */

static mrcnn_status broken_record(reader *r) {
    return mr_fail(r->err, MRCNN_E_FORMAT, "%s: makes no sense to HDF5: the file is damaged",
                   r->path);
}

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

/* HDF5 has checked this already; but a damaged file may have damaged HDF5. */
static int is_sane(const reader *r, const mr_dataset *about) {
    size_t count = 1;
    if (about->rank < 0 || about->rank > 5) return 0;
    for (int i = 0; i < about->rank; i++)
        if (about->shape[i] < 1 || (uint64_t)about->shape[i] > MR_DATASET_MOST_ELEMENTS ||
            !mr_mul_size(count, (size_t)about->shape[i], &count) ||
            count > MR_DATASET_MOST_ELEMENTS)
            return 0;
    if (!about->plain) return count == about->count;
    return count == about->count && about->stored == count * sizeof(float) &&
           about->stored <= r->file_size && about->offset <= r->file_size - about->stored;
}

/* Takes texts[2], the path. */
static mrcnn_status take_tensor(reader *r, const mr_scan_record *record, char **texts) {
    mr_tensor *t = NULL;
    if (!is_sane(r, &record->dataset)) return broken_record(r);
    mrcnn_status status = claim(r, &record->dataset, texts[2]);
    if (status == MRCNN_OK)
        status = add_tensor(r, texts[0], texts[1], record->nested, &record->dataset, &t);
    if (status != MRCNN_OK) return status;
    t->path = texts[2];
    texts[2] = NULL;
    t->bits = record->dataset.bits;
    if (r->how == NO_VALUES) {
        mr_tensor_release(t);
        return MRCNN_OK;
    }
    if (record->dataset.plain) return plan_pieces(r, t, record->dataset.offset);
    if (fread(t->values, sizeof(float), t->count, r->in) != t->count) return broken_record(r);
    return r->how == ANY_VALUES || all_finite(t->values, t->count) ? MRCNN_OK : not_finite(r, t);
}

/* ------------------------------------------------------------------------------------ records */

static mrcnn_status take_text(char **place, char **text) {
    free(*place);
    *place = *text;
    *text = NULL;
    return MRCNN_OK;
}

static mrcnn_status take_class_name(reader *r, char **text) {
    mr_weights_info *info = &r->info;
    char **names = mr_realloc(info->class_names, info->class_count + 1, sizeof *names);
    if (!names) return mr_fail_memory(r->err, info->class_count * sizeof *names, "class names");
    info->class_names = names;
    info->class_names[info->class_count] = NULL;
    return take_text(&info->class_names[info->class_count++], text);
}

static mrcnn_status take_record(reader *r, const mr_scan_record *record, char **texts) {
    switch (record->kind) {
    case MR_SCAN_KERAS_VERSION: return take_text(&r->info.keras_version, &texts[0]);
    case MR_SCAN_BACKEND: return take_text(&r->info.backend, &texts[0]);
    case MR_SCAN_CONFIG: return take_text(&r->info.config, &texts[0]);
    case MR_SCAN_RANGES: return take_text(&r->info.ranges, &texts[0]);
    case MR_SCAN_CLASS_NAME: return take_class_name(r, &texts[0]);
    case MR_SCAN_TENSOR: return take_tensor(r, record, texts);
    case MR_SCAN_REPLACED: r->replaced = 1; /* fall through */
    case MR_SCAN_FAILURE:
        return mr_fail(r->err, record->status ? record->status : MRCNN_E_FORMAT, "%s", texts[0]);
    case MR_SCAN_END: return MRCNN_OK;
    }
    return broken_record(r);
}

static mrcnn_status get_text(reader *r, char **text, size_t length) {
    if (length > MR_SCAN_LONGEST_TEXT) return broken_record(r);
    *text = malloc(length + 1);
    if (!*text) return mr_fail_memory(r->err, length, "a text");
    (*text)[length] = 0;
    return fread(*text, 1, length, r->in) == length ? MRCNN_OK : broken_record(r);
}

/* Takes one record and what follows it. *ended: 1 at the end, -1 if the child said no more. */
static mrcnn_status next_record(reader *r, int *ended) {
    mr_scan_record record = {.kind = MR_SCAN_FAILURE};
    char *texts[MR_SCAN_TEXTS] = {NULL, NULL, NULL};
    mrcnn_status status = MRCNN_OK;
    if (fread(&record, sizeof record, 1, r->in) != 1) status = broken_record(r);
    for (int i = 0; i < MR_SCAN_TEXTS && status == MRCNN_OK; i++)
        status = get_text(r, &texts[i], record.lengths[i]);
    if (status == MRCNN_OK) status = take_record(r, &record, texts);
    for (int i = 0; i < MR_SCAN_TEXTS; i++) free(texts[i]);
    *ended = feof(r->in) ? -1 : status == MRCNN_OK && record.kind == MR_SCAN_END;
    return status;
}

/* ------------------------------------------------------------------------------------- the file */

static mrcnn_status scan(reader *r) {
    mr_scan job = {r->path, r->fd, r->file_size, r->how == NO_VALUES};
    mr_isolated child;
    mr_isolated_limits limits = {
        SCAN_SECONDS + (unsigned)(r->file_size / SCAN_BYTES_A_SECOND),
        SCAN_MEMORY + SCAN_MEMORY_RATIO * r->file_size,
    };
    int ended = 0;
    mrcnn_status status = mr_isolate(&child, mr_scan_file, &job, &limits, r->path, r->err);
    if (status != MRCNN_OK) return status;
    r->in = child.in;
    while (status == MRCNN_OK && !ended) status = next_record(r, &ended);
    mr_isolated_end end = mr_isolate_end(&child);
    if (ended < 0 && end == MR_TOOK_TOO_LONG)
        return mr_fail(r->err, MRCNN_E_FORMAT,
                       "%s: HDF5 finds no end in it after %u seconds: the file is damaged", r->path,
                       limits.cpu_seconds);
    if (ended < 0)
        return mr_fail(r->err, MRCNN_E_FORMAT, "%s: HDF5 fails over it: the file is damaged",
                       r->path);
    return status;
}

/* Opens the file, walks it, reads it. */
static mrcnn_status read_file(reader *r) {
    mrcnn_status status = mr_open_hdf5_file(&r->fd, &r->file_size, r->path, r->err);
    if (status != MRCNN_OK) return status;
    r->replaced = 0;
    mr_h5_lock(); /* no other thread may be within HDF5 when this one forks */
    status = scan(r);
    mr_h5_unlock();
    if (status == MRCNN_OK) status = read_pieces(r);
    close(r->fd);
    return status;
}

static mrcnn_status read_weights(mr_tensors **set, mr_weights_info *info, const char *path,
                                 mr_reading how, mrcnn_error *err) {
    mrcnn_error own = MRCNN_ERROR_INIT;
    reader r = {.path = path, .err = err ? err : &own, .set = mr_tensors_create(), .how = how};
    if (!r.set) return mr_fail_memory(err, sizeof(void *), "a list of tensors");
    mrcnn_error before = *r.err;
    mrcnn_status status = read_file(&r);
    for (int tries = 0; r.replaced && tries < MOST_TRIES; tries++) {
        *r.err = before;
        status = read_file(&r);
    }
    free(r.pieces);
    if (status == MRCNN_OK) {
        *set = r.set;
        r.set = NULL;
        if (info) {
            *info = r.info;
            r.info = (mr_weights_info){0};
        }
    }
    mr_tensors_free(&r.set);
    mr_weights_info_free(&r.info);
    return status;
}

mrcnn_status mr_weights_read(mr_tensors **set, mr_weights_info *info, const char *path,
                             mrcnn_error *err) {
    return read_weights(set, info, path, FINITE_VALUES, err);
}

mrcnn_status mr_weights_look(mr_tensors **set, mr_weights_info *info, const char *path,
                             mrcnn_error *err) {
    return read_weights(set, info, path, ANY_VALUES, err);
}

mrcnn_status mr_weights_outline(mr_tensors **set, mr_weights_info *info, const char *path,
                                mrcnn_error *err) {
    return read_weights(set, info, path, NO_VALUES, err);
}
