/* pipeline.c - see pipeline.h. One picture at a time is in memory, or the few frames of a video that are
 * under way. Ctrl-C ends the work after the picture under way, so that what was found so far is kept. */
#include "pipeline.h"

#include "explain.h"
#include "progress.h"
#include "signals.h"
#include "tally.h"
#include "video.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct pipeline {
    const pipeline_options *options;
    mrcnn_model *model;
    mrcnn_session *session;
    input_list inputs;
    coco_file coco;
    int failed; /* how many inputs gave no result */
} pipeline;

pipeline_options pipeline_default(void) {
    pipeline_options options = {0};
    options.save = SAVE_OVERLAY | SAVE_JSON;
    options.max_pixels = mrcnn_image_options_default().max_pixels;
    options.video = video_options_default();
    return options;
}

/* --------------------------------------------------------------------------------- one picture */

static int is_jpeg(const void *bytes, size_t length) {
    return length >= 2 && memcmp(bytes, "\xFF\xD8", 2) == 0;
}

static int read_stdin(const mrcnn_image_options *options, mrcnn_image *image,
                      const char **extension) {
    const size_t largest = (size_t)1 << 30;
    mrcnn_error err = MRCNN_ERROR_INIT;
    void *bytes = NULL;
    size_t length = 0;
    if (read_stream(stdin, "standard input", largest, &bytes, &length)) return -1;
    mrcnn_status status = mrcnn_image_decode(image, bytes, length, "standard input", options, &err);
    *extension = is_jpeg(bytes, length) ? ".jpg" : ".png";
    free(bytes);
    if (status == MRCNN_OK) return 0;
    fail_with(&err);
    return -1;
}

static int read_picture(const pipeline *p, const input *in, mrcnn_image *image,
                        const char **extension) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image_options options = mrcnn_config_image_options(mrcnn_model_config(p->model));
    options.max_pixels = p->options->max_pixels;
    if (!in->path) return read_stdin(&options, image, extension);
    const char *own = path_extension(in->path);
    *extension = strcasecmp(own, ".jpg") == 0 || strcasecmp(own, ".jpeg") == 0 ? ".jpg" : ".png";
    if (mrcnn_image_read(image, in->path, &options, &err) == MRCNN_OK) return 0;
    fail_with(&err);
    return -1;
}

static int save_all(pipeline *p, const finding *found) {
    unsigned save = p->options->save;
    int failed = 0;
    if (save & SAVE_JSON) failed |= coco_add(&p->coco, found);
    if (save & SAVE_OVERLAY) failed |= save_overlay(found, &p->options->overlay);
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

static void print_line(const input *in, const mrcnn_result *result, double milliseconds) {
    char *name = text_printable(in->path ? in->path : in->name);
    progress_hide();
    printf("%s: %zu instance%s", name, result->count, result->count == 1 ? "" : "s");
    print_classes(result);
    printf(", %.0f ms\n", milliseconds);
    fflush(stdout);
    free(name);
}

/* 0, or -1 after a message. */
static int process_picture(pipeline *p, const input *in) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    mrcnn_result *result = NULL;
    const char *extension = ".png";
    int failed = read_picture(p, in, &image, &extension);
    if (failed) return failed;
    double start = progress_clock();
    if (mrcnn_detect(p->session, &image, 1, &result, &err) != MRCNN_OK) {
        message("%s: %s", in->path ? in->path : in->name, err.message);
        failed = -1;
    } else {
        double milliseconds = 1e3 * (progress_clock() - start);
        finding found = {in, &image, result, p->options->out, extension};
        failed = save_all(p, &found);
        print_line(in, result, milliseconds);
        if (p->options->explain)
            failed |= explain_picture(p->session, p->model, &found, p->options->save & SAVE_JSON);
    }
    mrcnn_result_free(&result);
    mrcnn_image_free(&image);
    return failed;
}

/* ---------------------------------------------------------------------------------- all inputs */

