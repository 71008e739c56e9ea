/* format.h - the option --format of all commands that read annotated pictures. */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include "options.h"

/* The row's field is an int: the index of a word. */
#define FORMAT_ROW(T, field)                                                                    \
    {                                                                                           \
        "format", "auto|coco|via|shapes", OPTION_CHOICE, offsetof(T, field),                    \
            "how they are annotated: coco; via, the VGG Image Annotator; shapes, generated "    \
            "(default auto)",                                                                   \
            0, 0                                                                                \
    }

/* What mrcnn_dataset_options calls the word of that index. */
const char *format_word(int index);

#endif
