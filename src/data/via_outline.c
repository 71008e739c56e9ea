/* via_outline.c - the outline of a VIA region: polygon, polyline (closed, as a polygon), rect,
 * circle, ellipse. */
#include "data/via.h"

#include <stdio.h>
#include <string.h>

typedef struct outline_reader {
    const mr_json *shape;
    mr_numbers *numbers;
    char *why;
} outline_reader;

static mr_via_result bad(const outline_reader *r, const char *text) {
    snprintf(r->why, MR_VIA_WHY, "%s", text);
    return MR_VIA_BAD;
}

/* Members of the shape by name, NULL-terminated; all must be numbers. */
static mr_via_result read_members(const outline_reader *r, const char *const *names) {
    for (; *names; names++) {
        const mr_json *member = mr_json_get(r->shape, *names);
        double value;
        if (!mr_json_number(member, &value)) {
            snprintf(r->why, MR_VIA_WHY, "%s of the region is %s instead of a number", *names,
                     member && member->kind == MR_JSON_NUMBER ? "too large"
                                                              : mr_json_kind_name(member));
            return MR_VIA_BAD;
        }
        if (!mr_numbers_add(r->numbers, value)) return bad(r, "there is no memory for the region");
    }
    return MR_VIA_USABLE;
}

/* ------------------------------------------------------------------------------------ polygons */

static mr_via_result read_points(const outline_reader *r, const mr_json *x, const mr_json *y) {
    const mr_json *px = x->first, *py = y->first;
    for (uint32_t i = 0; i < x->count; i++, px = px->next, py = py->next) {
        double vx, vy;
        if (!mr_json_number(px, &vx) || !mr_json_number(py, &vy)) {
            snprintf(r->why, MR_VIA_WHY, "point %u of the polygon is not two usable numbers", i);
            return MR_VIA_BAD;
        }
        if (!mr_numbers_add(r->numbers, vx) || !mr_numbers_add(r->numbers, vy))
            return bad(r, "there is no memory for the polygon");
    }
    return MR_VIA_USABLE;
}

static mr_via_result read_polygon(const outline_reader *r) {
    const mr_json *x = mr_json_get(r->shape, "all_points_x");
    const mr_json *y = mr_json_get(r->shape, "all_points_y");
    if (!x || !y || x->kind != MR_JSON_ARRAY || y->kind != MR_JSON_ARRAY)
        return bad(r, "the polygon has no arrays all_points_x and all_points_y");
    if (x->count != y->count) {
        snprintf(r->why, MR_VIA_WHY, "the polygon has %u x and %u y coordinates", x->count,
                 y->count);
        return MR_VIA_BAD;
    }
    mr_via_result result = read_points(r, x, y);
    if (result != MR_VIA_USABLE) return result;
    if (mr_polygon_has_fault(r->numbers->values, x->count, r->why, MR_VIA_WHY)) return MR_VIA_BAD;
    return MR_VIA_USABLE;
}

/* ---------------------------------------------------------------------------------- the others */

static mr_via_result need_positive(const outline_reader *r, size_t first, size_t count,
                                   const char *text) {
    for (size_t i = first; i < first + count; i++)
        if (!(r->numbers->values[i] > 0)) return bad(r, text);
    return MR_VIA_USABLE;
}

static mr_via_result read_rect(const outline_reader *r) {
    static const char *const names[] = {"x", "y", "width", "height", NULL};
    mr_via_result result = read_members(r, names);
    if (result != MR_VIA_USABLE) return result;
    return need_positive(r, 2, 2, "the rectangle has no area: its width or height is not positive");
}

static mr_via_result read_circle(const outline_reader *r) {
    static const char *const names[] = {"cx", "cy", "r", "r", NULL};
    mr_via_result result = read_members(r, names);
    if (result != MR_VIA_USABLE) return result;
    if (!mr_numbers_add(r->numbers, 0)) return bad(r, "there is no memory for the region");
    return need_positive(r, 2, 2, "the circle has no area: its radius is not positive");
}

static mr_via_result read_ellipse(const outline_reader *r) {
    static const char *const names[] = {"cx", "cy", "rx", "ry", NULL};
    static const char *const angle[] = {"theta", NULL};
    mr_via_result result = read_members(r, names);
    if (result != MR_VIA_USABLE) return result;
    if (mr_json_get(r->shape, "theta"))
        result = read_members(r, angle);
    else if (!mr_numbers_add(r->numbers, 0))
        result = bad(r, "there is no memory for the region");
    if (result != MR_VIA_USABLE) return result;
    return need_positive(r, 2, 2, "the ellipse has no area: a radius is not positive");
}

typedef struct outline_kind {
    const char *name;
    mr_outline outline;
    mr_via_result (*read)(const outline_reader *r);
} outline_kind;

static const outline_kind kinds[] = {
    {"polygon", MR_OUTLINE_POLYGON, read_polygon}, {"polyline", MR_OUTLINE_POLYGON, read_polygon},
    {"rect", MR_OUTLINE_RECT, read_rect},          {"circle", MR_OUTLINE_ELLIPSE, read_circle},
    {"ellipse", MR_OUTLINE_ELLIPSE, read_ellipse},
};

mr_via_result mr_via_outline(const mr_json *shape, mr_object *object, mr_numbers *numbers,
                             char why[MR_VIA_WHY]) {
    outline_reader r = {shape, numbers, why};
    const char *name = mr_json_text(mr_json_get(shape, "name"));
    numbers->count = 0;
    if (!name) return bad(&r, "the region has no shape_attributes with a name");
    if (strcmp(name, "point") == 0) return MR_VIA_POINT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) != 0) continue;
        mr_via_result result = kinds[i].read(&r);
        object->outline = kinds[i].outline;
        object->count = (uint32_t)numbers->count;
        return result;
    }
    snprintf(why, MR_VIA_WHY, "the region's shape \"%.60s\" is not one of VIA's", name);
    return MR_VIA_BAD;
}
