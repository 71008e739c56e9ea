/* helper_cli.h - runs the real program in a folder of its own and looks at what it leaves: exit
 * code, stdout, stderr, files. Tests run inside that folder, so plain file names will do. */
#ifndef HELPER_CLI_H
#define HELPER_CLI_H

#include <stddef.h>

typedef struct cli_result {
    int code; /* -1: ended by a signal */
    char *out, *err;
} cli_result;

/* What else the program is given; all may be 0. */
typedef struct cli_world {
    const char *stdin_path;      /* default /dev/null */
    const char *stdout_path;     /* instead of what cli_result keeps */
    long file_limit;             /* bytes that a file may have: a full disk, in effect */
    int interrupt;               /* send SIGINT when the first line is on stdout */
    int (*interrupt_when)(void); /* instead of that: when this says so */
} cli_world;

/* `arguments` ends with NULL. The result is valid until the next run. */
const cli_result *cli_run(const char *program, const char *const *arguments,
                          const cli_world *world);

#define RUN_IN(world, ...) cli_run(MRCNN_PROGRAM, (const char *const[]){__VA_ARGS__, NULL}, world)
#define RUN(...) RUN_IN(NULL, __VA_ARGS__)

/* cmocka group setup and teardown: makes a new folder and goes there; removes it. */
int cli_enter(void **state);
int cli_leave(void **state);

/* The whole file with a 0 behind it, NULL if there is none; free it. */
char *cli_read(const char *path);
void cli_write(const char *path, const char *text);
int cli_exists(const char *path);
/* Files in a folder whose names contain `part`. */
size_t cli_count(const char *folder, const char *part);
size_t cli_occurrences(const char *text, const char *part);
/* The AP in that section ("bbox", "segm") of what eval --json wrote; negative: there is none. */
double cli_ap(const char *path, const char *section);

/* 1 when the text is one JSON value (RFC 8259, valid UTF-8) and nothing else. */
int cli_is_json(const char *text);
/* A file that must be that; free it. */
char *cli_read_json(const char *path);

/* Writes a picture of stripes; the extension says PNG or JPEG. */
void cli_picture(const char *path, int width, int height);

/* Writes tiny.h5: fresh weights of three classes that find something in a.png when they are run with CLI_EAGER. 0
 * when there are none. */
int cli_weights(const char *program);
#define CLI_EAGER "--set", "DETECTION_MIN_CONFIDENCE=0"

/* The settings of a network that runs in a few milliseconds, as arguments. */
#define CLI_TINY                                                                           \
    "--set", "BACKBONE=resnet18", "--set", "BACKBONE_STEM_WIDTH=8", "--set",               \
        "BACKBONE_WIDTHS=[8, 8, 16, 16]", "--set", "TOP_DOWN_PYRAMID_SIZE=16", "--set",    \
        "RPN_WIDTH=16", "--set", "MASK_WIDTH=8", "--set", "FPN_CLASSIF_FC_LAYERS_SIZE=16", \
        "--set", "IMAGE_MIN_DIM=128", "--set", "IMAGE_MAX_DIM=128", "--set",               \
        "RPN_ANCHOR_SCALES=[8, 16, 32, 64, 128]", "--set", "POST_NMS_ROIS_INFERENCE=50"

#endif
