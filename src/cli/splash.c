/* splash.c - mrcnn splash: matterport's balloon trick. Objects keep their colours. */
#include "commands.h"
#include "pipeline.h"

typedef struct splash_options {
    pipeline_options pipeline;
} splash_options;

static const option options[] = {PIPELINE_ROWS(splash_options, pipeline),
                                 {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static int run(const command *self, int argc, char **argv) {
    splash_options values = {pipeline_default()};
    arguments given;
    int code = options_parse(self, argc, argv, &values, &given);
    if (code != OPTIONS_READ) return code;
    values.pipeline.save = SAVE_SPLASH;
    code = video_options_read(self, &values.pipeline.video);
    if (code == EXIT_DONE) code = pipeline_run(self, &values.pipeline, &given);
    options_free(self, &values);
    return code;
}

const command command_splash = {
    .name = "splash",
    .path = "splash",
    .summary = "keep the colours of objects and make the rest grey",
    .usage = "[--weights W] [--out DIR] [OPTION]... INPUT...",
    .about =
        "Finds the objects in pictures and videos and writes them in grey, but for their\n"
        "objects: DIR/NAME_splash.jpg or .png, and of a video NAME_splash.mp4 with its sound\n"
        "(.mkv if MP4 can't hold that). INPUT is what `mrcnn detect` takes: pictures, videos,\n"
        "folders, patterns, or - for a picture on standard input.",
    .examples = "mrcnn splash --weights balloon --out splashed party.jpg\n"
                "    the balloons stay red\n"
                "mrcnn splash --weights coco --set DETECTION_MIN_CONFIDENCE=0.9 --out out photos/\n"
                "    only what the network is sure of keeps its colours",
    .options = options,
    .at_least = 1,
    .at_most = -1,
    .run = run,
};
