/* helper_train.c - see helper_train.h. */
#include "helper_train.h"

#include "helper_assert.h"
#include "helper_cli.h"

#include "config/layer_pattern.h"
#include "model/model.h"
#include "train/fingerprint.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const tiny[] = {"NAME",
                                   "tiny",
                                   "BACKBONE",
                                   "resnet18",
                                   "BACKBONE_STEM_WIDTH",
                                   "8",
                                   "BACKBONE_WIDTHS",
                                   "[8, 8, 8, 8]",
                                   "TOP_DOWN_PYRAMID_SIZE",
                                   "8",
                                   "RPN_WIDTH",
                                   "8",
                                   "MASK_WIDTH",
                                   "8",
                                   "FPN_CLASSIF_FC_LAYERS_SIZE",
                                   "16",
                                   "IMAGE_MIN_DIM",
                                   "64",
                                   "IMAGE_MAX_DIM",
                                   "64",
                                   "RPN_ANCHOR_SCALES",
                                   "[8, 16, 32, 64, 128]",
                                   "POST_NMS_ROIS_TRAINING",
                                   "800",
                                   "RPN_BBOX_STD_DEV", /* proposals near anchors: more positives */
                                   "[0.02, 0.02, 0.02, 0.02]",
                                   "TRAIN_ROIS_PER_IMAGE",
                                   "16",
                                   "IMAGES_PER_GPU",
                                   "1",
                                   "STEPS_PER_EPOCH",
                                   "3",
                                   "VALIDATION_STEPS",
                                   "2",
                                   NULL};

static train_made made;
static const train_case *running;

/* -------------------------------------------------------------------------------------- files */

const char *train_folder(const char *logs) {
    static char names[2][600];
    static int turn;
    char *name = names[turn ^= 1];
    DIR *dir = opendir(logs);
    int found = 0;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.' && ++found)
            snprintf(name, sizeof names[0], "%s/%s", logs, e->d_name);
    if (dir) closedir(dir);
    if (found != 1) fail_msg("%s holds %d runs", logs, found);
    return name;
}

const char *train_file(const char *logs, const char *name) {
    static char paths[2][800];
    static int turn;
    snprintf(paths[turn ^= 1], sizeof paths[0], "%s/%s", train_folder(logs), name);
    return paths[turn];
}

static void copy_file(const char *from, const char *to) {
    char block[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out);
    for (size_t got; (got = fread(block, 1, sizeof block, in)) > 0;)
        assert_int_equal(fwrite(block, 1, got, out), got);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void copy_run(const char *kind, int number) {
    char logs[300], folder[600];
    const char *from = train_folder(running->logs);
    snprintf(logs, sizeof logs, "%s-%s%d", running->logs, kind, number);
    snprintf(folder, sizeof folder, "%s/%s", logs, strrchr(from, '/') + 1);
    mkdir(logs, 0777);
    assert_int_equal(mkdir(folder, 0777), 0);
    DIR *dir = opendir(from);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        char a[900], b[900];
        if (e->d_name[0] == '.') continue;
        snprintf(a, sizeof a, "%s/%s", from, e->d_name);
        snprintf(b, sizeof b, "%s/%s", folder, e->d_name);
        copy_file(a, b);
    }
    closedir(dir);
}

static void same_files(const char *logs_a, const char *logs_b, const char *name) {
    const char *paths[2];
    char *bytes[2];
    long sizes[2];
    paths[0] = train_file(logs_a, name);
    paths[1] = train_file(logs_b, name);
    for (int i = 0; i < 2; i++) {
        struct stat info;
        bytes[i] = cli_read(paths[i]);
        if (!bytes[i] || stat(paths[i], &info) != 0) fail_msg("%s is missing", paths[i]);
        sizes[i] = (long)info.st_size;
    }
    if (sizes[0] != sizes[1] || memcmp(bytes[0], bytes[1], (size_t)sizes[0]) != 0)
        fail_msg("%s and %s differ", paths[0], paths[1]);
    free(bytes[0]);
    free(bytes[1]);
}

void train_same_epoch(const char *logs_a, const char *logs_b, int epoch) {
    char name[64];
    snprintf(name, sizeof name, "mask_rcnn_tiny_%04d.h5", epoch);
    same_files(logs_a, logs_b, name);
    snprintf(name, sizeof name, "mask_rcnn_tiny_%04d.state", epoch);
    same_files(logs_a, logs_b, name);
    train_same_logs(logs_a, logs_b);
}

