/* winograd_vector.h - the three Winograd kernels over macros that name one instruction set's
 * vectors. A file that includes this defines
 *   VEC, LANES                  the vector type and its number of floats
 *   ZERO, SET(f), ADD, SUB, MUL, MAX, FMA(a, b, c) = a * b + c, FNMA(a, b, c) = c - a * b
 *   LOAD(p), STORE(p, v), LOAD_PART(p, n), STORE_PART(p, v, n): the first n < LANES floats
 *   STREAM(p, v)                stores past the caches, p aligned
 *   PREFETCH(p)                 into L2; PREFETCH_NEAR(p): into L1
 *   TWICE(r)                    whether row r of multiply loads its factor twice: see there
 *   BYTES(type)                 of a number of x or y
 *   LOAD_X(type, p), LOAD_X_PART(type, p, n), STORE_Y(type, p, v), STORE_Y_PART(type, p, v, n),
 *   STREAM_Y(type, p, v)        LANES of them, p a pointer to char
 *   WITH_TYPE(type, DO)         DO(type) with the type as a constant
 *   SCALE_BIAS(bias, factor), ADD_SCALED(x, factor, sum) = sum + x * factor
 *   PER_LANE                    how many channels a lane of v and u holds
 *   STORE_V(v, half, t)         LANES channels, the half-th part of a block of PER_LANE * LANES
 *   MULTIPLY_ADD(v, u, sum)     sum + the products of a lane of v, broadcast, with those of u
 *   ROWS, EACH_SIZE(DO)         register rows of multiply; DO(1) ... DO(ROWS)
 * multiply keeps ROWS x 2 vectors of sums in registers. */
#include <stdint.h>

#include "cpu/rows.h"
#include "cpu/winograd_kernels.h"

#define INLINE static inline
#define LINE 16 /* floats of a cache line */

/* t = B^T d. Each row is m(x) / (x - point) with m(x) = x (x^2 - A^2) (x^2 - B^2): the two points
 * of a pair share their even and odd parts. */
INLINE void transform_in(const VEC d[6], VEC t[6]) {
    const double a2 = MR_WINO_A * MR_WINO_A, b2 = MR_WINO_B * MR_WINO_B;
    VEC even_a = FNMA(SET((float)b2), d[2], d[4]), odd_a = FNMA(SET((float)b2), d[1], d[3]);
    VEC even_b = FNMA(SET((float)a2), d[2], d[4]), odd_b = FNMA(SET((float)a2), d[1], d[3]);
    t[0] = FMA(SET((float)(a2 * b2)), d[0], FNMA(SET((float)(a2 + b2)), d[2], d[4]));
    t[1] = FMA(SET((float)MR_WINO_A), odd_a, even_a);
    t[2] = FNMA(SET((float)MR_WINO_A), odd_a, even_a);
    t[3] = FMA(SET((float)MR_WINO_B), odd_b, even_b);
    t[4] = FNMA(SET((float)MR_WINO_B), odd_b, even_b);
    t[5] = FMA(SET((float)(a2 * b2)), d[1], FNMA(SET((float)(a2 + b2)), d[3], d[5]));
}

/* y = A^T m: row i holds the i-th powers of the points. */
INLINE void transform_out(const VEC m[6], VEC y[4]) {
    const double a = MR_WINO_A, b = MR_WINO_B;
    VEC sum_a = ADD(m[1], m[2]), dif_a = SUB(m[1], m[2]);
    VEC sum_b = ADD(m[3], m[4]), dif_b = SUB(m[3], m[4]);
    y[0] = ADD(m[0], ADD(sum_a, sum_b));
    y[1] = FMA(SET((float)a), dif_a, MUL(SET((float)b), dif_b));
    y[2] = FMA(SET((float)(a * a)), sum_a, MUL(SET((float)(b * b)), sum_b));
    y[3] = FMA(SET((float)(a * a * a)), dif_a, FMA(SET((float)(b * b * b)), dif_b, m[5]));
}

INLINE VEC load_up_to(const float *p, int n) {
    return n >= LANES ? LOAD(p) : LOAD_PART(p, n);
}

