/* save.c - see save.h. */
#include "save.h"

#include "message.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int fail_save(const mrcnn_error *err) {
    message("%s", err->message);
    return -1;
}

static char *output_path(const finding *found, const char *ending) {
    char *name = text_format("%s%s", found->in->stem, ending);
    char *path = path_join(found->folder, name);
    free(name);
    return path;
}

/* ---------------------------------------------------------------------------- drawn pictures */

static int write_drawn(const finding *found, mrcnn_image *drawn, const char *what) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char *ending = text_format("_%s%s", what, found->extension);
    char *path = output_path(found, ending);
    mrcnn_status status = mrcnn_image_write(drawn, path, &err);
    mrcnn_image_free(drawn);
    free(path);
    free(ending);
    return status == MRCNN_OK ? 0 : fail_save(&err);
}

int overlay_has_lines(void) {
    for (size_t i = 0;; i++) {
        mrcnn_build_item item = mrcnn_build_info(i);
        if (!item.name) return 0;
        if (strcmp(item.name, "cairo") == 0) return strcmp(item.value, "not built in") != 0;
    }
}

mrcnn_draw_options overlay_drawing(const overlay_options *options) {
    mrcnn_draw_options how = mrcnn_draw_options_default();
    int lines = overlay_has_lines();
    unsigned draw = options->draw ? options->draw : ~0u;
    how.color_by_instance = !options->color_by_class;
    how.masks = (draw & DRAW_MASKS) != 0;
    how.contours = lines && (draw & DRAW_CONTOURS);
    how.boxes = lines && (draw & DRAW_BOXES);
    how.captions = lines && (draw & DRAW_CAPTIONS);
    return how;
}

/* A hundred nuclei with a caption each: nothing would be seen of the picture. */
static int captions_would_hide(const finding *found) {
    enum { CAPTION_AREA = 80 * 15, MOST_OF_IT = 4 }; /* pixels; a quarter of the picture */
    int64_t area = (int64_t)found->image->width * found->image->height;
    return (int64_t)found->result->count * CAPTION_AREA > area / MOST_OF_IT;
}

int save_overlay(const finding *found, const overlay_options *options) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_draw_options how = overlay_drawing(options);
    if (!options->draw && captions_would_hide(found)) how.captions = 0;
    mrcnn_image drawn = {0};
    if (mrcnn_draw_instances(&drawn, found->image, found->result, &how, &err) != MRCNN_OK)
        return fail_save(&err);
    return write_drawn(found, &drawn, "overlay");
}

int save_splash(const finding *found) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image drawn = {0};
    if (mrcnn_color_splash(&drawn, found->image, found->result, &err) != MRCNN_OK)
        return fail_save(&err);
    return write_drawn(found, &drawn, "splash");
}

/* ------------------------------------------------------------------------------------- masks */

/* A class name as part of a file name: what shells and file systems mind becomes '_'. */
static char *file_word(const char *name) {
    char *word = text_copy(name);
    for (char *c = word; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < 0x80 && !isalnum(byte) && byte != '-' && byte != '.') *c = '_';
    }
    return word;
}

/* Pixels of the mask as white on black. */
static int write_mask(const mrcnn_mask *mask, uint8_t *bytes, const mrcnn_image *canvas,
                      const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    size_t count = (size_t)mask->height * (size_t)mask->width;
    mrcnn_mask_to_bytes(mask, bytes);
    for (size_t i = 0; i < count; i++) memset(canvas->pixels + 3 * i, bytes[i] ? 255 : 0, 3);
    return mrcnn_image_write(canvas, path, &err) == MRCNN_OK ? 0 : fail_save(&err);
}

static int write_masks(const finding *found, const char *folder) {
    const mrcnn_result *result = found->result;
    size_t pixels = (size_t)result->height * (size_t)result->width;
    uint8_t *bytes = text_grow(NULL, pixels, 1);
    mrcnn_image canvas = {result->width, result->height, 3, text_grow(NULL, pixels, 3)};
    int failed = 0, digits = result->count < 100 ? 2 : result->count < 1000 ? 3 : 9;
    for (size_t i = 0; i < result->count && !failed; i++) {
        char *word = file_word(result->instances[i].class_name);
        char *name = text_format("%0*zu_%s.png", digits, i + 1, word);
        char *path = path_join(folder, name);
        failed = write_mask(&result->instances[i].mask, bytes, &canvas, path);
        free(path);
        free(name);
        free(word);
    }
    free(canvas.pixels);
    free(bytes);
    return failed;
}

int save_masks(const finding *found) {
    char *folder = output_path(found, "_masks");
    int failed = make_folders(folder);
    if (!failed) failed = write_masks(found, folder);
    free(folder);
    return failed;
}

/* ----------------------------------------------------------------------------------- LabelMe */

static void put_points(json *out, const mrcnn_polygon *polygon) {
    json_key(out, "points");
    json_begin(out, '[');
    for (size_t i = 0; i < polygon->count; i++) {
        json_begin(out, '[');
        json_real(out, polygon->xy[2 * i], 9);
        json_real(out, polygon->xy[2 * i + 1], 9);
        json_end(out, ']');
    }
    json_end(out, ']');
}

static void put_shape(json *out, const mrcnn_instance *it, const mrcnn_polygon *polygon,
                      int64_t group) {
    char score[32];
    snprintf(score, sizeof score, "score %.4f", it->score);
    json_begin(out, '{');
    json_key(out, "label");
    json_text(out, it->class_name);
    put_points(out, polygon);
    json_key(out, "group_id");
    if (group)
        json_integer(out, group);
    else
        json_null(out);
    json_key(out, "description");
    json_text(out, score);
    json_key(out, "shape_type");
    json_text(out, "polygon");
    json_key(out, "flags");
    json_begin(out, '{');
    json_end(out, '}');
    json_end(out, '}');
}

