/* loader.h - threads that make items ahead of the one who uses them, in a fixed order: item 0, 1, 2,
 * ... whoever made it. What comes out doesn't depend on the number of threads, as long as making an
 * item depends on nothing but its number. Knows nothing of pictures. */
#ifndef MR_DATA_LOADER_H
#define MR_DATA_LOADER_H

#include <mrcnn/mrcnn.h>

/* Makes item `number`. Called from several threads at a time, with rising numbers in each; `worker`,
 * 0 .. threads - 1, is the thread's own number, for buffers that it needn't share. *item may stay
 * NULL: the number is skipped. *bytes is what the item takes. `err` is never NULL. */
typedef mrcnn_status (*mr_loader_make)(void *user, int worker, uint64_t number, void **item,
                                       size_t *bytes, mrcnn_error *err);

typedef struct mr_loader_options {
    mr_loader_make make;
    void (*release)(void *user, void *item); /* for items that nobody took */
    void *user;
    int threads;    /* at least 1 */
    size_t bytes;   /* no item is begun while so many wait, unless it is the next one to go out */
    uint64_t start; /* the first number */
} mr_loader_options;

typedef struct mr_loader_stats {
    double seconds_waited; /* by the consumer, in mr_loader_next */
    uint64_t items;        /* handed out, skipped numbers left out */
    uint64_t skipped;
    size_t bytes, most_bytes; /* that wait now, and that waited at most */
    size_t depth;             /* numbers that are done and wait */
} mr_loader_stats;

typedef struct mr_loader mr_loader;

/* Starts the threads. They take no signals. */
mrcnn_status mr_loader_create(mr_loader **loader, const mr_loader_options *options,
                              mrcnn_error *err);

/* The next number's item, which the caller owns; waits for it. *item is NULL for a skipped number.
 * An error of `make` comes out at its number's turn, and the call after it gives the number that
 * follows. MRCNN_E_CANCELLED after mr_loader_stop. *number is set in any case. To be called by one
 * thread at a time. */
mrcnn_status mr_loader_next(mr_loader *loader, uint64_t *number, void **item, mrcnn_error *err);

/* No more items are begun, and whoever waits in mr_loader_next returns. From any thread. */
void mr_loader_stop(mr_loader *loader);

/* Waits until no item is being made, and lets none begin: for forking, after which a lock that a
 * thread holds would never be released in the child. By the consumer, which takes no item before
 * mr_loader_resume. */
void mr_loader_pause(mr_loader *loader);
void mr_loader_resume(mr_loader *loader);

mr_loader_stats mr_loader_get_stats(mr_loader *loader);

/* Stops, waits for items under way, and releases those that nobody took. */
void mr_loader_free(mr_loader **loader);

#endif
