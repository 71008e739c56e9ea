/* test_unit_goldens.c - single operations against the oracle's stand-alone cases: a file
 * index.json lists operations, parameters and .npy files.
 *
 *     test_unit_goldens [-v] [INDEX.json...]
 *
 * Without an argument: the cases that are kept with the tests, and the complete ones where they can
 * be found. Operations that this release doesn't have are named as left out. */
#include "helper_resize_mask.h"
#include "helper_assert.h"
#include "helper_golden.h"
#include "helper_golden_graph.h"
#include "helper_golden_json.h"
#include "helper_npy.h"

#include "base/file.h"
#include "base/prng.h"
#include "image/mask.h"
#include "image/resize.h"
#include "model/detections.h"

#include <math.h>
#include <stdlib.h>

typedef struct unit {
    golden_table *table;
    const char *folder;
    char name[64];
    const char *params, *in, *out; /* JSON */
    mrcnn_config *config;          /* for operations that read settings */
} unit;

/* ------------------------------------------------------------------------------ reading a case */

static int has(const char *files, const char *name) {
    return json_get(files, name) != NULL;
}

static npy_array load(const unit *u, const char *files, const char *name) {
    char file[128], path[512];
    npy_array array = {0};
    json_text(json_get(files, name), file, sizeof file);
    snprintf(path, sizeof path, "%s/%s", u->folder, file);
    if (!npy_read(path, &array)) fail_msg("%s: %s can't be read", u->name, path);
    return array;
}

static float *to_floats(const npy_array *array) {
    float *values = malloc((array->count + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < array->count; i++) values[i] = (float)array->data[i];
    return values;
}

static float *load_floats(const unit *u, const char *files, const char *name, size_t *count) {
    npy_array array = load(u, files, name);
    float *values = to_floats(&array);
    if (count) *count = array.count;
    npy_free(&array);
    return values;
}

/* The oracle saved some inputs under the name of an output, which replaced them. They are drawn
 * again from the oracle's stream: value i of an input is number first + i. */
static int is_lost(const unit *u, const char *name) {
    char in[128], out[128];
    json_text(json_get(u->in, name), in, sizeof in);
    json_text(json_get(u->out, name), out, sizeof out);
    return in[0] && strcmp(in, out) == 0;
}

static double draw(size_t index, double low, double high) {
    uint64_t stream = mr_prng_stream(2024, "unit");
    return low + (high - low) * mr_prng_uniform(stream, index);
}

static double number(const unit *u, const char *key, double otherwise) {
    return json_number(json_get(u->params, key), otherwise);
}

static double number_at(const unit *u, const char *key, size_t index) {
    return json_number(json_item(json_get(u->params, key), index), 0);
}

static void set_key(const unit *u, const char *key, const char *param) {
    char text[256];
    mrcnn_error err = MRCNN_ERROR_INIT;
    const char *value = json_get(u->params, param);
    json_text(value, text, sizeof text);
    if (value && mrcnn_config_set(u->config, key, text, &err) != MRCNN_OK)
        fail_msg("%s: %s", u->name, err.message);
}

static void check(const unit *u, const char *what, double error, double bound) {
    char name[96];
    snprintf(name, sizeof name, "%s %s", u->name, what);
    golden_check(u->table, name, error, bound);
}

/* Compares floats with an output array; frees both. */
static void check_output(const unit *u, const char *what, const char *output, float *have,
                         double bound) {
    npy_array want = load(u, u->out, output);
    check(u, what, golden_difference(have, want.data, want.count), bound);
    npy_free(&want);
    free(have);
}

static const mr_executor *const executors[] = {&mr_executor_cpu, &mr_executor_reference};
enum { EXECUTORS = sizeof executors / sizeof *executors };

/* ---------------------------------------------------------------------------- nodes of a graph */

static mrcnn_shape shape_of(const npy_array *map) {
    int64_t *s = (int64_t *)map->shape + map->rank - 3;
    mrcnn_shape shape = {(int32_t)s[0], (int32_t)s[1], (int32_t)s[2]};
    return shape;
}

static void crop_and_resize(const unit *u) {
    npy_array image = load(u, u->in, "image"), boxes = load(u, u->in, "boxes");
    size_t count = (size_t)boxes.shape[0];
    float *map = to_floats(&image), *rois = calloc(count, MR_ROI_COLUMNS * sizeof *rois);
    assert_non_null(rois);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 4; k++)
            rois[i * MR_ROI_COLUMNS + 2 + k] = (float)boxes.data[4 * i + k];
    for (int e = 0; e < EXECUTORS; e++) {
        mrcnn_graph *g = mr_graph_create();
        mrcnn_shape roi = {1, 1, MR_ROI_COLUMNS};
        mrcnn_value level = mr_graph_input(g, "map", MR_ROWS_IMAGES, shape_of(&image));
        mrcnn_value x = mr_roi_align(g, &level, 1, mr_graph_input(g, "rois", MR_ROWS_ROIS, roi),
                                     (int)number_at(u, "size", 0), (int)number_at(u, "size", 1));
        mr_graph_output(g, x, "y");
        eval run = {.executor = executors[e],
                    .rows = {1, (int)count},
                    .names = {"map", "rois"},
                    .inputs = {map, rois}};
        check_output(u, executors[e]->name, "crops", eval_graph(&run, &g, "y", NULL), 1e-6);
    }
    free(map);
    free(rois);
    npy_free(&image);
    npy_free(&boxes);
}

