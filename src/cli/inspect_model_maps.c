/* inspect_model_maps.c - the report's sections of masks, as the head gives them and as they end up in
 * the picture, and of activations. */
#include "inspect_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MASKS = 16, MOST_CHANNELS = 8 };

/* ------------------------------------------------------------------------------------- masks */

/* A part of an RGB picture; the box is inside. */
static mrcnn_image crop(const mrcnn_image *image, const int32_t box[4]) {
    mrcnn_image part = {box[3] - box[1], box[2] - box[0], 3, NULL};
    size_t row = (size_t)part.width * 3;
    part.pixels = text_grow(NULL, (size_t)part.height * row, 1);
    for (int32_t y = 0; y < part.height; y++)
        memcpy(part.pixels + (size_t)y * row,
               image->pixels + 3 * ((size_t)(box[0] + y) * (size_t)image->width + (size_t)box[1]),
               row);
    return part;
}

/* The instance's surroundings, with its mask. */
static void add_instance(model_page *m, mrcnn_sheet *sheet, const mrcnn_instance *it) {
    const double around = 0.15;
    mrcnn_result one = {m->image.height, m->image.width, 1, (mrcnn_instance *)it};
    mrcnn_draw_options options = mrcnn_draw_options_default();
    mrcnn_image drawn = {0};
    options.contours = m->lines;
    options.boxes = options.captions = 0;
    if (m->show.err.status != MRCNN_OK ||
        mrcnn_draw_instances(&drawn, &m->image, &one, &options, &m->show.err) != MRCNN_OK)
        return;
    int32_t dy = (int32_t)(around * (it->y2 - it->y1)), dx = (int32_t)(around * (it->x2 - it->x1));
    int32_t box[4] = {it->y1 - dy < 0 ? 0 : it->y1 - dy, it->x1 - dx < 0 ? 0 : it->x1 - dx,
                      it->y2 + dy > m->image.height ? m->image.height : it->y2 + dy,
                      it->x2 + dx > m->image.width ? m->image.width : it->x2 + dx};
    mrcnn_image part = crop(&drawn, box);
    char *caption = text_format("%d x %d pixels", it->x2 - it->x1, it->y2 - it->y1);
    add_picture(m, sheet, &part, caption);
    free(caption);
    free(part.pixels);
    mrcnn_image_free(&drawn);
}

static void put_mask_sheet(model_page *m, size_t count) {
    enum { WIDE = 8 };
    int columns = count < WIDE / 2 ? 2 * (int)count : WIDE;
    const mrcnn_trace *t = m->trace;
    size_t pixels = (size_t)t->mask_height * (size_t)t->mask_width;
    mrcnn_sheet *sheet = new_sheet(m, columns, cell_of(t->mask_height, t->mask_width));
    for (size_t i = 0; i < count && m->show.err.status == MRCNN_OK; i++) {
        const mrcnn_instance *it = &t->result->instances[i];
        char *caption = text_format("%zu: %s %.3f", i, it->class_name, (double)it->score);
        add_map(m, sheet, t->masks + i * pixels, t->mask_height, t->mask_width, 1, caption);
        add_instance(m, sheet, it);
        free(caption);
    }
    char *caption =
        text_format("Of each instance: what the mask head gives for its class (%d x %d "
                    "probabilities, stretched over the box whatever its shape; yellow is "
                    "the highest of this mask), and beside it the mask that becomes of "
                    "it: resized into the box, and cut at one half.",
                    t->mask_height, t->mask_width);
    put_sheet(m, sheet, "masks", caption);
    free(caption);
}

