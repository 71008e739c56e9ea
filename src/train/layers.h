/* layers.h - which tensors a stage trains, and a place for their gradients. */
#ifndef MR_TRAIN_LAYERS_H
#define MR_TRAIN_LAYERS_H

#include "weights/weights.h"

/* The tensors that `layers` (config/layer_pattern.h: heads, 3+, 4+, 5+, all or a regular
 * expression for whole layer names) trains, in the set's order: kernels, biases, gammas and betas.
 * Moving statistics are never trained; gamma and beta are, whatever TRAIN_BN says (N50). The
 * tensors belong to the set, *chosen is the caller's to free(). A text that selects nothing is an
 * error that names what comes close. */
mrcnn_status mr_layers_select(const mr_tensors *weights, const char *layers, mr_tensor ***chosen,
                              size_t *count, mrcnn_error *err);

/* A set of zeros with keys and shapes of the tensors that `layers` selects: what backward passes
 * add to and the optimizer takes from. */
mrcnn_status mr_layers_gradients(const mr_tensors *weights, const char *layers,
                                 mr_tensors **gradients, mrcnn_error *err);

#endif
