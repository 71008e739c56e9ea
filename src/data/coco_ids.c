/* coco_ids.c - see coco_ids.h. */
#include "data/coco_ids.h"

#include "base/memory.h"
#include "data/dataset.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole numbers that a double holds exactly, moved so that none is negative. */
static const double most = 9007199254740992.0; /* 2^53 */
static const mr_coco_id zero = (mr_coco_id)1 << 53, is_text = (mr_coco_id)1 << 63;

static int id_of_number(double number, mr_coco_id *id) {
    if (!(fabs(number) < most) || number != floor(number)) return 0;
    *id = (mr_coco_id)((int64_t)number + (int64_t)zero);
    return 1;
}

/* "17", but not "017" or "1e3". */
static int id_of_digits(const char *text, mr_coco_id *id) {
    size_t length = strlen(text);
    if (length == 0 || length > 15 || strspn(text, "0123456789") != length) return 0;
    return (text[0] != '0' || length == 1) && id_of_number(strtod(text, NULL), id);
}

static int keep_text(mr_coco_ids *ids, const char *text, mr_coco_id *id) {
    size_t size = strlen(text) + 1;
    if (ids->last && strcmp(ids->texts + (ids->last & ~is_text), text) == 0) {
        *id = ids->last;
        return 1;
    }
    if (!mr_dataset_grow((void **)&ids->texts, &ids->room, ids->bytes, size, 1)) return -1;
    memcpy(ids->texts + ids->bytes, text, size);
    *id = ids->last = is_text | ids->bytes;
    ids->bytes += size;
    return 1;
}

int mr_coco_id_read(mr_coco_ids *ids, const mr_json *value, mr_coco_id *id) {
    double number;
    const char *text = mr_json_text(value);
    if (mr_json_number(value, &number)) return id_of_number(number, id);
    if (!text || !*text) return 0;
    return id_of_digits(text, id) ? 1 : keep_text(ids, text, id);
}

const char *mr_coco_id_text(const mr_coco_ids *ids, mr_coco_id id, char room[MR_COCO_ID_TEXT]) {
    if (id & is_text) return ids->texts + (id & ~is_text);
    snprintf(room, MR_COCO_ID_TEXT, "%" PRId64, (int64_t)id - (int64_t)zero);
    return room;
}

int mr_coco_id_compare(const mr_coco_ids *ids, mr_coco_id a, mr_coco_id b) {
    if (a & b & is_text)
        return a == b ? 0 : strcmp(ids->texts + (a & ~is_text), ids->texts + (b & ~is_text));
    return (a > b) - (a < b);
}

static int compare_keys(const void *a, const void *b) {
    const mr_coco_key *x = a, *y = b;
    int order = mr_coco_id_compare(x->ids, x->id, y->id);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

void mr_coco_keys_sort(mr_coco_key *keys, size_t count) {
    if (count) qsort(keys, count, sizeof *keys, compare_keys);
}

const mr_coco_key *mr_coco_keys_find(const mr_coco_key *keys, size_t count, const mr_coco_ids *ids,
                                     mr_coco_id id) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mr_coco_id_compare(ids, keys[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && mr_coco_id_compare(ids, keys[low].id, id) == 0 ? &keys[low] : NULL;
}

void mr_coco_ids_free(mr_coco_ids *ids) {
    free(ids->texts);
    *ids = (mr_coco_ids){0};
}
