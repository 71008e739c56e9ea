/* inspect_model_head.c - the report's section from proposals to instances: what the class head says of
 * each proposal, where it moves it, and the filters one after the other. */
#include "inspect_model.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 20, CLASS_ROWS = 20, CAPTIONS = 12 };

/* Proposals by the probability of their best object class. */
static int by_object(const void *a, const void *b) {
    const mrcnn_proposal *x = *(const mrcnn_proposal *const *)a;
    const mrcnn_proposal *y = *(const mrcnn_proposal *const *)b;
    if (x->object_score != y->object_score) return x->object_score < y->object_score ? 1 : -1;
    return (x > y) - (x < y);
}

static const mrcnn_proposal **sort_proposals(const mrcnn_trace *t) {
    const mrcnn_proposal **sorted = text_grow(NULL, t->proposals_found, sizeof *sorted);
    for (size_t i = 0; i < t->proposals_found; i++) sorted[i] = &t->proposals[i];
    qsort(sorted, t->proposals_found, sizeof *sorted, by_object);
    return sorted;
}

static const char *class_name(const model_page *m, int class_id) {
    return mrcnn_model_class_name(m->model, class_id);
}

/* ------------------------------------------------------------------------------------- tables */

typedef struct class_row {
    int class_id;
    size_t fates[MRCNN_FATES];
    size_t looked_at; /* proposals whose best class it is */
    float best;       /* highest probability, even where the background's is higher */
} class_row;

static int by_best(const void *a, const void *b) {
    const class_row *x = a, *y = b;
    if (x->best != y->best) return x->best < y->best ? 1 : -1;
    return x->class_id - y->class_id;
}

static class_row *count_classes(const model_page *m, size_t classes) {
    class_row *rows = text_grow(NULL, classes, sizeof *rows);
    memset(rows, 0, classes * sizeof *rows);
    for (size_t c = 0; c < classes; c++) rows[c].class_id = (int)c;
    for (size_t i = 0; i < m->trace->proposal_count; i++) {
        const mrcnn_proposal *p = &m->trace->proposals[i];
        class_row *row = &rows[p->object_class];
        if (p->object_score > row->best) row->best = p->object_score;
        if (p->class_id == 0) continue;
        row->looked_at++;
        row->fates[p->fate]++;
    }
    return rows;
}

