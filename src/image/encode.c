/* encode.c - pictures out: the format follows from the file's extension. A picture is encoded in
 * memory and written as a whole file or not at all. */
#include "image/codec.h"

#include "base/error.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *extension(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    return dot ? dot : "";
}

static mrcnn_status check_channels(const mrcnn_image *image, int is_png, const char *path,
                                   mrcnn_error *err) {
    int n = image->channels;
    if (n == 1 || n == 3 || (is_png && (n == 2 || n == 4))) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT,
                   "%s: a picture of %d channels can't be written: a JPEG is grey or RGB, a PNG "
                   "may have alpha behind that",
                   path, n);
}

mrcnn_status mrcnn_image_write(const mrcnn_image *image, const char *path, mrcnn_error *err) {
    if (!image || !path)
        return mr_fail(err, MRCNN_E_ARGUMENT, "writing a picture: %s is NULL",
                       image ? "path" : "image");
    if (!image->pixels || image->width < 1 || image->height < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: a picture of %d x %d pixels can't be written: it must have pixels",
                       path, image->width, image->height);
    const char *ext = extension(path);
    int is_png = strcasecmp(ext, ".png") == 0;
    uint8_t *bytes = NULL;
    size_t length = 0;
    if (!is_png && strcasecmp(ext, ".jpg") != 0 && strcasecmp(ext, ".jpeg") != 0)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: pictures are written as .png, .jpg or .jpeg, by the file's extension",
                       path);
    mrcnn_status status = check_channels(image, is_png, path, err);
    if (status != MRCNN_OK) return status;
    status = is_png ? mr_png_encode(&bytes, &length, image, path, err)
                    : mr_jpeg_encode(&bytes, &length, image, path, err);
    if (status == MRCNN_OK) status = mr_file_write(path, bytes, length, err);
    free(bytes);
    return status;
}
