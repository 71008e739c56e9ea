/* helper_golden_model.h - the model that a golden file was made with. */
#ifndef HELPER_GOLDEN_MODEL_H
#define HELPER_GOLDEN_MODEL_H

#include "helper_golden.h"
#include "model/model.h"

/* weights: a Keras file, or NULL for the seeded weights that the file's meta names. Returns 1, or 0
 * with a message on stderr. */
int golden_model(mrcnn_model **model, const golden_file *golden, const char *weights,
                 mrcnn_error *err);

#endif
