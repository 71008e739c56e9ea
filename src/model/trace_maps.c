/* trace_maps.c - activations of a traced picture: the plans' outputs under their names. */
#include "model/trace.h"

#include <stdio.h>
#include <string.h>

static void add(mr_trace *t, const char *name, const float *values, mrcnn_shape shape) {
    size_t at = t->shown.map_count++;
    snprintf(t->map_names[at], MR_TRACE_NAME, "%s", name);
    mrcnn_map map = {t->map_names[at], shape.height, shape.width, shape.channels, values};
    t->maps[at] = map;
}

static void add_output(mr_trace *t, const char *name) {
    mrcnn_shape shape;
    float **owned = &t->map_values[t->shown.map_count];
    const float *values = mr_pipeline_map(t->pipeline, name, &shape, owned);
    if (values) add(t, name, values, shape); /* a backbone of a program's own need not give C1 */
}

void mr_trace_collect_maps(mr_trace *t) {
    const mr_pipeline *p = t->pipeline;
    static const char *const features[] = {"C1", "C2", "C3", "C4", "C5",
                                           "P2", "P3", "P4", "P5", "P6"};
    mrcnn_shape molded = {p->height, p->width, p->settings->image_channel_count};
    add(t, "molded", p->image, molded);
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) add_output(t, features[i]);
    for (int l = 0; l < MR_LEVELS; l++) { /* scores are in the maps' order already */
        const mrcnn_trace_level *level = &t->levels[l];
        mrcnn_shape shape = {level->height, level->width,
                             (int)(level->anchors / (size_t)level->height / (size_t)level->width)};
        char name[MR_TRACE_NAME];
        snprintf(name, sizeof name, "rpn_class%d", level->level);
        add(t, name, t->shown.scores + level->first_anchor, shape);
        snprintf(name, sizeof name, "rpn_bbox%d", level->level);
        add_output(t, name);
    }
    t->shown.maps = t->maps;
}

const mrcnn_map *mrcnn_trace_map(const mrcnn_trace *trace, const char *name) {
    for (size_t i = 0; i < trace->map_count; i++)
        if (strcmp(trace->maps[i].name, name) == 0) return &trace->maps[i];
    return NULL;
}
