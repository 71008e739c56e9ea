/* helper_unit.h - the oracle's stand-alone cases: a file index.json lists operations, parameters
 * and .npy files. */
#ifndef HELPER_UNIT_H
#define HELPER_UNIT_H

#include "helper_npy.h"

typedef struct unit_case {
    char folder[512], name[64];
    const char *params, *in, *out; /* JSON */
} unit_case;

/* Runs all cases of an operation. Returns how many; -1 when there is no such index. */
int unit_each(const char *index, const char *op, void (*run)(const unit_case *u));

/* An input, or else an output, of a case; fails the test when it isn't there. */
npy_array unit_array(const unit_case *u, const char *name);
/* The same as floats; malloc'ed. */
float *unit_floats(const unit_case *u, const char *name);
double unit_number(const unit_case *u, const char *param);

#endif
