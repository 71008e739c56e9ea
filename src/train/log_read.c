/* log_read.c - a training's log.jsonl read back (include/mrcnn/log.h). Each line is parsed by itself, so
 * that a bad one costs only itself. */
#include "train/log_read.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/json.h"

#include <mrcnn/log.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A line of ours has less than 4 KB; a file of a million steps 400 MB. */
static const size_t LINE_MOST = (size_t)1 << 20, FILE_MOST = (size_t)2 << 30;

struct mrcnn_log {
    char *name;
    size_t count;
    mr_log_table *tables[MR_LOG_KINDS];
    size_t left_out;
    mrcnn_error first; /* what is wrong with the first of them */
};

/* ---------------------------------------------------------------------------------- one line */

static mr_log_table *find_table(const mrcnn_log *log, const char *kind) {
    for (size_t i = 0; kind && i < log->count; i++)
        if (strcmp(log->tables[i]->kind, kind) == 0) return log->tables[i];
    return NULL;
}

static mrcnn_status table_of(mrcnn_log *log, const char *kind, mr_log_table **table,
                             mrcnn_error *err) {
    *table = find_table(log, kind);
    if (*table) return MRCNN_OK;
    if (log->count == MR_LOG_KINDS || strlen(kind) >= MR_LOG_NAME)
        return mr_fail(err, MRCNN_E_FORMAT, "its kind is not one of the log's first %d",
                       MR_LOG_KINDS);
    mr_log_table *fresh = mr_calloc(1, sizeof *fresh);
    if (!fresh) return mr_fail_memory(err, sizeof *fresh, "a log");
    snprintf(fresh->kind, sizeof fresh->kind, "%s", kind);
    log->tables[log->count++] = *table = fresh;
    return MRCNN_OK;
}

/* Forgets the rows from `step` on, which come again; those of `same` with that very step too. */
static void go_back(mrcnn_log *log, const mr_log_table *same, double step) {
    for (size_t i = 0; i < log->count; i++) {
        mr_log_table *table = log->tables[i];
        const mr_log_column *steps = mr_log_find(table, "step");
        while (steps && table->rows > 0) {
            double last = steps->values[table->rows - 1];
            if (last < step || (last == step && table != same)) break;
            table->rows--;
        }
    }
}

static mrcnn_status add_members(mr_log_table *table, const char *prefix, const mr_json *object,
                                mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (const mr_json *m = object->first; m && status == MRCNN_OK; m = m->next) {
        char name[2 * MR_LOG_NAME];
        double value;
        int length = snprintf(name, sizeof name, "%s%s", prefix, m->key);
        if (length < 0 || length >= MR_LOG_NAME) continue;
        if (mr_json_number(m, &value)) {
            status = mr_log_set(table, name, value, err);
        } else if (m->kind == MR_JSON_OBJECT && prefix[0] == 0) {
            snprintf(name + length, sizeof name - (size_t)length, ".");
            status = add_members(table, name, m, err);
        }
    }
    return status;
}

static mrcnn_status take_line(void *user, const mr_json_place *place, const mr_json *value,
                              mrcnn_error *err) {
    mrcnn_log *log = user;
    mr_log_table *table = NULL;
    double step;
    (void)place;
    if (!mr_json_number(mr_json_get(value, "step"), &step))
        return mr_fail(err, MRCNN_E_FORMAT, "it is no object with a number \"step\"");
    const char *kind = mr_json_text(mr_json_get(value, "kind"));
    mrcnn_status status = table_of(log, kind ? kind : "step", &table, err);
    if (status != MRCNN_OK) return status;
    go_back(log, table, step);
    status = mr_log_add_row(table, err);
    return status == MRCNN_OK ? add_members(table, "", value, err) : status;
}

static mr_json_choice choose(void *user, const mr_json_place *place) {
    (void)user, (void)place;
    return MR_JSON_TAKE;
}

/* ------------------------------------------------------------------------------- the whole file */

/* What the reader of JSON calls a line, which to it is a file of its own. */
static const char reader_name[] = "it", reader_place[] = "it: line 1, ";

static void leave_out(mrcnn_log *log, const char *path, size_t line, const mrcnn_error *why) {
    const char *text = why->message;
    if (strncmp(text, reader_place, sizeof reader_place - 1) == 0) text += sizeof reader_place - 1;
    if (log->left_out++ == 0)
        mr_fail(&log->first, MRCNN_E_FORMAT, "%s: line %zu: %s", path, line, text);
}

