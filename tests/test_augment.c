/* test_augment.c - what AUGMENTATION's operations do to pictures and masks: against NumPy and SciPy
 * (tests/data/augment/make.py), against what can be said of any draw, and how draws are distributed. */
#include "helper_assert.h"
#include "helper_cases.h"

#include "base/prng.h"
#include "config/config.h"
#include "data/augment.h"
#include "data/mini_mask.h"
#include "image/bits.h"
#include "image/mask.h"

#include <math.h>
#include <stdlib.h>

static mr_augmentation tree_of(const char *text) {
    mr_augmentation tree;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_augmentation_parse(&tree, text, &err) != MRCNN_OK) fail_msg("%s: %s", text, err.message);
    return tree;
}

/* A picture and a mask that went through a draw. */
typedef struct scene {
    int height, width, channels;
    uint8_t *pixels, *mask, *moved; /* moved: the mask afterwards, or the mask */
    mr_augment_plan plan;
} scene;

static uint8_t *take(size_t bytes) {
    uint8_t *memory = calloc(bytes ? bytes : 1, 1);
    assert_non_null(memory);
    return memory;
}

static scene make_scene(int height, int width, int channels) {
    scene s = {.height = height, .width = width, .channels = channels};
    size_t pixels = (size_t)height * (size_t)width;
    s.pixels = take(pixels * (size_t)channels);
    s.mask = take(pixels);
    s.moved = take(pixels);
    return s;
}

static void free_scene(scene *s) {
    free(s->pixels);
    free(s->mask);
    free(s->moved);
}

static void augment(scene *s, const mr_augmentation *tree, uint64_t stream) {
    mr_warp warp;
    mr_warp_map map = {0};
    int32_t box[4];
    mr_augment_draw(&s->plan, tree, stream);
    assert_int_equal(mr_augment_warp(&warp, &s->plan, s->height, s->width, NULL), MRCNN_OK);
    assert_int_equal(mr_augment_picture(&s->plan, &warp, &s->pixels, s->channels, NULL), MRCNN_OK);
    memcpy(s->moved, s->mask, (size_t)s->height * (size_t)s->width);
    if (warp.count > 0) {
        assert_int_equal(mr_warp_map_make(&map, &warp, NULL), MRCNN_OK);
        mr_bytes_box(s->mask, s->height, s->width, box);
        memset(s->moved, 77, (size_t)s->height * (size_t)s->width);
        mr_warp_mask(&map, s->mask, box, s->moved);
    }
    mr_warp_map_free(&map);
    mr_warp_free(&warp);
}

/* --------------------------------------------------------------------------------- goldens */

static void check_masks(const oracle_case *c, scene *s, const mr_augmentation *tree) {
    npy_array in = case_array(c, c->in, "masks"), want = case_array(c, c->out, "masks");
    size_t planes = (size_t)in.shape[2], pixels = in.count / planes, sure = 0;
    for (size_t m = 0; m < planes; m++) {
        for (size_t i = 0; i < pixels; i++) s->mask[i] = in.data[i * planes + m] != 0;
        augment(s, tree, 9);
        for (size_t i = 0; i < pixels; i++) {
            double wanted = want.data[i * planes + m];
            if (wanted == 2) continue; /* on an edge */
            sure++;
            if (s->moved[i] != wanted) fail_msg("%s: mask %zu, pixel %zu", c->name, m, i);
        }
    }
    assert_true(sure > planes * pixels / 2);
    npy_free(&in), npy_free(&want);
}

static void check_case(const oracle_case *c) {
    mrcnn_config *config = NULL;
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    case_set(c, config, "AUGMENTATION", "augmentation");
    const mr_augmentation *tree = &mr_config_settings(config)->augmentation;
    npy_array in = case_array(c, c->in, "image"), want = case_array(c, c->out, "image");
    scene s = make_scene((int)in.shape[0], (int)in.shape[1], (int)in.shape[2]);
    int tolerance = case_int_at(c, "tolerance", 0), differing = 0;
    for (size_t i = 0; i < in.count; i++) s.pixels[i] = (uint8_t)in.data[i];
    augment(&s, tree, 9);
    assert_int_equal(want.count, in.count);
    for (size_t i = 0; i < in.count; i++) {
        double error = fabs(s.pixels[i] - want.data[i]);
        differing += error > 0;
        if (error > tolerance)
            fail_msg("%s: pixel %zu is %d, not %g", c->name, i, s.pixels[i], want.data[i]);
    }
    assert_true(differing <= (int)in.count / 12); /* rounding decides for few */
    check_masks(c, &s, tree);
    free_scene(&s);
    npy_free(&in), npy_free(&want);
    mrcnn_config_free(&config);
}

