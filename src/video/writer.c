/* writer.c - mrcnn_video_writer: pictures in, a video file out, whole or not at all. */
#include "video/encode.h"
#include "video/reader.h"
#include "video/sound.h"

#ifdef MRCNN_WITH_VIDEO

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"

#include <libavutil/opt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How long a frame is shown is known when it comes in, and wanted when its packet comes out: frames
 * that an encoder has in hand, and more. */
enum { DURATIONS = 512 };

struct mrcnn_video_writer {
    char *path, *part;
    AVFormatContext *format;
    AVIOContext *file;
    AVStream *stream;
    mr_encoder encoder;
    AVPacket *packet, *newest; /* the newest waits until it is known not to be the last */
    mr_sound *sound;
    int32_t width, height;
    AVRational time_base; /* of the caller's pts */
    int64_t start;        /* in it */
    int64_t frames;       /* that were written; of these, in the encoder's units: */
    int64_t first_pts, first_dts, last, last_duration;
    int failed; /* an error that nothing can follow */
    int hushed;
    struct {
        int64_t pts, duration;
    } durations[DURATIONS];
};

/* ------------------------------------------------------------------------------------- options */

static const char *container_of(const char *path) {
    static const struct {
        const char *extension, *name;
    } containers[] = {{".mp4", "mp4"}, {".m4v", "mp4"}, {".mov", "mov"}, {".mkv", "matroska"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof containers / sizeof *containers; i++)
        if (strcasecmp(dot, containers[i].extension) == 0) return containers[i].name;
    return NULL;
}

static void take_over(mrcnn_video_writer_options *options) {
    const mrcnn_video_info *info = options->like ? mrcnn_video_describe(options->like) : NULL;
    if (!info) return;
    if (!options->width && !options->height) {
        options->width = info->width;
        options->height = info->height;
    }
    if (!options->rate_num) {
        options->rate_num = info->rate_num;
        options->rate_den = info->rate_den;
    }
    if (!options->time_num) {
        options->time_num = info->time_num;
        options->time_den = info->time_den;
    }
    if (!options->aspect_num) {
        options->aspect_num = info->aspect_num;
        options->aspect_den = info->aspect_den;
    }
}

static mrcnn_status check_options(mrcnn_video_writer_options *options, const char *path,
                                  mrcnn_error *err) {
    const int largest = 16384; /* H.264 ends there */
    take_over(options);
    if (options->width < 1 || options->height < 1 || options->width > largest ||
        options->height > largest)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: frames of %d x %d can't be encoded; each side must have 1 to %d pixels",
                       path, options->width, options->height, largest);
    if (options->rate_num < 1 || options->rate_den < 1) {
        if (options->time_num < 1)
            return mr_fail(err, MRCNN_E_ARGUMENT, "%s: neither a rate nor a time unit is given",
                           path);
        options->rate_num = 25; /* a guess, and only a hint */
        options->rate_den = 1;
    }
    if (options->time_num < 1 || options->time_den < 1) {
        options->time_num = options->rate_den;
        options->time_den = options->rate_num;
    }
    if (options->aspect_num < 1 || options->aspect_den < 1)
        options->aspect_num = options->aspect_den = 1;
    if (options->quality < 0 || options->quality > 51)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: quality %d; it must be 0 to 51", path,
                       options->quality);
    if (!(options->start >= 0 && options->start < 1e12))
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: it can't begin at %g s", path, options->start);
    return MRCNN_OK;
}

static mrcnn_status read_options(mrcnn_video_writer_options *options, const char *path,
                                 const mrcnn_video_writer_options *given, mrcnn_error *err) {
    *options = mrcnn_video_writer_options_default();
    mrcnn_status status =
        mr_take_options(options, sizeof *options, given, "mrcnn_video_writer_options", err);
    if (status != MRCNN_OK) return status;
    if (!path || !container_of(path))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: the name of a new video must end in .mp4, .m4v, .mov or .mkv",
                       path ? path : "no name");
    return check_options(options, path, err);
}

/* ------------------------------------------------------------------------------------- opening */

static mrcnn_status open_file(mrcnn_video_writer *w, const char *path, mrcnn_error *err) {
    w->path = mr_strdup(path);
    w->part = w->path ? mr_file_part_name(path) : NULL;
    w->packet = av_packet_alloc();
    w->newest = av_packet_alloc();
    w->first_dts = AV_NOPTS_VALUE;
    char *url = w->part ? mr_av_url(w->part) : NULL;
    if (!url || !w->packet || !w->newest) {
        free(url);
        return mr_fail_memory(err, strlen(path), "a file name");
    }
    /* +faststart reads the file again, by the url of the context. */
    int code = avformat_alloc_output_context2(&w->format, NULL, container_of(path), url);
    if (code >= 0) code = avio_open2(&w->file, url, AVIO_FLAG_WRITE, NULL, NULL);
    free(url);
    if (code < 0) return mr_av_fail(err, MRCNN_E_IO, path, "can't write it", code);
    w->format->pb = w->file;
    /* To FFmpeg 4 and 5, FLAC in MP4 is an experiment; players have it. */
    w->format->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    return MRCNN_OK;
}

