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

mrcnn_status mrcnn_image_write(const mrcnn_image *image, const char *path, mrcnn_error *err) {
    if (!image || !path)
        return mr_fail(err, MRCNN_E_ARGUMENT, "writing a picture: %s is NULL",
                       image ? "path" : "image");
    if (!image->pixels || image->width < 1 || image->height < 1 || image->channels != 3)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: a picture of %d x %d pixels and %d channels can't be written: it must "
                       "be RGB and not empty",
                       path, image->width, image->height, image->channels);
    const char *ext = extension(path);
    uint8_t *bytes = NULL;
    size_t length = 0;
    mrcnn_status status = MRCNN_OK;
    if (strcasecmp(ext, ".png") == 0)
        status = mr_png_encode(&bytes, &length, image, path, err);
    else if (strcasecmp(ext, ".jpg") == 0 || strcasecmp(ext, ".jpeg") == 0)
        status = mr_jpeg_encode(&bytes, &length, image, path, err);
    else
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: pictures are written as .png, .jpg or .jpeg, by the file's extension",
                       path);
    if (status == MRCNN_OK) status = mr_file_write(path, bytes, length, err);
    free(bytes);
    return status;
}
