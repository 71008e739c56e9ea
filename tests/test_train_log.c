/* test_train_log.c - the logs of a training: lines of JSON that survive being continued, and event
 * files read back frame by frame.
 */
#include "helper_assert.h"
#include "helper_tfevents.h"
#include "helper_weights.h"

#include "base/file.h"
#include "base/crc32c.h"
#include "train/log.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#include "train/tensorboard.pb-c.h"

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

/* RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. */
static void test_crc32c(void **state) {
    (void)state;
    unsigned char bytes[32];
    assert_int_equal(mr_crc32c("", 0), 0);
    assert_int_equal(mr_crc32c("123456789", 9), 0xE3069283);
    memset(bytes, 0, 32);
    assert_int_equal(mr_crc32c(bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, 32);
    assert_int_equal(mr_crc32c(bytes, 32), 0x62A8AB43);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
    assert_int_equal(mr_crc32c(bytes, 32), 0x46DD794E);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)(31 - i);
    assert_int_equal(mr_crc32c(bytes, 32), 0x113FDB5C);
    /* Event files that TensorFlow writes begin with 18 00 00 00 00 00 00 00 a3 7f 4b 22. */
    unsigned char length[8] = {24};
    assert_int_equal(mr_crc32c_masked(length, 8), 0x224B7FA3);
}

/* ------------------------------------------------------------------------------------- the JSON */

static mr_log_losses make_losses(double first) {
    mr_log_losses losses = {.loss = first, .regulariser = first + 0.0625};
    for (int i = 0; i < MR_LOSS_COUNT; i++) losses.parts[i] = first + 0.5 * (i + 1);
    return losses;
}

static mr_log_step make_step(int64_t step) {
    return (mr_log_step){.step = step,
                         .epoch = 1 + (step - 1) / 2,
                         .losses = make_losses(0.1 * (double)step),
                         .learning_rate = 1e-5,
                         .grad_norm = INFINITY,
                         .seconds = 0.25,
                         .images_per_second = 8,
                         .waited_ms = 1.5,
                         .memory = INT64_C(1) << 40};
}

static mr_log_epoch make_epoch(int64_t epoch, int validated) {
    return (mr_log_epoch){.step = epoch * 2,
                          .epoch = epoch,
                          .losses = make_losses((double)epoch),
                          .validated = validated,
                          .validation = make_losses(10 + (double)epoch),
                          .learning_rate = 0.001,
                          .seconds = 60};
}

static char *read_text(const char *path) {
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(mr_file_read(path, 0, &bytes, &length, NULL), MRCNN_OK);
    assert_int_equal(strlen(bytes), length);
    return bytes;
}

static void check_text(const char *path, const char *wanted) {
    char *text = read_text(path);
    assert_string_equal(text, wanted);
    free(text);
}

