/* draw.h - pictures beyond the overlay of mrcnn.h: marks, differences, masks by class, maps of floats,
 * sheets of many pictures, charts and grids. docs/pictures.md shows them.
 *
 * The rules of mrcnn.h hold. Without cairo (MRCNN_WITH_CAIRO=OFF) whatever has lines or text is
 * MRCNN_E_UNSUPPORTED; maps, and sheets without captions, always work. Texts are UTF-8; what is none, and
 * control characters, are replaced, and what is too long ends in an ellipsis. The same input gives the
 * same bytes, in SVG and PDF too: nothing holds a date. */
#ifndef MRCNN_DRAW_H
#define MRCNN_DRAW_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------------- over a picture */

/* The overlay's colour of a class, the same however many classes there are; 0 .. 1 each. */
MRCNN_API void mrcnn_class_color(int class_id, double rgb[3]);

typedef enum mrcnn_line {
    MRCNN_LINE_NONE = 0,
    MRCNN_LINE_SOLID = 1,
    MRCNN_LINE_DASHED = 2,
    MRCNN_LINE_DOTTED = 3
} mrcnn_line;

/* A box, a mask or both, with a caption. What lies outside of the picture is cut off. */
typedef struct mrcnn_mark {
    double y1, x1, y2, x2;   /* pixels of the picture, fractions too */
    double red, green, blue; /* 0 .. 1 */
    double alpha;            /* of line and mask, 0 .. 1; the mask is blended with half of it */
    mrcnn_line line;         /* of the box */
    const char *caption;     /* NULL: none */
    const mrcnn_mask *mask;  /* of the picture's size: blended and outlined; NULL: none */
} mrcnn_mark;

/* The picture with marks over it, the first one on top (matterport's draw_boxes, draw_rois). `out` is
 * made in RGB, as by mrcnn_draw_instances; free it with mrcnn_image_free. Captions lie beside each
 * other; one that could only lie below others is left out. Pictures of at most 32,767 pixels a side. */
MRCNN_API mrcnn_status mrcnn_draw_marks(mrcnn_image *out, const mrcnn_image *image,
                                        const mrcnn_mark *marks, size_t count, mrcnn_error *err);

/* A region of interest: a proposal, and what the box head made of it. */
typedef struct mrcnn_roi {
    double y1, x1, y2, x2;                                 /* as proposed, pixels of the picture */
    double refined_y1, refined_x1, refined_y2, refined_x2; /* where class_id > 0 */
    int32_t class_id;                                      /* 0: background (a negative one) */
    const char *class_name;                                /* NULL: none */
    const mrcnn_mask *mask;                                /* of the picture's size; NULL: none */
} mrcnn_roi;

/* matterport's draw_rois: proposals dashed, refined boxes solid, each positive RoI in a colour of its own with its
 * class and mask; negative ones grey and dotted. Of more than `limit` (0: no limit) so many are chosen at random; the
 * same `seed` chooses the same ones. */
MRCNN_API mrcnn_status mrcnn_draw_rois(mrcnn_image *out, const mrcnn_image *image,
                                       const mrcnn_roi *rois, size_t count, size_t limit,
                                       uint64_t seed, mrcnn_error *err);

/* What was to be found in green, what was found in red (matterport's display_differences). A detection
 * says "score / IoU" and has a solid box when it meets an object of its class, by masks with an IoU of
 * `iou` or more, in the order of scores, each object once (utils.compute_matches); else "score / best
 * IoU" and a dashed box. Objects that nobody found are dashed too, and have the name of their class.
 * Detections with a lower score than `score` are left out. Of `truth`, crowds (negative class
 * ids) are left out. */
MRCNN_API mrcnn_status mrcnn_draw_differences(mrcnn_image *out, const mrcnn_image *image,
                                              const mrcnn_result *truth, const mrcnn_result *found,
                                              double iou, double score, mrcnn_error *err);

/* The picture, and beside it the masks of the classes that cover the most pixels, at most `most`
 * (1 .. 16; matterport has 4), a panel each (matterport's display_top_masks). Each instance has its own
 * shade. */
MRCNN_API mrcnn_status mrcnn_draw_top_masks(mrcnn_image *out, const mrcnn_image *image,
                                            const mrcnn_result *result, int most, mrcnn_error *err);

/* The picture in another size, mostly a smaller one: each pixel of `out` is the mean of the area that it
 * covers in `image`, whose channels it has. Free it with mrcnn_image_free. */
MRCNN_API mrcnn_status mrcnn_shrink(mrcnn_image *out, const mrcnn_image *image, int32_t height,
                                    int32_t width, mrcnn_error *err);

/* The picture and its result with each pixel as `times` x `times` (1 .. 16): small pictures drawn over that
 * way have room for lines and captions. Class names are not copied. Free both with mrcnn_image_free and
 * mrcnn_result_free. `result` may be NULL, and then so may `enlarged_result`. */
MRCNN_API mrcnn_status mrcnn_enlarge(mrcnn_image *enlarged, mrcnn_result **enlarged_result,
                                     const mrcnn_image *image, const mrcnn_result *result,
                                     int times, mrcnn_error *err);

/* ----------------------------------------------------------------------------- maps of floats */

/* A height x width picture of values[y * row_stride + x * column_stride] in false colours: the lowest
 * is dark blue, the highest yellow, brightness rises all the way. Infinite values are the colour of
 * their end, NaN is magenta, and where all are equal all are of the middle. */
MRCNN_API mrcnn_status mrcnn_draw_map(mrcnn_image *out, const float *values, int32_t height,
                                      int32_t width, int32_t row_stride, int32_t column_stride,
                                      mrcnn_error *err);

