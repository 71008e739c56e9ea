/* json.c - see json.h: yajl's events become records. */
#include "data/json.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <yajl/yajl_parse.h>

/* yajl starts a string over when a piece of the file ends inside it: large pieces keep that cheap. */
enum { PIECE = 1 << 20, NUMBER_TEXT = 400 };

typedef enum mode { WALKING, SKIPPING, TAKING } mode;

typedef struct parser {
    const mr_json_reader *reader;
    const char *path;
    mrcnn_error *err;
    mrcnn_status status;
    yajl_handle yajl;

    mode mode;
    int depth;           /* arrays and objects that are open */
    int start;           /* depth of the value that is skipped or taken */
    mr_json_place place; /* of the record */
    char *key;           /* of the next value, while walking */
    size_t key_room;
    int has_key;

    mr_arena arena;
    size_t values;
    const char *taken_key; /* of the next value in a record */
    mr_json *root;
    mr_json *open[MR_JSON_MAX_DEPTH]; /* of the record */
    mr_json **tail[MR_JSON_MAX_DEPTH];

    const unsigned char *piece;
    uint64_t piece_offset; /* of the piece in the file */
    size_t counted;        /* bytes of the piece whose newlines are counted */
    uint64_t line;
    uint64_t event_offset; /* of the last event */
} parser;

/* -------------------------------------------------------------------------------- where we are */

static uint64_t offset_here(const parser *p) {
    return p->piece_offset + yajl_get_bytes_consumed(p->yajl);
}

static uint64_t line_here(parser *p) {
    size_t end = yajl_get_bytes_consumed(p->yajl);
    for (; p->counted < end; p->counted++) p->line += p->piece[p->counted] == '\n';
    return p->line;
}

/* Returns 0, which stops yajl. */
static int stop(parser *p, mrcnn_status status, const char *what) {
    p->status = mr_fail(p->err, status, "%s: line %llu, byte %llu: %s", p->path,
                        (unsigned long long)line_here(p), (unsigned long long)offset_here(p), what);
    return 0;
}

static int stop_memory(parser *p, size_t bytes) {
    p->status = mr_fail_memory(p->err, bytes, p->path);
    return 0;
}

/* -------------------------------------------------------------------------------------- values */

