/* encode.c - see encode.h. */
#include "video/encode.h"

#ifdef MRCNN_WITH_VIDEO

#include <libavutil/opt.h>
#include <string.h>

/* The same number on every machine, as the bytes depend on it. */
enum { THREADS = 4 };

/* MPEG-4 counts time in at most so many parts of a second. */
enum { MPEG4_TICKS = 65535 };

/* ------------------------------------------------------------------------------------- opening */

static void set_quality(AVCodecContext *codec, int quality) {
    char text[16];
    snprintf(text, sizeof text, "%d", quality);
    if (codec->priv_data && av_opt_set(codec->priv_data, "crf", text, 0) >= 0) {
        /* The network wants the cores, too. */
        av_opt_set(codec->priv_data, "preset", "veryfast", 0);
        return;
    }
    /* Quantisers of MPEG-4 go from 1 to 31, and 20 of 51 is about 3 of them. */
    int quantiser = quality < 8    ? 1
                    : quality < 36 ? (quality - 8) / 6 + 1
                                   : (quality - 36) * 25 / 15 + 6;
    codec->flags |= AV_CODEC_FLAG_QSCALE;
    codec->global_quality = FF_QP2LAMBDA * quantiser;
    /* For encoders that know neither: bits for each pixel and second. */
    codec->bit_rate = (int64_t)codec->width * codec->height * 3;
}

static AVRational usable_time_base(const AVCodec *codec, AVRational wanted) {
    AVRational coarse = {1, 60000};
    return codec->id == AV_CODEC_ID_MPEG4 && wanted.den > MPEG4_TICKS ? coarse : wanted;
}

/* An encoder that is named in FFmpeg may still fail to open, for want of a library or a device. */
static int open_codec(mr_encoder *encoder, const AVFormatContext *format, const AVCodec *codec,
                      const mr_encoder_options *options) {
    AVCodecContext *context = avcodec_alloc_context3(codec);
    if (!context) return AVERROR(ENOMEM);
    context->width = options->width + options->width % 2;
    context->height = options->height + options->height % 2;
    context->pix_fmt = AV_PIX_FMT_YUV420P;
    context->time_base = usable_time_base(codec, options->time_base);
    context->framerate = options->rate;
    context->sample_aspect_ratio = options->aspect;
    context->colorspace = options->color.matrix;
    context->color_primaries = options->color.primaries;
    context->color_trc = options->color.transfer;
    context->color_range = AVCOL_RANGE_MPEG;
    context->chroma_sample_location = AVCHROMA_LOC_LEFT;
    context->thread_count = THREADS;
    if (format->oformat->flags & AVFMT_GLOBALHEADER) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    set_quality(context, options->quality);
    int code = avcodec_open2(context, codec, NULL);
    if (code < 0)
        avcodec_free_context(&context);
    else
        encoder->codec = context;
    return code;
}

static mrcnn_status choose_codec(mr_encoder *encoder, const AVFormatContext *format,
                                 const mr_encoder_options *options, const char *path,
                                 mrcnn_error *err) {
    static const char *const names[] = {"libx264", "libopenh264", "mpeg4"};
    int code = AVERROR_ENCODER_NOT_FOUND;
    if (options->name) {
        const AVCodec *codec = avcodec_find_encoder_by_name(options->name);
        if (!codec || codec->type != AVMEDIA_TYPE_VIDEO)
            return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: FFmpeg has no video encoder %s here",
                           path, options->name);
        code = open_codec(encoder, format, codec, options);
    }
    for (size_t i = 0; !options->name && code < 0 && i < sizeof names / sizeof *names; i++) {
        const AVCodec *codec = avcodec_find_encoder_by_name(names[i]);
        if (codec) code = open_codec(encoder, format, codec, options);
    }
    if (code >= 0) return MRCNN_OK;
    char what[128];
    snprintf(what, sizeof what, "no encoder takes frames of %d x %d", options->width,
             options->height);
    return mr_av_fail(err, MRCNN_E_UNSUPPORTED, path, what, code);
}

