/* test_viz_caption.c - what captions say. */
#include "test_viz.h"

#include "viz/caption_text.h"

#include <math.h>

static void expect(const char *name, float score, int characters, const char *expected, int used) {
    char text[MR_CAPTION_BYTES];
    mrcnn_instance instance = {.class_id = 7, .score = score, .class_name = name};
    assert_int_equal(mr_caption_text(text, &instance, NULL, characters), used);
    assert_string_equal(text, expected);
}

static void test_ids(void **state) {
    (void)state;
    char text[MR_CAPTION_BYTES];
    const int32_t ids[] = {3, INT32_MAX, INT32_MIN};
    static const char *const expected[] = {"car #3 0.981", "car #2147483647 0.981",
                                           "car #-2147483648 0.981"};
    for (int i = 0; i < 3; i++) {
        mrcnn_instance instance = {.class_id = 7, .score = 0.981F, .class_name = "car"};
        assert_int_equal(mr_caption_text(text, &instance, &ids[i], 64), 3);
        assert_string_equal(text, expected[i]);
    }
}

static void test_scores_are_those_of_python(void **state) {
    (void)state;
    FILE *file = open_golden("score.txt");
    char line[200], number[20], expected[40];
    double score;
    int lines = 0;
    while (next_line(file, line, sizeof line)) {
        assert_int_equal(sscanf(line, "%lf %19s", &score, number), 2);
        snprintf(expected, sizeof expected, "a %s", number);
        expect("a", (float)score, 64, expected, 1);
        lines++;
    }
    fclose(file);
    assert_true(lines > 50);
}

static void test_scores_out_of_range_are_left_out(void **state) {
    (void)state;
    expect("cat", -0.01F, 64, "cat", 3);
    expect("cat", 1.01F, 64, "cat", 3);
    expect("cat", NAN, 64, "cat", 3);
}

static void test_names(void **state) {
    (void)state;
    expect("traffic light", 1.0F, 64, "traffic light 1.000", 13);
    expect(NULL, 0.5F, 64, "class 7 0.500", 7);
    expect("", 0.5F, 64, "class 7 0.500", 7);
    expect("a\nb\x7F"
           "c\xC2\x85",
           0.5F, 64, "a b c  0.500", 6);
    expect("abcdef", 0.5F, 3, "abc\xE2\x80\xA6 0.500", 3);
    expect("\xE4\xBA\xBA\xE7\x89\xA9", 0.5F, 1, "\xE4\xBA\xBA\xE2\x80\xA6 0.500", 1);
}

#define BAD "\xEF\xBF\xBD"

static void test_broken_utf8(void **state) {
    (void)state;
    expect("\xFF!", 0.5F, 64, BAD "! 0.500", 2);
    expect("\xE2\x82", 0.5F, 64, BAD BAD " 0.500", 2);                 /* cut off */
    expect("\xC0\x80", 0.5F, 64, BAD BAD " 0.500", 2);                 /* overlong */
    expect("\xE0\x80\x80", 0.5F, 64, BAD BAD BAD " 0.500", 3);         /* overlong */
    expect("\xED\xA0\x80", 0.5F, 64, BAD BAD BAD " 0.500", 3);         /* surrogate */
    expect("\xEF\xBF\xBF", 0.5F, 64, BAD BAD BAD " 0.500", 3);         /* U+FFFF */
    expect("\xF4\x90\x80\x80", 0.5F, 64, BAD BAD BAD BAD " 0.500", 4); /* past U+10FFFF */
    expect("\xF4\x8F\xBF\xBD", 0.5F, 64, "\xF4\x8F\xBF\xBD 0.500", 1);
}

static void test_longest(void **state) {
    (void)state;
    char name[4 * 80 + 1] = "", expected[400] = "";
    for (int i = 0; i < 80; i++) strcat(name, "\xF0\x9F\x90\x88");
    memcpy(expected, name, 4 * MR_CAPTION_NAME);
    strcat(expected, "\xE2\x80\xA6 1.000");
    expect(name, 1.0F, 1000, expected, MR_CAPTION_NAME);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_scores_are_those_of_python),
        cmocka_unit_test(test_scores_out_of_range_are_left_out),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_broken_utf8),
        cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
