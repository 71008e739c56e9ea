/* text_file.c - see text_file.h. */
#include "data/text_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_gen.h>

/* --------------------------------------------------------------------------------------- texts */

mrcnn_status mr_text_file_open(mr_text_file *file, char *path, mrcnn_error *err) {
    *file = (mr_text_file){NULL, path, path ? mr_file_part_name(path) : NULL};
    mrcnn_status status =
        file->part ? mr_make_folder_of(path, err) : mr_fail_memory(err, 0, "the name of a file");
    if (status == MRCNN_OK) {
        file->stream = fopen(file->part, "wb");
        if (!file->stream)
            status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(errno));
    }
    if (status != MRCNN_OK) mr_text_file_close(file);
    return status;
}

mrcnn_status mr_text_file_finish(mr_text_file *file, int sync, mrcnn_error *err) {
    int failed = fflush(file->stream) != 0 || ferror(file->stream), saved = errno;
    if (fclose(file->stream) != 0 && !failed) {
        failed = 1;
        saved = errno;
    }
    file->stream = NULL;
    mrcnn_status status = MRCNN_OK;
    if (failed)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", file->path, strerror(saved));
    else if (sync)
        status = mr_file_commit(file->part, file->path, err);
    else if (rename(file->part, file->path) != 0)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", file->path, strerror(errno));
    if (status == MRCNN_OK) {
        free(file->part);
        file->part = NULL;
    }
    mr_text_file_close(file);
    return status;
}

void mr_text_file_close(mr_text_file *file) {
    if (file->stream) fclose(file->stream);
    if (file->part) unlink(file->part);
    free(file->part);
    free(file->path);
    *file = (mr_text_file){NULL, NULL, NULL};
}

/* ---------------------------------------------------------------------------------------- JSON */

static void print(void *user, const char *text, size_t length) {
    const mr_json_file_writer *out = user;
    fwrite(text, 1, length, out->file.stream); /* errors stay with the stream */
}

mrcnn_status mr_json_file_open(mr_json_file_writer *out, char *path, int lines, mrcnn_error *err) {
    *out = (mr_json_file_writer){.generator = NULL};
    mrcnn_status status = mr_text_file_open(&out->file, path, err);
    if (status != MRCNN_OK) return status;
    out->generator = yajl_gen_alloc(NULL);
    if (!out->generator) {
        mr_text_file_close(&out->file);
        return mr_fail_memory(err, 0, "a JSON file");
    }
    yajl_gen_config(out->generator, yajl_gen_print_callback, print, out);
    yajl_gen_config(out->generator, yajl_gen_validate_utf8, 1);
    if (lines) {
        yajl_gen_config(out->generator, yajl_gen_beautify, 1);
        yajl_gen_config(out->generator, yajl_gen_indent_string, "  ");
    }
    return MRCNN_OK;
}

mrcnn_status mr_json_file_check(const mr_json_file_writer *out, mrcnn_error *err) {
    if (ferror(out->file.stream))
        return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", out->file.path, strerror(errno));
    if (out->trouble == yajl_gen_status_ok) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_FORMAT,
                   out->trouble == yajl_gen_invalid_string
                       ? "%s: a name of a class or a picture is not UTF-8: change it first"
                       : "%s: a value can't be written as JSON",
                   out->file.path);
}

mrcnn_status mr_json_file_finish(mr_json_file_writer *out, int sync, mrcnn_error *err) {
    mrcnn_status status = mr_json_file_check(out, err);
    if (status == MRCNN_OK) status = mr_text_file_finish(&out->file, sync, err);
    mr_json_file_close(out);
    return status;
}

void mr_json_file_close(mr_json_file_writer *out) {
    if (out->generator) yajl_gen_free(out->generator);
    out->generator = NULL;
    mr_text_file_close(&out->file);
}

static void note(mr_json_file_writer *out, yajl_gen_status status) {
    if (out->trouble == yajl_gen_status_ok) out->trouble = status;
}

void mr_json_put_begin(mr_json_file_writer *out, char bracket) {
    note(out,
         bracket == '{' ? yajl_gen_map_open(out->generator) : yajl_gen_array_open(out->generator));
}

void mr_json_put_end(mr_json_file_writer *out, char bracket) {
    note(out, bracket == '}' ? yajl_gen_map_close(out->generator)
                             : yajl_gen_array_close(out->generator));
}

void mr_json_put_text(mr_json_file_writer *out, const char *text) {
    note(out, yajl_gen_string(out->generator, (const unsigned char *)text, strlen(text)));
}

void mr_json_put_number(mr_json_file_writer *out, double number) {
    char text[MR_NUMBER_TEXT];
    mr_number_print(number, text);
    note(out, yajl_gen_number(out->generator, text, strlen(text)));
}

void mr_json_put_bool(mr_json_file_writer *out, int truth) {
    note(out, yajl_gen_bool(out->generator, truth));
}

void mr_json_put_null(mr_json_file_writer *out) {
    note(out, yajl_gen_null(out->generator));
}
