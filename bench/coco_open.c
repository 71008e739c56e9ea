/* coco_open.c - opening a COCO data set of any size (coco_scale.py makes one), without and with an
 * index that was kept, and drawing masks. coco_peer.py does the same with pycocotools.
 * Times are the processor's: nothing runs beside it, and a busy machine changes them least.
 *   bench_coco_open FOLDER CACHE [rounds] */
#include "median.h"

#include "data/dataset.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_ROUNDS = 100, PICTURES = 500 };

static void check(mrcnn_status status, const mrcnn_error *err) {
    if (status == MRCNN_OK) return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static double milliseconds(void) {
    return (double)clock() * 1000 / CLOCKS_PER_SEC;
}

static double peak_megabytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024 : 0;
}

static mrcnn_dataset *open_set(const char *folder, const char *cache, double *ms) {
    mrcnn_dataset *set = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    double begin = milliseconds();
    o.index_cache = cache;
    check(mrcnn_dataset_open(&set, folder, &o, &err), &err);
    *ms = milliseconds() - begin;
    return set;
}

static double time_opening(const char *folder, const char *cache, int rounds) {
    double times[MOST_ROUNDS];
    for (int i = 0; i < rounds; i++) {
        mrcnn_dataset *set = open_set(folder, cache, &times[i]);
        mrcnn_dataset_free(&set);
    }
    return median(times, rounds);
}

/* Microseconds for each mask. */
static double time_masks(const mrcnn_dataset *set, size_t *objects) {
    size_t count = mrcnn_dataset_count(set) < PICTURES ? mrcnn_dataset_count(set) : PICTURES;
    double ms = 0;
    *objects = 0;
    for (size_t i = 0; i < count; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        int32_t height, width;
        mr_masks masks;
        int id;
        check(mr_dataset_picture_size(set, i, &height, &width, &err), &err);
        uint8_t *mask = malloc((size_t)height * (size_t)width);
        if (!mask) exit(1);
        double begin = milliseconds();
        check(mr_masks_open(&masks, set, i, height, width, &err), &err);
        for (size_t k = 0; k < mrcnn_dataset_picture(set, i)->object_count; k++, ++*objects)
            check(mr_masks_draw(&masks, k, mask, &id, &err), &err);
        mr_masks_close(&masks);
        ms += milliseconds() - begin;
        free(mask);
    }
    return *objects ? 1000 * ms / (double)*objects : 0;
}

int main(int argc, char **argv) {
    int rounds = argc > 3 ? atoi(argv[3]) : 3;
    if (argc < 3) {
        printf("skipped: bench_coco_open FOLDER CACHE [rounds] (coco_scale.py makes the folder)\n");
        return 0;
    }
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 3;
    double ms, before = peak_megabytes(), read = time_opening(argv[1], NULL, rounds);
    double peak = peak_megabytes();
    mrcnn_dataset *set = open_set(argv[1], argv[2], &ms);
    mrcnn_dataset_free(&set);
    double kept = time_opening(argv[1], argv[2], rounds);
    set = open_set(argv[1], argv[2], &ms);
    size_t objects;
    double mask = time_masks(set, &objects);
    printf("median of %d rounds, %zu pictures\n", rounds, mrcnn_dataset_count(set));
    printf("%-34s %9.0f ms\n", "open", read);
    printf("%-34s %9.0f ms\n", "open with an index that was kept", kept);
    printf("%-34s %9.1f MB (%.1f MB before)\n", "peak memory of opening", peak, before);
    printf("%-34s %9.1f us (of %zu)\n", "draw a mask", mask, objects);
    mrcnn_dataset_free(&set);
    return 0;
}
