/* inspect_model_rpn.c - the report's section from anchors to proposals: what the RPN says of each
 * place, the best anchors, where their deltas move them, and which NMS keeps. */
#include "inspect_model.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 20 };

/* ------------------------------------------------------------------------------------ levels */

static void put_levels(model_page *m) {
    static const char *const columns[] = {"level",   "stride",     "map",       "anchor scale",
                                          "anchors", "candidates", "proposals", "best objectness"};
    enum { COLUMNS = sizeof columns / sizeof *columns, LEVELS = 8 };
    const mrcnn_trace *t = m->trace;
    mrcnn_cell cells[LEVELS * COLUMNS], *cell = cells;
    text_list texts = {0};
    for (size_t i = 0; i < t->level_count && i < LEVELS; i++) {
        const mrcnn_trace_level *level = &t->levels[i];
        char *name = text_format("P%d", level->level);
        char *map = text_format("%d x %d", level->height, level->width);
        text_list_add(&texts, name);
        text_list_add(&texts, map);
        *cell++ = mrcnn_cell_text(name);
        *cell++ = mrcnn_cell_number(level->stride, 0);
        *cell++ = mrcnn_cell_text(map);
        *cell++ = mrcnn_cell_number(level->scale, -1);
        *cell++ = mrcnn_cell_number((double)level->anchors, 0);
        *cell++ = mrcnn_cell_number((double)level->candidates, 0);
        *cell++ = mrcnn_cell_number((double)level->proposals, 0);
        *cell++ = mrcnn_cell_number((double)level->best_score, 3);
    }
    show_table(&m->show, "levels", "Pyramid levels", columns, COLUMNS, cells,
               (size_t)(cell - cells) / COLUMNS);
    text_list_free(&texts);
}

/* The best of a cell's anchors, for every cell. */
static void add_objectness(model_page *m, mrcnn_sheet *sheet, const mrcnn_trace_level *level) {
    size_t cells = (size_t)level->height * (size_t)level->width;
    size_t ratios = level->anchors / cells;
    const float *scores = m->trace->scores + level->first_anchor;
    float *best = text_grow(NULL, cells, sizeof *best);
    float low = 1;
    for (size_t i = 0; i < cells; i++) {
        best[i] = scores[i * ratios];
        for (size_t r = 1; r < ratios; r++)
            if (scores[i * ratios + r] > best[i]) best[i] = scores[i * ratios + r];
        if (best[i] < low) low = best[i];
    }
    char *caption =
        text_format("P%d: %.2f to %.2f", level->level, (double)low, (double)level->best_score);
    add_map(m, sheet, best, level->height, level->width, 1, caption);
    free(caption);
    free(best);
}

static void put_objectness(model_page *m) {
    const int columns = 5;
    int cell = cell_of(m->trace->levels[0].height, m->trace->levels[0].width);
    mrcnn_sheet *sheet = new_sheet(m, columns, cell);
    for (size_t i = 0; i < m->trace->level_count; i++)
        add_objectness(m, sheet, &m->trace->levels[i]);
    put_sheet(
        m, sheet, "objectness",
        "Objectness: how sure the RPN is that an anchor of that place and level has an object "
        "in it (the best of its shapes). Yellow is each map's own highest value, dark its "
        "lowest. Large objects should light up on high levels (P5, P6), small ones on P2.");
}

static void put_histogram(model_page *m) {
    probabilities counts = {{0}};
    for (size_t i = 0; i < m->trace->anchor_count; i++)
        count_probability(&counts, (double)m->trace->scores[i]);
    put_probabilities(
        m, "objectness-histogram",
        "How many anchors have which objectness. A trained RPN gives nearly all of them close "
        "to 0 and a few close to 1; one heap in the middle is an RPN that knows nothing.",
        &counts, "objectness", "anchors");
}

/* ----------------------------------------------------------------------------------- pictures */

/* What is drawn of a candidate. */
typedef enum look { ANCHORS, REFINED, CLIPPED, SUPPRESSION } look;

static void mark_candidate(const model_page *m, mark_list *marks, const mrcnn_candidate *c,
                           look look) {
    static const double grey[3] = {0.25, 0.25, 0.25};
    double rgb[3], box[4];
    int is_kept = look != SUPPRESSION || c->fate == MRCNN_FATE_KEPT;
    view_color((size_t)c->level - 2, rgb);
    mrcnn_trace_box(m->trace,
                    look == ANCHORS   ? c->anchor_box
                    : look == REFINED ? c->refined
                                      : c->clipped,
                    box);
    mark_add(marks, &m->wide, box, is_kept ? rgb : grey,
             is_kept ? MRCNN_LINE_SOLID : MRCNN_LINE_DOTTED, NULL);
    if (look != REFINED) return;
    mrcnn_trace_box(m->trace, c->anchor_box, box);
    mark_add(marks, &m->wide, box, rgb, MRCNN_LINE_DOTTED, NULL);
}

