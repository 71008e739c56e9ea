/* json.h - annotation files: JSON read event by event (yajl), in records. The reader says which
 * parts it walks through, which it wants as small trees ("records": the entry of one picture, one
 * annotation), and which it does not care about. Only one record is in memory at a time, so a file
 * of any length takes the memory of its largest record.
 *
 * Hostile files end in an error: the nesting is limited, so are strings and the size of a record. A
 * byte order mark is skipped. */
#ifndef MR_DATA_JSON_H
#define MR_DATA_JSON_H

#include "data/json_cut.h"

#include <mrcnn/mrcnn.h>

typedef enum mr_json_kind {
    MR_JSON_NULL,
    MR_JSON_BOOL,
    MR_JSON_NUMBER,
    MR_JSON_STRING,
    MR_JSON_ARRAY,
    MR_JSON_OBJECT,
    MR_JSON_CUT /* an array or object that was passed over */
} mr_json_kind;

enum {
    MR_JSON_MAX_DEPTH = 64,
    MR_JSON_MAX_STRING = 32 << 20, /* bytes: room for a picture in base64, as some tools embed */
    MR_JSON_MAX_VALUES = 4 << 20   /* of one record */
};

/* A value of a record. */
typedef struct mr_json {
    mr_json_kind kind;
    uint32_t count;  /* of an array or object: how many values it has */
    const char *key; /* in an object; else NULL */
    union {
        const char *text; /* of a string: UTF-8 */
        double number;    /* of a number (infinite when it does not fit); 0 or 1 of a bool */
        struct mr_json *first;
        const mr_json_cut *cut; /* where it lies */
    };
    struct mr_json *next; /* in its array or object */
} mr_json;

typedef enum mr_json_choice {
    MR_JSON_SKIP,
    MR_JSON_WALK,
    MR_JSON_TAKE,
    MR_JSON_STOP /* seen enough: reading ends with MRCNN_E_CANCELLED and no message */
} mr_json_choice;

/* Where a value was found: the number of arrays and objects around it, its key in the innermost one
 * (NULL in an array), the line in the file from 1. For arrays and objects, `begin` is the byte of the
 * file at which the opening bracket stands, and `end` (in a record) the one behind the closing bracket. */
typedef struct mr_json_place {
    mr_json_kind kind;
    int depth;
    const char *key;
    uint64_t line;
    uint64_t begin, end;
} mr_json_place;

typedef struct mr_json_reader {
    /* Asked about every value that lies in nothing but values that are walked through; the file's
     * outermost value has depth 0. Walking through a string or a number is skipping it. */
    mr_json_choice (*choose)(void *user, const mr_json_place *place);
    /* A value that was taken; it goes when the function returns. An error ends the reading. */
    mrcnn_status (*record)(void *user, const mr_json_place *place, const mr_json *value,
                           mrcnn_error *err);
    void *user;
} mr_json_reader;

/* Errors of the format name the file, the line and the byte. What the reader's record function
 * returns is passed on as it is. */
mrcnn_status mr_json_read(const char *path, const mr_json_reader *reader, mrcnn_error *err);

/* The same, but a member of each record that has the name `cut` is passed over without being parsed
 * when it is an array or object, many times faster: its value is MR_JSON_CUT. */
mrcnn_status mr_json_read_cutting(const char *path, const char *cut, const mr_json_reader *reader,
                                  mrcnn_error *err);

/* Reads a text instead; `path` is its name in messages, which count from its beginning. */
mrcnn_status mr_json_read_text(const char *path, const char *text, size_t length,
                               const mr_json_reader *reader, mrcnn_error *err);

/* A member of an object; the last one when the key is there twice. NULL when it isn't there, or
 * `object` is NULL or no object. */
const mr_json *mr_json_get(const mr_json *object, const char *key);

/* The text of a string; NULL for anything else. */
const char *mr_json_text(const mr_json *value);

/* 1 and the number when the value is a finite one; else 0. */
int mr_json_number(const mr_json *value, double *number);

/* 1 and the numbers when the value is an array of `count` finite ones; else 0. */
int mr_json_numbers(const mr_json *value, double *numbers, uint32_t count);

/* "a string", "null", "nothing" for NULL. */
const char *mr_json_kind_name(const mr_json *value);

#endif
