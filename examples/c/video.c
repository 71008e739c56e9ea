/* video.c - follows objects through a video and draws them into a new one.
 *
 *     video WEIGHTS.h5 IN.mp4 OUT.mp4
 *
 * Frames are read, looked at and written one after the other, in bounded memory. */
#include <mrcnn/video.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct film {
    mrcnn_video *in;
    mrcnn_video_writer *out;
    mrcnn_session *session;
    mrcnn_tracker *tracker; /* objects keep their number from frame to frame */
} film;

/* Draws the instances of one frame, numbered, and writes it at the time of the original. */
static mrcnn_status draw(film *f, const mrcnn_frame *frame, const mrcnn_result *result,
                         mrcnn_error *err) {
    mrcnn_image drawn = {0};
    mrcnn_draw_options how = mrcnn_draw_options_default();
    int32_t *ids = calloc(result->count + 1, sizeof *ids);
    if (!ids) return MRCNN_E_MEMORY;
    how.ids = ids;
    mrcnn_status status = mrcnn_tracker_update(f->tracker, result, ids, err);
    if (status == MRCNN_OK) status = mrcnn_draw_instances(&drawn, &frame->image, result, &how, err);
    if (status == MRCNN_OK)
        status = mrcnn_video_write(f->out, &drawn, frame->pts, frame->duration, err);
    mrcnn_image_free(&drawn);
    free(ids);
    return status;
}

static mrcnn_status follow(film *f, mrcnn_error *err) {
    mrcnn_frame frame = {0};
    mrcnn_status status = MRCNN_OK;
    for (int more = 1; status == MRCNN_OK;) {
        mrcnn_result *result = NULL;
        status = mrcnn_video_next(f->in, &frame, &more, err);
        if (status != MRCNN_OK || !more) break;
        status = mrcnn_detect(f->session, &frame.image, 1, &result, err);
        if (status == MRCNN_OK) status = draw(f, &frame, result, err);
        mrcnn_result_free(&result);
    }
    mrcnn_image_free(&frame.image);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s WEIGHTS.h5 IN.mp4 OUT.mp4\n", argv[0]);
        return 2;
    }
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_model *model = NULL;
    film f = {NULL, NULL, NULL, NULL};
    mrcnn_video_writer_options how = mrcnn_video_writer_options_default();
    how.sound = argv[2];

    mrcnn_status status = mrcnn_model_load(&model, argv[1], NULL, &err);
    if (status == MRCNN_OK) status = mrcnn_session_create(&f.session, model, NULL, &err);
    if (status == MRCNN_OK) status = mrcnn_tracker_create(&f.tracker, NULL, &err);
    if (status == MRCNN_OK) status = mrcnn_video_open(&f.in, argv[2], NULL, &err);
    how.like = f.in; /* the new one has its size, rate and colours */
    if (status == MRCNN_OK) status = mrcnn_video_writer_create(&f.out, argv[3], &how, &err);
    if (status == MRCNN_OK) status = follow(&f, &err);
    if (status == MRCNN_OK) status = mrcnn_video_writer_finish(&f.out, 0, &err);
    if (status == MRCNN_OK)
        printf("%d objects in %s\n", (int)mrcnn_tracker_count(f.tracker), argv[3]);
    else
        fprintf(stderr, "%s: %s\n", argv[0], err.message[0] ? err.message : "out of memory");

    mrcnn_video_writer_free(&f.out); /* after an error: takes away what was begun */
    mrcnn_video_free(&f.in);
    mrcnn_tracker_free(&f.tracker);
    mrcnn_session_free(&f.session);
    mrcnn_model_free(&model);
    return status == MRCNN_OK ? 0 : 1;
}
