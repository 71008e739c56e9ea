/* test_checkpoint.c - a training's state goes to disk and comes back bit for bit; whatever happens
 * to the files in between, the newest whole pair is found or a message says what is wrong.
 */
#include "helper_assert.h"
#include "helper_weights.h"

#include "base/file.h"
#include "base/prng.h"
#include "train/checkpoint.h"
#include "train/fingerprint.h"
#include "weights/arrays.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int setup(void **state) {
    (void)state;
    make_scratch();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    remove_scratch();
    return 0;
}

/* ------------------------------------------------------------------------------ made-up training */

static const struct {
    const char *layer, *param;
    int rank;
    int64_t shape[5];
} layers[] = {{"conv1", "kernel", 4, {7, 7, 3, 2}},
              {"rpn_class_raw", "bias", 1, {6}},
              {"rpn_conv_shared", "kernel", 4, {3, 3, 2, 2}},
              {"rpn_conv_shared", "bias", 1, {2}},
              {"mrcnn_bbox_fc", "kernel", 2, {5, 3}}};
enum { LAYERS = sizeof layers / sizeof layers[0] };

static mr_tensors *make_tensors(uint64_t seed, int any_bits) {
    mr_tensors *set = mr_tensors_create();
    uint64_t index = 0;
    for (size_t i = 0; i < LAYERS; i++) {
        mr_tensor *t = NULL;
        assert_int_equal(mr_tensors_add(set, layers[i].layer, layers[i].param, layers[i].rank,
                                        layers[i].shape, &t, NULL),
                         MRCNN_OK);
        for (size_t k = 0; k < t->count; k++, index++) {
            uint32_t bits = (uint32_t)mr_prng_value(seed, index);
            t->values[k] = (float)mr_prng_uniform(seed, index) - 0.5f;
            if (any_bits) memcpy(&t->values[k], &bits, sizeof bits); /* NaN, infinity, denormal */
        }
    }
    return set;
}

static char *class_names[] = {"BG", "Größe, \"quoted\"", ""};

typedef struct training {
    mr_tensors *weights;
    mr_training_state state;
} training;

static training make_training(int64_t epoch, int64_t step_in_epoch) {
    uint64_t seed = (uint64_t)(epoch * 1000 + step_in_epoch);
    training t = {.weights = make_tensors(seed, 0)};
    t.state = (mr_training_state){.step = epoch * 100 + step_in_epoch,
                                  .epoch = epoch,
                                  .step_in_epoch = step_in_epoch,
                                  .stage = 1,
                                  .next_draw = INT64_MAX,
                                  .optimizer_steps = INT64_C(1) << 53 | 1,
                                  .best_epoch = 2,
                                  .best_by_ap = 1,
                                  .without_improvement = 3,
                                  .best_loss = 0.1 + 0.2,
                                  .optimizer = "adamw",
                                  .set_count = 3,
                                  .config = "NAME: Shapes\nSTEPS_PER_EPOCH: 100\n",
                                  .class_count = 3,
                                  .class_names = class_names};
    static const char *const sets[] = {"moment1", "moment2", "weights"};
    for (int i = 0; i < 3; i++) {
        strcpy(t.state.sets[i].name, sets[i]);
        t.state.sets[i].tensors =
            i == 1 ? mr_tensors_create() : make_tensors(seed + 77 + (uint64_t)i, 1);
    }
    return t;
}

static void free_training(training *t) {
    for (int i = 0; i < t->state.set_count; i++) mr_tensors_free(&t->state.sets[i].tensors);
    mr_tensors_free(&t->weights);
}

static void check_same_tensors(const mr_tensors *a, const mr_tensors *b) {
    assert_int_equal(mr_tensors_count(a), mr_tensors_count(b));
    for (size_t i = 0; i < mr_tensors_count(a); i++) {
        const mr_tensor *x = mr_tensors_at(a, i), *y = mr_tensors_find(b, x->layer, x->param);
        assert_non_null(y);
        assert_int_equal(x->rank, y->rank);
        assert_memory_equal(x->shape, y->shape, (size_t)x->rank * sizeof *x->shape);
        assert_memory_equal(x->values, y->values, x->count * sizeof *x->values);
    }
}

