/* eval_thresholds.c - see eval_thresholds.h. */
#include "eval_thresholds.h"

#include "files.h"
#include "message.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const key = "CLASS_MIN_CONFIDENCE";

static const mrcnn_best_f1 *best_of(const mrcnn_report *report, int class_id) {
    const mrcnn_class_figures *c = &report->classes[class_id];
    return report->boxes_only ? &c->bbox_best : &c->segm_best;
}

/* Four digits, rounded down: the detection that has the score itself must stay. */
static double rounded_down(double score) {
    enum { DIGITS = 4 };
    if (!(score > 0)) return 0;
    double scale = pow(10, DIGITS - ceil(log10(score)));
    return floor(score * scale) / scale;
}

/* The library has the last word on what can be a threshold. */
static int set_thresholds(mrcnn_config *config, const eval_outcome *o) {
    int code = EXIT_DONE;
    for (int i = 1; i < o->report->class_count; i++) {
        const mrcnn_best_f1 *best = best_of(o->report, i);
        mrcnn_error err = MRCNN_ERROR_INIT;
        if (!(best->f1 > 0)) continue;
        char *name = text_format("%s.%s", key, mrcnn_dataset_class_name(o->set, i));
        char *value = text_format("%.10g", rounded_down(best->score));
        if (mrcnn_config_set(config, name, value, &err) != MRCNN_OK) {
            message("%s", err.message);
            code = EXIT_FAILED;
        }
        free(name);
        free(value);
    }
    return code;
}

/* In single quotes for a shell. */
static void put_quoted(FILE *stream, const char *text) {
    fputc('\'', stream);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stream);
        else
            fputc(*text, stream);
    fputc('\'', stream);
}

static void put_class(FILE *stream, const mrcnn_config *config, const char *name,
                      const mrcnn_class_figures *figures, const mrcnn_best_f1 *best) {
    char *item = text_format("%s.%s", key, name), *shown = text_printable(name);
    const char *value = mrcnn_config_get(config, item);
    if (*value)
        fprintf(stream, "  \"%s\": %s  # F1 %.3f: precision %.3f, recall %.3f of %zu objects\n",
                name, value, best->f1, best->precision, best->recall, figures->objects);
    else
        fprintf(stream, "  # %s: %s\n", shown,
                figures->objects ? "nothing right was found" : "no objects");
    free(item);
    free(shown);
}

static void put_file(FILE *stream, const mrcnn_config *config, const eval_outcome *o) {
    const mrcnn_report *r = o->report;
    char *dataset = text_printable(o->dataset),
         *subset = text_printable(o->subset ? o->subset : "");
    const char *all = mrcnn_config_get(config, key);
    int is_empty = strcmp(all, "{}") == 0;
    fprintf(
        stream,
        "# The score with each class's best F1 at IoU 0.5, of %s; measured by mrcnn eval on %zu "
        "pictures\n# of %s%s%s. For mrcnn detect --config FILE; or\n#   --set ",
        r->boxes_only ? "boxes" : "masks", r->pictures, dataset, *subset ? ", " : "", subset);
    char *setting = text_format("%s=%s", key, all);
    put_quoted(stream, setting);
    fprintf(stream, "\n%s:%s\n", key, is_empty ? " {}" : "");
    for (int i = 1; i < r->class_count; i++)
        put_class(stream, config, mrcnn_dataset_class_name(o->set, i), &r->classes[i],
                  best_of(r, i));
    free(setting);
    free(dataset);
    free(subset);
}

static int save(const char *path, const mrcnn_config *config, const eval_outcome *o) {
    new_file file;
    if (strcmp(path, "-") == 0) {
        putchar('\n');
        put_file(stdout, config, o);
        return EXIT_DONE;
    }
    if (new_file_open(&file, path) != 0) return EXIT_FAILED;
    put_file(file.stream, config, o);
    return new_file_commit(&file) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int eval_save_thresholds(const char *path, const eval_outcome *outcome) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    if (mrcnn_config_create(&config, NULL, &err) != MRCNN_OK) {
        message("%s", err.message);
        return EXIT_FAILED;
    }
    int code = set_thresholds(config, outcome);
    if (save(path, config, outcome) != EXIT_DONE) code = EXIT_FAILED;
    mrcnn_config_free(&config);
    return code;
}
