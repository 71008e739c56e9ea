/* options.c - defaults, and what a build without FFmpeg says. */
#include <mrcnn/video.h>

#include "base/error.h"

mrcnn_video_options mrcnn_video_options_default(void) {
    return (mrcnn_video_options){
        .size = sizeof(mrcnn_video_options), .max_pixels = 268435456, .channels = 3, .stride = 1};
}

mrcnn_video_writer_options mrcnn_video_writer_options_default(void) {
    return (mrcnn_video_writer_options){.size = sizeof(mrcnn_video_writer_options), .quality = 20};
}

#ifndef MRCNN_WITH_VIDEO

static mrcnn_status fail_without(const char *path, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_UNSUPPORTED,
                   "%s: videos need FFmpeg, which this build of mrcnn is without: build with "
                   "MRCNN_WITH_VIDEO=ON",
                   path ? path : "a video");
}

mrcnn_status mrcnn_video_open(mrcnn_video **video, const char *path,
                              const mrcnn_video_options *options, mrcnn_error *err) {
    (void)video, (void)options;
    return fail_without(path, err);
}

const mrcnn_video_info *mrcnn_video_describe(const mrcnn_video *video) {
    (void)video;
    return NULL;
}

mrcnn_status mrcnn_video_next(mrcnn_video *video, mrcnn_frame *frame, int *more, mrcnn_error *err) {
    (void)video, (void)frame, (void)more;
    return fail_without(NULL, err);
}

mrcnn_video_problems mrcnn_video_check(const mrcnn_video *video) {
    (void)video;
    return (mrcnn_video_problems){0};
}

void mrcnn_video_free(mrcnn_video **video) {
    (void)video;
}

int mrcnn_video_recognise(const char *path) {
    (void)path;
    return 0;
}

mrcnn_status mrcnn_video_writer_create(mrcnn_video_writer **writer, const char *path,
                                       const mrcnn_video_writer_options *options,
                                       mrcnn_error *err) {
    (void)writer, (void)options;
    return fail_without(path, err);
}

const char *mrcnn_video_writer_encoder(const mrcnn_video_writer *writer) {
    (void)writer;
    return NULL;
}

mrcnn_status mrcnn_video_write(mrcnn_video_writer *writer, const mrcnn_image *image, int64_t pts,
                               int64_t duration, mrcnn_error *err) {
    (void)writer, (void)image, (void)pts, (void)duration;
    return fail_without(NULL, err);
}

mrcnn_status mrcnn_video_writer_finish(mrcnn_video_writer **writer, int cut, mrcnn_error *err) {
    (void)writer, (void)cut;
    return fail_without(NULL, err);
}

void mrcnn_video_writer_free(mrcnn_video_writer **writer) {
    (void)writer;
}

#endif
