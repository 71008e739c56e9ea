/* npy.c - pictures in NumPy's .npy format, for those that no picture format holds: floats, depth,
 * many channels. A version, the length of a header, the header (a Python dictionary of three entries
 * as text), the values. Nothing in it is believed before it is checked. */
#include "image/npy.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/codec.h"
#include "image/levels.h"

#include <string.h>

/* ------------------------------------------------------------------------------------ the header */

/* What is left of the header's text. */
typedef struct text {
    const char *at, *end;
} text;

static void skip_blanks(text *t) {
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t')) t->at++;
}

static int take(text *t, char c) {
    skip_blanks(t);
    if (t->at == t->end || *t->at != c) return 0;
    t->at++;
    return 1;
}

static int take_word(text *t, const char *word) {
    size_t length = strlen(word);
    skip_blanks(t);
    if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length) != 0) return 0;
    t->at += length;
    return 1;
}

enum { MOST_WORD = 24, MOST_AXES = 3 };

/* 'word' or "word", of bytes that are letters and signs of ASCII. */
static int take_string(text *t, char word[MOST_WORD]) {
    size_t length = 0;
    skip_blanks(t);
    if (t->at == t->end || (*t->at != '\'' && *t->at != '"')) return 0;
    char quote = *t->at++;
    while (t->at<t->end && * t->at != quote && * t->at> ' ' && *t->at < 127) {
        if (length + 1 == MOST_WORD) return 0;
        word[length++] = *t->at++;
    }
    word[length] = 0;
    return take(t, quote);
}

static int take_length(text *t, uint64_t *length) {
    skip_blanks(t);
    const char *first = t->at;
    *length = 0;
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        if (*length > INT32_MAX) return 0;
        *length = *length * 10 + (uint64_t)(*t->at - '0');
    }
    return t->at > first;
}

/* What the dictionary says. */
typedef struct entries {
    char type[MOST_WORD];
    int is_compound; /* a list of fields where a type is expected */
    int is_fortran;
    int axes; /* MOST_AXES + 1: more */
    uint64_t shape[MOST_AXES];
    int seen[3];
} entries;

/* (12, 34, 3), with a comma behind the last one or not. */
static int take_shape(text *t, entries *e) {
    if (!take(t, '(')) return 0;
    while (!take(t, ')')) {
        uint64_t length;
        if (!take_length(t, &length) || e->axes > MOST_AXES) return 0;
        if (e->axes < MOST_AXES) e->shape[e->axes] = length;
        e->axes++;
        if (take(t, ',')) continue;
        if (!take(t, ')')) return 0;
        break;
    }
    return 1;
}

static int take_entry(text *t, entries *e) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[MOST_WORD];
    int which = 0;
    if (!take_string(t, key) || !take(t, ':')) return 0;
    while (which < 3 && strcmp(key, keys[which]) != 0) which++;
    if (which == 3 || e->seen[which]++) return 0;
    if (which == 2) return take_shape(t, e);
    if (which == 1) {
        e->is_fortran = take_word(t, "True");
        return e->is_fortran || take_word(t, "False");
    }
    skip_blanks(t);
    e->is_compound = t->at < t->end && *t->at == '[';
    return e->is_compound || take_string(t, e->type);
}

/* 0: this is no header. A compound type ends the reading: what follows can't be used anyway. */
static int read_entries(text t, entries *e) {
    if (!take(&t, '{')) return 0;
    while (!take(&t, '}')) {
        if (!take_entry(&t, e)) return 0;
        if (e->is_compound) return 1;
        if (take(&t, ',')) continue;
        if (!take(&t, '}')) return 0;
        break;
    }
    skip_blanks(&t);
    return t.at == t.end && e->seen[0] && e->seen[1] && e->seen[2];
}

