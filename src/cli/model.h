/* model.h - what several commands do before their own work: configuration from --preset, --config
 * and --set, weights from --weights, a session. The rows of these options' tables are here too. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "options.h"

#include <mrcnn/mrcnn.h>

typedef struct config_options {
    const char *preset, *file;
    text_list set;
} config_options;

/* Rows for a table whose struct T has a config_options called `config` somewhere at `field`. */
#define CONFIG_ROWS(T, field)                                                                     \
    {"preset",                                                                                    \
     "NAME",                                                                                      \
     OPTION_TEXT,                                                                                 \
     offsetof(T, field.preset),                                                                   \
     "start from a preset's values (`mrcnn config presets` lists them)",                          \
     0,                                                                                           \
     0},                                                                                          \
        {"config",                                                                                \
         "FILE",                                                                                  \
         OPTION_TEXT,                                                                             \
         offsetof(T, field.file),                                                                 \
         "read keys from a YAML file; they win over the preset's and the weights'",               \
         0,                                                                                       \
         0},                                                                                      \
    {                                                                                             \
        "set", "KEY=VALUE", OPTION_TEXTS, offsetof(T, field.set),                                 \
            "set one key; wins over everything else, and may be given many times (`mrcnn config " \
            "keys` "                                                                              \
            "lists them)",                                                                        \
            0, 0                                                                                  \
    }

/* Makes the configuration. EXIT_DONE, or the exit code after a message. */
int configure(const command *self, const config_options *options, mrcnn_config **config);
/* Sets what --set says, on any configuration. */
int configure_keys(const command *self, const text_list *set, mrcnn_config *config);
/* Has somebody chosen this value (with a preset, a file or --set)? */
int config_is_chosen(const mrcnn_config *config, const char *key);

typedef struct model_options {
    config_options config;
    const char *weights; /* a path, SHIPPED_MODEL, a published name, or "none" */
    const char *classes; /* a file, or names with commas; NULL: those of the weights */
    int64_t seed;        /* of fresh weights */
} model_options;

#define WEIGHTS_ROW(T, field)                                                                  \
    {                                                                                          \
        "weights", "none|FILE|NAME", OPTION_TEXT, offsetof(T, field.weights),                  \
            "a Keras .h5 file; nuclei, the model that comes along (the default); a published " \
            "name "                                                                            \
            "(coco), which is fetched once and kept; or none, fresh random weights, for "      \
            "trying things",                                                                   \
            0, 0                                                                               \
    }
#define SEED_ROW(T, field)                                          \
    {                                                               \
        "seed", "N", OPTION_INTEGER, offsetof(T, field),            \
            "which fresh weights to draw (default 0)", 0, INT64_MAX \
    }
#define CLASSES_ROW(T, field)                                                               \
    {                                                                                       \
        "classes", "FILE|A,B,C", OPTION_TEXT, offsetof(T, field),                           \
            "names of the classes: a text file with one a line, or names with commas; the " \
            "background "                                                                   \
            "may be left out",                                                              \
            0, 0                                                                            \
    }

/* Without --weights the model that comes along is used, after a message. EXIT_DONE, or the code of a wrong
 * usage when it isn't there. */
int default_weights(const command *self, model_options *options);

typedef struct session_options {
    int64_t threads;
    int executor;  /* index in "cpu|reference" */
    int precision; /* index in "default|f32|bf16|int8|auto" */
    const char *cache;
} session_options;

/* The model, with class names. Says so when its weights are fresh. session: whose cache is to have the packed weights,
 * for commands that are often run with the same ones; NULL: none. */
int open_model(const command *self, const model_options *options, const session_options *session,
               const mrcnn_config *config, mrcnn_model **model);

#define SESSION_ROWS(T, field)                                                        \
    {"threads",                                                                       \
     "N",                                                                             \
     OPTION_INTEGER,                                                                  \
     offsetof(T, field.threads),                                                      \
     "how many threads compute (default 0: one per core)",                            \
     0,                                                                               \
     4096},                                                                           \
        {"precision",                                                                 \
         "default|f32|bf16|int8|auto",                                                \
         OPTION_CHOICE,                                                               \
         offsetof(T, field.precision),                                                \
         "what features and weights are computed in: f32 gives the numbers of "       \
         "matterport's program, bf16 takes about half of its time, int8 (weights of " \
         "mrcnn quantize) less; auto: the fastest that the processor has; default: "  \
         "int8 for such weights, else f32",                                           \
         0,                                                                           \
         0},                                                                          \
        {"cache",                                                                     \
         "DIR|none",                                                                  \
         OPTION_TEXT,                                                                 \
         offsetof(T, field.cache),                                                    \
         "where packed weights are kept for the next time (at most 2 GB), and which " \
         "algorithms are the faster ones here, which bf16 measures once; none: "      \
         "nothing is kept or measured (default ~/.cache/mrcnn)",                      \
         0,                                                                           \
         0},                                                                          \
    {                                                                                 \
        "executor", "cpu|reference", OPTION_CHOICE, offsetof(T, field.executor),      \
            "cpu, or reference: plain loops, slow, for checking (default cpu)", 0, 0  \
    }

int open_session(const session_options *options, mrcnn_model *model, mrcnn_session **session);

/* Where a weight file is: a path as it is, the one that comes along where it lies, a published name
 * fetched with a progress bar. malloc'ed; NULL after a message. url and directory may be NULL. */
char *find_weights(const char *name, const char *url, const char *directory);

/* Class names from --classes, with the background first; a list that may be empty is an error. */
int read_class_names(const command *self, const char *given, text_list *names);
/* Those of a model, NULL-terminated; free the list, not the names. */
const char **model_class_names(const mrcnn_model *model);
/* "class 1", "class 2": the weights came without names. */
int model_is_unnamed(const mrcnn_model *model);
/* Adds the background in front if that makes the count right. */
int set_class_names(mrcnn_model *model, text_list *names, const char *given);
int is_background(const char *name);
void add_background(text_list *names);

/* Prints an error of the library: EXIT_FAILED, or EXIT_INTERRUPTED when a signal stopped it. */
int fail_with(const mrcnn_error *err);

#endif
