/* helper_coco.c - see helper_coco.h. */
#include "helper_coco.h"

#include "helper_cli.h"

#include <stdlib.h>
#include <sys/stat.h>

int coco_enter(void **state) {
    cli_enter(state);
    mkdir("set", 0777);
    cli_picture("set/a.png", 40, 30);
    cli_picture("set/b.png", 20, 20);
    return 0;
}

void coco_write(const char *path, const char *text) {
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    cli_write(path, copy);
    free(copy);
}

void coco_set(const char *images, const char *annotations, const char *categories) {
    static const char usual_images[] = "{'id':1,'file_name':'a.png','width':40,'height':30},"
                                       "{'id':2,'file_name':'b.png','width':20,'height':20}";
    static const char usual_categories[] = "{'id':3,'name':'dog'},{'id':1,'name':'cat'}";
    size_t room = strlen(annotations) + 4000;
    char *text = malloc(room);
    assert_non_null(text);
    int length = snprintf(text, room, "{'images':[%s],'annotations':[%s],'categories':[%s]}",
                          images ? images : usual_images, annotations,
                          categories ? categories : usual_categories);
    assert_true(length > 0 && (size_t)length < room);
    coco_write("set/coco.json", text);
    free(text);
}

mrcnn_dataset *coco_open(const char *path, const mrcnn_dataset_options *options) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    if (mrcnn_dataset_open(&set, path, options, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_string_equal(mrcnn_dataset_format(set), "coco");
    return set;
}

void coco_refused(const char *path, const mrcnn_dataset_options *options, const char *message) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    if (mrcnn_dataset_open(&set, path, options, &err) == MRCNN_OK) fail_msg("%s: opened", path);
    assert_null(set);
    assert_contains(err.message, message);
}

static int note(void *user, const mrcnn_dataset_problem *p) {
    coco_notes *n = user;
    size_t used = strlen(n->text);
    snprintf(n->text + used, sizeof n->text - used, "%c %s %d %s\n",
             p->level == MRCNN_PROBLEM_ERROR ? 'E' : 'W', p->picture, (int)p->object, p->text);
    n->count++;
    return 0;
}

mrcnn_dataset_summary *coco_check(const mrcnn_dataset *set, int full, coco_notes *notes) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_check_options o = mrcnn_dataset_check_options_default();
    mrcnn_dataset_summary *summary = NULL;
    memset(notes, 0, sizeof *notes);
    o.full = full;
    o.report = note;
    o.user = notes;
    if (mrcnn_dataset_check(set, &o, &summary, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return summary;
}

void coco_expect(const char *annotations, const char *expected) {
    static coco_notes notes;
    coco_set(NULL, annotations, NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    mrcnn_dataset_summary *summary = coco_check(set, 0, &notes);
    assert_string_equal(notes.text, expected);
    mrcnn_dataset_summary_free(&summary);
    mrcnn_dataset_free(&set);
}

size_t coco_area(const mrcnn_dataset *set, size_t index, size_t object, int height, int width,
                 int *class_id) {
    static uint8_t mask[64 * 64];
    mrcnn_error err = MRCNN_ERROR_INIT;
    size_t sum = 0;
    assert_true(height * width <= (int)sizeof mask);
    if (mr_dataset_mask(set, index, object, height, width, mask, class_id, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < height * width; i++) sum += mask[i];
    return sum;
}
