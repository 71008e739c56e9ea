/* mrcnn.h - Mask R-CNN in C: the whole public interface that a program needs.
 *
 * mrcnn reads the Keras weights of matterport/Mask_RCNN, computes the same numbers, and gives back
 * one box, class, score and mask for each object in a picture. There is no Python anywhere.
 *
 * A complete program:
 *
 *     #include <mrcnn/mrcnn.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         mrcnn_error err = MRCNN_ERROR_INIT;
 *         mrcnn_model *model = NULL;
 *         mrcnn_session *session = NULL;
 *         mrcnn_image image = {0};
 *         mrcnn_result *result = NULL;
 *
 *         if (mrcnn_model_load(&model, "mask_rcnn_coco.h5", NULL, &err) == MRCNN_OK &&
 *             mrcnn_session_create(&session, model, NULL, &err) == MRCNN_OK &&
 *             mrcnn_image_read(&image, "photo.jpg", NULL, &err) == MRCNN_OK &&
 *             mrcnn_detect(session, &image, 1, &result, &err) == MRCNN_OK) {
 *             for (size_t i = 0; i < result->count; i++) {
 *                 const mrcnn_instance *it = &result->instances[i];
 *                 printf("%s %.3f (%d,%d)-(%d,%d)\n", it->class_name, it->score,
 *                        it->x1, it->y1, it->x2, it->y2);
 *             }
 *         } else {
 *             fprintf(stderr, "%s\n", err.message);
 *         }
 *         mrcnn_result_free(&result);
 *         mrcnn_image_free(&image);
 *         mrcnn_session_free(&session);
 *         mrcnn_model_free(&model);
 *         return err.status == MRCNN_OK ? 0 : 1;
 *     }
 *
 * The rules, once, for everything below:
 *   - Errors are values. A function that can fail returns a status and, when `err` is not NULL,
 *     writes one sentence that names the file, key or tensor, what is wrong and what to do.
 *     The library never exits, aborts or prints.
 *   - Whoever receives an object through a `T **` owns it and frees it with the matching _free,
 *     which accepts NULL and sets the pointer to NULL. Outputs are untouched on failure.
 *   - A `const` pointer that a function returns belongs to the object it was asked of.
 *   - A model is immutable once made and may be shared by any number of threads. A session is used
 *     by one thread at a time; make one per thread. Sessions of one model share its packed weights.
 *   - There is no global state.
 *   - Boxes are (y1, x1, y2, x2) in pixels, y2 and x2 just outside, as everywhere in Mask R-CNN.
 *   - Options structs start with `size`; initialise them with their _default function, so that a
 *     program compiled today runs against a later library.
 *
 * Sections, in learning order: errors, pictures, configuration, models, sessions and detection, quantization,
 * masks, drawing, looking inside, the build. Included at the end: data sets, <mrcnn/data.h>; training,
 * <mrcnn/train.h>; weight files, <mrcnn/weights.h>. Beside them, how good a model is: <mrcnn/eval.h>. Writing a backbone of your own: <mrcnn/graph.h>. Charts, sheets and other pictures: <mrcnn/draw.h>. Videos and
 * tracking: <mrcnn/video.h>. Why something was found or not: <mrcnn/trace.h>. Training targets, anchors,
 * weights and pages that show them: <mrcnn/inspect.h>. The log of a training: <mrcnn/log.h>.
 */
#ifndef MRCNN_MRCNN_H
#define MRCNN_MRCNN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MRCNN_VERSION_MAJOR 0
#define MRCNN_VERSION_MINOR 1
#define MRCNN_VERSION_PATCH 0

#if defined(_WIN32)
#define MRCNN_API
#elif defined(__GNUC__)
#define MRCNN_API __attribute__((visibility("default")))
#else
#define MRCNN_API
#endif

/* ------------------------------------------------------------------------------------- errors */

