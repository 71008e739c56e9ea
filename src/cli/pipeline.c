/* pipeline.c - see pipeline.h. In memory are the few pictures, or frames of a video, that are under way.
 * Ctrl-C ends the work after those that are being computed, so that what was found so far is kept. */
#include "pipeline.h"

#include "pipeline_pictures.h"
#include "progress.h"
#include "signals.h"
#include "video.h"

#include <stdlib.h>

typedef struct pipeline {
    const pipeline_options *options;
    mrcnn_model *model;
    mrcnn_session *session;
    input_list inputs;
    coco_file coco;
    picture_counts pictures;
    size_t failed; /* how many inputs gave no result */
} pipeline;

pipeline_options pipeline_default(void) {
    pipeline_options options = {0};
    options.save = SAVE_OVERLAY | SAVE_JSON;
    options.max_pixels = mrcnn_image_options_default().max_pixels;
    options.video = video_options_default();
    options.batch = 1;
    return options;
}

/* ---------------------------------------------------------------------------------- all inputs */

/* Those from `first` on, up to a video. */
static size_t process_pictures(pipeline *p, size_t first) {
    const input_list *inputs = &p->inputs;
    size_t end = first;
    while (end < inputs->count && !inputs->items[end].is_video) end++;
    picture_run run = {.options = p->options,
                       .model = p->model,
                       .session = p->session,
                       .coco = &p->coco,
                       .inputs = inputs->items + first,
                       .count = end - first,
                       .before = first,
                       .total = inputs->count};
    return pictures_run(&run, &p->pictures);
}

/* A video has a bar of its own. */
static size_t process_video(pipeline *p, size_t index) {
    if (video_run(p->options, p->model, p->session, &p->inputs.items[index])) p->failed++;
    return 1;
}

/* How many a second, and how long each took: several are under way at a time. */
static void tell_speed(const picture_counts *c) {
    if (c->detected < 2 || c->seconds <= 0) return;
    double count = (double)c->detected;
    message("%zu pictures in %.1f s: %.3g a second; %.2f s from reading one to its last file",
            c->detected, c->seconds, count / c->seconds, c->seconds_of_all / count);
}

static void process_all(pipeline *p) {
    size_t count = p->inputs.count, i = 0;
    const char *what = p->inputs.videos ? "inputs" : "pictures";
    while (i < count && !signals_came())
        i += p->inputs.items[i].is_video ? process_video(p, i) : process_pictures(p, i);
    if (signals_came() && i < count)
        message("interrupted after %zu of %zu %s; what was found is kept", i, count, what);
    progress_end();
    tell_speed(&p->pictures);
    p->failed += p->pictures.failed;
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
    p->failed += (size_t)p->inputs.failed;
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

/* What a session computes at a time; the value in weights is about training. */
static int set_batch(mrcnn_config *config, int64_t batch) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char *number = text_format("%lld", (long long)batch);
    mrcnn_status status = mrcnn_config_set(config, "IMAGES_PER_GPU", number, &err);
    free(number);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

int pipeline_run(const command *self, pipeline_options *options, const arguments *given) {
    mrcnn_config *config = NULL;
    int code = default_weights(self, &options->model);
    if (code == EXIT_DONE && !options->out) {
        options->out = "found";
        message("no --out given: the results go to %s/", options->out);
    }
    if (code == EXIT_DONE) code = configure(self, &options->model.config, &config);
    if (code == EXIT_DONE) code = set_batch(config, options->batch);
    if (code == EXIT_DONE) code = run_configured(self, options, config, given);
    mrcnn_config_free(&config);
    return code;
}
