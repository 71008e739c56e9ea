/* pipeline_pictures.c - see pipeline_pictures.h. Four threads hand pictures on in their order: one reads,
 * one resizes, the main one detects, one writes files and frees the picture. Until they are joined only the
 * last one prints, so that whatever is said of a picture comes in the order of the inputs; but for
 * --explain, which needs the session: then the main thread does the last one's work, too.
 *
 * In memory are at most MOST_AHEAD pictures and two batches, or as few as a batch and those that fill
 * MOST_BYTES, and the one that is being read (room.h). */
#include "pipeline_pictures.h"

#include "explain.h"
#include "progress.h"
#include "queue.h"
#include "room.h"
#include "signals.h"
#include "tally.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_AHEAD = 4, MOST_BYTES = 192 << 20 };

typedef struct picture {
    const input *in;
    mrcnn_image image;
    mrcnn_prepared *prepared; /* NULL: the session resizes it */
    const char *extension;    /* of drawn pictures */
    mrcnn_result *result;
    char *problem; /* why there is no result; NULL: none */
    double began, milliseconds;
} picture;

typedef struct line_of_work {
    const picture_run *run;
    picture_counts *counts; /* the writing thread's, until it is joined */
    size_t written;         /* likewise */
    int batch;
    room room;
    queue read, ready, detected;
    pthread_t reading, resizing, writing;
} line_of_work;

static const char *name_of(const picture *it) {
    return it->in->path ? it->in->path : it->in->name;
}

static int64_t bytes_of(const picture *it) {
    return (int64_t)it->image.width * it->image.height * it->image.channels;
}

static void free_picture(line_of_work *l, picture *it) {
    int64_t bytes = bytes_of(it);
    mrcnn_prepared_free(&it->prepared);
    mrcnn_result_free(&it->result);
    mrcnn_image_free(&it->image);
    free(it->problem);
    free(it);
    room_leave(&l->room, bytes);
}

/* ------------------------------------------------------------------------------------- reading */

static int is_jpeg(const void *bytes, size_t length) {
    return length >= 2 && memcmp(bytes, "\xFF\xD8", 2) == 0;
}

static void read_stdin(picture *it, const mrcnn_image_options *options) {
    const size_t largest = (size_t)1 << 30;
    mrcnn_error err = MRCNN_ERROR_INIT;
    void *bytes = NULL;
    size_t length = 0;
    if (read_stream(stdin, "standard input", largest, &bytes, &length, &it->problem)) return;
    if (mrcnn_image_decode(&it->image, bytes, length, "standard input", options, &err) != MRCNN_OK)
        it->problem = text_copy(err.message);
    it->extension = is_jpeg(bytes, length) ? ".jpg" : ".png";
    free(bytes);
}

static void read_file(picture *it, const mrcnn_image_options *options) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    const char *own = path_extension(it->in->path);
    it->extension = strcasecmp(own, ".jpg") == 0 || strcasecmp(own, ".jpeg") == 0 ? ".jpg" : ".png";
    if (mrcnn_image_read(&it->image, it->in->path, options, &err) != MRCNN_OK)
        it->problem = text_copy(err.message);
}

static void fail_picture(picture *it, const mrcnn_error *err) {
    it->problem = text_format("%s: %s", name_of(it), err->message);
}

static picture *read_picture(const picture_run *run, const input *in) {
    mrcnn_image_options options = mrcnn_config_image_options(mrcnn_model_config(run->model));
    picture *it = text_grow(NULL, 1, sizeof *it);
    memset(it, 0, sizeof *it);
    it->in = in;
    it->began = progress_clock();
    options.max_pixels = run->options->max_pixels;
    if (in->path)
        read_file(it, &options);
    else
        read_stdin(it, &options);
    return it;
}

static void *read_all(void *argument) {
    line_of_work *l = argument;
    for (size_t i = 0; i < l->run->count && room_enter(&l->room); i++) {
        picture *it = read_picture(l->run, &l->run->inputs[i]);
        room_fill(&l->room, bytes_of(it));
        if (!queue_put(&l->read, it)) free_picture(l, it);
    }
    queue_close(&l->read);
    return NULL;
}

/* A single one has nothing to wait for, and the session resizes it with more threads. */
static void resize(const picture_run *run, picture *it) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (it->problem || run->count == 1) return;
    if (mrcnn_prepare(&it->prepared, run->model, &it->image, &err) != MRCNN_OK)
        fail_picture(it, &err);
}

static void *resize_all(void *argument) {
    line_of_work *l = argument;
    for (picture *it; (it = queue_take(&l->read));) {
        resize(l->run, it);
        if (!queue_put(&l->ready, it)) free_picture(l, it);
    }
    queue_close(&l->ready);
    return NULL;
}

/* ----------------------------------------------------------------------------------- detection */

static void detect_alone(const line_of_work *l, picture *it) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    const mrcnn_prepared *prepared = it->prepared;
    double start = progress_clock();
    mrcnn_status status =
        prepared ? mrcnn_detect_prepared(l->run->session, &prepared, 1, &it->result, &err)
                 : mrcnn_detect(l->run->session, &it->image, 1, &it->result, &err);
    it->milliseconds = 1e3 * (progress_clock() - start);
    if (status != MRCNN_OK) fail_picture(it, &err);
}