typedef enum mrcnn_status {
    MRCNN_OK = 0,
    MRCNN_E_ARGUMENT = 1,    /* the caller passed something that makes no sense */
    MRCNN_E_MEMORY = 2,      /* an allocation failed, or a size does not fit */
    MRCNN_E_IO = 3,          /* a file can't be opened, read or written */
    MRCNN_E_FORMAT = 4,      /* a file's bytes are not what they should be */
    MRCNN_E_UNSUPPORTED = 5, /* valid, but not done by this library or this build */
    MRCNN_E_CONFIG = 6,      /* an unknown key, or a value out of its range */
    MRCNN_E_WEIGHTS = 7,     /* weights and architecture do not fit together */
    MRCNN_E_NETWORK = 8,     /* a download failed */
    MRCNN_E_CANCELLED = 9    /* a callback asked to stop */
} mrcnn_status;

typedef struct mrcnn_error {
    mrcnn_status status;
    char message[1000]; /* one sentence, UTF-8, no newline; empty when status is MRCNN_OK */
} mrcnn_error;

#define MRCNN_ERROR_INIT \
    {                    \
        MRCNN_OK, {      \
            0            \
        }                \
    }

/* The constant's name in words ("I/O error"); never NULL. */
MRCNN_API const char *mrcnn_status_name(mrcnn_status status);

/* ----------------------------------------------------------------------------------- pictures */

/* Eight bits a channel, rows from the top, channels interleaved (RGB), no padding between rows.
 * `pixels` is yours when you fill the struct; mrcnn_image_free is for images that mrcnn filled. */
typedef struct mrcnn_image {
    int32_t width;
    int32_t height;
    int32_t channels; /* 3: RGB; 1: grey; 2: grey and alpha; 4: RGB and alpha, or depth; up to 16 */
    uint8_t *pixels;  /* height * width * channels bytes */
} mrcnn_image;

typedef struct mrcnn_image_options {
    size_t size;
    int64_t max_pixels;    /* refuse larger pictures before decoding them (default 268,435,456) */
    int apply_orientation; /* turn and mirror as EXIF asks (default 1) */
    int32_t channels;      /* that the picture shall have, 1 to 16 (default 3, and so is 0) */
    /* Of files of 16 bits and of floats: the values that become 0 and 255, linearly; those outside
     * become one or the other. Both 0 (default): 16 bits are reduced to the upper byte, and floats go
     * from 0 to 1. Files of 8 bits are taken as they are. */
    double low, high;
} mrcnn_image_options;

MRCNN_API mrcnn_image_options mrcnn_image_options_default(void);

/* Reads a JPEG, a PNG or a NumPy array (.npy: height x width or height x width x channels; uint8,
 * uint16, int16, float32 or float64), recognised by its content. Palettes are expanded, 16 bits and
 * floats are reduced to 8 bits, CMYK and YCCK are converted, EXIF orientation is applied.
 *
 * Channels become those that `options` want: grey is copied to R, G and B; RGB becomes grey as 0.299 R
 * + 0.587 G + 0.114 B; for 1 and 3 alpha is dropped, not blended, as matterport's load_image does. 2 and
 * 4 keep it. A file that lacks the wanted channels is MRCNN_E_UNSUPPORTED: none are made up. `options`
 * may be NULL. */
MRCNN_API mrcnn_status mrcnn_image_read(mrcnn_image *image, const char *path,
                                        const mrcnn_image_options *options, mrcnn_error *err);

/* The same from memory; `name` is what messages call it. */
MRCNN_API mrcnn_status mrcnn_image_decode(mrcnn_image *image, const void *bytes, size_t length,
                                          const char *name, const mrcnn_image_options *options,
                                          mrcnn_error *err);

/* Writes PNG or JPEG (quality 95) by the path's extension (.png, .jpg, .jpeg), of 1 or 3 channels; a
 * PNG may also have 2 or 4, the last of them alpha. The file appears whole or not at all. */
MRCNN_API mrcnn_status mrcnn_image_write(const mrcnn_image *image, const char *path,
                                         mrcnn_error *err);

MRCNN_API void mrcnn_image_free(mrcnn_image *image);

/* ------------------------------------------------------------------------------ configuration */

/* Every key of matterport's Config under its own name and default, and a few of ours; `mrcnn config
 * keys` lists them. Values come from, in rising order: defaults, a preset, the weight file (a
 * checkpoint of this program carries its configuration), a YAML file, single settings. */