/* Where the text is, by the version of the format. */
static mrcnn_status find_text(text *t, const uint8_t *bytes, size_t length, const char *name,
                              mrcnn_error *err) {
    size_t begin = 10, size;
    if (length < 12) return mr_fail(err, MRCNN_E_FORMAT, "%s: the .npy file is cut short", name);
    if (bytes[6] < 1 || bytes[6] > 3)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: version %d of .npy is not known", name,
                       bytes[6]);
    size = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) {
        size |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
        begin = 12;
    }
    if (size > MR_NPY_MOST_HEADER - begin)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: the .npy file's header is longer than that of any "
                       "picture",
                       name);
    if (size > length - begin)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: the .npy file is cut short", name);
    t->at = (const char *)bytes + begin;
    t->end = t->at + size;
    return MRCNN_OK;
}

static const struct {
    const char *name;
    mr_npy_type type;
    size_t bytes;
} types[] = {{"|u1", MR_NPY_U8, 1},  {"<u1", MR_NPY_U8, 1},  {"<u2", MR_NPY_U16, 2},
             {"<i2", MR_NPY_I16, 2}, {"<f4", MR_NPY_F32, 4}, {"<f8", MR_NPY_F64, 8}};
enum { TYPES = sizeof types / sizeof *types };

static mrcnn_status check_shape(mr_npy *about, const entries *e, size_t sample, const char *name,
                                mrcnn_error *err) {
    size_t bytes;
    if (e->axes != 2 && e->axes != 3)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: the array has %s%d axes; a picture is height x width or height x width "
                       "x channels",
                       name, e->axes > MOST_AXES ? "more than " : "",
                       e->axes > MOST_AXES ? MOST_AXES : e->axes);
    uint64_t channels = e->axes == 3 ? e->shape[2] : 1;
    if (channels < 1 || channels > MR_MAX_CHANNELS)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: the array is %llu x %llu x %llu: a picture is height x width x 1 to %d "
                       "channels",
                       name, (unsigned long long)e->shape[0], (unsigned long long)e->shape[1],
                       (unsigned long long)channels, MR_MAX_CHANNELS);
    if (e->shape[0] < 1 || e->shape[1] < 1 || e->shape[0] > INT32_MAX || e->shape[1] > INT32_MAX ||
        !mr_mul_size((size_t)e->shape[0], (size_t)e->shape[1], &bytes) ||
        !mr_mul_size(bytes, (size_t)channels * sample, &bytes))
        return mr_fail(err, MRCNN_E_FORMAT, "%s: its header gives an impossible size, %llu x %llu",
                       name, (unsigned long long)e->shape[1], (unsigned long long)e->shape[0]);
    about->height = e->shape[0];
    about->width = e->shape[1];
    about->channels = (int)channels;
    about->bytes = bytes;
    return MRCNN_OK;
}

mrcnn_status mr_npy_header(mr_npy *about, const uint8_t *bytes, size_t length, const char *name,
                           mrcnn_error *err) {
    text t;
    entries e = {.axes = 0};
    size_t i = 0;
    mrcnn_status status = find_text(&t, bytes, length, name, err);
    if (status != MRCNN_OK) return status;
    about->begin = (size_t)((const uint8_t *)t.end - bytes);
    if (!read_entries(t, &e))
        return mr_fail(err, MRCNN_E_FORMAT, "%s: the .npy file's header makes no sense", name);
    while (i < TYPES && strcmp(e.type, types[i].name) != 0) i++;
    if (i == TYPES)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: the array's type is %s; uint8, uint16, int16, float32 and float64, "
                       "little-endian, can be read: save it with astype, as in "
                       "a.astype(\"<f4\")",
                       name, e.is_compound ? "a compound one" : e.type);
    if (e.is_fortran)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: the array is in Fortran's order: save numpy.ascontiguousarray of it",
                       name);
    about->type = types[i].type;
    return check_shape(about, &e, types[i].bytes, name, err);
}

/* ------------------------------------------------------------------------------------ the values */

static uint64_t little_endian(const uint8_t *b, int length) {
    uint64_t value = 0;
    for (int i = length - 1; i >= 0; i--) value = value << 8 | b[i];
    return value;
}

