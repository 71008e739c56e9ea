/* names.h - from the names that Keras gave its variables to the keys that the rest of the program
 * uses. Pure text: knows no files.
 */
#ifndef MR_WEIGHTS_NAMES_H
#define MR_WEIGHTS_NAMES_H

#include <stddef.h>

typedef struct mr_weight_key {
    char layer[96];
    char param[32];
} mr_weight_key;

/* Whether a group holds a nested model, whose weights are named after their own layers. */
int mr_group_is_nested(const char *group, char *const *weight_names, size_t count);

/* The key of weight `name` of group `group`. `exact` keeps the suffixes that TensorFlow added: for
 * the rare group in which two weights differ by nothing else. Returns 0 when a name is too long. */
int mr_weight_key_make(mr_weight_key *key, const char *group, const char *name, int nested,
                       int exact);

#endif