/* Cuts times, which are the last of each line, off. */
static void cut_times(char *text) {
    char *to = text;
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n'), *seconds = strstr(line, ",\"seconds\"");
        assert_true(end && seconds && seconds < end);
        memmove(to, line, (size_t)(seconds - line));
        to += seconds - line;
        *to++ = '\n';
        line = end + 1;
    }
    *to = 0;
}

void train_same_logs(const char *logs_a, const char *logs_b) {
    char *a = cli_read(train_file(logs_a, "log.jsonl"));
    char *b = cli_read(train_file(logs_b, "log.jsonl"));
    assert_true(a && b);
    cut_times(a);
    cut_times(b);
    assert_string_equal(a, b);
    free(a);
    free(b);
}

void train_via(const char *folder, int count, const int sizes[][2], int outside) {
    char path[600], text[8000] = "{";
    snprintf(path, sizeof path, "%s", folder);
    mkdir(path, 0777);
    for (int i = 0; i < count; i++) {
        int x = outside ? 10 * sizes[i][0] : 4, y = 4;
        int right = x + sizes[i][0] / 2, low = y + sizes[i][1] / 2;
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used,
                 "%s\"%d\":{\"filename\":\"%d.png\",\"regions\":[{\"shape_attributes\":{\"name\":"
                 "\"polygon\",\"all_points_x\":[%d,%d,%d,%d],\"all_points_y\":[%d,%d,%d,%d]},"
                 "\"region_attributes\":{}}]}",
                 i ? "," : "", i, i, x, right, right, x, y, y, low, low);
        snprintf(path, sizeof path, "%s/%d.png", folder, i);
        cli_picture(path, sizes[i][0], sizes[i][1]);
    }
    strcat(text, "}");
    snprintf(path, sizeof path, "%s/via.json", folder);
    cli_write(path, text);
}

/* ---------------------------------------------------------------------------------- callbacks */

static void poison(const char *tensor) {
    char layer[96];
    const char *param = strchr(tensor, '/') + 1;
    snprintf(layer, sizeof layer, "%.*s", (int)(param - tensor - 1), tensor);
    mr_tensor *t = mr_tensors_find(made.model->weights, layer, param);
    assert_non_null(t);
    if (running->poison_first) t->values[0] = INFINITY;
    for (size_t i = 0; i < t->count && !running->poison_first; i++) t->values[i] = 3e38f;
}

static void set_layer(mr_tensors *weights, const char *layer, float square) {
    mr_tensor *kernel = mr_tensors_find(weights, layer, "kernel");
    memset(kernel->values, 0, kernel->count * sizeof *kernel->values);
    mr_tensors_find(weights, layer, "bias")->values[1] = square;
}

void train_see_squares(mrcnn_model *model) {
    set_layer(model->weights, "mrcnn_class_logits", 2);
    set_layer(model->weights, "mrcnn_mask", 2);
    set_layer(model->weights, "mrcnn_bbox_fc", 0);
    set_layer(model->weights, "rpn_bbox_pred", 0);
}

static void on_start(void *user, const mrcnn_train_start *start) {
    (void)user;
    if (made.starts == 0 && running->poison) poison(running->poison);
    if (made.starts == 0 && running->sees_squares && !running->resume)
        train_see_squares(made.model);
    made.starts++;
    made.start = *start;
    made.start.folder = made.start.layers = NULL;
    made.resumed = start->resumed;
}

static void on_step(void *user, const mrcnn_train_step *step) {
    (void)user;
    if (made.steps < 512) made.step_losses[made.steps] = step->losses.total;
    made.steps++;
    made.mask_steps += step->losses.mrcnn_mask > 0 && step->losses.mrcnn_bbox > 0;
    made.gradient_norm = step->gradient_norm;
    if (running->copy_at_step && step->total_step == running->copy_at_step)
        copy_run("", running->copy_at_step);
}

static void on_epoch(void *user, const mrcnn_train_epoch *epoch) {
    (void)user;
    assert_true(epoch->epoch < TRAIN_EPOCHS);
    made.losses[epoch->epoch] = epoch->losses.total;
    made.validation[epoch->epoch] = epoch->validation.total;
    made.best[epoch->epoch] = epoch->is_best;
    made.told[epoch->epoch] = *epoch;
    made.told[epoch->epoch].checkpoint = NULL;
    made.epochs++;
    assert_true(cli_exists(epoch->checkpoint));
    if (running->copy_epochs) copy_run("epoch", epoch->epoch);
}

