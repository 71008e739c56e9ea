/* report_sweep.c - questions with one thing that grows (pictures in a pass, their size, proposals, threads), in f32 and in
 * bf16: a row for each value, and a line over them. */
#include "report_page.h"

#include <math.h>

enum { MAX_VALUES = 12, PRECISIONS = 2 };

static const char *const precisions[PRECISIONS] = {"f32", "bf16"};

typedef struct sweep {
    const char *question, *title, *text;
    const char *option, *key; /* of mrcnn bench, and of --set or NULL */
    const char *column;       /* what grows, for the table and the plot */
    int values[MAX_VALUES];   /* a 0 ends them */
    const char *y_label;
    int sessions;   /* one more row: so many sessions beside each other; 0: none */
    int by_picture; /* what is drawn: ms a picture, not a pass */
} sweep;

enum { MAX_POINTS = PRECISIONS * (MAX_VALUES + 1) };

/* A value in a precision: what is timed, and where it stands in table and plot. */
typedef struct point {
    int precision;
    char label[48];
    double x; /* NAN: not in the plot */
} point;

typedef struct points {
    size_t count;
    point items[MAX_POINTS];
    contender contenders[MAX_POINTS];
} points;

static void add_point(points *all, const report *r, const sweep *s, int precision, int value,
                      int sessions) {
    point *p = &all->items[all->count];
    char name[80], text[80], count[16];
    snprintf(text, sizeof text, "%s%s%d", s->key ? s->key : "", s->key ? "=" : "", value);
    snprintf(count, sizeof count, "%d", sessions);
    const char *more[] = {
        "--precision", precisions[precision], s->option, text, "--sessions", count, NULL};
    p->precision = precision;
    p->x = sessions > 1 ? NAN : value;
    if (sessions > 1)
        snprintf(p->label, sizeof p->label, "%d in each of %d sessions", value, sessions);
    else
        snprintf(p->label, sizeof p->label, "%d", value);
    snprintf(name, sizeof name, "%s, %s", precisions[precision], p->label);
    contender_bench(&all->contenders[all->count++], r, name, more);
}

static void add_points(points *all, const report *r, const sweep *s) {
    all->count = 0;
    for (int k = 0; k < PRECISIONS; k++) {
        for (int i = 0; i < MAX_VALUES && s->values[i]; i++)
            add_point(all, r, s, k, s->values[i], 1);
        if (s->sessions) add_point(all, r, s, k, 1, s->sessions);
    }
}

static double pictures_ms(const contender *c) {
    double rate = contender_rate(c).median;
    return rate > 0 ? 1e3 / rate : NAN;
}

/* The row that the speed of others is compared with: the first of its precision. */
static const contender *first_of(const points *all, int precision) {
    size_t i = 0;
    while (all->items[i].precision != precision || !all->contenders[i].rounds) i++;
    return &all->contenders[i];
}

static void write_table(report *r, const sweep *s, const points *all) {
    fprintf(r->page,
            "| | %s | latency, ms | pictures a second | speed | memory, MB |\n"
            "|---|---|---|---|---|---|\n",
            s->column);
    for (size_t i = 0; i < all->count; i++) {
        const point *p = &all->items[i];
        const contender *c = &all->contenders[i];
        if (!c->rounds) continue;
        fprintf(r->page, "| %s | %s | %s | %s | %.2f | %.0f |\n", precisions[p->precision],
                p->label, spread_write(contender_time(c)).text,
                number_write(contender_rate(c).median).text,
                pictures_ms(first_of(all, p->precision)) / pictures_ms(c), c->peak_bytes / 1e6);
    }
}

static size_t take_line(const sweep *s, const points *all, int precision, double *x, double *y) {
    size_t n = 0;
    for (size_t i = 0; i < all->count; i++) {
        const contender *c = &all->contenders[i];
        if (!c->rounds || isnan(all->items[i].x) || all->items[i].precision != precision) continue;
        x[n] = all->items[i].x;
        y[n++] = s->by_picture ? pictures_ms(c) : contender_time(c).median;
    }
    return n;
}

/* From 0, so that heights compare as times do. */
static void draw(report *r, const sweep *s, const points *all) {
    double x[PRECISIONS][MAX_VALUES], y[PRECISIONS][MAX_VALUES];
    mrcnn_series series[PRECISIONS];
    mrcnn_chart chart = mrcnn_chart_default();
    chart.title = s->title;
    chart.x_label = s->column;
    chart.y_label = s->y_label;
    chart.series = series;
    for (int k = 0; k < PRECISIONS; k++) {
        size_t n = take_line(s, all, k, x[k], y[k]);
        for (size_t i = 0; i < n; i++)
            if (1.05 * y[k][i] > chart.y_high) chart.y_high = 1.05 * y[k][i];
        if (n)
            series[chart.count++] = (mrcnn_series){.name = precisions[k],
                                                   .kind = MRCNN_SERIES_LINE,
                                                   .count = n,
                                                   .x = x[k],
                                                   .y = y[k],
                                                   .color = k};
    }
    const mrcnn_chart *charts[] = {&chart};
    page_plot(r, s->question, charts, 1);
}

static void run_sweep(report *r, const sweep *s) {
    static points all;
    page_heading(r, s->title, s->text);
    add_points(&all, r, s);
    contenders_run(r, s->question, all.contenders, all.count);
    if (page_has_times(all.contenders, all.count)) {
        write_table(r, s, &all);
        draw(r, s, &all);
    }
    page_failures(r, all.contenders, all.count);
    for (size_t i = 0; i < all.count; i++) contender_free(&all.contenders[i]);
}

void report_batch(report *r) {
    sweep s = {
        .question = "batch",
        .title = "Pictures at a time",
        .text = "Pictures that are computed together, and sessions that share one model's weights "
                "and detect side by side, each with its share of the threads. Latency is what a "
                "picture waits for, the whole pass. Speed is throughput beside that of the first "
                "row.",
        .option = "--batch",
        .column = "pictures in a pass",
        .values = {1, 2, 4, 8},
        .y_label = "ms a picture",
        .sessions = 2,
        .by_picture = 1};
    if (r->quick) s.values[2] = 0;
    run_sweep(r, &s);
}

void report_size(report *r) {
    sweep s = {.question = "size",
               .title = "Size of the picture",
               .text = "The side of a square picture, which the network sees as it is. What "
                       "follows the proposals (box and mask head) costs the same at all sizes.",
               .option = "--size",
               .column = "side, pixels",
               .values = {256, 512, 768, 1024, 1536, 2048},
               .y_label = "ms a picture"};
    if (r->quick) s.values[3] = 0;
    run_sweep(r, &s);
}

void report_proposals(report *r) {
    sweep s = {.question = "proposals",
               .title = "Proposals",
               .text = "How many proposals the box head looks at (POST_NMS_ROIS_INFERENCE).",
               .option = "--set",
               .key = "POST_NMS_ROIS_INFERENCE",
               .column = "proposals",
               .values = {100, 300, 1000, 2000},
               .y_label = "ms a picture"};
    run_sweep(r, &s);
}

/* 1, 2, 4, ... and all. */
void report_threads(report *r) {
    sweep s = {.question = "threads",
               .title = "Threads",
               .text = "Threads that compute one picture. Speed is how many times as fast it is "
                       "as with one.",
               .option = "--threads",
               .column = "threads",
               .y_label = "ms a picture"};
    int count = 0;
    for (int n = 1; n < r->threads && count < MAX_VALUES - 2; n *= 2) s.values[count++] = n;
    s.values[count] = r->threads;
    run_sweep(r, &s);
}
