/* bench_measure.c - sessions that detect at the same time: each one is a lane with its own thread and its own notes,
 * which are put together when all have ended. */
#include "bench.h"
#include "progress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What all lanes know. The first lane is the calling thread's. */
typedef struct crew {
    const bench_plan *plan;
    const mrcnn_image *pictures;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int64_t ready; /* lanes that are warm */
    int failed;
} crew;

typedef struct lane_stage {
    const char *name;
    double gflop;
    double *passes; /* milliseconds of each */
} lane_stage;

typedef struct lane {
    crew *crew;
    mrcnn_session *session;
    pthread_t thread;
    int shows_progress;
    size_t instances, stage_count;
    lane_stage *stages;
    double *passes; /* milliseconds of each */
    mrcnn_error err;
} lane;

int64_t bench_threads_of_each(const bench_plan *plan) {
    if (plan->sessions == 1) return plan->threads;
    int64_t threads = plan->threads ? plan->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return threads > plan->sessions ? threads / plan->sessions : 1;
}

/* Flat blocks of random colours with noise over them: edges and texture at several scales, the same
 * ones each time. */
static mrcnn_image make_picture(int64_t side, int channels) {
    mrcnn_image image = {(int32_t)side, (int32_t)side, channels, NULL};
    image.pixels = text_grow(NULL, (size_t)(side * side), (size_t)channels);
    uint64_t state = 1;
    for (int64_t y = 0; y < side; y++)
        for (int64_t x = 0; x < side; x++)
            for (int64_t c = 0; c < channels; c++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                uint64_t block = (uint64_t)((y / 64) * 131 + (x / 48) * 37 + c * 71);
                uint64_t base = block * 2654435761u >> 7 & 191;
                image.pixels[(y * side + x) * channels + c] = (uint8_t)(base + (state >> 58));
            }
    return image;
}

/* -------------------------------------------------------------------------------------- one lane */

static double *zeros(int64_t count) {
    double *values = text_grow(NULL, (size_t)count, sizeof *values);
    for (int64_t i = 0; i < count; i++) values[i] = 0;
    return values;
}

static void note_stages(lane *l, int64_t pass) {
    const mrcnn_stage_time *stage;
    for (size_t i = 0; (stage = mrcnn_session_stage(l->session, i)); i++) {
        if (i == l->stage_count) {
            l->stages = text_grow(l->stages, i + 1, sizeof *l->stages);
            l->stages[i].passes = zeros(l->crew->plan->runs);
            l->stage_count++;
        }
        l->stages[i].name = stage->name;
        l->stages[i].gflop = stage->gflop;
        l->stages[i].passes[pass] = stage->milliseconds;
    }
}

/* Milliseconds; negative when it failed. */
static double run_pass(lane *l) {
    mrcnn_result *results[BENCH_MAX_BATCH];
    size_t batch = (size_t)l->crew->plan->batch;
    double start = progress_clock();
    if (mrcnn_detect(l->session, l->crew->pictures, batch, results, &l->err) != MRCNN_OK) return -1;
    double milliseconds = 1e3 * (progress_clock() - start);
    l->instances = results[0]->count;
    for (size_t i = 0; i < batch; i++) mrcnn_result_free(&results[i]);
    return milliseconds;
}

static void show(const lane *l, int64_t done) {
    if (l->shows_progress) progress_show((uint64_t)done, (uint64_t)l->crew->plan->runs + 1);
}

