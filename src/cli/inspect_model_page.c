/* inspect_model_page.c - adding to the page, with the failure kept: see inspect_model.h. */
#include "inspect_model.h"

static int is_well(const model_page *m) {
    return m->err.status == MRCNN_OK;
}

void put_section(model_page *m, const char *id, const char *title, const char *about) {
    if (is_well(m)) mrcnn_page_section(m->page, id, title, about, &m->err);
}

void put_text(model_page *m, const char *text) {
    if (is_well(m)) mrcnn_page_text(m->page, text, &m->err);
}

void put_note(model_page *m, mrcnn_tone tone, const char *text) {
    if (is_well(m)) mrcnn_page_note(m->page, tone, text, &m->err);
}

void put_figure(model_page *m, const char *key, const char *label, double value,
                const char *unit) {
    if (is_well(m)) mrcnn_page_figure(m->page, key, label, value, unit, &m->err);
}

void put_table(model_page *m, const char *key, const char *title, const char *const *columns,
               size_t column_count, const mrcnn_cell *cells, size_t rows) {
    if (is_well(m))
        mrcnn_page_table(m->page, key, title, columns, column_count, cells, rows, &m->err);
}

void put_image(model_page *m, const char *name, const char *caption, const mrcnn_image *image) {
    if (is_well(m)) mrcnn_page_image(m->page, name, caption, image, &m->err);
}

void put_chart(model_page *m, const char *name, const char *caption, const mrcnn_chart *chart) {
    if (is_well(m) && m->lines) mrcnn_page_chart(m->page, name, caption, chart, &m->err);
}

void put_marks(model_page *m, const view *v, mark_list *marks, const char *name,
               const char *caption) {
    mrcnn_image drawn = {0};
    if (is_well(m) && m->lines &&
        mrcnn_draw_marks(&drawn, &v->image, marks->items, marks->count, &m->err) == MRCNN_OK)
        put_image(m, name, caption, &drawn);
    mrcnn_image_free(&drawn);
    mark_list_free(marks);
}

void put_sheet(model_page *m, mrcnn_sheet **sheet, const char *name, const char *caption) {
    mrcnn_image image = {0};
    if (is_well(m) && mrcnn_sheet_image(*sheet, &image, &m->err) == MRCNN_OK)
        put_image(m, name, caption, &image);
    mrcnn_image_free(&image);
    mrcnn_sheet_free(sheet);
}

void add_map(model_page *m, mrcnn_sheet *sheet, const float *values, int32_t height, int32_t width,
             int32_t channels, const char *caption) {
    mrcnn_image map = {0};
    if (is_well(m) && mrcnn_draw_map(&map, values, height, width, width * channels, channels,
                                     &m->err) == MRCNN_OK)
        mrcnn_sheet_add(sheet, &map, m->lines ? caption : NULL, &m->err);
    mrcnn_image_free(&map);
}
