/* helper_labels.c - see helper_labels.h. */
#include "helper_labels.h"

#include "helper_assert.h"
#include "helper_cli.h"

#include "base/file.h"
#include "data/voc.h"
#include "image/label_png.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------- writing */

static int number_of(char c) {
    return c == '.' ? 0 : c <= '9' ? c - '0' : c - 'a' + 10;
}

static void measure(const char *drawing, int *height, int *width) {
    *width = (int)strcspn(drawing, "|");
    *height = ((int)strlen(drawing) + 1) / (*width + 1);
}

static char at(const char *drawing, int width, int y, int x) {
    return drawing[y * (width + 1) + x];
}

static void make_folders(const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_make_folder_of(path, &err) != MRCNN_OK) fail_msg("%s", err.message);
}

static void write_colors(const char *path, const char *drawing, const uint16_t *values) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {.channels = 3};
    measure(drawing, &image.height, &image.width);
    image.pixels = malloc((size_t)(image.height * image.width * 3));
    assert_non_null(image.pixels);
    for (int i = 0; i < image.height * image.width; i++) {
        int number = number_of(at(drawing, image.width, i / image.width, i % image.width));
        uint32_t color = mr_voc_color(values ? values[number] : number);
        for (int c = 0; c < 3; c++) image.pixels[3 * i + c] = (uint8_t)(color >> (16 - 8 * c));
    }
    if (mrcnn_image_write(&image, path, &err) != MRCNN_OK) fail_msg("%s", err.message);
    free(image.pixels);
}

void labels_write(const char *path, const char *drawing, const uint16_t *values, int bytes) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_labels labels = {.bytes = bytes};
    make_folders(path);
    if (bytes == 3) {
        write_colors(path, drawing, values);
        return;
    }
    measure(drawing, &labels.height, &labels.width);
    labels.pixels = malloc((size_t)(labels.height * labels.width * bytes));
    assert_non_null(labels.pixels);
    for (int i = 0; i < labels.height * labels.width; i++) {
        int number = number_of(at(drawing, labels.width, i / labels.width, i % labels.width));
        int value = values ? values[number] : number;
        labels.pixels[bytes * i] = (uint8_t)(bytes == 2 ? value >> 8 : value);
        labels.pixels[bytes * (i + 1) - 1] = (uint8_t)value;
    }
    if (mr_labels_write(&labels, path, &err) != MRCNN_OK) fail_msg("%s", err.message);
    mr_labels_free(&labels);
}

void labels_picture(const char *path, int width, int height) {
    make_folders(path);
    cli_picture(path, width, height);
}

void labels_text(const char *path, const char *text) {
    make_folders(path);
    cli_write(path, text);
}

/* ------------------------------------------------------------------------------------- reading */

static mrcnn_status open_set(mrcnn_dataset **set, const char *path, const char *subset,
                             const char *format, mrcnn_error *err) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.subset = subset;
    if (format) o.format = format;
    return mrcnn_dataset_open(set, path, &o, err);
}

mrcnn_dataset *labels_open(const char *path, const char *subset, const char *format) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    if (open_set(&set, path, subset, NULL, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_string_equal(mrcnn_dataset_format(set), format);
    return set;
}

void labels_expect_error(const char *path, const char *subset, const char *format,
                         const char *message) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    if (open_set(&set, path, subset, format, &err) == MRCNN_OK) fail_msg("%s: opened", path);
    assert_null(set);
    assert_contains(err.message, message);
}

enum { NOTES = 8000 };

static int note(void *user, const mrcnn_dataset_problem *p) {
    char *notes = user;
    size_t used = strlen(notes);
    snprintf(notes + used, NOTES - used, "%c %s %d %s\n",
             p->level == MRCNN_PROBLEM_ERROR ? 'E' : 'W', p->picture, (int)p->object, p->text);
    return 0;
}

void labels_expect_notes(const mrcnn_dataset *set, const char *notes) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_check_options o = mrcnn_dataset_check_options_default();
    mrcnn_dataset_summary *summary = NULL;
    char found[NOTES] = "";
    o.full = 1;
    o.report = note;
    o.user = found;
    if (mrcnn_dataset_check(set, &o, &summary, &err) != MRCNN_OK) fail_msg("%s", err.message);
    mrcnn_dataset_summary_free(&summary);
    assert_string_equal(found, notes);
}

