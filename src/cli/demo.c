/* demo.c - mrcnn demo: the first thing that a newcomer runs. A model that comes along finds nuclei in
 * pictures that come along, is measured, and learns for a minute. */
#include "demo.h"
#include "commands.h"
#include "save.h"
#include "shipped.h"
#include "signals.h"

#include <stdio.h>

typedef struct demo_options {
    const char *out;
    int64_t steps;
    session_options session;
} demo_options;

static const option demo_table[] = {
    {"out", "DIR", OPTION_TEXT, offsetof(demo_options, out),
     "where the results go (default mrcnn-demo)", 0, 0},
    {"steps", "N", OPTION_INTEGER, offsetof(demo_options, steps),
     "how many steps to train, in a minute at most; 0: don't (default 400)", 0, 1000000},
    SESSION_ROWS(demo_options, session),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static void print_intro(const demo *d) {
    printf("Mask R-CNN finds each object in a picture, with its box and its exact mask.\n"
           "The model %s\nwas trained with this program to find cell nuclei. It and these pictures "
           "come "
           "along.\n\n",
           d->weights);
    if (!overlay_has_lines())
        message("this build is without cairo: overlays show masks, but no outlines");
    fflush(stdout);
}

static void print_outro(const demo *d) {
    printf("See %s:\n"
           "  report.html      pictures with what is there and what was found, figures, curves\n"
           "  *_overlay.png    the nuclei over each picture\n",
           d->out);
    if (d->training.steps)
        printf("  training/        the checkpoint and the log of the minute's training\n");
    printf("\n"
           "Next, type\n"
           "  mrcnn detect YOUR_PICTURE.png\n"
           "      nuclei in your own microscope pictures: see found/\n"
           "  mrcnn weights get coco && mrcnn detect --weights coco YOUR_PHOTO.jpg\n"
           "      people, cars, cats and 77 other things\n"
           "  mrcnn eval --dataset %s --max-detections 400\n"
           "      the figures above, and more of them\n"
           "  mrcnn train --dataset YOUR_FOLDER --weights nuclei --preset nuclei-scratch\n"
           "      a model of your own, from this one; your pictures as in %s\n\n",
           d->pictures, d->pictures);
}

/* The last line: all of it in one sentence. */
static void print_summary(const demo *d) {
    const demo_half *seen = &d->halves[DEMO_TRAINED], *unseen = &d->halves[DEMO_UNSEEN];
    printf("In short: %zu nuclei found of %zu annotated in %zu pictures; mask AP %.2f where it was "
           "trained, %.2f where it was not",
           seen->found + unseen->found, seen->annotated + unseen->annotated,
           seen->report->pictures + unseen->report->pictures, seen->report->segm.ap,
           unseen->report->segm.ap);
    if (d->training.steps)
        printf("; %.0f s of training took the loss from %.2f to %.2f", d->training.seconds,
               d->training.first, d->training.last);
    puts(".");
}

static int demonstrate(demo *d) {
    int code = demo_open(d);
    if (code != EXIT_DONE) return code;
    print_intro(d);
    code = demo_find(d);
    if (code == EXIT_DONE) code = demo_train(d);
    if (code == EXIT_DONE) code = demo_show(d);
    if (code != EXIT_DONE) return code;
    print_outro(d);
    print_summary(d);
    return code;
}

static int run(const command *self, int argc, char **argv) {
    demo_options values = {.out = "mrcnn-demo", .steps = 400};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    demo d = {.self = self, .out = values.out, .session = values.session, .steps = values.steps};
    signals_catch();
    code = demonstrate(&d);
    demo_close(&d);
    options_free(self, &values);
    return code;
}

const command command_demo = {
    .name = "demo",
    .path = "demo",
    .summary = "see it find and learn, on pictures that come along",
    .usage = "[OPTION]...",
    .about =
        "Finds cell nuclei in a dozen microscope pictures with the model that comes along, "
        "compares\n"
        "with what is annotated, and trains for a minute: the model keeps its backbone, forgets\n"
        "the rest, and learns it again. Half of the pictures are among those that the model was\n"
        "trained on, half it has never seen; figures tell them apart. Writes into DIR\n"
        "  report.html      pictures, figures and curves on one page\n"
        "  *_overlay.png    the nuclei over each picture\n"
        "  training/        checkpoint and log of the training",
    .examples = "mrcnn demo\n"
                "    a minute and a half on two cores; results in mrcnn-demo/\n"
                "mrcnn demo --steps 0 --out quick\n"
                "    without the training: a few seconds",
    .options = demo_table,
    .run = run,
};
