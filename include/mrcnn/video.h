/* video.h - frames of videos in and out, and objects that keep their number from frame to frame.
 *
 * Reading and writing use FFmpeg's libraries; a build without them (MRCNN_WITH_VIDEO=OFF) returns
 * MRCNN_E_UNSUPPORTED from everything but the tracker. A program that draws on a video:
 *
 *     mrcnn_video *in = NULL;
 *     mrcnn_video_writer *out = NULL;
 *     mrcnn_frame frame = {0};
 *     int more = 1;
 *     mrcnn_video_writer_options how = mrcnn_video_writer_options_default();
 *     mrcnn_status status = mrcnn_video_open(&in, "in.mp4", NULL, &err);
 *     how.like = in;
 *     how.sound = "in.mp4";
 *     if (status == MRCNN_OK) status = mrcnn_video_writer_create(&out, "out.mp4", &how, &err);
 *     while (status == MRCNN_OK) {
 *         status = mrcnn_video_next(in, &frame, &more, &err);
 *         if (status != MRCNN_OK || !more) break;
 *         // ... detect in frame.image, draw on it ...
 *         status = mrcnn_video_write(out, &frame.image, frame.pts, frame.duration, &err);
 *     }
 *     if (status == MRCNN_OK) status = mrcnn_video_writer_finish(&out, 0, &err);
 *     mrcnn_video_writer_free(&out); // after an error: removes what was begun
 *     mrcnn_video_free(&in);
 *     mrcnn_image_free(&frame.image);
 *
 * The rules of <mrcnn/mrcnn.h> hold. A reader and a writer are each used by one thread at a time, but
 * may run in different ones, so that decoding and encoding go on beside the network. FFmpeg's messages
 * on stderr are off while a reader or writer is open, unless the program has chosen a level itself
 * (av_log_set_level, which is the whole process').
 */
#ifndef MRCNN_VIDEO_H
#define MRCNN_VIDEO_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------ reading */

typedef struct mrcnn_video mrcnn_video;

typedef struct mrcnn_video_options {
    size_t size;
    int64_t max_pixels; /* refuse larger frames before decoding them (default 268,435,456) */
    int32_t channels;   /* 3: RGB (default); 1: grey, as mrcnn_image_read makes it of RGB */
    double start;       /* seconds from the beginning: earlier frames are passed over (default 0) */
    double end;         /* the first time that is not wanted any more; 0: to the end (default) */
    int64_t stride;     /* of each so many frames the first one (default 1) */
} mrcnn_video_options;

MRCNN_API mrcnn_video_options mrcnn_video_options_default(void);

/* What is known once the first frame is decoded; it doesn't change. */
typedef struct mrcnn_video_info {
    int32_t width, height;          /* of the frames, upright */
    int32_t orientation;            /* EXIF's number, 1 to 8, of the turn that is undone; 1: none */
    int32_t rate_num, rate_den;     /* frames a second on average; 0 when nothing is known */
    int32_t time_num, time_den;     /* seconds that one unit of mrcnn_frame.pts is, as a fraction */
    int32_t aspect_num, aspect_den; /* how wide a pixel is, in its heights; 1/1 when not said */
    double seconds;                 /* that the whole video lasts; 0 when unknown */
    double first;                   /* seconds at which the first frame that is wanted is shown */
    int64_t frames;                 /* that mrcnn_video_next will give, about; 0 when unknown */
    const char *container, *codec;  /* FFmpeg's names: "mov,mp4,m4a,3gp,3g2,mj2", "h264" */
    const char *sound;              /* codec of the first sound track; NULL: silent */
    int sound_fits_mp4;             /* 0: MP4 can't hold the sound; Matroska (.mkv) can */
} mrcnn_video_info;

/* A frame as it is to be seen: upright, in RGB by the video's own matrix and range (where it doesn't
 * say: BT.709 from 1280 pixels of width or 577 of height on, else BT.601; limited range). Start with
 * {0}; the pixels are made by mrcnn_video_next and reused by the next call; free them with
 * mrcnn_image_free(&frame.image). */
typedef struct mrcnn_frame {
    mrcnn_image image;
    int64_t number; /* in the whole video, from 0; frames that can't be decoded count */
    int64_t pts;    /* when it is shown, from the video's beginning, in units of time_num/time_den;
                         rises with each frame */
    int64_t duration; /* how long, in the same units; with a stride, up to the next frame wanted */
    double seconds;   /* pts in seconds */
} mrcnn_frame;

/* Opens any container and codec that FFmpeg reads, recognised by content, and decodes the first
 * frame that is wanted. The path is a plain file: no address, pattern or list of other files, and a
 * file that refers to others is not followed. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_video_open(mrcnn_video **video, const char *path,
                                        const mrcnn_video_options *options, mrcnn_error *err);
MRCNN_API const mrcnn_video_info *mrcnn_video_describe(const mrcnn_video *video);

/* The next frame; *more becomes 0 at the end, and the frame is then as it was. All frames have one
 * size: where the video changes it, frames are scaled to the first one's. Frames that can't be decoded
 * are left out, and a file that is cut short ends early: mrcnn_video_check tells. */
