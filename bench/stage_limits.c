/* stage_limits.c - what the stages of a detection have to multiply, as JSON for bench_report:
 *
 *     stage_limits SIZE [KEY=VALUE]...
 *
 * gflop is of the plain algorithm, least with a quarter of the multiplications where Winograd's F(4x4, 3x3) is used.
 * The network is compiled for one picture in f32, 81 classes and fresh weights; nothing is run. A program of its own,
 * because the memory that it takes would be counted to each process that is started after it. */
#include "base/parallel.h"
#include "model/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STAGES = 16 };

typedef struct limit {
    const char *stage;
    double gflop, least;
} limit;

typedef struct limits {
    size_t count;
    limit items[MAX_STAGES];
} limits;

static limit *limit_for(limits *all, const char *stage) {
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i].stage, stage) == 0) return &all->items[i];
    if (all->count == MAX_STAGES) return NULL;
    all->items[all->count] = (limit){stage, 0, 0};
    return &all->items[all->count++];
}

static void add_plan(limits *all, const mr_plan *plan, size_t rows) {
    mr_plan_step step;
    for (size_t i = 0; mr_plan_step_at(plan, i, &step); i++) {
        limit *l = step.gflop > 0 ? limit_for(all, step.stage) : NULL;
        if (!l) continue;
        double gflop = step.gflop * (double)rows;
        l->gflop += gflop;
        l->least += strncmp(step.algorithm, "winograd", 8) == 0 ? gflop / 4 : gflop;
    }
}

static void print_limits(const mr_pipeline *p) {
    limits all = {.count = 0};
    add_plan(&all, p->pyramid, 1);
    add_plan(&all, p->box, p->max_rois);
    add_plan(&all, p->mask, p->max_detections);
    printf("{\"stages\": [");
    for (size_t i = 0; i < all.count; i++)
        printf("%s\n  {\"name\": \"%s\", \"gflop\": %.6g, \"least\": %.6g}", i ? "," : "",
               all.items[i].stage, all.items[i].gflop, all.items[i].least);
    printf("\n]}\n");
}

static mrcnn_status configure(mrcnn_config *config, char **settings, mrcnn_error *err) {
    mrcnn_status status = mrcnn_config_set(config, "NUM_CLASSES", "81", err);
    for (; *settings && status == MRCNN_OK; settings++) {
        char *equals = strchr(*settings, '=');
        if (equals) *equals = '\0';
        status = mrcnn_config_set(config, *settings, equals ? equals + 1 : "", err);
    }
    return status;
}

int main(int argc, char **argv) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mr_pipeline *p = NULL;
    int size = argc > 1 ? atoi(argv[1]) : 0;
    if (size < 64 || size % 64) {
        fprintf(stderr, "stage_limits: the size is no multiple of 64\n");
        return 2;
    }
    mrcnn_session_options options = mrcnn_session_options_default();
    options.precision = "f32";
    mrcnn_status status = mrcnn_config_create(&config, NULL, &err);
    if (status == MRCNN_OK) status = configure(config, argv + 2, &err);
    if (status == MRCNN_OK) status = mrcnn_model_create(&model, config, 0, &err);
    if (status == MRCNN_OK) status = mrcnn_session_create(&session, model, &options, &err);
    mr_set_library_threads(mr_cores());
    if (status == MRCNN_OK) status = mr_session_pipeline(session, size, size, 1, &p, &err);
    if (status == MRCNN_OK)
        print_limits(p);
    else
        fprintf(stderr, "stage_limits: %s\n", err.message);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return status == MRCNN_OK ? 0 : 1;
}
