/* data.h - data sets: opened, looked at, checked, written in other formats; anchors that fit them. mrcnn.h includes this,
 * and its rules hold. */
#ifndef MRCNN_DATA_H
#define MRCNN_DATA_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Annotated pictures: what a model is trained on and measured with. Immutable once opened; any
 * number of threads may read it. */
typedef struct mrcnn_dataset mrcnn_dataset;

typedef struct mrcnn_dataset_options {
    size_t size;
    /* "auto" (default), or how the pictures are annotated; docs/formats.md describes each:
     *   coco     a JSON file of images, annotations and categories
     *   via      regions drawn with the VGG Image Annotator 1 or 2, as JSON
     *   labelme  a JSON file a picture, by LabelMe
     *   yolo     a text file a picture, with an outline a line
     *   png      a folder a picture, with a PNG mask an object (nucleus.py's)
     *   labels   a PNG a picture, whose pixels are the objects' numbers
     *   voc      Pascal VOC's folders with SegmentationObject and SegmentationClass
     *   shapes   matterport's generated squares, circles and triangles: the path is not looked at */
    const char *format;
    /* A part of the data set ("train", "val"): a folder below the path, or whatever the format has for
     * it; the name of a stream of shapes. NULL: the path itself when it holds annotations, else
     * "train". */
    const char *subset;
    /* NULL: the classes that the annotations name, in the order of the format's list of them (coco,
     * yolo, labels, voc), else sorted by name (bytewise). Else a NULL-terminated list, the first one for the background, whose order gives the ids: pass those of the training
     * set with the validation set. Objects of other classes are left out, and reported. */
    const char *const *class_names;
    const char *source;  /* what the data set calls itself; NULL: after its folder */
    uint64_t seed;       /* of shapes: the same seed gives the same pictures everywhere */
    size_t shapes_count; /* 0: 500 for the subset "train", 50 for others */
    int32_t shapes_height, shapes_width; /* default 128; at least 80 */
    /* How pictures are decoded (mrcnn_config_image_options); NULL: as by mrcnn_image_read. Copied. */
    const mrcnn_image_options *image;
    /* 1: pictures without objects stay in the set (default 0: matterport leaves them out). Training
     * passes over them. */
    int keep_empty;
    /* Of COCO's layout, path/annotations/instances_SUBSETYEAR.json: "2014", "2017". NULL: the only one
     * that is there. */
    const char *year;
    /* A folder in which the index of a COCO file is kept, so that it opens quickly the next time; it
     * is made when it isn't there. A file that was changed is read again. NULL: nothing is kept. */
    const char *index_cache;
    /* 1: pictures of COCO's files that aren't there stay in the set, without a path, for work with the
     * annotations alone; reading one is an error (default 0: they are left out). */
    int keep_missing;
} mrcnn_dataset_options;

MRCNN_API mrcnn_dataset_options mrcnn_dataset_options_default(void);

/* Reads the annotations, not the pictures. `path` is a folder, or an annotation file. VIA regions
 * without any class attribute have the class of the data set's name, or of the only class
 * that was asked for. Pictures without objects are left out, as matterport does. What can't be used
 * is left out and reported by mrcnn_dataset_check; it is an error only when nothing remains, or when
 * the annotation file itself is broken. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_dataset_open(mrcnn_dataset **set, const char *path,
                                          const mrcnn_dataset_options *options, mrcnn_error *err);
MRCNN_API void mrcnn_dataset_free(mrcnn_dataset **set);

/* 1 when mrcnn_dataset_open would find something to open there, be it usable or not: for asking which
 * subsets there are. Quick. */
MRCNN_API int mrcnn_dataset_is_there(const char *path, const mrcnn_dataset_options *options);

/* Several data sets as one: their pictures one behind the other, and classes of the same name are the
 * same class. Each picture keeps its source, and with it which classes are annotated in it at all:
 * in training others count neither as right nor as wrong there (NUMERICS N43). On success sets[i]
 * belong to the joined set and become NULL. */
MRCNN_API mrcnn_status mrcnn_dataset_join(mrcnn_dataset **joined, mrcnn_dataset **sets,
                                          size_t count, mrcnn_error *err);

/* Pictures that a program has itself, after matterport's utils.Dataset: create a set, add a source,
 * its classes and its pictures, then prepare the set, which can be read from then on, and is
 * immutable. Class 0 is "BG". */
