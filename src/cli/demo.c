/* demo.c - mrcnn demo: the first thing that a newcomer runs. The whole path, from picture to files,
 * on two pictures that come along; with fresh weights, because no trained ones do. */
#include "commands.h"
#include "pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct demo_options {
    const char *samples;
    pipeline_options pipeline;
} demo_options;

static const option demo_table[] = {
    {"out", "DIR", OPTION_TEXT, offsetof(demo_options, pipeline.out),
     "where the results go (default mrcnn-demo)", 0, 0},
    {"samples", "DIR", OPTION_TEXT, offsetof(demo_options, samples),
     "a folder of pictures to use instead of the two that come along", 0, 0},
    SESSION_ROWS(demo_options, pipeline.session),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

/* ------------------------------------------------------------------------------------ samples */

/* The installed samples lie where they always do from the program, wherever the tree was put. */
static char *samples_beside_program(void) {
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return NULL;
    program[length] = 0;
    char *slash = strrchr(program, '/');
    if (!slash) return NULL;
    *slash = 0;
    char *path = path_join(program, MRCNN_SAMPLES_FROM_PROGRAM), *resolved = realpath(path, NULL);
    free(path);
    return resolved;
}

/* Installed, or in the source tree that this was built from; NULL after a message. */
static char *find_samples(const char *given) {
    if (given) return text_copy(given);
    char *installed = samples_beside_program();
    if (installed && path_is_folder(installed)) return installed;
    free(installed);
    if (path_is_folder(MRCNN_SAMPLES_IN_SOURCE)) return text_copy(MRCNN_SAMPLES_IN_SOURCE);
    message("the sample pictures are not where they were installed; name a folder of pictures "
            "with --samples");
    return NULL;
}

/* --------------------------------------------------------------------------------------- demo */

/* What lets a network that has learned nothing draw something worth seeing: it is sure of nothing,
 * moves boxes wildly (so the moves are made small), and likes the padding round a picture best (so
 * there is none). */
static const struct {
    const char *key, *value;
} settings[] = {{"NUM_CLASSES", "3"},
                {"IMAGE_RESIZE_MODE", "pad64"},
                {"RPN_ANCHOR_SCALES", "[32, 48, 64, 96, 128]"},
                {"RPN_BBOX_STD_DEV", "[0.001, 0.001, 0.001, 0.001]"},
                {"RPN_NMS_THRESHOLD", "0.2"},
                {"PRE_NMS_LIMIT", "100000"},
                {"BBOX_STD_DEV", "[0.001, 0.001, 0.001, 0.001]"},
                {"DETECTION_MIN_CONFIDENCE", "0"},
                {"DETECTION_NMS_THRESHOLD", "0.1"},
                {"DETECTION_MAX_INSTANCES", "12"}};

static mrcnn_status configure_demo(mrcnn_config **config, mrcnn_error *err) {
    mrcnn_status status = mrcnn_config_create(config, "small", err);
    for (size_t i = 0; status == MRCNN_OK && i < sizeof settings / sizeof *settings; i++)
        status = mrcnn_config_set(*config, settings[i].key, settings[i].value, err);
    return status;
}

static void print_intro(void) {
    puts("This runs Mask R-CNN on sample pictures, from reading them to writing results.\n"
         "Trained weights do not come along (COCO's are 250 MB), so the network's weights\n"
         "are fresh random numbers: what it draws is noise, but every step is the real one.\n");
    fflush(stdout);
}

static void print_outro(const char *out) {
    printf("\nSee %s:\n"
           "  *_overlay.png    masks, boxes and names over each picture\n"
           "  *_splash.png     objects in colour, the rest in grey\n"
           "  detections.json  everything, in COCO's result format\n"
           "\n"
           "Next, with weights trained on COCO (people, cars, cats and 77 more), type\n"
           "  mrcnn weights get coco\n"
           "  mrcnn detect --weights coco --out found YOUR_PHOTO.jpg\n",
           out);
}

static int demonstrate(const command *self, demo_options *values, char *samples) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    char *folder[] = {samples};
    arguments given = {1, folder};
    print_intro();
    int code = EXIT_DONE;
    if (configure_demo(&config, &err) != MRCNN_OK) code = fail_with(&err);
    if (code == EXIT_DONE) code = pipeline_run_with(self, &values->pipeline, config, &given);
    if (code == EXIT_DONE) print_outro(values->pipeline.out);
    mrcnn_config_free(&config);
    return code;
}

static int run(const command *self, int argc, char **argv) {
    demo_options values = {NULL, pipeline_default()};
    values.pipeline.out = "mrcnn-demo";
    values.pipeline.model.weights = "none";
    values.pipeline.model.seed = 2;
    values.pipeline.model.classes = "noise,chance";
    values.pipeline.save |= SAVE_SPLASH;
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    char *samples = find_samples(values.samples);
    code = samples ? demonstrate(self, &values, samples) : EXIT_FAILED;
    free(samples);
    options_free(self, &values);
    return code;
}

const command command_demo = {
    .name = "demo",
    .path = "demo",
    .summary = "see it work on two pictures that come along",
    .usage = "[OPTION]...",
    .about =
        "Segments sample pictures and says where the results are and what to type next. Trained\n"
        "weights do not come along: the network has fresh random weights, so what is drawn is\n"
        "noise. It shows that the whole path works on this machine.",
    .examples = "mrcnn demo\n"
                "    results in mrcnn-demo/\n"
                "mrcnn demo --samples photos --out tried\n"
                "    the same on pictures of your own",
    .options = demo_table,
    .run = run,
};
