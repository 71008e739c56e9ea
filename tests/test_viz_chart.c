/* test_viz_chart.c - charts: what must be where, files that are whole, what nobody would draw. Lines and
 * bars are measured in PNGs that were read back. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <mrcnn/draw.h>

#include <math.h>
#include <stdlib.h>

/* A chart without anything beside the plot, axes from 0 to 1. */
static mrcnn_chart make_chart(const mrcnn_series *series, size_t count) {
    mrcnn_chart chart = mrcnn_chart_default();
    chart.series = series;
    chart.count = count;
    chart.x_high = chart.y_high = 1.0;
    chart.scale = 1.0;
    return chart;
}

static mrcnn_status write_chart(const mrcnn_chart *chart, const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_status status = mrcnn_chart_write(chart, path, &err);
    assert_int_equal(status, err.status);
    if (status != MRCNN_OK) assert_false(cli_exists(path));
    return status;
}

#ifdef MRCNN_WITH_CAIRO

static mrcnn_image draw(const mrcnn_chart *chart) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    assert_int_equal(mrcnn_chart_write(chart, "chart.png", &err), MRCNN_OK);
    assert_int_equal(mrcnn_image_read(&image, "chart.png", NULL, &err), MRCNN_OK);
    return image;
}

/* The palette's first colours, on light paper: blue, vermilion, green (Okabe and Ito). */
static const int palette[3][3] = {{0, 114, 178}, {213, 94, 0}, {0, 158, 115}};

static int is_color(const mrcnn_image *image, int y, int x, const int color[3]) {
    const uint8_t *p = image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    return abs(p[0] - color[0]) <= 2 && abs(p[1] - color[1]) <= 2 && abs(p[2] - color[2]) <= 2;
}

typedef struct spot_range {
    int count, y1, y2, x1, x2; /* y2 and x2 just outside */
} spot_range;

static spot_range find(const mrcnn_image *image, const int color[3]) {
    spot_range r = {0, image->height, 0, image->width, 0};
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            if (!is_color(image, y, x, color)) continue;
            r.count++;
            if (y < r.y1) r.y1 = y;
            if (y >= r.y2) r.y2 = y + 1;
            if (x < r.x1) r.x1 = x;
            if (x >= r.x2) r.x2 = x + 1;
        }
    return r;
}

static double middle(spot_range r) {
    return (r.y1 + r.y2) / 2.0;
}

/* Levels at 0.2, 0.5 and 0.8: the second lies half-way between the others. */
static void test_lines(void **state) {
    (void)state;
    const double x[] = {0, 1}, y[3][2] = {{0.2, 0.2}, {0.5, 0.5}, {0.8, 0.8}};
    mrcnn_series series[3];
    for (int i = 0; i < 3; i++)
        series[i] =
            (mrcnn_series){.kind = MRCNN_SERIES_STEPS, .count = 2, .x = x, .y = y[i], .color = -1};
    mrcnn_chart chart = make_chart(series, 3);
    chart.scale = 3.0; /* lines of five pixels have pixels of their own colour */
    mrcnn_image image = draw(&chart);
    assert_int_equal(image.width, 1920);
    assert_int_equal(image.height, 1200);
    spot_range low = find(&image, palette[0]), half = find(&image, palette[1]),
               high = find(&image, palette[2]);
    assert_true(low.count > 1000 && half.count > 1000 && high.count > 1000);
    assert_true(low.y2 - low.y1 < 12);
    assert_true(fabs(middle(half) - (middle(low) + middle(high)) / 2.0) <= 1.0);
    assert_true(middle(high) < middle(half)); /* up is more */
    /* 0.6 of the plot: with 0.2 above and below they fill it. */
    assert_true(middle(low) - middle(high) > 0.5 * 1200 && middle(low) - middle(high) < 0.6 * 1200);
    mrcnn_image_free(&image);

    chart.log_y = 1;
    chart.y_low = 0.2 * 0.2 / 0.5; /* 0.2, 0.5, 1.25: equal steps */
    chart.y_high = 3.0;
    const double third[] = {1.25, 1.25};
    series[2].y = third;
    image = draw(&chart);
    low = find(&image, palette[0]), half = find(&image, palette[1]),
    high = find(&image, palette[2]);
    assert_true(fabs(middle(half) - (middle(low) + middle(high)) / 2.0) <= 1.0);
    mrcnn_image_free(&image);
}

