/* backbone.c - a backbone of your own: matterport's callable BACKBONE, in C.
 *
 *     backbone PICTURE
 *
 * Describes a plain convolutional network (no residuals, in the manner of VGG, with batch norm),
 * makes it the backbone of a Mask R-CNN, and runs that on a picture. The weights are fresh, so what
 * is found means nothing; the point is that pyramid, heads, loading and saving work with a network
 * that the library has never seen.
 */
#include <mrcnn/graph.h>
#include <mrcnn/mrcnn.h>

#include <stdio.h>

/* What our builder needs; the library hands a pointer to it through. */
typedef struct plain_net {
    int width; /* channels of the first stage; each stage doubles them */
} plain_net;

static mrcnn_value conv_block(mrcnn_graph *g, mrcnn_value x, int stage, int filters, int stride) {
    char conv[32], bn[32];
    snprintf(conv, sizeof conv, "plain%d_conv", stage);
    snprintf(bn, sizeof bn, "plain%d_bn", stage);
    x = mrcnn_conv2d(g, x, conv, filters, 3, stride, MRCNN_SAME);
    return mrcnn_relu(g, mrcnn_batch_norm(g, x, bn));
}

/* C1..C5 at strides 4, 4, 8, 16, 32 of the picture: what the feature pyramid expects. */
static void build(mrcnn_graph *g, mrcnn_value image, mrcnn_value c[5], void *user) {
    const plain_net *net = user;
    mrcnn_value x = conv_block(g, image, 0, net->width, 2);
    c[0] = mrcnn_max_pool(g, x, 3, 2, MRCNN_SAME);
    c[1] = conv_block(g, c[0], 2, net->width, 1);
    c[2] = conv_block(g, c[1], 3, 2 * net->width, 2);
    c[3] = conv_block(g, c[2], 4, 4 * net->width, 2);
    c[4] = conv_block(g, c[3], 5, 8 * net->width, 2);
}

static mrcnn_status run(const char *path, mrcnn_error *err) {
    plain_net net = {16};
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_image image = {0};
    mrcnn_result *result = NULL;

    mrcnn_status status = mrcnn_config_create(&config, "small", err);
    if (status == MRCNN_OK) status = mrcnn_config_set_backbone(config, "plain", build, &net, err);
    if (status == MRCNN_OK) status = mrcnn_config_set(config, "NUM_CLASSES", "2", err);
    if (status == MRCNN_OK) status = mrcnn_config_set(config, "DETECTION_MIN_CONFIDENCE", "0", err);
    if (status == MRCNN_OK) status = mrcnn_model_create(&model, config, 1, err);
    if (status == MRCNN_OK) status = mrcnn_session_create(&session, model, NULL, err);
    if (status == MRCNN_OK) status = mrcnn_image_read(&image, path, NULL, err);
    if (status == MRCNN_OK) status = mrcnn_detect(session, &image, 1, &result, err);
    if (status == MRCNN_OK) {
        printf("%s: %zu objects, by fresh weights\n", path, result->count);
        const mrcnn_stage_time *stage;
        for (size_t i = 0; (stage = mrcnn_session_stage(session, i)); i++)
            printf("  %-16s %7.2f ms\n", stage->name, stage->milliseconds);
    }
    mrcnn_result_free(&result);
    mrcnn_image_free(&image);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: backbone PICTURE\n");
        return 2;
    }
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (run(argv[1], &err) == MRCNN_OK) return 0;
    fprintf(stderr, "backbone: %s\n", err.message);
    return 1;
}
