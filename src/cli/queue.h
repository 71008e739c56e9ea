/* queue.h - a short line of things from one thread to another. Putting waits while it is full, taking
 * while it is empty; closing ends both. */
#ifndef CLI_QUEUE_H
#define CLI_QUEUE_H

#include <pthread.h>

enum { QUEUE_ROOM = 64 };

typedef struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void *items[QUEUE_ROOM];
    int first, count;
    int closed;
} queue;

void queue_init(queue *q);
void queue_destroy(queue *q);
/* 0 when the queue is closed: the item stays the caller's. */
int queue_put(queue *q, void *item);
/* The oldest item; NULL when the queue is closed and empty. */
void *queue_take(queue *q);
void queue_close(queue *q);

#endif
