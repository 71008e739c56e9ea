/* weights_info.c - mrcnn weights info: what a weight file holds, and whether it looks healthy. */
#include "model.h"
#include "weights.h"

#include <mrcnn/inspect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct info_options {
    int stats;
} info_options;

static const option info_table[] = {
    {"stats", NULL, OPTION_FLAG, offsetof(info_options, stats),
     "least, greatest and mean value and standard deviation of each tensor; marks kernels whose "
     "values are all the same (dead?), values beyond 1000 (overflow?) and NaN",
     0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static size_t value_count(const mrcnn_weights_tensor *tensor) {
    size_t count = 1;
    for (int i = 0; i < tensor->rank; i++) count *= (size_t)tensor->shape[i];
    return count;
}

static void print_shape(const mrcnn_weights_tensor *tensor, char *text, size_t room) {
    size_t used = (size_t)snprintf(text, room, "(");
    for (int i = 0; i < tensor->rank && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%lld", i ? ", " : "",
                                 (long long)tensor->shape[i]);
    if (used < room) snprintf(text + used, room - used, tensor->rank == 1 ? ",)" : ")");
}

static void print_statistics(const mrcnn_weights *weights, size_t index) {
    mrcnn_weight_summary s;
    if (mrcnn_weights_summarize(weights, index, &s, NULL) != MRCNN_OK) return;
    printf(" %11.4g %11.4g %11.4g %11.4g", s.least, s.greatest, s.mean, s.deviation);
    if (s.nan) printf(" NaN!");
    if (s.is_dead && strcmp(mrcnn_weights_at(weights, index)->name, "kernel") == 0)
        printf(" dead?");
    if (s.is_overflow) printf(" overflow?");
}

static void print_tensors(const mrcnn_weights *weights, int stats) {
    const mrcnn_weights_tensor *tensor;
    const char *last_layer = "";
    size_t layers = 0, tensors = 0, parameters = 0;
    printf("%-30s %-16s %-24s", "layer", "tensor", "shape");
    if (stats) printf(" %11s %11s %11s %11s", "min", "max", "mean", "std");
    putchar('\n');
    for (; (tensor = mrcnn_weights_at(weights, tensors)); tensors++) {
        char shape[128];
        print_shape(tensor, shape, sizeof shape);
        printf("%-30s %-16s %-24s", tensor->layer, tensor->name, shape);
        if (stats) print_statistics(weights, tensors);
        putchar('\n');
        layers += strcmp(last_layer, tensor->layer) != 0;
        last_layer = tensor->layer;
        parameters += value_count(tensor);
    }
    printf("\n%zu layers, %zu tensors, %zu parameters (%.1f MB)\n", layers, tensors, parameters,
           4e-6 * (double)parameters);
}

static void print_attributes(const mrcnn_weights *weights) {
    static const char *const names[] = {"kernels", "keras_version", "backend", "class_names",
                                        "mrcnn_config"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = mrcnn_weights_attribute(weights, names[i]);
        if (!value) continue;
        text_list lines = {0};
        text_split(&lines, value, "\n");
        printf("%s:%s", names[i], lines.count > 1 ? "\n" : " ");
        for (size_t n = 0; n < lines.count; n++) {
            char *line = text_printable(lines.items[n]);
            printf("%s%s\n", lines.count > 1 ? "  " : "", line);
            free(line);
        }
        if (!lines.count) putchar('\n');
        text_list_free(&lines);
    }
}

static int run_info(const command *self, int argc, char **argv) {
    info_options values = {0};
    arguments rest;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_weights *weights = NULL;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    if (mrcnn_weights_open(&weights, rest.items[0], &err) != MRCNN_OK) return fail_with(&err);
    print_tensors(weights, values.stats);
    print_attributes(weights);
    mrcnn_weights_free(&weights);
    return EXIT_DONE;
}

const command command_weights_info = {
    .name = "info",
    .path = "weights info",
    .summary = "list layers, shapes and statistics of a weight file",
    .usage = "[--stats] FILE.h5",
    .about =
        "Lists every tensor of a weight file, whether or not it makes a whole model, then the\n"
        "totals and what the file says about itself.",
    .examples = "mrcnn weights info mask_rcnn_coco.h5\n"
                "    layers and shapes\n"
                "mrcnn weights info --stats mine.h5 | grep '?'\n"
                "    tensors that look unhealthy",
    .options = info_table,
    .at_least = 1,
    .at_most = 1,
    .run = run_info,
};
