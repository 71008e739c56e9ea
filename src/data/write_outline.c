/* write_outline.c - see write_outline.h. */
#include "data/write_outline.h"

#include "data/outline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int are_usable(const mr_polygon_list *list) {
    const double *xy = list->xy;
    char why[100];
    for (size_t i = 0; i < list->count; xy += 2 * list->points[i], i++) {
        for (size_t k = 0; k < 2 * list->points[i]; k++)
            if (!isfinite(xy[k])) return 0;
        if (mr_polygon_has_fault(xy, list->points[i], why, sizeof why)) return 0;
    }
    return list->count > 0;
}

mrcnn_status mr_written_outline_trace(mr_written_outline *outline, const mr_written_object *object,
                                      mrcnn_error *err) {
    mr_written_outline_close(outline);
    mrcnn_status status = mr_mask_to_polygon(&object->mask, &outline->made, err);
    if (status == MRCNN_OK) outline->polygons = &outline->made;
    return status;
}

mrcnn_status mr_written_outline_open(mr_written_outline *outline, const mr_written_object *object,
                                     size_t most, mrcnn_error *err) {
    const mr_polygon_list *list = &object->polygons;
    *outline = (mr_written_outline){NULL, {MR_RULE_NONE, 0, NULL, NULL}};
    if (list->rule != MR_RULE_SKIMAGE || list->count > most || !are_usable(list))
        return mr_written_outline_trace(outline, object, err);
    outline->polygons = list;
    return MRCNN_OK;
}

void mr_written_outline_close(mr_written_outline *outline) {
    mr_polygon_list_free(&outline->made);
    outline->polygons = NULL;
}

const char *mr_written_class(const mr_writing *w, const mr_written_object *object) {
    const char *name = w->class_names[object->class_id];
    char tidy[MR_CLASS_TEXT];
    if (!mr_tidy_name(name, tidy) || strcmp(name, tidy) != 0)
        w->lose(w->user, "class names with blanks at their ends, or of more than 200 bytes");
    return name;
}
