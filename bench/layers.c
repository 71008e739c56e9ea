/* layers.c - what each layer of a detection takes in f32, bf16 and int8, in turn, medians:
 *
 *     bench_layers [SIZE [ROUNDS [BACKBONE]]]   (1024 5 resnet50)
 *
 * Fresh weights of 81 classes on noise; all RoIs that there can be. The last column names the algorithm that bf16 got. */
#include "median.h"

#include "base/parallel.h"
#include "base/prng.h"
#include "model/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 99, MAX_STEPS = 400, PLANS = 3, CONTENDERS = 3 };

typedef struct contender {
    const char *precision;
    mrcnn_model *model;
    mrcnn_session *session;
    mr_pipeline *pipeline;
    double ms[PLANS][MAX_STEPS][MAX_ROUNDS];
} contender;

/* Boxes of about a fifth of the picture. */
static void fill_rois(float *rois, size_t count) {
    uint64_t stream = mr_prng_stream(1, "rois");
    for (size_t i = 0; i < count; i++, rois += MR_ROI_COLUMNS) {
        float y = (float)mr_prng_uniform(stream, 2 * i) * 0.8f;
        float x = (float)mr_prng_uniform(stream, 2 * i + 1) * 0.8f;
        float roi[MR_ROI_COLUMNS] = {0, (float)(i % 4), y, x, y + 0.2f, x + 0.2f};
        memcpy(rois, roi, sizeof roi);
    }
}

/* Noise, seen once for its ranges. */
static mrcnn_status quantize(contender *c, int size, mrcnn_error *err) {
    mrcnn_quantizer *quantizer = NULL;
    size_t bytes = (size_t)size * (size_t)size * 3;
    mrcnn_image image = {size, size, 3, malloc(bytes)};
    uint64_t stream = mr_prng_stream(2, "picture");
    for (size_t i = 0; image.pixels && i < bytes; i++)
        image.pixels[i] = (uint8_t)mr_prng_value(stream, i);
    mrcnn_status status = mrcnn_quantizer_create(&quantizer, c->model, NULL, err);
    if (status == MRCNN_OK) status = mrcnn_quantizer_add(quantizer, &image, err);
    if (status == MRCNN_OK) status = mrcnn_quantizer_finish(quantizer, err);
    mrcnn_quantizer_free(&quantizer);
    free(image.pixels);
    return status;
}

static void fill_inputs(contender *c, int size) {
    size_t floats = (size_t)size * (size_t)size * 3;
    uint64_t stream = mr_prng_stream(2, "picture");
    for (size_t i = 0; i < floats; i++)
        c->pipeline->image[i] = (float)((int)(uint8_t)mr_prng_value(stream, i) - 120);
    fill_rois(c->pipeline->rois, c->pipeline->max_rois);
    fill_rois(c->pipeline->mask_rois, c->pipeline->max_detections);
}

static mrcnn_status set_up(contender *c, const char *backbone, int size, mrcnn_error *err) {
    mrcnn_config *config = NULL;
    mrcnn_status status = mrcnn_config_create(&config, NULL, err);
    if (status == MRCNN_OK) status = mrcnn_config_set(config, "BACKBONE", backbone, err);
    if (status == MRCNN_OK) status = mrcnn_config_set(config, "NUM_CLASSES", "81", err);
    if (status == MRCNN_OK) status = mrcnn_config_set(config, "DETECTION_MIN_CONFIDENCE", "0", err);
    if (status == MRCNN_OK) status = mrcnn_model_create(&c->model, config, 1, err);
    mrcnn_config_free(&config);
    if (status == MRCNN_OK && strcmp(c->precision, "int8") == 0) status = quantize(c, size, err);
    mrcnn_session_options options = mrcnn_session_options_default();
    options.precision = c->precision;
    if (status == MRCNN_OK) status = mrcnn_session_create(&c->session, c->model, &options, err);
    if (status == MRCNN_OK)
        status = mr_session_pipeline(c->session, size, size, 1, &c->pipeline, err);
    if (status == MRCNN_OK) fill_inputs(c, size);
    return status;
}

static void run(contender *c, int round) {
    mr_pipeline *p = c->pipeline;
    mr_plan *plans[PLANS] = {p->pyramid, p->box, p->mask};
    int rows[PLANS][MR_ROWS_KINDS] = {{1, 0}, {1, (int)p->max_rois}, {1, (int)p->max_detections}};
    void *workspace = c->session->workspace, *rest = mr_pipeline_roi_workspace(p, workspace);
    p->stage_count = 0;
    mr_pipeline_features(p, workspace);
    for (int k = 0; k < PLANS; k++) {
        mr_plan_step step;
        if (k > 0) mr_plan_run(plans[k], rest, rows[k]);
        for (size_t i = 0; i < MAX_STEPS && mr_plan_step_at(plans[k], i, &step); i++)
            c->ms[k][i][round] = step.milliseconds;
    }
}