static mrcnn_status open_stream(mrcnn_video_writer *w, const mrcnn_video_writer_options *options,
                                mrcnn_error *err) {
    mr_encoder_options how = {
        .width = options->width,
        .height = options->height,
        .rate = {options->rate_num, options->rate_den},
        .time_base = w->time_base,
        .aspect = {options->aspect_num, options->aspect_den},
        .color = options->like ? mr_video_color_of(options->like)
                               : mr_color_by_size(options->width, options->height),
        .name = options->encoder,
        .quality = options->quality,
    };
    mrcnn_status status = mr_encoder_open(&w->encoder, w->format, &how, w->path, err);
    if (status != MRCNN_OK) return status;
    w->stream = avformat_new_stream(w->format, NULL);
    if (!w->stream) return mr_fail_memory(err, sizeof *w->stream, "a stream");
    int code = avcodec_parameters_from_context(w->stream->codecpar, w->encoder.codec);
    if (code < 0) return mr_av_fail(err, MRCNN_E_MEMORY, w->path, "a stream", code);
    w->stream->time_base = w->encoder.codec->time_base;
    w->stream->avg_frame_rate = how.rate;
    w->stream->sample_aspect_ratio = how.aspect;
    return MRCNN_OK;
}

static mrcnn_status write_header(mrcnn_video_writer *w, mrcnn_error *err) {
    AVDictionary *options = NULL;
    /* The index before the pictures: a player on the network can begin at once. */
    av_dict_set(&options, "movflags", "+faststart", 0);
    int code = avformat_write_header(w->format, &options);
    av_dict_free(&options);
    return code >= 0 ? MRCNN_OK : mr_av_fail(err, MRCNN_E_FORMAT, w->path, "can't begin it", code);
}

static mrcnn_status open_writer(mrcnn_video_writer *w, const char *path,
                                const mrcnn_video_writer_options *given, mrcnn_error *err) {
    mrcnn_video_writer_options options;
    mrcnn_status status = read_options(&options, path, given, err);
    if (status != MRCNN_OK) return status;
    w->width = options.width;
    w->height = options.height;
    w->time_base = (AVRational){options.time_num, options.time_den};
    w->start = (int64_t)floor(options.start / av_q2d(w->time_base) + 0.5);
    for (size_t i = 0; i < DURATIONS; i++) w->durations[i].pts = AV_NOPTS_VALUE;
    status = open_file(w, path, err);
    if (status == MRCNN_OK) status = open_stream(w, &options, err);
    if (status == MRCNN_OK && options.sound)
        status = mr_sound_open(&w->sound, options.sound, w->format, path, options.start, err);
    if (status == MRCNN_OK) status = write_header(w, err);
    return status;
}

mrcnn_status mrcnn_video_writer_create(mrcnn_video_writer **writer, const char *path,
                                       const mrcnn_video_writer_options *options,
                                       mrcnn_error *err) {
    mrcnn_video_writer *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a video writer");
    made->hushed = mr_av_hush();
    mrcnn_status status = open_writer(made, path, options, err);
    if (status == MRCNN_OK)
        *writer = made;
    else
        mrcnn_video_writer_free(&made);
    return status;
}

const char *mrcnn_video_writer_encoder(const mrcnn_video_writer *writer) {
    return writer->encoder.codec->codec->name;
}

/* Closes all but the file; what the muxer holds back is dropped. */
static void close_streams(mrcnn_video_writer *w) {
    mr_sound_free(&w->sound);
    mr_encoder_close(&w->encoder);
    av_packet_free(&w->packet);
    av_packet_free(&w->newest);
    avformat_free_context(w->format);
    w->format = NULL;
}

void mrcnn_video_writer_free(mrcnn_video_writer **writer) {
    if (!writer || !*writer) return;
    mrcnn_video_writer *w = *writer;
    close_streams(w);
    if (w->file) {
        avio_closep(&w->file);
        remove(w->part);
    }
    mr_av_unhush(w->hushed);
    free(w->part);
    free(w->path);
    free(w);
    *writer = NULL;
}

/* -------------------------------------------------------------------------------------- frames */

static mrcnn_status fail_write(mrcnn_video_writer *w, int code, mrcnn_error *err) {
    w->failed = 1;
    return mr_av_fail(err, MRCNN_E_IO, w->path, "can't write it", code);
}

static int64_t duration_at(const mrcnn_video_writer *w, int64_t pts) {
    for (size_t i = 0; i < DURATIONS; i++)
        if (w->durations[i].pts == pts) return w->durations[i].duration;
    return 0;
}

/* Writes a packet of pictures, and the sound up to it. */
static int write_packet(mrcnn_video_writer *w, AVPacket *packet) {
    const AVRational base = w->encoder.codec->time_base;
    double seconds = (double)packet->dts * av_q2d(base);
    av_packet_rescale_ts(packet, base, w->stream->time_base);
    packet->stream_index = w->stream->index;
    int code = w->sound ? mr_sound_copy(w->sound, seconds) : 0;
    if (code >= 0) code = mr_av_put_packet(w->format, packet);
    av_packet_unref(packet);
    return code;
}

