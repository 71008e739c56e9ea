/* augment.c - what each operation of AUGMENTATION costs on one core: a frame of 1024 x 1024 with twenty
 * objects, the picture and all masks.
 *   bench_augment [rounds] */
#include "median.h"

#include "base/clock.h"
#include "base/prng.h"
#include "data/augment.h"
#include "data/mini_mask.h"

#include <stdio.h>
#include <string.h>

enum { SIZE = 1024, OBJECTS = 20, MOST_ROUNDS = 200 };

static const char *const texts[] = {
    "[Fliplr]",
    "[Rot90]",
    "[{Affine: {rotate: 20, scale: 1.1}}]",
    "[{CropAndPad: {percent: -0.1}}]",
    "[{PiecewiseAffine: 0.03}]",
    "[{LargeScaleJitter: 1.5}]",
    "[{LargeScaleJitter: 0.3}]",
    "[{Multiply: 1.2}]",
    "[{GammaContrast: 1.3}]",
    "[{AddToHue: 20}]",
    "[{GaussianBlur: 1}]",
    "[{GaussianBlur: 5}]",
    "[{AdditiveGaussianNoise: {scale: 10, per_channel: true}}]",
    "[Fliplr, Rot90, {Affine: {rotate: 20}}, {Multiply: 1.2}, {GaussianBlur: 2}]",
};
enum { ROWS = sizeof texts / sizeof *texts };

typedef struct scene {
    uint8_t *fresh, *pixels, *mask, *moved;
    int32_t boxes[OBJECTS][4];
} scene;

static void fail(const char *what) {
    fprintf(stderr, "bench_augment: %s\n", what);
    exit(1);
}

static void check(mrcnn_status status, const mrcnn_error *err) {
    if (status != MRCNN_OK) fail(err->message);
}

static void make_scene(scene *s) {
    size_t pixels = (size_t)SIZE * SIZE;
    s->fresh = malloc(3 * pixels);
    s->pixels = malloc(3 * pixels);
    s->mask = calloc(pixels, 1);
    s->moved = malloc(pixels);
    if (!s->fresh || !s->pixels || !s->mask || !s->moved) fail("no memory");
    for (size_t i = 0; i < 3 * pixels; i++) s->fresh[i] = (uint8_t)mr_prng_value(1, i);
    for (int i = 0; i < OBJECTS; i++) { /* 60 to 400 pixels wide */
        int side = 60 + 17 * i, y = 97 * i % (SIZE - side), x = 211 * i % (SIZE - side);
        const int32_t box[4] = {y, x, y + side, x + side};
        memcpy(s->boxes[i], box, sizeof box);
    }
}

static void fill(scene *s, int object, int value) {
    const int32_t *b = s->boxes[object];
    for (int y = b[0]; y < b[2]; y++)
        memset(s->mask + (size_t)y * SIZE + b[1], value, (size_t)(b[3] - b[1]));
}

/* Milliseconds for the picture, and for the masks. */
static void time_once(scene *s, const mr_augmentation *tree, uint64_t stream, double ms[2]) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_augment_plan plan;
    mr_warp warp;
    mr_warp_map map = {0};
    memcpy(s->pixels, s->fresh, (size_t)SIZE * SIZE * 3);
    double begin = mr_milliseconds();
    mr_augment_draw(&plan, tree, stream);
    check(mr_augment_warp(&warp, &plan, SIZE, SIZE, &err), &err);
    check(mr_augment_picture(&plan, &warp, &s->pixels, 3, &err), &err);
    ms[0] = mr_milliseconds() - begin;
    ms[1] = 0;
    begin = mr_milliseconds();
    if (warp.count > 0) check(mr_warp_map_make(&map, &warp, &err), &err);
    ms[1] = mr_milliseconds() - begin;
    for (int i = 0; i < OBJECTS && warp.count > 0; i++) {
        int32_t box[4];
        fill(s, i, 1);
        begin = mr_milliseconds();
        mr_warp_mask(&map, s->mask, s->boxes[i], s->moved);
        mr_bytes_box(s->moved, SIZE, SIZE, box);
        ms[1] += mr_milliseconds() - begin;
        fill(s, i, 0);
    }
    mr_warp_map_free(&map);
    mr_warp_free(&warp);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 15;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 15;
    static double times[2][MOST_ROUNDS];
    scene s;
    make_scene(&s);
    printf("%d x %d, %d objects, one thread, median of %d rounds\n", SIZE, SIZE, OBJECTS, rounds);
    printf("%10s %10s\n", "picture ms", "masks ms");
    for (int row = 0; row < ROWS; row++) {
        mr_augmentation tree;
        mrcnn_error err = MRCNN_ERROR_INIT;
        check(mr_augmentation_parse(&tree, texts[row], &err), &err);
        for (int round = -1; round < rounds; round++) {
            double ms[2];
            time_once(&s, &tree, (uint64_t)(round + 1), ms);
            for (int i = 0; i < 2 && round >= 0; i++) times[i][round] = ms[i];
        }
        printf("%10.2f %10.2f  %s\n", median(times[0], rounds), median(times[1], rounds),
               texts[row]);
    }
    free(s.fresh);
    free(s.pixels);
    free(s.mask);
    free(s.moved);
    return 0;
}