static void goldens(void **state) {
    (void)state;
    assert_int_equal(cases_run(TEST_DATA "/augment", "augment", check_case), 33);
}

/* ------------------------------------------------------------------------------------ movements */

/* Objects that the picture shows: a disc with a hole, 200 on 50. */
static void paint(scene *s) {
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            double dy = (y - s->height * 0.45) / s->height, dx = (x - s->width * 0.55) / s->width;
            double r = sqrt(dx * dx + dy * dy);
            size_t i = (size_t)y * (size_t)s->width + (size_t)x;
            s->mask[i] = r < 0.4 && r > 0.12;
            memset(s->pixels + i * (size_t)s->channels, s->mask[i] ? 200 : 50, (size_t)s->channels);
        }
}

/* Is the mask the same in the pixel's whole neighbourhood? */
static int is_sure(const scene *s, int y, int x) {
    const uint8_t *m = s->moved;
    for (int v = y - 1; v <= y + 1; v++)
        for (int u = x - 1; u <= x + 1; u++)
            if (v < 0 || u < 0 || v >= s->height || u >= s->width ||
                m[v * s->width + u] != m[y * s->width + x])
                return 0;
    return 1;
}

static const char *const movements[] = {
    "[{Fliplr: 0.5}, {Flipud: 0.5}, {Rot90: [0, 3]}]",
    "[{Affine: {scale: [0.6, 1.5], rotate: [-180, 180], shear: [-20, 20]}}]",
    "[{Affine: {scale: {x: [0.5, 2], y: [0.5, 2]}, translate_percent: [-0.3, 0.3]}}]",
    "[{Affine: {translate_px: {x: [-9, 9], y: [-9, 9]}}}, Fliplr]",
    "[{CropAndPad: {percent: [-0.2, 0.3]}}, {Rot90: 1}]",
    "[{CropAndPad: {px: [-5, 5]}}]",
    "[{PiecewiseAffine: [0, 0.05]}, {Affine: {rotate: [-30, 30]}}]",
    "[{PiecewiseAffine: {scale: 0.03, nb_rows: [2, 6], nb_cols: 5}}]",
    "[{LargeScaleJitter: [0.3, 2]}]",
    ("[{SomeOf: {count: [1, 3], random_order: true, of: [{Affine: {rotate: [0, 360]}}, Flipud, "
     "{LargeScaleJitter: [0.6, 1.6]}, {PiecewiseAffine: 0.02}, {CropAndPad: {px: [-3, 3]}}]}}]"),
};

/* Masks stay glued to what they are masks of, in every channel. */
static void masks_follow_pictures(void **state) {
    (void)state;
    static const int frames[][3] = {{64, 64, 3}, {47, 83, 1}, {90, 51, 5}, {33, 33, 16}};
    for (size_t t = 0; t < sizeof movements / sizeof *movements; t++)
        for (uint64_t draw = 0; draw < 24; draw++) {
            const int *f = frames[draw % 4];
            mr_augmentation tree = tree_of(movements[t]);
            scene s = make_scene(f[0], f[1], f[2]);
            int inside = 0;
            paint(&s);
            augment(&s, &tree, mr_prng_value(11, draw));
            for (int y = 0; y < s.height; y++)
                for (int x = 0; x < s.width; x++) {
                    size_t i = (size_t)y * (size_t)s.width + (size_t)x;
                    if (!is_sure(&s, y, x)) continue;
                    inside += s.moved[i];
                    for (int c = 0; c < s.channels; c++) {
                        int value = s.pixels[i * (size_t)s.channels + (size_t)c];
                        int good = s.moved[i] ? abs(value - 200) <= 60 : value <= 110;
                        if (!good)
                            fail_msg("%s, draw %d: pixel %d, %d is %d, its mask %d", movements[t],
                                     (int)draw, x, y, value, s.moved[i]);
                    }
                }
            assert_true(inside > 0 || t == 4 || t == 8 || t == 9);
            free_scene(&s);
        }
}

