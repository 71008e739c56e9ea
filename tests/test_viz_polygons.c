/* test_viz_polygons.c - outlines: exact rings, orientation, connectivity against a flood fill, the
 * round trip through even-odd filling, the tolerance's promise, hostile masks. */
#include "test_viz.h"

#include "viz/outline.h"

#include <math.h>
#include <time.h>

/* Even-odd filling of outlines along pixel edges: each vertical edge flips what is right of it. */
static void fill(const mrcnn_polygons *polygons, uint8_t *bytes, int height, int width) {
    memset(bytes, 0, (size_t)height * (size_t)width);
    for (size_t i = 0; i < polygons->count; i++) {
        const mrcnn_polygon *p = &polygons->polygons[i];
        for (size_t a = 0; a < p->count; a++) {
            size_t b = (a + 1) % p->count;
            int x = (int)p->xy[2 * a], y1 = (int)p->xy[2 * a + 1], y2 = (int)p->xy[2 * b + 1];
            assert_true((p->xy[2 * a] == p->xy[2 * b]) != (y1 == y2)); /* along one axis */
            for (int y = y1 < y2 ? y1 : y2; y < (y1 < y2 ? y2 : y1); y++)
                for (int k = x; k < width; k++) bytes[y * width + k] ^= 1;
        }
    }
}

/* Positive for clockwise on the screen. */
static double area(const mrcnn_polygon *p) {
    double sum = 0.0;
    for (size_t a = 0; a < p->count; a++) {
        size_t b = (a + 1) % p->count;
        sum += (double)p->xy[2 * a] * p->xy[2 * b + 1] - (double)p->xy[2 * b] * p->xy[2 * a + 1];
    }
    return sum / 2.0;
}

static void flood(uint8_t *bytes, int height, int width, int y, int x, int value, int diagonal) {
    if (y < 0 || x < 0 || y >= height || x >= width || bytes[y * width + x] != value) return;
    bytes[y * width + x] = 2;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            if (diagonal || dx == 0 || dy == 0)
                flood(bytes, height, width, y + dy, x + dx, value, diagonal);
}

static int components(const uint8_t *bytes, int height, int width, int value, int diagonal) {
    uint8_t *copy = malloc((size_t)height * (size_t)width);
    int count = 0;
    memcpy(copy, bytes, (size_t)height * (size_t)width);
    for (int i = 0; i < height * width; i++)
        if (copy[i] == value) {
            flood(copy, height, width, i / width, i % width, value, diagonal);
            count++;
        }
    free(copy);
    return count;
}

/* Background components, with a frame around the picture so that the outside is one of them. */
static int holes(const uint8_t *bytes, int height, int width) {
    uint8_t *framed = calloc((size_t)height + 2, (size_t)width + 2);
    for (int y = 0; y < height; y++)
        memcpy(framed + (y + 1) * (width + 2) + 1, bytes + y * width, (size_t)width);
    int count = components(framed, height + 2, width + 2, 0, 1) - 1;
    free(framed);
    return count;
}

static void check_round_trip(const uint8_t *bytes, int height, int width) {
    mrcnn_mask mask = make_mask(bytes, height, width);
    mrcnn_polygons polygons = {0};
    uint8_t *again = malloc((size_t)height * (size_t)width);
    double sum = 0.0;
    int parts = 0, pixels = 0;
    assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, 0.0, NULL), MRCNN_OK);
    fill(&polygons, again, height, width);
    assert_memory_equal(again, bytes, (size_t)height * (size_t)width);
    for (size_t i = 0; i < polygons.count; i++) {
        double enclosed = area(&polygons.polygons[i]);
        assert_int_equal(polygons.polygons[i].hole, enclosed < 0.0);
        parts += enclosed > 0.0;
        sum += enclosed;
    }
    for (int i = 0; i < height * width; i++) pixels += bytes[i];
    assert_true(sum == pixels);
    assert_int_equal(parts, components(bytes, height, width, 1, 0));
    assert_int_equal((int)polygons.count - parts, holes(bytes, height, width));
    mrcnn_polygons_free(&polygons);
    free(again);
    free(mask.counts);
}

static void test_random_round_trip(void **state) {
    (void)state;
    uint64_t stream = mr_prng_stream(2, "masks"), n = 0;
    for (int round = 0; round < 400; round++) {
        uint8_t bytes[32 * 32];
        int height = 1 + (int)(mr_prng_value(stream, n++) % 32);
        int width = 1 + (int)(mr_prng_value(stream, n++) % 32);
        double density = mr_prng_uniform(stream, n++);
        for (int i = 0; i < height * width; i++) bytes[i] = mr_prng_uniform(stream, n++) < density;
        check_round_trip(bytes, height, width);
    }
}

