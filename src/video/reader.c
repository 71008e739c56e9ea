/* reader.c - mrcnn_video: decoded frames with sane times, as pictures. */
#include "video/reader.h"

#ifdef MRCNN_WITH_VIDEO

#include "video/convert.h"
#include "video/decode.h"
#include "video/sound.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "image/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Seconds of which a decimal fraction may miss a frame's time. */
static const double NEARLY = 1e-6;

/* Seconds that no frame is shown: more is a leap of the clock, or nonsense. Back, two frames are. */
static const double LONGEST = 3600;

struct mrcnn_video {
    char *path;
    mrcnn_video_options options;
    mr_decoder decoder;
    mr_converter converter;
    mrcnn_video_info info;
    mr_video_color color;
    mrcnn_video_problems problems;
    int hushed;
    int waiting; /* the decoder's frame hasn't been handed out */
    int done;
    int length_is_own; /* and not that of the sound, which may be longer */
    int64_t zero;      /* of the stream's clock, in its units: shown at 0 */
    int64_t shift;     /* what leaps of its clock have come to */
    int64_t pts;       /* of the waiting frame, from zero; of the last one when none waits */
    int64_t usual;     /* the duration of a frame of the average rate, at least 1 */
    int64_t wanted; /* frames that start and end let through: of these, each stride-th is given */
    int64_t number; /* of the waiting frame */
};

/* --------------------------------------------------------------------------------------- times */

static double seconds_of(const mrcnn_video *video, int64_t pts) {
    return (double)pts * video->info.time_num / video->info.time_den;
}

/* From the stream's units to ours, which are the same but for clocks that make no sense. */
static int64_t ticks(const mrcnn_video *video, int64_t stamp) {
    AVRational base = {video->info.time_num, video->info.time_den};
    return av_rescale_q(stamp, video->decoder.stream->time_base, base);
}

/* Times rise: what doesn't say when, or goes back, comes one usual duration after the frame before.
 * After a leap (recordings put behind each other) the clock goes on from there. */
static void place_in_time(mrcnn_video *video, const AVFrame *frame, int is_first) {
    int64_t stamp = frame->best_effort_timestamp, last = video->pts;
    int known = mr_av_is_time(stamp) && mr_av_is_time(ticks(video, stamp - video->zero));
    int64_t number = known ? mr_frame_numbers_take(&video->decoder.numbers, stamp)
                           : mr_frame_numbers_take_next(&video->decoder.numbers);
    video->number = is_first || number > video->number ? number : video->number + 1;
    if (is_first && known && stamp < video->zero) video->zero = stamp;
    video->pts = known ? ticks(video, stamp - video->zero) + video->shift : last;
    if (is_first) return;
    double step = seconds_of(video, video->pts - last);
    if (known && video->pts > last && step < LONGEST) return;
    int64_t placed = last + video->usual;
    if (known && (video->pts - last <= -2 * video->usual || step >= LONGEST))
        video->shift += placed - video->pts;
    video->pts = placed;
    video->problems.retimed++;
}

static int64_t duration_of(const mrcnn_video *video, const AVFrame *frame) {
    int64_t own = mr_av_duration(frame);
    int64_t mine = own > 0 && mr_av_is_time(own) ? ticks(video, own) : 0;
    return mine > 0 && seconds_of(video, mine) < LONGEST ? mine : video->usual;
}

/* Decodes up to the next frame between start and end; 0 when there is none. */
static int decode_wanted(mrcnn_video *video, int is_first) {
    const double start = video->options.start, end = video->options.end;
    while (!video->done && mr_decoder_next(&video->decoder)) {
        place_in_time(video, video->decoder.frame, is_first);
        is_first = 0;
        double seconds = seconds_of(video, video->pts);
        video->problems.last =
            seconds + seconds_of(video, duration_of(video, video->decoder.frame));
        if (seconds < start - NEARLY) continue;
        if (end > 0 && seconds >= end - NEARLY) break;
        if (video->wanted++ % video->options.stride == 0) return 1;
    }
    video->done = 1;
    return 0;
}

