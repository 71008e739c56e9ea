/* coco_cache.c - keeps the index of a COCO file in a file of its own, so that the next opening need not
 * read the whole of it. What is kept counts only for the very same file; nothing in it is trusted: a
 * cache file that is cut short, changed or made by somebody else is as good as none. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "data/coco.h"

#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/place.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { VERSION = 1, BYTE_ORDER_MARK = 0x01020304 };
static const char magic[8] = "mrcoco\n";

/* Arrays of the file, one behind the other. */
enum { IMAGES, CATEGORIES, SHAPES, MARKS, NOTES, TEXTS, PATH, ARRAYS };

typedef struct kept_note {
    uint64_t picture, text; /* in the texts */
    int64_t object;
    int64_t is_error;
} kept_note;

static const size_t sizes[ARRAYS] = {sizeof(mr_coco_image),
                                     sizeof(mr_coco_category),
                                     sizeof(mr_coco_shape),
                                     sizeof(mr_coco_mark),
                                     sizeof(kept_note),
                                     1,
                                     1};

typedef struct header {
    char magic[8];
    uint32_t version, byte_order;
    uint64_t element_sizes[ARRAYS];
    int64_t size, seconds, nanoseconds; /* of the annotation file */
    uint64_t counts[ARRAYS];
    uint64_t pictures_left_out, objects_left_out;
    uint64_t kind_count, kinds[MR_PROBLEM_KINDS]; /* how many problems of each kind there were */
    uint32_t sums[ARRAYS];                        /* CRC-32C of each array */
    uint32_t sum;                                 /* of all above */
} header;

typedef struct cache {
    header head;
    void *arrays[ARRAYS];
} cache;

/* What the cache of a file is called, and the file's full path; both malloc'ed. */
static mrcnn_status name_cache(char **name, char **full, const char *folder, const char *path,
                               mrcnn_error *err) {
    *name = NULL;
    *full = realpath(path, NULL);
    if (!*full) return mr_fail(err, MRCNN_E_IO, "%s: %s", path, strerror(errno));
    char *stem = mr_stem(path);
    if (stem) *name = mr_format("%s/%s-%08x.index", folder, stem, mr_crc32c(*full, strlen(*full)));
    free(stem);
    return *name ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
}

static header start_header(const mr_coco_file *file) {
    header h;
    memset(&h, 0, sizeof h); /* padding goes to the file, too */
    memcpy(h.magic, magic, sizeof magic);
    h.version = VERSION;
    h.byte_order = BYTE_ORDER_MARK;
    for (int i = 0; i < ARRAYS; i++) h.element_sizes[i] = sizes[i];
    h.size = file->size;
    h.seconds = file->seconds;
    h.nanoseconds = file->nanoseconds;
    return h;
}

static uint32_t sum_of_header(const header *h) {
    return mr_crc32c(h, offsetof(header, sum));
}

/* -------------------------------------------------------------------------------------- reading */

/* Whether the file is of this version, of this annotation file, and as long as it says. */
static int is_usable(const header *h, const mr_coco_file *file, uint64_t length) {
    header wanted = start_header(file);
    uint64_t rest = length - sizeof *h;
    if (memcmp(h, &wanted, offsetof(header, counts)) != 0 || h->sum != sum_of_header(h)) return 0;
    for (int i = 0; i < ARRAYS; i++) {
        if (h->counts[i] > rest / sizes[i]) return 0;
        rest -= h->counts[i] * sizes[i];
    }
    return rest == 0 && h->counts[SHAPES] == h->counts[MARKS] && h->counts[IMAGES] < UINT32_MAX &&
           h->counts[CATEGORIES] < UINT16_MAX && h->kind_count <= MR_PROBLEM_KINDS;
}

static int read_arrays(cache *c, FILE *file) {
    for (int i = 0; i < ARRAYS; i++) {
        size_t count = (size_t)c->head.counts[i];
        c->arrays[i] = mr_calloc(count, sizes[i]);
        if (!c->arrays[i] || fread(c->arrays[i], sizes[i], count, file) != count ||
            mr_crc32c(c->arrays[i], count * sizes[i]) != c->head.sums[i])
            return 0;
    }
    return 1;
}

static int is_box(const float box[4]) {
    int numbers = 0, usable = 1;
    for (int i = 0; i < 4; i++) {
        numbers += !isnan(box[i]);
        usable &= isnan(box[i]) || fabsf(box[i]) < 2e9F;
    }
    return usable && (numbers == 0 || numbers == 4);
}

