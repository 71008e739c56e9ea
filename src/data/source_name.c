/* source_name.c - what a data set calls itself when nobody named it. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Folders that say which part of a data set they hold, not what it is about. */
static int is_subset_name(const char *name) {
    static const char *const names[] = {"train", "training", "val",    "valid", "validation",
                                        "test",  ".",        "images", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return 1;
    return 0;
}

char *mr_dataset_name_source(const char *folder) {
    char *full = realpath(folder, NULL), *end, *name = NULL;
    if (!full) return mr_strdup("dataset");
    while (!name && (end = strrchr(full, '/')) != NULL) {
        if (!is_subset_name(end + 1)) name = mr_strdup(end + 1);
        *end = 0;
    }
    if (!name) name = mr_strdup("dataset");
    free(full);
    return name;
}

mrcnn_status mr_dataset_name_sources(mr_dataset *set, mrcnn_error *err) {
    mr_names seen = {0};
    const char *last = NULL;
    char *all = mr_strdup("");
    for (size_t i = 0; i < set->picture_count && all; i++) {
        const char *source = set->pictures[i].source;
        if (source == last || mr_names_find(&seen, source) >= 0) continue;
        char *longer = mr_names_add(&seen, source) >= 0
                           ? mr_format("%s%s%s", all, *all ? ", " : "", source)
                           : NULL;
        free(all);
        all = longer;
        last = source;
    }
    mr_names_free(&seen);
    set->source = all;
    return all ? MRCNN_OK : mr_fail_memory(err, 0, "names of sources");
}
