/* sample.c - see sample.h. The order is that of load_image_gt: resize, mirror, augment, drop empty
 * masks, take boxes, make masks small. A picture is one tile of the frame, or one of a mosaic's four;
 * masks go through the same places and movements as pixels, one at a time. */
#include "data/sample.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"
#include "data/augment.h"
#include "data/mini_mask.h"
#include "image/bits.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TILES = 4 };

/* A picture and its place in the frame. */
typedef struct tile {
    size_t picture;
    const char *name; /* for messages */
    const mr_decoded *decoded;
    mr_decoded *own; /* the same, unless it is kept for others */
    mr_fit fit;      /* into the tile */
    int top, left;
} tile;

/* A sample under way. */
typedef struct loading {
    const mr_dataset *set;
    const mr_sample_options *options;
    mr_sample *sample;
    int tile_count;
    tile tiles[MOST_TILES];
    size_t object_count; /* that the pictures have, empty ones included */
    size_t room;         /* objects that the sample's arrays hold */
    uint8_t *fitted;     /* one mask of a tile's size, */
    uint8_t *framed;     /* of the frame's, */
    uint8_t *moved;      /* the same after augmentation, */
    uint8_t *mini;       /* and of a mini mask's size */
    mr_augment_plan plan;
    mr_warp warp; /* the plan's movements; without any, masks stay where they are */
    mr_warp_map map;
} loading;

/* From [0, 1). Tiles behind the first one have draws of their own. */
static double draw_uniform(const loading *l, const char *name, int tile) {
    uint64_t stream = mr_prng_stream(l->options->seed, name);
    if (tile > 0) stream = mr_prng_value(stream, (uint64_t)tile);
    return mr_prng_uniform(stream, l->sample->number);
}

/* A whole number in [0, most]. */
static int draw(const loading *l, const char *name, int tile, int most) {
    return (int)(draw_uniform(l, name, tile) * ((double)most + 1));
}

/* ------------------------------------------------------------------------------ what is drawn */

/* N53. */
static int may_change(const loading *l, size_t picture) {
    const mr_names_list *list = &l->options->settings->no_augmentation_sources;
    const char *source = mr_dataset_picture(l->set, picture)->source;
    for (int i = 0; i < list->count; i++)
        if (strcmp(list->names[i], source) == 0) return 0;
    return 1;
}

static void set_tile(loading *l, int index, size_t picture) {
    const mr_picture *source = mr_dataset_picture(l->set, picture);
    l->tiles[index] = (tile){.picture = picture, .name = source->path ? source->path : source->id};
    l->object_count += source->object_count;
}

/* The frame's own picture, in a mosaic with three others. A picture that must not be changed does not
 * come in: the frame's own takes its place. */
static void choose_tiles(loading *l, int augment) {
    const mr_settings *settings = l->options->settings;
    mr_sample *s = l->sample;
    l->tile_count = 1;
    set_tile(l, 0, s->picture);
    if (!augment || draw_uniform(l, "mosaic", 0) >= settings->mosaic) return;
    if (settings->image_resize_mode != MR_RESIZE_SQUARE &&
        settings->image_resize_mode != MR_RESIZE_CROP)
        return; /* its frame isn't known beforehand */
    size_t count = mr_dataset_picture_count(l->set);
    for (int i = 1; i < MOST_TILES; i++) {
        size_t other = (size_t)(draw_uniform(l, "mosaic picture", i) * (double)count);
        set_tile(l, i, may_change(l, other) ? other : s->picture);
    }
    l->tile_count = MOST_TILES;
    s->mosaic = 1;
}

static void draw_plan(loading *l, int augment) {
    mr_sample *s = l->sample;
    const mr_settings *settings = l->options->settings;
    if (!l->options->training) return;
    s->mirrored = draw_uniform(l, "mirror", 0) < settings->horizontal_flip;
    if (!augment) return;
    uint64_t stream = mr_prng_stream(l->options->seed, "augment");
    mr_augment_draw(&l->plan, &settings->augmentation, mr_prng_value(stream, s->number));
    s->augmented = l->plan.count > 0;
}

/* ------------------------------------------------------------------------------------- picture */

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

/* Quarters of the frame are fitted as the frame is: half the size, and in square mode half the scale.
 */
static void halve(mr_settings *settings) {
    settings->image_max_dim /= 2;
    settings->image_min_dim /= 2;
    if (settings->image_min_dim > settings->image_max_dim &&
        settings->image_resize_mode == MR_RESIZE_SQUARE)
        settings->image_min_dim = settings->image_max_dim;
}

