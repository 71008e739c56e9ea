/* test_trace.c - traces: the same instances as detection, counts that add up at every stage, every
 * suppression checked with boxes compared here, on seeded networks and on those of the goldens. */
#include "helper_assert.h"
#include "helper_golden_model.h"
#include "helper_oracle.h"
#include "helper_trace.h"

#include <mrcnn/trace.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* Everything with any score is an instance, up to a few. */
#define EAGER                                                                                \
    "DETECTION_MIN_CONFIDENCE", "0", "DETECTION_MAX_INSTANCES", "12", "IMAGE_MIN_DIM", "64", \
        "IMAGE_MAX_DIM", "64", "RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]"

typedef struct setting {
    const char *what;
    uint64_t seed;
    const char *keys[20];
} setting;

static const setting settings[] = {
    {"plain", 2, {EAGER, "POST_NMS_ROIS_INFERENCE", "60", NULL}},
    {"filled up with zeros", 3, {EAGER, "POST_NMS_ROIS_INFERENCE", "900", NULL}},
    {"few candidates", 4, {EAGER, "PRE_NMS_LIMIT", "40", "POST_NMS_ROIS_INFERENCE", "30", NULL}},
    {"no candidate beyond", 5, {EAGER, "PRE_NMS_LIMIT", "100000", NULL}},
    {"confident", 6, {EAGER, "DETECTION_MIN_CONFIDENCE", "0.6", NULL}},
    {"nothing is sure", 2, {EAGER, "DETECTION_MIN_CONFIDENCE", "1", NULL}},
    {"two instances", 8, {EAGER, "DETECTION_MAX_INSTANCES", "2", NULL}},
    {"hard NMS", 9, {EAGER, "DETECTION_NMS_THRESHOLD", "0.05", "RPN_NMS_THRESHOLD", "0.3", NULL}},
    {"padded", 2, {EAGER, "IMAGE_RESIZE_MODE", "pad64", "RPN_ANCHOR_STRIDE", "2", NULL}},
    {"linear", 9, {EAGER, "DETECTION_NMS", "linear", "MASK_RESIZE", "subpixel", NULL}},
    {"gaussian", 6, {EAGER, "DETECTION_NMS", "gaussian", "DETECTION_MIN_CONFIDENCE", "0.3", NULL}},
    {"by class",
     2,
     {EAGER, "DETECTION_NMS", "gaussian", "DETECTION_NMS_SIGMA", "0.05", "CLASS_MIN_CONFIDENCE",
      "{class 1: 0.5, class 2: 0, class 3: 0.4}", NULL}},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* What the settings met, so that no fate goes untested. */
static size_t candidates_met[MRCNN_FATES], proposals_met[MRCNN_FATES], filling_met, softened;

static mrcnn_model *model_of(const setting *setting) {
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(oracle_tiny_config(&config, 4, setting->keys, &err), MRCNN_OK);
    if (oracle_model(&model, config, setting->seed, &err) != MRCNN_OK) fail_msg("%s", err.message);
    mrcnn_config_free(&config);
    return model;
}

static mrcnn_session *session_of(mrcnn_model *model) {
    mrcnn_session *session = NULL;
    mrcnn_session_options options = mrcnn_session_options_default();
    options.threads = 1;
    assert_int_equal(mrcnn_session_create(&session, model, &options, NULL), MRCNN_OK);
    return session;
}

static mrcnn_trace *trace_of(mrcnn_session *session, const mrcnn_image *image, int maps) {
    mrcnn_trace *trace = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_trace_options options = mrcnn_trace_options_default();
    options.maps = maps;
    if (mrcnn_trace_create(&trace, session, image, &options, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    return trace;
}

/* ----------------------------------------------------------------------------------- what must hold */

static void check_same(const mrcnn_result *a, const mrcnn_result *b) {
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const mrcnn_instance *x = &a->instances[i], *y = &b->instances[i];
        assert_memory_equal(&x->y1, &y->y1, 4 * sizeof x->y1);
        assert_int_equal(x->class_id, y->class_id);
        assert_true(x->score == y->score);
        assert_int_equal(x->mask.count, y->mask.count);
        assert_memory_equal(x->mask.counts, y->mask.counts, x->mask.count * sizeof(uint32_t));
    }
}

static double area(const float b[4]) {
    return ((double)b[2] - b[0]) * ((double)b[3] - b[1]);
}

/* Of boxes with area; computed apart from the library. */
static double iou(const float a[4], const float b[4]) {
    double h = fmin(a[2], b[2]) - fmax(a[0], b[0]), w = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    double inter = h > 0 && w > 0 ? h * w : 0;
    return inter / (area(a) + area(b) - inter);
}

/* Rounding of floats may decide either way so near to a threshold. */
static const double NEAR = 1e-5;

typedef struct box_at {
    const float *box;
    int kept; /* as NMS sees it */
    int32_t suppressed_by;
    float iou;
} box_at;

/* Greedy suppression among boxes in the order of their scores: a suppressed box names the first kept
 * one that overlaps it enough; a kept one has none. */
static void check_nms(const box_at *boxes, size_t count, double threshold) {
    for (size_t i = 0; i < count; i++) {
        int32_t by = boxes[i].suppressed_by;
        if (by < 0) assert_true(boxes[i].iou == 0);
        if (by >= 0) {
            assert_true((size_t)by < i && boxes[by].kept && !boxes[i].kept);
            double expected = iou(boxes[i].box, boxes[by].box);
            assert_true(fabs(expected - (double)boxes[i].iou) < NEAR);
            assert_true(expected > threshold - NEAR);
        }
        if (!boxes[i].kept && by < 0) continue; /* NMS had ended */
        for (size_t k = 0; k < (by < 0 ? i : (size_t)by); k++)
            if (boxes[k].kept && area(boxes[k].box) > 0 && area(boxes[i].box) > 0)
                assert_true(iou(boxes[i].box, boxes[k].box) < threshold + NEAR);
    }
}

static void check_levels(const mrcnn_trace *t) {
    size_t anchors = 0, candidates = 0, proposals = 0;
    assert_int_equal(t->level_count, 5);
    for (size_t l = 0; l < t->level_count; l++) {
        const mrcnn_trace_level *level = &t->levels[l];
        float best = 0;
        assert_int_equal(level->first_anchor, anchors);
        assert_int_equal(level->anchors % ((size_t)level->height * (size_t)level->width), 0);
        for (size_t i = anchors; i < anchors + level->anchors; i++)
            best = fmaxf(best, t->scores[i]);
        assert_true(best == level->best_score);
        anchors += level->anchors;
        candidates += level->candidates;
        proposals += level->proposals;
    }
    assert_int_equal(anchors, t->anchor_count);
    assert_int_equal(candidates, t->candidate_count);
    assert_int_equal(proposals, t->proposals_found);
}

/* The best anchors, in order, each once; and nothing better was left out. */
static void check_candidates(const mrcnn_trace *t, double threshold) {
    size_t better = 0, kept = 0, fates[MRCNN_FATES] = {0};
    box_at *boxes = calloc(t->candidate_count, sizeof *boxes);
    uint8_t *seen = calloc(t->anchor_count, 1);
    assert_true(boxes && seen);
    for (size_t i = 0; i < t->candidate_count; i++) {
        const mrcnn_candidate *c = &t->candidates[i];
        assert_true(c->score == t->scores[c->anchor] && !seen[c->anchor]);
        assert_true(i == 0 || c->score <= c[-1].score);
        const mrcnn_trace_level *level = &t->levels[c->level - 2];
        assert_true((size_t)c->anchor >= level->first_anchor &&
                    (size_t)c->anchor < level->first_anchor + level->anchors);
        for (int k = 0; k < 4; k++) assert_true(c->clipped[k] == fmaxf(fminf(c->refined[k], 1), 0));
        assert_int_equal(c->proposal, c->fate == MRCNN_FATE_KEPT ? (int32_t)kept++ : -1);
        boxes[i] = (box_at){c->clipped, c->fate == MRCNN_FATE_KEPT, c->suppressed_by, c->iou};
        assert_int_equal(c->fate == MRCNN_FATE_SUPPRESSED, c->suppressed_by >= 0);
        seen[c->anchor] = 1;
        fates[c->fate]++;
    }
    for (size_t i = 0; i < t->anchor_count; i++)
        better += !seen[i] && t->scores[i] > t->candidates[t->candidate_count - 1].score;
    assert_int_equal(better, 0);
    assert_int_equal(kept, t->proposals_found);
    assert_memory_equal(fates, t->candidate_fates, sizeof fates);
    assert_int_equal(fates[0] + fates[1] + fates[2], t->candidate_count);
    check_nms(boxes, t->candidate_count, threshold);
    for (int i = 0; i < MRCNN_FATES; i++) candidates_met[i] += fates[i];
    free(boxes);
    free(seen);
}

static int by_score(const void *a, const void *b) {
    const mrcnn_proposal *x = *(const mrcnn_proposal *const *)a;
    const mrcnn_proposal *y = *(const mrcnn_proposal *const *)b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x > y) - (x < y);
}

/* NMS of the proposals of one class. */
static void check_class(const mrcnn_trace *t, int class_id, const mr_settings *s) {
    const mrcnn_proposal **rows = calloc(t->proposal_count, sizeof *rows);
    box_at *boxes = calloc(t->proposal_count, sizeof *boxes);
    int32_t *place = calloc(t->proposal_count, sizeof *place);
    size_t count = 0, survivors = 0;
    assert_true(rows && boxes && place);
    for (size_t i = 0; i < t->proposal_count; i++) {
        const mrcnn_proposal *p = &t->proposals[i];
        if (p->class_id == class_id && p->fate != MRCNN_FATE_CONFIDENCE) rows[count++] = p;
    }
    qsort(rows, count, sizeof *rows, by_score);
    for (size_t i = 0; i < count; i++) place[rows[i] - t->proposals] = (int32_t)i;
    for (size_t i = 0; i < count; i++) {
        const mrcnn_proposal *p = rows[i];
        int32_t by = p->suppressed_by;
        if (by >= 0) assert_int_equal(t->proposals[by].class_id, class_id);
        assert_int_equal(p->fate == MRCNN_FATE_SUPPRESSED, by >= 0);
        /* One beyond the limit may have been kept by NMS, which ends when the limit is reached. */
        int ended = survivors == (size_t)s->detection_max_instances;
        int kept = p->fate != MRCNN_FATE_SUPPRESSED && !ended;
        if (ended) assert_int_equal(p->fate, MRCNN_FATE_LIMIT);
        survivors += (size_t)kept;
        boxes[i] = (box_at){p->clipped, kept, by >= 0 ? place[by] : -1, p->iou};
    }
    check_nms(boxes, count, s->detection_nms_threshold);
    free(rows);
    free(boxes);
    free(place);
}

static double soft_factor(const mr_settings *s, const float a[4], const float b[4]) {
    double overlap = area(a) > 0 && area(b) > 0 ? iou(a, b) : 0;
    if (s->detection_nms == MR_SUPPRESS_GAUSSIAN)
        return exp(-overlap * overlap / s->detection_nms_sigma);
    return overlap > s->detection_nms_threshold ? 1 - overlap : 1;
}

/* Taken before `p`: by Soft-NMS the one with more score left. */
static int is_before(const mrcnn_proposal *k, const mrcnn_proposal *p) {
    if (k->fate == MRCNN_FATE_SUPPRESSED) return 0;
    if (k->final_score != p->final_score) return k->final_score > p->final_score;
    return k < p;
}

/* Soft-NMS of the proposals of one class: each has left of its score what those take that were taken
 * before it, or up to the one that was too much. */
static void check_soft(const mrcnn_trace *t, int class_id, const mr_settings *s, double minimum) {
    for (size_t i = 0; i < t->proposal_count; i++) {
        const mrcnn_proposal *p = &t->proposals[i];
        if (p->class_id != class_id || p->fate == MRCNN_FATE_CONFIDENCE) continue;
        const mrcnn_proposal *by = p->suppressed_by >= 0 ? &t->proposals[p->suppressed_by] : NULL;
        double left = (double)p->score;
        for (size_t k = 0; k < t->proposal_count; k++) {
            const mrcnn_proposal *q = &t->proposals[k];
            if (q->class_id == class_id && q->fate != MRCNN_FATE_CONFIDENCE &&
                (q == by || is_before(q, by ? by : p)))
                left *= soft_factor(s, p->clipped, q->clipped);
        }
        if (p->fate != MRCNN_FATE_LIMIT) assert_true(fabs(left - (double)p->final_score) < NEAR);
        if (by) {
            assert_int_equal(by->class_id, class_id);
            assert_true(fabs((double)p->iou - iou(p->clipped, by->clipped)) < NEAR);
            assert_true((double)p->final_score < fmax(minimum, 0.001));
        } else if (p->final_score < p->score) {
            assert_true((double)p->final_score >= minimum);
        }
        softened += p->final_score < p->score;
    }
}

/* The pixels whose centres are inside. */
static void check_centres(const mrcnn_instance *it, const double edges[4], int height, int width) {
    for (int y = 0; y < height; y++)
        assert_int_equal(y + 0.5 >= edges[0] && y + 0.5 < edges[2], y >= it->y1 && y < it->y2);
    for (int x = 0; x < width; x++)
        assert_int_equal(x + 0.5 >= edges[1] && x + 0.5 < edges[3], x >= it->x1 && x < it->x2);
}

static void check_row(const mrcnn_trace *t, size_t i, const mrcnn_model *model) {
    const mrcnn_proposal *p = &t->proposals[i];
    int filling = i >= t->proposals_found;
    assert_int_equal(p->candidate < 0, filling);
    if (!filling) {
        const mrcnn_candidate *c = &t->candidates[p->candidate];
        assert_int_equal(c->proposal, (int32_t)i);
        assert_memory_equal(c->clipped, p->box, sizeof p->box);
    } else {
        assert_true(area(p->box) == 0);
        filling_met++;
    }
    assert_in_range(p->level, 2, 5);
    assert_true(p->object_class > 0 && p->object_score <= p->score);
    assert_true(p->class_id == 0 ? p->score == p->background
                                 : p->class_id == p->object_class && p->score == p->object_score);
    assert_int_equal(p->fate == MRCNN_FATE_BACKGROUND, p->class_id == 0);
    double minimum = mrcnn_model_class_confidence(model, p->class_id);
    if (p->class_id > 0)
        assert_int_equal(p->fate == MRCNN_FATE_CONFIDENCE, p->score < (float)minimum);
    assert_int_equal(p->fate == MRCNN_FATE_KEPT, p->instance >= 0);
    assert_int_equal(p->fate == MRCNN_FATE_SUPPRESSED, p->suppressed_by >= 0);
    if (p->instance < 0) return;
    const mrcnn_instance *it = &t->result->instances[p->instance];
    double pixels[4];
    mrcnn_trace_box(t, p->clipped, pixels);
    assert_int_equal(it->class_id, p->class_id);
    assert_true(it->score == p->final_score);
    if (mr_config_settings(model->config)->detection_nms == MR_SUPPRESS_HARD)
        assert_true(p->final_score == p->score);
    if (mr_config_settings(model->config)->mask_resize == MR_MASK_SUBPIXEL) {
        check_centres(it, pixels, t->height, t->width);
        return;
    }
    assert_true(rint(pixels[0]) == it->y1 && rint(pixels[1]) == it->x1);
    assert_true(rint(pixels[2]) == it->y2 && rint(pixels[3]) == it->x2);
}

static void check_proposals(const mrcnn_trace *t, const mrcnn_model *model) {
    const mr_settings *s = mr_config_settings(model->config);
    size_t fates[MRCNN_FATES] = {0}, sum = 0;
    assert_int_equal(t->proposal_count, s->post_nms_rois_inference);
    for (size_t i = 0; i < t->proposal_count; i++) {
        check_row(t, i, model);
        fates[t->proposals[i].fate]++;
    }
    for (int i = 0; i < MRCNN_FATES; i++) sum += fates[i];
    assert_memory_equal(fates, t->proposal_fates, sizeof fates);
    assert_int_equal(sum, t->proposal_count);
    assert_int_equal(fates[MRCNN_FATE_KEPT], t->result->count);
    if (fates[MRCNN_FATE_LIMIT])
        assert_int_equal(fates[MRCNN_FATE_KEPT] + fates[MRCNN_FATE_NO_AREA],
                         s->detection_max_instances);
    for (int c = 1; c < s->num_classes; c++)
        if (s->detection_nms == MR_SUPPRESS_HARD)
            check_class(t, c, s);
        else
            check_soft(t, c, s, mrcnn_model_class_confidence(model, c));
    for (int i = 0; i < MRCNN_FATES; i++) proposals_met[i] += fates[i];
}

static void check_masks(const mrcnn_trace *t) {
    size_t empty = 0, pixels = (size_t)t->mask_height * (size_t)t->mask_width;
    for (size_t i = 0; i < t->result->count; i++) {
        float highest = 0;
        for (size_t k = 0; k < pixels; k++) {
            float value = t->masks[i * pixels + k];
            assert_true(value >= 0 && value <= 1);
            highest = fmaxf(highest, value);
        }
        assert_int_equal(t->mask_areas[i], mrcnn_mask_area(&t->result->instances[i].mask));
        if (highest < 0.5f) assert_int_equal(t->mask_areas[i], 0);
        empty += t->mask_areas[i] == 0;
    }
    assert_int_equal(empty, t->empty_masks);
}

static void check_trace(const mrcnn_trace *t, const mrcnn_model *model) {
    check_levels(t);
    check_candidates(t, mr_config_settings(model->config)->rpn_nms_threshold);
    check_proposals(t, model);
    check_masks(t);
}

/* ----------------------------------------------------------------------------------------- tests */

/* In a window one pixel wide no box has an area. */
static void seeded_networks(void **state) {
    (void)state;
    static const int sizes[][2] = {{50, 90}, {80, 70}, {100, 1}};
    enum { PICTURES = sizeof sizes / sizeof *sizes };
    for (int i = 0; i < SETTINGS; i++) {
        mrcnn_model *model = model_of(&settings[i]);
        mrcnn_session *session = session_of(model);
        for (int k = 0; k < PICTURES; k++) {
            mrcnn_image image = noisy_picture(sizes[k][0], sizes[k][1], (uint64_t)(i + k));
            mrcnn_result *found = NULL;
            mrcnn_trace *trace = trace_of(session, &image, k % 2);
            assert_int_equal(mrcnn_detect(session, &image, 1, &found, NULL), MRCNN_OK);
            check_same(trace->result, found);
            check_trace(trace, model);
            mrcnn_result_free(&found);
            mrcnn_trace_free(&trace);
            assert_null(trace);
            free(image.pixels);
        }
        mrcnn_session_free(&session);
        mrcnn_model_free(&model);
    }
    for (int i = 0; i <= MRCNN_FATE_LIMIT; i++) assert_true(candidates_met[i] > 0);
    for (int i = 0; i < MRCNN_FATES; i++) {
        if (proposals_met[i] == 0) fail_msg("no proposal ended as %s", mrcnn_fate_name(i));
    }
    assert_true(filling_met > 0 && softened > 100);
}

static void golden_networks(void **state) {
    (void)state;
    static const char *const files[] = {TEST_DATA "/goldens/tiny64.h5",
                                        TEST_DATA "/goldens/tiny101_pad64.h5"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        golden_file *golden = golden_open(files[f]);
        golden_array pixels;
        mrcnn_model *model = NULL;
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_result *found = NULL;
        assert_true(golden && golden_model(&model, golden, NULL, &err));
        assert_true(golden_read(golden, "image.u8", &pixels));
        mrcnn_image image = {(int32_t)pixels.shape[1], (int32_t)pixels.shape[0], 3,
                             malloc(pixels.count)};
        for (size_t i = 0; i < pixels.count; i++) image.pixels[i] = (uint8_t)pixels.values[i];
        mrcnn_session *session = session_of(model);
        mrcnn_trace *trace = trace_of(session, &image, 0);
        assert_int_equal(mrcnn_detect(session, &image, 1, &found, NULL), MRCNN_OK);
        check_same(trace->result, found);
        check_trace(trace, model);
        mrcnn_trace_free(&trace);
        mrcnn_result_free(&found);
        mrcnn_session_free(&session);
        mrcnn_model_free(&model);
        free(image.pixels);
        golden_array_free(&pixels);
        golden_close(&golden);
    }
}

/* The count that matterport's notebooks print. */
static void anchors_at_1024(void **state) {
    (void)state;
    static const size_t counts[] = {196608, 49152, 12288, 3072, 768};
    static const setting published = {"1024 x 1024",
                                      1,
                                      {"IMAGE_MIN_DIM", "1024", "IMAGE_MAX_DIM", "1024",
                                       "RPN_ANCHOR_SCALES", "[32, 64, 128, 256, 512]",
                                       "BACKBONE_STEM_WIDTH", "4", NULL}};
    mrcnn_model *model = model_of(&published);
    mrcnn_session *session = session_of(model);
    mrcnn_image image = noisy_picture(64, 64, 1);
    mrcnn_trace *trace = trace_of(session, &image, 0);
    assert_int_equal(trace->anchor_count, 261888);
    assert_int_equal(trace->candidate_count, 6000);
    for (int l = 0; l < 5; l++) {
        assert_int_equal(trace->levels[l].anchors, counts[l]);
        assert_int_equal(trace->levels[l].height, 256 >> l);
        assert_int_equal(trace->levels[l].stride, 4 << l);
        assert_true(trace->levels[l].scale == 32 << l);
    }
    check_trace(trace, model);
    mrcnn_trace_free(&trace);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    free(image.pixels);
}

/* The maps are those that mrcnn_inspect_tensors writes. */
static void maps(void **state) {
    (void)state;
    static const char *const names[] = {"molded", "C1", "C2", "C3", "C4", "C5",
                                        "P2",     "P3", "P4", "P5", "P6"};
    char path[] = "/tmp/mrcnn-test-XXXXXX";
    mrcnn_model *model = model_of(&settings[0]);
    mrcnn_session *session = session_of(model);
    mrcnn_image image = noisy_picture(40, 60, 1);
    mrcnn_error err = MRCNN_ERROR_INIT;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    mrcnn_trace *trace = trace_of(session, &image, 1);
    if (mrcnn_inspect_tensors(session, &image, path, &err) != MRCNN_OK) fail_msg("%s", err.message);
    golden_file *file = golden_open(path);
    golden_array array;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const mrcnn_map *map = mrcnn_trace_map(trace, names[i]);
        assert_true(map && golden_read(file, names[i], &array));
        assert_true(array.shape[0] == map->height && array.shape[1] == map->width &&
                    array.shape[2] == map->channels);
        assert_true(golden_difference(map->values, array.values, array.count) == 0);
        golden_array_free(&array);
    }
    assert_true(golden_read(file, "rpn_class", &array));
    for (size_t i = 0; i < trace->anchor_count; i++)
        assert_true(fabs(array.values[2 * i + 1] - (double)trace->scores[i]) < 1e-6);
    golden_array_free(&array);
    const mrcnn_map *last = mrcnn_trace_map(trace, "rpn_class6");
    const mrcnn_map *deltas = mrcnn_trace_map(trace, "rpn_bbox6");
    assert_true(last->values +
                    (size_t)last->height * (size_t)last->width * (size_t)last->channels ==
                trace->scores + trace->anchor_count);
    assert_int_equal(deltas->channels, 4 * last->channels);
    assert_null(mrcnn_trace_map(trace, "C6"));
    golden_close(&file);
    mrcnn_trace_free(&trace);
    trace = trace_of(session, &image, 0);
    assert_int_equal(trace->map_count, 0);
    assert_null(mrcnn_trace_map(trace, "C1"));
    mrcnn_trace_free(&trace);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    free(image.pixels);
    remove(path);
}