typedef struct mrcnn_config mrcnn_config;

typedef struct mrcnn_config_key {
    const char *name; /* "DETECTION_MIN_CONFIDENCE" */
    const char *type; /* "int", "float", "bool", "string", "ints", "floats", "names", "mapping",
                         "operations", "a|b|c" */
    const char *default_value; /* as text */
    const char *help;          /* one line */
} mrcnn_config_key;

/* `preset` is NULL or one of mrcnn_config_preset()'s names. */
MRCNN_API mrcnn_status mrcnn_config_create(mrcnn_config **config, const char *preset,
                                           mrcnn_error *err);
MRCNN_API mrcnn_status mrcnn_config_copy(mrcnn_config **config, const mrcnn_config *from,
                                         mrcnn_error *err);
MRCNN_API void mrcnn_config_free(mrcnn_config **config);

/* Sets one key from text, as YAML would read it: 0.7, true, none, [8, 16, 32, 64, 128]. An unknown
 * key is an error that names the nearest one. One entry of a mapping is LOSS_WEIGHTS.rpn_class_loss,
 * CLASS_MIN_CONFIDENCE.person; get knows them, too. */
MRCNN_API mrcnn_status mrcnn_config_set(mrcnn_config *config, const char *key, const char *value,
                                        mrcnn_error *err);

/* Reads a YAML mapping of keys; a key `preset` at its top chooses the values to start from. */
MRCNN_API mrcnn_status mrcnn_config_load(mrcnn_config *config, const char *path, mrcnn_error *err);

/* The value as text, "" for an unknown key. Valid until the configuration is changed or freed. */
MRCNN_API const char *mrcnn_config_get(const mrcnn_config *config, const char *key);

/* Where the value came from: "default", "preset balloon", "weights", "file.yaml", "set". */
MRCNN_API const char *mrcnn_config_source(const mrcnn_config *config, const char *key);

/* How pictures are read for a network of this configuration: with its IMAGE_CHANNEL_COUNT channels and
 * IMAGE_VALUE_RANGE. */
MRCNN_API mrcnn_image_options mrcnn_config_image_options(const mrcnn_config *config);

/* All keys in alphabetical order; NULL past the end. Derived values (BATCH_SIZE, IMAGE_SHAPE,
 * IMAGE_META_SIZE) are listed by get but can't be set. */
MRCNN_API const mrcnn_config_key *mrcnn_config_key_at(size_t index);

/* Names of the presets ("balloon", "coco", ...) with one line each; NULL past the end. */
MRCNN_API const char *mrcnn_config_preset(size_t index, const char **help);

/* ------------------------------------------------------------------------------------- models */

/* The network's architecture, its weights (packed once), its configuration and its class names. */
typedef struct mrcnn_model mrcnn_model;

/* Loads Keras weights: Keras 2 (matterport's checkpoints and releases), Keras 1, and files that
 * this program wrote. Depth, widths, number of classes and pyramid size follow from the file.
 * `config` may be NULL; of a given one, the keys that were set explicitly win over those a
 * checkpoint carries. Fails when any layer that detection needs is missing. */
MRCNN_API mrcnn_status mrcnn_model_load(mrcnn_model **model, const char *path,
                                        const mrcnn_config *config, mrcnn_error *err);

typedef struct mrcnn_load_options {
    size_t size;
    /* Weights as sessions have packed them are kept in this folder (below it, in packs/), at most 2 GB of them, so that
     * another process with the same file need neither read nor pack them; it maps them, and processes share the memory.
     * What is kept is believed only for the very same file, unchanged, on the same machine with the same build of this
     * library, and its checksums are looked at. NULL: nothing is kept; "": the user's cache. */
    const char *cache;
} mrcnn_load_options;
MRCNN_API mrcnn_load_options mrcnn_load_options_default(void);
MRCNN_API mrcnn_status mrcnn_model_load_with(mrcnn_model **model, const char *path,
                                             const mrcnn_config *config,
                                             const mrcnn_load_options *options, mrcnn_error *err);

