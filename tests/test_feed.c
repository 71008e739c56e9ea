/* test_feed.c - the examples of a run: the same for any number of threads and after a resume, every
 * picture in each pass, and data sets that have little or nothing to learn from. */
#define mr_feed_open fake_feed_open
#define mr_feed_next fake_feed_next
#define mr_feed_stop fake_feed_stop
#define mr_feed_pause fake_feed_pause
#define mr_feed_get_stats fake_feed_get_stats
#define mr_feed_free fake_feed_free

#include "fake_dataset.h"
#include "train/feed.c"

#include "helper_assert.h"

static mrcnn_config *config;

static void set(const char *key, const char *value) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_config_set(config, key, value, &err) != MRCNN_OK) fail_msg("%s", err.message);
}

static int make_config(void **state) {
    (void)state;
    if (mrcnn_config_create(&config, NULL, NULL) != MRCNN_OK) return 1;
    set("IMAGE_RESIZE_MODE", "crop");
    set("IMAGE_MIN_DIM", "64");
    set("HORIZONTAL_FLIP", "0.5");
    return 0;
}

static int free_config(void **state) {
    (void)state;
    mrcnn_config_free(&config);
    return 0;
}

static const fake_object objects[] = {
    {1, {10, 20, 60, 70}, 1}, {2, {5, 5, 40, 40}, 0}, {-1, {0, 0, 64, 64}, 0}};

/* Picture 2 holds a crowd alone. */
static mr_dataset make_set(void) {
    mr_dataset data = {0};
    for (size_t i = 0; i < FAKE_PICTURES; i++)
        fake_set(&data, i, (fake_scene){70, 80 + (int)i, objects, 2 + i % 2, 0});
    fake_set(&data, 2, (fake_scene){70, 80, objects + 2, 1, 0});
    return data;
}

