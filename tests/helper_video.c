/* helper_video.c - see helper_video.h. */
#include "helper_video.h"

#include "helper_assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_bytes(FILE *file, int byte, int count) {
    for (int i = 0; i < count; i++) fputc(byte, file);
}

void video_y4m(const char *path, int width, int height, const char *header, int frames, int first,
               int step) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "YUV4MPEG2 W%d H%d %s\n", width, height, header);
    int chroma = (width + 1) / 2 * ((height + 1) / 2);
    for (int i = 0; i < frames; i++) {
        fputs("FRAME\n", file);
        put_bytes(file, first + i * step, width * height);
        put_bytes(file, 128, 2 * chroma);
    }
    assert_int_equal(fclose(file), 0);
}

void video_y4m_color(const char *path, int width, int height, const char *more, int y, int u,
                     int v) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "YUV4MPEG2 W%d H%d F10:1 C444%s\nFRAME\n", width, height, more);
    put_bytes(file, y, width * height);
    put_bytes(file, u, width * height);
    put_bytes(file, v, width * height);
    assert_int_equal(fclose(file), 0);
}

#ifdef MRCNN_WITH_VIDEO

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

static uint64_t checksum(const uint8_t *bytes, int count) {
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < count; i++) hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static void insert(video_packets *p, double time, uint64_t bytes) {
    int at = p->count++;
    assert_true(at < VIDEO_MOST_PACKETS);
    for (; at > 0 && p->times[at - 1] > time; at--) {
        p->times[at] = p->times[at - 1];
        p->bytes[at] = p->bytes[at - 1];
    }
    p->times[at] = time;
    p->bytes[at] = bytes;
}

int video_read_packets(video_packets *p, const char *path, int sound) {
    AVFormatContext *format = NULL;
    AVPacket *packet = av_packet_alloc();
    memset(p, 0, sizeof *p);
    assert_int_equal(avformat_open_input(&format, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(format, NULL) >= 0);
    int index = av_find_best_stream(format, sound ? AVMEDIA_TYPE_AUDIO : AVMEDIA_TYPE_VIDEO, -1, -1,
                                    NULL, 0);
    if (index >= 0) {
        const AVStream *stream = format->streams[index];
        snprintf(p->codec, sizeof p->codec, "%s", avcodec_get_name(stream->codecpar->codec_id));
        p->width = stream->codecpar->width;
        p->height = stream->codecpar->height;
        p->matrix = (int)stream->codecpar->color_space;
        p->seconds = (double)stream->duration * av_q2d(stream->time_base);
        while (av_read_frame(format, packet) >= 0) {
            if (packet->stream_index == index)
                insert(p, (double)packet->pts * av_q2d(stream->time_base),
                       checksum(packet->data, packet->size));
            av_packet_unref(packet);
        }
        if (p->count) {
            p->first = p->times[0];
            p->last = p->times[p->count - 1];
        }
    }
    av_packet_free(&packet);
    avformat_close_input(&format);
    return index >= 0;
}

#endif
