/* sample.c - see sample.h. The order is that of load_image_gt: resize, mirror, drop empty masks, take
 * boxes, make masks small. */
#include "data/sample.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"
#include "data/mini_mask.h"

#include <stdlib.h>
#include <string.h>

/* A sample under way. */
typedef struct loading {
    const mr_dataset *set;
    const mr_sample_options *options;
    mr_sample *sample;
    size_t object_count; /* that the picture has, empty ones included */
    size_t room;         /* objects that the sample's arrays hold */
    uint8_t *drawn;      /* one mask of the picture's size */
    uint8_t *resized;    /* and of the network's input */
} loading;

/* A whole number in [0, most], from the stream of that name. */
static int draw(const loading *l, const char *name, int most) {
    uint64_t stream = mr_prng_stream(l->options->seed, name);
    return (int)(mr_prng_uniform(stream, l->sample->number) * ((double)most + 1));
}

/* N5: training draws the crop, validation takes the middle. */
static void draw_geometry(loading *l) {
    mr_sample *s = l->sample;
    const mr_settings *settings = l->options->settings;
    if (!l->options->training) return;
    if (settings->image_resize_mode == MR_RESIZE_CROP) {
        s->fit.crop_y = draw(l, "crop y", s->fit.scaled_height - s->fit.height);
        s->fit.crop_x = draw(l, "crop x", s->fit.scaled_width - s->fit.width);
    }
    uint64_t stream = mr_prng_stream(l->options->seed, "mirror");
    s->mirrored = mr_prng_uniform(stream, s->number) < settings->horizontal_flip;
}

static void mirror(uint8_t *pixels, int height, int width, int channels) {
    size_t size = (size_t)channels;
    for (int y = 0; y < height; y++) {
        uint8_t *left = pixels + (size_t)y * (size_t)width * size;
        uint8_t *right = left + (size_t)(width - 1) * size;
        for (; left < right; left += size, right -= size)
            for (size_t c = 0; c < size; c++) {
                uint8_t kept = left[c];
                left[c] = right[c];
                right[c] = kept;
            }
    }
}

static mrcnn_status make_pixels(loading *l, const mrcnn_image *image, mrcnn_error *err) {
    mr_sample *s = l->sample;
    mrcnn_status status =
        mr_fit_image(&s->fit, image->height, image->width, l->options->settings, err);
    if (status != MRCNN_OK) return status;
    s->height = s->fit.height;
    s->width = s->fit.width;
    s->channels = image->channels;
    draw_geometry(l);
    size_t bytes = (size_t)s->height * (size_t)s->width * (size_t)s->channels;
    s->pixels = malloc(bytes);
    if (!s->pixels) return mr_fail_memory(err, bytes, "a resized picture");
    status = mr_resize_image(image, &s->fit, s->pixels, 1, err);
    if (status == MRCNN_OK && s->mirrored) mirror(s->pixels, s->height, s->width, s->channels);
    s->bytes += bytes;
    return status;
}

/* The decoded picture lives no longer than it must: masks need its size only. */
static mrcnn_status read_pixels(loading *l, const char *name, mrcnn_error *err) {
    mrcnn_image image = {0};
    mrcnn_status status = mr_dataset_read(l->set, l->sample->picture, &image, err);
    if (status != MRCNN_OK) return status; /* its message has the name */
    status = mr_prefix(err, make_pixels(l, &image, err), name);
    mrcnn_image_free(&image);
    return status;
}

/* ------------------------------------------------------------------------------------ objects */

static size_t mask_bytes(const mr_sample *s) {
    return (size_t)s->mask_height * (size_t)s->mask_width;
}

