/* explain.c - see explain.h. */
#include "explain.h"

#include "message.h"
#include "progress.h"

#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------- stages and reasons */

static const char *setting(const mrcnn_model *model, const char *key) {
    return mrcnn_config_get(mrcnn_model_config(model), key);
}

/* Takes over `text`. */
static void add_reason(explain_stage *stage, const char *key, size_t count, char *text) {
    explain_reason reason = {key, count, text};
    stage->reasons[stage->reason_count++] = reason;
}

static void explain_candidates(explain_stage *stage, const mrcnn_trace *t,
                               const mrcnn_model *model) {
    stage->key = "candidates";
    stage->count = t->candidate_count;
    add_reason(stage, "score", t->anchor_count - t->candidate_count,
               text_format("score lower than the best %s (PRE_NMS_LIMIT)",
                           setting(model, "PRE_NMS_LIMIT")));
}

static void explain_proposals(explain_stage *stage, const mrcnn_trace *t,
                              const mrcnn_model *model) {
    const size_t *fates = t->candidate_fates;
    stage->key = "proposals";
    stage->count = t->proposals_found;
    add_reason(stage, "suppressed", fates[MRCNN_FATE_SUPPRESSED],
               text_format("overlap a better one by more than %s (RPN_NMS_THRESHOLD)",
                           setting(model, "RPN_NMS_THRESHOLD")));
    add_reason(stage, "limit", fates[MRCNN_FATE_LIMIT],
               text_format("come after the best %s (POST_NMS_ROIS_INFERENCE)",
                           setting(model, "POST_NMS_ROIS_INFERENCE")));
}

static char *explain_unsure(const mrcnn_model *model) {
    const char *classes = setting(model, "CLASS_MIN_CONFIDENCE");
    return text_format(
        "are objects, but not sure enough: below %s (DETECTION_MIN_CONFIDENCE)%s",
        setting(model, "DETECTION_MIN_CONFIDENCE"),
        strcmp(classes, "{}") == 0 ? "" : " or what their class needs (CLASS_MIN_CONFIDENCE)");
}

static char *explain_suppressed(const mrcnn_model *model) {
    const char *nms = setting(model, "DETECTION_NMS");
    if (strcmp(nms, "hard") == 0)
        return text_format("overlap a better one of their class by more than %s "
                           "(DETECTION_NMS_THRESHOLD)",
                           setting(model, "DETECTION_NMS_THRESHOLD"));
    return text_format("overlap better ones of their class, which leave them too little score "
                       "(DETECTION_NMS %s)",
                       nms);
}

static void explain_instances(explain_stage *stage, const mrcnn_trace *t,
                              const mrcnn_model *model) {
    const size_t *fates = t->proposal_fates;
    stage->key = "instances";
    stage->count = t->result->count;
    add_reason(stage, "background", fates[MRCNN_FATE_BACKGROUND],
               text_copy("look most like background"));
    add_reason(stage, "confidence", fates[MRCNN_FATE_CONFIDENCE], explain_unsure(model));
    add_reason(stage, "suppressed", fates[MRCNN_FATE_SUPPRESSED], explain_suppressed(model));
    add_reason(stage, "limit", fates[MRCNN_FATE_LIMIT],
               text_format("come after the best %s (DETECTION_MAX_INSTANCES)",
                           setting(model, "DETECTION_MAX_INSTANCES")));
    add_reason(stage, "no_area", fates[MRCNN_FATE_NO_AREA],
               text_copy("have no area in the picture's pixels"));
}

/* ------------------------------------------------------------------------------ best of the rest */

static int by_score(const void *a, const void *b) {
    const explain_dropped *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return strcmp(x->class_name, y->class_name);
}

/* Of each class; one row a class that has any. */
static void find_dropped(explanation *e, const mrcnn_trace *t, const mrcnn_model *model) {
    size_t classes = (size_t)mrcnn_model_class_count(model);
    const mrcnn_proposal **best = text_grow(NULL, classes, sizeof *best);
    for (size_t c = 0; c < classes; c++) best[c] = NULL;
    for (size_t i = 0; i < t->proposals_found; i++) {
        const mrcnn_proposal *p = &t->proposals[i];
        if (p->fate == MRCNN_FATE_KEPT || p->fate == MRCNN_FATE_SUPPRESSED) continue;
        if (p->object_class == 0) continue; /* a model without classes */
        const mrcnn_proposal **place = &best[p->object_class];
        if (!*place || p->object_score > (*place)->object_score) *place = p;
    }
    e->dropped = text_grow(NULL, classes, sizeof *e->dropped);
    for (size_t c = 1; c < classes; c++) {
        if (!best[c]) continue;
        explain_dropped row = {mrcnn_model_class_name(model, (int)c), best[c]->object_score,
                               best[c]->background, best[c]->fate};
        e->dropped[e->dropped_count++] = row;
    }
    qsort(e->dropped, e->dropped_count, sizeof *e->dropped, by_score);
    free(best);
}

