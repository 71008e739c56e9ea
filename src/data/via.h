/* via.h - the parts of the VIA reader: where the annotation file is, what a region's outline and its
 * class are. */
#ifndef MR_DATA_VIA_H
#define MR_DATA_VIA_H

#include "data/dataset.h"
#include "data/json.h"
#include "data/outline.h"

/* The annotation file: `path` itself, or in the folder (or the subset below it) via_region_data.json,
 * else the only .json file with VIA's structure. */
mrcnn_status mr_via_find(mr_place *place, const char *path, const char *subset, mrcnn_error *err);

/* The keys that only a VIA 2 project file has. */
int mr_via_is_project_key(const char *key);

typedef enum mr_via_result {
    MR_VIA_USABLE,
    MR_VIA_POINT, /* has no area; meant so */
    MR_VIA_BAD    /* can't be used; `why` says why */
} mr_via_result;

enum { MR_VIA_WHY = 320 };

/* Reads `shape_attributes` into object->outline and numbers. */
mr_via_result mr_via_outline(const mr_json *shape, mr_object *object, mr_numbers *numbers,
                             char why[MR_VIA_WHY]);

/* Reads `region_attributes`: the class is the entry called class, name, type, label or category, or
 * the only one with a text (but iscrowd). `name` becomes "" when there is none. Returns
 * MR_VIA_USABLE or MR_VIA_BAD. */
mr_via_result mr_via_class(const mr_json *attributes, char name[MR_CLASS_TEXT],
                           char why[MR_VIA_WHY]);

/* 1 when the attribute iscrowd says 1, true or yes: the region is a crowd, of no single object. */
int mr_via_is_crowd(const mr_json *attributes);

#endif
