/* video_output.c - see video_output.h. */
#include "video_output.h"

#include <stdlib.h>
#include <string.h>

static int fail_output(const mrcnn_error *err) {
    message("%s", err->message);
    return -1;
}

/* ------------------------------------------------------------------------------------- opening */

static mrcnn_video_writer_options writer_options(const pipeline_options *options, const input *in,
                                                 const mrcnn_video *video) {
    mrcnn_video_writer_options how = mrcnn_video_writer_options_default();
    const mrcnn_video_info *info = mrcnn_video_describe(video);
    how.like = video;
    how.sound = in->path;
    how.quality = (int)options->video.quality;
    if (options->video.start > 0) how.start = info->first;
    if (info->rate_num > 0 && info->rate_den < INT32_MAX / options->video.stride) {
        how.rate_num = info->rate_num;
        how.rate_den = info->rate_den * (int32_t)options->video.stride;
    }
    return how;
}

static mrcnn_status create_writer(mrcnn_video_writer **writer, const char *ending,
                                  const mrcnn_video_writer_options *how, const char *folder,
                                  const input *in, mrcnn_error *err) {
    char *name = text_format("%s_%s", in->stem, ending);
    char *path = path_join(folder, name);
    mrcnn_status status = mrcnn_video_writer_create(writer, path, how, err);
    free(path);
    free(name);
    return status;
}

/* With its sound if that can be, in MP4 if that can be. */
static int open_writer(video_output *output, mrcnn_video_writer **writer, const char *what,
                       const pipeline_options *options, const input *in, const mrcnn_video *video) {
    mrcnn_error err = MRCNN_ERROR_INIT, other = MRCNN_ERROR_INIT;
    mrcnn_video_writer_options how = writer_options(options, in, video);
    const mrcnn_video_info *info = mrcnn_video_describe(video);
    char *mp4 = text_format("%s.mp4", what), *mkv = text_format("%s.mkv", what);
    mrcnn_status status =
        create_writer(writer, info->sound_fits_mp4 ? mp4 : mkv, &how, options->out, in, &err);
    if (info->sound && (status == MRCNN_E_UNSUPPORTED || status == MRCNN_E_FORMAT)) {
        how.sound = NULL;
        status = create_writer(writer, mp4, &how, options->out, in, &other);
        if (status == MRCNN_OK && !output->silent++)
            message("%s; the new video is silent, as the sound can't be copied", err.message);
    }
    free(mkv);
    free(mp4);
    return status == MRCNN_OK ? 0 : fail_output(&err);
}

/* What is not as usual. */
static void say_how(const video_output *output, const input *in, const mrcnn_video *video) {
    const mrcnn_video_info *info = mrcnn_video_describe(video);
    const mrcnn_video_writer *any = output->overlay ? output->overlay : output->splash;
    if (!any) return;
    const char *encoder = mrcnn_video_writer_encoder(any);
    if (!info->sound_fits_mp4 && !output->silent)
        message("%s: MP4 can't hold its sound (%s): a Matroska file (.mkv) is written", in->path,
                info->sound);
    if (!strstr(encoder, "264"))
        message("%s: this FFmpeg can't encode H.264: the new video is encoded by %s", in->path,
                encoder);
}

static int open_lines(video_output *output, const pipeline_options *options, const input *in) {
    char *name = text_format("%s.jsonl", in->stem);
    char *path = path_join(options->out, name);
    int failed = new_file_open(&output->lines, path);
    free(path);
    free(name);
    return failed;
}

int video_output_open(video_output *output, const pipeline_options *options, const input *in,
                      const mrcnn_video *video) {
    memset(output, 0, sizeof *output);
    output->save = options->save;
    output->coco_ids = options->coco_ids;
    output->draw = overlay_drawing(&options->overlay);
    int failed = 0;
    if (output->save & SAVE_JSON) failed = open_lines(output, options, in);
    if (!failed && (output->save & SAVE_OVERLAY))
        failed = open_writer(output, &output->overlay, "overlay", options, in, video);
    if (!failed && (output->save & SAVE_SPLASH))
        failed = open_writer(output, &output->splash, "splash", options, in, video);
    if (failed)
        video_output_abandon(output);
    else
        say_how(output, in, video);
    return failed;
}

/* -------------------------------------------------------------------------------------- frames */

static mrcnn_status add_drawn(mrcnn_video_writer *writer, mrcnn_image *drawn,
                              const mrcnn_frame *frame, mrcnn_error *err) {
    mrcnn_status status = mrcnn_video_write(writer, drawn, frame->pts, frame->duration, err);
    mrcnn_image_free(drawn);
    return status;
}

static mrcnn_status add_line(video_output *output, const seen_frame *seen) {
    json out = {output->lines.stream, 0, 0, 0, 0};
    json_begin(&out, '{');
    json_key(&out, "frame");
    json_integer(&out, seen->frame.number);
    json_key(&out, "time");
    json_real(&out, seen->frame.seconds, 9);
    json_key(&out, "instances");
    json_begin(&out, '[');
    for (size_t i = 0; i < seen->result->count; i++) {
        json_begin(&out, '{');
        if (seen->ids) {
            json_key(&out, "track_id");
            json_integer(&out, seen->ids[i]);
        }
        put_instance(&out, &seen->result->instances[i], output->coco_ids);
        json_end(&out, '}');
    }
    json_end(&out, ']');
    json_end(&out, '}');
    return ferror(output->lines.stream) ? MRCNN_E_IO : MRCNN_OK;
}

mrcnn_status video_output_add(video_output *output, const seen_frame *seen, mrcnn_error *err) {
    const mrcnn_frame *frame = &seen->frame;
    mrcnn_image drawn = {0};
    mrcnn_status status = MRCNN_OK;
    if (output->lines.stream) {
        status = add_line(output, seen);
        if (status != MRCNN_OK) {
            err->status = status;
            snprintf(err->message, sizeof err->message, "%.900s: can't write it; is the disk full?",
                     output->lines.path);
        }
    }
    if (status == MRCNN_OK && output->overlay) {
        output->draw.ids = seen->ids;
        status = mrcnn_draw_instances(&drawn, &frame->image, seen->result, &output->draw, err);
        if (status == MRCNN_OK) status = add_drawn(output->overlay, &drawn, frame, err);
    }
    if (status == MRCNN_OK && output->splash) {
        status = mrcnn_color_splash(&drawn, &frame->image, seen->result, err);
        if (status == MRCNN_OK) status = add_drawn(output->splash, &drawn, frame, err);
    }
    return status;
}

/* -------------------------------------------------------------------------------------- ending */

static int finish_writer(mrcnn_video_writer **writer, int cut) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (!*writer || mrcnn_video_writer_finish(writer, cut, &err) == MRCNN_OK) return 0;
    return fail_output(&err);
}

int video_output_finish(video_output *output, int cut) {
    int failed = finish_writer(&output->overlay, cut);
    failed |= finish_writer(&output->splash, cut);
    if (output->lines.stream) failed |= new_file_commit(&output->lines);
    return failed;
}

void video_output_abandon(video_output *output) {
    mrcnn_video_writer_free(&output->overlay);
    mrcnn_video_writer_free(&output->splash);
    new_file_abandon(&output->lines);
}
