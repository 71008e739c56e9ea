/* video.c - see video.h. Three threads hand frames on in a circle: one decodes into a free frame, the
 * main one detects and tracks, one draws, encodes, and frees it again. The frames there are bound what
 * is under way. Only the main thread prints. */
#include "video.h"

#include "progress.h"
#include "queue.h"
#include "signals.h"
#include "tally.h"
#include "video_output.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>

/* Beside those that the network has, so many frames are on their way to it or from it. */
enum { FRAMES_AHEAD = 4, MOST_FRAMES = 2 * MOST_BATCH + FRAMES_AHEAD };

typedef struct clip {
    const pipeline_options *options;
    mrcnn_session *session;
    const mrcnn_config *config;
    const input *in;
    mrcnn_video *video; /* the decoding thread's, between start_threads and join_threads */
    mrcnn_tracker *tracker;
    video_output output; /* the encoding thread's, likewise */

    seen_frame frames[MOST_FRAMES];
    int frame_count;
    queue empty, decoded, detected;
    pthread_t decoding, encoding;
    mrcnn_error decode_error, encode_error; /* each its thread's, until it is joined */

    /* The main thread's counts. */
    int64_t done;
    size_t instances;
    tally classes; /* of tracks, or of instances when nothing is tracked */
    int32_t tracks;
    double detect_seconds;
} clip;

/* ------------------------------------------------------------------------------------- threads */

static void *decode(void *argument) {
    clip *c = argument;
    for (seen_frame *frame; (frame = queue_take(&c->empty));) {
        int more = 0;
        mrcnn_status status = mrcnn_video_next(c->video, &frame->frame, &more, &c->decode_error);
        if (status != MRCNN_OK || !more || !queue_put(&c->decoded, frame)) break;
    }
    queue_close(&c->decoded);
    return NULL;
}

/* After an error frames are only passed on, until the main thread has noticed. */
static void *encode(void *argument) {
    clip *c = argument;
    for (seen_frame *frame; (frame = queue_take(&c->detected));) {
        if (c->encode_error.status == MRCNN_OK &&
            video_output_add(&c->output, frame, &c->encode_error) != MRCNN_OK)
            queue_close(&c->detected);
        mrcnn_result_free(&frame->result);
        queue_put(&c->empty, frame);
    }
    return NULL;
}

static int start_threads(clip *c) {
    if (worker_start(&c->decoding, decode, c, c->in->path)) return -1;
    if (!worker_start(&c->encoding, encode, c, c->in->path)) return 0;
    queue_close(&c->empty);
    pthread_join(c->decoding, NULL);
    return -1;
}

/* What is detected is still written; what is only decoded is dropped. */
static void join_threads(clip *c) {
    queue_close(&c->detected);
    pthread_join(c->encoding, NULL);
    queue_close(&c->empty);
    queue_close(&c->decoded);
    pthread_join(c->decoding, NULL);
}

/* ----------------------------------------------------------------------------------- detection */

static int fail_clip(const clip *c, const mrcnn_error *err) {
    message("%s: %s", c->in->path, err->message);
    return -1;
}

static int track(clip *c, seen_frame *frame) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    const mrcnn_result *result = frame->result;
    c->instances += result->count;
    if (!c->tracker) {
        for (size_t i = 0; i < result->count; i++)
            tally_add(&c->classes, result->instances[i].class_name);
        return 0;
    }
    frame->ids = text_grow(frame->ids, result->count + 1, sizeof *frame->ids);
    if (mrcnn_tracker_update(c->tracker, result, frame->ids, &err) != MRCNN_OK)
        return fail_clip(c, &err);
    for (size_t i = 0; i < result->count; i++)
        if (frame->ids[i] > c->tracks) tally_add(&c->classes, result->instances[i].class_name);
    c->tracks = mrcnn_tracker_count(c->tracker);
    return 0;
}

/* Detects in the next frames together and hands them on. 1: go on; 0: there is no more to do; -1 after
 * a message. */
static int detect_batch(clip *c) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    seen_frame *frames[MOST_BATCH];
    mrcnn_image images[MOST_BATCH];
    mrcnn_result *results[MOST_BATCH] = {NULL};
    size_t count = 0, batch = (size_t)c->options->batch;
    for (; count < batch && (frames[count] = queue_take(&c->decoded)); count++)
        images[count] = frames[count]->frame.image;
    if (!count) return 0;
    double start = progress_clock();
    if (mrcnn_detect(c->session, images, count, results, &err) != MRCNN_OK)
        return fail_clip(c, &err);
    c->detect_seconds += progress_clock() - start;
    int going = 1;
    for (size_t i = 0; i < count; i++) {
        frames[i]->result = results[i];
        if (going > 0 && track(c, frames[i])) going = -1;
        if (going > 0 && !queue_put(&c->detected, frames[i])) going = 0;
        c->done += going > 0;
    }
    return going;
}

