/* loader.c - what it takes to prepare one training picture: 2048 x 1536 pixels with ten objects, into
 * a 1024 x 1024 input. Reading is a stand-in (noise and boxes): files are not what is timed here.
 *   bench_loader [rounds] */
#include "median.h"

#include "../tests/fake_dataset.h"

#include "base/clock.h"

#include <stdio.h>

enum { OBJECTS = 10, ROWS = 6, MOST_ROUNDS = 1000 };

static const char *const names[ROWS] = {"read the picture (stand-in)",
                                        "draw ten masks (stand-in)",
                                        "sample, those two included",
                                        "anchors, once an input size",
                                        "RPN targets",
                                        "example: sample and RPN targets"};

static void check(mrcnn_status status, const mrcnn_error *err) {
    if (status == MRCNN_OK) return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void time_round(const mr_dataset *data, const mr_settings *settings, uint8_t *mask,
                       double *anchors, double ms[ROWS], size_t *bytes) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    const fake_scene *scene = &data->scenes[0];
    static mr_anchor_cache cache;
    mr_example_options options = {{settings, 1, 1, NULL}, &cache};
    double begin = mr_milliseconds(), end;
#define LAP(row) (end = mr_milliseconds(), ms[row] = end - begin, begin = end)
    check(mr_dataset_read(data, 0, &image, &err), &err);
    LAP(0);
    mrcnn_image_free(&image);
    begin = mr_milliseconds();
    mr_masks masks;
    check(mr_masks_open(&masks, data, 0, scene->height, scene->width, &err), &err);
    for (size_t i = 0; i < OBJECTS; i++) {
        int class_id;
        check(mr_masks_draw(&masks, i, mask, &class_id, &err), &err);
    }
    mr_masks_close(&masks);
    LAP(1);
    mr_sample *sample = NULL;
    check(mr_sample_load(&sample, data, 0, 1, &options.sample, &err), &err);
    LAP(2);
    mr_anchors_pixels(settings, 1024, 1024, anchors);
    LAP(3);
    mr_rpn_targets targets = {0};
    mr_ground_truth truth = {.count = sample->count,
                             .class_ids = sample->class_ids,
                             .boxes = (const int32_t(*)[4])sample->boxes};
    check(mr_build_rpn_targets(&targets, anchors, mr_anchor_count(settings, 1024, 1024), &truth,
                               settings, 1, &err),
          &err);
    LAP(4);
    mr_rpn_targets_free(&targets);
    mr_sample_free(&sample);
    mr_example *example = NULL;
    begin = mr_milliseconds();
    check(mr_example_load(&example, data, 0, 1, &options, &err), &err);
    LAP(5);
    *bytes = example->bytes;
    mr_example_free(&example);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 15;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 15;
    static double times[ROWS][MOST_ROUNDS];
    fake_object objects[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) { /* 100 to 640 pixels wide, across the picture */
        int y = 120 * i, x = 137 * i, size = 100 + 60 * i;
        objects[i] = (fake_object){1, {y, x, y + size, x + size}, 1};
    }
    mr_dataset data = {0};
    fake_set(&data, 0, (fake_scene){1536, 2048, objects, OBJECTS, 0});
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    check(mrcnn_config_create(&config, NULL, &err), &err);
    const mr_settings *settings = mr_config_settings(config);
    double *anchors = malloc(mr_anchor_count(settings, 1024, 1024) * 4 * sizeof *anchors);
    uint8_t *mask = malloc((size_t)1536 * 2048);
    if (!anchors || !mask) return 1;
    size_t bytes = 0;
    for (int round = -1; round < rounds; round++) {
        double ms[ROWS];
        time_round(&data, settings, mask, anchors, ms, &bytes);
        for (int row = 0; row < ROWS && round >= 0; row++) times[row][round] = ms[row];
    }
    printf("one thread, median of %d rounds\n", rounds);
    for (int row = 0; row < ROWS; row++) {
        qsort(times[row], (size_t)rounds, sizeof *times[row], bench_by_value);
        printf("%-34s %8.2f ms\n", names[row], times[row][rounds / 2]);
    }
    printf("%-34s %8.2f MB\n", "the example's size", (double)bytes / 1e6);
    free(anchors);
    free(mask);
    mrcnn_config_free(&config);
    return 0;
}
