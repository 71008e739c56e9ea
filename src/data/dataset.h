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
    MR_OUTLINE_ELLIPSE, /* centre x, y, radius x, y, angle */
    MR_OUTLINE_PARTS,   /* several of those, as one object: kind, count, numbers; and again */
    MR_OUTLINE_OWN      /* what the format makes of `count` and `first` */
} mr_outline;

typedef struct mr_object {
    int32_t class_id; /* while annotations are read: a number in `names`, or -1 for none given */
    uint32_t region;  /* its place in the annotation file's list, from 0 */
    uint8_t outline;  /* mr_outline */
    uint8_t is_crowd;
    uint32_t count; /* numbers */
    size_t first;   /* the first of them */
} mr_object;

/* What is known of an object without drawing it. */
typedef struct mr_about_object {
    int class_id; /* 0: unknown; a crowd's is positive, too */
    int is_crowd;
    uint32_t region; /* its place in the annotation file's list */
    int has_box;
    double box[4]; /* y1 x1 y2 x2 of the outline, wherever it lies */
} mr_about_object;

/* How polygons become pixels. */
typedef enum mr_rule {
    MR_RULE_NONE,    /* there are no polygons: only a mask */
    MR_RULE_SKIMAGE, /* raster.h */
    MR_RULE_COCO     /* pycocotools: the union of its polygons */
} mr_rule;

/* An object's polygons, for those who write annotations. Free `points` and `xy`. */
typedef struct mr_polygon_list {
    mr_rule rule;
    size_t count;
    size_t *points; /* of each polygon */
    double *xy;     /* of all of them, one behind the other */
} mr_polygon_list;

typedef struct mr_problem {
    int is_error;
    char *picture;  /* file name; "" when it is about the whole set */
    int64_t object; /* region, -1: about the picture */
    char *text;
} mr_problem;

/* Problems whose texts are equal up to the first digit or quotation mark. A file may have a million of
 * them: only the first ones are kept, all are counted. */
typedef struct mr_problem_kind {
    size_t first; /* in `problems` */
    size_t count;
} mr_problem_kind;

enum { MR_PROBLEMS_KEPT = 1000, MR_PROBLEM_KINDS = 50 };

/* Where a data set lies: which of these there are is up to the format. All malloc'ed. */
typedef struct mr_place {
    char *file;   /* of annotations, or a list of pictures, or a folder of label files */
    char *folder; /* of pictures, or of everything */
} mr_place;

void mr_place_free(mr_place *place);

/* One annotation format: a row of the table in dataset.c. What may be NULL says so. */
typedef struct mr_dataset_format {
    const char *name;
    const char *files; /* what there must be, for messages: "a COCO file of images, ..." */

    /* Looks for a data set in `path`, which is there: a folder or a file; subset as in mrcnn.h.
     * Quick, however large the set is. MRCNN_E_UNSUPPORTED: nothing there looks like this format; any
     * other error: something does, but can't be used. NULL: the format is opened by its name only,
     * without a place. */
    mrcnn_status (*find)(mr_place *place, const char *path, const char *subset, mrcnn_error *err);

    /* Fills the set. `place` is what `find` made; parts of it may be taken over (set to NULL). */
    mrcnn_status (*open)(mr_dataset *set, mr_place *place, const mrcnn_dataset_options *options,
                         mrcnn_error *err);
    void (*close)(mr_dataset *set); /* frees set->own; may be NULL */

    mrcnn_status (*read)(const mr_dataset *set, size_t index, mrcnn_image *image, mrcnn_error *err);
    /* Whether that is what is in the file at the picture's path. NULL: yes, if it has a path. */
    int (*is_file)(const mr_dataset *set, size_t index);

    /* What drawing all masks of one picture needs but once, such as a decoded file; NULL: nothing.
     * close_masks takes whatever open_masks left in masks->own, NULL too. */
    mrcnn_status (*open_masks)(mr_masks *masks, mrcnn_error *err);
    void (*close_masks)(mr_masks *masks);
    /* Draws an object, as mr_masks_draw. */
    mrcnn_status (*draw)(const mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                         mrcnn_error *err);
    /* The same as run lengths, where that is quicker than drawing; as mr_masks_encode. NULL: by draw. */
    mrcnn_status (*encode)(const mr_masks *masks, size_t object, uint8_t *scratch, mrcnn_mask *mask,
                           int *class_id, mrcnn_error *err);

    /* What is known of an object without drawing it. NULL: of set->objects, their classes and the
     * boxes of their outlines; without set->objects nothing. */
    void (*about)(const mr_dataset *set, size_t index, size_t object, mr_about_object *about);
    /* An object's polygons. NULL: those of set->objects with MR_OUTLINE_POLYGON (and PARTS of
     * them), by MR_RULE_SKIMAGE; else MR_RULE_NONE. */
    mrcnn_status (*polygons)(const mr_dataset *set, size_t index, size_t object,
                             mr_polygon_list *list, mrcnn_error *err);
    /* The classes that a picture's source annotates. NULL: set->active. */
    const uint8_t *(*active)(const mr_dataset *set, size_t index);
    /* What a source calls a class, NULL when it has no such class. NULL: there is one source, with
     * set->class_ids. */
    const char *(*source_class)(const mr_dataset *set, int class_id, const char *source);
    /* Of a set that consists of others: the one that has the picture; *index becomes its number there.
     * NULL: there are no others. */
    const mr_dataset *(*part)(const mr_dataset *set, size_t *index);
} mr_dataset_format;

