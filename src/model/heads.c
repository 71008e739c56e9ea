/* heads.c - the box head and the mask head (He et al. 2017, figure 4), and the three graphs made of
 * all parts. */
#include "model/network.h"

#include <stdio.h>

mrcnn_shape mr_level_shape(const mr_settings *settings, int height, int width, int level) {
    int stride = settings->backbone_strides.values[level];
    mrcnn_shape shape = {(height + stride - 1) / stride, (width + stride - 1) / stride,
                         settings->top_down_pyramid_size};
    return shape;
}

static void output(mrcnn_graph *g, mrcnn_value x, const char *name, int number) {
    char text[MR_NAME];
    snprintf(text, sizeof text, "%s%d", name, number);
    mr_graph_output(g, x, text);
}

static void backbone(mrcnn_graph *g, const mr_settings *settings, mrcnn_value image,
                     mrcnn_value c[5]) {
    mr_graph_stage(g, "backbone");
    if (mr_has_own_backbone(settings))
        settings->own_backbone_build(g, image, c, settings->own_backbone_user);
    else
        mr_resnet(g, settings, image, c);
}

static const mr_purpose detection = {0, 0, 0, 0};

/* N50: true normalises by the batch always, none in training. */
static mrcnn_graph *start(const mr_settings *settings, const mr_purpose *purpose) {
    mrcnn_graph *g = mr_graph_create();
    mr_train_bn bn = settings->train_bn;
    if (g)
        mr_graph_batch_statistics(g,
                                  bn == MR_BN_BATCH || (bn == MR_BN_NORMAL && purpose->training));
    return g;
}

mrcnn_graph *mr_pyramid_graph(const mr_settings *settings, int height, int width,
                              const mr_purpose *purpose) {
    if (!purpose) purpose = &detection;
    mrcnn_graph *g = start(settings, purpose);
    if (!g) return NULL;
    mrcnn_shape shape = {height, width, settings->image_channel_count};
    mrcnn_value c[5] = {-1, -1, -1, -1, -1}, p[MR_LEVELS], logits, deltas;
    backbone(g, settings, mr_graph_input(g, "image", MR_ROWS_IMAGES, shape), c);
    mr_graph_stage(g, "fpn");
    mr_fpn(g, settings, c, p);
    mr_graph_stage(g, "rpn");
    for (int i = 0; i < MR_LEVELS; i++) {
        mr_rpn(g, settings, p[i], &logits, &deltas);
        if (i < MR_POOLED_LEVELS || !purpose->training) output(g, p[i], "P", i + 2);
        mr_graph_feature(g, p[i]);
        output(g, logits, "rpn_class_raw", i + 2);
        output(g, deltas, "rpn_bbox", i + 2);
        if (!purpose->training) continue;
        mr_graph_sparse_gradient(g, logits, i, purpose->max_pixels);
        mr_graph_sparse_gradient(g, deltas, i, purpose->max_pixels);
    }
    for (int i = 0; purpose->with_c && i < 5; i++)
        if (c[i] >= 0) output(g, c[i], "C", i + 1);
    return g;
}

/* RoIs pooled from the level that each of them names. */
static mrcnn_value pooled(mrcnn_graph *g, const mr_settings *settings, int height, int width,
                          int size, const mr_purpose *purpose) {
    mrcnn_value p[MR_POOLED_LEVELS];
    for (int i = 0; i < MR_POOLED_LEVELS; i++) {
        char name[16];
        snprintf(name, sizeof name, "P%d", i + 2);
        p[i] = mr_graph_input(g, name, MR_ROWS_IMAGES, mr_level_shape(settings, height, width, i));
        mr_graph_feature(g, p[i]);
        if (purpose->training && purpose->pyramid_trains) mr_graph_want_gradient(g, p[i]);
    }
    mrcnn_shape roi = {1, 1, MR_ROI_COLUMNS};
    mrcnn_value rois = mr_graph_input(g, "rois", MR_ROWS_ROIS, roi);
    return mr_roi_align(g, p, MR_POOLED_LEVELS, rois, size, size);
}

mrcnn_graph *mr_box_graph(const mr_settings *settings, int height, int width,
                          const mr_purpose *purpose) {
    if (!purpose) purpose = &detection;
    mrcnn_graph *g = start(settings, purpose);
    if (!g) return NULL;
    int classes = settings->num_classes, size = settings->fpn_classif_fc_layers_size;
    mr_graph_stage(g, "box roi align");
    mrcnn_value x = pooled(g, settings, height, width, settings->pool_size, purpose);
    mr_graph_stage(g, "box head");
    x = mrcnn_conv2d(g, x, "mrcnn_class_conv1", size, settings->pool_size, 1, MRCNN_VALID);
    x = mrcnn_relu(g, mrcnn_batch_norm(g, x, "mrcnn_class_bn1"));
    x = mrcnn_conv2d(g, x, "mrcnn_class_conv2", size, 1, 1, MRCNN_VALID);
    x = mrcnn_relu(g, mrcnn_batch_norm(g, x, "mrcnn_class_bn2"));
    mrcnn_value logits = mr_dense(g, x, "mrcnn_class_logits", classes);
    if (purpose->training)
        mr_graph_output(g, logits, "mrcnn_class_logits");
    else
        mr_graph_output(g, mr_softmax(g, logits), "mrcnn_class");
    mr_graph_output(g, mr_dense(g, x, "mrcnn_bbox_fc", 4 * classes), "mrcnn_bbox");
    return g;
}

mrcnn_graph *mr_mask_graph(const mr_settings *settings, int height, int width,
                           const mr_purpose *purpose) {
    if (!purpose) purpose = &detection;
    mrcnn_graph *g = start(settings, purpose);
    if (!g) return NULL;
    mr_graph_stage(g, "mask roi align");
    mrcnn_value x = pooled(g, settings, height, width, settings->mask_pool_size, purpose);
    mr_graph_stage(g, "mask head");
    for (int i = 1; i <= 4; i++) {
        char conv[32], bn[32];
        snprintf(conv, sizeof conv, "mrcnn_mask_conv%d", i);
        snprintf(bn, sizeof bn, "mrcnn_mask_bn%d", i);
        x = mrcnn_conv2d(g, x, conv, settings->mask_width, 3, 1, MRCNN_SAME);
        x = mrcnn_relu(g, mrcnn_batch_norm(g, x, bn));
    }
    x = mrcnn_relu(g, mr_deconv2x2(g, x, "mrcnn_mask_deconv", settings->mask_width));
    mrcnn_shape one = {1, 1, 1};
    mrcnn_value channel = mr_graph_input(g, "class", MR_ROWS_ROIS, one);
    x = mr_mask_select(g, x, channel, "mrcnn_mask", settings->num_classes);
    mr_graph_output(g, x, "mrcnn_mask");
    return g;
}
