/* inspect.h - looking inside: what training makes of a data set, what weights are like, and pages that
 * show it.
 *
 * The rules of <mrcnn/mrcnn.h> hold: errors are values, options structs begin with `size`, whoever gets
 * an object through a `T **` frees it.
 *
 * Sections: where pictures lie, anchors, targets, weights, pages.
 */
#ifndef MRCNN_INSPECT_H
#define MRCNN_INSPECT_H

#include <mrcnn/draw.h>
#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------- where pictures lie */

/* Where a picture lies in the network's input (IMAGE_RESIZE_MODE; NUMERICS N1, N2, N5). */
typedef struct mrcnn_placement {
    int32_t height, width;  /* of the input */
    double scale;           /* of the picture */
    int32_t y1, x1, y2, x2; /* the picture inside of it; the rest is padding */
} mrcnn_placement;

/* In crop mode, of the crop in the middle. */
MRCNN_API mrcnn_status mrcnn_placement_of(mrcnn_placement *place, const mrcnn_config *config,
                                          int32_t height, int32_t width, mrcnn_error *err);

/* ------------------------------------------------------------------------------------ anchors */

enum { MRCNN_MOST_LEVELS = 16, MRCNN_MOST_RATIOS = 16 };

/* One level of the pyramid, P2 first. */
typedef struct mrcnn_anchor_level {
    int32_t stride;        /* pixels of the input from one cell to the next */
    int32_t rows, columns; /* cells that have anchors */
    double scale;          /* pixels: the side of a square anchor */
    size_t first, count;   /* of its anchors, in mrcnn_anchors.boxes */
} mrcnn_anchor_level;

/* The anchors of an input of height x width: level by level, row by row, one for each ratio (width to
 * height) in a cell; in pixels, neither clipped nor filtered (NUMERICS N7-N9). */
typedef struct mrcnn_anchors {
    int32_t height, width;
    int level_count, ratio_count;
    mrcnn_anchor_level levels[MRCNN_MOST_LEVELS];
    double ratios[MRCNN_MOST_RATIOS];
    size_t count;       /* 261,888 at 1024 x 1024 with the defaults */
    double (*boxes)[4]; /* y1 x1 y2 x2 */
} mrcnn_anchors;

/* Height and width 0: those of IMAGE_SHAPE. Free them with mrcnn_anchors_free. */
MRCNN_API mrcnn_status mrcnn_anchors_make(mrcnn_anchors *anchors, const mrcnn_config *config,
                                          int32_t height, int32_t width, mrcnn_error *err);
MRCNN_API void mrcnn_anchors_free(mrcnn_anchors *anchors);

/* ------------------------------------------------------------------------------------ targets */

/* An object as training has it: in pixels of the network's input, with its box taken from the mask. */
typedef struct mrcnn_target_object {
    int32_t class_id; /* negative: a crowd */
    int32_t y1, x1, y2, x2;
    double anchor_iou; /* with the best of all anchors; NaN for a crowd */
    double roi_iou;    /* with the best of all RoIs; NaN for a crowd */
    size_t anchors;    /* positive anchors that are moved onto it */
    size_t rois;       /* positive RoIs that have it as their target */
    /* The mask as training keeps it: mask_height x mask_width bytes of 0 and 1, of the box alone with
     * USE_MINI_MASK, else of the whole input. */
    const uint8_t *mask;
} mrcnn_target_object;

/* An anchor that the RPN learns from. */
typedef struct mrcnn_target_anchor {
    size_t index; /* in mrcnn_anchors.boxes */
    int match;    /* 1 positive, -1 negative */
    double box[4];
    /* Of a positive: where its deltas move it, and the deltas, divided by RPN_BBOX_STD_DEV. */
    double refined[4];
    float deltas[4];
} mrcnn_target_anchor;

/* A RoI that the heads learn from. */
typedef struct mrcnn_target_roi {
    double box[4];    /* pixels */
    int32_t class_id; /* 0: negative */
    /* Of a positive: its object, where its deltas move it, the deltas, divided by BBOX_STD_DEV, and the
     * mask that is to be predicted: target_height x target_width values of 0 or 1. */
    int32_t object; /* -1: negative */
    double refined[4];
    float deltas[4];
    const float *mask;
} mrcnn_target_roi;

