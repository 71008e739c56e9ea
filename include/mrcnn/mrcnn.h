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
 * Sections, in learning order: errors, pictures, configuration, models, sessions and detection,
 * masks, data sets, training, drawing, looking inside, weight files, the build. How good a model is:
 * <mrcnn/eval.h>. Writing a backbone of your own: <mrcnn/graph.h>. Charts, sheets and other pictures: <mrcnn/draw.h>. Videos and
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

/* ---------------------------------------------------------------------------------- data sets */

/* Annotated pictures: what a model is trained on and measured with. Immutable once opened; any
 * number of threads may read it. */
typedef struct mrcnn_dataset mrcnn_dataset;

typedef struct mrcnn_dataset_options {
    size_t size;
    /* "auto" (default), or how the pictures are annotated; docs/formats.md describes each:
     *   coco     a JSON file of images, annotations and categories
     *   via      regions drawn with the VGG Image Annotator 1 or 2, as JSON
     *   labelme  a JSON file a picture, by LabelMe
     *   yolo     a text file a picture, with an outline a line
     *   png      a folder a picture, with a PNG mask an object (nucleus.py's)
     *   labels   a PNG a picture, whose pixels are the objects' numbers
     *   voc      Pascal VOC's folders with SegmentationObject and SegmentationClass
     *   shapes   matterport's generated squares, circles and triangles: the path is not looked at */
    const char *format;
    /* A part of the data set ("train", "val"): a folder below the path, or whatever the format has for
     * it; the name of a stream of shapes. NULL: the path itself when it holds annotations, else
     * "train". */
    const char *subset;
    /* NULL: the classes that the annotations name, in the order of the format's list of them (coco,
     * yolo, labels, voc), else sorted by name (bytewise). Else a NULL-terminated list, the first one for the background, whose order gives the ids: pass those of the training
     * set with the validation set. Objects of other classes are left out, and reported. */
    const char *const *class_names;
    const char *source;  /* what the data set calls itself; NULL: after its folder */
    uint64_t seed;       /* of shapes: the same seed gives the same pictures everywhere */
    size_t shapes_count; /* 0: 500 for the subset "train", 50 for others */
    int32_t shapes_height, shapes_width; /* default 128; at least 80 */
    /* How pictures are decoded (mrcnn_config_image_options); NULL: as by mrcnn_image_read. Copied. */
    const mrcnn_image_options *image;
    /* 1: pictures without objects stay in the set (default 0: matterport leaves them out). Training
     * passes over them. */
    int keep_empty;
    /* Of COCO's layout, path/annotations/instances_SUBSETYEAR.json: "2014", "2017". NULL: the only one
     * that is there. */
    const char *year;
    /* A folder in which the index of a COCO file is kept, so that it opens quickly the next time; it
     * is made when it isn't there. A file that was changed is read again. NULL: nothing is kept. */
    const char *index_cache;
    /* 1: pictures of COCO's files that aren't there stay in the set, without a path, for work with the
     * annotations alone; reading one is an error (default 0: they are left out). */
    int keep_missing;
} mrcnn_dataset_options;

MRCNN_API mrcnn_dataset_options mrcnn_dataset_options_default(void);

/* Reads the annotations, not the pictures. `path` is a folder, or an annotation file. VIA regions
 * without any class attribute have the class of the data set's name, or of the only class
 * that was asked for. Pictures without objects are left out, as matterport does. What can't be used
 * is left out and reported by mrcnn_dataset_check; it is an error only when nothing remains, or when
 * the annotation file itself is broken. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_dataset_open(mrcnn_dataset **set, const char *path,
                                          const mrcnn_dataset_options *options, mrcnn_error *err);
MRCNN_API void mrcnn_dataset_free(mrcnn_dataset **set);

/* 1 when mrcnn_dataset_open would find something to open there, be it usable or not: for asking which
 * subsets there are. Quick. */
MRCNN_API int mrcnn_dataset_is_there(const char *path, const mrcnn_dataset_options *options);

