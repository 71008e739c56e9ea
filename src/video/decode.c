/* decode.c - see decode.h. */
#include "video/decode.h"

#ifdef MRCNN_WITH_VIDEO

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* The same number on every machine, so that what is made of broken packets is, too. */
enum { THREADS = 4 };

/* So many bytes of packets are held back; of streams with hardly any key frames, more is decoded. */
static const int64_t MOST_HELD = (int64_t)64 << 20;

/* ------------------------------------------------------------------------------------- opening */

/* Album covers are video streams to FFmpeg, too. */
static int is_cover(const AVStream *stream) {
    return (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

static mrcnn_status choose_stream(mr_decoder *decoder, const char *path, mrcnn_error *err) {
    AVFormatContext *format = decoder->container.format;
    int best = av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0), sound = 0;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        enum AVMediaType type = format->streams[i]->codecpar->codec_type;
        sound |= type == AVMEDIA_TYPE_AUDIO;
        if (best >= 0 && is_cover(format->streams[best]) && type == AVMEDIA_TYPE_VIDEO)
            best = (int)i;
    }
    if (best < 0 || is_cover(format->streams[best]))
        return mr_fail(err, MRCNN_E_FORMAT, "%s: %s", path,
                       best >= 0 ? "has sound and a cover picture, but no video"
                       : sound   ? "has sound, but no pictures"
                                 : "has no video in it");
    decoder->stream = format->streams[best];
    for (unsigned i = 0; i < format->nb_streams; i++)
        if ((int)i != best) format->streams[i]->discard = AVDISCARD_ALL;
    return MRCNN_OK;
}

static mrcnn_status open_codec(mr_decoder *decoder, const char *path, int64_t max_pixels,
                               mrcnn_error *err) {
    const AVCodecParameters *given = decoder->stream->codecpar;
    if (given->width > 0 && given->height > 0 && (int64_t)given->width * given->height > max_pixels)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: its frames are %d x %d, more than the %lld pixels that are allowed",
                       path, given->width, given->height, (long long)max_pixels);
    const AVCodec *codec = avcodec_find_decoder(given->codec_id);
    if (!codec)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: FFmpeg has no decoder for %s here", path,
                       avcodec_get_name(given->codec_id));
    decoder->codec = avcodec_alloc_context3(codec);
    if (!decoder->codec) return mr_fail_memory(err, sizeof *decoder->codec, path);
    int code = avcodec_parameters_to_context(decoder->codec, given);
    decoder->codec->pkt_timebase = decoder->stream->time_base;
    decoder->codec->thread_count = THREADS;
    decoder->codec->max_pixels = max_pixels;
    if (code >= 0) code = avcodec_open2(decoder->codec, codec, NULL);
    if (code < 0) return mr_av_fail(err, MRCNN_E_FORMAT, path, "its decoder can't begin", code);
    return MRCNN_OK;
}

mrcnn_status mr_decoder_open(mr_decoder *decoder, const char *path, double start,
                             int64_t max_pixels, mrcnn_error *err) {
    mrcnn_status status = mr_container_open(&decoder->container, path, max_pixels, err);
    if (status == MRCNN_OK) status = choose_stream(decoder, path, err);
    if (status == MRCNN_OK) status = open_codec(decoder, path, max_pixels, err);
    if (status != MRCNN_OK) return status;
    decoder->packet = av_packet_alloc();
    decoder->frame = av_frame_alloc();
    if (!decoder->packet || !decoder->frame) return mr_fail_memory(err, sizeof(AVFrame), path);
    decoder->start = AV_NOPTS_VALUE;
    double first = start / av_q2d(decoder->stream->time_base);
    if (start > 0 && first < 1e15)
        decoder->start =
            (int64_t)floor(first) + mr_container_zero(&decoder->container, decoder->stream);
    return MRCNN_OK;
}

static void drop_held(mr_decoder *decoder) {
    for (size_t i = decoder->held_next; i < decoder->held_count; i++)
        av_packet_free(&decoder->held[i]);
    decoder->held_count = decoder->held_next = 0;
    decoder->held_bytes = 0;
}

void mr_decoder_close(mr_decoder *decoder) {
    drop_held(decoder);
    free(decoder->held);
    decoder->held = NULL;
    avcodec_free_context(&decoder->codec);
    av_packet_free(&decoder->packet);
    av_frame_free(&decoder->frame);
    mr_container_close(&decoder->container);
}

