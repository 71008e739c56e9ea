/* writer.h - writing a data set, picture by picture: what a format's writer (write_FORMAT.c) gets and
 * does. Copying pictures, the order of things and what the user asked for are up to write.c; a
 * writer knows its format and nothing else. */
#ifndef MR_DATA_WRITER_H
#define MR_DATA_WRITER_H

#include "data/dataset.h"

/* An object as it was annotated, and its mask. Class ids are those of mr_writing's names. */
typedef struct mr_written_object {
    int class_id; /* 1 .. class_count - 1 */
    int is_crowd;
    mr_polygon_list polygons; /* rule MR_RULE_NONE: it had none */
    mrcnn_mask mask;          /* of the picture's size; never empty */
} mr_written_object;

typedef struct mr_written_picture {
    const char *id;   /* unique in the set: its file name, without folders that lead out of it */
    const char *file; /* the picture's name where `picture_folder` says; may have folders in it */
    int32_t height, width;
    size_t count;
    const mr_written_object *objects;
} mr_written_picture;

typedef struct mr_writing {
    const char *folder;             /* of the data set; it exists */
    const char *subset;             /* "train"; never NULL */
    const char *source;             /* what the set calls itself */
    const char *const *class_names; /* class_count, the background first */
    const char *const *class_ids; /* what the source calls them; NULL, or NULL for one without id */
    int class_count;
    int prefer_polygons; /* editable polygons, where the exact mask would be run lengths */
    /* Something that the format can't say: counted, and told to the user once a kind (the text must
     * be one that stays: a literal). */
    void (*lose)(void *user, const char *what);
    void *user;
    void *own; /* the writer's */
} mr_writing;

typedef struct mr_dataset_writer {
    const char *name; /* of the format */
    /* Where a picture's file belongs, below the data set's folder ("train", "images/train"); malloc'ed,
     * NULL: no memory. write.c makes the folder and puts the picture there before `add` is called. */
    char *(*picture_folder)(const mr_writing *w, const mr_written_picture *picture);
    mrcnn_status (*begin)(mr_writing *w, mrcnn_error *err); /* may be NULL */
    mrcnn_status (*add)(mr_writing *w, const mr_written_picture *picture, mrcnn_error *err);
    /* Completes files that belong to the whole set; they appear whole or not at all (base/file.h). */
    mrcnn_status (*end)(mr_writing *w, mrcnn_error *err); /* may be NULL */
    void (*close)(mr_writing *w); /* frees w->own, after `end` or instead of it; may be NULL */
} mr_dataset_writer;

/* One closed polygon that mr_fill_polygon turns into exactly this mask, holes and several parts
 * included (MR_RULE_SKIMAGE), and that has an area. Its points lie halfway between pixels of the mask
 * and others, at multiples of 0.5, none of them negative; they may be rounded by up to 0.2 (equal
 * numbers alike, and 0 to 0) without changing a pixel. Parts and holes are joined by seams that are
 * walked both ways, which the even-odd rule doesn't see. An empty mask is MRCNN_E_ARGUMENT. */
mrcnn_status mr_mask_to_polygon(const mrcnn_mask *mask, mr_polygon_list *list, mrcnn_error *err);

extern const mr_dataset_writer mr_writer_coco, mr_writer_via, mr_writer_labelme, mr_writer_yolo,
    mr_writer_png, mr_writer_labels, mr_writer_voc;

#endif