/* A tensor of the layer "layer" from an input array. */
static void add_tensor(const unit *u, mr_tensors *set, const char *input, const char *param) {
    npy_array a = load(u, u->in, input);
    mr_tensor *t = NULL;
    assert_int_equal(mr_tensors_add(set, "layer", param, a.rank, a.shape, &t, NULL), MRCNN_OK);
    for (size_t i = 0; i < a.count; i++) t->values[i] = (float)a.data[i];
    npy_free(&a);
}

typedef mrcnn_value (*layer_builder)(const unit *u, mrcnn_graph *g, mrcnn_value x,
                                     const mr_tensors *weights);

/* One layer on input x, by both executors. */
static void run_layer(const unit *u, mr_tensors *weights, layer_builder build, double bound) {
    npy_array x = load(u, u->in, "x");
    float *values = to_floats(&x);
    for (int e = 0; e < EXECUTORS; e++) {
        mrcnn_graph *g = mr_graph_create();
        mrcnn_value in = mr_graph_input(g, "x", MR_ROWS_IMAGES, shape_of(&x));
        mr_graph_output(g, build(u, g, in, weights), "y");
        eval run = {.executor = executors[e],
                    .weights = weights,
                    .rows = {(int)x.shape[0], 0},
                    .names = {"x"},
                    .inputs = {values}};
        check_output(u, executors[e]->name, "y", eval_graph(&run, &g, "y", NULL), bound);
    }
    free(values);
    npy_free(&x);
    mr_tensors_free(&weights);
}

static mrcnn_value build_conv(const unit *u, mrcnn_graph *g, mrcnn_value x,
                              const mr_tensors *weights) {
    const mr_tensor *kernel = mr_tensors_find(weights, "layer", "kernel");
    return mrcnn_conv2d(g, x, "layer", (int)kernel->shape[3], (int)kernel->shape[0],
                        (int)number(u, "stride", 1), MRCNN_SAME);
}

static void conv2d_same(const unit *u) {
    mr_tensors *weights = mr_tensors_create();
    add_tensor(u, weights, "kernel_hwio", "kernel");
    add_tensor(u, weights, "bias", "bias");
    run_layer(u, weights, build_conv, 2e-5);
}

static mrcnn_value build_pool(const unit *u, mrcnn_graph *g, mrcnn_value x,
                              const mr_tensors *weights) {
    (void)weights;
    return mrcnn_max_pool(g, x, (int)number(u, "k", 0), (int)number(u, "stride", 1), MRCNN_SAME);
}

static void max_pool_same(const unit *u) {
    run_layer(u, mr_tensors_create(), build_pool, 0);
}

static mrcnn_value build_deconv(const unit *u, mrcnn_graph *g, mrcnn_value x,
                                const mr_tensors *weights) {
    (void)u;
    return mr_deconv2x2(g, x, "layer", (int)mr_tensors_find(weights, "layer", "kernel")->shape[2]);
}

static void conv2d_transpose(const unit *u) {
    mr_tensors *weights = mr_tensors_create();
    add_tensor(u, weights, "kernel_hwoi", "kernel");
    add_tensor(u, weights, "bias", "bias");
    run_layer(u, weights, build_deconv, 2e-6);
}

static mrcnn_value build_batch_norm(const unit *u, mrcnn_graph *g, mrcnn_value x,
                                    const mr_tensors *weights) {
    (void)u;
    (void)weights;
    return mrcnn_batch_norm(g, x, "layer");
}

