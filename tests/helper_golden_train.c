/* helper_golden_train.c - see helper_golden_train.h. Bounds are those of the goldens' notes, for
 * float32 against float64 values: losses 1e-5, each gradient tensor 1e-2 of its norm, weights 1e-4.
 * Every run starts from the same weights:
 *
 *     train        proposals anew in each step, gradients through the target deltas (matterport)
 *     train_det    the same, with the targets detached, one step
 *     train_fix    proposals given, three steps
 *     train_heads  proposals given, heads alone, one step
 *     train_b2     proposals given, two pictures, one step */
#include "helper_golden_train.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "helper_golden_json.h"
#include "helper_golden_model.h"
#include "image/bits.h"
#include "model/targets.h"
#include "train/layers.h"
#include "train/learner.h"
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LOSS_BOUND = 1e-5, GRADIENT_BOUND = 1e-2, WEIGHT_BOUND = 1e-4,
                    CHANGE_BOUND = 1e-2, BOX_BOUND = 1e-5;
enum { THREADS = 2, MAX_BATCH = 2 };

typedef struct picture {
    uint8_t *pixels, *masks, *active;
    int32_t *class_ids, (*boxes)[4];
    float *proposals;
    mr_rpn_targets rpn;
    mr_lesson lesson;
} picture;

typedef struct run_kind {
    const char *prefix, *layers;
    int steps, batch, own_proposals, detach;
} run_kind;

typedef struct train {
    const golden_file *golden;
    golden_table *table;
    const mr_executor *executor;
    const char *weights;
    mrcnn_model *model;
    const mr_settings *settings;
    int height, width;
    picture pictures[MAX_BATCH];
    int32_t *own_anchors;
    mrcnn_error err;
} train;

/* ---------------------------------------------------------------------------------- pictures */

static int complain(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    return 0;
}

/* Whole numbers of an array; malloc'ed. */
static void *read_numbers(const train *t, const char *name, size_t size, size_t *count,
                          int64_t shape[5]) {
    golden_array a;
    if (!golden_read(t->golden, name, &a)) return NULL;
    unsigned char *all = malloc(a.count * size + 1);
    for (size_t i = 0; all && i < a.count; i++) {
        if (size == 1) all[i] = (unsigned char)a.values[i];
        if (size == 4) ((int32_t *)(void *)all)[i] = (int32_t)a.values[i];
    }
    *count = a.count;
    if (shape) memcpy(shape, a.shape, sizeof a.shape);
    golden_array_free(&a);
    return all;
}

static float *read_floats(const train *t, const char *name, size_t *count) {
    golden_array a;
    if (!golden_read(t->golden, name, &a)) return NULL;
    float *all = malloc(a.count * sizeof *all + 1);
    for (size_t i = 0; all && i < a.count; i++) all[i] = (float)a.values[i];
    *count = a.count;
    golden_array_free(&a);
    return all;
}

/* The oracle keeps masks as rows x columns x objects of bytes. */
static uint8_t *turn_masks(const uint8_t *masks, const int64_t shape[5]) {
    int height = (int)shape[0], width = (int)shape[1];
    size_t pixels = (size_t)(shape[0] * shape[1]), objects = (size_t)shape[2];
    size_t size = mr_bits_size(height, width);
    uint8_t *turned = malloc(size * objects + 1), *mask = malloc(pixels + 1);
    for (size_t k = 0; turned && mask && k < objects; k++) {
        for (size_t i = 0; i < pixels; i++) mask[i] = masks[i * objects + k];
        mr_bits_pack(mask, height, width, turned + k * size);
    }
    free(mask);
    return turned;
}

static int read_truth(train *t, picture *p, const char *prefix) {
    char name[96];
    size_t objects = 0, numbers = 0, mask_count = 0;
    int64_t shape[5] = {0};
    snprintf(name, sizeof name, "%s.gt.class_ids", prefix);
    p->class_ids = read_numbers(t, name, 4, &objects, NULL);
    snprintf(name, sizeof name, "%s.gt.boxes", prefix);
    p->boxes = read_numbers(t, name, 4, &numbers, NULL);
    snprintf(name, sizeof name, "%s.gt.mini_masks", prefix);
    uint8_t *masks = read_numbers(t, name, 1, &mask_count, shape);
    if (!p->class_ids || !p->boxes || !masks) {
        free(masks);
        return complain(name, "not in the file");
    }
    p->masks = turn_masks(masks, shape);
    free(masks);
    mr_ground_truth truth = {(int)objects,  p->class_ids,  (const int32_t(*)[4])p->boxes,
                             (int)shape[0], (int)shape[1], p->masks};
    p->lesson.truth = truth;
    return 1;
}

