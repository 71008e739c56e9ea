/* page.c - pages: names, sections, and the whole of it. */
#include "viz/page.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NAME = 100 };

static const struct {
    const char *key;
    char open, close;
} members[MR_PAGE_MEMBERS] = {
    [MR_PAGE_TEXTS] = {"texts", '[', ']'},       [MR_PAGE_NOTES] = {"notes", '[', ']'},
    [MR_PAGE_FIGURES] = {"figures", '{', '}'},   [MR_PAGE_TABLES] = {"tables", '{', '}'},
    [MR_PAGE_PICTURES] = {"pictures", '{', '}'}, [MR_PAGE_CHARTS] = {"charts", '{', '}'},
    [MR_PAGE_GRIDS] = {"grids", '{', '}'},
};

/* --------------------------------------------------------------------------------------- names */

static int is_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(name);
    return length > 0 && length <= MOST_NAME && strspn(name, letters) > 0 &&
           strspn(name, all) == length;
}

mrcnn_status mr_page_check_name(const mr_page_names *names, const char *name, const char *what,
                                mrcnn_error *err) {
    if (!name) return mr_fail(err, MRCNN_E_ARGUMENT, "a page: %s is NULL", what);
    if (!is_name(name))
        return mr_fail(
            err, MRCNN_E_ARGUMENT,
            "a page: %s \"%s\" must be at most %d letters, digits, '-', '_' and '.', and "
            "begin with a letter or a digit",
            what, name, MOST_NAME);
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return mr_fail(err, MRCNN_E_ARGUMENT, "a page: there is %s \"%s\" already", what, name);
    return MRCNN_OK;
}

mrcnn_status mr_page_take(mr_page_names *names, const char *name, const char *what,
                          mrcnn_error *err) {
    mrcnn_status status = mr_page_check_name(names, name, what, err);
    if (status != MRCNN_OK) return status;
    char *copy = mr_strdup(name);
    char **items = mr_realloc(names->items, names->count + 1, sizeof *items);
    if (items) names->items = items;
    if (!items || !copy) {
        free(copy);
        return mr_fail_memory(err, strlen(name), "a name of a page");
    }
    names->items[names->count++] = copy;
    return MRCNN_OK;
}

static void free_names(mr_page_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
    *names = (mr_page_names){0, NULL};
}

/* ---------------------------------------------------------------------------------- what parts share */

mrcnn_status mr_page_check(const mrcnn_page *page, const char *text, const char *what,
                           mrcnn_error *err) {
    if (!page || !text)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a page: %s is NULL", page ? what : "the page");
    if (page->finished)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a page: it is finished; make another one");
    if (!page->section)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a page: begin with mrcnn_page_section");
    return MRCNN_OK;
}

void mr_page_enter(mrcnn_page *page, mr_page_group group) {
    static const char *const begin[] = {"", "<dl class=\"figures\">\n",
                                        "<div class=\"gallery\">\n"};
    static const char *const end[] = {"", "</dl>\n", "</div>\n"};
    if (page->group == group) return;
    mr_buffer_put(&page->body, end[page->group]);
    mr_buffer_put(&page->body, begin[group]);
    page->group = group;
}

mr_buffer *mr_page_entry(mrcnn_page *page, mr_page_member member, const char *key) {
    mr_buffer *out = &page->members[member];
    mr_buffer_put(out, out->length ? ",\n        " : "\n        ");
    if (key) {
        mr_buffer_json(out, key);
        mr_buffer_put(out, ": ");
    }
    return out;
}

mrcnn_status mr_page_status(const mrcnn_page *page, mrcnn_error *err) {
    int failed = page->contents.failed || page->html.failed || page->json.failed ||
                 page->head.failed || page->body.failed;
    for (int i = 0; i < MR_PAGE_MEMBERS; i++) failed |= page->members[i].failed;
    if (!failed) return MRCNN_OK;
    return mr_fail_memory(err, page->html.length + page->body.length, "a page");
}

/* ------------------------------------------------------------------------------------- sections */

/* Puts the section that is under way behind those that are complete. */
static void end_section(mrcnn_page *page) {
    if (!page->section) return;
    mr_page_enter(page, MR_PAGE_SINGLE);
    mr_buffer_append(&page->html, &page->body);
    mr_buffer_put(&page->html, "</section>\n");
    mr_buffer_append(&page->json, &page->head);
    for (int i = 0; i < MR_PAGE_MEMBERS; i++) {
        if (!page->members[i].length) continue;
        mr_buffer_format(&page->json, ",\n      \"%s\": %c", members[i].key, members[i].open);
        mr_buffer_append(&page->json, &page->members[i]);
        mr_buffer_format(&page->json, "\n      %c", members[i].close);
        mr_buffer_free(&page->members[i]);
    }
    mr_buffer_put(&page->json, "\n    }");
    mr_buffer_free(&page->head);
    mr_buffer_free(&page->body);
    free_names(&page->keys);
    free(page->section);
    page->section = NULL;
}

static void begin_section(mrcnn_page *page, const char *id, const char *title, const char *about) {
    mr_buffer_format(&page->contents, "<li><a href=\"#%s\">", id);
    mr_buffer_html(&page->contents, title);
    mr_buffer_put(&page->contents, "</a></li>\n");

    mr_buffer_format(&page->body, "<section id=\"%s\">\n<h2>", id);
    mr_buffer_html(&page->body, title);
    mr_buffer_put(&page->body, "</h2>\n");
    if (about) {
        mr_buffer_put(&page->body, "<p class=\"about\">");
        mr_buffer_html(&page->body, about);
        mr_buffer_put(&page->body, "</p>\n");
    }

    mr_buffer_put(&page->head, page->ids.count > 1 ? ",\n    " : "\n    ");
    mr_buffer_json(&page->head, id);
    mr_buffer_put(&page->head, ": {\n      \"title\": ");
    mr_buffer_json(&page->head, title);
    mr_buffer_put(&page->head, ",\n      \"about\": ");
    mr_buffer_json(&page->head, about);
}