/* Several data sets as one: their pictures one behind the other, and classes of the same name are the
 * same class. Each picture keeps its source, and with it which classes are annotated in it at all:
 * in training others count neither as right nor as wrong there (NUMERICS N43). On success sets[i]
 * belong to the joined set and become NULL. */
MRCNN_API mrcnn_status mrcnn_dataset_join(mrcnn_dataset **joined, mrcnn_dataset **sets,
                                          size_t count, mrcnn_error *err);

/* Pictures that a program has itself, after matterport's utils.Dataset: create a set, add a source,
 * its classes and its pictures, then prepare the set, which can be read from then on, and is
 * immutable. Class 0 is "BG". */
typedef struct mrcnn_source {
    size_t size;
    const char *name; /* "microscope"; not empty, without '.' */
    /* Makes the picture of that id, with malloc'ed pixels; its path is the program's own affair then.
     * NULL: its path is read. */
    mrcnn_status (*read)(void *user, const char *picture, mrcnn_image *image, mrcnn_error *err);
    /* Fills height * width bytes, row-major, with 0 and 1 for one object; *class_id is the set's number
     * of its class (mrcnn_dataset_map_source_class), negative for a crowd. On failure returns another
     * status than MRCNN_OK, with a message if it likes. */
    mrcnn_status (*mask)(void *user, const char *picture, size_t object, int32_t height,
                         int32_t width, uint8_t *mask, int32_t *class_id, mrcnn_error *err);
    void (*release)(void *user); /* when the set is freed; may be NULL */
    /* Both functions above are called from several threads at a time. */
    void *user;
} mrcnn_source;

MRCNN_API mrcnn_source mrcnn_source_default(void);

MRCNN_API mrcnn_status mrcnn_dataset_create(mrcnn_dataset **set, mrcnn_error *err);
/* How pictures are read, and how many channels they have: those that a source's `read` makes are
 * converted as mrcnn_image_read would (default: as by mrcnn_image_read). */
MRCNN_API mrcnn_status mrcnn_dataset_set_image_options(mrcnn_dataset *set,
                                                       const mrcnn_image_options *options,
                                                       mrcnn_error *err);
/* The set owns `user` as soon as this succeeds. */
MRCNN_API mrcnn_status mrcnn_dataset_add_source(mrcnn_dataset *set, const mrcnn_source *source,
                                                mrcnn_error *err);
/* A class of a source, under the source's own id ("12", "cell"). One that is there is left as it is.
 * Of the name what stands before the first comma counts; a name that another source has, too, is the
 * same class. Ids in the set follow the order of these calls, from 1. */
MRCNN_API mrcnn_status mrcnn_dataset_add_class(mrcnn_dataset *set, const char *source,
                                               const char *id, const char *name, mrcnn_error *err);
/* A picture with so many objects. `path` may be NULL when the source has a `read` of its own. */
MRCNN_API mrcnn_status mrcnn_dataset_add_image(mrcnn_dataset *set, const char *source,
                                               const char *id, const char *path,
                                               size_t object_count, mrcnn_error *err);
MRCNN_API mrcnn_status mrcnn_dataset_prepare(mrcnn_dataset *set, mrcnn_error *err);

/* The set's class for "source.id" ("coco.18"), as in matterport's map_source_class_id; -1 for none.
 * COCO's ids are those of its categories, YOLO's its numbers from 0; other formats number their classes
 * from 1. */
MRCNN_API int mrcnn_dataset_map_source_class(const mrcnn_dataset *set, const char *source_class);
/* The way back: what a source calls a class of the set, NULL when it has no such class. */
MRCNN_API const char *mrcnn_dataset_source_class(const mrcnn_dataset *set, int class_id,
                                                 const char *source);

typedef struct mrcnn_picture {
    const char *id;     /* unique in its source: for via, the file's name */
    const char *path;   /* NULL when pictures are generated */
    const char *source; /* "balloon", "shapes", ... */
    size_t object_count;
} mrcnn_picture;

