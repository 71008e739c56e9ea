/* helper_golden_network.c - see helper_golden_network.h. Bounds are those of the goldens' notes,
 * for float32 against float64 values: maps 1e-4 of their largest value, the RPN 5e-5, boxes 1e-5,
 * decisions the same.
 *
 * Decisions (order, non-maximum suppression, thresholds) compare numbers, and two numbers nearer to
 * each other than rounding may compare either way. Where a decision differs, the check measures how
 * near the tie was, and a difference that no tie explains fails. */
#include "helper_golden_network.h"

#include "base/parallel.h"
#include "graph/sampling.h"
#include "helper_golden_json.h"
#include "helper_golden_model.h"
#include "image/mask.h"
#include "model/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double MAP_BOUND = 1e-4, RPN_BOUND = 5e-5, BOX_BOUND = 1e-5, SCORE_BOUND = 2e-5;

typedef struct network {
    const golden_file *golden;
    golden_table *table;
    mrcnn_model *model;
    mrcnn_session *session;
    const mr_settings *settings;
    mr_pipeline *p;
    mr_fit fit;
    mrcnn_image image;
    float *logits, *probs, *deltas; /* the RPN's outputs of all levels */
    mrcnn_error err;
} network;

/* --------------------------------------------------------------------------- small comparisons */

static int complain(network *n, const char *what) {
    fprintf(stderr, "%s: %s\n", what, n->err.message);
    return 0;
}

/* Whether two arrays of whole numbers are the same; counts differing numbers. */
static void check_integers(network *n, const char *name, const int32_t *have, size_t count,
                           const golden_array *want) {
    double wrong = fabs((double)count - (double)want->count);
    for (size_t i = 0; i < count && i < want->count; i++) wrong += have[i] != want->values[i];
    golden_check(n->table, name, wrong, 0);
}

static void check_stat(network *n, const char *name, const float *have, size_t count,
                       double bound) {
    char text[96];
    golden_array stat;
    snprintf(text, sizeof text, "%s.stat", name);
    if (!golden_read(n->golden, text, &stat)) return;
    double sum = 0, square = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        sum += have[i];
        square += (double)have[i] * have[i];
        if (fabs((double)have[i]) > largest || isnan(have[i])) largest = fabs((double)have[i]);
    }
    double mean = sum / (double)count;
    double deviation = sqrt(fmax(square / (double)count - mean * mean, 0));
    double error = fmax(fabs(mean - stat.values[0]),
                        fmax(fabs(deviation - stat.values[1]), fabs(largest - stat.values[2])));
    golden_check(n->table, text, error / fmax(stat.values[2], 1e-30), bound);
    golden_array_free(&stat);
}

/* The largest value of a map, by which its errors are divided. */
static double scale_of(network *n, const char *name) {
    char text[96];
    golden_array stat;
    snprintf(text, sizeof text, "%s.stat", name);
    if (!golden_read(n->golden, text, &stat)) return 1;
    double scale = fmax(stat.values[2], 1e-30);
    golden_array_free(&stat);
    return scale;
}

/* A map by its mean, deviation and largest value, 16 probes, and whole if the golden has it. */
static void check_map(network *n, const char *name, const float *have, size_t count, double bound) {
    char text[96];
    golden_array array;
    double scale = scale_of(n, name);
    check_stat(n, name, have, count, bound);
    snprintf(text, sizeof text, "%s.probe", name);
    if (golden_read(n->golden, text, &array)) {
        double error = 0;
        for (size_t k = 0; k < array.count; k++) {
            float value = have[golden_probe(k, array.count, count)];
            error = fmax(error, golden_difference(&value, &array.values[k], 1));
        }
        golden_check(n->table, text, error / scale, bound);
        golden_array_free(&array);
    }
    snprintf(text, sizeof text, "%s.full", name);
    if (golden_read(n->golden, text, &array)) {
        double error =
            array.count == count ? golden_difference(have, array.values, count) / scale : INFINITY;
        golden_check(n->table, text, error, bound);
        golden_array_free(&array);
    }
}

