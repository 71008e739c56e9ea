/* numbers.c - see numbers.h. */
#include "video/numbers.h"

#include <string.h>

static int is_before(mr_frame_time a, mr_frame_time b) {
    return a.clock != b.clock ? a.clock < b.clock : a.pts < b.pts;
}

static void drop(mr_frame_numbers *numbers, int count) {
    numbers->passed += count;
    numbers->count -= count;
    memmove(numbers->pending, numbers->pending + count,
            (size_t)numbers->count * sizeof *numbers->pending);
}

void mr_frame_numbers_add(mr_frame_numbers *numbers, int64_t pts, int64_t dts) {
    int is_first = numbers->count == 0 && numbers->passed == 0;
    if (!is_first && dts < numbers->last_dts) numbers->packet_clock++;
    numbers->last_dts = dts;
    if (numbers->count == MR_FRAME_NUMBERS_PENDING) drop(numbers, MR_FRAME_NUMBERS_PENDING / 2);
    mr_frame_time time = {numbers->packet_clock, pts};
    int at = numbers->count;
    while (at > 0 && is_before(time, numbers->pending[at - 1])) at--;
    memmove(numbers->pending + at + 1, numbers->pending + at,
            (size_t)(numbers->count - at) * sizeof *numbers->pending);
    numbers->pending[at] = time;
    numbers->count++;
}

int64_t mr_frame_numbers_take(mr_frame_numbers *numbers, int64_t pts) {
    mr_frame_time *last = &numbers->last_taken;
    int is_first = numbers->passed == 0;
    if (!is_first && pts < last->pts && last->clock < numbers->packet_clock) last->clock++;
    last->pts = pts;
    int before = 0;
    while (before < numbers->count && is_before(numbers->pending[before], *last)) before++;
    int64_t number = numbers->passed + before;
    int own = before < numbers->count && !is_before(*last, numbers->pending[before]);
    drop(numbers, before + own);
    return number;
}

int64_t mr_frame_numbers_take_next(mr_frame_numbers *numbers) {
    if (numbers->count)
        drop(numbers, 1);
    else
        numbers->passed++;
    return numbers->passed - 1;
}
