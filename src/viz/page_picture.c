/* page_picture.c - pictures of a page: whole as a PNG beside it, and shrunk inside of it, as whichever
 * of PNG and JPEG is shorter. */
#include "viz/page_picture.h"

#include "base/memory.h"
#include "image/codec.h"
#include "viz/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels inside of the page, of a picture that has all of its width and of others, which stand side by
 * side: about as many as a screen shows. */
enum { WIDE_WIDTH = 1120, MOST_WIDTH = 800, MOST_HEIGHT = 1000, QUALITY = 80 };

/* Beyond this ratio of sides a picture gets the whole width of the page. */
static const double wide_ratio = 2.05;

/* ------------------------------------------------------------------------------------- shrinking */

/* The part of source pixel i that belongs to the pixel from..to, in pixels of the source. */
static double share(double from, double to, int i) {
    double low = from > i ? from : i, high = to < i + 1 ? to : i + 1;
    return high > low ? high - low : 0;
}

/* A row of `to`, from sums over the source's rows; sums has 3 x image->width numbers. */
static void shrink_row(const double *sums, int width, double weight, uint8_t *row, int new_width) {
    double ratio = (double)width / new_width;
    for (int x = 0; x < new_width; x++) {
        double from = x * ratio, to = (x + 1) * ratio, color[3] = {0};
        for (int i = (int)from; i < width && i < to; i++) {
            double part = share(from, to, i);
            for (int c = 0; c < 3; c++) color[c] += part * sums[3 * (size_t)i + (size_t)c];
        }
        for (int c = 0; c < 3; c++)
            row[3 * x + c] = (uint8_t)(color[c] / (weight * (to - from)) + 0.5);
    }
}

static void shrink_rows(const mrcnn_image *image, mrcnn_image *out, double *sums) {
    double ratio = (double)image->height / out->height;
    size_t samples = 3 * (size_t)image->width;
    for (int y = 0; y < out->height; y++) {
        double from = y * ratio, to = (y + 1) * ratio;
        memset(sums, 0, samples * sizeof *sums);
        for (int i = (int)from; i < image->height && i < to; i++) {
            const uint8_t *row = image->pixels + (size_t)i * samples;
            double part = share(from, to, i);
            for (size_t k = 0; k < samples; k++) sums[k] += part * row[k];
        }
        shrink_row(sums, image->width, to - from, out->pixels + (size_t)y * 3 * (size_t)out->width,
                   out->width);
    }
}

static int is_wide(int width, int height) {
    return width > wide_ratio * height;
}

/* The picture as large as a page shows it: each pixel is the mean of those that it stands for. Nothing
 * when it is no larger anyway. */
static mrcnn_status shrink(mrcnn_image *small, const mrcnn_image *rgb, mrcnn_error *err) {
    double by = 1, most = is_wide(rgb->width, rgb->height) ? WIDE_WIDTH : MOST_WIDTH;
    if (rgb->width > most) by = most / rgb->width;
    if (rgb->height * by > MOST_HEIGHT) by = (double)MOST_HEIGHT / rgb->height;
    if (by == 1) return MRCNN_OK;
    mrcnn_image out = {(int32_t)(rgb->width * by + 0.5), (int32_t)(rgb->height * by + 0.5), 3,
                       NULL};
    if (out.width < 1) out.width = 1;
    if (out.height < 1) out.height = 1;
    out.pixels = mr_calloc((size_t)out.width * (size_t)out.height, 3);
    double *sums = mr_calloc((size_t)rgb->width, 3 * sizeof *sums);
    mrcnn_status status = MRCNN_OK;
    if (out.pixels && sums) {
        shrink_rows(rgb, &out, sums);
        *small = out;
    } else {
        free(out.pixels);
        status =
            mr_fail_memory(err, (size_t)out.width * (size_t)out.height * 3, "a page's picture");
    }
    free(sums);
    return status;
}

/* --------------------------------------------------------------------------------------- inside */

/* Appends the shorter one of two encodings. */
static mrcnn_status put_data(mr_buffer *html, const mrcnn_image *rgb, const char *name,
                             mrcnn_error *err) {
    uint8_t *png = NULL, *jpeg = NULL;
    size_t png_length = 0, jpeg_length = 0;
    mrcnn_status status = mr_png_encode(&png, &png_length, rgb, name, err);
    if (status == MRCNN_OK)
        status = mr_jpeg_encode_as(&jpeg, &jpeg_length, rgb, QUALITY, name, err);
    if (status == MRCNN_OK) {
        int is_png = png_length <= jpeg_length;
        mr_buffer_format(html, "data:image/%s;base64,", is_png ? "png" : "jpeg");
        mr_buffer_base64(html, is_png ? png : jpeg, is_png ? png_length : jpeg_length);
    }
    free(png);
    free(jpeg);
    return status;
}

