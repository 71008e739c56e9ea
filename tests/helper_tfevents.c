/* helper_tfevents.c - see helper_tfevents.h. Field numbers are those of tensorflow's event.proto and
 * summary.proto. */
#include "helper_tfevents.h"

#include "helper_assert.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- frames */

void tf_open(tf_file *file, const char *path) {
    FILE *stream = fopen(path, "rb");
    if (!stream) fail_msg("%s can't be opened", path);
    fseek(stream, 0, SEEK_END);
    *file = (tf_file){NULL, (size_t)ftell(stream), 0};
    rewind(stream);
    file->bytes = malloc(file->size + 1);
    assert_non_null(file->bytes);
    assert_int_equal(fread(file->bytes, 1, file->size, stream), file->size);
    fclose(stream);
}

void tf_close(tf_file *file) {
    free(file->bytes);
    file->bytes = NULL;
}

static uint64_t little_endian(const unsigned char *bytes, int count) {
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

/* Castagnoli's polynomial, reflected; masked as TFRecord does: rotated and moved. */
static uint32_t masked_crc(const unsigned char *bytes, size_t length) {
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

/* ----------------------------------------------------------------------------------- protobuf */

typedef struct message {
    const unsigned char *at, *end;
} message;

typedef struct field {
    int number, wire;
    uint64_t value; /* of a varint or a fixed number */
    message inside; /* of what has a length */
} field;

static uint64_t varint(message *m) {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        assert_true(m->at < m->end);
        unsigned char byte = *m->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
    fail_msg("a number of more than ten bytes");
    return 0;
}

static const unsigned char *take(message *m, uint64_t count) {
    assert_true(count <= (uint64_t)(m->end - m->at));
    m->at += count;
    return m->at - count;
}

static int next_field(message *m, field *f) {
    enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
    if (m->at == m->end) return 0;
    uint64_t key = varint(m);
    *f = (field){.number = (int)(key >> 3), .wire = (int)(key & 7)};
    switch (f->wire) {
    case VARINT: f->value = varint(m); break;
    case FIXED64: f->value = little_endian(take(m, 8), 8); break;
    case FIXED32: f->value = little_endian(take(m, 4), 4); break;
    case BYTES: {
        uint64_t length = varint(m);
        f->inside.at = take(m, length);
        f->inside.end = f->inside.at + length;
        break;
    }
    default: fail_msg("wire type %d", f->wire);
    }
    return 1;
}

static void copy_text(char *to, size_t room, message text) {
    size_t length = (size_t)(text.end - text.at);
    assert_true(length < room);
    memcpy(to, text.at, length);
    to[length] = 0;
}

static void read_image(tf_value *v, message m) {
    field f;
    v->is_image = 1;
    while (next_field(&m, &f)) switch (f.number) {
        case 1: v->height = (int64_t)f.value; break;
        case 2: v->width = (int64_t)f.value; break;
        case 3: v->channels = (int64_t)f.value; break;
        case 4:
            v->bytes = f.inside.at;
            v->length = (size_t)(f.inside.end - f.inside.at);
            break;
        default: fail_msg("field %d of an image", f.number);
        }
}

static void read_value(tf_value *v, message m) {
    field f;
    uint32_t bits;
    while (next_field(&m, &f)) switch (f.number) {
        case 1: copy_text(v->tag, sizeof v->tag, f.inside); break;
        case 2:
            assert_int_equal(f.wire, 5);
            bits = (uint32_t)f.value;
            memcpy(&v->scalar, &bits, sizeof bits);
            break;
        case 4: read_image(v, f.inside); break;
        default: fail_msg("field %d of a value", f.number);
        }
}

static void read_summary(tf_event *e, message m) {
    field f;
    while (next_field(&m, &f)) {
        assert_int_equal(f.number, 1);
        assert_true(e->count < TF_VALUES);
        read_value(&e->values[e->count++], f.inside);
    }
}

static void read_session(tf_event *e, message m) {
    enum { START = 1 };
    field f;
    while (next_field(&m, &f)) e->session_start |= f.number == 1 && f.value == START;
}

static void read_event(tf_event *e, message m) {
    field f;
    memset(e, 0, sizeof *e);
    while (next_field(&m, &f)) switch (f.number) {
        case 1:
            assert_int_equal(f.wire, 1);
            memcpy(&e->wall_time, &f.value, sizeof f.value);
            break;
        case 2: e->step = (int64_t)f.value; break;
        case 3: copy_text(e->version, sizeof e->version, f.inside); break;
        case 5: read_summary(e, f.inside); break;
        case 7: read_session(e, f.inside); break;
        default: fail_msg("field %d of an event", f.number);
        }
}

int tf_next(tf_file *file, tf_event *event) {
    enum { HEAD = 12, TAIL = 4 };
    if (file->at == file->size) return 0;
    const unsigned char *frame = file->bytes + file->at;
    assert_true(file->size - file->at >= HEAD + TAIL);
    uint64_t length = little_endian(frame, 8);
    assert_true(length <= file->size - file->at - HEAD - TAIL);
    assert_int_equal(little_endian(frame + 8, 4), masked_crc(frame, 8));
    assert_int_equal(little_endian(frame + HEAD + length, 4),
                     masked_crc(frame + HEAD, (size_t)length));
    read_event(event, (message){frame + HEAD, frame + HEAD + length});
    file->at += HEAD + (size_t)length + TAIL;
    return 1;
}

/* ------------------------------------------------------------------------------------- finding */

const tf_value *tf_find(const tf_event *event, const char *tag) {
    for (size_t i = 0; i < event->count; i++)
        if (strcmp(event->values[i].tag, tag) == 0) return &event->values[i];
    return NULL;
}

const char *tf_only_file(const char *folder) {
    static char path[900];
    DIR *dir = opendir(folder);
    int found = 0;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strncmp(e->d_name, "events.out.tfevents.", 20) == 0 && ++found)
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (dir) closedir(dir);
    if (found != 1) fail_msg("%s holds %d event files", folder, found);
    return path;
}
