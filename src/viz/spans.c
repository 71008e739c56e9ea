/* spans.c - see spans.h. */
#include "viz/spans.h"

enum { BAND = 64 };

typedef struct band {
    uint64_t *rows; /* bit k of rows[y]: the pixel (x + k, y) */
    int64_t x;
    int64_t y1, y2; /* rows that may have bits */
} band;

static void visit_row(uint64_t bits, int32_t x, int32_t y, mr_span_visitor visit, void *context) {
    if (bits == UINT64_MAX) {
        visit(context, x, y, BAND);
        return;
    }
    while (bits) {
        int32_t length = 0;
        for (; !(bits & 1); bits >>= 1) x++;
        for (; bits & 1; bits >>= 1) length++;
        visit(context, x, y, length);
        x += length;
    }
}

static void flush(band *band, mr_span_visitor visit, void *context) {
    for (int64_t y = band->y1; y < band->y2; y++) {
        visit_row(band->rows[y], (int32_t)band->x, (int32_t)y, visit, context);
        band->rows[y] = 0;
    }
    band->y1 = INT64_MAX;
    band->y2 = 0;
}

static void add_column(band *band, int64_t x, int64_t y1, int64_t y2) {
    uint64_t bit = (uint64_t)1 << (x - band->x);
    for (int64_t y = y1; y < y2; y++) band->rows[y] |= bit;
    if (y1 < band->y1) band->y1 = y1;
    if (y2 > band->y2) band->y2 = y2;
}

void mr_mask_spans(const mrcnn_mask *mask, uint64_t *rows, mr_span_visitor visit, void *context) {
    const int64_t height = mask->height;
    band band = {rows, -BAND, INT64_MAX, 0};
    int64_t position = 0;
    for (size_t i = 0; i < mask->count; i++) {
        int64_t end = position + mask->counts[i];
        while (i % 2 == 1 && position < end) {
            int64_t x = position / height, y1 = position % height;
            int64_t y2 = end - position < height - y1 ? y1 + (end - position) : height;
            if (x - band.x >= BAND) {
                flush(&band, visit, context);
                band.x = x;
            }
            add_column(&band, x, y1, y2);
            position += y2 - y1;
        }
        position = end;
    }
    flush(&band, visit, context);
}
