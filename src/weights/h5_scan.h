/* h5_scan.h - walks a weight file through HDF5, in a process of its own, and reports what it finds
 * as records. HDF5 was not made for files that somebody damaged on purpose: a flipped byte in its
 * metadata can crash it. Here that costs a process and gives a message.
 *
 * A record is followed by its three texts and, for a tensor that is not plain, by its values (if they are wanted).
 */
#ifndef MR_WEIGHTS_H5_SCAN_H
#define MR_WEIGHTS_H5_SCAN_H

#include "weights/h5_dataset.h"

#include <mrcnn/mrcnn.h>
#include <stdio.h>

typedef enum mr_scan_kind {
    MR_SCAN_END = 0x4d520001, /* unlike what happens to be in memory */
    MR_SCAN_FAILURE,          /* texts: message */
    MR_SCAN_REPLACED,         /* a failure after which one may try again */
    MR_SCAN_KERAS_VERSION,    /* texts: the attribute; so for the next four */
    MR_SCAN_BACKEND,
    MR_SCAN_CONFIG,
    MR_SCAN_RANGES,
    MR_SCAN_CLASS_NAME, /* one of them */
    MR_SCAN_TENSOR      /* texts: group, weight name, path */
} mr_scan_kind;

enum { MR_SCAN_TEXTS = 3, MR_SCAN_LONGEST_TEXT = 1 << 24 };

typedef struct mr_scan_record {
    mr_scan_kind kind;
    mrcnn_status status; /* of a failure */
    int nested;          /* the group holds a nested model */
    mr_dataset dataset;  /* of a tensor */
    size_t lengths[MR_SCAN_TEXTS];
} mr_scan_record;

typedef struct mr_scan {
    const char *path;
    int fd; /* the same file, open */
    uint64_t file_size;
    int without_values;
} mr_scan;

/* An mr_isolated_body; `context` is a const mr_scan. */
void mr_scan_file(FILE *out, const void *context);

#endif
