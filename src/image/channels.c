/* channels.c - see picture.h: from the channels that a file has to those that are wanted. Nothing is made up: a
 * picture without a fourth channel does not get one. */
#include "image/picture.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* ITU-R 601 luma in PIL's integers (convert("L")); a grey that was copied to RGB comes back as it
 * was. */
static uint8_t luma(const uint8_t *rgb) {
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

/* Fewer channels fit into the memory that is there. */
static void keep_first(uint8_t *pixels, size_t count, size_t from, size_t to) {
    for (size_t i = 0; i < count; i++) memmove(pixels + i * to, pixels + i * from, to);
}

static void turn_grey(uint8_t *pixels, size_t count, size_t from) {
    for (size_t i = 0; i < count; i++) pixels[i] = luma(pixels + i * from);
}

void mr_copy_as_rgb(uint8_t *rgb, const mrcnn_image *image) {
    size_t count = (size_t)image->width * (size_t)image->height, step = (size_t)image->channels;
    const uint8_t *from = image->pixels;
    if (step == 3) {
        memcpy(rgb, from, count * 3);
        return;
    }
    size_t green = step > 2 ? 1 : 0, blue = step > 2 ? 2 : 0;
    for (size_t i = 0; i < count; i++, from += step, rgb += 3) {
        rgb[0] = from[0];
        rgb[1] = from[green];
        rgb[2] = from[blue];
    }
}

static mrcnn_status spread_grey(mrcnn_image *image, const char *name, mrcnn_error *err) {
    size_t bytes = (size_t)image->width * (size_t)image->height * 3;
    uint8_t *rgb = malloc(bytes);
    if (!rgb) return mr_fail_memory(err, bytes, name);
    mr_copy_as_rgb(rgb, image);
    free(image->pixels);
    image->pixels = rgb;
    image->channels = 3;
    return MRCNN_OK;
}

mrcnn_status mr_image_check_channels(int have, int wanted, const char *name, mrcnn_error *err) {
    static const char *const kinds[] = {"", ", grey", "", ", RGB", ", RGBA"};
    if (have == wanted || (have <= 4 && (wanted == 1 || wanted == 3))) return MRCNN_OK;
    const char *png = wanted == 4   ? "RGBA PNGs and "
                      : wanted == 2 ? "grey PNGs with alpha and "
                                    : "";
    return mr_fail(err, MRCNN_E_UNSUPPORTED,
                   "%s: it has %d channel%s%s, and %d %s wanted: %s.npy arrays of height x width "
                   "x %d have %s",
                   name, have, have == 1 ? "" : "s", have <= 4 ? kinds[have] : "", wanted,
                   wanted == 1 ? "is" : "are", png, wanted, wanted == 1 ? "it" : "them");
}

mrcnn_status mr_image_convert(mrcnn_image *image, int wanted, const char *name, mrcnn_error *err) {
    size_t count = (size_t)image->width * (size_t)image->height;
    int have = image->channels;
    mrcnn_status status = mr_image_check_channels(have, wanted, name, err);
    if (status != MRCNN_OK || have == wanted) return status;
    if (wanted == 3 && have < 3) return spread_grey(image, name, err);
    if (wanted == 1 && have >= 3)
        turn_grey(image->pixels, count, (size_t)have);
    else
        keep_first(image->pixels, count, (size_t)have, (size_t)wanted);
    uint8_t *smaller = realloc(image->pixels, count * (size_t)wanted);
    if (smaller) image->pixels = smaller;
    image->channels = wanted;
    return MRCNN_OK;
}
