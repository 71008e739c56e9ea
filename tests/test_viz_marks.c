/* test_viz_marks.c - marks, RoIs, differences and the masks of the top classes: what is drawn where, and in
 * which colour. */
#include "test_viz.h"
#include "helper_assert.h"

#include "viz/color.h"

#include <mrcnn/draw.h>

#include <math.h>

static mrcnn_image black(int32_t height, int32_t width) {
    return (mrcnn_image){width, height, 3, calloc((size_t)height * (size_t)width, 3)};
}

static void test_class_colors(void **state) {
    (void)state;
    for (int id = -1; id < 100; id++) {
        double rgb[3];
        mr_color expected = mr_color_of_class(id);
        mrcnn_class_color(id, rgb);
        assert_true(rgb[0] == expected.r && rgb[1] == expected.g && rgb[2] == expected.b);
    }
}

static void test_hostile_marks(void **state) {
    (void)state;
    mrcnn_image image = black(10, 10), out = {0};
    mrcnn_mask small = {5, 5, 1, (uint32_t[]){25}}, cut = {10, 10, 1, (uint32_t[]){99}};
    const mrcnn_mark good = {1, 1, 5, 5, 1, 0, 0, 1, MRCNN_LINE_SOLID, NULL, NULL};
    mrcnn_mark bad[8];
    for (int i = 0; i < 8; i++) bad[i] = good;
    bad[0].y1 = NAN;
    bad[1].x2 = INFINITY;
    bad[2].red = 1.5;
    bad[3].alpha = -0.1;
    bad[4].line = (mrcnn_line)9;
    bad[5].mask = &small;
    bad[6].mask = &cut;
    bad[7].blue = NAN;
    for (int i = 0; i < 8; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(mrcnn_draw_marks(&out, &image, &bad[i], 1, &err), MRCNN_E_ARGUMENT);
        assert_contains(err.message, "mark 0");
        assert_null(out.pixels);
    }
    assert_int_equal(mrcnn_draw_marks(NULL, &image, &good, 1, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_draw_marks(&image, &image, &good, 1, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_draw_marks(&out, NULL, &good, 1, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_draw_marks(&out, &image, NULL, 1, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_draw_marks(&out, &image, NULL, 0, NULL), MRCNN_OK);
    assert_memory_equal(out.pixels, image.pixels, 300);
    free(out.pixels);
    free(image.pixels);
}

#ifdef MRCNN_WITH_CAIRO

static const uint8_t *pixel(const mrcnn_image *image, int y, int x) {
    return image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

static mrcnn_image draw(const mrcnn_image *image, const mrcnn_mark *marks, size_t count) {
    mrcnn_image out = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_draw_marks(&out, image, marks, count, &err), MRCNN_OK);
    return out;
}

/* Pixels of the box's border that are nearly of its colour. */
static int on_border(const mrcnn_image *image) {
    int count = 0;
    for (int y = 20; y < 80; y++)
        for (int x = 30; x < 90; x++)
            if ((y == 20 || y == 79 || x == 30 || x == 89) && pixel(image, y, x)[0] > 200) count++;
    return count;
}

static void test_lines(void **state) {
    (void)state;
    mrcnn_image image = black(100, 120);
    int drawn[4];
    for (int line = MRCNN_LINE_NONE; line <= MRCNN_LINE_DOTTED; line++) {
        mrcnn_mark mark = {20, 30, 80, 90, 1, 0, 0, 1, (mrcnn_line)line, NULL, NULL};
        mrcnn_image out = draw(&image, &mark, 1);
        drawn[line] = on_border(&out);
        for (int y = 0; y < 100; y++)
            for (int x = 0; x < 120; x++) {
                int inside = y >= 23 && y < 77 && x >= 33 && x < 87;
                int outside = y < 18 || y >= 82 || x < 28 || x >= 92;
                if (inside || outside) assert_int_equal(pixel(&out, y, x)[0], 0);
            }
        free(out.pixels);
    }
    assert_int_equal(drawn[0], 0);
    assert_int_equal(drawn[1], 4 * 60 - 4);
    assert_true(drawn[2] > 100 && drawn[2] < 180); /* four of seven */
    assert_true(drawn[3] > 40 && drawn[3] < 120);  /* one of three */
    mrcnn_mark faint = {20, 30, 80, 90, 1, 0, 0, 0.5, MRCNN_LINE_SOLID, NULL, NULL};
    mrcnn_image out = draw(&image, &faint, 1);
    assert_true(abs(pixel(&out, 20, 60)[0] - 128) < 12);
    free(out.pixels);
    free(image.pixels);
}

/* A box beyond the picture is cut off at its edge; one outside, or turned inside out, draws nothing. */
static void test_outside(void **state) {
    (void)state;
    mrcnn_image image = black(60, 60);
    mrcnn_mark over = {-1e9, 10, 30, 1e9, 1, 1, 1, 1, MRCNN_LINE_SOLID, NULL, NULL};
    mrcnn_mark nothing[] = {{70, 70, 80, 80, 1, 1, 1, 1, MRCNN_LINE_SOLID, "outside", NULL},
                            {30, 30, 10, 10, 1, 1, 1, 1, MRCNN_LINE_DASHED, "inside out", NULL},
                            {5, 5, 5, 5, 1, 1, 1, 1, MRCNN_LINE_DOTTED, "empty", NULL}};
    mrcnn_image out = draw(&image, &over, 1);
    assert_true(pixel(&out, 0, 40)[0] > 200 && pixel(&out, 29, 59)[0] > 200);
    free(out.pixels);
    out = draw(&image, nothing, 3);
    assert_memory_equal(out.pixels, image.pixels, 60 * 60 * 3);
    free(out.pixels);
    free(image.pixels);
}

/* Masks are blended with half of alpha, the first mark on top. */
static void test_masks(void **state) {
    (void)state;
    mrcnn_image image = black(100, 100);
    mrcnn_instance a = make_rectangle(100, 100, 10, 10, 60, 60),
                   b = make_rectangle(100, 100, 30, 30, 90, 90);
    mrcnn_mark marks[] = {{0, 0, 0, 0, 1, 0, 0, 1.0, MRCNN_LINE_NONE, NULL, &a.mask},
                          {0, 0, 0, 0, 0, 1, 0, 0.5, MRCNN_LINE_NONE, NULL, &b.mask}};
    mrcnn_image out = draw(&image, marks, 2);
    const uint8_t red[] = {127, 0, 0}, green[] = {0, 63, 0}, both[] = {127, 31, 0};
    assert_memory_equal(pixel(&out, 20, 20), red, 3);
    assert_memory_equal(pixel(&out, 75, 75), green, 3);
    assert_memory_equal(pixel(&out, 45, 45), both, 3);
    assert_true(pixel(&out, 10, 40)[0] > 150); /* the outline */
    free(out.pixels);
    free(image.pixels);
    free_instances(&a, 1);
    free_instances(&b, 1);
}

static int count_color(const mrcnn_image *image, int r, int g, int b) {
    int count = 0;
    for (int i = 0; i < image->width * image->height; i++) {
        const uint8_t *p = image->pixels + 3 * i;
        count += abs(p[0] - r) <= 1 && abs(p[1] - g) <= 1 && abs(p[2] - b) <= 1;
    }
    return count;
}

/* In a heap those captions are there that can be read, and no others. */
static void test_captions(void **state) {
    (void)state;
    enum { COUNT = 40 };
    mrcnn_image image = black(200, 200);
    mrcnn_mark marks[COUNT];
    for (int i = 0; i < COUNT; i++)
        marks[i] =
            (mrcnn_mark){90, 80, 110, 120, 1, i / 255.0, 1, 1, MRCNN_LINE_NONE, "a name", NULL};
    mrcnn_image out = draw(&image, marks, COUNT);
    int bar = count_color(&out, 255, 0, 255), shown = 0;
    assert_true(bar > 20);
    for (int i = 0; i < COUNT; i += 4) { /* colours further apart than what is compared */
        int pixels = count_color(&out, 255, i, 255);
        shown += pixels > 0;
    }
    assert_true(shown < COUNT / 4);
    free(out.pixels);
    const char *const longest = "a caption that is much longer than the picture is wide, and goes "
                                "on after that, and on, and on";
    const char *const odd[] = {"", "\xFF\xFE", "\n", longest};
    for (int i = 0; i < 4; i++) {
        marks[0].caption = odd[i];
        out = draw(&image, marks, 1);
        free(out.pixels);
    }
    free(image.pixels);
}

/* ---------------------------------------------------------------------------------------- RoIs */

static void test_rois(void **state) {
    (void)state;
    enum { COUNT = 50 };
    mrcnn_image image = black(300, 300), a = {0}, b = {0}, c = {0};
    mrcnn_roi rois[COUNT];
    for (int i = 0; i < COUNT; i++)
        rois[i] = (mrcnn_roi){.y1 = 5.0 * i,
                              .x1 = 5.0 * i,
                              .y2 = 5.0 * i + 40,
                              .x2 = 5.0 * i + 40,
                              .refined_y1 = 5.0 * i + 4,
                              .refined_x1 = 5.0 * i + 4,
                              .refined_y2 = 5.0 * i + 44,
                              .refined_x2 = 5.0 * i + 44,
                              .class_id = i % 2,
                              .class_name = i % 4 == 1 ? "thing" : NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_draw_rois(&a, &image, rois, COUNT, 10, 7, &err), MRCNN_OK);
    assert_int_equal(mrcnn_draw_rois(&b, &image, rois, COUNT, 10, 7, &err), MRCNN_OK);
    assert_memory_equal(a.pixels, b.pixels, 300 * 300 * 3);
    assert_int_equal(mrcnn_draw_rois(&c, &image, rois, COUNT, 10, 8, &err), MRCNN_OK);
    assert_memory_not_equal(a.pixels, c.pixels, 300 * 300 * 3);
    mrcnn_image_free(&a);
    mrcnn_image_free(&b);
    mrcnn_image_free(&c);
    /* A negative one alone: grey, and nothing at its refined box. */
    mrcnn_roi negative = {.y1 = 10,
                          .x1 = 10,
                          .y2 = 50,
                          .x2 = 50,
                          .refined_y1 = 100,
                          .refined_x1 = 100,
                          .refined_y2 = 200,
                          .refined_x2 = 200};
    assert_int_equal(mrcnn_draw_rois(&a, &image, &negative, 1, 0, 0, &err), MRCNN_OK);
    int grey = 0;
    for (int i = 0; i < 300 * 300; i++) {
        const uint8_t *p = a.pixels + 3 * i;
        assert_true(p[0] == p[1] && p[1] == p[2]);
        grey += p[0] > 60;
        if (i / 300 >= 60 || i % 300 >= 60) assert_int_equal(p[0], 0);
    }
    assert_true(grey > 20);
    mrcnn_image_free(&a);
    assert_int_equal(mrcnn_draw_rois(&a, &image, rois, 0, 0, 0, &err), MRCNN_OK);
    mrcnn_image_free(&a);
    assert_int_equal(mrcnn_draw_rois(&a, &image, NULL, 1, 0, 0, &err), MRCNN_E_ARGUMENT);
    free(image.pixels);
}

/* --------------------------------------------------------------------------------- differences */

static int dashes(const mrcnn_image *image, int y, int x1, int x2, int channel) {
    int changes = 0, last = -1;
    for (int x = x1; x < x2; x++) {
        int on = pixel(image, y, x)[channel] > 150;
        changes += last >= 0 && on != last;
        last = on;
    }
    return changes;
}

/* Left: found with an IoU of 0.8. Right: of another class, so neither the object nor the detection counts. */
static void test_differences(void **state) {
    (void)state;
    mrcnn_image image = black(200, 400), out = {0};
    mrcnn_instance truth[] = {make_rectangle(200, 400, 50, 20, 150, 120),
                              make_rectangle(200, 400, 50, 220, 150, 320)};
    mrcnn_instance found[] = {make_rectangle(200, 400, 70, 20, 150, 120),
                              make_rectangle(200, 400, 60, 220, 150, 320)};
    truth[1].class_id = 2;
    found[1].score = 0.3F;
    mrcnn_result all = {200, 400, 2, truth}, detections = {200, 400, 2, found};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_draw_differences(&out, &image, &all, &detections, 0.5, 0, &err),
                     MRCNN_OK);
    /* Lower edges of boxes: red lies over green. */
    assert_true(dashes(&out, 149, 25, 115, 0) == 0);
    assert_true(dashes(&out, 149, 225, 315, 0) > 6);
    assert_true(dashes(&out, 50, 130, 220, 1) == 0);
    assert_true(pixel(&out, 60, 100)[1] > 100 && pixel(&out, 60, 100)[0] < 10);   /* truth alone */
    assert_true(pixel(&out, 100, 100)[0] > 100 && pixel(&out, 100, 100)[1] > 50); /* both */
    mrcnn_image_free(&out);
    /* A higher threshold: nothing is found. */
    assert_int_equal(mrcnn_draw_differences(&out, &image, &all, &detections, 0.81, 0, &err),
                     MRCNN_OK);
    assert_true(dashes(&out, 149, 25, 115, 0) > 6);
    mrcnn_image_free(&out);
    /* Without the unsure one the right object is alone. */
    assert_int_equal(mrcnn_draw_differences(&out, &image, &all, &detections, 0.5, 0.5, &err),
                     MRCNN_OK);
    for (int y = 50; y < 150; y++)
        for (int x = 220; x < 320; x++) assert_true(pixel(&out, y, x)[0] < 10 || y < 70);
    mrcnn_image_free(&out);
    assert_int_equal(mrcnn_draw_differences(&out, &image, &all, &detections, 1.5, 0, &err),
                     MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_draw_differences(&out, &image, NULL, &detections, 0.5, 0, &err),
                     MRCNN_E_ARGUMENT);
    mrcnn_result none = {200, 400, 0, NULL};
    assert_int_equal(mrcnn_draw_differences(&out, &image, &none, &none, 0.5, 0, &err), MRCNN_OK);
    assert_memory_equal(out.pixels, image.pixels, 200 * 400 * 3);
    mrcnn_image_free(&out);
    free(image.pixels);
    free_instances(truth, 2);
    free_instances(found, 2);
}

/* ------------------------------------------------------------------------------------ top masks */

static void test_top_masks(void **state) {
    (void)state;
    mrcnn_image image = black(100, 200), out = {0};
    mrcnn_instance instances[] = {make_rectangle(100, 200, 0, 0, 10, 10), /* class 1: 100 pixels */
                                  make_rectangle(100, 200, 0, 0, 50, 200),
                                  make_rectangle(100, 200, 60, 0, 70, 50),
                                  make_rectangle(100, 200, 80, 0, 90, 50)};
    instances[1].class_id = 2;                         /* 10,000 */
    instances[2].class_id = instances[3].class_id = 3; /* 1000 */
    instances[1].class_name = NULL;
    mrcnn_result result = {100, 200, 4, instances};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_draw_top_masks(&out, &image, &result, 2, &err), MRCNN_OK);
    assert_int_equal(out.width, 6 + 3 * 206); /* the picture, class 2, class 3 */
    assert_int_equal(out.height, 6 + 100 + 6 + 36);
    assert_int_equal(pixel(&out, 50, 100)[0], 0);
    assert_true(pixel(&out, 6 + 25, 212 + 100)[0] > 200); /* yellow */
    assert_true(pixel(&out, 6 + 75, 212 + 100)[0] < 40);  /* ground */
    const uint8_t *first = pixel(&out, 6 + 65, 418 + 20), *second = pixel(&out, 6 + 85, 418 + 20);
    assert_true(memcmp(first, second, 3) != 0); /* a shade each */
    assert_true(pixel(&out, 6 + 5, 418 + 5)[0] < 40);
    mrcnn_image_free(&out);
    assert_int_equal(mrcnn_draw_top_masks(&out, &image, &result, 4, &err), MRCNN_OK);
    assert_int_equal(out.width, 6 + 4 * 206); /* there are no more than three classes */
    mrcnn_image_free(&out);
    assert_int_equal(mrcnn_draw_top_masks(&out, &image, &result, 0, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_draw_top_masks(&out, &image, &result, 17, &err), MRCNN_E_ARGUMENT);
    assert_null(out.pixels);
    free(image.pixels);
    free_instances(instances, 4);
}

#else

static void test_without_cairo(void **state) {
    (void)state;
    mrcnn_image image = black(20, 20), out = {0};
    mrcnn_mark mark = {1, 1, 5, 5, 1, 0, 0, 1, MRCNN_LINE_SOLID, NULL, NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_draw_marks(&out, &image, &mark, 1, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "MRCNN_WITH_CAIRO");
    assert_null(out.pixels);
    free(image.pixels);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_colors), cmocka_unit_test(test_hostile_marks),
#ifdef MRCNN_WITH_CAIRO
        cmocka_unit_test(test_lines),        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_masks),        cmocka_unit_test(test_captions),
        cmocka_unit_test(test_rois),         cmocka_unit_test(test_differences),
        cmocka_unit_test(test_top_masks),
#else
        cmocka_unit_test(test_without_cairo),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
