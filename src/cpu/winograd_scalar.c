/* winograd_scalar.c - the Winograd kernels in plain C from the matrices themselves: the reference
 * for the vector versions and the way out on CPUs without them. */
#include "cpu/winograd_kernels.h"

#define A MR_WINO_A
#define B MR_WINO_B
#define A2 (A * A)
#define B2 (B * B)

enum { PANEL = 16, ROWS = 4 };

/* B^T and A^T at the points 0, A, -A, B, -B, infinity. */
static const float transform_in[6][6] = {{(float)(A2 * B2), 0, (float)-(A2 + B2), 0, 1, 0},
                                         {0, (float)(-A *B2), (float)-B2, (float)A, 1, 0},
                                         {0, (float)(A *B2), (float)-B2, (float)-A, 1, 0},
                                         {0, (float)(-B *A2), (float)-A2, (float)B, 1, 0},
                                         {0, (float)(B *A2), (float)-A2, (float)-B, 1, 0},
                                         {0, (float)(A2 *B2), 0, (float)-(A2 + B2), 0, 1}};
static const float transform_out[4][6] = {
    {1, 1, 1, 1, 1, 0},
    {0, (float)A, (float)-A, (float)B, (float)-B, 0},
    {0, (float)A2, (float)A2, (float)B2, (float)B2, 0},
    {0, (float)(A2 *A), (float)(-A2 *A), (float)(B2 *B), (float)(-B2 *B), 1}};

static void input(const float *const row[6], int col_begin, int col_end, int channels, float *v,
                  size_t position_stride, size_t block_stride) {
    for (size_t c = 0; c < (size_t)channels; c++, v += block_stride) {
        float half[6][6] = {{0}};
        for (int j = col_begin; j < col_end; j++)
            for (int i = 0; i < 6; i++)
                for (int k = 0; k < 6; k++)
                    half[i][j] +=
                        transform_in[i][k] * row[k][(size_t)(j - col_begin) * (size_t)channels + c];
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++) {
                float sum = 0;
                for (int k = 0; k < 6; k++) sum += transform_in[j][k] * half[i][k];
                v[(size_t)(i * 6 + j) * position_stride] = sum;
            }
    }
}

static void multiply(const float *v, size_t block_stride, int blocks, const float *u, float *m,
                     size_t row_stride, int rows, const float *ahead) {
    (void)ahead;
    for (int r = 0; r < rows; r++, m += row_stride) {
        for (int c = 0; c < PANEL; c++) m[c] = 0;
        for (int b = 0; b < blocks; b++)
            for (int c = 0; c < PANEL; c++)
                m[c] += v[(size_t)b * block_stride + (size_t)r] * u[(size_t)b * PANEL + (size_t)c];
    }
}

static void output(const float *m, size_t position_stride, const mr_winograd_output *out) {
    for (int c = 0; c < out->channels; c++) {
        float half[4][6] = {{0}};
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 6; j++)
                for (int k = 0; k < 6; k++)
                    half[i][j] +=
                        transform_out[i][k] * m[(size_t)(k * 6 + j) * position_stride + (size_t)c];
        for (int i = 0; i < out->rows; i++)
            for (int j = 0; j < out->cols; j++) {
                size_t at = (size_t)i * out->y_row + (size_t)j * out->y_col + (size_t)c;
                float sum = 0;
                for (int k = 0; k < 6; k++) sum += transform_out[j][k] * half[i][k];
                if (out->bias) sum += out->bias[c];
                if (out->residual) sum += out->residual[at];
                out->y[at] = out->relu && sum < 0 ? 0 : sum;
            }
    }
}

const mr_winograd_kernels *mr_winograd_scalar(void) {
    static const mr_winograd_kernels kernels = {"scalar", 1, PANEL, ROWS, input, multiply, output};
    return &kernels;
}
