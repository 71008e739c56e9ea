/* quantizer.c - calibration: a histogram of the sizes of each layer's values, over pictures, and where to cut it
 * off. */
#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "model/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 4096, MOST_LAYERS = 512 };

/* Counts of |value| in equal bins from 0 on; what is larger than all doubles their width. */
typedef struct histogram {
    char layer[MR_NAME];
    double width;                 /* of a bin; 0: no value but 0 so far */
    uint64_t counts[BINS], total; /* of values that aren't 0 */
    float largest;                /* infinite: it had values that are no numbers */
} histogram;

struct mrcnn_quantizer {
    mrcnn_model *model;
    mrcnn_session *session;
    double percentile;
    histogram *layers[MOST_LAYERS];
    int count, pictures;
    int failed; /* no memory for a histogram, or too many layers */
};

mrcnn_quantizer_options mrcnn_quantizer_options_default(void) {
    mrcnn_quantizer_options options = {sizeof options, 0, 99.99};
    return options;
}

/* ------------------------------------------------------------------------------- histograms */

static void widen(histogram *h) {
    for (int i = 0; i < BINS / 2; i++) h->counts[i] = h->counts[2 * i] + h->counts[2 * i + 1];
    memset(h->counts + BINS / 2, 0, sizeof h->counts / 2);
    h->width *= 2;
}

/* Infinite where there is a value that is no number, or none that 8 bits could stand for. */
static float largest_of(const float *values, size_t count) {
    float largest = 0;
    for (size_t i = 0; i < count; i++) {
        float size = fabsf(values[i]);
        largest = size <= largest ? largest : size; /* NaN stays */
        if (!(largest < 1e30f)) return INFINITY;
    }
    return largest;
}

static void count_values(histogram *h, const float *values, size_t count) {
    float largest = largest_of(values, count);
    if (largest > h->largest) h->largest = largest;
    if (isinf(h->largest) || !(largest > 0)) return;
    if (h->width == 0) h->width = (double)largest / (BINS - 1);
    while ((double)largest >= h->width * BINS) widen(h);
    float inverse = (float)(1 / h->width);
    for (size_t i = 0; i < count; i++) {
        if (values[i] == 0) continue; /* what a ReLU cut off says nothing of what it let pass */
        size_t bin = (size_t)(fabsf(values[i]) * inverse);
        h->counts[bin < BINS ? bin : BINS - 1]++;
        h->total++;
    }
}

/* The size that `percentile` percent of the values don't exceed. */
static float cut_of(const histogram *h, double percentile) {
    double wanted = (double)h->total * percentile / 100, sum = 0;
    if (isinf(h->largest)) return h->largest;
    for (int i = 0; i < BINS; i++) {
        sum += (double)h->counts[i];
        double edge = h->width * (i + 1);
        if (sum >= wanted) return edge < (double)h->largest ? (float)edge : h->largest;
    }
    return h->largest;
}

/* The layer's, made if it isn't there; NULL: no memory, or too many layers. A layer that is used at several levels of
 * the pyramid has one for all. */
static histogram *histogram_of(mrcnn_quantizer *q, const char *layer) {
    for (int i = 0; i < q->count; i++)
        if (strcmp(q->layers[i]->layer, layer) == 0) return q->layers[i];
    if (q->count == MOST_LAYERS) return NULL;
    histogram *h = mr_calloc(1, sizeof *h);
    if (!h) return NULL;
    strcpy(h->layer, layer);
    return q->layers[q->count++] = h;
}

static void observe(void *user, const mr_node *node, const void *values, int rows) {
    mrcnn_quantizer *q = user;
    int product = node->op == MR_OP_CONV || node->op == MR_OP_DENSE || node->op == MR_OP_DECONV;
    if (!product || node->type != MR_F32) return;
    histogram *h = histogram_of(q, node->layer);
    if (h)
        count_values(h, values, (size_t)rows * mr_shape_size(node->shape));
    else
        q->failed = 1;
}

/* ------------------------------------------------------------------------------------- public */

mrcnn_status mrcnn_quantizer_create(mrcnn_quantizer **quantizer, mrcnn_model *model,
                                    const mrcnn_quantizer_options *options, mrcnn_error *err) {
    mrcnn_quantizer_options o = mrcnn_quantizer_options_default();
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_quantizer_options", err);
    if (status != MRCNN_OK) return status;
    if (!(o.percentile >= 50 && o.percentile <= 100))
        return mr_fail(err, MRCNN_E_ARGUMENT, "a percentile of %g; use 50 to 100", o.percentile);
    mrcnn_quantizer *q = mr_calloc(1, sizeof *q);
    if (!q) return mr_fail_memory(err, sizeof *q, "a quantizer");
    q->model = model;
    q->percentile = o.percentile;
    mrcnn_session_options session = mrcnn_session_options_default();
    session.threads = o.threads;
    session.precision = "f32";
    status = mrcnn_session_create(&q->session, model, &session, err);
    if (status != MRCNN_OK) {
        free(q);
        return status;
    }
    model->keep_weights = 1; /* they are still to be saved */
    q->session->observer = observe;
    q->session->observer_user = q;
    *quantizer = q;
    return MRCNN_OK;
}

mrcnn_status mrcnn_quantizer_add(mrcnn_quantizer *q, const mrcnn_image *image, mrcnn_error *err) {
    mrcnn_result *result = NULL;
    mrcnn_status status = mrcnn_detect(q->session, image, 1, &result, err);
    mrcnn_result_free(&result);
    if (status == MRCNN_OK && q->failed)
        status = q->count == MOST_LAYERS
                     ? mr_fail(err, MRCNN_E_UNSUPPORTED,
                               "a network of more than %d layers can't be quantized", MOST_LAYERS)
                     : mr_fail_memory(err, sizeof(histogram), "the sizes of a layer's values");
    if (status == MRCNN_OK) q->pictures++;
    return status;
}

mrcnn_status mrcnn_quantizer_finish(mrcnn_quantizer *q, mrcnn_error *err) {
    if (q->pictures == 0)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "quantizing needs a picture to look at, or some more");
    mr_ranges *ranges = mr_ranges_create();
    mrcnn_status status = ranges ? MRCNN_OK : mr_fail_memory(err, sizeof(void *), "ranges");
    for (int i = 0; status == MRCNN_OK && i < q->count; i++) {
        float most = cut_of(q->layers[i], q->percentile);
        if (most > 1e-30f && most < 1e30f)
            status = mr_ranges_set(ranges, q->layers[i]->layer, most, err);
    }
    char *text = status == MRCNN_OK ? mr_ranges_text(ranges) : NULL;
    if (status == MRCNN_OK && !text) status = mr_fail_memory(err, sizeof(void *), "ranges");
    if (status != MRCNN_OK) {
        mr_ranges_free(&ranges);
        return status;
    }
    mr_model_forget_ranges(q->model);
    q->model->ranges = ranges;
    q->model->info.ranges = text;
    return MRCNN_OK;
}

void mrcnn_quantizer_free(mrcnn_quantizer **quantizer) {
    if (!quantizer || !*quantizer) return;
    mrcnn_quantizer *q = *quantizer;
    mrcnn_session_free(&q->session);
    for (int i = 0; i < q->count; i++) free(q->layers[i]);
    free(q);
    *quantizer = NULL;
}