/* What one picture teaches. */
typedef struct mrcnn_targets {
    size_t picture;    /* in the data set */
    int64_t number;    /* of the draw */
    mrcnn_image image; /* the network's input, before the mean is subtracted */
    size_t object_count;
    mrcnn_target_object *objects; /* at most MAX_GT_INSTANCES of them */
    int mask_height, mask_width;  /* of the objects' masks */
    int has_mini_masks;
    /* RPN: anchors that are learnt from, by rising index; the others are neutral. */
    size_t all_anchors, anchor_count, positive_anchors;
    mrcnn_target_anchor *anchors;
    /* Heads: positives first, then negatives; the rest up to TRAIN_ROIS_PER_IMAGE is padding. */
    int are_proposals; /* 1: RoIs are the network's proposals; 0: they are random */
    size_t all_rois;   /* that they were chosen from */
    size_t roi_count, positive_rois, padding;
    mrcnn_target_roi *rois;
    int target_height, target_width; /* MASK_SHAPE */
    /* With a network: what it loses on this picture, weighted by LOSS_WEIGHTS; without regulariser. */
    mrcnn_losses losses;
} mrcnn_targets;

MRCNN_API void mrcnn_targets_free(mrcnn_targets **targets);

/* An object's mask in the whole input, from what training keeps of it: a mini mask is enlarged to its
 * box (utils.expand_mask), which shows what USE_MINI_MASK costs. Free it with mrcnn_mask_free. */
MRCNN_API mrcnn_status mrcnn_targets_mask(const mrcnn_targets *targets, size_t object,
                                          mrcnn_mask *mask, mrcnn_error *err);

/* Makes targets with the code and the random numbers of training. Used by one thread at a time. */
typedef struct mrcnn_target_maker mrcnn_target_maker;

typedef struct mrcnn_target_options {
    size_t size;
    int threads;          /* 0: one per core */
    const char *executor; /* "cpu" (default), or "reference" */
    /* 1: as validation sees pictures: nothing is drawn at random but the choice of anchors and RoIs */
    int validation;
} mrcnn_target_options;

MRCNN_API mrcnn_target_options mrcnn_target_options_default(void);

/* `model` says which RoIs its network proposes, and its configuration counts instead of `config`; no
 * session may have been made of it. NULL: RoIs are random, POST_NMS_ROIS_TRAINING of them, nine out of
 * ten around objects (matterport's generate_random_rois, N63), and NUM_CLASSES is the data set's. Set and
 * model must outlive the maker. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_target_maker_create(mrcnn_target_maker **maker,
                                                 const mrcnn_dataset *set,
                                                 const mrcnn_config *config, mrcnn_model *model,
                                                 const mrcnn_target_options *options,
                                                 mrcnn_error *err);
MRCNN_API void mrcnn_target_maker_free(mrcnn_target_maker **maker);

/* The picture that training takes for draw `number`: step s of a run with batches of b pictures has
 * draws (s - 1) * b to s * b - 1, as long as no picture is passed over. In validation, in turn. */
MRCNN_API size_t mrcnn_target_maker_picture(mrcnn_target_maker *maker, int64_t number);

/* What training makes of a picture in draw `number`, under the configuration's SEED: the same crop,
 * mirroring, augmentation, anchors and, given the same proposals, RoIs. *targets is NULL and the status
 * OK when there is nothing to learn from: no object with pixels that is no crowd. Free it with
 * mrcnn_targets_free. */
MRCNN_API mrcnn_status mrcnn_target_maker_make(mrcnn_target_maker *maker, size_t picture,
                                               int64_t number, mrcnn_targets **targets,
                                               mrcnn_error *err);

/* ------------------------------------------------------------------------------------ weights */

enum { MRCNN_WEIGHT_BARS = 48 };

/* What the values of a tensor are like. */
typedef struct mrcnn_weight_summary {
    size_t count;
    size_t nan, infinite; /* of them */
    /* Of the finite ones; all 0 when there is none. The standard deviation is numpy's, over count. */
    double least, greatest, mean, deviation;
    /* matterport's signs that something is wrong (visualize.display_weight_stats): all values are the
     * same, except for the bias of a convolution; a value beyond 1000 in size. */
    int is_dead, is_overflow;
    /* How many finite values lie in each of MRCNN_WEIGHT_BARS equal parts from least to greatest. */
    size_t bars[MRCNN_WEIGHT_BARS];
} mrcnn_weight_summary;

/* Of tensor `index` of a weight file, or MRCNN_E_ARGUMENT past the end. */
MRCNN_API mrcnn_status mrcnn_weights_summarize(const mrcnn_weights *weights, size_t index,
                                               mrcnn_weight_summary *summary, mrcnn_error *err);

/* -------------------------------------------------------------------------------------- pages */

