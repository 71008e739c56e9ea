/* test_data_roundtrip.c - every format that can be written is read again: the same pictures, classes
 * and masks, pixel by pixel, holes, parts, single pixels and whole pictures included. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "base/prng.h"
#include "data/writer.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { PICTURES = 4, HEIGHT = 37, WIDTH = 53, PIXELS = HEIGHT * WIDTH, OBJECTS = 5 };
static const char *const class_names[] = {"BG", "cat", "dog", "traffic light", NULL};
static const char *const files[PICTURES] = {"a.png", "b.png", "c.png", "d.png"};

/* Which object has the pixel, 0 for none: noise; squares with holes; one object everywhere; single
 * pixels and lines. Each pixel has one, as label pictures know no more. */
static int object_at(int picture, int x, int y) {
    switch (picture) {
    case 0:
        return (int)(mr_prng_uniform(3, (uint64_t)(y * WIDTH + x)) * (OBJECTS + 2)) % (OBJECTS + 1);
    case 1: {
        int ring = x < y ? x : y;
        if (WIDTH - 1 - x < ring) ring = WIDTH - 1 - x;
        if (HEIGHT - 1 - y < ring) ring = HEIGHT - 1 - y;
        return ring / 2 % (OBJECTS + 1);
    }
    case 2: return 1;
    default:
        if (x == 5 && y == 7) return 1;
        if (x == WIDTH - 1 && y == HEIGHT - 1) return 2;
        if (x == 20) return 3;
        if (y == 0) return 4;
        return x - y == 25 ? OBJECTS : 0;
    }
}

static int class_of(int picture, int object) {
    return 1 + (picture + object) % 3;
}

static int mask_of(uint8_t mask[PIXELS], int picture, int object) {
    int any = 0;
    for (int i = 0; i < PIXELS; i++)
        any |= mask[i] = object_at(picture, i % WIDTH, i / WIDTH) == object;
    return any;
}

/* Any mask can be said with a polygon. */
static void write_region(FILE *file, const uint8_t *bytes, int class_id) {
    mrcnn_mask mask = {0};
    mr_polygon_list list = {MR_RULE_NONE, 0, NULL, NULL};
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, HEIGHT, WIDTH, NULL), MRCNN_OK);
    assert_int_equal(mr_mask_to_polygon(&mask, &list, NULL), MRCNN_OK);
    fputs("{\"shape_attributes\":{\"name\":\"polygon\"", file);
    for (int axis = 0; axis < 2; axis++) {
        fprintf(file, ",\"all_points_%c\":[", "xy"[axis]);
        for (size_t i = 0; i < list.points[0]; i++)
            fprintf(file, "%s%g", i ? "," : "", list.xy[2 * i + (size_t)axis]);
        fputc(']', file);
    }
    fprintf(file, "},\"region_attributes\":{\"class\":\"%s\"}}", class_names[class_id]);
    mr_polygon_list_free(&list);
    mrcnn_mask_free(&mask);
}

static int enter(void **state) {
    uint8_t mask[PIXELS];
    cli_enter(state);
    mkdir("set", 0777);
    FILE *file = fopen("set/via_region_data.json", "w");
    assert_non_null(file);
    for (int p = 0; p < PICTURES; p++) {
        char path[64];
        const char *comma = "";
        snprintf(path, sizeof path, "set/%s", files[p]);
        cli_picture(path, WIDTH, HEIGHT);
        fprintf(file, "%s\"%d\":{\"filename\":\"%s\",\"regions\":[", p ? "," : "{", p, files[p]);
        for (int k = 1; k <= OBJECTS; k++) {
            if (!mask_of(mask, p, k)) continue;
            fputs(comma, file);
            write_region(file, mask, class_of(p, k));
            comma = ",";
        }
        fputs("]}", file);
    }
    fputc('}', file);
    fclose(file);
    return 0;
}

static mrcnn_dataset *open_set(const char *path, const char *format, const char *subset) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.format = format;
    options.subset = subset;
    options.class_names = class_names;
    if (mrcnn_dataset_open(&set, path, &options, &err) != MRCNN_OK)
        fail_msg("%s: %s", format, err.message);
    return set;
}

/* Objects may come in any order: how many of the picture have this mask and class? */
static size_t count_equal(const mrcnn_dataset *set, size_t picture, const uint8_t *bytes,
                          int class_id) {
    size_t count = 0;
    for (size_t k = 0; k < mrcnn_dataset_picture(set, picture)->object_count; k++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_mask mask = {0};
        uint8_t again[PIXELS];
        int32_t id = 0;
        if (mrcnn_dataset_mask(set, picture, k, HEIGHT, WIDTH, &mask, &id, &err) != MRCNN_OK)
            fail_msg("%s", err.message);
        mrcnn_mask_to_bytes(&mask, again);
        count += id == class_id && memcmp(bytes, again, PIXELS) == 0;
        mrcnn_mask_free(&mask);
    }
    return count;
}

static size_t find_picture(const mrcnn_dataset *set, const char *file) {
    size_t stem = strcspn(file, ".");
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++) {
        const char *id = mrcnn_dataset_picture(set, i)->id, *slash = strrchr(id, '/');
        if (strncmp(slash ? slash + 1 : id, file, stem) == 0) return i;
    }
    fail_msg("%s: %s is not there", mrcnn_dataset_format(set), file);
    return 0;
}

static void check_set(const mrcnn_dataset *set, const char *what) {
    assert_int_equal(mrcnn_dataset_count(set), PICTURES);
    for (int p = 0; p < PICTURES; p++) {
        uint8_t mask[PIXELS];
        size_t index = find_picture(set, files[p]), objects = 0;
        for (int k = 1; k <= OBJECTS; k++) {
            if (!mask_of(mask, p, k)) continue;
            objects++;
            if (count_equal(set, index, mask, class_of(p, k)) != 1)
                fail_msg("%s: %s: object %d is not the same", what, files[p], k);
        }
        assert_int_equal(mrcnn_dataset_picture(set, index)->object_count, objects);
    }
}

static void fail_lost(void *user, const char *what, size_t count) {
    fail_msg("%s: %s is lost %zu times", (const char *)user, what, count);
}

static void test_every_format(void **state) {
    (void)state;
    mrcnn_dataset *set = open_set("set", "via", NULL);
    check_set(set, "source");
    for (size_t i = 0; mrcnn_dataset_writer(i); i++) {
        const char *format = mrcnn_dataset_writer(i);
        for (int polygons = 0; polygons < 2; polygons++) {
            mrcnn_error err = MRCNN_ERROR_INIT;
            mrcnn_dataset_write_options options = mrcnn_dataset_write_options_default();
            char folder[64];
            snprintf(folder, sizeof folder, "%s%d", format, polygons);
            options.format = format;
            options.subset = "val";
            options.polygons = polygons;
            options.lost = fail_lost;
            options.user = folder;
            if (mrcnn_dataset_write(set, folder, &options, NULL, &err) != MRCNN_OK)
                fail_msg("%s: %s", format, err.message);
            /* Found by itself, as what it is. */
            mrcnn_dataset *again = open_set(folder, "auto", "val");
            assert_string_equal(mrcnn_dataset_format(again), format);
            if (!polygons) check_set(again, format);
            mrcnn_dataset_free(&again);
        }
    }
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_format)};
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
