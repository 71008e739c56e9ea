/* explain_advice.c - what to make of a trace, in sentences: the most basic trouble first, and nothing
 * about what follows from it. */
#include "explain.h"

#include <math.h>
#include <stdlib.h>

typedef struct view {
    const explanation *e;
    const mrcnn_trace *t;
    const mrcnn_model *model;
    text_list *advice;
} view;

static double number(const view *v, const char *key) {
    return strtod(mrcnn_config_get(mrcnn_model_config(v->model), key), NULL);
}

static size_t fell(const view *v, mrcnn_fate fate) {
    return v->t->proposal_fates[fate];
}

/* ------------------------------------------------------------------------- weights that can't work */

static int advise_nan(const view *v) {
    size_t bad = 0;
    for (size_t i = 0; i < v->t->anchor_count; i++) bad += isnan(v->t->scores[i]) != 0;
    for (size_t i = 0; i < v->t->proposals_found; i++) bad += isnan(v->t->proposals[i].score) != 0;
    if (!bad) return 0;
    text_list_add(v->advice,
                  text_format("%zu scores are no numbers: the weights are broken, or the training "
                              "that made them went astray (a lower LEARNING_RATE; an earlier "
                              "checkpoint)",
                              bad));
    return 1;
}

static int advise_classes(const view *v) {
    if (mrcnn_model_class_count(v->model) > 1) return 0;
    text_list_add(v->advice, text_copy("the model has no class but the background, so it can find "
                                       "nothing: NUM_CLASSES counts the background, too"));
    return 1;
}

/* Layers that no file gave values to. A model that came from no file has no reports at all. */
static int advise_fresh(const view *v) {
    size_t layers = 0, fresh = 0;
    const char *first = NULL;
    for (const mrcnn_layer_report *r; (r = mrcnn_model_layer(v->model, layers)); layers++) {
        if (r->state != MRCNN_LAYER_REINITIALISED && r->state != MRCNN_LAYER_MISSING) continue;
        if (!first) first = r->layer;
        fresh++;
    }
    if (layers == 0)
        text_list_add(v->advice, text_copy("the weights are fresh random numbers: what they find, "
                                           "or don't find, means nothing; give trained ones to "
                                           "--weights"));
    if (fresh)
        text_list_add(v->advice,
                      text_format("%zu layers have fresh random weights, the first of them is %s: "
                                  "train the model before it is asked",
                                  fresh, first));
    return layers == 0 || fresh;
}

typedef struct span {
    double low, high;
} span;

static span background_span(const mrcnn_trace *t) {
    span s = {1, 0};
    for (size_t i = 0; i < t->proposals_found; i++) {
        s.low = fmin(s.low, (double)t->proposals[i].background);
        s.high = fmax(s.high, (double)t->proposals[i].background);
    }
    return s;
}

static double best_objectness(const mrcnn_trace *t) {
    double best = 0;
    for (size_t l = 0; l < t->level_count; l++) best = fmax(best, (double)t->levels[l].best_score);
    return best;
}

/* A head that learned anything is sure of most places, not equally of all, and that most of them are
 * background. */
static int advise_untrained(const view *v) {
    enum { FEW = 10, MANY = 200, MOST_OBJECTS = 20 };
    const double flat = 0.1, sure = 0.9, even = 0.1;
    const mrcnn_trace *t = v->t;
    double highest = 0, equal = 1.0 / mrcnn_model_class_count(v->model);
    size_t found = t->proposals_found, background = 0;
    span s = background_span(t);
    for (size_t i = 0; i < found; i++) {
        highest = fmax(highest, (double)t->proposals[i].score);
        background += t->proposals[i].class_id == 0;
    }
    char *text = NULL;
    if (found >= FEW && highest < equal + even)
        text = text_format("all class scores are near 1/classes, %.3f (the highest is %.3f): the "
                           "heads look untrained; are these the right weights?",
                           equal, highest);
    else if (found >= FEW && s.high - s.low < flat && highest < sure)
        text = text_format("the class head says nearly the same of all %zu proposals (background "
                           "from %.3f to %.3f): it looks untrained",
                           found, s.low, s.high);
    else if (found >= MANY && background < found / MOST_OBJECTS)
        text =
            text_format("only %zu of %zu proposals look like background, where a trained head says "
                        "so of most: it looks untrained",
                        background, found);
    if (text) text_list_add(v->advice, text);
    return text != NULL;
}

/* Nearly all anchors of any picture are background, and a trained RPN says so. */
static void advise_untrained_rpn(const view *v) {
    const double much = 0.25;
    double sum = 0;
    for (size_t i = 0; i < v->t->anchor_count; i++) sum += (double)v->t->scores[i];
    double mean = sum / (double)v->t->anchor_count;
    if (mean < much) return;
    text_list_add(v->advice,
                  text_format("the RPN gives all anchors an objectness of %.2f on average, where a "
                              "trained one gives nearly all of them 0: it looks untrained",
                              mean));
}

/* ---------------------------------------------------------------------------- nothing was found */

/* A round number that the score is not below. */
static double rounded_down(double score) {
    const double tenth = 0.1;
    double steps = score >= tenth ? 10 : 100;
    return floor(score * steps) / steps;
}

static const explain_dropped *best_of(const view *v, mrcnn_fate fate) {
    for (size_t i = 0; i < v->e->dropped_count; i++)
        if (v->e->dropped[i].fate == fate) return &v->e->dropped[i];
    return NULL;
}

