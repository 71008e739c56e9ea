/* source.h - the file that a model's weights come from: their values are read again when they are wanted after all,
 * and their packs are kept for other processes. */
#ifndef MR_MODEL_SOURCE_H
#define MR_MODEL_SOURCE_H

#include "base/identity.h"
#include "graph/pack_file.h"
#include "model/model.h"

typedef struct mr_source {
    char *path;
    char identity[MR_IDENTITY];      /* "" if it can't be known: nothing is read again or kept */
    char *packs_path[MR_PACK_SLOTS]; /* of each precision, where packs are kept; NULL: nowhere */
    char packs_identity[MR_PACK_IDENTITY];
    int is_packed; /* one of these files is there: values needn't be read yet */
} mr_source;

/* Sets model->source, before the weights are read. cache as in mrcnn_load_options. */
mrcnn_status mr_source_open(mrcnn_model *model, const char *path, const char *cache,
                            mrcnn_error *err);
void mr_source_free(mr_source **source);

/* Raw weights that aren't in memory are read. */
mrcnn_status mr_model_need_weights(const mrcnn_model *model, mrcnn_error *err);

/* Before the first plan of a precision ("f32", "bf16", "int8"), on the CPU: attaches its packs, if they are there. */
void mr_source_use_packs(mrcnn_model *model, const char *precision);

/* After the last one: writes the packs if there are new ones and a place for them. A folder that can't be written to costs
 * the next process some time, no more. */
void mr_source_keep_packs(mrcnn_model *model, const char *precision);

#endif