static void expect_ring(const mrcnn_polygon *p, const float *xy, size_t count, int hole) {
    assert_int_equal(p->count, count);
    assert_int_equal(p->hole, hole);
    size_t first = 0; /* rings may begin anywhere */
    while (first < count && (p->xy[0] != xy[2 * first] || p->xy[1] != xy[2 * first + 1])) first++;
    assert_true(first < count);
    for (size_t i = 0; i < count; i++) {
        size_t k = (first + i) % count;
        assert_true(p->xy[2 * i] == xy[2 * k] && p->xy[2 * i + 1] == xy[2 * k + 1]);
    }
}

static void test_ring_with_hole(void **state) {
    (void)state;
    mrcnn_mask mask = draw_mask("####."
                                "#..#."
                                "####.",
                                3, 5);
    mrcnn_polygons polygons = {0};
    assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, 0.0, NULL), MRCNN_OK);
    assert_int_equal(polygons.count, 2);
    const float outer[] = {0, 0, 4, 0, 4, 3, 0, 3}, inner[] = {1, 1, 1, 2, 3, 2, 3, 1};
    expect_ring(&polygons.polygons[0], outer, 4, 0);
    expect_ring(&polygons.polygons[1], inner, 4, 1);
    mrcnn_polygons_free(&polygons);
    assert_null(polygons.polygons);
    assert_int_equal(polygons.count, 0);
    free(mask.counts);
}

static void test_diagonal_pixels_are_two_parts(void **state) {
    (void)state;
    const char *both[] = {"#..#", ".##."};
    for (int i = 0; i < 2; i++) {
        mrcnn_mask mask = draw_mask(both[i], 2, 2);
        mrcnn_polygons polygons = {0};
        assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, 0.0, NULL), MRCNN_OK);
        assert_int_equal(polygons.count, 2);
        assert_int_equal(polygons.polygons[0].count, 4);
        assert_int_equal(polygons.polygons[1].count, 4);
        mrcnn_polygons_free(&polygons);
        free(mask.counts);
    }
}

static void test_odd_run_lengths(void **state) {
    (void)state;
    /* Encoders may write empty runs: one whole column, in three pieces, then an empty column. */
    uint32_t pieces[] = {0, 1, 0, 0, 0, 2, 3}, all[] = {0, 12}, none[] = {12};
    mrcnn_mask mask = {3, 2, 7, pieces};
    mrcnn_polygons polygons = {0};
    const float column[] = {0, 0, 1, 0, 1, 3, 0, 3}, whole[] = {0, 0, 4, 0, 4, 3, 0, 3};
    assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, 0.0, NULL), MRCNN_OK);
    assert_int_equal(polygons.count, 1);
    expect_ring(&polygons.polygons[0], column, 4, 0);
    mrcnn_polygons_free(&polygons);

    mask = (mrcnn_mask){3, 4, 2, all};
    assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, 0.0, NULL), MRCNN_OK);
    assert_int_equal(polygons.count, 1);
    expect_ring(&polygons.polygons[0], whole, 4, 0);
    mrcnn_polygons_free(&polygons);

    mask = (mrcnn_mask){3, 4, 1, none};
    assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, 0.0, NULL), MRCNN_OK);
    assert_int_equal(polygons.count, 0);
    mask = (mrcnn_mask){0, 0, 0, NULL};
    assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, 0.0, NULL), MRCNN_OK);
    assert_int_equal(polygons.count, 0);
    mrcnn_polygons_free(&polygons);
    mrcnn_polygons_free(NULL);
}

static double to_segment(const float *p, const float *a, const float *b) {
    double dx = b[0] - a[0], dy = b[1] - a[1], px = p[0] - a[0], py = p[1] - a[1];
    double t = dx * dx + dy * dy > 0.0 ? (px * dx + py * dy) / (dx * dx + dy * dy) : 0.0;
    t = t < 0.0 ? 0.0 : t > 1.0 ? 1.0 : t;
    return hypot(px - t * dx, py - t * dy);
}

static double to_ring(const float *p, const mrcnn_polygon *ring) {
    double least = INFINITY;
    for (size_t a = 0; a < ring->count; a++) {
        double d = to_segment(p, ring->xy + 2 * a, ring->xy + 2 * ((a + 1) % ring->count));
        least = d < least ? d : least;
    }
    return least;
}

