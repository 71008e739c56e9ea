/* lookup.h - which picture and which class of a data set an entry of a results file is about. */
#ifndef MR_EVAL_LOOKUP_H
#define MR_EVAL_LOOKUP_H

#include "eval/truth.h"

/* A few of the ids that nothing has, for the message. */
enum { MR_UNKNOWN_SHOWN = 5, MR_UNKNOWN_TEXT = 64 };
typedef struct mr_unknown {
    size_t count; /* entries */
    size_t shown;
    char texts[MR_UNKNOWN_SHOWN][MR_UNKNOWN_TEXT];
} mr_unknown;

/* Ids of one part of the set. */
typedef struct mr_lookup_part {
    mr_coco_ids own, *ids;   /* what the ids below, and those that are looked for, belong to */
    mr_coco_key *images;     /* by id; index: the picture's in the whole set */
    mr_coco_key *categories; /* by id; index: the class of the whole set */
    size_t image_count, category_count;
} mr_lookup_part;

typedef struct mr_lookup_name {
    const char *name;
    uint32_t index;
} mr_lookup_name;

/* Used by one thread. Start with {0}. */
typedef struct mr_lookup {
    mr_truth_reader *reader;
    mr_lookup_part *parts;
    size_t part_count;
    mr_lookup_name *names, *short_names; /* of all pictures, with and without folders; sorted */
    mr_unknown pictures, classes;        /* that were not found */
} mr_lookup;

/* Close it in any case; the reader must live as long. */
mrcnn_status mr_lookup_open(mr_lookup *lookup, mr_truth_reader *reader, mrcnn_error *err);
void mr_lookup_close(mr_lookup *lookup);

/* Finds both; *class_id is 0 when one of them was noted as unknown instead. An error: the entry says
 * nothing that could be looked for, or is about more than one picture. */
mrcnn_status mr_lookup_entry(mr_lookup *lookup, const mr_json *entry, uint32_t *picture,
                             int32_t *class_id, mrcnn_error *err);

/* An error when something was unknown, with how much of what. `path` is the file's, `total` the number
 * of its entries. */
mrcnn_status mr_lookup_check(const mr_lookup *lookup, const char *path, size_t total,
                             mrcnn_error *err);

#endif