typedef struct mrcnn_source {
    size_t size;
    const char *name; /* "microscope"; not empty, without '.' */
    /* Makes the picture of that id, with malloc'ed pixels; its path is the program's own affair then.
     * NULL: its path is read. */
    mrcnn_status (*read)(void *user, const char *picture, mrcnn_image *image, mrcnn_error *err);
    /* Fills height * width bytes, row-major, with 0 and 1 for one object; *class_id is the set's number
     * of its class (mrcnn_dataset_map_source_class), negative for a crowd. On failure returns another
     * status than MRCNN_OK, with a message if it likes. */
    mrcnn_status (*mask)(void *user, const char *picture, size_t object, int32_t height,
                         int32_t width, uint8_t *mask, int32_t *class_id, mrcnn_error *err);
    void (*release)(void *user); /* when the set is freed; may be NULL */
    /* Both functions above are called from several threads at a time. */
    void *user;
} mrcnn_source;

MRCNN_API mrcnn_source mrcnn_source_default(void);

MRCNN_API mrcnn_status mrcnn_dataset_create(mrcnn_dataset **set, mrcnn_error *err);
/* How pictures are read, and how many channels they have: those that a source's `read` makes are
 * converted as mrcnn_image_read would (default: as by mrcnn_image_read). */
MRCNN_API mrcnn_status mrcnn_dataset_set_image_options(mrcnn_dataset *set,
                                                       const mrcnn_image_options *options,
                                                       mrcnn_error *err);
/* The set owns `user` as soon as this succeeds. */
MRCNN_API mrcnn_status mrcnn_dataset_add_source(mrcnn_dataset *set, const mrcnn_source *source,
                                                mrcnn_error *err);
/* A class of a source, under the source's own id ("12", "cell"). One that is there is left as it is.
 * Of the name what stands before the first comma counts; a name that another source has, too, is the
 * same class. Ids in the set follow the order of these calls, from 1. */
MRCNN_API mrcnn_status mrcnn_dataset_add_class(mrcnn_dataset *set, const char *source,
                                               const char *id, const char *name, mrcnn_error *err);
/* A picture with so many objects. `path` may be NULL when the source has a `read` of its own. */
MRCNN_API mrcnn_status mrcnn_dataset_add_image(mrcnn_dataset *set, const char *source,
                                               const char *id, const char *path,
                                               size_t object_count, mrcnn_error *err);
MRCNN_API mrcnn_status mrcnn_dataset_prepare(mrcnn_dataset *set, mrcnn_error *err);

/* The set's class for "source.id" ("coco.18"), as in matterport's map_source_class_id; -1 for none.
 * COCO's ids are those of its categories, YOLO's its numbers from 0; other formats number their classes
 * from 1. */
MRCNN_API int mrcnn_dataset_map_source_class(const mrcnn_dataset *set, const char *source_class);
/* The way back: what a source calls a class of the set, NULL when it has no such class. */
MRCNN_API const char *mrcnn_dataset_source_class(const mrcnn_dataset *set, int class_id,
                                                 const char *source);

typedef struct mrcnn_picture {
    const char *id;     /* unique in its source: for via, the file's name */
    const char *path;   /* NULL when pictures are generated */
    const char *source; /* "balloon", "shapes", ... */
    size_t object_count;
} mrcnn_picture;

/* Pictures with objects, in the order of the annotation file. */
MRCNN_API size_t mrcnn_dataset_count(const mrcnn_dataset *set);
MRCNN_API const mrcnn_picture *mrcnn_dataset_picture(const mrcnn_dataset *set, size_t index);
MRCNN_API int mrcnn_dataset_class_count(const mrcnn_dataset *set); /* with background */
/* Class 0 is "BG", or the first name that was given; "" for an id that there is not. */
MRCNN_API const char *mrcnn_dataset_class_name(const mrcnn_dataset *set, int class_id);
/* One of mrcnn_dataset_options' formats; "joined", "custom". */
MRCNN_API const char *mrcnn_dataset_format(const mrcnn_dataset *set);
/* The annotation file; NULL when there is none. */
MRCNN_API const char *mrcnn_dataset_annotations(const mrcnn_dataset *set);

/* Decodes or draws a picture. Free it with mrcnn_image_free. */
MRCNN_API mrcnn_status mrcnn_dataset_read(const mrcnn_dataset *set, size_t index,
                                          mrcnn_image *image, mrcnn_error *err);

/* The mask of an object in a picture whose size is given; polygons are filled as by
 * skimage.draw.polygon. It is empty for an object outside the picture. *class_id may be NULL; it is
 * negative for a crowd. Free the mask with mrcnn_mask_free. */
MRCNN_API mrcnn_status mrcnn_dataset_mask(const mrcnn_dataset *set, size_t index, size_t object,
                                          int32_t height, int32_t width, mrcnn_mask *mask,
                                          int32_t *class_id, mrcnn_error *err);

/* What is annotated in a picture, whose size is given: the objects' masks and the boxes round them;
 * objects without a pixel are left out. There are no scores (-1, which captions leave out), class ids
 * of crowds are negative, and class names belong to the data set. Free it with mrcnn_result_free. */