MRCNN_API mrcnn_status mrcnn_video_next(mrcnn_video *video, mrcnn_frame *frame, int *more,
                                        mrcnn_error *err);

typedef struct mrcnn_video_problems {
    int64_t broken;   /* frames (or parts of them) that could not be decoded */
    int64_t rescaled; /* frames of another size than the first */
    int64_t retimed;  /* frames whose time stamps were missing or ran backwards: given the rate's */
    int cut_short;    /* the file ends before the time that it claims to last */
    double last;      /* seconds at which the last frame so far ends */
} mrcnn_video_problems;

/* What was met so far. */
MRCNN_API mrcnn_video_problems mrcnn_video_check(const mrcnn_video *video);
MRCNN_API void mrcnn_video_free(mrcnn_video **video);

/* 1 when the file's content is that of a video (or of sound alone), as far as FFmpeg can tell without
 * decoding it; 0 also for single pictures. Quick. */
MRCNN_API int mrcnn_video_recognise(const char *path);

/* ------------------------------------------------------------------------------------ writing */

typedef struct mrcnn_video_writer mrcnn_video_writer;

typedef struct mrcnn_video_writer_options {
    size_t size;
    /* A video whose size, rate, time unit, pixel shape and colours are taken over where the fields
     * below are 0. NULL: none. Read by mrcnn_video_writer_create only. */
    const mrcnn_video *like;
    int32_t width, height;
    int32_t rate_num,
        rate_den; /* a hint for the encoder: when frames are shown is up to their pts */
    int32_t time_num, time_den; /* 0: one over the rate */
    int32_t aspect_num, aspect_den;
    const char *sound; /* a file whose sound tracks are copied as they are; NULL: silent */
    double start;      /* seconds on the clock of pts and sound at which the new video begins */
    const char
        *encoder; /* FFmpeg's name; NULL: the first there is of libx264, libopenh264, mpeg4 */
    int quality;  /* the constant rate factor, 0 (best) to 51 (default 20) */
} mrcnn_video_writer_options;

MRCNN_API mrcnn_video_writer_options mrcnn_video_writer_options_default(void);

/* Begins a video; the extension says in which container (.mp4, .m4v, .mov, .mkv). It is written beside
 * its place and appears when it is finished. H.264 with 4:2:0 colours, which everything plays, has
 * even sides only: an odd side gets its last row or column twice. Sound that the container can't hold
 * is MRCNN_E_UNSUPPORTED. */
MRCNN_API mrcnn_status mrcnn_video_writer_create(mrcnn_video_writer **writer, const char *path,
                                                 const mrcnn_video_writer_options *options,
                                                 mrcnn_error *err);
/* Which encoder it is: "libx264". */
MRCNN_API const char *mrcnn_video_writer_encoder(const mrcnn_video_writer *writer);

/* Adds a frame of the writer's size, RGB or grey. `pts` must rise and not lie before the start;
 * `duration` matters for the last one, 0 for unknown. */
MRCNN_API mrcnn_status mrcnn_video_write(mrcnn_video_writer *writer, const mrcnn_image *image,
                                         int64_t pts, int64_t duration, mrcnn_error *err);

/* Ends the video and lets it appear. `cut` non-zero: the sound ends with the last frame; else it goes
 * on to its own end. The writer is freed, also on failure, which leaves nothing behind. */
MRCNN_API mrcnn_status mrcnn_video_writer_finish(mrcnn_video_writer **writer, int cut,
                                                 mrcnn_error *err);
/* Gives up: nothing is left behind. */
MRCNN_API void mrcnn_video_writer_free(mrcnn_video_writer **writer);

/* ----------------------------------------------------------------------------------- tracking */

/* Which instance of a frame is which of the frames before: in each class, pairs are made by falling
 * intersection over union of boxes, each track's box moved on at its last speed. A track without a
 * partner waits for `patience` frames and then ends; an instance without one begins a new track. The
 * outcome depends on nothing but the results, in their order. */
typedef struct mrcnn_tracker mrcnn_tracker;

typedef struct mrcnn_tracker_options {
    size_t size;
    double iou;   /* the least for a pair, above 0 to 1 (default 0.3) */
    int patience; /* frames without a partner that a track outlives (default 10) */
} mrcnn_tracker_options;

MRCNN_API mrcnn_tracker_options mrcnn_tracker_options_default(void);

MRCNN_API mrcnn_status mrcnn_tracker_create(mrcnn_tracker **tracker,
                                            const mrcnn_tracker_options *options, mrcnn_error *err);
/* The next frame's instances get their numbers: ids[i], from 1 on in order of appearance, is that of
 * result->instances[i]. Numbers are not used again. They suit mrcnn_draw_options.ids. */
MRCNN_API mrcnn_status mrcnn_tracker_update(mrcnn_tracker *tracker, const mrcnn_result *result,
                                            int32_t *ids, mrcnn_error *err);
/* How many tracks there have been. */
MRCNN_API int32_t mrcnn_tracker_count(const mrcnn_tracker *tracker);
MRCNN_API void mrcnn_tracker_free(mrcnn_tracker **tracker);

#ifdef __cplusplus
}
#endif
#endif