extern const mr_dataset_format mr_format_coco, mr_format_via, mr_format_labelme, mr_format_yolo,
    mr_format_png, mr_format_voc, mr_format_labels, mr_format_shapes;

struct mrcnn_dataset {
    const mr_dataset_format *format;
    void *own;                 /* the format's */
    char *source;              /* its name; of several, all of them */
    char *annotations;         /* the file, or NULL */
    mrcnn_image_options image; /* how pictures are decoded */
    char **class_names;
    char **class_ids; /* what the source calls them, as text; numbers from 0 unless it says so */
    int class_count;
    mr_name *classes_by_name; /* 1 to class_count - 1; the names are those of class_names */
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
    mr_problem_kind kinds[MR_PROBLEM_KINDS]; /* the last one is for all that are not like others */
    size_t kind_count;
    size_t without_objects, pictures_left_out, objects_left_out, points;
};

/* Makes room for `count` more items in a growing array; 0: no memory. */
int mr_dataset_grow(void **items, size_t *room, size_t used, size_t count, size_t size);

/* Makes a mask large enough for a picture; what is in it may be lost. */
mrcnn_status mr_scratch_mask(uint8_t **mask, size_t *room, int32_t height, int32_t width,
                             mrcnn_error *err);

/* Notes a problem, or counts it when there are many of its kind. Returns MRCNN_OK, or that memory is
 * short. */
mrcnn_status mr_dataset_note(mr_dataset *set, int is_error, const char *picture, int64_t object,
                             const char *text, mrcnn_error *err);

/* A picture after those that are there; its objects are the ones that are added from now on. */
mrcnn_status mr_dataset_add_picture(mr_dataset *set, char *path, const char *id, mrcnn_error *err);

/* An object of the last picture, with numbers of its own. */
mrcnn_status mr_dataset_add_object(mr_dataset *set, const mr_object *object, const double *numbers,
                                   mrcnn_error *err);

/* When all is read: gives classes their ids (the caller's, by name, or as names say) and takes out the pictures
 * that are there twice, objects without a class, and (unless they are asked for) pictures without
 * objects. */
mrcnn_status mr_dataset_finish(mr_dataset *set, const mr_names *names,
                               const mrcnn_dataset_options *options, mrcnn_error *err);

/* Takes over the class names that the caller gave (NULL-terminated, background first), or these
 * `count` names with BG before them. */
mrcnn_status mr_dataset_set_classes(mr_dataset *set, const char *const *given,
                                    const char *const *names, size_t count, mrcnn_error *err);

/* Fills set->class_ids with the classes' numbers. */
mrcnn_status mr_dataset_number_classes(mr_dataset *set, mrcnn_error *err);

/* The id of a class by its name, -1 for none. */
int mr_dataset_class_id(const mr_dataset *set, const char *name);

/* The data set's name: that of the innermost folder that is not called after a subset ("train");
 * malloc'ed. */
char *mr_dataset_name_source(const char *folder);
/* The name of a set of several sources: theirs, in the order of its pictures ("coco, mine"). */
mrcnn_status mr_dataset_name_sources(mr_dataset *set, mrcnn_error *err);

/* An object of set->objects: for formats that have them. */
const mr_object *mr_dataset_object(const mr_dataset *set, size_t index, size_t object);

/* "Nothing in it can be used", why (as printf has it), and the first problem. */
mrcnn_status mr_dataset_fail_unusable(const mr_dataset *set, mrcnn_error *err, const char *format,
                                      ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* 1 when the picture is what is in the file at its path. */
int mr_dataset_is_file(const mr_dataset *set, size_t index);
/* Reads a picture file: for formats whose pictures are files. */
mrcnn_status mr_dataset_read_file(const mr_dataset *set, size_t index, mrcnn_image *image,
                                  mrcnn_error *err);
/* The size that the decoded picture has, from the file's headers if they have it. */
mrcnn_status mr_dataset_picture_size(const mr_dataset *set, size_t index, int32_t *height,
                                     int32_t *width, mrcnn_error *err);
/* Draws an outline of set->objects: for formats that have them. */
mrcnn_status mr_dataset_draw_outline(const mr_masks *masks, size_t object, uint8_t *mask,
                                     int *class_id, mrcnn_error *err);

/* The set that the picture comes from, which is no joined one; *index becomes its number there. */
const mr_dataset *mr_dataset_part(const mr_dataset *set, size_t *index);

/* What is known of an object without drawing it; its polygons, if it has any. */
void mr_dataset_about(const mr_dataset *set, size_t index, size_t object, mr_about_object *about);
mrcnn_status mr_dataset_polygons(const mr_dataset *set, size_t index, size_t object,
                                 mr_polygon_list *list, mrcnn_error *err);
void mr_polygon_list_free(mr_polygon_list *list);

#endif