static void batch_norm(const unit *u) {
    mr_tensors *weights = mr_tensors_create();
    add_tensor(u, weights, "gamma", "gamma");
    add_tensor(u, weights, "beta", "beta");
    add_tensor(u, weights, "mean", "moving_mean");
    add_tensor(u, weights, "variance", "moving_variance");
    run_layer(u, weights, build_batch_norm, 4e-6);
}

/* --------------------------------------------------------------------------------------- boxes */

/* Some numbers as boxes: four by four. */
static void check_indices(const unit *u, const char *output, const int32_t *have, size_t count) {
    npy_array want = load(u, u->out, output);
    double wrong = fabs((double)count - (double)want.count);
    for (size_t i = 0; i < count && i < want.count; i++) wrong += have[i] != want.data[i];
    check(u, output, wrong, 0);
    npy_free(&want);
}

static void non_max_suppression(const unit *u) {
    size_t count;
    float *boxes = load_floats(u, u->in, "boxes", NULL);
    float *scores = load_floats(u, u->in, "scores", &count);
    size_t most = (size_t)number(u, "max_output", 0);
    int32_t *order = calloc(count, sizeof *order), *keep = calloc(most, sizeof *keep);
    uint64_t *keys = calloc(count, sizeof *keys);
    float *sorted = calloc(count, 4 * sizeof *sorted), *work = calloc(most, 5 * sizeof *work);
    mr_top_k(scores, count, count, order, keys);
    for (size_t i = 0; i < count; i++)
        memcpy(sorted + 4 * i, boxes + 4 * order[i], 4 * sizeof *sorted);
    size_t kept =
        mr_nms_sorted(sorted, count, (float)number(u, "iou_threshold", 0), most, keep, work, NULL);
    for (size_t i = 0; i < kept; i++) keep[i] = order[keep[i]];
    check_indices(u, "indices", keep, kept);
    free(boxes);
    free(scores);
    free(order);
    free(keep);
    free(keys);
    free(sorted);
    free(work);
}

static void top_k(const unit *u) {
    size_t count, k = (size_t)number(u, "k", 0);
    float *scores = load_floats(u, u->in, "scores", &count);
    int32_t *indices = calloc(k, sizeof *indices);
    uint64_t *keys = calloc(count, sizeof *keys);
    check_indices(u, "indices", indices, mr_top_k(scores, count, k, indices, keys));
    free(scores);
    free(indices);
    free(keys);
}

static void anchors(const unit *u) {
    set_key(u, "RPN_ANCHOR_SCALES", "scales");
    set_key(u, "RPN_ANCHOR_RATIOS", "ratios");
    set_key(u, "RPN_ANCHOR_STRIDE", "anchor_stride");
    const mr_settings *s = mr_config_settings(u->config);
    int height = (int)number_at(u, "shape", 0), width = (int)number_at(u, "shape", 1);
    npy_array want = load(u, u->out, "pixels");
    size_t count = mr_anchor_count(s, height, width);
    check(u, "count", fabs((double)count - (double)want.shape[0]), 0);
    if (count == (size_t)want.shape[0]) {
        double *pixels = calloc(count, 4 * sizeof *pixels), error = 0;
        mr_anchors_pixels(s, height, width, pixels);
        for (size_t i = 0; i < want.count; i++) error = fmax(error, fabs(pixels[i] - want.data[i]));
        check(u, "pixels", error, 1e-12);
        free(pixels);
        float *normalised = calloc(count, 4 * sizeof *normalised);
        mr_anchors_normalized(s, height, width, normalised);
        if (has(u->out, "normalized"))
            check_output(u, "normalized", "normalized", normalised, 0);
        else
            free(normalised);
    }
    npy_free(&want);
}

typedef void (*box_function)(const unit *u, const float *box, const float *other, float *out);

/* One function on all boxes, each with its row of another array (or none). */
static void each_box(const unit *u, float *boxes, float *others, const char *output, double bound,
                     box_function function) {
    npy_array want = load(u, u->out, output);
    float *have = calloc(want.count, sizeof *have);
    for (size_t i = 0; i + 4 <= want.count; i += 4)
        function(u, boxes + i, others ? others + i : NULL, have + i);
    npy_free(&want);
    check_output(u, output, output, have, bound);
    free(boxes);
    free(others);
}

