/* helper_report.c - see helper_report.h. The page is read as a browser's text would be: tags taken
 * away, entities resolved, commas in numbers left out. */
#include "helper_report.h"

#include "helper_assert.h"
#include "helper_cli.h"

#include <yajl/yajl_tree.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct report {
    char *html, *json;
    yajl_val tree;
    const char *folder;
} report;

static void open_report(report *r, const char *folder) {
    char path[600], message[200] = "";
    r->folder = folder;
    snprintf(path, sizeof path, "%s/report.html", folder);
    r->html = cli_read(path);
    snprintf(path, sizeof path, "%s/report.json", folder);
    r->json = cli_read(path);
    if (!r->html || !r->json) fail_msg("there is no report in %s", folder);
    if (!cli_is_json(r->json)) fail_msg("%s is no JSON", path);
    r->tree = yajl_tree_parse(r->json, message, sizeof message);
    if (!r->tree) fail_msg("%s: %s", path, message);
}

static void close_report(report *r) {
    yajl_tree_free(r->tree);
    free(r->html);
    free(r->json);
}

static yajl_val get(yajl_val from, const char *section, const char *member, const char *key,
                    const char *field) {
    const char *path[] = {"sections", section, member, key, field, NULL};
    return yajl_tree_get(from, path, yajl_t_any);
}

/* ------------------------------------------------------------------------------- complete in itself */

