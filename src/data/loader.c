/* loader.c - see loader.h. Numbers are claimed in order and finish in any; a ring of slots, one a
 * number, brings them back into order. All that is shared is guarded by one mutex.
 *
 * It can't deadlock: the next number to go out is either claimed, and then its worker finishes it
 * without waiting for anybody, or it is the next to be claimed, and then no limit holds it up. */
#include "data/loader.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Numbers between the oldest that wasn't taken and the newest that was claimed. Bytes are the limit
 * that counts; this one is for items without any, such as skipped numbers. */
enum { SLOTS = 1024 };

typedef struct slot {
    int done;
    mrcnn_status status;
    mrcnn_error *error; /* NULL unless status is an error; also when memory was short */
    void *item;
    size_t bytes;
} slot;

typedef struct worker {
    mr_loader *loader;
    int index;
    pthread_t thread;
} worker;

struct mr_loader {
    mr_loader_options options; /* never changes */
    worker *workers;           /* only create and free look at it */
    int started;

    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t room;   /* workers: a number may have become claimable */
    pthread_cond_t ready;  /* the consumer: a number is done */
    pthread_cond_t idle;   /* whoever pauses: no item is being made */
    int stopped, paused, working;
    uint64_t next_claimed, next_out;
    slot slots[SLOTS]; /* of number n: n % SLOTS */
    mr_loader_stats stats;
};

static slot *slot_of(mr_loader *l, uint64_t number) {
    return &l->slots[number % SLOTS];
}

/* ------------------------------------------------------------------------------------ workers */

static int may_claim(const mr_loader *l) {
    if (l->next_claimed == l->next_out) return 1;
    return l->next_claimed - l->next_out < SLOTS && l->stats.bytes < l->options.bytes;
}

static int claim(mr_loader *l, uint64_t *number) {
    pthread_mutex_lock(&l->mutex);
    while (!l->stopped && (l->paused || !may_claim(l))) pthread_cond_wait(&l->room, &l->mutex);
    int claimed = !l->stopped;
    if (claimed) *number = l->next_claimed++;
    l->working += claimed;
    pthread_mutex_unlock(&l->mutex);
    return claimed;
}

static mrcnn_error *copy_error(const mrcnn_error *error) {
    mrcnn_error *copy = malloc(sizeof *copy);
    if (copy) *copy = *error;
    return copy;
}

static void deliver(mr_loader *l, uint64_t number, slot made) {
    pthread_mutex_lock(&l->mutex);
    made.done = 1;
    *slot_of(l, number) = made;
    l->stats.bytes += made.bytes;
    l->stats.depth++;
    if (l->stats.bytes > l->stats.most_bytes) l->stats.most_bytes = l->stats.bytes;
    if (number == l->next_out) pthread_cond_signal(&l->ready);
    if (--l->working == 0) pthread_cond_broadcast(&l->idle);
    pthread_mutex_unlock(&l->mutex);
}

static void *work(void *argument) {
    const worker *self = argument;
    mr_loader *l = self->loader;
    uint64_t number;
    while (claim(l, &number)) {
        slot made = {0};
        mrcnn_error err = MRCNN_ERROR_INIT;
        made.status =
            l->options.make(l->options.user, self->index, number, &made.item, &made.bytes, &err);
        if (made.status != MRCNN_OK)
            made = (slot){.status = made.status, .error = copy_error(&err)};
        else if (!made.item)
            made.bytes = 0;
        deliver(l, number, made);
    }
    return NULL;
}

/* A signal is for the thread that waits for it, which is the program's. */
static mrcnn_status start_workers(mr_loader *l, mrcnn_error *err) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int problem = 0;
    for (int i = 0; i < l->options.threads && !problem; i++) {
        l->workers[i].loader = l;
        l->workers[i].index = i;
        problem = pthread_create(&l->workers[i].thread, NULL, work, &l->workers[i]);
        l->started += !problem;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!problem) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_MEMORY, "thread %d of %d can't be started: lower LOADER_THREADS",
                   l->started + 1, l->options.threads);
}

/* ----------------------------------------------------------------------------------- consumer */

