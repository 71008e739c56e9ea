/* eval_report.c - see eval_report.h. */
#include "eval_report.h"

#include "json.h"
#include "text.h"

#include <stddef.h>
#include <stdlib.h>

/* COCO's twelve figures, in its order. */
typedef struct figure {
    const char *name, *help; /* NULL: the one with as many detections as count */
    size_t offset;           /* in mrcnn_figures */
} figure;

static const figure rows[EVAL_FIGURES] = {
    {"AP", "IoU 0.50 to 0.95", offsetof(mrcnn_figures, ap)},
    {"AP50", "IoU 0.50", offsetof(mrcnn_figures, ap50)},
    {"AP75", "IoU 0.75", offsetof(mrcnn_figures, ap75)},
    {"APs", "small objects", offsetof(mrcnn_figures, ap_small)},
    {"APm", "medium objects", offsetof(mrcnn_figures, ap_medium)},
    {"APl", "large objects", offsetof(mrcnn_figures, ap_large)},
    {"AR1", "1 detection", offsetof(mrcnn_figures, ar1)},
    {"AR10", "10 detections", offsetof(mrcnn_figures, ar10)},
    {NULL, NULL, offsetof(mrcnn_figures, ar100)},
    {"ARs", "small objects", offsetof(mrcnn_figures, ar_small)},
    {"ARm", "medium objects", offsetof(mrcnn_figures, ar_medium)},
    {"ARl", "large objects", offsetof(mrcnn_figures, ar_large)},
};

static double value(const mrcnn_figures *figures, const figure *row) {
    return *(const double *)(const void *)((const char *)figures + row->offset);
}

eval_figure eval_figure_at(const mrcnn_report *report, int index) {
    const figure *row = &rows[index];
    eval_figure made = {.bbox = value(&report->bbox, row), .segm = value(&report->segm, row)};
    if (row->name) {
        snprintf(made.name, sizeof made.name, "%s", row->name);
        snprintf(made.help, sizeof made.help, "%s", row->help);
    } else {
        snprintf(made.name, sizeof made.name, "AR%d", report->max_detections);
        snprintf(made.help, sizeof made.help, "%d detections", report->max_detections);
    }
    return made;
}

/* -------------------------------------------------------------------------------------- tables */

static void print_figure(double figure) {
    if (figure < 0)
        printf(" %8s", "-");
    else
        printf(" %8.3f", figure);
}

static void print_figures(const mrcnn_report *r) {
    printf("\n%-24s %8s%s\n", "", "bbox", r->boxes_only ? "" : "     segm");
    for (int i = 0; i < EVAL_FIGURES; i++) {
        eval_figure f = eval_figure_at(r, i);
        printf("%-6s %-17s", f.name, f.help);
        print_figure(f.bbox);
        if (!r->boxes_only) print_figure(f.segm);
        putchar('\n');
    }
}

static void print_picture_map(const char *name, double figure) {
    printf("%-6s %-17s %8s", name, "as matterport's", "");
    print_figure(figure);
    putchar('\n');
}

/* Columns that a name takes on a terminal, about. */
static int width_of(const char *name) {
    int width = 0;
    for (; *name; name++) width += ((unsigned char)*name & 0xC0) != 0x80;
    return width;
}

static int widest_name(const eval_outcome *o) {
    enum { LEAST = 12, MOST = 32 };
    int widest = LEAST;
    for (int i = 1; i < o->report->class_count; i++) {
        int width = width_of(mrcnn_dataset_class_name(o->set, i));
        if (width > widest && width <= MOST) widest = width;
    }
    return widest;
}

static void print_class(const mrcnn_class_figures *c, int boxes_only) {
    const mrcnn_best_f1 *best = boxes_only ? &c->bbox_best : &c->segm_best;
    printf(" %8zu", c->objects);
    print_figure(c->bbox_ap);
    print_figure(c->bbox_ap50);
    if (!boxes_only) {
        print_figure(c->segm_ap);
        print_figure(c->segm_ap50);
    }
    print_figure(best->f1);
    print_figure(best->score);
    putchar('\n');
}

static void print_classes(const eval_outcome *o) {
    int width = widest_name(o), boxes_only = o->report->boxes_only;
    printf("\n%-*s %8s %8s %8s%s %8s %8s\n", width, "class", "objects", "bbox AP", "AP50",
           boxes_only ? "" : "  segm AP     AP50", "best F1", "at score");
    for (int i = 1; i < o->report->class_count; i++) {
        char *name = text_printable(mrcnn_dataset_class_name(o->set, i));
        int padding = width - width_of(name);
        printf("%s%*s", name, padding > 0 ? padding : 0, "");
        print_class(&o->report->classes[i], boxes_only);
        free(name);
    }
}

/* The confusion matrix in one line. */
static void print_confusion(const mrcnn_report *r) {
    size_t count = (size_t)r->class_count, right = 0, other = 0, missed = 0, false_ones = 0;
    if (!r->confusion) return;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++) {
            size_t cell = r->confusion[i * count + k];
            *(i == 0 ? &false_ones : k == 0 ? &missed : i == k ? &right : &other) += cell;
        }
    printf("\nIoU 0.50, score %.3g or more: %zu objects found, %zu found as another class, "
           "%zu missed; %zu detections of nothing\n",
           r->confusion_score, right, other, missed, false_ones);
}