static void give_up(crew *c) {
    pthread_mutex_lock(&c->mutex);
    c->failed = 1;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

/* The first pass packs weights, compiles plans and may measure algorithms, so lanes have theirs one after
 * another. 0: a lane failed. */
static int warm_up(lane *l) {
    crew *c = l->crew;
    pthread_mutex_lock(&c->mutex);
    if (!c->failed && run_pass(l) < 0) c->failed = 1;
    c->ready++;
    pthread_cond_broadcast(&c->changed);
    while (c->ready < c->plan->sessions && !c->failed) pthread_cond_wait(&c->changed, &c->mutex);
    int good = !c->failed;
    pthread_mutex_unlock(&c->mutex);
    return good;
}

static void *run_lane(void *context) {
    lane *l = context;
    l->passes = zeros(l->crew->plan->runs);
    show(l, 0);
    if (!warm_up(l)) return NULL;
    for (int64_t pass = 0; pass < l->crew->plan->runs; pass++) {
        show(l, pass + 1);
        l->passes[pass] = run_pass(l);
        if (l->passes[pass] < 0) {
            give_up(l->crew);
            return NULL;
        }
        note_stages(l, pass);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------- all lanes */

static void run_lanes(crew *c, lane *lanes) {
    int64_t started = 1;
    for (; started < c->plan->sessions; started++) {
        lane *l = &lanes[started];
        if (pthread_create(&l->thread, NULL, run_lane, l) == 0) continue;
        l->err.status = MRCNN_E_MEMORY;
        snprintf(l->err.message, sizeof l->err.message,
                 "there are no threads for %lld sessions; use fewer", (long long)c->plan->sessions);
        give_up(c);
        break;
    }
    progress_start("passes", PROGRESS_ITEMS);
    run_lane(&lanes[0]);
    for (int64_t i = 1; i < started; i++) pthread_join(lanes[i].thread, NULL);
    progress_end();
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static double median(double *values, int64_t count) {
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count % 2 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
}

static size_t most_bytes(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#ifdef __APPLE__
    return (size_t)usage.ru_maxrss;
#else
    return (size_t)usage.ru_maxrss * 1024;
#endif
}

/* While all lanes are busy, each does a batch in the time that it usually takes: what those who end a
 * little later do alone has no part in it. */
static void sum_up_passes(bench_figures *f, const bench_plan *plan, lane *lanes, double *all) {
    for (int64_t i = 0; i < plan->sessions; i++) {
        memcpy(all + i * plan->runs, lanes[i].passes, (size_t)plan->runs * sizeof *all);
        double usual = median(lanes[i].passes, plan->runs);
        if (usual > 0) f->pictures_per_second += 1e3 * (double)plan->batch / usual;
    }
    int64_t count = plan->sessions * plan->runs;
    f->latency = median(all, count);
    f->fastest = all[0];
    f->slowest = all[count - 1];
}

/* Lanes do the same, so their stages are the same ones. */
static void sum_up_stages(bench_figures *f, const bench_plan *plan, const lane *lanes,
                          double *all) {
    f->stages = text_grow(NULL, lanes[0].stage_count, sizeof *f->stages);
    f->stage_count = lanes[0].stage_count;
    for (size_t s = 0; s < f->stage_count; s++) {
        int64_t count = 0;
        for (int64_t i = 0; i < plan->sessions; i++) {
            if (s >= lanes[i].stage_count) continue;
            memcpy(all + count, lanes[i].stages[s].passes, (size_t)plan->runs * sizeof *all);
            count += plan->runs;
        }
        const lane_stage *stage = &lanes[0].stages[s];
        f->stages[s] = (bench_stage){stage->name, median(all, count), stage->gflop};
    }
}

static const mrcnn_error *failure_of(const lane *lanes, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (lanes[i].err.status != MRCNN_OK) return &lanes[i].err;
    return NULL;
}

static void free_lane(lane *l) {
    for (size_t i = 0; i < l->stage_count; i++) free(l->stages[i].passes);
    free(l->stages);
    free(l->passes);
}

int bench_measure(bench_figures *f, const bench_plan *plan, const mrcnn_config *config,
                  mrcnn_session *const *sessions) {
    mrcnn_image picture = make_picture(plan->size, mrcnn_config_image_options(config).channels);
    mrcnn_image pictures[BENCH_MAX_BATCH];
    for (int64_t i = 0; i < plan->batch; i++) pictures[i] = picture;
    crew c = {.plan = plan, .pictures = pictures};
    pthread_mutex_init(&c.mutex, NULL);
    pthread_cond_init(&c.changed, NULL);
    lane lanes[BENCH_MAX_SESSIONS];
    for (int i = 0; i < BENCH_MAX_SESSIONS; i++)
        lanes[i] = (lane){.crew = &c,
                          .session = i < plan->sessions ? sessions[i] : NULL,
                          .shows_progress = i == 0,
                          .err = MRCNN_ERROR_INIT};
    run_lanes(&c, lanes);
    const mrcnn_error *err = failure_of(lanes, plan->sessions);
    int code = err ? fail_with(err) : EXIT_DONE;
    if (!err) {
        double *all = zeros(plan->sessions * plan->runs);
        sum_up_passes(f, plan, lanes, all);
        sum_up_stages(f, plan, lanes, all);
        free(all);
        f->instances = lanes[0].instances;
        f->session_bytes = mrcnn_session_bytes(sessions[0]);
        f->process_bytes = most_bytes();
        f->precision = mrcnn_session_precision(sessions[0]);
        f->peak_gflops = mrcnn_peak_gflops((int)plan->threads);
    }
    for (int64_t i = 0; i < plan->sessions; i++) free_lane(&lanes[i]);
    pthread_cond_destroy(&c.changed);
    pthread_mutex_destroy(&c.mutex);
    free(picture.pixels);
    return code;
}

void bench_figures_free(bench_figures *f) {
    free(f->stages);
}
