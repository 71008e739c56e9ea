/* room.h - what bounds the pictures that are in memory at a time: their number, and their bytes. The next
 * one is read only when there is room. How large it is shows when it was read, so that at most one is
 * beyond the limit: of pictures that are larger than all the room, there is one at a time. */
#ifndef CLI_ROOM_H
#define CLI_ROOM_H

#include <pthread.h>
#include <stdint.h>

typedef struct room {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int least, most; /* pictures: so many are let in whatever their size; and no more than these */
    int64_t most_bytes; /* while so many are there, none is let in */
    int pictures;
    int64_t bytes;
    int closed;
} room;

void room_init(room *r, int least, int most, int64_t most_bytes);
void room_destroy(room *r);
/* Waits until there is room for a picture; 0 when the room is closed. */
int room_enter(room *r);
/* The picture that was let in last turned out to have so many bytes. */
void room_fill(room *r, int64_t bytes);
/* A picture of so many bytes was freed. */
void room_leave(room *r, int64_t bytes);
void room_close(room *r);

#endif