static mrcnn_status fit_tile(loading *l, int index, const mrcnn_image *image, mrcnn_error *err) {
    tile *t = &l->tiles[index];
    mr_settings quarter;
    const mr_settings *settings = l->options->settings;
    if (l->sample->mosaic) {
        quarter = *settings;
        halve(&quarter);
        settings = &quarter;
    }
    mrcnn_status status = mr_fit_image(&t->fit, image->height, image->width, settings, err);
    if (status != MRCNN_OK) return status;
    if (l->options->training && settings->image_resize_mode == MR_RESIZE_CROP) {
        /* N5: training draws the crop, validation takes the middle. */
        t->fit.crop_y = draw(l, "crop y", index, t->fit.scaled_height - t->fit.height);
        t->fit.crop_x = draw(l, "crop x", index, t->fit.scaled_width - t->fit.width);
    }
    if (l->sample->mosaic) { /* the frame's own picture lies in any of the quarters */
        int place = (index + draw(l, "mosaic place", 0, MOST_TILES - 1)) % MOST_TILES;
        t->top = place / 2 * t->fit.height;
        t->left = place % 2 * t->fit.width;
    }
    return MRCNN_OK;
}

/* The first tile makes the frame. */
static mrcnn_status make_frame(loading *l, int channels, mrcnn_error *err) {
    mr_sample *s = l->sample;
    const mr_fit *fit = &l->tiles[0].fit;
    s->fit = *fit;
    s->height = s->mosaic ? 2 * fit->height : fit->height;
    s->width = s->mosaic ? 2 * fit->width : fit->width;
    s->channels = channels;
    size_t pixels = (size_t)s->height * (size_t)s->width;
    s->pixels = mr_calloc(pixels, (size_t)channels);
    if (!s->pixels) return mr_fail_memory(err, pixels * (size_t)channels, "a resized picture");
    s->bytes += pixels * (size_t)channels;
    return MRCNN_OK;
}

/* Rows of a tile into the frame. */
static void place(const loading *l, const tile *t, const uint8_t *from, uint8_t *frame,
                  size_t channels) {
    size_t row = (size_t)t->fit.width * channels, stride = (size_t)l->sample->width * channels;
    uint8_t *to = frame + (size_t)t->top * stride + (size_t)t->left * channels;
    for (int y = 0; y < t->fit.height; y++)
        memcpy(to + (size_t)y * stride, from + (size_t)y * row, row);
}

static mrcnn_status make_pixels(loading *l, int index, const mrcnn_image *image, mrcnn_error *err) {
    mr_sample *s = l->sample;
    const tile *t = &l->tiles[index];
    mrcnn_status status = fit_tile(l, index, image, err);
    if (status == MRCNN_OK && index == 0) status = make_frame(l, image->channels, err);
    if (status != MRCNN_OK) return status;
    if (image->channels != s->channels)
        return mr_fail(err, MRCNN_E_FORMAT, "%d channels in a mosaic of pictures with %d",
                       image->channels, s->channels);
    if (!s->mosaic) return mr_resize_image(image, &t->fit, s->pixels, 1, err);
    size_t pixels = (size_t)t->fit.height * (size_t)t->fit.width;
    uint8_t *fitted = mr_calloc(pixels, (size_t)s->channels);
    if (!fitted) return mr_fail_memory(err, pixels * (size_t)s->channels, "a resized picture");
    status = mr_resize_image(image, &t->fit, fitted, 1, err);
    if (status == MRCNN_OK) place(l, t, fitted, s->pixels, (size_t)s->channels);
    free(fitted);
    return status;
}

static mrcnn_status decode_tile(loading *l, tile *t, mrcnn_error *err) {
    mr_decoded_store *store = l->options->store;
    if (store) return mr_decoded_store_get(store, t->picture, &t->decoded, &t->own, err);
    mrcnn_status status = mr_decode(&t->own, l->set, t->picture, l->options->settings, err);
    t->decoded = t->own;
    return status;
}

static mrcnn_status read_tile(loading *l, int index, mrcnn_error *err) {
    tile *t = &l->tiles[index];
    mrcnn_status status = decode_tile(l, t, err);
    if (status != MRCNN_OK) return status; /* its message has the name */
    return mr_prefix(err, make_pixels(l, index, &t->decoded->image, err), t->name);
}

