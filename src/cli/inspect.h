/* inspect.h - the subcommands of mrcnn inspect that have files of their own. */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include "options.h"

#include <mrcnn/mrcnn.h>

extern const command command_inspect_data;

/* Writes a contact sheet: at most that many pictures, spread over the set, each as it is and in
 * `draws` draws of augmentation. EXIT_DONE, or the exit code after a message. */
int write_sheet(const mrcnn_dataset *set, const mrcnn_config *config, int pictures, int draws,
                const char *path);

#endif