mrcnn_status mr_loader_create(mr_loader **loader, const mr_loader_options *options,
                              mrcnn_error *err) {
    if (options->threads < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a loader needs at least one thread, not %d",
                       options->threads);
    mr_loader *l = mr_calloc(1, sizeof *l);
    worker *workers = mr_calloc((size_t)options->threads, sizeof *workers);
    if (!l || !workers) {
        free(l);
        free(workers);
        return mr_fail_memory(err, sizeof *l, "a loader");
    }
    l->options = *options;
    l->workers = workers;
    l->next_claimed = l->next_out = options->start;
    /* With default attributes none of the three can fail on Linux, macOS and the BSDs but for
     * memory, which the first thread needs too. */
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->room, NULL);
    pthread_cond_init(&l->ready, NULL);
    pthread_cond_init(&l->idle, NULL);
    mrcnn_status status = start_workers(l, err);
    if (status != MRCNN_OK)
        mr_loader_free(&l);
    else
        *loader = l;
    return status;
}

/* Takes the oldest number's slot out of the ring; 0 when the loader was stopped. */
static int take(mr_loader *l, uint64_t *number, slot *taken) {
    pthread_mutex_lock(&l->mutex);
    *number = l->next_out;
    slot *oldest = slot_of(l, l->next_out);
    if (!l->stopped && !oldest->done) {
        double begin = mr_milliseconds();
        while (!l->stopped && !oldest->done) pthread_cond_wait(&l->ready, &l->mutex);
        l->stats.seconds_waited += (mr_milliseconds() - begin) / 1000;
    }
    int stopped = l->stopped;
    if (!stopped) {
        *taken = *oldest;
        *oldest = (slot){0};
        l->next_out++;
        l->stats.bytes -= taken->bytes;
        l->stats.depth--;
        l->stats.items += taken->item != NULL;
        l->stats.skipped += taken->status == MRCNN_OK && !taken->item;
        pthread_cond_broadcast(&l->room);
    }
    pthread_mutex_unlock(&l->mutex);
    return !stopped;
}

mrcnn_status mr_loader_next(mr_loader *loader, uint64_t *number, void **item, mrcnn_error *err) {
    slot taken;
    if (!take(loader, number, &taken))
        return mr_fail(err, MRCNN_E_CANCELLED, "loading was stopped");
    if (taken.status == MRCNN_OK) {
        *item = taken.item;
        return MRCNN_OK;
    }
    mrcnn_status status = taken.status;
    if (taken.error)
        mr_fail(err, status, "%s", taken.error->message);
    else
        mr_fail(err, status, "%s, and no memory for the message", mrcnn_status_name(status));
    free(taken.error);
    return status;
}

void mr_loader_pause(mr_loader *l) {
    pthread_mutex_lock(&l->mutex);
    l->paused = 1;
    while (l->working > 0) pthread_cond_wait(&l->idle, &l->mutex);
    pthread_mutex_unlock(&l->mutex);
}

void mr_loader_resume(mr_loader *l) {
    pthread_mutex_lock(&l->mutex);
    l->paused = 0;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->mutex);
}

void mr_loader_stop(mr_loader *loader) {
    pthread_mutex_lock(&loader->mutex);
    loader->stopped = 1;
    pthread_cond_broadcast(&loader->room);
    pthread_cond_broadcast(&loader->ready);
    pthread_mutex_unlock(&loader->mutex);
}

mr_loader_stats mr_loader_get_stats(mr_loader *loader) {
    pthread_mutex_lock(&loader->mutex);
    mr_loader_stats stats = loader->stats;
    pthread_mutex_unlock(&loader->mutex);
    return stats;
}

void mr_loader_free(mr_loader **loader) {
    if (!loader || !*loader) return;
    mr_loader *l = *loader;
    mr_loader_stop(l);
    for (int i = 0; i < l->started; i++) pthread_join(l->workers[i].thread, NULL);
    for (size_t i = 0; i < SLOTS; i++) {
        if (l->slots[i].item) l->options.release(l->options.user, l->slots[i].item);
        free(l->slots[i].error);
    }
    pthread_cond_destroy(&l->idle);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->room);
    pthread_mutex_destroy(&l->mutex);
    free(l->workers);
    free(l);
    *loader = NULL;
}