/* Whether all places in lists are places in lists. */
static int is_sound(const cache *c) {
    const uint64_t *counts = c->head.counts;
    const mr_coco_image *images = c->arrays[IMAGES];
    const mr_coco_category *categories = c->arrays[CATEGORIES];
    const mr_coco_shape *shapes = c->arrays[SHAPES];
    const mr_coco_mark *marks = c->arrays[MARKS];
    const kept_note *notes = c->arrays[NOTES];
    const char *texts = c->arrays[TEXTS];
    uint64_t size = (uint64_t)c->head.size, end = counts[TEXTS];
    int sound = end == 0 || texts[end - 1] == 0;
    for (size_t i = 0; i < counts[IMAGES]; i++)
        sound &= images[i].name < end && images[i].height >= 0 && images[i].width >= 0;
    for (size_t i = 0; i < counts[CATEGORIES]; i++)
        sound &= categories[i].id < end && categories[i].name < end && texts[categories[i].name];
    for (size_t i = 0; i < counts[SHAPES]; i++)
        sound &= marks[i].image < counts[IMAGES] && marks[i].category < counts[CATEGORIES] &&
                 marks[i].is_crowd <= 1 && shapes[i].begin <= size &&
                 shapes[i].length <= size - shapes[i].begin && shapes[i].length > 0 &&
                 shapes[i].length <= INT32_MAX && is_box(shapes[i].box);
    for (size_t i = 0; i < counts[NOTES]; i++)
        sound &= notes[i].picture < end && notes[i].text < end;
    return sound;
}

/* Opens and reads; 0: there is nothing that can be used. */
static int read_cache(cache *c, const char *name, const char *full, const mr_coco_file *file) {
    FILE *in = mr_is_file(name) ? fopen(name, "rb") : NULL;
    int usable = 0;
    if (!in) return 0;
    if (fseeko(in, 0, SEEK_END) == 0) {
        off_t length = ftello(in);
        rewind(in);
        usable = length >= (off_t)sizeof c->head && fread(&c->head, sizeof c->head, 1, in) == 1 &&
                 is_usable(&c->head, file, (uint64_t)length) && read_arrays(c, in);
    }
    fclose(in);
    return usable && c->head.counts[PATH] == strlen(full) &&
           memcmp(c->arrays[PATH], full, strlen(full)) == 0 && is_sound(c);
}

/* Notes that were made when the annotation file was read. */
static mrcnn_status repeat_notes(mr_dataset *set, const cache *c, mrcnn_error *err) {
    const kept_note *notes = c->arrays[NOTES];
    const char *texts = c->arrays[TEXTS];
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < c->head.counts[NOTES] && status == MRCNN_OK; i++)
        status = mr_dataset_note(set, notes[i].is_error != 0, texts + notes[i].picture,
                                 notes[i].object, texts + notes[i].text, err);
    for (size_t i = 0; i < c->head.kind_count && i < set->kind_count; i++)
        if (c->head.kinds[i] > set->kinds[i].count) set->kinds[i].count = (size_t)c->head.kinds[i];
    set->pictures_left_out += (size_t)c->head.pictures_left_out;
    set->objects_left_out += (size_t)c->head.objects_left_out;
    return status;
}

static void hand_over(mr_coco_index *index, cache *c) {
    const uint64_t *counts = c->head.counts;
    *index = (mr_coco_index){.images = c->arrays[IMAGES],
                             .image_count = (size_t)counts[IMAGES],
                             .categories = c->arrays[CATEGORIES],
                             .category_count = (size_t)counts[CATEGORIES],
                             .shapes = c->arrays[SHAPES],
                             .marks = c->arrays[MARKS],
                             .object_count = (size_t)counts[SHAPES],
                             .texts = c->arrays[TEXTS],
                             .text_bytes = (size_t)counts[TEXTS]};
    c->arrays[IMAGES] = c->arrays[CATEGORIES] = c->arrays[SHAPES] = c->arrays[MARKS] =
        c->arrays[TEXTS] = NULL;
}

/* -------------------------------------------------------------------------------------- writing */