/* A level at 1 beside one that has a single 100: a hundredth of the plot, or with the peak cut most of it. The
 * same level beside a peak of 3 is no case for cutting. */
static void test_peak(void **state) {
    (void)state;
    const double level[] = {1, 1, 1, 1}, high[] = {100, 0, 0, 0}, mild[] = {3, 0, 0, 0};
    mrcnn_series series[2] = {{.count = 4, .y = high, .color = -1, .kind = MRCNN_SERIES_STEPS},
                              {.count = 4, .y = level, .color = -1, .kind = MRCNN_SERIES_STEPS}};
    mrcnn_chart chart = mrcnn_chart_default();
    chart.series = series;
    chart.count = 2;
    chart.scale = 3.0;
    mrcnn_image image = draw(&chart);
    double whole = middle(find(&image, palette[1])); /* close to the bottom */
    mrcnn_image_free(&image);
    chart.cut_peak = 1;
    image = draw(&chart);
    double cut = middle(find(&image, palette[1]));
    mrcnn_image_free(&image);
    assert_true(whole > 0.8 * 1200);
    assert_true(cut < 0.2 * 1200);

    series[0].y = mild;
    image = draw(&chart);
    double third = middle(find(&image, palette[1]));
    mrcnn_image_free(&image);
    chart.cut_peak = 0;
    image = draw(&chart);
    assert_true(third == middle(find(&image, palette[1])));
    mrcnn_image_free(&image);
}

