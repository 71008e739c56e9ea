/* packs.c - the store of packed weights. */
#include "base/error.h"
#include "base/memory.h"
#include "graph/executor.h"
#include "graph/pack_file.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct mr_packs {
    pthread_mutex_t lock;
    mr_pack **entries; /* pointers, so that entries stay where they are when the list grows */
    size_t count, capacity, bytes;
    size_t made;                        /* of them, not from the file */
    mr_pack_file *files[MR_PACK_SLOTS]; /* NULL: there is none */
    const mr_detail_type *details;      /* of the packs in them */
    mr_weights_reader read;
    void *read_user;
};

mr_packs *mr_packs_create(void) {
    mr_packs *packs = mr_calloc(1, sizeof *packs);
    if (packs && pthread_mutex_init(&packs->lock, NULL) != 0) {
        free(packs);
        packs = NULL;
    }
    return packs;
}

static void free_pack(mr_pack *pack) {
    if (!pack) return;
    free(pack->key);
    if (!pack->file) free(pack->data);
    if (pack->detail) pack->details->release(pack->detail);
    free(pack);
}

void mr_packs_free(mr_packs **packs) {
    if (!*packs) return;
    for (size_t i = 0; i < (*packs)->count; i++) free_pack((*packs)->entries[i]);
    free((*packs)->entries);
    for (int i = 0; i < MR_PACK_SLOTS; i++) mr_pack_file_close(&(*packs)->files[i]);
    pthread_mutex_destroy(&(*packs)->lock);
    free(*packs);
    *packs = NULL;
}

size_t mr_weight_bytes(mr_packs *packs, const mr_tensors *raw) {
    pthread_mutex_lock(&packs->lock);
    size_t bytes = packs->bytes;
    for (size_t i = 0; i < mr_tensors_count(raw); i++) {
        const mr_tensor *tensor = mr_tensors_at(raw, i);
        if (tensor->values) bytes += tensor->count * sizeof(float);
    }
    pthread_mutex_unlock(&packs->lock);
    return bytes;
}

void mr_packs_lock(mr_packs *packs) {
    pthread_mutex_lock(&packs->lock);
}

void mr_packs_unlock(mr_packs *packs) {
    pthread_mutex_unlock(&packs->lock);
}

static int find_in_files(const mr_packs *packs, const char *key, mr_pack *pack) {
    int found = 0;
    for (int i = 0; !found && i < MR_PACK_SLOTS; i++)
        found = packs->files[i] && mr_pack_file_find(packs->files[i], key, packs->details, pack);
    return found;
}

static mrcnn_status add_pack(mr_packs *packs, const char *key, mr_pack_maker make, void *user,
                             const mr_pack **out, mrcnn_error *err) {
    if (packs->count == packs->capacity) {
        size_t capacity = packs->capacity ? packs->capacity * 2 : 128;
        mr_pack **entries = mr_realloc(packs->entries, capacity, sizeof *entries);
        if (!entries) return mr_fail_memory(err, capacity * sizeof *entries, "packed weights");
        packs->entries = entries;
        packs->capacity = capacity;
    }
    mr_pack *pack = mr_calloc(1, sizeof *pack);
    if (!pack || !(pack->key = mr_strdup(key))) {
        free_pack(pack);
        return mr_fail_memory(err, sizeof *pack, "packed weights");
    }
    mrcnn_status status = MRCNN_OK;
    if (!find_in_files(packs, key, pack)) {
        status = make(pack, user, err);
        packs->made += status == MRCNN_OK;
    }
    if (status != MRCNN_OK) {
        free_pack(pack);
        return status;
    }
    packs->entries[packs->count++] = pack;
    packs->bytes += pack->bytes;
    *out = pack;
    return MRCNN_OK;
}

/* NULL: there is none. The lock must be held. */
static const mr_pack *find_pack(const mr_packs *packs, const char *key) {
    for (size_t i = 0; i < packs->count; i++)
        if (strcmp(packs->entries[i]->key, key) == 0) return packs->entries[i];
    return NULL;
}

