/* eval_report.c - see eval_report.h. */
#include "eval_report.h"

#include "json.h"
#include "text.h"

#include <stddef.h>
#include <stdlib.h>

/* COCO's twelve figures, in its order. */
typedef struct figure {
    const char *name, *help;
    size_t offset; /* in mrcnn_figures */
} figure;

static const figure rows[] = {
    {"AP", "IoU 0.50 to 0.95", offsetof(mrcnn_figures, ap)},
    {"AP50", "IoU 0.50", offsetof(mrcnn_figures, ap50)},
    {"AP75", "IoU 0.75", offsetof(mrcnn_figures, ap75)},
    {"APs", "small objects", offsetof(mrcnn_figures, ap_small)},
    {"APm", "medium objects", offsetof(mrcnn_figures, ap_medium)},
    {"APl", "large objects", offsetof(mrcnn_figures, ap_large)},
    {"AR1", "1 detection", offsetof(mrcnn_figures, ar1)},
    {"AR10", "10 detections", offsetof(mrcnn_figures, ar10)},
    {"AR100", "100 detections", offsetof(mrcnn_figures, ar100)},
    {"ARs", "small objects", offsetof(mrcnn_figures, ar_small)},
    {"ARm", "medium objects", offsetof(mrcnn_figures, ar_medium)},
    {"ARl", "large objects", offsetof(mrcnn_figures, ar_large)},
};
enum { ROWS = sizeof rows / sizeof *rows };

static double value(const mrcnn_figures *figures, const figure *row) {
    return *(const double *)(const void *)((const char *)figures + row->offset);
}

/* -------------------------------------------------------------------------------------- tables */

static void print_figure(double figure) {
    if (figure < 0)
        printf(" %8s", "-");
    else
        printf(" %8.3f", figure);
}

static void print_picture_map(const char *name, double figure) {
    printf("%-6s %-17s %8s", name, "as matterport's", "");
    print_figure(figure);
    putchar('\n');
}

static void print_classes(const eval_outcome *o) {
    printf("\n%-24s %8s %8s %8s %8s %8s\n", "class", "objects", "bbox AP", "AP50", "segm AP",
           "AP50");
    for (int i = 1; i < o->report->class_count; i++) {
        const mrcnn_class_figures *c = &o->report->classes[i];
        char *name = text_printable(mrcnn_model_class_name(o->model, i));
        printf("%-24s %8zu", name, c->objects);
        print_figure(c->bbox_ap);
        print_figure(c->bbox_ap50);
        print_figure(c->segm_ap);
        print_figure(c->segm_ap50);
        putchar('\n');
        free(name);
    }
}

void eval_print_tables(const eval_outcome *o) {
    const mrcnn_report *r = o->report;
    printf("%zu pictures, %zu objects", r->pictures, r->objects);
    if (r->crowds) printf(", %zu crowds", r->crowds);
    printf(", %zu detections\n", r->detections);
    if (r->pictures_left_out) printf("%zu pictures are left out\n", r->pictures_left_out);
    printf("\n%-24s %8s %8s\n", "", "bbox", "segm");
    for (int i = 0; i < ROWS; i++) {
        printf("%-6s %-17s", rows[i].name, rows[i].help);
        print_figure(value(&r->bbox, &rows[i]));
        print_figure(value(&r->segm, &rows[i]));
        putchar('\n');
    }
    print_picture_map("mAP50", r->picture_map50);
    print_picture_map("mAP", r->picture_map);
    print_classes(o);
}

/* ---------------------------------------------------------------------------------------- JSON */

static void put_figures(json *out, const char *key, const mrcnn_figures *figures) {
    json_key(out, key);
    json_begin(out, '{');
    for (int i = 0; i < ROWS; i++) json_put_real(out, rows[i].name, value(figures, &rows[i]));
    json_end(out, '}');
}

static void put_pair(json *out, const char *key, double ap, double ap50) {
    json_key(out, key);
    json_begin(out, '{');
    json_put_real(out, "AP", ap);
    json_put_real(out, "AP50", ap50);
    json_end(out, '}');
}

static void put_classes(json *out, const eval_outcome *o) {
    json_key(out, "classes");
    json_begin(out, '[');
    for (int i = 1; i < o->report->class_count; i++) {
        const mrcnn_class_figures *c = &o->report->classes[i];
        json_begin(out, '{');
        json_put_integer(out, "id", (size_t)i);
        json_put_text(out, "name", mrcnn_model_class_name(o->model, i));
        json_put_integer(out, "objects", c->objects);
        put_pair(out, "bbox", c->bbox_ap, c->bbox_ap50);
        put_pair(out, "segm", c->segm_ap, c->segm_ap50);
        json_end(out, '}');
    }
    json_end(out, ']');
}

void eval_write_json(FILE *stream, const eval_outcome *o) {
    const mrcnn_report *r = o->report;
    json out = {stream, 0, 0, 0, 2};
    json_begin(&out, '{');
    put_figures(&out, "bbox", &r->bbox);
    put_figures(&out, "segm", &r->segm);
    json_key(&out, "matterport");
    json_begin(&out, '{');
    json_put_real(&out, "mAP50", r->picture_map50);
    json_put_real(&out, "mAP", r->picture_map);
    json_end(&out, '}');
    put_classes(&out, o);
    json_put_integer(&out, "pictures", r->pictures);
    json_put_integer(&out, "pictures_left_out", r->pictures_left_out);
    json_put_integer(&out, "objects", r->objects);
    json_put_integer(&out, "crowds", r->crowds);
    json_put_integer(&out, "detections", r->detections);
    json_put_text(&out, "dataset", o->dataset);
    json_put_text(&out, "subset", o->subset);
    json_put_text(&out, "annotations", mrcnn_dataset_annotations(o->set));
    json_put_text(&out, "weights", o->weights);
    json_end(&out, '}');
}
