/* container.c - see container.h. */
#include "video/container.h"

#ifdef MRCNN_WITH_VIDEO

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Play lists and their like name other files, which need not be the user's to read. */
static int refuse_to_open(AVFormatContext *format, AVIOContext **file, const char *url, int flags,
                          AVDictionary **options) {
    (void)format, (void)file, (void)url, (void)flags, (void)options;
    return AVERROR(EPERM);
}

static mrcnn_status check_file(const char *path, mrcnn_error *err) {
    struct stat info;
    if (stat(path, &info) != 0)
        return mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", path, strerror(errno));
    mrcnn_status status = mr_file_check_plain(path, err);
    if (status == MRCNN_OK && info.st_size == 0)
        status = mr_fail(err, MRCNN_E_FORMAT, "%s: is empty (0 bytes)", path);
    return status;
}

/* To know what a stream is, FFmpeg decodes a little of it. */
static int find_streams(AVFormatContext *format, int64_t max_pixels) {
    unsigned count = format->nb_streams;
    AVDictionary **limits = mr_calloc(count, sizeof *limits);
    if (!limits) return AVERROR(ENOMEM);
    for (unsigned i = 0; i < count; i++) av_dict_set_int(&limits[i], "max_pixels", max_pixels, 0);
    int code = avformat_find_stream_info(format, limits);
    for (unsigned i = 0; i < count; i++) av_dict_free(&limits[i]);
    free(limits);
    return code;
}

static mrcnn_status open_format(mr_container *container, const char *path, const char *url,
                                int64_t max_pixels, mrcnn_error *err) {
    int code = avio_open2(&container->file, url, AVIO_FLAG_READ, NULL, NULL);
    if (code < 0) return mr_av_fail(err, MRCNN_E_IO, path, "can't open it", code);
    container->format = avformat_alloc_context();
    if (!container->format) return mr_fail_memory(err, sizeof *container->format, path);
    container->format->pb = container->file;
    container->format->io_open = refuse_to_open;
    /* Frees the context on failure, and not the file, which is ours. */
    code = avformat_open_input(&container->format, url, NULL, NULL);
    if (code == AVERROR(EPERM))
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: is a list of other files, which are not opened: name them instead",
                       path);
    if (code < 0)
        return mr_av_fail(err, MRCNN_E_FORMAT, path, "can't be read as a video (is it whole?)",
                          code);
    code = find_streams(container->format, max_pixels);
    if (code < 0) return mr_av_fail(err, MRCNN_E_FORMAT, path, "nothing can be read of it", code);
    return MRCNN_OK;
}

mrcnn_status mr_container_open(mr_container *container, const char *path, int64_t max_pixels,
                               mrcnn_error *err) {
    mrcnn_status status = check_file(path, err);
    if (status != MRCNN_OK) return status;
    char *url = mr_av_url(path);
    if (!url) return mr_fail_memory(err, strlen(path), "a file name");
    status = open_format(container, path, url, max_pixels, err);
    free(url);
    if (status != MRCNN_OK)
        mr_container_close(container);
    else if (container->format->start_time != AV_NOPTS_VALUE)
        container->zero = container->format->start_time;
    return status;
}

void mr_container_close(mr_container *container) {
    avformat_close_input(&container->format);
    avio_closep(&container->file);
    container->zero = 0;
}

int64_t mr_container_zero(const mr_container *container, const AVStream *stream) {
    return av_rescale_q(container->zero, AV_TIME_BASE_Q, stream->time_base);
}

#endif