static void refine_box(const unit *u, const float *box, const float *other, float *out) {
    (void)u;
    mr_box_refinement(box, other, out);
}

static void box_refinement(const unit *u) {
    each_box(u, load_floats(u, u->in, "boxes", NULL), load_floats(u, u->in, "gt", NULL), "deltas",
             2e-6, refine_box);
}

static void move_box(const unit *u, const float *box, const float *other, float *out) {
    (void)u;
    mr_apply_deltas(box, other, out);
}

static void apply_box_deltas(const unit *u) {
    float *boxes;
    if (is_lost(u, "boxes")) {
        boxes = calloc(240, sizeof *boxes);
        for (size_t i = 0; i < 240; i++) {
            double value = draw(4167 + i, 0, 0.5);
            if (i % 4 >= 2) value = value + (draw(4167 + i - 2, 0, 0.5) + 0.02);
            boxes[i] = (float)value;
        }
    } else {
        boxes = load_floats(u, u->in, "boxes", NULL);
    }
    each_box(u, boxes, load_floats(u, u->in, "deltas", NULL), "boxes", 5e-7, move_box);
}

static void clip_box(const unit *u, const float *box, const float *other, float *out) {
    float *window = load_floats(u, u->in, "window", NULL);
    (void)other;
    memcpy(out, box, 4 * sizeof *out);
    mr_clip_box(out, window);
    free(window);
}

static void clip_boxes(const unit *u) {
    unit source = *u;
    if (is_lost(u, "boxes")) /* what the case before gave */
        source.in = "{\"boxes\": \"016_apply_box_deltas.boxes.npy\"}";
    each_box(u, load_floats(&source, source.in, "boxes", NULL), NULL, "boxes", 0, clip_box);
}

static void norm_boxes(const unit *u) {
    size_t count = 120;
    float *boxes;
    if (is_lost(u, "boxes")) {
        boxes = calloc(count, sizeof *boxes);
        for (size_t i = 0; i < count; i++) boxes[i] = (float)floor(draw(4887 + i, 0, 300));
    } else {
        boxes = load_floats(u, u->in, "boxes", &count);
    }
    float *have = calloc(count, sizeof *have);
    for (size_t i = 0; i + 4 <= count; i += 4) {
        double box[4] = {boxes[i], boxes[i + 1], boxes[i + 2], boxes[i + 3]};
        mr_norm_box(box, (int)number_at(u, "shape", 0), (int)number_at(u, "shape", 1), have + i);
    }
    check_output(u, "boxes", "boxes", have, 0);
    free(boxes);
}

static void denorm_boxes(const unit *u) {
    size_t count = 120;
    float *boxes;
    if (is_lost(u, "boxes")) {
        boxes = calloc(count, sizeof *boxes);
        for (size_t i = 0; i < count; i++) boxes[i] = (float)draw(5007 + i, -0.1, 1.1);
    } else {
        boxes = load_floats(u, u->in, "boxes", &count);
    }
    int32_t *have = calloc(count, sizeof *have);
    for (size_t i = 0; i + 4 <= count; i += 4)
        mr_denorm_box(boxes + i, (int)number_at(u, "shape", 0), (int)number_at(u, "shape", 1),
                      have + i);
    check_indices(u, "boxes", have, count);
    free(have);
    free(boxes);
}

static void overlaps(const unit *u) {
    size_t a_count, b_count;
    float *a = load_floats(u, u->in, "a", &a_count), *b = load_floats(u, u->in, "b", &b_count);
    size_t columns = b_count / 4;
    float *iou = calloc(a_count / 4 * columns, sizeof *iou);
    for (size_t i = 0; i < a_count / 4; i++)
        for (size_t k = 0; k < columns; k++) iou[i * columns + k] = mr_iou(a + 4 * i, b + 4 * k);
    check_output(u, "iou", "iou", iou, 1e-7);
    free(a);
    free(b);
}

static void roi_levels(const unit *u) {
    size_t count;
    float *boxes = load_floats(u, u->in, "boxes", &count);
    int32_t *levels = calloc(count / 4, sizeof *levels);
    for (size_t i = 0; i < count / 4; i++)
        levels[i] = mr_roi_level(boxes + 4 * i, number(u, "image_area", 0));
    check_indices(u, "levels", levels, count / 4);
    free(boxes);
    free(levels);
}

