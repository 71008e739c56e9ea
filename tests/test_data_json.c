/* test_data_json.c - annotation files event by event: records, places in messages, limits. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "data/json.h"

#include <math.h>
#include <stdlib.h>

/* Walks through the outermost value and what lies under "walk", skips "skip", takes the rest. */
typedef struct seen {
    char text[4000]; /* each record as text */
    int records, fail_at;
    uint64_t last_line;
} seen;

static mr_json_choice choose(void *user, const mr_json_place *place) {
    (void)user;
    if (place->depth == 0) return MR_JSON_WALK;
    if (place->key && strcmp(place->key, "walk") == 0) return MR_JSON_WALK;
    if (place->key && strcmp(place->key, "skip") == 0) return MR_JSON_SKIP;
    return MR_JSON_TAKE;
}

static void append(seen *s, const char *text) {
    size_t used = strlen(s->text);
    snprintf(s->text + used, sizeof s->text - used, "%s", text);
}

static void write_value(seen *s, const mr_json *v) {
    char number[40];
    uint32_t count = 0;
    if (v->key) {
        append(s, v->key);
        append(s, ":");
    }
    switch (v->kind) {
    case MR_JSON_NULL: append(s, "null"); return;
    case MR_JSON_BOOL: append(s, v->number != 0 ? "true" : "false"); return;
    case MR_JSON_STRING: append(s, v->text); return;
    case MR_JSON_NUMBER:
        snprintf(number, sizeof number, "%.17g", v->number);
        append(s, number);
        return;
    case MR_JSON_ARRAY:
    case MR_JSON_OBJECT: break;
    case MR_JSON_CUT: append(s, "cut"); return;
    }
    append(s, v->kind == MR_JSON_ARRAY ? "[" : "{");
    for (const mr_json *m = v->first; m; m = m->next) {
        if (count++) append(s, " ");
        write_value(s, m);
    }
    assert_int_equal(count, v->count);
    append(s, v->kind == MR_JSON_ARRAY ? "]" : "}");
}

static mrcnn_status record(void *user, const mr_json_place *place, const mr_json *value,
                           mrcnn_error *err) {
    seen *s = user;
    if (s->records) append(s, "; ");
    if (place->key) {
        append(s, place->key);
        append(s, "=");
    }
    if (strlen(s->text) < sizeof s->text / 2) write_value(s, value);
    s->last_line = place->line;
    if (++s->records == s->fail_at) {
        err->status = MRCNN_E_CANCELLED;
        return MRCNN_E_CANCELLED;
    }
    return MRCNN_OK;
}

static mrcnn_status read_file(seen *s, const char *path, mrcnn_error *err) {
    mr_json_reader reader = {choose, record, s};
    return mr_json_read(path, &reader, err);
}

static seen read_text(const char *text, mrcnn_error *err) {
    seen s = {.records = 0};
    mrcnn_error none = MRCNN_ERROR_INIT;
    *err = none;
    cli_write("a.json", text);
    mrcnn_status status = read_file(&s, "a.json", err);
    assert_int_equal(status, err->status);
    return s;
}

static void expect(const char *text, const char *records) {
    mrcnn_error err;
    seen s = read_text(text, &err);
    if (err.status != MRCNN_OK) fail_msg("%s: %s", text, err.message);
    assert_string_equal(s.text, records);
}

static void expect_error(const char *text, const char *message) {
    mrcnn_error err;
    read_text(text, &err);
    if (err.status != MRCNN_E_FORMAT) fail_msg("%.100s: read", text);
    assert_contains(err.message, "a.json");
    assert_contains(err.message, message);
}

static void test_records(void **state) {
    (void)state;
    expect("{}", "");
    expect("[]", "");
    expect(" 7 ", "");
    expect("{\"a\": 1, \"b\": \"x\", \"c\": [true, null]}", "a=1; b=x; c=[true null]");
    expect("[1, [2], {\"k\": -3.5e1}]", "1; [2]; {k:-35}");
    expect("{\"walk\": {\"p\": {\"q\": []}, \"walk\": [5]}, \"z\": {}}", "p={q:[]}; 5; z={}");
    expect("{\"skip\": {\"a\": [1, {\"b\": 2}]}, \"skip\": 3, \"c\": 4}", "c=4");
    expect("{\"a\": {\"n\": 0.1, \"n\": 123456789012345678, \"m\": -0}}",
           "a={n:0.10000000000000001 n:1.2345678901234568e+17 m:-0}");
    expect("\xEF\xBB\xBF{\"a\": \"\\u00e4\\n\"}", "a=\xC3\xA4\n");
    expect("{\"a\": 1e999}", "a=inf");
}

