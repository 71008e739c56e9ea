/* log.c - see log.h: both logs of a run together. */
#include "train/log.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double wall_time(void) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

mrcnn_status mr_log_open(mr_log *log, const char *folder, int64_t resumed_step,
                         int64_t resumed_epoch, mrcnn_error *err) {
    mr_log fresh = {NULL, NULL};
    char *path = mr_format("%s/log.jsonl", folder);
    if (!path) return mr_fail_memory(err, strlen(folder), "a file name");
    mrcnn_status status = mr_jsonl_open(&fresh.jsonl, path, resumed_step, err);
    free(path);
    if (status == MRCNN_OK)
        status = mr_tensorboard_open(&fresh.tensorboard, folder, (int64_t)wall_time(),
                                     resumed_epoch, err);
    if (status == MRCNN_OK)
        *log = fresh;
    else
        mr_log_close(&fresh);
    return status;
}

mrcnn_status mr_log_add_step(mr_log *log, const mr_log_step *step, mrcnn_error *err) {
    return mr_jsonl_step(log->jsonl, step, err);
}

mrcnn_status mr_log_add_epoch(mr_log *log, const mr_log_epoch *epoch, mrcnn_error *err) {
    mrcnn_status status = mr_jsonl_epoch(log->jsonl, epoch, err);
    if (status != MRCNN_OK) return status;
    return mr_tensorboard_epoch(log->tensorboard, epoch, wall_time(), err);
}

void mr_log_free_images(mr_log_epoch *epoch) {
    for (size_t i = 0; i < epoch->image_count; i++) free(epoch->images[i].png);
    epoch->image_count = 0;
}

void mr_log_close(mr_log *log) {
    mr_jsonl_close(&log->jsonl);
    mr_tensorboard_close(&log->tensorboard);
}
