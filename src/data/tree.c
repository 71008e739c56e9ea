/* tree.c - see tree.h. */
#include "data/tree.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Links may lead in circles. */
enum { DEEPEST = 6 };

typedef struct walk {
    mr_listing *found;
    size_t most;
    const char *top;
    mrcnn_error *err;
} walk;

static int is_full(const walk *w) {
    return w->most && w->found->count >= w->most;
}

/* `below`: a folder below the top, "" for the top itself. Pictures come before folders. The depth is
 * bounded, so the recursion is. */
static mrcnn_status enter(walk *w, const char *below, int depth) {
    mr_listing here = {NULL, 0, 0};
    char *folder = mr_format("%s%s%s", w->top, *below ? "/" : "", below);
    mrcnn_status status = folder ? mr_list_folder(&here, folder, NULL, w->err)
                                 : mr_fail_memory(w->err, strlen(below), "a path");
    for (int folders = 0; folders <= 1; folders++)
        for (size_t i = 0; i < here.count && status == MRCNN_OK && !is_full(w); i++) {
            int is_picture = mr_is_picture_name(here.names[i]);
            if (is_picture == folders || (folders && depth == DEEPEST)) continue;
            char *name = mr_format("%s%s%s", below, *below ? "/" : "", here.names[i]);
            char *path = name ? mr_format("%s/%s", w->top, name) : NULL;
            if (!path)
                status = mr_fail_memory(w->err, strlen(below), "a path");
            else if (!folders)
                status = mr_listing_add(w->found, name, w->err);
            else if (mr_is_folder(path))
                status = enter(w, name, depth + 1);
            free(path);
            free(name);
        }
    mr_listing_free(&here);
    free(folder);
    return status;
}

mrcnn_status mr_list_pictures(mr_listing *listing, const char *folder, size_t most,
                              mrcnn_error *err) {
    mr_listing made = {NULL, 0, 0};
    walk w = {.found = &made, .most = most, .top = folder, .err = err};
    mrcnn_status status = enter(&w, "", 1);
    if (status == MRCNN_OK)
        *listing = made;
    else
        mr_listing_free(&made);
    return status;
}