static double value_at(const uint8_t *values, size_t i, mr_npy_type type) {
    uint32_t bits32;
    uint64_t bits64;
    float f32;
    double f64 = 0;
    switch (type) {
    case MR_NPY_U8: return values[i];
    case MR_NPY_U16: return (double)little_endian(values + 2 * i, 2);
    case MR_NPY_I16: return (double)((int)(little_endian(values + 2 * i, 2) ^ 0x8000) - 0x8000);
    case MR_NPY_F32:
        bits32 = (uint32_t)little_endian(values + 4 * i, 4);
        memcpy(&f32, &bits32, sizeof f32);
        return f32;
    case MR_NPY_F64:
        bits64 = little_endian(values + 8 * i, 8);
        memcpy(&f64, &bits64, sizeof f64);
        break;
    }
    return f64;
}

/* Floats have no range of their own. That they go from 0 to 1 is common, not certain: if they don't,
 * nobody should have to find out by bad results. */
static mrcnn_status check_unit_range(const mr_npy *about, const uint8_t *values, size_t count,
                                     const char *name, mrcnn_error *err) {
    double lowest = 0, highest = 0;
    for (size_t i = 0; i < count; i++) {
        double value = value_at(values, i, about->type);
        if (value < lowest) lowest = value;
        if (value > highest) highest = value;
    }
    if (lowest >= 0 && highest <= 1) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_UNSUPPORTED,
                   "%s: its values go from %g to %g; those of floats are taken to go from 0 to 1 "
                   "unless a range is given (IMAGE_VALUE_RANGE): give one",
                   name, lowest, highest);
}

static mrcnn_status choose_levels(mr_levels *levels, const mr_npy *about, const uint8_t *values,
                                  size_t count, const mr_encoded *file, mrcnn_error *err) {
    int is_given = file->low < file->high;
    int is_real = about->type == MR_NPY_F32 || about->type == MR_NPY_F64;
    if (is_given) {
        *levels = is_real ? mr_levels_of_real(file->low, file->high)
                          : mr_levels_of_whole(file->low, file->high);
        return MRCNN_OK;
    }
    *levels = is_real                     ? mr_levels_of_real(0, 1)
              : about->type == MR_NPY_I16 ? mr_levels_of_whole(INT16_MIN, INT16_MAX)
                                          : mr_levels_of_whole(0, UINT16_MAX);
    return is_real ? check_unit_range(about, values, count, file->name, err) : MRCNN_OK;
}

/* Bytes are levels already. */
static mrcnn_status read_values(uint8_t *pixels, const mr_npy *about, const mr_encoded *file,
                                mrcnn_error *err) {
    const uint8_t *values = file->bytes + about->begin;
    size_t count = (size_t)about->width * (size_t)about->height * (size_t)about->channels;
    mr_levels levels;
    if (about->type == MR_NPY_U8) {
        memcpy(pixels, values, count);
        return MRCNN_OK;
    }
    mrcnn_status status = choose_levels(&levels, about, values, count, file, err);
    for (size_t i = 0; status == MRCNN_OK && i < count; i++)
        pixels[i] = mr_level(&levels, value_at(values, i, about->type));
    return status;
}

mrcnn_status mr_npy_decode(mrcnn_image *image, const mr_encoded *file, mrcnn_error *err) {
    mr_npy about;
    mrcnn_image made = {0};
    mrcnn_status status = mr_npy_header(&about, file->bytes, file->length, file->name, err);
    if (status != MRCNN_OK) return status;
    size_t there = file->length - about.begin;
    if (about.bytes > there)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: it is cut short: its header tells of %zu bytes, and there are %zu",
                       file->name, about.bytes, there);
    if (about.bytes < there)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: behind the array that its header tells of there is more (bytes: %zu)",
                       file->name, there - about.bytes);
    status = mr_image_check_channels(about.channels, file->channels, file->name, err);
    if (status != MRCNN_OK) return status;
    mr_announced announced = {about.width, about.height, about.channels, 1, about.bytes};
    status = mr_image_allocate(&made, file, &announced, err);
    if (status == MRCNN_OK) status = read_values(made.pixels, &about, file, err);
    if (status != MRCNN_OK)
        mrcnn_image_free(&made);
    else
        *image = made;
    return status;
}