/* Targets of an object that is all of the picture, nothing of it, or what lies right of a column: of that
 * one, the samples are where the box's corners and equal steps between them are. */
static void mask_targets(void **state) {
    (void)state;
    mrcnn_model *model = model_of(&settings[0]);
    mrcnn_session *session = session_of(model);
    mrcnn_image image = noisy_picture(50, 90, 0);
    mrcnn_trace *t = trace_of(session, &image, 0);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_mask mask = {0};
    size_t cells = (size_t)t->mask_height * (size_t)t->mask_width, checked = 0;
    uint8_t *bytes = calloc(50 * 90, 1);
    float *target = calloc(cells, sizeof *target);
    assert_true(bytes && target && t->result->count > 0);
    for (int kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < 50 * 90; i++) bytes[i] = kind == 0 || (kind == 2 && i % 90 >= 30);
        assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, 50, 90, NULL), MRCNN_OK);
        for (size_t i = 0; i < t->proposal_count; i++) {
            const mrcnn_proposal *p = &t->proposals[i];
            double box[4];
            if (p->instance < 0) continue;
            assert_int_equal(mrcnn_trace_mask_target(t, (size_t)p->instance, &mask, target, NULL),
                             MRCNN_OK);
            mrcnn_trace_box(t, p->clipped, box);
            for (size_t c = 0; c < cells; c++) {
                double step = (box[3] - 1 - box[1]) / (t->mask_width - 1);
                double x = box[1] + step * (double)(c % (size_t)t->mask_width);
                double inside = kind == 1 ? 0 : kind == 0 ? 1 : fmin(fmax(x - 29, 0), 1);
                int row = (int)(c / (size_t)t->mask_width);
                int on_border = row == 0 || row == t->mask_height - 1 || x < 0.01 || x > 88.99;
                if (on_border || fabs(inside - 0.5) < 0.01) continue; /* rounding decides */
                assert_true(target[c] == (inside > 0.5));
                checked++;
            }
        }
        mrcnn_mask_free(&mask);
    }
    assert_true(checked > 1000);
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, 90, 50, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_trace_mask_target(t, 0, &mask, target, &err), MRCNN_E_ARGUMENT);
    mrcnn_mask_free(&mask);
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, 50, 90, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_trace_mask_target(t, 1000, &mask, target, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "no instance 1000");
    mrcnn_mask_free(&mask);
    free(bytes);
    free(target);
    mrcnn_trace_free(&t);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    free(image.pixels);
}

static void errors(void **state) {
    (void)state;
    mrcnn_model *model = model_of(&settings[0]);
    mrcnn_session *session = session_of(model);
    mrcnn_image image = noisy_picture(40, 60, 1), grey = image, empty = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_trace *trace = NULL;
    mrcnn_trace_options options = mrcnn_trace_options_default();
    grey.channels = 1;
    assert_int_equal(mrcnn_trace_create(&trace, session, &grey, NULL, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "channels");
    assert_int_equal(mrcnn_trace_create(&trace, session, &empty, NULL, &err), MRCNN_E_ARGUMENT);
    options.size = 1;
    assert_int_equal(mrcnn_trace_create(&trace, session, &image, &options, &err), MRCNN_E_ARGUMENT);
    assert_null(trace);
    mrcnn_trace_free(&trace);
    mrcnn_trace_free(NULL);
    assert_string_equal(mrcnn_fate_name(MRCNN_FATE_BACKGROUND), "background");
    assert_string_equal(mrcnn_fate_name((mrcnn_fate)99), "?");
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    free(image.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeded_networks), cmocka_unit_test(golden_networks),
        cmocka_unit_test(anchors_at_1024), cmocka_unit_test(maps),
        cmocka_unit_test(mask_targets),    cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
