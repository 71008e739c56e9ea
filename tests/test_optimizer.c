/* test_optimizer.c - updates against plain loops in double and against PyTorch's numbers; clipping,
 * averaging, gradients that are no numbers, new stages, saved states. */
#include "helper_assert.h"

#include "base/prng.h"
#include "train/optimizer.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Blocks have 4096 numbers: below, at, above, several. */
static const int64_t sizes[] = {1, 3, 17, 4096, 4097, 12289};
enum { TENSORS = sizeof sizes / sizeof *sizes, MOST = 12289 };

static mr_settings settings_of(const char *const *keys) {
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_create(&config, NULL, &err), MRCNN_OK);
    for (; keys && *keys; keys += 2) {
        mrcnn_config_set(config, keys[0], keys[1], &err);
        assert_string_equal(err.message, "");
    }
    mr_settings settings = *mr_config_settings(config);
    mrcnn_config_free(&config);
    return settings;
}

#define SETTINGS(...) settings_of((const char *const[]){__VA_ARGS__, NULL})

static mr_tensor *add(mr_tensors *set, const char *layer, const char *param, int64_t count,
                      const float *values) {
    mr_tensor *tensor = NULL;
    assert_int_equal(mr_tensors_add(set, layer, param, 1, &count, &tensor, NULL), MRCNN_OK);
    for (size_t i = 0; i < tensor->count; i++) tensor->values[i] = values ? values[i] : 0;
    return tensor;
}

static float noise(const char *name, size_t i) {
    return (float)(mr_prng_uniform(mr_prng_stream(7, name), i) * 2 - 1);
}

typedef struct world {
    mr_tensors *weights, *gradients;
    mr_optimizer *optimizer;
} world;

