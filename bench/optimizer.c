/* optimizer.c - one update of all weights of Mask R-CNN on ResNet-50 with 81 classes, with clipping:
 * milliseconds, and bytes a second beside those of memcpy over the same memory by as many threads.
 * A step reads the gradients twice and everything else once; memcpy's bytes are those that it reads
 * and those that it writes. Medians, as a shared machine's speed changes from second to second.
 *   bench_optimizer [threads [rounds]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "median.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "model/model.h"
#include "train/layers.h"
#include "train/optimizer.h"

enum { MOST_ROUNDS = 1000 };

static void check(mrcnn_status status, const mrcnn_error *err) {
    if (status == MRCNN_OK) return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void fill(mr_tensors *set, float value) {
    for (size_t k = 0; k < mr_tensors_count(set); k++) {
        mr_tensor *t = mr_tensors_at(set, k);
        for (size_t i = 0; i < t->count; i++) t->values[i] = value;
    }
}

static size_t elements_of(const mr_tensors *set) {
    size_t count = 0;
    for (size_t k = 0; k < mr_tensors_count(set); k++) count += mr_tensors_at(set, k)->count;
    return count;
}

typedef struct copy {
    mr_tensors *to, *from;
} copy;

static void copy_part(void *context, size_t begin, size_t end, int thread) {
    const copy *c = context;
    (void)thread;
    for (size_t k = 0; k < mr_tensors_count(c->to); k++) {
        mr_tensor *to = mr_tensors_at(c->to, k), *from = mr_tensors_at(c->from, k);
        size_t first = to->count * begin / 1024, last = to->count * end / 1024;
        memcpy(to->values + first, from->values + first, (last - first) * sizeof(float));
    }
}

static void bench_copy(mr_tensors *gradients, const mr_tensors *weights, int threads, int rounds) {
    static double times[MOST_ROUNDS];
    mrcnn_error err = MRCNN_ERROR_INIT;
    copy c = {NULL, gradients};
    check(mr_layers_gradients(weights, "all", &c.to, &err), &err);
    for (int round = -1; round < rounds; round++) {
        double begin = mr_milliseconds();
        mr_parallel(threads, 1024, copy_part, &c);
        if (round >= 0) times[round] = mr_milliseconds() - begin;
    }
    double ms = median(times, rounds), bytes = 8 * (double)elements_of(gradients);
    printf("%-28s %8.1f %8.1f\n", "memcpy of the gradients", ms, bytes * 1e-6 / ms);
    mr_tensors_free(&c.to);
}

static void bench(const char *name, const char *optimizer, const char *decay, double bytes_a_weight,
                  mr_tensors *weights, mr_tensors *gradients, int threads, int rounds) {
    static double times[MOST_ROUNDS];
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mr_optimizer *o = NULL;
    check(mrcnn_config_create(&config, NULL, &err), &err);
    check(mrcnn_config_set(config, "OPTIMIZER", optimizer, &err), &err);
    check(mrcnn_config_set(config, "EMA_DECAY", decay, &err), &err);
    fill(weights, 0.5f);
    check(mr_optimizer_create(&o, mr_config_settings(config), weights, gradients, threads, &err),
          &err);
    for (int round = -1; round < rounds; round++) {
        mr_update update;
        fill(gradients, 0.01f); /* its norm is above 5: clipped */
        double begin = mr_milliseconds();
        mr_optimizer_step(o, 0.001, 1, &update);
        if (round >= 0) times[round] = mr_milliseconds() - begin;
        if (!(update.scale < 1)) exit(1);
    }
    double ms = median(times, rounds), bytes = bytes_a_weight * (double)elements_of(gradients);
    printf("%-28s %8.1f %8.1f\n", name, ms, bytes * 1e-6 / ms);
    fflush(stdout);
    mr_optimizer_free(&o);
    mrcnn_config_free(&config);
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : mr_cores();
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    if (threads < 1) threads = 1;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 15;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mr_tensors *weights = mr_tensors_create(), *gradients = NULL;
    if (!weights) return 1;
    check(mrcnn_config_create(&config, "coco", &err), &err);
    check(mrcnn_config_set(config, "BACKBONE", "resnet50", &err), &err);
    check(mr_required_tensors(weights, mr_config_settings(config), &err), &err);
    check(mr_layers_gradients(weights, "all", &gradients, &err), &err);
    printf("%zu weights, %d threads, median of %d rounds\n", elements_of(gradients), threads,
           rounds);
    printf("%-28s %8s %8s\n", "", "ms", "GB/s");
    bench("sgd, momentum", "sgd", "0", 28, weights, gradients, threads, rounds);
    bench("sgd, momentum, average", "sgd", "0.999", 36, weights, gradients, threads, rounds);
    bench("adamw", "adamw", "0", 36, weights, gradients, threads, rounds);
    bench("adamw, average", "adamw", "0.999", 44, weights, gradients, threads, rounds);
    bench_copy(gradients, weights, threads, rounds);
    mr_tensors_free(&gradients);
    mr_tensors_free(&weights);
    mrcnn_config_free(&config);
    return 0;
}
