/* demo.h - the parts of mrcnn demo: finding nuclei in the sample pictures, learning for a minute, and the
 * page about both. */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "model.h"

#include <mrcnn/eval.h>

/* One half of the sample pictures. */
typedef struct demo_half {
    const char *subset; /* "train" */
    const char *kind;   /* in words: "that the model was trained on" */
    mrcnn_dataset *set;
    mrcnn_report *report;
    size_t annotated, found; /* nuclei */
} demo_half;

enum { DEMO_TRAINED = 0, DEMO_UNSEEN = 1, DEMO_HALVES = 2 };

typedef struct demo_training {
    size_t steps;       /* done; 0: there was no training */
    size_t averaged;    /* the first and the last so many steps make the two losses */
    double first, last; /* losses */
    double seconds;
    double ap50;       /* of masks in the half that was not trained on, afterwards */
    char folder[1024]; /* of the run */
} demo_training;

typedef struct demo {
    const command *self;
    const char *out;
    session_options session;
    int64_t steps;            /* of the training, at most */
    char *weights, *pictures; /* where they are */
    mrcnn_model *model;       /* as it comes along */
    mrcnn_model *unsure;      /* the same, for COCO's figures, which need unsure detections too */
    mrcnn_session *sees, *measures; /* of these two */
    demo_half halves[DEMO_HALVES];
    demo_training training;
} demo;

/* Each returns EXIT_DONE, or the exit code after a message. */
int demo_open(demo *d);
int demo_find(demo *d);  /* prints a line a picture and a line a half, writes overlays */
int demo_train(demo *d); /* prints both losses */
int demo_show(demo *d);  /* writes the page */

void demo_close(demo *d);

/* COCO's figures of a session that keeps unsure detections. */
int demo_measure(mrcnn_session *session, const mrcnn_config *config, const mrcnn_dataset *set,
                 mrcnn_report **report);

#endif
