/* test_views_merge.c - what several views and tiles have found becomes one result: against a plain
 * reference, and against pictures whose objects are known. */
#include "helper_config.h"

#include "base/prng.h"
#include "image/mask.h"
#include "model/sightings.h"
#include "model/tiles.h"
#include "model/views.h"

#include <math.h>
#include <stdlib.h>

static mr_settings settings_of(const char *const *keys) {
    mrcnn_config *config = config_with(NULL, keys);
    mr_settings settings = *mr_config_settings(config);
    mrcnn_config_free(&config);
    return settings;
}
#define SETTINGS(...) settings_of((const char *const[]){__VA_ARGS__, NULL})

/* -------------------------------------------------------------------------------------- views */

enum { SIDE = 6, MOST = 60, VIEWS = 4 };

static void add(mr_sightings *s, mr_sighting it, const float *mask) {
    mr_spot_complete(&it.spot, SIDE);
    float *place = mr_sightings_add(s, &it);
    assert_non_null(place);
    memcpy(place, mask, SIDE * SIDE * sizeof *place);
}

/* Some objects, each seen by some of the views, about where it is. */
static mr_sightings random_sightings(uint64_t seed) {
    uint64_t stream = mr_prng_stream(seed, "sightings"), n = 0;
    mr_sightings s = {.side = SIDE};
    float mask[SIDE * SIDE];
    for (int object = 0; object < 9; object++) {
        int y = (int)(mr_prng_uniform(stream, n) * 60),
            x = (int)(mr_prng_uniform(stream, n + 1) * 60);
        int height = 10 + (int)(mr_prng_uniform(stream, n + 2) * 30);
        int width = 10 + (int)(mr_prng_uniform(stream, n + 3) * 30);
        n += 4;
        for (int32_t view = 0; view < VIEWS; view++) {
            if (mr_prng_uniform(stream, n++) < 0.3) continue;
            mr_sighting it = {.class_id = 1 + object % 2, .views = (uint64_t)1 << view};
            const int about[4] = {y, x, y + height, x + width};
            for (int k = 0; k < 4; k++)
                it.spot.box[k] = about[k] + (int32_t)(mr_prng_uniform(stream, n++) * 7) - 3;
            /* Of two decimals, so that some are equal. */
            it.score = (float)(ceil(mr_prng_uniform(stream, n++) * 20) / 20);
            for (int i = 0; i < SIDE * SIDE; i++) mask[i] = (float)mr_prng_uniform(stream, n++);
            add(&s, it, mask);
        }
    }
    assert_true(s.count > 10 && s.count < MOST);
    return s;
}

static double pixels_iou(const int32_t a[4], const int32_t b[4]) {
    int both = 0, either = 0;
    for (int y = -10; y < 150; y++)
        for (int x = -10; x < 150; x++) {
            int in_a = y >= a[0] && y < a[2] && x >= a[1] && x < a[3];
            int in_b = y >= b[0] && y < b[2] && x >= b[1] && x < b[3];
            both += in_a && in_b;
            either += in_a || in_b;
        }
    return (double)both / either;
}

/* A value of a mask (0 outside) at a pixel's place. */
static double value_at(const float *mask, const int32_t box[4], double y, double x) {
    double row = (y - box[0]) / (box[2] - box[0]) * SIDE - 0.5;
    double column = (x - box[1]) / (box[3] - box[1]) * SIDE - 0.5, sum = 0;
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++)
            sum += mask[r * SIDE + c] * fmax(0, 1 - fabs(row - r)) * fmax(0, 1 - fabs(column - c));
    return sum;
}

typedef struct plain_group {
    size_t members[VIEWS];
    int count, class_id, is_alive;
    uint64_t views;
    int32_t box[4];
    double score;
} plain_group;

static int better(const mr_sighting *items, size_t a, size_t b) {
    return items[a].score > items[b].score || (items[a].score == items[b].score && a < b);
}

/* The rule of sightings.h, step by step. Returns the groups in the order in which they began. */
static int plain_groups(plain_group *groups, const mr_sightings *s) {
    int count = 0, done[MOST] = {0};
    for (size_t step = 0; step < s->count; step++) {
        size_t next = MOST;
        for (size_t i = 0; i < s->count; i++)
            if (!done[i] && (next == MOST || better(s->items, i, next))) next = i;
        done[next] = 1;
        int best = -1;
        double best_iou = 0.5;
        for (int g = 0; g < count; g++) {
            int has_view = 0;
            for (int k = 0; k < groups[g].count; k++)
                has_view |= s->items[groups[g].members[k]].views == s->items[next].views;
            double iou =
                pixels_iou(s->items[groups[g].members[0]].spot.box, s->items[next].spot.box);
            if (has_view || groups[g].class_id != s->items[next].class_id || iou < best_iou ||
                (best >= 0 && iou == best_iou))
                continue;
            best = g;
            best_iou = iou;
        }
        if (best < 0) {
            best = count++;
            groups[best] = (plain_group){.class_id = s->items[next].class_id, .is_alive = 1};
        }
        groups[best].members[groups[best].count++] = next;
        groups[best].views |= s->items[next].views;
    }
    return count;
}

