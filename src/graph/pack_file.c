/* pack_file.c - see pack_file.h. The file: a header; an entry a pack; their data, each at a multiple of 64. Numbers are
 * the machine's own. */
#include "graph/pack_file.h"

#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mapping.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char magic[16] = "mrcnn packs 1\n";

enum { MOST_PACKS = 1 << 16, DETAIL = 1536, ALIGNMENT = 64 };

typedef struct header {
    char magic[16];
    uint64_t bytes; /* of the file */
    uint64_t count;
    uint64_t checksum; /* of the entries */
    char identity[MR_PACK_IDENTITY];
} header;

typedef struct entry {
    char key[MR_PACK_KEY];
    uint64_t offset, bytes;
    uint64_t checksum; /* of the data */
    uint64_t detail_bytes;
    unsigned char detail[DETAIL];
} entry;

struct mr_pack_file {
    mr_mapping mapping;
    const entry *entries;
    size_t count;
};

/* ------------------------------------------------------------------------------------- reading */

static int is_sound(const mr_mapping *m, const entry *e) {
    return memchr(e->key, 0, sizeof e->key) && e->detail_bytes <= DETAIL &&
           e->offset % ALIGNMENT == 0 && e->offset <= m->length &&
           e->bytes <= m->length - e->offset;
}

/* The entries, or NULL when this is no pack file of that identity. */
static const entry *find_entries(const mr_mapping *m, const char *identity, size_t *count) {
    const header *h = m->bytes;
    if (m->length < sizeof *h || memcmp(h->magic, magic, sizeof magic) != 0 ||
        h->bytes != m->length || h->count > MOST_PACKS ||
        h->count * sizeof(entry) > m->length - sizeof *h ||
        strncmp(h->identity, identity, sizeof h->identity) != 0)
        return NULL;
    const entry *entries = (const entry *)(h + 1);
    *count = (size_t)h->count;
    if (mr_crc32c(entries, *count * sizeof *entries) != h->checksum) return NULL;
    for (size_t i = 0; i < *count; i++)
        if (!is_sound(m, &entries[i])) return NULL;
    return entries;
}

mr_pack_file *mr_pack_file_open(const char *path, const char *identity) {
    mr_pack_file *file = mr_calloc(1, sizeof *file);
    if (file && mr_map_file(&file->mapping, path))
        file->entries = find_entries(&file->mapping, identity, &file->count);
    if (file && !file->entries) mr_pack_file_close(&file);
    return file;
}

void mr_pack_file_close(mr_pack_file **file) {
    if (!*file) return;
    mr_unmap_file(&(*file)->mapping);
    free(*file);
    *file = NULL;
}

size_t mr_pack_file_count(const mr_pack_file *file) {
    return file->count;
}

const char *mr_pack_file_key(const mr_pack_file *file, size_t index) {
    return file->entries[index].key;
}

static const entry *find(const mr_pack_file *file, const char *key) {
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->entries[i].key, key) == 0) return &file->entries[i];
    return NULL;
}

int mr_pack_file_find(const mr_pack_file *file, const char *key, const mr_detail_type *details,
                      mr_pack *pack) {
    const entry *e = find(file, key);
    if (!e || (e->detail_bytes && !details)) return 0;
    char *data = (char *)file->mapping.bytes + e->offset;
    if (mr_crc32c(data, (size_t)e->bytes) != e->checksum) return 0;
    void *detail = NULL;
    if (e->detail_bytes && !(detail = details->thaw(e->detail, (size_t)e->detail_bytes))) return 0;
    pack->data = data;
    pack->bytes = (size_t)e->bytes;
    pack->detail = detail;
    pack->details = details;
    pack->file = file;
    return 1;
}

/* ------------------------------------------------------------------------------------- writing */

/* 0: it can't be frozen. */
static int describe(entry *e, const mr_pack *pack) {
    if (strlen(pack->key) >= sizeof e->key) return 0;
    if (pack->detail) e->detail_bytes = pack->details->freeze(pack->detail, e->detail, DETAIL);
    if (pack->detail && !e->detail_bytes) return 0;
    strcpy(e->key, pack->key);
    e->bytes = pack->bytes;
    e->checksum = mr_crc32c(pack->data, pack->bytes);
    return 1;
}

/* What is written, in order. */
typedef struct plan {
    header header;
    entry *entries;
    const void **data; /* of each entry */
} plan;

static uint64_t aligned(uint64_t offset) {
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void lay_out(plan *p) {
    uint64_t end = sizeof p->header + p->header.count * sizeof(entry);
    for (size_t i = 0; i < p->header.count; i++) {
        p->entries[i].offset = aligned(end);
        end = p->entries[i].offset + p->entries[i].bytes;
    }
    p->header.bytes = end;
    p->header.checksum = mr_crc32c(p->entries, (size_t)p->header.count * sizeof(entry));
}

static int put(const plan *p, FILE *out) {
    static const char zeros[ALIGNMENT];
    size_t count = (size_t)p->header.count;
    uint64_t end = sizeof p->header + count * sizeof(entry);
    int done = fwrite(&p->header, sizeof p->header, 1, out) == 1 &&
               fwrite(p->entries, sizeof(entry), count, out) == count;
    for (size_t i = 0; done && i < count; i++) {
        size_t gap = (size_t)(p->entries[i].offset - end), bytes = (size_t)p->entries[i].bytes;
        done = fwrite(zeros, 1, gap, out) == gap && fwrite(p->data[i], 1, bytes, out) == bytes;
        end = p->entries[i].offset + bytes;
    }
    return done;
}

/* Not forced onto the disk: a file that is cut off by a crash isn't believed. */
static mrcnn_status write_plan(const plan *p, const char *path, mrcnn_error *err) {
    char *part = mr_file_part_name(path);
    FILE *out = part ? fopen(part, "wb") : NULL;
    if (!out) {
        free(part);
        return mr_fail(err, MRCNN_E_IO, "%s: can't make it: %s", path, strerror(errno));
    }
    int done = put(p, out);
    done &= fclose(out) == 0;
    if (done) done = rename(part, path) == 0;
    mrcnn_status status =
        done ? MRCNN_OK : mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(errno));
    if (!done) unlink(part);
    free(part);
    return status;
}

mrcnn_status mr_pack_file_write(const char *path, const char *identity, const mr_pack *const *packs,
                                size_t count, mrcnn_error *err) {
    plan p = {.entries = mr_calloc(count, sizeof(entry)),
              .data = mr_calloc(count, sizeof(const void *))};
    mrcnn_status status = MRCNN_OK;
    if (!p.entries || !p.data || strlen(identity) >= sizeof p.header.identity) {
        status = mr_fail_memory(err, count * sizeof(entry), path);
    } else {
        memcpy(p.header.magic, magic, sizeof magic);
        strcpy(p.header.identity, identity);
        for (size_t i = 0; i < count; i++)
            if (describe(&p.entries[p.header.count], packs[i]))
                p.data[p.header.count++] = packs[i]->data;
        lay_out(&p);
        status = write_plan(&p, path, err);
    }
    free(p.entries);
    free(p.data);
    return status;
}