/* Some rows of a long table. */
static void check_rows(network *n, const char *name, const float *have, size_t rows, size_t width,
                       double bound) {
    char text[96];
    golden_array array;
    double error = 0, scale = scale_of(n, name);
    check_stat(n, name, have, rows * width, bound);
    snprintf(text, sizeof text, "%s.rows", name);
    if (!golden_read(n->golden, text, &array)) return;
    size_t samples = (size_t)array.shape[0];
    for (size_t k = 0; k < samples; k++)
        error = fmax(error, golden_difference(have + golden_probe(k, samples, rows) * width,
                                              array.values + k * width, width));
    golden_check(n->table, text, array.count == samples * width ? error / scale : INFINITY, bound);
    golden_array_free(&array);
}

/* ------------------------------------------------------------------------------------- set up */

/* The configuration that the golden's meta lists, in matterport's keys. */
static int make_model(network *n, const char *weights) {
    if (!golden_model(&n->model, n->golden, weights, &n->err)) return 0;
    n->settings = mr_config_settings(n->model->config);
    return 1;
}

static int read_picture(network *n) {
    golden_array a;
    if (!golden_read(n->golden, "image.u8", &a) || a.rank != 3) {
        fprintf(stderr, "there is no array image.u8\n");
        return 0;
    }
    n->image.height = (int32_t)a.shape[0];
    n->image.width = (int32_t)a.shape[1];
    n->image.channels = (int32_t)a.shape[2];
    n->image.pixels = malloc(a.count);
    for (size_t i = 0; n->image.pixels && i < a.count; i++)
        n->image.pixels[i] = (uint8_t)a.values[i];
    golden_array_free(&a);
    mrcnn_status status =
        mr_fit_image(&n->fit, n->image.height, n->image.width, n->settings, &n->err);
    return (n->image.pixels && status == MRCNN_OK) || complain(n, "picture");
}

static int make_pipeline(network *n, const char *executor) {
    mrcnn_session_options options = mrcnn_session_options_default();
    options.executor = executor;
    if (mrcnn_session_create(&n->session, n->model, &options, &n->err) != MRCNN_OK)
        return complain(n, "session");
    mr_set_library_threads(n->session->threads);
    mr_pipeline_options o = {.model = n->model,
                             .executor = n->session->executor,
                             .height = n->fit.height,
                             .width = n->fit.width,
                             .batch = 1,
                             .threads = n->session->threads,
                             .with_c = 1};
    mrcnn_status status = mr_pipeline_create(&n->p, &o, &n->err);
    if (status == MRCNN_OK)
        status = mr_session_reserve(n->session, mr_pipeline_workspace_bytes(n->p), &n->err);
    if (status != MRCNN_OK) return complain(n, "pipeline");
    n->logits = malloc(n->p->anchor_count * 2 * sizeof(float));
    n->probs = malloc(n->p->anchor_count * 2 * sizeof(float));
    n->deltas = malloc(n->p->anchor_count * 4 * sizeof(float));
    return n->logits && n->probs && n->deltas;
}

static void tear_down(network *n) {
    mr_pipeline_free(&n->p);
    mrcnn_session_free(&n->session);
    mrcnn_model_free(&n->model);
    free(n->image.pixels);
    free(n->logits);
    free(n->probs);
    free(n->deltas);
}

/* ------------------------------------------------------------------------------------- stages */

/* N1-N5: geometry, resized pixels, molded pixels. The pipeline's input becomes the golden's own
 * molded picture, so that a pixel off by one does not blur what follows. */