static void plain_means(plain_group *g, const mr_sightings *s) {
    double sums[4] = {0, 0, 0, 0}, scores = 0;
    for (int i = 0; i < g->count; i++) {
        const mr_sighting *it = &s->items[g->members[i]];
        scores += it->score;
        for (int k = 0; k < 4; k++) sums[k] += it->score * (double)it->spot.box[k];
    }
    for (int k = 0; k < 4; k++) g->box[k] = (int32_t)rint(sums[k] / scores);
    g->score = scores / VIEWS;
}

static void check_mask(const float *mask, const plain_group *g, const mr_sightings *s) {
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++) {
            double y = g->box[0] + (row + 0.5) / SIDE * (g->box[2] - g->box[0]);
            double x = g->box[1] + (column + 0.5) / SIDE * (g->box[3] - g->box[1]);
            double sum = 0, scores = 0;
            for (int i = 0; i < g->count; i++) {
                const mr_sighting *it = &s->items[g->members[i]];
                sum += it->score *
                       value_at(s->masks + g->members[i] * SIDE * SIDE, it->spot.box, y, x);
                scores += it->score;
            }
            if (g->count == 1)
                sum =
                    scores * s->masks[g->members[0] * SIDE * SIDE + (size_t)(row * SIDE + column)];
            assert_float_equal(mask[row * SIDE + column], sum / scores, 1e-5);
        }
}

static mrcnn_status merge(mr_sightings *merged, const mr_sightings *found, int views,
                          const mr_settings *settings) {
    float least = (float)settings->detection_min_confidence, confidence[3] = {least, least, least};
    mr_merging how = {settings, confidence, 250, 333, views};
    return mr_sightings_merge(merged, found, &how, NULL);
}

static int check_views(uint64_t seed, const mr_settings *settings) {
    mr_sightings found = random_sightings(seed), merged = {0};
    plain_group groups[MOST];
    int count = plain_groups(groups, &found), several = 0;
    for (int i = 0; i < count; i++) {
        plain_means(&groups[i], &found);
        groups[i].is_alive = (float)groups[i].score >= (float)settings->detection_min_confidence;
        several += groups[i].count > 1;
    }
    assert_int_equal(merge(&merged, &found, VIEWS, settings), MRCNN_OK);
    size_t next = 0;
    for (;;) { /* the best one that is left: either it is the next, or a better one hides it */
        int best = -1, hidden = 0;
        for (int i = 0; i < count; i++)
            if (groups[i].is_alive &&
                (best < 0 || (float)groups[i].score > (float)groups[best].score))
                best = i;
        if (best < 0) break;
        groups[best].is_alive = 0;
        for (size_t k = 0; k < next; k++)
            hidden |= merged.items[k].class_id == groups[best].class_id &&
                      (merged.items[k].views & groups[best].views) == 0 &&
                      pixels_iou(merged.items[k].spot.box, groups[best].box) >
                          settings->detection_nms_threshold;
        if (hidden) continue;
        assert_true(next < merged.count);
        assert_int_equal(merged.items[next].class_id, groups[best].class_id);
        assert_memory_equal(merged.items[next].spot.box, groups[best].box, sizeof groups[best].box);
        assert_true(merged.items[next].views == groups[best].views);
        assert_float_equal(merged.items[next].score, groups[best].score, 1e-6);
        check_mask(merged.masks + next++ * SIDE * SIDE, &groups[best], &found);
    }
    assert_int_equal(next, merged.count);
    mr_sightings_free(&found);
    mr_sightings_free(&merged);
    return several;
}

static void views_are_merged_by_the_rule(void **state) {
    (void)state;
    mr_settings loose = SETTINGS("DETECTION_MIN_CONFIDENCE", "0", "DETECTION_NMS_THRESHOLD", "0.9");
    mr_settings strict =
        SETTINGS("DETECTION_MIN_CONFIDENCE", "0.3", "DETECTION_NMS_THRESHOLD", "0.1");
    int several = 0;
    for (uint64_t seed = 0; seed < 25; seed++) {
        several += check_views(seed, &loose);
        check_views(seed, &strict);
    }
    assert_true(several > 100);
}

