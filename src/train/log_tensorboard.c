/* log_tensorboard.c - see log.h. Events are protobuf messages (tensorboard.proto) in TFRecord
 * frames: length as 8 bytes, its checksum, the message, its checksum; all little-endian.
 */
#include "train/log.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/crc32c.h"
#include "train/tensorboard.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FRAME_HEAD = 12, /* length and its checksum */
    FRAME_TAIL = 4,
    FIGURES = 8, /* of an evaluation */
    MOST_TAGS = 2 * (1 + MR_LOSS_COUNT) + 1 + FIGURES + MR_MAX_EVAL_IMAGES,
    TAG = 32,
    MOST_TRIES = 1000 /* files of one folder that begin within seconds of another */
};

struct mr_tensorboard {
    char *path;
    int fd;
};

/* -------------------------------------------------------------------------------------- frames */

static void put_little_endian(unsigned char *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(value >> 8 * i);
}

static mrcnn_status fail_errno(const mr_tensorboard *log, const char *what, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_IO, "%s: can't %s: %s", log->path, what, strerror(errno));
}

/* TensorBoard stops at a frame that is not whole: one that does not fit is taken back. */
static mrcnn_status write_frame(mr_tensorboard *log, const unsigned char *frame, size_t length,
                                mrcnn_error *err) {
    off_t before = lseek(log->fd, 0, SEEK_END);
    for (size_t done = 0; done < length;) {
        ssize_t n = write(log->fd, frame + done, length - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            int error = n < 0 ? errno : ENOSPC;
            int taken_back = before >= 0 && ftruncate(log->fd, before) == 0;
            errno = error;
            return fail_errno(log, taken_back ? "write to it" : "write more than half an event",
                              err);
        }
        done += (size_t)n;
    }
    return MRCNN_OK;
}

static mrcnn_status write_event(mr_tensorboard *log, const Mrcnn__TensorboardEvent *event,
                                mrcnn_error *err) {
    size_t length = mrcnn__tensorboard_event__get_packed_size(event);
    unsigned char *frame = mr_calloc(FRAME_HEAD + length + FRAME_TAIL, 1);
    if (!frame) return mr_fail_memory(err, length, "an event of the log");
    unsigned char *message = frame + FRAME_HEAD;
    put_little_endian(frame, length, 8);
    put_little_endian(frame + 8, mr_crc32c_masked(frame, 8), 4);
    mrcnn__tensorboard_event__pack(event, message);
    put_little_endian(message + length, mr_crc32c_masked(message, length), 4);
    mrcnn_status status = write_frame(log, frame, FRAME_HEAD + length + FRAME_TAIL, err);
    free(frame);
    return status;
}

/* ------------------------------------------------------------------------------------- opening */