/* The notes of the set, with their texts behind the index's. */
static mrcnn_status keep_notes(cache *c, mr_coco_index *index, const mr_dataset *set,
                               mrcnn_error *err) {
    kept_note *notes = c->arrays[NOTES] = mr_calloc(set->problem_count, sizeof *notes);
    if (!notes) return mr_fail_memory(err, set->problem_count * sizeof *notes, "problems");
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < set->problem_count && status == MRCNN_OK; i++) {
        const mr_problem *p = &set->problems[i];
        notes[i].object = p->object;
        notes[i].is_error = p->is_error;
        status = mr_coco_add_text(index, p->picture, &notes[i].picture, err);
        if (status == MRCNN_OK) status = mr_coco_add_text(index, p->text, &notes[i].text, err);
    }
    for (size_t i = 0; i < set->kind_count; i++) c->head.kinds[i] = set->kinds[i].count;
    c->head.kind_count = set->kind_count;
    c->head.pictures_left_out = set->pictures_left_out;
    c->head.objects_left_out = set->objects_left_out;
    return status;
}

static void fill_header(header *h, const mr_coco_index *index, size_t notes, const char *full,
                        const void *const arrays[ARRAYS]) {
    const size_t counts[ARRAYS] = {
        index->image_count, index->category_count, index->object_count, index->object_count, notes,
        index->text_bytes,  strlen(full)};
    for (int i = 0; i < ARRAYS; i++) {
        h->counts[i] = counts[i];
        h->sums[i] = mr_crc32c(arrays[i], counts[i] * sizes[i]);
    }
    h->sum = sum_of_header(h);
}

static mrcnn_status write_arrays(const char *part, const header *h,
                                 const void *const arrays[ARRAYS], mrcnn_error *err) {
    FILE *out = fopen(part, "wb");
    if (!out) return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", part, strerror(errno));
    int written = fwrite(h, sizeof *h, 1, out) == 1;
    for (int i = 0; i < ARRAYS && written; i++)
        written = h->counts[i] == 0 ||
                  fwrite(arrays[i], sizes[i], (size_t)h->counts[i], out) == h->counts[i];
    if (fclose(out) == 0 && written) return MRCNN_OK;
    mrcnn_status status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", part, strerror(errno));
    unlink(part);
    return status;
}

static mrcnn_status write_cache(const char *folder, const char *name, const char *full,
                                mr_coco_index *index, const mr_dataset *set,
                                const mr_coco_file *file, mrcnn_error *err) {
    cache c = {.head = start_header(file)};
    char *part = mr_file_part_name(name);
    mrcnn_status status =
        part ? mr_make_directories(folder, err) : mr_fail_memory(err, strlen(name), "a path");
    if (status == MRCNN_OK) status = keep_notes(&c, index, set, err);
    const void *const arrays[ARRAYS] = {index->images, index->categories, index->shapes,
                                        index->marks,  c.arrays[NOTES],   index->texts,
                                        full};
    if (status == MRCNN_OK) {
        fill_header(&c.head, index, set->problem_count, full, arrays);
        status = write_arrays(part, &c.head, arrays, err);
    }
    if (status == MRCNN_OK) status = mr_file_commit(part, name, err);
    free(c.arrays[NOTES]);
    free(part);
    return status;
}

/* A file that may be changed again before its time of change moves on could look the same then. */
static int is_just_written(const mr_coco_file *file) {
    return file->seconds + 2 > (int64_t)time(NULL);
}

/* ---------------------------------------------------------------------------------------- both */

static mrcnn_status read_and_keep(mr_coco_index *index, mr_dataset *set, const mr_coco_file *file,
                                  const char *folder, const char *name, const char *full,
                                  mrcnn_error *err) {
    mrcnn_error why = MRCNN_ERROR_INIT;
    mrcnn_status status = mr_coco_read_index(index, set, file, err);
    if (status != MRCNN_OK || is_just_written(file)) return status;
    if (write_cache(folder, name, full, index, set, file, &why) == MRCNN_OK) return MRCNN_OK;
    return mr_dataset_note(set, 0, "", -1, why.message, err);
}

mrcnn_status mr_coco_get_index(mr_coco_index *index, mr_dataset *set, const mr_coco_file *file,
                               const char *folder, mrcnn_error *err) {
    char *name, *full;
    cache c = {.arrays = {NULL}};
    if (!folder) return mr_coco_read_index(index, set, file, err);
    mrcnn_status status = name_cache(&name, &full, folder, file->path, err);
    if (status == MRCNN_OK && read_cache(&c, name, full, file)) {
        status = repeat_notes(set, &c, err);
        if (status == MRCNN_OK) hand_over(index, &c);
    } else if (status == MRCNN_OK) {
        status = read_and_keep(index, set, file, folder, name, full, err);
    }
    for (int i = 0; i < ARRAYS; i++) free(c.arrays[i]);
    free(name);
    free(full);
    return status;
}