mrcnn_status mrcnn_page_section(mrcnn_page *page, const char *id, const char *title,
                                const char *about, mrcnn_error *err) {
    if (!page || !title)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a page: %s is NULL", page ? "title" : "the page");
    if (page->finished)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a page: it is finished; make another one");
    mrcnn_status status = mr_page_check_name(&page->ids, id, "the section", err);
    char *copy = status == MRCNN_OK ? mr_strdup(id) : NULL;
    if (status == MRCNN_OK && !copy) status = mr_fail_memory(err, strlen(id), "a section");
    if (status == MRCNN_OK) status = mr_page_take(&page->ids, id, "the section", err);
    if (status != MRCNN_OK) {
        free(copy);
        return status;
    }
    end_section(page);
    page->section = copy;
    begin_section(page, id, title, about);
    return mr_page_status(page, err);
}

/* -------------------------------------------------------------------------------- the whole page */

mrcnn_status mrcnn_page_create(mrcnn_page **page, const char *folder, const char *title,
                               mrcnn_error *err) {
    struct stat info;
    if (!page || !folder || !*folder || !title)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a page needs a folder and a title");
    mrcnn_page *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a page");
    made->made_folder = stat(folder, &info) != 0;
    made->folder = mr_strdup(folder);
    made->title = mr_strdup(title);
    mrcnn_status status = made->folder && made->title ? mr_make_directories(folder, err)
                                                      : mr_fail_memory(err, 0, "a page's title");
    if (status == MRCNN_OK)
        *page = made;
    else
        mrcnn_page_free(&made);
    return status;
}

static void write_html(const mrcnn_page *page, mr_buffer *out) {
    mr_buffer_put(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<meta name=\"color-scheme\" content=\"light dark\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "img-src data:; style-src 'unsafe-inline'\">\n<title>");
    mr_buffer_html(out, page->title);
    mr_buffer_put(out, "</title>\n<style>\n");
    mr_buffer_put(out, mr_page_style);
    mr_buffer_put(out, "</style>\n</head>\n<body>\n<header>\n<h1>");
    mr_buffer_html(out, page->title);
    mr_buffer_put(out, "</h1>\n</header>\n<div class=\"columns\">\n"
                       "<nav aria-label=\"Contents\">\n<ol>\n");
    mr_buffer_append(out, &page->contents);
    mr_buffer_put(out, "</ol>\n</nav>\n<main>\n");
    mr_buffer_append(out, &page->html);
    mr_buffer_format(
        out,
        "</main>\n</div>\n<footer>\n<p>Made by mrcnn %s. The same figures lie beside "
        "this page as <a href=\"report.json\">report.json</a>, pictures in full size as "
        "PNG files.</p>\n</footer>\n</body>\n</html>\n",
        mrcnn_version());
}

static void write_json(const mrcnn_page *page, mr_buffer *out) {
    mr_buffer_put(out, "{\n  \"title\": ");
    mr_buffer_json(out, page->title);
    mr_buffer_put(out, ",\n  \"mrcnn\": ");
    mr_buffer_json(out, mrcnn_version());
    mr_buffer_put(out, ",\n  \"sections\": {");
    mr_buffer_append(out, &page->json);
    mr_buffer_put(out, "\n  }\n}\n");
}

static mrcnn_status keep_text(mrcnn_page *page, const char *file, const mr_buffer *text,
                              mrcnn_error *err) {
    if (text->failed) return mr_fail_memory(err, text->length, "a page");
    return mr_page_keep_bytes(page, file, text->text, text->length, err);
}

/* The page itself is the last file: whoever sees it finds the rest. */
mrcnn_status mrcnn_page_finish(mrcnn_page *page, mrcnn_error *err) {
    mr_buffer html = {0}, json = {0};
    mrcnn_status status = mr_page_check(page, "", "", err);
    if (status != MRCNN_OK) return status;
    end_section(page);
    page->finished = 1;
    write_html(page, &html);
    write_json(page, &json);
    status = mr_page_status(page, err);
    if (status == MRCNN_OK) status = keep_text(page, "report.json", &json, err);
    if (status == MRCNN_OK) status = keep_text(page, "report.html", &html, err);
    if (status == MRCNN_OK) status = mr_page_commit(page, err);
    if (status == MRCNN_OK) page->made_folder = 0;
    mr_buffer_free(&html);
    mr_buffer_free(&json);
    return status;
}

void mrcnn_page_free(mrcnn_page **page) {
    mrcnn_page *p = page ? *page : NULL;
    if (!p) return;
    mr_page_drop_files(p);
    for (int i = 0; i < MR_PAGE_MEMBERS; i++) mr_buffer_free(&p->members[i]);
    mr_buffer *buffers[] = {&p->contents, &p->html, &p->json, &p->head, &p->body};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) mr_buffer_free(buffers[i]);
    free_names(&p->ids);
    free_names(&p->keys);
    free_names(&p->names);
    if (p->made_folder && p->folder) (void)rmdir(p->folder); /* stays if it isn't empty */
    free(p->section);
    free(p->folder);
    free(p->title);
    free(p);
    *page = NULL;
}