/* Pictures with objects, in the order of the annotation file. */
MRCNN_API size_t mrcnn_dataset_count(const mrcnn_dataset *set);
MRCNN_API const mrcnn_picture *mrcnn_dataset_picture(const mrcnn_dataset *set, size_t index);
MRCNN_API int mrcnn_dataset_class_count(const mrcnn_dataset *set); /* with background */
/* Class 0 is "BG", or the first name that was given; "" for an id that there is not. */
MRCNN_API const char *mrcnn_dataset_class_name(const mrcnn_dataset *set, int class_id);
/* One of mrcnn_dataset_options' formats; "joined", "custom". */
MRCNN_API const char *mrcnn_dataset_format(const mrcnn_dataset *set);
/* The annotation file; NULL when there is none. */
MRCNN_API const char *mrcnn_dataset_annotations(const mrcnn_dataset *set);

/* Decodes or draws a picture. Free it with mrcnn_image_free. */
MRCNN_API mrcnn_status mrcnn_dataset_read(const mrcnn_dataset *set, size_t index,
                                          mrcnn_image *image, mrcnn_error *err);

/* The mask of an object in a picture whose size is given; polygons are filled as by
 * skimage.draw.polygon. It is empty for an object outside the picture. *class_id may be NULL; it is
 * negative for a crowd. Free the mask with mrcnn_mask_free. */
MRCNN_API mrcnn_status mrcnn_dataset_mask(const mrcnn_dataset *set, size_t index, size_t object,
                                          int32_t height, int32_t width, mrcnn_mask *mask,
                                          int32_t *class_id, mrcnn_error *err);

/* What is annotated in a picture, whose size is given: the objects' masks and the boxes round them;
 * objects without a pixel are left out. There are no scores (-1, which captions leave out), class ids
 * of crowds are negative, and class names belong to the data set. Free it with mrcnn_result_free. */
MRCNN_API mrcnn_status mrcnn_dataset_truth(const mrcnn_dataset *set, size_t index, int32_t height,
                                           int32_t width, mrcnn_result **truth, mrcnn_error *err);

/* How training sees a picture: in the network's frame as `config` says, changed by the draws of
 * `number` under its SEED (crop, HORIZONTAL_FLIP, AUGMENTATION, MOSAIC), or with number -1 as
 * validation sees it, with nothing drawn. The objects' masks have the frame's size; scores are 1,
 * class ids of crowds negative, and class names belong to the data set. Free both with
 * mrcnn_image_free and mrcnn_result_free. When the picture has nothing to learn from (no object
 * with pixels that is no crowd), the image has no pixels and *result is NULL. */
MRCNN_API mrcnn_status mrcnn_dataset_sample(const mrcnn_dataset *set, const mrcnn_config *config,
                                            size_t index, int64_t number, mrcnn_image *image,
                                            mrcnn_result **result, mrcnn_error *err);

typedef enum mrcnn_problem_level {
    MRCNN_PROBLEM_WARNING = 0, /* worth a look; what is meant is used, or is harmless */
    MRCNN_PROBLEM_ERROR = 1    /* something can't be used and is left out */
} mrcnn_problem_level;

typedef struct mrcnn_dataset_problem {
    mrcnn_problem_level level;
    const char *picture; /* file name; "" when it is about the whole data set */
    int64_t object;      /* place in the annotation file's list, from 0; -1: the whole picture */
    const char *text;
} mrcnn_dataset_problem;

typedef struct mrcnn_dataset_check_options {
    size_t size;
    int full; /* decode every picture and draw every mask, not just look at headers and outlines */
    /* Called for each problem, in order: those of the annotations, then picture by picture. Return
     * non-zero to stop. May be NULL. */
    int (*report)(void *user, const mrcnn_dataset_problem *problem);
    /* Called before each picture. Return non-zero to stop. May be NULL. */
    int (*progress)(void *user, size_t done, size_t total);
    void *user;
} mrcnn_dataset_check_options;

MRCNN_API mrcnn_dataset_check_options mrcnn_dataset_check_options_default(void);

typedef struct mrcnn_range {
    double least, median, most; /* all 0 when there is nothing */
} mrcnn_range;

