/* report_weights.c - see report_weights.h. */
#include "report_weights.h"

#include "report_process.h"

#include "base/prng.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>

static int run_to_end(const char *const *arguments, char *reason, size_t room) {
    char *text = process_run(arguments, reason, room);
    free(text);
    return text ? 0 : -1;
}

int weights_quantize(const char *path, const char *weights, const char *pictures, char *reason,
                     size_t room) {
    const char *arguments[] = {MRCNN_PROGRAM, "quantize", "--weights", weights, "--calibrate",
                               pictures,      "--out",    path,        NULL};
    return run_to_end(arguments, reason, room);
}

static mrcnn_status write_noise(const char *path, int side, mrcnn_error *err) {
    size_t bytes = (size_t)side * (size_t)side * 3;
    mrcnn_image image = {side, side, 3, malloc(bytes)};
    uint64_t stream = mr_prng_stream(2, "picture");
    if (!image.pixels) return MRCNN_E_MEMORY;
    for (size_t i = 0; i < bytes; i++) image.pixels[i] = (uint8_t)mr_prng_value(stream, i);
    mrcnn_status status = mrcnn_image_write(&image, path, err);
    free(image.pixels);
    return status;
}

int weights_quantize_fresh(const report *r, const char *path, char *reason, size_t room) {
    enum { MOST = 2 * REPORT_MAX_SETTINGS + 24 };
    const char *arguments[MOST] = {MRCNN_PROGRAM, "quantize", "--weights", "none", "--out", path};
    char picture[1100], set[80], side[40];
    mrcnn_error err = MRCNN_ERROR_INIT;
    size_t count = 6;
    snprintf(picture, sizeof picture, "%s/noise.png", r->out);
    snprintf(set, sizeof set, "BACKBONE=%s", r->backbone);
    snprintf(side, sizeof side, "IMAGE_MAX_DIM=%d", r->size);
    if (write_noise(picture, r->size, &err) != MRCNN_OK) {
        snprintf(reason, room, "%s", err.message);
        return -1;
    }
    const char *own[] = {
        "--calibrate",      picture, "--set", set, "--set", "NUM_CLASSES=81", "--set",
        "IMAGE_MIN_DIM=64", "--set", side};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) arguments[count++] = own[i];
    for (const char *const *s = r->settings; *s; s++) {
        arguments[count++] = "--set";
        arguments[count++] = *s;
    }
    int code = run_to_end(arguments, reason, room);
    remove(picture);
    return code;
}