static void put_mask_table(model_page *m, size_t count) {
    static const char *const columns[] = {"instance",     "class",     "score",
                                          "best pixel",   "mask area", "share of the box",
                                          "from proposal"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    mrcnn_cell cells[MOST_MASKS * COLUMNS], *cell = cells;
    const mrcnn_trace *t = m->trace;
    size_t pixels = (size_t)t->mask_height * (size_t)t->mask_width;
    for (size_t i = 0; i < count; i++) {
        const mrcnn_instance *it = &t->result->instances[i];
        double highest = 0, box = (double)(it->y2 - it->y1) * (it->x2 - it->x1);
        size_t row = 0;
        for (size_t k = 0; k < pixels; k++)
            highest = fmax(highest, (double)t->masks[i * pixels + k]);
        while (row < t->proposal_count && t->proposals[row].instance != (int32_t)i) row++;
        *cell++ = mrcnn_cell_number((double)i, 0);
        *cell++ = mrcnn_cell_text(it->class_name);
        *cell++ = mrcnn_cell_number((double)it->score, 4);
        *cell++ = mrcnn_cell_number(highest, 3);
        *cell++ = mrcnn_cell_number((double)t->mask_areas[i], 0);
        *cell++ = mrcnn_cell_number((double)t->mask_areas[i] / box, 3);
        *cell++ = mrcnn_cell_number((double)row, 0);
    }
    show_table(&m->show, "masks", "Instances and their masks", columns, COLUMNS, cells, count);
}

void put_masks(model_page *m) {
    size_t count = m->trace->result->count < MOST_MASKS ? m->trace->result->count : MOST_MASKS;
    show_section(
        &m->show, "masks", "Masks",
        "The mask head looks at each detection once more and says of each cell of a small "
        "grid whether it is inside. Only the grid of the detection's class is used, so that "
        "classes don't compete for pixels. (He et al., Mask R-CNN, section 3.)");
    if (count == 0) {
        show_text(&m->show, "There are no instances, and so no masks.");
        return;
    }
    put_mask_sheet(m, count);
    put_mask_table(m, count);
}

/* -------------------------------------------------------------------------------- activations */

typedef struct map_summary {
    double low, high, mean, zeros; /* zeros: share of them */
    size_t silent;                 /* channels that are 0 everywhere */
} map_summary;

static map_summary summarise(const mrcnn_map *map) {
    map_summary s = {INFINITY, -INFINITY, 0, 0, 0};
    size_t channels = (size_t)map->channels;
    size_t count = (size_t)map->height * (size_t)map->width * channels;
    uint8_t *speaks = text_grow(NULL, channels, 1);
    memset(speaks, 0, channels);
    for (size_t i = 0; i < count; i++) {
        double value = (double)map->values[i];
        s.low = fmin(s.low, value);
        s.high = fmax(s.high, value);
        s.mean += value;
        s.zeros += value == 0;
        if (value != 0) speaks[i % channels] = 1;
    }
    for (size_t c = 0; c < channels; c++) s.silent += !speaks[c];
    s.mean /= (double)count;
    s.zeros /= (double)count;
    free(speaks);
    return s;
}

static void put_layer(model_page *m, const mrcnn_map *map) {
    const int columns = 4;
    int shown = map->channels < MOST_CHANNELS ? map->channels : MOST_CHANNELS;
    mrcnn_sheet *sheet = new_sheet(m, columns, cell_of(map->height, map->width));
    for (int c = 0; c < shown; c++) {
        char number[16];
        snprintf(number, sizeof number, "channel %d", c);
        add_map(m, sheet, map->values + c, map->height, map->width, map->channels, number);
    }
    char *name = text_format("activations-%s", map->name);
    char *caption =
        text_format("%s: the first %d of %d channels, %d x %d. Yellow is a channel's own "
                    "highest value.",
                    map->name, shown, map->channels, map->height, map->width);
    put_sheet(m, sheet, name, caption);
    free(caption);
    free(name);
}

static void put_layer_table(model_page *m, const mrcnn_map *const *maps, size_t count) {
    static const char *const columns[] = {"layer",    "height",         "width",
                                          "channels", "lowest",         "highest",
                                          "mean",     "share of zeros", "silent channels"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    mrcnn_cell *cells = text_grow(NULL, count * COLUMNS, sizeof *cells), *cell = cells;
    for (size_t i = 0; i < count; i++) {
        map_summary s = summarise(maps[i]);
        *cell++ = mrcnn_cell_text(maps[i]->name);
        *cell++ = mrcnn_cell_number(maps[i]->height, 0);
        *cell++ = mrcnn_cell_number(maps[i]->width, 0);
        *cell++ = mrcnn_cell_number(maps[i]->channels, 0);
        *cell++ = mrcnn_cell_number(s.low, -1);
        *cell++ = mrcnn_cell_number(s.high, -1);
        *cell++ = mrcnn_cell_number(s.mean, -1);
        *cell++ = mrcnn_cell_number(s.zeros, 3);
        *cell++ = mrcnn_cell_number((double)s.silent, 0);
    }
    show_table(&m->show, "layers", "Layers", columns, COLUMNS, cells, count);
    free(cells);
}

void put_activations(model_page *m) {
    const mrcnn_map **maps = text_grow(NULL, m->layers.count, sizeof *maps);
    size_t count = 0;
    for (size_t i = 0; i < m->layers.count; i++) {
        const mrcnn_map *map = mrcnn_trace_map(m->trace, m->layers.items[i]);
        if (map) maps[count++] = map; /* a backbone of a program's own need not give C1 */
    }
    show_section(
        &m->show, "activations", "Activations",
        "What the network computes on the way, as maps of the picture: C2 to C5 are the "
        "stages of the backbone, P2 to P6 the levels of the pyramid. Deeper maps are coarser "
        "and mean more. A channel that is silent for every picture is dead.");
    put_layer_table(m, maps, count);
    for (size_t i = 0; i < count; i++) put_layer(m, maps[i]);
    free(maps);
}
