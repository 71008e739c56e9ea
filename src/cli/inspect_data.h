/* inspect_data.h - what `mrcnn inspect data` found, and the page that shows it. */
#ifndef CLI_INSPECT_DATA_H
#define CLI_INSPECT_DATA_H

#include "inspect_set.h"
#include "show.h"

/* What was found; problems keep copies of their texts. */
typedef struct finding {
    int is_error;
    char *picture, *text;
    int64_t object;
} finding;

typedef struct findings {
    finding *items;
    size_t count, room;
} findings;

typedef struct data_view {
    const mrcnn_dataset *set;
    const mrcnn_config *config;
    const mrcnn_dataset_summary *summary;
    const findings *found;
    const size_t *indices; /* pictures to look at closely */
    size_t count;
    int draws; /* of augmentation, of each */
} data_view;

/* The parts of the page: counts and sizes; single pictures; what training makes of them. */
void data_show_counts(show *s, const data_view *view);
void data_show_sizes(show *s, const data_view *view);
void data_show_problems(show *s, const data_view *view);
void data_show_samples(show *s, const data_view *view);
void data_show_augmentation(show *s, const data_view *view);

#endif
