/* test_page.c - reports: what the calls say is in the page and in the JSON alike, whatever the texts
 * hold, and nothing of a report is there before all of it is. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_report.h"

#include <mrcnn/inspect.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static const char hostile[] = "</td><script>alert(1)</script>\"'&amp; \xFF\x01 \\u0041\\";

static mrcnn_page *begin(const char *folder, const char *title) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_page *page = NULL;
    if (mrcnn_page_create(&page, folder, title, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return page;
}

#define ok(call)                                                         \
    do {                                                                 \
        mrcnn_error err_ = MRCNN_ERROR_INIT, *err = &err_;               \
        if ((call) != MRCNN_OK) fail_msg("%s: %s", #call, err->message); \
    } while (0)

#define refused(call, part)                                \
    do {                                                   \
        mrcnn_error err_ = MRCNN_ERROR_INIT, *err = &err_; \
        assert_int_equal(call, MRCNN_E_ARGUMENT);          \
        assert_contains(err->message, part);               \
    } while (0)

static mrcnn_image picture(int width, int height, int channels) {
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    mrcnn_image image = {width, height, channels, malloc(bytes)};
    for (size_t i = 0; i < bytes; i++) image.pixels[i] = (uint8_t)(i * 7 + i / 91);
    return image;
}

static void test_figures(void **state) {
    (void)state;
    mrcnn_page *page = begin("figures", "Figures");
    ok(mrcnn_page_section(page, "one", "One", "About it.", err));
    ok(mrcnn_page_figure(page, "anchors", "Anchors", 261888, NULL, err));
    ok(mrcnn_page_figure(page, "ap", "AP", 0.34712345, NULL, err));
    ok(mrcnn_page_figure(page, "time", "Time", -12345.678, "ms", err));
    ok(mrcnn_page_figure(page, "none", "None", NAN, NULL, err));
    ok(mrcnn_page_figure(page, "tiny", "Tiny", 1.25e-9, NULL, err));
    ok(mrcnn_page_figure(page, "huge", "Huge", 1e300, NULL, err));
    ok(mrcnn_page_section(page, "two", "Two", NULL, err));
    ok(mrcnn_page_figure(page, "ap", "AP", 0, NULL, err));
    ok(mrcnn_page_finish(page, err));
    mrcnn_page_free(&page);
    assert_null(page);

    assert_int_equal(assert_report("figures").figures, 7);
    assert_true(report_figure("figures", "one", "anchors") == 261888);
    assert_true(report_figure("figures", "one", "ap") == 0.34712345);
    assert_true(isnan(report_figure("figures", "one", "none")));
    assert_true(report_figure("figures", "two", "ap") == 0);
    char *html = cli_read("figures/report.html");
    assert_contains(html, "<dd data-figure=\"one/anchors\">261,888</dd>");
    assert_contains(html, "<dd data-figure=\"one/ap\">0.3471</dd>");
    assert_contains(html, "<dd data-figure=\"one/time\">-12,346 <small>ms</small></dd>");
    assert_contains(html, "<dd data-figure=\"one/none\">&ndash;</dd>");
    assert_contains(html, "<li><a href=\"#one\">One</a></li>");
    free(html);
}

static void test_table(void **state) {
    (void)state;
    static const double bars[] = {0, 1, 4, 2};
    const char *columns[] = {"name", "count", "share", "histogram", hostile};
    mrcnn_cell cells[] = {mrcnn_cell_text("a"),      mrcnn_cell_number(1234567, 0),
                          mrcnn_cell_number(0.5, 3), mrcnn_cell_bars(bars, 4),
                          mrcnn_cell_text(hostile),  mrcnn_cell_text(""),
                          mrcnn_cell_number(NAN, 0), mrcnn_cell_number(INFINITY, -1),
                          mrcnn_cell_bars(bars, 0),  mrcnn_cell_number(-0.001234567, -1)};
    cells[4].tone = MRCNN_TONE_BAD;
    mrcnn_page *page = begin("table", "Table");
    ok(mrcnn_page_section(page, "t", "T", NULL, err));
    ok(mrcnn_page_table(page, "full", hostile, columns, 5, cells, 2, err));
    ok(mrcnn_page_table(page, "empty", "Nothing", columns, 2, NULL, 0, err));
    ok(mrcnn_page_finish(page, err));
    mrcnn_page_free(&page);
    assert_int_equal(assert_report("table").cells, 10);
    char *cell = report_cell("table", "t", "full", 0, 1);
    assert_string_equal(cell, "1234567");
    free(cell);
    cell = report_cell("table", "t", "full", 0, 4);
    assert_string_equal(cell, "</td><script>alert(1)</script>\"'&amp; ?? \\u0041\\");
    free(cell);
    assert_null(report_cell("table", "t", "full", 2, 0));
    char *html = cli_read("table/report.html");
    assert_contains(html, "<td class=\"number\">1,234,567</td><td class=\"number\">0.500</td>");
    assert_contains(html, "d=\"M0 24V24.0h1V18.0h1V0.0h1V12.0h1V24z\"");
    assert_contains(html, "<td class=\"long bad\">&lt;/td&gt;");
    free(html);
}

static void test_hostile_texts(void **state) {
    (void)state;
    mrcnn_page *page = begin("hostile", hostile);
    mrcnn_image image = picture(9, 7, 1);
    ok(mrcnn_page_section(page, "a", hostile, hostile, err));
    ok(mrcnn_page_heading(page, hostile, err));
    ok(mrcnn_page_text(page, hostile, err));
    ok(mrcnn_page_text(page, "one\n\ntwo \"lines\"", err));
    ok(mrcnn_page_note(page, MRCNN_TONE_WARNING, hostile, err));
    ok(mrcnn_page_note(page, (mrcnn_tone)77, hostile, err));
    ok(mrcnn_page_figure(page, "f", hostile, 1, hostile, err));
    ok(mrcnn_page_image(page, "p", hostile, &image, err));
    ok(mrcnn_page_finish(page, err));
    mrcnn_page_free(&page);
    mrcnn_image_free(&image);
    assert_int_equal(assert_report("hostile").pictures, 1);
    char *html = cli_read("hostile/report.html");
    assert_null(strstr(html, "<script"));
    assert_contains(html, "<p>one</p>\n<p>two &quot;lines&quot;</p>");
    assert_contains(html, "<div class=\"note warning\" role=\"note\">");
    free(html);
}

/* Pictures keep their size beside the page and shrink in it; grey and four channels become RGB. */
static void test_pictures(void **state) {
    (void)state;
    mrcnn_error err_out = MRCNN_ERROR_INIT;
    mrcnn_page *page = begin("pictures", "Pictures");
    ok(mrcnn_page_section(page, "a", "A", NULL, err));
    static const int sizes[][3] = {{1, 1, 3}, {2000, 3, 1}, {50, 3300, 4}, {961, 700, 3}};
    char name[20];
    for (int i = 0; i < 4; i++) {
        mrcnn_image image = picture(sizes[i][0], sizes[i][1], sizes[i][2]);
        snprintf(name, sizeof name, "p%d", i);
        ok(mrcnn_page_image(page, name, "a picture", &image, err));
        mrcnn_image_free(&image);
    }
    assert_false(cli_exists("pictures/p0.png"));
    ok(mrcnn_page_finish(page, err));
    mrcnn_page_free(&page);
    assert_int_equal(assert_report("pictures").pictures, 4);
    assert_int_equal(cli_count("pictures", ""), 6);
    for (int i = 0; i < 4; i++) {
        mrcnn_image image = {0};
        char path[40];
        snprintf(path, sizeof path, "pictures/p%d.png", i);
        assert_int_equal(mrcnn_image_read(&image, path, NULL, &err_out), MRCNN_OK);
        assert_int_equal(image.width, sizes[i][0]);
        assert_int_equal(image.height, sizes[i][1]);
        mrcnn_image_free(&image);
    }
    char *html = cli_read("pictures/report.html");
    assert_contains(html, "width=\"1120\" height=\"2\"");
    assert_contains(html, "width=\"15\" height=\"1000\"");
    assert_contains(html, "width=\"800\" height=\"583\"");
    assert_int_equal(cli_occurrences(html, "class=\"picture wide\""), 1);
    free(html);
}

