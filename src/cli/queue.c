/* queue.c - see queue.h. */
#include "queue.h"

#include <string.h>

void queue_init(queue *q) {
    memset(q, 0, sizeof *q);
    pthread_mutex_init(&q->mutex, NULL);
    pthread_cond_init(&q->changed, NULL);
}

void queue_destroy(queue *q) {
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->mutex);
}

int queue_put(queue *q, void *item) {
    pthread_mutex_lock(&q->mutex);
    while (!q->closed && q->count == QUEUE_ROOM) pthread_cond_wait(&q->changed, &q->mutex);
    int open = !q->closed;
    if (open) q->items[(q->first + q->count++) % QUEUE_ROOM] = item;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
    return open;
}

void *queue_take(queue *q) {
    void *item = NULL;
    pthread_mutex_lock(&q->mutex);
    while (!q->closed && q->count == 0) pthread_cond_wait(&q->changed, &q->mutex);
    if (q->count) {
        item = q->items[q->first];
        q->first = (q->first + 1) % QUEUE_ROOM;
        q->count--;
    }
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
    return item;
}

void queue_close(queue *q) {
    pthread_mutex_lock(&q->mutex);
    q->closed = 1;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}
