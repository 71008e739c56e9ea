/* test_mask.c - run lengths: bytes, COCO's string, area, box, hostile strings; and unmolding (N39)
 * against the reference's masks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/prng.h"
#include "helper_npy.h"
#include "image/mask.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA TEST_DATA "/image/"

/* ----------------------------------------------------------------------------------- run lengths
 */

static char *string_of(const mrcnn_mask *mask) {
    size_t length = mrcnn_mask_to_string(mask, NULL, 0);
    char *string = malloc(length + 1);
    assert_non_null(string);
    assert_int_equal(mrcnn_mask_to_string(mask, string, length + 1), length);
    assert_int_equal(strlen(string), length);
    return string;
}

static void assert_bytes(const mrcnn_mask *mask, const uint8_t *wanted) {
    size_t size = (size_t)mask->height * (size_t)mask->width;
    uint8_t *bytes = malloc(size ? size : 1);
    assert_non_null(bytes);
    mrcnn_mask_to_bytes(mask, bytes);
    for (size_t i = 0; i < size; i++) assert_int_equal(bytes[i], wanted[i] != 0);
    free(bytes);
}

/* Box and area counted the plain way. */
static void assert_box_and_area(const mrcnn_mask *mask, const uint8_t *bytes) {
    int32_t wanted[4] = {0, 0, 0, 0}, box[4] = {-1, -1, -1, -1};
    int64_t area = 0;
    for (int32_t y = 0; y < mask->height; y++)
        for (int32_t x = 0; x < mask->width; x++) {
            if (!bytes[y * mask->width + x]) continue;
            if (area == 0) wanted[0] = y, wanted[1] = x;
            if (x < wanted[1]) wanted[1] = x;
            if (x + 1 > wanted[3]) wanted[3] = x + 1;
            wanted[2] = y + 1;
            area++;
        }
    mr_mask_box(mask, box);
    assert_memory_equal(box, wanted, sizeof box);
    assert_int_equal(mrcnn_mask_area(mask), area);
}

static void assert_round_trip(const uint8_t *bytes, int32_t height, int32_t width) {
    mrcnn_mask mask = {0}, back = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, height, width, &err), MRCNN_OK);
    assert_bytes(&mask, bytes);
    assert_box_and_area(&mask, bytes);
    char *string = string_of(&mask);
    if (mrcnn_mask_from_string(&back, string, height, width, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(back.count, mask.count);
    assert_memory_equal(back.counts, mask.counts, mask.count * sizeof *mask.counts);
    free(string);
    mrcnn_mask_free(&mask);
    mrcnn_mask_free(&back);
    assert_null(mask.counts);
}

static void coco_strings_equal_the_reference(void **state) {
    (void)state;
    FILE *file = fopen(DATA "rle.txt", "r");
    char line[2048], string[2000], path[512];
    int id, done = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%d %1999s", &id, string) != 2) continue;
        npy_array bytes, counts;
        mrcnn_mask mask = {0}, from_string = {0};
        snprintf(path, sizeof path, DATA "rle_%d_mask.npy", id);
        assert_true(npy_read(path, &bytes));
        snprintf(path, sizeof path, DATA "rle_%d_counts.npy", id);
        assert_true(npy_read(path, &counts));
        int32_t height = (int32_t)bytes.shape[0], width = (int32_t)bytes.shape[1];
        assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes.raw, height, width, NULL), MRCNN_OK);
        assert_int_equal(mask.count, counts.count);
        for (size_t i = 0; i < mask.count; i++) assert_true(mask.counts[i] == counts.data[i]);
        char *written = string_of(&mask);
        assert_string_equal(written, string);
        assert_int_equal(mrcnn_mask_from_string(&from_string, string, height, width, NULL),
                         MRCNN_OK);
        assert_bytes(&from_string, bytes.raw);
        assert_round_trip(bytes.raw, height, width);
        free(written);
        mrcnn_mask_free(&mask);
        mrcnn_mask_free(&from_string);
        npy_free(&bytes);
        npy_free(&counts);
        done++;
    }
    fclose(file);
    assert_int_equal(done, 4);
}

