/* test_image_write.c - pictures out: exact in PNG, close in JPEG, whole or not at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <mrcnn/mrcnn.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct folder {
    char path[64];
} folder;

static int make_folder(void **state) {
    folder *f = calloc(1, sizeof *f);
    if (!f) return -1;
    strcpy(f->path, "/tmp/mrcnn-test-XXXXXX");
    *state = f;
    return mkdtemp(f->path) ? 0 : -1;
}

static int count_files(const char *path) {
    int count = 0;
    DIR *dir = opendir(path);
    if (!dir) return -1;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

static int remove_folder(void **state) {
    folder *f = *state;
    int failed = rmdir(f->path); /* fails when a test left something behind */
    free(f);
    return failed;
}

static const char *inside(const folder *f, const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    return path;
}

static mrcnn_image make_image(int width, int height) {
    mrcnn_image image = {width, height, 3, malloc((size_t)width * (size_t)height * 3)};
    assert_non_null(image.pixels);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *p = image.pixels + ((size_t)y * (size_t)width + (size_t)x) * 3;
            p[0] = (uint8_t)(x * 3);
            p[1] = (uint8_t)(y * 2);
            p[2] = (uint8_t)((x + y) / 2);
        }
    return image;
}

static void png_gives_back_the_same_pixels(void **state) {
    static const int sizes[][2] = {{1, 1}, {1, 20000}, {20000, 1}, {7, 3}, {64, 64}, {131, 257}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_image image = make_image(sizes[i][0], sizes[i][1]), back = {0};
        const char *path = inside(*state, "a.png");
        assert_int_equal(mrcnn_image_write(&image, path, &err), MRCNN_OK);
        assert_int_equal(mrcnn_image_read(&back, path, NULL, &err), MRCNN_OK);
        assert_int_equal(back.width, image.width);
        assert_int_equal(back.height, image.height);
        assert_memory_equal(back.pixels, image.pixels,
                            (size_t)image.width * (size_t)image.height * 3);
        assert_int_equal(unlink(path), 0);
        mrcnn_image_free(&image);
        mrcnn_image_free(&back);
    }
}

static void jpeg_gives_back_nearly_the_same(void **state) {
    static const char *const names[] = {"a.jpg", "b.JPEG"};
    for (int i = 0; i < 2; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_image image = make_image(83, 61), back = {0};
        const char *path = inside(*state, names[i]);
        assert_int_equal(mrcnn_image_write(&image, path, &err), MRCNN_OK);
        assert_int_equal(mrcnn_image_read(&back, path, NULL, &err), MRCNN_OK);
        assert_int_equal(back.width, 83);
        assert_int_equal(back.height, 61);
        int64_t sum = 0;
        for (int k = 0; k < 83 * 61 * 3; k++) sum += abs(back.pixels[k] - image.pixels[k]);
        assert_true(sum < 83 * 61 * 3); /* less than a level on average */
        assert_int_equal(unlink(path), 0);
        mrcnn_image_free(&image);
        mrcnn_image_free(&back);
    }
}

static void assert_refused(const mrcnn_image *image, const char *path, mrcnn_status wanted,
                           const char *says) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_image_write(image, path, &err), wanted);
    if (!strstr(err.message, path) || !strstr(err.message, says))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err.message, path, says);
}

/* Grey and alpha: a PNG gives them back, a grey JPEG nearly. */
static void other_channels_are_written(void **state) {
    const folder *f = *state;
    mrcnn_image_options options = mrcnn_image_options_default();
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = make_image(48, 17), back = {0};
    image.width = 24; /* the same bytes, cut into other pixels */
    const char *path = inside(f, "a.png");
    for (int channels = 1; channels <= 4; channels++) {
        image.channels = options.channels = channels;
        if (mrcnn_image_write(&image, path, &err) != MRCNN_OK) fail_msg("%s", err.message);
        if (mrcnn_image_read(&back, path, &options, &err) != MRCNN_OK) fail_msg("%s", err.message);
        assert_int_equal(back.channels, channels);
        assert_int_equal(back.width, 24);
        assert_memory_equal(back.pixels, image.pixels, (size_t)(24 * 17 * channels));
        mrcnn_image_free(&back);
    }
    unlink(path);
    image.channels = options.channels = 1;
    for (int i = 0; i < 24 * 17; i++) image.pixels[i] = (uint8_t)(3 * (i % 24) + 5 * (i / 24));
    path = inside(f, "a.jpg");
    assert_int_equal(mrcnn_image_write(&image, path, &err), MRCNN_OK);
    assert_int_equal(mrcnn_image_read(&back, path, &options, &err), MRCNN_OK);
    for (int i = 0; i < 24 * 17; i++) assert_true(abs(back.pixels[i] - image.pixels[i]) <= 6);
    mrcnn_image_free(&back);
    mrcnn_image_free(&image);
    unlink(path);
}

static void refuses_and_leaves_nothing(void **state) {
    const folder *f = *state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = make_image(9, 9), bad = image;
    assert_refused(&image, inside(f, "a.gif"), MRCNN_E_ARGUMENT, ".png, .jpg or .jpeg");
    assert_refused(&image, inside(f, "png"), MRCNN_E_ARGUMENT, ".png, .jpg or .jpeg");
    assert_refused(&image, "/nowhere.png/a", MRCNN_E_ARGUMENT, ".png, .jpg or .jpeg");
    assert_refused(&image, inside(f, "no/such/a.png"), MRCNN_E_IO, "can't write");
    assert_refused(&image, inside(f, "no/such/a.jpg"), MRCNN_E_IO, "can't write");
    for (bad.channels = 0; bad.channels <= 5; bad.channels += 5)
        assert_refused(&bad, inside(f, "a.png"), MRCNN_E_ARGUMENT, "channels");
    bad.channels = 4;
    assert_refused(&bad, inside(f, "a.jpg"), MRCNN_E_ARGUMENT, "4 channels");
    bad.channels = 2;
    assert_refused(&bad, inside(f, "a.jpeg"), MRCNN_E_ARGUMENT, "2 channels");
    bad = image;
    bad.width = 0;
    assert_refused(&bad, inside(f, "a.png"), MRCNN_E_ARGUMENT, "0 x 9");
    bad = image;
    bad.pixels = NULL;
    assert_refused(&bad, inside(f, "a.png"), MRCNN_E_ARGUMENT, "must have pixels");
    assert_int_equal(mrcnn_image_write(NULL, "a.png", &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_image_write(&image, NULL, &err), MRCNN_E_ARGUMENT);
    mrcnn_image_free(&image);
    assert_int_equal(count_files(f->path), 0);
}

static void jpeg_has_a_largest_size(void **state) {
    mrcnn_image wide = make_image(70000, 1);
    assert_refused(&wide, inside(*state, "a.jpg"), MRCNN_E_ARGUMENT, "70000 x 1");
    mrcnn_image_free(&wide);
    assert_int_equal(count_files(((folder *)*state)->path), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(png_gives_back_the_same_pixels, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(jpeg_gives_back_nearly_the_same, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(other_channels_are_written, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_and_leaves_nothing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(jpeg_has_a_largest_size, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