static void noise(uint8_t *bytes, size_t count, uint64_t stream) {
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)mr_prng_value(stream, i);
}

/* Whole quarter turns and mirrors lose nothing: together they are what they should be. */
static void exact_movements(void **state) {
    (void)state;
    static const char *const nothing[] = {
        "[Fliplr, Fliplr]",
        "[Flipud, Flipud]",
        "[{Rot90: 2}, Fliplr, Flipud]",
        "[Rot90, Rot90, Rot90, Rot90]",
        "[Rot90, {Rot90: 3}]",
        "[{Affine: {rotate: 180}}, {Rot90: -2}]",
        "[{Affine: {rotate: 270}}, {Rot90: 1}]",
        "[{Affine: {rotate: -90}}, {Affine: {rotate: 90}}]",
        "[{PiecewiseAffine: 0}]",
        "[{LargeScaleJitter: 1}]",
        "[Invert, {Invert: 0}, Invert]",
        ("[{Rot90: 0}, {Fliplr: 0}, {Multiply: 1}, {Add: 0}, {GaussianBlur: 0}, {AddToHue: 0}, "
         "{AddToHue: 255}, {MultiplyHue: 1}, {MultiplySaturation: 1}, {LinearContrast: 1}, "
         "{GammaContrast: 1}, {AdditiveGaussianNoise: 0}]"),
    };
    for (size_t t = 0; t < sizeof nothing / sizeof *nothing; t++)
        for (int side = 1; side < 40; side += 19) { /* 1, 20, 39 */
            mr_augmentation tree = tree_of(nothing[t]);
            scene s = make_scene(side, side, 3);
            size_t pixels = (size_t)side * (size_t)side;
            uint8_t *kept = take(3 * pixels);
            noise(s.pixels, 3 * pixels, 5);
            memcpy(kept, s.pixels, 3 * pixels);
            for (size_t i = 0; i < pixels; i++) s.mask[i] = kept[i] & 1;
            augment(&s, &tree, 3);
            assert_memory_equal(s.pixels, kept, 3 * pixels);
            assert_memory_equal(s.moved, s.mask, pixels);
            free(kept);
            free_scene(&s);
        }
}

static void inverts(void **state) {
    (void)state;
    enum { COUNT = 3 * 9 * 9, DRAWS = 400 };
    int inverted = 0;
    mr_augmentation tree = tree_of("[{Invert: 0.25}]");
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        scene s = make_scene(9, 9, 3);
        uint8_t kept[COUNT];
        noise(s.pixels, COUNT, draw);
        memcpy(kept, s.pixels, COUNT);
        augment(&s, &tree, draw);
        int changed = s.pixels[0] != kept[0];
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(s.pixels[i], changed ? 255 - kept[i] : kept[i]);
        inverted += changed;
        free_scene(&s);
    }
    assert_in_range(inverted, DRAWS / 8, DRAWS * 3 / 8);
}

/* Blocks that a mask can't reach are left out; the result is that of looking at every pixel. */
static void blocks(void **state) {
    (void)state;
    enum { HEIGHT = 131, WIDTH = 200 };
    static uint8_t in[HEIGHT * WIDTH], out[HEIGHT * WIDTH];
    for (size_t t = 0; t < sizeof movements / sizeof *movements; t++) {
        mr_augmentation tree = tree_of(movements[t]);
        mr_augment_plan plan;
        mr_warp warp;
        mr_warp_map map;
        mr_augment_draw(&plan, &tree, t);
        assert_int_equal(mr_augment_warp(&warp, &plan, HEIGHT, WIDTH, NULL), MRCNN_OK);
        assert_int_equal(mr_warp_map_make(&map, &warp, NULL), MRCNN_OK);
        for (int k = 0; k < 20; k++) {
            uint64_t at = mr_prng_value(t, (uint64_t)k);
            int32_t box[4] = {(int32_t)(at % 100), (int32_t)(at >> 20) % 170, 0, 0};
            if (box[1] < 0) box[1] = -box[1];
            box[2] = box[0] + 1 + (int32_t)(at >> 40 & 15);
            box[3] = box[1] + 1 + (int32_t)(at >> 50 & 15);
            memset(in, 0, sizeof in);
            for (int y = box[0]; y < box[2]; y++)
                memset(in + y * WIDTH + box[1], 1, (size_t)(box[3] - box[1]));
            memset(out, 9, sizeof out);
            mr_warp_mask(&map, in, box, out);
            for (size_t i = 0; i < sizeof out; i++)
                assert_int_equal(out[i], map.index[i] >= 0 ? in[map.index[i]] : 0);
        }
        mr_warp_map_free(&map);
        mr_warp_free(&warp);
    }
}

