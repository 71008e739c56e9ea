/* helper_set.c - see helper_set.h. */
#include "helper_assert.h"
#include "helper_set.h"

#include <stdlib.h>

static mrcnn_status try_open(mrcnn_dataset **set, const char *path, const char *subset,
                             mrcnn_error *err) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.subset = subset;
    *set = NULL;
    return mrcnn_dataset_open(set, path, &o, err);
}

mrcnn_dataset *set_open(const char *path, const char *subset) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set;
    if (try_open(&set, path, subset, &err) != MRCNN_OK) fail_msg("%s: %s", path, err.message);
    return set;
}

void set_expect_error(const char *path, const char *subset, const char *message) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set;
    if (try_open(&set, path, subset, &err) == MRCNN_OK) fail_msg("%s: opened", path);
    assert_null(set);
    assert_contains(err.message, message);
}

static int note(void *user, const mrcnn_dataset_problem *p) {
    char *notes = user;
    size_t used = strlen(notes);
    snprintf(notes + used, SET_NOTES - used, "%c %s %d %s\n",
             p->level == MRCNN_PROBLEM_ERROR ? 'E' : 'W', p->picture, (int)p->object, p->text);
    return 0;
}

void set_notes(const mrcnn_dataset *set, char notes[SET_NOTES]) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_check_options o = mrcnn_dataset_check_options_default();
    mrcnn_dataset_summary *summary = NULL;
    notes[0] = 0;
    o.full = 1;
    o.report = note;
    o.user = notes;
    if (mrcnn_dataset_check(set, &o, &summary, &err) != MRCNN_OK) fail_msg("%s", err.message);
    mrcnn_dataset_summary_free(&summary);
}

void set_expect_notes(mrcnn_dataset *set, const char *notes) {
    char found[SET_NOTES];
    set_notes(set, found);
    assert_string_equal(found, notes);
    mrcnn_dataset_free(&set);
}

int64_t set_area(const mrcnn_dataset *set, size_t index, size_t object, int height, int width,
                 int32_t *class_id) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_mask mask = {0};
    if (mrcnn_dataset_mask(set, index, object, height, width, &mask, class_id, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    int64_t area = mrcnn_mask_area(&mask);
    mrcnn_mask_free(&mask);
    return area;
}

void set_rows(const mrcnn_dataset *set, size_t index, size_t object, const int32_t box[4],
              char rows[1000]) {
    mrcnn_mask mask = {0};
    size_t used = 0;
    assert_int_equal(
        mrcnn_dataset_mask(set, index, object, box[2] + 5, box[3] + 5, &mask, NULL, NULL),
        MRCNN_OK);
    uint8_t *bytes = malloc((size_t)mask.height * (size_t)mask.width);
    assert_non_null(bytes);
    mrcnn_mask_to_bytes(&mask, bytes);
    for (int y = box[0]; y < box[2]; y++) {
        for (int x = box[1]; x < box[3]; x++) rows[used++] = bytes[y * mask.width + x] ? '#' : '.';
        rows[used++] = '|';
    }
    rows[used] = 0;
    free(bytes);
    mrcnn_mask_free(&mask);
}
