/* inputs.h - from what a user names (pictures, videos, folders, patterns, "-") to a list of pictures and
 * videos, each with the names under which its results are kept. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "options.h"

#include <stdint.h>

typedef struct input {
    char *path; /* to open; NULL: standard input */
    char *name; /* COCO's file_name: the file's name, or its path below the folder it came from */
    char *stem; /* what output files are called; no two inputs share one */
    int64_t id; /* COCO's image_id */
    int is_video;
} input;

typedef struct input_list {
    size_t count;
    input *items;
    size_t videos; /* how many of them are videos */
    int failed;    /* how many arguments gave nothing; each was said */
} input_list;

/* `reserved` is NULL or a stem that no input may have. Ids of pictures are the numbers that the files'
 * names are, when all of them are different whole numbers (COCO's are), else 1, 2, 3, ... */
void inputs_expand(input_list *list, const arguments *given, int recursive, const char *reserved);
void inputs_free(input_list *list);

#endif
