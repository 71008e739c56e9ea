/* checkpoint_save.c - see checkpoint.h: writing a pair, and what becomes of older ones. */
#include "train/checkpoint.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "train/fingerprint.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Final names, and those until both files are whole. */
typedef struct pair {
    char *weights, *state, *new_weights, *new_state;
} pair;

static void free_pair(pair *p) {
    free(p->weights);
    free(p->state);
    free(p->new_weights);
    free(p->new_state);
}

static mrcnn_status name_pair(pair *p, const mr_run_folder *run, mr_checkpoint_kind kind,
                              int64_t epoch, mrcnn_error *err) {
    *p = (pair){.weights = mr_checkpoint_path(run, kind, epoch)};
    if (p->weights) {
        p->state = mr_checkpoint_state_path(p->weights, ".state");
        p->new_state = mr_checkpoint_state_path(p->weights, ".state.new");
        p->new_weights = mr_format("%s.new", p->weights);
    }
    if (p->state && p->new_state && p->new_weights) return MRCNN_OK;
    return mr_fail_memory(err, strlen(run->path), "file names");
}

static mrcnn_status write_new(const pair *p, const mr_tensors *weights,
                              const mr_training_state *state, const mr_weights_info *info,
                              mrcnn_error *err) {
    mrcnn_status status = mr_weights_write(weights, info, p->new_weights, err);
    if (status != MRCNN_OK) return status;
    status = mr_training_state_write(state, mr_tensors_fingerprint(weights), p->new_state, err);
    if (status != MRCNN_OK) unlink(p->new_weights);
    return status;
}

/* The state goes first: alone it would look as if its weights had been renamed. */
static void remove_new(const pair *p) {
    unlink(p->new_state);
    unlink(p->new_weights);
}

static mrcnn_status rename_file(const char *from, const char *to, mrcnn_error *err) {
    if (rename(from, to) == 0) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", to, strerror(errno));
}

/* A save of this name may have been killed. If the new weights have their name already, the new
 * state is the only one of theirs, and this save would write over it: it gets its name now. */
static mrcnn_status finish_killed_save(const pair *p, const char *folder, mrcnn_error *err) {
    if (access(p->new_state, F_OK) != 0) return MRCNN_OK;
    if (access(p->new_weights, F_OK) == 0)
        remove_new(p);
    else if (rename_file(p->new_state, p->state, err) != MRCNN_OK)
        return MRCNN_E_IO;
    return mr_sync_folder(folder, err);
}

/* The folder is synced after each step: a power cut must not reorder them. */
static mrcnn_status rename_new(const pair *p, const char *folder, mrcnn_error *err) {
    mrcnn_status status = mr_sync_folder(folder, err);
    if (status == MRCNN_OK) status = rename_file(p->new_weights, p->weights, err);
    if (status != MRCNN_OK) {
        remove_new(p);
        return status;
    }
    status = mr_sync_folder(folder, err);
    if (status == MRCNN_OK) status = rename_file(p->new_state, p->state, err);
    if (status == MRCNN_OK) status = mr_sync_folder(folder, err);
    return status;
}

/* A second name for the same file where that is possible, else a second file. */
static mrcnn_status write_best(const mr_run_folder *run, const char *newest,
                               const mr_tensors *weights, const mr_weights_info *info,
                               mrcnn_error *err) {
    char *best = mr_checkpoint_path(run, MR_CHECKPOINT_BEST, 0);
    char *part = best ? mr_file_part_name(best) : NULL;
    mrcnn_status status = MRCNN_OK;
    if (!part)
        status = mr_fail_memory(err, strlen(run->path), "file names");
    else if (link(newest, part) == 0)
        status = mr_file_commit(part, best, err);
    else
        status = mr_weights_write(weights, info, best, err);
    free(part);
    free(best);
    return status;
}

/* ------------------------------------------------------------------------------------ clean-up */

typedef struct sweep {
    const mr_run_folder *run;
    mr_checkpoint_kind kind; /* of the pair that was just saved */
    int64_t epoch;
    const mr_training_state *state;
    int keep;
    int64_t oldest_kept; /* epochs below it go */
} sweep;

static int is_own(const sweep *s, mr_checkpoint_kind kind, int64_t epoch) {
    return kind == s->kind && (kind != MR_CHECKPOINT_EPOCH || epoch == s->epoch);
}

