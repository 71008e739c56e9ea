/* test_cli_inspect_data.c - mrcnn inspect data: tables, problems, JSON, exit codes. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_via.h"

#include <mrcnn/mrcnn.h>
#include <stdlib.h>
#include <sys/stat.h>

static int enter(void **state) {
    cli_enter(state);
    mkdir("set", 0777);
    mkdir("set/train", 0777);
    mkdir("set/val", 0777);
    cli_picture("set/train/a.png", 40, 30);
    cli_picture("set/train/b.jpg", 20, 20);
    cli_picture("set/val/c.png", 20, 20);
    cli_write("set/train/via_region_data.json",
              "{" VIA_ENTRY("a.png", VIA_RECT("4", "cat") "," VIA_RECT("5", "dog")) "," VIA_ENTRY(
                  "b.jpg", VIA_RECT("1", "dog")) "}");
    cli_write("set/val/via_region_data.json",
              "{" VIA_ENTRY("c.png", VIA_RECT("4", "dog") "," VIA_RECT("400", "dog") "," VIA_RECT(
                                         "5", "cow")) "," VIA_ENTRY("gone.png",
                                                                    VIA_RECT("4", "dog")) "}");
    return 0;
}

static void test_good(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "data", "--dataset", "set", "--check");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "via: set/train/via_region_data.json");
    assert_contains(r->out, "cat                               1          1\n");
    assert_contains(r->out, "dog                               2          2\n");
    assert_contains(r->out, "picture width                    20         30         40\n");
    assert_contains(r->out, "2 pictures with 3 objects can be used\n0 errors, 0 warnings\n");
}

static void test_problems(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "data", "--dataset", "set", "--subset", "val", "--check",
                              "--classes", "cat,dog");
    assert_int_equal(r->code, 1);
    assert_contains(r->out, "error: gone.png: there is no such picture");
    assert_contains(r->out, "error: c.png: object 1: it lies outside the picture of 20 x 20");
    assert_contains(r->out, "warning: class \"cow\" is none of the 2 classes asked for: 1 object ");
    assert_contains(r->out, "warning: class \"cat\" has no object\n");
    assert_contains(r->out, "2 errors, 2 warnings\n");
    r = RUN("inspect", "data", "--dataset", "set", "--subset", "val");
    assert_int_equal(r->code, 0); /* looking is no judging */
    assert_null(strstr(r->out, "gone.png"));
    assert_contains(r->out, "--check says which they are\n");
}

static void test_full(void **state) {
    (void)state;
    const cli_result *r =
        RUN("inspect", "data", "--dataset", "shapes", "--subset", "val", "--check", "--full");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "shapes: generated pictures");
    assert_contains(r->out, "50 pictures with ");
    r = RUN("inspect", "data", "--dataset", "set/train", "--full");
    assert_contains(r->out, "object height                     7          7          7\n");
}

static void test_json(void **state) {
    (void)state;
    const cli_result *r =
        RUN("inspect", "data", "--dataset", "set", "--subset", "val", "--json", "-");
    assert_int_equal(r->code, 0);
    assert_true(cli_is_json(r->out));
    assert_contains(r->out, "\"errors\": 2");
    assert_contains(r->out, "\"file_name\": \"gone.png\"");
    assert_contains(r->out, "{\"id\": 2, \"name\": \"dog\", \"objects\": 1, \"pictures\": 1}");
    r = RUN("inspect", "data", "--dataset", "set", "--subset", "val", "--json", "d.json",
            "--check");
    assert_int_equal(r->code, 1);
    assert_contains(r->out, "error: gone.png");
    char *text = cli_read("d.json");
    assert_true(cli_is_json(text));
    free(text);
    r = RUN("inspect", "data", "--dataset", "set", "--json", "no/such/d.json");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no/such/d.json");
}