/* 0 if they can't be detected together. */
static int detect_together(const line_of_work *l, picture *const *items, int count) {
    const mrcnn_prepared *prepared[MOST_BATCH];
    mrcnn_result *results[MOST_BATCH];
    for (int i = 0; i < count; i++) prepared[i] = items[i]->prepared;
    double start = progress_clock();
    if (mrcnn_detect_prepared(l->run->session, prepared, (size_t)count, results, NULL) != MRCNN_OK)
        return 0;
    for (int i = 0; i < count; i++) {
        items[i]->result = results[i];
        items[i]->milliseconds = 1e3 * (progress_clock() - start) / count;
    }
    return 1;
}

/* Those that could be read. When the batch fails, it shows which picture it was. */
static void detect(const line_of_work *l, picture *const *items, int count) {
    picture *good[MOST_BATCH];
    int goods = 0;
    for (int i = 0; i < count; i++)
        if (!items[i]->problem) good[goods++] = items[i];
    if (goods > 1 && detect_together(l, good, goods)) return;
    for (int i = 0; i < goods; i++) detect_alone(l, good[i]);
}

/* ------------------------------------------------------------------------------------- writing */

static int save_all(const picture_run *run, const finding *found) {
    unsigned save = run->options->save;
    int failed = 0;
    if (save & SAVE_JSON) failed |= coco_add(run->coco, found);
    if (save & SAVE_OVERLAY) failed |= save_overlay(found, &run->options->overlay);
    if (save & SAVE_SPLASH) failed |= save_splash(found);
    if (save & SAVE_MASKS) failed |= save_masks(found);
    if (save & SAVE_LABELME) failed |= save_labelme(found);
    return failed;
}

/* "person 4, dog 2" on stdout: the most frequent classes. */
static void print_classes(const mrcnn_result *result) {
    tally classes = {0};
    for (size_t i = 0; i < result->count; i++) tally_add(&classes, result->instances[i].class_name);
    tally_print(&classes);
    tally_free(&classes);
}

static void print_line(const picture *it) {
    char *name = text_printable(name_of(it));
    progress_hide();
    printf("%s: %zu instance%s", name, it->result->count, it->result->count == 1 ? "" : "s");
    print_classes(it->result);
    printf(", %.0f ms\n", it->milliseconds);
    fflush(stdout);
    free(name);
}

/* 0, or -1 after a message. */
static int save_and_tell(const picture_run *run, const picture *it) {
    if (it->problem) {
        message("%s", it->problem);
        return -1;
    }
    finding found = {it->in, &it->image, it->result, run->options->out, it->extension};
    int failed = save_all(run, &found);
    print_line(it);
    if (run->options->explain)
        failed |= explain_picture(run->session, run->model, &found, run->options->save & SAVE_JSON);
    return failed;
}

static void finish(line_of_work *l, picture *it) {
    const picture_run *run = l->run;
    l->counts->failed += save_and_tell(run, it) != 0;
    if (it->result) {
        l->counts->detected++;
        l->counts->seconds_of_all += progress_clock() - it->began;
    }
    free_picture(l, it);
    if (run->total > 1) progress_show(run->before + ++l->written, run->total);
}

static void *write_all(void *argument) {
    line_of_work *l = argument;
    for (picture *it; (it = queue_take(&l->detected));) finish(l, it);
    return NULL;
}

/* ----------------------------------------------------------------------------------------- all */

static int start_threads(line_of_work *l) {
    const input *first = &l->run->inputs[0];
    const char *name = first->path ? first->path : first->name;
    if (worker_start(&l->writing, write_all, l, name)) return -1;
    int failed = worker_start(&l->resizing, resize_all, l, name);
    if (!failed && !worker_start(&l->reading, read_all, l, name)) return 0;
    queue_close(&l->read);
    queue_close(&l->detected);
    if (!failed) pthread_join(l->resizing, NULL);
    pthread_join(l->writing, NULL);
    return -1;
}

/* What is detected is still written; what is only read is dropped. */
static void join_threads(line_of_work *l) {
    queue_close(&l->detected);
    room_close(&l->room);
    queue_close(&l->ready);
    pthread_join(l->reading, NULL);
    pthread_join(l->resizing, NULL);
    for (picture *it; (it = queue_take(&l->ready));) free_picture(l, it);
    pthread_join(l->writing, NULL);
}

static size_t detect_all(line_of_work *l) {
    size_t done = 0;
    while (done < l->run->count && !signals_came()) {
        picture *items[MOST_BATCH];
        int count = 0;
        while (count < l->batch && (items[count] = queue_take(&l->ready))) count++;
        detect(l, items, count);
        for (int i = 0; i < count; i++) {
            mrcnn_prepared_free(&items[i]->prepared);
            if (l->run->options->explain)
                finish(l, items[i]);
            else
                queue_put(&l->detected, items[i]);
        }
        done += (size_t)count;
    }
    return done;
}

size_t pictures_run(const picture_run *run, picture_counts *counts) {
    line_of_work l = {.run = run, .counts = counts, .batch = (int)run->options->batch};
    double start = progress_clock();
    size_t done = run->count;
    room_init(&l.room, l.batch, 2 * l.batch + MOST_AHEAD, MOST_BYTES);
    queue_init(&l.read);
    queue_init(&l.ready);
    queue_init(&l.detected);
    if (run->total > 1) progress_start("pictures", PROGRESS_ITEMS);
    if (run->total > 1) progress_show(run->before, run->total);
    if (start_threads(&l)) {
        counts->failed += run->count;
    } else {
        done = detect_all(&l);
        join_threads(&l);
    }
    counts->seconds += progress_clock() - start;
    queue_destroy(&l.read);
    queue_destroy(&l.ready);
    queue_destroy(&l.detected);
    room_destroy(&l.room);
    return done;
}