static void on_evaluate(void *user, size_t done, size_t total) {
    (void)user;
    assert_true(done < total);
    made.pictures++;
}

static void on_message(void *user, const char *message) {
    (void)user;
    size_t used = strlen(made.messages);
    snprintf(made.messages + used, sizeof made.messages - used, "%s\n", message);
}

static int should_stop(void *user) {
    (void)user;
    return (running->stop_at_step && made.steps >= running->stop_at_step) ||
           (running->stop_at_picture && made.pictures >= running->stop_at_picture) ||
           (running->stop_after_epoch && made.epochs >= running->stop_after_epoch);
}

/* ---------------------------------------------------------------------------------------- run */

static mrcnn_dataset *open_set(const char *folder, size_t pictures, const char *subset) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    o.format = folder ? "via" : "shapes";
    o.subset = folder ? NULL : subset;
    o.shapes_count = pictures ? pictures : 6;
    o.shapes_height = o.shapes_width = 80;
    if (mrcnn_dataset_open(&set, folder ? folder : "shapes", &o, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    return set;
}

static void set_keys(mrcnn_config *config, const char *const *keys) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    for (; keys && *keys; keys += 2)
        if (mrcnn_config_set(config, keys[0], keys[1], &err) != MRCNN_OK)
            fail_msg("%s", err.message);
}

static mrcnn_model *make_model(const mrcnn_config *config, const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_model *model = NULL;
    mrcnn_status status = path ? mrcnn_model_load(&model, path, config, &err)
                               : mrcnn_model_create(&model, config, 1, &err);
    if (status != MRCNN_OK) fail_msg("%s", err.message);
    return model;
}

const train_made *train_run(const train_case *c) {
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    char *last = NULL;
    mrcnn_model_free(&made.model);
    memset(&made, 0, sizeof made);
    running = c;
    const char *folder = c->validation_dataset ? c->validation_dataset : c->dataset;
    mrcnn_dataset *set = open_set(c->dataset, c->pictures, "train");
    mrcnn_dataset *validation = c->validation ? open_set(folder, c->validation, "val") : NULL;
    char classes[16];
    snprintf(classes, sizeof classes, "%d", mrcnn_dataset_class_count(set));
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    set_keys(config, tiny);
    set_keys(config, TRAIN_KEYS("NUM_CLASSES", classes));
    set_keys(config, c->keys);
    const char *resume = c->resume;
    if (resume && strcmp(resume, "last") == 0) {
        if (mrcnn_train_find_last(&last, NULL, c->logs, "tiny", &err) != MRCNN_OK)
            fail_msg("%s", err.message);
        resume = last;
    }
    made.model = make_model(config, resume);
    mrcnn_train_options o = mrcnn_train_options_default();
    o.logs = c->logs;
    o.layers = c->layers;
    o.epochs = c->epochs;
    o.resume = resume;
    o.threads = c->threads ? c->threads : 1;
    o.recompute = c->recompute;
    o.on_start = on_start;
    o.on_step = on_step;
    o.on_epoch = on_epoch;
    o.on_evaluate = on_evaluate;
    o.on_message = on_message;
    o.should_stop = should_stop;
    made.status = mrcnn_train(made.model, set, validation, &o, &made.result, &made.err);
    mrcnn_string_free(&last);
    mrcnn_config_free(&config);
    mrcnn_dataset_free(&validation);
    mrcnn_dataset_free(&set);
    return &made;
}

const train_made *train_well(const train_case *c) {
    train_run(c);
    if (made.status != MRCNN_OK) fail_msg("%s: %s", c->logs, made.err.message);
    return &made;
}

unsigned long long train_weights(void) {
    return mr_tensors_fingerprint(made.model->weights);
}

unsigned long long train_weights_of(const char *layers, int matching, int statistics) {
    regex_t pattern;
    uint64_t print = 0;
    assert_int_equal(mr_layer_pattern_compile(&pattern, layers, NULL), MRCNN_OK);
    for (size_t i = 0; i < mr_tensors_count(made.model->weights); i++) {
        const mr_tensor *t = mr_tensors_at(made.model->weights, i);
        if (mr_layer_pattern_matches(&pattern, t->layer) == matching &&
            (strncmp(t->param, "moving_", 7) == 0) == statistics)
            print = mr_fingerprint(print, t->values, t->count * sizeof *t->values);
    }
    regfree(&pattern);
    return print;
}
