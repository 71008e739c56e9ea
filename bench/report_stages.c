/* report_stages.c - the question of stages: where the time goes, beside what the machine could do at best. */
#include "report_limits.h"
#include "report_page.h"
#include "report_weights.h"

#include <math.h>
#include <string.h>

enum { PRECISIONS = 3, BACKBONES = 2, BARS = PRECISIONS + 1 };

static const char *const precisions[PRECISIONS] = {"f32", "bf16", "int8"};

/* A backbone in all precisions. */
typedef struct trial {
    const char *backbone;
    contender c[PRECISIONS];
    limits limits;
    char failure[REPORT_REASON]; /* of the limits; "": none */
    /* What the plot shows. */
    const char *names[CONTENDER_MAX_STAGES];
    double y[BARS][CONTENDER_MAX_STAGES];
    mrcnn_series series[BARS];
} trial;

static const contender_stage *stage_of(const contender *c, const char *name) {
    for (size_t i = 0; i < c->stage_count; i++)
        if (strcmp(c->stages[i].name, name) == 0) return &c->stages[i];
    return NULL;
}

static double median_of(const contender *c, const char *name) {
    const char *names[] = {name, NULL};
    return contender_stages(c, names).median;
}

static const contender *first_measured(const trial *t) {
    for (int k = 0; k < PRECISIONS; k++)
        if (t->c[k].rounds) return &t->c[k];
    return NULL;
}

/* ---------------------------------------------------------------------------------------- measuring */

static void measure(const report *r, trial *t, const char *weights) {
    char reason[REPORT_REASON] = "";
    report one = *r;
    one.backbone = t->backbone;
    t->failure[0] = '\0';
    limits_find(&t->limits, &one, t->failure, sizeof t->failure);
    int quantized = weights_quantize_fresh(&one, weights, reason, sizeof reason) == 0;
    for (int k = 0; k < PRECISIONS; k++) {
        int small = strcmp(precisions[k], "int8") == 0;
        const char *fresh[] = {"--precision", precisions[k], NULL};
        const char *from_file[] = {"--precision", precisions[k],
                                   "--weights",   weights,
                                   "--set",       "DETECTION_MIN_CONFIDENCE=0",
                                   "--set",       "DETECTION_NMS_THRESHOLD=1",
                                   NULL};
        contender_bench(&t->c[k], &one, precisions[k], small ? from_file : fresh);
        if (small && !quantized) snprintf(t->c[k].failure, sizeof t->c[k].failure, "%s", reason);
    }
    contenders_run(r, t->backbone, t->c, PRECISIONS);
    remove(weights);
}

/* ------------------------------------------------------------------------------------------- tables */

static void write_limits(const report *r, const trial *t, const char *stage) {
    const limit *l = limits_of(&t->limits, stage);
    if (l && r->peak_gflops > 0)
        fprintf(r->page, " %s | %s | %s |", number_write(l->gflop).text,
                number_write(1e3 * l->gflop / r->peak_gflops).text,
                number_write(1e3 * l->least / r->peak_gflops).text);
    else
        fprintf(r->page, " | | |");
}

static void write_row(const report *r, const trial *t, const char *stage) {
    const contender *first = first_measured(t);
    fprintf(r->page, "| %s |", stage);
    write_limits(r, t, stage);
    for (int k = 0; k < PRECISIONS; k++)
        if (t->c[k].rounds)
            fprintf(r->page, " %s |", number_write(median_of(&t->c[k], stage)).text);
        else
            fprintf(r->page, " - |");
    fprintf(r->page, " %.1f %% |\n", 100 * median_of(first, stage) / contender_time(first).median);
}

static void write_total(const report *r, const trial *t) {
    limit sum = {.gflop = 0};
    for (size_t i = 0; i < t->limits.count; i++) {
        sum.gflop += t->limits.items[i].gflop;
        sum.least += t->limits.items[i].least;
    }
    fprintf(r->page, "| all | %s | %s | %s |", number_write(sum.gflop).text,
            number_write(1e3 * sum.gflop / r->peak_gflops).text,
            number_write(1e3 * sum.least / r->peak_gflops).text);
    for (int k = 0; k < PRECISIONS; k++)
        if (t->c[k].rounds)
            fprintf(r->page, " %s |", spread_write(contender_time(&t->c[k])).text);
        else
            fprintf(r->page, " - |");
    fprintf(r->page, " 100 %% |\n");
}

static void write_table(report *r, const trial *t) {
    const contender *first = first_measured(t);
    fprintf(r->page, "### %s\n\n", t->backbone);
    if (!first) {
        page_failures(r, t->c, PRECISIONS);
        return;
    }
    if (t->failure[0]) fprintf(r->page, "The limits are not known: %s\n\n", t->failure);
    fprintf(r->page,
            "| stage | GFLOP | limit, ms | with Winograd | f32, ms | bf16, ms | int8, ms | share, "
            "%s |\n|---|---|---|---|---|---|---|---|\n",
            first->name);
    for (size_t i = 0; i < first->stage_count; i++) write_row(r, t, first->stages[i].name);
    write_total(r, t);
    page_failures(r, t->c, PRECISIONS);
    fputc('\n', r->page);
}

/* ------------------------------------------------------------------------- what isn't multiplication */