/* Charts are drawn for light and dark screens; without cairo they are tables. Their numbers are in the
 * JSON either way. */
static void test_charts(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3}, y[] = {0.5, NAN, 2.25}, cells[] = {1, 0, NAN, 0.75};
    const char *classes[] = {"<cat>", "dog"};
    mrcnn_series series[] = {
        {.name = "<training>", .count = 3, .x = x, .y = y, .color = -1},
        {.name = NULL, .kind = MRCNN_SERIES_BARS, .count = 2, .y = cells, .color = -1}};
    mrcnn_chart chart = mrcnn_chart_default();
    mrcnn_grid grid = mrcnn_grid_default();
    chart.x_label = "epoch & more";
    chart.series = series;
    chart.count = 2;
    grid.rows = grid.columns = 2;
    grid.values = cells;
    grid.row_names = grid.column_names = classes;
    mrcnn_page *page = begin("charts", "Charts");
    ok(mrcnn_page_section(page, "a", "A", NULL, err));
    ok(mrcnn_page_chart(page, "loss", hostile, &chart, err));
    ok(mrcnn_page_grid(page, "overlaps", "Overlaps", &grid, err));
    refused(mrcnn_page_chart(page, "loss", "again", &chart, err), "there is the picture \"loss\"");
    refused(mrcnn_page_chart(page, "none", "C", NULL, err), "nothing to draw for none");
    chart.size = 0;
    refused(mrcnn_page_chart(page, "none", "C", &chart, err), "mrcnn_chart has no size");
    ok(mrcnn_page_finish(page, err));
    mrcnn_page_free(&page);
    report_counts counts = assert_report("charts");
    char *html = cli_read("charts/report.html"), *json = cli_read("charts/report.json");
    assert_contains(json, "\"series\": [\n          {\"name\": \"<training>\", \"x\": [1, 2, 3], "
                          "\"y\": [0.5, null, 2.25]}");
    assert_contains(json, "{\"name\": null, \"x\": null, \"y\": [1, 0]}");
    assert_contains(json, "\"column_names\": [\"<cat>\", \"dog\"]");
    assert_contains(json, "\"values\": [1, 0, null, 0.75]}");
    if (cli_exists("charts/loss.png")) {
        assert_int_equal(counts.pictures, 2);
        assert_int_equal(cli_occurrences(html, "(prefers-color-scheme: dark)\" srcset=\""), 2);
        assert_true(cli_exists("charts/overlaps.png"));
        assert_contains(json, "\"file\": \"loss.png\"");
    } else {
        assert_int_equal(counts.pictures, 0);
        assert_int_equal(counts.cells, 5 * 3 + 2 * 3);
        assert_contains(json, "\"file\": null");
        assert_contains(html, "data-table=\"a/numbers-loss\"");
    }
    assert_int_equal(cli_count("charts", "part"), 0);
    free(html);
    free(json);
}