static int check_picture(network *n) {
    golden_array a;
    const mr_fit *fit = &n->fit;
    if (golden_read(n->golden, "window", &a)) {
        int32_t window[4];
        for (int i = 0; i < 4; i++) window[i] = fit->window[i];
        check_integers(n, "window", window, 4, &a);
        golden_array_free(&a);
    }
    if (golden_read(n->golden, "image_meta", &a)) {
        const float meta[12] = {0,
                                (float)fit->original_height,
                                (float)fit->original_width,
                                3,
                                (float)fit->height,
                                (float)fit->width,
                                3,
                                (float)fit->window[0],
                                (float)fit->window[1],
                                (float)fit->window[2],
                                (float)fit->window[3],
                                (float)fit->scale};
        golden_check(n->table, "image_meta", golden_difference(meta, a.values, 12), 0);
        golden_array_free(&a);
    }
    if (!golden_read(n->golden, "molded.u8", &a)) {
        fprintf(stderr, "there is no array molded.u8\n");
        return 0;
    }
    uint8_t *pixels = malloc(a.count);
    size_t expected = (size_t)fit->height * (size_t)fit->width * 3;
    int good = pixels && a.count == expected &&
               mr_resize_image(&n->image, fit, pixels, n->session->threads, &n->err) == MRCNN_OK;
    if (good) {
        double largest = 0, differing = 0;
        for (size_t i = 0; i < a.count; i++) {
            double difference = fabs(pixels[i] - a.values[i]);
            largest = fmax(largest, difference);
            differing += difference > 0;
            pixels[i] = (uint8_t)a.values[i];
        }
        golden_check(n->table, "molded.u8, largest difference", largest, 1);
        golden_check(n->table, "molded.u8, share of pixels", differing / (double)a.count, 2e-4);
        mr_mold_image(pixels, a.count / 3, &n->settings->mean_pixel, n->p->image);
        check_map(n, "molded", n->p->image, a.count, 1e-6);
    } else {
        complain(n, "molded.u8");
    }
    free(pixels);
    golden_array_free(&a);
    return good;
}

static void gather_rpn(network *n) {
    float *logits = n->logits, *deltas = n->deltas;
    for (int level = 2; level <= 6; level++) {
        char name[32];
        mrcnn_shape shape;
        snprintf(name, sizeof name, "rpn_class_raw%d", level);
        const float *from = mr_plan_output(n->p->pyramid, name, &shape);
        memcpy(logits, from, mr_shape_size(shape) * sizeof *logits);
        logits += mr_shape_size(shape);
        snprintf(name, sizeof name, "rpn_bbox%d", level);
        from = mr_plan_output(n->p->pyramid, name, &shape);
        memcpy(deltas, from, mr_shape_size(shape) * sizeof *deltas);
        deltas += mr_shape_size(shape);
    }
    for (size_t i = 0; i < n->p->anchor_count; i++) {
        double background = n->logits[2 * i], object = n->logits[2 * i + 1];
        n->probs[2 * i] = (float)(1 / (1 + exp(object - background)));
        n->probs[2 * i + 1] = (float)(1 / (1 + exp(background - object)));
    }
}

static void check_features(network *n) {
    static const char *const maps[] = {"C1", "C2", "C3", "C4", "C5", "P2", "P3", "P4", "P5", "P6"};
    n->p->stage_count = 0;
    mr_pipeline_features(n->p, n->session->workspace);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        mrcnn_shape shape;
        const float *values = mr_plan_output(n->p->pyramid, maps[i], &shape);
        check_map(n, maps[i], values, mr_shape_size(shape), MAP_BOUND);
    }
    gather_rpn(n);
    check_rows(n, "rpn_logits", n->logits, n->p->anchor_count, 2, RPN_BOUND);
    check_rows(n, "rpn_probs", n->probs, n->p->anchor_count, 2, RPN_BOUND);
    check_rows(n, "rpn_bbox", n->deltas, n->p->anchor_count, 4, RPN_BOUND);
    check_rows(n, "anchors", n->p->anchors, n->p->anchor_count, 4, 1e-6);
}

/* Place of `wanted` in a list, or `count`. */
static size_t find(const int32_t *list, size_t count, int32_t wanted) {
    size_t i = 0;
    while (i < count && list[i] != wanted) i++;
    return i;
}

/* Share of proposals in which a float32 run of the reference itself differs from the golden's float64 values: the file says it
 * ("proposals_same_order", "proposals_same_set"). */
static double float32_share(const network *n, const char *key) {
    const char *noise = json_get(golden_meta(n->golden), "float32_vs_float64");
    return 1 - json_number(json_get(noise, key), 1);
}

/* Proposals by their anchors. Two anchors may change places when their scores are nearer than
 * rounding. */