/* LabelMe has no holes: only outer outlines are written. Parts of one object share a group. */
static int put_shapes(json *out, const mrcnn_result *result) {
    enum { FEWEST_POINTS = 3 };
    const double tolerance = 0.5;
    for (size_t i = 0; i < result->count; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_polygons polygons = {0};
        const mrcnn_instance *it = &result->instances[i];
        if (mrcnn_mask_polygons(&polygons, &it->mask, tolerance, &err) != MRCNN_OK)
            return fail_save(&err);
        size_t parts = 0;
        for (size_t p = 0; p < polygons.count; p++) parts += !polygons.polygons[p].hole;
        for (size_t p = 0; p < polygons.count; p++)
            if (!polygons.polygons[p].hole && polygons.polygons[p].count >= FEWEST_POINTS)
                put_shape(out, it, &polygons.polygons[p], parts > 1 ? (int64_t)i + 1 : 0);
        mrcnn_polygons_free(&polygons);
    }
    return 0;
}

static int put_labelme(json *out, const finding *found) {
    char *where =
        found->in->path ? path_from(found->folder, found->in->path) : text_copy(found->in->name);
    json_begin(out, '{');
    json_key(out, "version");
    json_text(out, "5.0.1");
    json_key(out, "flags");
    json_begin(out, '{');
    json_end(out, '}');
    json_key(out, "shapes");
    json_begin(out, '[');
    int failed = put_shapes(out, found->result);
    json_end(out, ']');
    json_key(out, "imagePath");
    json_text(out, where);
    json_key(out, "imageData");
    json_null(out);
    json_key(out, "imageHeight");
    json_integer(out, found->result->height);
    json_key(out, "imageWidth");
    json_integer(out, found->result->width);
    json_end(out, '}');
    free(where);
    return failed;
}

int save_labelme(const finding *found) {
    new_file file;
    char *path = output_path(found, ".json");
    int failed = new_file_open(&file, path);
    free(path);
    if (failed) return failed;
    json out = {file.stream, 0, 0, 0, 2};
    failed = put_labelme(&out, found);
    if (!failed) return new_file_commit(&file);
    new_file_abandon(&file);
    return failed;
}

/* -------------------------------------------------------------------------------------- COCO */

/* COCO numbers its categories to 90 and uses 80 of the numbers; these it left out. */
static int coco_category(int class_id) {
    static const int unused[] = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83};
    int category = class_id;
    for (size_t i = 0; i < sizeof unused / sizeof *unused && unused[i] <= category; i++) category++;
    return category;
}

int has_coco_classes(const mrcnn_model *model) {
    static const struct {
        int class_id;
        const char *name;
    } some[] = {{1, "person"},        {12, "stop sign"}, {25, "umbrella"}, {40, "wine glass"},
                {61, "dining table"}, {63, "tv"},        {74, "book"},     {80, "toothbrush"}};
    if (mrcnn_model_class_count(model) != 81) return 0;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (strcmp(mrcnn_model_class_name(model, some[i].class_id), some[i].name) != 0) return 0;
    return 1;
}

int coco_open(coco_file *coco, const char *folder, int coco_ids) {
    char *path = path_join(folder, "detections.json");
    int failed = new_file_open(&coco->file, path);
    free(path);
    if (failed) return failed;
    json out = {coco->file.stream, 0, 0, 0, 1};
    coco->out = out;
    coco->coco_ids = coco_ids;
    json_begin(&coco->out, '[');
    return 0;
}

static void put_box(json *out, const mrcnn_instance *it) {
    json_key(out, "bbox");
    json_begin(out, '[');
    json_integer(out, it->x1);
    json_integer(out, it->y1);
    json_integer(out, (int64_t)it->x2 - it->x1);
    json_integer(out, (int64_t)it->y2 - it->y1);
    json_end(out, ']');
}

static void put_segmentation(json *out, const mrcnn_mask *mask) {
    size_t length = mrcnn_mask_to_string(mask, NULL, 0);
    char *counts = text_grow(NULL, length + 1, 1);
    mrcnn_mask_to_string(mask, counts, length + 1);
    json_key(out, "segmentation");
    json_begin(out, '{');
    json_key(out, "size");
    json_begin(out, '[');
    json_integer(out, mask->height);
    json_integer(out, mask->width);
    json_end(out, ']');
    json_key(out, "counts");
    json_text(out, counts);
    json_end(out, '}');
    free(counts);
}

void put_instance(json *out, const mrcnn_instance *it, int coco_ids) {
    json_key(out, "category_id");
    json_integer(out, coco_ids ? coco_category(it->class_id) : it->class_id);
    json_key(out, "category_name");
    json_text(out, it->class_name);
    put_box(out, it);
    json_key(out, "score");
    json_real(out, it->score, 9);
    put_segmentation(out, &it->mask);
}

static void put_detection(coco_file *coco, const input *in, const mrcnn_instance *it) {
    json *out = &coco->out;
    json_begin(out, '{');
    json_key(out, "image_id");
    json_integer(out, in->id);
    json_key(out, "file_name");
    json_text(out, in->name);
    put_instance(out, it, coco->coco_ids);
    json_end(out, '}');
}

int coco_add(coco_file *coco, const finding *found) {
    for (size_t i = 0; i < found->result->count; i++)
        put_detection(coco, found->in, &found->result->instances[i]);
    if (!ferror(coco->file.stream)) return 0;
    message("%s: can't write it; is the disk full?", coco->file.path);
    return -1;
}

int coco_close(coco_file *coco) {
    json_end(&coco->out, ']');
    return new_file_commit(&coco->file);
}
