/* test_viz_color.c - the palette: the same on every run, evenly spaced, no two alike. */
#include "test_viz.h"

#include "viz/color.h"

static int same(mr_color a, mr_color b) {
    return a.r == b.r && a.g == b.g && a.b == b.b;
}

/* Largest difference of a channel in 8 bits. */
static double distance(mr_color a, mr_color b) {
    double d[] = {a.r - b.r, a.g - b.g, a.b - b.b}, most = 0.0;
    for (int i = 0; i < 3; i++) most = d[i] > most ? d[i] : -d[i] > most ? -d[i] : most;
    return 255.0 * most;
}

static void test_hues(void **state) {
    (void)state;
    assert_true(same(mr_color_of_hue(0.0), (mr_color){1.0, 0.0, 0.0}));
    assert_true(same(mr_color_of_hue(1.0), (mr_color){1.0, 0.0, 0.0}));
    assert_true(same(mr_color_of_hue(0.5), (mr_color){0.0, 1.0, 1.0}));
    assert_true(same(mr_color_of_hue(0.25), (mr_color){0.5, 1.0, 0.0}));
    assert_true(same(mr_color_of_hue(-0.25), (mr_color){0.5, 0.0, 1.0}));
}

static void test_instances_use_each_hue_once(void **state) {
    (void)state;
    mr_color colors[100];
    for (size_t count = 1; count <= 100; count++) {
        int used[100] = {0};
        assert_int_equal(mr_colors_of_instances(colors, count, NULL), MRCNN_OK);
        assert_true(same(colors[0], mr_color_of_hue(0.0)));
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < count; k++)
                used[k] += same(colors[i], mr_color_of_hue((double)k / (double)count));
        for (size_t k = 0; k < count; k++) assert_int_equal(used[k], 1);
    }
}

static void test_neighbours_differ(void **state) {
    (void)state;
    mr_color colors[100];
    for (size_t count = 2; count <= 100; count++) {
        assert_int_equal(mr_colors_of_instances(colors, count, NULL), MRCNN_OK);
        for (size_t i = 1; i < count; i++) assert_true(distance(colors[i - 1], colors[i]) > 128.0);
    }
}

static void test_instances_are_stable(void **state) {
    (void)state;
    /* Written down once: a changed order would change every user's pictures. */
    static const int sixths[] = {0, 4, 2, 5, 3, 1};
    mr_color colors[6];
    assert_int_equal(mr_colors_of_instances(colors, 6, NULL), MRCNN_OK);
    for (int i = 0; i < 6; i++) assert_true(same(colors[i], mr_color_of_hue(sixths[i] / 6.0)));
    assert_int_equal(mr_colors_of_instances(colors, 0, NULL), MRCNN_OK);
}

static void test_classes(void **state) {
    (void)state;
    assert_true(same(mr_color_of_class(1), (mr_color){1.0, 0.0, 0.0}));
    for (int a = 1; a <= 80; a++)
        for (int b = 1; b < a; b++)
            assert_true(distance(mr_color_of_class(a), mr_color_of_class(b)) > 4.0);
    /* Any number is a colour. */
    mr_color odd[] = {mr_color_of_class(0), mr_color_of_class(INT32_MIN),
                      mr_color_of_class(INT32_MAX)};
    for (int i = 0; i < 3; i++) {
        assert_in_range((int)(odd[i].r * 255.0), 0, 255);
        assert_in_range((int)(odd[i].g * 255.0), 0, 255);
        assert_in_range((int)(odd[i].b * 255.0), 0, 255);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hues),
        cmocka_unit_test(test_instances_use_each_hue_once),
        cmocka_unit_test(test_neighbours_differ),
        cmocka_unit_test(test_instances_are_stable),
        cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