/* The share of all that is neither a convolution nor a product. */
static double share_of_others(const contender *c) {
    double sum = 0;
    for (size_t i = 0; i < c->stage_count; i++)
        if (!(c->stages[i].gflop > 0)) sum += median_of(c, c->stages[i].name);
    return 100 * sum / contender_time(c).median;
}

static void write_part(report *r, const trial *t, const char *what, const char *stage,
                       const char *goal) {
    fprintf(r->page, "| %s |", what);
    for (int k = 0; k < PRECISIONS; k++)
        if (t->c[k].rounds && stage_of(&t->c[k], stage)) {
            const char *names[] = {stage, NULL};
            fprintf(r->page, " %s |", spread_write(contender_stages(&t->c[k], names)).text);
        } else {
            fprintf(r->page, " - |");
        }
    fprintf(r->page, " %s |\n", goal);
}

static void write_parts(report *r, const trial *t) {
    const contender *first = first_measured(t);
    int looked_at = 0, kept = 0;
    char what[120];
    if (!first) return;
    double nms = limits_time_nms(&looked_at, &kept);
    fprintf(r->page,
            "### What multiplies nothing (%s)\n\n| | f32, ms | bf16, ms | int8, ms | "
            "goal |\n|---|---|---|---|---|\n",
            t->backbone);
    snprintf(what, sizeof what, "masks of the picture's size, %.0f of them (unmold)",
             first->instances);
    write_part(r, t, what, "unmold", "8 ms for 100");
    write_part(r, t, "RoIAlign of the proposals for the box head, 7 x 7", "box roi align",
               "15 ms for 1,000");
    write_part(r, t, "proposals: sort, decode, NMS of 6,000 at most", "proposals", "");
    fprintf(r->page,
            "| NMS alone: 6,000 boxes, %d kept when %d were seen | %.2f | the same | the same | 7 "
            "ms |\n",
            kept, looked_at, nms);
    write_part(r, t, "RoIAlign for the mask head, 14 x 14", "mask roi align", "");
    write_part(r, t, "the picture as the network wants it (mold)", "mold", "");
    write_part(r, t, "choosing detections", "detections", "");
    fprintf(r->page, "| share of all that is neither convolution nor product |");
    for (int k = 0; k < PRECISIONS; k++)
        if (t->c[k].rounds)
            fprintf(r->page, " %.1f %% |", share_of_others(&t->c[k]));
        else
            fprintf(r->page, " - |");
    fprintf(r->page, " 5 %% |\n");
}

/* --------------------------------------------------------------------------------------------- plot */

static double bar_of(const report *r, const trial *t, int bar, const char *stage) {
    if (bar < PRECISIONS) return t->c[bar].rounds ? median_of(&t->c[bar], stage) : NAN;
    const limit *l = limits_of(&t->limits, stage);
    return l && r->peak_gflops > 0 ? 1e3 * l->least / r->peak_gflops : NAN;
}

static mrcnn_chart make_chart(const report *r, trial *t) {
    static const char *const names[BARS] = {"f32", "bf16", "int8", "f32's limit, with Winograd"};
    mrcnn_chart chart = mrcnn_chart_default();
    const contender *first = first_measured(t);
    chart.title = t->backbone;
    chart.y_label = "ms, logarithmic";
    chart.log_y = 1;
    chart.width = 900;
    chart.height = 320;
    chart.series = t->series;
    chart.categories = t->names;
    chart.category_count = first->stage_count;
    for (size_t i = 0; i < first->stage_count; i++) {
        t->names[i] = first->stages[i].name;
        for (int bar = 0; bar < BARS; bar++) t->y[bar][i] = bar_of(r, t, bar, t->names[i]);
    }
    for (int bar = 0; bar < BARS; bar++)
        t->series[chart.count++] = (mrcnn_series){.name = names[bar],
                                                  .kind = MRCNN_SERIES_BARS,
                                                  .count = first->stage_count,
                                                  .y = t->y[bar],
                                                  .color = bar};
    return chart;
}

void report_stages(report *r) {
    static trial trials[BACKBONES] = {{.backbone = "resnet50"}, {.backbone = "resnet101"}};
    mrcnn_chart charts[BACKBONES];
    const mrcnn_chart *drawn[BACKBONES];
    size_t count = 0;
    char weights[1200];
    page_heading(
        r, "Stages",
        "Where the time of one picture goes. The limit is what the multiplications and additions "
        "of the plain algorithm take at this machine's measured f32 peak; with Winograd, those "
        "3x3 convolutions that are computed by F(4x4, 3x3) have a quarter of them, and its "
        "transforms are free. In bf16 the peak is up to twice as high, in int8 up to four times, "
        "where the processor has such instructions. Where no limit is given nothing is multiplied. "
        "Medians; in the last row with the fastest and the slowest run.");
    for (int i = 0; i < BACKBONES; i++) {
        snprintf(weights, sizeof weights, "%s/%s-int8.h5", r->out, trials[i].backbone);
        measure(r, &trials[i], weights);
        write_table(r, &trials[i]);
    }
    write_parts(r, &trials[0]);
    for (int i = 0; i < BACKBONES; i++)
        if (first_measured(&trials[i])) {
            charts[count] = make_chart(r, &trials[i]);
            drawn[count] = &charts[count];
            count++;
        }
    if (count) page_plot(r, "stages", drawn, count);
    for (int i = 0; i < BACKBONES; i++)
        for (int k = 0; k < PRECISIONS; k++) contender_free(&trials[i].c[k]);
}