void mr_page_begin_picture(mrcnn_page *page, const char *kind, const char *name, int width,
                           int height) {
    mr_page_enter(page, MR_PAGE_GALLERY);
    mr_buffer_format(&page->body, "<figure class=\"%s%s\">\n<a href=\"%s.png\">", kind,
                     is_wide(width, height) ? " wide" : "", name);
}

void mr_page_end_picture(mrcnn_page *page, const char *caption, int width, int height) {
    mr_buffer_put(&page->body, "\" alt=\"");
    mr_buffer_html(&page->body, caption);
    mr_buffer_format(&page->body, "\" width=\"%d\" height=\"%d\">", width, height);
}

void mr_page_put_caption(mrcnn_page *page, const char *caption) {
    mr_buffer_put(&page->body, "</a>\n<figcaption>");
    mr_buffer_html(&page->body, caption);
    mr_buffer_put(&page->body, "</figcaption>\n</figure>\n");
}

mr_buffer *mr_page_picture_entry(mrcnn_page *page, mr_page_member member, const char *name,
                                 const char *caption) {
    mr_buffer *json = mr_page_entry(page, member, name);
    mr_buffer_format(json, "{\"file\": \"%s.png\", \"caption\": ", name);
    mr_buffer_json(json, caption);
    return json;
}

/* NAME.png, in full size. */
static mrcnn_status keep_picture(mrcnn_page *page, const char *name, const mrcnn_image *rgb,
                                 mrcnn_error *err) {
    uint8_t *png = NULL;
    size_t length = 0;
    char file[128];
    snprintf(file, sizeof file, "%.100s.png", name);
    mrcnn_status status = mr_png_encode(&png, &length, rgb, name, err);
    if (status == MRCNN_OK) status = mr_page_keep_bytes(page, file, png, length, err);
    free(png);
    return status;
}

/* The HTML is made aside, so that a picture that can't be encoded leaves nothing behind. */
static mrcnn_status put_picture(mrcnn_page *page, const char *name, const char *caption,
                                const mrcnn_image *image, mrcnn_error *err) {
    mrcnn_image rgb = {image->width, image->height, 3, NULL}, small = {0};
    mr_buffer data = {0};
    rgb.pixels = mr_calloc((size_t)image->width * (size_t)image->height, 3);
    if (!rgb.pixels) return mr_fail_memory(err, (size_t)image->width * 3, "a page's picture");
    mr_copy_as_rgb(rgb.pixels, image);
    mrcnn_status status = shrink(&small, &rgb, err);
    if (status == MRCNN_OK) status = put_data(&data, small.pixels ? &small : &rgb, name, err);
    if (status == MRCNN_OK) status = keep_picture(page, name, &rgb, err);
    if (status == MRCNN_OK) status = mr_page_take(&page->names, name, "the picture", err);
    if (status == MRCNN_OK) {
        const mrcnn_image *shown = small.pixels ? &small : &rgb;
        mr_page_begin_picture(page, "picture", name, image->width, image->height);
        mr_buffer_put(&page->body, "<img src=\"");
        mr_buffer_append(&page->body, &data);
        mr_page_end_picture(page, caption, shown->width, shown->height);
        mr_page_put_caption(page, caption);
        mr_buffer *json = mr_page_picture_entry(page, MR_PAGE_PICTURES, name, caption);
        mr_buffer_format(json, ", \"width\": %d, \"height\": %d}", image->width, image->height);
    }
    mr_buffer_free(&data);
    mrcnn_image_free(&small);
    mrcnn_image_free(&rgb);
    return status == MRCNN_OK ? mr_page_status(page, err) : status;
}

mrcnn_status mrcnn_page_image(mrcnn_page *page, const char *name, const char *caption,
                              const mrcnn_image *image, mrcnn_error *err) {
    mrcnn_status status = mr_page_check(page, caption, "the caption", err);
    if (status == MRCNN_OK) status = mr_page_check_name(&page->names, name, "the picture", err);
    if (status != MRCNN_OK) return status;
    if (!image || !image->pixels || image->width < 1 || image->height < 1 || image->channels < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a page: the picture %s has no pixels", name);
    return put_picture(page, name, caption, image, err);
}
