/* keys.h - the table of keys, from which setting, printing, YAML, listing and range checks follow.
 * Private to this room. */
#ifndef MR_CONFIG_KEYS_H
#define MR_CONFIG_KEYS_H

#include "config/config.h"

typedef enum mr_kind {
    MR_KIND_INT,
    MR_KIND_FLOAT,
    MR_KIND_BOOL,
    MR_KIND_CHOICE, /* an enum whose values count from 0 in the order of the type's words */
    MR_KIND_IDENTIFIER,
    MR_KIND_NAME,
    MR_KIND_STAGES,
    MR_KIND_AUGMENTATION,
    MR_KIND_NAMES,
    MR_KIND_INTS,
    MR_KIND_FLOATS,
    MR_KIND_LOSSES,      /* floats with a name each */
    MR_KIND_CLASS_SCORES /* floats for classes that the model or the data set names */
} mr_kind;

typedef struct mr_key {
    mrcnn_config_key shown; /* name, type, default as text, help */
    mr_kind kind;
    size_t offset;    /* of the field in mr_settings */
    double low, high; /* of every number, both allowed */
    int fewest, most; /* items in a list */
} mr_key;

enum { MR_KEY_COUNT = 88, MR_LOSS_COUNT = 5 };

/* Alphabetical. */
extern const mr_key mr_keys[MR_KEY_COUNT];

/* Names of LOSS_WEIGHTS' entries in the order of mr_settings.loss_weights. */
extern const char *const mr_loss_names[MR_LOSS_COUNT];

/* Index in mr_keys, or -1. */
int mr_key_find(const char *name);

/* A named list of values to start from. */
typedef struct mr_preset {
    const char *name, *help;
    const char *base;          /* the preset that it refines, or NULL */
    const char *const *values; /* key, value, key, value, ..., NULL */
} mr_preset;

const mr_preset *mr_preset_at(size_t index); /* NULL past the end */
const mr_preset *mr_preset_find(const char *name);

#endif