static mrcnn_status make_file(mr_tensorboard *log, const char *folder, int64_t now,
                              mrcnn_error *err) {
    char host[256] = "localhost";
    if (gethostname(host, sizeof host - 1) != 0) strcpy(host, "localhost");
    for (char *p = host; *p; p++)
        if (*p == '/') *p = '_';
    for (int i = 0; i < MOST_TRIES; i++) {
        free(log->path);
        log->path =
            mr_format("%s/events.out.tfevents.%010lld.%s", folder, (long long)now + i, host);
        if (!log->path) return mr_fail_memory(err, strlen(folder), "a file name");
        log->fd = open(log->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
        if (log->fd >= 0) return MRCNN_OK;
        if (errno != EEXIST) break;
    }
    return fail_errno(log, "write this log", err);
}

/* What every event file begins with. */
static mrcnn_status write_start(mr_tensorboard *log, int64_t now, int64_t resumed_epoch,
                                mrcnn_error *err) {
    Mrcnn__TensorboardEvent event = MRCNN__TENSORBOARD_EVENT__INIT;
    char version[] = "brain.Event:2";
    event.wall_time = (double)now;
    event.what_case = MRCNN__TENSORBOARD_EVENT__WHAT_FILE_VERSION;
    event.file_version = version;
    mrcnn_status status = write_event(log, &event, err);
    if (status != MRCNN_OK || resumed_epoch <= 0) return status;
    Mrcnn__TensorboardSession session = MRCNN__TENSORBOARD_SESSION__INIT;
    session.status = MRCNN__TENSORBOARD_SESSION__STATUS__START;
    event.step = resumed_epoch;
    event.what_case = MRCNN__TENSORBOARD_EVENT__WHAT_SESSION_LOG;
    event.session_log = &session;
    return write_event(log, &event, err);
}

mrcnn_status mr_tensorboard_open(mr_tensorboard **log, const char *folder, int64_t now,
                                 int64_t resumed_epoch, mrcnn_error *err) {
    mr_tensorboard *fresh = mr_calloc(1, sizeof *fresh);
    if (!fresh) return mr_fail_memory(err, sizeof *fresh, "a log");
    fresh->fd = -1;
    mrcnn_status status = make_file(fresh, folder, now, err);
    if (status == MRCNN_OK) {
        status = write_start(fresh, now, resumed_epoch, err);
        if (status != MRCNN_OK) unlink(fresh->path);
    }
    if (status == MRCNN_OK)
        *log = fresh;
    else
        mr_tensorboard_close(&fresh);
    return status;
}

void mr_tensorboard_close(mr_tensorboard **log) {
    if (!log || !*log) return;
    if ((*log)->fd >= 0) close((*log)->fd);
    free((*log)->path);
    free(*log);
    *log = NULL;
}

/* -------------------------------------------------------------------------------------- epochs */

/* The values of one event and the memory for them. */
typedef struct summary {
    size_t count;
    Mrcnn__TensorboardSummary__Value values[MOST_TAGS];
    Mrcnn__TensorboardSummary__Value *list[MOST_TAGS];
    char tags[MOST_TAGS][TAG];
    Mrcnn__TensorboardSummary__Image images[MR_MAX_EVAL_IMAGES];
} summary;

static Mrcnn__TensorboardSummary__Value *put_value(summary *s, const char *prefix,
                                                   const char *tag) {
    size_t i = s->count++;
    snprintf(s->tags[i], TAG, "%s%s", prefix, tag);
    mrcnn__tensorboard_summary__value__init(&s->values[i]);
    s->values[i].tag = s->tags[i];
    s->list[i] = &s->values[i];
    return s->list[i];
}

static void put_scalar(summary *s, const char *prefix, const char *tag, double value) {
    Mrcnn__TensorboardSummary__Value *v = put_value(s, prefix, tag);
    v->value_case = MRCNN__TENSORBOARD_SUMMARY__VALUE__VALUE_SIMPLE_VALUE;
    v->simple_value = (float)value;
}

/* A figure about no object is left out: TensorBoard would draw its -1. */
static void put_figure(summary *s, const char *prefix, const char *tag, double value) {
    if (value >= 0) put_scalar(s, prefix, tag, value);
}

static void put_figures(summary *s, const char *prefix, const mrcnn_figures *figures) {
    put_figure(s, prefix, "ap", figures->ap);
    put_figure(s, prefix, "ap50", figures->ap50);
    put_figure(s, prefix, "ap75", figures->ap75);
}

static void put_evaluation(summary *s, const mr_log_evaluation *evaluation) {
    put_figures(s, "bbox_", &evaluation->bbox);
    put_figures(s, "segm_", &evaluation->segm);
    put_figure(s, "", "picture_map50", evaluation->picture_map50);
    put_figure(s, "", "picture_map", evaluation->picture_map);
}

static void put_images(summary *s, const mr_log_epoch *epoch) {
    enum { RGB = 3 };
    for (size_t i = 0; i < epoch->image_count; i++) {
        const mr_log_image *from = &epoch->images[i];
        Mrcnn__TensorboardSummary__Image *image = &s->images[i];
        char number[16];
        mrcnn__tensorboard_summary__image__init(image);
        image->height = from->height;
        image->width = from->width;
        image->colorspace = RGB;
        image->encoded_image_string = (ProtobufCBinaryData){from->length, from->png};
        snprintf(number, sizeof number, "%d", from->number);
        Mrcnn__TensorboardSummary__Value *v = put_value(s, "validation/", number);
        v->value_case = MRCNN__TENSORBOARD_SUMMARY__VALUE__VALUE_IMAGE;
        v->image = image;
    }
}

static void put_losses(summary *s, const char *prefix, const mr_log_losses *losses) {
    put_scalar(s, prefix, "loss", losses->loss);
    for (int i = 0; i < MR_LOSS_COUNT; i++)
        put_scalar(s, prefix, mr_loss_names[i], losses->parts[i]);
}

mrcnn_status mr_tensorboard_epoch(mr_tensorboard *log, const mr_log_epoch *epoch, double wall_time,
                                  mrcnn_error *err) {
    summary s = {.count = 0};
    put_losses(&s, "", &epoch->losses);
    if (epoch->validated) put_losses(&s, "val_", &epoch->validation);
    put_scalar(&s, "", "lr", epoch->learning_rate);
    if (epoch->evaluated) put_evaluation(&s, &epoch->evaluation);
    put_images(&s, epoch);
    Mrcnn__TensorboardSummary values = MRCNN__TENSORBOARD_SUMMARY__INIT;
    values.n_value = s.count;
    values.value = s.list;
    Mrcnn__TensorboardEvent event = MRCNN__TENSORBOARD_EVENT__INIT;
    event.wall_time = wall_time;
    event.step = epoch->epoch - 1;
    event.what_case = MRCNN__TENSORBOARD_EVENT__WHAT_SUMMARY;
    event.summary = &values;
    return write_event(log, &event, err);
}