static void refine_detections(const unit *u) {
    npy_array probs = load(u, u->in, "probs"), want = load(u, u->out, "detections");
    char classes[16];
    snprintf(classes, sizeof classes, "%d", (int)probs.shape[1]);
    assert_int_equal(mrcnn_config_set(u->config, "NUM_CLASSES", classes, NULL), MRCNN_OK);
    set_key(u, "DETECTION_MIN_CONFIDENCE", "min_confidence");
    set_key(u, "DETECTION_NMS_THRESHOLD", "nms");
    set_key(u, "DETECTION_MAX_INSTANCES", "max_instances");
    const mr_settings *s = mr_config_settings(u->config);
    float *rois = load_floats(u, u->in, "rois", NULL), *p = to_floats(&probs);
    float *deltas = load_floats(u, u->in, "deltas", NULL);
    float *window = load_floats(u, u->in, "window", NULL);
    mr_box_output out = {.rois = rois,
                         .roi_stride = 4,
                         .probs = p,
                         .deltas = deltas,
                         .rois_count = (size_t)probs.shape[0],
                         .total = (size_t)probs.shape[0]};
    size_t count = 0, most = (size_t)s->detection_max_instances;
    mr_detection *found = calloc(most, sizeof *found);
    int32_t *roi = calloc(most, sizeof *roi);
    float *confidence = calloc((size_t)s->num_classes, sizeof *confidence);
    for (int i = 0; i < s->num_classes; i++) confidence[i] = (float)s->detection_min_confidence;
    assert_int_equal(mr_refine_detections(&out, window, s, confidence, found, &count, NULL, NULL),
                     MRCNN_OK);
    free(confidence);
    float *rows = calloc(want.count, sizeof *rows);
    for (size_t i = 0; i < count && i < (size_t)want.shape[0]; i++) {
        memcpy(rows + 6 * i, found[i].box, 4 * sizeof *rows);
        rows[6 * i + 4] = (float)found[i].class_id;
        rows[6 * i + 5] = found[i].score;
        roi[i] = found[i].roi;
    }
    check_output(u, "detections", "detections", rows, 5e-7);
    check_indices(u, "roi_index", roi, count);
    free(roi);
    free(found);
    free(rois);
    free(p);
    free(deltas);
    free(window);
    npy_free(&probs);
    npy_free(&want);
}

/* ----------------------------------------------------------------------------- pictures, masks */

typedef struct picture {
    mrcnn_image image;
    npy_array masks; /* height x width x count */
} picture;

/* The pictures of the cases 023 to 032, drawn again. */
static void draw_picture(const unit *u, picture *p) {
    static const struct {
        int height, width;
        size_t first;
    } drawn[] = {{45, 61, 5207},   {45, 61, 18932},  {201, 77, 32657},  {64, 64, 110042},
                 {30, 91, 130522}, {45, 61, 144172}, {70, 129, 157897}, {41, 33, 203047},
                 {45, 61, 209812}, {45, 61, 223537}};
    int which = atoi(u->name) - 23;
    assert_true(which >= 0 && which < 10);
    int h = drawn[which].height, w = drawn[which].width;
    size_t size = (size_t)h * (size_t)w, first = drawn[which].first;
    p->image.height = h;
    p->image.width = w;
    p->image.pixels = malloc(size * 3);
    p->masks.shape[2] = 2;
    p->masks.count = 2 * size;
    p->masks.data = calloc(p->masks.count, sizeof(double));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                size_t i = ((size_t)y * (size_t)w + (size_t)x) * 3 + (size_t)c;
                double base = c == 0 ? 40 + 3 * y + x : c == 1 ? 255 - 2 * x : 60 + y * x % 190;
                double value = base + draw(first + i, 0, 20);
                p->image.pixels[i] = (uint8_t)(value < 20 ? 20 : value > 255 ? 255 : value);
            }
    for (size_t i = 0; i < p->masks.count; i++)
        p->masks.data[i] = draw(first + size * 3 + i, 0, 1) > 0.5;
}

static void read_picture(const unit *u, picture *p) {
    memset(p, 0, sizeof *p);
    p->image.channels = 3;
    if (is_lost(u, "image")) {
        draw_picture(u, p);
        return;
    }
    npy_array image = load(u, u->in, "image");
    p->image.height = (int32_t)image.shape[0];
    p->image.width = (int32_t)image.shape[1];
    p->image.pixels = malloc(image.count);
    for (size_t i = 0; i < image.count; i++) p->image.pixels[i] = (uint8_t)image.data[i];
    npy_free(&image);
    p->masks = load(u, u->in, "mask");
}