static char *keep_text(parser *p, const unsigned char *text, size_t length) {
    if (memchr(text, 0, length)) {
        stop(p, MRCNN_E_FORMAT, "a string with a 0 byte (\\u0000) inside");
        return NULL;
    }
    char *copy = mr_arena_take(&p->arena, length + 1);
    if (!copy) {
        stop_memory(p, length + 1);
        return NULL;
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

/* A new value of the record; NULL when the parser stopped. */
static mr_json *add_value(parser *p, mr_json_kind kind) {
    if (++p->values > MR_JSON_MAX_VALUES) {
        stop(p, MRCNN_E_FORMAT, "one entry with more than 4,194,304 values");
        return NULL;
    }
    mr_json *value = mr_arena_take(&p->arena, sizeof *value);
    if (!value) {
        stop_memory(p, sizeof *value);
        return NULL;
    }
    *value = (mr_json){.kind = kind, .key = p->taken_key};
    p->taken_key = NULL;
    int level = p->depth - p->start;
    if (level == 0) {
        p->root = value;
    } else {
        *p->tail[level - 1] = value;
        p->tail[level - 1] = &value->next;
        p->open[level - 1]->count++;
    }
    return value;
}

/* Hands the record over and forgets it. */
static int finish_record(parser *p) {
    p->mode = WALKING;
    p->place.end = p->event_offset;
    p->status = p->reader->record(p->reader->user, &p->place, p->root, p->err);
    mr_arena_reset(&p->arena);
    p->values = 0;
    return p->status == MRCNN_OK;
}

/* What to do with a value that begins here. MR_JSON_STOP: the parser stopped. */
static mr_json_choice choose(parser *p, mr_json_kind kind) {
    p->event_offset = offset_here(p);
    if (p->mode != WALKING) return p->mode == TAKING ? MR_JSON_TAKE : MR_JSON_SKIP;
    const char *key = p->has_key ? p->key : NULL;
    p->place = (mr_json_place){kind, p->depth, key, line_here(p), p->event_offset - 1, 0};
    p->has_key = 0;
    mr_json_choice choice = p->reader->choose(p->reader->user, &p->place);
    if (choice == MR_JSON_STOP) p->status = MRCNN_E_CANCELLED;
    if (choice == MR_JSON_TAKE) {
        p->start = p->depth;
        p->taken_key = NULL;
    }
    return choice;
}

/* A value that is no container, after it was filled in. */
static int finish_scalar(parser *p) {
    return p->mode == TAKING ? 1 : finish_record(p);
}

static int on_number_value(parser *p, mr_json_kind kind, double number) {
    mr_json_choice choice = choose(p, kind);
    if (choice != MR_JSON_TAKE) return choice != MR_JSON_STOP;
    mr_json *value = add_value(p, kind);
    if (!value) return 0;
    value->number = number;
    return finish_scalar(p);
}

static int on_null(void *user) {
    return on_number_value(user, MR_JSON_NULL, 0);
}

static int on_bool(void *user, int truth) {
    return on_number_value(user, MR_JSON_BOOL, truth != 0);
}

/* Whole numbers of up to 15 digits, which are nearly all, without the C library. */
static int parse_short(const char *text, size_t length, double *number) {
    size_t i = text[0] == '-';
    int64_t sum = 0;
    if (length - i > 15 || length == i) return 0;
    for (; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return 0;
        sum = sum * 10 + (text[i] - '0');
    }
    *number = text[0] == '-' ? -(double)sum : (double)sum;
    return 1;
}

static int on_number(void *user, const char *text, size_t length) {
    parser *p = user;
    char copy[NUMBER_TEXT + 1];
    double number = 0;
    if (length > NUMBER_TEXT) return stop(p, MRCNN_E_FORMAT, "a number of more than 400 digits");
    if (p->mode != SKIPPING && !parse_short(text, length, &number)) {
        memcpy(copy, text, length);
        copy[length] = 0;
        if (!mr_number_parse(copy, &number)) return stop(p, MRCNN_E_FORMAT, "this is no number");
    }
    return on_number_value(p, MR_JSON_NUMBER, number);
}

static int on_string(void *user, const unsigned char *text, size_t length) {
    parser *p = user;
    mr_json_choice choice = choose(p, MR_JSON_STRING);
    if (choice != MR_JSON_TAKE) return choice != MR_JSON_STOP;
    mr_json *value = add_value(p, MR_JSON_STRING);
    if (!value) return 0;
    value->text = keep_text(p, text, length);
    return value->text ? finish_scalar(p) : 0;
}

static int on_key(void *user, const unsigned char *text, size_t length) {
    parser *p = user;
    p->event_offset = offset_here(p);
    if (p->mode == SKIPPING) return 1;
    if (p->mode == TAKING) {
        p->taken_key = keep_text(p, text, length);
        return p->taken_key != NULL;
    }
    if (length >= p->key_room) {
        char *larger = mr_realloc(p->key, length + 1, 1);
        if (!larger) return stop_memory(p, length + 1);
        p->key = larger;
        p->key_room = length + 1;
    }
    if (memchr(text, 0, length))
        return stop(p, MRCNN_E_FORMAT, "a key with a 0 byte (\\u0000) inside");
    memcpy(p->key, text, length);
    p->key[length] = 0;
    p->has_key = 1;
    return 1;
}

static int on_open(parser *p, mr_json_kind kind) {
    if (p->depth >= MR_JSON_MAX_DEPTH)
        return stop(p, MRCNN_E_FORMAT, "arrays and objects are nested more than 64 deep");
    mode before = p->mode;
    switch (choose(p, kind)) {
    case MR_JSON_WALK: break;
    case MR_JSON_STOP: return 0;
    case MR_JSON_SKIP:
        if (before == WALKING) p->start = p->depth;
        p->mode = SKIPPING;
        break;
    case MR_JSON_TAKE: {
        mr_json *value = add_value(p, kind);
        if (!value) return 0;
        value->first = NULL;
        p->open[p->depth - p->start] = value;
        p->tail[p->depth - p->start] = &value->first;
        p->mode = TAKING;
        break;
    }
    }
    p->depth++;
    return 1;
}

static int on_open_object(void *user) {
    return on_open(user, MR_JSON_OBJECT);
}

static int on_open_array(void *user) {
    return on_open(user, MR_JSON_ARRAY);
}

static int on_close(void *user) {
    parser *p = user;
    p->event_offset = offset_here(p);
    p->depth--;
    if (p->mode == WALKING || p->depth > p->start) return 1;
    if (p->mode == TAKING) return finish_record(p);
    p->mode = WALKING;
    return 1;
}

/* ------------------------------------------------------------------------------------ the file */

/* yajl's message without its decoration ("parse error: ...\n"). */
static mrcnn_status fail_syntax(parser *p) {
    char text[200];
    unsigned char *message = yajl_get_error(p->yajl, 0, NULL, 0);
    snprintf(text, sizeof text, "%s", message ? (const char *)message : "unreadable");
    if (message) yajl_free_error(p->yajl, message);
    text[strcspn(text, "\n")] = 0;
    stop(p, MRCNN_E_FORMAT, text);
    return p->status;
}

static mrcnn_status parse_piece(parser *p, const unsigned char *bytes, size_t length) {
    p->piece = bytes;
    p->counted = 0;
    yajl_status status = yajl_parse(p->yajl, bytes, length);
    if (status == yajl_status_error) return fail_syntax(p);
    if (status != yajl_status_ok) return p->status;
    line_here(p);
    if (p->piece_offset + length - p->event_offset > MR_JSON_MAX_STRING) {
        stop(p, MRCNN_E_FORMAT, "a string of more than 32 MB");
        return p->status;
    }
    p->piece_offset += length;
    return MRCNN_OK;
}

/* Skips a byte order mark at the start of the file. */
static mrcnn_status check_start(parser *p, const unsigned char *bytes, size_t length,
                                size_t *skipped) {
    *skipped = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    if (length == 0) return mr_fail(p->err, MRCNN_E_FORMAT, "%s: the file is empty", p->path);
    if (length >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0))
        return mr_fail(p->err, MRCNN_E_FORMAT, "%s: this text is UTF-16: save it as UTF-8",
                       p->path);
    p->piece_offset = p->event_offset = *skipped;
    return MRCNN_OK;
}

static mrcnn_status parse_stream(parser *p, FILE *file, unsigned char *piece) {
    mrcnn_status status = MRCNN_OK;
    size_t skip = 0, length = fread(piece, 1, PIECE, file);
    if (!ferror(file)) status = check_start(p, piece, length, &skip);
    while (status == MRCNN_OK && length > 0) {
        status = parse_piece(p, piece + skip, length - skip);
        skip = 0;
        if (status == MRCNN_OK) length = fread(piece, 1, PIECE, file);
    }
    if (ferror(file))
        return mr_fail(p->err, MRCNN_E_IO, "%s: can't read it: %s", p->path, strerror(errno));
    if (status != MRCNN_OK) return status;
    p->piece = piece; /* the end: nothing of it is left to count */
    p->counted = PIECE;
    switch (yajl_complete_parse(p->yajl)) {
    case yajl_status_ok: return MRCNN_OK;
    case yajl_status_client_canceled: return p->status;
    default:
        return mr_fail(
            p->err, MRCNN_E_FORMAT,
            "%s: line %llu: the file ends in the middle: it is cut short, copy or export "
            "it again",
            p->path, (unsigned long long)p->line);
    }
}

static mrcnn_status parse_file(parser *p, FILE *file) {
    static const yajl_callbacks callbacks = {on_null,   on_bool,       NULL,           NULL,
                                             on_number, on_string,     on_open_object, on_key,
                                             on_close,  on_open_array, on_close};
    unsigned char *piece = malloc(PIECE);
    p->yajl = yajl_alloc(&callbacks, NULL, p);
    mrcnn_status status =
        piece && p->yajl ? parse_stream(p, file, piece) : mr_fail_memory(p->err, PIECE, p->path);
    if (p->yajl) yajl_free(p->yajl);
    mr_arena_free(&p->arena);
    free(p->key);
    free(piece);
    return status;
}

mrcnn_status mr_json_read(const char *path, const mr_json_reader *reader, mrcnn_error *err) {
    FILE *file = fopen(path, "rb");
    if (!file) return mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", path, strerror(errno));
    struct stat info;
    if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        fclose(file);
        return mr_fail(err, MRCNN_E_IO, "%s: is a folder, not a file", path);
    }
    parser p = {.reader = reader, .path = path, .err = err, .line = 1};
    mrcnn_status status = parse_file(&p, file);
    fclose(file);
    return status;
}
