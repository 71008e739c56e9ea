/* train_step.c - one training step, stage by stage, beside the machine's peak:
 *
 *     bench_train_step [LAYERS [SIZE [STEPS [BACKBONE [CLASSES [PRECISION [BATCH [recompute]]]]]]]]
 *                      (all 1024 5 resnet50 81 f32 1)
 *
 * A picture of noise with ten objects; fresh weights. The RoIs are as in a model that has learnt
 * something: around the objects, so that the heads have all the work that they can have. */
#include "median.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "base/prng.h"
#include "image/bits.h"
#include "model/model.h"
#include "train/layers.h"
#include "train/learner.h"
#include "train/optimizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { OBJECTS = 10, ROIS = 400, MAX_STEPS = 99, MAX_BATCH = 16, MAX_ROWS = 64 };

typedef struct scene {
    uint8_t *pixels, *masks, *active;
    int32_t class_ids[OBJECTS], boxes[OBJECTS][4];
    float rois[ROIS][4];
    mr_lesson lesson;
} scene;

static int check(mrcnn_status status, const mrcnn_error *err) {
    if (status != MRCNN_OK) fprintf(stderr, "bench_train_step: %s\n", err->message);
    return status == MRCNN_OK;
}

static int draw(uint64_t stream, int i, int low, int high) {
    return low + (int)(mr_prng_uniform(stream, (uint64_t)i) * (high - low));
}

/* Boxes of about a tenth to a third of the picture, and RoIs near them. */
static int make_scene(scene *s, const mr_settings *settings, int size, mrcnn_error *err) {
    size_t pixels = (size_t)size * (size_t)size * 3;
    size_t mask =
        mr_bits_size(settings->mini_mask_shape.values[0], settings->mini_mask_shape.values[1]);
    uint64_t stream = mr_prng_stream(1, "scene");
    s->pixels = malloc(pixels);
    s->masks = malloc(OBJECTS * mask);
    s->active = malloc((size_t)settings->num_classes);
    if (!s->pixels || !s->masks || !s->active) return 0;
    for (size_t i = 0; i < pixels; i++) s->pixels[i] = (uint8_t)mr_prng_value(stream, i);
    memset(s->masks, 0xFF, OBJECTS * mask);
    memset(s->active, 1, (size_t)settings->num_classes);
    for (int i = 0; i < OBJECTS; i++) {
        int h = draw(stream, 4 * i, size / 10, size / 3),
            w = draw(stream, 4 * i + 1, size / 10, size / 3);
        int y = draw(stream, 4 * i + 2, 0, size - h), x = draw(stream, 4 * i + 3, 0, size - w);
        s->class_ids[i] = 1;
        int32_t box[4] = {y, x, y + h, x + w};
        memcpy(s->boxes[i], box, sizeof box);
    }
    for (int i = 0; i < ROIS; i++) {
        double box[4];
        for (int k = 0; k < 4; k++) {
            int jitter = i < ROIS / 2 ? size / 100 : size / 8;
            int at = s->boxes[i % OBJECTS][k] + draw(stream, 1000 + 4 * i + k, -jitter, jitter + 1);
            box[k] = at < 0 ? 0 : at > size - 1 ? size - 1 : at;
        }
        if (box[2] < box[0] + 8) box[2] = box[0] + 8;
        if (box[3] < box[1] + 8) box[3] = box[1] + 8;
        mr_norm_box(box, size, size, s->rois[i]);
    }
    mr_ground_truth truth = {OBJECTS,
                             s->class_ids,
                             (const int32_t(*)[4])s->boxes,
                             settings->mini_mask_shape.values[0],
                             settings->mini_mask_shape.values[1],
                             s->masks};
    size_t count = mr_anchor_count(settings, size, size);
    double *anchors = malloc(count * 4 * sizeof *anchors);
    if (!anchors) return 0;
    mr_anchors_pixels(settings, size, size, anchors);
    s->lesson = (mr_lesson){.pixels = s->pixels,
                            .truth = truth,
                            .active = s->active,
                            .proposals = &s->rois[0][0],
                            .proposal_count = ROIS};
    int good = check(
        mr_build_rpn_targets(&s->lesson.rpn, anchors, count, &truth, settings, stream, err), err);
    free(anchors);
    return good;
}

typedef struct times {
    const char *names[MAX_ROWS];
    double gflop[MAX_ROWS], ms[MAX_ROWS][MAX_STEPS];
    int rows;
} times;

static void note(times *t, const char *name, double gflop, double ms, int step) {
    int i = 0;
    while (i < t->rows && strcmp(t->names[i], name) != 0) i++;
    if (i == MAX_ROWS) return;
    if (i == t->rows) t->names[t->rows++] = name;
    t->gflop[i] = gflop;
    t->ms[i][step] = ms;
}

