/* preset.c - configurations to start from. The first five are matterport's samples (NUMERICS 7),
 * value by value; `small` is ours. */
#include "config/keys.h"

#include <string.h>

/* clang-format off */
static const char *const balloon[] = {
    "NAME", "balloon",
    "NUM_CLASSES", "2",
    "STEPS_PER_EPOCH", "100",
    "DETECTION_MIN_CONFIDENCE", "0.9",
    "STAGES", "heads 30",
    NULL};

static const char *const coco[] = {
    "NAME", "coco",
    "NUM_CLASSES", "81",
    "STAGES", "heads 40; 4+ 120; all 160 0.1",
    "HORIZONTAL_FLIP", "0.5",
    NULL};

static const char nucleus_augmentation[] =
    "[{SomeOf: {count: [0, 2], of: [{Fliplr: 0.5}, {Flipud: 0.5}, "
    "{OneOf: [Rot90, {Rot90: 2}, {Rot90: 3}]}, {Multiply: [0.8, 1.5]}, "
    "{GaussianBlur: [0, 5]}]}}]";

/* 657 pictures, of which 25 validate, in batches of 6. */
static const char *const nucleus[] = {
    "NAME", "nucleus",
    "NUM_CLASSES", "2",
    "BACKBONE", "resnet50",
    "IMAGES_PER_GPU", "6",
    "STEPS_PER_EPOCH", "105",
    "VALIDATION_STEPS", "4",
    "DETECTION_MIN_CONFIDENCE", "0",
    "DETECTION_MAX_INSTANCES", "400",
    "IMAGE_RESIZE_MODE", "crop",
    "IMAGE_MIN_DIM", "512",
    "IMAGE_MAX_DIM", "512",
    "IMAGE_MIN_SCALE", "2",
    "MEAN_PIXEL", "[43.53, 39.56, 48.22]",
    "RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]",
    "RPN_NMS_THRESHOLD", "0.9",
    "RPN_TRAIN_ANCHORS_PER_IMAGE", "64",
    "POST_NMS_ROIS_TRAINING", "1000",
    "POST_NMS_ROIS_INFERENCE", "2000",
    "TRAIN_ROIS_PER_IMAGE", "128",
    "MAX_GT_INSTANCES", "200",
    "STAGES", "heads 20; all 40",
    "AUGMENTATION", nucleus_augmentation,
    NULL};

static const char *const nucleus_inference[] = {
    "IMAGES_PER_GPU", "1",
    "IMAGE_RESIZE_MODE", "pad64",
    "RPN_NMS_THRESHOLD", "0.7",
    NULL};

static const char *const shapes[] = {
    "NAME", "shapes",
    "NUM_CLASSES", "4",
    "IMAGES_PER_GPU", "8",
    "IMAGE_MIN_DIM", "128",
    "IMAGE_MAX_DIM", "128",
    "RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]",
    "TRAIN_ROIS_PER_IMAGE", "32",
    "STEPS_PER_EPOCH", "100",
    "VALIDATION_STEPS", "5",
    "STAGES", "heads 1; all 2 0.1",
    NULL};

/* What learns shapes from nothing in a few minutes of two cores: a shallow, narrow network whose batch
 * norm works with the batch, AdamW with a warm-up, and a cosine. */
static const char *const shapes_scratch[] = {
    "BACKBONE", "resnet18",
    "BACKBONE_STEM_WIDTH", "32",
    "BACKBONE_WIDTHS", "[32, 64, 128, 256]",
    "TOP_DOWN_PYRAMID_SIZE", "128",
    "RPN_WIDTH", "128",
    "MASK_WIDTH", "128",
    "FPN_CLASSIF_FC_LAYERS_SIZE", "256",
    "POST_NMS_ROIS_TRAINING", "500",
    "POST_NMS_ROIS_INFERENCE", "200",
    "OPTIMIZER", "adamw",
    "LEARNING_RATE", "0.001",
    "LEARNING_RATE_SCHEDULE", "cosine",
    "WARMUP_STEPS", "50",
    "WEIGHT_DECAY", "0.01",
    "TRAIN_BN", "none",
    "HORIZONTAL_FLIP", "0.5",
    "VALIDATION_STEPS", "0",
    "STAGES", "all 24",
    NULL};

/* For CPUs: a quarter of the pixels, a shallow backbone of half the width, narrower heads and fewer
 * proposals to run them on. Anchors are those for small objects, as pictures are small. */
static const char *const small[] = {
    "NAME", "small",
    "BACKBONE", "resnet18",
    "BACKBONE_STEM_WIDTH", "32",
    "BACKBONE_WIDTHS", "[32, 64, 128, 256]",
    "TOP_DOWN_PYRAMID_SIZE", "128",
    "RPN_WIDTH", "128",
    "MASK_WIDTH", "128",
    "FPN_CLASSIF_FC_LAYERS_SIZE", "256",
    "IMAGE_MIN_DIM", "256",
    "IMAGE_MAX_DIM", "512",
    "RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]",
    "PRE_NMS_LIMIT", "2000",
    "POST_NMS_ROIS_TRAINING", "1000",
    "POST_NMS_ROIS_INFERENCE", "300",
    NULL};

/* What learns from nothing on a CPU, as a base for what fits the pictures:
 * batch norm that works with the batch, AdamW with a warm-up and a cosine, every RoI that there is to
 * learn from, whole masks, and in detection whatever finds more. */