/* ------------------------------------------------------------------------------------- opening */

static mrcnn_status read_options(mrcnn_video *video, const char *path,
                                 const mrcnn_video_options *given, mrcnn_error *err) {
    mrcnn_video_options *options = &video->options;
    *options = mrcnn_video_options_default();
    mrcnn_status status =
        mr_take_options(options, sizeof *options, given, "mrcnn_video_options", err);
    if (status != MRCNN_OK) return status;
    if (!path) return mr_fail(err, MRCNN_E_ARGUMENT, "no video is named");
    if (options->channels != 1 && options->channels != 3)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: videos are read in RGB or grey, not with %d channels", path,
                       options->channels);
    if (options->stride < 1 || options->max_pixels < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: stride and max_pixels must be at least 1", path);
    if (!(options->start >= 0) || !(options->end >= 0) ||
        (options->end > 0 && options->end <= options->start))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: start %g s and end %g s: the start must be 0 or later, and the end "
                       "after it",
                       path, options->start, options->end);
    video->path = mr_strdup(path);
    return video->path ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a file name");
}

static void set_time_base(mrcnn_video *video) {
    const int most_ticks = 1000000; /* a second: more is no clock that anything is written with */
    AVRational base = video->decoder.stream->time_base;
    int sane = base.num > 0 && base.den > 0 && av_q2d(base) <= 10;
    /* The clock of the stream is the clock of what is handed out, so that times stay exact. */
    if (!sane || base.den / base.num > most_ticks) base = (AVRational){1, AV_TIME_BASE};
    video->info.time_num = base.num;
    video->info.time_den = base.den;
}

static void set_rate(mrcnn_video *video) {
    AVStream *stream = video->decoder.stream;
    AVRational rate = stream->avg_frame_rate;
    if (rate.num <= 0 || rate.den <= 0)
        rate = av_guess_frame_rate(video->decoder.container.format, stream, NULL);
    video->usual = 1;
    if (rate.num <= 0 || rate.den <= 0) return;
    video->info.rate_num = rate.num;
    video->info.rate_den = rate.den;
    AVRational base = {video->info.time_num, video->info.time_den};
    int64_t usual = av_rescale_q(1, av_inv_q(rate), base);
    if (usual > 1 && seconds_of(video, usual) < LONGEST) video->usual = usual;
}

static void set_length(mrcnn_video *video) {
    const AVFormatContext *format = video->decoder.container.format;
    const AVStream *stream = video->decoder.stream;
    mrcnn_video_info *info = &video->info;
    video->length_is_own = stream->duration > 0 || format->nb_streams == 1;
    if (stream->duration > 0)
        info->seconds = (double)stream->duration * av_q2d(stream->time_base);
    else if (format->duration > 0)
        info->seconds = (double)format->duration / AV_TIME_BASE;
    double rate = info->rate_num > 0 ? (double)info->rate_num / info->rate_den : 0;
    double end =
        video->options.end > 0 && (info->seconds <= 0 || video->options.end < info->seconds)
            ? video->options.end
            : info->seconds;
    double whole = info->seconds, wanted = end - video->options.start;
    double frames = rate * wanted;
    if (stream->nb_frames > 0 && whole > 0) frames = (double)stream->nb_frames * wanted / whole;
    frames = ceil(frames / (double)video->options.stride - 1e-3);
    info->frames = frames >= 1 && frames < 1e15 ? (int64_t)frames : 0;
}

static void set_sound(mrcnn_video *video) {
    const AVFormatContext *format = video->decoder.container.format;
    const AVOutputFormat *mp4 = av_guess_format("mp4", NULL, NULL);
    video->info.sound_fits_mp4 = 1;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *codec = format->streams[i]->codecpar;
        if (!mr_is_sound(format->streams[i])) continue;
        if (!video->info.sound) video->info.sound = avcodec_get_name(codec->codec_id);
        if (!mp4 || avformat_query_codec(mp4, codec->codec_id, FF_COMPLIANCE_NORMAL) != 1)
            video->info.sound_fits_mp4 = 0;
    }
}

