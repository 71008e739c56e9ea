/* stages.h - STAGES: what is trained one after the other, as matterport's samples do by several
 * calls of train(): "heads 20; all 40 0.1". */
#ifndef MR_CONFIG_STAGES_H
#define MR_CONFIG_STAGES_H

#include "config/config.h"
#include "config/layer_pattern.h"

enum { MR_MAX_TRAIN_STAGES = 16 };

typedef struct mr_stage {
    char layers[MR_LAYERS_TEXT]; /* a word or a regular expression (layer_pattern.h) */
    int last_epoch; /* counted from the run's first epoch, 1, as matterport's `epochs` */
    double factor;  /* of LEARNING_RATE; 1 when the text has none */
} mr_stage;

typedef struct mr_stages {
    int count; /* 0 for "" */
    mr_stage items[MR_MAX_TRAIN_STAGES];
} mr_stages;

/* Stages stand between semicolons: layers, last epoch and, perhaps, a factor of the learning rate.
 * Last epochs must rise. *stages is untouched on failure. */
mrcnn_status mr_stages_parse(mr_stages *stages, const char *text, mrcnn_error *err);

#endif