/* Kernels of all sizes, and a layer that is not trained. */
static world make_world(const mr_settings *settings, int threads) {
    world w = {mr_tensors_create(), mr_tensors_create(), NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    for (int k = 0; k < TENSORS; k++) {
        char layer[32];
        snprintf(layer, sizeof layer, "layer%d", k);
        mr_tensor *t = add(w.weights, layer, "kernel", sizes[k], NULL);
        for (size_t i = 0; i < t->count; i++) t->values[i] = noise(layer, i);
        add(w.gradients, layer, "kernel", sizes[k], NULL);
    }
    add(w.weights, "frozen", "kernel", 3, (const float[]){1, 2, 3});
    mr_optimizer_create(&w.optimizer, settings, w.weights, w.gradients, threads, &err);
    assert_string_equal(err.message, "");
    return w;
}

static void free_world(world *w) {
    mr_optimizer_free(&w->optimizer);
    mr_optimizer_free(&w->optimizer);
    mr_tensors_free(&w->weights);
    mr_tensors_free(&w->gradients);
}

static float gradient(int step, int tensor, size_t i) {
    char name[32];
    snprintf(name, sizeof name, "g%d.%d", step, tensor);
    return noise(name, i) * (step == 1 ? 10.0f : 0.01f);
}

static void set_gradients(world *w, int step) {
    for (int k = 0; k < TENSORS; k++) {
        mr_tensor *g = mr_tensors_at(w->gradients, (size_t)k);
        for (size_t i = 0; i < g->count; i++) g->values[i] = gradient(step, k, i);
    }
}

static void assert_near(double value, double expected, double tolerance) {
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.9g, expected %.9g within %g", value, expected, tolerance);
}

static void assert_sets_equal(const mr_tensors *a, const mr_tensors *b) {
    assert_int_equal(mr_tensors_count(a), mr_tensors_count(b));
    for (size_t k = 0; k < mr_tensors_count(a); k++) {
        const mr_tensor *x = mr_tensors_at(a, k), *y = mr_tensors_find(b, x->layer, x->param);
        assert_non_null(y);
        assert_memory_equal(x->values, y->values, x->count * sizeof(float));
    }
}

/* ---------------------------------------------------------------------------------------- sgd */

static double norm_of(int step) {
    double sum = 0;
    for (int k = 0; k < TENSORS; k++)
        for (size_t i = 0; i < (size_t)sizes[k]; i++) {
            double g = gradient(step, k, i);
            sum += g * g;
        }
    return sqrt(sum);
}

/* N48 and N49 in double; step 1 is clipped, the others are not. */
static void test_sgd_against_double(void **state) {
    (void)state;
    enum { STEPS = 3 };
    static double weight[TENSORS][MOST], velocity[TENSORS][MOST];
    mr_settings settings = SETTINGS("LEARNING_MOMENTUM", "0.8", "GRADIENT_CLIP_NORM", "2.5");
    world w = make_world(&settings, 2);
    for (int k = 0; k < TENSORS; k++)
        for (size_t i = 0; i < (size_t)sizes[k]; i++) {
            weight[k][i] = mr_tensors_at(w.weights, (size_t)k)->values[i];
            velocity[k][i] = 0;
        }
    for (int step = 0; step < STEPS; step++) {
        mr_update update;
        double norm = norm_of(step), scale = norm >= 2.5 ? 2.5 / norm : 1;
        assert_true((step == 1) == (scale < 1));
        set_gradients(&w, step);
        mr_optimizer_step(w.optimizer, 0.05, 1, &update);
        assert_null(update.non_finite);
        assert_near(update.gradient_norm, norm, 1e-12 * norm);
        assert_near(update.scale, scale, 1e-12);
        for (int k = 0; k < TENSORS; k++)
            for (size_t i = 0; i < (size_t)sizes[k]; i++) {
                velocity[k][i] = 0.8 * velocity[k][i] - 0.05 * gradient(step, k, i) * scale;
                weight[k][i] += velocity[k][i];
                assert_near(mr_tensors_at(w.weights, (size_t)k)->values[i], weight[k][i], 3e-7);
                assert_near(
                    mr_tensors_at(mr_optimizer_state(w.optimizer, MR_PART_VELOCITY), (size_t)k)
                        ->values[i],
                    velocity[k][i], 1e-8);
                assert_true(mr_tensors_at(w.gradients, (size_t)k)->values[i] == 0);
            }
    }
    assert_int_equal(mr_optimizer_updates(w.optimizer), STEPS);
    assert_true(mr_tensors_find(w.weights, "frozen", "kernel")->values[2] == 3);
    assert_null(mr_optimizer_state(w.optimizer, MR_PART_MOMENT1));
    assert_null(mr_optimizer_state(w.optimizer, MR_PART_EMA));
    free_world(&w);
}

static void test_threads_change_nothing(void **state) {
    (void)state;
    static const char *const kinds[] = {"sgd", "adamw"};
    for (int kind = 0; kind < 2; kind++) {
        mr_settings settings =
            SETTINGS("OPTIMIZER", kinds[kind], "EMA_DECAY", "0.9", "GRADIENT_CLIP_NORM", "1");
        world one = make_world(&settings, 1);
        for (int threads = 2; threads <= 5; threads++) {
            world many = make_world(&settings, threads);
            free_world(&one);
            one = make_world(&settings, 1);
            for (int step = 0; step < 3; step++) {
                mr_update a, b;
                set_gradients(&one, step);
                set_gradients(&many, step);
                mr_optimizer_step(one.optimizer, 0.05, 1, &a);
                mr_optimizer_step(many.optimizer, 0.05, 1, &b);
                assert_true(a.gradient_norm == b.gradient_norm);
            }
            assert_sets_equal(one.weights, many.weights);
            assert_sets_equal(mr_optimizer_state(one.optimizer, MR_PART_EMA),
                              mr_optimizer_state(many.optimizer, MR_PART_EMA));
            free_world(&many);
        }
        free_world(&one);
    }
}

/* ------------------------------------------------------------------------------------ clipping */

typedef struct pair_world {
    mr_tensors *weights, *gradients;
    mr_optimizer *optimizer;
    mr_tensor *w, *g;
} pair_world;

/* Two weights of 0, so that a step of rate 1 shows the gradient. */
static pair_world make_pair(const mr_settings *settings) {
    pair_world p = {mr_tensors_create(), mr_tensors_create(), NULL, NULL, NULL};
    p.w = add(p.weights, "a", "bias", 2, NULL);
    p.g = add(p.gradients, "a", "bias", 2, NULL);
    assert_int_equal(mr_optimizer_create(&p.optimizer, settings, p.weights, p.gradients, 1, NULL),
                     MRCNN_OK);
    return p;
}

static void free_pair(pair_world *p) {
    mr_optimizer_free(&p->optimizer);
    mr_tensors_free(&p->weights);
    mr_tensors_free(&p->gradients);
}

static mr_update step_pair(pair_world *p, float a, float b, int batches) {
    mr_update update;
    p->w->values[0] = p->w->values[1] = 0;
    p->g->values[0] = a;
    p->g->values[1] = b;
    mr_optimizer_step(p->optimizer, 1, batches, &update);
    return update;
}

static void test_clipping(void **state) {
    (void)state;
    mr_settings settings = SETTINGS("LEARNING_MOMENTUM", "0", "GRADIENT_CLIP_NORM", "5");
    pair_world p = make_pair(&settings);
    mr_update u = step_pair(&p, 3, 4, 1); /* just reached: 5 / 5 */
    assert_true(u.gradient_norm == 5 && u.scale == 1);
    assert_true(p.w->values[0] == -3 && p.w->values[1] == -4);
    u = step_pair(&p, 6, 8, 1);
    assert_true(u.gradient_norm == 10 && u.scale == 0.5);
    assert_true(p.w->values[0] == -3 && p.w->values[1] == -4);
    u = step_pair(&p, 0.3f, -0.4f, 1);
    assert_true(u.scale == 1 && p.w->values[1] == 0.4f);
    u = step_pair(&p, 0, 0, 1);
    assert_true(u.gradient_norm == 0 && u.scale == 1 && p.w->values[0] == 0);
    u = step_pair(&p, 3e38f, 0, 1); /* its square is no float */
    assert_null(u.non_finite);
    assert_near(p.w->values[0], -5, 1e-5);
    u = step_pair(&p, 24, 32, 4); /* the mean of four batches is what is clipped */
    assert_true(u.gradient_norm == 10 && u.scale == 0.5);
    assert_true(p.w->values[0] == -3 && p.w->values[1] == -4);
    u = step_pair(&p, 6, 8, 4);
    assert_true(u.gradient_norm == 2.5 && u.scale == 1 && p.w->values[0] == -1.5);
    free_pair(&p);

    settings.gradient_clip_norm = 0;
    p = make_pair(&settings);
    u = step_pair(&p, 600, 800, 1);
    assert_true(u.gradient_norm == 1000 && u.scale == 1 && p.w->values[0] == -600);
    free_pair(&p);
}

/* A velocity left to itself becomes 0, not a denormal number that stays for ever. */
static void test_no_denormals(void **state) {
    (void)state;
    mr_settings settings = SETTINGS("GRADIENT_CLIP_NORM", "0");
    pair_world p = make_pair(&settings);
    const mr_tensor *v = mr_tensors_at(mr_optimizer_state(p.optimizer, MR_PART_VELOCITY), 0);
    step_pair(&p, 1, 1e-37f, 1);
    assert_true(v->values[1] == -1e-37f);
    for (int i = 0; i < 30; i++) step_pair(&p, 0, 0, 1);
    assert_true(v->values[0] < -0.01f && v->values[1] == 0);
    for (int i = 0; i < 1000; i++) step_pair(&p, 0, 0, 1);
    assert_true(v->values[0] == 0);
    free_pair(&p);
}

/* --------------------------------------------------------------------------------------- adamw */

/* Made once by torch.optim.AdamW (1.13) in float32: lr 0.01, betas 0.9 and 0.99, eps 1e-6, weight
 * decay 0.02 on the kernel and 0 on the bias, gradients as in adamw_gradient below. */
static const float adamw_start[8] = {0.5f, -1.25f, 2.0f, 0.0f, 1e-3f, 0.75f, -0.5f, 0.25f};
static const double adamw_first[8] = {
    0.4899001121520996,    -1.2397500276565552, 1.9896000623703003,   0.0,
    -0.008901190012693405, 0.7400000095367432,  -0.49000000953674316, 0.24000002443790436};
static const double adamw_fourth[8] = {
    0.46084997057914734,   -1.209012508392334, 1.9620691537857056,  0.0,
    -0.038592878729104996, 0.7100000381469727, -0.4612378180027008, 0.21000009775161743};
static const double adamw_moment1[8] = {
    0.09049000591039658,    -0.06877999752759933, 0.05052000284194946, 0.0,
    3.4389999200357124e-05, 0.34389999508857727,  -1.8097999095916748, 0.17194999754428864};
static const double adamw_moment2[8] = {
    0.002980070188641548,  0.0015761597314849496, 0.0012490416411310434, 0.0,
    3.940399118107507e-10, 0.03940398991107941,   1.1920280456542969,    0.009850997477769852};

static float adamw_gradient(int i, int step) {
    float k = (float)(step + 1);
    const float g[8] = {0.1f * k, -0.2f, 0.3f / k, 0, 1e-4f, 1, -2 * k, 0.5f};
    return g[i];
}

static float *adamw_at(const mr_tensors *set, int i) {
    return i < 5 ? &mr_tensors_at(set, 0)->values[i] : &mr_tensors_at(set, 1)->values[i - 5];
}

static void assert_adamw(const mr_tensors *set, const double expected[8]) {
    for (int i = 0; i < 8; i++)
        assert_near(*adamw_at(set, i), expected[i], 1e-6 * fabs(expected[i]) + 2e-9);
}

static void test_adamw_against_torch(void **state) {
    (void)state;
    mr_settings settings =
        SETTINGS("OPTIMIZER", "adamw", "ADAM_BETAS", "[0.9, 0.99]", "ADAM_EPSILON", "1e-6",
                 "WEIGHT_DECAY", "0.02", "GRADIENT_CLIP_NORM", "0");
    mr_tensors *weights = mr_tensors_create(), *gradients = mr_tensors_create();
    mr_optimizer *optimizer = NULL;
    add(weights, "a", "kernel", 5, adamw_start);
    add(weights, "a", "bias", 3, adamw_start + 5);
    add(gradients, "a", "kernel", 5, NULL);
    add(gradients, "a", "bias", 3, NULL);
    assert_int_equal(mr_optimizer_create(&optimizer, &settings, weights, gradients, 2, NULL),
                     MRCNN_OK);
    for (int step = 0; step < 4; step++) {
        mr_update update;
        for (int i = 0; i < 8; i++) *adamw_at(gradients, i) = adamw_gradient(i, step);
        mr_optimizer_step(optimizer, 0.01, 1, &update);
        if (step == 0) assert_adamw(weights, adamw_first);
    }
    assert_adamw(weights, adamw_fourth);
    assert_adamw(mr_optimizer_state(optimizer, MR_PART_MOMENT1), adamw_moment1);
    const mr_tensors *moment2 = mr_optimizer_state(optimizer, MR_PART_MOMENT2);
    for (int i = 0; i < 8; i++)
        assert_near(*adamw_at(moment2, i), adamw_moment2[i], 1e-6 * adamw_moment2[i]);
    assert_null(mr_optimizer_state(optimizer, MR_PART_VELOCITY));
    mr_optimizer_free(&optimizer);
    mr_tensors_free(&weights);
    mr_tensors_free(&gradients);
}

/* --------------------------------------------------------------------------- averages, stages */

static float average_at(const mr_optimizer *o, const char *layer) {
    return mr_tensors_find(mr_optimizer_state(o, MR_PART_EMA), layer, "bias")->values[0];
}

static void test_average_over_stages(void **state) {
    (void)state;
    mr_settings settings =
        SETTINGS("EMA_DECAY", "0.75", "LEARNING_MOMENTUM", "0.5", "GRADIENT_CLIP_NORM", "0");
    mr_tensors *weights = mr_tensors_create();
    mr_tensors *first = mr_tensors_create(), *second = mr_tensors_create();
    mr_tensor *a = add(weights, "a", "bias", 1, (const float[]){1});
    mr_tensor *b = add(weights, "b", "bias", 1, (const float[]){10});
    add(weights, "b", "moving_mean", 1, (const float[]){5});
    mr_tensor *ga = add(first, "a", "bias", 1, (const float[]){1});
    mr_tensor *gb = add(second, "b", "bias", 1, NULL);
    mr_optimizer *o = NULL;
    mr_update update;
    assert_int_equal(mr_optimizer_create(&o, &settings, weights, first, 2, NULL), MRCNN_OK);
    assert_true(average_at(o, "a") == 1);
    mr_optimizer_step(o, 1, 1, &update); /* a: 1 - 1 = 0; average 0.75 x 1 + 0.25 x 0 */
    assert_true(a->values[0] == 0 && average_at(o, "a") == 0.75f);
    ga->values[0] = 1;
    mr_optimizer_step(o, 1, 1, &update); /* velocity -0.5 - 1: a: -1.5 */
    assert_true(a->values[0] == -1.5f && average_at(o, "a") == 0.1875f);
    assert_int_equal(mr_tensors_count(mr_optimizer_state(o, MR_PART_EMA)), 1);

    /* What the first stage trained is still on its way to its weights. */
    assert_int_equal(mr_optimizer_retarget(o, second, NULL), MRCNN_OK);
    assert_int_equal(mr_optimizer_updates(o), 0);
    assert_int_equal(mr_tensors_count(mr_optimizer_state(o, MR_PART_EMA)), 2);
    assert_int_equal(mr_tensors_count(mr_optimizer_state(o, MR_PART_VELOCITY)), 1);
    assert_true(average_at(o, "a") == 0.1875f && average_at(o, "b") == 10);
    gb->values[0] = 4;
    mr_optimizer_step(o, 1, 1, &update);
    assert_true(a->values[0] == -1.5f && b->values[0] == 6);
    assert_true(average_at(o, "b") == 9);
    assert_true(average_at(o, "a") == 0.1875f + 0.25f * (-1.5f - 0.1875f));

    /* Back again: the velocity of the first stage is forgotten (N49). */
    ga->values[0] = 1;
    assert_int_equal(mr_optimizer_retarget(o, first, NULL), MRCNN_OK);
    mr_optimizer_step(o, 1, 1, &update);
    assert_true(a->values[0] == -2.5f && b->values[0] == 6);
    mr_optimizer_free(&o);
    mr_tensors_free(&first);
    mr_tensors_free(&second);
    mr_tensors_free(&weights);
}

/* ---------------------------------------------------------------------------------- not finite */

static void test_non_finite(void **state) {
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    static const size_t places[] = {0, 4095, 4096, 12288};
    mr_settings settings = SETTINGS("EMA_DECAY", "0.5");
    world w = make_world(&settings, 2), untouched = make_world(&settings, 2);
    mr_tensor *last = mr_tensors_at(w.gradients, TENSORS - 1);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
            mr_update update;
            set_gradients(&w, 0);
            last->values[places[j]] = bad[i];
            mr_optimizer_step(w.optimizer, 0.1, 1, &update);
            assert_ptr_equal(update.non_finite, last);
            assert_sets_equal(w.weights, untouched.weights);
            for (int part = 0; part < MR_OPTIMIZER_PARTS; part++)
                if (mr_optimizer_state(w.optimizer, part))
                    assert_sets_equal(mr_optimizer_state(w.optimizer, part),
                                      mr_optimizer_state(untouched.optimizer, part));
            assert_true(mr_tensors_at(w.gradients, 0)->values[0] != 0);
        }
    assert_int_equal(mr_optimizer_updates(w.optimizer), 0);
    mr_tensors_at(w.gradients, 2)->values[16] = NAN; /* the first of two is named */
    mr_update update;
    mr_optimizer_step(w.optimizer, 0.1, 1, &update);
    assert_string_equal(update.non_finite->layer, "layer2");
    mr_optimizer_discard(w.optimizer);
    assert_sets_equal(w.gradients, untouched.gradients); /* zeros */
    mr_optimizer_step(w.optimizer, 0.1, 1, &update);
    assert_null(update.non_finite);
    free_world(&w);
    free_world(&untouched);
}