/* Sets all of the mask, moves it, and counts what is left of it. */
static size_t area_of_all(const char *text, int height, int width, uint64_t stream) {
    mr_augmentation tree = tree_of(text);
    scene s = make_scene(height, width, 1);
    size_t pixels = (size_t)height * (size_t)width, area = 0;
    memset(s.pixels, 99, pixels);
    memset(s.mask, 1, pixels);
    augment(&s, &tree, stream);
    for (size_t i = 0; i < pixels; i++) {
        area += s.moved[i];
        assert_int_equal(s.pixels[i], s.moved[i] ? 99 : 0); /* filled with 0, and sharply */
    }
    free_scene(&s);
    return area;
}

static void areas(void **state) {
    (void)state;
    for (uint64_t draw = 0; draw < 20; draw++) {
        /* A grid moves no point out of the frame, so that nothing black comes in. */
        assert_int_equal(area_of_all("[{PiecewiseAffine: 0.2}]", 40, 70, draw), 40 * 70);
        assert_int_equal(area_of_all("[{LargeScaleJitter: [1, 3]}]", 40, 70, draw), 40 * 70);
        assert_int_equal(area_of_all("[{CropAndPad: {percent: [-0.49, 0]}}]", 9, 11, draw), 99);
        assert_int_equal(area_of_all("[{CropAndPad: {px: [-9999, 0]}}]", 9, 11, draw), 99);
        size_t half = area_of_all("[{LargeScaleJitter: 0.5}]", 40, 70, draw);
        assert_in_range(half, 19 * 34, 21 * 36);
    }
    assert_int_equal(area_of_all("[{Affine: {translate_percent: {x: 0.5}}}]", 10, 20, 0), 100);
    assert_int_equal(area_of_all("[{Affine: {translate_px: {y: -4}}}]", 10, 20, 0), 120);
    assert_int_equal(area_of_all("[{Affine: {translate_px: {x: 20}}}]", 10, 20, 0), 0);
    assert_int_equal(area_of_all("[{Affine: {shear: {x: 45, y: -45}}}]", 10, 20, 0),
                     0); /* a line */
    /* What left the frame doesn't come back. */
    assert_int_equal(area_of_all("[{Affine: {translate_px: {x: 15}}}, {Affine: {translate_px: {x: "
                                 "-15}}}]",
                                 10, 20, 0),
                     50);
    assert_int_equal(area_of_all("[{Affine: {translate_px: {x: 15}}}, {Multiply: 1}, {Affine: "
                                 "{translate_px: {x: -15}}}]",
                                 10, 20, 0),
                     50);
}

/* Fine stripes become grey when they are shrunk, and no other stripes. */
static void no_aliasing(void **state) {
    (void)state;
    mr_augmentation tree = tree_of("[{LargeScaleJitter: 0.13}]");
    scene s = make_scene(200, 200, 3);
    int seen = 0;
    for (int i = 0; i < 200 * 200 * 3; i++) s.pixels[i] = i / 3 % 2 ? 255 : 0;
    memset(s.mask, 1, 200 * 200);
    augment(&s, &tree, 1);
    for (int i = 0; i < 200 * 200; i++)
        if (s.moved[i]) {
            assert_in_range(s.pixels[3 * i], 110, 145); /* darkest and lightest at the ends */
            seen++;
        }
    assert_in_range(seen, 25 * 25, 27 * 27);
    free_scene(&s);
}

