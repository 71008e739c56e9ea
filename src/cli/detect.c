/* detect.c - mrcnn detect: pictures and videos in, instances out. */
#include "commands.h"
#include "pipeline.h"

typedef struct detect_options {
    pipeline_options pipeline;
} detect_options;

static const option options[] = {
    PIPELINE_ROWS(detect_options, pipeline),
    {"save", SAVE_WORDS, OPTION_CHOICES, offsetof(detect_options, pipeline.save),
     "what to write, with commas between (default overlay,json)", 0, 0},
    TRACK_ROW(detect_options, pipeline.video),
    {"draw", DRAW_WORDS, OPTION_CHOICES, offsetof(detect_options, pipeline.overlay.draw),
     "what overlays show, with commas between (default all of it, but captions not in pictures "
     "that "
     "they would hide)",
     0, 0},
    {"color", "instance|class", OPTION_CHOICE,
     offsetof(detect_options, pipeline.overlay.color_by_class),
     "what has a colour of its own in overlays (default instance)", 0, 0},
    {"explain", NULL, OPTION_FLAG, offsetof(detect_options, pipeline.explain),
     "say how many candidates each stage kept, why the rest fell, and what could be done", 0, 0},
    {"category-ids", "model|coco", OPTION_CHOICE, offsetof(detect_options, pipeline.coco_ids),
     "category_id in JSON: the model's class number, or the number that COCO's "
     "annotations use, for a model of COCO's 80 classes (default model)",
     0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static int run(const command *self, int argc, char **argv) {
    detect_options values = {pipeline_default()};
    arguments given;
    int code = options_parse(self, argc, argv, &values, &given);
    if (code != OPTIONS_READ) return code;
    code = video_options_read(self, &values.pipeline.video);
    if (code == EXIT_DONE) code = pipeline_run(self, &values.pipeline, &given);
    options_free(self, &values);
    return code;
}

const command command_detect = {
    .name = "detect",
    .path = "detect",
    .summary = "find objects in pictures and videos; write overlays, masks, JSON",
    .usage = "[--weights W] [--out DIR] [OPTION]... INPUT...",
    .about =
        "Finds the objects in pictures and videos. An INPUT is a JPEG or PNG picture or a NumPy\n"
        "array (.npy), a video in any format that FFmpeg reads, a folder (the .jpg, .jpeg and\n"
        ".png in it, by name, or, if there are none, the .npy; no videos), a pattern in quotes,\n"
        "or - for a picture on standard input. Each gives one line on stdout. An input that\n"
        "can't be read is named and the others go on; the exit code is then 1. Ctrl-C ends after\n"
        "the picture or the frames under way and keeps what was found (exit code 130).\n"
        "\n"
        "Without --weights the model that comes along finds cell nuclei.\n"
        "\n"
        "Pictures are read with the model's channels (IMAGE_CHANNEL_COUNT) and IMAGE_VALUE_RANGE;\n"
        "overlays show grey as grey, and of more than three channels the first three.\n"
        "\n"
        "Files in DIR, where NAME is the picture's name without its extension, followed by _2, _3\n"
        "and so on when another picture has it already:\n"
        "  overlay  NAME_overlay.png or .jpg  masks, boxes and names over it\n"
        "  json     detections.json           all pictures, as COCO's results\n"
        "  masks    NAME_masks/01_person.png  each instance: 255 inside, else 0\n"
        "  labelme  NAME.json                 outlines to correct in LabelMe\n"
        "  splash   NAME_splash.png or .jpg   grey, but for the objects\n"
        "and of a video (neither masks nor labelme):\n"
        "  overlay  NAME_overlay.mp4  H.264, upright, at the frames' own times,\n"
        "  splash   NAME_splash.mp4   with the sound as it was (.mkv if need be)\n"
        "  json     NAME.jsonl        a line a frame; objects keep a track_id\n"
        "\n"
        "In detections.json bbox is [x, y, width, height] and counts a compressed run-length\n"
        "encoding, as COCO's tools read it. image_id is the number that the file's name is, when\n"
        "all names are different numbers (000000000139.jpg is 139), else 1, 2, 3, ... in order.\n"
        "LabelMe knows no holes: only outer outlines are written there.\n"
        "\n"
        "--explain answers \"why was nothing found?\": below each picture's line it prints what\n"
        "every stage kept and dropped, the best of what was dropped, and advice. With json among\n"
        "--save the same is in NAME_explain.json. The network runs twice for it; it is not\n"
        "for videos. It tells of one pass over the picture as it is: not of the other views of\n"
        "TEST_FLIPS and TEST_SCALES, and not of pictures that TILE_SIZE cuts into tiles.\n"
        "\n"
        "Pictures far larger than the network's input, such as aerial ones, are detected in tiles\n"
        "with --set TILE_SIZE=N, N being about the side of the pictures that the model learnt\n"
        "from. TEST_FLIPS and TEST_SCALES look at each picture in several ways, and take as much\n"
        "longer. docs/test-time.md tells what each gains.",
    .examples = "mrcnn detect cells.png\n"
                "    nuclei, found by the model that comes along: found/cells_overlay.png\n"
                "mrcnn detect --weights coco --out found photo.jpg\n"
                "    fetches the COCO weights the first time; see found/photo_overlay.jpg\n"
                "mrcnn detect --weights mine.h5 --out found --save json,masks photos/\n"
                "    every picture of a folder; run-length masks in one file, and a PNG for each\n"
                "mrcnn detect --weights coco --out found --start 1:30 --end 2:00 clip.mp4\n"
                "    half a minute of a video, with its sound: found/clip_overlay.mp4",
    .options = options,
    .at_least = 1,
    .at_most = -1,
    .run = run,
};
