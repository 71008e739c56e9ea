/* winograd_scalar.c - the Winograd kernels in plain C from the matrices themselves: the reference
 * for the vector versions and the way out on CPUs without them. */
#include "cpu/winograd_kernels.h"

#define A MR_WINO_A
#define B MR_WINO_B
#define A2 (A * A)
#define B2 (B * B)

enum { PANEL = 16, ROWS = 4 };

#define PACK_LANES PANEL
#include "cpu/winograd_pack_kernel.h"

/* B^T, A^T and G at the points 0, A, -A, B, -B, infinity. */
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

/* 1 / m'(p) for the two pairs, with m(x) = x (x^2 - A^2) (x^2 - B^2). */
#define NA (1 / (2 * A2 * (A2 - B2)))
#define NB (1 / (2 * B2 * (B2 - A2)))
static const float transform_weights[6][3] = {{(float)(1 / (A2 * B2)), 0, 0},
                                              {(float)NA, (float)(NA *A), (float)(NA *A2)},
                                              {(float)NA, (float)(-NA *A), (float)(NA *A2)},
                                              {(float)NB, (float)(NB *B), (float)(NB *B2)},
                                              {(float)NB, (float)(-NB *B), (float)(NB *B2)},
                                              {0, 0, 1}};

static void input(mr_type type, const void *const row[6], int col_begin, int col_end, int channels,
                  float *v, size_t position_stride, size_t block_stride) {
    (void)type;
    for (size_t c = 0; c < (size_t)channels; c++, v += block_stride) {
        float half[6][6] = {{0}};
        for (int j = col_begin; j < col_end; j++)
            for (int i = 0; i < 6; i++)
                for (int k = 0; k < 6; k++)
                    half[i][j] +=
                        transform_in[i][k] *
                        ((const float *)row[k])[(size_t)(j - col_begin) * (size_t)channels + c];
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
                if (out->residual) sum += ((const float *)out->residual)[at];
                ((float *)out->y)[at] = out->relu && sum < 0 ? 0 : sum;
            }
    }
}

static void gradient(const float *const row[4], int cols, int channels, float *u,
                     size_t position_stride, size_t block_stride) {
    for (size_t c = 0; c < (size_t)channels; c++, u += block_stride) {
        float half[6][4] = {{0}};
        for (int j = 0; j < cols; j++)
            for (int i = 0; i < 6; i++)
                for (int k = 0; k < 4; k++)
                    half[i][j] += transform_out[k][i] * row[k][(size_t)j * (size_t)channels + c];
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++) {
                float sum = 0;
                for (int k = 0; k < 4; k++) sum += transform_out[k][j] * half[i][k];
                u[(size_t)(i * 6 + j) * position_stride] = sum;
            }
    }
}

static void accumulate(const float *v, const float *u, size_t u_block, int blocks, int tiles,
                       float *sum, size_t sum_block, int add, const float *ahead) {
    (void)u_block, (void)blocks, (void)sum_block, (void)ahead; /* one channel by one */
    float products = 0;
    for (int t = 0; t < tiles; t++) products += v[t] * u[t];
    *sum = add ? *sum + products : products;
}

static void weights(const float *sum, size_t position_stride, int channels, float *taps,
                    size_t tap_stride, int add) {
    (void)channels;
    float half[3][6] = {{0}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 6; j++)
            for (int k = 0; k < 6; k++)
                half[i][j] += transform_weights[k][i] * sum[(size_t)(k * 6 + j) * position_stride];
    for (size_t tap = 0; tap < 9; tap++) {
        float total = 0;
        for (int k = 0; k < 6; k++) total += transform_weights[k][tap % 3] * half[tap / 3][k];
        float *to = taps + tap * tap_stride;
        *to = add ? *to + total : total;
    }
}

const mr_winograd_kernels *mr_winograd_scalar(void) {
    static const mr_winograd_kernels kernels = {.isa = "scalar",
                                                .number = MR_F32,
                                                .lanes = 1,
                                                .block = 1,
                                                .panel = PANEL,
                                                .rows = ROWS,
                                                .span = 1,
                                                .ahead_tile = 0,
                                                .input = input,
                                                .multiply = multiply,
                                                .output = output,
                                                .pack = pack,
                                                .gradient = gradient,
                                                .accumulate = accumulate,
                                                .weights = weights};
    return &kernels;
}
