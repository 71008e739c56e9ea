/* inspect_model.c - mrcnn inspect model: a report of what the network makes of one picture, stage by
 * stage (matterport's inspect_model notebook). */
#include "inspect_model.h"

#include "dataset.h"
#include "inspect.h"
#include "model.h"
#include "save.h"

#include <stdlib.h>
#include <string.h>

typedef struct report_options {
    model_options model;
    session_options session;
    dataset_options data;
    const char *subset, *picture, *out, *layers;
    int64_t boxes;
} report_options;

static const option table[] = {
    WEIGHTS_ROW(report_options, model),
    CONFIG_ROWS(report_options, model.config),
    {"out", "DIR", OPTION_TEXT, offsetof(report_options, out),
     "where the report goes: report.html, report.json and pictures; made if need be", 0, 0},
    DATASET_ROWS(report_options, data),
    SUBSET_ROW(report_options, subset),
    {"picture", "NAME|N", OPTION_TEXT, offsetof(report_options, picture),
     "which picture of the data set: its name or its number, from 0 (default 0)", 0, 0},
    {"layers", "NAME,...", OPTION_TEXT, offsetof(report_options, layers),
     "whose activations are shown: molded, C1 to C5, P2 to P6, rpn_class2 to rpn_class6, rpn_bbox2 "
     "to rpn_bbox6, or none (default C2,C3,C4,C5,P2,P3,P4,P5,P6)",
     0, 0},
    {"boxes", "N", OPTION_INTEGER, offsetof(report_options, boxes),
     "how many boxes a picture shows at most (default 50)", 1, 1000},
    CLASSES_ROW(report_options, model.classes),
    SESSION_ROWS(report_options, session),
    SEED_ROW(report_options, model.seed),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

/* ------------------------------------------------------------------------------------ overview */

static void put_stages(model_page *m) {
    static const char *const columns[] = {"count", "what"};
    enum { COLUMNS = 2, MOST = EXPLAIN_STAGES * (MRCNN_FATES + 1) + 1 };
    mrcnn_cell cells[MOST * COLUMNS], *cell = cells;
    for (int s = 0; s < EXPLAIN_STAGES; s++) {
        const explain_stage *stage = &m->why.stages[s];
        for (int r = 0; r < stage->reason_count; r++) {
            *cell++ = mrcnn_cell_number(-(double)stage->reasons[r].count, 0);
            *cell++ = mrcnn_cell_text(stage->reasons[r].text);
        }
        *cell++ = mrcnn_cell_number((double)stage->count, 0);
        *cell++ = show_cell(&m->show, "= %s", stage->key);
        if (s + 2 != EXPLAIN_STAGES) continue;
        *cell++ = mrcnn_cell_number((double)m->why.filling, 0);
        *cell++ = mrcnn_cell_text("zero boxes fill up, and are classified too");
    }
    show_table(&m->show, "stages", "From anchors to instances", columns, COLUMNS, cells,
               (size_t)(cell - cells) / COLUMNS);
}

static void put_instances(model_page *m) {
    mrcnn_draw_options options = mrcnn_draw_options_default();
    mrcnn_image drawn = {0};
    if (!m->lines) options.contours = options.boxes = options.captions = 0;
    if (m->show.err.status == MRCNN_OK && mrcnn_draw_instances(&drawn, &m->image, m->trace->result,
                                                               &options, &m->show.err) == MRCNN_OK)
        show_image(&m->show, "instances", "The picture with what was found in it.", &drawn);
    mrcnn_image_free(&drawn);
}

static void put_overview(model_page *m) {
    const mrcnn_trace *t = m->trace;
    show_section(
        &m->show, "overview", "Overview",
        "How many candidates each stage keeps, and why the rest falls. It is a sum: what sets "
        "out, less what falls, makes what gets to the next stage.");
    show_figure(&m->show, "instances", "instances", (double)t->result->count, NULL);
    show_figure(&m->show, "width", "picture width", t->width, "pixels");
    show_figure(&m->show, "height", "picture height", t->height, "pixels");
    show_figure(&m->show, "network_width", "network width", t->network_width, "pixels");
    show_figure(&m->show, "network_height", "network height", t->network_height, "pixels");
    for (size_t i = 0; i < m->why.advice.count; i++)
        show_note(&m->show, MRCNN_TONE_WARNING, "%s", m->why.advice.items[i]);
    put_instances(m);
    put_stages(m);
}

/* --------------------------------------------------------------------------------- the picture */

/* Its index, or -1 after a message. */
static int64_t find_picture(const mrcnn_dataset *set, const char *wanted) {
    size_t count = mrcnn_dataset_count(set);
    text_nearest nearest = text_nearest_start(wanted);
    for (size_t i = 0; i < count; i++) {
        const mrcnn_picture *picture = mrcnn_dataset_picture(set, i);
        if (strcmp(picture->id, wanted) == 0) return (int64_t)i;
        const char *slash = picture->path ? strrchr(picture->path, '/') : NULL;
        const char *name = slash ? slash + 1 : picture->path;
        if (name && strcmp(name, wanted) == 0) return (int64_t)i;
        text_nearest_offer(&nearest, name ? name : picture->id);
    }
    char *end;
    long long number = strtoll(wanted, &end, 10);
    if (*wanted && !*end && number >= 0 && (unsigned long long)number < count) return number;
    message("--picture %s: the data set has no such picture, of %zu%s%s", wanted, count,
            nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "");
    return -1;
}

static int check_picture(const command *self, const report_options *o, const arguments *given) {
    if (given->count == 1 && o->data.paths.count)
        return message_usage(self->path, "give a PICTURE or a --dataset, not both: --picture says "
                                         "which one of the data set");
    if (given->count == 0 && o->data.paths.count == 0)
        return message_usage(self->path, "the picture is missing");
    if (given->count == 1 && (o->picture || o->subset))
        return message_usage(self->path, "--picture and --subset need a --dataset");
    return EXIT_DONE;
}

static int read_file(model_page *m, const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image_options options = mrcnn_config_image_options(m->config);
    return mrcnn_image_read(&m->image, path, &options, &err) == MRCNN_OK ? EXIT_DONE
                                                                         : fail_with(&err);
}

/* The classes are those of the annotations; read_truth finds the model's by their names, which `set`
 * keeps. Generated pictures are as large as the network wants them. */
static int read_annotated(model_page *m, const report_options *o, mrcnn_dataset **set,
                          int64_t *index) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image_options image = mrcnn_config_image_options(m->config);
    mrcnn_dataset_options how = mrcnn_dataset_options_default();
    how.image = &image;
    how.keep_empty = 1;
    how.seed = strtoull(mrcnn_config_get(m->config, "SEED"), NULL, 10);
    int code = dataset_open(&o->data, o->subset, &how, set);
    if (code != EXIT_DONE) return code;
    *index = find_picture(*set, o->picture ? o->picture : "0");
    if (*index < 0) return EXIT_FAILED;
    if (mrcnn_dataset_read(*set, (size_t)*index, &m->image, &err) != MRCNN_OK)
        return fail_with(&err);
    return read_truth(m, *set, (size_t)*index);
}