static void one_view_is_copied(void **state) {
    (void)state;
    mr_settings strict = SETTINGS("DETECTION_NMS_THRESHOLD", "0");
    mr_sightings found = random_sightings(3), merged = {0};
    assert_int_equal(merge(&merged, &found, 1, &strict), MRCNN_OK);
    assert_int_equal(merged.count, found.count);
    assert_memory_equal(merged.items, found.items, found.count * sizeof *found.items);
    assert_memory_equal(merged.masks, found.masks, found.count * SIDE * SIDE * sizeof(float));
    mr_sightings_free(&found);
    mr_sightings_free(&merged);
    for (int views = 1; views < 3; views++) { /* and nothing is nothing */
        mr_sightings none = {.side = SIDE};
        assert_int_equal(merge(&merged, &none, views, &strict), MRCNN_OK);
        assert_int_equal(merged.count, 0);
        mr_sightings_free(&merged);
    }
}

/* The same box and the same mask from every view: nothing is blurred. And scores of 0, of which there is
 * no mean. */
static void views_that_agree(void **state) {
    (void)state;
    for (int with_score = 0; with_score < 2; with_score++) {
        mr_settings s = SETTINGS("DETECTION_MIN_CONFIDENCE", "0");
        mr_sightings found = {.side = SIDE}, merged = {0};
        float mask[SIDE * SIDE];
        for (int i = 0; i < SIDE * SIDE; i++) mask[i] = (float)(i % 7 == 0);
        for (int32_t view = 0; view < VIEWS; view++)
            add(&found,
                (mr_sighting){
                    {.box = {3, 5, 40, 31}}, 1, with_score ? 0.5f : 0, (uint64_t)1 << view},
                mask);
        assert_int_equal(merge(&merged, &found, VIEWS, &s), MRCNN_OK);
        assert_int_equal(merged.count, 1);
        assert_memory_equal(merged.items[0].spot.box, found.items[0].spot.box,
                            sizeof found.items[0].spot.box);
        assert_memory_equal(merged.masks, mask, sizeof mask);
        assert_true(merged.items[0].score == (with_score ? 0.5f : 0));
        mr_sightings_free(&found);
        mr_sightings_free(&merged);
    }
}

/* -------------------------------------------------------------------------------------- tiles */

enum { HEIGHT = 250, WIDTH = 333 };

/* An object as a bitmap; what a perfect detector finds of it in a tile is what the tile shows. */
typedef struct object {
    uint8_t pixels[HEIGHT * WIDTH];
    int class_id;
} object;

static mrcnn_mask mask_of(const uint8_t *pixels) {
    mrcnn_mask mask;
    assert_int_equal(mrcnn_mask_from_bytes(&mask, pixels, HEIGHT, WIDTH, NULL), MRCNN_OK);
    return mask;
}

static void see(mr_tile_finds *finds, const object *o, size_t tile, float score) {
    static uint8_t seen[HEIGHT * WIDTH];
    const int32_t *t = finds->tiles[tile], far[4] = {0, 0, HEIGHT, WIDTH};
    int32_t box[4];
    memset(seen, 0, sizeof seen);
    for (int y = t[0]; y < t[2]; y++)
        memcpy(seen + y * WIDTH + t[1], o->pixels + y * WIDTH + t[1], (size_t)(t[3] - t[1]));
    mrcnn_mask mask = mask_of(seen);
    if (mrcnn_mask_area(&mask) == 0) {
        mrcnn_mask_free(&mask);
        return;
    }
    mr_mask_box(&mask, box);
    mr_tile_find find = {
        {box[0], box[1], box[2], box[3], o->class_id, score, "thing", mask}, tile, 0};
    for (int k = 0; k < 4; k++) find.is_cut |= t[k] != far[k] && box[k] == t[k];
    assert_int_equal(mr_tile_finds_add(finds, &find, NULL), MRCNN_OK);
}

static size_t tiles_of(const mr_settings *s, int32_t tiles[][4]) {
    size_t count = 0;
    for (int32_t i = 0; i < mr_tile_count(s, HEIGHT); i++)
        for (int32_t j = 0; j < mr_tile_count(s, WIDTH); j++, count++) {
            int32_t y[2], x[2];
            mr_tile_span(s, HEIGHT, i, y);
            mr_tile_span(s, WIDTH, j, x);
            const int32_t tile[4] = {y[0], x[0], y[1], x[1]};
            memcpy(tiles[count], tile, sizeof tile);
        }
    return count;
}