typedef struct mrcnn_dataset_summary {
    size_t pictures, objects; /* that can be used */
    size_t crowds;            /* of the objects */
    size_t errors, warnings;
    size_t without_objects;   /* pictures that nobody annotated */
    size_t pictures_left_out; /* missing, broken, or not clear which */
    size_t objects_left_out;  /* without area, without a class, ... */
    size_t points;            /* point regions, which have no area */
    int class_count;
    const size_t *class_objects;               /* class_count numbers: of objects, */
    const size_t *class_pictures;              /* and of pictures with one or more of them */
    mrcnn_range picture_height, picture_width; /* pixels */
    mrcnn_range object_height, object_width;   /* of boxes, inside the picture, without crowds */
    mrcnn_range objects_per_picture;
} mrcnn_dataset_summary;

/* Looks for what would go wrong in training: pictures that are broken, objects outside of their
 * picture or without pixels, classes without objects, and whatever was noted when the data set was
 * opened. Problems are no failure of this function. `options` may be NULL. Free the summary with
 * mrcnn_dataset_summary_free. */
MRCNN_API mrcnn_status mrcnn_dataset_check(const mrcnn_dataset *set,
                                           const mrcnn_dataset_check_options *options,
                                           mrcnn_dataset_summary **summary, mrcnn_error *err);
MRCNN_API void mrcnn_dataset_summary_free(mrcnn_dataset_summary **summary);

/* An object without its pixels. */
typedef struct mrcnn_object {
    int32_t class_id; /* 1 .. class count - 1 */
    int is_crowd;
    double y1, x1, y2, x2; /* its box inside of the picture */
} mrcnn_object;

typedef struct mrcnn_objects {
    int32_t height, width; /* of the picture */
    size_t count;          /* objects that lie in the picture */
    mrcnn_object *items;
} mrcnn_objects;

/* The size of a picture and the boxes of its objects, quickly: of headers and outlines; masks are
 * drawn only where there is nothing else. Free them with mrcnn_objects_free. */
MRCNN_API mrcnn_status mrcnn_dataset_objects(const mrcnn_dataset *set, size_t index,
                                             mrcnn_objects *objects, mrcnn_error *err);
MRCNN_API void mrcnn_objects_free(mrcnn_objects *objects);

/* Divides a set into parts[0 .. mrcnn_dataset_count - 1], numbers from 0 to count - 1, such that each
 * part gets its share of the objects of each class, of rare ones too. `shares` are positive or zero and
 * their sum is 1; a part with a share gets a picture, as long as there are enough. The same seed
 * gives the same parts everywhere. Pictures that can't be read count as pictures without objects.
 * Iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011), by objects. */
MRCNN_API mrcnn_status mrcnn_dataset_split(const mrcnn_dataset *set, const double *shares,
                                           size_t count, uint64_t seed, uint8_t *parts,
                                           mrcnn_error *err);

typedef enum mrcnn_write_pictures {
    MRCNN_PICTURES_COPY = 0, /* byte for byte */
    MRCNN_PICTURES_LINK = 1, /* a second name of the same file (a hard link); else a copy */
    MRCNN_PICTURES_NONE = 2  /* annotations alone */
} mrcnn_write_pictures;

typedef struct mrcnn_dataset_write_options {
    size_t size;
    const char *format; /* one of mrcnn_dataset_writer's (default "coco") */
    const char *subset; /* default "train" */
    mrcnn_write_pictures pictures;
    /* 1: polygons that can be edited with a mouse wherever the format has them, although the pixels
     * along their edges may then differ a little (default 0: the exact mask, as run lengths if
     * there is no other way). */
    int polygons;
    const uint8_t *chosen; /* one byte a picture, 0: leave it out; NULL: all of them */
    /* Called before each picture. Return non-zero to stop. May be NULL. */
    int (*progress)(void *user, size_t done, size_t total);
    /* Called when all is written, once for each kind of thing that the format can't say, with how
     * often there was one. May be NULL. */
    void (*lost)(void *user, const char *what, size_t count);
    /* Called for a picture or an object that can't be read, which is left out then. NULL: that is an
     * error. */
    void (*left_out)(void *user, const char *message);
    void *user;
} mrcnn_dataset_write_options;