static void every_small_mask_comes_back(void **state) {
    (void)state;
    static const int32_t sizes[][2] = {{1, 1}, {1, 8}, {8, 1}, {3, 3}, {2, 4}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int32_t count = sizes[s][0] * sizes[s][1];
        for (int bits = 0; bits < 1 << count; bits++) {
            uint8_t bytes[9];
            for (int i = 0; i < count; i++) bytes[i] = bits >> i & 1 ? 255 : 0;
            assert_round_trip(bytes, sizes[s][0], sizes[s][1]);
        }
    }
}

static void masks_of_no_pixels_are_empty(void **state) {
    (void)state;
    mrcnn_mask mask = {0};
    int32_t box[4];
    assert_int_equal(mrcnn_mask_from_bytes(&mask, (const uint8_t *)"", 0, 7, NULL), MRCNN_OK);
    assert_int_equal(mask.count, 0);
    assert_int_equal(mrcnn_mask_area(&mask), 0);
    mr_mask_box(&mask, box);
    assert_int_equal(box[2], 0);
    mrcnn_mask_free(&mask);
    assert_int_equal(mrcnn_mask_from_string(&mask, "", 7, 0, NULL), MRCNN_OK);
    mrcnn_mask_free(&mask);
    mrcnn_mask_free(NULL);
    assert_int_equal(mrcnn_mask_from_bytes(&mask, NULL, 1 << 17, 1 << 17, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_mask_from_bytes(&mask, NULL, -1, 4, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_mask_from_string(&mask, NULL, 4, 4, NULL), MRCNN_E_ARGUMENT);
}

static void strings_are_cut_to_their_room(void **state) {
    (void)state;
    uint32_t counts[] = {1000, 2000, 3000};
    mrcnn_mask mask = {60, 100, 3, counts};
    char *whole = string_of(&mask), part[8];
    size_t length = strlen(whole);
    assert_true(length > 6);
    for (size_t room = 1; room < sizeof part; room++) {
        memset(part, '!', sizeof part);
        assert_int_equal(mrcnn_mask_to_string(&mask, part, room), length);
        assert_int_equal(strlen(part), room - 1);
        assert_memory_equal(part, whole, room - 1);
    }
    free(whole);
}

/* Counts that a program made wrong must not be followed out of the picture. */
static void counts_that_do_not_add_up_are_cut(void **state) {
    (void)state;
    uint32_t counts[] = {2, 4000000000u, 4000000000u, 4000000000u};
    mrcnn_mask mask = {3, 4, 4, counts};
    uint8_t wanted[12] = {0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1};
    assert_bytes(&mask, wanted);
    assert_box_and_area(&mask, wanted);
    mask.count = 3;
    counts[1] = 1;
    memset(wanted, 0, sizeof wanted);
    wanted[8] = 1;
    assert_bytes(&mask, wanted);
    assert_box_and_area(&mask, wanted);
}

static void hostile_strings_are_refused(void **state) {
    (void)state;
    static const char *const strings[] = {
        "",                       /* covers nothing */
        "<",                      /* 12 of 20 pixels */
        "d1",                     /* 52 */
        "O",                      /* -1 */
        "00<8L",                  /* a negative run */
        "d",                      /* more is announced than there is */
        "oooooooooooooooooooooo", /* a number without end */
        "ooooooooooooooO",        /* a very long number */
        "PPPPPPPPPPPPPPPPPPPP0",  /* zero, but of more than 64 bits */
        "oooooo?",                /* the largest number */
        "PPPPPP@",                /* the smallest */
        "d 0",
        "d0\n", /* characters outside the code */
        "\x7F",
        "\xFF\xFF", /* the same */
        "d0d0",     /* more than the picture */
    };
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        mrcnn_mask mask = {0};
        mrcnn_error err = MRCNN_ERROR_INIT;
        if (mrcnn_mask_from_string(&mask, strings[i], 4, 5, &err) != MRCNN_E_FORMAT)
            fail_msg("\"%s\" was not refused", strings[i]);
        assert_non_null(strstr(err.message, "RLE string"));
        assert_null(mask.counts);
    }
}

static void random_strings_never_crash(void **state) {
    (void)state;
    uint64_t stream = mr_prng_stream(1, "strings"), next = 0;
    int accepted = 0;
    for (int i = 0; i < 200000; i++) {
        char string[12] = {0};
        int length = 1 + (int)(mr_prng_value(stream, next++) % 10);
        for (int k = 0; k < length; k++)
            string[k] = (char)(48 + mr_prng_value(stream, next++) % 24);
        mrcnn_mask mask = {0};
        if (mrcnn_mask_from_string(&mask, string, 3, 5, NULL) != MRCNN_OK) continue;
        uint64_t sum = 0;
        for (size_t k = 0; k < mask.count; k++) sum += mask.counts[k];
        assert_int_equal(sum, 15);
        mrcnn_mask_free(&mask);
        accepted++;
    }
    assert_true(accepted > 0);
}

/* -------------------------------------------------------------------------------------- unmolding
 */

static void unmolding_equals_the_reference(void **state) {
    (void)state;
    FILE *file = fopen(DATA "unmold.txt", "r");
    char line[4096], name[32], string[4000], path[512];
    int32_t box[4], height, width;
    int done = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%31s %d %d %d %d %d %d %3999s", name, &box[0], &box[1], &box[2], &box[3],
                   &height, &width, string) != 8)
            continue;
        npy_array small;
        mrcnn_mask mask = {0};
        mrcnn_error err = MRCNN_ERROR_INIT;
        snprintf(path, sizeof path, DATA "unmold_%s.npy", name);
        assert_true(npy_read(path, &small));
        if (mr_unmold_mask(&mask, small.raw, (int)small.shape[0], (int)small.shape[1], box, NULL,
                           height, width, MR_MASK_MATTERPORT, &err) != MRCNN_OK)
            fail_msg("%s", err.message);
        char *written = string_of(&mask);
        if (strcmp(written, string) != 0) fail_msg("%.60s... gives %s", line, written);
        free(written);
        mrcnn_mask_free(&mask);
        npy_free(&small);
        done++;
    }
    fclose(file);
    assert_int_equal(done, 15);
}

