/* helper_config.h - a configuration with some keys set: pairs of names and values, a NULL behind them. */
#ifndef HELPER_CONFIG_H
#define HELPER_CONFIG_H

#include "helper_assert.h"

#include <mrcnn/mrcnn.h>

static inline mrcnn_config *config_with(const char *preset, const char *const *keys) {
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_config_create(&config, preset, &err) != MRCNN_OK) fail_msg("%s", err.message);
    for (; keys && *keys; keys += 2)
        if (mrcnn_config_set(config, keys[0], keys[1], &err) != MRCNN_OK)
            fail_msg("%s", err.message);
    return config;
}

#endif