/* ---------------------------------------------------------------------------------- checkpoints */

static mr_tensors *copy_set(const mr_tensors *from) {
    mr_tensors *set = from ? mr_tensors_create() : NULL;
    for (size_t k = 0; from && k < mr_tensors_count(from); k++) {
        const mr_tensor *t = mr_tensors_at(from, k);
        add(set, t->layer, t->param, t->shape[0], t->values);
    }
    return set;
}

static void run(world *w, int from, int to) {
    for (int step = from; step < to; step++) {
        mr_update update;
        set_gradients(w, step);
        mr_optimizer_step(w->optimizer, 0.05, 1, &update);
    }
}

static void check_resume(const mr_settings *settings) {
    world whole = make_world(settings, 2), before = make_world(settings, 1);
    world after = make_world(settings, 2);
    run(&whole, 0, 6);
    run(&before, 0, 3);
    mr_tensors *saved[MR_OPTIMIZER_PARTS];
    const mr_tensors *given[MR_OPTIMIZER_PARTS];
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++)
        given[part] = saved[part] = copy_set(mr_optimizer_state(before.optimizer, part));
    for (size_t k = 0; k < mr_tensors_count(after.weights); k++) {
        mr_tensor *t = mr_tensors_at(after.weights, k);
        memcpy(t->values, mr_tensors_at(before.weights, k)->values, t->count * sizeof(float));
    }
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_optimizer_restore(after.optimizer, given, mr_optimizer_updates(before.optimizer), &err);
    assert_string_equal(err.message, "");
    run(&after, 3, 6);
    assert_sets_equal(whole.weights, after.weights);
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++) {
        if (saved[part])
            assert_sets_equal(mr_optimizer_state(whole.optimizer, part),
                              mr_optimizer_state(after.optimizer, part));
        mr_tensors_free(&saved[part]);
    }
    assert_int_equal(mr_optimizer_updates(after.optimizer), 6);
    free_world(&whole);
    free_world(&before);
    free_world(&after);
}