static void check_resized_masks(const unit *u, const picture *p, const mr_fit *fit) {
    npy_array want = load(u, u->out, "mask");
    size_t masks = (size_t)p->masks.shape[2], wrong = 0;
    size_t size = (size_t)p->image.height * (size_t)p->image.width;
    size_t out_size = (size_t)fit->height * (size_t)fit->width;
    uint8_t *in = malloc(size), *out = malloc(out_size);
    for (size_t m = 0; m < masks && want.count == out_size * masks; m++) {
        for (size_t i = 0; i < size; i++) in[i] = p->masks.data[i * masks + m] != 0;
        assert_int_equal(resize_bytes(in, fit, out), MRCNN_OK);
        for (size_t i = 0; i < out_size; i++)
            wrong += (out[i] != 0) != (want.data[i * masks + m] != 0);
    }
    check(u, "mask", want.count == out_size * masks ? (double)wrong : INFINITY, 0);
    free(in);
    free(out);
    npy_free(&want);
}

static void check_resized_image(const unit *u, const picture *p, const mr_fit *fit) {
    npy_array want = load(u, u->out, "image");
    size_t count = (size_t)fit->height * (size_t)fit->width * 3, differing = 0;
    uint8_t *out = malloc(count);
    double largest = want.count == count ? 0 : INFINITY;
    assert_int_equal(mr_resize_image(&p->image, fit, out, 2, NULL), MRCNN_OK);
    for (size_t i = 0; i < count && want.count == count; i++) {
        largest = fmax(largest, fabs(out[i] - want.data[i]));
        differing += out[i] != want.data[i];
    }
    check(u, "image, largest difference", largest, 1);
    check(u, "image, share of numbers", (double)differing / (double)count, 1e-4);
    free(out);
    npy_free(&want);
}

static void resize_image(const unit *u) {
    picture p;
    mr_fit fit;
    mrcnn_error err = MRCNN_ERROR_INIT;
    read_picture(u, &p);
    set_key(u, "IMAGE_RESIZE_MODE", "mode");
    set_key(u, "IMAGE_MIN_DIM", "min_dim");
    set_key(u, "IMAGE_MAX_DIM", "max_dim");
    set_key(u, "IMAGE_MIN_SCALE", "min_scale");
    if (mr_fit_image(&fit, p.image.height, p.image.width, mr_config_settings(u->config), &err) ==
        MRCNN_OK) {
        if (json_get(u->params, "crop_yx")) {
            fit.crop_y = (int)number_at(u, "crop_yx", 0);
            fit.crop_x = (int)number_at(u, "crop_yx", 1);
        }
        double wrong = 0;
        for (size_t k = 0; k < 4; k++) wrong += fit.window[k] != number_at(u, "window", k);
        check(u, "window", wrong, 0);
        check(u, "scale", fabs(fit.scale - number(u, "scale", 0)), 0);
        check_resized_image(u, &p, &fit);
        check_resized_masks(u, &p, &fit);
    } else {
        golden_skip(u->table, u->name, err.message);
    }
    free(p.image.pixels);
    npy_free(&p.masks);
}

static void mold_image(const unit *u) {
    npy_array image = load(u, u->in, "image");
    uint8_t *pixels = malloc(image.count);
    float *out = malloc(image.count * sizeof *out);
    for (size_t i = 0; i < image.count; i++) pixels[i] = (uint8_t)image.data[i];
    set_key(u, "MEAN_PIXEL", "mean");
    mr_mold_image(pixels, image.count / 3, &mr_config_settings(u->config)->mean_pixel, out);
    check_output(u, "molded", "molded", out, 0);
    free(pixels);
    npy_free(&image);
}

/* Plane m of masks that are stored height x width x count. */
static uint8_t *plane(const npy_array *masks, size_t m) {
    size_t planes = masks->rank == 3 ? (size_t)masks->shape[2] : 1, size = masks->count / planes;
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) bytes[i] = masks->data[i * planes + m] != 0;
    return bytes;
}