char *explain_below(const char *class_name, const mrcnn_config *config) {
    char *own = text_format("CLASS_MIN_CONFIDENCE.%s", class_name);
    const char *value = mrcnn_config_get(config, own), *key = own;
    if (!*value) value = mrcnn_config_get(config, key = "DETECTION_MIN_CONFIDENCE");
    char *text = text_format("below %s %s", key, value);
    free(own);
    return text;
}

char *explain_fall(const explain_dropped *d, const mrcnn_config *config) {
    switch (d->fate) {
    case MRCNN_FATE_BACKGROUND:
        return text_format("the background is likelier, %.3f", (double)d->background);
    case MRCNN_FATE_CONFIDENCE: return explain_below(d->class_name, config);
    case MRCNN_FATE_LIMIT:
        return text_format("%s better ones came first (DETECTION_MAX_INSTANCES)",
                           mrcnn_config_get(config, "DETECTION_MAX_INSTANCES"));
    default: return text_copy("has no area in the picture's pixels");
    }
}

/* ------------------------------------------------------------------------------------ the whole */

void explain(explanation *e, const mrcnn_trace *trace, const mrcnn_model *model) {
    memset(e, 0, sizeof *e);
    e->stages[0].key = "anchors";
    e->stages[0].count = trace->anchor_count;
    explain_candidates(&e->stages[1], trace, model);
    explain_proposals(&e->stages[2], trace, model);
    explain_instances(&e->stages[3], trace, model);
    e->filling = trace->proposal_count - trace->proposals_found;
    find_dropped(e, trace, model);
    explain_advise(e, trace, model);
}

void explanation_free(explanation *e) {
    for (int s = 0; s < EXPLAIN_STAGES; s++)
        for (int r = 0; r < e->stages[s].reason_count; r++) free(e->stages[s].reasons[r].text);
    free(e->dropped);
    text_list_free(&e->advice);
}

/* --------------------------------------------------------------------------------------- printing */

static int digits(size_t number) {
    return snprintf(NULL, 0, "%zu", number);
}

/* As a sum: what sets out, less what falls and why, makes what gets to the next stage. */
static void print_stages(const explanation *e) {
    for (int s = 0; s < EXPLAIN_STAGES; s++) {
        const explain_stage *stage = &e->stages[s];
        for (int r = 0; r < stage->reason_count; r++)
            if (stage->reasons[r].count)
                printf("%*s-%zu    %s\n", 9 - digits(stage->reasons[r].count), "",
                       stage->reasons[r].count, stage->reasons[r].text);
        printf("%*s%zu  %s\n", 10 - digits(stage->count), "", stage->count, stage->key);
        if (s + 2 == EXPLAIN_STAGES && e->filling)
            printf("%*s+%zu    zero boxes fill up, and are classified too\n",
                   9 - digits(e->filling), "", e->filling);
    }
}

static void print_dropped(const explanation *e, const mrcnn_config *config) {
    enum { MOST = 5 };
    if (e->dropped_count) puts("  best of those that became no instance:");
    for (size_t i = 0; i < e->dropped_count && i < MOST; i++) {
        char *name = text_printable(e->dropped[i].class_name);
        char *why = explain_fall(&e->dropped[i], config);
        printf("    %.3f %s: %s\n", (double)e->dropped[i].score, name, why);
        free(name);
        free(why);
    }
    if (e->dropped_count > MOST) printf("    and %zu more classes\n", e->dropped_count - MOST);
}

/* 1 when detection has merged several views: a trace is of one, the picture as it is. */
static int has_more_views(const mrcnn_config *config) {
    return strcmp(mrcnn_config_get(config, "TEST_FLIPS"), "none") != 0 ||
           strcmp(mrcnn_config_get(config, "TEST_SCALES"), "[1]") != 0;
}

static void print_explanation(const explanation *e, const mrcnn_trace *t,
                              const mrcnn_config *config) {
    progress_hide();
    if (has_more_views(config))
        puts("  of the picture as it is, without its other views (TEST_FLIPS, TEST_SCALES):");
    print_stages(e);
    if (t->empty_masks) printf("%12s(%zu of them with an empty mask)\n", "", t->empty_masks);
    print_dropped(e, config);
    for (size_t i = 0; i < e->advice.count; i++) {
        char *text = text_printable(e->advice.items[i]), *line = text_format("advice: %s", text);
        options_print_text(line, 2);
        free(line);
        free(text);
    }
    fflush(stdout);
}

/* ------------------------------------------------------------------------------------------- JSON */

static void put_stages(json *out, const explanation *e) {
    json_key(out, "stages");
    json_begin(out, '{');
    for (int s = 0; s < EXPLAIN_STAGES; s++) {
        const explain_stage *stage = &e->stages[s];
        json_key(out, stage->key);
        json_begin(out, '{');
        json_put_integer(out, "count", stage->count);
        for (int r = 0; r < stage->reason_count; r++)
            json_put_integer(out, stage->reasons[r].key, stage->reasons[r].count);
        json_end(out, '}');
    }
    json_end(out, '}');
    json_put_integer(out, "filling", e->filling);
}