static int orientation_of(const AVStream *stream, const AVFrame *frame) {
    const int32_t *matrix = mr_av_display_matrix(stream);
    const AVFrameSideData *own = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    if (!matrix && own && own->size >= 9 * sizeof(int32_t))
        matrix = (const int32_t *)(const void *)own->data;
    return matrix ? mr_orientation_of_matrix(matrix) : 1;
}

static void set_picture(mrcnn_video *video, int orientation) {
    mrcnn_video_info *info = &video->info;
    const AVFrame *frame = video->decoder.frame;
    AVRational aspect = av_guess_sample_aspect_ratio(video->decoder.container.format,
                                                     video->decoder.stream, video->decoder.frame);
    if (aspect.num <= 0 || aspect.den <= 0) aspect = (AVRational){1, 1};
    int turned = orientation >= 5;
    info->orientation = orientation;
    info->width = turned ? frame->height : frame->width;
    info->height = turned ? frame->width : frame->height;
    info->aspect_num = turned ? aspect.den : aspect.num;
    info->aspect_den = turned ? aspect.num : aspect.den;
    info->first = seconds_of(video, video->pts);
    video->color = mr_color_of_frame(frame);
}

static mrcnn_status fail_without_frames(const mrcnn_video *video, mrcnn_error *err) {
    const mrcnn_video_problems *met = &video->problems;
    if (met->last > 0 && (video->options.start > 0 || video->options.end > 0))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: no frame lies between the start and the end that were asked for; its "
                       "frames end at %.3f s",
                       video->path, met->last);
    if (video->decoder.broken > 0)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: none of its frames can be decoded", video->path);
    return mr_fail(err, MRCNN_E_FORMAT, "%s: has no frames", video->path);
}

static mrcnn_status open_video(mrcnn_video *video, mrcnn_error *err) {
    mr_decoder *decoder = &video->decoder;
    mrcnn_status status =
        mr_decoder_open(decoder, video->path, video->options.start, video->options.max_pixels, err);
    if (status != MRCNN_OK) return status;
    set_time_base(video);
    set_rate(video);
    set_length(video);
    set_sound(video);
    int64_t zero = mr_container_zero(&decoder->container, decoder->stream);
    video->zero = mr_av_is_time(zero) ? zero : 0;
    video->info.container = decoder->container.format->iformat->name;
    video->info.codec = avcodec_get_name(decoder->codec->codec_id);
    if (!decode_wanted(video, 1)) return fail_without_frames(video, err);
    video->waiting = 1;
    int orientation = orientation_of(decoder->stream, decoder->frame);
    set_picture(video, orientation);
    return mr_converter_start(&video->converter, decoder->frame, orientation,
                              video->options.max_pixels, video->path, err);
}

mrcnn_status mrcnn_video_open(mrcnn_video **video, const char *path,
                              const mrcnn_video_options *options, mrcnn_error *err) {
    mrcnn_video *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a video");
    made->hushed = mr_av_hush();
    mrcnn_status status = read_options(made, path, options, err);
    if (status == MRCNN_OK) status = open_video(made, err);
    if (status == MRCNN_OK)
        *video = made;
    else
        mrcnn_video_free(&made);
    return status;
}

void mrcnn_video_free(mrcnn_video **video) {
    if (!video || !*video) return;
    mrcnn_video *v = *video;
    mr_converter_stop(&v->converter);
    mr_decoder_close(&v->decoder);
    mr_av_unhush(v->hushed);
    free(v->path);
    free(v);
    *video = NULL;
}

/* -------------------------------------------------------------------------------------- frames */

