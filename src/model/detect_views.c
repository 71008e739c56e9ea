/* detect_views.c - a picture in all its views: tile by tile, the views of a tile one after the other. Of a
 * view only its small masks are kept, of a tile only run lengths, so that memory is bounded by the tile
 * and by what was found. */
#include "model/session.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "image/mask.h"
#include "image/stretch.h"
#include "model/sightings.h"
#include "model/tiles.h"
#include "model/views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What all views of a picture share. */
typedef struct looking {
    mrcnn_session *session;
    const mr_settings *settings;
    const mrcnn_image *image;
    uint8_t
        stretch[256];  /* IMAGE_STRETCH: what a value becomes, by the whole picture and no tile */
    float *confidence; /* the least score of each class, */
    float *glance;     /* and what is enough in one view */
    mr_tile_finds finds;
} looking;

/* ---------------------------------------------------------------------------------- one view */

static mrcnn_status mold(const looking *l, mr_pipeline *p, const mr_view *view, mrcnn_error *err) {
    mrcnn_image cut;
    double before = mr_milliseconds();
    mrcnn_status status = mr_view_cut(&cut, view, l->image, err);
    if (status != MRCNN_OK) return status;
    if (l->settings->image_stretch.count) mr_stretch_by(&cut, l->stretch);
    status = mr_fit_and_mold(&cut, &view->fit, &l->settings->mean_pixel, p->image,
                             l->session->threads, err);
    mrcnn_image_free(&cut);
    mr_pipeline_time(p, "mold", mr_milliseconds() - before, 0);
    return status;
}

/* The pipeline, which may run for others too, gets its own confidence back. */
static mrcnn_status infer(const looking *l, mr_pipeline *p, const mr_view *view, mrcnn_error *err) {
    float *own = p->confidence;
    p->confidence = l->glance;
    mrcnn_status status = mr_session_infer(l->session, p, &view->fit, err);
    p->confidence = own;
    return status;
}

static mrcnn_status add_sightings(mr_sightings *found, mr_pipeline *p, const looking *l,
                                  const mr_view *view, int number, mrcnn_error *err) {
    size_t first = found->count, masks = 0, size = (size_t)found->side * (size_t)found->side;
    for (size_t i = 0; i < p->detection_counts[0]; i++) {
        const mr_detection *d = &p->detections[i];
        mr_sighting it = {
            .class_id = d->class_id, .score = d->score, .views = (uint64_t)1 << number};
        mr_spot spot;
        if (!mr_unmold_spot(d->box, &view->fit, l->settings, &spot)) continue;
        if (l->settings->mask_resize != MR_MASK_SUBPIXEL) mr_spot_complete(&spot, found->side);
        mr_view_restore_spot(view, &spot, &it.spot);
        if (!mr_sightings_add(found, &it))
            return mr_fail_memory(err, size * sizeof(float), "instances");
        mr_pipeline_add_mask(p, masks++, 0, d);
    }
    if (masks == 0) return MRCNN_OK;
    const float *small = mr_pipeline_masks(p, masks, l->session->workspace);
    for (size_t i = 0; i < masks; i++) {
        if (l->settings->detection_score == MR_SCORE_CLASS_AND_MASK)
            found->items[first + i].score *= mr_mask_certainty(small + i * size, size);
        mr_view_restore_mask(view, small + i * size, found->side,
                             found->masks + (first + i) * size);
    }
    return MRCNN_OK;
}

static mrcnn_status look(mr_sightings *found, const looking *l, const mr_view *view, int number,
                         mrcnn_error *err) {
    mrcnn_session *s = l->session;
    mr_pipeline *p;
    mrcnn_status status = mr_session_pipeline(s, view->fit.height, view->fit.width, 1, &p, err);
    if (status != MRCNN_OK) return status;
    p->stage_count = 0;
    status = mold(l, p, view, err);
    if (status == MRCNN_OK) status = infer(l, p, view, err);
    if (status == MRCNN_OK) status = add_sightings(found, p, l, view, number, err);
    mr_session_add_times(s, p);
    return status;
}

/* ---------------------------------------------------------------------------------- one tile */

typedef struct mask_job {
    const mr_sightings *merged;
    const looking *l;
    mrcnn_mask *masks;
    mrcnn_status *status;
} mask_job;

static void unmold_masks(void *context, size_t begin, size_t end, int thread) {
    const mask_job *job = context;
    const mr_sightings *m = job->merged;
    size_t size = (size_t)m->side * (size_t)m->side;
    (void)thread;
    for (size_t i = begin; i < end; i++)
        job->status[i] =
            mr_unmold_mask(&job->masks[i], m->masks + i * size, m->side, m->side,
                           m->items[i].spot.box, m->items[i].spot.samples, job->l->image->height,
                           job->l->image->width, job->l->settings->mask_resize, NULL);
}

/* Within two pixels of the network's input. */
static int is_cut(const int32_t box[4], const mr_view *view, const looking *l) {
    const int32_t *w = view->window, far[4] = {0, 0, l->image->height, l->image->width};
    double margin = ceil(2 / view->fit.scale);
    for (int k = 0; k < 4; k++)
        if (w[k] != far[k] && fabs((double)box[k] - w[k]) <= margin) return 1;
    return 0;
}

