/* resnet.c - ResNet (He et al. 2015) as matterport builds it: bottleneck blocks for 50 and 101
 * layers, basic blocks for 18 and 34; the stride sits on a stage's first convolution and on its
 * shortcut; every convolution has a bias. */
#include "model/network.h"

#include <stdio.h>
#include <string.h>

typedef struct depth {
    const char *name;
    int blocks[MR_MAX_STAGES]; /* of stages 2..5 */
    int bottleneck;
} depth;

static const depth depths[] = {
    {"resnet18", {2, 2, 2, 2}, 0},
    {"resnet34", {3, 4, 6, 3}, 0},
    {"resnet50", {3, 4, 6, 3}, 1},
    {"resnet101", {3, 4, 23, 3}, 1},
};

static const depth *find_depth(const char *name) {
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
        if (strcmp(depths[i].name, name) == 0) return &depths[i];
    return NULL;
}

int mr_is_resnet(const char *backbone) {
    return find_depth(backbone) != NULL;
}

/* Where a block stands: "res3b_branch2a", "bn3b_branch2a". */
typedef struct place {
    int stage;
    char block;
} place;

static mrcnn_value conv_bn(mrcnn_graph *g, mrcnn_value x, place at, const char *branch, int filters,
                           int kernel, int stride) {
    char conv[32], bn[32];
    snprintf(conv, sizeof conv, "res%d%c_branch%s", at.stage, at.block, branch);
    snprintf(bn, sizeof bn, "bn%d%c_branch%s", at.stage, at.block, branch);
    x = mrcnn_conv2d(g, x, conv, filters, kernel, stride, kernel == 1 ? MRCNN_VALID : MRCNN_SAME);
    return mrcnn_batch_norm(g, x, bn);
}

static mrcnn_value shortcut(mrcnn_graph *g, mrcnn_value x, place at, int filters, int stride,
                            int project) {
    return project ? conv_bn(g, x, at, "1", filters, 1, stride) : x;
}

static mrcnn_value bottleneck_block(mrcnn_graph *g, mrcnn_value x, place at, int width, int stride,
                                    int project) {
    mrcnn_value y = mrcnn_relu(g, conv_bn(g, x, at, "2a", width, 1, stride));
    y = mrcnn_relu(g, conv_bn(g, y, at, "2b", width, 3, 1));
    y = conv_bn(g, y, at, "2c", 4 * width, 1, 1);
    return mrcnn_relu(g, mrcnn_add(g, y, shortcut(g, x, at, 4 * width, stride, project)));
}

static mrcnn_value basic_block(mrcnn_graph *g, mrcnn_value x, place at, int width, int stride,
                               int project) {
    mrcnn_value y = mrcnn_relu(g, conv_bn(g, x, at, "2a", width, 3, stride));
    y = conv_bn(g, y, at, "2b", width, 3, 1);
    return mrcnn_relu(g, mrcnn_add(g, y, shortcut(g, x, at, width, stride, project)));
}

static mrcnn_value stage_blocks(mrcnn_graph *g, mrcnn_value x, int stage, int blocks, int width,
                                int bottleneck) {
    for (int i = 0; i < blocks; i++) {
        place at = {stage, (char)('a' + i)};
        int stride = i == 0 && stage > 2 ? 2 : 1;
        int filters = bottleneck ? 4 * width : width;
        /* The first block of a bottleneck stage always projects; a basic one only when shapes
         * differ. */
        int project =
            i == 0 && (bottleneck || stride != 1 || mrcnn_value_shape(g, x).channels != filters);
        x = bottleneck ? bottleneck_block(g, x, at, width, stride, project)
                       : basic_block(g, x, at, width, stride, project);
    }
    return x;
}

void mr_resnet(mrcnn_graph *g, const mr_settings *settings, mrcnn_value image, mrcnn_value c[5]) {
    const depth *d = find_depth(settings->backbone);
    mrcnn_value x = mrcnn_zero_pad(g, image, 3);
    x = mrcnn_conv2d(g, x, "conv1", settings->backbone_stem_width, 7, 2, MRCNN_VALID);
    x = mrcnn_relu(g, mrcnn_batch_norm(g, x, "bn_conv1"));
    c[0] = x = mrcnn_max_pool(g, x, 3, 2, MRCNN_SAME);
    for (int i = 0; i < MR_MAX_STAGES; i++)
        c[i + 1] = x = stage_blocks(g, x, i + 2, d->blocks[i], settings->backbone_widths.values[i],
                                    d->bottleneck);
}
