/* yolo_classes.h - the classes of a YOLO data set while it is read: numbers in its label files, names
 * in data.yaml, classes.txt, or nowhere. */
#ifndef MR_DATA_YOLO_CLASSES_H
#define MR_DATA_YOLO_CLASSES_H

#include "data/yolo.h"

/* Start with {0}. */
typedef struct mr_yolo_classes {
    char **names; /* by number */
    size_t count;
    int are_known; /* 0: there are no names; those that turn up become "class 0", "class 1", .. */
    mr_names ids;
} mr_yolo_classes;

/* Takes the names over from data.yaml; numbers without one are called "class 3". */
mrcnn_status mr_yolo_take_names(mr_yolo_classes *classes, mr_yolo_yaml *yaml, mrcnn_error *err);

/* Names from classes.txt or obj.names, one a line, in `folder`; none is no error. */
mrcnn_status mr_yolo_read_names(mr_yolo_classes *classes, const char *folder, mrcnn_error *err);

/* The name's id in `ids`, -1 when there are names but none for this number, -2: no memory. */
int mr_yolo_class(mr_yolo_classes *classes, int number);

/* mr_dataset_finish with the classes in the order of their numbers, which become their ids in the
 * source; the caller's own names come first, if there are any. */
mrcnn_status mr_yolo_finish(mr_dataset *set, mr_yolo_classes *classes,
                            const mrcnn_dataset_options *options, mrcnn_error *err);

void mr_yolo_classes_free(mr_yolo_classes *classes);

/* 1 when a text is UTF-8, as data.yaml must be. */
int mr_yolo_is_utf8(const char *text);

#endif
