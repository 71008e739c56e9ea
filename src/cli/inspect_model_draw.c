/* inspect_model_draw.c - pictures with boxes and sheets of maps, for the sections of inspect_model.h. */
#include "inspect_model.h"

static int is_well(const model_page *m) {
    return m->show.err.status == MRCNN_OK;
}

void put_marks(model_page *m, const view *v, mark_list *marks, const char *name,
               const char *caption) {
    mrcnn_image drawn = {0};
    if (is_well(m) && m->lines &&
        mrcnn_draw_marks(&drawn, &v->image, marks->items, marks->count, &m->show.err) == MRCNN_OK)
        show_image(&m->show, name, caption, &drawn);
    mrcnn_image_free(&drawn);
    mark_list_free(marks);
}

/* A whole number of times as large as the map, where that goes. */
int cell_of(int32_t height, int32_t width) {
    enum { USUAL = 260, MOST = 320 };
    int side = height > width ? height : width;
    while (side > MOST) side = (side + 1) / 2;
    return side < USUAL ? USUAL / side * side : side;
}

mrcnn_sheet *new_sheet(model_page *m, int columns, int cell) {
    mrcnn_sheet *sheet = NULL;
    if (is_well(m)) (void)mrcnn_sheet_create(&sheet, columns, cell, &m->show.err);
    return sheet;
}

void add_picture(model_page *m, mrcnn_sheet *sheet, const mrcnn_image *image, const char *caption) {
    if (is_well(m)) (void)mrcnn_sheet_add(sheet, image, m->lines ? caption : NULL, &m->show.err);
}

void add_map(model_page *m, mrcnn_sheet *sheet, const float *values, int32_t height, int32_t width,
             int32_t channels, const char *caption) {
    mrcnn_image map = {0};
    if (is_well(m) && mrcnn_draw_map(&map, values, height, width, width * channels, channels,
                                     &m->show.err) == MRCNN_OK)
        add_picture(m, sheet, &map, caption);
    mrcnn_image_free(&map);
}

void put_sheet(model_page *m, mrcnn_sheet *sheet, const char *name, const char *caption) {
    mrcnn_image image = {0};
    if (is_well(m) && mrcnn_sheet_image(sheet, &image, &m->show.err) == MRCNN_OK)
        show_image(&m->show, name, caption, &image);
    mrcnn_image_free(&image);
    mrcnn_sheet_free(&sheet);
}

void count_probability(probabilities *p, double probability) {
    double bin = probability * PROBABILITY_BINS;
    if (bin >= 0) p->counts[bin < PROBABILITY_BINS ? (int)bin : PROBABILITY_BINS - 1]++;
}

void put_probabilities(model_page *m, const char *name, const char *caption, const probabilities *p,
                       const char *x_label, const char *what) {
    double middles[PROBABILITY_BINS];
    mrcnn_series series = {what, MRCNN_SERIES_BARS, PROBABILITY_BINS, middles, p->counts, 0, -1};
    mrcnn_chart chart = mrcnn_chart_default();
    chart.x_label = x_label;
    chart.y_label = what;
    chart.count = 1;
    chart.series = &series;
    chart.log_y = 1;
    chart.x_high = 1;
    chart.y_low = 0.5; /* so that a single one is a bar, too */
    chart.y_high = 2;
    for (int i = 0; i < PROBABILITY_BINS; i++) {
        middles[i] = (i + 0.5) / PROBABILITY_BINS;
        if (2 * p->counts[i] > chart.y_high) chart.y_high = 2 * p->counts[i];
    }
    show_chart(&m->show, name, caption, &chart);
}
