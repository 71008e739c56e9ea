/* test_data_channels.c - data sets whose pictures are read with other channels than RGB: files,
 * generated ones, those of a program's own, and several sets as one. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_train.h"

#include "data/data.h"
#include "data/picture_size.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>

static mrcnn_image_options read_with(int channels, double low, double high) {
    mrcnn_image_options image = mrcnn_image_options_default();
    image.channels = channels;
    image.low = low;
    image.high = high;
    return image;
}

static mrcnn_status open_with(mrcnn_dataset **set, const char *path,
                              const mrcnn_image_options *image, mrcnn_error *err) {
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.image = image;
    options.shapes_count = 2;
    *err = (mrcnn_error)MRCNN_ERROR_INIT;
    return mrcnn_dataset_open(set, path, &options, err);
}

static mrcnn_dataset *open_well(const char *path, const mrcnn_image_options *image) {
    mrcnn_dataset *set = NULL;
    mrcnn_error err;
    if (open_with(&set, path, image, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return set;
}

static int luma(const uint8_t *rgb) {
    return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

/* Files and generated pictures alike. */
static void pictures_have_the_wanted_channels(void **state) {
    (void)state;
    static const int sizes[][2] = {{40, 30}};
    const char *const paths[] = {"via", "shapes"};
    mrcnn_image_options one = read_with(1, 0, 0);
    train_via("via", 1, sizes, 0);
    for (int i = 0; i < 2; i++) {
        mrcnn_dataset *plain = open_well(paths[i], NULL), *grey = open_well(paths[i], &one);
        mrcnn_image rgb = {0}, image = {0};
        assert_int_equal(mr_dataset_channels(plain), 3);
        assert_int_equal(mr_dataset_channels(grey), 1);
        assert_int_equal(mrcnn_dataset_read(plain, 0, &rgb, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_dataset_read(grey, 0, &image, NULL), MRCNN_OK);
        assert_int_equal(image.channels, 1);
        for (int k = 0; k < image.width * image.height; k++)
            assert_int_equal(image.pixels[k], luma(rgb.pixels + 3 * k));
        mrcnn_image_free(&rgb);
        mrcnn_image_free(&image);
        mrcnn_dataset_free(&plain);
        mrcnn_dataset_free(&grey);
    }
}

static void what_can_not_be_read_is_refused(void **state) {
    (void)state;
    mrcnn_image_options four = read_with(4, 0, 0), odd = read_with(17, 0, 0);
    mrcnn_dataset *set = NULL;
    mrcnn_image image = {0};
    mrcnn_error err;
    assert_int_equal(open_with(&set, "shapes", &four, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "3 channels, RGB, and 4 are wanted");
    assert_int_equal(open_with(&set, "via", &odd, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "17 channels");
    set = open_well("via", &four); /* whether a file can is seen when it is read, or checked */
    assert_int_equal(mrcnn_dataset_read(set, 0, &image, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "0.png: it has 3 channels");
    mrcnn_dataset_summary *summary = NULL;
    assert_int_equal(mrcnn_dataset_check(set, NULL, &summary, &err), MRCNN_OK);
    assert_int_equal(summary->pictures_left_out, 1);
    mrcnn_dataset_summary_free(&summary);
    mrcnn_dataset_free(&set);
}

/* ---------------------------------------------------------------------------- a program's own set */

static mrcnn_status read_bands(void *user, const char *picture, mrcnn_image *image,
                               mrcnn_error *err) {
    (void)err;
    *image = (mrcnn_image){2, 1, atoi(picture), calloc(32, 1)};
    for (int i = 0; image->pixels && i < 32; i++) image->pixels[i] = (uint8_t)(i * *(int *)user);
    return image->pixels ? MRCNN_OK : MRCNN_E_MEMORY;
}

static mrcnn_status draw_nothing(void *user, const char *picture, size_t object, int32_t height,
                                 int32_t width, uint8_t *mask, int32_t *class_id,
                                 mrcnn_error *err) {
    (void)user, (void)picture, (void)object, (void)err;
    memset(mask, 0, (size_t)height * (size_t)width);
    *class_id = 1;
    return MRCNN_OK;
}

/* One picture of 5 channels and one of 3. */
static mrcnn_dataset *own_set(int channels) {
    static int step = 3;
    mrcnn_dataset *set = NULL;
    mrcnn_source source = mrcnn_source_default();
    mrcnn_image_options image = read_with(channels, 0, 0);
    source.name = "camera";
    source.read = read_bands;
    source.mask = draw_nothing;
    source.user = &step;
    assert_int_equal(mrcnn_dataset_create(&set, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_set_image_options(set, &image, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_source(set, &source, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_class(set, "camera", "1", "cell", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_image(set, "camera", "5", NULL, 1, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_image(set, "camera", "3", NULL, 1, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_prepare(set, NULL), MRCNN_OK);
    return set;
}

static void own_pictures_are_converted(void **state) {
    (void)state;
    mrcnn_dataset *set = own_set(5);
    mrcnn_image image = {0}, grey = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_dataset_read(set, 0, &image, NULL), MRCNN_OK);
    assert_int_equal(image.channels, 5);
    assert_int_equal(image.pixels[9], 27);
    mrcnn_image_free(&image);
    assert_int_equal(mrcnn_dataset_read(set, 1, &image, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "3: it has 3 channels, RGB, and 5 are wanted");
    assert_null(image.pixels);
    assert_int_equal(mrcnn_dataset_set_image_options(set, NULL, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "prepared already");
    mrcnn_dataset_free(&set);
    set = own_set(1);
    assert_int_equal(mrcnn_dataset_read(set, 1, &grey, NULL), MRCNN_OK);
    assert_int_equal(grey.channels, 1);
    assert_int_equal(grey.pixels[1], luma((const uint8_t[]){9, 12, 15}));
    mrcnn_image_free(&grey);
    mrcnn_dataset_free(&set);
}

/* --------------------------------------------------------------------------------------- joined */

static void joined_sets_are_read_alike(void **state) {
    (void)state;
    mrcnn_image_options one = read_with(1, 0, 0), ranged = read_with(1, 0, 9);
    mrcnn_dataset *sets[2] = {open_well("via", &one), own_set(1)}, *all = NULL;
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_dataset_join(&all, sets, 2, &err), MRCNN_OK);
    assert_int_equal(mr_dataset_channels(all), 1);
    for (size_t i = 0; i < mrcnn_dataset_count(all); i++) {
        if (i == 1) continue; /* five channels */
        assert_int_equal(mrcnn_dataset_read(all, i, &image, &err), MRCNN_OK);
        assert_int_equal(image.channels, 1);
        mrcnn_image_free(&image);
    }
    mrcnn_dataset_free(&all);
    const mrcnn_image_options *others[] = {NULL, &ranged};
    for (int i = 0; i < 2; i++) {
        sets[0] = open_well("via", &one);
        sets[1] = open_well("shapes", others[i]);
        assert_int_equal(mrcnn_dataset_join(&all, sets, 2, &err), MRCNN_E_ARGUMENT);
        assert_contains(err.message, "open both alike");
        assert_null(all);
        mrcnn_dataset_free(&sets[0]);
        mrcnn_dataset_free(&sets[1]);
    }
}

/* ------------------------------------------------------------------------------------- headers */

/* The size from the header of an array, and whether it can be read as wanted. */
static void sizes_of_arrays(void **state) {
    (void)state;
    static const char header[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 5), }\n";
    FILE *file = fopen("bands.npy", "wb");
    mrcnn_image_options five = read_with(5, 0, 0), three = read_with(3, 0, 0);
    int32_t height = 0, width = 0;
    assert_non_null(file);
    fwrite("\x93NUMPY\1\0", 1, 8, file);
    fputc(sizeof header - 1, file);
    fputc(0, file);
    fputs(header, file);
    for (int i = 0; i < 30; i++) fputc(i, file);
    assert_int_equal(fclose(file), 0);
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_picture_size("bands.npy", &height, &width, &err), MRCNN_OK);
    assert_int_equal(height, 2);
    assert_int_equal(width, 3);
    height = 0;
    assert_int_equal(mr_picture_check("bands.npy", &five, &height, &width, &err), MRCNN_OK);
    assert_int_equal(height, 2);
    assert_int_equal(mr_picture_check("bands.npy", &three, &height, &width, &err),
                     MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "bands.npy: it has 5 channels, and 3 are wanted");
    file = fopen("bands.npy", "ab"); /* not what the header says */
    assert_non_null(file);
    fputc(0, file);
    fclose(file);
    assert_int_equal(mr_picture_size("bands.npy", &height, &width, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "there is more (bytes: 1)");
}

static void set_byte(const char *path, long at, int byte) {
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputc(byte, file);
    assert_int_equal(fclose(file), 0);
}

/* A header of more pixels than the file can hold is not believed: masks of that size would be made. */
static void sizes_that_can_not_be(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    int32_t height = 0, width = 0;
    cli_picture("small.png", 40, 30);
    cli_picture("small.jpg", 40, 30);
    assert_int_equal(mr_picture_size("small.png", &height, &width, &err), MRCNN_OK);
    assert_int_equal(height, 30);
    set_byte("small.png", 21, 0x20); /* IHDR's height: 0x20001E */
    assert_int_equal(mr_picture_size("small.png", &height, &width, &err), MRCNN_E_FORMAT);
    FILE *file = fopen("small.jpg", "rb");
    assert_non_null(file);
    long frame = -1;
    for (int last = fgetc(file), now; frame < 0 && (now = fgetc(file)) != EOF; last = now)
        if (last == 0xFF && now == 0xC0) frame = ftell(file);
    fclose(file);
    assert_true(frame > 0);
    set_byte("small.jpg", frame + 3, 0x3F); /* of 16 bits: length, depth, height, width */
    set_byte("small.jpg", frame + 5, 0x3F);
    assert_int_equal(mr_picture_size("small.jpg", &height, &width, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "pixels can't be in");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_have_the_wanted_channels),
        cmocka_unit_test(what_can_not_be_read_is_refused),
        cmocka_unit_test(own_pictures_are_converted),
        cmocka_unit_test(joined_sets_are_read_alike),
        cmocka_unit_test(sizes_of_arrays),
        cmocka_unit_test(sizes_that_can_not_be),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