INLINE VEC load_numbers(mr_type type, const char *p, int n) {
    return n >= LANES ? LOAD_X(type, p) : LOAD_X_PART(type, p, n);
}

INLINE void store_numbers(mr_type type, char *p, VEC v, int n, int stream) {
    if (n >= LANES && stream)
        STREAM_Y(type, p, v);
    else if (n >= LANES)
        STORE_Y(type, p, v);
    else
        STORE_Y_PART(type, p, v, n);
}

/* n <= LANES channels from `first` on. The next tile's new columns are asked for: they come from L3 or from memory, in
 * too many streams for the processor to see a pattern. The 36 stores go to as many places that have left L2 since
 * they were last used, so v_next, where the next block will go, is asked for now. */
INLINE void input_block(mr_type type, const void *const row[6], int col_begin, int col_end,
                        size_t channels, size_t first, int n, float *v, const float *v_next,
                        size_t position_stride) {
    const size_t part = first / LANES % PER_LANE;
    VEC half[6][6];
    for (int j = 0; j < 6; j++) {
        VEC d[6], t[6];
        if (j < col_begin || j >= col_end) {
            for (int i = 0; i < 6; i++) half[i][j] = ZERO;
            continue;
        }
        size_t offset = ((size_t)(j - col_begin) * channels + first) * BYTES(type);
        const size_t next_tile = MR_WINO_OUT * channels * BYTES(type);
        for (int i = 0; i < 6; i++) d[i] = load_numbers(type, (const char *)row[i] + offset, n);
        if (j >= MR_WINO_IN - MR_WINO_OUT)
            for (int i = 0; i < 6; i++) PREFETCH((const char *)row[i] + offset + next_tile);
        transform_in(d, t);
        for (int i = 0; i < 6; i++) half[i][j] = t[i];
    }
    for (int i = 0; i < 6; i++) {
        VEC t[6];
        transform_in(half[i], t);
        for (int j = 0; j < 6; j++) {
            size_t at = (size_t)(i * 6 + j) * position_stride;
            STORE_V(v + at, part, t[j]);
            PREFETCH_NEAR((const char *)(v_next + at));
        }
    }
}

/* A block's last part may have no channels: it becomes zeros. */
INLINE void input_of(mr_type type, const void *const row[6], int col_begin, int col_end,
                     int channels, float *v, size_t position_stride, size_t block_stride) {
    const int block = PER_LANE * LANES, padded = (channels + block - 1) / block * block;
    const float *next_tile = v + LANES;
    size_t c = (size_t)channels;
    for (int first = 0; first < padded; first += LANES) {
        int left = channels - first;
        const float *v_next = first + block < padded ? v + block_stride : next_tile;
        if (left >= LANES)
            input_block(type, row, col_begin, col_end, c, (size_t)first, LANES, v, v_next,
                        position_stride);
        else
            input_block(type, row, col_begin, col_end, c, (size_t)first, left > 0 ? left : 0, v,
                        v_next, position_stride);
        if ((first + LANES) % block == 0) v += block_stride;
    }
}

#define INPUT_OF(type) \
    input_of(type, row, col_begin, col_end, channels, v, position_stride, block_stride)
static void input(mr_type type, const void *const row[6], int col_begin, int col_end, int channels,
                  float *v, size_t position_stride, size_t block_stride) {
    WITH_TYPE(type, INPUT_OF);
}

/* multiply for a fixed number of rows.
 *
 * A row that is TWICE broadcasts its factor from memory inside both multiply-adds, which saves an
 * instruction and costs a load. With half of the rows so, issue slots and load ports are both below
 * their limits even when the core's other hardware thread is busy (10 % faster then). v_again is v
 * under a name that keeps the compiler from merging the loads. */
#define ROW_CLEAR(r) VEC left##r = ZERO, right##r = ZERO;
#define ROW_ADD(r)                                         \
    left##r = MULTIPLY_ADD(v[(r)*LANES + i], u0, left##r); \
    right##r = MULTIPLY_ADD((TWICE(r) ? v_again : v)[(r)*LANES + i], u1, right##r);