/* A report: one self-contained HTML file, and beside it a JSON file with every figure, table and
 * chart of the page, and the pictures as PNG files in full size. Page and JSON are written by the same
 * calls, so they can't disagree. The page needs no network and no scripts, is light or dark as the
 * reader's screen is, and can be read on a phone; pictures and charts are inside.
 *
 * Used by one thread at a time. All texts are UTF-8 and may hold anything: they are escaped, and what
 * is no UTF-8 becomes '?'. Texts are copied. Ids, keys and names of files are letters, digits, '-', '_'
 * and '.', begin with a letter or a digit, have at most 100 characters, and differ: ids in the page,
 * keys in their section, names of pictures, charts and grids in the page.
 *
 * A call that fails leaves the page as it was, apart from memory that ran out: then mrcnn_page_finish
 * fails, too. */
typedef struct mrcnn_page mrcnn_page;

/* Makes `folder` if need be. No file of the report is in it before mrcnn_page_finish; pictures wait
 * beside their places under names with ".part-", so that they take no memory. */
MRCNN_API mrcnn_status mrcnn_page_create(mrcnn_page **page, const char *folder, const char *title,
                                         mrcnn_error *err);

/* What follows belongs to this section. `id` is its key in the JSON, and what a link to it ends in:
 * "anchors". `about` says in a sentence or two what one sees; may be NULL. */
MRCNN_API mrcnn_status mrcnn_page_section(mrcnn_page *page, const char *id, const char *title,
                                          const char *about, mrcnn_error *err);

/* A smaller title inside of a section. */
MRCNN_API mrcnn_status mrcnn_page_heading(mrcnn_page *page, const char *title, mrcnn_error *err);

/* Each line of the text is a paragraph. */
MRCNN_API mrcnn_status mrcnn_page_text(mrcnn_page *page, const char *text, mrcnn_error *err);

/* How something is meant: it changes a colour, and never says anything by itself. */
typedef enum mrcnn_tone {
    MRCNN_TONE_PLAIN = 0,
    MRCNN_TONE_GOOD = 1,
    MRCNN_TONE_WARNING = 2,
    MRCNN_TONE_BAD = 3
} mrcnn_tone;

/* A text that stands out: what was found to be wrong, or what to do. */
MRCNN_API mrcnn_status mrcnn_page_note(mrcnn_page *page, mrcnn_tone tone, const char *text,
                                       mrcnn_error *err);

/* One number. The page shows whole numbers in full ("261,888") and others to four significant digits;
 * the JSON has all of them. NaN and infinity are shown as a dash, and are null in the JSON. `unit` may
 * be NULL. Figures that follow each other stand side by side. */
MRCNN_API mrcnn_status mrcnn_page_figure(mrcnn_page *page, const char *key, const char *label,
                                         double value, const char *unit, mrcnn_error *err);

/* A cell of a table: small bars, or a text, or a number; the first of these that is there. */
typedef struct mrcnn_cell {
    const char *text; /* NULL: the number */
    double number;    /* NaN: an empty cell */
    int digits;       /* of the number behind the point; -1: four significant ones */
    mrcnn_tone tone;
    const double
        *bars; /* a histogram in a few pixels: heights, none of them negative; NULL: none */
    size_t bar_count;
} mrcnn_cell;

MRCNN_API mrcnn_cell mrcnn_cell_text(const char *text);
MRCNN_API mrcnn_cell mrcnn_cell_number(double number, int digits);
MRCNN_API mrcnn_cell mrcnn_cell_bars(const double *bars, size_t count);

/* rows x column_count cells, row by row. */
MRCNN_API mrcnn_status mrcnn_page_table(mrcnn_page *page, const char *key, const char *title,
                                        const char *const *columns, size_t column_count,
                                        const mrcnn_cell *cells, size_t rows, mrcnn_error *err);

/* A picture, grey or RGB (of more channels the first three): NAME.png, and inside of the page at
 * most 1120 pixels wide. `caption` is also what those are told who don't see it. */
MRCNN_API mrcnn_status mrcnn_page_image(mrcnn_page *page, const char *name, const char *caption,
                                        const mrcnn_image *image, mrcnn_error *err);

/* Charts and grids: NAME.png, inside of the page as SVG for light and for dark screens, and all their
 * numbers in the JSON. Without cairo they are tables of their numbers. `dark` is not looked at. */
MRCNN_API mrcnn_status mrcnn_page_chart(mrcnn_page *page, const char *name, const char *caption,
                                        const mrcnn_chart *chart, mrcnn_error *err);
MRCNN_API mrcnn_status mrcnn_page_grid(mrcnn_page *page, const char *name, const char *caption,
                                       const mrcnn_grid *grid, mrcnn_error *err);

/* Writes NAME.png, ..., report.json and report.html, over those of an earlier report. All of them, or
 * an error: then those that were not there before are gone again. Once. */
MRCNN_API mrcnn_status mrcnn_page_finish(mrcnn_page *page, mrcnn_error *err);
MRCNN_API void mrcnn_page_free(mrcnn_page **page);

#ifdef __cplusplus
}
#endif
#endif