void eval_print_tables(const eval_outcome *o) {
    const mrcnn_report *r = o->report;
    printf("%zu pictures, %zu objects", r->pictures, r->objects);
    if (r->crowds) printf(", %zu crowds", r->crowds);
    printf(", %zu detections\n", r->detections);
    if (r->pictures_left_out) printf("%zu pictures are left out\n", r->pictures_left_out);
    if (r->boxes_only) printf("The results have no masks: boxes are compared, nothing else.\n");
    print_figures(r);
    if (!r->boxes_only) {
        print_picture_map("mAP50", r->picture_map50);
        print_picture_map("mAP", r->picture_map);
    }
    print_classes(o);
    print_confusion(r);
}

/* ---------------------------------------------------------------------------------------- JSON */

static void put_figures(json *out, const mrcnn_report *r, int of_masks) {
    json_key(out, of_masks ? "segm" : "bbox");
    json_begin(out, '{');
    for (int i = 0; i < EVAL_FIGURES; i++) {
        eval_figure f = eval_figure_at(r, i);
        json_put_real(out, f.name, of_masks ? f.segm : f.bbox);
    }
    json_end(out, '}');
}

static void put_best(json *out, const mrcnn_best_f1 *best) {
    json_key(out, "best_F1");
    json_begin(out, '{');
    json_put_real(out, "F1", best->f1);
    json_put_real(out, "score", best->score);
    json_put_real(out, "precision", best->precision);
    json_put_real(out, "recall", best->recall);
    json_end(out, '}');
}

static void put_kind(json *out, const char *key, double ap, double ap50, double ap75,
                     const mrcnn_best_f1 *best) {
    json_key(out, key);
    json_begin(out, '{');
    json_put_real(out, "AP", ap);
    json_put_real(out, "AP50", ap50);
    json_put_real(out, "AP75", ap75);
    put_best(out, best);
    json_end(out, '}');
}

static void put_classes(json *out, const eval_outcome *o) {
    json_key(out, "classes");
    json_begin(out, '[');
    for (int i = 1; i < o->report->class_count; i++) {
        const mrcnn_class_figures *c = &o->report->classes[i];
        json_begin(out, '{');
        json_put_integer(out, "id", (size_t)i);
        json_put_text(out, "name", mrcnn_dataset_class_name(o->set, i));
        json_put_integer(out, "objects", c->objects);
        put_kind(out, "bbox", c->bbox_ap, c->bbox_ap50, c->bbox_ap75, &c->bbox_best);
        if (!o->report->boxes_only)
            put_kind(out, "segm", c->segm_ap, c->segm_ap50, c->segm_ap75, &c->segm_best);
        json_end(out, '}');
    }
    json_end(out, ']');
}

/* Rows and columns follow the classes' ids; 0 is nothing. */
static void put_confusion(json *out, const mrcnn_report *r) {
    size_t count = (size_t)r->class_count;
    if (!r->confusion) return;
    json_key(out, "confusion");
    json_begin(out, '{');
    json_put_real(out, "iou", 0.5);
    json_put_real(out, "score", r->confusion_score);
    json_key(out, "matrix");
    json_begin(out, '[');
    for (size_t i = 0; i < count; i++) {
        json_begin(out, '[');
        for (size_t k = 0; k < count; k++) json_integer(out, (int64_t)r->confusion[i * count + k]);
        json_end(out, ']');
    }
    json_end(out, ']');
    json_end(out, '}');
}

static void put_matterport(json *out, const mrcnn_report *r) {
    json_key(out, "matterport");
    json_begin(out, '{');
    json_put_real(out, "mAP50", r->picture_map50);
    json_put_real(out, "mAP", r->picture_map);
    json_end(out, '}');
}

void eval_write_json(FILE *stream, const eval_outcome *o) {
    const mrcnn_report *r = o->report;
    json out = {stream, 0, 0, 0, 2};
    json_begin(&out, '{');
    put_figures(&out, r, 0);
    if (!r->boxes_only) put_figures(&out, r, 1);
    if (!r->boxes_only) put_matterport(&out, r);
    put_classes(&out, o);
    put_confusion(&out, r);
    json_put_integer(&out, "max_detections", (size_t)r->max_detections);
    json_put_integer(&out, "pictures", r->pictures);
    json_put_integer(&out, "pictures_left_out", r->pictures_left_out);
    json_put_integer(&out, "objects", r->objects);
    json_put_integer(&out, "crowds", r->crowds);
    json_put_integer(&out, "detections", r->detections);
    json_put_text(&out, "dataset", o->dataset);
    json_put_text(&out, "subset", o->subset);
    json_put_text(&out, "annotations", mrcnn_dataset_annotations(o->set));
    json_put_text(&out, "weights", o->weights);
    json_put_text(&out, "results", o->results);
    json_end(&out, '}');
}