static void check_proposals(network *n) {
    golden_array anchors, boxes;
    mr_pipeline_propose(n->p);
    if (!golden_read(n->golden, "proposal_anchor_ix", &anchors)) return;
    size_t count = n->p->roi_counts[0];
    if (count > anchors.count && count > 0 && n->p->rois[(count - 1) * MR_ROI_COLUMNS + 4] == 0)
        count--; /* the row that stands for the reference's padding */
    double missing = fabs((double)count - (double)anchors.count), moved = 0, tie = 0, error = 0;
    int has_boxes = golden_read(n->golden, "proposals", &boxes);
    for (size_t i = 0; i < anchors.count; i++) {
        int32_t want = (int32_t)anchors.values[i];
        size_t at = find(n->p->proposal_anchors, count, want);
        if (at == count) {
            missing++;
            continue;
        }
        if (has_boxes)
            error = fmax(error, golden_difference(n->p->rois + at * MR_ROI_COLUMNS + 2,
                                                  boxes.values + 4 * i, 4));
        if (at == i || i >= count) continue;
        moved++;
        int32_t have = n->p->proposal_anchors[i];
        tie = fmax(tie, fabs((double)n->probs[2 * have + 1] - (double)n->probs[2 * want + 1]));
    }
    double total = (double)anchors.count;
    golden_check(n->table, "proposals not found", missing,
                 rint(float32_share(n, "proposals_same_set") * total));
    golden_check(n->table, "proposals, moved by a score of", tie, SCORE_BOUND / 2);
    golden_check(n->table, "proposals, moved", moved,
                 (0.01 + float32_share(n, "proposals_same_order")) * total);
    golden_check(n->table, "proposals, boxes", error, BOX_BOUND);
    if (has_boxes) golden_array_free(&boxes);
    golden_array_free(&anchors);
}

/* Rows of RoIs from boxes of the golden; returns how many. */
static size_t set_rois(const network *n, const golden_array *boxes, size_t count, float *rois) {
    size_t columns = (size_t)boxes->shape[1];
    for (size_t i = 0; i < count; i++) {
        float *roi = rois + i * MR_ROI_COLUMNS;
        for (size_t k = 0; k < 4; k++) roi[2 + k] = (float)boxes->values[i * columns + k];
        roi[0] = 0;
        roi[1] = (float)(mr_roi_level(roi + 2, (double)n->p->height * n->p->width) - 2);
    }
    return count;
}

static void check_levels(network *n, const char *name, const float *rois, size_t count) {
    golden_array levels;
    double wrong = 0;
    if (!golden_read(n->golden, name, &levels)) return;
    for (size_t i = 0; i < count && i < levels.count; i++)
        wrong += rois[i * MR_ROI_COLUMNS + 1] + 2 != levels.values[i];
    golden_check(n->table, name, wrong + fabs((double)count - (double)levels.count), 0);
    golden_array_free(&levels);
}

/* RoIAlign alone, on the pyramid that the features left. */
static void check_pooled(network *n, const char *name, const float *rois, size_t count, int size) {
    mrcnn_graph *g = mr_graph_create();
    mrcnn_value levels[MR_POOLED_LEVELS];
    mr_plan *plan = NULL;
    char level[16];
    mrcnn_shape roi = {1, 1, MR_ROI_COLUMNS};
    for (int i = 0; i < MR_POOLED_LEVELS; i++) {
        snprintf(level, sizeof level, "P%d", i + 2);
        levels[i] = mr_graph_input(g, level, MR_ROWS_IMAGES,
                                   mr_level_shape(n->settings, n->p->height, n->p->width, i));
    }
    mrcnn_value boxes = mr_graph_input(g, "rois", MR_ROWS_ROIS, roi);
    mr_graph_output(g, mr_roi_align(g, levels, MR_POOLED_LEVELS, boxes, size, size), "pooled");
    mr_plan_options o = {.executor = n->p->executor,
                         .weights = n->model->weights,
                         .packs = n->model->packs,
                         .threads = n->p->threads,
                         .max_rows = {1, (int)count}};
    if (mr_plan_compile(&plan, &g, &o, &n->err) != MRCNN_OK) {
        golden_check(n->table, name, INFINITY, 0);
        return;
    }
    for (int i = 0; i < MR_POOLED_LEVELS; i++) {
        snprintf(level, sizeof level, "P%d", i + 2);
        mr_plan_bind(plan, level, mr_plan_output(n->p->pyramid, level, NULL));
    }
    mr_plan_bind(plan, "rois", rois);
    void *workspace = n->p->executor->alloc(mr_plan_workspace_bytes(plan) + 64);
    int rows[MR_ROWS_KINDS] = {1, (int)count};
    mr_plan_run(plan, workspace, rows);
    mrcnn_shape shape;
    const float *pooled = mr_plan_output(plan, "pooled", &shape);
    check_map(n, name, pooled, count * mr_shape_size(shape), MAP_BOUND);
    n->p->executor->release(workspace);
    mr_plan_free(&plan);
}

