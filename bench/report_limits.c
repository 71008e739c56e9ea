/* report_limits.c - see report_limits.h. */
#include "report_limits.h"

#include "median.h"
#include "report_json.h"
#include "report_process.h"

#include "base/clock.h"
#include "base/prng.h"
#include "model/boxes.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------- multiplications */

static void take_limits(void *user, const mr_json *value) {
    limits *found = user;
    const mr_json *stages = mr_json_get(value, "stages");
    if (!stages || stages->kind != MR_JSON_ARRAY) return;
    for (const mr_json *it = stages->first; it; it = it->next) {
        const char *name = mr_json_text(mr_json_get(it, "name"));
        if (!name || found->count == sizeof found->items / sizeof *found->items) continue;
        limit *l = &found->items[found->count++];
        snprintf(l->stage, sizeof l->stage, "%s", name);
        l->gflop = json_number(it, "gflop");
        l->least = json_number(it, "least");
    }
}

int limits_find(limits *found, const report *r, char *reason, size_t room) {
    char size[16], backbone[80];
    const char *arguments[REPORT_MAX_SETTINGS + 4] = {STAGE_LIMITS, size, backbone};
    snprintf(size, sizeof size, "%d", r->size);
    snprintf(backbone, sizeof backbone, "BACKBONE=%s", r->backbone);
    memcpy(arguments + 3, r->settings, sizeof r->settings);
    found->count = 0;
    char *text = process_run(arguments, reason, room);
    int code = text ? json_take("stage_limits", text, take_limits, found, reason, room) : -1;
    free(text);
    return code;
}

const limit *limits_of(const limits *found, const char *stage) {
    for (size_t i = 0; i < found->count; i++)
        if (strcmp(found->items[i].stage, stage) == 0) return &found->items[i];
    return NULL;
}

/* -------------------------------------------------------------------------- non-maximum suppression */

enum { BOXES = 6000, WANTED = 1000, HEAPS = 1200, RUNS = 21 };

/* About five to a heap, each a little off its middle. */
static void fill_boxes(float boxes[BOXES][4]) {
    uint64_t place = mr_prng_stream(1, "heaps"), shift = mr_prng_stream(1, "shifts");
    for (uint64_t i = 0; i < BOXES; i++) {
        uint64_t heap = mr_prng_value(shift, 5 * i) % HEAPS;
        double side = 0.03 + 0.2 * mr_prng_uniform(place, 3 * heap);
        double y = mr_prng_uniform(place, 3 * heap + 1), x = mr_prng_uniform(place, 3 * heap + 2);
        double off[4];
        for (uint64_t k = 0; k < 4; k++)
            off[k] = 0.15 * side * (mr_prng_uniform(shift, 5 * i + 1 + k) - 0.5);
        boxes[i][0] = (float)(y * (1 - side) + off[0]);
        boxes[i][1] = (float)(x * (1 - side) + off[1]);
        boxes[i][2] = (float)(y * (1 - side) + side + off[2]);
        boxes[i][3] = (float)(x * (1 - side) + side + off[3]);
    }
}

double limits_time_nms(int *looked_at, int *kept) {
    static float boxes[BOXES][4], work[5 * WANTED];
    static int32_t keep[WANTED];
    double ms[RUNS];
    fill_boxes(boxes);
    for (int run = 0; run < RUNS; run++) {
        double start = mr_milliseconds();
        *kept = (int)mr_nms_sorted(boxes[0], BOXES, 0.7f, WANTED, keep, work, NULL);
        ms[run] = mr_milliseconds() - start;
    }
    *looked_at = *kept == WANTED ? keep[WANTED - 1] + 1 : BOXES;
    return median(ms, RUNS);
}
