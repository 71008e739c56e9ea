/* convert.c - the same numbers in another type, to the nearest and to the ends of its range. */
#include "base/bf16.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/round.h"
#include "cpu/cpu.h"

#include <stdlib.h>

typedef struct convert_kernel {
    mr_kernel base;
    mr_rows rows;
    size_t size; /* numbers of a row */
    mr_type from, to;
    float from_scale, to_scale;
} convert_kernel;

typedef struct convert_job {
    const convert_kernel *k;
    const mr_run *run;
} convert_job;

enum { BLOCK = 256 }; /* numbers that are floats in between */

static void read_floats(const convert_kernel *k, const void *from, size_t at, float *to,
                        size_t count) {
    float scale = k->from_scale;
    switch (k->from) {
    case MR_F32:
        for (size_t i = 0; i < count; i++) to[i] = ((const float *)from)[at + i];
        break;
    case MR_BF16: mr_bf16_to_floats((const mr_bf16 *)from + at, to, count); break;
    case MR_U8:
        for (size_t i = 0; i < count; i++) to[i] = (float)((const uint8_t *)from)[at + i] * scale;
        break;
    case MR_S8:
        for (size_t i = 0; i < count; i++) to[i] = (float)((const int8_t *)from)[at + i] * scale;
        break;
    }
}

/* NaN becomes the least. */
static float cut(float x, float least, float most) {
    x = x > least ? x : least;
    return x < most ? x : most;
}

static void write_floats(const convert_kernel *k, const float *from, void *to, size_t at,
                         size_t count) {
    float factor = 1 / k->to_scale;
    switch (k->to) {
    case MR_F32:
        for (size_t i = 0; i < count; i++) ((float *)to)[at + i] = from[i];
        break;
    case MR_BF16: mr_bf16_from_floats(from, (mr_bf16 *)to + at, count); break;
    case MR_U8:
        for (size_t i = 0; i < count; i++)
            ((uint8_t *)to)[at + i] = (uint8_t)mr_round(cut(from[i] * factor, 0, 255));
        break;
    case MR_S8:
        for (size_t i = 0; i < count; i++)
            ((int8_t *)to)[at + i] = (int8_t)mr_round(cut(from[i] * factor, -128, 127));
        break;
    }
}

static void convert(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const convert_job *job = context;
    float floats[BLOCK];
    for (size_t at = begin * BLOCK; at < end * BLOCK; at += BLOCK) {
        size_t all = job->k->size * (size_t)job->run->rows[job->k->rows];
        size_t count = all - at < BLOCK ? all - at : BLOCK;
        read_floats(job->k, job->run->inputs[0], at, floats, count);
        write_floats(job->k, floats, job->run->output, at, count);
    }
}

static void run_convert(mr_kernel *kernel, const mr_run *run) {
    convert_job job = {(convert_kernel *)kernel, run};
    size_t all = job.k->size * (size_t)run->rows[job.k->rows];
    mr_parallel(run->threads, (all + BLOCK - 1) / BLOCK, convert, &job);
}

static void free_convert(mr_kernel *kernel) {
    free(kernel);
}

mrcnn_status mr_cpu_convert(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    convert_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a conversion");
    k->base.run = run_convert;
    k->base.free = free_convert;
    k->base.algorithm = "convert";
    k->rows = p->node->rows;
    k->size = mr_shape_size(p->node->shape);
    k->from = mr_input_type(p, 0);
    k->to = p->node->type;
    k->from_scale = mr_input_scale(p, 0);
    k->to_scale = p->node->scale;
    *kernel = &k->base;
    return MRCNN_OK;
}