/* The first `count` numbers of an array against the golden's. */
static void check_values(network *n, const char *name, const float *have, size_t count,
                         double bound) {
    golden_array a;
    if (!golden_read(n->golden, name, &a)) return;
    if (a.count < count) count = a.count;
    double scale = fmax(golden_largest(a.values, count), 1e-30);
    golden_check(n->table, name, golden_difference(have, a.values, count) / scale, bound);
    golden_array_free(&a);
}

static int32_t best_class(const float *probs, size_t classes) {
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (probs[c] > probs[best]) best = c;
    return (int32_t)best;
}

/* The class may differ where two probabilities nearly tie: measured by their distance. */
static void check_top_classes(network *n, const float *probs, size_t rows) {
    golden_array top, score;
    size_t classes = (size_t)n->settings->num_classes;
    if (!golden_read(n->golden, "class_top", &top)) return;
    if (!golden_read(n->golden, "class_top_prob", &score)) {
        golden_array_free(&top);
        return;
    }
    double tie = 0, error = 0, wrong = 0;
    for (size_t i = 0; i < top.count && i < rows; i++) {
        const float *row = probs + i * classes;
        int32_t have = best_class(row, classes), want = (int32_t)top.values[i];
        wrong += have != want;
        tie = fmax(tie, (double)row[have] - (double)row[want]);
        error = fmax(error, fabs((double)row[have] - score.values[i]));
    }
    golden_check(n->table, "class_top, decided by", tie, SCORE_BOUND);
    golden_check(n->table, "class_top, rows", wrong, 2);
    golden_check(n->table, "class_top_prob", error, SCORE_BOUND);
    golden_array_free(&top);
    golden_array_free(&score);
}

/* Detections against the golden's, row by row; rows of nearly equal score may change places. */
static void check_detections(network *n, const mr_detection *have, size_t count) {
    golden_array want, roi;
    if (!golden_read(n->golden, "detections", &want)) return;
    int has_roi = golden_read(n->golden, "det_roi", &roi);
    size_t wanted = 0;
    while (wanted < (size_t)want.shape[0] && want.values[6 * wanted + 4] > 0) wanted++;
    double missing = fabs((double)count - (double)wanted), boxes = 0, scores = 0, tie = 0;
    double wrong_class = 0;
    for (size_t i = 0; i < wanted; i++) {
        const double *row = want.values + 6 * i;
        size_t at = 0;
        while (has_roi && at < count && have[at].roi != (int32_t)roi.values[i]) at++;
        if (!has_roi) at = i;
        if (at >= count) {
            missing++;
            continue;
        }
        boxes = fmax(boxes, golden_difference(have[at].box, row, 4));
        scores = fmax(scores, fabs((double)have[at].score - row[5]));
        wrong_class += have[at].class_id != (int32_t)row[4];
        if (at != i && i < count) tie = fmax(tie, fabs((double)have[i].score - row[5]));
    }
    golden_check(n->table, "detections not found", missing, 0);
    golden_check(n->table, "detections, classes", wrong_class, 0);
    golden_check(n->table, "detections, moved by a score of", tie, SCORE_BOUND);
    golden_check(n->table, "detections, boxes", boxes, BOX_BOUND);
    golden_check(n->table, "detections, scores", scores, SCORE_BOUND);
    if (has_roi) golden_array_free(&roi);
    golden_array_free(&want);
}