/* The masks belong to the finds from here on. */
static mrcnn_status add_finds(looking *l, const mr_sightings *merged, mrcnn_mask *masks,
                              const mr_view *view, size_t tile, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < merged->count && status == MRCNN_OK; i++) {
        const mr_sighting *it = &merged->items[i];
        const int32_t *box = it->spot.box;
        mr_tile_find find = {.instance = {box[0], box[1], box[2], box[3], it->class_id, it->score,
                                          mrcnn_model_class_name(l->session->model, it->class_id),
                                          masks[i]},
                             .tile = tile,
                             .is_cut = is_cut(box, view, l)};
        status = mr_tile_finds_add(&l->finds, &find, err);
        if (status == MRCNN_OK) masks[i] = (mrcnn_mask){0, 0, 0, NULL};
    }
    return status;
}

static mrcnn_status unmold(looking *l, const mr_sightings *merged, const mr_view *view, size_t tile,
                           mrcnn_error *err) {
    mask_job job = {.merged = merged,
                    .l = l,
                    .masks = mr_calloc(merged->count, sizeof *job.masks),
                    .status = mr_calloc(merged->count, sizeof *job.status)};
    mrcnn_status status = MRCNN_OK;
    if (job.masks && job.status) {
        mr_parallel_dynamic(l->session->threads, merged->count, 1, unmold_masks, &job);
        for (size_t i = 0; i < merged->count && status == MRCNN_OK; i++) status = job.status[i];
    } else {
        status = MRCNN_E_MEMORY;
    }
    if (status == MRCNN_OK)
        status = add_finds(l, merged, job.masks, view, tile, err);
    else
        mr_fail(err, status, "the masks of %zu instances could not be made", merged->count);
    for (size_t i = 0; job.masks && i < merged->count; i++) mrcnn_mask_free(&job.masks[i]);
    free(job.masks);
    free(job.status);
    return status;
}

static mrcnn_status look_at_tile(looking *l, size_t tile, mrcnn_error *err) {
    mr_sightings found = {.side = l->settings->mask_shape.values[0]}, merged = found;
    mr_merging how = {l->settings, l->confidence, l->image->height, l->image->width,
                      mr_view_count(l->settings)};
    mr_view first, view;
    mrcnn_status status = mr_view_make(&first, l->finds.tiles[tile], 0, l->settings, err);
    for (int i = 0; status == MRCNN_OK && i < how.views; i++) {
        status = mr_view_make(&view, l->finds.tiles[tile], i, l->settings, err);
        if (status == MRCNN_OK) status = look(&found, l, &view, i, err);
    }
    if (status == MRCNN_OK) status = mr_sightings_merge(&merged, &found, &how, err);
    if (status == MRCNN_OK) status = unmold(l, &merged, &first, tile, err);
    mr_sightings_free(&found);
    mr_sightings_free(&merged);
    return status;
}

/* ------------------------------------------------------------------------------- the picture */

static int make_tiles(looking *l, int32_t (**tiles)[4]) {
    int32_t rows = mr_tile_count(l->settings, l->image->height);
    int32_t columns = mr_tile_count(l->settings, l->image->width);
    l->finds.tile_count = (size_t)rows * (size_t)columns;
    *tiles = mr_calloc(l->finds.tile_count, sizeof **tiles);
    for (size_t i = 0; *tiles && i < l->finds.tile_count; i++) {
        int32_t y[2], x[2];
        mr_tile_span(l->settings, l->image->height, (int32_t)(i / (size_t)columns), y);
        mr_tile_span(l->settings, l->image->width, (int32_t)(i % (size_t)columns), x);
        const int32_t tile[4] = {y[0], x[0], y[1], x[1]};
        memcpy((*tiles)[i], tile, sizeof tile);
    }
    l->finds.tiles = (const int32_t(*)[4]) * tiles;
    return *tiles != NULL;
}

/* What all views together must be sure of, one of several may be half as sure of: else the mean would lack
 * those who are a little below. */
static int find_confidence(looking *l) {
    int classes = mrcnn_model_class_count(l->session->model);
    float share = mr_view_count(l->settings) > 1 ? 0.5f : 1;
    l->confidence = mr_calloc((size_t)classes, sizeof *l->confidence);
    l->glance = mr_calloc((size_t)classes, sizeof *l->glance);
    if (!l->confidence || !l->glance) return 0;
    for (int i = 0; i < classes; i++) {
        l->confidence[i] = (float)mrcnn_model_class_confidence(l->session->model, i);
        l->glance[i] = l->confidence[i] * share;
    }
    return 1;
}

mrcnn_status mr_session_detect_views(mrcnn_session *session, const mrcnn_image *image,
                                     mrcnn_result **result, mrcnn_error *err) {
    looking l = {.session = session,
                 .settings = mr_config_settings(session->model->config),
                 .image = image,
                 .finds = {.height = image->height, .width = image->width}};
    int32_t(*tiles)[4] = NULL;
    mrcnn_status status = MRCNN_OK;
    if (!make_tiles(&l, &tiles) || !find_confidence(&l))
        status = mr_fail_memory(err, l.finds.tile_count * sizeof *tiles, "tiles");
    if (status == MRCNN_OK && l.settings->image_stretch.count)
        mr_stretch_table(image, &l.settings->image_stretch, l.stretch);
    for (size_t i = 0; status == MRCNN_OK && i < l.finds.tile_count; i++)
        status = look_at_tile(&l, i, err);
    if (status == MRCNN_OK) status = mr_tile_finds_merge(result, &l.finds, l.settings, err);
    mr_tile_finds_free(&l.finds);
    free(tiles);
    free(l.confidence);
    free(l.glance);
    return status;
}
