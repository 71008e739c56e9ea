/* page_elements.c - texts, notes, figures and tables: each goes into the HTML and the JSON at once. */
#include "viz/page.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const tones[] = {"plain", "good", "warning", "bad"};

static const char *tone_name(mrcnn_tone tone) {
    return tones[tone >= MRCNN_TONE_PLAIN && tone <= MRCNN_TONE_BAD ? tone : MRCNN_TONE_PLAIN];
}

/* --------------------------------------------------------------------------------------- texts */

mrcnn_status mrcnn_page_heading(mrcnn_page *page, const char *title, mrcnn_error *err) {
    mrcnn_status status = mr_page_check(page, title, "the heading", err);
    if (status != MRCNN_OK) return status;
    mr_page_enter(page, MR_PAGE_SINGLE);
    mr_buffer_put(&page->body, "<h3>");
    mr_buffer_html(&page->body, title);
    mr_buffer_put(&page->body, "</h3>\n");
    return mr_page_status(page, err);
}

/* Each line is a paragraph. `lines` is changed. */
static void put_paragraphs(mr_buffer *out, char *lines) {
    for (char *line = lines, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end) *end++ = 0;
        if (!*line) continue;
        mr_buffer_put(out, "<p>");
        mr_buffer_html(out, line);
        mr_buffer_put(out, "</p>\n");
    }
}

/* In the JSON line ends are blanks. */
static void join_lines(char *text) {
    for (; *text; text++)
        if (*text == '\n') *text = ' ';
}

static mrcnn_status put_text(mrcnn_page *page, const char *text, const char *tone,
                             mrcnn_error *err) {
    char *lines = mr_strdup(text), *joined = mr_strdup(text);
    if (!lines || !joined) {
        free(lines);
        free(joined);
        return mr_fail_memory(err, strlen(text), "a text of a page");
    }
    join_lines(joined);
    mr_page_enter(page, MR_PAGE_SINGLE);
    if (tone) mr_buffer_format(&page->body, "<div class=\"note %s\" role=\"note\">\n", tone);
    put_paragraphs(&page->body, lines);
    if (tone) mr_buffer_put(&page->body, "</div>\n");
    mr_buffer *out = mr_page_entry(page, tone ? MR_PAGE_NOTES : MR_PAGE_TEXTS, NULL);
    if (tone) mr_buffer_format(out, "{\"tone\": \"%s\", \"text\": ", tone);
    mr_buffer_json(out, joined);
    if (tone) mr_buffer_put(out, "}");
    free(lines);
    free(joined);
    return mr_page_status(page, err);
}

mrcnn_status mrcnn_page_text(mrcnn_page *page, const char *text, mrcnn_error *err) {
    mrcnn_status status = mr_page_check(page, text, "the text", err);
    return status == MRCNN_OK ? put_text(page, text, NULL, err) : status;
}

mrcnn_status mrcnn_page_note(mrcnn_page *page, mrcnn_tone tone, const char *text,
                             mrcnn_error *err) {
    mrcnn_status status = mr_page_check(page, text, "the note", err);
    return status == MRCNN_OK ? put_text(page, text, tone_name(tone), err) : status;
}

/* -------------------------------------------------------------------------------------- figures */

mrcnn_status mrcnn_page_figure(mrcnn_page *page, const char *key, const char *label, double value,
                               const char *unit, mrcnn_error *err) {
    mrcnn_status status = mr_page_check(page, label, "the label", err);
    if (status == MRCNN_OK) status = mr_page_take(&page->keys, key, "the key", err);
    if (status != MRCNN_OK) return status;
    mr_page_enter(page, MR_PAGE_FIGURE_ROW);
    mr_buffer *html = &page->body;
    mr_buffer_put(html, "<div><dt>");
    mr_buffer_html(html, label);
    mr_buffer_format(html, "</dt><dd data-figure=\"%s/%s\">", page->section, key);
    mr_buffer_number(html, value, -1);
    if (unit && *unit) {
        mr_buffer_put(html, " <small>");
        mr_buffer_html(html, unit);
        mr_buffer_put(html, "</small>");
    }
    mr_buffer_put(html, "</dd></div>\n");

    mr_buffer *json = mr_page_entry(page, MR_PAGE_FIGURES, key);
    mr_buffer_put(json, "{\"label\": ");
    mr_buffer_json(json, label);
    mr_buffer_put(json, ", \"value\": ");
    mr_buffer_json_number(json, value);
    mr_buffer_put(json, ", \"unit\": ");
    mr_buffer_json(json, unit);
    mr_buffer_put(json, "}");
    return mr_page_status(page, err);
}

