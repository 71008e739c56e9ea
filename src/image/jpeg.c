/* jpeg.c - JPEG in and out through libjpeg(-turbo). The library reports errors by a jump; each job
 * keeps its state in one struct, so that nothing is lost on the way. */
#include "image/codec.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* A file of a few hundred bytes can hold thousands of scans that each cost a pass over the whole
 * picture. Encoders in use write about ten. */
enum { MAX_SCANS = 100, QUALITY = 95 };

typedef struct guard {
    struct jpeg_error_mgr base; /* first: libjpeg hands it back */
    jmp_buf jump;
    int code; /* of the library's message */
    char text[JMSG_LENGTH_MAX];
} guard;

static void on_error(j_common_ptr c) {
    guard *g = (guard *)c->err;
    g->code = c->err->msg_code;
    c->err->format_message(c, g->text);
    longjmp(g->jump, 1);
}

/* Negative levels are warnings. Those that mean lost pixels are errors here: half a picture would
 * give wrong results without a word. */
static void on_message(j_common_ptr c, int level) {
    if (level >= 0) return;
    switch (c->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: on_error(c); break;
    default: break;
    }
}

static void on_output(j_common_ptr c) {
    (void)c;
}

static struct jpeg_error_mgr *start_guard(guard *g) {
    jpeg_std_error(&g->base);
    g->base.error_exit = on_error;
    g->base.emit_message = on_message;
    g->base.output_message = on_output;
    return &g->base;
}

static mrcnn_status fail(const guard *g, const char *name, mrcnn_error *err) {
    switch (g->code) {
    case JERR_OUT_OF_MEMORY:
        return mr_fail(err, MRCNN_E_MEMORY, "%s: out of memory for this JPEG", name);
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
#if JPEG_LIB_VERSION < 70 /* later interfaces (Ubuntu's) always have arithmetic coding */
    case JERR_ARITH_NOTIMPL:
#endif
    case JERR_CONVERSION_NOTIMPL:
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: this kind of JPEG can't be read: %s", name,
                       g->text);
    case JWRN_JPEG_EOF:
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY:
        return mr_fail(err, MRCNN_E_FORMAT, "%s: the JPEG is cut short: copy or download it again",
                       name);
    default: return mr_fail(err, MRCNN_E_FORMAT, "%s: the JPEG is damaged: %s", name, g->text);
    }
}

/* ----------------------------------------------------------------------------------- decoding */

typedef struct reader {
    struct jpeg_decompress_struct c;
    struct jpeg_progress_mgr progress;
    guard guard;
    const mr_encoded *file;
    mrcnn_image image;
    uint8_t *cmyk; /* one row */
    int orientation;
} reader;

static void check_scans(j_common_ptr c) {
    guard *g = (guard *)c->err;
    if (((j_decompress_ptr)c)->input_scan_number <= MAX_SCANS) return;
    g->code = 0;
    snprintf(g->text, sizeof g->text, "more than %d scans", MAX_SCANS);
    longjmp(g->jump, 1);
}

static int find_orientation(const struct jpeg_decompress_struct *c) {
    for (const struct jpeg_marker_struct *m = c->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0", 6) == 0)
            return mr_exif_orientation(m->data + 6, m->data_length - 6);
    return 1;
}

/* a * b / 255, rounded, in integers. */
static uint8_t scale_255(unsigned a, unsigned b) {
    unsigned t = a * b + 128;
    return (uint8_t)((t + (t >> 8)) >> 8);
}

/* Inks are stored inverted, as Adobe does and as PIL and the browsers take for granted. */
static void cmyk_to_rgb(uint8_t *rgb, const uint8_t *cmyk, int32_t width) {
    for (int32_t x = 0; x < width; x++, rgb += 3, cmyk += 4)
        for (int i = 0; i < 3; i++)
            rgb[i] = (uint8_t)(cmyk[3] - scale_255(255u - cmyk[i], cmyk[3]));
}

/* Refuses what can't be decoded, and makes the picture. */
static mrcnn_status accept_header(reader *r, mrcnn_error *err) {
    struct jpeg_decompress_struct *c = &r->c;
    r->orientation = find_orientation(c);
    switch (c->jpeg_color_space) {
    case JCS_GRAYSCALE:
        c->out_color_space = r->file->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
        break;
    case JCS_YCbCr:
    case JCS_RGB: c->out_color_space = JCS_RGB; break;
    case JCS_CMYK:
    case JCS_YCCK: c->out_color_space = JCS_CMYK; break;
    default:
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: a JPEG with %d colour channels of an unknown kind can't be read",
                       r->file->name, c->num_components);
    }
    mr_announced announced = {.width = c->image_width,
                              .height = c->image_height,
                              .channels = c->out_color_space == JCS_GRAYSCALE ? 1 : 3,
                              .sample_bytes = 1};
    announced.least_bytes = announced.width * announced.height / MR_MAX_JPEG_PIXELS;
    return mr_image_allocate(&r->image, r->file, &announced, err);
}