const mrcnn_video_info *mrcnn_video_describe(const mrcnn_video *video) {
    return &video->info;
}

mr_video_color mr_video_color_of(const mrcnn_video *video) {
    return video->color;
}

/* Up to the next frame that is wanted, but not beyond the end. */
static int64_t shown_for(const mrcnn_video *video, const AVFrame *frame) {
    const mrcnn_video_options *options = &video->options;
    int64_t duration = duration_of(video, frame);
    if (options->stride < 1000000) duration *= options->stride;
    double end = options->end > 0                              ? options->end
                 : options->stride > 1 && video->length_is_own ? video->info.seconds
                                                               : 0;
    double left = (end - seconds_of(video, video->pts)) / seconds_of(video, 1);
    return left >= 1 && left < (double)duration ? (int64_t)(left + 0.5) : duration;
}

mrcnn_status mrcnn_video_next(mrcnn_video *video, mrcnn_frame *frame, int *more, mrcnn_error *err) {
    if (!video->waiting && !decode_wanted(video, 0)) {
        *more = 0;
        return MRCNN_OK;
    }
    const AVFrame *decoded = video->decoder.frame;
    video->waiting = 0;
    int same =
        decoded->width == video->converter.width && decoded->height == video->converter.height;
    mrcnn_status status =
        (int64_t)decoded->width * decoded->height > video->options.max_pixels
            ? mr_fail(err, MRCNN_E_UNSUPPORTED,
                      "%s: it goes on with frames of %d x %d, more than "
                      "the %lld pixels that are allowed",
                      video->path, decoded->width, decoded->height,
                      (long long)video->options.max_pixels)
            : mr_converter_run(&video->converter, decoded, &frame->image, video->path, err);
    if (status == MRCNN_OK && video->options.channels == 1)
        status = mr_image_convert(&frame->image, 1, video->path, err);
    if (status != MRCNN_OK) return status;
    video->problems.rescaled += !same;
    frame->number = video->number;
    frame->pts = video->pts;
    frame->seconds = seconds_of(video, video->pts);
    frame->duration = shown_for(video, decoded);
    *more = 1;
    return MRCNN_OK;
}

/* A container may round its duration; more than this is missing. */
static double tolerance(const mrcnn_video *video) {
    double frame = seconds_of(video, video->usual);
    return fmax(0.5, 3 * frame);
}

mrcnn_video_problems mrcnn_video_check(const mrcnn_video *video) {
    mrcnn_video_problems problems = video->problems;
    problems.broken = video->decoder.broken;
    int at_end = video->done && video->decoder.drained;
    int is_short = video->length_is_own && problems.last < video->info.seconds - tolerance(video);
    problems.cut_short = at_end && (is_short || video->decoder.read_error != 0);
    return problems;
}

/* ----------------------------------------------------------------------------------- recognise */

int mrcnn_video_recognise(const char *path) {
    enum { PROBED = 1 << 18 };
#if LIBAVFORMAT_VERSION_MAJOR >= 59
    const AVInputFormat *format = NULL;
#else
    AVInputFormat *format = NULL;
#endif
    AVIOContext *file = NULL;
    mrcnn_error ignored;
    char *url = path && mr_file_check_plain(path, &ignored) == MRCNN_OK ? mr_av_url(path) : NULL;
    if (!url) return 0;
    int hushed = mr_av_hush(), score = 0;
    if (avio_open2(&file, url, AVIO_FLAG_READ, NULL, NULL) >= 0)
        score = av_probe_input_buffer2(file, &format, "", NULL, 0, PROBED);
    avio_closep(&file);
    mr_av_unhush(hushed);
    free(url);
    /* Single pictures are "videos" of one frame to FFmpeg; text files pass for play lists. */
    return format && score > AVPROBE_SCORE_RETRY && !strstr(format->name, "_pipe") &&
           !strstr(format->name, "image2") && strcmp(format->name, "tty") != 0;
}

#endif
