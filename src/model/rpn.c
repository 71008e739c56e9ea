/* rpn.c - the region proposal network (Ren et al. 2015), shared over pyramid levels: for each
 * anchor two logits (background, object) and four box deltas. Channels are anchor by anchor, in the
 * anchors' order (N8). */
#include "model/network.h"

void mr_rpn(mrcnn_graph *g, const mr_settings *settings, mrcnn_value p, mrcnn_value *logits,
            mrcnn_value *deltas) {
    int anchors = settings->rpn_anchor_ratios.count;
    mrcnn_value shared = mrcnn_conv2d(g, p, "rpn_conv_shared", settings->rpn_width, 3,
                                      settings->rpn_anchor_stride, MRCNN_SAME);
    shared = mrcnn_relu(g, shared);
    *logits = mrcnn_conv2d(g, shared, "rpn_class_raw", 2 * anchors, 1, 1, MRCNN_VALID);
    *deltas = mrcnn_conv2d(g, shared, "rpn_bbox_pred", 4 * anchors, 1, 1, MRCNN_VALID);
}