static void read_rows(reader *r) {
    size_t stride = (size_t)r->image.width * (size_t)r->image.channels;
    while (r->c.output_scanline < r->c.output_height) {
        uint8_t *rgb = r->image.pixels + stride * r->c.output_scanline;
        uint8_t *row = r->cmyk ? r->cmyk : rgb;
        jpeg_read_scanlines(&r->c, &row, 1);
        if (r->cmyk) cmyk_to_rgb(rgb, row, r->image.width);
    }
}

static mrcnn_status read_jpeg(reader *r, mrcnn_error *err) {
    if (setjmp(r->guard.jump)) return fail(&r->guard, r->file->name, err);
    jpeg_create_decompress(&r->c);
    r->progress.progress_monitor = check_scans;
    r->c.progress = &r->progress;
    jpeg_mem_src(&r->c, r->file->bytes, (unsigned long)r->file->length);
    jpeg_save_markers(&r->c, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&r->c, TRUE);
    mrcnn_status status = accept_header(r, err);
    if (status != MRCNN_OK) return status;
    if (r->c.out_color_space == JCS_CMYK) {
        r->cmyk = malloc((size_t)r->image.width * 4);
        if (!r->cmyk) return mr_fail_memory(err, (size_t)r->image.width * 4, r->file->name);
    }
    jpeg_start_decompress(&r->c);
    read_rows(r);
    jpeg_finish_decompress(&r->c); /* up to the end marker: a file that lacks it is cut short */
    return MRCNN_OK;
}

mrcnn_status mr_jpeg_decode(mrcnn_image *image, int *orientation, const mr_encoded *file,
                            mrcnn_error *err) {
    reader r = {.file = file};
    r.c.err = start_guard(&r.guard);
    mrcnn_status status = read_jpeg(&r, err);
    jpeg_destroy_decompress(&r.c);
    free(r.cmyk);
    if (status != MRCNN_OK) {
        mrcnn_image_free(&r.image);
        return status;
    }
    *image = r.image;
    *orientation = r.orientation;
    return MRCNN_OK;
}

/* ----------------------------------------------------------------------------------- encoding */

typedef struct writer {
    struct jpeg_compress_struct c;
    guard guard;
    unsigned char *bytes;
    unsigned long length;
} writer;

static mrcnn_status write_jpeg(writer *w, const mrcnn_image *image, int quality, const char *name,
                               mrcnn_error *err) {
    if (setjmp(w->guard.jump))
        return mr_fail(err, w->guard.code == JERR_OUT_OF_MEMORY ? MRCNN_E_MEMORY : MRCNN_E_ARGUMENT,
                       "%s: can't make a JPEG of %d x %d pixels: %s", name, image->width,
                       image->height, w->guard.text);
    size_t stride = (size_t)image->width * (size_t)image->channels;
    jpeg_create_compress(&w->c);
    jpeg_mem_dest(&w->c, &w->bytes, &w->length);
    w->c.image_width = (JDIMENSION)image->width;
    w->c.image_height = (JDIMENSION)image->height;
    w->c.input_components = image->channels;
    w->c.in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&w->c);
    jpeg_set_quality(&w->c, quality, TRUE);
    /* Colour at full resolution: outlines and masks have sharp coloured edges. */
    w->c.comp_info[0].h_samp_factor = 1;
    w->c.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&w->c, TRUE);
    while (w->c.next_scanline < w->c.image_height) {
        JSAMPROW row = image->pixels + (size_t)w->c.next_scanline * stride;
        jpeg_write_scanlines(&w->c, &row, 1);
    }
    jpeg_finish_compress(&w->c);
    return MRCNN_OK;
}

mrcnn_status mr_jpeg_encode_as(uint8_t **bytes, size_t *length, const mrcnn_image *image,
                               int quality, const char *name, mrcnn_error *err) {
    writer w = {.bytes = NULL};
    w.c.err = start_guard(&w.guard);
    mrcnn_status status = write_jpeg(&w, image, quality, name, err);
    jpeg_destroy_compress(&w.c);
    if (status != MRCNN_OK) {
        free(w.bytes);
        return status;
    }
    *bytes = w.bytes;
    *length = w.length;
    return MRCNN_OK;
}

mrcnn_status mr_jpeg_encode(uint8_t **bytes, size_t *length, const mrcnn_image *image,
                            const char *name, mrcnn_error *err) {
    return mr_jpeg_encode_as(bytes, length, image, QUALITY, name, err);
}
