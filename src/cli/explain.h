/* explain.h - why a picture has the instances that it has: how many candidates each stage kept, what
 * became of the rest, and what could be done about it. For detect --explain and inspect model. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "json.h"
#include "save.h"

#include <mrcnn/trace.h>

/* Why some did not get to the next stage. */
typedef struct explain_reason {
    const char *key; /* in JSON: "background" */
    size_t count;
    char *text; /* "look most like background" */
} explain_reason;

typedef struct explain_stage {
    const char *key; /* "proposals" */
    size_t count;    /* how many got so far; with the reasons' counts, all that set out for it */
    int reason_count;
    explain_reason reasons[MRCNN_FATES];
} explain_stage;

/* The best proposal of a class among those that became no instance. */
typedef struct explain_dropped {
    const char *class_name; /* belongs to the model */
    float score;
    float background;
    mrcnn_fate fate;
} explain_dropped;

enum { EXPLAIN_STAGES = 4 }; /* anchors, candidates, proposals, instances */

typedef struct explanation {
    explain_stage stages[EXPLAIN_STAGES];
    size_t filling;           /* zero boxes among the proposals, which the head classifies too */
    size_t dropped_count;     /* by falling score; proposals that a better one of their class */
    explain_dropped *dropped; /* suppressed don't count, as that one speaks for them */
    text_list advice;         /* sentences; none when there is nothing to say */
} explanation;

void explain(explanation *e, const mrcnn_trace *trace, const mrcnn_model *model);
void explanation_free(explanation *e);

/* explain_advice.c: the sentences. `e` has all but these. */
void explain_advise(explanation *e, const mrcnn_trace *trace, const mrcnn_model *model);

/* Why the best one of a class fell, in a few words; free it. */
char *explain_fall(const explain_dropped *dropped, const mrcnn_config *config);

/* "below DETECTION_MIN_CONFIDENCE 0.7", or the class's own CLASS_MIN_CONFIDENCE; free it. */
char *explain_below(const char *class_name, const mrcnn_config *config);

/* The object of NAME_explain.json. */
void explain_put(json *out, const explanation *e, const mrcnn_trace *trace,
                 const mrcnn_config *config);

/* Runs the picture again with a trace, prints the table on stdout, and with `write` writes
 * NAME_explain.json. 0, or -1 after a message. */
int explain_picture(mrcnn_session *session, const mrcnn_model *model, const finding *found,
                    int write);

#endif
