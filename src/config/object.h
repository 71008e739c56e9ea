/* object.h - what yaml.c needs of the configuration object beyond config.h. Private to this room.
 */
#ifndef MR_CONFIG_OBJECT_H
#define MR_CONFIG_OBJECT_H

#include "config/config.h"

/* Gives the preset's values (and defaults elsewhere) to all keys that still have a default or
 * another preset's value. */
mrcnn_status mr_config_start_from(mrcnn_config *config, const char *preset, mrcnn_error *err);

/* MRCNN_OK when `key` names something that can be set: a key of the table, or an entry
 * of a mapping such as LOSS_WEIGHTS.name. */
mrcnn_status mr_config_check_key(const char *key, mrcnn_error *err);

void mr_config_swap(mrcnn_config *a, mrcnn_config *b);

#endif