MRCNN_API mrcnn_dataset_write_options mrcnn_dataset_write_options_default(void);

typedef struct mrcnn_dataset_written {
    size_t pictures, objects;
    size_t pictures_left_out, objects_left_out;
} mrcnn_dataset_written;

/* Writes a data set as a subset of one in `folder`, in any of the formats. The folder may hold other
 * subsets; one of this name must not be there yet. Pictures keep their names and bytes, EXIF data
 * too: masks belong to the picture as it is shown, turned. Generated pictures become PNG. Folders in
 * names are kept; where two pictures would have the same name, or names that differ in their ending
 * only, the later one gets a number. Annotation files appear whole, when all is written; after a
 * failure what was written of the subset is taken away again. `options` and `written` may be NULL. */
MRCNN_API mrcnn_status mrcnn_dataset_write(const mrcnn_dataset *set, const char *folder,
                                           const mrcnn_dataset_write_options *options,
                                           mrcnn_dataset_written *written, mrcnn_error *err);

/* The formats that can be written; NULL past the end. */
MRCNN_API const char *mrcnn_dataset_writer(size_t index);

/* Objects by the area of their boxes in the network's input: below 32 x 32 pixels, up to 96 x 96,
 * from there on; and all of them. */
enum {
    MRCNN_ANCHOR_SMALL = 0,
    MRCNN_ANCHOR_MEDIUM = 1,
    MRCNN_ANCHOR_LARGE = 2,
    MRCNN_ANCHOR_ALL = 3,
    MRCNN_ANCHOR_SIZES = 4
};

typedef struct mrcnn_anchor_recall {
    size_t objects;
    double at50, at70; /* the share of them that some anchor meets with an IoU of 0.5, or 0.7 */
} mrcnn_anchor_recall;

typedef struct mrcnn_anchor_report {
    int scale_count, ratio_count;
    double scales[16], ratios[16]; /* the configuration's */
    mrcnn_anchor_recall recall[MRCNN_ANCHOR_SIZES];
    /* 1: these meet more objects (at50 and at70 rise by 0.05 or more, together) and at neither IoU
     * fewer. 0: nothing clearly better was found, and they are the configuration's. */
    int is_better;
    double better_scales[16], better_ratios[16];
    mrcnn_anchor_recall better_recall[MRCNN_ANCHOR_SIZES];
    size_t pictures_left_out; /* they can't be read, or don't fit the network */
} mrcnn_anchor_report;

typedef struct mrcnn_anchor_options {
    size_t size;
    /* Called before each picture. Return non-zero to stop. May be NULL. */
    int (*progress)(void *user, size_t done, size_t total);
    void *user;
} mrcnn_anchor_options;

MRCNN_API mrcnn_anchor_options mrcnn_anchor_options_default(void);

/* How well the anchors of a configuration (RPN_ANCHOR_SCALES, RPN_ANCHOR_RATIOS) fit a data set whose
 * pictures are resized as the configuration says, and which anchors, as many, would fit better. Boxes
 * of crowds don't count. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_anchors_suggest(const mrcnn_dataset *set, const mrcnn_config *config,
                                             const mrcnn_anchor_options *options,
                                             mrcnn_anchor_report *report, mrcnn_error *err);

/* ----------------------------------------------------------------------------------- training */

/* Weighted by LOSS_WEIGHTS, as matterport's logs have them. */
typedef struct mrcnn_losses {
    double total; /* the sum of the rest */
    double rpn_class, rpn_bbox, mrcnn_class, mrcnn_bbox, mrcnn_mask;
    double regulariser;
} mrcnn_losses;

