/* keys.c - every key of the configuration, once. Names, defaults and meanings are those of
 * matterport's Config class (NUMERICS 1); keys that are ours say so in their help, and so do those
 * that only training reads. Ranges are wide: they keep nonsense and overflow out, not experiments.
 */
#include "config/keys.h"

#include <stddef.h>
#include <string.h>

const char *const mr_loss_names[MR_LOSS_COUNT] = {
    "rpn_class_loss", "rpn_bbox_loss", "mrcnn_class_loss", "mrcnn_bbox_loss", "mrcnn_mask_loss"};

#define AT(field) offsetof(mr_settings, field)
#define INT(name, field, low, high, value, help) \
    { {name, "int", value, help}, MR_KIND_INT, AT(field), low, high, 0, 0 }
#define FLOAT(name, field, low, high, value, help) \
    { {name, "float", value, help}, MR_KIND_FLOAT, AT(field), low, high, 0, 0 }
#define BOOL(name, field, value, help) \
    { {name, "bool", value, help}, MR_KIND_BOOL, AT(field), 0, 1, 0, 0 }
#define CHOICE(name, field, words, value, help) \
    { {name, words, value, help}, MR_KIND_CHOICE, AT(field), 0, 0, 0, 0 }
#define STRING(name, field, kind, value, help) \
    { {name, "string", value, help}, kind, AT(field), 0, 0, 0, 0 }
#define INTS(name, field, fewest, most, low, high, value, help) \
    { {name, "ints", value, help}, MR_KIND_INTS, AT(field), low, high, fewest, most }
#define FLOATS(name, field, fewest, most, low, high, value, help) \
    { {name, "floats", value, help}, MR_KIND_FLOATS, AT(field), low, high, fewest, most }

