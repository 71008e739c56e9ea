/* test_viz.h - pictures and results for the tests of src/viz, made by hand: masks are written as
 * rows of text ("##." is in, in, out) or bytes. */
#ifndef TEST_VIZ_H
#define TEST_VIZ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <mrcnn/mrcnn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"

static inline mrcnn_mask make_mask(const uint8_t *bytes, int32_t height, int32_t width) {
    size_t pixels = (size_t)height * (size_t)width;
    mrcnn_mask mask = {height, width, 0, malloc((pixels + 2) * sizeof(uint32_t))};
    uint32_t run = 0;
    int inside = 0;
    assert_non_null(mask.counts);
    for (int32_t x = 0; x < width; x++)
        for (int32_t y = 0; y < height; y++, run++)
            if ((bytes[(size_t)y * (size_t)width + (size_t)x] != 0) != inside) {
                mask.counts[mask.count++] = run;
                run = 0;
                inside = !inside;
            }
    mask.counts[mask.count++] = run;
    return mask;
}

/* `text` holds height * width characters; '#' is inside. */
static inline mrcnn_mask draw_mask(const char *text, int32_t height, int32_t width) {
    uint8_t *bytes = malloc(strlen(text));
    assert_int_equal(strlen(text), (size_t)height * (size_t)width);
    for (size_t i = 0; text[i]; i++) bytes[i] = text[i] == '#';
    mrcnn_mask mask = make_mask(bytes, height, width);
    free(bytes);
    return mask;
}

/* The whole rectangle y1 .. y2 - 1, x1 .. x2 - 1. */
static inline mrcnn_instance make_rectangle(int32_t height, int32_t width, int32_t y1, int32_t x1,
                                            int32_t y2, int32_t x2) {
    uint8_t *bytes = calloc((size_t)height, (size_t)width);
    for (int32_t y = y1; y < y2; y++)
        memset(bytes + (size_t)y * (size_t)width + (size_t)x1, 1, (size_t)(x2 - x1));
    mrcnn_instance instance = {y1, x1,     y2,       x2,
                               1,  0.998F, "person", make_mask(bytes, height, width)};
    free(bytes);
    return instance;
}

static inline mrcnn_image make_image(int32_t height, int32_t width) {
    size_t bytes = 3 * (size_t)height * (size_t)width;
    mrcnn_image image = {width, height, 3, malloc(bytes)};
    assert_non_null(image.pixels);
    uint64_t stream = mr_prng_stream(1, "picture");
    for (size_t i = 0; i < bytes; i++) image.pixels[i] = (uint8_t)mr_prng_value(stream, i);
    return image;
}

static inline void free_instances(mrcnn_instance *instances, size_t count) {
    for (size_t i = 0; i < count; i++) free(instances[i].mask.counts);
}

static inline FILE *open_golden(const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/viz/%s", TEST_DATA, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

/* The next line that is no comment; 0 at the end. */
static inline int next_line(FILE *file, char *line, int size) {
    while (fgets(line, size, file))
        if (line[0] != '#') return 1;
    return 0;
}

#endif
