/* winograd_vector_weights.h - the kernels for the gradient of the weights, over the same macros as
 * winograd_vector.h, which must be included before, and
 *   SUM_ROWS(DO)                the macro ROWS_n of the input channels that accumulate keeps in
 *                               registers, n a divisor of LANES: n x SPAN vectors of sums */

/* u = A y. The two points of a pair share their even and odd parts. */
INLINE void transform_gradient(const VEC y[4], VEC u[6]) {
    const double a = MR_WINO_A, b = MR_WINO_B;
    VEC even_a = FMA(SET((float)(a * a)), y[2], y[0]), odd_a = FMA(SET((float)(a * a)), y[3], y[1]);
    VEC even_b = FMA(SET((float)(b * b)), y[2], y[0]), odd_b = FMA(SET((float)(b * b)), y[3], y[1]);
    u[0] = y[0];
    u[1] = FMA(SET((float)a), odd_a, even_a);
    u[2] = FNMA(SET((float)a), odd_a, even_a);
    u[3] = FMA(SET((float)b), odd_b, even_b);
    u[4] = FNMA(SET((float)b), odd_b, even_b);
    u[5] = y[3];
}

/* n <= LANES channels from `first` on. As for the input, the next block's places are asked for. */
INLINE void gradient_block(const float *const row[4], int cols, size_t channels, size_t first,
                           int n, float *u, const float *u_next, size_t position_stride) {
    VEC half[6][4];
    for (int j = 0; j < 4; j++) {
        VEC y[4], t[6];
        if (j >= cols) {
            for (int i = 0; i < 6; i++) half[i][j] = ZERO;
            continue;
        }
        for (int i = 0; i < 4; i++) y[i] = load_up_to(row[i] + (size_t)j * channels + first, n);
        transform_gradient(y, t);
        for (int i = 0; i < 6; i++) half[i][j] = t[i];
    }
    for (int i = 0; i < 6; i++) {
        VEC t[6];
        transform_gradient(half[i], t);
        for (int j = 0; j < 6; j++) {
            size_t at = (size_t)(i * 6 + j) * position_stride;
            STORE(u + at, t[j]);
            PREFETCH_NEAR((const char *)(u_next + at));
        }
    }
}

static void gradient(const float *const row[4], int cols, int channels, float *u,
                     size_t position_stride, size_t block_stride) {
    const float *next_tile = u + LANES;
    for (int first = 0; first < channels; first += LANES, u += block_stride) {
        int left = channels - first;
        const float *u_next = left > LANES ? u + block_stride : next_tile;
        if (left >= LANES)
            gradient_block(row, cols, (size_t)channels, (size_t)first, LANES, u, u_next,
                           position_stride);
        else
            gradient_block(row, cols, (size_t)channels, (size_t)first, left, u, u_next,
                           position_stride);
    }
}

/* accumulate for a fixed number of rows and of vectors: the sums have names so that they stay in
 * registers. */
#define SPAN 3
#define SUM_ROW_COUNT (0 SUM_ROWS(PLUS_ONE))
#define PLUS_ONE(r) +1
#define SUM_CLEAR(r) VEC x##r = ZERO, y##r = ZERO, z##r = ZERO;
#define SUM_ADD(r)                             \
    {                                          \
        VEC f = SET(v[r]);                     \
        x##r = FMA(f, u0, x##r);               \
        if (wide > 1) y##r = FMA(f, u1, y##r); \
        if (wide > 2) z##r = FMA(f, u2, z##r); \
    }
#define SUM_PUT(p, s) STORE(p, add ? ADD(LOAD(p), s) : s)
#define SUM_STORE(r)                                          \
    SUM_PUT(sum + (r)*LANES, x##r);                           \
    if (wide > 1) SUM_PUT(sum + sum_block + (r)*LANES, y##r); \
    if (wide > 2) SUM_PUT(sum + 2 * sum_block + (r)*LANES, z##r);

INLINE void accumulate_rows(const int wide, const float *v, const float *u, size_t u_block,
                            int tiles, float *sum, size_t sum_block, int add, const float *ahead) {
    SUM_ROWS(SUM_CLEAR)
    for (int t = 0; t < tiles; t++, v += LANES, u += LANES, ahead += LINE) {
        PREFETCH((const char *)ahead);
        VEC u0 = LOAD(u), u1 = wide > 1 ? LOAD(u + u_block) : ZERO,
            u2 = wide > 2 ? LOAD(u + 2 * u_block) : ZERO;
        SUM_ROWS(SUM_ADD)
    }
    SUM_ROWS(SUM_STORE)
}

static void accumulate(const float *v, const float *u, size_t u_block, int blocks, int tiles,
                       float *sum, size_t sum_block, int add, const float *ahead) {
    for (int r = 0; r < LANES; r += SUM_ROW_COUNT) {
        if (blocks == 3)
            accumulate_rows(3, v, u, u_block, tiles, sum, sum_block, add, ahead);
        else if (blocks == 2)
            accumulate_rows(2, v, u, u_block, tiles, sum, sum_block, add, ahead);
        else
            accumulate_rows(1, v, u, u_block, tiles, sum, sum_block, add, ahead);
        v += SUM_ROW_COUNT, sum += SUM_ROW_COUNT * LANES, ahead += (size_t)tiles * LINE;
    }
}

/* t = G^T s: column p of G^T is (1, p, p^2) / m'(p), with m(x) = x (x^2 - A^2) (x^2 - B^2). */
INLINE void transform_weights(const VEC s[6], VEC t[3]) {
    const double a = MR_WINO_A, b = MR_WINO_B, a2 = a * a, b2 = b * b;
    const double na = 1 / (2 * a2 * (a2 - b2)), nb = 1 / (2 * b2 * (b2 - a2));
    VEC sum_a = ADD(s[1], s[2]), dif_a = SUB(s[1], s[2]);
    VEC sum_b = ADD(s[3], s[4]), dif_b = SUB(s[3], s[4]);
    t[0] = FMA(SET((float)na), sum_a, MUL(SET((float)nb), sum_b));
    t[0] = FMA(SET((float)(1 / (a2 * b2))), s[0], t[0]);
    t[1] = FMA(SET((float)(na * a)), dif_a, MUL(SET((float)(nb * b)), dif_b));
    t[2] = FMA(SET((float)(na * a2)), sum_a, FMA(SET((float)(nb * b2)), sum_b, s[5]));
}

static void weights(const float *sum, size_t position_stride, int channels, float *taps,
                    size_t tap_stride, int add) {
    VEC half[3][6];
    for (int j = 0; j < 6; j++) {
        VEC s[6], t[3];
        for (int i = 0; i < 6; i++) s[i] = LOAD(sum + (size_t)(i * 6 + j) * position_stride);
        transform_weights(s, t);
        for (int i = 0; i < 3; i++) half[i][j] = t[i];
    }
    for (int i = 0; i < 3; i++) {
        VEC t[3];
        transform_weights(half[i], t);
        for (int j = 0; j < 3; j++) {
            float *to = taps + (size_t)(i * 3 + j) * tap_stride;
            if (add) t[j] = ADD(t[j], load_up_to(to, channels));
            if (channels >= LANES)
                STORE(to, t[j]);
            else
                STORE_PART(to, t[j], channels);
        }
    }
}
