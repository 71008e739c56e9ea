/* sound.c - see sound.h. The file is opened a second time: so the sound needs nothing of the thread
 * that decodes the pictures. */
#include "video/sound.h"

#ifdef MRCNN_WITH_VIDEO

#include "base/memory.h"

#include <stdlib.h>

struct mr_sound {
    mr_container from;
    AVFormatContext *to;
    double start;
    int *streams; /* of `to`, for each of `from`; -1: not copied */
    AVPacket *packet;
    int waiting; /* the packet has been read and is later than what was asked for so far */
    int ended;
};

static mrcnn_status add_stream(mr_sound *sound, unsigned index, const char *path,
                               const char *to_path, mrcnn_error *err) {
    const AVStream *from = sound->from.format->streams[index];
    enum AVCodecID codec = from->codecpar->codec_id;
    if (avformat_query_codec(sound->to->oformat, codec, FF_COMPLIANCE_NORMAL) != 1)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: this container can't hold the sound of %s (%s): write .mkv instead",
                       to_path, path, avcodec_get_name(codec));
    AVStream *to = avformat_new_stream(sound->to, NULL);
    if (!to || avcodec_parameters_copy(to->codecpar, from->codecpar) < 0)
        return mr_fail_memory(err, sizeof *to, "a sound track");
    to->codecpar->codec_tag = 0; /* that of the other container */
    to->time_base = from->time_base;
    to->disposition = from->disposition;
    av_dict_copy(&to->metadata, from->metadata, 0); /* the language */
    sound->streams[index] = to->index;
    return MRCNN_OK;
}

static mrcnn_status open_sound(mr_sound *sound, const char *path, const char *to_path,
                               mrcnn_error *err) {
    mrcnn_status status = mr_container_open(&sound->from, path, err);
    if (status != MRCNN_OK) return status;
    unsigned count = sound->from.format->nb_streams;
    sound->streams = mr_calloc(count, sizeof *sound->streams);
    sound->packet = av_packet_alloc();
    if (!sound->streams || !sound->packet) return mr_fail_memory(err, count, "sound tracks");
    sound->ended = 1;
    for (unsigned i = 0; i < count; i++) sound->streams[i] = -1;
    for (unsigned i = 0; i < count && status == MRCNN_OK; i++) {
        AVStream *stream = sound->from.format->streams[i];
        if (stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
            status = add_stream(sound, i, path, to_path, err);
            sound->ended = 0;
        } else {
            stream->discard = AVDISCARD_ALL;
        }
    }
    return status;
}

mrcnn_status mr_sound_open(mr_sound **sound, const char *path, AVFormatContext *to,
                           const char *to_path, double start, mrcnn_error *err) {
    mr_sound *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "sound");
    made->to = to;
    made->start = start;
    mrcnn_status status = open_sound(made, path, to_path, err);
    if (status == MRCNN_OK && !made->ended)
        *sound = made;
    else
        mr_sound_free(&made);
    return status;
}

/* Reads on to the next packet that is copied, and puts it on the new file's clock; 0 at the end. */
static int next_packet(mr_sound *sound) {
    AVPacket *packet = sound->packet;
    while (av_read_frame(sound->from.format, packet) >= 0) {
        const AVStream *stream = sound->from.format->streams[packet->stream_index];
        if (packet->dts == AV_NOPTS_VALUE) packet->dts = packet->pts;
        if (packet->pts == AV_NOPTS_VALUE) packet->pts = packet->dts;
        int usable = packet->pts != AV_NOPTS_VALUE && sound->streams[packet->stream_index] >= 0 &&
                     packet->size > 0;
        if (usable) {
            AVRational base = stream->time_base;
            int64_t start = (int64_t)(sound->start / av_q2d(base) + 0.5);
            int64_t zero = mr_container_zero(&sound->from, stream) + start;
            packet->pts -= zero;
            packet->dts -= zero;
            packet->pos = -1;
            if (sound->start <= 0 || packet->pts + packet->duration > 0) return 1;
        }
        av_packet_unref(packet);
    }
    return 0;
}

int mr_sound_copy(mr_sound *sound, double seconds) {
    while (!sound->ended) {
        if (!sound->waiting && !next_packet(sound)) {
            sound->ended = 1;
            break;
        }
        sound->waiting = 1;
        AVPacket *packet = sound->packet;
        AVRational base = sound->from.format->streams[packet->stream_index]->time_base;
        if ((double)packet->pts * av_q2d(base) >= seconds) break;
        AVStream *to = sound->to->streams[sound->streams[packet->stream_index]];
        packet->stream_index = to->index;
        av_packet_rescale_ts(packet, base, to->time_base);
        sound->waiting = 0;
        int code = av_interleaved_write_frame(sound->to, packet);
        if (code < 0) return code;
    }
    return 0;
}

void mr_sound_free(mr_sound **sound) {
    if (!sound || !*sound) return;
    mr_container_close(&(*sound)->from);
    av_packet_free(&(*sound)->packet);
    free((*sound)->streams);
    free(*sound);
    *sound = NULL;
}

#endif
