/* log_table.c - see log_read.h. */
#include "train/log_read.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mrcnn_status grow(mr_log_table *table, mrcnn_error *err) {
    size_t room = table->room ? 2 * table->room : 64;
    for (size_t i = 0; i < table->column_count; i++) {
        double *larger = mr_realloc(table->columns[i].values, room, sizeof *larger);
        if (!larger) return mr_fail_memory(err, room * sizeof *larger, "a log's column");
        table->columns[i].values = larger;
    }
    table->room = room;
    return MRCNN_OK;
}

mrcnn_status mr_log_add_row(mr_log_table *table, mrcnn_error *err) {
    if (table->rows == table->room) {
        mrcnn_status status = grow(table, err);
        if (status != MRCNN_OK) return status;
    }
    for (size_t i = 0; i < table->column_count; i++) table->columns[i].values[table->rows] = NAN;
    table->rows++;
    return MRCNN_OK;
}

const mr_log_column *mr_log_find(const mr_log_table *table, const char *name) {
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0) return &table->columns[i];
    return NULL;
}

mrcnn_status mr_log_set(mr_log_table *table, const char *name, double value, mrcnn_error *err) {
    const mr_log_column *there = mr_log_find(table, name);
    if (!there) {
        if (table->column_count == MR_LOG_COLUMNS || strlen(name) >= MR_LOG_NAME) return MRCNN_OK;
        mr_log_column *fresh = &table->columns[table->column_count];
        fresh->values = mr_calloc(table->room, sizeof *fresh->values);
        if (!fresh->values)
            return mr_fail_memory(err, table->room * sizeof *fresh->values, "a log's column");
        for (size_t i = 0; i < table->rows; i++) fresh->values[i] = NAN;
        snprintf(fresh->name, sizeof fresh->name, "%s", name);
        table->column_count++;
        there = fresh;
    }
    there->values[table->rows - 1] = value;
    return MRCNN_OK;
}

void mr_log_table_free(mr_log_table *table) {
    for (size_t i = 0; i < table->column_count; i++) free(table->columns[i].values);
    table->column_count = table->rows = table->room = 0;
}