/* The best ones; of suppression, survivors lie on top. */
static void put_candidates(model_page *m, look look, const char *name, const char *about) {
    mark_list marks = {0};
    size_t count = m->trace->candidate_count < m->boxes ? m->trace->candidate_count : m->boxes;
    char *caption =
        text_format("The %zu best of %zu candidates; %s", count, m->trace->candidate_count, about);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++) {
            const mrcnn_candidate *c = &m->trace->candidates[i];
            int later = look == SUPPRESSION && c->fate != MRCNN_FATE_KEPT;
            if (later == pass) mark_candidate(m, &marks, c, look);
        }
    put_marks(m, &m->wide, &marks, name, caption);
    free(caption);
}

static void put_proposals(model_page *m) {
    mark_list marks = {0};
    size_t count = m->trace->proposals_found < m->boxes ? m->trace->proposals_found : m->boxes;
    char *caption =
        text_format("The %zu best of %zu proposals: what is left after suppression, and "
                    "goes to the heads. Here every object should have a box around it.",
                    count, m->trace->proposals_found);
    for (size_t i = 0; i < count; i++)
        mark_candidate(m, &marks, &m->trace->candidates[m->trace->proposals[i].candidate], CLIPPED);
    put_marks(m, &m->wide, &marks, "proposals", caption);
    free(caption);
}

/* -------------------------------------------------------------------------------------- table */

static void put_best(model_page *m) {
    static const char *const columns[] = {"candidate", "anchor", "level",         "objectness",
                                          "fate",      "by",     "their overlap", "proposal"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    mrcnn_cell cells[ROWS * COLUMNS], *cell = cells;
    text_list texts = {0};
    const mrcnn_cell nothing = mrcnn_cell_text("");
    for (size_t i = 0; i < m->trace->candidate_count && i < ROWS; i++) {
        const mrcnn_candidate *c = &m->trace->candidates[i];
        char *level = text_format("P%d", c->level);
        int suppressed = c->suppressed_by >= 0;
        text_list_add(&texts, level);
        *cell++ = mrcnn_cell_number((double)i, 0);
        *cell++ = mrcnn_cell_number(c->anchor, 0);
        *cell++ = mrcnn_cell_text(level);
        *cell++ = mrcnn_cell_number((double)c->score, 4);
        *cell++ = mrcnn_cell_text(mrcnn_fate_name(c->fate));
        *cell++ = suppressed ? mrcnn_cell_number(c->suppressed_by, 0) : nothing;
        *cell++ = suppressed ? mrcnn_cell_number((double)c->iou, 3) : nothing;
        *cell++ = c->proposal >= 0 ? mrcnn_cell_number(c->proposal, 0) : nothing;
    }
    show_table(&m->show, "candidates", "The best candidates", columns, COLUMNS, cells,
               (size_t)(cell - cells) / COLUMNS);
    text_list_free(&texts);
}

void put_rpn(model_page *m) {
    show_section(
        &m->show, "rpn", "From anchors to proposals",
        "The region proposal network looks at every place of the pyramid and says of each "
        "anchor whether there is an object, and how to move the box onto it. The best ones "
        "are moved, clipped to the network's input, and thinned out: of boxes that overlap "
        "much, the one with the highest score stays. (Ren et al., Faster R-CNN, section 3.1; on "
        "a pyramid: Lin et al., Feature Pyramid Networks, section 4.1.)");
    put_levels(m);
    put_objectness(m);
    put_histogram(m);
    put_candidates(m, ANCHORS, "anchors",
                   "as the anchors that they come from. Colours are levels: P2 blue, P3 green, P4 "
                   "yellow, P5 orange, P6 pink.");
    put_candidates(m, REFINED, "anchors-refined",
                   "dotted as anchors, solid where their deltas move them. Good deltas pull the "
                   "boxes onto the edges of objects.");
    put_candidates(m, CLIPPED, "candidates-clipped",
                   "moved, and clipped to the network's input (which is larger than the picture "
                   "where it was padded).");
    put_candidates(m, SUPPRESSION, "candidates-suppressed",
                   "solid those that survive suppression, dotted in dark grey those that a better "
                   "one suppresses because they overlap it by more than RPN_NMS_THRESHOLD.");
    put_proposals(m);
    put_best(m);
}
