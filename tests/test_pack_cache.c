/* test_pack_cache.c - models whose packed weights another session has left in a cache: the same results without
 * reading the weights, which come when they are wanted after all; never those of a file that has changed. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_oracle.h"

#include "base/bf16.h"
#include "model/pack_folder.h"
#include "model/session.h"
#include "model/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Packs are kept only for files that changed some time ago. */
static void wait_a_moment(void) {
    struct timespec moment = {0, 150000000};
    nanosleep(&moment, NULL);
}

static void save_model(const char *path, uint64_t seed) {
    mrcnn_model *model = NULL;
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (oracle_tiny_model(&model, 4, oracle_talkative, &err) != MRCNN_OK ||
        mrcnn_config_copy(&config, mrcnn_model_config(model), &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    mrcnn_model_free(&model);
    if (mrcnn_model_create(&model, config, seed, &err) != MRCNN_OK ||
        mrcnn_model_save(model, path, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    wait_a_moment();
}

static mrcnn_model *load(const char *path, const char *cache) {
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_load_options options = mrcnn_load_options_default();
    options.cache = cache;
    if (mrcnn_model_load_with(&model, path, NULL, &options, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    return model;
}

/* What a session of the model finds, as text. */
static char *find(mrcnn_model *model, const char *executor, const char *precision) {
    static unsigned char pixels[50 * 60 * 3];
    mrcnn_image image = {50, 60, 3, pixels};
    mrcnn_session *session = NULL;
    mrcnn_result *result = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_session_options options = mrcnn_session_options_default();
    options.executor = executor;
    options.precision = precision;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (unsigned char)(i * i / 7);
    if (mrcnn_session_create(&session, model, &options, &err) != MRCNN_OK ||
        mrcnn_detect(session, &image, 1, &result, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; i < result->count; i++) {
        const mrcnn_instance *it = &result->instances[i];
        fprintf(out, "%d %a %a %a %a %a %zu\n", it->class_id, (double)it->score, (double)it->y1,
                (double)it->x1, (double)it->y2, (double)it->x2, it->mask.count);
    }
    fclose(out);
    assert_true(result->count > 0);
    mrcnn_result_free(&result);
    mrcnn_session_free(&session);
    return text;
}

static int values_in_memory(const mrcnn_model *model) {
    int count = 0;
    for (size_t i = 0; i < mr_tensors_count(model->weights); i++)
        count += mr_tensors_at(model->weights, i)->values != NULL;
    return count;
}

/* What a new model of that file finds. */
static char *find_anew(const char *path, const char *cache, const char *executor,
                       const char *precision) {
    mrcnn_model *model = load(path, cache);
    char *found = find(model, executor, precision);
    mrcnn_model_free(&model);
    return found;
}

static void expect_same(char *a, char *b) {
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static void test_second_time(void **state) {
    (void)state;
    save_model("net.h5", 1);
    char *plain = find_anew("net.h5", NULL, "cpu", "f32");
    assert_false(cli_exists("kept"));
    char *first = find_anew("net.h5", "kept", "cpu", "f32");
    assert_int_equal(cli_count("kept/packs", "-f32.packs"), 1);
    assert_int_equal(cli_count("kept/packs", ".part"), 0);
    mrcnn_model *model = load("net.h5", "kept");
    assert_int_equal(values_in_memory(model), 0);
    char *second = find(model, "cpu", "f32");
    assert_int_equal(values_in_memory(model), 0); /* nothing had to be read */
    char *again = find(model, "cpu", "f32");
    assert_string_equal(plain, first);
    assert_string_equal(plain, second);
    expect_same(plain, again);
    free(first);
    free(second);
    mrcnn_model_free(&model);
}

/* The weights come when somebody wants them: another executor, another precision, a copy. */
static void test_wanted_after_all(void **state) {
    (void)state;
    save_model("net.h5", 2);
    free(find_anew("net.h5", "kept", "cpu", "f32"));
    mrcnn_model *model = load("net.h5", "kept");
    assert_int_equal(values_in_memory(model), 0);
    expect_same(find(model, "reference", "f32"), find_anew("net.h5", NULL, "reference", "f32"));
    expect_same(find(model, "cpu", "f32"), find_anew("net.h5", NULL, "cpu", "f32"));
    if (mr_bf16_is_native()) {
        expect_same(find(model, "cpu", "bf16"), find_anew("net.h5", NULL, "cpu", "bf16"));
        assert_int_equal(cli_count("kept/packs", "-bf16.packs"), 1);
        expect_same(find_anew("net.h5", "kept", "cpu", "bf16"),
                    find_anew("net.h5", NULL, "cpu", "bf16"));
    }
    mrcnn_model_free(&model);
    model = load("net.h5", "kept");
    assert_int_equal(mrcnn_model_save(model, "copy.h5", NULL), MRCNN_OK);
    mrcnn_model_free(&model);
    expect_same(find_anew("copy.h5", NULL, "cpu", "f32"), find_anew("net.h5", NULL, "cpu", "f32"));
    /* Without a cache, too, a session's packing no longer decides what else can be done. */
    model = load("net.h5", NULL);
    free(find(model, "cpu", "f32"));
    expect_same(find(model, "reference", "f32"), find_anew("net.h5", NULL, "reference", "f32"));
    mrcnn_model_free(&model);
}

static void test_changed_file(void **state) {
    (void)state;
    save_model("net.h5", 3);
    free(find_anew("net.h5", "kept", "cpu", "f32"));
    mrcnn_model *old = load("net.h5", "kept");
    char *of_old = find(old, "cpu", "f32");
    save_model("net.h5", 4);
    char *of_new = find_anew("net.h5", "kept", "cpu", "f32");
    assert_string_not_equal(of_old, of_new);
    expect_same(of_new, find_anew("net.h5", NULL, "cpu", "f32"));
    assert_true(cli_count("kept/packs", "-f32.packs") >= 1);
    /* The old model still works with what it has, and doesn't mix in what it hasn't. */
    expect_same(of_old, find(old, "cpu", "f32"));
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_model_save(old, "copy.h5", &err), MRCNN_E_WEIGHTS);
    assert_contains(err.message, "net.h5: changed since the model was loaded");
    mrcnn_model_free(&old);
}

static char *packs_of(const char *path) {
    char *packs = mr_pack_path("kept", path, "f32");
    assert_true(cli_exists(packs));
    return packs;
}

static void test_damaged_cache(void **state) {
    (void)state;
    save_model("net.h5", 5);
    char *right = find_anew("net.h5", "kept", "cpu", "f32"), *packs = packs_of("net.h5");
    for (int i = 0; i < 24; i++) {
        FILE *file = fopen(packs, "r+b");
        fseek(file, 0, SEEK_END);
        long at = ftell(file) / 24 * i + 3;
        fseek(file, at, SEEK_SET);
        int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ 0x10, file);
        fclose(file);
        char *found = find_anew("net.h5", "kept", "cpu", "f32");
        assert_string_equal(found, right);
        free(found);
    }
    cli_write(packs, "nonsense");
    char *found = find_anew("net.h5", "kept", "cpu", "f32");
    assert_string_equal(found, right);
    free(found);
    /* And then it is whole again. */
    mrcnn_model *model = load("net.h5", "kept");
    assert_int_equal(values_in_memory(model), 0);
    mrcnn_model_free(&model);
    free(packs);
    free(right);
}

static void test_nowhere_to_keep(void **state) {
    (void)state;
    save_model("net.h5", 6);
    cli_write("in-the-way", "");
    expect_same(find_anew("net.h5", "in-the-way", "cpu", "f32"),
                find_anew("net.h5", NULL, "cpu", "f32"));
}

static void make_sparse(const char *path, off_t bytes, time_t when) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    struct timespec times[2] = {{when, 0}, {when, 0}};
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, bytes), 0);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

/* The oldest go until 2 GB are left; what isn't ours stays. */
static void test_trimmed(void **state) {
    (void)state;
    assert_int_equal(mkdir("many", 0755), 0);
    make_sparse("many/a.packs", 900000000, 1000);
    make_sparse("many/b.packs", 900000000, 3000);
    make_sparse("many/c.packs", 900000000, 2000);
    make_sparse("many/d.txt", 1900000000, 500);
    make_sparse("many/e.packs", 150000000, 100);
    make_sparse("many/f.packs.part-1-1", 1000, 100);
    make_sparse("many/g.packs.part-1-2", 1000, time(NULL));
    mr_pack_folder_trim("many/e.packs");
    assert_false(cli_exists("many/a.packs"));
    assert_true(cli_exists("many/b.packs") && cli_exists("many/c.packs"));
    assert_true(cli_exists("many/d.txt") && cli_exists("many/e.packs"));
    assert_false(cli_exists("many/f.packs.part-1-1"));
    assert_true(cli_exists("many/g.packs.part-1-2"));
    mr_pack_folder_trim("many/b.packs");
    assert_true(cli_exists("many/c.packs"));
    mr_pack_folder_trim("nowhere/x.packs");
}

static void test_program(void **state) {
    (void)state;
    save_model("net.h5", 7);
    cli_picture("p.png", 60, 50);
#define DETECT "detect", "--weights", "net.h5", "--save", "json", "p.png", "--out"
    assert_int_equal(RUN(DETECT, "none", "--cache", "none")->code, 0);
    assert_int_equal(RUN(DETECT, "one", "--cache", "at-home")->code, 0);
    assert_int_equal(cli_count("at-home/packs", "net-"), 1);
    assert_int_equal(RUN(DETECT, "two", "--cache", "at-home")->code, 0);
    char *none = cli_read("none/detections.json");
    expect_same(cli_read("one/detections.json"), cli_read("two/detections.json"));
    expect_same(none, cli_read("two/detections.json"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_time),     cmocka_unit_test(test_wanted_after_all),
        cmocka_unit_test(test_changed_file),    cmocka_unit_test(test_damaged_cache),
        cmocka_unit_test(test_nowhere_to_keep), cmocka_unit_test(test_trimmed),
        cmocka_unit_test(test_program),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
