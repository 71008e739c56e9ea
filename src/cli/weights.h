/* weights.h - the parts of `mrcnn weights` that have files of their own. */
#ifndef CLI_WEIGHTS_H
#define CLI_WEIGHTS_H

#include "options.h"

extern const command command_weights_info;
extern const command command_weights_convert;

#endif
