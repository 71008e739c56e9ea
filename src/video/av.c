/* av.c - see av.h. */
#include "video/av.h"

#ifdef MRCNN_WITH_VIDEO

#include "base/memory.h"

#include <pthread.h>

mrcnn_status mr_av_fail(mrcnn_error *err, mrcnn_status status, const char *path, const char *what,
                        int code) {
    char reason[AV_ERROR_MAX_STRING_SIZE] = "unknown error";
    av_strerror(code, reason, sizeof reason);
    if (code == AVERROR(ENOMEM)) status = MRCNN_E_MEMORY;
    if (code == AVERROR(EIO) || code == AVERROR(ENOSPC) || code == AVERROR(EFBIG) ||
        code == AVERROR(ENOENT) || code == AVERROR(EACCES) || code == AVERROR(EPERM))
        status = MRCNN_E_IO;
    return mr_fail(err, status, "%s: %s: %s", path, what, reason);
}

/* How many readers and writers there are, so that the last one restores the level. */
static pthread_mutex_t hush_mutex = PTHREAD_MUTEX_INITIALIZER;
static int hushed;

int mr_av_hush(void) {
    pthread_mutex_lock(&hush_mutex);
    int took_part = hushed > 0 || av_log_get_level() == AV_LOG_INFO;
    if (took_part && hushed++ == 0) av_log_set_level(AV_LOG_QUIET);
    pthread_mutex_unlock(&hush_mutex);
    return took_part;
}

void mr_av_unhush(int took_part) {
    pthread_mutex_lock(&hush_mutex);
    if (took_part && --hushed == 0 && av_log_get_level() == AV_LOG_QUIET)
        av_log_set_level(AV_LOG_INFO);
    pthread_mutex_unlock(&hush_mutex);
}

static int is_refusal(const AVFormatContext *format, int code) {
    return (code == AVERROR(EINVAL) || code == AVERROR_INVALIDDATA ||
            code == AVERROR_PATCHWELCOME) &&
           format->pb->error >= 0;
}

/* Of those that wait, a refused one is not the last. */
int mr_av_put_packet(AVFormatContext *format, AVPacket *packet) {
    enum { MOST_WAITING = 100000 };
    int code = av_interleaved_write_frame(format, packet);
    for (int i = 0; i < MOST_WAITING && !packet && is_refusal(format, code); i++)
        code = av_interleaved_write_frame(format, NULL);
    if (is_refusal(format, code)) code = 0;
    return code >= 0 && format->pb->error < 0 ? format->pb->error : code;
}

char *mr_av_url(const char *path) {
    return mr_format("file:%s", path);
}

int mr_av_is_time(int64_t stamp) {
    const int64_t far_away = INT64_MAX / 4; /* AV_NOPTS_VALUE is further */
    return stamp < far_away && stamp > -far_away;
}

int64_t mr_av_duration(const AVFrame *frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    return frame->duration;
#else
    return frame->pkt_duration;
#endif
}

const int32_t *mr_av_display_matrix(const AVStream *stream) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVPacketSideData *data =
        av_packet_side_data_get(stream->codecpar->coded_side_data,
                                stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return data && data->size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)data->data
                                                     : NULL;
#else
#if LIBAVFORMAT_VERSION_MAJOR >= 59
    size_t size = 0;
#else
    int size = 0;
#endif
    const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return data && (size_t)size >= 9 * sizeof(int32_t) ? (const int32_t *)(const void *)data : NULL;
#endif
}

#endif
