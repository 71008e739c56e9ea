/* yolo.h - the parts of the YOLO reader: data.yaml, where pictures and labels are, and what the lines
 * of a label file mean. */
#ifndef MR_DATA_YOLO_H
#define MR_DATA_YOLO_H

#include "data/dataset.h"
#include "data/outline.h"
#include "data/place.h"

enum { MR_YOLO_MAX_CLASSES = 10000, MR_YOLO_WHY = 200 };

/* What a data.yaml says. Start with {0}. */
typedef struct mr_yolo_yaml {
    char **names; /* by class number; NULL for a number without a name */
    size_t name_count;
    char *root;         /* `path`, or NULL */
    mr_listing subsets; /* of the subset: folders of pictures, or lists of them */
    int is_yolo;        /* it has names or their number, and a subset */
} mr_yolo_yaml;

/* subset NULL: train. */
mrcnn_status mr_yolo_read_yaml(mr_yolo_yaml *yaml, const char *file, const char *subset,
                               mrcnn_error *err);
void mr_yolo_yaml_free(mr_yolo_yaml *yaml);

/* The key for a subset: "valid" and "validation" are called val. */
const char *mr_yolo_subset_key(const char *subset);

/* The place is a data.yaml and its folder; or, without one, the data set's folder alone. */
mrcnn_status mr_yolo_find(mr_place *place, const char *path, const char *subset, mrcnn_error *err);

/* The folder of pictures, below the data set's, of a set without data.yaml: "images/train",
 * "train/images", "images", "train" or "."; malloc'ed, NULL when there is none with labels, or no
 * memory. */
char *mr_yolo_find_pictures(const char *folder, const char *subset);

/* The label file of a picture, both below the data set's folder, the picture's without "..": of its
 * innermost folder called "images" the one called "labels" beside it, else its own folder. malloc'ed;
 * NULL: no memory. */
char *mr_yolo_label_name(const char *picture);
/* The same for a folder of pictures. */
char *mr_yolo_label_folder(const char *pictures);

/* One line: the class's number and coordinates, as parts of the picture's width and height: x, y for
 * each point of a polygon, or the four numbers of a box: its centre, width and height. */
typedef struct mr_yolo_line {
    int number;
    int is_box;
} mr_yolo_line;

/* 1: the line says something; 0: it is empty; -1: it can't be used and `why` says why. It is written
 * to. */
int mr_yolo_read_line(char *text, mr_yolo_line *line, mr_numbers *numbers, char why[MR_YOLO_WHY]);

/* Reads the annotations: see mr_dataset_format. Objects have the outline MR_OUTLINE_OWN and the
 * coordinates of their lines; four of them are a box. */
mrcnn_status mr_yolo_open(mr_dataset *set, mr_place *place, const mrcnn_dataset_options *options,
                          mrcnn_error *err);

/* 1 when a text file may be one of labels: it begins with five numbers in a line, or is empty. */
int mr_yolo_is_label_file(const char *path);

/* From parts of the picture to its pixels. Within 1/1000 of a whole number is meant as that. */
double mr_yolo_to_pixels(double part, int size);

#endif