/* The n-th step of that layer, in another precision. */
static double time_of(const contender *c, int k, const char *layer, int nth, int rounds) {
    const mr_plan *plans[PLANS] = {c->pipeline->pyramid, c->pipeline->box, c->pipeline->mask};
    mr_plan_step step;
    double copy[MAX_ROUNDS];
    for (size_t i = 0; i < MAX_STEPS && mr_plan_step_at(plans[k], i, &step); i++) {
        if (!step.algorithm[0] || strcmp(step.layer, layer) != 0 || nth-- > 0) continue;
        memcpy(copy, c->ms[k][i], (size_t)rounds * sizeof *copy);
        return median(copy, rounds);
    }
    return 0;
}

/* How many steps of the layer come before the i-th. */
static int steps_before(const mr_plan *plan, size_t i, const char *layer) {
    mr_plan_step step;
    int count = 0;
    for (size_t j = 0; j < i && mr_plan_step_at(plan, j, &step); j++)
        count += step.algorithm[0] && strcmp(step.layer, layer) == 0;
    return count;
}

static void print_layers(const contender *c, int rounds) {
    const contender *last = &c[CONTENDERS - 1];
    const mr_plan *plans[PLANS] = {last->pipeline->pyramid, last->pipeline->box,
                                   last->pipeline->mask};
    mr_plan_step step;
    for (int k = 0; k < PLANS; k++)
        for (size_t i = 0; i < MAX_STEPS && mr_plan_step_at(plans[k], i, &step); i++) {
            if (!step.algorithm[0] || !step.layer[0]) continue;
            int nth = steps_before(plans[k], i, step.layer);
            printf("%-12s %-20s", step.stage, step.layer);
            for (int n = 0; n < CONTENDERS; n++)
                printf(" %8.2f", time_of(&c[n], k, step.layer, nth, rounds));
            printf(" %8.2f  %s\n", step.gflop, step.algorithm);
        }
}

/* What each precision takes in all, and for what is no layer. */
static void print_sums(const contender *c, int rounds) {
    for (int n = 0; n < CONTENDERS; n++) {
        const mr_plan *plans[PLANS] = {c[n].pipeline->pyramid, c[n].pipeline->box,
                                       c[n].pipeline->mask};
        double all = 0, others = 0, copy[MAX_ROUNDS];
        mr_plan_step step;
        for (int k = 0; k < PLANS; k++)
            for (size_t i = 0; i < MAX_STEPS && mr_plan_step_at(plans[k], i, &step); i++) {
                if (!step.algorithm[0]) continue;
                memcpy(copy, c[n].ms[k][i], (size_t)rounds * sizeof *copy);
                double ms = median(copy, rounds);
                all += ms;
                if (!step.layer[0]) others += ms;
            }
        printf("%s: %.1f ms, of which %.1f for what is no layer\n", c[n].precision, all, others);
    }
}

int main(int argc, char **argv) {
    static contender c[CONTENDERS] = {
        {.precision = "f32"}, {.precision = "bf16"}, {.precision = "int8"}};
    int size = argc > 1 ? atoi(argv[1]) : 1024, rounds = argc > 2 ? atoi(argv[2]) : 5;
    const char *backbone = argc > 3 ? argv[3] : "resnet50";
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (rounds < 1 || rounds > MAX_ROUNDS || size < 64 || size % 64) {
        fprintf(stderr, "bench_layers: 1 to %d rounds, and a multiple of 64\n", MAX_ROUNDS);
        return 2;
    }
    mr_set_library_threads(mr_cores());
    for (int i = 0; i < CONTENDERS; i++)
        if (set_up(&c[i], backbone, size, &err) != MRCNN_OK) {
            fprintf(stderr, "bench_layers: %s: %s\n", c[i].precision, err.message);
            return 1;
        }
    for (int round = -1; round < rounds; round++)
        for (int i = 0; i < CONTENDERS; i++) run(&c[i], round < 0 ? 0 : round);
    printf("%-12s %-20s %8s %8s %8s %8s\n", "stage", "layer", "f32 ms", "bf16 ms", "int8 ms",
           "GFLOP");
    print_layers(c, rounds);
    print_sums(c, rounds);
    for (int i = 0; i < CONTENDERS; i++) {
        mrcnn_session_free(&c[i].session);
        mrcnn_model_free(&c[i].model);
    }
    return 0;
}