/* -------------------------------------------------------------------------------------- layers */

static int is_layer(const char *name) {
    static const char *const plain[] = {"molded", "C1", "C2", "C3", "C4", "C5",
                                        "P2",     "P3", "P4", "P5", "P6"};
    static const char *const rpn[] = {"rpn_class", "rpn_bbox"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(name, plain[i]) == 0) return 1;
    for (size_t i = 0; i < sizeof rpn / sizeof *rpn; i++) {
        size_t length = strlen(rpn[i]);
        if (strncmp(name, rpn[i], length) == 0 && name[length] >= '2' && name[length] <= '6' &&
            name[length + 1] == 0)
            return 1;
    }
    return 0;
}

/* Each once. */
static int choose_layers(const command *self, const char *given, text_list *layers) {
    text_list names = {0};
    int code = EXIT_DONE;
    if (!given) given = "C2,C3,C4,C5,P2,P3,P4,P5,P6";
    if (strcmp(given, "none") != 0) text_split(&names, given, ",");
    for (size_t i = 0; i < names.count && code == EXIT_DONE; i++) {
        int is_new = 1;
        if (!is_layer(names.items[i]))
            code = message_usage(self->path,
                                 "--layers: there is no %s; there are molded, C1 to C5, P2 to P6, "
                                 "rpn_class2 to rpn_class6, rpn_bbox2 to rpn_bbox6",
                                 names.items[i]);
        for (size_t k = 0; k < i; k++) is_new &= strcmp(names.items[k], names.items[i]) != 0;
        if (code == EXIT_DONE && is_new) text_list_add(layers, text_copy(names.items[i]));
    }
    text_list_free(&names);
    return code;
}

/* ----------------------------------------------------------------------------------- the report */