static int make_rpn_targets(train *t, picture *p) {
    size_t count = mr_anchor_count(t->settings, t->height, t->width);
    double *anchors = malloc(count * 4 * sizeof *anchors);
    mr_anchors_pixels(t->settings, t->height, t->width, anchors);
    mrcnn_status status =
        mr_build_rpn_targets(&p->rpn, anchors, count, &p->lesson.truth, t->settings, 0, &t->err);
    free(anchors);
    p->lesson.rpn = p->rpn;
    return status == MRCNN_OK || complain("RPN targets", t->err.message);
}

static int read_picture(train *t, int index, const char *molded, const char *prefix) {
    picture *p = &t->pictures[index];
    char name[96];
    size_t count = 0, proposals = 0;
    int64_t shape[5] = {0};
    p->pixels = read_numbers(t, molded, 1, &count, shape);
    p->active = read_numbers(t, "train.active", 4, &count, NULL);
    if (!p->pixels || !p->active) return complain(molded, "not in the file");
    for (size_t i = 0; i < count; i++) p->active[i] = p->active[i * sizeof(int32_t)];
    t->height = (int)shape[0];
    t->width = (int)shape[1];
    p->lesson.pixels = p->pixels;
    p->lesson.active = p->active;
    snprintf(name, sizeof name, "%s.proposals", prefix);
    p->proposals = read_floats(t, name, &proposals);
    p->lesson.proposal_count = proposals / 4;
    return p->proposals && read_truth(t, p, prefix) && make_rpn_targets(t, p);
}

static void free_pictures(train *t) {
    free(t->own_anchors);
    for (int i = 0; i < MAX_BATCH; i++) {
        picture *p = &t->pictures[i];
        void *all[] = {p->pixels, p->masks, p->active, p->class_ids, p->boxes, p->proposals};
        mr_rpn_targets_free(&p->rpn);
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) free(all[k]);
    }
}

/* ------------------------------------------------------------------------------------ checks */

static void check_floats(const train *t, const char *name, const float *have, size_t count,
                         double bound) {
    golden_array a;
    if (!golden_read(t->golden, name, &a)) return;
    double scale = fmax(golden_largest(a.values, a.count), 1e-30);
    double error = count <= a.count ? golden_difference(have, a.values, count) / scale : INFINITY;
    golden_check(t->table, name, error, bound);
    golden_array_free(&a);
}

static void check_integers(const train *t, const char *name, const int32_t *have, size_t count) {
    golden_array a;
    if (!golden_read(t->golden, name, &a)) return;
    double wrong = count == a.count ? 0 : INFINITY;
    for (size_t i = 0; i < count && i < a.count; i++) wrong += have[i] != a.values[i];
    golden_check(t->table, name, wrong, 0);
    golden_array_free(&a);
}

static void check_rpn_targets(const train *t) {
    const mr_rpn_targets *r = &t->pictures[0].rpn;
    check_integers(t, "train.rpn_match_ix", r->anchors, (size_t)r->count);
    check_floats(t, "train.rpn_bbox", &r->deltas[0][0], 4 * (size_t)r->positive_count, 1e-6);
}

static void check_roi_targets(const train *t, const mr_roi_targets *r) {
    size_t positives = (size_t)r->positive_count, negatives = (size_t)r->negative_count;
    check_integers(t, "train.pos", r->proposals, positives);
    check_integers(t, "train.neg", r->proposals + positives, negatives);
    check_floats(t, "train.rois", &r->rois[0][0], 4 * (positives + negatives), 0);
    check_floats(t, "train.deltas", &r->deltas[0][0], 4 * positives, 1e-5);
    size_t size =
        (size_t)t->settings->mask_shape.values[0] * (size_t)t->settings->mask_shape.values[1];
    check_floats(t, "train.masks", r->masks, positives * size, 0);
}

