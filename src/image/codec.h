/* codec.h - what the picture formats share: the bytes to decode, the picture they become, and the
 * codecs. decode.c and encode.c choose between them. */
#ifndef MR_IMAGE_CODEC_H
#define MR_IMAGE_CODEC_H

#include "config/config.h"
#include "image/picture.h"

/* A whole file in memory. `name` is what messages call it. */
typedef struct mr_encoded {
    const uint8_t *bytes;
    size_t length;
    const char *name;
    int64_t max_pixels;
    int channels;     /* that are wanted in the end */
    double low, high; /* values that become 0 and 255; both 0: as the file's type suggests */
} mr_encoded;

enum {
    MR_MAX_DEFLATE_RATIO = 1032, /* deflate can't pack more than this many bytes into one */
    /* Pixels in a byte of JPEG: a block of 8 x 8 samples takes a bit or more; sampling leaves the
     * components together one sample for at least every four pixels. */
    MR_MAX_JPEG_PIXELS = 8 * 64 * 4
};

/* What a header announces. `sample_bytes`: of one channel of a pixel, in the memory to be made.
 * `least_bytes`: the fewest that such a picture can take in its format. */
typedef struct mr_announced {
    uint64_t width, height;
    int channels, sample_bytes;
    uint64_t least_bytes;
} mr_announced;

/* Checks the announced size before anything of that size is allocated, and makes the picture. */
mrcnn_status mr_image_allocate(mrcnn_image *image, const mr_encoded *file,
                               const mr_announced *announced, mrcnn_error *err);

/* As stored, 8 bits a channel. A codec may give the wanted channels at once where that is cheap;
 * mr_image_convert (picture.h) does the rest. *orientation is EXIF's 1..8. */
mrcnn_status mr_jpeg_decode(mrcnn_image *image, int *orientation, const mr_encoded *file,
                            mrcnn_error *err);
mrcnn_status mr_png_decode(mrcnn_image *image, int *orientation, const mr_encoded *file,
                           mrcnn_error *err);
mrcnn_status mr_npy_decode(mrcnn_image *image, const mr_encoded *file, mrcnn_error *err);

/* Into malloc'ed memory; `name` is what messages call it. */
mrcnn_status mr_jpeg_encode(uint8_t **bytes, size_t *length, const mrcnn_image *image,
                            const char *name, mrcnn_error *err);
/* With another quality than mrcnn_image_write's, 1 to 100. */
mrcnn_status mr_jpeg_encode_as(uint8_t **bytes, size_t *length, const mrcnn_image *image,
                               int quality, const char *name, mrcnn_error *err);
mrcnn_status mr_png_encode(uint8_t **bytes, size_t *length, const mrcnn_image *image,
                           const char *name, mrcnn_error *err);
/* The same picture in fewer bytes and in more time. */
mrcnn_status mr_png_encode_small(uint8_t **bytes, size_t *length, const mrcnn_image *image,
                                 const char *name, mrcnn_error *err);

typedef enum mr_picture_format {
    MR_PICTURE_OTHER,
    MR_PICTURE_JPEG,
    MR_PICTURE_PNG,
    MR_PICTURE_NPY
} mr_picture_format;

/* Recognises a file by its first bytes; 64 are enough. *looks_like becomes words such as "a GIF
 * picture", also for formats that can't be read. */
mr_picture_format mr_sniff(const uint8_t *bytes, size_t length, const char **looks_like);
enum { MR_SNIFF_BYTES = 64 };

/* The orientation (1..8) that a block of EXIF data (a TIFF file in small) asks for; 1 when it asks
 * for none or makes no sense. */
int mr_exif_orientation(const uint8_t *tiff, size_t length);

/* Turns and mirrors the picture so that orientation 1 remains to be done. */
mrcnn_status mr_image_orient(mrcnn_image *image, int orientation, mrcnn_error *err);
/* The same into memory of the picture's size. Orientations from 5 on swap width and height. */
void mr_orient_pixels(uint8_t *out, const mrcnn_image *image, int orientation);

#endif