/* The rule itself, pixel by pixel, as NUMERICS N3 and N39 state it; no shortcut. */
static int inside_plainly(const float *small, int rows, int columns, double y, double x,
                          mr_mask_resize mode) {
    double floor_y = floor(y), floor_x = floor(x), ty = y - floor_y, tx = x - floor_x, v[2][2];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            int r = (int)floor_y + i, c = (int)floor_x + j;
            int outside = r < 0 || r >= rows || c < 0 || c >= columns;
            r = r < 0 ? 0 : r >= rows ? rows - 1 : r;
            c = c < 0 ? 0 : c >= columns ? columns - 1 : c;
            v[i][j] = outside && mode == MR_MASK_MATTERPORT ? 0 : small[r * columns + c];
        }
    double left = v[0][0] * (1 - ty) + v[1][0] * ty, right = v[0][1] * (1 - ty) + v[1][1] * ty;
    return left * (1 - tx) + right * tx >= 0.5;
}

static void assert_unmolds_plainly(const float *small, int rows, int columns, const int32_t box[4],
                                   int height, int width, mr_mask_resize mode) {
    uint8_t *wanted = calloc((size_t)height * (size_t)width, 1);
    mrcnn_mask mask = {0};
    assert_non_null(wanted);
    double step_y = (double)rows / (box[2] - box[0]), step_x = (double)columns / (box[3] - box[1]);
    for (int y = box[0]; y < box[2]; y++)
        for (int x = box[1]; x < box[3]; x++)
            wanted[y * width + x] =
                (uint8_t)inside_plainly(small, rows, columns, (y - box[0] + 0.5) * step_y - 0.5,
                                        (x - box[1] + 0.5) * step_x - 0.5, mode);
    assert_int_equal(
        mr_unmold_mask(&mask, small, rows, columns, box, NULL, height, width, mode, NULL),
        MRCNN_OK);
    assert_bytes(&mask, wanted);
    mrcnn_mask_free(&mask);
    free(wanted);
}