static void test_tolerance(void **state) {
    (void)state;
    enum { SIDE = 120 };
    static uint8_t bytes[SIDE * SIDE];
    /* A wavy disc with a hole, and a single pixel. */
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double r = hypot(x - 60.0, y - 60.0), a = atan2(y - 60.0, x - 60.0);
            bytes[y * SIDE + x] = r < 45.0 + 6.0 * sin(7.0 * a) && r > 11.0;
        }
    bytes[0] = 1;
    mrcnn_mask mask = make_mask(bytes, SIDE, SIDE);
    mrcnn_polygons exact = {0};
    assert_int_equal(mrcnn_mask_polygons(&exact, &mask, 0.0, NULL), MRCNN_OK);
    size_t before = SIZE_MAX;
    const double tolerances[] = {0.5, 1.0, 2.5, 8.0, 1e9};
    for (int t = 0; t < 5; t++) {
        mrcnn_polygons simple = {0};
        size_t points = 0;
        assert_int_equal(mrcnn_mask_polygons(&simple, &mask, tolerances[t], NULL), MRCNN_OK);
        assert_int_equal(simple.count, exact.count);
        for (size_t i = 0; i < exact.count; i++) {
            assert_true(simple.polygons[i].count >= 3);
            assert_true(area(&simple.polygons[i]) != 0.0);
            assert_int_equal(simple.polygons[i].hole, exact.polygons[i].hole);
            points += simple.polygons[i].count;
            for (size_t k = 0; k < exact.polygons[i].count; k++)
                assert_true(to_ring(exact.polygons[i].xy + 2 * k, &simple.polygons[i]) <=
                            tolerances[t] + 1e-9);
        }
        assert_true(points < before);
        before = points;
        mrcnn_polygons_free(&simple);
    }
    assert_int_equal(before, 9); /* three triangles */
    mrcnn_polygons_free(&exact);
    free(mask.counts);
}

/* Teeth of equal height are Douglas and Peucker's worst case: 200,000 points would take minutes. */
static void test_comb_is_fast(void **state) {
    (void)state;
    enum { TEETH = 100000 };
    uint32_t *counts = malloc((4 * TEETH + 1) * sizeof *counts);
    size_t n = 0;
    for (int i = 0; i < TEETH; i++) { /* a whole column of 9, then one with its lowest pixel */
        counts[n++] = 0;
        counts[n++] = 9;
        counts[n++] = 8;
        counts[n++] = 1;
    }
    mrcnn_mask mask = {9, 2 * TEETH, n, counts};
    mrcnn_polygons polygons = {0};
    clock_t start = clock();
    assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, 1.0, NULL), MRCNN_OK);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20.0);
    assert_int_equal(polygons.count, 1);
    assert_true(polygons.polygons[0].count > 2 * TEETH);
    mrcnn_polygons_free(&polygons);
    free(counts);
}

static void expect_refusal(mrcnn_mask mask, double tolerance, mrcnn_status status,
                           const char *words) {
    mrcnn_polygons polygons = {77, NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_mask_polygons(&polygons, &mask, tolerance, &err), status);
    assert_int_equal(err.status, status);
    assert_non_null(strstr(err.message, words));
    assert_int_equal(polygons.count, 77);
}

static void test_hostile_masks(void **state) {
    (void)state;
    uint32_t counts[] = {1, 4, 2}, huge[] = {UINT32_MAX, UINT32_MAX};
    uint32_t wide[] = {1 << 24, 1};
    expect_refusal((mrcnn_mask){2, 3, 3, counts}, 0.0, MRCNN_E_ARGUMENT, "more");
    expect_refusal((mrcnn_mask){2, 4, 3, counts}, 0.0, MRCNN_E_ARGUMENT, "fewer");
    expect_refusal((mrcnn_mask){2, 4, 2, huge}, 0.0, MRCNN_E_ARGUMENT, "more");
    expect_refusal((mrcnn_mask){2, 4, 0, NULL}, 0.0, MRCNN_E_ARGUMENT, "fewer");
    expect_refusal((mrcnn_mask){2, 4, 1, NULL}, 0.0, MRCNN_E_ARGUMENT, "NULL");
    expect_refusal((mrcnn_mask){-2, -4, 3, counts}, 0.0, MRCNN_E_ARGUMENT, "no size");
    expect_refusal((mrcnn_mask){INT32_MAX, INT32_MAX, 3, counts}, 0.0, MRCNN_E_ARGUMENT, "fewer");
    expect_refusal((mrcnn_mask){1, (1 << 24) + 1, 2, wide}, 0.0, MRCNN_E_UNSUPPORTED, "a side");
    expect_refusal((mrcnn_mask){1, 7, 3, counts}, -1.0, MRCNN_E_ARGUMENT, "tolerance");
    expect_refusal((mrcnn_mask){1, 7, 3, counts}, (double)NAN, MRCNN_E_ARGUMENT, "tolerance");
    mrcnn_polygons polygons;
    assert_int_equal(mrcnn_mask_polygons(&polygons, NULL, 0.0, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_mask_polygons(NULL, &(mrcnn_mask){1, 7, 3, counts}, 0.0, NULL),
                     MRCNN_E_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_with_hole),
        cmocka_unit_test(test_diagonal_pixels_are_two_parts),
        cmocka_unit_test(test_odd_run_lengths),
        cmocka_unit_test(test_random_round_trip),
        cmocka_unit_test(test_tolerance),
        cmocka_unit_test(test_comb_is_fast),
        cmocka_unit_test(test_hostile_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
