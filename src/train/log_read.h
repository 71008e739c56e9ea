/* log_read.h - tables of numbers that grow row by row: what a log is read into. */
#ifndef MR_TRAIN_LOG_READ_H
#define MR_TRAIN_LOG_READ_H

#include "base/error.h"

enum { MR_LOG_KINDS = 16, MR_LOG_COLUMNS = 256, MR_LOG_NAME = 64 };

typedef struct mr_log_column {
    char name[MR_LOG_NAME];
    double *values; /* rows of them, NaN where there is none */
} mr_log_column;

typedef struct mr_log_table {
    char kind[MR_LOG_NAME];
    size_t rows, room;
    size_t column_count;
    mr_log_column columns[MR_LOG_COLUMNS];
} mr_log_table;

/* A row of NaN at the end. */
mrcnn_status mr_log_add_row(mr_log_table *table, mrcnn_error *err);
/* A number of the last row. A column too many is left out. */
mrcnn_status mr_log_set(mr_log_table *table, const char *name, double value, mrcnn_error *err);
/* NULL when there is none. */
const mr_log_column *mr_log_find(const mr_log_table *table, const char *name);
void mr_log_table_free(mr_log_table *table);

#endif
