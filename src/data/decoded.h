/* decoded.h - a picture with all its masks as its files have them, before anything is drawn: what a
 * sample begins with. Decoding is most of a small sample's work (a PNG for each of a hundred nuclei),
 * so a store keeps what was decoded for further passes while there is room. */
#ifndef MR_DATA_DECODED_H
#define MR_DATA_DECODED_H

#include "config/config.h"
#include "data/data.h"
#include "image/resize.h"

typedef struct mr_decoded_object {
    int class_id;  /* negative: a crowd */
    mr_patch mask; /* an empty box when the object has no pixel; its bits belong to the picture */
} mr_decoded_object;

/* Immutable once made. */
typedef struct mr_decoded {
    mrcnn_image image;
    size_t count;
    mr_decoded_object *objects;
    uint8_t *bits;
    size_t bytes; /* of all of it */
} mr_decoded;

/* One mask at a time is drawn in full size, whose bits inside its box are kept. Messages name the
 * file. */
mrcnn_status mr_decode(mr_decoded **decoded, const mr_dataset *set, size_t picture,
                       const mr_settings *settings, mrcnn_error *err);
void mr_decoded_free(mr_decoded **decoded);

/* What was decoded of one data set with one configuration, up to a number of bytes: the first ones
 * that come stay, as every pass over a data set asks for all of it in another order. What is kept
 * changes how long a sample takes and nothing else. */
typedef struct mr_decoded_store mr_decoded_store;

/* Set and settings must outlive the store. */
mrcnn_status mr_decoded_store_create(mr_decoded_store **store, const mr_dataset *set,
                                     const mr_settings *settings, size_t bytes, mrcnn_error *err);

/* Kept, or decoded now. *own is NULL, or the same picture for the caller to free: there was no room.
 * From any thread. */
mrcnn_status mr_decoded_store_get(mr_decoded_store *store, size_t picture,
                                  const mr_decoded **decoded, mr_decoded **own, mrcnn_error *err);

/* No thread may use what the store keeps any more. */
void mr_decoded_store_free(mr_decoded_store **store);

#endif