MRCNN_API mrcnn_status mrcnn_dataset_truth(const mrcnn_dataset *set, size_t index, int32_t height,
                                           int32_t width, mrcnn_result **truth, mrcnn_error *err);

/* How training sees a picture: in the network's frame as `config` says, changed by the draws of
 * `number` under its SEED (crop, HORIZONTAL_FLIP, AUGMENTATION, MOSAIC), or with number -1 as
 * validation sees it, with nothing drawn. The objects' masks have the frame's size; scores are 1,
 * class ids of crowds negative, and class names belong to the data set. Free both with
 * mrcnn_image_free and mrcnn_result_free. When the picture has nothing to learn from (no object
 * with pixels that is no crowd), the image has no pixels and *result is NULL. */
MRCNN_API mrcnn_status mrcnn_dataset_sample(const mrcnn_dataset *set, const mrcnn_config *config,
                                            size_t index, int64_t number, mrcnn_image *image,
                                            mrcnn_result **result, mrcnn_error *err);

typedef enum mrcnn_problem_level {
    MRCNN_PROBLEM_WARNING = 0, /* worth a look; what is meant is used, or is harmless */
    MRCNN_PROBLEM_ERROR = 1    /* something can't be used and is left out */
} mrcnn_problem_level;

typedef struct mrcnn_dataset_problem {
    mrcnn_problem_level level;
    const char *picture; /* file name; "" when it is about the whole data set */
    int64_t object;      /* place in the annotation file's list, from 0; -1: the whole picture */
    const char *text;
} mrcnn_dataset_problem;

typedef struct mrcnn_dataset_check_options {
    size_t size;
    int full; /* decode every picture and draw every mask, not just look at headers and outlines */
    /* Called for each problem, in order: those of the annotations, then picture by picture. Return
     * non-zero to stop. May be NULL. */
    int (*report)(void *user, const mrcnn_dataset_problem *problem);
    /* Called before each picture. Return non-zero to stop. May be NULL. */
    int (*progress)(void *user, size_t done, size_t total);
    void *user;
} mrcnn_dataset_check_options;

MRCNN_API mrcnn_dataset_check_options mrcnn_dataset_check_options_default(void);

typedef struct mrcnn_range {
    double least, median, most; /* all 0 when there is nothing */
} mrcnn_range;

typedef struct mrcnn_dataset_summary {
    size_t pictures, objects; /* that can be used */
    size_t crowds;            /* of the objects */
    size_t errors, warnings;
    size_t without_objects;   /* pictures that nobody annotated */
    size_t pictures_left_out; /* missing, broken, or not clear which */
    size_t objects_left_out;  /* without area, without a class, ... */
    size_t points;            /* point regions, which have no area */
    int class_count;
    const size_t *class_objects;               /* class_count numbers: of objects, */
    const size_t *class_pictures;              /* and of pictures with one or more of them */
    mrcnn_range picture_height, picture_width; /* pixels */
    mrcnn_range object_height, object_width;   /* of boxes, inside the picture, without crowds */
    mrcnn_range objects_per_picture;
} mrcnn_dataset_summary;

/* Looks for what would go wrong in training: pictures that are broken, objects outside of their
 * picture or without pixels, classes without objects, and whatever was noted when the data set was
 * opened. Problems are no failure of this function. `options` may be NULL. Free the summary with
 * mrcnn_dataset_summary_free. */
MRCNN_API mrcnn_status mrcnn_dataset_check(const mrcnn_dataset *set,
                                           const mrcnn_dataset_check_options *options,
                                           mrcnn_dataset_summary **summary, mrcnn_error *err);
MRCNN_API void mrcnn_dataset_summary_free(mrcnn_dataset_summary **summary);

/* An object without its pixels. */
typedef struct mrcnn_object {
    int32_t class_id; /* 1 .. class count - 1 */
    int is_crowd;
    double y1, x1, y2, x2; /* its box inside of the picture */
} mrcnn_object;

typedef struct mrcnn_objects {
    int32_t height, width; /* of the picture */
    size_t count;          /* objects that lie in the picture */
    mrcnn_object *items;
} mrcnn_objects;

/* The size of a picture and the boxes of its objects, quickly: of headers and outlines; masks are
 * drawn only where there is nothing else. Free them with mrcnn_objects_free. */
MRCNN_API mrcnn_status mrcnn_dataset_objects(const mrcnn_dataset *set, size_t index,
                                             mrcnn_objects *objects, mrcnn_error *err);
MRCNN_API void mrcnn_objects_free(mrcnn_objects *objects);

/* Divides a set into parts[0 .. mrcnn_dataset_count - 1], numbers from 0 to count - 1, such that each
 * part gets its share of the objects of each class, of rare ones too. `shares` are positive or zero and
 * their sum is 1; a part with a share gets a picture, as long as there are enough. The same seed
 * gives the same parts everywhere. Pictures that can't be read count as pictures without objects.
 * Iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011), by objects. */