/* A model with fresh weights: Keras' initialisers (Glorot uniform kernels, zero biases, BN 1, 0, 0,
 * 1) drawn from `seed`. The same seed gives the same bytes everywhere. */
MRCNN_API mrcnn_status mrcnn_model_create(mrcnn_model **model, const mrcnn_config *config,
                                          uint64_t seed, mrcnn_error *err);

typedef enum mrcnn_layer_state {
    MRCNN_LAYER_LOADED = 0,
    MRCNN_LAYER_SKIPPED = 1,       /* in the file but not in the model, or excluded */
    MRCNN_LAYER_REINITIALISED = 2, /* shapes differ (another number of classes): fresh weights */
    MRCNN_LAYER_MISSING = 3,       /* in the model but not in the file: fresh weights */
    MRCNN_LAYER_ADAPTED = 4        /* conv1 of a file for pictures of other channels, made to fit */
} mrcnn_layer_state;

typedef struct mrcnn_layer_report {
    const char *layer;
    mrcnn_layer_state state;
    const char *note; /* "file (1024, 81), model (1024, 2)"; "" if there is nothing to say */
} mrcnn_layer_report;

/* Starts a model of `config` from whatever fits in a weight file, by name (Keras' by_name=True), as
 * training does with COCO or ImageNet weights. Where IMAGE_CHANNEL_COUNT is another than the file's,
 * conv1 is adapted: for grey, its kernel is the sum over R, G and B; a channel that the file lacks
 * starts as the mean of R, G and B; the layer's note says which. `exclude` is NULL or a NULL-terminated list of layer
 * names. */
MRCNN_API mrcnn_status mrcnn_model_start_from(mrcnn_model **model, const char *path,
                                              const mrcnn_config *config,
                                              const char *const *exclude, uint64_t seed,
                                              mrcnn_error *err);

/* What happened to each layer when the model was made; NULL past the end. */
MRCNN_API const mrcnn_layer_report *mrcnn_model_layer(const mrcnn_model *model, size_t index);

/* Writes a Keras 2 weight file that matterport can load, with configuration and class names as
 * extra root attributes. The file appears whole or not at all. Not possible once a session packed
 * the weights. */
MRCNN_API mrcnn_status mrcnn_model_save(const mrcnn_model *model, const char *path,
                                        mrcnn_error *err);

typedef struct mrcnn_save_options {
    size_t size;
    /* "f32" (default), or "f16": kernels as 16-bit floats, shuffled and deflated, in the same layout, for
     * files that travel: less than half the bytes. Keras and this library read them as they are.
     * Biases and batch norms stay f32, as does a kernel with values beyond what 16 bits can hold; a
     * rounded value is within 0.05 % of what it was, or within 0.00000003.
     * "int8": kernels as 8-bit integers with a scale for each filter, but for the first layer and the last
     * ones, which are as with "f16": a quarter of the bytes. This library reads them; Keras doesn't. */
    const char *precision;
} mrcnn_save_options;

MRCNN_API mrcnn_save_options mrcnn_save_options_default(void);

/* The same as `options` say, which may be NULL. */
MRCNN_API mrcnn_status mrcnn_model_save_as(const mrcnn_model *model, const char *path,
                                           const mrcnn_save_options *options, mrcnn_error *err);

MRCNN_API const mrcnn_config *mrcnn_model_config(const mrcnn_model *model);
MRCNN_API int mrcnn_model_class_count(const mrcnn_model *model); /* with background */
/* Class 0 is "BG". "class 7" if the file has no names; COCO's names for 81 classes without names.
 */
MRCNN_API const char *mrcnn_model_class_name(const mrcnn_model *model, int class_id);
/* The score that a detection of the class must have: CLASS_MIN_CONFIDENCE's for its name, else
 * DETECTION_MIN_CONFIDENCE. A session can't be made while CLASS_MIN_CONFIDENCE names a class that the
 * model doesn't have. */
MRCNN_API double mrcnn_model_class_confidence(const mrcnn_model *model, int class_id);
/* `names` has mrcnn_model_class_count(model) entries, the first one for the background. Call it
 * before the model is shared. */
MRCNN_API mrcnn_status mrcnn_model_set_class_names(mrcnn_model *model, const char *const *names,
                                                   size_t count, mrcnn_error *err);
