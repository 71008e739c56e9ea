/* test_gemm_bf16.c - the matrix product in bf16, by each table of kernels, against one in double of
 * the same rounded factors: transpositions, odd sizes, strides, beta, threads; nothing outside of the
 * matrices is read or written. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bf16.h"
#include "base/memory.h"
#include "base/prng.h"
#include "cpu/gemm_bf16_kernels.h"

enum { TABLES = 2, MOST_THREADS = 3 };

static const double CLOSE = 3e-6; /* error over the sum of |a| |b| */

static const mr_gemm_kernels *table(int i) {
    return i == 0 ? mr_gemm_bf16_scalar() : mr_gemm_bf16_avx512();
}

/* Floats at the very end of a page, behind which nothing may be touched: ASan does not see what
 * masked loads read. */
typedef struct guarded {
    float *data;
    char *pages;
    size_t bytes;
} guarded;

static guarded guard(size_t count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t used = (count * sizeof(float) + page - 1) / page * page;
    guarded g = {NULL, NULL, used + page};
    g.pages = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.pages != MAP_FAILED);
    assert_int_equal(mprotect(g.pages + used, page, PROT_NONE), 0);
    g.data = (float *)(void *)(g.pages + used - count * sizeof(float));
    return g;
}

static void unguard(guarded *g) {
    munmap(g->pages, g->bytes);
}

/* A matrix as it lies in memory, with `pad` floats between rows that spoil everything they get into. */
static guarded random_matrix(const char *name, size_t rows, size_t columns, size_t pad) {
    size_t stride = columns + pad, count = rows * stride - pad;
    guarded g = guard(count);
    uint64_t stream = mr_prng_stream(3, name);
    for (size_t i = 0; i < count; i++)
        g.data[i] = i % stride < columns ? (float)(mr_prng_uniform(stream, i) * 2 - 1) : NAN;
    return g;
}

typedef struct sizes {
    size_t m, n, k;
} sizes;

/* One product to be computed, and what is right. */
typedef struct problem {
    sizes s;
    guarded a, b;
    mr_matrix left, right;
    double *sum, *size; /* A B, and |A| |B| */
} problem;

static float rounded_at(const mr_matrix *x, size_t row, size_t column) {
    size_t at = x->transposed ? column * x->stride + row : row * x->stride + column;
    return mr_bf16_to_float(mr_bf16_from_float(x->data[at]));
}

static void compute(problem *p) {
    for (size_t i = 0; i < p->s.m; i++)
        for (size_t l = 0; l < p->s.k; l++) {
            double x = rounded_at(&p->left, i, l);
            for (size_t j = 0; j < p->s.n; j++) {
                double product = x * rounded_at(&p->right, l, j);
                p->sum[i * p->s.n + j] += product;
                p->size[i * p->s.n + j] += fabs(product);
            }
        }
}

static problem make(sizes s, int a_transposed, int b_transposed, size_t pad) {
    problem p = {.s = s};
    size_t a_columns = a_transposed ? s.m : s.k, b_columns = b_transposed ? s.k : s.n;
    p.a = random_matrix("a", a_transposed ? s.k : s.m, a_columns, pad);
    p.b = random_matrix("b", b_transposed ? s.n : s.k, b_columns, pad);
    p.left = (mr_matrix){p.a.data, a_columns + pad, a_transposed};
    p.right = (mr_matrix){p.b.data, b_columns + pad, b_transposed};
    p.sum = mr_calloc(s.m * s.n, sizeof *p.sum);
    p.size = mr_calloc(s.m * s.n, sizeof *p.size);
    assert_true(p.sum && p.size);
    compute(&p);
    return p;
}

static void drop(problem *p) {
    unguard(&p->a), unguard(&p->b);
    free(p->sum), free(p->size);
}

/* What C holds before: with beta 0 nothing that may be used. */
static float before(size_t i, float beta) {
    return beta == 0 ? NAN : (float)(mr_prng_uniform(5, i) - 0.5);
}