static void check_losses(const train *t, const run_kind *k, int step, const double have[7],
                         double bound) {
    char name[96];
    golden_array a;
    snprintf(name, sizeof name, "%s.loss", k->prefix);
    if (!golden_read(t->golden, name, &a)) return;
    double error = 0;
    for (size_t i = 0; i < 7; i++) {
        double want = a.values[(size_t)step * 7 + i];
        error = fmax(error, fabs(have[i] - want) / fmax(1, fabs(want)));
        if (isnan(have[i])) error = INFINITY;
    }
    snprintf(name, sizeof name, "%s.loss, step %d", k->prefix, step + 1);
    golden_check(t->table, name, error, bound);
    golden_array_free(&a);
}

static double norm_of(const mr_tensor *g) {
    double sum = 0;
    for (size_t i = 0; i < g->count; i++) sum += (double)g->values[i] * g->values[i];
    return sqrt(sum);
}

static const mr_tensor *find_key(const mr_tensors *set, const char *key) {
    char layer[96];
    const char *slash = strchr(key, '/');
    if (!slash) return NULL;
    snprintf(layer, sizeof layer, "%.*s", (int)(slash - key), key);
    return mr_tensors_find(set, layer, slash + 1);
}

/* Every tensor's norm; the probed ones number by number. A norm next to nothing says nothing about
 * the rest: it is held against the largest one. */
static void check_norms(const train *t, const run_kind *k, const mr_tensors *gradients) {
    char name[96], key[96];
    golden_array a;
    snprintf(name, sizeof name, "%s.grad_norms", k->prefix);
    if (!golden_read(t->golden, name, &a)) return;
    const char *meta = json_get(golden_meta(t->golden), "train");
    const char *names = json_get(meta, strcmp(k->layers, "all") ? "names_heads" : "names");
    double floor = 1e-6 * golden_largest(a.values, a.count), worst = 0;
    size_t found = 0;
    for (size_t i = 0; i < a.count; i++) {
        json_text(json_item(names, i), key, sizeof key);
        const mr_tensor *g = find_key(gradients, key);
        if (!g) continue;
        found++;
        double error = fabs(norm_of(g) - a.values[i]) / fmax(a.values[i], floor);
        if (error > worst || isnan(error)) worst = isnan(error) ? INFINITY : error;
        if (error > GRADIENT_BOUND && t->table->out)
            fprintf(t->table->out, "    %s: norm %g, golden %g\n", key, norm_of(g), a.values[i]);
    }
    golden_check(t->table, name, worst, GRADIENT_BOUND);
    snprintf(name, sizeof name, "%s: trained tensors", k->prefix);
    golden_check(t->table, name,
                 fabs((double)found - (double)a.count) +
                     fabs((double)mr_tensors_count(gradients) - (double)a.count),
                 0);
    golden_array_free(&a);
}

static void each_probe(const train *t, const char *prefix,
                       void (*check)(const train *t, const char *array, const char *key,
                                     const golden_array *a, void *user),
                       void *user) {
    const char *list = json_get(json_get(golden_meta(t->golden), "train"), "probed");
    char key[96], array[192];
    for (size_t i = 0; json_item(list, i); i++) {
        golden_array a;
        json_text(json_item(list, i), key, sizeof key);
        snprintf(array, sizeof array, "%s.%s", prefix, key);
        for (char *c = array; *c; c++)
            if (*c == '/') *c = ':';
        if (!golden_read(t->golden, array, &a)) continue;
        check(t, array, key, &a, user);
        golden_array_free(&a);
    }
}

static void check_gradient(const train *t, const char *array, const char *key,
                           const golden_array *a, void *user) {
    const mr_tensor *g = find_key(user, key);
    double error = g ? 0 : INFINITY, norm = fmax(a->values[0], 1e-30);
    for (size_t i = 0; g && i + 1 < a->count; i++) {
        float value = g->values[golden_probe(i, a->count - 1, g->count)];
        error = fmax(error, golden_difference(&value, &a->values[i + 1], 1) / norm);
    }
    golden_check(t->table, array, error, GRADIENT_BOUND);
}

typedef struct change {
    const mr_tensors *now, *before;
} change;