/* Room for `room` objects. Arrays that have grown stay with the sample when another one can't. */
static mrcnn_status resize_arrays(mr_sample *s, size_t room, mrcnn_error *err) {
    size_t bytes = 0;
    int32_t *class_ids = mr_realloc(s->class_ids, room, sizeof *class_ids);
    if (class_ids) s->class_ids = class_ids;
    int32_t(*boxes)[4] = mr_realloc(s->boxes, room, sizeof *boxes);
    if (boxes) s->boxes = boxes;
    uint8_t *masks = mr_realloc(s->masks, room, mask_bytes(s));
    if (masks) s->masks = masks;
    if (class_ids && boxes && masks) return MRCNN_OK;
    if (!mr_mul_size(room, mask_bytes(s), &bytes)) bytes = SIZE_MAX;
    return mr_fail(
        err, MRCNN_E_MEMORY,
        "out of memory: %zu bytes for the masks of %zu objects; USE_MINI_MASK makes them "
        "small",
        bytes, room);
}

static mrcnn_status make_room(loading *l, mrcnn_error *err) {
    if ((size_t)l->sample->count < l->room) return MRCNN_OK;
    size_t room = l->room ? 2 * l->room : 8;
    if (room > l->object_count) room = l->object_count;
    mrcnn_status status = resize_arrays(l->sample, room, err);
    if (status == MRCNN_OK) l->room = room;
    return status;
}

/* The mask in l->resized becomes the sample's next object, unless it is empty (N51). */
static mrcnn_status add_object(loading *l, int class_id, mrcnn_error *err) {
    mr_sample *s = l->sample;
    int32_t box[4];
    if (!mr_bytes_box(l->resized, s->height, s->width, box)) return MRCNN_OK;
    mrcnn_status status = make_room(l, err);
    if (status != MRCNN_OK) return status;
    uint8_t *mask = s->masks + (size_t)s->count * mask_bytes(s);
    if (l->options->settings->use_mini_mask)
        status =
            mr_minimize_mask(l->resized, s->width, box, mask, s->mask_height, s->mask_width, err);
    else
        memcpy(mask, l->resized, mask_bytes(s));
    if (status != MRCNN_OK) return status;
    memcpy(s->boxes[s->count], box, sizeof box);
    s->class_ids[s->count++] = class_id;
    return MRCNN_OK;
}

static mrcnn_status check_class(const mr_sample *s, size_t object, int class_id, mrcnn_error *err) {
    if (class_id != 0 && class_id < s->class_count && class_id > -s->class_count) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_FORMAT, "object %zu is of class %d; classes are 1 to %d", object,
                   class_id, s->class_count - 1);
}

static mrcnn_status load_object(loading *l, size_t object, const char *name, mrcnn_error *err) {
    mr_sample *s = l->sample;
    int class_id = 0;
    mrcnn_status status = mr_dataset_mask(l->set, s->picture, object, s->fit.original_height,
                                          s->fit.original_width, l->drawn, &class_id, err);
    if (status != MRCNN_OK) return status; /* its message has the name */
    status = check_class(s, object, class_id, err);
    if (status == MRCNN_OK) status = mr_resize_mask(l->drawn, &s->fit, l->resized, err);
    if (status == MRCNN_OK) {
        if (s->mirrored) mirror(l->resized, s->height, s->width, 1);
        status = add_object(l, class_id, err);
    }
    return mr_prefix(err, status, name);
}

static mrcnn_status load_objects(loading *l, const char *name, mrcnn_error *err) {
    mr_sample *s = l->sample;
    const mr_settings *settings = l->options->settings;
    size_t drawn = (size_t)s->fit.original_height * (size_t)s->fit.original_width;
    size_t resized = (size_t)s->height * (size_t)s->width;
    s->mask_height = settings->use_mini_mask ? settings->mini_mask_shape.values[0] : s->height;
    s->mask_width = settings->use_mini_mask ? settings->mini_mask_shape.values[1] : s->width;
    if (l->object_count > INT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: %zu objects in one picture", name,
                       l->object_count);
    l->drawn = malloc(drawn);
    l->resized = malloc(resized);
    mrcnn_status status = MRCNN_OK;
    if (!l->drawn || !l->resized)
        return mr_prefix(err, mr_fail_memory(err, drawn + resized, "one mask"), name);
    for (size_t i = 0; i < l->object_count && status == MRCNN_OK; i++)
        status = load_object(l, i, name, err);
    if (status != MRCNN_OK || s->count == 0) return status;
    return resize_arrays(s, (size_t)s->count, err);
}

