/* dataset.h - inside a data set, for the files that read annotation formats and for check.c. The
 * rest of the library knows data.h. */
#ifndef MR_DATA_DATASET_H
#define MR_DATA_DATASET_H

#include "data/data.h"
#include "data/names.h"

/* What an object's numbers mean. */
typedef enum mr_outline {
    MR_OUTLINE_POLYGON, /* x, y for each point */
    MR_OUTLINE_RECT,    /* x, y, width, height */
    MR_OUTLINE_ELLIPSE  /* centre x, y, radius x, y, angle */
} mr_outline;

typedef struct mr_object {
    int32_t class_id; /* while annotations are read: a number in `names`, or -1 for none given */
    uint32_t region;  /* its place in the annotation file's list, from 0 */
    mr_outline outline;
    uint32_t count; /* numbers */
    size_t first;   /* the first of them */
} mr_object;

typedef struct mr_problem {
    int is_error;
    char *picture;  /* file name; "" when it is about the whole set */
    int64_t object; /* region, -1: about the picture */
    char *text;
} mr_problem;

typedef struct mr_dataset_format {
    const char *name;
    mrcnn_status (*open)(mr_dataset *set, const char *path, const mrcnn_dataset_options *options,
                         mrcnn_error *err);
    mrcnn_status (*read)(const mr_dataset *set, size_t index, mrcnn_image *image, mrcnn_error *err);
    mrcnn_status (*mask)(const mr_dataset *set, size_t index, size_t object, int height, int width,
                         uint8_t *mask, int *class_id, mrcnn_error *err);
} mr_dataset_format;

extern const mr_dataset_format mr_format_via, mr_format_shapes;

struct mrcnn_dataset {
    const mr_dataset_format *format;
    char *source;      /* its name */
    char *annotations; /* the file, or NULL */
    char **class_names;
    int class_count;
    uint8_t *active; /* class_count bytes: one source, which annotates all of its classes */

    mr_picture *pictures; /* their path is malloc'ed and ends in the id (path NULL: the id is) */
    size_t picture_count, picture_room;
    size_t *first_objects; /* of each picture, in `objects` */
    size_t first_room;
    mr_object *objects;
    size_t object_count, object_room;
    double *numbers;
    size_t number_count, number_room;

    mr_problem *problems; /* found while opening */
    size_t problem_count, problem_room;
    size_t without_objects, pictures_left_out, objects_left_out, points;

    uint64_t stream; /* of shapes */
    int shapes_height, shapes_width;
    int shape_ids[3]; /* class ids of square, circle, triangle */
};

/* Makes room for `count` more items in a growing array; 0: no memory. */
int mr_dataset_grow(void **items, size_t *room, size_t used, size_t count, size_t size);

/* Notes a problem. Returns MRCNN_OK, or that memory is short. */
mrcnn_status mr_dataset_note(mr_dataset *set, int is_error, const char *picture, int64_t object,
                             const char *text, mrcnn_error *err);

/* A picture after those that are there; its objects are the ones that are added from now on. */
mrcnn_status mr_dataset_add_picture(mr_dataset *set, char *path, const char *id, mrcnn_error *err);

/* An object of the last picture, with numbers of its own. */
mrcnn_status mr_dataset_add_object(mr_dataset *set, const mr_object *object, const double *numbers,
                                   mrcnn_error *err);

/* When all is read: gives classes their ids (the caller's, or by name) and takes out the pictures
 * that are there twice, objects without a class, and pictures without objects. */
mrcnn_status mr_dataset_finish(mr_dataset *set, const mr_names *names,
                               const mrcnn_dataset_options *options, mrcnn_error *err);

/* Takes over the class names that the caller gave (NULL-terminated, background first), or these
 * `count` names with BG before them. */
mrcnn_status mr_dataset_set_classes(mr_dataset *set, const char *const *given,
                                    const char *const *names, size_t count, mrcnn_error *err);

/* The id of a class by its name, -1 for none. */
int mr_dataset_class_id(const mr_dataset *set, const char *name);

/* Reads a picture file; draws an outline: for formats whose pictures are files. */
mrcnn_status mr_dataset_read_file(const mr_dataset *set, size_t index, mrcnn_image *image,
                                  mrcnn_error *err);
mrcnn_status mr_dataset_fill(const mr_dataset *set, size_t index, size_t object, int height,
                             int width, uint8_t *mask, int *class_id, mrcnn_error *err);

#endif