/* States of other checkpoints, and files that a killed save left. */
static int is_leftover(const sweep *s, const char *file) {
    mr_checkpoint_kind kind;
    int64_t epoch;
    const char *name = s->run->name;
    if (mr_checkpoint_name_parse(file, name, ".state", &kind, &epoch))
        return kind != MR_CHECKPOINT_NON_FINITE && !is_own(s, kind, epoch);
    if (mr_checkpoint_name_parse(file, name, ".state.new", &kind, &epoch) ||
        mr_checkpoint_name_parse(file, name, ".h5.new", &kind, &epoch))
        return 1;
    size_t n = strlen(name);
    static const char start[] = "mask_rcnn_";
    return strncmp(file, start, sizeof start - 1) == 0 &&
           strncmp(file + sizeof start - 1, name, n) == 0 && file[sizeof start - 1 + n] == '_' &&
           strstr(file, ".part-") != NULL;
}

/* Weights beyond KEEP_CHECKPOINTS. Later epochs than this one are of a run that was abandoned when
 * it was continued from here; they are not ours to remove. */
static int is_surplus(const sweep *s, const char *file) {
    mr_checkpoint_kind kind;
    int64_t epoch;
    if (s->keep <= 0 || s->kind != MR_CHECKPOINT_EPOCH ||
        !mr_checkpoint_name_parse(file, s->run->name, ".h5", &kind, &epoch))
        return 0;
    if (kind == MR_CHECKPOINT_INTERRUPTED) return 1;
    return kind == MR_CHECKPOINT_EPOCH && epoch < s->oldest_kept && epoch != s->state->best_epoch;
}

/* What can't be removed only takes room: no reason to stop a training. */
static void remove_if(const sweep *s, int (*goes)(const sweep *, const char *)) {
    DIR *dir = opendir(s->run->path);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (goes(s, e->d_name)) unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
}

static int by_falling_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* The epoch of the oldest checkpoint that KEEP_CHECKPOINTS leaves. */
static int64_t find_oldest_kept(const sweep *s) {
    DIR *dir = opendir(s->run->path);
    int64_t *epochs = NULL, oldest = 0;
    size_t count = 0;
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        mr_checkpoint_kind kind;
        int64_t epoch;
        if (!mr_checkpoint_name_parse(e->d_name, s->run->name, ".h5", &kind, &epoch) ||
            kind != MR_CHECKPOINT_EPOCH || epoch > s->epoch)
            continue;
        int64_t *longer = mr_realloc(epochs, count + 1, sizeof *longer);
        if (!longer) break; /* fewer are known, and fewer go */
        epochs = longer;
        epochs[count++] = epoch;
    }
    if (dir) closedir(dir);
    if (count > 1) qsort(epochs, count, sizeof *epochs, by_falling_number);
    if (count > (size_t)s->keep) oldest = epochs[s->keep - 1];
    free(epochs);
    return oldest;
}

static void remove_superseded(sweep *s) {
    remove_if(s, is_leftover);
    if (s->keep <= 0 || s->kind != MR_CHECKPOINT_EPOCH) return;
    s->oldest_kept = find_oldest_kept(s);
    remove_if(s, is_surplus);
}

/* ------------------------------------------------------------------------------------ the save */

mrcnn_status mr_checkpoint_save(const mr_run_folder *run, mr_checkpoint_kind kind,
                                const mr_tensors *weights, const mr_training_state *state, int keep,
                                int best, mrcnn_error *err) {
    if (kind == MR_CHECKPOINT_BEST)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: the best checkpoint is saved with its epoch",
                       run->path);
    mr_weights_info info = {.keras_version = "2.1.6",
                            .backend = "tensorflow",
                            .config = state->config,
                            .class_count = state->class_count,
                            .class_names = state->class_names};
    pair p;
    mrcnn_status status = name_pair(&p, run, kind, state->epoch, err);
    if (status == MRCNN_OK) status = finish_killed_save(&p, run->path, err);
    if (status == MRCNN_OK) status = write_new(&p, weights, state, &info, err);
    if (status == MRCNN_OK) status = rename_new(&p, run->path, err);
    sweep s = {run, kind, state->epoch, state, keep, 0};
    if (status == MRCNN_OK && kind != MR_CHECKPOINT_NON_FINITE) remove_superseded(&s);
    if (status == MRCNN_OK && best && kind == MR_CHECKPOINT_EPOCH &&
        state->best_epoch == state->epoch)
        status = write_best(run, p.weights, weights, &info, err);
    free_pair(&p);
    return status;
}
