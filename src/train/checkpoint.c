/* checkpoint.c - see checkpoint.h: loading a pair. */
#include "train/checkpoint.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/fingerprint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void mr_checkpoint_free(mr_checkpoint *checkpoint) {
    if (!checkpoint) return;
    free(checkpoint->path);
    free(checkpoint->note);
    mr_tensors_free(&checkpoint->weights);
    mr_weights_info_free(&checkpoint->info);
    mr_training_state_free(&checkpoint->state);
    *checkpoint = (mr_checkpoint){0};
}

char *mr_checkpoint_state_path(const char *path, const char *ending) {
    size_t n = strlen(path);
    if (n > 3 && strcmp(path + n - 3, ".h5") == 0) n -= 3;
    return mr_format("%.*s%s", (int)n, path, ending);
}

static int same_text(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Both files carry the texts. Those of the weight file were looked at for what does not belong into
 * messages. */
static int same_texts(const mr_training_state *state, const mr_weights_info *info) {
    if (!same_text(state->config, info->config) || state->class_count != info->class_count)
        return 0;
    for (size_t i = 0; i < info->class_count; i++)
        if (strcmp(state->class_names[i], info->class_names[i]) != 0) return 0;
    return 1;
}

/* Takes the state if it is there, whole and of these weights; says otherwise why not. A missing
 * file does not change what is said already. */
static mrcnn_status try_state(mr_checkpoint *c, uint64_t fingerprint, const char *ending,
                              mrcnn_error *why) {
    char *path = mr_checkpoint_state_path(c->path, ending);
    if (!path) return mr_fail_memory(why, strlen(c->path), "a file name");
    mr_training_state state = {0};
    uint64_t belongs_to = 0;
    mrcnn_status status = MRCNN_OK;
    if (access(path, F_OK) == 0) {
        status = mr_training_state_read(&state, &belongs_to, path, why);
        if (status == MRCNN_OK && (belongs_to != fingerprint || !same_texts(&state, &c->info))) {
            mr_training_state_free(&state);
            mr_fail(why, MRCNN_E_FORMAT,
                    "%s: is the training state of other weights than those beside it", path);
        } else if (status == MRCNN_OK) {
            c->state = state;
            c->has_state = 1;
        }
    }
    free(path);
    return status == MRCNN_E_MEMORY ? status : MRCNN_OK;
}

static mrcnn_status find_state(mr_checkpoint *c, mrcnn_error *err) {
    mrcnn_error why = MRCNN_ERROR_INIT;
    uint64_t fingerprint = mr_tensors_fingerprint(c->weights);
    mr_fail(&why, MRCNN_E_IO, "%s: has no training state (.state) beside it", c->path);
    mrcnn_status status = try_state(c, fingerprint, ".state", &why);
    if (status == MRCNN_OK && !c->has_state) status = try_state(c, fingerprint, ".state.new", &why);
    if (status != MRCNN_OK) return mr_fail(err, status, "%s", why.message);
    if (c->has_state) return MRCNN_OK;
    c->note = mr_strdup(why.message);
    return c->note ? MRCNN_OK : mr_fail_memory(err, sizeof why.message, "a note");
}

mrcnn_status mr_checkpoint_load(mr_checkpoint *checkpoint, const char *path, mrcnn_error *err) {
    mr_checkpoint c = {.path = mr_strdup(path)};
    mrcnn_status status = c.path ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a file name");
    if (status == MRCNN_OK) status = mr_weights_read(&c.weights, &c.info, path, err);
    if (status == MRCNN_OK) status = find_state(&c, err);
    if (status == MRCNN_OK)
        *checkpoint = c;
    else
        mr_checkpoint_free(&c);
    return status;
}
