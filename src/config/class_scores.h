/* class_scores.h - CLASS_MIN_CONFIDENCE: a number for each of some classes, by name. Which classes there
 * are only a model knows, so any name is taken here. Private to this room. */
#ifndef MR_CONFIG_CLASS_SCORES_H
#define MR_CONFIG_CLASS_SCORES_H

#include "config/value.h"

/* {person: 0.8, "traffic light": 0.5}; a name may stand in either quotes, and must where it has commas,
 * colons or brackets in it. {}, none and nothing at all are the empty list. `scores` changes only on
 * success. */
mrcnn_status mr_class_scores_parse(const mr_key *key, const char *text, mr_class_scores *scores,
                                   mrcnn_error *err);

/* One entry of it: a number, or none to take it away. */
mrcnn_status mr_class_scores_set(const mr_key *key, const char *name, const char *text,
                                 mr_class_scores *scores, mrcnn_error *err);

/* As parsing takes it, names in double quotes. */
void mr_class_scores_print(const mr_class_scores *scores, char text[MR_VALUE_TEXT]);

#endif