static void test_resume(void **state) {
    (void)state;
    mr_settings sgd = SETTINGS("EMA_DECAY", "0"), adamw = SETTINGS("OPTIMIZER", "adamw");
    check_resume(&sgd);
    check_resume(&adamw);
    sgd.ema_decay = adamw.ema_decay = 0.9;
    check_resume(&sgd);
    check_resume(&adamw);
}

static void assert_not_restored(pair_world *p, const mr_tensors *const saved[MR_OPTIMIZER_PARTS],
                                int64_t updates, const char *part) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_optimizer_restore(p->optimizer, saved, updates, &err), MRCNN_E_WEIGHTS);
    assert_contains(err.message, part);
    const mr_tensors *velocity = mr_optimizer_state(p->optimizer, MR_PART_VELOCITY);
    assert_true(mr_tensors_at(velocity, 0)->values[0] == -1);
    assert_int_equal(mr_optimizer_updates(p->optimizer), 1);
}

static void test_bad_checkpoints(void **state) {
    (void)state;
    mr_settings settings = SETTINGS("EMA_DECAY", "0.5");
    pair_world p = make_pair(&settings);
    step_pair(&p, 1, 1, 1);
    mr_tensors *good = mr_tensors_create(), *empty = mr_tensors_create();
    mr_tensors *short_one = mr_tensors_create(), *strange = mr_tensors_create();
    add(good, "a", "bias", 2, NULL);
    add(short_one, "a", "bias", 1, NULL);
    add(strange, "a", "bias", 2, NULL);
    add(strange, "b", "bias", 2, NULL);
    typedef const mr_tensors *parts[MR_OPTIMIZER_PARTS];
    assert_not_restored(&p, (parts){NULL, NULL, NULL, good}, 1, "velocity is missing");
    assert_not_restored(&p, (parts){good, NULL, NULL, NULL}, 1, "ema is missing");
    assert_not_restored(&p, (parts){good, good, NULL, good}, 1, "moment1 is there, but");
    assert_not_restored(&p, (parts){empty, NULL, NULL, good}, 1, "velocity: a/bias is missing");
    assert_not_restored(&p, (parts){good, NULL, NULL, empty}, 1, "ema: a/bias is missing");
    assert_not_restored(&p, (parts){short_one, NULL, NULL, good}, 1, "a/bias has another shape");
    assert_not_restored(&p, (parts){good, NULL, NULL, strange}, 1, "weights: b/bias is missing");
    assert_not_restored(&p, (parts){good, NULL, NULL, good}, -1, "-1");
    assert_int_equal(mr_optimizer_restore(p.optimizer, (parts){good, NULL, NULL, good}, 9, NULL),
                     MRCNN_OK);
    assert_int_equal(mr_optimizer_updates(p.optimizer), 9);
    assert_int_equal(mr_optimizer_retarget(p.optimizer, strange, NULL), MRCNN_E_WEIGHTS);
    assert_int_equal(mr_optimizer_updates(p.optimizer), 9);
    mr_tensors_free(&good);
    mr_tensors_free(&empty);
    mr_tensors_free(&short_one);
    mr_tensors_free(&strange);
    free_pair(&p);
}