static int make_frame(AVFrame **frame, enum AVPixelFormat format, const AVCodecContext *codec) {
    *frame = av_frame_alloc();
    if (!*frame) return AVERROR(ENOMEM);
    (*frame)->format = format;
    (*frame)->width = codec->width;
    (*frame)->height = codec->height;
    return av_frame_get_buffer(*frame, 0);
}

static int make_frames(mr_encoder *encoder) {
    const AVCodecContext *codec = encoder->codec;
    int code = make_frame(&encoder->rgb, AV_PIX_FMT_RGB24, codec);
    if (code >= 0) code = make_frame(&encoder->yuv, codec->pix_fmt, codec);
    if (code < 0) return code;
    encoder->yuv->colorspace = codec->colorspace;
    encoder->yuv->color_primaries = codec->color_primaries;
    encoder->yuv->color_trc = codec->color_trc;
    encoder->yuv->color_range = codec->color_range;
    encoder->sws = sws_getContext(
        codec->width, codec->height, AV_PIX_FMT_RGB24, codec->width, codec->height, codec->pix_fmt,
        SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, NULL, NULL, NULL);
    if (!encoder->sws) return AVERROR(ENOMEM);
    const int *table = mr_color_table(codec->colorspace);
    sws_setColorspaceDetails(encoder->sws, table, 1, table, 0, 0, 1 << 16, 1 << 16);
    return 0;
}

mrcnn_status mr_encoder_open(mr_encoder *encoder, const AVFormatContext *format,
                             const mr_encoder_options *options, const char *path,
                             mrcnn_error *err) {
    mrcnn_status status = choose_codec(encoder, format, options, path, err);
    if (status != MRCNN_OK) return status;
    int code = make_frames(encoder);
    return code >= 0 ? MRCNN_OK : mr_av_fail(err, MRCNN_E_MEMORY, path, "frames to encode", code);
}

void mr_encoder_close(mr_encoder *encoder) {
    avcodec_free_context(&encoder->codec);
    av_frame_free(&encoder->rgb);
    av_frame_free(&encoder->yuv);
    sws_freeContext(encoder->sws);
    encoder->sws = NULL;
}

/* -------------------------------------------------------------------------------------- frames */

static void copy_row(uint8_t *to, const uint8_t *from, int32_t width, int32_t channels) {
    if (channels == 3)
        memcpy(to, from, 3 * (size_t)width);
    else
        for (int32_t x = 0; x < width; x++) memset(to + 3 * x, from[x], 3);
}

/* Into a frame whose sides are even: what is missing repeats the last column and row. */
static void copy_picture(AVFrame *frame, const mrcnn_image *image) {
    size_t stride = (size_t)frame->linesize[0], row = (size_t)image->width * image->channels;
    for (int32_t y = 0; y < image->height; y++) {
        uint8_t *to = frame->data[0] + (size_t)y * stride;
        copy_row(to, image->pixels + (size_t)y * row, image->width, image->channels);
        if (frame->width > image->width)
            memcpy(to + 3 * image->width, to + 3 * image->width - 3, 3);
    }
    if (frame->height > image->height) {
        uint8_t *last = frame->data[0] + (size_t)image->height * stride;
        memcpy(last, last - stride, 3 * (size_t)frame->width);
    }
}

int mr_encoder_send(mr_encoder *encoder, const mrcnn_image *image, int64_t pts) {
    copy_picture(encoder->rgb, image);
    int code = av_frame_make_writable(encoder->yuv);
    if (code < 0) return code;
    sws_scale(encoder->sws, (const uint8_t *const *)encoder->rgb->data, encoder->rgb->linesize, 0,
              encoder->rgb->height, encoder->yuv->data, encoder->yuv->linesize);
    encoder->yuv->pts = pts;
    if (encoder->codec->flags & AV_CODEC_FLAG_QSCALE)
        encoder->yuv->quality = encoder->codec->global_quality;
    return avcodec_send_frame(encoder->codec, encoder->yuv);
}

#endif
