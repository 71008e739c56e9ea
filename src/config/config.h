/* config.h - the configuration as a plain struct: what the rest of the library reads. Field names
 * are matterport's keys in lower case; the table of keys in keys.c is the only other place that
 * lists them. */
#ifndef MR_CONFIG_CONFIG_H
#define MR_CONFIG_CONFIG_H

#include "config/augmentation.h"

#include <mrcnn/graph.h>
#include <mrcnn/mrcnn.h>

enum { MR_MAX_LEVELS = 8, MR_MAX_RATIOS = 16, MR_MAX_STAGES = 4, MR_MAX_CHANNELS = 16 };
enum { MR_STAGES_TEXT = 256, MR_MAX_NAMES = 8, MR_NAME_TEXT = 64, MR_MAX_EVAL_IMAGES = 100 };
enum { MR_MAX_SCALES = 8 };
enum { MR_MAX_CLASS_SCORES = 100 };

typedef enum mr_resize_mode {
    MR_RESIZE_SQUARE,
    MR_RESIZE_PAD64,
    MR_RESIZE_CROP,
    MR_RESIZE_NONE
} mr_resize_mode;
typedef enum mr_background { MR_BACKGROUND_WINS, MR_BACKGROUND_YIELDS } mr_background;
typedef enum mr_detection_score { MR_SCORE_CLASS, MR_SCORE_CLASS_AND_MASK } mr_detection_score;
typedef enum mr_mask_resize { MR_MASK_MATTERPORT, MR_MASK_EXACT, MR_MASK_SUBPIXEL } mr_mask_resize;
typedef enum mr_suppression {
    MR_SUPPRESS_HARD,
    MR_SUPPRESS_LINEAR,
    MR_SUPPRESS_GAUSSIAN
} mr_suppression;
typedef enum mr_train_bn {
    MR_BN_FROZEN,
    MR_BN_NORMAL,
    MR_BN_BATCH
} mr_train_bn; /* False, None, True */
typedef enum mr_compat { MR_COMPAT_MATTERPORT, MR_COMPAT_PAPER } mr_compat;
typedef enum mr_schedule { MR_LR_CONSTANT, MR_LR_STEP, MR_LR_COSINE } mr_schedule;
typedef enum mr_non_finite { MR_NON_FINITE_STOP, MR_NON_FINITE_SKIP } mr_non_finite;
typedef enum mr_optimizer_kind { MR_SGD, MR_ADAMW } mr_optimizer_kind;
typedef enum mr_train_precision { MR_TRAIN_F32, MR_TRAIN_BF16 } mr_train_precision;
typedef enum mr_sampling { MR_SAMPLE_RANDOM, MR_SAMPLE_FIRST } mr_sampling;
typedef enum mr_test_flips {
    MR_FLIPS_NONE,
    MR_FLIPS_HORIZONTAL,
    MR_FLIPS_VERTICAL,
    MR_FLIPS_BOTH,
    MR_FLIPS_ALL
} mr_test_flips;

typedef struct mr_ints {
    int count;
    int values[MR_MAX_CHANNELS];
} mr_ints;

typedef struct mr_floats {
    int count;
    double values[MR_MAX_CHANNELS];
} mr_floats;

typedef struct mr_names_list {
    int count;
    char names[MR_MAX_NAMES][MR_NAME_TEXT];
} mr_names_list;

/* A number for each of some classes, by name. */
typedef struct mr_class_scores {
    int count;
    char names[MR_MAX_CLASS_SCORES][MR_NAME_TEXT];
    double values[MR_MAX_CLASS_SCORES];
} mr_class_scores;