static const char *const small_scratch[] = {
    "MASK_WIDTH", "64",
    "POST_NMS_ROIS_TRAINING", "500",
    "IMAGES_PER_GPU", "4",
    "TRAIN_ROIS_PER_IMAGE", "128",
    "USE_MINI_MASK", "false",
    "COMPAT", "paper",
    "OPTIMIZER", "adamw",
    "LEARNING_RATE", "0.0007",
    "LEARNING_RATE_SCHEDULE", "cosine",
    "WARMUP_STEPS", "60",
    "WEIGHT_DECAY", "0.01",
    "TRAIN_BN", "none",
    "HORIZONTAL_FLIP", "0.5",
    "STEPS_PER_EPOCH", "100",
    "VALIDATION_STEPS", "0",
    "STAGES", "all 36",
    "DETECTION_MIN_CONFIDENCE", "0.5",
    "DETECTION_BACKGROUND", "yields",
    "DETECTION_SCORE", "class_and_mask",
    "DETECTION_NMS_THRESHOLD", "0.5",
    "MASK_RESIZE", "subpixel",
    NULL};

static const char cell_augmentation[] =
    "[{Flipud: 0.5}, {OneOf: [{Rot90: 0}, Rot90, {Rot90: 2}, {Rot90: 3}]}, "
    "{Sometimes: {p: 0.5, of: [{Affine: {scale: [0.7, 1.6], rotate: [-20, 20]}}]}}, "
    "{Sometimes: {p: 0.5, of: [{AddToHue: [-15, 15]}, {MultiplySaturation: [0.6, 1.4]}]}}, "
    "{Invert: 0.25}, {Multiply: [0.7, 1.3]}, {LinearContrast: [0.7, 1.3]}]";

/* Cell nuclei, of a hundred pictures: these stretched one by one and enlarged to twice their size, and
 * crops of them turned in every direction. */
static const char *const nuclei_scratch[] = {
    "NAME", "nuclei",
    "NUM_CLASSES", "2",
    "IMAGE_RESIZE_MODE", "crop",
    "IMAGE_MIN_DIM", "320",
    "IMAGE_MAX_DIM", "320",
    "IMAGE_MIN_SCALE", "2",
    "IMAGE_STRETCH", "[0.5, 99.8]",
    "MEAN_PIXEL", "[100, 100, 100]",
    "RPN_ANCHOR_SCALES", "[16, 32, 64, 128, 256]",
    "RPN_ANCHOR_RATIOS", "[0.6, 1, 1.7]",
    "PRE_NMS_LIMIT", "6000",
    "POST_NMS_ROIS_INFERENCE", "2000",
    "MAX_GT_INSTANCES", "200",
    "DETECTION_MAX_INSTANCES", "400",
    "AUGMENTATION", cell_augmentation,
    NULL};

static const char photo_augmentation[] =
    "[{LargeScaleJitter: [0.5, 1.8]}, "
    "{Sometimes: {p: 0.5, of: [{Affine: {rotate: [-15, 15], shear: [-8, 8]}}]}}, "
    "{Sometimes: {p: 0.5, of: [{AddToHue: [-20, 20]}, {MultiplySaturation: [0.6, 1.4]}]}}, "
    "{Multiply: {mul: [0.7, 1.3], per_channel: 0.5}}, {LinearContrast: [0.7, 1.3]}, "
    "{Sometimes: {p: 0.2, of: [{GaussianBlur: [0, 1.5]}]}}]";

/* Things in photographs, of some dozens of these: whole ones at 448, in every size and colour that they
 * might have had, four of them in one now and then. */
static const char *const photos_scratch[] = {
    "NAME", "photos",
    "IMAGE_MIN_DIM", "448",
    "IMAGE_MAX_DIM", "448",
    "RPN_ANCHOR_SCALES", "[24, 48, 96, 192, 384]",
    "POST_NMS_ROIS_INFERENCE", "500",
    "TRAIN_ROIS_PER_IMAGE", "64",
    "WEIGHT_DECAY", "0.02",
    "MOSAIC", "0.3",
    "AUGMENTATION", photo_augmentation,
    "STAGES", "all 60",
    NULL};

static const mr_preset presets[] = {
    {"balloon", "balloons and background: a first model of one's own", NULL, balloon},
    {"coco", "COCO's 80 classes and background", NULL, coco},
    {"nuclei-scratch", "ours: cell nuclei from fresh weights in half an hour, by the small network",
     "small-scratch", nuclei_scratch},
    {"nucleus", "training on cell nuclei: resnet50, random crops of 512, anchors 8 to 128",
     NULL, nucleus},
    {"nucleus-inference", "nucleus for detecting: pictures padded to 64, RPN_NMS_THRESHOLD 0.7",
     "nucleus", nucleus_inference},
    {"photos-scratch", "ours: things in photographs from fresh weights in an hour, by the small network",
     "small-scratch", photos_scratch},
    {"shapes", "squares, circles and triangles on pictures of 128", NULL, shapes},
    {"shapes-scratch", "ours: shapes from fresh weights in a few minutes, by a small network",
     "shapes", shapes_scratch},
    {"small", "ours, for CPUs: resnet18 of half width (32 to 256), pictures of 256 to 512, anchors "
              "8 to 128, pyramid and heads 128, fully connected 256, 300 proposals",
     NULL, small},
    {"small-scratch", "ours: small, and how to train it from fresh weights: a base to begin with",
     "small", small_scratch},
};
/* clang-format on */

const mr_preset *mr_preset_at(size_t index) {
    return index < sizeof presets / sizeof *presets ? &presets[index] : NULL;
}

const mr_preset *mr_preset_find(const char *name) {
    for (size_t i = 0; mr_preset_at(i); i++)
        if (strcmp(presets[i].name, name) == 0) return &presets[i];
    return NULL;
}

const char *mrcnn_config_preset(size_t index, const char **help) {
    const mr_preset *preset = mr_preset_at(index);
    if (help) *help = preset ? preset->help : NULL;
    return preset ? preset->name : NULL;
}
