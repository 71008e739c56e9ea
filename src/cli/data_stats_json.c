/* data_stats_json.c - what `mrcnn data stats` found, as JSON. */
#include "data_stats.h"

#include "json.h"

static void put_numbers(json *out, const char *key, const double *numbers, int count) {
    json_key(out, key);
    json_begin(out, '[');
    for (int i = 0; i < count; i++) json_real(out, numbers[i], 6);
    json_end(out, ']');
}

static void put_classes(json *out, const data_stats *s) {
    json_key(out, "classes");
    json_begin(out, '[');
    for (int i = 1; i < mrcnn_dataset_class_count(s->set); i++) {
        json_begin(out, '{');
        json_put_integer(out, "id", (size_t)i);
        json_put_text(out, "name", mrcnn_dataset_class_name(s->set, i));
        json_put_integer(out, "objects", s->classes[i].objects);
        json_put_integer(out, "pictures", s->classes[i].pictures);
        json_put_integer(out, "crowds", s->classes[i].crowds);
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void put_sizes(json *out, const data_stats *s) {
    json_key(out, "picture_sizes");
    json_begin(out, '[');
    for (size_t i = 0; i < s->size_count; i++) {
        json_begin(out, '{');
        json_put_integer(out, "width", (size_t)s->sizes[i].width);
        json_put_integer(out, "height", (size_t)s->sizes[i].height);
        json_put_integer(out, "pictures", s->sizes[i].count);
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void put_histogram(json *out, const histogram *h) {
    json_key(out, h->key);
    json_begin(out, '{');
    put_numbers(out, "edges", h->edges, h->edge_count);
    json_key(out, "counts");
    json_begin(out, '[');
    for (int i = 0; i <= h->edge_count; i++) json_integer(out, (int64_t)h->counts[i]);
    json_end(out, ']');
    json_end(out, '}');
}

static void put_recall(json *out, const char *key,
                       const mrcnn_anchor_recall recall[MRCNN_ANCHOR_SIZES]) {
    static const char *const names[] = {"small", "medium", "large", "all"};
    json_key(out, key);
    json_begin(out, '{');
    for (int i = 0; i < MRCNN_ANCHOR_SIZES; i++) {
        json_key(out, names[i]);
        json_begin(out, '{');
        json_put_integer(out, "objects", recall[i].objects);
        json_key(out, "at50");
        json_real(out, recall[i].at50, 6);
        json_key(out, "at70");
        json_real(out, recall[i].at70, 6);
        json_end(out, '}');
    }
    json_end(out, '}');
}

static void put_anchors(json *out, const data_stats *s) {
    const mrcnn_anchor_report *r = &s->anchors;
    json_key(out, "anchors");
    if (!s->has_anchors) {
        json_null(out);
        return;
    }
    json_begin(out, '{');
    put_numbers(out, "RPN_ANCHOR_SCALES", r->scales, r->scale_count);
    put_numbers(out, "RPN_ANCHOR_RATIOS", r->ratios, r->ratio_count);
    put_recall(out, "recall", r->recall);
    json_key(out, "suggestion");
    if (r->is_better) {
        json_begin(out, '{');
        put_numbers(out, "RPN_ANCHOR_SCALES", r->better_scales, r->scale_count);
        put_numbers(out, "RPN_ANCHOR_RATIOS", r->better_ratios, r->ratio_count);
        put_recall(out, "recall", r->better_recall);
        json_end(out, '}');
    } else {
        json_null(out);
    }
    json_end(out, '}');
}

void stats_write_json(FILE *stream, const data_stats *s) {
    json out = {stream, 0, 0, 0, 2};
    json_begin(&out, '{');
    json_put_text(&out, "format", mrcnn_dataset_format(s->set));
    json_put_text(&out, "annotations", mrcnn_dataset_annotations(s->set));
    json_put_integer(&out, "pictures", s->pictures);
    json_put_integer(&out, "objects", s->objects);
    json_put_integer(&out, "crowds", s->crowds);
    json_put_integer(&out, "pictures_left_out", s->unreadable);
    put_classes(&out, s);
    put_sizes(&out, s);
    put_histogram(&out, &s->per_picture);
    put_histogram(&out, &s->side);
    put_histogram(&out, &s->ratio);
    put_numbers(&out, "MEAN_PIXEL", s->mean, s->channels);
    json_put_integer(&out, "pictures_for_mean", s->sampled);
    json_put_integer(&out, "most_objects", s->most_objects);
    json_put_integer(&out, "MAX_GT_INSTANCES", (size_t)s->max_instances);
    json_put_integer(&out, "objects_cut", s->cut_objects);
    put_anchors(&out, s);
    json_end(&out, '}');
}