/* Writes the packets that the encoder has ready, but for the newest. */
static int write_packets(mrcnn_video_writer *w) {
    for (;;) {
        int code = avcodec_receive_packet(w->encoder.codec, w->packet);
        if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return 0;
        if (code < 0) return code;
        w->packet->duration = duration_at(w, w->packet->pts);
        if (w->newest->data && (code = write_packet(w, w->newest)) < 0) return code;
        if (w->first_dts == AV_NOPTS_VALUE) w->first_dts = w->packet->dts;
        av_packet_move_ref(w->newest, w->packet);
    }
}

/* MP4 takes how long a video lasts from the clock of decoding: its last packet makes up for what the
 * other clock is ahead. */
static int write_newest(mrcnn_video_writer *w) {
    AVPacket *packet = w->newest;
    if (!packet->data) return 0;
    int64_t shown = w->last + w->last_duration - w->first_pts;
    int64_t decoded = packet->dts - w->first_dts;
    if (shown > decoded + packet->duration) packet->duration = shown - decoded;
    return write_packet(w, packet);
}

static mrcnn_status check_frame(const mrcnn_video_writer *w, const mrcnn_image *image, int64_t pts,
                                int64_t duration, mrcnn_error *err) {
    if (w->failed) return mr_fail(err, MRCNN_E_IO, "%s: writing it has failed already", w->path);
    if (!image || !image->pixels || image->width != w->width || image->height != w->height ||
        (image->channels != 1 && image->channels != 3))
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: a frame must be %d x %d, in RGB or grey",
                       w->path, w->width, w->height);
    if (!mr_av_is_time(pts) || duration < 0 || !mr_av_is_time(duration))
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: a frame at %lld for %lld is out of all bounds",
                       w->path, (long long)pts, (long long)duration);
    if (pts < w->start)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: a frame at %lld lies before the start, %lld",
                       w->path, (long long)pts, (long long)w->start);
    return MRCNN_OK;
}

mrcnn_status mrcnn_video_write(mrcnn_video_writer *writer, const mrcnn_image *image, int64_t pts,
                               int64_t duration, mrcnn_error *err) {
    const AVRational base = writer->encoder.codec->time_base;
    mrcnn_status status = check_frame(writer, image, pts, duration, err);
    if (status != MRCNN_OK) return status;
    int64_t at = av_rescale_q(pts - writer->start, writer->time_base, base);
    int64_t length = duration > 0 ? av_rescale_q(duration, writer->time_base, base) : 0;
    if (writer->frames && at <= writer->last) {
        /* A coarser clock may bring two frames together; what isn't rising at all is a mistake. */
        if (av_cmp_q(base, writer->time_base) <= 0)
            return mr_fail(err, MRCNN_E_ARGUMENT, "%s: the time stamps of its frames must rise",
                           writer->path);
        at = writer->last + 1;
    }
    size_t slot = (size_t)(writer->frames % DURATIONS);
    writer->durations[slot].pts = at;
    writer->durations[slot].duration = length;
    if (!writer->frames) writer->first_pts = at;
    writer->last = at;
    writer->last_duration = length;
    writer->frames++;
    int code = mr_encoder_send(&writer->encoder, image, at);
    if (code >= 0) code = write_packets(writer);
    return code >= 0 ? MRCNN_OK : fail_write(writer, code, err);
}

/* -------------------------------------------------------------------------------------- ending */

static int end_streams(mrcnn_video_writer *w, int cut) {
    int code = avcodec_send_frame(w->encoder.codec, NULL);
    if (code >= 0) code = write_packets(w);
    if (code >= 0) code = write_newest(w);
    double end = (double)(w->last + w->last_duration) * av_q2d(w->encoder.codec->time_base);
    if (code >= 0 && w->sound) code = mr_sound_copy(w->sound, cut ? end : INFINITY);
    if (code >= 0) code = mr_av_put_packet(w->format, NULL);
    if (code >= 0 && w->stream->nb_frames < w->frames)
        code = AVERROR(EINVAL); /* a picture was refused */
    if (code >= 0) code = av_write_trailer(w->format);
    if (code >= 0) avio_flush(w->file);
    return code >= 0 && w->file->error < 0 ? w->file->error : code;
}

static mrcnn_status finish(mrcnn_video_writer *w, int cut, mrcnn_error *err) {
    if (w->failed) return mr_fail(err, MRCNN_E_IO, "%s: writing it has failed", w->path);
    if (!w->frames) return mr_fail(err, MRCNN_E_ARGUMENT, "%s: it has no frames", w->path);
    int code = end_streams(w, cut);
    if (code < 0) return fail_write(w, code, err);
    close_streams(w);
    code = avio_closep(&w->file);
    if (code >= 0) return mr_file_commit(w->part, w->path, err);
    remove(w->part);
    return fail_write(w, code, err);
}

mrcnn_status mrcnn_video_writer_finish(mrcnn_video_writer **writer, int cut, mrcnn_error *err) {
    mrcnn_status status = finish(*writer, cut, err);
    mrcnn_video_writer_free(writer);
    return status;
}

#endif
