/* shapes.c - generated pictures of squares, circles and triangles on a plain ground, after
 * matterport's shapes.py (NUMERICS 7). Picture i of a subset under a seed is a pure function of the
 * three, so nothing is kept but the number of its objects. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"
#include "data/raster.h"
#include "image/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_SHAPES = 4,
    BORDER = 20,               /* from a shape's centre to the edge of the picture */
    SMALLEST = 20,             /* half a side, or the radius */
    DRAWS = 64,                /* random numbers set aside for a picture */
    LEAST_SIDE = 4 * SMALLEST, /* sizes go up to a quarter of the height */
    MOST_PICTURES = 10000000
};

static const char *const shape_names[] = {"square", "circle", "triangle"};
typedef enum shape_kind { SQUARE, CIRCLE, TRIANGLE } shape_kind;

typedef struct shape {
    shape_kind kind;
    uint8_t color[3];
    int x, y, size;
} shape;

typedef struct scene {
    uint8_t ground[3];
    int count;
    shape shapes[MOST_SHAPES]; /* later ones lie in front */
} scene;

/* What all pictures of a set have in common. */
typedef struct generator {
    uint64_t stream;
    int height, width;
    int class_ids[3]; /* of square, circle, triangle */
} generator;

/* -------------------------------------------------------------------------------------- making */

typedef struct dice {
    uint64_t stream, next;
} dice;

/* low .. high, both possible. */
static int roll(dice *d, int low, int high) {
    uint64_t value = mr_prng_value(d->stream, d->next++) >> 32;
    return low + (int)(value * (uint64_t)(high - low + 1) >> 32);
}

static void roll_color(dice *d, uint8_t color[3]) {
    for (int i = 0; i < 3; i++) color[i] = (uint8_t)roll(d, 0, 255);
}

static shape roll_shape(dice *d, int height, int width) {
    shape s = {.kind = (shape_kind)roll(d, SQUARE, TRIANGLE)};
    roll_color(d, s.color);
    s.y = roll(d, BORDER, height - BORDER - 1);
    s.x = roll(d, BORDER, width - BORDER - 1);
    s.size = roll(d, SMALLEST, height / 4);
    return s;
}

/* IoU of the boxes centre +- size. */
static double overlap(const shape *a, const shape *b) {
    double left = fmax(a->x - a->size, b->x - b->size),
           right = fmin(a->x + a->size, b->x + b->size);
    double top = fmax(a->y - a->size, b->y - b->size), low = fmin(a->y + a->size, b->y + b->size);
    double both = fmax(right - left, 0) * fmax(low - top, 0);
    return both / (4.0 * a->size * a->size + 4.0 * b->size * b->size - both);
}

/* Non-maximum suppression at 0.3: of two shapes that cover each other the later one stays. */
static void thin_out(scene *s) {
    int kept[MOST_SHAPES], count = 0;
    for (int i = s->count - 1; i >= 0; i--) {
        kept[i] = 1;
        for (int k = i + 1; k < s->count; k++)
            if (kept[k] && overlap(&s->shapes[i], &s->shapes[k]) > 0.3) kept[i] = 0;
    }
    for (int i = 0; i < s->count; i++)
        if (kept[i]) s->shapes[count++] = s->shapes[i];
    s->count = count;
}

static scene make_scene(const mr_dataset *set, size_t index) {
    const generator *g = set->own;
    dice d = {g->stream, (uint64_t)index * DRAWS};
    scene s = {.count = 0};
    roll_color(&d, s.ground);
    s.count = roll(&d, 1, MOST_SHAPES);
    for (int i = 0; i < s.count; i++) s.shapes[i] = roll_shape(&d, g->height, g->width);
    thin_out(&s);
    return s;
}

/* ------------------------------------------------------------------------------------- drawing */

static void fill_triangle(const shape *s, int height, int width, uint8_t *mask) {
    double half = trunc(s->size / 0.86602540378443865); /* over the sine of 60 degrees */
    double xy[] = {s->x, s->y - s->size, s->x - half, s->y + s->size, s->x + half, s->y + s->size};
    mr_fill_polygon(xy, 3, height, width, mask);
}

/* Squares and triangles with their edges; circles with every pixel up to the radius. */
static void fill_shape(const shape *s, int height, int width, uint8_t *mask) {
    int side = 2 * s->size + 1;
    switch (s->kind) {
    case SQUARE:
        mr_fill_rect(s->x - s->size, s->y - s->size, side, side, height, width, mask);
        break;
    case CIRCLE: {
        double radius = s->size + 1e-6; /* the radius itself lies inside */
        mr_fill_ellipse(s->x, s->y, radius, radius, 0, height, width, mask);
        break;
    }
    case TRIANGLE: fill_triangle(s, height, width, mask); break;
    }
}

static void paint(mrcnn_image *image, const uint8_t *mask, const uint8_t color[3]) {
    size_t count = (size_t)image->height * (size_t)image->width;
    for (size_t i = 0; i < count; i++)
        if (!mask || mask[i]) memcpy(image->pixels + 3 * i, color, 3);
}