const mr_key mr_keys[MR_KEY_COUNT] = {
    FLOATS("ADAM_BETAS", adam_betas, 2, 2, 0, 0.9999999, "[0.9, 0.999]",
           "ours, training: decay of AdamW's two averages"),
    FLOAT("ADAM_EPSILON", adam_epsilon, 1e-15, 1, "1e-08",
          "ours, training: added to AdamW's divisor"),
    {{"AUGMENTATION", "operations", "none",
      "ours, training: what happens to pictures and masks, a list of imgaug's operations: "
      "[{Fliplr: "
      "0.5}, {Multiply: [0.8, 1.5]}]"},
     MR_KIND_AUGMENTATION,
     AT(augmentation),
     0,
     0,
     0,
     MR_AUGMENT_NODES},
    STRING("BACKBONE", backbone, MR_KIND_IDENTIFIER, "resnet101",
           "resnet18, resnet34, resnet50, resnet101, or the name of a backbone that the program "
           "registered"),
    INT("BACKBONE_STEM_WIDTH", backbone_stem_width, 1, 8192, "64",
        "ours: channels of the backbone's first convolution"),
    INTS("BACKBONE_STRIDES", backbone_strides, 1, MR_MAX_LEVELS, 1, 1024, "[4, 8, 16, 32, 64]",
         "stride of each pyramid level, finest first"),
    INTS("BACKBONE_WIDTHS", backbone_widths, MR_MAX_STAGES, MR_MAX_STAGES, 1, 8192,
         "[64, 128, 256, 512]", "ours: inner width of the blocks of stages 2 to 5"),
    FLOATS("BBOX_STD_DEV", bbox_std_dev, 4, 4, 1e-6, 1e3, "[0.1, 0.1, 0.2, 0.2]",
           "scale of the box head's dy, dx, dh, dw"),
    {{"CLASS_MIN_CONFIDENCE", "mapping", "{}",
      "ours: DETECTION_MIN_CONFIDENCE of single classes, by name: {person: 0.8, \"traffic light\": "
      "0.5}; one alone is set as CLASS_MIN_CONFIDENCE.person, and none takes it away"},
     MR_KIND_CLASS_SCORES,
     AT(class_min_confidence),
     0,
     1,
     0,
     MR_MAX_CLASS_SCORES},
    CHOICE("COMPAT", compat, "matterport|paper", "matterport",
           "ours, training: sampling, losses and weight decay as in matterport, or as in the "
           "paper"),
    CHOICE("DETECTION_BACKGROUND", detection_background, "wins|yields", "wins",
           "ours: a proposal that is most likely background is dropped, as in matterport, or is a "
           "detection of its best other class if that has DETECTION_MIN_CONFIDENCE"),
    INT("DETECTION_MAX_INSTANCES", detection_max_instances, 1, 100000, "100",
        "at most this many detections a picture"),
    FLOAT("DETECTION_MIN_CONFIDENCE", detection_min_confidence, 0, 1, "0.7",
          "detections below this score are dropped; 0 keeps all"),
    CHOICE("DETECTION_NMS", detection_nms, "hard|linear|gaussian", "hard",
           "ours: what happens to the weaker of two detections of a class that overlap: hard drops "
           "it; linear and gaussian lower its score (Soft-NMS), and it stays if it is still sure "
           "enough"),
    FLOAT("DETECTION_NMS_SIGMA", detection_nms_sigma, 0.001, 1000, "0.5",
          "ours: of gaussian, which takes a score times exp(-IoU^2 / sigma): the smaller, the "
          "harder"),
    FLOAT("DETECTION_NMS_THRESHOLD", detection_nms_threshold, 0, 1, "0.3",
          "of two detections of a class with a larger IoU the weaker is dropped; gaussian NMS "
          "needs no "
          "threshold"),
    CHOICE(
        "DETECTION_SCORE", detection_score, "class|class_and_mask", "class",
        "ours: a detection's score is its class's probability, or that times the mean probability "
        "inside its mask"),
    INT("EARLY_STOP", early_stop, 0, 1000000, "0",
        "ours, training: stop after so many epochs without a better validation loss, or with "
        "EVAL_EVERY so many evaluations without a better mask AP; 0: never"),
    FLOAT("EMA_DECAY", ema_decay, 0, 0.9999999, "0",
          "ours, training: checkpoints hold a moving average of the weights with this decay; 0: "
          "the weights themselves"),
    INT("EVAL_EVERY", eval_every, 0, 1000000, "0",
        "ours, training: after so many epochs, and after the last one, the validation set is "
        "evaluated as by mrcnn eval; 0: never"),
    INT("EVAL_IMAGES", eval_images, 0, MR_MAX_EVAL_IMAGES, "4",
        "ours, training: pictures of the validation set that an evaluation shows in TensorBoard, "
        "with objects and detections"),
    INT("EVAL_LIMIT", eval_limit, 0, 1000000000, "0",
        "ours, training: pictures that are evaluated, the first ones; 0: all"),
    INT("FPN_CLASSIF_FC_LAYERS_SIZE", fpn_classif_fc_layers_size, 1, 65536, "1024",
        "width of the box head's two fully connected layers"),
    INT("GPU_COUNT", gpu_count, 1, 4096, "1", "training: how many devices share a batch"),
    INT("GRADIENT_ACCUMULATION", gradient_accumulation, 1, 100000, "1",
        "ours, training: batches whose mean gradient makes one update"),
    FLOAT("GRADIENT_CLIP_NORM", gradient_clip_norm, 0, 1e9, "5",
          "training: longest gradient over all weights; 0: no limit"),
    FLOAT("HORIZONTAL_FLIP", horizontal_flip, 0, 1, "0",
          "ours, training: probability that a picture is mirrored"),
    INT("IMAGES_PER_GPU", images_per_gpu, 1, 4096, "2", "training: pictures a device and step"),
    INT("IMAGE_CHANNEL_COUNT", image_channel_count, 1, MR_MAX_CHANNELS, "3",
        "channels of a picture: 3 for RGB, 1 for grey, 4 for RGB and depth"),
    INT("IMAGE_MAX_DIM", image_max_dim, 64, 16384, "1024",
        "side of the padded picture in square mode, a multiple of 64"),
    INT("IMAGE_MIN_DIM", image_min_dim, 0, 16384, "800",
        "smaller pictures are enlarged until their short side has this length; 0: none"),
    FLOAT("IMAGE_MIN_SCALE", image_min_scale, 0, 64, "0",
          "pictures are enlarged at least by this factor; 0: no such rule"),
    CHOICE("IMAGE_RESIZE_MODE", image_resize_mode, "square|pad64|crop|none", "square",
           "how a picture gets the network's size; crop is for training"),
    FLOATS("IMAGE_STRETCH", image_stretch, 0, 2, 0, 100, "[]",
           "ours: percentiles of a picture's own values that become 0 and 255, such as "
           "[0.5, 99.5] for microscopy; none: values as they are"),
    FLOATS(
        "IMAGE_VALUE_RANGE", image_value_range, 0, 2, -1e9, 1e9, "[]",
        "ours: of pictures of 16 bits and of floats, the values that become 0 and 255; none: all "
        "of 16 bits, and 0 to 1"),
    BOOL("KEEP_BEST", keep_best, "false",
         "ours, training: also keep the checkpoint with the lowest validation loss, or with "
         "EVAL_EVERY the highest mask AP"),
    INT("KEEP_CHECKPOINTS", keep_checkpoints, 0, 1000000, "0",
        "ours, training: newest checkpoints that are kept; 0: all"),
    FLOAT("LEARNING_MOMENTUM", learning_momentum, 0, 1, "0.9", "training: momentum of SGD"),
    FLOAT("LEARNING_RATE", learning_rate, 0, 1e3, "0.001", "training: learning rate"),
    FLOAT("LEARNING_RATE_GAMMA", learning_rate_gamma, 0, 1, "0.1",
          "ours, training: factor of the learning rate at each of LEARNING_RATE_STEPS"),
    CHOICE("LEARNING_RATE_SCHEDULE", learning_rate_schedule, "constant|step|cosine", "constant",
           "ours, training: how the learning rate falls"),
    INTS("LEARNING_RATE_STEPS", learning_rate_steps, 0, MR_MAX_CHANNELS, 1, 1000000, "[]",
         "ours, training: epochs after which the step schedule lowers the learning rate"),
    INT("LOADER_CACHE", loader_cache, 0, 1000000, "128",
        "ours, training: megabytes of decoded pictures and masks that are kept for further passes "
        "over the data set; 0: none"),
    INT("LOADER_MEMORY", loader_memory, 1, 1000000, "64",
        "ours, training: megabytes of pictures prepared ahead"),
    INT("LOADER_THREADS", loader_threads, 1, 256, "2",
        "ours, training: threads that prepare pictures; any number gives the same run"),
    {{"LOSS_WEIGHTS", "mapping",
      "{rpn_class_loss: 1, rpn_bbox_loss: 1, mrcnn_class_loss: 1, mrcnn_bbox_loss: 1, "
      "mrcnn_mask_loss: 1}",
      "training: factor of each loss; one alone is set as LOSS_WEIGHTS.rpn_class_loss"},
     MR_KIND_LOSSES,
     AT(loss_weights),
     0,
     1e6,
     MR_LOSS_COUNT,
     MR_LOSS_COUNT},
    INT("MASK_POOL_SIZE", mask_pool_size, 1, 256, "14", "side of the mask head's RoI features"),
    CHOICE(
        "MASK_RESIZE", mask_resize, "matterport|exact|subpixel", "matterport",
        "ours: matterport's resizing erodes masks at their box's border; exact doesn't; subpixel "
        "samples them where the network saw them, in a box that isn't rounded"),
    INTS("MASK_SHAPE", mask_shape, 2, 2, 2, 512, "[28, 28]",
         "height and width of the mask head's output, twice MASK_POOL_SIZE"),
    INT("MASK_WIDTH", mask_width, 1, 8192, "256", "ours: channels of the mask head"),
    INT("MAX_GT_INSTANCES", max_gt_instances, 1, 100000, "100",
        "training: at most this many objects of a picture are used"),
    FLOATS("MEAN_PIXEL", mean_pixel, 1, MR_MAX_CHANNELS, -1e6, 1e6, "[123.7, 116.8, 103.9]",
           "subtracted from every pixel, one number a channel, in RGB order; unless set, 114.8 for "
           "grey, and 127.5 for what comes behind the colours"),
    INTS("MINI_MASK_SHAPE", mini_mask_shape, 2, 2, 1, 4096, "[56, 56]",
         "training: height and width of the mini masks"),
    FLOAT("MOSAIC", mosaic, 0, 1, "0",
          "ours, training: probability that a picture is made of four; modes square and crop"),
    STRING("NAME", name, MR_KIND_NAME, "none",
           "training: names log folders and checkpoints; none until it is set"),
    CHOICE("NON_FINITE", non_finite, "stop|skip", "stop",
           "ours, training: what a loss or gradient that is no finite number does to the run"),
    {{"NO_AUGMENTATION_SOURCES", "names", "[]",
      "training: pictures of these sources are neither augmented nor part of a mosaic"},
     MR_KIND_NAMES,
     AT(no_augmentation_sources),
     0,
     0,
     0,
     MR_MAX_NAMES},
    INT("NUM_CLASSES", num_classes, 1, 65536, "1", "classes with the background"),
    CHOICE("OPTIMIZER", optimizer, "sgd|adamw", "sgd",
           "ours, training: SGD with momentum as Keras, or AdamW with decoupled WEIGHT_DECAY"),
    INT("POOL_SIZE", pool_size, 1, 256, "7", "side of the box head's RoI features"),
    INT("POST_NMS_ROIS_INFERENCE", post_nms_rois_inference, 1, 1000000, "1000",
        "proposals kept after non-maximum suppression when detecting"),
    INT("POST_NMS_ROIS_TRAINING", post_nms_rois_training, 1, 1000000, "2000",
        "training: proposals kept after non-maximum suppression"),
    INT("PRE_NMS_LIMIT", pre_nms_limit, 1, 10000000, "6000",
        "best anchors that go into non-maximum suppression"),
    FLOAT("ROI_POSITIVE_RATIO", roi_positive_ratio, 0.001, 1, "0.33",
          "training: share of positives among the RoIs"),
    FLOATS("RPN_ANCHOR_RATIOS", rpn_anchor_ratios, 1, MR_MAX_RATIOS, 0.01, 100, "[0.5, 1, 2]",
           "width / height of the anchors at each place"),
    FLOATS("RPN_ANCHOR_SCALES", rpn_anchor_scales, 1, MR_MAX_LEVELS, 1, 16384,
           "[32, 64, 128, 256, 512]", "side of the square anchor in pixels, one a pyramid level"),
    INT("RPN_ANCHOR_STRIDE", rpn_anchor_stride, 1, 16, "1",
        "anchors on every n-th cell of a feature map"),
    FLOATS("RPN_BBOX_STD_DEV", rpn_bbox_std_dev, 4, 4, 1e-6, 1e3, "[0.1, 0.1, 0.2, 0.2]",
           "scale of the RPN's dy, dx, dh, dw"),
    FLOAT("RPN_NMS_THRESHOLD", rpn_nms_threshold, 0, 1, "0.7",
          "of two proposals with a larger IoU the weaker is dropped"),
    INT("RPN_TRAIN_ANCHORS_PER_IMAGE", rpn_train_anchors_per_image, 2, 1000000, "256",
        "training: anchors of a picture that the RPN learns from"),
    INT("RPN_WIDTH", rpn_width, 1, 8192, "512", "ours: channels of the RPN's shared convolution"),
    CHOICE("SAMPLING", sampling, "random|first", "random",
           "ours, training: which anchors and RoIs are learnt from when there are too many"),
    INT("SEED", seed, 0, 2147483647, "0",
        "ours, training: fresh weights, the order of pictures and all draws follow from it"),
    STRING(
        "STAGES", stages, MR_KIND_STAGES, "none",
        "ours, training: layers, last epoch and learning rate factor of each stage: heads 20; all "
        "40 0.1"),
    INT("STEPS_PER_EPOCH", steps_per_epoch, 1, 1000000000, "1000",
        "training: batches in what is called an epoch"),
    CHOICE(
        "TEST_FLIPS", test_flips, "none|horizontal|vertical|both|all", "none",
        "ours: pictures are also detected mirrored, and what is found is merged; both: also both "
        "ways at once, 4 views; all: also turned by 90 degrees, 8 views"),
    FLOATS(
        "TEST_SCALES", test_scales, 1, MR_MAX_SCALES, 0.1, 10, "[1]",
        "ours: pictures are detected at each of these factors on the network's size, and what is "
        "found is merged"),
    FLOAT("TILE_OVERLAP", tile_overlap, 0, 0.9, "0.25",
          "ours: share of a tile's side that it has in common with the next one, at least; more "
          "than the largest object, so that some tile sees it whole"),
    INT("TILE_SIZE", tile_size, 0, 16384, "0",
        "ours: larger pictures are cut into tiles of that side, in pixels of the picture, and what "
        "is found in them is merged; 0: never"),
    INT("TOP_DOWN_PYRAMID_SIZE", top_down_pyramid_size, 1, 8192, "256",
        "channels of every pyramid level"),
    CHOICE("TRAIN_BN", train_bn, "false|none|true", "false",
           "training: false freezes batch normalisation, none trains it, true never uses its "
           "statistics"),
    CHOICE("TRAIN_PRECISION", train_precision, "f32|bf16", "f32",
           "ours, training: f32, or bf16 factors in products, with weights, gradients and sums in "
           "f32"),
    INT("TRAIN_ROIS_PER_IMAGE", train_rois_per_image, 1, 1000000, "200",
        "training: RoIs of a picture that the heads learn from"),
    BOOL("USE_MINI_MASK", use_mini_mask, "true",
         "training: keep objects' masks at MINI_MASK_SHAPE to save memory"),
    BOOL("USE_RPN_ROIS", use_rpn_rois, "true",
         "training: false takes RoIs from the input instead of the RPN"),
    INT("VALIDATION_STEPS", validation_steps, 0, 1000000000, "50",
        "training: validation batches after each epoch; 0: the whole validation set"),
    INT("WARMUP_STEPS", warmup_steps, 0, 1000000000, "0",
        "ours, training: steps in which the learning rate rises from 0 to its value"),
    FLOAT("WEIGHT_DECAY", weight_decay, 0, 1, "0.0001",
          "training: L2 penalty, divided by the number of weights in each tensor; with AdamW the "
          "share "
          "that kernels lose in a step of learning rate 1"),
};

int mr_key_find(const char *name) {
    for (int i = 0; i < MR_KEY_COUNT; i++)
        if (strcmp(mr_keys[i].shown.name, name) == 0) return i;
    return -1;
}

const mrcnn_config_key *mrcnn_config_key_at(size_t index) {
    return index < MR_KEY_COUNT ? &mr_keys[index].shown : NULL;
}