static void check_same_state(const mr_training_state *a, const mr_training_state *b) {
    /* All numbers and the optimizer's name. */
    assert_memory_equal(a, b, offsetof(mr_training_state, optimizer));
    assert_string_equal(a->optimizer, b->optimizer);
    assert_int_equal(a->set_count, b->set_count);
    for (int i = 0; i < a->set_count; i++) {
        assert_string_equal(a->sets[i].name, b->sets[i].name);
        check_same_tensors(a->sets[i].tensors, b->sets[i].tensors);
        assert_ptr_equal(mr_training_state_find(b, a->sets[i].name), b->sets[i].tensors);
    }
    if (a->config) assert_string_equal(a->config, b->config);
    assert_int_equal(a->config == NULL, b->config == NULL);
    assert_int_equal(a->class_count, b->class_count);
    for (size_t i = 0; i < a->class_count; i++)
        assert_string_equal(a->class_names[i], b->class_names[i]);
}

/* A run folder below the scratch folder, which is all that `name` is in. */
static mr_run_folder make_run(const char *folder) {
    mr_run_folder run = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_make_directories(scratch(folder), NULL);
    assert_int_equal(mr_run_folder_open(&run, scratch(folder), "Shapes", &err), MRCNN_OK);
    return run;
}

static void save(const mr_run_folder *run, mr_checkpoint_kind kind, int64_t epoch, int64_t step) {
    training t = make_training(epoch, step);
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_checkpoint_save(run, kind, t.weights, &t.state, 0, 0, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    free_training(&t);
}

static char *in(const mr_run_folder *run, const char *file) {
    static char paths[4][400];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/mask_rcnn_shapes_%s", run->path, file);
    return path;
}

static int exists(const mr_run_folder *run, const char *file) {
    return access(in(run, file), F_OK) == 0;
}

static int count_files(const char *folder) {
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) count += e->d_name[0] != '.';
    if (dir) closedir(dir);
    return count;
}

/* ------------------------------------------------------------------------------------ round trip */

static void test_round_trip(void **state) {
    (void)state;
    mr_run_folder run = make_run("trip");
    training t = make_training(7, 31);
    mrcnn_error err = MRCNN_ERROR_INIT;
    for (int i = 0; i < 2; i++) { /* over itself too */
        assert_int_equal(
            mr_checkpoint_save(&run, MR_CHECKPOINT_INTERRUPTED, t.weights, &t.state, 1, 1, &err),
            MRCNN_OK);
        assert_int_equal(count_files(run.path), 2);
    }
    mr_checkpoint c = {0};
    assert_int_equal(mr_checkpoint_load(&c, in(&run, "interrupted.h5"), &err), MRCNN_OK);
    assert_true(c.has_state);
    assert_null(c.note);
    check_same_tensors(t.weights, c.weights);
    check_same_state(&t.state, &c.state);
    assert_string_equal(c.info.config, t.state.config);
    assert_string_equal(c.info.class_names[1], class_names[1]);
    assert_string_equal(c.info.keras_version, "2.1.6");
    mr_checkpoint_free(&c);

    /* As little as there can be. */
    free_training(&t);
    t = make_training(8, 0);
    mr_training_state bare = {.epoch = 8, .best_loss = -INFINITY};
    assert_int_equal(mr_checkpoint_save(&run, MR_CHECKPOINT_EPOCH, t.weights, &bare, 0, 0, &err),
                     MRCNN_OK);
    assert_int_equal(mr_checkpoint_load(&c, in(&run, "0008.h5"), &err), MRCNN_OK);
    assert_true(c.has_state);
    check_same_state(&bare, &c.state);
    mr_checkpoint_free(&c);
    assert_int_equal(mr_checkpoint_save(&run, MR_CHECKPOINT_BEST, t.weights, &bare, 0, 0, &err),
                     MRCNN_E_ARGUMENT);
    free_training(&t);
    mr_run_folder_free(&run);
}

