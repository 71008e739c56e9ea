/* helper_golden_network.h - one golden file of a whole network against this library: each stage on
 * the golden's own inputs where it holds them, then a detection from picture to masks. */
#ifndef HELPER_GOLDEN_NETWORK_H
#define HELPER_GOLDEN_NETWORK_H

#include "helper_golden.h"

/* weights: a Keras file, or NULL for the seeded weights that the file's meta names. executor: "cpu"
 * or "reference". Results go to the table; 0 when the comparison couldn't be made at all (the
 * reason is on stderr). */
int golden_network(const char *path, const char *weights, const char *executor,
                   golden_table *table);

#endif
