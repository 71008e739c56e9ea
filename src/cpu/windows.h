/* windows.h - what a convolution's output pixels see of its input, as rows of a matrix (im2col), and
 * the way back for gradients (col2im). Row i has kernel_h x kernel_w x in_c numbers in the order of a
 * kernel in HWIO, so that convolution is a matrix product; what lies in the padding is zero. */
#ifndef MR_CPU_WINDOWS_H
#define MR_CPU_WINDOWS_H

#include "cpu/onednn.h"

#include <stddef.h>
#include <stdint.h>

/* Output pixels of a batch, (picture * out_h + y) * out_w + x: index[0 .. count), rising, or with
 * index NULL count of them from `first` on. */
typedef struct mr_pixel_range {
    const int32_t *index;
    size_t first, count;
} mr_pixel_range;

/* Part [first, first + count) of a range. */
mr_pixel_range mr_pixel_part(mr_pixel_range range, size_t first, size_t count);
size_t mr_pixel_at(const mr_pixel_range *range, size_t i);

/* 1 when a row is the input pixel itself: one tap, stride 1, no padding. */
int mr_windows_are_pixels(const mr_dnnl_window *w);
/* Numbers in one row. */
size_t mr_window_size(const mr_dnnl_window *w);

/* rows: range.count rows, packed. */
void mr_gather_windows(const mr_dnnl_window *w, const float *x, mr_pixel_range range, float *rows,
                       int threads);

/* Adds the rows to where they were gathered from. Windows overlap: each number of x gets its sum in
 * the order of the range, whatever the threads. */
void mr_scatter_windows(const mr_dnnl_window *w, const float *rows, mr_pixel_range range, float *x,
                        int threads);

#endif
