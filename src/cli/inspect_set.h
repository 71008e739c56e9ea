/* inspect_set.h - what the commands below `mrcnn inspect` share that look at a data set: opening it,
 * choosing pictures of it, and their objects as they are annotated. */
#ifndef CLI_INSPECT_SET_H
#define CLI_INSPECT_SET_H

#include "dataset.h"
#include "model.h"

typedef struct set_options {
    dataset_options data;
    config_options config;
    const char *subset, *classes;
    text_list pictures; /* --picture, as often as it was given */
    int64_t count;
    int keep_empty; /* pictures without objects belong to the set */
} set_options;

#define PICTURE_ROWS(T, field)                                                              \
    {"picture",                                                                             \
     "NAME|N",                                                                              \
     OPTION_TEXTS,                                                                          \
     offsetof(T, field.pictures),                                                           \
     "look at this picture: its name in the data set, or its number, from 0. May be given " \
     "several "                                                                             \
     "times",                                                                               \
     0,                                                                                     \
     0},                                                                                    \
    {                                                                                       \
        "count", "N", OPTION_INTEGER, offsetof(T, field.count),                             \
            "how many pictures to look at closely", 1, 64                                   \
    }

/* Opens the data set; `names` are those of a model, NULL: what --classes says. EXIT_DONE, or the exit
 * code after a message. */
int set_open(const command *self, const set_options *options, const mrcnn_config *config,
             const char *const *names, mrcnn_dataset **set);

/* Opens it with the classes of a model; a model without names takes those of the set, if there are as
 * many. The model's configuration says how pictures are read. */
int set_open_for(const command *self, const set_options *options, mrcnn_model *model,
                 mrcnn_dataset **set);

/* Fresh weights have the data set's classes, unless somebody chose a number. */
int set_class_count(const command *self, const set_options *options, mrcnn_config *config);

/* Which pictures to look at: those that were named, or `count` of them spread over the set. free()
 * *indices. */
int set_choose(const set_options *options, const mrcnn_dataset *set, size_t **indices,
               size_t *count);

/* What a picture is called, for a caption; malloc'ed. */
char *set_name(const mrcnn_dataset *set, size_t picture);
/* The same for a heading: the middle of long names is left out. */
char *set_title(const mrcnn_dataset *set, size_t picture);

/* A picture with its objects as they are annotated, in its own pixels; objects without pixels are left
 * out. */
typedef struct truth {
    mrcnn_image image;
    mrcnn_result *result; /* mrcnn_dataset_truth's */
} truth;

mrcnn_status truth_read(truth *t, const mrcnn_dataset *set, size_t picture, mrcnn_error *err);
void truth_free(truth *t);

#endif