/* --------------------------------------------------------------------------------------- tables */

mrcnn_cell mrcnn_cell_text(const char *text) {
    return (mrcnn_cell){.text = text ? text : ""};
}

mrcnn_cell mrcnn_cell_number(double number, int digits) {
    return (mrcnn_cell){.number = number, .digits = digits};
}

mrcnn_cell mrcnn_cell_bars(const double *bars, size_t count) {
    return (mrcnn_cell){.bars = bars, .bar_count = count};
}

enum { BARS_WIDTH = 96, BARS_HEIGHT = 24 };

/* One outline over all bars, in the colour of the text. */
static void put_bars(mr_buffer *html, const double *bars, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++) most = fmax(most, bars[i]);
    mr_buffer_format(html,
                     "<svg class=\"bars\" viewBox=\"0 0 %zu %d\" width=\"%d\" height=\"%d\" "
                     "preserveAspectRatio=\"none\" role=\"img\" aria-label=\"histogram\"><path "
                     "d=\"M0 %d",
                     count, BARS_HEIGHT, BARS_WIDTH, BARS_HEIGHT, BARS_HEIGHT);
    for (size_t i = 0; i < count; i++) {
        int tenths = most > 0 ? (int)lrint(fmax(bars[i], 0) / most * BARS_HEIGHT * 10) : 0;
        int top = BARS_HEIGHT * 10 - tenths;
        mr_buffer_format(html, "V%d.%dh1", top / 10, top % 10);
    }
    mr_buffer_format(html, "V%dz\"/></svg>", BARS_HEIGHT);
}

enum { LONG_TEXT = 48 }; /* from there on a text may be broken into lines */

static void put_cell_html(mr_buffer *html, const mrcnn_cell *cell) {
    const char *kind = cell->bars                        ? ""
                       : !cell->text                     ? "number"
                       : strlen(cell->text) >= LONG_TEXT ? "long"
                                                         : "";
    const char *tone = cell->tone == MRCNN_TONE_PLAIN ? "" : tone_name(cell->tone);
    if (*kind || *tone)
        mr_buffer_format(html, "<td class=\"%s%s%s\">", kind, *kind && *tone ? " " : "", tone);
    else
        mr_buffer_put(html, "<td>");
    if (cell->bars)
        put_bars(html, cell->bars, cell->bar_count);
    else if (cell->text)
        mr_buffer_html(html, cell->text);
    else if (!isnan(cell->number))
        mr_buffer_number(html, cell->number, cell->digits);
    mr_buffer_put(html, "</td>");
}

static void put_cell_json(mr_buffer *json, const mrcnn_cell *cell) {
    if (cell->bars) {
        mr_buffer_put(json, "[");
        for (size_t i = 0; i < cell->bar_count; i++) {
            if (i) mr_buffer_put(json, ", ");
            mr_buffer_json_number(json, cell->bars[i]);
        }
        mr_buffer_put(json, "]");
    } else if (cell->text) {
        mr_buffer_json(json, cell->text);
    } else {
        mr_buffer_json_number(json, cell->number);
    }
}