/* Frames of one pixel or one line, and more channels than there may be. */
static void odd_frames(void **state) {
    (void)state;
    static const int frames[][2] = {{1, 1}, {1, 50}, {50, 1}, {2, 3}};
    for (size_t f = 0; f < 4; f++)
        for (size_t t = 0; t < sizeof movements / sizeof *movements; t++) {
            mr_augmentation tree = tree_of(movements[t]);
            scene s = make_scene(frames[f][0], frames[f][1], 2);
            memset(s.mask, 1, (size_t)s.height * (size_t)s.width);
            for (uint64_t draw = 0; draw < 8; draw++) augment(&s, &tree, draw);
            free_scene(&s);
        }
    mr_augmentation blur = tree_of("[{GaussianBlur: 20}, {Affine: {scale: 0.05}}]");
    scene s = make_scene(3, 2, 1);
    memset(s.pixels, 50, 6);
    augment(&s, &blur, 0);
    free_scene(&s);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_warp warp = mr_warp_start(2, 2);
    uint8_t *pixels = take(17 * 4), *same = pixels;
    assert_int_equal(mr_augment_picture(&s.plan, &warp, &pixels, 17, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "17 channels");
    assert_ptr_equal(pixels, same);
    free(pixels);
}

/* --------------------------------------------------------------------------------------- values */

/* The deviation of noise that was added to grey, and how often channels differ. */
static double noise_deviation(const char *text, int channels, int *differing) {
    mr_augmentation tree = tree_of(text);
    scene s = make_scene(100, 100, channels);
    double sum = 0, squares = 0, count = 100.0 * 100 * channels;
    memset(s.pixels, 128, (size_t)count);
    augment(&s, &tree, 4);
    *differing = 0;
    for (int i = 0; i < 100 * 100 * channels; i++) {
        sum += s.pixels[i] - 128;
        squares += (s.pixels[i] - 128) * (s.pixels[i] - 128);
        *differing += s.pixels[i] != s.pixels[i / channels * channels];
    }
    assert_true(fabs(sum / count) < 1.5);
    free_scene(&s);
    return sqrt(squares / count);
}

static void noises(void **state) {
    (void)state;
    int differing;
    double have = noise_deviation("[{AdditiveGaussianNoise: 20}]", 3, &differing);
    assert_true(fabs(have - 20) < 0.5);
    assert_int_equal(differing, 0);
    have =
        noise_deviation("[{AdditiveGaussianNoise: {scale: 20, per_channel: true}}]", 5, &differing);
    assert_true(fabs(have - 20) < 0.5);
    assert_true(differing > 35000);
    have = noise_deviation("[{AdditiveGaussianNoise: 255}]", 1, &differing); /* cut off */
    assert_true(have > 100 && have < 128);
    /* Two nodes of one tree, and two pictures, have noise of their own. */
    uint8_t pixels[3][400];
    for (int i = 0; i < 3; i++) {
        mr_augmentation tree = tree_of(i == 1 ? "[{Fliplr: 0}, {AdditiveGaussianNoise: 20}]"
                                              : "[{AdditiveGaussianNoise: 20}]");
        scene s = make_scene(20, 20, 1);
        memset(s.pixels, 128, 400);
        augment(&s, &tree, i == 2 ? 5 : 4);
        memcpy(pixels[i], s.pixels, 400);
        free_scene(&s);
    }
    assert_memory_not_equal(pixels[0], pixels[1], 400);
    assert_memory_not_equal(pixels[0], pixels[2], 400);
}

static void channels(void **state) {
    (void)state;
    mr_augmentation together = tree_of("[{Multiply: [0.5, 1.5]}]");
    mr_augmentation apart = tree_of("[{Multiply: {mul: [0.5, 1.5], per_channel: true}}]");
    mr_augmentation half = tree_of("[{Multiply: {mul: [0.5, 1.5], per_channel: 0.5}}]");
    int alike = 0;
    for (uint64_t draw = 0; draw < 200; draw++) {
        scene s = make_scene(1, 1, 5);
        memset(s.pixels, 100, 5);
        augment(&s, &together, draw);
        for (int c = 1; c < 5; c++) assert_int_equal(s.pixels[c], s.pixels[0]);
        memset(s.pixels, 100, 5);
        augment(&s, &apart, draw);
        int same = 0;
        for (int c = 0; c < 5; c++) {
            assert_in_range(s.pixels[c], 50, 150);
            same += s.pixels[c] == s.pixels[0];
        }
        assert_true(same < 5);
        memset(s.pixels, 100, 5);
        augment(&s, &half, draw);
        alike += s.pixels[0] == s.pixels[1] && s.pixels[1] == s.pixels[2];
        free_scene(&s);
    }
    assert_in_range(alike, 70, 130);
    /* Colour is red, green and blue: fewer channels have none, others stay as they are. */
    mr_augmentation color = tree_of("[{AddToHue: 85}, {MultiplySaturation: 0.5}]");
    scene grey = make_scene(1, 1, 2), rgbd = make_scene(1, 1, 4);
    memcpy(grey.pixels, "\x10\x90", 2);
    memcpy(rgbd.pixels, "\xC8\x00\x00\x07", 4);
    augment(&grey, &color, 0);
    augment(&rgbd, &color, 0);
    assert_memory_equal(grey.pixels, "\x10\x90", 2);
    assert_memory_equal(rgbd.pixels, "\x64\xC8\x64\x07", 4); /* red to green, paler */
    free_scene(&grey), free_scene(&rgbd);
}

/* ---------------------------------------------------------------------------------------- draws */

enum { DRAWS = 6000 };

static mr_augment_plan draw(const mr_augmentation *tree, uint64_t number) {
    mr_augment_plan plan;
    mr_augment_draw(&plan, tree, mr_prng_value(mr_prng_stream(1, "augment"), number));
    return plan;
}

/* Within five standard deviations of what is expected. */
static void assert_share(int count, double share) {
    double deviation = sqrt(DRAWS * share * (1 - share));
    if (fabs(count - DRAWS * share) > 5 * deviation + 1e-9)
        fail_msg("%d of %d draws instead of %g", count, DRAWS, DRAWS * share);
}

static void choices(void **state) {
    (void)state;
    mr_augmentation some =
        tree_of("[{SomeOf: {count: [0, 2], of: [Fliplr, Flipud, Rot90, {Multiply: "
                "2}, {GaussianBlur: 1}]}}]");
    mr_augmentation one =
        tree_of("[{OneOf: [Fliplr, {Sequential: [Flipud, Rot90]}, {Multiply: 2}]}]");
    mr_augmentation sometimes = tree_of("[{Sometimes: {p: 0.3, of: [Fliplr, Flipud]}}]");
    mr_augmentation all = tree_of("[{SomeOf: {count: 9, of: [Fliplr, Flipud]}}, {Fliplr: 0.8}]");
    int counts[3] = {0}, ops[MR_AUGMENT_OPS] = {0}, first[3] = {0}, taken = 0, mirrored = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        mr_augment_plan plan = draw(&some, i);
        assert_in_range(plan.count, 0, 2);
        counts[plan.count]++;
        for (int k = 0; k < plan.count; k++) ops[plan.steps[k].op]++;
        if (plan.count == 2) assert_true(plan.steps[0].op < plan.steps[1].op); /* in order */
        plan = draw(&one, i);
        first[plan.steps[0].op == MR_AUGMENT_FLIPLR   ? 0
              : plan.steps[0].op == MR_AUGMENT_FLIPUD ? 1
                                                      : 2]++;
        assert_int_equal(plan.count, plan.steps[0].op == MR_AUGMENT_FLIPUD ? 2 : 1);
        plan = draw(&sometimes, i);
        assert_true(plan.count == 0 || plan.count == 2);
        taken += plan.count == 2;
        plan = draw(&all, i);
        assert_in_range(plan.count, 2, 3);
        mirrored += plan.count == 3;
    }
    for (int i = 0; i < 3; i++) assert_share(counts[i], 1.0 / 3);
    for (int i = 0; i < 3; i++) assert_share(first[i], 1.0 / 3);
    assert_share(ops[MR_AUGMENT_FLIPLR], 0.2); /* one of five things, once a draw on average */
    assert_share(ops[MR_AUGMENT_FLIPUD], 0.2);
    assert_share(ops[MR_AUGMENT_ROT90], 0.2);
    assert_share(ops[MR_AUGMENT_MULTIPLY], 0.2);
    assert_share(ops[MR_AUGMENT_GAUSSIAN_BLUR], 0.2);
    assert_share(taken, 0.3);
    assert_share(mirrored, 0.8);
}

