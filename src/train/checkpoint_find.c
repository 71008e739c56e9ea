/* checkpoint_find.c - see checkpoint.h: --weights last. */
#include "train/checkpoint.h"

#include "base/error.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A checkpoint of a folder, by what names tell; only an interrupted run's state must be read to
 * know when it stopped. */
typedef struct candidate {
    char *path;
    int has_state, unusable;
    int64_t epoch, step_in_epoch; /* -1: not known, the last that one would take */
} candidate;

typedef struct search {
    const char *run_name;
    mr_checkpoint *found;
    char *passed_over;
    candidate *candidates;
    size_t count;
    mrcnn_error *err;
} search;

static mrcnn_status pass_over(search *s, const char *why) {
    char *longer = mr_format("%s%s\n", s->passed_over ? s->passed_over : "", why);
    if (!longer) return mr_fail_memory(s->err, strlen(why), "a note");
    free(s->passed_over);
    s->passed_over = longer;
    return MRCNN_OK;
}

/* -------------------------------------------------------------------------------- one folder */

static void forget_candidates(search *s) {
    for (size_t i = 0; i < s->count; i++) free(s->candidates[i].path);
    free(s->candidates);
    s->candidates = NULL;
    s->count = 0;
}

/* *state_path is where the candidate's state is, malloc'ed; NULL if there is none. */
static mrcnn_status find_state_file(search *s, const char *path, char **state_path) {
    static const char *const endings[] = {".state", ".state.new"};
    for (int i = 0; i < 2; i++) {
        *state_path = mr_checkpoint_state_path(path, endings[i]);
        if (!*state_path) return mr_fail_memory(s->err, strlen(path), "a file name");
        if (access(*state_path, F_OK) == 0) return MRCNN_OK;
        free(*state_path);
    }
    *state_path = NULL;
    return MRCNN_OK;
}

static void place_interrupted(candidate *c, const char *state_path) {
    mr_training_state state = {0};
    uint64_t fingerprint;
    if (mr_training_state_read(&state, &fingerprint, state_path, NULL) != MRCNN_OK) return;
    c->epoch = state.epoch;
    c->step_in_epoch = state.step_in_epoch;
    mr_training_state_free(&state);
}

/* Takes the path. */
static mrcnn_status add_candidate(search *s, char *path, mr_checkpoint_kind kind, int64_t epoch) {
    char *state_path = NULL;
    candidate *longer = path ? mr_realloc(s->candidates, s->count + 1, sizeof *longer) : NULL;
    if (!longer) {
        free(path);
        return mr_fail_memory(s->err, sizeof *longer, "a list of checkpoints");
    }
    s->candidates = longer;
    candidate *c = &s->candidates[s->count++];
    *c = (candidate){.path = path, .epoch = epoch};
    mrcnn_status status = find_state_file(s, path, &state_path);
    c->has_state = state_path != NULL;
    if (kind == MR_CHECKPOINT_INTERRUPTED && state_path) place_interrupted(c, state_path);
    free(state_path);
    return status;
}

static int latest_first(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->epoch != y->epoch) return x->epoch < y->epoch ? 1 : -1;
    return (x->step_in_epoch < y->step_in_epoch) - (x->step_in_epoch > y->step_in_epoch);
}

static mrcnn_status list_candidates(search *s, const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) {
        char *why = mr_format("%s: can't be listed: %s", folder, strerror(errno));
        mrcnn_status status = why ? pass_over(s, why) : mr_fail_memory(s->err, 1, "a note");
        free(why);
        return status;
    }
    mrcnn_status status = MRCNN_OK;
    for (struct dirent *e; status == MRCNN_OK && (e = readdir(dir)) != NULL;) {
        mr_checkpoint_kind kind;
        int64_t epoch;
        if (mr_checkpoint_name_parse(e->d_name, s->run_name, ".h5", &kind, &epoch) &&
            (kind == MR_CHECKPOINT_EPOCH || kind == MR_CHECKPOINT_INTERRUPTED))
            status = add_candidate(s, mr_format("%s/%s", folder, e->d_name), kind, epoch);
    }
    closedir(dir);
    if (s->count > 1) qsort(s->candidates, s->count, sizeof *s->candidates, latest_first);
    return status;
}

