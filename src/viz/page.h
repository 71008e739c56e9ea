/* page.h - a page while it is made: HTML and JSON in memory, pictures in files that have no name yet.
 * page.c has sections, page_elements.c texts, figures and tables, page_picture.c and page_chart.c
 * pictures, page_files.c the files, page_style.c how it looks. */
#ifndef MR_VIZ_PAGE_H
#define MR_VIZ_PAGE_H

#include "base/error.h"
#include "viz/page_buffer.h"

#include <mrcnn/inspect.h>

/* What a section has in the JSON. */
typedef enum mr_page_member {
    MR_PAGE_TEXTS, /* lists */
    MR_PAGE_NOTES,
    MR_PAGE_FIGURES, /* by key */
    MR_PAGE_TABLES,
    MR_PAGE_PICTURES,
    MR_PAGE_CHARTS,
    MR_PAGE_GRIDS,
    MR_PAGE_MEMBERS
} mr_page_member;

/* Figures, and pictures and charts, stand side by side as long as nothing else comes between. */
typedef enum mr_page_group { MR_PAGE_SINGLE, MR_PAGE_FIGURE_ROW, MR_PAGE_GALLERY } mr_page_group;

typedef struct mr_page_names {
    size_t count;
    char **items;
} mr_page_names;

typedef struct mr_page_file {
    char *path, *part; /* where it goes, and where it is */
} mr_page_file;

struct mrcnn_page {
    char *folder, *title;
    int made_folder, finished;
    mr_buffer contents, html, json; /* of the sections that are complete */
    char *section;                  /* that is under way; NULL: none yet */
    mr_buffer head, body;           /* of it: JSON up to its members, HTML */
    mr_buffer members[MR_PAGE_MEMBERS];
    mr_page_group group;
    mr_page_names ids, keys, names;
    size_t file_count;
    mr_page_file *files;
};

extern const char mr_page_style[];

/* There is a page with a section, and the text that it needs is no NULL. */
mrcnn_status mr_page_check(const mrcnn_page *page, const char *text, const char *what,
                           mrcnn_error *err);

/* A key or a name as inspect.h wants it, that is new; then it is taken. */
mrcnn_status mr_page_take(mr_page_names *names, const char *name, const char *what,
                          mrcnn_error *err);
/* Is it one that mr_page_take would take? */
mrcnn_status mr_page_check_name(const mr_page_names *names, const char *name, const char *what,
                                mrcnn_error *err);

/* Begins or ends a row of figures, a gallery. */
void mr_page_enter(mrcnn_page *page, mr_page_group group);

/* The beginning of an entry of the JSON, with its key if it has one; returns where the rest goes. */
mr_buffer *mr_page_entry(mrcnn_page *page, mr_page_member member, const char *key);

/* MRCNN_E_MEMORY once that ran out in any buffer. */
mrcnn_status mr_page_status(const mrcnn_page *page, mrcnn_error *err);

/* A path beside that of a file of the page, to write it to; its ending is .png. malloc'ed; NULL after a
 * message. */
char *mr_page_part(const mrcnn_page *page, const char *file, mrcnn_error *err);
/* What was written there becomes `file` in the end. Takes `part` over; on failure the file is gone. */
mrcnn_status mr_page_keep(mrcnn_page *page, const char *file, char *part, mrcnn_error *err);
mrcnn_status mr_page_keep_bytes(mrcnn_page *page, const char *file, const void *bytes,
                                size_t length, mrcnn_error *err);

/* Puts all files in their places, in order; none of the new ones when one fails. */
mrcnn_status mr_page_commit(mrcnn_page *page, mrcnn_error *err);
/* Those that are not in their places are gone. */
void mr_page_drop_files(mrcnn_page *page);

#endif