/* Before the first step. */
typedef struct mrcnn_train_start {
    const char *folder; /* of logs and checkpoints */
    const char *layers; /* of the stage that begins */
    size_t trained_tensors, trained_weights;
    int epoch, last_epoch; /* the first one to come, counted from 1, and the stage's last */
    int resumed;           /* 1: with optimizer state and random streams; 2: weights alone */
    size_t pictures, validation_pictures;
    /* Memory in bytes, all of it allocated now; loading pictures may take LOADER_MEMORY and
     * LOADER_CACHE more. */
    size_t weight_bytes, gradient_bytes, optimizer_bytes, activation_bytes;
    size_t evaluation_pictures; /* with EVAL_EVERY; else 0 */
    /* What an evaluation takes beside that, while it lasts; 0 also when the size of its pictures
     * isn't known before (IMAGE_RESIZE_MODE pad64, none, crop). */
    size_t evaluation_bytes;
} mrcnn_train_start;

typedef struct mrcnn_train_step {
    int epoch, last_epoch; /* counted from 1; the run's last one */
    int step, steps;       /* of the epoch, counted from 1 */
    int64_t total_step;    /* since the first epoch began */
    mrcnn_losses losses;   /* of the step */
    mrcnn_losses mean;     /* of the epoch so far */
    double learning_rate;
    double gradient_norm; /* before clipping */
    double seconds;       /* of the step */
    double images_per_second;
    double seconds_waited; /* of them, for pictures */
    double seconds_left;   /* in the run, without validation */
} mrcnn_train_step;

typedef struct mrcnn_train_epoch {
    int epoch, last_epoch;
    mrcnn_losses losses; /* means of the epoch's steps */
    int validated;
    mrcnn_losses validation; /* if validated */
    int is_best;             /* the lowest validation loss so far, or with EVAL_EVERY the highest
                                segm_ap */
    double learning_rate, seconds;
    const char *checkpoint; /* the file */
    /* With EVAL_EVERY, as mrcnn_report has them for the checkpoint and the validation set. */
    int evaluated;
    double bbox_ap, bbox_ap50, bbox_ap75; /* if evaluated */
    double segm_ap, segm_ap50, segm_ap75;
    double picture_map50, picture_map;
    size_t evaluation_pictures;
    double evaluation_seconds;
} mrcnn_train_epoch;

typedef struct mrcnn_train_options {
    size_t size;
    const char *logs;   /* where the run's folder is made (default "logs") */
    const char *layers; /* heads, 3+, 4+, 5+, all or a regular expression for layer names; NULL: the
                             key STAGES, or heads when there is none */
    int epochs;         /* with layers: the last epoch; 0: STAGES' last one, or 1 */
    const char *resume; /* a checkpoint whose training goes on, in its folder; NULL: a new run */
    int threads;        /* 0: one per core */
    const char *executor; /* "cpu", or "reference" */
    /* Callbacks, from the calling thread; each may be NULL. */
    void (*on_start)(void *user, const mrcnn_train_start *start); /* also when a stage begins */
    void (*on_step)(void *user, const mrcnn_train_step *step);
    void (*on_epoch)(void *user, const mrcnn_train_epoch *epoch);
    void (*on_message)(void *user, const char *message);
    /* Asked after each step, between validation batches and between evaluated pictures; non-zero saves
     * and stops. */
    int (*should_stop)(void *user);
    void *user;
    /* Before each picture of an evaluation. */
    void (*on_evaluate)(void *user, size_t done, size_t total);
    /* 1: activations of the backbone that the backward needs are not kept but computed again, segment by
     * segment: less memory, more time, the same weights bit for bit. A run may go on with or without
     * it. Where a stage leaves nothing to compute again, on_message says so. */
    int recompute;
} mrcnn_train_options;

MRCNN_API mrcnn_train_options mrcnn_train_options_default(void);

typedef struct mrcnn_train_result {
    int epochs;      /* finished */
    int64_t steps;   /* done since the first epoch */
    int stopped;     /* should_stop, or EARLY_STOP, ended it */
    int64_t skipped; /* steps without an update: a loss or a gradient was no finite number */
    char folder[1024];
    char checkpoint[1200]; /* the last one that was written; "" if none */
} mrcnn_train_result;