static mrcnn_status load_picture(loading *l, mrcnn_error *err) {
    mr_sample *s = l->sample;
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; i < l->tile_count && status == MRCNN_OK; i++) status = read_tile(l, i, err);
    if (status != MRCNN_OK) return status;
    if (s->mirrored) mirror(s->pixels, s->height, s->width, s->channels);
    status = mr_augment_warp(&l->warp, &l->plan, s->height, s->width, err);
    if (status == MRCNN_OK)
        status = mr_augment_picture(&l->plan, &l->warp, &s->pixels, s->channels, err);
    if (status == MRCNN_OK && l->warp.count > 0) status = mr_warp_map_make(&l->map, &l->warp, err);
    return mr_prefix(err, status, l->tiles[0].name);
}

/* ------------------------------------------------------------------------------------ objects */

static size_t mask_bytes(const mr_sample *s) {
    return mr_bits_size(s->mask_height, s->mask_width);
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

/* A mask of the frame becomes the sample's next object, unless it is empty (N51). */
static mrcnn_status add_object(loading *l, const uint8_t *mask, int class_id, mrcnn_error *err) {
    mr_sample *s = l->sample;
    int32_t box[4];
    if (!mr_bytes_box(mask, s->height, s->width, box)) return MRCNN_OK;
    mrcnn_status status = make_room(l, err);
    if (status != MRCNN_OK) return status;
    if (l->options->settings->use_mini_mask) {
        status = mr_minimize_mask(mask, s->width, box, l->mini, s->mask_height, s->mask_width, err);
        if (status != MRCNN_OK) return status;
        mask = l->mini;
    }
    mr_bits_pack(mask, s->mask_height, s->mask_width, s->masks + (size_t)s->count * mask_bytes(s));
    memcpy(s->boxes[s->count], box, sizeof box);
    s->class_ids[s->count++] = class_id;
    return MRCNN_OK;
}

static mrcnn_status check_class(const mr_sample *s, size_t object, int class_id, mrcnn_error *err) {
    if (class_id != 0 && class_id < s->class_count && class_id > -s->class_count) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_FORMAT, "object %zu is of class %d; classes are 1 to %d", object,
                   class_id, s->class_count - 1);
}

/* The mask, resized, into its place in the frame. */
static mrcnn_status frame_mask(loading *l, const tile *t, const mr_patch *mask, mrcnn_error *err) {
    mr_sample *s = l->sample;
    if (!s->mosaic) return mr_resize_mask(mask, &t->fit, l->framed, err);
    mrcnn_status status = mr_resize_mask(mask, &t->fit, l->fitted, err);
    if (status != MRCNN_OK) return status;
    memset(l->framed, 0, (size_t)s->height * (size_t)s->width);
    place(l, t, l->fitted, l->framed, 1);
    return MRCNN_OK;
}

/* Where the picture's pixels went, the mask's go. */
static const uint8_t *move_mask(loading *l) {
    mr_sample *s = l->sample;
    int32_t box[4];
    if (s->mirrored) mirror(l->framed, s->height, s->width, 1);
    if (l->warp.count == 0) return l->framed;
    mr_bytes_box(l->framed, s->height, s->width, box);
    mr_warp_mask(&l->map, l->framed, box, l->moved);
    return l->moved;
}

static mrcnn_status load_object(loading *l, const tile *t, size_t object, mrcnn_error *err) {
    const mr_decoded_object *o = &t->decoded->objects[object];
    mrcnn_status status = check_class(l->sample, object, o->class_id, err);
    if (status == MRCNN_OK) status = frame_mask(l, t, &o->mask, err);
    if (status == MRCNN_OK) status = add_object(l, move_mask(l), o->class_id, err);
    return mr_prefix(err, status, t->name);
}

/* Buffers for one mask on its way; those that aren't needed are empty. */
static mrcnn_status make_buffers(loading *l, mrcnn_error *err) {
    const mr_sample *s = l->sample;
    size_t frame = (size_t)s->height * (size_t)s->width;
    l->framed = mr_calloc(frame, 1);
    l->fitted = mr_calloc(s->mosaic ? frame / MOST_TILES : 0, 1);
    l->moved = mr_calloc(l->warp.count > 0 ? frame : 0, 1);
    l->mini = mr_calloc((size_t)s->mask_height, (size_t)s->mask_width);
    if (l->framed && l->fitted && l->moved && l->mini) return MRCNN_OK;
    return mr_fail_memory(err, 2 * frame, "one mask");
}

static mrcnn_status load_tile(loading *l, const tile *t, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < t->decoded->count && status == MRCNN_OK; i++)
        status = load_object(l, t, i, err);
    return status;
}

