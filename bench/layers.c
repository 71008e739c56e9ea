/* layers.c - what each layer of a detection takes in f32 and in bf16, in turn, medians:
 *
 *     bench_layers [SIZE [ROUNDS [BACKBONE]]]   (1024 5 resnet50)
 *
 * Fresh weights of 81 classes on noise; all RoIs that there can be. The last column names the algorithm that bf16 got. */
#include "median.h"

#include "base/bf16.h"
#include "base/parallel.h"
#include "base/prng.h"
#include "model/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 99, MAX_STEPS = 400, PLANS = 3 };

typedef struct contender {
    mr_type precision;
    mrcnn_model *model;
    mrcnn_session *session;
    mr_pipeline *pipeline;
    double ms[PLANS][MAX_STEPS][MAX_ROUNDS];
} contender;

static mrcnn_status set_up(contender *c, const char *backbone, int size, mrcnn_error *err) {
    mrcnn_config *config = NULL;
    mrcnn_status status = mrcnn_config_create(&config, NULL, err);
    if (status == MRCNN_OK) status = mrcnn_config_set(config, "BACKBONE", backbone, err);
    if (status == MRCNN_OK) status = mrcnn_config_set(config, "NUM_CLASSES", "81", err);
    if (status == MRCNN_OK) status = mrcnn_model_create(&c->model, config, 1, err);
    mrcnn_session_options options = mrcnn_session_options_default();
    options.precision = c->precision == MR_BF16 ? "bf16" : "f32";
    if (status == MRCNN_OK) status = mrcnn_session_create(&c->session, c->model, &options, err);
    if (status == MRCNN_OK)
        status = mr_session_pipeline(c->session, size, size, 1, &c->pipeline, err);
    mrcnn_config_free(&config);
    return status;
}

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

static void run(contender *c, int round) {
    mr_pipeline *p = c->pipeline;
    mr_plan *plans[PLANS] = {p->pyramid, p->box, p->mask};
    int rows[PLANS][MR_ROWS_KINDS] = {{1, 0}, {1, (int)p->max_rois}, {1, (int)p->max_detections}};
    for (int k = 0; k < PLANS; k++) {
        mr_plan_step step;
        mr_plan_run(plans[k], c->session->workspace, rows[k]);
        for (size_t i = 0; i < MAX_STEPS && mr_plan_step_at(plans[k], i, &step); i++)
            c->ms[k][i][round] = step.milliseconds;
    }
}

static const char *name_of(const mr_plan_step *step) {
    return step->layer[0] ? step->layer : step->algorithm;
}

/* The other precision's step of that layer, the n-th one. */
static double time_of(const contender *c, int k, const mr_plan *plan, const char *layer, int nth,
                      int rounds) {
    mr_plan_step step;
    double copy[MAX_ROUNDS];
    for (size_t i = 0; i < MAX_STEPS && mr_plan_step_at(plan, i, &step); i++) {
        if (!step.algorithm[0] || strcmp(step.layer, layer) != 0 || nth-- > 0) continue;
        memcpy(copy, c->ms[k][i], (size_t)rounds * sizeof *copy);
        return median(copy, rounds);
    }
    return 0;
}

static void print_plan(const contender *f32, const contender *bf16, int k, const mr_plan *a,
                       const mr_plan *b, int rounds, double total[3]) {
    mr_plan_step step;
    for (size_t i = 0; i < MAX_STEPS && mr_plan_step_at(b, i, &step); i++) {
        mr_plan_step before;
        double copy[MAX_ROUNDS], other = 0;
        int nth = 0;
        if (!step.algorithm[0]) continue;
        for (size_t j = 0; j < i && mr_plan_step_at(b, j, &before); j++)
            nth += before.algorithm[0] && strcmp(before.layer, step.layer) == 0;
        memcpy(copy, bf16->ms[k][i], (size_t)rounds * sizeof *copy);
        double ms = median(copy, rounds);
        if (step.layer[0]) other = time_of(f32, k, a, step.layer, nth, rounds);
        printf("%-12s %-24s %8.2f %8.2f %8.2f  %s\n", step.stage, name_of(&step), other, ms,
               step.gflop, step.algorithm);
        total[0] += other, total[1] += ms, total[2] += step.layer[0] ? 0 : ms;
    }
}

int main(int argc, char **argv) {
    static contender c[2] = {{.precision = MR_F32}, {.precision = MR_BF16}};
    int size = argc > 1 ? atoi(argv[1]) : 1024, rounds = argc > 2 ? atoi(argv[2]) : 5;
    const char *backbone = argc > 3 ? argv[3] : "resnet50";
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (rounds < 1 || rounds > MAX_ROUNDS || !mr_bf16_is_native()) {
        fprintf(stderr, "bench_layers: 1 to %d rounds, on a processor with bf16\n", MAX_ROUNDS);
        return 2;
    }
    mr_set_library_threads(mr_cores());
    for (int i = 0; i < 2; i++) {
        if (set_up(&c[i], backbone, size, &err) != MRCNN_OK) {
            fprintf(stderr, "bench_layers: %s\n", err.message);
            return 1;
        }
        size_t floats = (size_t)size * (size_t)size * 3;
        uint64_t stream = mr_prng_stream(2, "picture");
        for (size_t n = 0; n < floats; n++)
            c[i].pipeline->image[n] = (float)(mr_prng_uniform(stream, n) * 255 - 120);
        fill_rois(c[i].pipeline->rois, c[i].pipeline->max_rois);
        fill_rois(c[i].pipeline->mask_rois, c[i].pipeline->max_detections);
    }
    for (int round = -1; round < rounds; round++)
        for (int i = 0; i < 2; i++) run(&c[i], round < 0 ? 0 : round);
    printf("%-12s %-24s %8s %8s %8s\n", "stage", "layer", "f32 ms", "bf16 ms", "GFLOP");
    double total[3] = {0, 0, 0};
    const mr_pipeline *a = c[0].pipeline, *b = c[1].pipeline;
    const mr_plan *fs[PLANS] = {a->pyramid, a->box, a->mask},
                  *bs[PLANS] = {b->pyramid, b->box, b->mask};
    for (int k = 0; k < PLANS; k++) print_plan(&c[0], &c[1], k, fs[k], bs[k], rounds, total);
    printf("layers: %.1f ms in f32, %.1f in bf16; what is no layer: %.1f in bf16\n", total[0],
           total[1] - total[2], total[2]);
    for (int i = 0; i < 2; i++) {
        mrcnn_session_free(&c[i].session);
        mrcnn_model_free(&c[i].model);
    }
    return 0;
}
