/* test_data_polygon.c - outlines as masks: skimage's own answers, the oracle's, the plain rule pixel
 * by pixel, and coordinates that make no sense. */
#include "helper_assert.h"
#include "helper_golden_json.h"
#include "helper_npy.h"

#include "base/file.h"
#include "base/prng.h"
#include "data/raster.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { MOST = 64 };

/* ------------------------------------------------------------------------------------- skimage */

static void fill(const char *kind, const double *n, size_t count, int height, int width,
                 uint8_t *mask) {
    memset(mask, 7, (size_t)(height * width)); /* every byte must be written */
    if (strcmp(kind, "polygon") == 0)
        mr_fill_polygon(n, count / 2, height, width, mask);
    else if (strcmp(kind, "rect") == 0)
        mr_fill_rect(n[0], n[1], n[2], n[3], height, width, mask);
    else
        mr_fill_ellipse(n[0], n[1], n[2], n[3], n[4], height, width, mask);
}

static void test_as_skimage(void **state) {
    (void)state;
    FILE *file = fopen(TEST_DATA "/data/raster.txt", "r");
    char kind[16], line[256];
    int height, width, cases = 0;
    size_t count;
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    while (fscanf(file, "%15s %d %d %zu", kind, &height, &width, &count) == 4) {
        double numbers[MOST];
        uint8_t mask[MOST * MOST];
        assert_true(count <= MOST && height <= MOST && width <= MOST);
        for (size_t i = 0; i < count; i++) assert_int_equal(fscanf(file, "%lf", &numbers[i]), 1);
        fill(kind, numbers, count, height, width, mask);
        for (int y = 0; y < height; y++) {
            assert_int_equal(fscanf(file, "%255s", line), 1);
            for (int x = 0; x < width; x++)
                if (mask[y * width + x] != (line[x] == '#'))
                    fail_msg("case %d, %s: pixel %d, %d is %d", cases, kind, x, y,
                             mask[y * width + x]);
        }
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 22);
}

/* -------------------------------------------------------------------------------------- oracle */

static npy_array load(const char *files, const char *name) {
    char file[128], path[512];
    npy_array array = {0};
    json_text(json_get(files, name), file, sizeof file);
    snprintf(path, sizeof path, "%s/goldens/unit/%s", SHARED_DIR, file);
    if (!npy_read(path, &array)) fail_msg("%s can't be read", path);
    return array;
}

static void check_case(const char *text) {
    npy_array rows = load(json_get(text, "in"), "rows"),
              columns = load(json_get(text, "in"), "cols");
    npy_array want = load(json_get(text, "out"), "mask");
    int height = (int)want.shape[0], width = (int)want.shape[1];
    double *xy = calloc(rows.count, 2 * sizeof *xy);
    uint8_t *mask = malloc(want.count);
    assert_true(xy && mask && rows.count == columns.count);
    for (size_t i = 0; i < rows.count; i++) {
        xy[2 * i] = columns.data[i];
        xy[2 * i + 1] = rows.data[i];
    }
    fill("polygon", xy, 2 * rows.count, height, width, mask);
    for (size_t i = 0; i < want.count; i++) assert_int_equal(mask[i], want.data[i] != 0);
    free(xy);
    free(mask);
    npy_free(&rows);
    npy_free(&columns);
    npy_free(&want);
}

static void test_as_oracle(void **state) {
    (void)state;
    void *index = NULL;
    size_t length, cases = 0;
    const char *text;
    char op[64];
    if (mr_file_read(SHARED_DIR "/goldens/unit/index.json", 0, &index, &length, NULL) != MRCNN_OK) {
        print_message("skipped: no " SHARED_DIR "\n");
        skip();
    }
    for (size_t i = 0; (text = json_item(index, i)); i++) {
        json_text(json_get(text, "op"), op, sizeof op);
        if (strcmp(op, "polygon") != 0) continue;
        check_case(text);
        cases++;
    }
    free(index);
    assert_true(cases >= 6);
}

/* ---------------------------------------------------------------------------------- plain rule */

