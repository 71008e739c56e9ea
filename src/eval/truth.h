/* truth.h - the objects of a data set's pictures, as evaluation wants them: with the boxes, areas and
 * ids that a COCO file gives, and in other formats with those that follow from the masks. */
#ifndef MR_EVAL_TRUTH_H
#define MR_EVAL_TRUTH_H

#include "data/coco_truth.h"

#include <mrcnn/eval.h>

/* One of the sets that a set was joined of, or the set itself. */
typedef struct mr_truth_part {
    const mr_dataset *set;
    size_t first; /* number of its first picture in the whole */
    int is_coco;
    mr_coco_truth coco;
} mr_truth_part;

/* Read by any number of threads. Start with {0}. */
typedef struct mr_truth_reader {
    const mr_dataset *set;
    mr_truth_part *parts;
    size_t count;
} mr_truth_reader;

/* Close it in any case. */
mrcnn_status mr_truth_reader_open(mr_truth_reader *reader, const mr_dataset *set, mrcnn_error *err);
void mr_truth_reader_close(mr_truth_reader *reader);

const mr_truth_part *mr_truth_part_of(const mr_truth_reader *reader, size_t index);

/* The picture's place in the order in which pycocotools looks at them: by image id. */
uint32_t mr_truth_place(const mr_truth_reader *reader, size_t index);

/* Height and width as the annotations say, else those of the picture file. */
mrcnn_status mr_truth_size(const mr_truth_reader *reader, size_t index, int32_t *height,
                           int32_t *width, mrcnn_error *err);

typedef struct mr_truths {
    mrcnn_truth *items;
    size_t count;
} mr_truths;

/* Of a picture of that size. with_masks 0: where the annotations say all that is needed without them,
 * masks stay empty ({0}). Free the truths. */
mrcnn_status mr_truths_read(mr_truths *truths, const mr_truth_reader *reader, size_t index,
                            int32_t height, int32_t width, int with_masks, mrcnn_error *err);
void mr_truths_free(mr_truths *truths);

/* An object as its mask says it is: matterport's boxes, too, come from masks (extract_bboxes). A
 * negative class is a crowd's (N26). The truth's mask is the one given, not a copy. */
mrcnn_truth mr_truth_of_mask(const mrcnn_mask *mask, int32_t class_id);

#endif