MRCNN_API void mrcnn_model_free(mrcnn_model **model);

/* --------------------------------------------------------------------- sessions and detection */

typedef struct mrcnn_session mrcnn_session;

typedef struct mrcnn_session_options {
    size_t size;
    int threads;          /* 0: one per core that this process may use */
    const char *executor; /* "cpu", or "reference": plain C loops, slow, for checking */
    /* What features and weights are computed in; sums are wider, and RoIs, scores and boxes f32 in any case.
     * "f32": the numbers of matterport's program.
     * "bf16": bfloat16, which needs a processor with AVX-512 BF16.
     * "int8": 8-bit integers for weights of mrcnn_quantizer, on a processor with AVX-512 VNNI.
     * "default" (also for NULL): int8 where the weights are for it and the processor has it, else f32.
     * "auto": the fastest of all that there is. */
    const char *precision;
    /* In bf16 and int8 some layers can be computed in two ways, of which a short measurement finds the faster one. This
     * folder keeps what was found (the file tuning.txt), so that later sessions needn't measure. NULL: nothing is
     * measured or kept; "": the user's cache ($XDG_CACHE_HOME/mrcnn or ~/.cache/mrcnn). */
    const char *cache;
} mrcnn_session_options;

MRCNN_API mrcnn_session_options mrcnn_session_options_default(void);

/* The model must outlive the session. `options` may be NULL. Plans are compiled when a picture size
 * is first seen, and kept. */
MRCNN_API mrcnn_status mrcnn_session_create(mrcnn_session **session, mrcnn_model *model,
                                            const mrcnn_session_options *options, mrcnn_error *err);
MRCNN_API void mrcnn_session_free(mrcnn_session **session);
/* "f32", "bf16" or "int8": what "default" or "auto" came to. */
MRCNN_API const char *mrcnn_session_precision(const mrcnn_session *session);

/* ------------------------------------------------------------------------------- quantization */

/* Finds out how large the values of a model's layers get, on pictures like those that it is for (a few dozen), so
 * that they can be kept in 8 bits. */
typedef struct mrcnn_quantizer mrcnn_quantizer;

typedef struct mrcnn_quantizer_options {
    size_t size;
    int threads; /* 0: one per core that this process may use */
    /* Of a layer's values this share, in percent, is kept as it is; larger ones are cut off. 50 to 100; the default is
     * 99.99. */
    double percentile;
} mrcnn_quantizer_options;

MRCNN_API mrcnn_quantizer_options mrcnn_quantizer_options_default(void);

/* The model must outlive the quantizer; nobody else may use it meanwhile. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_quantizer_create(mrcnn_quantizer **quantizer, mrcnn_model *model,
                                              const mrcnn_quantizer_options *options,
                                              mrcnn_error *err);
/* Looks at a picture, as mrcnn_detect does. */
MRCNN_API mrcnn_status mrcnn_quantizer_add(mrcnn_quantizer *quantizer, const mrcnn_image *image,
                                           mrcnn_error *err);
/* Tells the model what was found, replacing what it knew. Sessions made from now on may compute in int8, and
 * mrcnn_model_save_as with "int8" writes it with the weights. MRCNN_E_ARGUMENT if there was no picture. */
MRCNN_API mrcnn_status mrcnn_quantizer_finish(mrcnn_quantizer *quantizer, mrcnn_error *err);
MRCNN_API void mrcnn_quantizer_free(mrcnn_quantizer **quantizer);

/* A mask as COCO's run-length encoding: lengths of runs in column-major order (down, then right),
 * beginning with a run of zeros. */
typedef struct mrcnn_mask {
    int32_t height;
    int32_t width;
    size_t count;
    uint32_t *counts;
} mrcnn_mask;

typedef struct mrcnn_instance {
    int32_t y1, x1, y2, x2; /* pixels of the picture; y2 and x2 just outside */
    int32_t class_id;       /* 1 .. class count - 1 */
    float score;            /* 0 .. 1: the class's probability, or what Soft-NMS left of it */
    const char *class_name; /* belongs to the model */
    mrcnn_mask mask;        /* of the picture's size; belongs to the result */
} mrcnn_instance;