/* Values, and how far they moved. */
static void check_weight(const train *t, const char *array, const char *key, const golden_array *a,
                         void *user) {
    const change *c = user;
    const mr_tensor *now = find_key(c->now, key), *before = find_key(c->before, key);
    size_t probes = a->count / 2;
    double value_error = 0, change_error = 0;
    for (size_t i = 0; i < probes; i++) {
        size_t at = golden_probe(i, probes, now->count);
        float value = now->values[at];
        double moved = (double)now->values[at] - before->values[at];
        value_error = fmax(value_error, golden_difference(&value, &a->values[i], 1));
        change_error = fmax(change_error, fabs(moved - a->values[probes + i]));
    }
    char name[224];
    golden_check(t->table, array, value_error / fmax(golden_largest(a->values, probes), 1e-30),
                 WEIGHT_BOUND);
    snprintf(name, sizeof name, "%s, change", array);
    double largest = golden_largest(a->values + probes, probes);
    /* A float32 weight can't move by less than its last bit. */
    double ulp = golden_largest(a->values, probes) * 6e-8;
    golden_check(t->table, name, fmax(change_error - ulp, 0) / fmax(largest, 1e-30), CHANGE_BOUND);
}

/* -------------------------------------------------------------------------------------- runs */

typedef struct learning {
    mrcnn_model *start; /* the weights before */
    mr_tensors *gradients;
    mr_packs *packs;
    mr_learner *learner;
    mr_optimizer *optimizer;
} learning;

static void free_learning(learning *l) {
    mr_learner_free(&l->learner);
    mr_optimizer_free(&l->optimizer);
    mr_packs_free(&l->packs);
    mr_tensors_free(&l->gradients);
    mrcnn_model_free(&l->start);
}

static mrcnn_status start_learning(train *t, const run_kind *k, learning *l) {
    mrcnn_status status = golden_model(&t->model, t->golden, t->weights, &t->err) &&
                                  golden_model(&l->start, t->golden, t->weights, &t->err)
                              ? mrcnn_config_set(t->model->config, "SAMPLING", "first", &t->err)
                              : MRCNN_E_WEIGHTS;
    if (status != MRCNN_OK) return status;
    t->settings = mr_config_settings(t->model->config);
    status = mr_layers_gradients(t->model->weights, k->layers, &l->gradients, &t->err);
    l->packs = mr_packs_create();
    mr_learner_options options = {.settings = t->settings,
                                  .executor = t->executor,
                                  .weights = t->model->weights,
                                  .gradients = l->gradients,
                                  .packs = l->packs,
                                  .height = t->height,
                                  .width = t->width,
                                  .batch = k->batch,
                                  .threads = THREADS,
                                  .detach_targets = k->detach};
    if (status == MRCNN_OK) status = mr_learner_create(&l->learner, &options, &t->err);
    if (status == MRCNN_OK)
        status = mr_optimizer_create(&l->optimizer, t->settings, t->model->weights, l->gradients,
                                     THREADS, &t->err);
    return status;
}

static int is_same_box(const float *a, const float *b) {
    for (int k = 0; k < 4; k++)
        if (!(fabs((double)a[k] - b[k]) <= BOX_BOUND)) return 0;
    return 1;
}

/* The own proposal that is the golden one at `at`: in its place, or, where scores are equal but for
 * rounding, in another one. -1: none. */
static int32_t anchor_of(const float *golden, size_t at, const float *own, size_t count,
                         const int32_t *anchors) {
    if (at < count && is_same_box(golden, own + 4 * at)) return anchors[at];
    for (size_t i = 0; i < count; i++)
        if (is_same_box(golden, own + 4 * i)) return anchors[i];
    return -1;
}

/* Two boxes that differ in their last bit can pool other samples at the picture's border, so the
 * network's own proposals are compared with the golden ones, which then take their place. */
static mrcnn_status take_proposals(train *t, learning *l, mr_lesson *lesson) {
    mr_lesson_result result;
    size_t count, real = 0, missing = 0;
    const int32_t *anchors;
    const float *golden = t->pictures[0].proposals;
    mrcnn_status status = mr_learner_run(l->learner, lesson, 0, &result, &t->err);
    if (status != MRCNN_OK) return status;
    const float *own = mr_learner_proposals(l->learner, 0, &count, &anchors);
    free(t->own_anchors);
    t->own_anchors = calloc(lesson->proposal_count + 1, sizeof *t->own_anchors);
    if (!t->own_anchors) return MRCNN_E_MEMORY;
    for (size_t i = 0; i < lesson->proposal_count; i++) {
        int padding = golden[4 * i + 2] == 0 && golden[4 * i + 3] == 0;
        t->own_anchors[i] = padding ? -1 : anchor_of(golden + 4 * i, i, own, count, anchors);
        real += !padding;
        missing += !padding && t->own_anchors[i] < 0;
    }
    golden_check(t->table, "train.proposals", (double)missing / (double)real, 0.01);
    lesson->proposals = golden;
    lesson->proposal_anchors = t->own_anchors;
    return MRCNN_OK;
}