static mr_feed *open_feed(const mr_dataset *data, int training, uint64_t start, uint64_t end) {
    mr_feed *feed = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_feed_options options = {.set = data,
                               .name = "fakes",
                               .settings = mr_config_settings(config),
                               .seed = 3,
                               .training = training,
                               .start = start,
                               .end = end};
    if (mr_feed_open(&feed, &options, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return feed;
}

static uint64_t add(uint64_t sum, const void *bytes, size_t count) {
    const uint8_t *b = bytes;
    for (size_t i = 0; i < count; i++) sum = (sum ^ b[i]) * 0x100000001B3u;
    return sum;
}

/* One number for all that an example says; frees it. */
static uint64_t digest(mr_example *e) {
    const mr_sample *s = e->sample;
    size_t count = (size_t)s->count;
    uint64_t sum = add(1, &s->picture, sizeof s->picture);
    sum = add(sum, &s->number, sizeof s->number);
    sum = add(sum, s->pixels, (size_t)s->height * (size_t)s->width * 3);
    sum = add(sum, s->boxes, count * sizeof *s->boxes);
    sum = add(sum, s->class_ids, count * sizeof *s->class_ids);
    sum = add(sum, s->masks, count * mr_bits_size(s->mask_height, s->mask_width));
    sum = add(sum, e->rpn.anchors, (size_t)e->rpn.count * sizeof *e->rpn.anchors);
    sum = add(sum, e->rpn.matches, (size_t)e->rpn.count);
    sum = add(sum, e->rpn.deltas, (size_t)e->rpn.positive_count * sizeof *e->rpn.deltas);
    mr_example_free(&e);
    return sum;
}

static mr_example *next(mr_feed *feed) {
    mr_example *example = (mr_example *)&config;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_feed_next(feed, &example, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return example;
}

enum { EXAMPLES = 30 }; /* ten passes of three usable pictures */

static void same_run(void **state) {
    (void)state;
    static const char *const threads[] = {"1", "2", "5"};
    mr_dataset data = make_set();
    uint64_t want[EXAMPLES], numbers[EXAMPLES];
    for (int t = 0; t < 3; t++) {
        int pictures[FAKE_PICTURES] = {0}, mirrored = 0;
        set("LOADER_THREADS", threads[t]);
        mr_feed *feed = open_feed(&data, 1, 0, 0);
        for (int i = 0; i < EXAMPLES; i++) {
            mr_example *e = next(feed);
            pictures[e->sample->picture]++;
            mirrored += e->sample->mirrored;
            numbers[i] = e->sample->number;
            uint64_t have = digest(e);
            if (t == 0) want[i] = have;
            assert_true(want[i] == have);
        }
        mr_loader_stats stats = mr_feed_get_stats(feed);
        assert_int_equal(stats.items, EXAMPLES);
        assert_in_range(stats.skipped, 9, 10);
        mr_feed_free(&feed);
        assert_null(feed);
        assert_true(pictures[0] == 10 && pictures[1] == 10 && pictures[2] == 0);
        assert_in_range(mirrored, 5, 25);
    }
    mr_feed *resumed = open_feed(&data, 1, numbers[16] + 1, 0);
    for (int i = 17; i < EXAMPLES; i++) assert_true(digest(next(resumed)) == want[i]);
    mr_feed_free(&resumed);
}

/* The same with everything that can be drawn. A mosaic makes something of picture 2, too. */
static void same_augmented_run(void **state) {
    (void)state;
    static const char *const threads[] = {"1", "3"};
    mr_dataset data = make_set();
    uint64_t want[EXAMPLES];
    int mosaics = 0, augmented = 0;
    set("MOSAIC", "0.4");
    set("AUGMENTATION",
        "[{SomeOf: {count: [0, 2], of: [{Affine: {rotate: [-40, 40]}}, "
        "{PiecewiseAffine: 0.03}, {LargeScaleJitter: [0.5, 2]}, "
        "{AdditiveGaussianNoise: 9}, {MultiplyHue: [0.5, 2]}, {GaussianBlur: 1}]}}]");
    for (int t = 0; t < 2; t++) {
        set("LOADER_THREADS", threads[t]);
        mr_feed *feed = open_feed(&data, 1, 0, 0);
        for (int i = 0; i < EXAMPLES; i++) {
            mr_example *e = next(feed);
            mosaics += e->sample->mosaic;
            augmented += e->sample->augmented;
            uint64_t have = digest(e);
            if (t == 0) want[i] = have;
            assert_true(want[i] == have);
        }
        mr_feed_free(&feed);
    }
    assert_in_range(mosaics, 8, 50);
    assert_in_range(augmented, 15, 58);
}

/* Validation: in order, unshuffled, undrawn, once. */
static void one_pass(void **state) {
    (void)state;
    static const size_t want[] = {0, 1, 3};
    mr_dataset data = make_set();
    mr_feed *feed = open_feed(&data, 0, 0, FAKE_PICTURES);
    for (int i = 0; i < 3; i++) {
        mr_example *e = next(feed);
        assert_int_equal(e->sample->picture, want[i]);
        assert_int_equal(e->sample->mirrored, 0);
        assert_int_equal(e->sample->fit.crop_y, 3);
        mr_example_free(&e);
    }
    assert_null(next(feed));
    assert_null(next(feed)); /* and stays at its end */
    mr_feed_free(&feed);
}

static void nothing_to_learn_from(void **state) {
    (void)state;
    mr_dataset data = make_set();
    for (size_t i = 0; i < FAKE_PICTURES; i++)
        fake_set(&data, i, (fake_scene){70, 80, objects + 2, i % 2, 0});
    mr_feed *feed = open_feed(&data, 1, 0, 0);
    mr_example *example = (mr_example *)&config;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_feed_next(feed, &example, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "no picture of fakes has an object to learn from");
    assert_ptr_equal(example, &config);
    mr_feed_free(&feed);
    mr_feed_free(NULL);
}

/* One broken picture is an error at its turn, each time; the others go on. */
static void broken_picture(void **state) {
    (void)state;
    mr_dataset data = make_set();
    fake_set(&data, 1, (fake_scene){70, 80, objects, 2, 1});
    mr_feed *feed = open_feed(&data, 1, 0, 0);
    int failed = 0;
    for (int i = 0; i < EXAMPLES; i++) {
        mr_example *example = NULL;
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_status status = mr_feed_next(feed, &example, &err);
        failed += status != MRCNN_OK;
        if (status != MRCNN_OK) assert_string_equal(err.message, "1.png: broken picture");
        mr_example_free(&example);
    }
    assert_int_equal(failed, 10);
    mr_feed_stop(feed);
    mr_example *example = NULL;
    assert_int_equal(mr_feed_next(feed, &example, NULL), MRCNN_E_CANCELLED);
    mr_feed_free(&feed);
}

static void count_left_out(void *user, const char *message) {
    assert_string_equal(message, "1.png: broken picture");
    ++*(int *)user;
}

/* With somebody to tell, broken pictures are passed over, and told once. */
static void broken_picture_left_out(void **state) {
    (void)state;
    int told = 0;
    mr_feed *feed = NULL;
    mr_dataset data = make_set();
    fake_set(&data, 1, (fake_scene){70, 80, objects, 2, 1});
    mr_feed_options options = {.set = &data,
                               .name = "fakes",
                               .settings = mr_config_settings(config),
                               .seed = 3,
                               .training = 1,
                               .left_out = count_left_out,
                               .user = &told};
    assert_int_equal(mr_feed_open(&feed, &options, NULL), MRCNN_OK);
    for (int i = 0; i < EXAMPLES; i++) {
        mr_example *e = next(feed);
        assert_int_not_equal(e->sample->picture, 1);
        mr_example_free(&e);
    }
    assert_int_equal(told, 1);
    mr_feed_free(&feed);
    for (size_t i = 0; i < FAKE_PICTURES; i++)
        fake_set(&data, i, (fake_scene){70, 80, objects + 2, 0, 0});
    fake_set(&data, 1, (fake_scene){70, 80, objects, 2, 1}); /* there is no other */
    mr_example *example = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_feed_open(&feed, &options, NULL), MRCNN_OK);
    assert_int_equal(mr_feed_next(feed, &example, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "no picture of fakes can be learnt from; the last one: 1.png");
    mr_feed_free(&feed);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_config, free_config)
    const struct CMUnitTest tests[] = {TEST(same_run),       TEST(same_augmented_run),
                                       TEST(one_pass),       TEST(nothing_to_learn_from),
                                       TEST(broken_picture), TEST(broken_picture_left_out)};
    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
