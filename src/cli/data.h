/* data.h - what the commands below `mrcnn data` share: which data set, opening it, and writing it. */
#ifndef CLI_DATA_H
#define CLI_DATA_H

#include "dataset.h"

#include <mrcnn/mrcnn.h>

extern const command command_data_check; /* in inspect_data.c: the same thing by another name */
extern const command command_data_stats;
extern const command command_data_convert;
extern const command command_data_split;

/* Opens the sets, or their subset, as one, with the pictures that have no objects; `names` as
 * mrcnn_dataset_options has them. EXIT_DONE, or the exit code after a message. */
int data_open(const dataset_options *data, const mrcnn_config *config, const char *subset,
              const char *const *names, mrcnn_dataset **set);

/* Says what can't be used in it: the first of it, and how much more there is. */
int data_report_problems(const mrcnn_dataset *set);

typedef struct data_target {
    const char *out, *to; /* NULL: not given */
    int pictures;         /* index in "copy|link|none" */
    int polygons;
} data_target;

#define TARGET_ROWS(T, field)                                                                    \
    {"out",                                                                                      \
     "DIR",                                                                                      \
     OPTION_TEXT,                                                                                \
     offsetof(T, field.out),                                                                     \
     "the folder to write to; a subset that is there already is never changed",                  \
     0,                                                                                          \
     0},                                                                                         \
        {"pictures",                                                                             \
         "copy|link|none",                                                                       \
         OPTION_CHOICE,                                                                          \
         offsetof(T, field.pictures),                                                            \
         "copy them (default); give the same files a second name, which takes no room; or "      \
         "write annotations alone",                                                              \
         0,                                                                                      \
         0},                                                                                     \
    {                                                                                            \
        "polygons", NULL, OPTION_FLAG, offsetof(T, field.polygons),                              \
            "prefer polygons that can be edited to exact masks, where the format has both", 0, 0 \
    }

/* Is there such a format to write? EXIT_DONE, or EXIT_USAGE after a message. */
int data_check_format(const command *self, const char *to);
/* 1 when the format can be written. */
int data_can_write(const char *format);

/* Writes a subset, with what is lost and left out as messages. */
int data_write(const mrcnn_dataset *set, const data_target *target, const char *subset,
               const uint8_t *chosen, mrcnn_dataset_written *written);

#endif
