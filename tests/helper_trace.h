/* helper_trace.h - for tests of what a network makes of a picture: a tiny network in a file, its trace of
 * a picture, and pictures that it finds something in. */
#ifndef TESTS_HELPER_TRACE_H
#define TESTS_HELPER_TRACE_H

#include <mrcnn/trace.h>

/* A network of four classes, with these names or without (NULL). Of an overflowing one the RPN computes
 * with numbers too large for floats. */
void save_network(const char *path, const char *const *names, int overflowing);

/* How net.h5 comes to what it finds in a picture. Free all three. */
mrcnn_trace *trace_of_file(mrcnn_model **model, mrcnn_session **session, const char *picture);

/* Blocks of 8 pixels with noise over them, the same for the same seed. Free the pixels. */
mrcnn_image noisy_picture(int height, int width, uint64_t seed);

#endif