/* Where there is no number there is no line; a value alone is a dot. */
static void test_gaps(void **state) {
    (void)state;
    const double x[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
    const double y[] = {.5, .5, .5, .5, NAN, .5, INFINITY, .5, .5, .5, .5};
    mrcnn_series series = {.count = 11, .x = x, .y = y, .color = -1};
    mrcnn_chart chart = make_chart(&series, 1);
    chart.scale = 2.0;
    mrcnn_image image = draw(&chart);
    spot_range line = find(&image, palette[0]);
    int row = (line.y1 + line.y2) / 2, width = line.x2 - line.x1;
    for (int i = 0; i <= 100; i++) {
        double at = i / 100.0;
        int drawn = is_color(&image, row, line.x1 + (int)(at * (width - 1)), palette[0]);
        if (at < 0.28 || (at > 0.72)) assert_true(drawn);
        if ((at > 0.33 && at < 0.47) || (at > 0.53 && at < 0.67)) assert_false(drawn);
        if (i == 50) assert_true(drawn);
    }
    mrcnn_image_free(&image);
}

/* Bars of 1, 2 and 4 are as high as that, and stand on one line. */
static void test_bars(void **state) {
    (void)state;
    const double heights[] = {1, 2, 4};
    const char *const names[] = {"one", "two", "four"};
    mrcnn_series series[3];
    double y[3][3] = {{0}};
    for (int i = 0; i < 3; i++) {
        y[i][i] = heights[i];
        series[i] = (mrcnn_series){
            .kind = MRCNN_SERIES_BARS, .count = 3, .y = y[i], .color = -1, .name = names[i]};
    }
    mrcnn_chart chart = mrcnn_chart_default();
    chart.series = series;
    chart.count = 3;
    chart.categories = names;
    mrcnn_image image = draw(&chart);
    spot_range bars[3];
    for (int i = 0; i < 3; i++) {
        /* Below the legend, whose squares have the same colours. */
        uint8_t *plot = image.pixels + 3 * (size_t)image.width * 120;
        mrcnn_image below = {image.width, image.height - 120, 3, plot};
        bars[i] = find(&below, palette[i]);
        assert_int_equal(bars[i].count, (bars[i].y2 - bars[i].y1) * (bars[i].x2 - bars[i].x1));
    }
    for (int i = 1; i < 3; i++) {
        double ratio = (double)(bars[i].y2 - bars[i].y1) / (bars[0].y2 - bars[0].y1);
        assert_true(fabs(ratio - heights[i]) < 0.05);
        assert_true(abs(bars[i].y2 - bars[0].y2) <= 1);
        assert_true(bars[i].x1 > bars[i - 1].x2);
    }
    mrcnn_image_free(&image);
}

/* A hundred thousand steps: the file stays small and the one value that sticks out is there. */
static void test_many(void **state) {
    (void)state;
    enum { MANY = 100000 };
    double *y = calloc(MANY, sizeof *y);
    for (int i = 0; i < MANY; i++) y[i] = 0.2 + 0.1 * (i * 7919 % 1000) / 1000.0;
    y[61803] = 0.9;
    for (int kind = MRCNN_SERIES_LINE; kind <= MRCNN_SERIES_BARS; kind++) {
        mrcnn_series series = {.kind = (mrcnn_series_kind)kind, .count = MANY, .y = y, .color = -1};
        mrcnn_chart chart = make_chart(&series, 1);
        chart.x_high = MANY;
        chart.scale = 2.0;
        mrcnn_image image = draw(&chart);
        spot_range all = find(&image, palette[0]);
        int found = 0;
        for (int x = all.x1; x < all.x2; x++) found += is_color(&image, all.y1 + 3, x, palette[0]);
        assert_true(found >= 1 && found < 20);
        mrcnn_image_free(&image);
        char *svg = NULL;
        size_t length = 0;
        assert_int_equal(mrcnn_chart_svg(&chart, &svg, &length, NULL), MRCNN_OK);
        assert_true(length < (kind == MRCNN_SERIES_POINTS ? 500000 : 150000) &&
                    length == strlen(svg));
        mrcnn_string_free(&svg);
    }
    free(y);
}

/* Tags are closed in the order in which they were opened, and each is told by its end: what any reader
 * of XML asks for first. Ids are unique, and what refers to one finds it. */
static void check_svg(const char *svg) {
    const char *open[64];
    size_t depth = 0, ids = 0;
    assert_contains(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    for (const char *at = strchr(svg, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        if (at[1] == '?') continue;
        if (at[1] == '/') {
            assert_true(depth > 0);
            depth--;
            size_t length = strcspn(open[depth], " >");
            assert_memory_equal(at + 2, open[depth], length);
            assert_true(at[2 + length] == '>');
        } else if (end[-1] != '/') {
            assert_true(depth < 64);
            open[depth++] = at + 1;
        }
    }
    assert_int_equal(depth, 0);
    for (const char *id = strstr(svg, " id=\""); id; id = strstr(id + 1, " id=\""), ids++) {
        char all[80];
        int length = (int)strcspn(id + 5, "\"");
        assert_true(id[5] == 'm' && length < 60);
        snprintf(all, sizeof all, " id=\"%.*s\"", length, id + 5);
        assert_int_equal(cli_occurrences(svg, all), 1);
    }
    assert_true(ids > 0);
    for (const char *use = strstr(svg, "href=\"#"); use; use = strstr(use + 1, "href=\"#")) {
        char all[80];
        snprintf(all, sizeof all, " id=\"%.*s\"", (int)strcspn(use + 7, "\""), use + 7);
        assert_contains(svg, all);
    }
}

static const double rising[] = {0.1, 0.4, 0.2, 0.9};

static void test_vectors(void **state) {
    (void)state;
    mrcnn_series series = {.name = "loss", .count = 4, .y = rising, .color = -1};
    mrcnn_chart chart = make_chart(&series, 1);
    char *first = NULL, *second = NULL, *other = NULL;
    size_t length = 0;
    chart.title = "Title <&> \"x\"";
    assert_int_equal(mrcnn_chart_svg(&chart, &first, &length, NULL), MRCNN_OK);
    assert_int_equal(length, strlen(first));
    check_svg(first);
    assert_int_equal(mrcnn_chart_svg(&chart, &second, NULL, NULL), MRCNN_OK);
    assert_string_equal(first, second);
    chart.title = "Another title";
    assert_int_equal(mrcnn_chart_svg(&chart, &other, NULL, NULL), MRCNN_OK);
    /* Two charts in one page must not take each other's glyphs. */
    char prefix[40];
    snprintf(prefix, sizeof prefix, "%.9s", strstr(first, " id=\"") + 5);
    assert_null(strstr(other, prefix));
    assert_int_equal(write_chart(&chart, "a.svg"), MRCNN_OK);
    char *file = cli_read("a.svg");
    assert_string_equal(file, other);
    free(file);
    mrcnn_string_free(&first);
    mrcnn_string_free(&second);
    mrcnn_string_free(&other);
}

/* No date is in it: the same chart is the same file. */
static void test_pdf(void **state) {
    (void)state;
    mrcnn_series series = {.name = "loss", .count = 4, .y = rising, .color = -1};
    mrcnn_chart chart = make_chart(&series, 1);
    mrcnn_error err = MRCNN_ERROR_INIT;
    FILE *files[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mrcnn_chart_write(&chart, i ? "b.pdf" : "A.PDF", &err), MRCNN_OK);
        files[i] = fopen(i ? "b.pdf" : "A.PDF", "rb");
        assert_non_null(files[i]);
    }
    static char bytes[2][200000];
    size_t length = fread(bytes[0], 1, sizeof bytes[0], files[0]);
    assert_true(length > 1000 && length < sizeof bytes[0]);
    assert_int_equal(fread(bytes[1], 1, sizeof bytes[1], files[1]), length);
    assert_memory_equal(bytes[0], bytes[1], length);
    assert_memory_equal(bytes[0], "%PDF-1.", 7);
    assert_memory_equal(bytes[0] + length - 6, "%%EOF\n", 6);
    fclose(files[0]);
    fclose(files[1]);
}

static void test_dark(void **state) {
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        mrcnn_series series = {.count = 4, .y = rising, .color = -1};
        mrcnn_chart chart = make_chart(&series, 1);
        chart.dark = dark;
        mrcnn_image image = draw(&chart);
        assert_true(dark ? image.pixels[0] < 40 : image.pixels[0] == 255);
        mrcnn_image_free(&image);
    }
}

/* Several in one file: each where it belongs. */
static void test_sheet_of_charts(void **state) {
    (void)state;
    mrcnn_series series[3];
    mrcnn_chart charts[3];
    const mrcnn_chart *all[3];
    for (int i = 0; i < 3; i++) {
        series[i] = (mrcnn_series){.count = 4, .y = rising, .color = i};
        charts[i] = make_chart(&series[i], 1);
        charts[i].width = 200 + 20 * i;
        charts[i].height = 200;
        charts[i].scale = 3;
        all[i] = &charts[i];
    }
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    assert_int_equal(mrcnn_charts_write(all, 3, 2, "all.png", &err), MRCNN_OK);
    assert_int_equal(mrcnn_image_read(&image, "all.png", NULL, &err), MRCNN_OK);
    assert_int_equal(image.width, 3 * (240 + 220));
    assert_int_equal(image.height, 3 * 400);
    spot_range first = find(&image, palette[0]), second = find(&image, palette[1]),
               third = find(&image, palette[2]);
    assert_true(first.x2 < 3 * 240 && first.y2 < 600);
    assert_true(second.x1 > 3 * 240 && second.y2 < 600);
    assert_true(third.x2 < 3 * 240 && third.y1 > 600);
    mrcnn_image_free(&image);
    assert_int_equal(mrcnn_charts_write(all, 0, 2, "none.png", &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_charts_write(all, 3, 9, "none.png", &err), MRCNN_E_ARGUMENT);
}

/* Numbers, names and sizes that nobody would want. */
static void test_hostile(void **state) {
    (void)state;
    const double worst[] = {NAN, -INFINITY, 1e308, -1e308, 4.9e-324, 0, -0.0, 1e300};
    const double same[] = {5, 5, 5, 5, 5, 5, 5, 5};
    const char *const names[] = {
        "\xFF\xFE",
        "\n\t\x01",
        "",
        NULL,
        "\xED\xA0\x80",
        "<script>",
        "a very, very long name that goes on and on, far beyond what anybody "
        "would want to read below a bar or in a legend, or anywhere at all",
        "\xE4\xBA\xBA"};
    for (int kind = MRCNN_SERIES_LINE; kind <= MRCNN_SERIES_BARS; kind++)
        for (int variant = 0; variant < 16; variant++) {
            mrcnn_series series[8];
            for (int i = 0; i < 8; i++)
                series[i] = (mrcnn_series){.name = names[i],
                                           .kind = (mrcnn_series_kind)kind,
                                           .count = variant & 1 ? 8 : (size_t)i,
                                           .x = variant & 2 ? worst
                                                : i % 2     ? same
                                                            : NULL,
                                           .y = variant & 4 ? worst : same,
                                           .dashed = i % 2,
                                           .color = i * 1000 - 1};
            mrcnn_chart chart = mrcnn_chart_default();
            chart.title = names[variant % 8];
            chart.x_label = names[(variant + 1) % 8];
            chart.y_label = names[(variant + 2) % 8];
            chart.series = series;
            chart.count = variant == 5 ? 0 : 8;
            chart.categories = variant & 8 ? names : NULL;
            chart.log_y = variant % 3 == 0;
            chart.width = variant % 2 ? 160 : 900;
            chart.height = variant % 4 == 1 ? 160 : 300;
            char *svg = NULL;
            mrcnn_error err = MRCNN_ERROR_INIT;
            assert_int_equal(mrcnn_chart_svg(&chart, &svg, NULL, &err), MRCNN_OK);
            check_svg(svg);
            assert_null(strstr(svg, "nan"));
            assert_null(strstr(svg, "inf"));
            assert_null(strstr(svg, "<script"));
            mrcnn_string_free(&svg);
        }
}

/* Names of eighty classes: some are left out, none is written over another one. */
static void test_many_names(void **state) {
    (void)state;
    enum { COUNT = 80 };
    static char names[COUNT][32];
    const char *categories[COUNT];
    double y[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "class number %d", i);
        categories[i] = names[i];
        y[i] = 1.0;
    }
    mrcnn_series series = {.kind = MRCNN_SERIES_BARS, .count = COUNT, .y = y, .color = -1};
    mrcnn_chart chart = mrcnn_chart_default();
    chart.series = &series;
    chart.count = 1;
    chart.categories = categories;
    char *few = NULL, *all = NULL;
    size_t few_length = 0, all_length = 0;
    assert_int_equal(mrcnn_chart_svg(&chart, &few, &few_length, NULL), MRCNN_OK);
    chart.width = 4000;
    assert_int_equal(mrcnn_chart_svg(&chart, &all, &all_length, NULL), MRCNN_OK);
    assert_true(cli_occurrences(all, "<use ") > 2 * cli_occurrences(few, "<use "));
    mrcnn_string_free(&few);
    mrcnn_string_free(&all);
}

static void test_errors(void **state) {
    (void)state;
    mrcnn_series series = {.count = 4, .y = rising, .color = -1};
    mrcnn_chart good = make_chart(&series, 1), bad = good;
    char *svg = NULL;
    assert_int_equal(write_chart(NULL, "x.png"), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_chart_write(&good, NULL, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_chart_svg(&good, NULL, NULL, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(write_chart(&good, "x.jpg"), MRCNN_E_ARGUMENT);
    assert_int_equal(write_chart(&good, "png"), MRCNN_E_ARGUMENT);
    assert_int_equal(write_chart(&good, "no/such/folder/x.png"), MRCNN_E_IO);
    assert_int_equal(write_chart(&good, "no/such/folder/x.svg"), MRCNN_E_IO);
    assert_int_equal(write_chart(&good, "no/such/folder/x.pdf"), MRCNN_E_IO);
    bad.size = 0;
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_ARGUMENT);
    bad = good, bad.width = 100;
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_ARGUMENT);
    bad = good, bad.width = 8192, bad.scale = 8.0;
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_UNSUPPORTED);
    bad = good, bad.scale = NAN;
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_ARGUMENT);
    bad = good, bad.x_low = 2.0;
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_ARGUMENT);
    bad = good, bad.y_high = INFINITY;
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_ARGUMENT);
    bad = good, bad.log_y = 1; /* from 0 */
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_ARGUMENT);
    bad = good, bad.series = NULL;
    assert_int_equal(mrcnn_chart_svg(&bad, &svg, NULL, NULL), MRCNN_E_ARGUMENT);
    mrcnn_series odd = series;
    bad = good, bad.series = &odd, odd.y = NULL;
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_ARGUMENT);
    odd = series, odd.kind = (mrcnn_series_kind)17;
    assert_int_equal(write_chart(&bad, "x.png"), MRCNN_E_ARGUMENT);
    assert_null(svg);
    assert_int_equal(cli_count(".", "x."), 0);
}

#else

static void test_without_cairo(void **state) {
    (void)state;
    const double y[] = {1, 2};
    mrcnn_series series = {.count = 2, .y = y, .color = -1};
    mrcnn_chart chart = make_chart(&series, 1);
    mrcnn_error err = MRCNN_ERROR_INIT;
    char *svg = NULL;
    assert_int_equal(write_chart(&chart, "x.png"), MRCNN_E_UNSUPPORTED);
    assert_int_equal(mrcnn_chart_svg(&chart, &svg, NULL, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "MRCNN_WITH_CAIRO");
    assert_null(svg);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef MRCNN_WITH_CAIRO
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_peak),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_pdf),
        cmocka_unit_test(test_dark),
        cmocka_unit_test(test_sheet_of_charts),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_errors),
#else
        cmocka_unit_test(test_without_cairo),
#endif
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