static void orders(void **state) {
    (void)state;
    mr_augmentation fixed = tree_of("[Fliplr, Flipud, Rot90]");
    mr_augmentation any =
        tree_of("[{Sequential: {random_order: true, of: [Fliplr, Flipud, Rot90]}}]");
    mr_augmentation two =
        tree_of("[{SomeOf: {count: 2, random_order: true, of: [Fliplr, Flipud, Rot90]}}]");
    int seen[6] = {0}, pairs[9] = {0};
    for (uint64_t i = 0; i < DRAWS; i++) {
        mr_augment_plan plan = draw(&fixed, i);
        assert_true(plan.count == 3 && plan.steps[0].op == MR_AUGMENT_FLIPLR &&
                    plan.steps[1].op == MR_AUGMENT_FLIPUD && plan.steps[2].op == MR_AUGMENT_ROT90);
        plan = draw(&any, i);
        assert_int_equal(plan.count, 3);
        int a = (int)plan.steps[0].op - MR_AUGMENT_FLIPLR,
            b = (int)plan.steps[1].op - MR_AUGMENT_FLIPLR;
        assert_int_equal(a + b + (int)plan.steps[2].op - MR_AUGMENT_FLIPLR, 3);
        seen[2 * a + (b > 3 - a - b)]++;
        plan = draw(&two, i);
        assert_int_equal(plan.count, 2);
        pairs[3 * ((int)plan.steps[0].op - MR_AUGMENT_FLIPLR) + (int)plan.steps[1].op -
              MR_AUGMENT_FLIPLR]++;
    }
    for (int i = 0; i < 6; i++) assert_share(seen[i], 1.0 / 6);
    for (int i = 0; i < 9; i++) assert_share(pairs[i], i % 4 == 0 ? 0 : 1.0 / 6);
}

