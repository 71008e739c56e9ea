/* anchor_fit.c - see anchor_fit.h. The search goes up a hill from two places, the anchors as they
 * are and the quantiles of the boxes' sizes and shapes: it moves one scale or ratio at a time, in
 * ever smaller steps, as long as the recall rises. */
#include "model/anchor_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_SAMPLED = 4000, /* boxes that the search looks at; what it finds is judged by all */
    MOST_ROUNDS = 40
};
static const double steps[] = {1.3, 1.12, 1.05};
enum { STEPS = sizeof steps / sizeof *steps };
/* So much more recall, of both together, is worth other anchors than pretrained weights know. */
static const double worthwhile = 0.05;

/* ------------------------------------------------------------------------------------- overlaps */

/* The place on the grid that is nearest to v; places are at 0, step, 2 * step, ... */
static double nearest_place(double v, double step, int count) {
    double index = rint(v / step);
    return step * fmin(fmax(index, 0), count - 1);
}

static double overlap(double size_a, double size_b, double distance) {
    return fmax(0, fmin(fmin(size_a, size_b), (size_a + size_b) / 2 - fabs(distance)));
}

double mr_best_anchor(const mr_settings *s, const mr_fit_box *box) {
    double best = 0;
    for (int l = 0; l < s->backbone_strides.count; l++) {
        int stride = s->backbone_strides.values[l], every = s->rpn_anchor_stride;
        int rows = ((box->input_height + stride - 1) / stride + every - 1) / every;
        int columns = ((box->input_width + stride - 1) / stride + every - 1) / every;
        double step = (double)stride * every;
        double dy = box->y - nearest_place(box->y, step, rows);
        double dx = box->x - nearest_place(box->x, step, columns);
        for (int r = 0; r < s->rpn_anchor_ratios.count; r++) {
            double root = sqrt(s->rpn_anchor_ratios.values[r]);
            double h = s->rpn_anchor_scales.values[l] / root;
            double w = s->rpn_anchor_scales.values[l] * root;
            double both = overlap(h, box->height, dy) * overlap(w, box->width, dx);
            best = fmax(best, both / (h * w + box->height * box->width - both));
        }
    }
    return best;
}

static int size_of(const mr_fit_box *box) {
    double area = box->height * box->width;
    return area < 32 * 32   ? MRCNN_ANCHOR_SMALL
           : area < 96 * 96 ? MRCNN_ANCHOR_MEDIUM
                            : MRCNN_ANCHOR_LARGE;
}

void mr_anchor_recall(const mr_settings *settings, const mr_fit_box *boxes, size_t count,
                      mrcnn_anchor_recall recall[MRCNN_ANCHOR_SIZES]) {
    memset(recall, 0, MRCNN_ANCHOR_SIZES * sizeof *recall);
    for (size_t i = 0; i < count; i++) {
        double iou = mr_best_anchor(settings, &boxes[i]);
        const int rows[] = {size_of(&boxes[i]), MRCNN_ANCHOR_ALL};
        for (int k = 0; k < 2; k++) {
            recall[rows[k]].objects++;
            recall[rows[k]].at50 += iou >= 0.5;
            recall[rows[k]].at70 += iou >= 0.7;
        }
    }
    for (int k = 0; k < MRCNN_ANCHOR_SIZES; k++) {
        if (!recall[k].objects) continue;
        recall[k].at50 /= (double)recall[k].objects;
        recall[k].at70 /= (double)recall[k].objects;
    }
}

/* -------------------------------------------------------------------------------------- search */

typedef struct search {
    const mr_fit_box *boxes;
    size_t count, every; /* each so many-th box is looked at */
    double least50, least70;
} search;

/* Both recalls, and a little for IoUs between the two thresholds, so that there is a way up. Less than
 * what the anchors had before costs much more than it brings. */
static double value_of(const search *s, const mr_settings *settings) {
    double at50 = 0, at70 = 0, sum = 0, n = 0;
    for (size_t i = 0; i < s->count; i += s->every) {
        double iou = mr_best_anchor(settings, &s->boxes[i]);
        at50 += iou >= 0.5;
        at70 += iou >= 0.7;
        sum += iou;
        n++;
    }
    double missed = fmax(0, s->least50 - at50 / n) + fmax(0, s->least70 - at70 / n);
    return (at50 + at70 + 0.2 * sum) / n - 10 * missed;
}

/* Scales rise with the levels: a larger stride can't find smaller objects. */
static int is_sorted(const mr_floats *scales) {
    for (int i = 1; i < scales->count; i++)
        if (scales->values[i] <= scales->values[i - 1]) return 0;
    return 1;
}

