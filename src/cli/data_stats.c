/* data_stats.c - mrcnn data stats: what a data set is like, and what that means for the
 * configuration. */
#include "data_stats.h"

#include "data.h"
#include "files.h"
#include "model.h"
#include "progress.h"
#include "signals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct stats_options {
    dataset_options data;
    const char *subset;
    config_options config;
    const char *classes_out, *json;
    int64_t sample;
} stats_options;

static const option stats_table[] = {
    DATASET_ROWS(stats_options, data),
    SUBSET_ROW(stats_options, subset),
    {"sample", "N", OPTION_INTEGER, offsetof(stats_options, sample),
     "decode so many pictures for the mean pixel, spread over the set (default 200; 0: none)", 0,
     1000000000},
    {"classes-out", "FILE", OPTION_TEXT, offsetof(stats_options, classes_out),
     "write the names of the classes, one a line, as --classes reads them", 0, 0},
    {"json", "FILE|-", OPTION_TEXT, offsetof(stats_options, json),
     "write everything as JSON; - is stdout, without the tables", 0, 0},
    CONFIG_ROWS(stats_options, config),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static const double side_edges[] = {8, 16, 32, 64, 96, 128, 256, 512, 1024};
static const double ratio_edges[] = {0.25, 0.5, 0.75, 4.0 / 3, 2, 4};
static const double object_edges[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static void count_value(histogram *h, double value) {
    int bin = 0;
    while (bin < h->edge_count && value >= h->edges[bin]) bin++;
    h->counts[bin]++;
}

/* ------------------------------------------------------------------------------------- objects */

static void count_size(data_stats *s, int32_t width, int32_t height) {
    for (size_t i = 0; i < s->size_count; i++)
        if (s->sizes[i].width == width && s->sizes[i].height == height) {
            s->sizes[i].count++;
            return;
        }
    s->sizes = text_grow(s->sizes, s->size_count + 1, sizeof *s->sizes);
    s->sizes[s->size_count++] = (picture_size){width, height, 1};
}

static void count_object(data_stats *s, const mrcnn_object *o) {
    double height = o->y2 - o->y1, width = o->x2 - o->x1;
    s->classes[o->class_id].objects++;
    s->objects++;
    if (o->is_crowd) {
        s->classes[o->class_id].crowds++;
        s->crowds++;
        return;
    }
    count_value(&s->side, sqrt(height * width));
    count_value(&s->ratio, width / height);
}

static void count_picture(data_stats *s, const mrcnn_objects *objects, uint8_t *seen) {
    size_t classes = (size_t)mrcnn_dataset_class_count(s->set), count = objects->count;
    memset(seen, 0, classes);
    for (size_t k = 0; k < count; k++) {
        count_object(s, &objects->items[k]);
        seen[objects->items[k].class_id] = 1;
    }
    for (size_t c = 0; c < classes; c++) s->classes[c].pictures += seen[c];
    count_size(s, objects->width, objects->height);
    count_value(&s->per_picture, (double)count);
    s->pictures++;
    if (count > s->most_objects) s->most_objects = count;
    if (count > (size_t)s->max_instances) {
        s->cut_pictures++;
        s->cut_objects += count - (size_t)s->max_instances;
    }
}

static int compare_sizes(const void *a, const void *b) {
    const picture_size *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    if (x->width != y->width) return x->width < y->width ? 1 : -1;
    return (x->height < y->height) - (x->height > y->height);
}

static int count_pictures(data_stats *s) {
    size_t total = mrcnn_dataset_count(s->set), classes = (size_t)mrcnn_dataset_class_count(s->set);
    uint8_t *seen = text_grow(NULL, classes, 1);
    progress_start("measuring", PROGRESS_ITEMS);
    for (size_t i = 0; i < total && !signals_came(); i++) {
        mrcnn_objects objects = {0};
        mrcnn_error err = MRCNN_ERROR_INIT;
        progress_show(i, total);
        if (mrcnn_dataset_objects(s->set, i, &objects, &err) == MRCNN_OK) {
            count_picture(s, &objects, seen);
        } else {
            message("%s", err.message);
            s->unreadable++;
        }
        mrcnn_objects_free(&objects);
    }
    progress_end();
    free(seen);
    if (s->size_count) qsort(s->sizes, s->size_count, sizeof *s->sizes, compare_sizes);
    return signals_came() ? EXIT_INTERRUPTED : EXIT_DONE;
}

/* -------------------------------------------------------------------------------------- pixels */

/* Of one picture; each counts alike, as the network sees all of them at one size. */
static void add_mean(data_stats *s, const mrcnn_image *image) {
    size_t pixels = (size_t)image->height * (size_t)image->width;
    size_t channels = (size_t)image->channels;
    if (s->channels == 0 && image->channels <= STATS_CHANNELS) s->channels = image->channels;
    if (image->channels != s->channels) return;
    for (size_t c = 0; c < channels; c++) {
        double sum = 0;
        for (size_t i = 0; i < pixels; i++) sum += image->pixels[i * channels + c];
        s->mean[c] += sum / (double)pixels;
    }
    s->sampled++;
}

/* Pictures that can't be read were named before. */
static int sample_pixels(data_stats *s, size_t wanted) {
    size_t total = mrcnn_dataset_count(s->set), count = wanted < total ? wanted : total;
    progress_start("mean pixel", PROGRESS_ITEMS);
    for (size_t i = 0; i < count && !signals_came(); i++) {
        mrcnn_image image = {0};
        size_t index = (size_t)((double)i / (double)count * (double)total);
        progress_show(i, count);
        if (mrcnn_dataset_read(s->set, index, &image, NULL) == MRCNN_OK) add_mean(s, &image);
        mrcnn_image_free(&image);
    }
    progress_end();
    for (int c = 0; c < s->channels; c++) s->mean[c] /= (double)s->sampled;
    return signals_came() ? EXIT_INTERRUPTED : EXIT_DONE;
}

/* --------------------------------------------------------------------------------- the command */

/* A set without anything to compare has no anchors to suggest, but all the rest. */
static int suggest_anchors(data_stats *s, const mrcnn_config *config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_anchor_options options = mrcnn_anchor_options_default();
    if (s->objects == s->crowds) return EXIT_DONE;
    options.progress = progress_or_stop;
    progress_start("anchors", PROGRESS_ITEMS);
    mrcnn_status status = mrcnn_anchors_suggest(s->set, config, &options, &s->anchors, &err);
    progress_end();
    if (status == MRCNN_E_CANCELLED) return EXIT_INTERRUPTED;
    if (status != MRCNN_OK) return fail_with(&err);
    if (s->anchors.pictures_left_out > s->unreadable)
        message("%zu pictures don't fit the network and are not compared with its anchors",
                s->anchors.pictures_left_out - s->unreadable);
    s->has_anchors = 1;
    return EXIT_DONE;
}

static int write_classes(const mrcnn_dataset *set, const char *path) {
    new_file file;
    if (new_file_open(&file, path) != 0) return EXIT_FAILED;
    for (int i = 1; i < mrcnn_dataset_class_count(set); i++)
        fprintf(file.stream, "%s\n", mrcnn_dataset_class_name(set, i));
    return new_file_commit(&file) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int write_json(const data_stats *s, const char *path) {
    new_file file;
    if (strcmp(path, "-") == 0) {
        stats_write_json(stdout, s);
        return EXIT_DONE;
    }
    if (new_file_open(&file, path) != 0) return EXIT_FAILED;
    stats_write_json(file.stream, s);
    return new_file_commit(&file) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int report(const stats_options *values, const data_stats *s) {
    int code = EXIT_DONE;
    if (!values->json || strcmp(values->json, "-") != 0) stats_print(s);
    if (values->classes_out) code = write_classes(s->set, values->classes_out);
    if (code == EXIT_DONE && values->json) code = write_json(s, values->json);
    return code == EXIT_DONE && s->pictures == 0 ? EXIT_FAILED : code;
}

static int look(const stats_options *values, const mrcnn_dataset *set, const mrcnn_config *config) {
    size_t classes = (size_t)mrcnn_dataset_class_count(set);
    data_stats s = {
        .set = set,
        .classes = text_grow(NULL, classes, sizeof *s.classes),
        .side = {"boxes: side of a square as large, in the picture's pixels",
                 "box_side",
                 side_edges,
                 COUNT(side_edges),
                 {0}},
        .ratio = {"boxes: width / height", "box_ratio", ratio_edges, COUNT(ratio_edges), {0}},
        .per_picture = {"objects in a picture",
                        "objects_in_a_picture",
                        object_edges,
                        COUNT(object_edges),
                        {0}},
        .max_instances = (int)strtol(mrcnn_config_get(config, "MAX_GT_INSTANCES"), NULL, 10)};
    memset(s.classes, 0, classes * sizeof *s.classes);
    int code = count_pictures(&s);
    if (code == EXIT_DONE) code = sample_pixels(&s, (size_t)values->sample);
    if (code == EXIT_DONE) code = suggest_anchors(&s, config);
    if (code == EXIT_DONE) code = report(values, &s);
    free(s.classes);
    free(s.sizes);
    return code;
}

static int run_stats(const command *self, int argc, char **argv) {
    stats_options values = {.sample = 200};
    mrcnn_config *config = NULL;
    mrcnn_dataset *set = NULL;
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    signals_catch();
    code = dataset_check_given(self, &values.data);
    if (code == EXIT_DONE) code = configure(self, &values.config, &config);
    if (code == EXIT_DONE) code = data_open(&values.data, config, values.subset, NULL, &set);
    if (code == EXIT_DONE) code = look(&values, set, config);
    mrcnn_dataset_free(&set);
    mrcnn_config_free(&config);
    options_free(self, &values);
    return code;
}

const command command_data_stats = {
    .name = "stats",
    .path = "data stats",
    .summary = "what a data set is like, and which configuration fits it",
    .usage = "--dataset DIR [OPTION]...",
    .about =
        "Counts classes, measures pictures and boxes, and says what that means for the\n"
        "configuration: the mean pixel, whether MAX_GT_INSTANCES is enough, and how many objects\n"
        "the anchors of the RPN can meet once pictures have the network's size. Where other "
        "scales\n"
        "and ratios would meet more, it prints them, ready to be copied.\n"
        "\n"
        "Weights that were trained with other anchors have to learn the new ones: when nearly all\n"
        "objects are met already, keep what they know.",
    .examples = "mrcnn data stats --dataset balloon\n"
                "    the training set, with matterport's default configuration\n"
                "mrcnn data stats --dataset nuclei --preset nucleus --json nuclei.json\n"
                "    with a preset's, and for programs",
    .options = stats_table,
    .run = run_stats,
};
