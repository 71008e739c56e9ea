/* inspect.h - the subcommands of mrcnn inspect that have files of their own. */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include "options.h"
#include "show.h"

#include <mrcnn/mrcnn.h>

extern const command command_inspect_data;
extern const command command_inspect_anchors;
extern const command command_inspect_targets;
extern const command command_inspect_report;
extern const command command_inspect_weights;
extern const command command_inspect_model;

/* A contact sheet: `rows` pictures of the set, each as it is and in `draws` draws of augmentation. Free
 * *image with mrcnn_image_free. EXIT_DONE, or the exit code after a message. */
int draw_sheet(const mrcnn_dataset *set, const mrcnn_config *config, const size_t *indices,
               int rows, int draws, mrcnn_image *image);
/* The same into a file. */
int write_sheet(const mrcnn_dataset *set, const mrcnn_config *config, const size_t *indices,
                size_t count, int draws, const char *path);

/* All of a weight file's tensors. */
typedef struct weights_health {
    size_t tensors, values;
    size_t dead, overflow;           /* tensors so marked */
    size_t not_finite;               /* values */
    mrcnn_weight_summary *summaries; /* a tensor each; free it */
} weights_health;

weights_health weights_measure(const mrcnn_weights *weights);
/* The figures, and what the marks mean; a table of all tensors, or of those with a mark. */
void weights_show_health(show *s, const weights_health *health);
void weights_show_table(show *s, const char *key, const char *title, const mrcnn_weights *weights,
                        const weights_health *health, int only_flagged);

#endif
