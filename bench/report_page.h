/* report_page.h - what all questions do with the page: headings, plots, and what couldn't be had. */
#ifndef BENCH_REPORT_PAGE_H
#define BENCH_REPORT_PAGE_H

#include "report_contender.h"

#include <mrcnn/draw.h>

void page_heading(report *r, const char *title, const char *text);
/* Draws them below each other into a file of that NAME beside the page, or says why not. */
void page_plot(report *r, const char *name, const mrcnn_chart *const *charts, size_t count);
/* A sentence for each contender that failed; contenders of the same reason share one. */
void page_failures(report *r, const contender *c, size_t count);
/* 1 if there is something to put into a table. */
int page_has_times(const contender *c, size_t count);

#endif
