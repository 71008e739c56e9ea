/* numbers.h - which frame of a video a decoded one is, counted in the order of showing. Packets come
 * in the order of decoding, and some give no frame; so the number of a frame is how many packets are
 * to be shown before it. */
#ifndef MR_VIDEO_NUMBERS_H
#define MR_VIDEO_NUMBERS_H

#include <stdint.h>

enum { MR_FRAME_NUMBERS_PENDING = 1024 }; /* far more than any decoder reorders */

typedef struct mr_frame_numbers {
    int64_t passed; /* packets that lie before all pending ones */
    int count;
    int64_t pending[MR_FRAME_NUMBERS_PENDING]; /* their times, rising */
} mr_frame_numbers;

/* A packet that is to be shown at `pts` was read. */
void mr_frame_numbers_add(mr_frame_numbers *numbers, int64_t pts);
/* The number of the frame shown at `pts`; it and those before it are done with. */
int64_t mr_frame_numbers_take(mr_frame_numbers *numbers, int64_t pts);
/* The same for a frame that nobody knows the time of: it is the next one. */
int64_t mr_frame_numbers_take_next(mr_frame_numbers *numbers);

#endif