static void print(times *t, int steps, double peak) {
    printf("%-28s %9s %8s %9s %7s\n", "stage", "ms", "GFLOP", "GFLOP/s", "of peak");
    for (int i = 0; i < t->rows; i++) {
        double ms = median(t->ms[i], steps), rate = t->gflop[i] / ms * 1000;
        printf("%-28s %9.1f", t->names[i], ms);
        if (t->gflop[i] > 0) printf(" %8.1f %9.0f %6.0f%%", t->gflop[i], rate, 100 * rate / peak);
        printf("\n");
    }
}

int main(int argc, char **argv) {
    const char *layers = argc > 1 ? argv[1] : "all";
    int size = argc > 2 ? atoi(argv[2]) : 1024, steps = argc > 3 ? atoi(argv[3]) : 5;
    int batch = argc > 7 ? atoi(argv[7]) : 1;
    if (steps < 1 || steps > MAX_STEPS) steps = 5;
    if (batch < 1 || batch > MAX_BATCH) batch = 1;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    char number[16];
    snprintf(number, sizeof number, "%d", size);
    int threads = mr_cores();
    mr_set_library_threads(threads);
    if (!check(mrcnn_config_create(&config, NULL, &err), &err)) return 1;
    const char *keys[][2] = {{"BACKBONE", argc > 4 ? argv[4] : "resnet50"},
                             {"NUM_CLASSES", argc > 5 ? argv[5] : "81"},
                             {"TRAIN_PRECISION", argc > 6 ? argv[6] : "f32"},
                             {"IMAGE_MIN_DIM", number},
                             {"IMAGE_MAX_DIM", number}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!check(mrcnn_config_set(config, keys[i][0], keys[i][1], &err), &err)) return 1;
    if (!check(mrcnn_model_create(&model, config, 1, &err), &err)) return 1;
    const mr_settings *settings = mr_config_settings(model->config);
    scene s = {0};
    mr_tensors *gradients = NULL;
    mr_learner *learner = NULL;
    mr_optimizer *optimizer = NULL;
    mr_packs *packs = mr_packs_create();
    if (!make_scene(&s, settings, size, &err) ||
        !check(mr_layers_gradients(model->weights, layers, &gradients, &err), &err))
        return 1;
    mr_learner_options options = {.settings = settings,
                                  .executor = &mr_executor_cpu,
                                  .weights = model->weights,
                                  .gradients = gradients,
                                  .packs = packs,
                                  .height = size,
                                  .width = size,
                                  .batch = batch,
                                  .threads = threads,
                                  .recompute = argc > 8 && strcmp(argv[8], "recompute") == 0};
    if (!check(mr_learner_create(&learner, &options, &err), &err) ||
        !check(mr_optimizer_create(&optimizer, settings, model->weights, gradients, threads, &err),
               &err))
        return 1;
    static times t;
    mr_lesson lessons[MAX_BATCH]; /* the same picture */
    for (int b = 0; b < batch; b++) lessons[b] = s.lesson;
    mr_lesson_result result = {0};
    for (int step = -1; step < steps; step++) { /* the first one warms up */
        int at = step < 0 ? 0 : step;
        mr_update update;
        double before = mr_milliseconds();
        if (!check(mr_learner_run(learner, lessons, 1, &result, &err), &err)) return 1;
        double learnt = mr_milliseconds();
        mr_regularise(model->weights, gradients, settings, 1);
        double penalised = mr_milliseconds();
        mr_optimizer_step(optimizer, 1e-6, 1, &update);
        double after = mr_milliseconds();
        const mrcnn_stage_time *stage;
        for (size_t i = 0; (stage = mr_learner_stage(learner, i)); i++)
            note(&t, stage->name, stage->gflop, stage->milliseconds, at);
        note(&t, "regulariser", 0, penalised - learnt, at);
        note(&t, "optimizer", 0, after - penalised, at);
        note(&t, "step", 0, after - before, at);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double peak = mrcnn_peak_gflops(threads);
    printf("%s, %d pictures of %d x %d, layers %s, %d RoIs of which %d positive, %d threads, peak "
           "%.0f GFLOP/s\n",
           settings->backbone, batch, size, size, layers, result.rois, result.positive_rois,
           threads, peak);
    print(&t, steps, peak);
    printf(
        "%d layers computed again; learner %.0f MB, weights %.0f MB, peak of the process %.0f MB\n",
        mr_learner_recomputed(learner), (double)mr_learner_bytes(learner) / 1e6,
        (double)mr_weight_bytes(packs, model->weights) / 1e6, (double)usage.ru_maxrss * 1024 / 1e6);
    mr_learner_free(&learner);
    mr_optimizer_free(&optimizer);
    mr_packs_free(&packs);
    mr_tensors_free(&gradients);
    mr_rpn_targets_free(&s.lesson.rpn);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    free(s.pixels);
    free(s.masks);
    free(s.active);
    return 0;
}