static int trace_picture(model_page *m, const report_options *o) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_session *session = NULL;
    mrcnn_trace_options options = mrcnn_trace_options_default();
    options.maps = 1;
    int code = open_session(&o->session, m->model, &session);
    if (code == EXIT_DONE &&
        mrcnn_trace_create(&m->trace, session, &m->image, &options, &err) != MRCNN_OK)
        code = fail_with(&err);
    mrcnn_session_free(&session);
    return code;
}

static void put_sections(model_page *m) {
    put_overview(m);
    put_rpn(m);
    put_head(m);
    put_masks(m);
    if (m->truth) put_truth(m);
    if (m->layers.count) put_activations(m);
}

static int write_page(model_page *m, const report_options *o, const char *name) {
    const double margin = 0.12;
    mrcnn_error err = MRCNN_ERROR_INIT;
    char *title = text_format("%s, seen by the model", name);
    int code = show_open(&m->show, o->out, title);
    free(title);
    if (code != EXIT_DONE) return code;
    explain(&m->why, m->trace, m->model);
    m->boxes = (size_t)o->boxes;
    m->lines = overlay_has_lines();
    if (!m->lines) message("this build is without cairo: the report has no pictures with boxes");
    if (view_make(&m->bare, &m->image, 0, &err) == MRCNN_OK &&
        view_make(&m->wide, &m->image, margin, &err) == MRCNN_OK)
        put_sections(m);
    else
        code = fail_with(&err);
    code = show_close(&m->show, code, o->out);
    view_free(&m->bare);
    view_free(&m->wide);
    explanation_free(&m->why);
    return code;
}

static int report(const command *self, const report_options *o, const arguments *given) {
    model_page m = {.model = NULL};
    mrcnn_config *config = NULL;
    mrcnn_dataset *set = NULL;
    int64_t index = 0;
    int code = choose_layers(self, o->layers, &m.layers);
    if (code == EXIT_DONE) code = configure(self, &o->model.config, &config);
    if (code == EXIT_DONE) code = open_model(self, &o->model, NULL, config, &m.model);
    if (code == EXIT_DONE) {
        m.config = mrcnn_model_config(m.model);
        code = given->count ? read_file(&m, given->items[0]) : read_annotated(&m, o, &set, &index);
    }
    if (code == EXIT_DONE) code = trace_picture(&m, o);
    if (code == EXIT_DONE) {
        char *name = given->count ? path_name(given->items[0])
                                  : text_copy(mrcnn_dataset_picture(set, (size_t)index)->id);
        code = write_page(&m, o, name);
        free(name);
    }
    mrcnn_trace_free(&m.trace);
    mrcnn_result_free(&m.truth);
    mrcnn_image_free(&m.image);
    text_list_free(&m.layers);
    mrcnn_dataset_free(&set);
    mrcnn_model_free(&m.model);
    mrcnn_config_free(&config);
    return code;
}

static int run(const command *self, int argc, char **argv) {
    report_options values = {.boxes = 50};
    arguments given;
    int code = options_parse(self, argc, argv, &values, &given);
    if (code != OPTIONS_READ) return code;
    code = check_picture(self, &values, &given);
    if (code == EXIT_DONE && !values.out)
        code = message_usage(self->path, "--out is missing: the folder where the report goes");
    if (code == EXIT_DONE) code = default_weights(self, &values.model);
    if (code == EXIT_DONE) code = report(self, &values, &given);
    options_free(self, &values);
    return code;
}

const command command_inspect_model = {
    .name = "model",
    .path = "inspect model",
    .summary = "show what the network makes of a picture, stage by stage",
    .usage = "[--weights W] --out DIR [OPTION]... PICTURE",
    .about = "Runs one picture and writes a report, DIR/report.html: how many candidates each "
             "stage keeps\n"
             "and why the rest falls; the best anchors, where they move, what suppression leaves; "
             "what the\n"
             "class head says, and what each filter takes away; masks as the head gives them and "
             "in the\n"
             "picture; activations. It is one file that needs no network. Every figure is in "
             "report.json,\n"
             "every picture a PNG in DIR.\n"
             "\n"
             "With --dataset instead of PICTURE it takes a picture of an annotated set, and shows "
             "what was\n"
             "to be found beside what was found.",
    .examples = "mrcnn inspect model --weights coco --out look photo.jpg\n"
                "    then open look/report.html\n"
                "mrcnn inspect model --weights last.h5 --out look --dataset balloon --subset val "
                "--picture 3\n"
                "    an annotated picture, with mask targets and overlaps",
    .options = table,
    .at_least = 0,
    .at_most = 1,
    .run = run,
};