static void put_classes(model_page *m) {
    static const char *const columns[] = {"class",      "proposals",       "too unsure",
                                          "suppressed", "over limit",      "no area",
                                          "instances",  "best probability"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    mrcnn_cell cells[CLASS_ROWS * COLUMNS], *cell = cells;
    size_t classes = (size_t)mrcnn_model_class_count(m->model);
    class_row *rows = count_classes(m, classes);
    qsort(rows + 1, classes - 1, sizeof *rows, by_best);
    for (size_t i = 1; i < classes && i <= CLASS_ROWS; i++) {
        const class_row *row = &rows[i];
        *cell++ = mrcnn_cell_text(class_name(m, row->class_id));
        *cell++ = mrcnn_cell_number((double)row->looked_at, 0);
        *cell++ = mrcnn_cell_number((double)row->fates[MRCNN_FATE_CONFIDENCE], 0);
        *cell++ = mrcnn_cell_number((double)row->fates[MRCNN_FATE_SUPPRESSED], 0);
        *cell++ = mrcnn_cell_number((double)row->fates[MRCNN_FATE_LIMIT], 0);
        *cell++ = mrcnn_cell_number((double)row->fates[MRCNN_FATE_NO_AREA], 0);
        *cell++ = mrcnn_cell_number((double)row->fates[MRCNN_FATE_KEPT], 0);
        *cell++ = mrcnn_cell_number((double)row->best, 4);
    }
    show_table(&m->show, "classes", "Classes, by their best probability in any proposal", columns,
               COLUMNS, cells, (size_t)(cell - cells) / COLUMNS);
    free(rows);
}

static void put_best(model_page *m, const mrcnn_proposal *const *sorted) {
    static const char *const columns[] = {"proposal",    "RoI level",     "best class",
                                          "probability", "background",    "fate",
                                          "by",          "their overlap", "instance"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    mrcnn_cell cells[ROWS * COLUMNS], *cell = cells;
    const mrcnn_cell nothing = mrcnn_cell_text("");
    text_list texts = {0};
    for (size_t i = 0; i < m->trace->proposals_found && i < ROWS; i++) {
        const mrcnn_proposal *p = sorted[i];
        int suppressed = p->suppressed_by >= 0;
        char *level = text_format("P%d", p->level);
        text_list_add(&texts, level);
        *cell++ = mrcnn_cell_number((double)(p - m->trace->proposals), 0);
        *cell++ = mrcnn_cell_text(level);
        *cell++ = mrcnn_cell_text(class_name(m, p->object_class));
        *cell++ = mrcnn_cell_number((double)p->object_score, 4);
        *cell++ = mrcnn_cell_number((double)p->background, 4);
        *cell++ = mrcnn_cell_text(mrcnn_fate_name(p->fate));
        *cell++ = suppressed ? mrcnn_cell_number(p->suppressed_by, 0) : nothing;
        *cell++ = suppressed ? mrcnn_cell_number((double)p->iou, 3) : nothing;
        *cell++ = p->instance >= 0 ? mrcnn_cell_number(p->instance, 0) : nothing;
    }
    show_table(&m->show, "proposals", "The proposals that look most like an object", columns,
               COLUMNS, cells, (size_t)(cell - cells) / COLUMNS);
    text_list_free(&texts);
}

/* ------------------------------------------------------------------------------------- charts */

static void put_histogram(model_page *m) {
    probabilities counts = {{0}};
    for (size_t i = 0; i < m->trace->proposals_found; i++)
        count_probability(&counts, (double)m->trace->proposals[i].object_score);
    put_probabilities(
        m, "object-probability",
        "How sure the class head is of an object, over all proposals. A trained head is sure "
        "either way; most proposals are background.",
        &counts, "probability of the likeliest object class", "proposals");
}

/* Widths and heights, of those that look like background and like objects. */
static void put_sizes(model_page *m) {
    size_t found = m->trace->proposals_found, counts[2] = {0};
    double *x[2], *y[2];
    for (int k = 0; k < 2; k++) {
        x[k] = text_grow(NULL, found, sizeof *x[k]);
        y[k] = text_grow(NULL, found, sizeof *y[k]);
    }
    for (size_t i = 0; i < found; i++) {
        const mrcnn_proposal *p = &m->trace->proposals[i];
        int k = p->class_id > 0;
        double box[4];
        mrcnn_trace_box(m->trace, p->box, box);
        x[k][counts[k]] = box[3] - box[1];
        y[k][counts[k]++] = box[2] - box[0];
    }
    mrcnn_series series[2] = {{"background", MRCNN_SERIES_POINTS, counts[0], x[0], y[0], 0, 0},
                              {"object", MRCNN_SERIES_POINTS, counts[1], x[1], y[1], 0, 1}};
    mrcnn_chart chart = mrcnn_chart_default();
    chart.x_label = "width, pixels";
    chart.y_label = "height, pixels";
    chart.count = 2;
    chart.series = series;
    show_chart(
        &m->show, "roi-sizes",
        "Sizes of the proposals in pixels of the picture: objects of a size that no proposal "
        "has can't be found.",
        &chart);
    for (int k = 0; k < 2; k++) {
        free(x[k]);
        free(y[k]);
    }
}

/* ----------------------------------------------------------------------------------- pictures */

static char *label(const model_page *m, const mrcnn_proposal *p) {
    return text_format("%s %.2f", class_name(m, p->object_class), (double)p->object_score);
}

static void add_box(const model_page *m, mark_list *marks, const float normalised[4],
                    const double rgb[3], mrcnn_line line, char *caption) {
    double box[4];
    mrcnn_trace_box(m->trace, normalised, box);
    mark_add(marks, &m->bare, box, rgb, line, caption);
}

/* A small square in the middle of each box. */
static void put_centres(model_page *m) {
    static const double colors[2][3] = {{0.25, 0.55, 1.0}, {1.0, 0.5, 0.1}};
    const double half = 2.5;
    mark_list marks = {0};
    for (int k = 1; k >= 0; k--)
        for (size_t i = 0; i < m->trace->proposals_found; i++) {
            const mrcnn_proposal *p = &m->trace->proposals[i];
            double box[4], r = half * m->bare.shrink;
            if ((p->class_id > 0) != k) continue;
            mrcnn_trace_box(m->trace, p->box, box);
            double y = (box[0] + box[2]) / 2, x = (box[1] + box[3]) / 2;
            double square[4] = {y - r, x - r, y + r, x + r};
            mark_add(&marks, &m->bare, square, colors[k], MRCNN_LINE_SOLID, NULL);
        }
    put_marks(m, &m->bare, &marks, "roi-centres",
              "Centres of all proposals: orange where the head sees an object, blue where it sees "
              "background.");
}

/* The proposals that look most like objects; dotted those that still look more like background. */
static void put_looked_at(model_page *m, const mrcnn_proposal *const *sorted, size_t count) {
    mark_list marks = {0};
    for (size_t i = 0; i < count; i++) {
        double rgb[3];
        mrcnn_class_color(sorted[i]->object_class, rgb);
        int is_object = sorted[i]->class_id > 0;
        add_box(m, &marks, sorted[i]->box, rgb, is_object ? MRCNN_LINE_SOLID : MRCNN_LINE_DOTTED,
                i < CAPTIONS ? label(m, sorted[i]) : NULL);
    }
    char *caption =
        text_format("The %zu proposals that look most like objects, with their likeliest "
                    "class. Dotted: the background is likelier still, and they go.",
                    count);
    put_marks(m, &m->bare, &marks, "proposals-classified", caption);
    free(caption);
}

static size_t count_objects(const mrcnn_proposal *const *sorted, size_t count) {
    size_t objects = 0;
    for (size_t i = 0; i < count; i++) objects += sorted[i]->class_id > 0;
    return objects;
}

static void put_refined(model_page *m, const mrcnn_proposal *const *sorted, size_t count) {
    mark_list marks = {0};
    for (size_t i = 0; i < count; i++) {
        double rgb[3];
        if (sorted[i]->class_id == 0) continue;
        mrcnn_class_color(sorted[i]->class_id, rgb);
        add_box(m, &marks, sorted[i]->clipped, rgb, MRCNN_LINE_SOLID, NULL);
        add_box(m, &marks, sorted[i]->box, rgb, MRCNN_LINE_DOTTED, NULL);
    }
    put_marks(m, &m->bare, &marks, "detections-refined",
              "Those that look like objects, dotted as proposals, solid where the deltas of their "
              "class move them, clipped to the picture.");
}

static int is_unsure(const mrcnn_proposal *p) {
    return p->fate == MRCNN_FATE_CONFIDENCE;
}

static int is_not_best(const mrcnn_proposal *p) {
    return p->fate == MRCNN_FATE_SUPPRESSED || p->fate == MRCNN_FATE_LIMIT;
}

/* The best of what a filter keeps, solid, over the best of what falls, dotted; `before` fell earlier and
 * isn't shown. */
static void put_filter(model_page *m, const mrcnn_proposal *const *sorted,
                       int (*falls)(const mrcnn_proposal *), int (*before)(const mrcnn_proposal *),
                       const char *name, const char *caption) {
    static const double grey[3] = {0.25, 0.25, 0.25};
    mark_list marks = {0};
    for (int pass = 0; pass < 2; pass++) {
        size_t shown = 0;
        for (size_t i = 0; i < m->trace->proposals_found && shown < m->boxes; i++) {
            const mrcnn_proposal *p = sorted[i];
            double rgb[3];
            if (p->class_id == 0 || (before && before(p)) || falls(p) != pass) continue;
            mrcnn_class_color(p->class_id, rgb);
            add_box(m, &marks, p->clipped, pass ? grey : rgb,
                    pass ? MRCNN_LINE_DOTTED : MRCNN_LINE_SOLID,
                    !pass && shown < CAPTIONS ? label(m, p) : NULL);
            shown++;
        }
    }
    put_marks(m, &m->bare, &marks, name, caption);
}

static void put_filters(model_page *m, const mrcnn_proposal *const *sorted) {
    char *confidence = text_format("Sure enough: solid those with DETECTION_MIN_CONFIDENCE (%s; of "
                                   "single classes %s) or more, "
                                   "dotted in dark grey those below.",
                                   mrcnn_config_get(m->config, "DETECTION_MIN_CONFIDENCE"),
                                   mrcnn_config_get(m->config, "CLASS_MIN_CONFIDENCE"));
    char *suppression = text_format(
        "One box an object: solid those that stay, dotted in dark grey those that overlap better "
        "ones of their class too much (DETECTION_NMS %s, DETECTION_NMS_THRESHOLD %s), or come "
        "after "
        "DETECTION_MAX_INSTANCES (%s).",
        mrcnn_config_get(m->config, "DETECTION_NMS"),
        mrcnn_config_get(m->config, "DETECTION_NMS_THRESHOLD"),
        mrcnn_config_get(m->config, "DETECTION_MAX_INSTANCES"));
    put_filter(m, sorted, is_unsure, NULL, "detections-confident", confidence);
    put_filter(m, sorted, is_not_best, is_unsure, "detections-suppressed", suppression);
    free(confidence);
    free(suppression);
}

void put_head(model_page *m) {
    const mrcnn_proposal **sorted = sort_proposals(m->trace);
    size_t found = m->trace->proposals_found, count = found < m->boxes ? found : m->boxes;
    show_section(
        &m->show, "head", "From proposals to instances",
        "RoIAlign samples the pyramid in each proposal's box, and the head says which class "
        "it is and how to move the box. The background goes first, then those that are not "
        "sure enough, then those that a better one of the same class overlaps. (He et al., Mask "
        "R-CNN, section 3.)");
    put_classes(m);
    put_histogram(m);
    put_sizes(m);
    put_centres(m);
    put_looked_at(m, sorted, count);
    if (count_objects(sorted, count)) {
        put_refined(m, sorted, count);
        put_filters(m, sorted);
    } else {
        show_text(&m->show,
                  "No proposal looks more like an object than like background: there is nothing to "
                  "refine and to filter.");
    }
    put_best(m, sorted);
    free(sorted);
}
