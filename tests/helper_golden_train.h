/* helper_golden_train.h - the training part of a golden file: targets, losses, gradients of every
 * tensor, and weights after some steps, in the runs that the file holds. */
#ifndef HELPER_GOLDEN_TRAIN_H
#define HELPER_GOLDEN_TRAIN_H

#include "helper_golden.h"

/* As golden_network, for the arrays "train*". A file without any has nothing to check; returns 0
 * only when the comparison couldn't be made. */
int golden_train(const char *path, const char *weights, const char *executor, golden_table *table);

#endif
