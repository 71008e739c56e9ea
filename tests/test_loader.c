/* test_loader.c - the loader's order, limits, errors and end, with makers of every temper; and the
 * order of pictures. */
#include "helper_assert.h"

#include "base/error.h"
#include "base/prng.h"
#include "data/loader.h"
#include "train/order.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static void sleep_ms(double ms) {
    struct timespec t = {0, (long)(ms * 1e6)};
    nanosleep(&t, NULL);
}

/* What a test's maker does. Its counters have their own mutex. */
typedef struct kitchen {
    pthread_mutex_t mutex;
    double slowest_ms;   /* items take 0 to this long */
    size_t bytes;        /* of an item */
    uint64_t skip, fail; /* every n-th number, 0: none */
    int alive, most_alive, made, released, workers, wrong;
    uint64_t last[8]; /* each worker's last number */
} kitchen;

static kitchen open_kitchen(double slowest_ms, size_t bytes) {
    kitchen k = {.slowest_ms = slowest_ms, .bytes = bytes};
    pthread_mutex_init(&k.mutex, NULL);
    return k;
}

static int is_every(uint64_t number, uint64_t n) {
    return n && number % n == n - 1;
}

static mrcnn_status cook(void *user, int worker, uint64_t number, void **item, size_t *bytes,
                         mrcnn_error *err) {
    kitchen *k = user;
    sleep_ms(k->slowest_ms * mr_prng_uniform(mr_prng_stream(1, "ms"), number));
    if (is_every(number, k->fail))
        return mr_fail(err, MRCNN_E_FORMAT, "number %d is burnt", (int)number);
    pthread_mutex_lock(&k->mutex);
    /* Only the test's own thread may fail: see check_kitchen. */
    k->wrong += worker < 0 || worker >= 8 || (k->last[worker & 7] && number <= k->last[worker & 7]);
    k->last[worker & 7] = number;
    k->workers |= 1 << worker;
    int skipped = is_every(number, k->skip);
    if (!skipped) {
        k->made++;
        k->alive++;
        if (k->alive > k->most_alive) k->most_alive = k->alive;
    }
    pthread_mutex_unlock(&k->mutex);
    *bytes = k->bytes;
    if (skipped) return MRCNN_OK;
    uint64_t *made = malloc(sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "an item");
    *made = mr_prng_value(3, number);
    *item = made;
    return MRCNN_OK;
}

static void throw_away(void *user, void *item) {
    kitchen *k = user;
    pthread_mutex_lock(&k->mutex);
    k->alive--;
    k->released++;
    pthread_mutex_unlock(&k->mutex);
    free(item);
}

/* After the loader: all that was made is gone, and every worker's numbers rose. */
static void check_kitchen(kitchen *k) {
    assert_int_equal(k->alive, 0);
    assert_int_equal(k->made, k->released);
    assert_int_equal(k->wrong, 0);
    pthread_mutex_destroy(&k->mutex);
}

