/* fpn.c - the feature pyramid (Lin et al. 2017): lateral 1x1 convolutions, nearest upsampling and
 * sums from the top down, a 3x3 convolution on each level; no batch norm, no ReLU. P6 is every
 * second pixel of P5. */
#include "model/network.h"

void mr_fpn(mrcnn_graph *g, const mr_settings *settings, const mrcnn_value c[5],
            mrcnn_value p[MR_LEVELS]) {
    int width = settings->top_down_pyramid_size;
    mrcnn_value p5 = mrcnn_conv2d(g, c[4], "fpn_c5p5", width, 1, 1, MRCNN_VALID);
    mrcnn_value p4 = mrcnn_add(g, mrcnn_upsample2x(g, p5),
                               mrcnn_conv2d(g, c[3], "fpn_c4p4", width, 1, 1, MRCNN_VALID));
    mrcnn_value p3 = mrcnn_add(g, mrcnn_upsample2x(g, p4),
                               mrcnn_conv2d(g, c[2], "fpn_c3p3", width, 1, 1, MRCNN_VALID));
    mrcnn_value p2 = mrcnn_add(g, mrcnn_upsample2x(g, p3),
                               mrcnn_conv2d(g, c[1], "fpn_c2p2", width, 1, 1, MRCNN_VALID));
    p[0] = mrcnn_conv2d(g, p2, "fpn_p2", width, 3, 1, MRCNN_SAME);
    p[1] = mrcnn_conv2d(g, p3, "fpn_p3", width, 3, 1, MRCNN_SAME);
    p[2] = mrcnn_conv2d(g, p4, "fpn_p4", width, 3, 1, MRCNN_SAME);
    p[3] = mrcnn_conv2d(g, p5, "fpn_p5", width, 3, 1, MRCNN_SAME);
    p[4] = mrcnn_max_pool(g, p[3], 1, 2, MRCNN_VALID);
}
