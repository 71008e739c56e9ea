/* numbers.c - see numbers.h. */
#include "video/numbers.h"

#include <string.h>

static void drop(mr_frame_numbers *numbers, int count) {
    numbers->passed += count;
    numbers->count -= count;
    memmove(numbers->pending, numbers->pending + count,
            (size_t)numbers->count * sizeof *numbers->pending);
}

void mr_frame_numbers_add(mr_frame_numbers *numbers, int64_t pts) {
    if (numbers->count == MR_FRAME_NUMBERS_PENDING) drop(numbers, MR_FRAME_NUMBERS_PENDING / 2);
    int at = numbers->count;
    while (at > 0 && numbers->pending[at - 1] > pts) at--;
    memmove(numbers->pending + at + 1, numbers->pending + at,
            (size_t)(numbers->count - at) * sizeof *numbers->pending);
    numbers->pending[at] = pts;
    numbers->count++;
}

int64_t mr_frame_numbers_take(mr_frame_numbers *numbers, int64_t pts) {
    int before = 0;
    while (before < numbers->count && numbers->pending[before] < pts) before++;
    int64_t number = numbers->passed + before;
    int64_t own = before < numbers->count && numbers->pending[before] == pts;
    drop(numbers, before + (int)own);
    return number;
}

int64_t mr_frame_numbers_take_next(mr_frame_numbers *numbers) {
    if (numbers->count)
        drop(numbers, 1);
    else
        numbers->passed++;
    return numbers->passed - 1;
}