int mr_packs_have(mr_packs *packs, const char *key) {
    pthread_mutex_lock(&packs->lock);
    int have = find_pack(packs, key) != NULL;
    pthread_mutex_unlock(&packs->lock);
    return have;
}

mrcnn_status mr_packs_get(mr_packs *packs, const char *key, mr_pack_maker make, void *user,
                          const mr_pack **pack, mrcnn_error *err) {
    pthread_mutex_lock(&packs->lock);
    mrcnn_status status = MRCNN_OK;
    *pack = find_pack(packs, key);
    if (!*pack) status = add_pack(packs, key, make, user, pack, err);
    pthread_mutex_unlock(&packs->lock);
    return status;
}

/* ------------------------------------------------------------------------------------- on disk */

void mr_packs_attach(mr_packs *packs, int slot, mr_pack_file *file, const mr_detail_type *details) {
    mr_packs_lock(packs);
    if (packs->files[slot]) {
        mr_pack_file_close(&file); /* another thread was first */
    } else {
        packs->files[slot] = file;
        packs->details = details;
    }
    mr_packs_unlock(packs);
}

int mr_packs_has_file(mr_packs *packs, int slot) {
    mr_packs_lock(packs);
    int has = packs->files[slot] != NULL;
    mr_packs_unlock(packs);
    return has;
}

int mr_packs_are_there(mr_packs *packs) {
    mr_packs_lock(packs);
    int there = packs->count > 0;
    for (int i = 0; i < MR_PACK_SLOTS; i++) there |= packs->files[i] != NULL;
    mr_packs_unlock(packs);
    return there;
}

static mrcnn_status cannot_make(mr_pack *pack, void *user, mrcnn_error *err) {
    (void)pack, (void)user;
    return mr_fail(err, MRCNN_E_FORMAT, "a pack is damaged");
}

/* Those of the file that nobody asked for yet. Damaged ones stay out. The lock must be held. */
static void take_all(mr_packs *packs, const mr_pack_file *file) {
    for (size_t i = 0; file && i < mr_pack_file_count(file); i++) {
        const char *key = mr_pack_file_key(file, i);
        const mr_pack *pack = NULL;
        if (!find_pack(packs, key)) add_pack(packs, key, cannot_make, NULL, &pack, NULL);
    }
}

/* The lock must be held. */
static mrcnn_status save(mr_packs *packs, const mr_pack_file *file, const char *path,
                         const char *identity, mrcnn_error *err) {
    take_all(packs, file);
    const mr_pack **chosen = mr_calloc(packs->count, sizeof *chosen);
    if (!chosen) return mr_fail_memory(err, packs->count * sizeof *chosen, path);
    size_t count = 0;
    for (size_t i = 0; i < packs->count; i++)
        if (!packs->entries[i]->file || packs->entries[i]->file == file)
            chosen[count++] = packs->entries[i];
    mrcnn_status status = mr_pack_file_write(path, identity, chosen, count, err);
    free(chosen);
    return status;
}

mrcnn_status mr_packs_save(mr_packs *packs, int slot, const char *path, const char *identity,
                           mrcnn_error *err) {
    mr_packs_lock(packs);
    mrcnn_status status = MRCNN_OK;
    if (packs->made) status = save(packs, packs->files[slot], path, identity, err);
    packs->made = 0;
    mr_packs_unlock(packs);
    return status;
}

/* ----------------------------------------------------------------------------------- raw weights */

void mr_packs_set_reader(mr_packs *packs, mr_weights_reader read, void *user) {
    packs->read = read;
    packs->read_user = user;
}

mrcnn_status mr_packs_read_weights(mr_packs *packs, mrcnn_error *err) {
    return packs->read ? packs->read(packs->read_user, err) : MRCNN_E_UNSUPPORTED;
}