static void advise_confidence(const view *v, const explain_dropped *best) {
    char *own = text_format("CLASS_MIN_CONFIDENCE.%s", best->class_name);
    int has_own = *mrcnn_config_get(mrcnn_model_config(v->model), own) != 0;
    char *below = explain_below(best->class_name, mrcnn_model_config(v->model));
    text_list_add(v->advice,
                  text_format("no instance: the best candidate is '%s' with %.3f, %s: try --set "
                              "%s%s=%g%s",
                              best->class_name, (double)best->score, below, has_own ? "'" : "",
                              has_own ? own : "DETECTION_MIN_CONFIDENCE",
                              rounded_down((double)best->score), has_own ? "'" : ""));
    free(below);
    free(own);
}

static void advise_rpn(const view *v) {
    const double low = 0.2;
    double best = best_objectness(v->t);
    if (best >= low) return;
    text_list_add(v->advice,
                  text_format("the RPN's best objectness is %.3f: nothing stands out; the picture "
                              "is empty, or much unlike those of the training (brightness, "
                              "MEAN_PIXEL, IMAGE_VALUE_RANGE), or the objects have sizes that no "
                              "anchor has (RPN_ANCHOR_SCALES)",
                              best));
}

/* Small objects may vanish when a picture is shrunk. */
static void advise_size(const view *v) {
    const double small = 0.4;
    const mrcnn_trace *t = v->t;
    double scale = (double)(t->window[2] - t->window[0]) / t->height;
    if (scale >= small) return;
    text_list_add(v->advice,
                  text_format("the network sees the picture at %.0f %% of its size: small "
                              "objects may vanish; try a larger --set IMAGE_MAX_DIM, or "
                              "a part of the picture",
                              100 * scale));
}

/* Background wherever one looks: then the picture, the RPN or the head is to blame, and no threshold. */
static void advise_background(const view *v, const explain_dropped *best) {
    const double none = 0.05;
    char *text =
        (double)best->score < none
            ? text_format("no instance: nothing looks like an object of the model's classes at all "
                          "(nearest: '%s' with %.3f); if there are such objects, the class head "
                          "needs more training",
                          best->class_name, (double)best->score)
            : text_format("no instance: all proposals look most like background; nearest to an "
                          "object is '%s' with %.3f, where the background has %.3f: no setting "
                          "changes that, only training, on pictures like this",
                          best->class_name, (double)best->score, (double)best->background);
    text_list_add(v->advice, text);
    advise_rpn(v);
    advise_size(v);
}

static void advise_nothing(const view *v) {
    const explain_dropped *unsure = best_of(v, MRCNN_FATE_CONFIDENCE);
    if (unsure)
        advise_confidence(v, unsure);
    else if (fell(v, MRCNN_FATE_NO_AREA))
        text_list_add(
            v->advice,
            text_format("no instance: %zu detections have no area in a picture of %d x %d "
                        "pixels",
                        fell(v, MRCNN_FATE_NO_AREA), v->t->width, v->t->height));
    else if (v->e->dropped_count)
        advise_background(v, &v->e->dropped[0]);
}

/* -------------------------------------------------------------------------------- some were found */

static void advise_limit(const view *v) {
    const double more = 2;
    if (!fell(v, MRCNN_FATE_LIMIT)) return;
    text_list_add(v->advice, text_format("DETECTION_MAX_INSTANCES was reached: to see more, --set "
                                         "DETECTION_MAX_INSTANCES=%.0f",
                                         more * number(v, "DETECTION_MAX_INSTANCES")));
}

static double best_pixel(const mrcnn_trace *t, size_t instance) {
    size_t pixels = (size_t)t->mask_height * (size_t)t->mask_width;
    double best = 0;
    for (size_t k = 0; k < pixels; k++) best = fmax(best, (double)t->masks[instance * pixels + k]);
    return best;
}

/* A mask is empty because the head says no everywhere, or because its few sure cells are lost where a
 * small box's border is attenuated (N39). */
static void advise_masks(const view *v) {
    const double half = 0.5;
    const mrcnn_trace *t = v->t;
    size_t unsure = 0;
    double best = 0;
    for (size_t i = 0; i < t->result->count; i++) {
        if (t->mask_areas[i] || best_pixel(t, i) >= half) continue;
        best = fmax(best, best_pixel(t, i));
        unsure++;
    }
    if (unsure)
        text_list_add(
            v->advice,
            text_format("masks are empty: %zu of %zu, whose best pixel has %.3f, where 0.5 "
                        "is needed; the mask head needs more training",
                        unsure, t->result->count, best));
    if (t->empty_masks > unsure)
        text_list_add(
            v->advice,
            text_format("masks are empty: %zu of %zu are lost at the borders of boxes of "
                        "a few pixels; --set MASK_RESIZE=exact (or subpixel) keeps more of them",
                        t->empty_masks - unsure, t->result->count));
}

void explain_advise(explanation *e, const mrcnn_trace *trace, const mrcnn_model *model) {
    view v = {e, trace, model, &e->advice};
    if (advise_classes(&v) || advise_nan(&v) || advise_fresh(&v) || advise_untrained(&v)) return;
    advise_untrained_rpn(&v);
    if (trace->result->count == 0) advise_nothing(&v);
    advise_limit(&v);
    advise_masks(&v);
}