static void test_refused(void **state) {
    (void)state;
    mrcnn_page *page = begin("refused", "R");
    mrcnn_image image = picture(3, 3, 3), empty = {0};
    const char *columns[] = {"a", NULL};
    refused(mrcnn_page_text(page, "x", err), "begin with mrcnn_page_section");
    refused(mrcnn_page_finish(page, err), "begin with mrcnn_page_section");
    refused(mrcnn_page_section(page, "a b", "A", NULL, err), "the section \"a b\" must be");
    refused(mrcnn_page_section(page, "", "A", NULL, err), "must be");
    ok(mrcnn_page_section(page, "a", "A", NULL, err));
    refused(mrcnn_page_section(page, "a", "A", NULL, err), "there is the section \"a\" already");
    ok(mrcnn_page_figure(page, "k", "K", 1, NULL, err));
    refused(mrcnn_page_figure(page, "k", "K", 2, NULL, err), "there is the key \"k\" already");
    refused(mrcnn_page_figure(page, "../k", "K", 2, NULL, err), "the key \"../k\" must be");
    refused(mrcnn_page_image(page, "../p", "P", &image, err), "the picture \"../p\" must be");
    refused(mrcnn_page_image(page, ".p", "P", &image, err), "must be");
    refused(mrcnn_page_image(page, "p", "P", &empty, err), "the picture p has no pixels");
    refused(mrcnn_page_table(page, "t", "T", columns, 2, NULL, 0, err), "column 1 is NULL");
    refused(mrcnn_page_table(page, "t", "T", columns, 1, NULL, 1, err), "columns and cells");
    refused(mrcnn_page_note(page, MRCNN_TONE_BAD, NULL, err), "the note is NULL");
    ok(mrcnn_page_image(page, "p", "P", &image, err)); /* nothing of the refused is in the way */
    ok(mrcnn_page_finish(page, err));
    refused(mrcnn_page_text(page, "x", err), "it is finished");
    assert_int_equal(assert_report("refused").figures, 1);
    mrcnn_page_free(&page);
    mrcnn_page_free(&page);
    mrcnn_page_free(NULL);
    mrcnn_image_free(&image);
}

/* Without mrcnn_page_finish, or when that fails, no file is left, and no folder that wasn't there. */
static void test_whole_or_not_at_all(void **state) {
    (void)state;
    mrcnn_error err_out = MRCNN_ERROR_INIT;
    mrcnn_image image = picture(3, 3, 3);
    mrcnn_page *page = begin("new/folder", "N");
    ok(mrcnn_page_section(page, "a", "A", NULL, err));
    ok(mrcnn_page_image(page, "p", "P", &image, err));
    mrcnn_page_free(&page);
    assert_false(cli_exists("new/folder"));

    page = begin("blocked", "N");
    mrcnn_page *other = begin("blocked/report.html", "a folder in the page's place");
    ok(mrcnn_page_section(page, "a", "A", NULL, err));
    ok(mrcnn_page_image(page, "p", "P", &image, err));
    assert_int_equal(mrcnn_page_finish(page, &err_out), MRCNN_E_IO);
    assert_contains(err_out.message, "blocked/report.html");
    assert_int_equal(cli_count("blocked", ""), 1);
    mrcnn_page_free(&page);
    mrcnn_page_free(&other);

    cli_write("file", "x");
    assert_int_equal(mrcnn_page_create(&page, "file", "F", &err_out), MRCNN_E_IO);
    assert_int_equal(mrcnn_page_create(&page, "", "F", &err_out), MRCNN_E_ARGUMENT);
    assert_null(page);
    mrcnn_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_charts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
