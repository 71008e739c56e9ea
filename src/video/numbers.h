/* numbers.h - which frame of a video a decoded one is, counted in the order of showing. Packets come
 * in the order of decoding, and some give no frame; so the number of a frame is how many packets are
 * to be shown before it. Where a video's clock begins anew, so do both orders. */
#ifndef MR_VIDEO_NUMBERS_H
#define MR_VIDEO_NUMBERS_H

#include <stdint.h>

enum { MR_FRAME_NUMBERS_PENDING = 1024 }; /* far more than any decoder reorders */

/* When a frame is shown: by which of the video's clocks, and what it says. */
typedef struct mr_frame_time {
    int clock;
    int64_t pts;
} mr_frame_time;

/* Start with {0}. */
typedef struct mr_frame_numbers {
    int64_t passed; /* packets that lie before all pending ones */
    int count;
    mr_frame_time pending[MR_FRAME_NUMBERS_PENDING]; /* rising */
    int packet_clock;
    int64_t last_dts;
    mr_frame_time last_taken;
} mr_frame_numbers;

/* A packet that is to be shown at `pts` and decoded at `dts` was read. */
void mr_frame_numbers_add(mr_frame_numbers *numbers, int64_t pts, int64_t dts);
/* The number of the frame shown at `pts`; it and those before it are done with. */
int64_t mr_frame_numbers_take(mr_frame_numbers *numbers, int64_t pts);
/* The same for a frame that nobody knows the time of: it is the next one. */
int64_t mr_frame_numbers_take_next(mr_frame_numbers *numbers);

#endif
