/* room.c - see room.h. */
#include "room.h"

#include <string.h>

void room_init(room *r, int least, int most, int64_t most_bytes) {
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->changed, NULL);
    r->least = least;
    r->most = most;
    r->most_bytes = most_bytes;
}

void room_destroy(room *r) {
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->mutex);
}

static int is_full(const room *r) {
    return r->pictures >= r->least && (r->pictures >= r->most || r->bytes >= r->most_bytes);
}

int room_enter(room *r) {
    pthread_mutex_lock(&r->mutex);
    while (!r->closed && is_full(r)) pthread_cond_wait(&r->changed, &r->mutex);
    int entered = !r->closed;
    r->pictures += entered;
    pthread_mutex_unlock(&r->mutex);
    return entered;
}

void room_fill(room *r, int64_t bytes) {
    pthread_mutex_lock(&r->mutex);
    r->bytes += bytes;
    pthread_mutex_unlock(&r->mutex);
}

void room_leave(room *r, int64_t bytes) {
    pthread_mutex_lock(&r->mutex);
    r->pictures--;
    r->bytes -= bytes;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->mutex);
}

void room_close(room *r) {
    pthread_mutex_lock(&r->mutex);
    r->closed = 1;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->mutex);
}
