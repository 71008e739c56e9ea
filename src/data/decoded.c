/* decoded.c - see decoded.h. */
#include "data/decoded.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/mini_mask.h"
#include "image/stretch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A picture under way: `bits` grows with each object, so patches get their pointers at the end. */
typedef struct decoding {
    mr_decoded *made;
    size_t *starts; /* of each object's bits */
    size_t used, room;
    uint8_t *drawn; /* one mask of the picture's size */
} decoding;

static size_t patch_bytes(const int32_t box[4]) {
    return mr_bits_size(box[2] - box[0], box[3] - box[1]);
}

static uint8_t *room_for(decoding *d, size_t more) {
    if (d->used + more > d->room) {
        size_t room = 2 * d->room > d->used + more ? 2 * d->room : d->used + more;
        uint8_t *bits = mr_realloc(d->made->bits, room, 1);
        if (!bits) return NULL;
        d->made->bits = bits;
        d->room = room;
    }
    return d->made->bits + d->used;
}

/* Bits of the box, row by row. */
static void pack_box(const uint8_t *drawn, int width, const int32_t box[4], uint8_t *bits) {
    size_t row = mr_bits_row(box[3] - box[1]);
    for (int y = box[0]; y < box[2]; y++, bits += row)
        mr_bits_pack(drawn + (size_t)y * (size_t)width + box[1], 1, box[3] - box[1], bits);
}

static mrcnn_status keep_object(decoding *d, mr_masks *masks, size_t index, mrcnn_error *err) {
    mr_decoded_object *o = &d->made->objects[index];
    mrcnn_status status = mr_masks_draw(masks, index, d->drawn, &o->class_id, err);
    if (status != MRCNN_OK) return status; /* its message has the name */
    d->starts[index] = d->used;
    if (!mr_bytes_box(d->drawn, masks->height, masks->width, o->mask.box)) {
        memset(o->mask.box, 0, sizeof o->mask.box);
        return MRCNN_OK;
    }
    size_t size = patch_bytes(o->mask.box);
    uint8_t *bits = room_for(d, size);
    if (!bits) return mr_fail_memory(err, d->used + size, "masks of a picture");
    pack_box(d->drawn, masks->width, o->mask.box, bits);
    d->used += size;
    return MRCNN_OK;
}

/* What was taken in excess goes back; nothing moves any more from here on. */
static void settle(decoding *d) {
    mr_decoded *made = d->made;
    uint8_t *bits = d->used ? mr_realloc(made->bits, d->used, 1) : NULL;
    if (bits) made->bits = bits;
    for (size_t i = 0; i < made->count; i++)
        made->objects[i].mask.bits = made->bits ? made->bits + d->starts[i] : NULL;
    size_t pixels = (size_t)made->image.height * (size_t)made->image.width;
    made->bytes = sizeof *made + pixels * (size_t)made->image.channels +
                  made->count * sizeof *made->objects + d->used;
}

static mrcnn_status keep_objects(decoding *d, const mr_dataset *set, size_t picture,
                                 mrcnn_error *err) {
    const mrcnn_image *image = &d->made->image;
    size_t count = mr_dataset_picture(set, picture)->object_count;
    size_t pixels = (size_t)image->height * (size_t)image->width;
    mr_masks masks;
    d->made->objects = mr_calloc(count, sizeof *d->made->objects);
    d->starts = mr_calloc(count, sizeof *d->starts);
    d->drawn = mr_calloc(pixels, 1);
    if (!d->made->objects || !d->starts || !d->drawn)
        return mr_fail_memory(err, pixels, "one mask");
    mrcnn_status status = mr_masks_open(&masks, set, picture, image->height, image->width, err);
    for (; status == MRCNN_OK && d->made->count < count; d->made->count++)
        status = keep_object(d, &masks, d->made->count, err);
    mr_masks_close(&masks);
    return status;
}

mrcnn_status mr_decode(mr_decoded **decoded, const mr_dataset *set, size_t picture,
                       const mr_settings *settings, mrcnn_error *err) {
    mr_decoded *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a picture");
    decoding d = {.made = made};
    mrcnn_status status = mr_dataset_read(set, picture, &made->image, err);
    if (status == MRCNN_OK) mr_stretch(&made->image, &settings->image_stretch);
    if (status == MRCNN_OK) status = keep_objects(&d, set, picture, err);
    if (status == MRCNN_OK) settle(&d);
    free(d.starts);
    free(d.drawn);
    if (status == MRCNN_OK)
        *decoded = made;
    else
        mr_decoded_free(&made);
    return status;
}

void mr_decoded_free(mr_decoded **decoded) {
    if (!decoded || !*decoded) return;
    mrcnn_image_free(&(*decoded)->image);
    free((*decoded)->objects);
    free((*decoded)->bits);
    free(*decoded);
    *decoded = NULL;
}

/* --------------------------------------------------------------------------------------- store */

struct mr_decoded_store {
    const mr_dataset *set;
    const mr_settings *settings;
    size_t limit;
    pthread_mutex_t mutex; /* guards what follows; what a slot points to never changes */
    mr_decoded **slots;    /* one a picture */
    size_t bytes;
};

mrcnn_status mr_decoded_store_create(mr_decoded_store **store, const mr_dataset *set,
                                     const mr_settings *settings, size_t bytes, mrcnn_error *err) {
    mr_decoded_store *s = mr_calloc(1, sizeof *s);
    mr_decoded **slots = mr_calloc(mr_dataset_picture_count(set), sizeof(mr_decoded *));
    if (!s || !slots) {
        free(s);
        free(slots);
        return mr_fail_memory(err, mr_dataset_picture_count(set) * sizeof(mr_decoded *),
                              "a store of pictures");
    }
    *s = (mr_decoded_store){.set = set, .settings = settings, .limit = bytes, .slots = slots};
    pthread_mutex_init(&s->mutex, NULL);
    *store = s;
    return MRCNN_OK;
}

/* 1 when the store has taken it; another thread may have been quicker. */
static int offer(mr_decoded_store *s, size_t picture, mr_decoded *made) {
    pthread_mutex_lock(&s->mutex);
    int kept = !s->slots[picture] && made->bytes <= s->limit - s->bytes;
    if (kept) {
        s->slots[picture] = made;
        s->bytes += made->bytes;
    }
    pthread_mutex_unlock(&s->mutex);
    return kept;
}

mrcnn_status mr_decoded_store_get(mr_decoded_store *store, size_t picture,
                                  const mr_decoded **decoded, mr_decoded **own, mrcnn_error *err) {
    mr_decoded *made = NULL;
    pthread_mutex_lock(&store->mutex);
    const mr_decoded *kept = store->slots[picture];
    pthread_mutex_unlock(&store->mutex);
    *own = NULL;
    if (kept) {
        *decoded = kept;
        return MRCNN_OK;
    }
    mrcnn_status status = mr_decode(&made, store->set, picture, store->settings, err);
    if (status != MRCNN_OK) return status;
    *decoded = made;
    if (!offer(store, picture, made)) *own = made;
    return MRCNN_OK;
}

void mr_decoded_store_free(mr_decoded_store **store) {
    if (!store || !*store) return;
    mr_decoded_store *s = *store;
    for (size_t i = 0; i < mr_dataset_picture_count(s->set); i++) mr_decoded_free(&s->slots[i]);
    pthread_mutex_destroy(&s->mutex);
    free(s->slots);
    free(s);
    *store = NULL;
}