static void extract_bboxes(const unit *u) {
    npy_array masks = load(u, u->in, "masks");
    size_t count = (size_t)masks.shape[2];
    int32_t *boxes = calloc(count, 4 * sizeof *boxes);
    for (size_t m = 0; m < count; m++) {
        mrcnn_mask mask = {0};
        uint8_t *bytes = plane(&masks, m);
        assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, (int32_t)masks.shape[0],
                                               (int32_t)masks.shape[1], NULL),
                         MRCNN_OK);
        mr_mask_box(&mask, boxes + 4 * m);
        mrcnn_mask_free(&mask);
        free(bytes);
    }
    check_indices(u, "boxes", boxes, 4 * count);
    free(boxes);
    npy_free(&masks);
}

static void unmold_mask(const unit *u) {
    float *small;
    if (is_lost(u, "mask")) {
        small = calloc(28 * 28, sizeof *small);
        for (size_t i = 0; i < 28 * 28; i++) small[i] = (float)draw(237478 + i, 0, 1);
    } else {
        small = load_floats(u, u->in, "mask", NULL);
    }
    npy_array want = load(u, u->out, "mask");
    mrcnn_mask mask = {0};
    int32_t box[4];
    int height = (int)number_at(u, "shape", 0), width = (int)number_at(u, "shape", 1);
    for (size_t k = 0; k < 4; k++) box[k] = (int32_t)number_at(u, "box", k);
    assert_int_equal(
        mr_unmold_mask(&mask, small, 28, 28, box, NULL, height, width, MR_MASK_MATTERPORT, NULL),
        MRCNN_OK);
    uint8_t *bytes = malloc(want.count);
    double wrong = 0;
    mrcnn_mask_to_bytes(&mask, bytes);
    for (size_t i = 0; i < want.count; i++) wrong += bytes[i] != want.data[i];
    check(u, "mask", wrong, 0);
    free(bytes);
    free(small);
    mrcnn_mask_free(&mask);
    npy_free(&want);
}

static void rle(const unit *u) {
    npy_array pixels = load(u, u->in, "mask");
    mrcnn_mask mask = {0}, back = {0};
    char want[4096], have[4096];
    int height = (int)pixels.shape[0], width = (int)pixels.shape[1];
    uint8_t *bytes = plane(&pixels, 0);
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, height, width, NULL), MRCNN_OK);
    check_indices(u, "counts", (const int32_t *)mask.counts, mask.count);
    json_text(json_get(u->params, "string"), want, sizeof want);
    mrcnn_mask_to_string(&mask, have, sizeof have);
    char *slash; /* JSON writes a backslash as two */
    while ((slash = strstr(want, "\\\\"))) memmove(slash, slash + 1, strlen(slash));
    check(u, "string", strcmp(want, have) != 0, 0);
    assert_int_equal(mrcnn_mask_from_string(&back, have, height, width, NULL), MRCNN_OK);
    check(u, "string and back",
          back.count != mask.count ||
              memcmp(back.counts, mask.counts, mask.count * sizeof *mask.counts) != 0,
          0);
    free(bytes);
    mrcnn_mask_free(&mask);
    mrcnn_mask_free(&back);
    npy_free(&pixels);
}

/* ------------------------------------------------------------------------------------ the index */

static const char losses[] = "test_losses checks it";
static const char samples[] = "test_sample checks it";

static const struct {
    const char *op;
    void (*run)(const unit *u);
    const char *left_out;
} operations[] = {
    {"crop_and_resize", crop_and_resize, NULL},
    {"nms", non_max_suppression, NULL},
    {"top_k", top_k, NULL},
    {"anchors", anchors, NULL},
    {"box_refinement", box_refinement, NULL},
    {"apply_box_deltas", apply_box_deltas, NULL},
    {"clip_boxes", clip_boxes, NULL},
    {"norm_boxes", norm_boxes, NULL},
    {"denorm_boxes", denorm_boxes, NULL},
    {"overlaps", overlaps, NULL},
    {"roi_levels", roi_levels, NULL},
    {"resize_image", resize_image, NULL},
    {"mold_image", mold_image, NULL},
    {"extract_bboxes", extract_bboxes, NULL},
    {"unmold_mask", unmold_mask, NULL},
    {"conv2d_same", conv2d_same, NULL},
    {"max_pool_same", max_pool_same, NULL},
    {"conv2d_transpose", conv2d_transpose, NULL},
    {"batch_norm", batch_norm, NULL},
    {"refine_detections", refine_detections, NULL},
    {"rle", rle, NULL},
    {"compose_image_meta", NULL, "the network has no image_meta input here"},
    {"minimize_mask", NULL, samples},
    {"expand_mask", NULL, samples},
    {"smooth_l1_mean", NULL, losses},
    {"rpn_class_loss", NULL, losses},
    {"rpn_bbox_loss", NULL, losses},
    {"mrcnn_class_loss", NULL, losses},
    {"mrcnn_bbox_loss", NULL, losses},
    {"mrcnn_mask_loss", NULL, losses},
    {"build_rpn_targets", NULL, "test_targets_rpn checks it"},
    {"detection_targets", NULL, "test_targets_roi checks it"},
    {"polygon", NULL, "test_data_polygon checks it"},
    {"coco_polygon", NULL, "test_data_coco_raster checks it"},
    {"mask_iou", NULL, "test_compute checks it"},
    {"compute_ap", NULL, "test_compute checks it"},
    {"coco_eval", NULL, "test_results checks it"},
};