typedef struct mrcnn_result {
    int32_t height; /* of the picture */
    int32_t width;
    size_t count;              /* 0 is a result, not an error */
    mrcnn_instance *instances; /* by falling score */
} mrcnn_result;

/* Finds the objects in `count` pictures, which have the model's channels. results[i] is made for images[i]; all or none. Pictures
 * that need the same network size are computed together. With TEST_FLIPS or TEST_SCALES each is looked at
 * in several views, and pictures larger than TILE_SIZE tile by tile: what all of them find is merged, and a
 * score is then the mean over the views, 0 where nothing was seen. Tiles need memory for one of them and
 * for the instances, whatever the picture's size. */
MRCNN_API mrcnn_status mrcnn_detect(mrcnn_session *session, const mrcnn_image *images, size_t count,
                                    mrcnn_result **results, mrcnn_error *err);
MRCNN_API void mrcnn_result_free(mrcnn_result **result);

/* A picture made ready for a model's network: what mrcnn_detect does first, so that another thread can do it for the
 * next pictures while the session computes. */
typedef struct mrcnn_prepared mrcnn_prepared;

/* Resizes a picture, in the calling thread alone; any number of threads may do so while sessions of the model are at
 * work. It holds height * width * channels bytes of the network's input. Those that are to be looked at in several views
 * or tiles are not resized yet. The model and the picture's pixels must stay until it is freed. */
MRCNN_API mrcnn_status mrcnn_prepare(mrcnn_prepared **prepared, const mrcnn_model *model,
                                     const mrcnn_image *image, mrcnn_error *err);
MRCNN_API void mrcnn_prepared_free(mrcnn_prepared **prepared);

/* mrcnn_detect of the pictures that were prepared: the same results, bit for bit. They are not changed, and may be
 * detected again. MRCNN_E_ARGUMENT for one that was prepared for another model. */
MRCNN_API mrcnn_status mrcnn_detect_prepared(mrcnn_session *session,
                                             const mrcnn_prepared *const *prepared, size_t count,
                                             mrcnn_result **results, mrcnn_error *err);

typedef struct mrcnn_stage_time {
    const char *name; /* "mold", "backbone", "fpn", "rpn", "proposals", "box head", ... */
    double milliseconds;
    double gflop; /* multiplications and additions of the plain algorithm; 0 for what is not a
                     product */
} mrcnn_stage_time;

/* The stages of the last mrcnn_detect, in order; NULL past the end. */
MRCNN_API const mrcnn_stage_time *mrcnn_session_stage(const mrcnn_session *session, size_t index);

/* Bytes that the model and the session hold: weights, packed weights, activations, scratch. Known
 * once a picture of that size was seen. */
MRCNN_API size_t mrcnn_session_bytes(const mrcnn_session *session);

/* -------------------------------------------------------------------------------------- masks */

/* Fills height * width bytes, row-major, with 0 and 1. */
MRCNN_API void mrcnn_mask_to_bytes(const mrcnn_mask *mask, uint8_t *bytes);
/* From row-major bytes, non-zero inside. Free the mask with mrcnn_mask_free. */
MRCNN_API mrcnn_status mrcnn_mask_from_bytes(mrcnn_mask *mask, const uint8_t *bytes, int32_t height,
                                             int32_t width, mrcnn_error *err);
MRCNN_API int64_t mrcnn_mask_area(const mrcnn_mask *mask);
/* COCO's compressed string. Writes at most `capacity` bytes with the final 0 and returns the length
 * that the whole string has (without the 0): call it with capacity 0 to measure. */
MRCNN_API size_t mrcnn_mask_to_string(const mrcnn_mask *mask, char *string, size_t capacity);
MRCNN_API mrcnn_status mrcnn_mask_from_string(mrcnn_mask *mask, const char *string, int32_t height,
                                              int32_t width, mrcnn_error *err);
MRCNN_API void mrcnn_mask_free(mrcnn_mask *mask);