static void put_columns(mr_buffer *html, const char *const *columns, size_t column_count,
                        const mrcnn_cell *cells, size_t rows) {
    mr_buffer_put(html, "<thead><tr>");
    for (size_t i = 0; i < column_count; i++) {
        int is_number = rows > 0 && !cells[i].text && !cells[i].bars;
        mr_buffer_format(html, "<th scope=\"col\"%s>", is_number ? " class=\"number\"" : "");
        mr_buffer_html(html, columns[i]);
        mr_buffer_put(html, "</th>");
    }
    mr_buffer_put(html, "</tr></thead>\n<tbody>\n");
}

static void put_table_html(mrcnn_page *page, const char *key, const char *title,
                           const char *const *columns, size_t column_count, const mrcnn_cell *cells,
                           size_t rows) {
    mr_buffer *html = &page->body;
    mr_buffer_put(html, "<figure class=\"table\">\n<figcaption>");
    mr_buffer_html(html, title);
    mr_buffer_put(html, "</figcaption>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
                        "aria-label=\"");
    mr_buffer_html(html, title);
    mr_buffer_format(html, "\">\n<table data-table=\"%s/%s\">\n", page->section, key);
    put_columns(html, columns, column_count, cells, rows);
    for (size_t row = 0; row < rows; row++) {
        mr_buffer_put(html, "<tr>");
        for (size_t i = 0; i < column_count; i++)
            put_cell_html(html, &cells[row * column_count + i]);
        mr_buffer_put(html, "</tr>\n");
    }
    mr_buffer_put(html, "</tbody>\n</table>\n</div>\n</figure>\n");
}

static void put_table_json(mrcnn_page *page, const char *key, const char *title,
                           const char *const *columns, size_t column_count, const mrcnn_cell *cells,
                           size_t rows) {
    mr_buffer *json = mr_page_entry(page, MR_PAGE_TABLES, key);
    mr_buffer_put(json, "{\"title\": ");
    mr_buffer_json(json, title);
    mr_buffer_put(json, ", \"columns\": [");
    for (size_t i = 0; i < column_count; i++) {
        if (i) mr_buffer_put(json, ", ");
        mr_buffer_json(json, columns[i]);
    }
    mr_buffer_put(json, "], \"rows\": [");
    for (size_t row = 0; row < rows; row++) {
        mr_buffer_put(json, row ? ",\n          [" : "\n          [");
        for (size_t i = 0; i < column_count; i++) {
            if (i) mr_buffer_put(json, ", ");
            put_cell_json(json, &cells[row * column_count + i]);
        }
        mr_buffer_put(json, "]");
    }
    mr_buffer_put(json, rows ? "\n        ]}" : "]}");
}

static mrcnn_status check_table(const char *const *columns, size_t column_count,
                                const mrcnn_cell *cells, size_t rows, mrcnn_error *err) {
    size_t count = 0;
    if (!columns || column_count == 0 || (rows && !cells) ||
        !mr_mul_size(rows, column_count, &count))
        return mr_fail(err, MRCNN_E_ARGUMENT, "a page: a table needs columns and cells");
    for (size_t i = 0; i < column_count; i++)
        if (!columns[i])
            return mr_fail(err, MRCNN_E_ARGUMENT, "a page: the name of column %zu is NULL", i);
    return MRCNN_OK;
}

mrcnn_status mrcnn_page_table(mrcnn_page *page, const char *key, const char *title,
                              const char *const *columns, size_t column_count,
                              const mrcnn_cell *cells, size_t rows, mrcnn_error *err) {
    mrcnn_status status = mr_page_check(page, title, "the table's title", err);
    if (status == MRCNN_OK) status = check_table(columns, column_count, cells, rows, err);
    if (status == MRCNN_OK) status = mr_page_take(&page->keys, key, "the key", err);
    if (status != MRCNN_OK) return status;
    mr_page_enter(page, MR_PAGE_SINGLE);
    put_table_html(page, key, title, columns, column_count, cells, rows);
    put_table_json(page, key, title, columns, column_count, cells, rows);
    return mr_page_status(page, err);
}
