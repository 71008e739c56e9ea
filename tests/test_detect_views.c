/* test_detect_views.c - mrcnn_detect in several views and in tiles, on a tiny network that tells places
 * apart: what doesn't matter changes nothing, what is turned is found turned, and what is wrong is said. */
#include "helper_assert.h"
#include "helper_oracle.h"
#include "helper_trace.h"

#include "image/codec.h"
#include "model/session.h"

#include <mrcnn/trace.h>

#include <stdlib.h>

typedef struct setup {
    mrcnn_model *model;
    mrcnn_session *session;
} setup;

static setup make_setup(const char *const *keys) {
    setup s = {NULL, NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_session_options options = mrcnn_session_options_default();
    options.threads = 1;
    if (oracle_tiny_model(&s.model, 3, keys, &err) != MRCNN_OK ||
        mrcnn_session_create(&s.session, s.model, &options, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    return s;
}
#define FEW "POST_NMS_ROIS_INFERENCE", "60", "DETECTION_MIN_CONFIDENCE", "0"
#define SETUP(...) make_setup((const char *const[]){FEW, __VA_ARGS__, NULL})

static void free_setup(setup *s) {
    mrcnn_session_free(&s->session);
    mrcnn_model_free(&s->model);
}

static mrcnn_result *detect(const setup *s, const mrcnn_image *image) {
    mrcnn_result *result = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_detect(s->session, image, 1, &result, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return result;
}

static void same_results(const mrcnn_result *a, const mrcnn_result *b) {
    assert_int_equal(a->count, b->count);
    assert_true(a->height == b->height && a->width == b->width);
    for (size_t i = 0; i < a->count; i++) {
        const mrcnn_instance *x = &a->instances[i], *y = &b->instances[i];
        assert_memory_equal(&x->y1, &y->y1, 4 * sizeof x->y1);
        assert_true(x->class_id == y->class_id && x->score == y->score);
        assert_string_equal(x->class_name, y->class_name);
        assert_int_equal(x->mask.count, y->mask.count);
        assert_memory_equal(x->mask.counts, y->mask.counts, x->mask.count * sizeof *x->mask.counts);
    }
}

/* What every result promises. */
static void check_result(const mrcnn_result *r, const mrcnn_image *image, size_t most) {
    assert_true(r->height == image->height && r->width == image->width && r->count <= most);
    for (size_t i = 0; i < r->count; i++) {
        const mrcnn_instance *it = &r->instances[i];
        uint64_t pixels = 0;
        assert_true(0 <= it->y1 && it->y1 < it->y2 && it->y2 <= r->height);
        assert_true(0 <= it->x1 && it->x1 < it->x2 && it->x2 <= r->width);
        assert_true(it->score > 0 && it->score <= 1 && (i == 0 || it->score <= it[-1].score));
        for (size_t k = 0; k < it->mask.count; k++) pixels += it->mask.counts[k];
        assert_int_equal(pixels, (uint64_t)r->height * (uint64_t)r->width);
        assert_true(it->mask.height == r->height && it->mask.width == r->width);
    }
}

/* ------------------------------------------------------------------------------------ nothing */

/* One tile, one view: the same code as ever, and the same bytes. Of two of the same scale nothing is new, but
 * boxes have whole pixels now, and some thin ones are the same. */
static void a_tile_that_holds_all_changes_nothing(void **state) {
    (void)state;
    setup plain = SETUP("TILE_SIZE", "0"), tile = SETUP("TILE_SIZE", "120");
    setup twice = SETUP("TEST_SCALES", "[1, 1]");
    mrcnn_image image = noisy_picture(120, 77, 5);
    mrcnn_result *a = detect(&plain, &image), *b = detect(&tile, &image);
    mrcnn_result *c = detect(&twice, &image);
    assert_true(a->count > 3);
    same_results(a, b);
    assert_true(c->count > 3 && c->count <= a->count);
    for (size_t i = 0, k = 0; i < c->count; i++, k++) {
        while (k < a->count && memcmp(&a->instances[k].y1, &c->instances[i].y1, 16) != 0) k++;
        assert_true(k < a->count && a->instances[k].score == c->instances[i].score);
    }
    mrcnn_result_free(&a);
    mrcnn_result_free(&b);
    mrcnn_result_free(&c);
    mrcnn_image_free(&image);
    free_setup(&plain);
    free_setup(&tile);
    free_setup(&twice);
}

/* Pictures in one call, of which one needs tiles: each as if it were alone. */
static void pictures_of_a_batch(void **state) {
    (void)state;
    setup s = SETUP("TILE_SIZE", "100");
    mrcnn_image images[4] = {noisy_picture(90, 80, 1), noisy_picture(101, 150, 2),
                             noisy_picture(90, 80, 3), noisy_picture(100, 100, 4)};
    mrcnn_result *together[4] = {NULL, NULL, NULL, NULL};
    assert_int_equal(mrcnn_detect(s.session, images, 4, together, NULL), MRCNN_OK);
    for (int i = 0; i < 4; i++) {
        mrcnn_result *alone = detect(&s, &images[i]);
        if (i != 0) same_results(together[i], alone);
        assert_int_equal(together[i]->count, alone->count);
        mrcnn_result_free(&alone);
        mrcnn_result_free(&together[i]);
        mrcnn_image_free(&images[i]);
    }
    free_setup(&s);
}

/* -------------------------------------------------------------------------------------- turns */

static int there_too(const mrcnn_result *r, const mrcnn_instance *wanted, const uint8_t *mask) {
    uint8_t *bytes = malloc((size_t)r->height * (size_t)r->width);
    int found = 0;
    for (size_t i = 0; i < r->count && !found; i++) {
        const mrcnn_instance *it = &r->instances[i];
        float difference = it->score - wanted->score;
        if (it->class_id != wanted->class_id || difference > 1e-5f || difference < -1e-5f) continue;
        mrcnn_mask_to_bytes(&it->mask, bytes);
        found = memcmp(bytes, mask, (size_t)r->height * (size_t)r->width) == 0;
    }
    free(bytes);
    return found;
}

/* All eight views: however the picture is turned, the same is found there. */
static void what_is_turned_is_found_turned(void **state) {
    (void)state;
    setup s = SETUP("TEST_FLIPS", "all");
    for (int orientation = 2; orientation <= 8; orientation += 3) {
        mrcnn_image image = noisy_picture(96, 75, 11), turned = noisy_picture(96, 75, 11);
        assert_int_equal(mr_image_orient(&turned, orientation, NULL), MRCNN_OK);
        mrcnn_result *a = detect(&s, &image), *b = detect(&s, &turned);
        size_t same = 0;
        check_result(a, &image, 100);
        check_result(b, &turned, 100);
        assert_true(a->count > 3);
        assert_int_equal(a->count, b->count);
        for (size_t i = 0; i < a->count; i++) {
            mrcnn_image mask = {a->width, a->height, 1, malloc(96 * 75)};
            assert_non_null(mask.pixels);
            mrcnn_mask_to_bytes(&a->instances[i].mask, mask.pixels);
            assert_int_equal(mr_image_orient(&mask, orientation, NULL), MRCNN_OK);
            same += (size_t)there_too(b, &a->instances[i], mask.pixels);
            mrcnn_image_free(&mask);
        }
        /* Sums in another order may round a pixel of a mask to the other side. */
        assert_true(same * 10 >= a->count * 9);
        mrcnn_result_free(&a);
        mrcnn_result_free(&b);
        mrcnn_image_free(&image);
        mrcnn_image_free(&turned);
    }
    free_setup(&s);
}

/* ------------------------------------------------------------------------------- sizes, limits */

static void odd_sizes(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 300}, {300, 1}, {64, 65}, {65, 64}, {129, 131}, {70, 200}};
    setup s = SETUP("TILE_SIZE", "64", "TILE_OVERLAP", "0", "TEST_FLIPS", "horizontal",
                    "DETECTION_MAX_INSTANCES", "7", "IMAGE_MIN_DIM", "0");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mrcnn_image image = noisy_picture(sizes[i][0], sizes[i][1], i);
        mrcnn_result *r = detect(&s, &image);
        check_result(r, &image, 7);
        mrcnn_result_free(&r);
        mrcnn_image_free(&image);
    }
    free_setup(&s);
}

/* More sizes than a session usually keeps, each packed and planned once: the second picture is no
 * slower for lack of plans, and says the same. */
static void many_scales(void **state) {
    (void)state;
    setup s = SETUP("IMAGE_RESIZE_MODE", "pad64", "TEST_FLIPS", "all", "TEST_SCALES",
                    "[1, 0.5, 0.75, 1.25, 1.5]", "POST_NMS_ROIS_INFERENCE", "20");
    mrcnn_image image = noisy_picture(100, 130, 3);
    mrcnn_result *first = detect(&s, &image);
    size_t bytes = mrcnn_session_bytes(s.session);
    const mr_pipeline *kept[MR_MAX_PIPELINES];
    memcpy(kept, s.session->pipelines, sizeof kept);
    mrcnn_result *second = detect(&s, &image);
    check_result(first, &image, 100);
    same_results(first, second);
    assert_int_equal(mrcnn_session_bytes(s.session), bytes);
    assert_memory_equal(kept, s.session->pipelines, sizeof kept);
    assert_non_null(kept[5]);
    const mrcnn_stage_time *t;
    int stages = 0;
    for (size_t i = 0; (t = mrcnn_session_stage(s.session, i)); i++)
        stages += strcmp(t->name, "mold") == 0 || strcmp(t->name, "detections") == 0;
    assert_int_equal(stages, 2); /* sums over the views */
    mrcnn_result_free(&first);
    mrcnn_result_free(&second);
    mrcnn_image_free(&image);
    free_setup(&s);
}

/* Each picture by itself may be large: nothing grows with its pixels but the run lengths. */
static void memory_is_a_tile_s(void **state) {
    (void)state;
    setup s = SETUP("TILE_SIZE", "128", "TILE_OVERLAP", "0", "POST_NMS_ROIS_INFERENCE", "5");
    mrcnn_image small = noisy_picture(128, 128, 1), large = noisy_picture(128 * 3, 128 * 5, 1);
    mrcnn_result *r = detect(&s, &small);
    size_t bytes = mrcnn_session_bytes(s.session);
    mrcnn_result_free(&r);
    r = detect(&s, &large);
    check_result(r, &large, 100);
    assert_int_equal(mrcnn_session_bytes(s.session), bytes);
    mrcnn_result_free(&r);
    mrcnn_image_free(&small);
    mrcnn_image_free(&large);
    free_setup(&s);
}

/* Of the weaker views nothing remains: DETECTION_MIN_CONFIDENCE is that of the mean. */
static void confidence_is_the_mean_s(void **state) {
    (void)state;
    setup all = SETUP("TEST_FLIPS", "both");
    mrcnn_image image = noisy_picture(128, 128, 9);
    mrcnn_result *r = detect(&all, &image);
    assert_true(r->count > 4);
    char text[32];
    snprintf(text, sizeof text, "%.6f", (double)r->instances[r->count / 2].score);
    setup some = SETUP("TEST_FLIPS", "both", "DETECTION_MIN_CONFIDENCE", text);
    mrcnn_result *few = detect(&some, &image);
    assert_true(few->count < r->count);
    for (size_t i = 0; i < few->count; i++)
        assert_true(few->instances[i].score >= (float)strtod(text, NULL));
    mrcnn_result_free(&r);
    mrcnn_result_free(&few);
    mrcnn_image_free(&image);
    free_setup(&all);
    free_setup(&some);
}

/* A trace is of one view, with the confidence of a detection: what the session has done in between
 * doesn't matter. */
static void a_trace_is_of_one_view(void **state) {
    (void)state;
    setup plain = SETUP("DETECTION_MIN_CONFIDENCE", "0.6");
    setup s = SETUP("DETECTION_MIN_CONFIDENCE", "0.6", "TEST_FLIPS", "all");
    mrcnn_image image = noisy_picture(90, 128, 2);
    mrcnn_result *one = detect(&plain, &image);
    assert_true(one->count > 2);
    for (int i = 0; i < 2; i++) {
        mrcnn_trace *trace = NULL;
        mrcnn_result *r = NULL;
        assert_int_equal(mrcnn_trace_create(&trace, s.session, &image, NULL, NULL), MRCNN_OK);
        same_results(trace->result, one);
        r = detect(&s, &image);
        check_result(r, &image, 100);
        assert_true(r->count > 0 && r->instances[r->count - 1].score >= 0.6f);
        mrcnn_trace_free(&trace);
        mrcnn_result_free(&r);
    }
    mrcnn_result_free(&one);
    mrcnn_image_free(&image);
    free_setup(&plain);
    free_setup(&s);
}

/* IMAGE_STRETCH looks at the whole picture: a dark tile stays dark beside a bright one. And what other
 * choices of detection do holds for tiles, too: one that holds all changes nothing. */
static void other_choices(void **state) {
    (void)state;
    static const char *const choices[][2] = {{"IMAGE_STRETCH", "[1, 99]"},
                                             {"MASK_RESIZE", "subpixel"},
                                             {"DETECTION_SCORE", "class_and_mask"},
                                             {"DETECTION_NMS", "gaussian"},
                                             {"DETECTION_BACKGROUND", "yields"}};
    mrcnn_image image = noisy_picture(100, 90, 6);
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const char *key = choices[i][0], *value = choices[i][1];
        setup plain = SETUP(key, value);
        setup view = SETUP(key, value, "TEST_SCALES", "[1, 1, 1]", "DETECTION_NMS_THRESHOLD", "1");
        mrcnn_result *a = detect(&plain, &image), *b = detect(&view, &image);
        check_result(b, &image, 100);
        assert_true(a->count > 3 && b->count > 3);
        mrcnn_result_free(&a);
        mrcnn_result_free(&b);
        free_setup(&plain);
        free_setup(&view);
    }
    setup plain = SETUP("IMAGE_STRETCH", "[0, 100]"),
          tiles = SETUP("IMAGE_STRETCH", "[0, 100]", "TILE_SIZE", "128", "TILE_OVERLAP", "0");
    /* Two tiles that don't overlap: the upper one as it is, with the range of both; the lower one white. */
    mrcnn_image both = noisy_picture(256, 128, 6);
    size_t half = (size_t)128 * 128 * 3;
    for (size_t i = 0; i < half; i++)
        both.pixels[i] = (uint8_t)(both.pixels[i] / 3 + (i > 2 ? 20 : 0));
    memset(both.pixels, 0, 3);
    memset(both.pixels + half, 255, half);
    mrcnn_image upper = {128, 128, 3, both.pixels};
    setup bare = SETUP("TILE_SIZE", "0"); /* 0 and 255 are in the picture: stretching is nothing */
    mrcnn_result *a = detect(&bare, &upper), *b = detect(&tiles, &both),
                 *c = detect(&plain, &upper);
    size_t found = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            found += a->instances[i].score == b->instances[k].score &&
                     memcmp(&a->instances[i].y1, &b->instances[k].y1, 16) == 0;
    assert_true(a->count > 2 && found >= a->count);
    int differ = a->count != c->count;
    for (size_t i = 0; !differ && i < a->count; i++)
        differ = a->instances[i].score != c->instances[i].score;
    assert_true(differ); /* alone, the upper one would have been stretched */
    mrcnn_result_free(&a);
    mrcnn_result_free(&b);
    mrcnn_result_free(&c);
    mrcnn_image_free(&image);
    mrcnn_image_free(&both);
    free_setup(&plain);
    free_setup(&tiles);
    free_setup(&bare);
}

