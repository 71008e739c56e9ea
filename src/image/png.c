/* png.c - PNG in and out through libpng. As in jpeg.c, errors arrive by a jump and each job keeps
 * its state in one struct. */
#include "image/png_io.h"

#include "base/error.h"
#include "image/levels.h"

#include <setjmp.h>
#include <stdlib.h>

/* ----------------------------------------------------------------------------------- decoding */

typedef struct reader {
    png_structp png;
    png_infop info;
    mr_png_message message;
    mr_png_source source;
    mrcnn_image image;
    int orientation;
} reader;

/* What becomes of the stored channels. Two or four wanted ones have alpha as the last: then it stays,
 * also where it comes from a tRNS chunk. Otherwise it is dropped, not blended, as matterport's
 * load_image does. */
typedef struct plan {
    int keep_alpha, spread_grey;
    int keep_16; /* for a range of values; otherwise the high byte is taken, as PIL does */
    int channels;
} plan;

static plan make_plan(const reader *r) {
    int type = png_get_color_type(r->png, r->info), wanted = r->source.file->channels;
    int has_alpha = type & PNG_COLOR_MASK_ALPHA || png_get_valid(r->png, r->info, PNG_INFO_tRNS);
    plan p = {.keep_alpha = has_alpha && (wanted == 2 || wanted == 4)};
    p.spread_grey = !(type & PNG_COLOR_MASK_COLOR) && (wanted == 3 || wanted == 4);
    p.keep_16 =
        png_get_bit_depth(r->png, r->info) == 16 && r->source.file->low < r->source.file->high;
    p.channels = (type & PNG_COLOR_MASK_COLOR || p.spread_grey ? 3 : 1) + p.keep_alpha;
    return p;
}

static void set_transforms(png_structp png, png_infop info, const plan *p) {
    int type = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
    int has_trns = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    if (depth == 16 && !p->keep_16) png_set_strip_16(png);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (p->spread_grey) png_set_gray_to_rgb(png);
    if (has_trns && p->keep_alpha) png_set_tRNS_to_alpha(png);
    /* A tRNS chunk in a palette becomes alpha in the expansion above. */
    if ((type & PNG_COLOR_MASK_ALPHA || has_trns) && !p->keep_alpha) png_set_strip_alpha(png);
}

static mrcnn_status accept_header(reader *r, const plan *p, mrcnn_error *err) {
    mr_announced announced = {.width = png_get_image_width(r->png, r->info),
                              .height = png_get_image_height(r->png, r->info),
                              .channels = p->channels,
                              .sample_bytes = p->keep_16 ? 2 : 1};
    announced.least_bytes =
        (uint64_t)png_get_rowbytes(r->png, r->info) * announced.height / MR_MAX_DEFLATE_RATIO;
    png_uint_32 exif_length = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(r->png, r->info, &exif_length, &exif))
        r->orientation = mr_exif_orientation(exif, exif_length);
    return mr_image_allocate(&r->image, r->source.file, &announced, err);
}

static void read_rows(reader *r, size_t stride, int passes) {
    if (png_get_rowbytes(r->png, r->info) != stride) png_error(r->png, "unexpected row length");
    for (int pass = 0; pass < passes; pass++)
        for (int32_t y = 0; y < r->image.height; y++)
            png_read_row(r->png, r->image.pixels + stride * (size_t)y, NULL);
    png_read_end(r->png, NULL);
}

static void reduce_to_levels(reader *r, size_t samples) {
    mr_levels levels = mr_levels_of_whole(r->source.file->low, r->source.file->high);
    mr_levels_from_big_endian(r->image.pixels, samples, &levels);
    uint8_t *smaller = realloc(r->image.pixels, samples);
    if (smaller) r->image.pixels = smaller;
}

static mrcnn_status read_png(reader *r, mrcnn_error *err) {
    if (setjmp(png_jmpbuf(r->png))) return mr_png_fail_reading(&r->message, &r->source, err);
    png_set_read_fn(r->png, &r->source, mr_png_read_bytes);
    mr_png_set_limits(r->png);
    png_read_info(r->png, r->info);
    plan p = make_plan(r);
    mrcnn_status status = accept_header(r, &p, err);
    if (status != MRCNN_OK) return status;
    set_transforms(r->png, r->info, &p);
    int passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    size_t samples_a_row = (size_t)r->image.width * (size_t)p.channels;
    read_rows(r, samples_a_row * (p.keep_16 ? 2 : 1), passes);
    if (p.keep_16) reduce_to_levels(r, samples_a_row * (size_t)r->image.height);
    return MRCNN_OK;
}

mrcnn_status mr_png_decode(mrcnn_image *image, int *orientation, const mr_encoded *file,
                           mrcnn_error *err) {
    reader r = {.source = {.file = file}, .orientation = 1};
    mrcnn_status status = MRCNN_OK;
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r.message, mr_png_on_error,
                                   mr_png_on_warning);
    if (r.png) r.info = png_create_info_struct(r.png);
    if (r.info)
        status = read_png(&r, err);
    else
        status = mr_fail(err, MRCNN_E_MEMORY, "%s: can't start libpng %s", file->name,
                         PNG_LIBPNG_VER_STRING);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    if (status != MRCNN_OK) {
        mrcnn_image_free(&r.image);
        return status;
    }
    *image = r.image;
    *orientation = r.orientation;
    return MRCNN_OK;
}

/* ----------------------------------------------------------------------------------- encoding */

/* Photographs hardly repeat themselves: looking for runs alone after the filter is faster than zlib's
 * quickest search and, on photographs, also smaller. */
static mr_png_plan plan_of(const mrcnn_image *image, const char *name) {
    static const int types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    return (mr_png_plan){.name = name,
                         .height = image->height,
                         .width = image->width,
                         .bit_depth = 8,
                         .color_type = types[image->channels],
                         .pixels = image->pixels,
                         .stride = (size_t)image->width * (size_t)image->channels,
                         .filters = PNG_FILTER_UP,
                         .is_photo = 1};
}

mrcnn_status mr_png_encode(uint8_t **bytes, size_t *length, const mrcnn_image *image,
                           const char *name, mrcnn_error *err) {
    mr_png_plan plan = plan_of(image, name);
    return mr_png_make(bytes, length, &plan, err);
}

mrcnn_status mr_png_encode_small(uint8_t **bytes, size_t *length, const mrcnn_image *image,
                                 const char *name, mrcnn_error *err) {
    mr_png_plan plan = plan_of(image, name);
    plan.filters = PNG_ALL_FILTERS;
    plan.is_photo = 0;
    return mr_png_make(bytes, length, &plan, err);
}