/* Outlines of the mask's parts and holes as closed polygons along pixel edges, (x, y) pairs, the
 * first point not repeated. Parts run clockwise on the screen (y down), holes counter-clockwise; an
 * outline may touch itself or another at a corner but never crosses. Pixels that share only a
 * corner belong to different parts (4-connectivity). */
typedef struct mrcnn_polygon {
    size_t count; /* points */
    float *xy;    /* 2 * count numbers */
    int hole;     /* 1 when it bounds a hole */
} mrcnn_polygon;

typedef struct mrcnn_polygons {
    size_t count;
    mrcnn_polygon *polygons;
} mrcnn_polygons;

/* `tolerance` is the largest distance in pixels by which simplifying may move an outline; no part
 * or hole vanishes. With 0, filling the polygons by the even-odd rule gives the mask back. Free
 * them with mrcnn_polygons_free. */
MRCNN_API mrcnn_status mrcnn_mask_polygons(mrcnn_polygons *polygons, const mrcnn_mask *mask,
                                           double tolerance, mrcnn_error *err);
MRCNN_API void mrcnn_polygons_free(mrcnn_polygons *polygons);

/* ------------------------------------------------------------------------------------ drawing */

typedef struct mrcnn_draw_options {
    size_t size;
    int masks;             /* blend masks over the picture (default 1) */
    int contours;          /* outline them (default 1) */
    int boxes;             /* dashed boxes (default 1) */
    int captions;          /* "person 0.998" (default 1) */
    double alpha;          /* of the masks (default 0.5) */
    int color_by_instance; /* a colour per instance instead of one per class (default 1) */
    /* NULL (default), or a number for each instance, as mrcnn_tracker_update gives: captions show it
     * ("car #3 0.998"), and colours by instance are colours by number. */
    const int32_t *ids;
} mrcnn_draw_options;

MRCNN_API mrcnn_draw_options mrcnn_draw_options_default(void);

/* The picture with its instances drawn over it (matterport's display_instances). `out` is made, in
 * RGB: grey is copied to R, G and B, of more than three channels the first three are shown;
 * free it with mrcnn_image_free. `options` may be NULL. Contours, boxes and captions need cairo and
 * a picture of at most 32,767 pixels a side; otherwise asking for them is MRCNN_E_UNSUPPORTED. */
MRCNN_API mrcnn_status mrcnn_draw_instances(mrcnn_image *out, const mrcnn_image *image,
                                            const mrcnn_result *result,
                                            const mrcnn_draw_options *options, mrcnn_error *err);

/* Objects keep their colours, the rest goes grey (matterport's color_splash). `out` is made, in RGB as
 * above; free it with mrcnn_image_free. */
MRCNN_API mrcnn_status mrcnn_color_splash(mrcnn_image *out, const mrcnn_image *image,
                                          const mrcnn_result *result, mrcnn_error *err);

/* ----------------------------------------------------------------------------- looking inside */

/* Runs one picture, once and as it is, and writes named activations as HDF5 datasets, NHWC without the batch axis:
 * molded, C1..C5, P2..P6, rpn_class, rpn_bbox, proposals, detections (N x 6: normalised y1 x1 y2
 * x2, class, score), masks. */
MRCNN_API mrcnn_status mrcnn_inspect_tensors(mrcnn_session *session, const mrcnn_image *image,
                                             const char *path, mrcnn_error *err);

/* ----------------------------------------------------------------------------------- the build */

MRCNN_API const char *mrcnn_version(void); /* "0.1.0" */

typedef struct mrcnn_build_item {
    const char *name;  /* "oneDNN", "cairo", "cpu" */
    const char *value; /* "2.6.3", "not built in", "AVX-512 ..." */
} mrcnn_build_item;

/* Libraries, optional parts and the instruction set in use; name is NULL past the end. */
MRCNN_API mrcnn_build_item mrcnn_build_info(size_t index);

/* What this machine can do at best, measured in about a tenth of a second: f32 GFLOP/s of `threads`
 * threads. */
MRCNN_API double mrcnn_peak_gflops(int threads);

#ifdef __cplusplus
}
#endif

#include <mrcnn/data.h>
#include <mrcnn/train.h>
#include <mrcnn/weights.h>

#endif
