/* eval_csv.c - see eval_csv.h. Text is quoted as RFC 4180 has it. */
#include "eval_csv.h"

#include <string.h>

static void put_text(FILE *stream, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"') fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static const char *name_of(const eval_outcome *o, int class_id) {
    return mrcnn_dataset_class_name(o->set, class_id);
}

/* ------------------------------------------------------------------------------------- classes */

static void put_figure(FILE *stream, double figure) {
    fputc(',', stream);
    if (figure >= 0) fprintf(stream, "%.9g", figure);
}

static void put_kind(FILE *stream, double ap, double ap50, double ap75, const mrcnn_best_f1 *best) {
    put_figure(stream, ap);
    put_figure(stream, ap50);
    put_figure(stream, ap75);
    put_figure(stream, best->f1);
    put_figure(stream, best->score);
    put_figure(stream, best->precision);
    put_figure(stream, best->recall);
}

void eval_write_classes(FILE *stream, const eval_outcome *o) {
    static const char *const kinds[] = {"bbox", "segm"};
    int count = o->report->boxes_only ? 1 : 2;
    fputs("class,objects", stream);
    for (int i = 0; i < count; i++)
        fprintf(stream, ",%s_AP,%s_AP50,%s_AP75,%s_F1,%s_F1_score,%s_F1_precision,%s_F1_recall",
                kinds[i], kinds[i], kinds[i], kinds[i], kinds[i], kinds[i], kinds[i]);
    fputc('\n', stream);
    for (int i = 1; i < o->report->class_count; i++) {
        const mrcnn_class_figures *c = &o->report->classes[i];
        put_text(stream, name_of(o, i));
        fprintf(stream, ",%zu", c->objects);
        put_kind(stream, c->bbox_ap, c->bbox_ap50, c->bbox_ap75, &c->bbox_best);
        if (count > 1) put_kind(stream, c->segm_ap, c->segm_ap50, c->segm_ap75, &c->segm_best);
        fputc('\n', stream);
    }
}

/* -------------------------------------------------------------------------------------- curves */

static void put_curve(FILE *stream, const char *kind, const char *iou, const char *name,
                      const mrcnn_curve *curve) {
    for (int r = 0; r < MRCNN_RECALLS; r++) {
        fprintf(stream, "%s,%s,", kind, iou);
        put_text(stream, name);
        fprintf(stream, ",%.2f,%.9g,%.9g\n", r / 100.0, curve->precision[r], curve->score[r]);
    }
}

static void put_curves(FILE *stream, const char *kind, const char *name,
                       const mrcnn_curves *curves) {
    if (!curves) return;
    put_curve(stream, kind, "0.50", name, &curves->at50);
    put_curve(stream, kind, "0.75", name, &curves->at75);
    put_curve(stream, kind, "0.50:0.95", name, &curves->mean);
}

void eval_write_curves(FILE *stream, const eval_outcome *o) {
    fputs("kind,iou,class,recall,precision,score\n", stream);
    for (int i = 0; i < o->report->class_count; i++) {
        const char *name = i ? name_of(o, i) : "";
        put_curves(stream, "bbox", name, o->report->curves[i].bbox);
        put_curves(stream, "segm", name, o->report->curves[i].segm);
    }
}

/* ----------------------------------------------------------------------------------- confusion */

void eval_write_confusion(FILE *stream, const eval_outcome *o) {
    size_t count = (size_t)o->report->class_count;
    fputs("object \\ found", stream);
    for (int i = 0; i < o->report->class_count; i++) {
        fputc(',', stream);
        put_text(stream, i ? name_of(o, i) : "(nothing)");
    }
    fputc('\n', stream);
    for (size_t i = 0; i < count; i++) {
        put_text(stream, i ? name_of(o, (int)i) : "(nothing)");
        for (size_t k = 0; k < count; k++)
            fprintf(stream, ",%zu", o->report->confusion[i * count + k]);
        fputc('\n', stream);
    }
}