static int same_mask(const mrcnn_mask *a, const mrcnn_mask *b) {
    return a->count == b->count && memcmp(a->counts, b->counts, a->count * sizeof *a->counts) == 0;
}

/* Each object is found once, and whole. */
static void check_objects(const object *objects, size_t count, const mr_settings *s) {
    int32_t tiles[200][4], box[4];
    uint64_t stream = mr_prng_stream(1, "scores");
    mr_tile_finds finds = {.tiles = (const int32_t(*)[4])tiles, .height = HEIGHT, .width = WIDTH};
    mrcnn_result *result = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    finds.tile_count = tiles_of(s, tiles);
    assert_true(finds.tile_count > 4 && finds.tile_count < 200);
    for (size_t tile = 0; tile < finds.tile_count; tile++)
        for (size_t i = 0; i < count; i++)
            see(&finds, &objects[i], tile, (float)mr_prng_uniform(stream, tile * count + i));
    assert_true(finds.count > count);
    assert_int_equal(mr_tile_finds_merge(&result, &finds, s, &err), MRCNN_OK);
    assert_int_equal(result->count, count);
    assert_int_equal(result->height, HEIGHT);
    assert_int_equal(result->width, WIDTH);
    for (size_t i = 0; i < count; i++) {
        mrcnn_mask truth = mask_of(objects[i].pixels);
        size_t found = 0;
        for (size_t k = 0; k < count; k++) {
            const mrcnn_instance *it = &result->instances[k];
            assert_true(k == 0 || it->score <= it[-1].score);
            if (it->class_id != objects[i].class_id || !same_mask(&it->mask, &truth)) continue;
            mr_mask_box(&truth, box);
            assert_memory_equal(((int32_t[]){it->y1, it->x1, it->y2, it->x2}), box, sizeof box);
            found++;
        }
        assert_int_equal(found, 1);
        mrcnn_mask_free(&truth);
    }
    mrcnn_result_free(&result);
    mr_tile_finds_free(&finds);
}

static void draw_disc(object *o, int y, int x, int radius) {
    for (int dy = -radius; dy <= radius; dy++)
        for (int dx = -radius; dx <= radius; dx++)
            if (dy * dy + dx * dx <= radius * radius && y + dy >= 0 && y + dy < HEIGHT &&
                x + dx >= 0 && x + dx < WIDTH)
                o->pixels[(y + dy) * WIDTH + x + dx] = 1;
}

static void objects_across_borders_are_found_once(void **state) {
    (void)state;
    enum { STEP = 22, ROWS = HEIGHT / STEP, COLUMNS = WIDTH / STEP };
    object *objects = calloc(ROWS * COLUMNS, sizeof *objects);
    assert_non_null(objects);
    size_t count = 0;
    for (int i = 0; i < ROWS; i++) /* touching, of two classes, everywhere in the picture */
        for (int j = 0; j < COLUMNS; j++) {
            objects[count].class_id = 1 + (i + j) % 2;
            draw_disc(&objects[count++], i * STEP + STEP / 2, j * STEP + STEP / 2, STEP / 2);
        }
    mr_settings s =
        SETTINGS("TILE_SIZE", "100", "TILE_OVERLAP", "0.3", "DETECTION_MAX_INSTANCES", "1000");
    check_objects(objects, count, &s);
    s = SETTINGS("TILE_SIZE", "64", "TILE_OVERLAP", "0.5", "DETECTION_MAX_INSTANCES", "1000");
    check_objects(objects, count, &s);
    free(objects);
}

/* A ring around the whole picture and bars through it: no tile sees one whole. */
static void objects_larger_than_tiles_are_joined(void **state) {
    (void)state;
    object *objects = calloc(3, sizeof *objects);
    assert_non_null(objects);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            int edge = y < x ? y : x;
            if (HEIGHT - 1 - y < edge) edge = HEIGHT - 1 - y;
            if (WIDTH - 1 - x < edge) edge = WIDTH - 1 - x;
            objects[0].pixels[y * WIDTH + x] = edge >= 10 && edge < 30;
            objects[1].pixels[y * WIDTH + x] = y >= 100 && y < 130;
            objects[2].pixels[y * WIDTH + x] = x >= 160 && x < 180;
        }
    for (int i = 0; i < 3; i++) objects[i].class_id = 1 + i;
    mr_settings s =
        SETTINGS("TILE_SIZE", "100", "TILE_OVERLAP", "0.25", "DETECTION_NMS_THRESHOLD", "1");
    check_objects(objects, 3, &s);
    free(objects);
}