static const float BETWEEN = 12345; /* rows of C */

static guarded product_of(const problem *p, const mr_gemm_kernels *k, float beta, size_t stride,
                          int threads) {
    size_t count = (p->s.m - 1) * stride + p->s.n;
    guarded c = guard(count);
    for (size_t i = 0; i < count; i++) c.data[i] = i % stride < p->s.n ? before(i, beta) : BETWEEN;
    void *scratch = mr_alloc_aligned(mr_gemm_bf16_scratch_size(threads));
    assert_non_null(scratch);
    memset(scratch, 0xff, mr_gemm_bf16_scratch_size(threads)); /* NaN */
    mr_gemm_bf16_with(k, p->s.m, p->s.n, p->s.k, p->left, p->right, beta, c.data, stride, scratch,
                      threads);
    free(scratch);
    return c;
}

static void check_numbers(const problem *p, const char *isa, const float *c, float beta,
                          size_t stride) {
    for (size_t i = 0; i < (p->s.m - 1) * stride + p->s.n; i++) {
        size_t row = i / stride, column = i % stride, at = row * p->s.n + column;
        if (column >= p->s.n) {
            assert_true(c[i] == BETWEEN);
            continue;
        }
        double old = beta == 0 ? 0 : (double)beta * before(i, beta), want = p->sum[at] + old;
        if (!(fabs(c[i] - want) <= CLOSE * (p->size[at] + fabs(old))))
            fail_msg("%s: %zux%zux%zu%s%s, beta %g: C[%zu][%zu] is %.9g, not %.9g", isa, p->s.m,
                     p->s.n, p->s.k, p->left.transposed ? ", A'" : "",
                     p->right.transposed ? ", B'" : "", beta, row, column, c[i], want);
    }
}

static void check_beta(const problem *p, const mr_gemm_kernels *k, float beta, size_t pad) {
    size_t stride = p->s.n + pad;
    guarded c = product_of(p, k, beta, stride, 1);
    check_numbers(p, k->isa, c.data, beta, stride);
    for (int threads = 2; threads <= MOST_THREADS; threads++) {
        guarded again = product_of(p, k, beta, stride, threads);
        assert_memory_equal(again.pages, c.pages, (size_t)((char *)c.data - c.pages));
        assert_memory_equal(again.data, c.data, ((p->s.m - 1) * stride + p->s.n) * sizeof(float));
        unguard(&again);
    }
    unguard(&c);
}

/* All transpositions, by all tables. */
static void check(sizes s, size_t pad, float beta) {
    for (int transposed = 0; transposed < 4; transposed++) {
        problem p = make(s, transposed & 1, transposed >> 1, pad);
        for (int i = 0; i < TABLES; i++)
            if (table(i)) check_beta(&p, table(i), beta, pad);
        drop(&p);
    }
}

static void test_small(void **state) {
    (void)state;
    static const size_t some[] = {1, 2, 13, 14, 15, 16, 17, 31, 32, 33, 47};
    enum { COUNT = sizeof some / sizeof *some };
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++)
            check((sizes){some[i], some[j], some[(i + 3 * j) % COUNT]}, (i + j) % 3,
                  (float)(j % 3) / 2);
}

static void test_sums(void **state) {
    (void)state;
    static const size_t some[] = {63, 64, 65, 200, 511, 512, 513, 514, 1023, 1024, 1025, 1537};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        check((sizes){1 + i * 5 % 31, 1 + i * 17 % 70, some[i]}, i % 2, (float)(i % 3) / 2);
}

/* Several groups of panels and blocks of columns. */
static void test_large(void **state) {
    (void)state;
    check((sizes){293, 37, 70}, 0, 0);
    check((sizes){293, 35, 515}, 3, 1);
    check((sizes){15, 1077, 515}, 0, 0.5f);
}

static void test_betas(void **state) {
    (void)state;
    static const float betas[] = {0, 1, 0.5f, -2};
    for (size_t i = 0; i < sizeof betas / sizeof *betas; i++)
        check((sizes){29, 75, 530}, 2, betas[i]);
}