/* Errors of memory end the reading; whatever else is wrong with a line costs that line. */
static mrcnn_status read_line(mrcnn_log *log, const char *path, const char *text, size_t length,
                              size_t number, mrcnn_error *err) {
    mr_json_reader reader = {choose, take_line, log};
    mrcnn_error why = MRCNN_ERROR_INIT;
    mrcnn_status status;
    while (length > 0 && strchr(" \t\r", text[length - 1])) length--;
    if (length == 0) return MRCNN_OK;
    if (memchr(text, 0, length) || length > LINE_MOST)
        status = mr_fail(&why, MRCNN_E_FORMAT, "it is not text, or too long");
    else
        status = mr_json_read_text(reader_name, text, length, &reader, &why);
    if (status == MRCNN_E_MEMORY) {
        if (err) *err = why;
        return status;
    }
    if (status != MRCNN_OK) leave_out(log, path, number, &why);
    return MRCNN_OK;
}

static mrcnn_status read_lines(mrcnn_log *log, const char *path, const char *text, size_t length,
                               mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    size_t at = 0;
    for (size_t number = 1; at < length && status == MRCNN_OK; number++) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t bytes = end ? (size_t)(end - text) - at : length - at;
        status = read_line(log, path, text + at, bytes, number, err);
        at += bytes + 1;
    }
    if (status != MRCNN_OK) return status;
    for (size_t i = 0; i < log->count; i++)
        if (log->tables[i]->rows > 0) return MRCNN_OK;
    if (log->left_out > 0)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: no line of it is a training's: %s", path,
                       log->first.message);
    return mr_fail(err, MRCNN_E_FORMAT, "%s: the log is empty: the training has not begun", path);
}

/* The last part of a path that says something, without slashes; malloc'ed. */
static char *last_part(const char *path, size_t length) {
    while (length > 1 && path[length - 1] == '/') length--;
    size_t begin = length;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    return mr_format("%.*s", (int)(length - begin), path + begin);
}

/* "logs/balloon1/log.jsonl" is the run "balloon1". */
static char *name_of(const char *file) {
    const char *slash = strrchr(file, '/');
    if (!slash || slash == file || strcmp(slash, "/log.jsonl") != 0)
        return last_part(file, strlen(file));
    return last_part(file, (size_t)(slash - file));
}

static mrcnn_status read_file(mrcnn_log *log, const char *path, mrcnn_error *err) {
    struct stat info;
    void *bytes = NULL;
    size_t length = 0;
    int is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    char *file = is_folder ? mr_format("%s/log.jsonl", path) : mr_strdup(path);
    if (!file) return mr_fail_memory(err, strlen(path), "a file name");
    mrcnn_status status = MRCNN_OK;
    if (is_folder && stat(file, &info) != 0)
        status = mr_fail(
            err, MRCNN_E_IO,
            "%s: there is no log.jsonl in this folder: name a run's folder, or its log", path);
    if (status == MRCNN_OK) status = mr_file_check_plain(file, err);
    if (status == MRCNN_OK) status = mr_file_read(file, FILE_MOST, &bytes, &length, err);
    if (status == MRCNN_OK) {
        log->name = name_of(file);
        status = log->name ? read_lines(log, file, bytes, length, err)
                           : mr_fail_memory(err, strlen(file), "a run's name");
    }
    free(bytes);
    free(file);
    return status;
}

mrcnn_status mrcnn_log_read(mrcnn_log **log, const char *path, mrcnn_error *err) {
    if (!log || !path || !*path)
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no name of a log to read");
    mrcnn_log *fresh = mr_calloc(1, sizeof *fresh);
    if (!fresh) return mr_fail_memory(err, sizeof *fresh, "a log");
    mrcnn_status status = read_file(fresh, path, err);
    if (status == MRCNN_OK)
        *log = fresh;
    else
        mrcnn_log_free(&fresh);
    return status;
}

void mrcnn_log_free(mrcnn_log **log) {
    if (!log || !*log) return;
    for (size_t i = 0; i < (*log)->count; i++) {
        mr_log_table_free((*log)->tables[i]);
        free((*log)->tables[i]);
    }
    free((*log)->name);
    free(*log);
    *log = NULL;
}

/* ---------------------------------------------------------------------------------- looking at it */

const char *mrcnn_log_name(const mrcnn_log *log) {
    return log->name;
}

const char *mrcnn_log_kind(const mrcnn_log *log, size_t index) {
    return index < log->count ? log->tables[index]->kind : NULL;
}

size_t mrcnn_log_rows(const mrcnn_log *log, const char *kind) {
    const mr_log_table *table = find_table(log, kind);
    return table ? table->rows : 0;
}

const char *mrcnn_log_column_name(const mrcnn_log *log, const char *kind, size_t index) {
    const mr_log_table *table = find_table(log, kind);
    return table && index < table->column_count ? table->columns[index].name : NULL;
}

const double *mrcnn_log_column(const mrcnn_log *log, const char *kind, const char *name) {
    const mr_log_table *table = find_table(log, kind);
    const mr_log_column *column = table && name ? mr_log_find(table, name) : NULL;
    return column && table->rows > 0 ? column->values : NULL;
}

size_t mrcnn_log_left_out(const mrcnn_log *log, const char **first) {
    if (first) *first = log->first.message;
    return log->left_out;
}
