/* helper_report.h - reads a report back: does the page say what the JSON beside it says, and is it
 * complete in itself? */
#ifndef HELPER_REPORT_H
#define HELPER_REPORT_H

#include <stddef.h>

typedef struct report_counts {
    size_t figures, cells, pictures; /* that were compared, or were there */
} report_counts;

/* Fails the test unless report.html and report.json in the folder are well-formed and agree: each
 * figure and each cell of each table of one is in the other, with the value that is shown; each picture
 * has its file; the page refers to nothing that isn't in it or beside it. */
report_counts assert_report(const char *folder);

/* A figure of report.json; the test fails when there is none. NaN for null. */
double report_figure(const char *folder, const char *section, const char *key);

/* A cell of a table as text; malloc'ed. Numbers as printed in the file. NULL past the rows. */
char *report_cell(const char *folder, const char *section, const char *table, size_t row,
                  size_t column);

#endif