/* A video has a bar of its own. */
static int process(pipeline *p, size_t index) {
    const input *in = &p->inputs.items[index];
    size_t count = p->inputs.count;
    if (in->is_video) return video_run(p->options, p->model, p->session, in);
    if (count > 1 && (index == 0 || in[-1].is_video)) progress_start("pictures", PROGRESS_ITEMS);
    if (count > 1) progress_show(index, count);
    return process_picture(p, in);
}

static void process_all(pipeline *p) {
    size_t count = p->inputs.count;
    const char *what = p->inputs.videos ? "inputs" : "pictures";
    for (size_t i = 0; i < count && !signals_came(); i++) {
        if (process(p, i)) p->failed++;
        if (signals_came() && i + 1 < count)
            message("interrupted after %zu of %zu %s; what was found is kept", i + 1, count, what);
    }
    progress_end();
}

/* Opens detections.json first: a folder that can't be written is known before the work is done. Videos
 * have files of their own. */
static int process_and_save(pipeline *p) {
    int pictures = p->inputs.count > p->inputs.videos;
    int json_wanted = pictures && (p->options->save & SAVE_JSON) != 0;
    if (json_wanted && coco_open(&p->coco, p->options->out, p->options->coco_ids))
        return EXIT_FAILED;
    if ((p->options->save & SAVE_OVERLAY) && !overlay_has_lines())
        message("this build is without cairo: overlays show masks, but no outlines and captions");
    signals_catch();
    process_all(p);
    if (json_wanted && coco_close(&p->coco)) p->failed++;
    p->failed += p->inputs.failed;
    return signals_came() ? EXIT_INTERRUPTED : p->failed ? EXIT_FAILED : EXIT_DONE;
}

static int check_coco_ids(const pipeline *p) {
    if (!p->options->coco_ids || has_coco_classes(p->model)) return EXIT_DONE;
    message("--category-ids coco: the model's classes are not COCO's 80");
    return EXIT_FAILED;
}

static int check_videos(const command *self, const pipeline *p) {
    const input *video = p->inputs.items;
    int no_masks = !(p->options->save & (SAVE_MASKS | SAVE_LABELME));
    if (!p->inputs.videos || (no_masks && !p->options->explain)) return EXIT_DONE;
    while (!video->is_video) video++;
    if (p->options->explain)
        return message_usage(self->path,
                             "%s is a video: --explain is for pictures; take a frame of it "
                             "(ffmpeg -i VIDEO -ss 3 -frames:v 1 frame.png)",
                             video->path);
    return message_usage(self->path,
                         "%s is a video: --save masks and labelme are for pictures; a video has "
                         "overlay, splash and json",
                         video->path);
}

static int run_configured(const command *self, const pipeline_options *options,
                          const mrcnn_config *config, const arguments *given) {
    pipeline p = {0};
    p.options = options;
    const char *reserved =
        (options->save & SAVE_JSON) && (options->save & SAVE_LABELME) ? "detections" : NULL;
    inputs_expand(&p.inputs, given, options->recursive, reserved);
    int code = p.inputs.count ? EXIT_DONE : EXIT_FAILED;
    if (code == EXIT_DONE) code = check_videos(self, &p);
    if (code == EXIT_DONE && make_folders(options->out)) code = EXIT_FAILED;
    if (code == EXIT_DONE)
        code = open_model(self, &options->model, &options->session, config, &p.model);
    if (code == EXIT_DONE) code = check_coco_ids(&p);
    if (code == EXIT_DONE) code = open_session(&options->session, p.model, &p.session);
    if (code == EXIT_DONE) code = process_and_save(&p);
    mrcnn_session_free(&p.session);
    mrcnn_model_free(&p.model);
    inputs_free(&p.inputs);
    return code;
}

int pipeline_run(const command *self, pipeline_options *options, const arguments *given) {
    mrcnn_config *config = NULL;
    int code = default_weights(self, &options->model);
    if (code == EXIT_DONE && !options->out) {
        options->out = "found";
        message("no --out given: the results go to %s/", options->out);
    }
    if (code == EXIT_DONE) code = configure(self, &options->model.config, &config);
    if (code == EXIT_DONE) code = run_configured(self, options, config, given);
    mrcnn_config_free(&config);
    return code;
}
