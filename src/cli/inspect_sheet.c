/* inspect_sheet.c - mrcnn inspect data --augment: a contact sheet of what training would see. A row is
 * a picture: first as validation sees it, then draw after draw, objects drawn over it. */
#include "inspect.h"
#include "model.h"
#include "progress.h"
#include "save.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CELL = 320 };

static int divide_up(int a, int b) {
    return (a + b - 1) / b;
}

static int is_value(const mrcnn_config *config, const char *key, const char *value) {
    return strcmp(mrcnn_config_get(config, key), value) == 0;
}

/* Frames of one size fill their cells. */
static int choose_cell(const mrcnn_config *config) {
    if (!is_value(config, "IMAGE_RESIZE_MODE", "square") &&
        !is_value(config, "IMAGE_RESIZE_MODE", "crop"))
        return MOST_CELL;
    const char *shape = mrcnn_config_get(config, "IMAGE_SHAPE"); /* "[1024, 1024, 3]" */
    int side = (int)strtol(shape + 1, NULL, 10);
    return side < 1 ? MOST_CELL : divide_up(side, divide_up(side, MOST_CELL));
}

static int draw_sample(mrcnn_sheet *sheet, const mrcnn_image *image, const mrcnn_result *result) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_draw_options options = mrcnn_draw_options_default();
    mrcnn_image drawn = {0};
    options.captions = 0;
    options.alpha = 0.3;
    if (!overlay_has_lines()) options.contours = options.boxes = 0;
    mrcnn_status status = mrcnn_draw_instances(&drawn, image, result, &options, &err);
    if (status == MRCNN_OK) status = mrcnn_sheet_add(sheet, &drawn, NULL, &err);
    mrcnn_image_free(&drawn);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* A picture with nothing to learn from leaves its cell empty. */
static int add_sample(mrcnn_sheet *sheet, const mrcnn_dataset *set, const mrcnn_config *config,
                      size_t picture, int64_t number) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    mrcnn_result *result = NULL;
    int code = EXIT_DONE;
    mrcnn_status status = mrcnn_dataset_sample(set, config, picture, number, &image, &result, &err);
    if (status == MRCNN_OK && !result) status = mrcnn_sheet_add(sheet, NULL, NULL, &err);
    if (status != MRCNN_OK)
        code = fail_with(&err);
    else if (result)
        code = draw_sample(sheet, &image, result);
    mrcnn_image_free(&image);
    mrcnn_result_free(&result);
    return code;
}

static void warn_of_sameness(const mrcnn_config *config) {
    if (is_value(config, "AUGMENTATION", "none") && is_value(config, "MOSAIC", "0") &&
        is_value(config, "HORIZONTAL_FLIP", "0") && !is_value(config, "IMAGE_RESIZE_MODE", "crop"))
        message("nothing is drawn at random: AUGMENTATION is none; choose it by --preset, --config "
                "or --set");
}

int draw_sheet(const mrcnn_dataset *set, const mrcnn_config *config, const size_t *indices,
               int rows, int draws, mrcnn_image *image) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_sheet *sheet = NULL;
    if (mrcnn_sheet_create(&sheet, draws + 1, choose_cell(config), &err) != MRCNN_OK)
        return fail_with(&err);
    int code = EXIT_DONE;
    progress_start("drawing", PROGRESS_ITEMS);
    for (int row = 0; row < rows && code == EXIT_DONE; row++) {
        for (int column = 0; column <= draws && code == EXIT_DONE; column++) {
            int64_t number = column == 0 ? -1 : (int64_t)(column - 1) * rows + row;
            code = add_sample(sheet, set, config, indices[row], number);
        }
        progress_show((uint64_t)row + 1, (uint64_t)rows);
    }
    progress_end();
    if (code == EXIT_DONE && mrcnn_sheet_image(sheet, image, &err) != MRCNN_OK)
        code = fail_with(&err);
    mrcnn_sheet_free(&sheet);
    return code;
}

int write_sheet(const mrcnn_dataset *set, const mrcnn_config *config, const size_t *indices,
                size_t count, int draws, const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    warn_of_sameness(config);
    int code = draw_sheet(set, config, indices, (int)count, draws, &image);
    if (code == EXIT_DONE && mrcnn_image_write(&image, path, &err) != MRCNN_OK)
        code = fail_with(&err);
    mrcnn_image_free(&image);
    return code;
}