static void numbers(void **state) {
    (void)state;
    mr_augmentation tree =
        tree_of("[{Rot90: [-1, 2]}, {Affine: {scale: [0.5, 2], translate_percent: "
                "{x: [-0.5, 0.5], y: 0.25}}}]");
    int turns[4] = {0}, low = 0;
    double least = 9, most = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        mr_augment_plan plan = draw(&tree, i), again = draw(&tree, i);
        assert_memory_equal(plan.steps[1].values, again.steps[1].values,
                            sizeof plan.steps[1].values);
        turns[(int)plan.steps[0].values[0] + 1]++;
        const double *v = plan.steps[1].values;
        assert_true(v[MR_SLOT_SCALE_X] == v[MR_SLOT_SCALE_Y]); /* one draw */
        assert_true(v[MR_SLOT_TRANSLATE_PERCENT_Y] == 0.25);
        assert_true(v[MR_SLOT_ROTATE] == 0);
        least = fmin(least, v[MR_SLOT_SCALE_X]);
        most = fmax(most, v[MR_SLOT_SCALE_X]);
        low += v[MR_SLOT_TRANSLATE_PERCENT_X] < -0.25;
    }
    for (int i = 0; i < 4; i++) assert_share(turns[i], 0.25);
    assert_share(low, 0.25);
    assert_true(least >= 0.5 && least < 0.505 && most <= 2 && most > 1.995);
    mr_augmentation none = tree_of("none");
    assert_int_equal(draw(&none, 0).count, 0);
}

/* --------------------------------------------------------------------------- for looking at */

static void assert_sample(const mrcnn_dataset *set, const mrcnn_config *config, int64_t number,
                          mrcnn_image *image, mrcnn_result **result) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_dataset_sample(set, config, 1, number, image, result, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_true(image->width == 128 && image->height == 128 && image->channels == 3);
    assert_true((*result)->width == 128 && (*result)->height == 128 && (*result)->count > 0);
    for (size_t i = 0; i < (*result)->count; i++) {
        const mrcnn_instance *it = &(*result)->instances[i];
        int32_t box[4];
        mr_mask_box(&it->mask, box);
        assert_true(it->y1 == box[0] && it->x1 == box[1] && it->y2 == box[2] && it->x2 == box[3]);
        assert_true(it->score == 1 && it->class_id >= 1 && it->class_id <= 3);
        assert_string_equal(it->class_name, mrcnn_dataset_class_name(set, it->class_id));
    }
}

