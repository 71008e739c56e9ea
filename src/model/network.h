/* network.h - the three graphs of Mask R-CNN, layer names as in matterport's Keras model. */
#ifndef MR_MODEL_NETWORK_H
#define MR_MODEL_NETWORK_H

#include "config/config.h"
#include "graph/graph.h"

enum { MR_LEVELS = 5, MR_POOLED_LEVELS = 4 }; /* P2..P6; RoIs are pooled from P2..P5 (N24) */

/* resnet.c: C1..C5 of the backbone that settings->backbone names. */
void mr_resnet(mrcnn_graph *graph, const mr_settings *settings, mrcnn_value image,
               mrcnn_value c[5]);
/* 1 when the name is one that mr_resnet builds. */
int mr_is_resnet(const char *backbone);

/* fpn.c: P2..P6 from C2..C5. */
void mr_fpn(mrcnn_graph *graph, const mr_settings *settings, const mrcnn_value c[5],
            mrcnn_value p[MR_LEVELS]);

/* rpn.c: logits (h, w, 2 a ratio) and deltas (h, w, 4 a ratio) of one level. */
void mr_rpn(mrcnn_graph *graph, const mr_settings *settings, mrcnn_value p, mrcnn_value *logits,
            mrcnn_value *deltas);

/* What a graph is made for. NULL: detection. */
typedef struct mr_purpose {
    int with_c;     /* C1..C5 are outputs too */
    int training;   /* outputs are what the losses see: logits, no P6; TRAIN_BN none normalises by
                           the batch */
    int max_pixels; /* training: at most so many anchors of a picture have a gradient */
    int pyramid_trains; /* training: graphs 2 and 3 hand gradients on to P2..P5 */
} mr_purpose;

/* Graph 1: "image" in; "P2".."P6", "rpn_class_raw2".., "rpn_bbox2".. out. In training the RPN's
 * gradients are sparse, level i in pixel group i. */
mrcnn_graph *mr_pyramid_graph(const mr_settings *settings, int height, int width,
                              const mr_purpose *purpose);

/* Graph 2: "P2".."P5" and "rois" in; "mrcnn_class" (probabilities; "mrcnn_class_logits" in
 * training) and "mrcnn_bbox" (4 a class) out. */
mrcnn_graph *mr_box_graph(const mr_settings *settings, int height, int width,
                          const mr_purpose *purpose);

/* Graph 3: "P2".."P5", "rois" and "class" in; "mrcnn_mask" of that class out. */
mrcnn_graph *mr_mask_graph(const mr_settings *settings, int height, int width,
                           const mr_purpose *purpose);

/* Size of pyramid level 0..4 of a height x width picture (compute_backbone_shapes: ceil). */
mrcnn_shape mr_level_shape(const mr_settings *settings, int height, int width, int level);

#endif
