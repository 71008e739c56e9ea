/* report_precision.c - the question of precision: what a faster number costs in AP, with the model that comes along. */
#include "report_json.h"
#include "report_page.h"
#include "report_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PRECISIONS = 3, PATH_ROOM = 1200 };

static const char *const precisions[PRECISIONS] = {"f32", "bf16", "int8"};

typedef struct score {
    double mask_ap, mask_ap50, mask_ap75, box_ap;
    double pictures, objects;
    char failure[REPORT_REASON];
} score;

/* --------------------------------------------------------------------------------------------- AP */

static void take_scores(void *user, const mr_json *value) {
    score *s = user;
    const mr_json *masks = mr_json_get(value, "segm");
    s->mask_ap = json_number(masks, "AP");
    s->mask_ap50 = json_number(masks, "AP50");
    s->mask_ap75 = json_number(masks, "AP75");
    s->box_ap = json_number(mr_json_get(value, "bbox"), "AP");
    s->pictures = json_number(value, "pictures");
    s->objects = json_number(value, "objects");
}

static void evaluate(const report *r, score *s, const char *precision, const char *weights) {
    const char *arguments[] = {MRCNN_PROGRAM,
                               "eval",
                               "--dataset",
                               r->data,
                               "--weights",
                               weights,
                               "--precision",
                               precision,
                               "--json",
                               "-",
                               r->subset ? "--subset" : NULL,
                               r->subset,
                               NULL};
    *s = (score){0};
    char *text = process_run(arguments, s->failure, sizeof s->failure);
    if (!text) return;
    json_take("mrcnn eval", text, take_scores, s, s->failure, sizeof s->failure);
    free(text);
}

/* ------------------------------------------------------------------------------------------- output */

static double megabytes(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_size / 1e6 : NAN;
}

static void write_table(report *r, const contender *c, const score *scores,
                        const char *const *files) {
    fprintf(r->page, "| | ms a picture | mask AP | AP50 | AP75 | box AP | file, MB |\n"
                     "|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < PRECISIONS; i++)
        if (c[i].rounds)
            fprintf(r->page, "| %s | %s | %.3f | %.3f | %.3f | %.3f | %.1f |\n", c[i].name,
                    spread_write(contender_time(&c[i])).text, scores[i].mask_ap,
                    scores[i].mask_ap50, scores[i].mask_ap75, scores[i].box_ap,
                    megabytes(files[i]));
}

/* From 0 to 1, and times from 0: a difference that is nothing looks like nothing. */
static void draw(report *r, const contender *c, const score *scores) {
    double x[PRECISIONS];
    mrcnn_series series[PRECISIONS];
    mrcnn_chart chart = mrcnn_chart_default();
    chart.title = "Precision";
    chart.x_label = "ms a picture";
    chart.y_label = "mask AP";
    chart.series = series;
    chart.y_high = 1;
    for (int i = 0; i < PRECISIONS; i++) {
        if (!c[i].rounds) continue;
        x[i] = contender_time(&c[i]).median;
        if (1.2 * x[i] > chart.x_high) chart.x_high = 1.2 * x[i];
        series[chart.count++] = (mrcnn_series){.name = c[i].name,
                                               .kind = MRCNN_SERIES_POINTS,
                                               .count = 1,
                                               .x = &x[i],
                                               .y = &scores[i].mask_ap,
                                               .color = i};
    }
    const mrcnn_chart *charts[] = {&chart};
    page_plot(r, "precision", charts, 1);
}

static void write_all(report *r, const contender *c, const score *scores,
                      const char *const *files) {
    int first = 0;
    while (first < PRECISIONS && !c[first].rounds) first++;
    if (first < PRECISIONS) {
        fprintf(r->page,
                "Measured on %.0f pictures with %.0f objects%s. Times are of a picture of %d x %d "
                "and the most instances that the model gives, %.0f.\n\n",
                scores[first].pictures, scores[first].objects,
                scores[first].pictures < 20
                    ? ", which are few: differences in the second digit are chance"
                    : "",
                r->size, r->size, c[first].instances);
        write_table(r, c, scores, files);
        draw(r, c, scores);
    }
    page_failures(r, c, PRECISIONS);
}

void report_precision(report *r) {
    static contender c[PRECISIONS];
    score scores[PRECISIONS];
    char small[PATH_ROOM], usual[PATH_ROOM], pictures[PATH_ROOM], reason[REPORT_REASON] = "";
    snprintf(small, sizeof small, "%s/nuclei-int8.h5", r->out);
    snprintf(usual, sizeof usual, "%s/models/nuclei.h5", MRCNN_SOURCE);
    snprintf(pictures, sizeof pictures, "%s/examples/nucleus/train/images", MRCNN_SOURCE);
    const char *files[PRECISIONS] = {usual, usual, small};
    page_heading(
        r, "Precision",
        "Time against AP: the model of cell nuclei that comes along, quantized on the "
        "pictures in examples/nucleus/train, evaluated on pictures that it was not trained "
        "on (examples/nucleus/val, or what --data names).");
    int quantized = weights_quantize(small, usual, pictures, reason, sizeof reason) == 0;
    report plain = *r; /* the file knows its network */
    plain.settings[0] = NULL;
    plain.backbone = NULL;
    for (int i = 0; i < PRECISIONS; i++) {
        const char *more[] = {"--precision", precisions[i],
                              "--weights",   files[i],
                              "--set",       "DETECTION_MIN_CONFIDENCE=0",
                              "--set",       "DETECTION_NMS_THRESHOLD=1",
                              NULL};
        contender_bench(&c[i], &plain, precisions[i], more);
        if (files[i] == small && !quantized) {
            snprintf(c[i].failure, sizeof c[i].failure, "%s", reason);
            continue;
        }
        evaluate(r, &scores[i], precisions[i], files[i]);
        snprintf(c[i].failure, sizeof c[i].failure, "%s", scores[i].failure);
    }
    contenders_run(r, "precision", c, PRECISIONS);
    write_all(r, c, scores, files);
    for (int i = 0; i < PRECISIONS; i++) contender_free(&c[i]);
    remove(small);
}