static mrcnn_status load_objects(loading *l, mrcnn_error *err) {
    mr_sample *s = l->sample;
    const mr_settings *settings = l->options->settings;
    s->mask_height = settings->use_mini_mask ? settings->mini_mask_shape.values[0] : s->height;
    s->mask_width = settings->use_mini_mask ? settings->mini_mask_shape.values[1] : s->width;
    if (l->object_count > INT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: %zu objects in one picture", l->tiles[0].name,
                       l->object_count);
    mrcnn_status status = mr_prefix(err, make_buffers(l, err), l->tiles[0].name);
    for (int t = 0; t < l->tile_count && status == MRCNN_OK; t++)
        status = load_tile(l, &l->tiles[t], err);
    if (status != MRCNN_OK || s->count == 0) return status;
    return resize_arrays(s, (size_t)s->count, err);
}

static size_t object_bytes(const mr_sample *s) {
    return (size_t)s->count * (sizeof *s->class_ids + sizeof *s->boxes + mask_bytes(s));
}

/* In a mosaic only classes that every picture's source annotates: elsewhere nobody looked for the
 * others. */
static mrcnn_status copy_active_classes(loading *l, mrcnn_error *err) {
    mr_sample *s = l->sample;
    size_t count = (size_t)s->class_count;
    s->active = mr_calloc(count, 1);
    if (!s->active) return mr_fail_memory(err, count, "active classes");
    memset(s->active, 1, count);
    for (int t = 0; t < l->tile_count; t++) {
        const uint8_t *active = mr_dataset_active_classes(l->set, l->tiles[t].picture);
        for (size_t i = 0; i < count; i++) s->active[i] &= active[i];
    }
    return MRCNN_OK;
}

/* ----------------------------------------------------------------------------------- the whole */

static int can_be_learnt(const mr_sample *s) {
    for (int i = 0; i < s->count; i++)
        if (s->class_ids[i] > 0) return 1;
    return 0;
}

static void free_loading(loading *l) {
    for (int t = 0; t < l->tile_count; t++) mr_decoded_free(&l->tiles[t].own);
    free(l->fitted);
    free(l->framed);
    free(l->moved);
    free(l->mini);
    mr_warp_map_free(&l->map);
    mr_warp_free(&l->warp);
}

static mrcnn_status load_all(loading *l, int augment, mrcnn_error *err) {
    mr_sample *s = l->sample;
    choose_tiles(l, augment);
    draw_plan(l, augment);
    mrcnn_status status = load_picture(l, err);
    if (status == MRCNN_OK) status = load_objects(l, err);
    if (status == MRCNN_OK) status = copy_active_classes(l, err);
    s->bytes += sizeof *s + object_bytes(s) + (size_t)s->class_count;
    return status;
}

/* A new sample, or NULL when there is nothing to learn from it. */
static mrcnn_status make_sample(mr_sample **sample, const loading *wanted, size_t picture,
                                uint64_t number, int augment, mrcnn_error *err) {
    loading l = *wanted;
    mr_sample *made = l.sample = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a sample");
    made->picture = picture;
    made->number = number;
    made->class_count = mr_dataset_class_count(l.set);
    mrcnn_status status = load_all(&l, augment, err);
    free_loading(&l);
    if (status != MRCNN_OK || !can_be_learnt(made)) mr_sample_free(&made);
    if (status == MRCNN_OK) *sample = made;
    return status;
}

mrcnn_status mr_sample_load(mr_sample **sample, const mr_dataset *set, size_t picture,
                            uint64_t number, const mr_sample_options *options, mrcnn_error *err) {
    if (picture >= mr_dataset_picture_count(set))
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no picture %zu: the data set has %zu",
                       picture, mr_dataset_picture_count(set));
    const mr_settings *settings = options->settings;
    const loading l = {.set = set, .options = options};
    mr_sample *made = NULL;
    mrcnn_status status = MRCNN_OK;
    int augment = options->training && (settings->augmentation.count > 0 || settings->mosaic > 0) &&
                  may_change(&l, picture);
    if (mr_dataset_picture(set, picture)->object_count >
        0) { /* N61: else it needn't be looked at */
        status = make_sample(&made, &l, picture, number, augment, err);
        /* When augmentation moved everything out of the frame, the picture comes as it is. */
        if (status == MRCNN_OK && !made && augment)
            status = make_sample(&made, &l, picture, number, 0, err);
    }
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