static mrcnn_status read_shapes(const mr_dataset *set, size_t index, mrcnn_image *image,
                                mrcnn_error *err) {
    const generator *g = set->own;
    scene s = make_scene(set, index);
    size_t pixels = (size_t)g->height * (size_t)g->width;
    uint8_t *mask = malloc(pixels);
    mrcnn_image drawn = {g->width, g->height, 3, malloc(3 * pixels)};
    if (!mask || !drawn.pixels) {
        free(mask);
        free(drawn.pixels);
        return mr_fail_memory(err, 4 * pixels, "a picture of shapes");
    }
    paint(&drawn, NULL, s.ground);
    for (int i = 0; i < s.count; i++) {
        fill_shape(&s.shapes[i], g->height, g->width, mask);
        paint(&drawn, mask, s.shapes[i].color);
    }
    free(mask);
    *image = drawn;
    return MRCNN_OK;
}

/* The shape without what lies in front of it. */
static mrcnn_status draw_shape(const mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                               mrcnn_error *err) {
    const generator *g = masks->set->own;
    scene s = make_scene(masks->set, masks->index);
    size_t pixels = (size_t)masks->height * (size_t)masks->width;
    if (masks->height != g->height || masks->width != g->width)
        return mr_fail(err, MRCNN_E_ARGUMENT, "shapes %s: a mask of %d x %d pixels for %d x %d",
                       masks->set->pictures[masks->index].id, masks->width, masks->height, g->width,
                       g->height);
    uint8_t *front = malloc(pixels);
    if (!front) return mr_fail_memory(err, pixels, "a picture of shapes");
    fill_shape(&s.shapes[object], g->height, g->width, mask);
    for (int k = (int)object + 1; k < s.count; k++) {
        fill_shape(&s.shapes[k], g->height, g->width, front);
        for (size_t i = 0; i < pixels; i++) mask[i] &= !front[i];
    }
    free(front);
    *class_id = g->class_ids[s.shapes[object].kind];
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------- opening */

static mrcnn_status check_sizes(const mrcnn_dataset_options *o, size_t count, mrcnn_error *err) {
    if (o->shapes_height < LEAST_SIDE || o->shapes_width < LEAST_SIDE || o->shapes_height > 16384 ||
        o->shapes_width > 16384)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "shapes: pictures of %d x %d pixels: a side must be from 80 to 16384",
                       o->shapes_width, o->shapes_height);
    if (count > MOST_PICTURES)
        return mr_fail(err, MRCNN_E_ARGUMENT, "shapes: %zu pictures are more than %d", count,
                       MOST_PICTURES);
    return MRCNN_OK;
}

static mrcnn_status find_ids(mr_dataset *set, mrcnn_error *err) {
    generator *g = set->own;
    for (int i = 0; i < 3; i++) {
        g->class_ids[i] = mr_dataset_class_id(set, shape_names[i]);
        if (g->class_ids[i] < 0)
            return mr_fail(err, MRCNN_E_ARGUMENT,
                           "shapes: \"%s\" is none of the classes asked for: they must be square, "
                           "circle and triangle",
                           shape_names[i]);
    }
    return MRCNN_OK;
}

static mrcnn_status add_pictures(mr_dataset *set, size_t count, mrcnn_error *err) {
    for (size_t i = 0; i < count; i++) {
        char *id = mr_format("%zu", i);
        mrcnn_status status = id ? mr_dataset_add_picture(set, NULL, id, err)
                                 : mr_fail_memory(err, 24, "pictures of shapes");
        if (status != MRCNN_OK) {
            free(id);
            return status;
        }
        set->pictures[i].object_count = (size_t)make_scene(set, i).count;
        set->object_count += set->pictures[i].object_count;
    }
    return MRCNN_OK;
}

static mrcnn_status make_generator(mr_dataset *set, const mrcnn_dataset_options *options,
                                   const char *subset, mrcnn_error *err) {
    char *stream = mr_format("shapes/%s", subset);
    generator *g = mr_calloc(1, sizeof *g);
    set->own = g;
    set->source = mr_strdup(options->source ? options->source : "shapes");
    if (stream && g)
        *g = (generator){mr_prng_stream(options->seed, stream),
                         options->shapes_height,
                         options->shapes_width,
                         {0}};
    free(stream);
    if (!stream || !g || !set->source) return mr_fail_memory(err, strlen(subset), "shapes");
    return MRCNN_OK;
}

static mrcnn_status open_shapes(mr_dataset *set, mr_place *place,
                                const mrcnn_dataset_options *options, mrcnn_error *err) {
    const char *subset = options->subset ? options->subset : "train";
    size_t count = options->shapes_count;
    (void)place;
    if (count == 0) count = strcmp(subset, "train") == 0 ? 500 : 50;
    mrcnn_status status = check_sizes(options, count, err);
    if (status == MRCNN_OK) status = mr_image_check_channels(3, set->image.channels, "shapes", err);
    if (status == MRCNN_OK) status = make_generator(set, options, subset, err);
    if (status == MRCNN_OK)
        status = mr_dataset_set_classes(set, options->class_names, shape_names, 3, err);
    if (status == MRCNN_OK) status = find_ids(set, err);
    if (status == MRCNN_OK) status = add_pictures(set, count, err);
    return status;
}

static void close_shapes(mr_dataset *set) {
    free(set->own);
}

const mr_dataset_format mr_format_shapes = {
    .name = "shapes",
    .files = "generated pictures",
    .open = open_shapes,
    .close = close_shapes,
    .read = read_shapes,
    .draw = draw_shape,
};