static size_t object_bytes(const mr_sample *s) {
    return (size_t)s->count * (sizeof *s->class_ids + sizeof *s->boxes + mask_bytes(s));
}

static mrcnn_status copy_active_classes(loading *l, mrcnn_error *err) {
    mr_sample *s = l->sample;
    size_t count = (size_t)s->class_count;
    s->active = mr_calloc(count, 1);
    if (!s->active) return mr_fail_memory(err, count, "active classes");
    memcpy(s->active, mr_dataset_active_classes(l->set, s->picture), count);
    return MRCNN_OK;
}

static int can_be_learnt(const mr_sample *s) {
    for (int i = 0; i < s->count; i++)
        if (s->class_ids[i] > 0) return 1;
    return 0;
}

mrcnn_status mr_sample_load(mr_sample **sample, const mr_dataset *set, size_t picture,
                            uint64_t number, const mr_sample_options *options, mrcnn_error *err) {
    if (picture >= mr_dataset_picture_count(set))
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no picture %zu: the data set has %zu",
                       picture, mr_dataset_picture_count(set));
    const mr_picture *source = mr_dataset_picture(set, picture);
    const char *name = source->path ? source->path : source->id;
    mr_sample *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a sample");
    loading l = {
        .set = set, .options = options, .sample = made, .object_count = source->object_count};
    made->picture = picture;
    made->number = number;
    made->class_count = mr_dataset_class_count(set);
    mrcnn_status status = MRCNN_OK;
    if (l.object_count > 0) { /* N61: else there is no need to look at the picture */
        status = read_pixels(&l, name, err);
        if (status == MRCNN_OK) status = load_objects(&l, name, err);
        if (status == MRCNN_OK) status = copy_active_classes(&l, err);
    }
    free(l.drawn);
    free(l.resized);
    made->bytes += sizeof *made + object_bytes(made) + (size_t)made->class_count;
    if (status != MRCNN_OK || !can_be_learnt(made)) mr_sample_free(&made);
    if (status == MRCNN_OK) *sample = made;
    return status;
}

/* --------------------------------------------------------------------------------------- limit */

static void move_object(mr_sample *s, int to, int from) {
    if (to == from) return;
    s->class_ids[to] = s->class_ids[from];
    memcpy(s->boxes[to], s->boxes[from], sizeof s->boxes[to]);
    memcpy(s->masks + (size_t)to * mask_bytes(s), s->masks + (size_t)from * mask_bytes(s),
           mask_bytes(s));
}

/* Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): what is taken
 * has every object with equal probability and stays in order. */
void mr_sample_limit(mr_sample *sample, int most, mr_sampling sampling, uint64_t stream) {
    int all = sample->count, kept = 0;
    if (most < 0) most = 0;
    if (all <= most) return;
    size_t before = object_bytes(sample);
    for (int i = 0; i < all && kept < most; i++) {
        int take = sampling == MR_SAMPLE_FIRST ||
                   mr_prng_uniform(stream, (uint64_t)i) * (all - i) < most - kept;
        if (take) move_object(sample, kept++, i);
    }
    sample->count = kept;
    sample->bytes -= before - object_bytes(sample);
    /* Shrinking can't fail in a way that matters: the larger arrays stay. */
    (void)resize_arrays(sample, (size_t)kept, NULL);
}

void mr_sample_free(mr_sample **sample) {
    if (!sample || !*sample) return;
    mr_sample *s = *sample;
    free(s->pixels);
    free(s->class_ids);
    free(s->boxes);
    free(s->masks);
    free(s->active);
    free(s);
    *sample = NULL;
}