static int is_allowed(const mr_settings *s) {
    const mr_floats *scales = &s->rpn_anchor_scales, *ratios = &s->rpn_anchor_ratios;
    for (int i = 0; i < scales->count; i++)
        if (scales->values[i] < 1 || scales->values[i] > 16384) return 0;
    for (int i = 0; i < ratios->count; i++)
        if (ratios->values[i] < 0.05 || ratios->values[i] > 20) return 0;
    return is_sorted(scales) && is_sorted(ratios);
}

/* To two digits: 23, 180, 0.45. */
static double readable(double value) {
    double unit = pow(10, floor(log10(value)) - 1), units = rint(value / unit);
    /* A whole number over a power of ten is the double nearest to what is printed. */
    return unit < 1 ? units / rint(1 / unit) : units * rint(unit);
}

/* Multiplies numbers from..to of a list, if that is better. */
static int try_move(const search *s, mr_settings *settings, mr_floats *list, int from, int to,
                    double factor, double *value) {
    mr_floats before = *list;
    for (int i = from; i <= to; i++) list->values[i] = readable(before.values[i] * factor);
    double moved = is_allowed(settings) ? value_of(s, settings) : -INFINITY;
    if (moved > *value) {
        *value = moved;
        return 1;
    }
    *list = before;
    return 0;
}

/* One number of a list up or down, the numbers from there on, and all of them. */
static int move_list(const search *s, mr_settings *settings, mr_floats *list, double step,
                     double *value) {
    int moved = 0, last = list->count - 1;
    for (int i = 0; i <= last; i++)
        for (int k = 0; k < 2; k++) {
            double factor = k ? 1 / step : step;
            moved += try_move(s, settings, list, i, i, factor, value);
            if (i < last) moved += try_move(s, settings, list, i, last, factor, value);
        }
    return moved;
}

static void climb(const search *s, mr_settings *settings) {
    double value = value_of(s, settings);
    int step = 0;
    for (int round = 0; round < MOST_ROUNDS && step < STEPS; round++) {
        int moved = move_list(s, settings, &settings->rpn_anchor_scales, steps[step], &value);
        moved += move_list(s, settings, &settings->rpn_anchor_ratios, steps[step], &value);
        if (!moved) step++;
    }
}

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort_numbers(mr_floats *list) {
    qsort(list->values, (size_t)list->count, sizeof *list->values, compare_numbers);
}

/* The middles of as many equal groups as the list has numbers; slightly apart where they are equal. */
static void take_quantiles(mr_floats *list, double *values, size_t count) {
    qsort(values, count, sizeof *values, compare_numbers);
    for (int i = 0; i < list->count; i++) {
        double at = (i + 0.5) / list->count * (double)count;
        double v = values[(size_t)at < count ? (size_t)at : count - 1];
        if (i > 0) v = fmax(v, list->values[i - 1] * 1.1);
        list->values[i] = readable(v);
    }
}

static int start_at_quantiles(const search *s, mr_settings *settings) {
    double *values = malloc((s->count / s->every + 1) * sizeof *values);
    if (!values) return 0;
    for (int k = 0; k < 2; k++) {
        size_t n = 0;
        for (size_t i = 0; i < s->count; i += s->every) {
            const mr_fit_box *b = &s->boxes[i];
            values[n++] = k ? b->width / b->height : sqrt(b->width * b->height);
        }
        take_quantiles(k ? &settings->rpn_anchor_ratios : &settings->rpn_anchor_scales, values, n);
    }
    free(values);
    return is_allowed(settings);
}

/* ------------------------------------------------------------------------------------- judging */

static int is_better(const mrcnn_anchor_recall *a, const mrcnn_anchor_recall *b) {
    return a->at50 >= b->at50 && a->at70 >= b->at70 &&
           a->at50 + a->at70 >= b->at50 + b->at70 + worthwhile;
}

int mr_fit_anchors(const mr_settings *settings, const mr_fit_box *boxes, size_t count,
                   mr_settings *found) {
    mrcnn_anchor_recall best[MRCNN_ANCHOR_SIZES], recall[MRCNN_ANCHOR_SIZES];
    int better = 0;
    *found = *settings;
    if (count == 0) return 0;
    mr_anchor_recall(settings, boxes, count, best);
    const mrcnn_anchor_recall *all = &best[MRCNN_ANCHOR_ALL];
    search s = {boxes, count, (count + MOST_SAMPLED - 1) / MOST_SAMPLED, all->at50, all->at70};
    for (int start = 0; start < 2; start++) {
        mr_settings tried = *settings;
        sort_numbers(&tried.rpn_anchor_scales);
        sort_numbers(&tried.rpn_anchor_ratios);
        if (start == 1 && !start_at_quantiles(&s, &tried)) continue;
        climb(&s, &tried);
        mr_anchor_recall(&tried, boxes, count, recall);
        if (!is_allowed(&tried) || !is_better(&recall[MRCNN_ANCHOR_ALL], all)) continue;
        memcpy(best, recall, sizeof best);
        *found = tried;
        better = 1;
    }
    return better;
}