/* The box head and the detection layer on the golden's proposals. */
static void check_box_head(network *n) {
    golden_array boxes, anchors;
    mr_pipeline *p = n->p;
    if (!golden_read(n->golden, "proposals", &boxes)) return;
    size_t total = (size_t)boxes.shape[0], real = total;
    if (golden_read(n->golden, "proposal_anchor_ix", &anchors)) {
        real = anchors.count;
        golden_array_free(&anchors);
    }
    float *all = malloc(total * MR_ROI_COLUMNS * sizeof *all);
    if (all && total <= p->max_rois) {
        set_rois(n, &boxes, total, all);
        check_levels(n, "roi_level", all, total);
        check_pooled(n, "pooled", all, total, n->settings->pool_size);
        p->roi_counts[0] =
            set_rois(n, &boxes, real < total ? real + 1 : real, p->rois); /* one zero row */
        if (mr_pipeline_detect(p, &n->fit, n->session->workspace, &n->err) == MRCNN_OK) {
            size_t classes = (size_t)n->settings->num_classes, rows = p->roi_counts[0];
            const float *probs = mr_plan_output(p->box, "mrcnn_class", NULL);
            const float *deltas = mr_plan_output(p->box, "mrcnn_bbox", NULL);
            check_values(n, "class_probs", probs, rows * classes, SCORE_BOUND);
            check_values(n, "class_bbox", deltas, rows * classes * 4, MAP_BOUND);
            check_top_classes(n, probs, rows);
            check_detections(n, p->detections, p->detection_counts[0]);
        } else {
            golden_check(n->table, "detections", INFINITY, 0);
        }
    } else {
        golden_check(n->table, "proposals, rows", (double)total, (double)p->max_rois);
    }
    free(all);
    golden_array_free(&boxes);
}

/* ----------------------------------------------------------------------------- final results */

/* Pixels in which two masks of one size differ. */
static double different_pixels(const mrcnn_mask *a, const uint32_t *counts, size_t count) {
    size_t size = (size_t)a->height * (size_t)a->width;
    uint8_t *one = calloc(size + 1, 1), *other = calloc(size + 1, 1);
    mrcnn_mask b = {a->height, a->width, count, (uint32_t *)counts};
    double differing = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += counts[i];
    if (one && other && sum == size) {
        mrcnn_mask_to_bytes(a, one);
        mrcnn_mask_to_bytes(&b, other);
        for (size_t i = 0; i < size; i++) differing += one[i] != other[i];
    } else {
        differing = INFINITY;
    }
    free(one);
    free(other);
    return differing;
}

/* The golden's finished instances. */
typedef struct finals {
    golden_array boxes, classes, scores, rle, offsets;
} finals;

static int read_finals(const network *n, finals *f) {
    return golden_read(n->golden, "final.rois", &f->boxes) &
           golden_read(n->golden, "final.class_ids", &f->classes) &
           golden_read(n->golden, "final.scores", &f->scores) &
           golden_read(n->golden, "final.rle", &f->rle) &
           golden_read(n->golden, "final.rle.off", &f->offsets);
}

static void free_finals(finals *f) {
    golden_array_free(&f->boxes);
    golden_array_free(&f->classes);
    golden_array_free(&f->scores);
    golden_array_free(&f->rle);
    golden_array_free(&f->offsets);
}

static double mask_difference(const mrcnn_mask *mask, const finals *f, size_t i) {
    size_t first = (size_t)f->offsets.values[i];
    size_t count = (size_t)f->offsets.values[i + 1] - first;
    uint32_t *counts = calloc(count + 1, sizeof *counts);
    for (size_t k = 0; counts && k < count; k++) counts[k] = (uint32_t)f->rle.values[first + k];
    double differing = counts ? different_pixels(mask, counts, count) : INFINITY;
    free(counts);
    return differing;
}

