/* inspect.c - mrcnn inspect: looking into the network and at the data. */
#include "commands.h"
#include "files.h"
#include "inspect.h"
#include "model.h"

#include <stdio.h>

typedef struct tensors_options {
    model_options model;
    session_options session;
    const char *out;
} tensors_options;

static const option tensors_table[] = {
    WEIGHTS_ROW(tensors_options, model),
    CONFIG_ROWS(tensors_options, model.config),
    {"out", "FILE.h5", OPTION_TEXT, offsetof(tensors_options, out), "the HDF5 file to write", 0, 0},
    SESSION_ROWS(tensors_options, session),
    SEED_ROW(tensors_options, model.seed),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static int read_picture(const mrcnn_model *model, const char *path, mrcnn_image *image) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image_options options = mrcnn_config_image_options(mrcnn_model_config(model));
    return mrcnn_image_read(image, path, &options, &err) == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

static int write_tensors(const command *self, const tensors_options *values, const char *picture) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_image image = {0};
    int code = configure(self, &values->model.config, &config);
    if (code == EXIT_DONE) code = open_model(self, &values->model, NULL, config, &model);
    if (code == EXIT_DONE) code = read_picture(model, picture, &image);
    if (code == EXIT_DONE) code = open_session(&values->session, model, &session);
    if (code == EXIT_DONE && mrcnn_inspect_tensors(session, &image, values->out, &err) != MRCNN_OK)
        code = fail_with(&err);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    mrcnn_image_free(&image);
    mrcnn_config_free(&config);
    return code;
}

static int run_tensors(const command *self, int argc, char **argv) {
    tensors_options values = {0};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    if (!values.out)
        code = message_usage(self->path, "--out is missing: the HDF5 file to write");
    else
        code = default_weights(self, &values.model);
    if (code == EXIT_DONE) code = write_tensors(self, &values, rest.items[0]);
    options_free(self, &values);
    return code;
}

static const command tensors = {
    .name = "tensors",
    .path = "inspect tensors",
    .summary = "write the network's activations for a picture as HDF5",
    .usage = "--weights W --out FILE.h5 [OPTION]... PICTURE",
    .about =
        "Runs one picture and writes what the network computes on the way as HDF5 datasets of\n"
        "height, width, channels: molded, C1 to C5, P2 to P6, rpn_class, rpn_bbox, proposals,\n"
        "detections (rows of normalised y1, x1, y2, x2, class, score) and masks.",
    .examples =
        "mrcnn inspect tensors --weights coco --out photo.h5 photo.jpg\n"
        "    then `h5ls photo.h5`\n"
        "mrcnn inspect tensors --weights mine.h5 --executor reference --out r.h5 photo.jpg\n"
        "    the same from the plain loops, to compare",
    .options = tensors_table,
    .at_least = 1,
    .at_most = 1,
    .run = run_tensors,
};

static const command *const subcommands[] = {
    &command_inspect_data,
    &command_inspect_anchors,
    &command_inspect_targets,
    &command_inspect_weights,
    &command_inspect_model,
    &command_inspect_report,
    &tensors,
    NULL,
};

const command command_inspect = {
    .name = "inspect",
    .path = "inspect",
    .summary = "look into the network and at data sets",
    .usage = "COMMAND [OPTION]...",
    .about =
        "Shows what happens inside: as tables, as pictures, and as pages that need nothing else\n"
        "(report.html), with every figure of them in a file beside (report.json).",
    .examples = "mrcnn inspect data --dataset balloon --out page\n"
                "    what a data set holds, and what is wrong with it: open page/report.html\n"
                "mrcnn inspect report --logs logs/balloon20261121T0356 --dataset balloon --out r\n"
                "    how a training went, and what its network finds\n"
                "mrcnn inspect model --weights coco --out look photo.jpg\n"
                "    what a network makes of a picture, stage by stage\n"
                "mrcnn inspect tensors --weights coco --out photo.h5 photo.jpg\n"
                "    the activations of one picture\n"
                "mrcnn inspect tensors --help\n"
                "    what the file holds",
    .sub = subcommands,
};
