/* inspect_set.c - see inspect_set.h. */
#include "inspect_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int set_open(const command *self, const set_options *options, const mrcnn_config *config,
             const char *const *names, mrcnn_dataset **set) {
    mrcnn_image_options image = mrcnn_config_image_options(config);
    mrcnn_dataset_options how = mrcnn_dataset_options_default();
    text_list given = {0};
    how.image = &image;
    how.class_names = names;
    how.keep_empty = options->keep_empty;
    int code = names ? EXIT_DONE : dataset_read_classes(self, options->classes, &given);
    if (given.count) how.class_names = (const char *const *)given.items;
    if (code == EXIT_DONE) code = dataset_open(&options->data, options->subset, &how, set);
    text_list_free(&given);
    return code;
}

/* -------------------------------------------------------------------------------------- classes */

static int give_names(mrcnn_model *model, const mrcnn_dataset *set) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int count = mrcnn_dataset_class_count(set);
    if (mrcnn_model_class_count(model) != count) {
        message("the weights have %d classes with the background and no names, the data set has %d "
                "classes: --classes names those of the weights",
                mrcnn_model_class_count(model), count);
        return EXIT_FAILED;
    }
    const char **names = dataset_class_names(set);
    mrcnn_status status = mrcnn_model_set_class_names(model, names, (size_t)count, &err);
    free(names);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

int set_open_for(const command *self, const set_options *options, mrcnn_model *model,
                 mrcnn_dataset **set) {
    const mrcnn_config *config = mrcnn_model_config(model);
    if (model_is_unnamed(model)) {
        int code = set_open(self, options, config, NULL, set);
        return code == EXIT_DONE ? give_names(model, *set) : code;
    }
    const char **names = model_class_names(model);
    int code = set_open(self, options, config, names, set);
    free(names);
    return code;
}

int set_class_count(const command *self, const set_options *options, mrcnn_config *config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    char count[16];
    if (config_is_chosen(config, "NUM_CLASSES")) return EXIT_DONE;
    int code = set_open(self, options, config, NULL, &set);
    if (code != EXIT_DONE) return code;
    snprintf(count, sizeof count, "%d", mrcnn_dataset_class_count(set));
    mrcnn_dataset_free(&set);
    return mrcnn_config_set(config, "NUM_CLASSES", count, &err) == MRCNN_OK ? EXIT_DONE
                                                                            : fail_with(&err);
}

/* ------------------------------------------------------------------------------------- pictures */

/* By its id or its number; the count of pictures when there is none. */
static size_t find_picture(const mrcnn_dataset *set, const char *name) {
    size_t count = mrcnn_dataset_count(set);
    char *end = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(mrcnn_dataset_picture(set, i)->id, name) == 0) return i;
    errno = 0;
    unsigned long number = strtoul(name, &end, 10);
    if (*name >= '0' && *name <= '9' && !*end && errno == 0 && number < count) return number;
    return count;
}

static int fail_unknown(const mrcnn_dataset *set, const char *name) {
    text_nearest nearest = text_nearest_start(name);
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++)
        text_nearest_offer(&nearest, mrcnn_dataset_picture(set, i)->id);
    if (nearest.best)
        message("--picture: the data set has no \"%s\"; did you mean %s?", name, nearest.best);
    else
        message("--picture: the data set has no \"%s\", but %zu pictures, from 0", name,
                mrcnn_dataset_count(set));
    return EXIT_FAILED;
}

int set_choose(const set_options *options, const mrcnn_dataset *set, size_t **indices,
               size_t *count) {
    size_t all = mrcnn_dataset_count(set), named = options->pictures.count;
    size_t wanted = named ? named : (size_t)options->count < all ? (size_t)options->count : all;
    size_t *chosen = text_grow(NULL, wanted + 1, sizeof *chosen);
    for (size_t i = 0; i < wanted; i++) {
        chosen[i] = named ? find_picture(set, options->pictures.items[i]) : i * all / wanted;
        if (chosen[i] < all) continue;
        free(chosen);
        return fail_unknown(set, options->pictures.items[i]);
    }
    *indices = chosen;
    *count = wanted;
    return EXIT_DONE;
}

char *set_name(const mrcnn_dataset *set, size_t picture) {
    return text_printable(mrcnn_dataset_picture(set, picture)->id);
}

char *set_title(const mrcnn_dataset *set, size_t picture) {
    enum { LONGEST = 32, BEGIN = 16, END = 12 };
    char *name = set_name(set, picture);
    size_t length = strlen(name), begin = BEGIN, end = END;
    if (length <= LONGEST) return name;
    while (begin && ((unsigned char)name[begin] & 0xC0) == 0x80) begin--; /* whole characters */
    while (end && ((unsigned char)name[length - end] & 0xC0) == 0x80) end--;
    char *title = text_format("%.*s...%s", (int)begin, name, name + length - end);
    free(name);
    return title;
}

/* --------------------------------------------------------------------------------------- objects */

mrcnn_status truth_read(truth *t, const mrcnn_dataset *set, size_t picture, mrcnn_error *err) {
    memset(t, 0, sizeof *t);
    mrcnn_status status = mrcnn_dataset_read(set, picture, &t->image, err);
    if (status == MRCNN_OK)
        status =
            mrcnn_dataset_truth(set, picture, t->image.height, t->image.width, &t->result, err);
    if (status != MRCNN_OK) truth_free(t);
    return status;
}

void truth_free(truth *t) {
    mrcnn_result_free(&t->result);
    mrcnn_image_free(&t->image);
}
