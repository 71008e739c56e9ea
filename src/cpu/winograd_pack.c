/* winograd_pack.c - the packing of weights for the Winograd convolution. See winograd.h. */
#include <string.h>

#include "base/parallel.h"
#include "cpu/winograd_kernels.h"
#include "cpu/winograd_tiles.h"

size_t mr_winograd_packed_size_with(const mr_winograd_kernels *k, int c_in, int c_out) {
    return POSITIONS * ceil_div((size_t)c_in, (size_t)k->block) * (size_t)k->lanes *
           round_up((size_t)c_out, (size_t)k->panel);
}

enum { MOST_PANEL = 32, IN = 16 /* input channels of an item: a cache line of them */ };

/* Packed weights are [panel][position][input channel][output channel of the panel]: each panel is
 * read from end to end. */
typedef struct {
    const mr_winograd_kernels *k;
    const float *kernel;
    size_t in, out, in_padded; /* channels of the convolution to be run */
    int backward;              /* its taps are rotated and its channels exchanged in kernel */
    float *packed;
} packing;

/* The taps of some input channels and one panel, [input channel][tap][output channel], zeros for
 * channels that are padding. */
static void load_taps(const packing *p, size_t in, size_t first, float taps[IN][9][MOST_PANEL]) {
    size_t ins = in < p->in ? at_most(p->in - in, IN) : 0;
    size_t lanes = at_most(p->out - first, (size_t)p->k->panel);
    if (ins < IN || lanes < MOST_PANEL) memset(taps, 0, IN * sizeof taps[0]);
    for (size_t tap = 0; tap < 9; tap++) {
        const float *from = p->kernel + tap * p->in * p->out;
        if (!p->backward)
            for (size_t i = 0; i < ins; i++)
                memcpy(taps[i][tap], from + (in + i) * p->out + first, lanes * sizeof *from);
        else
            for (size_t lane = 0; lane < lanes; lane++)
                for (size_t i = 0; i < ins; i++)
                    taps[i][8 - tap][lane] = from[(first + lane) * p->in + in + i];
    }
}

/* Items are (panel, IN input channels) pairs. */
static void pack_items(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const packing *p = context;
    size_t panel = (size_t)p->k->panel, pieces = ceil_div(p->in_padded, IN);
    float taps[IN][9][MOST_PANEL];
    for (size_t item = begin; item < end; item++) {
        size_t first = item / pieces * panel, in = item % pieces * IN;
        size_t per_lane = (size_t)(p->k->block / p->k->lanes), lanes = p->in_padded / per_lane;
        float *to = p->packed + first * POSITIONS * lanes + in / per_lane * panel;
        load_taps(p, in, first, taps);
        for (size_t i = 0; i < IN && in + i < p->in_padded; i++) {
            const float *tap[9];
            for (size_t t = 0; t < 9; t++) tap[t] = taps[i][t];
            p->k->pack(tap, to + i / per_lane * panel, lanes * panel, i % per_lane);
        }
    }
}

static void pack(packing *p, int threads) {
    p->in_padded = round_up(p->in, (size_t)p->k->block);
    size_t panels = ceil_div(p->out, (size_t)p->k->panel);
    mr_parallel(threads, panels * ceil_div(p->in_padded, IN), pack_items, p);
}

void mr_winograd_pack_with(const mr_winograd_kernels *k, const float *kernel, int c_in, int c_out,
                           float *packed, int threads) {
    packing p = {
        .k = k, .kernel = kernel, .in = (size_t)c_in, .out = (size_t)c_out, .packed = packed};
    pack(&p, threads);
}

void mr_winograd_pack_backward_data_with(const mr_winograd_kernels *k, const float *kernel,
                                         int c_in, int c_out, float *packed, int threads) {
    packing p = {.k = k,
                 .kernel = kernel,
                 .in = (size_t)c_out,
                 .out = (size_t)c_in,
                 .backward = 1,
                 .packed = packed};
    pack(&p, threads);
}