static int detect_all(clip *c) {
    uint64_t total = (uint64_t)mrcnn_video_describe(c->video)->frames;
    int going = 1;
    progress_start("frames", PROGRESS_FRAMES);
    if (start_threads(c)) return -1;
    while (going > 0 && !signals_came()) {
        progress_show((uint64_t)c->done, total && total < (uint64_t)c->done ? 0 : total);
        going = detect_batch(c);
    }
    join_threads(c);
    progress_end();
    if (c->encode_error.status != MRCNN_OK) {
        message("%s", c->encode_error.message);
        going = -1;
    } else if (c->decode_error.status != MRCNN_OK) {
        message("%s", c->decode_error.message);
        going = -1;
    }
    return going < 0 ? -1 : 0;
}

/* --------------------------------------------------------------------------------------- report */

static void say_problems(const clip *c) {
    const mrcnn_video_problems met = mrcnn_video_check(c->video);
    const mrcnn_video_info *info = mrcnn_video_describe(c->video);
    if (met.broken)
        message("%s: %lld frame%s could not be decoded and %s left out", c->in->path,
                (long long)met.broken, met.broken == 1 ? "" : "s", met.broken == 1 ? "is" : "are");
    if (met.rescaled)
        message("%s: %lld frame%s of another size than the first %s scaled to %d x %d", c->in->path,
                (long long)met.rescaled, met.rescaled == 1 ? "" : "s",
                met.rescaled == 1 ? "was" : "were", info->width, info->height);
    if (met.retimed)
        message("%s: %lld time stamp%s missing or ran backwards; the frame rate stands in",
                c->in->path, (long long)met.retimed, met.retimed == 1 ? " was" : "s were");
    if (met.cut_short)
        message("%s: the file is cut short or broken at %.2f s (it should last %.2f s); what comes "
                "before was used",
                c->in->path, met.last, info->seconds);
    if (signals_came())
        message("%s: interrupted after %lld frames; what was found is kept", c->in->path,
                (long long)c->done);
}

static void print_line(clip *c, double seconds) {
    char *name = text_printable(c->in->path);
    double frames = c->done ? (double)c->done : 1;
    double outside = seconds > c->detect_seconds ? 1 - c->detect_seconds / seconds : 0;
    printf("%s: %lld frame%s, %zu instance%s", name, (long long)c->done, c->done == 1 ? "" : "s",
           c->instances, c->instances == 1 ? "" : "s");
    if (c->tracker) printf(", %d track%s", (int)c->tracks, c->tracks == 1 ? "" : "s");
    tally_print(&c->classes);
    printf(", %.0f ms/frame, %.1f fps, %.0f%% of the time outside the network\n",
           1e3 * seconds / frames, seconds > 0 ? frames / seconds : 0, 100 * outside);
    fflush(stdout);
    free(name);
}

/* ------------------------------------------------------------------------------------------ all */

static int open_video(clip *c) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video_options how = mrcnn_video_options_default();
    const video_options *given = &c->options->video;
    how.max_pixels = c->options->max_pixels;
    how.channels = mrcnn_config_image_options(c->config).channels;
    how.start = given->start;
    how.end = given->end;
    how.stride = given->stride;
    mrcnn_status status = mrcnn_video_open(&c->video, c->in->path, &how, &err);
    int tracked = !given->no_tracks && (c->options->save & (SAVE_OVERLAY | SAVE_JSON));
    if (status == MRCNN_OK && tracked) status = mrcnn_tracker_create(&c->tracker, NULL, &err);
    if (status == MRCNN_OK) return 0;
    message("%s", err.message);
    return -1;
}

static void free_clip(clip *c) {
    for (int i = 0; i < c->frame_count; i++) {
        mrcnn_image_free(&c->frames[i].frame.image);
        mrcnn_result_free(&c->frames[i].result);
        free(c->frames[i].ids);
    }
    tally_free(&c->classes);
    video_output_abandon(&c->output);
    mrcnn_tracker_free(&c->tracker);
    mrcnn_video_free(&c->video);
    queue_destroy(&c->empty);
    queue_destroy(&c->decoded);
    queue_destroy(&c->detected);
    free(c);
}

/* Interrupted before anything was made, there is nothing to keep. */
static int finish_outputs(clip *c) {
    if (!c->done) {
        video_output_abandon(&c->output);
        return signals_came() ? 0 : -1;
    }
    return video_output_finish(&c->output, signals_came() || c->options->video.end > 0);
}

int video_run(const pipeline_options *options, const mrcnn_model *model, mrcnn_session *session,
              const input *in) {
    clip *c = text_grow(NULL, 1, sizeof *c);
    memset(c, 0, sizeof *c);
    c->options = options;
    c->config = mrcnn_model_config(model);
    c->session = session;
    c->in = in;
    queue_init(&c->empty);
    queue_init(&c->decoded);
    queue_init(&c->detected);
    c->frame_count = 2 * (int)options->batch + FRAMES_AHEAD;
    for (int i = 0; i < c->frame_count; i++) queue_put(&c->empty, &c->frames[i]);
    double start = progress_clock();
    int failed = open_video(c);
    if (!failed) failed = video_output_open(&c->output, options, in, c->video);
    if (!failed) failed = detect_all(c);
    if (!failed) {
        say_problems(c);
        failed = finish_outputs(c);
    }
    if (!failed) print_line(c, progress_clock() - start);
    free_clip(c);
    return failed;
}