/* skimage's rule as it is written there, for one pixel. */
static int is_inside(const double *xy, size_t count, int px, int py) {
    int right = 0, left = 0;
    for (size_t i = 0; i < count; i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * (i ? i - 1 : count - 1);
        double x0 = a[0] - px, y0 = a[1] - py, x1 = b[0] - px, y1 = b[1] - py;
        if (fabs(x0) < 1e-12 && fabs(y0) < 1e-12) return 1;
        double t = (x0 * y1 - x1 * y0) / (y1 - y0);
        right += (y0 > 0) != (y1 > 0) && t > 0;
        left += (y0 < 0) != (y1 < 0) && t < 0;
    }
    return right % 2 == 1 || left % 2 == 1;
}

static void test_as_plain_rule(void **state) {
    (void)state;
    uint64_t stream = mr_prng_stream(11, "polygons"), next = 0;
    static const double steps[] = {1, 0.5, 0.1, 1e-6};
    int set = 0;
    for (int round = 0; round < 2000; round++) {
        int height = 1 + (int)(mr_prng_value(stream, next++) % 23);
        int width = 1 + (int)(mr_prng_value(stream, next++) % 23);
        size_t count = 1 + mr_prng_value(stream, next++) % 12;
        double xy[24], step = steps[round % 4];
        uint8_t mask[23 * 23];
        for (size_t i = 0; i < 2 * count; i++)
            xy[i] = step * floor((mr_prng_uniform(stream, next++) * 34 - 6) / step);
        fill("polygon", xy, 2 * count, height, width, mask);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                if (mask[y * width + x] != is_inside(xy, count, x, y))
                    fail_msg("round %d: pixel %d, %d", round, x, y);
                set += mask[y * width + x];
            }
    }
    assert_true(set > 50000);
}

/* -------------------------------------------------------------------------------------- absurd */

static size_t sum(const uint8_t *mask, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(mask[i] <= 1);
        total += mask[i];
    }
    return total;
}

static void test_absurd_polygons(void **state) {
    (void)state;
    static const double sizes[] = {1e3, 1e9, 1e15, 1e300, DBL_MAX};
    uint8_t mask[12 * 9];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        double f = sizes[i];
        double around[] = {-f, -f, f, -f, f, f, -f, f};
        double half[] = {-f, -f, 4, -f, 4, f, -f, f}; /* left of x = 4, which belongs to it */
        double away[] = {f, f, f, 2 * f, 1.5 * f, f};
        if (isinf(2 * f)) away[3] = away[4] = f;
        fill("polygon", around, 8, 9, 12, mask);
        assert_int_equal(sum(mask, sizeof mask), sizeof mask);
        fill("polygon", half, 8, 9, 12, mask);
        assert_int_equal(sum(mask, sizeof mask), 9 * 5);
        fill("polygon", away, 6, 9, 12, mask);
        assert_int_equal(sum(mask, sizeof mask), 0);
    }
    fill("polygon", sizes, 0, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 0);
    double point[] = {3, 2};
    fill("polygon", point, 2, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 1);
    assert_int_equal(mask[2 * 12 + 3], 1);
}

static void test_absurd_others(void **state) {
    (void)state;
    uint8_t mask[12 * 9];
    const double huge[] = {3, 3, 1e300, DBL_MAX, 1e300};
    const double flat[] = {3, 3, 0, 4, 0}, negative[] = {3, 3, -2, 4, 0};
    const double nan[] = {3, 3, NAN, 4, 0}, far[] = {-1e300, 1e300, 5, 5, 1};
    fill("ellipse", huge, 5, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), sizeof mask);
    fill("ellipse", flat, 5, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 0);
    fill("ellipse", negative, 5, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 0);
    fill("ellipse", nan, 5, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 0);
    fill("ellipse", far, 5, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 0);
    const double wide[] = {-1e300, 2, 2e300, 3}, turned[] = {5, 6, -3, -2}, none[] = {2, 2, 0, 5};
    fill("rect", wide, 4, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 3 * 12);
    fill("rect", turned, 4, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 6);
    assert_int_equal(mask[4 * 12 + 2], 1);
    fill("rect", none, 4, 9, 12, mask);
    assert_int_equal(sum(mask, sizeof mask), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_skimage),    cmocka_unit_test(test_as_oracle),
        cmocka_unit_test(test_as_plain_rule), cmocka_unit_test(test_absurd_polygons),
        cmocka_unit_test(test_absurd_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