/* Quarters meet 0.5 exactly again and again; sizes on both sides of the small mask's. */
static void unmolding_takes_no_wrong_shortcut(void **state) {
    (void)state;
    enum { ROWS = 6, COLUMNS = 9 };
    uint64_t stream = mr_prng_stream(2, "unmold"), next = 0;
    for (int n = 0; n < 400; n++) {
        float small[ROWS * COLUMNS];
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            uint64_t value = mr_prng_value(stream, next++);
            small[i] = n % 2 ? (float)(value % 5) / 4 : (float)(value % 1001) / 1000;
        }
        small[0] = 0; /* so that the reference's clipping decides nothing */
        small[1] = 1;
        int height = 1 + (int)(mr_prng_value(stream, next++) % 40);
        int width = 1 + (int)(mr_prng_value(stream, next++) % 40);
        int32_t box[4] = {n % 3, n % 2, n % 3 + height, n % 2 + width};
        assert_unmolds_plainly(small, ROWS, COLUMNS, box, height + 3, width + 2,
                               n % 4 < 2 ? MR_MASK_MATTERPORT : MR_MASK_EXACT);
    }
}

/* Subpixel: the samples are points from samples[0] to samples[2]; outside of them the nearest counts. */
static double plain_position(double pixel, double first, double last, int count) {
    double at = last > first ? (pixel - first) / (last - first) * (count - 1) : 0;
    return fmin(fmax(at, 0), count - 1);
}

static void assert_pastes_plainly(const float *small, int rows, int columns, const int32_t box[4],
                                  const double samples[4], int height, int width) {
    uint8_t *got = calloc((size_t)height * (size_t)width, 1);
    mrcnn_mask mask = {0};
    assert_non_null(got);
    assert_int_equal(mr_unmold_mask(&mask, small, rows, columns, box, samples, height, width,
                                    MR_MASK_SUBPIXEL, NULL),
                     MRCNN_OK);
    mrcnn_mask_to_bytes(&mask, got);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double py = plain_position(y, samples[0], samples[2], rows), fy = floor(py);
            double px = plain_position(x, samples[1], samples[3], columns), fx = floor(px);
            int r = (int)fy, c = (int)fx, r2 = r + (py > fy), c2 = c + (px > fx);
            double left =
                small[r * columns + c] * (1 - (py - fy)) + small[r2 * columns + c] * (py - fy);
            double right =
                small[r * columns + c2] * (1 - (py - fy)) + small[r2 * columns + c2] * (py - fy);
            double value = left * (1 - (px - fx)) + right * (px - fx);
            int inside = y >= box[0] && y < box[2] && x >= box[1] && x < box[3];
            if (!inside) assert_int_equal(got[y * width + x], 0);
            if (inside && fabs(value - 0.5) > 1e-9) /* positions are rounded differently here */
                assert_int_equal(got[y * width + x], value >= 0.5);
        }
    mrcnn_mask_free(&mask);
    free(got);
}

static void subpixel_masks_are_sampled_plainly(void **state) {
    (void)state;
    enum { ROWS = 6, COLUMNS = 9 };
    uint64_t stream = mr_prng_stream(3, "subpixel"), next = 0;
    for (int n = 0; n < 400; n++) {
        float small[ROWS * COLUMNS];
        for (int i = 0; i < ROWS * COLUMNS; i++)
            small[i] = (float)(mr_prng_value(stream, next++) % 1001) / 1000;
        int height = 1 + (int)(mr_prng_value(stream, next++) % 40);
        int width = 1 + (int)(mr_prng_value(stream, next++) % 40);
        int32_t box[4] = {n % 3, n % 2, n % 3 + height, n % 2 + width};
        double samples[4];
        for (int k = 0; k < 4; k++)
            samples[k] = box[k] + (k < 2 ? 0.2 : -1.2) + mr_prng_uniform(stream, next++);
        if (n % 10 == 0) samples[2] = samples[0]; /* a box without height */
        assert_pastes_plainly(small, ROWS, COLUMNS, box, samples, height + 3, width + 2);
    }
}

static void fill(float *small, int count, float value) {
    for (int i = 0; i < count; i++) small[i] = value;
}

static int64_t unmolded_area(const float *small, int size, const int32_t box[4],
                             mr_mask_resize mode) {
    const double samples[4] = {box[0], box[1], box[2] - 1, box[3] - 1};
    mrcnn_mask mask = {0};
    assert_int_equal(mr_unmold_mask(&mask, small, size, size, box, samples, 60, 60, mode, NULL),
                     MRCNN_OK);
    int64_t area = mrcnn_mask_area(&mask);
    mrcnn_mask_free(&mask);
    return area;
}

