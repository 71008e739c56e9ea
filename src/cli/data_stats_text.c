/* data_stats_text.c - what `mrcnn data stats` found, as tables and bars. */
#include "data_stats.h"

#include "text.h"

#include <stdlib.h>

enum { BAR = 40, MOST_SIZES = 8 };

char *stats_list(const double *numbers, int count) {
    char *list = text_copy("[");
    for (int i = 0; i < count; i++) {
        char *longer = text_format("%s%s%.6g", list, i ? ", " : "", numbers[i]);
        free(list);
        list = longer;
    }
    char *whole = text_format("%s]", list);
    free(list);
    return whole;
}

static void print_classes(const data_stats *s) {
    printf("%-24s %10s %10s %10s\n", "class", "objects", "pictures", "crowds");
    for (int i = 1; i < mrcnn_dataset_class_count(s->set); i++) {
        const class_stats *c = &s->classes[i];
        char *name = text_printable(mrcnn_dataset_class_name(s->set, i));
        printf("%-24s %10zu %10zu %10zu\n", name, c->objects, c->pictures, c->crowds);
        free(name);
    }
    printf("%-24s %10zu %10zu %10zu\n", "all", s->objects, s->pictures, s->crowds);
    if (s->unreadable) printf("%zu pictures can't be read and are left out\n", s->unreadable);
}

static void print_sizes(const data_stats *s) {
    size_t shown = s->size_count < MOST_SIZES ? s->size_count : MOST_SIZES, rest = 0;
    printf("\npictures (width x height)\n");
    for (size_t i = 0; i < s->size_count; i++)
        if (i < shown)
            printf("  %7d x %-7d %10zu\n", (int)s->sizes[i].width, (int)s->sizes[i].height,
                   s->sizes[i].count);
        else
            rest += s->sizes[i].count;
    if (rest) printf("  %zu other sizes   %10zu\n", s->size_count - shown, rest);
}

static char *bin_name(const histogram *h, int bin) {
    if (bin == 0) return text_format("< %.4g", h->edges[0]);
    if (bin == h->edge_count) return text_format(">= %.4g", h->edges[bin - 1]);
    return text_format("%.4g - %.4g", h->edges[bin - 1], h->edges[bin]);
}

/* Bins from the first one to the last one with anything in it. */
static void print_histogram(const histogram *h) {
    size_t most = 1;
    int first = h->edge_count, last = 0;
    for (int i = 0; i <= h->edge_count; i++) {
        if (h->counts[i] > most) most = h->counts[i];
        if (h->counts[i] && i < first) first = i;
        if (h->counts[i]) last = i;
    }
    printf("\n%s\n", h->title);
    for (int i = first; i <= last; i++) {
        char *name = bin_name(h, i);
        printf("  %-14s %10zu  ", name, h->counts[i]);
        size_t length = (h->counts[i] * BAR + most - 1) / most;
        for (size_t k = 0; k < length; k++) putchar('#');
        putchar('\n');
        free(name);
    }
}

static void print_pixels(const data_stats *s) {
    if (!s->channels) return;
    printf("\nmean pixel of %zu pictures\n  --set MEAN_PIXEL='[", s->sampled);
    for (int i = 0; i < s->channels; i++) printf("%s%.1f", i ? ", " : "", s->mean[i]);
    printf("]'\n");
}

static void print_cut(const data_stats *s) {
    printf("\nup to %zu objects in a picture; MAX_GT_INSTANCES is %d", s->most_objects,
           s->max_instances);
    if (s->cut_objects)
        printf(": %zu objects in %zu pictures would be left out\n  --set MAX_GT_INSTANCES=%zu\n",
               s->cut_objects, s->cut_pictures, s->most_objects);
    else
        printf(", which is enough\n");
}

/* -------------------------------------------------------------------------------------- anchors */

static void print_recall(const char *name, const mrcnn_anchor_recall *now,
                         const mrcnn_anchor_recall *better) {
    if (!now->objects) return;
    printf("  %-12s %10zu %9.1f%% %9.1f%%", name, now->objects, 100 * now->at50, 100 * now->at70);
    if (better) printf(" %9.1f%% %9.1f%%", 100 * better->at50, 100 * better->at70);
    putchar('\n');
}

static void print_anchors(const data_stats *s) {
    static const char *const names[] = {"small", "medium", "large", "all"};
    const mrcnn_anchor_report *r = &s->anchors;
    if (!s->has_anchors) return;
    char *scales = stats_list(r->scales, r->scale_count);
    char *ratios = stats_list(r->ratios, r->ratio_count);
    printf("\nanchors: objects that one meets with an IoU of 0.5, of 0.7 (in the network's input)\n"
           "  now:        RPN_ANCHOR_SCALES %s, RPN_ANCHOR_RATIOS %s\n",
           scales, ratios);
    free(scales);
    free(ratios);
    scales = stats_list(r->better_scales, r->scale_count);
    ratios = stats_list(r->better_ratios, r->ratio_count);
    if (r->is_better)
        printf("  suggestion: RPN_ANCHOR_SCALES %s, RPN_ANCHOR_RATIOS %s\n", scales, ratios);
    printf("  %-12s %10s %10s %10s", "", "objects", "now 0.5", "0.7");
    if (r->is_better) printf(" %10s %10s", "sugg. 0.5", "0.7");
    putchar('\n');
    for (int i = 0; i < MRCNN_ANCHOR_SIZES; i++)
        print_recall(names[i], &r->recall[i], r->is_better ? &r->better_recall[i] : NULL);
    if (r->is_better)
        printf("  --set RPN_ANCHOR_SCALES='%s' --set RPN_ANCHOR_RATIOS='%s'\n", scales, ratios);
    else
        printf("  nothing clearly better was found: keep them\n");
    free(scales);
    free(ratios);
}

void stats_print(const data_stats *s) {
    const char *file = mrcnn_dataset_annotations(s->set);
    char *shown = text_printable(file ? file : "generated pictures");
    printf("%s: %s\n\n", mrcnn_dataset_format(s->set), shown);
    free(shown);
    print_classes(s);
    print_sizes(s);
    print_histogram(&s->per_picture);
    print_histogram(&s->side);
    print_histogram(&s->ratio);
    print_pixels(s);
    print_cut(s);
    print_anchors(s);
}
