/* source.c - see source.h. */
#include "model/source.h"

#include "base/cache.h"
#include "base/error.h"
#include "base/file.h"
#include "base/machine.h"
#include "base/memory.h"
#include "model/pack_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mr_source_free(mr_source **source) {
    if (!*source) return;
    free((*source)->path);
    for (int i = 0; i < MR_PACK_SLOTS; i++) free((*source)->packs_path[i]);
    free(*source);
    *source = NULL;
}

/* -------------------------------------------------------------------------------- reading again */

static int is_unchanged(const mr_source *s) {
    char now[MR_IDENTITY];
    return s->identity[0] && mr_file_identity(s->path, now, NULL) && strcmp(now, s->identity) == 0;
}

static mrcnn_status changed(const mr_source *s, mrcnn_error *err) {
    return mr_fail(
        err, MRCNN_E_WEIGHTS,
        "%s: changed since the model was loaded from it, and its weights are wanted once "
        "more; load the model again",
        s->path);
}

/* Values of the file for tensors that have none. */
static void fill(mr_tensors *weights, mr_tensors *file) {
    for (size_t i = 0; i < mr_tensors_count(weights); i++) {
        mr_tensor *to = mr_tensors_at(weights, i);
        mr_tensor *from = mr_tensors_find(file, to->layer, to->param);
        if (to->values || !from) continue;
        to->values = from->values;
        from->values = NULL;
    }
}

static mrcnn_status read_again(void *user, mrcnn_error *err) {
    const mrcnn_model *model = user;
    mr_tensors *file = NULL;
    if (!model->source) return MRCNN_E_UNSUPPORTED;
    if (!is_unchanged(model->source)) return changed(model->source, err);
    mrcnn_status status = mr_weights_read(&file, NULL, model->source->path, err);
    if (status != MRCNN_OK) return status;
    if (is_unchanged(model->source))
        fill(model->weights, file);
    else
        status = changed(model->source, err);
    mr_tensors_free(&file);
    return status;
}

static int has_all(const mr_tensors *weights) {
    for (size_t i = 0; i < mr_tensors_count(weights); i++)
        if (!mr_tensors_at(weights, i)->values) return 0;
    return 1;
}

mrcnn_status mr_model_need_weights(const mrcnn_model *model, mrcnn_error *err) {
    mr_packs_lock(model->packs);
    mrcnn_status status =
        has_all(model->weights) ? MRCNN_OK : mr_packs_read_weights(model->packs, err);
    mr_packs_unlock(model->packs);
    if (status != MRCNN_E_UNSUPPORTED) return status;
    return mr_fail(
        err, MRCNN_E_UNSUPPORTED,
        "the weights were released after a session packed them, and are in no file; save "
        "the model before detecting with it");
}

/* --------------------------------------------------------------------------------------- packs */

/* All that packs depend on. 0: it can't be known. */
static int identify_packs(mr_source *s) {
    char machine[256], code[MR_IDENTITY];
    if (!s->identity[0] || !mr_code_identity(code)) return 0;
    mr_machine_describe(machine, sizeof machine);
    int length = snprintf(s->packs_identity, sizeof s->packs_identity, "%s\n%s\n%s", machine, code,
                          s->identity);
    return length > 0 && (size_t)length < sizeof s->packs_identity;
}

static const char *const precisions[MR_PACK_SLOTS] = {"f32", "bf16", "int8"};

static int slot_of(const char *precision) {
    int slot = MR_PACK_SLOTS - 1;
    while (slot > 0 && strcmp(precisions[slot], precision) != 0) slot--;
    return slot;
}

static mrcnn_status name_packs(mr_source *s, const char *cache, mrcnn_error *err) {
    for (int i = 0; i < MR_PACK_SLOTS; i++) {
        s->packs_path[i] = mr_pack_path(cache, s->path, precisions[i]);
        if (!s->packs_path[i]) return mr_fail_memory(err, 256, s->path);
        mr_pack_file *file = mr_pack_file_open(s->packs_path[i], s->packs_identity);
        if (file) s->is_packed = 1;
        mr_pack_file_close(&file);
    }
    return MRCNN_OK;
}

/* A file that changed a moment ago may change again without its identity: that of the next process, then. */
mrcnn_status mr_source_open(mrcnn_model *m, const char *path, const char *cache, mrcnn_error *err) {
    int fresh = 0;
    char *own = NULL;
    mrcnn_status status = MRCNN_OK;
    mr_source *s = m->source = mr_calloc(1, sizeof *s);
    if (!s || !(s->path = mr_strdup(path))) return mr_fail_memory(err, sizeof *s, path);
    if (!mr_file_identity(path, s->identity, &fresh)) s->identity[0] = 0;
    mr_packs_set_reader(m->packs, read_again, m);
    if (!cache || fresh || !identify_packs(s)) return MRCNN_OK;
    if (!cache[0]) status = mr_cache_directory(&own, err);
    if (status == MRCNN_OK) status = name_packs(s, own ? own : cache, err);
    free(own);
    return status;
}

void mr_source_use_packs(mrcnn_model *m, const char *precision) {
    const mr_source *s = m->source;
    int slot = slot_of(precision);
    if (!s || !s->packs_path[slot] || mr_packs_has_file(m->packs, slot)) return;
    mr_pack_file *file = mr_pack_file_open(s->packs_path[slot], s->packs_identity);
    if (!file) return;
    mr_packs_attach(m->packs, slot, file, mr_executor_cpu.details);
    mr_pack_touch(s->packs_path[slot]);
}

void mr_source_keep_packs(mrcnn_model *m, const char *precision) {
    const mr_source *s = m->source;
    int slot = slot_of(precision);
    const char *path = s ? s->packs_path[slot] : NULL;
    if (!path || mr_make_folder_of(path, NULL) != MRCNN_OK) return;
    if (mr_packs_save(m->packs, slot, path, s->packs_identity, NULL) == MRCNN_OK)
        mr_pack_folder_trim(path);
}