typedef struct mr_settings {
    char name[64];
    int gpu_count, images_per_gpu;
    int steps_per_epoch, validation_steps;
    char backbone[64]; /* resnet18 ... resnet101, or a registered name */
    mr_ints backbone_strides;
    int backbone_stem_width; /* ours: 64 */
    mr_ints backbone_widths; /* ours: 64, 128, 256, 512 (the bottleneck's inner width) */
    int fpn_classif_fc_layers_size;
    int top_down_pyramid_size;
    int rpn_width;  /* ours: 512 */
    int mask_width; /* ours: 256 */
    int num_classes;
    mr_floats rpn_anchor_scales;
    mr_floats rpn_anchor_ratios;
    int rpn_anchor_stride;
    double rpn_nms_threshold;
    int rpn_train_anchors_per_image;
    int pre_nms_limit, post_nms_rois_training, post_nms_rois_inference;
    int use_mini_mask;
    mr_ints mini_mask_shape;
    mr_resize_mode image_resize_mode;
    int image_min_dim, image_max_dim;
    double image_min_scale; /* 0: none */
    int image_channel_count;
    mr_floats mean_pixel;
    mr_floats image_value_range; /* ours: low, high; or none */
    mr_floats image_stretch;     /* ours: percentiles, low and high; or none */
    int train_rois_per_image;
    double roi_positive_ratio;
    int pool_size, mask_pool_size;
    mr_ints mask_shape;
    int max_gt_instances;
    mr_floats rpn_bbox_std_dev, bbox_std_dev;
    int detection_max_instances;
    double detection_min_confidence, detection_nms_threshold;
    mr_class_scores class_min_confidence; /* ours, like Soft-NMS: */
    mr_suppression detection_nms;
    double detection_nms_sigma;
    double learning_rate, learning_momentum, weight_decay;
    mr_floats loss_weights; /* rpn_class, rpn_bbox, mrcnn_class, mrcnn_bbox, mrcnn_mask */
    int use_rpn_rois;
    mr_train_bn train_bn;
    double gradient_clip_norm;
    /* ours, for training */
    mr_compat compat;
    mr_sampling sampling;
    int seed;
    mr_optimizer_kind optimizer;
    mr_train_precision train_precision;
    mr_floats adam_betas;
    double adam_epsilon, ema_decay;
    int gradient_accumulation;
    mr_schedule learning_rate_schedule;
    mr_ints learning_rate_steps;
    double learning_rate_gamma;
    int warmup_steps;
    char stages[MR_STAGES_TEXT]; /* "heads 20; all 40 0.1", which stages.h reads; "" if none */
    double horizontal_flip;
    mr_augmentation augmentation;
    mr_names_list no_augmentation_sources;
    double mosaic;
    int early_stop, keep_checkpoints, keep_best;
    int eval_every, eval_images, eval_limit;
    mr_non_finite non_finite;
    int loader_threads, loader_memory, loader_cache; /* memory and cache in MB */
    mr_background detection_background;
    mr_detection_score detection_score;
    mr_mask_resize mask_resize; /* ours: matterport's eroded borders (N39), or better ones */
    mr_test_flips test_flips;   /* ours: views of a picture (model/views.h) */
    mr_floats test_scales;
    int tile_size; /* 0: none */
    double tile_overlap;
    /* A program's own backbone, used while BACKBONE is its name; build is NULL if there is none. */
    char own_backbone[64];
    mrcnn_backbone own_backbone_build;
    void *own_backbone_user;
} mr_settings;

const mr_settings *mr_config_settings(const mrcnn_config *config);

/* Index of a class in the list, or -1. */
int mr_class_scores_find(const mr_class_scores *scores, const char *name);

/* 1 when BACKBONE names the program's own builder. */
int mr_has_own_backbone(const mr_settings *settings);

/* Sets a key and says where the value came from ("weights", ...). */
mrcnn_status mr_config_set_from(mrcnn_config *config, const char *key, const char *value,
                                const char *source, mrcnn_error *err);

/* 1 when somebody chose the value: it comes neither from the defaults nor from the weights. */
int mr_config_is_explicit(const mrcnn_config *config, const char *key);

/* Checks what single keys can't: one anchor scale per level, sizes divisible by 64, list lengths.
 */
mrcnn_status mr_config_validate(const mrcnn_config *config, mrcnn_error *err);

/* The same and what concerns training alone: what AUGMENTATION and MOSAIC need. A model that was
 * trained with them detects in any mode. */
mrcnn_status mr_config_validate_training(const mrcnn_config *config, mrcnn_error *err);

/* YAML text of every key that differs from the defaults, as checkpoints carry it; malloc'ed. NULL:
 * no memory. */
char *mr_config_to_yaml(const mrcnn_config *config);

/* Reads such a text; `source` names it in messages and becomes each key's source. Keys that are
 * already explicit are left alone when keep_explicit is set. */
mrcnn_status mr_config_from_yaml(mrcnn_config *config, const char *text, size_t length,
                                 const char *source, int keep_explicit, mrcnn_error *err);

#endif
