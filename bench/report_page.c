/* report_page.c - see report_page.h. */
#include "report_page.h"

#include <string.h>

void page_heading(report *r, const char *title, const char *text) {
    fprintf(r->page, "\n## %s\n\n%s\n\n", title, text);
}

void page_plot(report *r, const char *name, const mrcnn_chart *const *charts, size_t count) {
    char path[1200];
    mrcnn_error err = MRCNN_ERROR_INIT;
    snprintf(path, sizeof path, "%s/%s.%s", r->out, name, r->plots);
    if (mrcnn_charts_write(charts, count, 1, path, &err) == MRCNN_OK)
        fprintf(r->page, "\n![%s](%s.%s)\n", charts[0]->title, name, r->plots);
    else
        fprintf(r->page, "\nThere is no plot: %s\n", err.message);
}

static int is_said(const contender *c, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (strcmp(c[i].failure, c[index].failure) == 0) return 1;
    return 0;
}

void page_failures(report *r, const contender *c, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!c[i].failure[0] || is_said(c, i)) continue;
        fprintf(r->page, "\nNot measured: %s", c[i].name);
        for (size_t k = i + 1; k < count; k++)
            if (strcmp(c[k].failure, c[i].failure) == 0) fprintf(r->page, ", %s", c[k].name);
        fprintf(r->page, " (%s).\n", c[i].failure);
    }
}

int page_has_times(const contender *c, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (c[i].rounds) return 1;
    return 0;
}