/* Loads the candidate into s->found if it is as good as is wanted. */
static mrcnn_status try_candidate(search *s, candidate *c, int with_state, int *found) {
    mrcnn_error why = MRCNN_ERROR_INIT;
    mr_checkpoint loaded = {0};
    mrcnn_status status = mr_checkpoint_load(&loaded, c->path, &why);
    if (status == MRCNN_E_MEMORY) return mr_fail(s->err, status, "%s", why.message);
    if (status != MRCNN_OK) {
        c->unusable = 1;
        return pass_over(s, why.message);
    }
    if (!with_state || loaded.has_state) {
        *s->found = loaded;
        *found = 1;
        return MRCNN_OK;
    }
    status = pass_over(s, loaded.note);
    mr_checkpoint_free(&loaded);
    return status;
}

/* Later weights that have no state, when a pair was found. */
static mrcnn_status note_without_state(search *s, size_t before) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < before && status == MRCNN_OK; i++) {
        const candidate *c = &s->candidates[i];
        if (c->has_state) continue;
        char *why = mr_format("%s: has no training state (.state) beside it", c->path);
        status = why ? pass_over(s, why) : mr_fail_memory(s->err, strlen(c->path), "a note");
        free(why);
    }
    return status;
}

static mrcnn_status try_candidates(search *s, int with_state, int *found) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < s->count && status == MRCNN_OK && !*found; i++) {
        candidate *c = &s->candidates[i];
        if (!c->unusable && (c->has_state || !with_state))
            status = try_candidate(s, c, with_state, found);
        if (*found && with_state && status == MRCNN_OK) status = note_without_state(s, i);
    }
    return status;
}

static mrcnn_status search_folder(search *s, const char *folder, int *found) {
    size_t before = s->passed_over ? strlen(s->passed_over) : 0;
    mrcnn_status status = list_candidates(s, folder);
    if (status == MRCNN_OK && s->count == 0 && (!s->passed_over || !s->passed_over[before])) {
        char *why = mr_format("%s: holds no checkpoint", folder);
        status = why ? pass_over(s, why) : mr_fail_memory(s->err, strlen(folder), "a note");
        free(why);
    }
    if (status == MRCNN_OK) status = try_candidates(s, 1, found);
    if (status == MRCNN_OK && !*found) status = try_candidates(s, 0, found);
    forget_candidates(s);
    return status;
}

/* ------------------------------------------------------------------------------- all folders */

static mrcnn_status nothing_found(const search *s, const char *logs, size_t folders) {
    if (folders == 0)
        return mr_fail(s->err, MRCNN_E_IO,
                       "%s: holds no run of %s yet (no folder %s<date>T<time>); give --weights a "
                       "file, or another --logs",
                       logs, s->run_name, s->run_name);
    return mr_fail(s->err, MRCNN_E_IO, "%s: no checkpoint of %s is usable: %.*s", logs, s->run_name,
                   (int)strcspn(s->passed_over, "\n"), s->passed_over);
}

mrcnn_status mr_checkpoint_find_last(mr_checkpoint *checkpoint, char **passed_over,
                                     const char *logs, const char *name, mrcnn_error *err) {
    char run_name[MR_RUN_NAME];
    char **folders = NULL;
    size_t count = 0;
    int found = 0;
    mr_checkpoint last = {0};
    mr_run_name(run_name, name);
    search s = {.run_name = run_name, .found = &last, .err = err};
    mrcnn_status status = mr_run_folders_list(&folders, &count, logs, name, err);
    for (size_t i = 0; i < count && status == MRCNN_OK && !found; i++)
        status = search_folder(&s, folders[i], &found);
    for (size_t i = 0; i < count; i++) free(folders[i]);
    free(folders);
    if (status == MRCNN_OK && !found) status = nothing_found(&s, logs, count);
    if (status == MRCNN_OK && !s.passed_over && !(s.passed_over = mr_strdup("")))
        status = mr_fail_memory(err, 1, "a note");
    if (status == MRCNN_OK) {
        *checkpoint = last;
        *passed_over = s.passed_over;
        return MRCNN_OK;
    }
    mr_checkpoint_free(&last);
    free(s.passed_over);
    return status;
}
