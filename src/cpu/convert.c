/* convert.c - the same numbers in another type, to the nearest and to the ends of its range. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
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

static void convert(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const convert_job *job = context;
    float floats[BLOCK];
    for (size_t at = begin * BLOCK; at < end * BLOCK; at += BLOCK) {
        size_t all = job->k->size * (size_t)job->run->rows[job->k->rows];
        size_t count = all - at < BLOCK ? all - at : BLOCK;
        mr_read_numbers(job->k->from, job->k->from_scale, job->run->inputs[0], at, floats, count);
        mr_write_numbers(job->k->to, job->k->to_scale, floats, job->run->output, at, count);
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
    k->to_scale = mr_type_is_8bit(k->to) ? p->node->scale : 1;
    *kernel = &k->base;
    return MRCNN_OK;
}