/* The page without what is inside of its pictures; malloc'ed. */
static char *without_data(const char *html) {
    char *text = malloc(strlen(html) + 1), *to = text;
    while (*html) {
        if (strncmp(html, ";base64,", 8) == 0) {
            html += 8;
            html +=
                strspn(html, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
        } else {
            *to++ = *html++;
        }
    }
    *to = 0;
    return text;
}

/* Each reference is to a part of the page, inside, or a file beside it. */
static size_t check_references(const char *folder, const char *text, const char *attribute) {
    size_t inside = 0, length = strlen(attribute);
    for (const char *at = text; (at = strstr(at, attribute));) {
        char value[300], path[1000];
        at += length;
        size_t n = strcspn(at, "\"");
        snprintf(value, sizeof value, "%.*s", (int)n, at);
        if (strncmp(value, "data:image/", 11) == 0) {
            inside++;
            continue;
        }
        if (value[0] == '#') {
            snprintf(path, sizeof path, "id=\"%s\"", value + 1);
            assert_contains(text, path);
            continue;
        }
        if (strchr(value, '/') || strchr(value, ':')) fail_msg("it refers to %s", value);
        snprintf(path, sizeof path, "%s/%s", folder, value);
        if (!cli_exists(path)) fail_msg("it refers to %s, which isn't there", path);
    }
    return inside;
}

static size_t check_complete(const report *r) {
    static const char *const strange[] = {"http:",   "https:",  "//",   "<script", "<link",
                                          "<iframe", "@import", "url(", "<object", "javascript:"};
    char *text = without_data(r->html);
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
        if (strstr(text, strange[i])) fail_msg("%s is in the page", strange[i]);
    size_t pictures = check_references(r->folder, text, " src=\"");
    check_references(r->folder, text, " srcset=\"");
    check_references(r->folder, text, " href=\"");
    if (cli_occurrences(text, "<img ") != cli_occurrences(text, " alt=\""))
        fail_msg("a picture has no text for those who don't see it");
    free(text);
    return pictures;
}

/* -------------------------------------------------------------------------------------- values */

/* What stands between `from` and `end`, as one reads it. */
static void read_text(const char *from, const char *end, char *text, size_t room) {
    static const struct {
        const char *entity, *meaning;
    } entities[] = {{"&amp;", "&"},   {"&lt;", "<"},  {"&gt;", ">"},
                    {"&quot;", "\""}, {"&#39;", "'"}, {"&ndash;", "-"}};
    size_t used = 0;
    while (from < end && used + 4 < room) {
        if (*from == '<') {
            const char *close = strchr(from, '>');
            from = close ? close + 1 : end;
            continue;
        }
        const char *meaning = NULL;
        for (size_t i = 0; i < sizeof entities / sizeof *entities && !meaning; i++)
            if (strncmp(from, entities[i].entity, strlen(entities[i].entity)) == 0) {
                meaning = entities[i].meaning;
                from += strlen(entities[i].entity);
            }
        text[used++] = meaning ? *meaning : *from++;
    }
    text[used] = 0;
}

/* Is the number what the text shows, as far as the text's digits go? */
static int is_shown(const char *text, double value) {
    char digits[500], *end = NULL;
    size_t n = 0, behind = 0, is_behind = 0;
    int exponent = 0;
    for (const char *c = text; *c && n + 1 < sizeof digits; c++)
        if (*c != ',') digits[n++] = *c;
    digits[n] = 0;
    double shown = strtod(digits, &end);
    if (end == digits) return 0;
    for (const char *c = digits; c < end; c++) {
        if (*c == 'e') {
            exponent = atoi(c + 1);
            break;
        }
        behind += is_behind && *c >= '0' && *c <= '9';
        is_behind |= *c == '.';
    }
    double step = pow(10, exponent - (double)behind);
    return fabs(shown - value) <= 0.5000001 * step;
}

static int agrees(const char *text, yajl_val value) {
    char expected[2000] = "";
    if (YAJL_IS_NULL(value)) return strcmp(text, "-") == 0 || strcmp(text, "") == 0;
    if (YAJL_IS_STRING(value)) {
        snprintf(expected, sizeof expected, "%s", YAJL_GET_STRING(value));
        return strcmp(text, expected) == 0;
    }
    if (YAJL_IS_ARRAY(value)) return strcmp(text, "") == 0; /* bars */
    return YAJL_IS_NUMBER(value) && is_shown(text, YAJL_GET_DOUBLE(value));
}

/* ------------------------------------------------------------------------------------- figures */

/* data-figure="section/key" into its parts; returns what follows the bracket. */
static const char *read_place(const char *at, char *section, char *key) {
    if (sscanf(at, "%100[^/]/%100[^\"]", section, key) != 2) fail_msg("a bad place: %.60s", at);
    return strchr(at, '>') + 1;
}

static size_t check_figures(const report *r) {
    static const char mark[] = "data-figure=\"";
    size_t count = 0;
    for (const char *at = r->html; (at = strstr(at, mark)); count++) {
        char section[101], key[101], text[600];
        at = read_place(at + strlen(mark), section, key);
        const char *end = strstr(at, "</dd>"), *unit = strstr(at, " <small>");
        read_text(at, unit && unit < end ? unit : end, text, sizeof text);
        yajl_val value = get(r->tree, section, "figures", key, "value");
        if (!value) fail_msg("%s/%s is not in the JSON", section, key);
        if (!agrees(text, value)) fail_msg("%s/%s is shown as %s", section, key, text);
    }
    return count;
}

static size_t check_row(const char *from, const char *end, yajl_val row, const char *where) {
    size_t column = 0, count = row->u.array.len;
    for (const char *at = from; (at = strstr(at, "<td")) && at < end; column++) {
        char text[2000];
        at = strchr(at, '>') + 1;
        read_text(at, strstr(at, "</td>"), text, sizeof text);
        if (column >= count) fail_msg("%s has more columns than in the JSON", where);
        if (!agrees(text, row->u.array.values[column]))
            fail_msg("%s, column %zu, shows \"%s\"", where, column, text);
    }
    if (column != count) fail_msg("%s has %zu columns, in the JSON %zu", where, column, count);
    return count;
}

static size_t check_tables(const report *r, size_t *tables) {
    static const char mark[] = "data-table=\"";
    size_t cells = 0;
    for (const char *at = r->html; (at = strstr(at, mark)); (*tables)++) {
        char section[101], key[101], where[300];
        at = read_place(at + strlen(mark), section, key);
        const char *end = strstr(at, "</table>"), *row = strstr(at, "<tbody>");
        yajl_val rows = get(r->tree, section, "tables", key, "rows");
        if (!YAJL_IS_ARRAY(rows)) fail_msg("the table %s/%s is not in the JSON", section, key);
        size_t index = 0;
        for (; (row = strstr(row, "<tr>")) && row < end; index++) {
            const char *row_end = strstr(row, "</tr>");
            snprintf(where, sizeof where, "%s/%s, row %zu,", section, key, index);
            if (index >= rows->u.array.len) fail_msg("%s is not in the JSON", where);
            cells += check_row(row, row_end, rows->u.array.values[index], where);
            row = row_end;
        }
        if (index != rows->u.array.len) fail_msg("%s/%s lacks rows", section, key);
    }
    return cells;
}

/* How many entries the JSON's sections have of a kind. */
static size_t count_members(yajl_val tree, const char *member) {
    const char *path[] = {"sections", NULL}, *below[] = {member, NULL};
    yajl_val sections = yajl_tree_get(tree, path, yajl_t_object);
    size_t count = 0;
    for (size_t i = 0; sections && i < sections->u.object.len; i++) {
        yajl_val found = yajl_tree_get(sections->u.object.values[i], below, yajl_t_object);
        if (found) count += found->u.object.len;
    }
    return count;
}

report_counts assert_report(const char *folder) {
    report r;
    report_counts counts = {0};
    size_t tables = 0;
    open_report(&r, folder);
    counts.pictures = check_complete(&r);
    counts.figures = check_figures(&r);
    counts.cells = check_tables(&r, &tables);
    assert_int_equal(counts.figures, count_members(r.tree, "figures"));
    assert_int_equal(tables, count_members(r.tree, "tables"));
    close_report(&r);
    return counts;
}

double report_figure(const char *folder, const char *section, const char *key) {
    report r;
    open_report(&r, folder);
    yajl_val value = get(r.tree, section, "figures", key, "value");
    if (!value) fail_msg("there is no figure %s/%s", section, key);
    double number = YAJL_IS_NUMBER(value) ? YAJL_GET_DOUBLE(value) : NAN;
    close_report(&r);
    return number;
}

char *report_cell(const char *folder, const char *section, const char *table, size_t row,
                  size_t column) {
    report r;
    char *text = NULL;
    open_report(&r, folder);
    yajl_val rows = get(r.tree, section, "tables", table, "rows");
    if (!YAJL_IS_ARRAY(rows)) fail_msg("there is no table %s/%s", section, table);
    if (row < rows->u.array.len && column < rows->u.array.values[row]->u.array.len) {
        yajl_val cell = rows->u.array.values[row]->u.array.values[column];
        text = strdup(YAJL_IS_STRING(cell)   ? YAJL_GET_STRING(cell)
                      : YAJL_IS_NUMBER(cell) ? YAJL_GET_NUMBER(cell)
                                             : "");
    }
    close_report(&r);
    return text;
}
