/* json.c - see json.h: yajl's events become records. */
#include "data/json.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

    const char *cut_key; /* of values that are cut out; NULL: none */
    enum { NOT_CUTTING, BEFORE_VALUE, CUTTING, WAS_CUT } cut_state;
    mr_json_cutter cutter;
    mr_json_cut cut;

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

/* yajl is told that a value was null when it was cut out. */
static int on_cut(parser *p) {
    mr_json_cut *cut = mr_arena_take(&p->arena, sizeof *cut);
    if (!cut) return stop_memory(p, sizeof *cut);
    mr_json *value = add_value(p, MR_JSON_CUT);
    if (!value) return 0;
    *cut = p->cut;
    value->cut = cut;
    return 1;
}

static int on_null(void *user) {
    parser *p = user;
    return p->cut_state == WAS_CUT ? on_cut(p) : on_number_value(p, MR_JSON_NULL, 0);
}

static int on_bool(void *user, int truth) {
    return on_number_value(user, MR_JSON_BOOL, truth != 0);
}

/* Numbers of up to 15 digits without an exponent, which are nearly all, without the C library: a
 * quotient of two numbers that are exact is rounded once, as it must be. */
static int parse_short(const char *text, size_t length, double *number) {
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = text[0] == '-', point = length;
    int64_t sum = 0;
    if (length - i > 15 || length == i) return 0;
    for (; i < length; i++) {
        if (text[i] == '.' && point == length)
            point = i;
        else if (text[i] < '0' || text[i] > '9')
            return 0;
        else
            sum = sum * 10 + (text[i] - '0');
    }
    double whole = text[0] == '-' ? -(double)sum : (double)sum;
    *number = point == length ? whole : whole / powers[length - point - 1];
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

static mrcnn_status feed(parser *p, const unsigned char *bytes, size_t length) {
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

/* ------------------------------------------------------------------- passing over what is cut out */

/* Where the next string that is the key (or looks like it) ends, or the first byte of one that may be
 * it and does not end here; `length`: there is none. */
static size_t find_key(const parser *p, const unsigned char *bytes, size_t length, int *whole) {
    size_t size = strlen(p->cut_key);
    const unsigned char *end = bytes + length, *quote = bytes;
    *whole = 0;
    while ((quote = memchr(quote, '"', (size_t)(end - quote))) != NULL) {
        const unsigned char *name = ++quote;
        size_t rest = (size_t)(end - name), compared = rest < size ? rest : size;
        if (memcmp(name, p->cut_key, compared) != 0) continue;
        if (rest <= size) return (size_t)(name - bytes) - 1;
        if (name[size] != '"') continue;
        *whole = 1;
        return (size_t)(name - bytes) + size + 1;
    }
    return length;
}

/* 1 when the parser has just read that key, as one of the record's own. */
static int is_before_cut(const parser *p) {
    return p->mode == TAKING && p->depth - p->start == 1 && p->taken_key &&
           strcmp(p->taken_key, p->cut_key) == 0;
}

/* Up to the end of the next key. */
static mrcnn_status feed_to_key(parser *p, const unsigned char *bytes, size_t length, int is_last,
                                size_t *used) {
    int whole = 0;
    *used = p->cut_key ? find_key(p, bytes, length, &whole) : length;
    if (!whole && is_last) *used = length;
    mrcnn_status status = *used ? feed(p, bytes, *used) : MRCNN_OK;
    if (status == MRCNN_OK && whole && is_before_cut(p)) p->cut_state = BEFORE_VALUE;
    return status;
}

static mrcnn_status feed_to_value(parser *p, const unsigned char *bytes, size_t length,
                                  size_t *used) {
    size_t i = 0;
    while (i < length && strchr(" \t\r\n:", bytes[i]) && bytes[i]) i++;
    *used = i;
    if (i < length) {
        p->cut_state = bytes[i] == '[' || bytes[i] == '{' ? CUTTING : NOT_CUTTING;
        p->cutter = (mr_json_cutter){0};
    }
    mrcnn_status status = i ? feed(p, bytes, i) : MRCNN_OK;
    p->cut.begin = p->piece_offset;
    return status;
}

static mrcnn_status pass_value(parser *p, const unsigned char *bytes, size_t length, size_t *used) {
    static const unsigned char instead[] = "null";
    *used = mr_json_cut_go_on(&p->cutter, bytes, length);
    p->piece_offset += *used;
    if (p->cutter.depth > 0) return MRCNN_OK;
    uint64_t begin = p->cut.begin, end = p->piece_offset;
    p->cut = mr_json_cut_result(&p->cutter);
    p->cut.begin = begin;
    p->cut.length = end - begin;
    p->line += p->cutter.newlines;
    p->cut_state = WAS_CUT;
    mrcnn_status status = feed(p, instead, sizeof instead - 1);
    p->cut_state = NOT_CUTTING;
    p->piece_offset = p->event_offset = end; /* the file has no such word */
    return status;
}

/* *used: how much of the piece is done; what remains belongs before the next piece. */
static mrcnn_status parse_piece(parser *p, const unsigned char *bytes, size_t length, int is_last,
                                size_t *used) {
    mrcnn_status status = MRCNN_OK;
    size_t at = 0, step = 0;
    for (; status == MRCNN_OK && at < length; at += step) {
        if (p->cut_state == CUTTING) {
            status = pass_value(p, bytes + at, length - at, &step);
        } else if (p->cut_state == BEFORE_VALUE) {
            status = feed_to_value(p, bytes + at, length - at, &step);
        } else {
            status = feed_to_key(p, bytes + at, length - at, is_last, &step);
            if (step == 0) break;
        }
    }
    *used = at;
    return status;
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

static mrcnn_status parse_end(parser *p) {
    p->piece = NULL; /* nothing of it is left to count */
    p->counted = SIZE_MAX;
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

static mrcnn_status parse_stream(parser *p, FILE *file, unsigned char *piece) {
    mrcnn_status status = MRCNN_OK;
    size_t used = 0, length = fread(piece, 1, PIECE, file);
    if (!ferror(file)) status = check_start(p, piece, length, &used);
    while (status == MRCNN_OK && length > 0) {
        size_t begin = used;
        status = parse_piece(p, piece + begin, length - begin, length < PIECE, &used);
        used += begin;
        if (length < PIECE || status != MRCNN_OK) break;
        memmove(piece, piece + used, length - used);
        length -= used;
        length += fread(piece + length, 1, PIECE - length, file);
        used = 0;
    }
    if (ferror(file))
        return mr_fail(p->err, MRCNN_E_IO, "%s: can't read it: %s", p->path, strerror(errno));
    return status == MRCNN_OK ? parse_end(p) : status;
}

static int start(parser *p) {
    static const yajl_callbacks callbacks = {on_null,   on_bool,       NULL,           NULL,
                                             on_number, on_string,     on_open_object, on_key,
                                             on_close,  on_open_array, on_close};
    p->yajl = yajl_alloc(&callbacks, NULL, p);
    return p->yajl != NULL;
}

static void finish(parser *p) {
    if (p->yajl) yajl_free(p->yajl);
    mr_arena_free(&p->arena);
    free(p->key);
}

mrcnn_status mr_json_read(const char *path, const mr_json_reader *reader, mrcnn_error *err) {
    return mr_json_read_cutting(path, NULL, reader, err);
}

mrcnn_status mr_json_read_cutting(const char *path, const char *cut, const mr_json_reader *reader,
                                  mrcnn_error *err) {
    mrcnn_status status = mr_file_check_plain(path, err);
    if (status != MRCNN_OK) return status;
    FILE *file = fopen(path, "rb");
    if (!file) return mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", path, strerror(errno));
    parser p = {.reader = reader, .path = path, .err = err, .line = 1, .cut_key = cut};
    unsigned char *piece = malloc(PIECE);
    status = piece && start(&p) ? parse_stream(&p, file, piece) : mr_fail_memory(err, PIECE, path);
    finish(&p);
    free(piece);
    fclose(file);
    return status;
}

mrcnn_status mr_json_read_text(const char *path, const char *text, size_t length,
                               const mr_json_reader *reader, mrcnn_error *err) {
    parser p = {.reader = reader, .path = path, .err = err, .line = 1};
    size_t used;
    mrcnn_status status = start(&p) ? parse_piece(&p, (const unsigned char *)text, length, 1, &used)
                                    : mr_fail_memory(err, length, path);
    if (status == MRCNN_OK) status = parse_end(&p);
    finish(&p);
    return status;
}
