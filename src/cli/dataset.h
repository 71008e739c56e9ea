/* dataset.h - the options of all commands that read annotated pictures, and opening what they name:
 * several data sets, and several subsets of each, become one. */
#ifndef CLI_DATASET_H
#define CLI_DATASET_H

#include "options.h"

#include <mrcnn/mrcnn.h>

typedef struct dataset_options {
    text_list paths; /* --dataset, as often as it was given */
    int format;      /* the index of a word */
    const char *year, *cache;
} dataset_options;

/* Rows for a table whose struct T has a dataset_options called `field`. */
#define DATASET_ROWS(T, field)                                                                     \
    {"dataset",                                                                                    \
     "DIR",                                                                                        \
     OPTION_TEXTS,                                                                                 \
     offsetof(T, field.paths),                                                                     \
     "the annotated pictures: a folder, or an annotation file; \"shapes\" for generated "          \
     "pictures. "                                                                                  \
     "Given several times, they are joined",                                                       \
     0,                                                                                            \
     0},                                                                                           \
        {"format",                                                                                 \
         "auto|coco|via|labelme|yolo|png|labels|voc|shapes",                                       \
         OPTION_CHOICE,                                                                            \
         offsetof(T, field.format),                                                                \
         "how they are annotated (docs/formats.md): coco; via, the VGG Image Annotator; labelme; " \
         "yolo, "                                                                                  \
         "outlines as text; png, a mask for each object; labels, a numbered picture for each "     \
         "picture; "                                                                               \
         "voc, Pascal VOC; shapes, generated (default auto: what is there)",                       \
         0,                                                                                        \
         0},                                                                                       \
        {"year",                                                                                   \
         "YEAR",                                                                                   \
         OPTION_TEXT,                                                                              \
         offsetof(T, field.year),                                                                  \
         "which of COCO's annotations, where there are those of several years: 2014, 2017",        \
         0,                                                                                        \
         0},                                                                                       \
    {                                                                                              \
        "index-cache", "DIR", OPTION_TEXT, offsetof(T, field.cache),                               \
            "keep the index of large COCO files in this folder: they open quickly the next time",  \
            0, 0                                                                                   \
    }

/* The row of a command that looks at a part of the data sets. */
#define SUBSET_ROW(T, field)                                                                     \
    {                                                                                            \
        "subset", "NAME,...", OPTION_TEXT, offsetof(T, field),                                   \
            "a part of DIR, or several: train, val (default: DIR itself if it has annotations, " \
            "else train)",                                                                       \
            0, 0                                                                                 \
    }

/* What was found out of --format: the library's name of it. */
const char *dataset_format(const dataset_options *options);

/* EXIT_DONE when there is a --dataset, else the code of a wrong usage, after a message. */
int dataset_check_given(const command *self, const dataset_options *options);

/* How the data sets are called in messages and results: "a, b"; malloc'ed. */
char *dataset_names(const dataset_options *options);

/* Opens all of them as one; `subset` is NULL, or a list "train,extra". Format and subset of `how` are
 * not looked at. EXIT_DONE, or the exit code after a message. */
int dataset_open(const dataset_options *options, const char *subset,
                 const mrcnn_dataset_options *how, mrcnn_dataset **set);

/* Keeps the data sets that have such a subset; an empty list when none has. Free its paths. */
dataset_options dataset_having(const dataset_options *options, const char *subset);

/* What --classes asks for, as mrcnn_dataset_options takes it: the background first, NULL at the end.
 * Nothing for NULL. EXIT_DONE, or the exit code after a message. */
int dataset_read_classes(const command *self, const char *given, text_list *names);

/* Names of the set's classes, NULL-terminated; free it, not the names. */
const char **dataset_class_names(const mrcnn_dataset *set);

/* 1 when all pictures are generated. */
int dataset_is_generated(const mrcnn_dataset *set);

#endif
