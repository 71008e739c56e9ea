/* coco_ids.h - ids of COCO files, which are whole numbers or texts, as one number each: images,
 * annotations and categories may come in any order and find each other by them. */
#ifndef MR_DATA_COCO_IDS_H
#define MR_DATA_COCO_IDS_H

#include "data/json.h"

/* A number, or a place in the texts of mr_coco_ids. Texts that are whole numbers are these. */
typedef uint64_t mr_coco_id;

/* Start with {0}. */
typedef struct mr_coco_ids {
    char *texts;
    size_t bytes, room;
    mr_coco_id last; /* the last text: ids often come several times in a row */
} mr_coco_ids;

/* 1; 0: the value is no id; -1: no memory. */
int mr_coco_id_read(mr_coco_ids *ids, const mr_json *value, mr_coco_id *id);

enum { MR_COCO_ID_TEXT = 24 };
/* The id as text. `room` is for numbers. */
const char *mr_coco_id_text(const mr_coco_ids *ids, mr_coco_id id, char room[MR_COCO_ID_TEXT]);

/* By number, then by text. */
int mr_coco_id_compare(const mr_coco_ids *ids, mr_coco_id a, mr_coco_id b);

/* Which record has an id. Start with {0}. */
typedef struct mr_coco_key {
    mr_coco_id id;
    const mr_coco_ids *ids;
    uint32_t index;
} mr_coco_key;

/* Sorts by id, then by index. */
void mr_coco_keys_sort(mr_coco_key *keys, size_t count);
/* The first of them with that id; NULL: none. */
const mr_coco_key *mr_coco_keys_find(const mr_coco_key *keys, size_t count, const mr_coco_ids *ids,
                                     mr_coco_id id);

void mr_coco_ids_free(mr_coco_ids *ids);

#endif
