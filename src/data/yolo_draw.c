/* yolo_draw.c - the format's row, and its objects as masks. Coordinates are parts of the picture's
 * width and height, which are known when a mask is drawn; then polygons are filled as VIA's are. */
#include "data/yolo.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/raster.h"

#include <stdlib.h>

static int is_box(const mr_object *o) {
    return o->count == 4;
}

static void scale_polygon(const mr_dataset *set, const mr_object *o, int height, int width,
                          double *xy) {
    const double *parts = set->numbers + o->first;
    for (size_t i = 0; i < o->count; i++)
        xy[i] = mr_yolo_to_pixels(parts[i], i % 2 ? height : width);
}

static void fill_box(const double *box, int height, int width, uint8_t *mask) {
    double x1 = mr_yolo_to_pixels(box[0] - box[2] / 2, width);
    double y1 = mr_yolo_to_pixels(box[1] - box[3] / 2, height);
    double x2 = mr_yolo_to_pixels(box[0] + box[2] / 2, width);
    double y2 = mr_yolo_to_pixels(box[1] + box[3] / 2, height);
    mr_fill_rect(x1, y1, x2 - x1, y2 - y1, height, width, mask);
}

/* Room for the largest polygon in pixels. */
static mrcnn_status open_masks(mr_masks *masks, mrcnn_error *err) {
    size_t most = 1;
    for (size_t i = 0; i < masks->set->pictures[masks->index].object_count; i++) {
        const mr_object *o = mr_dataset_object(masks->set, masks->index, i);
        if (o->count > most) most = o->count;
    }
    masks->own = mr_calloc(most, sizeof(double));
    return masks->own ? MRCNN_OK : mr_fail_memory(err, most * sizeof(double), "a polygon");
}

static void close_masks(mr_masks *masks) {
    free(masks->own);
}

static mrcnn_status draw(const mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                         mrcnn_error *err) {
    const mr_dataset *set = masks->set;
    const mr_object *o = mr_dataset_object(set, masks->index, object);
    (void)err;
    *class_id = o->class_id;
    if (is_box(o)) {
        fill_box(set->numbers + o->first, masks->height, masks->width, mask);
        return MRCNN_OK;
    }
    scale_polygon(set, o, masks->height, masks->width, masks->own);
    mr_fill_polygon(masks->own, o->count / 2, masks->height, masks->width, mask);
    return MRCNN_OK;
}

static mrcnn_status polygons(const mr_dataset *set, size_t index, size_t object,
                             mr_polygon_list *list, mrcnn_error *err) {
    const mr_object *o = mr_dataset_object(set, index, object);
    int32_t height, width;
    if (is_box(o)) return MRCNN_OK; /* the list says that there are none */
    mrcnn_status status = mr_dataset_picture_size(set, index, &height, &width, err);
    if (status != MRCNN_OK) return status;
    mr_polygon_list made = {MR_RULE_SKIMAGE, 1, mr_calloc(1, sizeof *made.points),
                            mr_calloc(o->count, sizeof *made.xy)};
    if (!made.points || !made.xy) {
        mr_polygon_list_free(&made);
        return mr_fail_memory(err, o->count * sizeof(double), "the polygon of an object");
    }
    made.points[0] = o->count / 2;
    scale_polygon(set, o, height, width, made.xy);
    *list = made;
    return MRCNN_OK;
}

const mr_dataset_format mr_format_yolo = {
    .name = "yolo",
    .files = "YOLO's labels (data.yaml, or folders images and labels with a text file for each "
             "picture)",
    .find = mr_yolo_find,
    .open = mr_yolo_open,
    .read = mr_dataset_read_file,
    .open_masks = open_masks,
    .close_masks = close_masks,
    .draw = draw,
    .polygons = polygons,
};