static void test_lookups(void **state) {
    (void)state;
    mr_json last = {.kind = MR_JSON_NUMBER, .key = "k", .number = 2};
    mr_json first = {.kind = MR_JSON_STRING, .key = "k", .text = "x", .next = &last};
    mr_json object = {.kind = MR_JSON_OBJECT, .count = 2, .first = &first};
    mr_json infinite = {.kind = MR_JSON_NUMBER, .number = INFINITY};
    double number = 5;
    assert_ptr_equal(mr_json_get(&object, "k"), &last);
    assert_null(mr_json_get(&object, "l"));
    assert_null(mr_json_get(&last, "k"));
    assert_null(mr_json_get(NULL, "k"));
    assert_string_equal(mr_json_text(&first), "x");
    assert_null(mr_json_text(&last));
    assert_null(mr_json_text(NULL));
    assert_int_equal(mr_json_number(&infinite, &number), 0);
    assert_int_equal(mr_json_number(&first, &number), 0);
    assert_int_equal(mr_json_number(NULL, &number), 0);
    assert_true(number == 5);
    assert_int_equal(mr_json_number(&last, &number), 1);
    assert_true(number == 2);
    assert_string_equal(mr_json_kind_name(NULL), "nothing");
    assert_string_equal(mr_json_kind_name(&object), "an object");
}

static void test_errors_say_where(void **state) {
    (void)state;
    expect_error("", "the file is empty");
    expect_error("{\n\"a\": 1,\n\"b\": }", "line 3, byte ");
    expect_error("{\n\"a\": 1,\n\"b\": ", "line 3: the file ends in the middle");
    expect_error("\xFF\xFE{", "UTF-16");
    expect_error("{\"a\": \"\\u0000\"}", "0 byte");
    expect_error("{\"a\": {\"\\u0000\": 1}}", "0 byte");
    expect_error("{\"\\u0000\": 1}", "0 byte");
    expect_error("{\"a\": \"\xE4\"}", "UTF8");
    expect_error("{\"a\": 1} x", "line 1, byte ");
    expect_error("{\"a\": 01}", "a.json: line 1");
    expect_error("{\"a\": NaN}", "a.json: line 1");
    expect_error("{'a': 1}", "a.json: line 1");
    expect_error("{\"a\" 1}", "a.json: line 1");
    expect_error("[1, 2", "cut short");
    expect_error("// no\n{}", "a.json: line 1");
}

static void test_no_such_file(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    seen s = {.records = 0};
    assert_int_equal(read_file(&s, "none.json", &err), MRCNN_E_IO);
    assert_contains(err.message, "none.json: can't open it");
    assert_int_equal(read_file(&s, ".", &err), MRCNN_E_IO);
    assert_contains(err.message, "is a folder");
}

static void test_stopping(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    seen s = {.fail_at = 2};
    cli_write("a.json", "[1, {\"a\": 2}, 3, 4");
    assert_int_equal(read_file(&s, "a.json", &err), MRCNN_E_CANCELLED);
    assert_int_equal(s.records, 2);
}

static char *repeat(const char *before, const char *part, size_t times, const char *after) {
    size_t length = strlen(part), at = strlen(before);
    char *text = malloc(at + length * times + strlen(after) + 1);
    assert_non_null(text);
    strcpy(text, before);
    for (size_t i = 0; i < times; i++, at += length) memcpy(text + at, part, length);
    strcpy(text + at, after);
    return text;
}

static void test_nesting(void **state) {
    (void)state;
    mrcnn_error err;
    char *open_only = repeat("", "[", 100000, "");
    char *inside = repeat("{\"skip\": ", "[", 64, "");
    char *fits = repeat("", "[", 64, "]");
    char *closed = repeat(fits, "]", 63, "");
    expect_error(open_only, "nested more than 64 deep");
    expect_error(inside, "nested more than 64 deep");
    seen s = read_text(closed, &err);
    assert_int_equal(err.status, MRCNN_OK);
    assert_int_equal(s.records, 1);
    free(open_only);
    free(inside);
    free(fits);
    free(closed);
}

static void test_long_numbers(void **state) {
    (void)state;
    char *digits = repeat("{\"a\": ", "9", 401, "}"), *fits = repeat("{\"a\": ", "9", 400, "}");
    expect_error(digits, "more than 400 digits");
    expect(fits, "a=inf");
    free(digits);
    free(fits);
}

/* The file is read in pieces of 1 MB; records lie across their borders. */
static void test_pieces(void **state) {
    (void)state;
    mrcnn_error err;
    char *records = repeat("[\n", "{\"k\": \"0123456789\", \"n\": [1.25, 17]},\n", 80000, "0]");
    seen s = read_text(records, &err);
    assert_int_equal(err.status, MRCNN_OK);
    assert_int_equal(s.records, 80001);
    assert_int_equal(s.last_line, 80002);
    s.text[strcspn(s.text, ";")] = 0;
    assert_string_equal(s.text, "{k:0123456789 n:[1.25 17]}");
    free(records);
    char *text = repeat("{\"a\": [\"", "x", 5 << 20, "\"], \"b\": \"y\"}");
    s = read_text(text, &err);
    assert_int_equal(err.status, MRCNN_OK);
    assert_int_equal(s.records, 2);
    free(text);
}

static void test_long_strings_and_records(void **state) {
    (void)state;
    char *text = repeat("{\"a\": \"", "x", (size_t)MR_JSON_MAX_STRING + (2 << 20), "\"}");
    expect_error(text, "more than 32 MB");
    free(text);
    text = repeat("{\"a\": [", "1,", (size_t)MR_JSON_MAX_VALUES, "1]}");
    expect_error(text, "more than 4,194,304 values");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_errors_say_where),
        cmocka_unit_test(test_no_such_file),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_long_numbers),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_long_strings_and_records),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