static void put_levels(json *out, const mrcnn_trace *t) {
    json_key(out, "levels");
    json_begin(out, '[');
    for (size_t i = 0; i < t->level_count; i++) {
        const mrcnn_trace_level *level = &t->levels[i];
        json_begin(out, '{');
        json_put_integer(out, "level", (size_t)level->level);
        json_put_integer(out, "height", (size_t)level->height);
        json_put_integer(out, "width", (size_t)level->width);
        json_put_real(out, "scale", level->scale);
        json_put_integer(out, "anchors", level->anchors);
        json_put_integer(out, "candidates", level->candidates);
        json_put_integer(out, "proposals", level->proposals);
        json_key(out, "best_score");
        json_real(out, (double)level->best_score, 9);
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void put_dropped(json *out, const explanation *e) {
    json_key(out, "best_dropped");
    json_begin(out, '[');
    for (size_t i = 0; i < e->dropped_count; i++) {
        json_begin(out, '{');
        json_put_text(out, "class", e->dropped[i].class_name);
        json_key(out, "score");
        json_real(out, (double)e->dropped[i].score, 9);
        json_key(out, "background");
        json_real(out, (double)e->dropped[i].background, 9);
        json_put_text(out, "why", mrcnn_fate_name(e->dropped[i].fate));
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void put_instances(json *out, const mrcnn_trace *t) {
    json_key(out, "instances");
    json_begin(out, '[');
    for (size_t i = 0; i < t->result->count; i++) {
        const mrcnn_instance *it = &t->result->instances[i];
        json_begin(out, '{');
        json_put_text(out, "class", it->class_name);
        json_key(out, "score");
        json_real(out, (double)it->score, 9);
        json_put_integer(out, "mask_area", (size_t)t->mask_areas[i]);
        json_end(out, '}');
    }
    json_end(out, ']');
    json_put_integer(out, "empty_masks", t->empty_masks);
}

/* The numbers that decided. */
static void put_settings(json *out, const mrcnn_config *config) {
    static const char *const keys[] = {"PRE_NMS_LIMIT",           "RPN_NMS_THRESHOLD",
                                       "POST_NMS_ROIS_INFERENCE", "DETECTION_MIN_CONFIDENCE",
                                       "DETECTION_NMS_THRESHOLD", "DETECTION_NMS_SIGMA",
                                       "DETECTION_MAX_INSTANCES"};
    static const char *const texts[] = {"DETECTION_NMS", "CLASS_MIN_CONFIDENCE"};
    json_key(out, "settings");
    json_begin(out, '{');
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_put_real(out, keys[i], strtod(mrcnn_config_get(config, keys[i]), NULL));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_put_text(out, texts[i], mrcnn_config_get(config, texts[i]));
    json_end(out, '}');
}

void explain_put(json *out, const explanation *e, const mrcnn_trace *t,
                 const mrcnn_config *config) {
    json_put_integer(out, "width", (size_t)t->width);
    json_put_integer(out, "height", (size_t)t->height);
    put_settings(out, config);
    json_key(out, "has_more_views");
    json_boolean(out, has_more_views(config));
    put_stages(out, e);
    put_levels(out, t);
    put_dropped(out, e);
    put_instances(out, t);
    json_key(out, "advice");
    json_begin(out, '[');
    for (size_t i = 0; i < e->advice.count; i++) json_text(out, e->advice.items[i]);
    json_end(out, ']');
}

static int write_json(const explanation *e, const mrcnn_trace *t, const mrcnn_config *config,
                      const finding *found) {
    new_file file;
    char *name = text_format("%s_explain.json", found->in->stem);
    char *path = path_join(found->folder, name);
    int failed = new_file_open(&file, path);
    free(name);
    free(path);
    if (failed) return failed;
    json out = {file.stream, 0, 0, 0, 2};
    json_begin(&out, '{');
    json_put_text(&out, "file_name", found->in->name);
    explain_put(&out, e, t, config);
    json_end(&out, '}');
    return new_file_commit(&file);
}

int explain_picture(mrcnn_session *session, const mrcnn_model *model, const finding *found,
                    int write) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_trace *trace = NULL;
    explanation e;
    if (mrcnn_trace_create(&trace, session, found->image, NULL, &err) != MRCNN_OK) {
        message("%s: %s", found->in->path ? found->in->path : found->in->name, err.message);
        return -1;
    }
    explain(&e, trace, model);
    print_explanation(&e, trace, mrcnn_model_config(model));
    int failed = write ? write_json(&e, trace, mrcnn_model_config(model), found) : 0;
    explanation_free(&e);
    mrcnn_trace_free(&trace);
    return failed;
}
