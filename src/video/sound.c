/* sound.c - see sound.h. The file is opened a second time: so the sound needs nothing of the thread
 * that decodes the pictures. */
#include "video/sound.h"

#ifdef MRCNN_WITH_VIDEO

#include "base/memory.h"

#include <mrcnn/video.h>

#include <stdlib.h>
#include <string.h>

/* Where a stream of the file goes. */
typedef struct track {
    int copied;
    int to;    /* the new file's stream */
    int begun; /* the next two hold */
    int64_t last,
        length;    /* of the packet before: when it begins on the new clock, and how long it is */
    int64_t shift; /* what leaps of its clock have come to */
} track;

struct mr_sound {
    mr_container from;
    AVFormatContext *to;
    double start;
    track *tracks; /* for each stream of `from` */
    AVPacket *packet;
    int waiting; /* the packet has been read and is later than what was asked for so far */
    int ended;
};

int mr_is_sound(const AVStream *stream) {
    const AVCodecParameters *codec = stream->codecpar;
    return codec->codec_type == AVMEDIA_TYPE_AUDIO && codec->codec_id != AV_CODEC_ID_NONE &&
           codec->sample_rate > 0;
}

static mrcnn_status add_stream(mr_sound *sound, unsigned index, const char *path,
                               const char *to_path, mrcnn_error *err) {
    const AVStream *from = sound->from.format->streams[index];
    enum AVCodecID codec = from->codecpar->codec_id;
    int is_mkv = strcmp(sound->to->oformat->name, "matroska") == 0; /* takes nearly everything */
    if (!is_mkv && avformat_query_codec(sound->to->oformat, codec, FF_COMPLIANCE_NORMAL) != 1)
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
    sound->tracks[index] = (track){.copied = 1, .to = to->index};
    return MRCNN_OK;
}

static mrcnn_status open_sound(mr_sound *sound, const char *path, const char *to_path,
                               mrcnn_error *err) {
    const int64_t max_pixels = mrcnn_video_options_default().max_pixels;
    mrcnn_status status = mr_container_open(&sound->from, path, max_pixels, err);
    if (status != MRCNN_OK) return status;
    unsigned count = sound->from.format->nb_streams;
    sound->tracks = mr_calloc(count, sizeof *sound->tracks);
    sound->packet = av_packet_alloc();
    if (!sound->tracks || !sound->packet) return mr_fail_memory(err, count, "sound tracks");
    sound->ended = 1;
    for (unsigned i = 0; i < count && status == MRCNN_OK; i++) {
        AVStream *stream = sound->from.format->streams[i];
        if (mr_is_sound(stream)) {
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

/* A container wants times that rise, also by its own, coarser clock. After a leap the clock goes on from
 * where it was, as that of the pictures does. */
static void place_in_time(track *t, AVPacket *packet, AVRational base) {
    const double forth = 3600; /* seconds that make a leap, as in pictures; back, any do */
    int64_t step = packet->dts + t->shift - t->last;
    if (t->begun && (step < (t->length + 1) / 2 || (double)step * av_q2d(base) >= forth))
        t->shift += t->length - step;
    packet->pts += t->shift;
    packet->dts += t->shift;
    t->begun = 1;
    t->last = packet->dts;
    t->length = packet->duration > 0 ? packet->duration : 1;
}

/* Reads on to the next packet that is copied, and puts it on the new file's clock; 0 at the end. */
static int next_packet(mr_sound *sound) {
    AVPacket *packet = sound->packet;
    while (av_read_frame(sound->from.format, packet) >= 0) {
        const AVStream *stream = sound->from.format->streams[packet->stream_index];
        if (packet->dts == AV_NOPTS_VALUE) packet->dts = packet->pts;
        if (packet->pts == AV_NOPTS_VALUE) packet->pts = packet->dts;
        track *t = &sound->tracks[packet->stream_index];
        if (t->copied && mr_av_is_time(packet->pts) && mr_av_is_time(packet->dts) &&
            packet->size > 0) {
            AVRational base = stream->time_base;
            int64_t start = (int64_t)(sound->start / av_q2d(base) + 0.5);
            int64_t zero = mr_container_zero(&sound->from, stream) + start;
            packet->pts -= zero;
            packet->dts -= zero;
            packet->pos = -1;
            place_in_time(t, packet, base);
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
        AVStream *to = sound->to->streams[sound->tracks[packet->stream_index].to];
        packet->stream_index = to->index;
        av_packet_rescale_ts(packet, base, to->time_base);
        sound->waiting = 0;
        int code = mr_av_put_packet(sound->to, packet);
        if (code < 0) return code;
    }
    return 0;
}

void mr_sound_free(mr_sound **sound) {
    if (!sound || !*sound) return;
    mr_container_close(&(*sound)->from);
    av_packet_free(&(*sound)->packet);
    free((*sound)->tracks);
    free(*sound);
    *sound = NULL;
}

#endif
