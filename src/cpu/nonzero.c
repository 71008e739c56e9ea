/* nonzero.c - see nonzero.h. */
#include "cpu/nonzero.h"

#include "base/parallel.h"

enum { TILE = 4 };

typedef struct mark_job {
    const float *rows;
    size_t channels;
    uint8_t *marks;
} mark_job;

static void mark(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mark_job *job = context;
    for (size_t i = begin; i < end; i++) {
        const float *row = job->rows + i * job->channels;
        size_t c = 0;
        while (c < job->channels && row[c] == 0) c++;
        job->marks[i] = c < job->channels;
    }
}

void mr_mark_nonzero(const float *rows, size_t count, size_t channels, uint8_t *marks,
                     int threads) {
    mark_job job = {rows, channels, marks};
    mr_parallel(threads, count, mark, &job);
}

size_t mr_list_marked(const uint8_t *marks, size_t count, int32_t *index) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (marks[i]) index[found++] = (int32_t)i;
    return found;
}

/* Whether rows [top, bottom) x columns [left, right) of a map, as far as they are in it, have one. */
static int has_mark(const uint8_t *map, int h, int w, int top, int left, int bottom, int right) {
    if (top < 0) top = 0;
    if (left < 0) left = 0;
    if (bottom > h) bottom = h;
    if (right > w) right = w;
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
            if (map[(size_t)y * (size_t)w + (size_t)x]) return 1;
    return 0;
}

size_t mr_list_tiles(const uint8_t *marks, int n, int h, int w, int reach, int32_t *index) {
    size_t found = 0;
    int32_t tile = 0;
    for (int i = 0; i < n; i++, marks += (size_t)h * (size_t)w)
        for (int y = 0; y < h; y += TILE)
            for (int x = 0; x < w; x += TILE, tile++)
                if (has_mark(marks, h, w, y - reach, x - reach, y + TILE + reach, x + TILE + reach))
                    index[found++] = tile;
    return found;
}