MRCNN_API mrcnn_status mrcnn_dataset_split(const mrcnn_dataset *set, const double *shares,
                                           size_t count, uint64_t seed, uint8_t *parts,
                                           mrcnn_error *err);

typedef enum mrcnn_write_pictures {
    MRCNN_PICTURES_COPY = 0, /* byte for byte */
    MRCNN_PICTURES_LINK = 1, /* a second name of the same file (a hard link); else a copy */
    MRCNN_PICTURES_NONE = 2  /* annotations alone */
} mrcnn_write_pictures;

typedef struct mrcnn_dataset_write_options {
    size_t size;
    const char *format; /* one of mrcnn_dataset_writer's (default "coco") */
    const char *subset; /* default "train" */
    mrcnn_write_pictures pictures;
    /* 1: polygons that can be edited with a mouse wherever the format has them, although the pixels
     * along their edges may then differ a little (default 0: the exact mask, as run lengths if
     * there is no other way). */
    int polygons;
    const uint8_t *chosen; /* one byte a picture, 0: leave it out; NULL: all of them */
    /* Called before each picture. Return non-zero to stop. May be NULL. */
    int (*progress)(void *user, size_t done, size_t total);
    /* Called when all is written, once for each kind of thing that the format can't say, with how
     * often there was one. May be NULL. */
    void (*lost)(void *user, const char *what, size_t count);
    /* Called for a picture or an object that can't be read, which is left out then. NULL: that is an
     * error. */
    void (*left_out)(void *user, const char *message);
    void *user;
} mrcnn_dataset_write_options;

MRCNN_API mrcnn_dataset_write_options mrcnn_dataset_write_options_default(void);

typedef struct mrcnn_dataset_written {
    size_t pictures, objects;
    size_t pictures_left_out, objects_left_out;
} mrcnn_dataset_written;

/* Writes a data set as a subset of one in `folder`, in any of the formats. The folder may hold other
 * subsets; one of this name must not be there yet. Pictures keep their names and bytes, EXIF data
 * too: masks belong to the picture as it is shown, turned. Generated pictures become PNG. Folders in
 * names are kept; where two pictures would have the same name, or names that differ in their ending
 * only, the later one gets a number. Annotation files appear whole, when all is written; after a
 * failure what was written of the subset is taken away again. `options` and `written` may be NULL. */
MRCNN_API mrcnn_status mrcnn_dataset_write(const mrcnn_dataset *set, const char *folder,
                                           const mrcnn_dataset_write_options *options,
                                           mrcnn_dataset_written *written, mrcnn_error *err);

/* The formats that can be written; NULL past the end. */
MRCNN_API const char *mrcnn_dataset_writer(size_t index);

/* Objects by the area of their boxes in the network's input: below 32 x 32 pixels, up to 96 x 96,
 * from there on; and all of them. */
enum {
    MRCNN_ANCHOR_SMALL = 0,
    MRCNN_ANCHOR_MEDIUM = 1,
    MRCNN_ANCHOR_LARGE = 2,
    MRCNN_ANCHOR_ALL = 3,
    MRCNN_ANCHOR_SIZES = 4
};

typedef struct mrcnn_anchor_recall {
    size_t objects;
    double at50, at70; /* the share of them that some anchor meets with an IoU of 0.5, or 0.7 */
} mrcnn_anchor_recall;

typedef struct mrcnn_anchor_report {
    int scale_count, ratio_count;
    double scales[16], ratios[16]; /* the configuration's */
    mrcnn_anchor_recall recall[MRCNN_ANCHOR_SIZES];
    /* 1: these meet more objects (at50 and at70 rise by 0.05 or more, together) and at neither IoU
     * fewer. 0: nothing clearly better was found, and they are the configuration's. */
    int is_better;
    double better_scales[16], better_ratios[16];
    mrcnn_anchor_recall better_recall[MRCNN_ANCHOR_SIZES];
    size_t pictures_left_out; /* they can't be read, or don't fit the network */
} mrcnn_anchor_report;

typedef struct mrcnn_anchor_options {
    size_t size;
    /* Called before each picture. Return non-zero to stop. May be NULL. */
    int (*progress)(void *user, size_t done, size_t total);
    void *user;
} mrcnn_anchor_options;

MRCNN_API mrcnn_anchor_options mrcnn_anchor_options_default(void);

/* How well the anchors of a configuration (RPN_ANCHOR_SCALES, RPN_ANCHOR_RATIOS) fit a data set whose
 * pictures are resized as the configuration says, and which anchors, as many, would fit better. Boxes
 * of crowds don't count. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_anchors_suggest(const mrcnn_dataset *set, const mrcnn_config *config,
                                             const mrcnn_anchor_options *options,
                                             mrcnn_anchor_report *report, mrcnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
