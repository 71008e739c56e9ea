/* log.h - what a training wrote down: log.jsonl in a run's folder, read back as columns of numbers.
 *
 *     mrcnn_log *log = NULL;
 *     if (mrcnn_log_read(&log, "logs/balloon20261121T0356", &err) == MRCNN_OK) {
 *         const double *epoch = mrcnn_log_column(log, "epoch", "epoch");
 *         const double *loss = mrcnn_log_column(log, "epoch", "val_loss");
 *         for (size_t i = 0; loss && i < mrcnn_log_rows(log, "epoch"); i++)
 *             printf("%g %g\n", epoch[i], loss[i]);
 *     }
 *     mrcnn_log_free(&log);
 *
 * A line of the file is a JSON object and becomes a row of the table that its "kind" names ("epoch");
 * lines without one are steps. Each key that has a number in any row is a column; where a row lacks it,
 * or has null (training writes that for what is not finite), it is NaN. Members of an object within a
 * line have names such as "bbox.ap". docs/training.md lists what training writes.
 *
 * Where steps come again, because training was resumed from an earlier one, the later lines count. */
#ifndef MRCNN_LOG_H
#define MRCNN_LOG_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mrcnn_log mrcnn_log;

/* Reads a log.jsonl, or the one in a run's folder. Lines that can't be used (cut off, no JSON, no
 * object with a "step") are left out and counted; a file without a line that can be used is
 * MRCNN_E_FORMAT. A file that a training still writes to may be read. */
MRCNN_API mrcnn_status mrcnn_log_read(mrcnn_log **log, const char *path, mrcnn_error *err);
MRCNN_API void mrcnn_log_free(mrcnn_log **log);

/* The name of the run: its folder's, or the file's where that says nothing. */
MRCNN_API const char *mrcnn_log_name(const mrcnn_log *log);

/* Kinds of lines in the order of their first ones: "step", "epoch", ...; NULL past the end. */
MRCNN_API const char *mrcnn_log_kind(const mrcnn_log *log, size_t index);
/* Rows of a kind, in the order of the file; 0 for a kind that there is not. */
MRCNN_API size_t mrcnn_log_rows(const mrcnn_log *log, const char *kind);
/* Names of its columns in the order of the lines' keys; NULL past the end. */
MRCNN_API const char *mrcnn_log_column_name(const mrcnn_log *log, const char *kind, size_t index);
/* The numbers of a column, one a row; NULL when no row has such a number. */
MRCNN_API const double *mrcnn_log_column(const mrcnn_log *log, const char *kind, const char *name);

/* How many lines were left out; *first (may be NULL) is what is wrong with the first of them, "" when
 * there is none. */
MRCNN_API size_t mrcnn_log_left_out(const mrcnn_log *log, const char **first);

#ifdef __cplusplus
}
#endif
#endif
