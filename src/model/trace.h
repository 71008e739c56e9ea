/* trace.h - inside a trace: the memory behind the public struct's const pointers. */
#ifndef MR_MODEL_TRACE_H
#define MR_MODEL_TRACE_H

#include "model/pipeline.h"

enum { MR_TRACE_MAPS = 24, MR_TRACE_NAME = 16 };

typedef struct mr_trace {
    mrcnn_trace shown; /* first: a mrcnn_trace is one of these */
    mrcnn_trace_level levels[MR_LEVELS];
    mr_record record; /* scores, candidates and proposals are its arrays */
    mrcnn_result *result;
    float *masks;
    int64_t *mask_areas;
    mr_fit fit;
    const mr_settings *settings; /* the model's */
    mr_pipeline *pipeline;       /* with maps: one of the trace's own, whose outputs they are */
    mrcnn_map maps[MR_TRACE_MAPS];
    char map_names[MR_TRACE_MAPS][MR_TRACE_NAME];
    float *map_values[MR_TRACE_MAPS]; /* of maps that plans keep in another type: owned */
} mr_trace;

/* trace_maps.c: after a run of the trace's own pipeline. */
void mr_trace_collect_maps(mr_trace *trace);

#endif