/* ------------------------------------------------------------------------------------- sheets */

/* Pictures in rows of `columns`, each in the middle of a cell that is `cell` pixels (8 .. 4096) wide and as
 * high as the highest picture of its row, at most as much: larger ones are shrunk (their pixels averaged),
 * those of half a cell and less are enlarged by a whole number, so that pixels stay square. Captions
 * stand below. White paper. */
typedef struct mrcnn_sheet mrcnn_sheet;

MRCNN_API mrcnn_status mrcnn_sheet_create(mrcnn_sheet **sheet, int columns, int cell,
                                          mrcnn_error *err);
/* The next cell. The picture is copied as it is shown. `image` NULL: an empty cell; `caption` NULL:
 * none. A row has room for captions if one of its cells has one. */
MRCNN_API mrcnn_status mrcnn_sheet_add(mrcnn_sheet *sheet, const mrcnn_image *image,
                                       const char *caption, mrcnn_error *err);
/* The sheet so far, of at least one cell. Free the picture with mrcnn_image_free. */
MRCNN_API mrcnn_status mrcnn_sheet_image(const mrcnn_sheet *sheet, mrcnn_image *out,
                                         mrcnn_error *err);
MRCNN_API void mrcnn_sheet_free(mrcnn_sheet **sheet);

/* ------------------------------------------------------------------------------------- charts */

typedef enum mrcnn_series_kind {
    MRCNN_SERIES_LINE = 0,
    MRCNN_SERIES_STEPS = 1, /* y[i] holds from x[i] on */
    MRCNN_SERIES_POINTS = 2,
    MRCNN_SERIES_BARS = 3 /* from 0, with log_y from the bottom; around x: the middle of a bin */
} mrcnn_series_kind;

/* What isn't finite (or is beyond 1e300) is left out: a line is broken there. */
typedef struct mrcnn_series {
    const char *name; /* in the legend; NULL: not there */
    mrcnn_series_kind kind;
    size_t count;
    const double *x, *y; /* x NULL: 0, 1, 2, ... */
    int dashed;
    int color; /* of the palette, from 0; -1: the series' place in the chart */
} mrcnn_series;

typedef struct mrcnn_chart {
    size_t size;
    const char *title, *x_label, *y_label; /* NULL: none */
    size_t count;
    const mrcnn_series *series;
    const char *const *categories;       /* names of x = 0, 1, 2, ...; NULL: x are numbers */
    size_t category_count;               /* 0: as many as the longest series has values */
    double x_low, x_high, y_low, y_high; /* of the axes; both equal (default): from the data */
    int log_y;                           /* what isn't above 0 is left out */
    int width, height;                   /* points, 160 .. 8192 (default 640 x 400) */
    int dark;                            /* light ink on dark paper */
    double scale; /* pixels a point in a PNG, 0.5 .. 8 (default 2); at most 16,384 pixels a side */
    /* 1: where the highest value of a series is above four times all others, it leaves the plot instead
     * of flattening the rest, and the y axis says how high it is (default 0). Of scales that are not
     * logarithmic, without y_low and y_high. */
    int cut_peak;
} mrcnn_chart;

MRCNN_API mrcnn_chart mrcnn_chart_default(void);

/* Draws a chart of lines, steps, points and bars (histograms) into a .png, .svg or .pdf file, which
 * appears whole or not at all. Colours can be told apart by the colour-blind, and a series keeps its
 * own whatever else is in the chart. Long lines are thinned out to what can be seen: the lowest and
 * the highest value of each point's width. */
MRCNN_API mrcnn_status mrcnn_chart_write(const mrcnn_chart *chart, const char *path,
                                         mrcnn_error *err);
/* 1 to 64 charts in 1 to 8 columns as one file, on the paper and in the scale of the first. */
MRCNN_API mrcnn_status mrcnn_charts_write(const mrcnn_chart *const *charts, size_t count,
                                          int columns, const char *path, mrcnn_error *err);
/* A chart as the text of an SVG file, with a 0 behind `length` bytes; free it with
 * mrcnn_string_free. The ids in it begin with a checksum of it, so that many can stand in one HTML
 * page. */
MRCNN_API mrcnn_status mrcnn_chart_svg(const mrcnn_chart *chart, char **svg, size_t *length,
                                       mrcnn_error *err);

/* -------------------------------------------------------------------------------------- grids */

/* A table as shaded cells: overlaps of objects and detections (matterport's plot_overlaps), confusion
 * of classes. */
typedef struct mrcnn_grid {
    size_t size;
    const char *title, *row_label, *column_label;       /* NULL: none */
    int rows, columns;                                  /* 1 .. 1000 */
    const double *values;                               /* rows * columns; NaN: an empty cell */
    const char *const *row_names, *const *column_names; /* NULL: none */
    const char *const *texts; /* rows * columns, each may be NULL: none. NULL: the values, as
                                 0.12, or as 12 when all are whole */
    double low, high; /* palest and darkest; both equal (default): the least and the largest */
    int dark;
    double scale; /* pixels a point in a PNG, as for charts */
} mrcnn_grid;

MRCNN_API mrcnn_grid mrcnn_grid_default(void);

/* As charts. The size follows from rows, columns and names; cells get smaller where there are many, and
 * their texts go when they are too small to be read. */
MRCNN_API mrcnn_status mrcnn_grid_write(const mrcnn_grid *grid, const char *path, mrcnn_error *err);
MRCNN_API mrcnn_status mrcnn_grid_svg(const mrcnn_grid *grid, char **svg, size_t *length,
                                      mrcnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