/* ------------------------------------------------------------------------------------- packets */

static int64_t time_of(const AVPacket *packet) {
    return packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
}

/* The stream's next packet from the file; 0 at its end. */
static int read_packet(mr_decoder *decoder) {
    enum { MOST_TRIES = 1000 };
    AVPacket *packet = decoder->packet;
    for (int tries = 0; tries < MOST_TRIES;) {
        int code = av_read_frame(decoder->container.format, packet);
        if (code == AVERROR(EAGAIN)) {
            tries++;
        } else if (code < 0) {
            decoder->read_error = code == AVERROR_EOF ? 0 : code;
            return 0;
        } else if (packet->stream_index == decoder->stream->index) {
            int64_t dts = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
            if (!(packet->flags & AV_PKT_FLAG_DISCARD) && time_of(packet) != AV_NOPTS_VALUE)
                mr_frame_numbers_add(&decoder->numbers, time_of(packet), dts);
            return 1;
        } else {
            av_packet_unref(packet);
        }
    }
    decoder->read_error = AVERROR(EAGAIN);
    return 0;
}

/* Puts the packet in hand behind those that are held; 0 without memory. */
static int hold(mr_decoder *decoder) {
    if (decoder->held_count == decoder->held_room) {
        size_t room = decoder->held_room ? 2 * decoder->held_room : 64;
        AVPacket **more = mr_realloc(decoder->held, room, sizeof *more);
        if (!more) return 0;
        decoder->held = more;
        decoder->held_room = room;
    }
    AVPacket *copy = av_packet_alloc();
    if (!copy) return 0;
    av_packet_move_ref(copy, decoder->packet);
    decoder->held[decoder->held_count++] = copy;
    decoder->held_bytes += copy->size;
    return 1;
}

/* Reads up to the start: the packets from the last key frame before it on are held then. */
static void read_up_to_start(mr_decoder *decoder) {
    int64_t start = decoder->start;
    decoder->start = AV_NOPTS_VALUE;
    while (decoder->held_bytes < MOST_HELD && read_packet(decoder)) {
        const AVPacket *packet = decoder->packet;
        int64_t decoded = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
        int arrived = decoded == AV_NOPTS_VALUE || decoded > start;
        if ((packet->flags & AV_PKT_FLAG_KEY) && time_of(packet) <= start) drop_held(decoder);
        if (!hold(decoder) || arrived) return;
    }
}

/* The next packet is in decoder->packet; 0 when there is none. */
static int next_packet(mr_decoder *decoder) {
    if (decoder->start != AV_NOPTS_VALUE) read_up_to_start(decoder);
    if (decoder->held_next == decoder->held_count) return read_packet(decoder);
    AVPacket **oldest = &decoder->held[decoder->held_next++];
    av_packet_move_ref(decoder->packet, *oldest);
    av_packet_free(oldest);
    return 1;
}

/* -------------------------------------------------------------------------------------- frames */

static int is_broken(const AVFrame *frame) {
    return (frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags ||
           frame->width <= 0 || frame->height <= 0 || !frame->data[0];
}

static void feed(mr_decoder *decoder) {
    if (next_packet(decoder)) {
        int code = avcodec_send_packet(decoder->codec, decoder->packet);
        av_packet_unref(decoder->packet);
        decoder->broken += code < 0 && code != AVERROR(EAGAIN) && code != AVERROR_EOF;
    } else {
        avcodec_send_packet(decoder->codec, NULL);
        decoder->drained = 1;
    }
}

int mr_decoder_next(mr_decoder *decoder) {
    for (;;) {
        int code = avcodec_receive_frame(decoder->codec, decoder->frame);
        if (code == 0) {
            if (!is_broken(decoder->frame)) return 1;
            decoder->broken++;
        } else if (code == AVERROR(EAGAIN)) {
            if (decoder->drained) return 0; /* what no decoder should say */
            feed(decoder);
        } else if (code == AVERROR_EOF) {
            return 0;
        } else {
            decoder->broken++;
            if (decoder->drained) return 0; /* else it might say so for ever */
            feed(decoder);
        }
    }
}

#endif