#define ROW_STORE(r)                    \
    STORE(m + (r)*row_stride, left##r); \
    STORE(m + (r)*row_stride + LANES, right##r);

#define STEP(n)                                 \
    {                                           \
        VEC u0 = LOAD(u), u1 = LOAD(u + LANES); \
        ROWS_##n(ROW_ADD);                      \
        PREFETCH((const char *)ahead);          \
        i++, u += 2 * LANES, ahead += LINE;     \
    }
#define MULTIPLY(n)                                                                     \
    static void multiply_##n(const float *v, const float *v_again, size_t block_stride, \
                             int blocks, const float *u, float *m, size_t row_stride,   \
                             const float *ahead) {                                      \
        ROWS_##n(ROW_CLEAR);                                                            \
        for (int b = 0; b < blocks; b++, v += block_stride, v_again += block_stride) {  \
            for (int i = 0; i < LANES;) {                                               \
                STEP(n) STEP(n) STEP(n) STEP(n)                                         \
            }                                                                           \
        }                                                                               \
        ROWS_##n(ROW_STORE)                                                             \
    }
EACH_SIZE(MULTIPLY)

/* Called through a table, so that the compiler cannot see that v and v_again are the same. */
#define MULTIPLY_NAME(n) multiply_##n,
static void (*const multiply_of[])(const float *, const float *, size_t, int, const float *,
                                   float *, size_t, const float *) = {EACH_SIZE(MULTIPLY_NAME)};

static void multiply(const float *v, size_t block_stride, int blocks, const float *u, float *m,
                     size_t row_stride, int rows, const float *ahead) {
    multiply_of[rows - 1](v, v, block_stride, blocks, u, m, row_stride, ahead);
}

/* One vector of n <= LANES output channels, from channel c of `o` on. */
INLINE void output_vector(mr_type type, const float *m, size_t position_stride,
                          mr_winograd_output o, int c, int n) {
    const size_t bytes = BYTES(type), residual_bytes = BYTES(o.residual_type);
    const char *residual =
        o.residual ? (const char *)o.residual + (size_t)c * residual_bytes : NULL;
    char *y = (char *)o.y + (size_t)c * bytes;
    VEC half[4][6];
    VEC shift = o.bias ? SCALE_BIAS(load_up_to(o.bias + c, n), o.bias_factor) : ZERO;
    for (int j = 0; j < 6; j++) {
        VEC column[6], t[4];
        for (int i = 0; i < 6; i++) column[i] = LOAD(m + c + (size_t)(i * 6 + j) * position_stride);
        transform_out(column, t);
        for (int i = 0; i < 4; i++) half[i][j] = t[i];
    }
    for (int i = 0; i < o.rows; i++) {
        VEC t[4];
        transform_out(half[i], t);
        for (int j = 0; j < o.cols; j++) {
            size_t at = (size_t)i * o.y_row + (size_t)j * o.y_col;
            char *to = y + at * bytes;
            const char *from = residual + at * residual_bytes;
            VEC sum = ADD_SCALED(t[j], o.factor, shift);
            if (residual)
                sum = ADD_SCALED(load_numbers(o.residual_type, from, n), o.residual_factor, sum);
            if (o.relu) sum = MAX(ZERO, sum);
            if (!o.stream) PREFETCH_NEAR(to + o.next * (ptrdiff_t)bytes);
            if (residual) PREFETCH_NEAR(from + o.next * (ptrdiff_t)residual_bytes);
            store_numbers(type, to, sum, n, o.stream);
        }
    }
}

INLINE void output_of(mr_type type, const float *m, size_t position_stride, mr_winograd_output o) {
    if ((uintptr_t)o.y % (LANES * BYTES(type)) != 0 || (o.y_row | o.y_col) % LANES != 0)
        o.stream = 0;
    for (int c = 0; c < o.channels; c += LANES)
        output_vector(type, m, position_stride, o, c,
                      o.channels - c < LANES ? o.channels - c : LANES);
}

#define OUTPUT_OF(type) output_of(type, m, position_stride, *out)
static void output(const float *m, size_t position_stride, const mr_winograd_output *out) {
    WITH_TYPE(out->type, OUTPUT_OF);
}