/* ------------------------------------------------------------------------------------- errors */

static void what_cannot_be_done_is_said(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_result *result = NULL;
    mrcnn_trace *trace = NULL;
    mrcnn_image image = noisy_picture(90, 90, 1);
    setup s = SETUP("IMAGE_RESIZE_MODE", "crop", "IMAGE_MIN_DIM", "64", "TILE_SIZE", "64");
    assert_int_equal(mrcnn_detect(s.session, &image, 1, &result, &err), MRCNN_E_CONFIG);
    assert_contains(err.message, "IMAGE_RESIZE_MODE crop");
    assert_null(result);
    free_setup(&s);
    s = SETUP("TILE_SIZE", "64"); /* a trace is of one pass */
    assert_int_equal(mrcnn_trace_create(&trace, s.session, &image, NULL, &err),
                     MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "TILE_SIZE 64");
    assert_null(trace);
    mrcnn_image_free(&image);
    image = noisy_picture(64, 64, 1);
    assert_int_equal(mrcnn_trace_create(&trace, s.session, &image, NULL, &err), MRCNN_OK);
    mrcnn_trace_free(&trace);
    free_setup(&s);
    /* Views that can't be made: a line one pixel high vanishes at half the size. */
    s = SETUP("TEST_SCALES", "[0.1]", "IMAGE_MIN_DIM", "0");
    mrcnn_image line = noisy_picture(1, 60, 1);
    assert_int_equal(mrcnn_detect(s.session, &line, 1, &result, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "too narrow");
    assert_null(result);
    mrcnn_image_free(&line);
    mrcnn_image_free(&image);
    free_setup(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tile_that_holds_all_changes_nothing),
        cmocka_unit_test(pictures_of_a_batch),
        cmocka_unit_test(what_is_turned_is_found_turned),
        cmocka_unit_test(odd_sizes),
        cmocka_unit_test(many_scales),
        cmocka_unit_test(memory_is_a_tile_s),
        cmocka_unit_test(confidence_is_the_mean_s),
        cmocka_unit_test(a_trace_is_of_one_view),
        cmocka_unit_test(other_choices),
        cmocka_unit_test(what_cannot_be_done_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