void labels_expect_mask(const mrcnn_dataset *set, size_t index, size_t object, const char *drawing,
                        int class_id) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int height, width, id = 0;
    char drawn[1000] = "";
    measure(drawing, &height, &width);
    uint8_t *mask = malloc((size_t)(height * width));
    assert_non_null(mask);
    memset(mask, 7, (size_t)(height * width));
    if (mr_dataset_mask(set, index, object, height, width, mask, &id, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; drawing[i]; i++) drawn[i] = drawing[i];
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            size_t i = (size_t)(y * (width + 1) + x);
            assert_true(mask[y * width + x] <= 1);
            if (mask[y * width + x] != (drawing[i] != '.')) drawn[i] = '!';
        }
    free(mask);
    assert_string_equal(drawn, drawing);
    assert_int_equal(id, class_id);
}

/* ---------------------------------------------------------------------------------- converting */

static void list_loss(void *user, const char *what, size_t count) {
    char *losses = user;
    size_t used = strlen(losses);
    snprintf(losses + used, 1000 - used, "%zu %s\n", count, what);
}

mrcnn_status labels_convert(const mrcnn_dataset *set, const char *folder, const char *subset,
                            const char *format, char losses[1000], mrcnn_error *err) {
    mrcnn_dataset_write_options o = mrcnn_dataset_write_options_default();
    o.format = format;
    o.subset = subset;
    o.lost = list_loss;
    o.user = losses;
    losses[0] = 0;
    return mrcnn_dataset_write(set, folder, &o, NULL, err);
}

static void note_loss(void *user, const char *what) {
    char *lost = user;
    size_t used = strlen(lost);
    snprintf(lost + used, 1000 - used, "%s\n", what);
}

mr_writing labels_writing(const char *folder, const char *const *class_names, int class_count,
                          char lost[1000]) {
    return (mr_writing){.folder = folder,
                        .subset = "train",
                        .class_names = class_names,
                        .class_count = class_count,
                        .lose = note_loss,
                        .user = lost};
}

void labels_write_picture(const mr_dataset_writer *writer, mr_writing *w,
                          const mr_written_picture *picture) {
    assert_int_equal(writer->begin(w, NULL), MRCNN_OK);
    assert_int_equal(writer->add(w, picture, NULL), MRCNN_OK);
    assert_int_equal(writer->end(w, NULL), MRCNN_OK);
    writer->close(w);
}

mr_written_object *labels_dots(uint32_t count) {
    mr_written_object *objects = calloc(count, sizeof *objects + 3 * sizeof(uint32_t));
    assert_non_null(objects);
    uint32_t *runs = (uint32_t *)(objects + count);
    for (uint32_t i = 0; i < count; i++, runs += 3) {
        runs[0] = i;
        runs[1] = 1;
        runs[2] = count - 1 - i;
        objects[i].class_id = 1;
        objects[i].mask = (mrcnn_mask){1, (int32_t)count, 3, runs};
    }
    return objects;
}

static void expect_equal_masks(const mrcnn_dataset *a, const mrcnn_dataset *b, size_t index) {
    mrcnn_image image = {0};
    mr_masks masks[2];
    const mrcnn_dataset *const sets[] = {a, b};
    const mrcnn_picture *p = mrcnn_dataset_picture(a, index);
    assert_int_equal(p->object_count, mrcnn_dataset_picture(b, index)->object_count);
    assert_int_equal(mrcnn_dataset_read(a, index, &image, NULL), MRCNN_OK);
    size_t pixels = (size_t)image.height * (size_t)image.width;
    uint8_t *drawn = malloc(2 * pixels);
    assert_non_null(drawn);
    for (int i = 0; i < 2; i++)
        assert_int_equal(mr_masks_open(&masks[i], sets[i], index, image.height, image.width, NULL),
                         MRCNN_OK);
    for (size_t k = 0; k < p->object_count; k++) {
        int ids[2] = {0, 0};
        for (int i = 0; i < 2; i++)
            assert_int_equal(mr_masks_draw(&masks[i], k, drawn + (size_t)i * pixels, &ids[i], NULL),
                             MRCNN_OK);
        assert_string_equal(mrcnn_dataset_class_name(a, abs(ids[0])),
                            mrcnn_dataset_class_name(b, abs(ids[1])));
        assert_int_equal(ids[0] < 0, ids[1] < 0);
        assert_memory_equal(drawn, drawn + pixels, pixels);
    }
    for (int i = 0; i < 2; i++) mr_masks_close(&masks[i]);
    free(drawn);
    mrcnn_image_free(&image);
}

void labels_expect_equal(const mrcnn_dataset *a, const mrcnn_dataset *b) {
    assert_int_equal(mrcnn_dataset_count(a), mrcnn_dataset_count(b));
    for (size_t i = 0; i < mrcnn_dataset_count(a); i++) expect_equal_masks(a, b, i);
}