static void add_box(mr_tile_finds *finds, size_t tile, const int32_t box[4], int class_id,
                    float score) {
    static uint8_t pixels[HEIGHT * WIDTH];
    memset(pixels, 0, sizeof pixels);
    for (int y = box[0]; y < box[2]; y++)
        for (int x = box[1]; x < box[3]; x++) pixels[y * WIDTH + x] = 1;
    mr_tile_find find = {
        {box[0], box[1], box[2], box[3], class_id, score, "thing", mask_of(pixels)}, tile, 0};
    assert_int_equal(mr_tile_finds_add(finds, &find, NULL), MRCNN_OK);
}

/* What one tile tells apart stays apart; classes don't meet; the limit holds for all tiles together. */
static void tiles_of_their_own(void **state) {
    (void)state;
    static const int32_t tiles[2][4] = {{0, 0, HEIGHT, 200}, {0, 100, HEIGHT, WIDTH}};
    static const int32_t box[4] = {20, 120, 60, 180}, near[4] = {20, 125, 62, 180};
    mr_settings s = SETTINGS("DETECTION_NMS_THRESHOLD", "0.3");
    for (int limit = 1; limit < 5; limit++) {
        mr_tile_finds finds = {.tiles = tiles, .tile_count = 2, .height = HEIGHT, .width = WIDTH};
        mrcnn_result *result = NULL;
        add_box(&finds, 0, box, 1, 0.5f);
        add_box(&finds, 0, near, 1, 0.4f); /* NMS of the tile let it pass */
        add_box(&finds, 1, near, 2, 0.9f);
        add_box(&finds, 1, near, 1, 0.3f);
        s.detection_max_instances = limit;
        assert_int_equal(mr_tile_finds_merge(&result, &finds, &s, NULL), MRCNN_OK);
        assert_int_equal(result->count, limit < 3 ? limit : 3);
        static const float scores[3] = {0.9f, 0.5f, 0.4f};
        for (size_t i = 0; i < result->count; i++)
            assert_true(result->instances[i].score == scores[i]);
        mrcnn_result_free(&result);
        mr_tile_finds_free(&finds);
    }
    mr_tile_finds none = {.tiles = tiles, .tile_count = 2, .height = HEIGHT, .width = WIDTH};
    mrcnn_result *result = NULL;
    assert_int_equal(mr_tile_finds_merge(&result, &none, &s, NULL), MRCNN_OK);
    assert_int_equal(result->count, 0);
    mrcnn_result_free(&result);
}

/* -------------------------------------------------------------------------------------- masks */

static void unions_and_areas(void **state) {
    (void)state;
    enum { H = 11, W = 13 };
    for (uint64_t seed = 0; seed < 60; seed++) {
        uint64_t stream = mr_prng_stream(seed, "pixels");
        uint8_t a[H * W], b[H * W], both[H * W], made[H * W];
        double share = seed % 3 == 0 ? 0.1 : 0.6;
        for (int i = 0; i < H * W; i++) {
            a[i] = mr_prng_uniform(stream, 2 * (uint64_t)i) < share;
            b[i] = seed % 7 && mr_prng_uniform(stream, 2 * (uint64_t)i + 1) < share;
            both[i] = a[i] || b[i];
        }
        mrcnn_mask x, y, sum, truth;
        assert_int_equal(mrcnn_mask_from_bytes(&x, a, H, W, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_mask_from_bytes(&y, b, H, W, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_mask_from_bytes(&truth, both, H, W, NULL), MRCNN_OK);
        assert_int_equal(mr_mask_unite(&sum, &x, &y, NULL), MRCNN_OK);
        mrcnn_mask_to_bytes(&sum, made);
        assert_memory_equal(made, both, sizeof both);
        assert_true(same_mask(&sum, &truth));
        for (int32_t top = 0; top < H; top++)
            for (int32_t left = 0; left < W; left++) {
                const int32_t box[4] = {top, left, top + (H - top + 1) / 2,
                                        left + (W - left + 1) / 2};
                uint64_t area = 0;
                for (int32_t r = box[0]; r < box[2]; r++)
                    for (int32_t c = box[1]; c < box[3]; c++) area += a[r * W + c];
                assert_int_equal(mr_mask_area_in(&x, box), area);
            }
        mrcnn_mask_free(&x);
        mrcnn_mask_free(&y);
        mrcnn_mask_free(&sum);
        mrcnn_mask_free(&truth);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_merged_by_the_rule),
        cmocka_unit_test(one_view_is_copied),
        cmocka_unit_test(views_that_agree),
        cmocka_unit_test(objects_across_borders_are_found_once),
        cmocka_unit_test(objects_larger_than_tiles_are_joined),
        cmocka_unit_test(tiles_of_their_own),
        cmocka_unit_test(unions_and_areas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