static mr_loader *start(kitchen *k, int threads, size_t bytes, uint64_t first) {
    mr_loader *loader = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_loader_options options = {cook, throw_away, k, threads, bytes, first};
    if (mr_loader_create(&loader, &options, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return loader;
}

/* Takes `count` numbers, each of which must be what one thread would have made of it. */
static void take_and_check(mr_loader *loader, kitchen *k, uint64_t first, uint64_t count,
                           double slow_ms) {
    for (uint64_t n = first; n < first + count; n++) {
        uint64_t number = UINT64_MAX;
        void *item = &number;
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_status status = mr_loader_next(loader, &number, &item, &err);
        assert_int_equal(number, n);
        if (is_every(n, k->fail)) {
            char text[64];
            snprintf(text, sizeof text, "number %d is burnt", (int)n);
            assert_int_equal(status, MRCNN_E_FORMAT);
            assert_string_equal(err.message, text);
            assert_ptr_equal(item, &number); /* untouched */
            continue;
        }
        assert_int_equal(status, MRCNN_OK);
        if (is_every(n, k->skip)) {
            assert_null(item);
            continue;
        }
        assert_int_equal(*(uint64_t *)item, mr_prng_value(3, n));
        throw_away(k, item);
        if (slow_ms > 0) sleep_ms(slow_ms);
    }
}

static const int thread_counts[] = {1, 2, 5};
enum { COUNTS = 3 };

static void same_sequence(void **state) {
    (void)state;
    for (int i = 0; i < COUNTS; i++) {
        kitchen k = open_kitchen(i == 0 ? 0.1 : 2, 10);
        k.skip = 5;
        k.fail = 7;
        mr_loader *loader = start(&k, thread_counts[i], 1000, 40);
        take_and_check(loader, &k, 40, 150, 0);
        mr_loader_stats stats = mr_loader_get_stats(loader);
        assert_int_equal(stats.items + stats.skipped + 150 / 7 + 1, 150);
        assert_true(stats.skipped > 20);
        mr_loader_free(&loader);
        assert_null(loader);
        check_kitchen(&k);
    }
}

static int workers_of(kitchen *k) {
    pthread_mutex_lock(&k->mutex);
    int workers = k->workers;
    pthread_mutex_unlock(&k->mutex);
    return workers;
}

static void all_threads_work(void **state) {
    (void)state;
    kitchen k = open_kitchen(3, 1);
    mr_loader *loader = start(&k, 5, 1000, 0);
    for (uint64_t n = 0; n < 2000 && workers_of(&k) != 31; n += 20)
        take_and_check(loader, &k, n, 20, 0);
    mr_loader_free(&loader);
    assert_int_equal(k.workers, 31);
    check_kitchen(&k);
}

/* While nobody takes anything, as many wait as the limit lets begin, and one a thread more. */
static void bytes_are_bounded(void **state) {
    (void)state;
    for (int i = 0; i < COUNTS; i++) {
        kitchen k = open_kitchen(0.2, 100);
        mr_loader *loader = start(&k, thread_counts[i], 1000, 0);
        for (int wait = 0; wait < 1000; wait++) {
            if (mr_loader_get_stats(loader).depth >= 10) break;
            sleep_ms(1);
        }
        sleep_ms(20);
        mr_loader_stats stats = mr_loader_get_stats(loader);
        assert_true(stats.depth >= 10 && stats.depth < 10 + (size_t)thread_counts[i]);
        assert_int_equal(stats.bytes, stats.depth * 100);
        take_and_check(loader, &k, 0, 200, 0.1);
        stats = mr_loader_get_stats(loader);
        assert_true(stats.most_bytes >= 1000);
        assert_true(stats.most_bytes < 1000 + 100 * (size_t)thread_counts[i]);
        assert_true(k.most_alive <= 10 + thread_counts[i]);
        mr_loader_free(&loader);
        check_kitchen(&k);
    }
}

/* An item above the limit, and a limit of nothing: one at a time. */
static void tiny_limit(void **state) {
    (void)state;
    for (size_t limit = 0; limit < 2; limit++) {
        kitchen k = open_kitchen(0.1, 1000);
        mr_loader *loader = start(&k, 5, limit, 0);
        take_and_check(loader, &k, 0, 50, 0);
        mr_loader_free(&loader);
        check_kitchen(&k);
    }
}

/* Items of no bytes, and nothing but skips: not endlessly many run ahead. */
static void no_bytes(void **state) {
    (void)state;
    kitchen k = open_kitchen(0, 0);
    k.skip = 1;
    mr_loader *loader = start(&k, 2, 1000, 0);
    sleep_ms(50);
    assert_true(mr_loader_get_stats(loader).depth <= 1024);
    take_and_check(loader, &k, 0, 5000, 0);
    mr_loader_free(&loader);
    k.skip = 0;
    memset(k.last, 0, sizeof k.last);
    loader = start(&k, 2, 1000, 0);
    take_and_check(loader, &k, 0, 5000, 0);
    mr_loader_free(&loader);
    check_kitchen(&k);
}

static void waiting_is_measured(void **state) {
    (void)state;
    kitchen k = open_kitchen(20, 1);
    mr_loader *loader = start(&k, 1, 1000, 0);
    take_and_check(loader, &k, 0, 5, 0);
    assert_true(mr_loader_get_stats(loader).seconds_waited > 0.001);
    assert_true(mr_loader_get_stats(loader).seconds_waited < 60);
    mr_loader_free(&loader);
    check_kitchen(&k);
}

/* Freed at once, while items are made, while workers wait for room, with items left. */
static void free_at_any_time(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) {
        kitchen k = open_kitchen(i % 4, 100);
        mr_loader *loader = start(&k, thread_counts[i % COUNTS], 500, 0);
        take_and_check(loader, &k, 0, (uint64_t)(i % 3), 0);
        if (i % 2) sleep_ms(i % 7);
        mr_loader_free(&loader);
        check_kitchen(&k);
    }
    mr_loader_free(NULL);
}

static void *stop_later(void *loader) {
    sleep_ms(5);
    mr_loader_stop(loader);
    return NULL;
}

static void stop_from_elsewhere(void **state) {
    (void)state;
    kitchen k = open_kitchen(30, 1);
    mr_loader *loader = start(&k, 2, 100, 9);
    pthread_t thread;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_status status = MRCNN_OK;
    assert_int_equal(pthread_create(&thread, NULL, stop_later, loader), 0);
    for (int i = 0; i < 10000 && status == MRCNN_OK; i++) {
        uint64_t number;
        void *item = NULL;
        status = mr_loader_next(loader, &number, &item, &err);
        if (item) throw_away(&k, item);
    }
    assert_int_equal(status, MRCNN_E_CANCELLED);
    assert_contains(err.message, "stopped");
    pthread_join(thread, NULL);
    mr_loader_free(&loader);
    check_kitchen(&k);
}

static int made_so_far(kitchen *k) {
    pthread_mutex_lock(&k->mutex);
    int made = k->made;
    pthread_mutex_unlock(&k->mutex);
    return made;
}

/* Nothing is made while the loader pauses, and nothing is missing afterwards. */
static void pauses(void **state) {
    (void)state;
    kitchen k = open_kitchen(2, 100);
    mr_loader *loader = NULL;
    mr_loader_options options = {cook, throw_away, &k, 3, 100000, 0};
    assert_int_equal(mr_loader_create(&loader, &options, NULL), MRCNN_OK);
    for (uint64_t n = 0; n < 30; n++) {
        uint64_t number, *item = NULL;
        mr_loader_pause(loader);
        int made = made_so_far(&k);
        sleep_ms(4);
        assert_int_equal(made_so_far(&k), made);
        mr_loader_resume(loader);
        assert_int_equal(mr_loader_next(loader, &number, (void **)&item, NULL), MRCNN_OK);
        assert_true(number == n && *item == mr_prng_value(3, n));
        throw_away(&k, item);
    }
    mr_loader_pause(loader);
    mr_loader_free(&loader); /* does not wait for a resume */
    check_kitchen(&k);
}

static void no_threads(void **state) {
    (void)state;
    mr_loader *loader = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_loader_options options = {cook, throw_away, NULL, 0, 1, 0};
    assert_int_equal(mr_loader_create(&loader, &options, &err), MRCNN_E_ARGUMENT);
    assert_null(loader);
}

/* --------------------------------------------------------------------------- order of pictures */

static mr_order *make_order(size_t count, uint64_t seed, int shuffle) {
    mr_order *order = NULL;
    assert_int_equal(mr_order_create(&order, count, seed, shuffle, NULL), MRCNN_OK);
    return order;
}

static void passes(void **state) {
    (void)state;
    enum { COUNT = 50, PASSES = 4 };
    mr_order *order = make_order(COUNT, 1, 1), *plain = make_order(COUNT, 1, 0);
    size_t drawn[PASSES][COUNT], moved = 0, differ = 0;
    for (size_t p = 0; p < PASSES; p++) {
        int seen[COUNT] = {0};
        for (size_t i = 0; i < COUNT; i++) {
            drawn[p][i] = mr_order_at(order, p * COUNT + i);
            assert_true(drawn[p][i] < COUNT);
            assert_int_equal(seen[drawn[p][i]]++, 0);
            assert_int_equal(mr_order_at(plain, p * COUNT + i), i);
            moved += drawn[p][i] != i;
            differ += p > 0 && drawn[p][i] != drawn[p - 1][i];
        }
    }
    assert_true(moved > PASSES * COUNT * 8 / 10 && differ > (PASSES - 1) * COUNT * 8 / 10);
    mr_order *again = make_order(COUNT, 1, 1), *other = make_order(COUNT, 2, 1);
    size_t other_seed = 0;
    for (size_t n = PASSES * COUNT; n-- > 0;) { /* any order of asking */
        assert_int_equal(mr_order_at(again, n), drawn[n / COUNT][n % COUNT]);
        other_seed += mr_order_at(other, n) != drawn[n / COUNT][n % COUNT];
    }
    assert_true(other_seed > PASSES * COUNT * 8 / 10);
    mr_order_free(&order), mr_order_free(&plain), mr_order_free(&again), mr_order_free(&other);
    mr_order_free(NULL);
}

static void every_permutation(void **state) {
    (void)state;
    enum { PASSES = 6000 };
    int seen[27] = {0};
    mr_order *order = make_order(3, 7, 1);
    for (size_t p = 0; p < PASSES; p++)
        seen[mr_order_at(order, 3 * p) * 9 + mr_order_at(order, 3 * p + 1) * 3 +
             mr_order_at(order, 3 * p + 2)]++;
    int kinds = 0;
    for (int i = 0; i < 27; i++) {
        kinds += seen[i] > 0;
        if (seen[i]) assert_true(seen[i] > 850 && seen[i] < 1150);
    }
    assert_int_equal(kinds, 6);
    mr_order_free(&order);
}

static void odd_orders(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_order *order = NULL, *one = make_order(1, 0, 1);
    assert_int_equal(mr_order_create(&order, 0, 1, 1, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "no pictures");
    assert_null(order);
    assert_int_equal(mr_order_at(one, UINT64_MAX), 0);
    mr_order_free(&one);
}

static void useless_data_set(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_skips skips = {.picture_count = 4};
    /* Only picture 0 of the first pass and 3 of the second are of use: six skips in a row. */
    for (uint64_t n = 0; n < 8; n++)
        assert_int_equal(mr_skips_note(&skips, n, n != 0 && n != 7, "balloon", &err), MRCNN_OK);
    for (uint64_t n = 8; n < 11; n++)
        assert_int_equal(mr_skips_note(&skips, n, 1, "balloon", &err), MRCNN_OK);
    assert_int_equal(mr_skips_note(&skips, 11, 1, "balloon", &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "no picture of balloon has an object to learn from");
    mr_skips resumed = {.picture_count = 4}; /* in the middle of a pass */
    for (uint64_t n = 2; n < 7; n++)
        assert_int_equal(mr_skips_note(&resumed, n, 1, "balloon", &err), MRCNN_OK);
    assert_int_equal(mr_skips_note(&resumed, 7, 1, "balloon", &err), MRCNN_E_FORMAT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_sequence),
        cmocka_unit_test(all_threads_work),
        cmocka_unit_test(bytes_are_bounded),
        cmocka_unit_test(tiny_limit),
        cmocka_unit_test(no_bytes),
        cmocka_unit_test(waiting_is_measured),
        cmocka_unit_test(free_at_any_time),
        cmocka_unit_test(stop_from_elsewhere),
        cmocka_unit_test(pauses),
        cmocka_unit_test(no_threads),
        cmocka_unit_test(passes),
        cmocka_unit_test(every_permutation),
        cmocka_unit_test(odd_orders),
        cmocka_unit_test(useless_data_set),
    };
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