/* The contact sheet: its size, the same for the same seed, and what it needs. */
static void test_augment(void **state) {
    (void)state;
    static const char *const seeds[] = {"1", "1", "2"};
    static const char *const sheets[] = {"a.png", "b.png", "c.png"};
    mrcnn_image image[3] = {{0}};
    for (int i = 0; i < 3; i++) {
        const cli_result *r =
            RUN("inspect", "data", "--dataset", "shapes", "--augment", "--out", sheets[i],
                "--preset", "shapes", "--set", "AUGMENTATION=[{Affine: {rotate: [-90, 90]}}]",
                "--seed", seeds[i], "--count", "2", "--draws", "3");
        assert_string_equal(r->err, "");
        assert_string_equal(r->out, "");
        assert_int_equal(r->code, 0);
        assert_int_equal(mrcnn_image_read(&image[i], sheets[i], NULL, NULL), MRCNN_OK);
        assert_int_equal(image[i].width, 6 + 4 * (128 + 6));
        assert_int_equal(image[i].height, 6 + 2 * (128 + 6));
    }
    size_t row = (size_t)image[0].width * 3, bytes = row * (size_t)image[0].height;
    assert_memory_equal(image[0].pixels, image[1].pixels, bytes);
    assert_memory_not_equal(image[0].pixels, image[2].pixels, bytes);
    /* First the picture as it is, then as it is not. */
    for (int i = 0; i < 3; i++) {
        const uint8_t *first = image[i].pixels + 6 * row + 6 * 3, *second = first + 134 * 3;
        assert_memory_equal(first + 60 * row, image[0].pixels + 66 * row + 6 * 3, 128 * 3);
        assert_memory_not_equal(first + 60 * row, second + 60 * row, 128 * 3);
        assert_true(second[0] == 0 || second[127 * 3] == 0); /* a corner that was turned in */
    }
    for (int i = 0; i < 3; i++) mrcnn_image_free(&image[i]);
    const cli_result *r = RUN("inspect", "data", "--dataset", "set", "--augment", "--set",
                              "IMAGE_RESIZE_MODE=pad64", "--set", "IMAGE_MIN_DIM=64");
    assert_int_equal(r->code, 0); /* pictures of several sizes; the name when none is given */
    assert_contains(r->err, "AUGMENTATION is none");
    assert_true(cli_exists("augment.png"));
}

static void test_augment_failures(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "data", "--dataset", "set", "--augment", "--set",
                              "AUGMENTATION=[Fliplrr]", "--out", "no.png");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "there is no operation \"Fliplrr\"; did you mean Fliplr?");
    r = RUN("inspect", "data", "--dataset", "set", "--augment", "--set", "MOSAIC=1", "--set",
            "IMAGE_RESIZE_MODE=none", "--out", "no.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "MOSAIC: ");
    r = RUN("inspect", "data", "--dataset", "set", "--augment", "--out", "no/such/folder.png",
            "--set", "IMAGE_MIN_DIM=64", "--set", "IMAGE_MAX_DIM=64");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no/such/folder.png");
    r = RUN("inspect", "data", "--dataset", "set", "--augment", "--count", "0", "--out", "no.png");
    assert_int_equal(r->code, 2);
    assert_false(cli_exists("no.png"));
}

static void test_wrong_usage(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "data");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--dataset is missing");
    r = RUN("inspect", "data", "--dataset", "set", "--format", "coc");
    assert_int_equal(r->code, 2);
    r = RUN("inspect", "data", "--dataset", "set", "more");
    assert_int_equal(r->code, 2);
    r = RUN("inspect", "data", "--help");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "--subset");
}

static void test_nothing_to_use(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "data", "--dataset", "nowhere");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere: there is no such folder");
    assert_string_equal(r->out, "");
    mkdir("broken", 0777);
    cli_write("broken/a.png", "no picture");
    cli_write("broken/v.json", "{" VIA_ENTRY("a.png", VIA_RECT("4", "cat")) "}");
    r = RUN("inspect", "data", "--dataset", "broken"); /* opens, but nothing can be read */
    assert_int_equal(r->code, 1);
    assert_contains(r->out, "0 pictures with 0 objects can be used");
    cli_write("broken/v.json", "{\n\n\"a\": {\"filename\": \"a.png\", \"regions\": [}}");
    r = RUN("inspect", "data", "--dataset", "broken", "--check");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "broken/v.json: line 3, byte ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_full),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_nothing_to_use),
        cmocka_unit_test(test_augment),     cmocka_unit_test(test_augment_failures),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
