/* value.h - one key's value: from text into the settings and back. Private to this room. */
#ifndef MR_CONFIG_VALUE_H
#define MR_CONFIG_VALUE_H

#include "base/number.h"
#include "config/keys.h"

/* AUGMENTATION's is the longest; sixteen floats of 24 characters and what stands between them need 512. */
enum { MR_VALUE_TEXT = MR_AUGMENT_TEXT };

/* Accepts what YAML or Python would write: 0.7, true, none, [1, 2], (1, 2), {name: 1}. The settings
 * change only on success. */
mrcnn_status mr_value_parse(const mr_key *key, const char *text, mr_settings *settings,
                            mrcnn_error *err);

/* One entry of a mapping: LOSS_WEIGHTS.name, CLASS_MIN_CONFIDENCE.name. */
mrcnn_status mr_value_parse_item(const mr_key *key, const char *name, const char *text,
                                 mr_settings *settings, mrcnn_error *err);

/* The canonical text: parsing it gives the same value, printing that the same text. */
void mr_value_print(const mr_key *key, const mr_settings *settings, char text[MR_VALUE_TEXT]);

/* Index in mr_loss_names, or -1 and a message that names the nearest. */
int mr_loss_find(const char *name, mrcnn_error *err);

#endif