/* Thousands of long names: more than HDF5 takes in one attribute. */
static void test_many_tensors(void **state) {
    (void)state;
    enum { COUNT = 3000 };
    mr_training_state s = {.set_count = 1, .sets = {{"velocity", mr_tensors_create()}}};
    int64_t shape[5] = {1};
    for (int i = 0; i < COUNT; i++) {
        char layer[90];
        mr_tensor *t = NULL;
        snprintf(layer, sizeof layer, "a_rather_long_name_of_a_layer_for_so_small_a_tensor_%d", i);
        mr_tensors_add(s.sets[0].tensors, layer, "kernel", 1, shape, &t, NULL);
        t->values[0] = (float)i;
    }
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_training_state back = {0};
    uint64_t fingerprint = 0;
    if (mr_training_state_write(&s, UINT64_MAX - 1, scratch("many.state"), &err) != MRCNN_OK ||
        mr_training_state_read(&back, &fingerprint, scratch("many.state"), &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_true(fingerprint == UINT64_MAX - 1);
    check_same_state(&s, &back);
    assert_string_equal(mr_tensors_at(back.sets[0].tensors, COUNT - 1)->layer,
                        mr_tensors_at(s.sets[0].tensors, COUNT - 1)->layer);
    mr_training_state_free(&back);
    mr_tensors_free(&s.sets[0].tensors);
}

static void test_fingerprint(void **state) {
    (void)state;
    unsigned char bytes[64] = {0};
    uint64_t zero = mr_fingerprint(0, bytes, 19);
    for (int i = 0; i < 19 * 8; i++) { /* each bit counts */
        bytes[i / 8] ^= (unsigned char)(1 << i % 8);
        assert_true(mr_fingerprint(0, bytes, 19) != zero);
        bytes[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    assert_true(mr_fingerprint(0, bytes, 19) == zero);
    assert_true(mr_fingerprint(0, bytes, 20) != zero);
    assert_true(mr_fingerprint(1, bytes, 19) != zero);
    bytes[0] = 1;
    uint64_t first = mr_fingerprint(0, bytes, 64);
    bytes[0] = 0;
    bytes[8] = 1; /* the same words in another order */
    assert_true(mr_fingerprint(0, bytes, 64) != first);

    mr_tensors *a = make_tensors(1, 0), *b = make_tensors(1, 0);
    assert_true(mr_tensors_fingerprint(a) == mr_tensors_fingerprint(b));
    mr_tensors_at(b, 2)->values[3] += 1e-7f;
    assert_true(mr_tensors_fingerprint(a) != mr_tensors_fingerprint(b));
    mr_tensors_free(&a);
    mr_tensors_free(&b);
}

/* ---------------------------------------------------------------------------- last, and pruning */

/* Asks for the last checkpoint; checks its file, its epoch, and what was passed over. "" for
 * `passed`: nothing. */
static void check_last(const char *logs, const char *file, int64_t step, const char *passed) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_checkpoint c = {0};
    char *passed_over = NULL;
    if (mr_checkpoint_find_last(&c, &passed_over, scratch(logs), "Shapes", &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    if (!strstr(c.path, file)) fail_msg("%s instead of %s (%s)", c.path, file, passed_over);
    if (*passed)
        assert_contains(passed_over, passed);
    else
        assert_string_equal(passed_over, "");
    assert_int_equal(c.has_state, step >= 0);
    assert_int_equal(c.note != NULL, step < 0);
    if (step >= 0) assert_int_equal(c.state.step, step);
    free(passed_over);
    mr_checkpoint_free(&c);
}

static void test_last(void **state) {
    (void)state;
    mr_run_folder old = make_run("last/shapes20251231T2359"),
                  run = make_run("last/shapes20260102T0304"),
                  other = make_run("last/other20270102T0304");
    save(&other, MR_CHECKPOINT_EPOCH, 9, 0);
    save(&old, MR_CHECKPOINT_EPOCH, 50, 0);
    check_last("last", "T2359/mask_rcnn_shapes_0050.h5", 5000, "T0304: holds no checkpoint");
    save(&run, MR_CHECKPOINT_EPOCH, 1, 0);
    check_last("last", "T0304/mask_rcnn_shapes_0001.h5", 100, "");
    save(&run, MR_CHECKPOINT_INTERRUPTED, 1, 5);
    assert_false(exists(&run, "0001.state"));
    check_last("last", "T0304/mask_rcnn_shapes_interrupted.h5", 105, "");
    save(&run, MR_CHECKPOINT_EPOCH, 2, 0);
    assert_false(exists(&run, "interrupted.state"));
    check_last("last", "T0304/mask_rcnn_shapes_0002.h5", 200, "");
    /* Continued from epoch 1: what was saved last counts, not the larger number. */
    save(&run, MR_CHECKPOINT_EPOCH, 1, 0);
    check_last("last", "T0304/mask_rcnn_shapes_0001.h5", 100, "0002.h5: has no training state");
    unlink(in(&run, "0001.state"));
    check_last("last", "T0304/mask_rcnn_shapes_0002.h5", -1, "");
    /* Damage, from the newest on. */
    mr_file_write(in(&run, "0002.h5"), "", 0, NULL);
    check_last("last", "T0304/mask_rcnn_shapes_0001.h5", -1, "0002.h5: is not an HDF5 file");
    mr_file_write(in(&run, "0001.h5"), "x", 1, NULL);
    check_last("last", "T0304/mask_rcnn_shapes_interrupted.h5", -1, "0001.h5");
    unlink(in(&run, "interrupted.h5"));
    check_last("last", "T2359/mask_rcnn_shapes_0050.h5", 5000, "0001.h5");
    /* Nothing at all. */
    unlink(in(&old, "0050.h5"));
    mr_checkpoint c = {0};
    char *passed_over = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_checkpoint_find_last(&c, &passed_over, scratch("last"), "shapes", &err),
                     MRCNN_E_IO);
    assert_contains(err.message, "0002.h5");
    assert_int_equal(mr_checkpoint_find_last(&c, &passed_over, scratch("last"), "nobody", &err),
                     MRCNN_E_IO);
    assert_contains(err.message, "nobody");
    assert_null(passed_over);
    mr_run_folder_free(&old);
    mr_run_folder_free(&run);
    mr_run_folder_free(&other);
}

static void test_keep(void **state) {
    (void)state;
    mr_run_folder run = make_run("keep");
    save(&run, MR_CHECKPOINT_EPOCH, 9, 0); /* of a run that was abandoned */
    save(&run, MR_CHECKPOINT_INTERRUPTED, 0, 5);
    mr_file_write(in(&run, "0004.h5.part-1-1"), "x", 1, NULL);
    mr_file_write(in(&run, "0004.state.new"), "x", 1, NULL);
    mr_file_write(in(&run, "notes.txt"), "x", 1, NULL);
    for (int64_t epoch = 1; epoch <= 6; epoch++) {
        training t = make_training(epoch, 0);
        mrcnn_error err = MRCNN_ERROR_INIT;
        t.state.best_epoch = epoch < 2 ? 1 : 2;
        assert_int_equal(
            mr_checkpoint_save(&run, MR_CHECKPOINT_EPOCH, t.weights, &t.state, 2, 1, &err),
            MRCNN_OK);
        free_training(&t);
    }
    static const char *const kept[] = {"0002.h5", "0005.h5",    "0006.h5",  "0009.h5",
                                       "best.h5", "0006.state", "notes.txt"};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (!exists(&run, kept[i])) fail_msg("%s is gone", kept[i]);
    assert_int_equal(count_files(run.path), sizeof kept / sizeof kept[0]);
    mr_tensors *best = NULL;
    training t = make_training(2, 0);
    assert_int_equal(mr_weights_read(&best, NULL, in(&run, "best.h5"), NULL), MRCNN_OK);
    check_same_tensors(t.weights, best);
    mr_tensors_free(&best);
    /* The same epoch again. */
    mrcnn_error err = MRCNN_ERROR_INIT;
    t.state.best_epoch = 2;
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            mr_checkpoint_save(&run, MR_CHECKPOINT_EPOCH, t.weights, &t.state, 0, 1, &err),
            MRCNN_OK);
    assert_int_equal(count_files(run.path), sizeof kept / sizeof kept[0]);
    free_training(&t);
    mr_run_folder_free(&run);
}

/* -------------------------------------------------------------------------------- mixed-up files */

/* Loading must give these weights without a state, and say why. */
static void check_weights_only(const char *path, const char *why) {
    mr_checkpoint c = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_checkpoint_load(&c, path, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_false(c.has_state);
    assert_int_equal(c.state.set_count, 0);
    assert_contains(c.note, why);
    mr_checkpoint_free(&c);
}

static void copy_file(const char *from, const char *to) {
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(mr_file_read(from, 0, &bytes, &length, NULL), MRCNN_OK);
    assert_int_equal(mr_file_write(to, bytes, length, NULL), MRCNN_OK);
    free(bytes);
}

static void test_mixed_up(void **state) {
    (void)state;
    mr_run_folder a = make_run("mixed/shapes20260102T0304"), b = make_run("mixed/b");
    save(&b, MR_CHECKPOINT_EPOCH, 5, 0);
    save(&a, MR_CHECKPOINT_EPOCH, 4, 0);
    copy_file(in(&b, "0005.h5"), in(&a, "0005.h5"));
    /* Killed between the weights and the state of epoch 5. */
    check_weights_only(in(&a, "0005.h5"), "no training state");
    check_last("mixed", "_0004.h5", 400, "0005.h5: has no training state");
    copy_file(in(&b, "0005.state"), in(&a, "0005.state.new"));
    check_last("mixed", "_0005.h5", 500, "");
    /* Each with the other's state. */
    copy_file(in(&a, "0004.state"), in(&a, "0005.state"));
    check_last("mixed", "_0005.h5", 500, ""); /* there is the right one still */
    rename(in(&a, "0005.state.new"), in(&a, "0004.state"));
    check_weights_only(in(&a, "0004.h5"), "of other weights");
    check_weights_only(in(&a, "0005.h5"), "of other weights");
    check_last("mixed", "_0005.h5", -1, "0004.state: is the training state of other weights");
    /* Right weights, but another configuration in the weight file. */
    training t = make_training(5, 0);
    mr_weights_info info = {.config = "NAME: other\n"};
    copy_file(in(&b, "0005.state"), in(&a, "0005.state"));
    assert_int_equal(mr_weights_write(t.weights, &info, in(&a, "0005.h5"), NULL), MRCNN_OK);
    check_weights_only(in(&a, "0005.h5"), "of other weights");
    free_training(&t);
    /* A folder, and a file of another kind, in the state's place. */
    unlink(in(&b, "0005.state"));
    mkdir(in(&b, "0005.state"), 0777);
    check_weights_only(in(&b, "0005.h5"), "is a folder");
    rmdir(in(&b, "0005.state"));
    copy_file(in(&b, "0005.h5"), in(&b, "0005.state"));
    check_weights_only(in(&b, "0005.h5"), "not written by this program");
    mr_run_folder_free(&a);
    mr_run_folder_free(&b);
}

/* -------------------------------------------------------------------------------- damaged files */

/* The state file must be refused with a message, or be what was written: some bytes mean nothing. */
static int check_damaged(const char *path, const mr_training_state *written) {
    mr_training_state s = {0};
    uint64_t fingerprint = 7;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_status status = mr_training_state_read(&s, &fingerprint, path, &err);
    if (status == MRCNN_OK) {
        check_same_state(written, &s);
        mr_training_state_free(&s);
        return 0;
    }
    assert_contains(err.message, path);
    assert_true(fingerprint == 7);
    assert_null(s.config);
    return 1;
}

static void test_damaged_state(void **state) {
    (void)state;
    training t = make_training(3, 4);
    const char *whole = scratch("whole.state"), *path = scratch("damaged.state");
    assert_int_equal(mr_training_state_write(&t.state, 1, whole, NULL), MRCNN_OK);
    unsigned char *bytes = NULL;
    size_t length = 0;
    assert_int_equal(mr_file_read(whole, 0, (void **)&bytes, &length, NULL), MRCNN_OK);
    for (size_t i = 0; i < 60; i++) {
        size_t cut = i < 20 ? i * 5 : length * (i - 19) / 41;
        if (i == 59) cut = length - 1;
        mr_file_write(path, bytes, cut, NULL);
        if (!check_damaged(path, &t.state)) fail_msg("read from %zu of %zu bytes", cut, length);
    }
    int refused = 0;
    for (uint64_t i = 0; i < 150; i++) {
        size_t at = mr_prng_value(5, i) % length;
        unsigned char old = bytes[at];
        bytes[at] ^= (unsigned char)(1 + mr_prng_value(6, i) % 255);
        mr_file_write(path, bytes, length, NULL);
        refused += check_damaged(path, &t.state);
        bytes[at] = old;
    }
    assert_in_range(refused, 20, 150);
    free(bytes);
    free_training(&t);
}

static void test_damaged_weights(void **state) {
    (void)state;
    mr_run_folder run = make_run("cut/shapes20260102T0304");
    save(&run, MR_CHECKPOINT_EPOCH, 1, 0);
    rename(in(&run, "0001.h5"), scratch("0001.h5"));
    rename(in(&run, "0001.state"), scratch("0001.state"));
    save(&run, MR_CHECKPOINT_EPOCH, 2, 0);
    rename(scratch("0001.h5"), in(&run, "0001.h5"));
    rename(scratch("0001.state"), in(&run, "0001.state"));
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(mr_file_read(in(&run, "0002.h5"), 0, &bytes, &length, NULL), MRCNN_OK);
    for (size_t i = 0; i < 20; i++) {
        mr_file_write(in(&run, "0002.h5"), bytes, i < 19 ? length * i / 19 : length - 1, NULL);
        check_last("cut", "_0001.h5", 100, "0002.h5: ");
    }
    mr_file_write(in(&run, "0002.h5"), bytes, length, NULL);
    check_last("cut", "_0002.h5", 200, "");
    free(bytes);
    mr_run_folder_free(&run);
}

/* A file of arrays as somebody else might make one. */
static void check_odd(layout how, hid_t type, const char *name, const char *says) {
    const char *path = scratch("odd.state");
    hid_t file = new_file(path);
    put_names(file, "mrcnn_arrays", NAMES_VARIABLE, NAMES(name));
    put_values(file, "a", type, how, 1, DIMS(300));
    H5Lcreate_soft("/a", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    mr_array_list list = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_status status = mr_named_arrays_read(&list, path, &err);
    assert_int_equal(status == MRCNN_OK, says == NULL);
    if (says) assert_contains(err.message, says);
    assert_int_equal(list.count, says ? 0 : 1);
    mr_array_list_free(&list);
    if (says) assert_int_equal(mr_named_arrays_read(&list, path, NULL), status);
}

static void test_odd_arrays(void **state) {
    (void)state;
    check_odd(CONTIGUOUS, H5T_NATIVE_FLOAT, "a", NULL);
    check_odd(CONTIGUOUS, H5T_NATIVE_DOUBLE, "a", NULL);
    check_odd(CONTIGUOUS, H5T_IEEE_F32BE, "a", "a is not as this program");
    check_odd(GZIPPED, H5T_NATIVE_FLOAT, "a", "a is not as this program");
    check_odd(CHUNKED, H5T_NATIVE_FLOAT, "a", "a is not as this program");
    check_odd(COMPACT, H5T_NATIVE_FLOAT, "a", "a is not as this program");
    check_odd(CONTIGUOUS, H5T_NATIVE_FLOAT, "b", "does not hold it");
    check_odd(CONTIGUOUS, H5T_NATIVE_FLOAT, "/", "should be a dataset");
    check_odd(CONTIGUOUS, H5T_NATIVE_FLOAT, "soft", "soft or external link");

    float value = 1;
    mrcnn_error err = MRCNN_ERROR_INIT;
    const mr_named_array wrong[] = {
        {"", MR_FLOAT32, 0, {0}, 4, &value},  {"a\n", MR_FLOAT32, 0, {0}, 4, &value},
        {"a", MR_FLOAT32, 0, {0}, 8, &value}, {"a", MR_FLOAT32, 1, {0}, 0, &value},
        {"a", MR_FLOAT32, 6, {1}, 4, &value}, {"a", MR_FLOAT32, 0, {0}, 4, NULL},
        {"a", MR_TEXT, 1, {4}, 4, &value}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err = (mrcnn_error)MRCNN_ERROR_INIT;
        assert_int_equal(mr_named_arrays_write(&wrong[i], 1, scratch("wrong"), &err),
                         MRCNN_E_ARGUMENT);
        assert_contains(err.message, "wrong");
    }
    assert_int_equal(access(scratch("wrong"), F_OK), -1);
}

/* -------------------------------------------------------------------------- full disks, and kills */

/* Less than any of these files. LLVM's OpenMP needs a file of 1,024 bytes for itself in each process. */
enum { LITTLE = 2000 };

static size_t size_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static void test_full_disk(void **state) {
    (void)state;
    mr_run_folder run = make_run("full/shapes20260102T0304");
    save(&run, MR_CHECKPOINT_EPOCH, 1, 0);
    size_t weights = size_of(in(&run, "0001.h5")), training_state = size_of(in(&run, "0001.state"));
    assert_true(weights > LITTLE && weights < training_state);
    const size_t limits[] = {LITTLE, weights - 1, weights + 1, training_state - 1};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        for (int64_t epoch = 1; epoch <= 2; epoch++) { /* over the old pair, and beside it */
            training t = make_training(epoch, 1);
            mrcnn_error err = MRCNN_ERROR_INIT;
            struct rlimit small = {limits[i], before.rlim_max};
            setrlimit(RLIMIT_FSIZE, &small);
            mrcnn_status status =
                mr_checkpoint_save(&run, MR_CHECKPOINT_EPOCH, t.weights, &t.state, 1, 1, &err);
            setrlimit(RLIMIT_FSIZE, &before);
            free_training(&t);
            assert_int_equal(status, MRCNN_E_IO);
            assert_contains(err.message, limits[i] < weights ? ".h5" : ".state");
            assert_int_equal(count_files(run.path), 2);
            check_last("full", "_0001.h5", 100, "");
        }
    signal(SIGXFSZ, old);
    rmdir(run.path);
    training t = make_training(1, 0);
    mrcnn_error err = MRCNN_ERROR_INIT;
    free(run.path);
    run.path = strdup("/proc");
    assert_int_equal(mr_checkpoint_save(&run, MR_CHECKPOINT_EPOCH, t.weights, &t.state, 1, 1, &err),
                     MRCNN_E_IO);
    assert_contains(err.message, "/proc/mask_rcnn_shapes_0001.h5");
    free_training(&t);
    mr_run_folder_free(&run);
}

/* Saves until it is killed: epochs, or one interrupted run over itself. */
static void save_for_ever(const mr_run_folder *run, mr_checkpoint_kind kind, int64_t from) {
    for (int64_t i = from;; i++) {
        training t =
            make_training(kind == MR_CHECKPOINT_EPOCH ? i : 3, kind == MR_CHECKPOINT_EPOCH ? 0 : i);
        if (mr_checkpoint_save(run, kind, t.weights, &t.state, 3, 1, NULL) != MRCNN_OK) _exit(1);
        free_training(&t);
    }
}

/* After a kill at any moment: a pair with its state, that of a save which was made. */
static void check_after_kill(const char *logs, int64_t *last_step) {
    mr_checkpoint c = {0};
    char *passed_over = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_checkpoint_find_last(&c, &passed_over, scratch(logs), "shapes", &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    if (!c.has_state) fail_msg("%s; %s", c.note, passed_over);
    training t = make_training(c.state.epoch, c.state.step_in_epoch);
    check_same_tensors(t.weights, c.weights);
    check_same_state(&t.state, &c.state);
    assert_true(c.state.step >= *last_step);
    *last_step = c.state.step;
    free_training(&t);
    free(passed_over);
    mr_checkpoint_free(&c);
}

static void test_kill(void **state) {
    (void)state;
    static const mr_checkpoint_kind kinds[] = {MR_CHECKPOINT_EPOCH, MR_CHECKPOINT_INTERRUPTED};
    static const char *const folders[] = {"kill0/shapes20260102T0304", "kill1/shapes20260102T0304"};
    static const char *const logs[] = {"kill0", "kill1"};
    for (int k = 0; k < 2; k++) {
        mr_run_folder run = make_run(folders[k]);
        int64_t step = 0;
        save(&run, kinds[k], kinds[k] == MR_CHECKPOINT_EPOCH ? 1 : 3, 0);
        for (uint64_t i = 0; i < 12; i++) {
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                setpgid(0, 0);
                save_for_ever(&run, kinds[k],
                              kinds[k] == MR_CHECKPOINT_EPOCH ? step / 100 + 1 : step % 100 + 1);
            }
            setpgid(child, child);
            struct timespec moment = {0, (long)(5000000 + mr_prng_value(9, i) % 40000000)};
            nanosleep(&moment, NULL);
            kill(-child, SIGKILL); /* with the process that writes for it */
            int status = 0;
            waitpid(child, &status, 0);
            assert_true(WIFSIGNALED(status));
            check_after_kill(logs[k], &step);
        }
        mr_run_folder_free(&run);
    }
}

/* Killed before the state was renamed; the next save of that name does not get far either. */
static void test_killed_twice(void **state) {
    (void)state;
    mr_run_folder run = make_run("twice/shapes20260102T0304");
    save(&run, MR_CHECKPOINT_INTERRUPTED, 3, 1);
    copy_file(in(&run, "interrupted.state"), scratch("old.state"));
    save(&run, MR_CHECKPOINT_INTERRUPTED, 3, 2);
    rename(in(&run, "interrupted.state"), in(&run, "interrupted.state.new"));
    rename(scratch("old.state"), in(&run, "interrupted.state"));
    check_last("twice", "interrupted.h5", 302, "");
    training t = make_training(3, 3);
    mrcnn_error err = MRCNN_ERROR_INIT;
    struct rlimit before, none = {LITTLE, 0};
    getrlimit(RLIMIT_FSIZE, &before);
    none.rlim_max = before.rlim_max;
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    assert_int_equal(
        mr_checkpoint_save(&run, MR_CHECKPOINT_INTERRUPTED, t.weights, &t.state, 0, 0, &err),
        MRCNN_E_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, old);
    check_last("twice", "interrupted.h5", 302, "");
    /* Killed before anything was renamed: what is new there counts for nothing. */
    mr_file_write(in(&run, "interrupted.h5.new"), "x", 1, NULL);
    mr_file_write(in(&run, "interrupted.state.new"), "x", 1, NULL);
    check_last("twice", "interrupted.h5", 302, "");
    save(&run, MR_CHECKPOINT_INTERRUPTED, 3, 4);
    check_last("twice", "interrupted.h5", 304, "");
    assert_int_equal(count_files(run.path), 2);
    free_training(&t);
    mr_run_folder_free(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_many_tensors),
        cmocka_unit_test(test_fingerprint),   cmocka_unit_test(test_last),
        cmocka_unit_test(test_keep),          cmocka_unit_test(test_mixed_up),
        cmocka_unit_test(test_damaged_state), cmocka_unit_test(test_damaged_weights),
        cmocka_unit_test(test_odd_arrays),    cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_killed_twice),  cmocka_unit_test(test_kill),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
