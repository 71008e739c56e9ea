/* dataset.c - see dataset.h. */
#include "dataset.h"

#include "model.h"

#include <stdlib.h>
#include <string.h>

const char *dataset_format(const dataset_options *options) {
    static const char *const words[] = {"auto", "coco",   "via", "labelme", "yolo",
                                        "png",  "labels", "voc", "shapes"};
    return words[options->format];
}

int dataset_check_given(const command *self, const dataset_options *options) {
    if (options->paths.count) return EXIT_DONE;
    return message_usage(self->path,
                         "--dataset is missing: a folder of annotated pictures, or shapes");
}

char *dataset_names(const dataset_options *options) {
    char *names = text_copy("");
    for (size_t i = 0; i < options->paths.count; i++) {
        char *longer = text_format("%s%s%s", names, i ? ", " : "", options->paths.items[i]);
        free(names);
        names = longer;
    }
    return names;
}

/* ------------------------------------------------------------------------------------- opening */

typedef struct open_sets {
    mrcnn_dataset **items;
    size_t count;
} open_sets;

static int open_one(open_sets *sets, const char *path, const mrcnn_dataset_options *options) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    sets->items = text_grow(sets->items, sets->count + 1, sizeof *sets->items);
    sets->items[sets->count] = NULL;
    if (mrcnn_dataset_open(&sets->items[sets->count], path, options, &err) != MRCNN_OK)
        return fail_with(&err);
    sets->count++;
    return EXIT_DONE;
}

static int open_subsets(open_sets *sets, const char *path, const char *subset,
                        mrcnn_dataset_options how) {
    text_list names = {0};
    int code = EXIT_DONE;
    if (!subset) {
        how.subset = NULL;
        return open_one(sets, path, &how);
    }
    text_split(&names, subset, ",");
    for (size_t i = 0; i < names.count && code == EXIT_DONE; i++) {
        how.subset = names.items[i];
        code = open_one(sets, path, &how);
    }
    text_list_free(&names);
    return code;
}

int dataset_open(const dataset_options *options, const char *subset,
                 const mrcnn_dataset_options *how, mrcnn_dataset **set) {
    mrcnn_dataset_options each = *how;
    mrcnn_error err = MRCNN_ERROR_INIT;
    open_sets sets = {NULL, 0};
    int code = EXIT_DONE;
    each.format = dataset_format(options);
    each.year = options->year;
    each.index_cache = options->cache;
    for (size_t i = 0; i < options->paths.count && code == EXIT_DONE; i++)
        code = open_subsets(&sets, options->paths.items[i], subset, each);
    if (code == EXIT_DONE && sets.count == 1) {
        *set = sets.items[0];
        sets.items[0] = NULL;
    } else if (code == EXIT_DONE &&
               mrcnn_dataset_join(set, sets.items, sets.count, &err) != MRCNN_OK) {
        code = fail_with(&err);
    }
    for (size_t i = 0; i < sets.count; i++) mrcnn_dataset_free(&sets.items[i]);
    free(sets.items);
    return code;
}

/* --------------------------------------------------------------------------------- looking first */

/* Each name of the list must be there. */
static int has_subset(const dataset_options *options, const char *path, const char *subset) {
    mrcnn_dataset_options how = mrcnn_dataset_options_default();
    text_list names = {0};
    int has = 1;
    how.format = dataset_format(options);
    how.year = options->year;
    text_split(&names, subset, ",");
    for (size_t i = 0; i < names.count; i++) {
        how.subset = names.items[i];
        has = has && mrcnn_dataset_is_there(path, &how);
    }
    has = has && names.count;
    text_list_free(&names);
    return has;
}

dataset_options dataset_having(const dataset_options *options, const char *subset) {
    dataset_options having = {
        .format = options->format, .year = options->year, .cache = options->cache};
    for (size_t i = 0; i < options->paths.count; i++)
        if (has_subset(options, options->paths.items[i], subset))
            text_list_add(&having.paths, text_copy(options->paths.items[i]));
    return having;
}

int dataset_read_classes(const command *self, const char *given, text_list *names) {
    if (!given) return EXIT_DONE;
    int code = read_class_names(self, given, names);
    if (code != EXIT_DONE) return code;
    if (!is_background(names->items[0])) add_background(names);
    text_list_add(names, NULL);
    return EXIT_DONE;
}

const char **dataset_class_names(const mrcnn_dataset *set) {
    int count = mrcnn_dataset_class_count(set);
    const char **names = text_grow(NULL, (size_t)count + 1, sizeof *names);
    for (int i = 0; i < count; i++) names[i] = mrcnn_dataset_class_name(set, i);
    names[count] = NULL;
    return names;
}

int dataset_is_generated(const mrcnn_dataset *set) {
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++)
        if (mrcnn_dataset_picture(set, i)->path) return 0;
    return 1;
}