static void test_bad_gradients(void **state) {
    (void)state;
    mr_settings settings = settings_of(NULL);
    mr_tensors *weights = mr_tensors_create(), *gradients = mr_tensors_create();
    mr_optimizer *o = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    add(weights, "a", "kernel", 6, NULL);
    mrcnn_status status = mr_optimizer_create(&o, &settings, weights, gradients, 1, &err);
    assert_int_equal(status, MRCNN_E_ARGUMENT);
    mr_tensor *ignored;
    mr_tensors_add(gradients, "a", "kernel", 2, (const int64_t[]){2, 3}, &ignored, NULL);
    status = mr_optimizer_create(&o, &settings, weights, gradients, 1, &err);
    assert_int_equal(status, MRCNN_E_WEIGHTS);
    assert_contains(err.message, "a/kernel has another shape");
    mr_tensors_free(&gradients);
    gradients = mr_tensors_create();
    add(gradients, "b", "kernel", 6, NULL);
    status = mr_optimizer_create(&o, &settings, weights, gradients, 1, &err);
    assert_int_equal(status, MRCNN_E_WEIGHTS);
    assert_contains(err.message, "b/kernel is missing");
    assert_null(o);
    mr_optimizer_free(&o);
    mr_optimizer_free(NULL);
    mr_tensors_free(&weights);
    mr_tensors_free(&gradients);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd_against_double),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_no_denormals),
        cmocka_unit_test(test_adamw_against_torch),
        cmocka_unit_test(test_average_over_stages),
        cmocka_unit_test(test_non_finite),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_bad_checkpoints),
        cmocka_unit_test(test_bad_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