static mrcnn_status run_step(train *t, const run_kind *k, learning *l, int step) {
    mr_lesson lessons[MAX_BATCH];
    mr_lesson_result result;
    mr_update update;
    double losses[7] = {0};
    for (int i = 0; i < k->batch; i++) {
        lessons[i] = t->pictures[i].lesson;
        lessons[i].proposals = k->own_proposals ? NULL : t->pictures[i].proposals;
    }
    mrcnn_status status = MRCNN_OK;
    if (k->own_proposals) status = take_proposals(t, l, &lessons[0]);
    if (status == MRCNN_OK) status = mr_learner_run(l->learner, lessons, 1, &result, &t->err);
    if (status != MRCNN_OK) return status;
    for (int i = 0; i < MR_LOSSES; i++) losses[6] += losses[i] = result.losses[i];
    losses[5] = mr_regularise(t->model->weights, l->gradients, t->settings, 1);
    losses[6] += losses[5];
    check_losses(t, k, step, losses, step == 0 ? LOSS_BOUND : 10 * LOSS_BOUND);
    if (step == 0) {
        char prefix[64];
        if (k->own_proposals) check_roi_targets(t, mr_learner_targets(l->learner, 0));
        check_norms(t, k, l->gradients);
        snprintf(prefix, sizeof prefix, "%s.grad", k->prefix);
        each_probe(t, prefix, check_gradient, l->gradients);
    }
    mr_optimizer_step(l->optimizer, t->settings->learning_rate, 1, &update);
    if (step == 0 || step == 2) {
        char prefix[64];
        change c = {t->model->weights, l->start->weights};
        snprintf(prefix, sizeof prefix, "%s.w%d", k->prefix, step + 1);
        each_probe(t, prefix, check_weight, &c);
    }
    return MRCNN_OK;
}

static int has_run(const train *t, const char *prefix) {
    char name[96];
    golden_array a;
    snprintf(name, sizeof name, "%s.loss", prefix);
    if (!golden_read(t->golden, name, &a)) return 0;
    golden_array_free(&a);
    return 1;
}

static int run(train *t, const run_kind *k) {
    learning l = {0};
    if (!has_run(t, k->prefix)) return 1;
    mrcnn_status status = start_learning(t, k, &l);
    for (int step = 0; status == MRCNN_OK && step < k->steps; step++)
        status = run_step(t, k, &l, step);
    free_learning(&l);
    mrcnn_model_free(&t->model);
    return status == MRCNN_OK || complain(k->prefix, t->err.message);
}

int golden_train(const char *path, const char *weights, const char *executor, golden_table *table) {
    static const run_kind kinds[] = {{"train", "all", 1, 1, 1, 0},
                                     {"train_det", "all", 1, 1, 1, 1},
                                     {"train_fix", "all", 3, 1, 0, 0},
                                     {"train_heads", "heads", 1, 1, 0, 0},
                                     {"train_b2", "all", 1, 2, 0, 0}};
    golden_file *golden = golden_open(path);
    if (!golden) return 0;
    train t = {.golden = golden, .table = table, .weights = weights};
    t.executor = strcmp(executor, "cpu") == 0 ? &mr_executor_cpu : &mr_executor_reference;
    int threads = mr_set_library_threads(THREADS), good = 1;
    if (has_run(&t, "train")) {
        mrcnn_model *model = NULL; /* for its settings */
        good = golden_model(&model, golden, weights, &t.err) &&
               mrcnn_config_set(model->config, "SAMPLING", "first", &t.err) == MRCNN_OK;
        if (good) t.settings = mr_config_settings(model->config);
        good = good && read_picture(&t, 0, "molded.u8", "train");
        if (good && has_run(&t, "train_b2"))
            good = read_picture(&t, 1, "train_b2.molded.u8", "train_b2");
        if (good) check_rpn_targets(&t);
        mrcnn_model_free(&model);
        for (size_t i = 0; good && i < sizeof kinds / sizeof *kinds; i++) good = run(&t, &kinds[i]);
        free_pictures(&t);
    }
    mr_set_library_threads(threads);
    golden_close(&golden);
    return good;
}
