/* labelme_shape.c - the outline of one of LabelMe's shapes. Polygons are filled by skimage's rule, as
 * VIA's are; lines and points have no area. */
#include "data/labelme.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct shape_reader {
    mr_outline *outline;
    mr_numbers *numbers;
    const char *mask; /* base64, or NULL */
    char *why;
} shape_reader;

static mr_shape_result bad(const shape_reader *r, const char *text) {
    snprintf(r->why, MR_SHAPE_WHY, "%s", text);
    return MR_SHAPE_BAD;
}

static mr_shape_result read_points(const shape_reader *r, const mr_json *points) {
    uint32_t i = 0;
    if (!points || points->kind != MR_JSON_ARRAY) return bad(r, "the shape has no array of points");
    for (const mr_json *p = points->first; p; p = p->next, i++) {
        double x, y;
        int usable = p->kind == MR_JSON_ARRAY && p->count == 2 && mr_json_number(p->first, &x) &&
                     mr_json_number(p->first->next, &y);
        if (!usable) {
            snprintf(r->why, MR_SHAPE_WHY, "point %u of the shape is not two usable numbers", i);
            return MR_SHAPE_BAD;
        }
        if (!mr_numbers_add(r->numbers, x) || !mr_numbers_add(r->numbers, y))
            return bad(r, "there is no memory for the shape");
    }
    return MR_SHAPE_USABLE;
}

static mr_shape_result make_polygon(const shape_reader *r) {
    *r->outline = MR_OUTLINE_POLYGON;
    return mr_polygon_has_fault(r->numbers->values, r->numbers->count / 2, r->why, MR_SHAPE_WHY)
               ? MR_SHAPE_BAD
               : MR_SHAPE_USABLE;
}

/* Two opposite corners, or all four. */
static mr_shape_result make_rectangle(const shape_reader *r) {
    double *v = r->numbers->values, low[2], high[2];
    if (r->numbers->count != 4 && r->numbers->count != 8)
        return bad(r, "the rectangle has neither two points nor four");
    for (size_t i = 0; i < r->numbers->count; i++) {
        low[i % 2] = i < 2 ? v[i] : fmin(low[i % 2], v[i]);
        high[i % 2] = i < 2 ? v[i] : fmax(high[i % 2], v[i]);
    }
    if (!(high[0] > low[0] && high[1] > low[1]))
        return bad(r, "the rectangle has no area: its corners lie on a line");
    *r->outline = MR_OUTLINE_RECT;
    for (int i = 0; i < 2; i++) {
        v[i] = low[i];
        v[i + 2] = high[i] - low[i];
    }
    r->numbers->count = 4;
    return MR_SHAPE_USABLE;
}

/* Its centre and a point on it. */
static mr_shape_result make_circle(const shape_reader *r) {
    double *v = r->numbers->values;
    if (r->numbers->count != 4) return bad(r, "the circle has not two points");
    double radius = hypot(v[2] - v[0], v[3] - v[1]);
    if (!(radius > 0)) return bad(r, "the circle has no area: its points are the same");
    v[2] = v[3] = radius;
    *r->outline = MR_OUTLINE_ELLIPSE;
    return mr_numbers_add(r->numbers, 0) ? MR_SHAPE_USABLE
                                         : bad(r, "there is no memory for the shape");
}

static mr_shape_result make_nothing(const shape_reader *r) {
    (void)r;
    return MR_SHAPE_LINE;
}

/* Its points are the corners of the box that the mask fills. */
static mr_shape_result make_mask(const shape_reader *r) {
    const double *v = r->numbers->values;
    if (r->numbers->count != 4 || !r->mask)
        return bad(r, "the mask has not two points and a picture in base64");
    double x = trunc(fmin(v[0], v[2])), y = trunc(fmin(v[1], v[3]));
    *r->outline = MR_OUTLINE_POLYGON;
    return mr_labelme_mask(r->mask, x, y, r->numbers, r->why);
}

typedef struct shape_kind {
    const char *name;
    mr_shape_result (*make)(const shape_reader *r);
} shape_kind;

static const shape_kind kinds[] = {
    {"polygon", make_polygon},   {"rectangle", make_rectangle}, {"circle", make_circle},
    {"rotation", make_polygon},  {"mask", make_mask},           {"line", make_nothing},
    {"linestrip", make_nothing}, {"point", make_nothing},       {"points", make_nothing},
};

mr_shape_result mr_labelme_shape(const mr_json *shape, mr_outline *outline, mr_numbers *numbers,
                                 char why[MR_SHAPE_WHY]) {
    shape_reader r = {outline, numbers, mr_json_text(mr_json_get(shape, "mask")), why};
    const mr_json *type = mr_json_get(shape, "shape_type");
    const char *name = mr_json_text(type);
    if (!type || type->kind == MR_JSON_NULL) name = "polygon"; /* as the first versions had it */
    numbers->count = 0;
    if (!shape || shape->kind != MR_JSON_OBJECT) {
        snprintf(why, MR_SHAPE_WHY, "the shape is %s instead of an object",
                 mr_json_kind_name(shape));
        return MR_SHAPE_BAD;
    }
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) != 0) continue;
        mr_shape_result result = read_points(&r, mr_json_get(shape, "points"));
        return result == MR_SHAPE_USABLE ? kinds[i].make(&r) : result;
    }
    snprintf(why, MR_SHAPE_WHY, "the shape_type \"%.60s\" is not one of LabelMe's",
             name ? name : mr_json_kind_name(type));
    return MR_SHAPE_BAD;
}
