/* text_file.h - text files that writers make line by line: each appears whole or not at all. */
#ifndef MR_DATA_TEXT_FILE_H
#define MR_DATA_TEXT_FILE_H

#include <mrcnn/mrcnn.h>
#include <stdio.h>

/* Start with {0}. */
typedef struct mr_text_file {
    FILE *stream;
    char *path, *part;
} mr_text_file;

/* Takes `path` over; NULL: memory was short. Makes the folders above it. */
mrcnn_status mr_text_file_open(mr_text_file *file, char *path, mrcnn_error *err);

/* Puts the file in its place. sync: not before it is on the disk, which takes too long for one of
 * thousands. Errors of writing show here. */
mrcnn_status mr_text_file_finish(mr_text_file *file, int sync, mrcnn_error *err);

/* Frees it; a file that wasn't finished is gone. */
void mr_text_file_close(mr_text_file *file);

/* JSON into such a file; start with {0}. */
typedef struct mr_json_file_writer {
    mr_text_file file;
    struct yajl_gen_t *generator;
    int trouble; /* yajl's: the first value that could not be written */
} mr_json_file_writer;

/* lines: each value on a line of its own. */
mrcnn_status mr_json_file_open(mr_json_file_writer *out, char *path, int lines, mrcnn_error *err);
/* What went wrong so far: in long files it need not wait for the end. */
mrcnn_status mr_json_file_check(const mr_json_file_writer *out, mrcnn_error *err);
mrcnn_status mr_json_file_finish(mr_json_file_writer *out, int sync, mrcnn_error *err);
void mr_json_file_close(mr_json_file_writer *out);

void mr_json_put_begin(mr_json_file_writer *out, char bracket);    /* '{' or '[' */
void mr_json_put_end(mr_json_file_writer *out, char bracket);      /* '}' or ']' */
void mr_json_put_text(mr_json_file_writer *out, const char *text); /* a key, too */
void mr_json_put_number(mr_json_file_writer *out, double number);  /* finite */
void mr_json_put_bool(mr_json_file_writer *out, int truth);
void mr_json_put_null(mr_json_file_writer *out);

#endif
