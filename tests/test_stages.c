/* test_stages.c - STAGES' text and the patterns in it. What patterns select is tested in
 * test_layers.c. */
#include "helper_assert.h"

#include "config/stages.h"

static void check(const char *text, int count, const mr_stage *expected) {
    mr_stages stages;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_stages_parse(&stages, text, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(stages.count, count);
    for (int i = 0; i < count; i++) {
        assert_string_equal(stages.items[i].layers, expected[i].layers);
        assert_int_equal(stages.items[i].last_epoch, expected[i].last_epoch);
        assert_true(stages.items[i].factor == expected[i].factor);
    }
}

static void test_good_texts(void **state) {
    (void)state;
    check("", 0, NULL);
    check(" \t", 0, NULL);
    check("heads 20; all 40 0.1", 2, (const mr_stage[]){{"heads", 20, 1}, {"all", 40, 0.1}});
    check("heads 40;4+ 120;all 160 0.1", 3,
          (const mr_stage[]){{"heads", 40, 1}, {"4+", 120, 1}, {"all", 160, 0.1}});
    check("\n 5+  1\t;3+ 1000000 1e6 ", 2, (const mr_stage[]){{"5+", 1, 1}, {"3+", 1000000, 1e6}});
    check("(res5.*)|(mrcnn_.*) 10", 1, (const mr_stage[]){{"(res5.*)|(mrcnn_.*)", 10, 1}});
    check("mrcnn\\_.* +7 2", 1, (const mr_stage[]){{"mrcnn\\_.*", 7, 2}});
}

static void test_bad_texts(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"heads", "stage 1, \"heads\": the last epoch is missing"},
        {"heads 20; ", "stage 2, \" \": nothing is there"},
        {";", "stage 1, \"\": nothing is there"},
        {"heads 20 0.1 3", "more than three words"},
        {"heads 0", "no whole number from 1 to 1000000"},
        {"heads -1", "no whole number"},
        {"heads 1000001", "no whole number"},
        {"heads 99999999999999999999", "no whole number"},
        {"heads 2.5", "no whole number"},
        {"20 heads", "no whole number"},
        {"heads 20 0", "no number above 0"},
        {"heads 20 -1", "no number above 0"},
        {"heads 20 nan", "no number above 0"},
        {"heads 20 1e999", "no number above 0"},
        {"heads 20 x", "no number above 0"},
        {"heads 20; all 20", "stage 2, \" all 20\": its last epoch is not above"},
        {"heads 20; 5+ 30; all 10", "stage 3"},
        {"heads 1; (res5.* 2", "STAGES: stage 2: layers \"(res5.*\""},
        {"a)|(b 3", "layers \"a)|(b\""},
        {"1 1;2 2;3 3;4 4;5 5;6 6;7 7;8 8;9 9;10 10;11 11;12 12;13 13;14 14;15 15;16 16;17 17",
         "more than 16 stages"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_stages stages, before;
        memset(&stages, 0x55, sizeof stages);
        before = stages;
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(mr_stages_parse(&stages, cases[i][0], &err), MRCNN_E_CONFIG);
        assert_contains(err.message, cases[i][1]);
        assert_contains(err.message, "STAGES");
        assert_memory_equal(&stages, &before, sizeof before);
    }
}

static void test_long_texts(void **state) {
    (void)state;
    static char text[100000];
    mr_stages stages;
    mrcnn_error err = MRCNN_ERROR_INIT;
    memset(text, 'a', sizeof text - 1);
    assert_int_equal(mr_stages_parse(&stages, text, &err), MRCNN_E_CONFIG);
    assert_contains(err.message, "too long");
    memset(text, ';', sizeof text - 1);
    assert_int_equal(mr_stages_parse(&stages, text, &err), MRCNN_E_CONFIG);
}

static int matches(const char *layers, const char *layer) {
    regex_t pattern;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_layer_pattern_compile(&pattern, layers, &err);
    assert_string_equal(err.message, "");
    int yes = mr_layer_pattern_matches(&pattern, layer);
    regfree(&pattern);
    return yes;
}

/* The whole name must match, whatever the alternatives (Python's re.fullmatch). */
static void test_patterns(void **state) {
    (void)state;
    assert_true(matches("heads", "mrcnn_mask"));
    assert_true(matches("heads", "fpn_p2"));
    assert_false(matches("heads", "my_mrcnn_mask"));
    assert_false(matches("heads", "heads"));
    assert_false(matches("heads", "rpn"));
    assert_true(matches("5+", "bn5a_branch2a"));
    assert_false(matches("5+", "res4a_branch2a"));
    assert_true(matches("3+", "res3a_branch1"));
    assert_false(matches("3+", "res2a_branch1"));
    assert_false(matches("3+", "conv1"));
    assert_true(matches("all", "conv1"));
    assert_true(matches("conv1|bn_conv1", "bn_conv1"));
    assert_false(matches("conv1|bn_conv1", "conv1x"));
    assert_false(matches("conv1|bn_conv1", "xbn_conv1"));
    assert_false(matches("conv", "conv1"));
    assert_true(matches("(mrcnn\\_.*)|(rpn\\_.*)", "rpn_bbox_pred"));
    assert_true(matches("a\\.b\\-c", "a.b-c"));
    assert_false(matches("a\\.b", "axb"));
    assert_true(matches("res[45][a-f]?_branch2[ab]", "res4c_branch2a"));
    assert_true(matches("^conv1$", "conv1"));
    assert_true(matches("res|res5", "res5"));
    assert_true(matches("(r|re)(s5|5)", "res5"));
    assert_false(matches("b)|a", "abc"));
    assert_false(matches("b)|a", "b"));
}

/* Each costs regcomp or regexec exponential time or memory where it is let through. */
static void test_hostile_patterns(void **state) {
    (void)state;
    char nested[MR_LAYERS_TEXT], signs[MR_LAYERS_TEXT], deep[MR_LAYERS_TEXT], longest[1000];
    memset(nested, 0, sizeof nested);
    memset(nested, '(', 80);
    for (int i = 0; i < 80; i++) memcpy(nested + 80 + 2 * i, i ? ")+" : "a)", 2);
    memset(signs, '+', sizeof signs - 1);
    signs[0] = 'a';
    signs[sizeof signs - 1] = 0;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    const char *cases[] = {"a{250}",  "((((a{99}){99}){99}){99})",
                           "(a*)\\1", "a\\",
                           "\\d+",    "a b",
                           "a\tb",    "\xC3\xA9",
                           "",        "[a",
                           "(",       nested,
                           signs,     longest};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        regex_t pattern;
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(mr_layer_pattern_compile(&pattern, cases[i], &err), MRCNN_E_CONFIG);
        assert_contains(err.message, "write heads, 5+");
    }
    /* What is let through stays cheap. */
    memset(deep, '(', 127), memset(deep + 127, ')', 127), deep[254] = 0;
    deep[126] = 'a';
    deep[253] = 0;
    deep[252] = ')';
    assert_true(matches(deep, "a"));
    assert_false(
        matches("((((.*)+)+)+)+(a*b*c*)*(.*x.*y.*z)*q",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_texts),       cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_long_texts),       cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_hostile_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