/* Trains the model's weights in place: nobody else may use the model meanwhile, and no session may
 * have been made of it before. Its configuration says how (mrcnn_config_key_at; keys whose help
 * begins with "training"), and must have NAME and the data set's number of classes. `validation` may
 * be NULL, but not with EVAL_EVERY, which evaluates it as mrcnn_evaluate would: open it with keep_empty, so
 * that pictures without objects count there. `result` may be NULL. Each epoch ends with a checkpoint; a failure later loses nothing of
 * it, and training goes on from it, given as `resume`, to the same weights bit for bit. */
MRCNN_API mrcnn_status mrcnn_train(mrcnn_model *model, const mrcnn_dataset *set,
                                   const mrcnn_dataset *validation,
                                   const mrcnn_train_options *options, mrcnn_train_result *result,
                                   mrcnn_error *err);

/* The newest usable checkpoint of runs of this NAME in `logs` (--weights last). *path and
 * *passed_over (one line for each newer one that is not usable, and why; "" if none) are malloc'ed;
 * free them with mrcnn_string_free. */
MRCNN_API mrcnn_status mrcnn_train_find_last(char **path, char **passed_over, const char *logs,
                                             const char *name, mrcnn_error *err);
/* 1 when the path is a checkpoint in the folder of a run of this NAME, so that `resume` goes on in
 * that folder. */
MRCNN_API int mrcnn_train_can_resume(const char *path, const char *name);

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

/* -------------------------------------------------------------------------------- weight files */

typedef struct mrcnn_weights mrcnn_weights;

typedef struct mrcnn_weights_tensor {
    const char *layer; /* "res2a_branch2a" */
    const char *name;  /* "kernel" */
    const char *path;  /* where the file keeps it: "/res2a_branch2a/res2a_branch2a/kernel:0" */
    int rank;
    int64_t shape[5];
    const float *values;
} mrcnn_weights_tensor;

/* Opens any weight file that mrcnn_model_load reads, without asking whether it makes a model; values
 * that are no finite numbers, which no model may have, can be looked at, too. Both fork for a moment: HDF5 looks at the file in a child process, where a damaged one can't harm. */
MRCNN_API mrcnn_status mrcnn_weights_open(mrcnn_weights **weights, const char *path,
                                          mrcnn_error *err);
MRCNN_API const mrcnn_weights_tensor *mrcnn_weights_at(const mrcnn_weights *weights, size_t index);
/* A root attribute as text: "keras_version", "backend", "mrcnn_config", "class_names" (one a line).
 * And "kernels", how they are stored: "31 of 8 bits, 2 of 16 bits". NULL if absent. */
MRCNN_API const char *mrcnn_weights_attribute(const mrcnn_weights *weights, const char *name);
MRCNN_API void mrcnn_weights_free(mrcnn_weights **weights);

typedef struct mrcnn_fetch_options {
    size_t size;
    const char *url;       /* instead of the published one; its checksum is not known then, and the
                              file must open as weights */
    const char *directory; /* instead of $XDG_CACHE_HOME/mrcnn or ~/.cache/mrcnn */
    /* Called now and then; total is 0 while it is unknown. Return non-zero to stop. */
    int (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
    int stall_seconds; /* give up when nothing arrives for so long (default 30) */
} mrcnn_fetch_options;

MRCNN_API mrcnn_fetch_options mrcnn_fetch_options_default(void);

/* Downloads published weights ("coco", "imagenet", "balloon") unless the cache already holds them
 * with the right checksum; a broken download is resumed. *path is malloc'ed; free it with
 * mrcnn_string_free. */
MRCNN_API mrcnn_status mrcnn_weights_fetch(char **path, const char *name,
                                           const mrcnn_fetch_options *options, mrcnn_error *err);

/* The published files: name, URL and what it is; NULL past the end. */
MRCNN_API const char *mrcnn_weights_published(size_t index, const char **url, const char **help);

MRCNN_API void mrcnn_string_free(char **string);

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
#endif
