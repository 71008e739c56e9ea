/* model.h - inside a model: what sessions share. */
#ifndef MR_MODEL_MODEL_H
#define MR_MODEL_MODEL_H

#include "config/config.h"
#include "graph/executor.h"
#include "weights/weights.h"

struct mr_source;

struct mrcnn_model {
    mrcnn_config *config;
    struct mr_source *source; /* the file that the weights are in; NULL: none has them */
    mr_tensors *weights;
    mr_packs *packs;
    mr_ranges *ranges;    /* how large the layers' values get; NULL: not known */
    int keep_weights;     /* packing leaves them as they are: somebody trains them */
    mr_weights_info info; /* class names, Keras version */
    mrcnn_layer_report *reports;
    size_t report_count;
};

/* The ranges of layers' values are no longer known: weights change. */
void mr_model_forget_ranges(mrcnn_model *model);

/* arch.c: sets the keys that follow from the shapes in a weight file (BACKBONE, widths,
 * NUM_CLASSES, ...), with source "weights". */
mrcnn_status mr_infer_architecture(mrcnn_config *config, const mr_tensors *weights,
                                   const char *path, mrcnn_error *err);

/* arch.c: adds every tensor that the three graphs need, in their order, with values still to be
 * set. */
mrcnn_status mr_required_tensors(mr_tensors *set, const mr_settings *settings, mrcnn_error *err);

/* confidence.c: CLASS_MIN_CONFIDENCE names no class that the model doesn't have. */
mrcnn_status mr_model_check_confidence(const mrcnn_model *model, mrcnn_error *err);

/* class_names.c: COCO's names, "BG" first; NULL outside 0..80. */
const char *mr_coco_class_name(int class_id);

#endif