/* A C so large that it goes past the caches. */
static void test_stream(void **state) {
    (void)state;
    problem p = make((sizes){2100, 4016, 3}, 0, 0, 0);
    const mr_gemm_kernels *best = table(1) ? table(1) : table(0);
    check_beta(&p, best, 0, 0);
    drop(&p);
}

/* Nothing to add up. */
static void test_empty(void **state) {
    (void)state;
    for (int i = 0; i < TABLES; i++) {
        float c[] = {1, 2, NAN};
        mr_matrix none = {NULL, 1, 0};
        if (!table(i)) continue;
        mr_gemm_bf16_with(table(i), 1, 2, 0, none, none, 0.5f, c, 3, NULL, 2);
        assert_true(c[0] == 0.5f && c[1] == 1 && isnan(c[2]));
        mr_gemm_bf16_with(table(i), 1, 3, 0, none, none, 0, c, 3, NULL, 2);
        assert_true(c[0] == 0 && c[1] == 0 && c[2] == 0);
        c[0] = 7;
        mr_gemm_bf16_with(table(i), 0, 3, 2, none, none, 0, c, 3, NULL, 2);
        mr_gemm_bf16_with(table(i), 1, 0, 2, none, none, 0, c, 3, NULL, 2);
        assert_true(c[0] == 7);
    }
}

/* A single product of ones shows how a factor was rounded: to the nearest, then to even. */
static void test_rounding(void **state) {
    (void)state;
    static const float exact[] = {1 + 1.0f / 256, 1 + 3.0f / 256, 1 + 1.0f / 255, -1 - 3.0f / 256};
    for (int i = 0; i < TABLES; i++)
        for (size_t j = 0; table(i) && j < sizeof exact / sizeof *exact; j++)
            for (int transposed = 0; transposed < 2; transposed++) {
                float one = 1, left = 0, right = 0;
                mr_matrix x = {&exact[j], 1, transposed}, y = {&one, 1, transposed};
                void *scratch = mr_alloc_aligned(mr_gemm_bf16_scratch_size(1));
                assert_non_null(scratch);
                mr_gemm_bf16_with(table(i), 1, 1, 1, x, y, 0, &left, 1, scratch, 1);
                mr_gemm_bf16_with(table(i), 1, 1, 1, y, x, 0, &right, 1, scratch, 1);
                free(scratch);
                float want = mr_bf16_to_float(mr_bf16_from_float(exact[j]));
                assert_true(left == want && right == want);
            }
}

/* The tables differ in the order of sums alone; the public function takes the best one. */
static void test_tables(void **state) {
    (void)state;
    sizes s = {70, 90, 1100};
    problem p = make(s, 0, 0, 0);
    const mr_gemm_kernels *best = table(1) ? table(1) : table(0);
    guarded plain = product_of(&p, table(0), 0, s.n, 2), fast = product_of(&p, best, 0, s.n, 2);
    float *c = mr_alloc_aligned(s.m * s.n * sizeof *c);
    void *scratch = mr_alloc_aligned(mr_gemm_bf16_scratch_size(1));
    assert_true(c && scratch);
    mr_gemm_bf16(s.m, s.n, s.k, p.left, p.right, 0, c, s.n, scratch, 1);
    assert_memory_equal(c, fast.data, s.m * s.n * sizeof *c);
    for (size_t i = 0; i < s.m * s.n; i++)
        assert_true(fabs(plain.data[i] - fast.data[i]) <= CLOSE * p.size[i]);
    free(c), free(scratch);
    unguard(&plain), unguard(&fast);
    drop(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),    cmocka_unit_test(test_sums),
        cmocka_unit_test(test_large),    cmocka_unit_test(test_betas),
        cmocka_unit_test(test_stream),   cmocka_unit_test(test_empty),
        cmocka_unit_test(test_rounding), cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
