/* published.c - see published.h. URLs and checksums are those in matterport's code; it gives no
 * checksum for the balloon weights.
 */
#include "weights/published.h"

#include <mrcnn/mrcnn.h>
#include <string.h>

static const mr_published files[] = {
    {"coco", "mask_rcnn_coco.h5",
     "https://github.com/matterport/Mask_RCNN/releases/download/v2.0/mask_rcnn_coco.h5",
     "Mask R-CNN, ResNet-101, trained on COCO (81 classes)", "e98aaff6f99e307b5e2a8a3ff741a518"},
    {"balloon", "mask_rcnn_balloon.h5",
     "https://github.com/matterport/Mask_RCNN/releases/download/v2.1/mask_rcnn_balloon.h5",
     "Mask R-CNN, ResNet-101, trained on matterport's balloon pictures (2 classes)", NULL},
    {"imagenet", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
     "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/"
     "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
     "ResNet-50 backbone trained on ImageNet: to start a training from, not to detect with",
     "a268eb855778b3df3c7506639542a6af"},
};

const mr_published *mr_published_at(size_t index) {
    return index < sizeof files / sizeof files[0] ? &files[index] : NULL;
}

const mr_published *mr_published_find(const char *name) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strcmp(files[i].name, name) == 0) return &files[i];
    return NULL;
}

const char *mrcnn_weights_published(size_t index, const char **url, const char **help) {
    const mr_published *file = mr_published_at(index);
    if (!file) return NULL;
    if (url) *url = file->url;
    if (help) *help = file->help;
    return file->name;
}