static void public_samples(void **state) {
    (void)state;
    mrcnn_dataset *set = NULL;
    mrcnn_config *config = NULL;
    mrcnn_image plain = {0}, same = {0}, changed = {0};
    mrcnn_result *objects = NULL, *same_objects = NULL, *moved = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_dataset_open(&set, "shapes", NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_create(&config, "shapes", NULL), MRCNN_OK);
    assert_sample(set, config, -1, &plain, &objects);
    assert_sample(set, config, 7, &same, &same_objects); /* the preset draws nothing */
    assert_int_equal(objects->count, same_objects->count);
    assert_memory_equal(plain.pixels, same.pixels, 128 * 128 * 3);
    assert_int_equal(mrcnn_config_set(config, "AUGMENTATION", "[Fliplr]", NULL), MRCNN_OK);
    assert_sample(set, config, 7, &changed, &moved);
    for (int i = 0; i < 128 * 128; i++)
        assert_memory_equal(changed.pixels + 3 * i,
                            plain.pixels + 3 * (i / 128 * 128 + 127 - i % 128), 3);
    assert_int_equal(moved->instances[0].x1, 128 - objects->instances[0].x2);
    assert_int_equal(mrcnn_mask_area(&moved->instances[0].mask),
                     mrcnn_mask_area(&objects->instances[0].mask));
    mrcnn_result *none = moved;
    mrcnn_image untouched = changed;
    size_t behind = mrcnn_dataset_count(set);
    assert_int_equal(mrcnn_dataset_sample(set, config, behind, 0, &changed, &none, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "there is no picture");
    assert_int_equal(mrcnn_dataset_sample(set, config, 0, -2, &changed, &none, &err),
                     MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_sample(set, NULL, 0, 0, &changed, &none, NULL),
                     MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_config_set(config, "IMAGE_MAX_DIM", "100", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_sample(set, config, 0, 0, &changed, &none, &err),
                     MRCNN_E_CONFIG);
    assert_true(none == moved && changed.pixels == untouched.pixels);
    mrcnn_image_free(&plain), mrcnn_image_free(&same), mrcnn_image_free(&changed);
    mrcnn_result_free(&objects), mrcnn_result_free(&same_objects), mrcnn_result_free(&moved);
    mrcnn_dataset_free(&set);
    mrcnn_config_free(&config);
}

/* ----------------------------------------------------------------------------------------- bits */

static void bits(void **state) {
    (void)state;
    for (int width = 1; width < 20; width++) {
        uint8_t bytes[3 * 20], packed[3 * 3 + 1], again[3 * 20];
        noise(bytes, sizeof bytes, (uint64_t)width);
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] &= 1;
        memset(packed, 0xAA, sizeof packed);
        mr_bits_pack(bytes, 3, width, packed);
        assert_int_equal(mr_bits_size(3, width), 3 * ((width + 7) / 8));
        assert_int_equal(packed[mr_bits_size(3, width)], 0xAA);
        for (int y = 0; y < 3; y++)
            for (int x = 0; x < 8 * (int)mr_bits_row(width); x++)
                assert_int_equal(mr_bit(packed + (size_t)y * mr_bits_row(width), x),
                                 x < width ? bytes[y * width + x] : 0);
        mr_bits_unpack(packed, 3, width, again);
        assert_memory_equal(again, bytes, (size_t)(3 * width));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens),         cmocka_unit_test(masks_follow_pictures),
        cmocka_unit_test(exact_movements), cmocka_unit_test(inverts),
        cmocka_unit_test(blocks),          cmocka_unit_test(areas),
        cmocka_unit_test(no_aliasing),     cmocka_unit_test(odd_frames),
        cmocka_unit_test(noises),          cmocka_unit_test(channels),
        cmocka_unit_test(choices),         cmocka_unit_test(orders),
        cmocka_unit_test(numbers),         cmocka_unit_test(bits),
        cmocka_unit_test(public_samples),
    };
    return cmocka_run_group_tests_name("augmentation", tests, NULL, NULL);
}
