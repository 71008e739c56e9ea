/* inspect_sheet.c - mrcnn inspect data --augment: a contact sheet of what training would see. A row is
 * a picture: first as validation sees it, then draw after draw, objects drawn over it. */
#include "inspect.h"
#include "model.h"
#include "progress.h"
#include "save.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CELL = 320, GAP = 4, PAPER = 255 };

typedef struct sheet {
    mrcnn_image image;
    int cell; /* side, in pixels */
    const mrcnn_dataset *set;
    const mrcnn_config *config;
} sheet;

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

/* The mean of a square of pixels, cut off at the picture's edge. */
static void average(const mrcnn_image *image, int top, int left, int side, uint8_t *out) {
    unsigned sum[3] = {0}, count = 0;
    for (int y = top; y < top + side && y < image->height; y++)
        for (int x = left; x < left + side && x < image->width; x++, count++)
            for (int c = 0; c < 3; c++)
                sum[c] +=
                    image->pixels[3 * ((size_t)y * (size_t)image->width + (size_t)x) + (size_t)c];
    if (count == 0) return;
    for (int c = 0; c < 3; c++) out[c] = (uint8_t)((sum[c] + count / 2) / count);
}

/* Shrinks the picture by a whole number until it fits, into the middle of its cell. */
static void put_picture(sheet *s, const mrcnn_image *image, int row, int column) {
    int longest = image->height > image->width ? image->height : image->width;
    int side = divide_up(longest, s->cell);
    int height = divide_up(image->height, side), width = divide_up(image->width, side);
    int top = GAP + row * (s->cell + GAP) + (s->cell - height) / 2;
    int left = GAP + column * (s->cell + GAP) + (s->cell - width) / 2;
    for (int y = 0; y < height; y++) {
        uint8_t *to =
            s->image.pixels + 3 * ((size_t)(top + y) * (size_t)s->image.width + (size_t)left);
        for (int x = 0; x < width; x++) average(image, y * side, x * side, side, to + 3 * x);
    }
}

static int draw_sample(sheet *s, const mrcnn_image *image, const mrcnn_result *result, int row,
                       int column) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_draw_options options = mrcnn_draw_options_default();
    mrcnn_image drawn = {0};
    options.captions = 0;
    options.alpha = 0.3;
    if (!overlay_has_lines()) options.contours = options.boxes = 0;
    mrcnn_status status = mrcnn_draw_instances(&drawn, image, result, &options, &err);
    if (status == MRCNN_OK) put_picture(s, &drawn, row, column);
    mrcnn_image_free(&drawn);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* A picture with nothing to learn from leaves its cell empty. */
static int add_sample(sheet *s, size_t picture, int64_t number, int row, int column) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    mrcnn_result *result = NULL;
    int code = EXIT_DONE;
    if (mrcnn_dataset_sample(s->set, s->config, picture, number, &image, &result, &err) != MRCNN_OK)
        code = fail_with(&err);
    else if (result)
        code = draw_sample(s, &image, result, row, column);
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
    int code = EXIT_DONE;
    sheet s = {.set = set, .config = config, .cell = choose_cell(config)};
    s.image =
        (mrcnn_image){GAP + (draws + 1) * (s.cell + GAP), GAP + rows * (s.cell + GAP), 3, NULL};
    size_t bytes = (size_t)s.image.width * (size_t)s.image.height * 3;
    s.image.pixels = text_grow(NULL, bytes, 1);
    memset(s.image.pixels, PAPER, bytes);
    progress_start("drawing", PROGRESS_ITEMS);
    for (int row = 0; row < rows && code == EXIT_DONE; row++) {
        for (int column = 0; column <= draws && code == EXIT_DONE; column++) {
            int64_t number = column == 0 ? -1 : (int64_t)(column - 1) * rows + row;
            code = add_sample(&s, indices[row], number, row, column);
        }
        progress_show((uint64_t)row + 1, (uint64_t)rows);
    }
    progress_end();
    if (code == EXIT_DONE)
        *image = s.image;
    else
        free(s.image.pixels);
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