static void run_case(const char *entry, const char *folder, golden_table *table) {
    char op[64];
    unit u = {.table = table, .folder = folder};
    json_text(json_get(entry, "case"), u.name, sizeof u.name);
    json_text(json_get(entry, "op"), op, sizeof op);
    u.params = json_get(entry, "params");
    u.in = json_get(entry, "in");
    u.out = json_get(entry, "out");
    size_t i = 0, count = sizeof operations / sizeof *operations;
    while (i < count && strcmp(operations[i].op, op) != 0) i++;
    if (i == count) fail_msg("%s: the operation '%s' is not known here", u.name, op);
    if (!operations[i].run) {
        golden_skip(table, u.name, operations[i].left_out);
        return;
    }
    assert_int_equal(mrcnn_config_create(&u.config, NULL, NULL), MRCNN_OK);
    operations[i].run(&u);
    mrcnn_config_free(&u.config);
}

static int verbose;

static void run_index(void **state) {
    const char *path = *state, *entry;
    void *text = NULL;
    size_t length = 0;
    char folder[512];
    golden_table table = {.out = stdout, .verbose = verbose};
    if (mr_file_read(path, 0, &text, &length, NULL) != MRCNN_OK) {
        printf("skipped: %s can't be read\n", path);
        skip();
    }
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    else
        strcpy(folder, ".");
    for (size_t i = 0; (entry = json_item(text, i)); i++) run_case(entry, folder, &table);
    golden_summary(&table);
    free(text);
    assert_true(table.checks > 0);
    assert_int_equal(table.failures, 0);
}

/* A picture of 1024 x 1024 has 261,888 anchors: 3 at each place of five levels. */
static void anchors_of_a_full_picture(void **state) {
    (void)state;
    mrcnn_config *config = NULL;
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    const mr_settings *s = mr_config_settings(config);
    size_t count = mr_anchor_count(s, 1024, 1024), at = 0;
    assert_int_equal(count, 261888);
    double *pixels = calloc(count, 4 * sizeof *pixels);
    mr_anchors_pixels(s, 1024, 1024, pixels);
    for (int level = 0; level < 5; level++) {
        size_t side = (size_t)256 >> level, places = side * side * 3;
        double scale = 32 << level;
        for (size_t i = 0; i < places; i++) { /* all anchors of a level have the scale's area */
            const double *b = pixels + 4 * (at + i);
            assert_true(fabs((b[2] - b[0]) * (b[3] - b[1]) - scale * scale) < 1e-6 * scale * scale);
        }
        at += places;
    }
    assert_int_equal(at, count);
    free(pixels);
    mrcnn_config_free(&config);
}

int main(int argc, char **argv) {
    static char *defaults[] = {TEST_DATA "/goldens/unit/index.json",
                               SHARED_DIR "/goldens/unit/index.json"};
    enum { MOST = 16 };
    struct CMUnitTest tests[MOST + 1] = {cmocka_unit_test(anchors_of_a_full_picture)};
    size_t count = 1;
    for (int i = 1; i < argc && count <= MOST; i++) {
        struct CMUnitTest test = {argv[i], run_index, NULL, NULL, argv[i]};
        if (strcmp(argv[i], "-v") == 0)
            verbose = 1;
        else
            tests[count++] = test;
    }
    for (size_t i = 0; count == (size_t)1 + i && i < 2 && argc < 2 + verbose; i++) {
        struct CMUnitTest test = {defaults[i], run_index, NULL, NULL, defaults[i]};
        tests[count++] = test;
    }
    return _cmocka_run_group_tests("unit goldens", tests, count, NULL, NULL);
}