static void a_full_mask_fills_its_box(void **state) {
    (void)state;
    float small[28 * 28];
    const int32_t box[4] = {3, 2, 59, 58}, whole = 56 * 56; /* twice the size */
    fill(small, 28 * 28, 1);
    assert_int_equal(unmolded_area(small, 28, box, MR_MASK_EXACT), whole);
    fill(small, 28 * 28, 0.5f);
    assert_int_equal(unmolded_area(small, 28, box, MR_MASK_EXACT), whole);
    fill(small, 28 * 28, 0.49f);
    assert_int_equal(unmolded_area(small, 28, box, MR_MASK_EXACT), 0);
    /* N3 clips to the mask's own range, so a constant one is not eroded. One low value brings
     * matterport's erosion back, of a pixel on each side at this scale; exact mode loses that place
     * alone. */
    fill(small, 28 * 28, 0.6f);
    assert_int_equal(unmolded_area(small, 28, box, MR_MASK_MATTERPORT), whole);
    small[14 * 28 + 14] = 0;
    int64_t exact = unmolded_area(small, 28, box, MR_MASK_EXACT);
    assert_in_range(exact, whole - 16, whole - 1);
    assert_int_equal(unmolded_area(small, 28, box, MR_MASK_MATTERPORT), exact - 4 * 55);
}

static void odd_values_give_some_mask(void **state) {
    (void)state;
    const float values[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 0.7f, 0};
    const int32_t box[4] = {1, 2, 30, 40};
    float small[16];
    for (size_t a = 0; a < sizeof values / sizeof *values; a++)
        for (size_t b = 0; b < sizeof values / sizeof *values; b++)
            for (int mode = 0; mode < 3; mode++) {
                fill(small, 16, values[a]);
                small[5] = small[10] = values[b];
                int64_t area = unmolded_area(small, 4, box, (mr_mask_resize)mode);
                assert_in_range(area, 0, 29 * 38);
                if (isnan(values[a]) || isnan(values[b])) assert_int_equal(area, 0);
            }
}

static void odd_places_give_some_mask(void **state) {
    (void)state;
    static const double odd[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 5};
    enum { ODD = sizeof odd / sizeof *odd };
    const int32_t box[4] = {1, 2, 30, 40};
    const float small[4] = {0, 1, 1, 0};
    for (int n = 0; n < ODD * ODD * ODD * ODD; n++) {
        double samples[4] = {odd[n % ODD], odd[n / ODD % ODD], odd[n / ODD / ODD % ODD],
                             odd[n / ODD / ODD / ODD]};
        mrcnn_mask mask = {0};
        assert_int_equal(
            mr_unmold_mask(&mask, small, 2, 2, box, samples, 60, 60, MR_MASK_SUBPIXEL, NULL),
            MRCNN_OK);
        assert_in_range(mrcnn_mask_area(&mask), 0, 29 * 38);
        mrcnn_mask_free(&mask);
    }
}

static void boxes_outside_are_refused(void **state) {
    (void)state;
    static const int32_t boxes[][4] = {{-1, 0, 5, 5}, {0, -1, 5, 5}, {0, 0, 11, 5},
                                       {0, 0, 5, 21}, {5, 5, 5, 9},  {5, 9, 8, 9}};
    const float small[1] = {1};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        mrcnn_mask mask = {0};
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(
            mr_unmold_mask(&mask, small, 1, 1, boxes[i], NULL, 10, 20, MR_MASK_EXACT, &err),
            MRCNN_E_ARGUMENT);
        assert_non_null(strstr(err.message, "20 x 10"));
        assert_null(mask.counts);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coco_strings_equal_the_reference),
        cmocka_unit_test(every_small_mask_comes_back),
        cmocka_unit_test(masks_of_no_pixels_are_empty),
        cmocka_unit_test(strings_are_cut_to_their_room),
        cmocka_unit_test(counts_that_do_not_add_up_are_cut),
        cmocka_unit_test(hostile_strings_are_refused),
        cmocka_unit_test(random_strings_never_crash),
        cmocka_unit_test(unmolding_equals_the_reference),
        cmocka_unit_test(unmolding_takes_no_wrong_shortcut),
        cmocka_unit_test(subpixel_masks_are_sampled_plainly),
        cmocka_unit_test(a_full_mask_fills_its_box),
        cmocka_unit_test(odd_values_give_some_mask),
        cmocka_unit_test(odd_places_give_some_mask),
        cmocka_unit_test(boxes_outside_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