/* Masks from the golden's detections: the mask head, then boxes and masks in the picture. */
static void check_masks(network *n) {
    golden_array want;
    finals f = {0};
    mr_pipeline *p = n->p;
    if (!golden_read(n->golden, "detections", &want)) return;
    size_t count = 0;
    while (count < (size_t)want.shape[0] && want.values[6 * count + 4] > 0) count++;
    set_rois(n, &want, count, p->mask_rois);
    for (size_t i = 0; i < count; i++) p->mask_classes[i] = (float)want.values[6 * i + 4];
    check_levels(n, "mask_level", p->mask_rois, count);
    if (count) check_pooled(n, "mask_pooled", p->mask_rois, count, n->settings->mask_pool_size);
    const float *masks = mr_pipeline_masks(p, count, n->session->workspace);
    size_t height = (size_t)n->settings->mask_shape.values[0];
    size_t width = (size_t)n->settings->mask_shape.values[1];
    check_values(n, "masks", masks, count * height * width, MAP_BOUND);
    if (count) check_map(n, "masks_selected", masks, count * height * width, MAP_BOUND);
    if (read_finals(n, &f)) {
        double wrong = 0, worst = 0, total = 0;
        size_t at = 0;
        for (size_t i = 0; i < count; i++) {
            float box[4];
            int32_t pixels[4];
            mrcnn_mask mask = {0};
            for (int k = 0; k < 4; k++) box[k] = (float)want.values[6 * i + (size_t)k];
            if (!mr_unmold_box(box, &n->fit, pixels)) continue;
            if (at >= f.classes.count) break;
            for (int k = 0; k < 4; k++) wrong += pixels[k] != f.boxes.values[4 * at + (size_t)k];
            double differing = INFINITY;
            if (mr_unmold_mask(&mask, masks + i * height * width, (int)height, (int)width, pixels,
                               NULL, n->image.height, n->image.width, n->settings->mask_resize,
                               &n->err) == MRCNN_OK)
                differing = mask_difference(&mask, &f, at);
            worst = fmax(worst, differing);
            total += differing;
            mrcnn_mask_free(&mask);
            at++;
        }
        golden_check(n->table, "unmolded, instances", fabs((double)at - (double)f.classes.count),
                     0);
        golden_check(n->table, "unmolded, box corners", wrong, 0);
        golden_check(n->table, "unmolded, pixels of one mask", worst, 2);
        golden_check(n->table, "unmolded, pixels of all masks", total, 3 + (double)count / 10);
    }
    free_finals(&f);
    golden_array_free(&want);
}

/* Whether two boxes that are equal but for rounding are sampled differently (N22): a box that ends
 * at the border puts its last sample on the last pixel or just outside, where it counts as zero. */
static int is_sampled_otherwise(const network *n, const float *a, const double *b, int crop) {
    mrcnn_shape map = mr_level_shape(n->settings, n->p->height, n->p->width,
                                     mr_roi_level(a, (double)n->p->height * n->p->width) - 2);
    for (int axis = 0; axis < 2; axis++)
        for (int i = 0; i < crop; i++) {
            int size = axis ? map.width : map.height;
            float low = (float)b[axis], high = (float)b[axis + 2];
            if (mr_sample_at(a[axis], a[axis + 2], size, crop, i).inside !=
                mr_sample_at(low, high, size, crop, i).inside)
                return 1;
        }
    return 0;
}

/* How many of the proposals in a pipeline are sampled otherwise than the golden's. */
static double count_flipped_proposals(network *n, const mr_pipeline *p) {
    golden_array anchors, boxes;
    double flipped = 0;
    if (!golden_read(n->golden, "proposal_anchor_ix", &anchors)) return 0;
    if (golden_read(n->golden, "proposals", &boxes)) {
        for (size_t i = 0; i < anchors.count; i++) {
            size_t at = find(p->proposal_anchors, p->roi_counts[0], (int32_t)anchors.values[i]);
            flipped += at < p->roi_counts[0] &&
                       is_sampled_otherwise(n, p->rois + at * MR_ROI_COLUMNS + 2,
                                            boxes.values + 4 * i, n->settings->pool_size);
        }
        golden_array_free(&boxes);
    }
    golden_array_free(&anchors);
    return flipped;
}

/* The same for the boxes that the mask head saw: nearest detection of the golden. */
static double count_flipped_masks(network *n, const mr_pipeline *p) {
    golden_array want;
    double flipped = 0;
    if (!golden_read(n->golden, "detections", &want)) return 0;
    for (size_t k = 0; k < p->detection_counts[0]; k++)
        for (size_t i = 0; i < (size_t)want.shape[0]; i++)
            if (golden_difference(p->detections[k].box, want.values + 6 * i, 4) < BOX_BOUND) {
                flipped += is_sampled_otherwise(n, p->detections[k].box, want.values + 6 * i,
                                                n->settings->mask_pool_size);
                break;
            }
    golden_array_free(&want);
    return flipped;
}

static int box_distance(const mrcnn_instance *it, const double *box) {
    const int32_t have[4] = {it->y1, it->x1, it->y2, it->x2};
    double largest = 0;
    for (int k = 0; k < 4; k++) largest = fmax(largest, fabs(have[k] - box[k]));
    return (int)largest;
}