static mr_jsonl *open_log(const char *path, int64_t step) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_jsonl *log = NULL;
    if (mr_jsonl_open(&log, path, step, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return log;
}

static double number_at(yajl_val line, const char *key) {
    const char *path[] = {key, NULL};
    yajl_val v = yajl_tree_get(line, path, yajl_t_number);
    if (!v) fail_msg("no number %s", key);
    return YAJL_GET_DOUBLE(v);
}

static int has_key(yajl_val line, const char *key) {
    const char *path[] = {key, NULL};
    return yajl_tree_get(line, path, yajl_t_any) != NULL;
}

static void test_jsonl_lines(void **state) {
    (void)state;
    mr_jsonl *log = open_log(scratch("lines.jsonl"), 0);
    mr_log_step step = make_step(3);
    mr_log_epoch epochs[] = {make_epoch(1, 0), make_epoch(2, 1)};
    epochs[1].validation.parts[4] = NAN;
    assert_int_equal(mr_jsonl_step(log, &step, NULL), MRCNN_OK);
    assert_int_equal(mr_jsonl_epoch(log, &epochs[0], NULL), MRCNN_OK);
    assert_int_equal(mr_jsonl_epoch(log, &epochs[1], NULL), MRCNN_OK);
    char *text = read_text(scratch("lines.jsonl")); /* not closed yet */
    mr_jsonl_close(&log);
    yajl_val lines[3];
    char *line = text;
    for (int i = 0; i < 3; i++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = 0;
        lines[i] = yajl_tree_parse(line, NULL, 0);
        if (!lines[i]) fail_msg("no JSON: %s", line);
        line = end + 1;
    }
    assert_int_equal(*line, 0);
    free(text);
    assert_true(number_at(lines[0], "step") == 3 && number_at(lines[0], "epoch") == 2);
    assert_true(number_at(lines[0], "loss") == step.losses.loss);
    assert_true(number_at(lines[0], "lr") == 1e-5);
    assert_true(number_at(lines[0], "regulariser") == step.losses.regulariser);
    assert_true(number_at(lines[0], "seconds") == 0.25);
    assert_true(number_at(lines[0], "images_per_second") == 8);
    assert_true(number_at(lines[0], "waited_ms") == 1.5);
    assert_true(number_at(lines[0], "memory") == 0x1p40);
    assert_true(has_key(lines[0], "grad_norm")); /* null: JSON has no infinity */
    assert_false(has_key(lines[0], "kind"));
    assert_true(has_key(lines[1], "kind"));
    assert_false(has_key(lines[1], "val_loss"));
    assert_true(number_at(lines[2], "val_loss") == 12);
    assert_true(number_at(lines[2], "val_regulariser") == 12.0625);
    for (int i = 0; i < MR_LOSS_COUNT; i++) {
        char key[40];
        snprintf(key, sizeof key, "val_%s", mr_loss_names[i]);
        assert_true(number_at(lines[0], mr_loss_names[i]) == step.losses.parts[i]);
        if (i < 4) assert_true(number_at(lines[2], key) == epochs[1].validation.parts[i]);
    }
    for (int i = 0; i < 3; i++) yajl_tree_free(lines[i]);
}

/* What stays of a log when a training goes on after a step. */
static void test_jsonl_resume(void **state) {
    (void)state;
    static const struct {
        const char *before;
        int64_t step;
        const char *after;
    } cases[] = {
        {"", 5, ""},
        {"{\"step\":1,x}\n{\"step\":2,x}\n{\"step\":3,x}\n", 2, "{\"step\":1,x}\n{\"step\":2,x}\n"},
        {"{\"step\":1,x}\n{\"step\":2,x}\n", 2, "{\"step\":1,x}\n{\"step\":2,x}\n"},
        {"{\"step\":1,x}\n{\"step\":2,x}\n", 99, "{\"step\":1,x}\n{\"step\":2,x}\n"},
        {"{\"step\":1,x}\n{\"step\":2,x}\n", 0, ""},
        {"{\"step\":1,x}\n{\"step\":2,", 2, "{\"step\":1,x}\n"},
        {"{\"step\":1", 2, ""},
        {"{\"step\":2,x}\n{\"step\":2,kind}\n{\"step\":3,x}\n{\"step\":1,x}\n", 2,
         "{\"step\":2,x}\n{\"step\":2,kind}\n"},
        {"{\"step\":1,x}\nremark\n\n{\"step\":2,x}\nremark\n", 2,
         "{\"step\":1,x}\nremark\n\n{\"step\":2,x}\n"},
        {"remark\n", 2, ""},
        {"{\"step\":-1}\n{\"step\":}\n{\"step\"\n{\n", 2, ""},
        {"{\"step\":1}\n{\"step\":99999999999999999999999999999999999999999999}\n", 2,
         "{\"step\":1}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path = scratch("resume.jsonl");
        mr_file_write(path, cases[i].before, strlen(cases[i].before), NULL);
        mr_jsonl *log = open_log(path, cases[i].step);
        check_text(path, cases[i].after);
        mr_log_step step = make_step(4);
        assert_int_equal(mr_jsonl_step(log, &step, NULL), MRCNN_OK);
        mr_jsonl_close(&log);
        char *text = read_text(path);
        assert_memory_equal(text, cases[i].after, strlen(cases[i].after));
        assert_memory_equal(text + strlen(cases[i].after), "{\"step\":4,\"epoch\":2,\"loss\":0.4,",
                            31);
        free(text);
    }
    /* Zeros, as a crash of the machine may leave them. */
    mr_file_write(scratch("zeros"), "{\"step\":1,x}\n\0\0\0\n\0\0", 19, NULL);
    mr_jsonl *log = open_log(scratch("zeros"), 5);
    check_text(scratch("zeros"), "{\"step\":1,x}\n");
    mr_jsonl_close(&log);
}

static void test_jsonl_refused(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_jsonl *log = NULL;
    assert_int_equal(mr_jsonl_open(&log, scratch("no/log.jsonl"), 0, &err), MRCNN_E_IO);
    assert_contains(err.message, "no/log.jsonl");
    assert_int_equal(mkfifo(scratch("fifo"), 0600), 0);
    assert_int_equal(mr_jsonl_open(&log, scratch("fifo"), 0, &err), MRCNN_E_IO);
    assert_contains(err.message, "no plain file");
    mkdir(scratch("folder"), 0777);
    assert_int_equal(mr_jsonl_open(&log, scratch("folder"), 0, &err), MRCNN_E_IO);
    assert_null(log);
}

/* ---------------------------------------------------------------------------------- TensorBoard */

static uint64_t little_endian(const unsigned char *bytes, int count) {
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

/* The event at *at, which moves on; NULL at the end. Lengths and checksums must be right. */
static Mrcnn__TensorboardEvent *next_event(const unsigned char *bytes, size_t size, size_t *at) {
    if (*at == size) return NULL;
    assert_true(size - *at > 16);
    const unsigned char *frame = bytes + *at;
    uint64_t length = little_endian(frame, 8);
    assert_true(length <= size - *at - 16);
    assert_int_equal(little_endian(frame + 8, 4), mr_crc32c_masked(frame, 8));
    assert_int_equal(little_endian(frame + 12 + length, 4),
                     mr_crc32c_masked(frame + 12, (size_t)length));
    *at += (size_t)length + 16;
    Mrcnn__TensorboardEvent *event =
        mrcnn__tensorboard_event__unpack(NULL, (size_t)length, frame + 12);
    assert_non_null(event);
    return event;
}

static const char *const tags[] = {"loss",
                                   "rpn_class_loss",
                                   "rpn_bbox_loss",
                                   "mrcnn_class_loss",
                                   "mrcnn_bbox_loss",
                                   "mrcnn_mask_loss",
                                   "val_loss",
                                   "val_rpn_class_loss",
                                   "val_rpn_bbox_loss",
                                   "val_mrcnn_class_loss",
                                   "val_mrcnn_bbox_loss",
                                   "val_mrcnn_mask_loss"};

static void check_epoch(const Mrcnn__TensorboardEvent *event, int64_t step, int validated) {
    size_t losses = validated ? 12 : 6;
    assert_int_equal(event->step, step);
    assert_int_equal(event->what_case, MRCNN__TENSORBOARD_EVENT__WHAT_SUMMARY);
    assert_int_equal(event->summary->n_value, losses + 1);
    for (size_t i = 0; i < losses; i++) {
        double wanted = (double)step + 1 + (i < 6 ? 0 : 10) + 0.5 * (double)(i % 6);
        assert_string_equal(event->summary->value[i]->tag, tags[i]);
        assert_true(event->summary->value[i]->simple_value == (float)wanted);
    }
    assert_string_equal(event->summary->value[losses]->tag, "lr");
    assert_true(event->summary->value[losses]->simple_value == 0.001f);
}

static void test_tensorboard(void **state) {
    (void)state;
    char host[200] = "", name[300];
    gethostname(host, sizeof host - 1);
    mkdir(scratch("board"), 0777);
    /* Two runs in one second, the second one continued after epoch 1. */
    for (int i = 0; i < 2; i++) {
        mr_tensorboard *log = NULL;
        mrcnn_error err = MRCNN_ERROR_INIT;
        if (mr_tensorboard_open(&log, scratch("board"), 1700000000, i, &err) != MRCNN_OK)
            fail_msg("%s", err.message);
        mr_log_epoch epochs[] = {make_epoch(i + 1, 1), make_epoch(i + 2, 0)};
        assert_int_equal(mr_tensorboard_epoch(log, &epochs[0], 1700000001.5, &err), MRCNN_OK);
        assert_int_equal(mr_tensorboard_epoch(log, &epochs[1], 1700000002.5, &err), MRCNN_OK);
        snprintf(name, sizeof name, "board/events.out.tfevents.170000000%d.%s", i, host);
        unsigned char *bytes = NULL;
        size_t size = 0, at = 0;
        assert_int_equal(mr_file_read(scratch(name), 0, (void **)&bytes, &size, &err), MRCNN_OK);
        mr_tensorboard_close(&log);

        Mrcnn__TensorboardEvent *event = next_event(bytes, size, &at);
        assert_string_equal(event->file_version, "brain.Event:2");
        assert_true(event->wall_time == 1700000000);
        mrcnn__tensorboard_event__free_unpacked(event, NULL);
        if (i == 1) {
            event = next_event(bytes, size, &at);
            assert_int_equal(event->session_log->status, MRCNN__TENSORBOARD_SESSION__STATUS__START);
            assert_int_equal(event->step, 1);
            mrcnn__tensorboard_event__free_unpacked(event, NULL);
        }
        for (int k = 0; k < 2; k++) {
            event = next_event(bytes, size, &at);
            assert_non_null(event);
            assert_true(event->wall_time == 1700000001.5 + k);
            check_epoch(event, i + k, k == 0);
            mrcnn__tensorboard_event__free_unpacked(event, NULL);
        }
        assert_null(next_event(bytes, size, &at));
        free(bytes);
    }
}

/* ----------------------------------------------------------------------------------- evaluation */

static mr_log_epoch make_evaluated(void) {
    static uint8_t pictures[2][300];
    mr_log_epoch epoch = make_epoch(3, 1);
    for (int i = 0; i < 300; i++) pictures[0][i] = (uint8_t)i, pictures[1][i] = (uint8_t)(255 - i);
    epoch.evaluated = 1;
    epoch.evaluation = (mr_log_evaluation){.bbox = {.ap = 0.1, .ap50 = 0.2, .ap75 = 0},
                                           .segm = {.ap = 1.0 / 3, .ap50 = 0.5, .ap75 = -1},
                                           .picture_map50 = 0.75,
                                           .picture_map = 0.7,
                                           .pictures = 5,
                                           .seconds = 1.5};
    epoch.image_count = 2;
    epoch.images[0] = (mr_log_image){0, 20, 30, pictures[0], 300};
    epoch.images[1] = (mr_log_image){7, 300, 200, pictures[1], 200};
    return epoch;
}

static const struct {
    const char *name;
    double value; /* -1: about no object */
} figures[] = {{"bbox_ap", 0.1},     {"bbox_ap50", 0.2},     {"bbox_ap75", 0},
               {"segm_ap", 1.0 / 3}, {"segm_ap50", 0.5},     {"segm_ap75", -1},
               {"picture_map", 0.7}, {"picture_map50", 0.75}};

static void test_jsonl_evaluation(void **state) {
    (void)state;
    mr_jsonl *log = open_log(scratch("evaluation.jsonl"), 0);
    mr_log_epoch epoch = make_evaluated();
    assert_int_equal(mr_jsonl_epoch(log, &epoch, NULL), MRCNN_OK);
    mr_jsonl_close(&log);
    char *text = read_text(scratch("evaluation.jsonl"));
    yajl_val line = yajl_tree_parse(text, NULL, 0);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        if (figures[i].value < 0)
            assert_true(has_key(line, figures[i].name));
        else
            assert_true(number_at(line, figures[i].name) == figures[i].value);
    }
    assert_contains(text, ",\"segm_ap75\":null,");
    assert_true(number_at(line, "eval_pictures") == 5);
    assert_true(number_at(line, "eval_seconds") == 1.5);
    assert_true(number_at(line, "val_loss") == 13 && number_at(line, "seconds") == 60);
    yajl_tree_free(line);
    free(text);
}

static void check_image(const tf_event *event, const char *tag, const mr_log_image *wanted) {
    const tf_value *v = tf_find(event, tag);
    if (!v || !v->is_image) fail_msg("no image %s", tag);
    assert_int_equal(v->height, wanted->height);
    assert_int_equal(v->width, wanted->width);
    assert_int_equal(v->channels, 3);
    assert_int_equal(v->length, wanted->length);
    assert_memory_equal(v->bytes, wanted->png, wanted->length);
}

static void test_tensorboard_evaluation(void **state) {
    (void)state;
    mr_tensorboard *log = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_log_epoch epoch = make_evaluated();
    tf_file file;
    tf_event event;
    mkdir(scratch("pictures"), 0777);
    if (mr_tensorboard_open(&log, scratch("pictures"), 1700000000, 2, &err) != MRCNN_OK ||
        mr_tensorboard_epoch(log, &epoch, 1700000001.5, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    mr_tensorboard_close(&log);
    tf_open(&file, tf_only_file(scratch("pictures")));
    assert_true(tf_next(&file, &event));
    assert_string_equal(event.version, "brain.Event:2");
    assert_true(tf_next(&file, &event));
    assert_true(event.session_start && event.step == 2);
    assert_true(tf_next(&file, &event));
    assert_true(event.step == 2 && event.wall_time == 1700000001.5);
    assert_int_equal(event.count, 13 + 7 + 2);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        const tf_value *v = tf_find(&event, figures[i].name);
        assert_int_equal(v == NULL, figures[i].value < 0);
        if (v) assert_true(!v->is_image && v->scalar == (float)figures[i].value);
    }
    for (size_t i = 0; i < 12; i++) {
        const tf_value *v = tf_find(&event, tags[i]);
        assert_non_null(v);
        assert_true(v->scalar == (float)(3 + (i < 6 ? 0 : 10) + 0.5 * (double)(i % 6)));
    }
    check_image(&event, "validation/0", &epoch.images[0]);
    check_image(&event, "validation/7", &epoch.images[1]);
    assert_false(tf_next(&file, &event));
    tf_close(&file);
}

/* ----------------------------------------------------------------------------------------- both */

static int count_files(const char *folder) {
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) count += e->d_name[0] != '.';
    if (dir) closedir(dir);
    return count;
}

static void test_both(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_log log = {NULL, NULL};
    assert_int_equal(mr_log_open(&log, scratch("nowhere"), 0, 0, &err), MRCNN_E_IO);
    assert_contains(err.message, "nowhere");
    assert_null(log.jsonl);
    mkdir(scratch("both"), 0777);
    assert_int_equal(mr_log_open(&log, scratch("both"), 0, 0, &err), MRCNN_OK);
    mr_log_step step = make_step(1);
    mr_log_epoch epoch = make_epoch(1, 1);
    assert_int_equal(mr_log_add_step(&log, &step, &err), MRCNN_OK);
    assert_int_equal(mr_log_add_epoch(&log, &epoch, &err), MRCNN_OK);
    mr_log_close(&log);
    mr_log_close(&log);
    assert_int_equal(count_files(scratch("both")), 2);
}

/* A line or a frame that does not fit is not there at all, and the next one is whole. */
static void test_full_disk(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_log log = {NULL, NULL};
    mkdir(scratch("full"), 0777);
    assert_int_equal(mr_log_open(&log, scratch("full"), 0, 0, &err), MRCNN_OK);
    mr_log_step step = make_step(1);
    mr_log_epoch epoch = make_epoch(1, 1);
    assert_int_equal(mr_log_add_step(&log, &step, &err), MRCNN_OK);
    char *before = read_text(scratch("full/log.jsonl"));
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){strlen(before) + 10, old.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    mrcnn_status line = mr_log_add_step(&log, &step, &err);
    small.rlim_cur = 60;
    setrlimit(RLIMIT_FSIZE, &small);
    mrcnn_error frame_err = MRCNN_ERROR_INIT;
    mrcnn_status frame = mr_tensorboard_epoch(log.tensorboard, &epoch, 1, &frame_err);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    assert_int_equal(line, MRCNN_E_IO);
    assert_contains(err.message, "log.jsonl");
    check_text(scratch("full/log.jsonl"), before);
    assert_int_equal(frame, MRCNN_E_IO);
    assert_contains(frame_err.message, "tfevents");
    assert_int_equal(mr_log_add_epoch(&log, &epoch, &err), MRCNN_OK);
    free(before);

    DIR *dir = opendir(scratch("full"));
    char name[300] = "";
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strncmp(e->d_name, "events", 6) == 0) snprintf(name, sizeof name, "full/%s", e->d_name);
    closedir(dir);
    unsigned char *bytes = NULL;
    size_t size = 0, at = 0;
    int events = 0;
    assert_int_equal(mr_file_read(scratch(name), 0, (void **)&bytes, &size, NULL), MRCNN_OK);
    for (Mrcnn__TensorboardEvent *e; (e = next_event(bytes, size, &at)) != NULL; events++)
        mrcnn__tensorboard_event__free_unpacked(e, NULL);
    assert_int_equal(events, 2);
    free(bytes);
    mr_log_close(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c),
        cmocka_unit_test(test_jsonl_lines),
        cmocka_unit_test(test_jsonl_resume),
        cmocka_unit_test(test_jsonl_refused),
        cmocka_unit_test(test_tensorboard),
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_jsonl_evaluation),
        cmocka_unit_test(test_tensorboard_evaluation),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
