/* inspect.h - the subcommands of mrcnn inspect that have files of their own. */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include "options.h"

extern const command command_inspect_data;

#endif