/* The unused instance that is instance i of the golden: same class, same box, a corner off by one
 * pixel at most; of several, the nearest score. */
static size_t find_instance(const mrcnn_result *result, const char *used, const finals *f,
                            size_t i) {
    size_t best = result->count;
    double best_cost = INFINITY;
    for (size_t k = 0; k < result->count; k++) {
        const mrcnn_instance *it = &result->instances[k];
        int distance = box_distance(it, f->boxes.values + 4 * i);
        double cost = distance + fabs((double)it->score - f->scores.values[i]);
        if (used[k] || it->class_id != f->classes.values[i] || distance > 1) continue;
        if (cost < best_cost) {
            best = k;
            best_cost = cost;
        }
    }
    return best;
}

/* What was measured when a whole result met the golden's. */
typedef struct comparison {
    double missing, off_by_one, other_score, other_mask, pixels, disorder, score;
} comparison;

static comparison compare_results(const mrcnn_result *result, const finals *f) {
    comparison c = {0};
    char *used = calloc(result->count + 1, 1);
    size_t previous = 0;
    double previous_score = 2;
    for (size_t i = 0; used && i < f->classes.count; i++) {
        size_t at = find_instance(result, used, f, i);
        if (at == result->count) {
            c.missing++;
            continue;
        }
        used[at] = 1;
        const mrcnn_instance *it = &result->instances[at];
        double score = fabs((double)it->score - f->scores.values[i]);
        if (score > SCORE_BOUND) {
            c.other_score++;
            continue;
        }
        c.score = fmax(c.score, score);
        if (at < previous) c.disorder = fmax(c.disorder, previous_score - f->scores.values[i]);
        previous = at > previous ? at : previous;
        previous_score = f->scores.values[i];
        if (box_distance(it, f->boxes.values + 4 * i) > 0) {
            c.off_by_one++;
            continue;
        }
        double differing = mask_difference(&it->mask, f, i);
        if (differing > 2)
            c.other_mask++;
        else
            c.pixels += differing;
    }
    free(used);
    return c;
}

/* mrcnn_detect on the picture itself. Every difference must be explained: by a near tie, or by a
 * box whose last bit moves a sample across the border. */
static void check_detect(network *n) {
    finals f = {0};
    mrcnn_result *result = NULL;
    if (!read_finals(n, &f)) {
        free_finals(&f);
        return;
    }
    if (mrcnn_detect(n->session, &n->image, 1, &result, &n->err) != MRCNN_OK) {
        complain(n, "detect");
        golden_check(n->table, "detect", INFINITY, 0);
        free_finals(&f);
        return;
    }
    const mr_pipeline *p = n->session->pipelines[0];
    double proposals = count_flipped_proposals(n, p), masks = count_flipped_masks(n, p);
    double count = (double)f.classes.count;
    char note[160];
    snprintf(note, sizeof note, "%g proposals and %g masks with a border sample on the other side",
             proposals, masks);
    golden_note(n->table, "final", note);
    comparison c = compare_results(result, &f);
    golden_check(n->table, "final: number of instances", fabs((double)result->count - count),
                 proposals);
    golden_check(n->table, "final: instances not found", c.missing, 2 * proposals);
    golden_check(n->table, "final: with another score", c.other_score, proposals);
    golden_check(n->table, "final: scores", c.score, SCORE_BOUND);
    golden_check(n->table, "final: out of order by a score of", c.disorder, SCORE_BOUND);
    golden_check(n->table, "final: boxes off by a pixel", c.off_by_one, 1 + count / 50);
    golden_check(n->table, "final: other masks", c.other_mask, masks);
    golden_check(n->table, "final: pixels of all other masks", c.pixels, 3 + count / 10);
    mrcnn_result_free(&result);
    free_finals(&f);
}

int golden_network(const char *path, const char *weights, const char *executor,
                   golden_table *table) {
    golden_file *golden = golden_open(path);
    if (!golden) return 0;
    network n = {.golden = golden, .table = table};
    int good = make_model(&n, weights) && read_picture(&n) && make_pipeline(&n, executor) &&
               check_picture(&n);
    if (good) {
        check_features(&n);
        check_proposals(&n);
        check_box_head(&n);
        check_masks(&n);
        check_detect(&n);
    }
    tear_down(&n);
    golden_close(&golden);
    return good;
}
