/* helper_cases.h - the oracle's cases for single operations: an index.json lists operations,
 * parameters and .npy files. */
#ifndef HELPER_CASES_H
#define HELPER_CASES_H

#include "helper_npy.h"

#include <mrcnn/mrcnn.h>

typedef struct oracle_case {
    char name[64];
    const char *params; /* JSON */
    const char *folder, *in, *out;
} oracle_case;

/* Calls `run` for each case of an operation; returns how many there are, -1 without the file. */
int cases_run(const char *folder, const char *op, void (*run)(const oracle_case *c));

/* An array of `c->in` or `c->out`; the test fails if it can't be read. */
npy_array case_array(const oracle_case *c, const char *files, const char *name);
/* Sets a configuration's key to a parameter; the test fails if it isn't there. */
void case_set(const oracle_case *c, mrcnn_config *config, const char *key, const char *param);
int case_int_at(const oracle_case *c, const char *param, size_t index);

#endif
