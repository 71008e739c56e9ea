/* session.c - mrcnn_detect: pictures in, instances out. */
#include "model/session.h"

#include "base/cache.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/parallel.h"
#include "image/mask.h"
#include "image/stretch.h"
#include "model/source.h"
#include "model/views.h"

#include <stdlib.h>
#include <string.h>

mrcnn_session_options mrcnn_session_options_default(void) {
    mrcnn_session_options options = {sizeof options, 0, "cpu", "default", NULL};
    return options;
}

const mr_executor *mr_find_executor(const char *name, mrcnn_error *err) {
    static const mr_executor *const executors[] = {&mr_executor_cpu, &mr_executor_reference};
    if (!name) return &mr_executor_cpu;
    for (size_t i = 0; i < sizeof executors / sizeof *executors; i++)
        if (strcmp(executors[i]->name, name) == 0) return executors[i];
    mr_fail(err, MRCNN_E_ARGUMENT, "there is no executor '%s'; use cpu or reference", name);
    return NULL;
}

/* What numbers the session computes in: the fastest that it may and can. */
typedef struct precision {
    mr_type type;
    int small; /* 8 bits beneath it */
} precision;

static mrcnn_status cannot(const char *what, const mr_executor *executor, const char *why,
                           mrcnn_error *err) {
    return mr_fail(
        err, MRCNN_E_UNSUPPORTED,
        "the executor %s has no %s on this machine (%s); use f32, or auto for the fastest "
        "that there is",
        executor->name, what, why);
}

static mrcnn_status find_precision(const char *name, const mrcnn_model *model,
                                   const mr_executor *executor, precision *found,
                                   mrcnn_error *err) {
    int has_small = executor->computes_in(MR_S8), has_bf16 = executor->computes_in(MR_BF16);
    int by_default = strcmp(name, "default") == 0, automatic = strcmp(name, "auto") == 0;
    int small = strcmp(name, "int8") == 0, bf16 = strcmp(name, "bf16") == 0;
    if (!by_default && !automatic && !small && !bf16 && strcmp(name, "f32") != 0)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "there is no precision '%s'; use default, f32, bf16, int8 or auto", name);
    if (small && !model->ranges)
        return mr_fail(
            err, MRCNN_E_ARGUMENT,
            "these weights don't say how large their layers' values get, which int8 needs: "
            "quantize them first (mrcnn quantize)");
    if (small && !has_small)
        return cannot("int8", executor, "it takes a processor with AVX-512 VNNI", err);
    if (bf16 && !has_bf16)
        return cannot("bf16", executor, "it takes a processor with AVX-512 BF16", err);
    found->small = small || ((by_default || automatic) && model->ranges && has_small);
    found->type = has_bf16 && (found->small || bf16 || automatic) ? MR_BF16 : MR_F32;
    return MRCNN_OK;
}

/* What measurements have chosen is kept in the named folder, or in the user's cache if the name is "". */
static mrcnn_status open_tuning(mr_tuning **tuning, const char *cache, mrcnn_error *err) {
    char *own = NULL;
    mrcnn_status status = MRCNN_OK;
    if (cache && !cache[0]) {
        status = mr_cache_directory(&own, err);
        cache = own;
    }
    if (status == MRCNN_OK && cache) status = mr_tuning_open(tuning, cache, err);
    free(own);
    return status;
}

mrcnn_status mrcnn_session_create(mrcnn_session **session, mrcnn_model *model,
                                  const mrcnn_session_options *options, mrcnn_error *err) {
    mrcnn_session_options o = mrcnn_session_options_default();
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_session_options", err);
    if (status != MRCNN_OK) return status;
    const mr_executor *executor = mr_find_executor(o.executor, err);
    if (!executor) return MRCNN_E_ARGUMENT;
    if (o.threads < 0 || o.threads > 1024)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%d threads; use 0 (one per core) to 1024",
                       o.threads);
    precision found = {MR_F32, 0};
    status = find_precision(o.precision ? o.precision : "default", model, executor, &found, err);
    if (status == MRCNN_OK) status = mr_model_check_confidence(model, err);
    if (status != MRCNN_OK) return status;
    mrcnn_session *s = mr_calloc(1, sizeof *s);
    if (!s) return mr_fail_memory(err, sizeof *s, "a session");
    s->model = model;
    s->executor = executor;
    s->precision = found.type;
    if (found.small && !(s->ranges = mr_ranges_copy(model->ranges)))
        status = mr_fail_memory(err, sizeof(void *), "ranges of layers");
    s->threads = o.threads ? o.threads : mr_cores();
    if (status == MRCNN_OK && executor == &mr_executor_cpu)
        mr_source_use_packs(model, mrcnn_session_precision(s));
    if (status == MRCNN_OK) status = open_tuning(&s->tuning, o.cache, err);
    if (status != MRCNN_OK)
        mrcnn_session_free(&s);
    else
        *session = s;
    return status;
}

void mrcnn_session_free(mrcnn_session **session) {
    if (!session || !*session) return;
    mrcnn_session *s = *session;
    for (int i = 0; i < MR_MAX_PIPELINES; i++) mr_pipeline_free(&s->pipelines[i]);
    mr_source_keep_packs(s->model, mrcnn_session_precision(s));
    if (s->tuning) mr_tuning_free(&s->tuning);
    mr_ranges_free(&s->ranges);
    if (s->workspace) s->executor->release(s->workspace);
    free(s);
    *session = NULL;
}

const char *mrcnn_session_precision(const mrcnn_session *session) {
    return session->ranges ? "int8" : session->precision == MR_BF16 ? "bf16" : "f32";
}

const mrcnn_stage_time *mrcnn_session_stage(const mrcnn_session *session, size_t index) {
    return index < session->stage_count ? &session->stages[index] : NULL;
}

size_t mrcnn_session_bytes(const mrcnn_session *session) {
    size_t bytes =
        session->workspace_bytes + mr_weight_bytes(session->model->packs, session->model->weights);
    for (int i = 0; i < MR_MAX_PIPELINES; i++)
        if (session->pipelines[i]) bytes += mr_pipeline_bytes(session->pipelines[i]);
    return bytes;
}

mrcnn_status mr_session_reserve(mrcnn_session *s, size_t bytes, mrcnn_error *err) {
    if (bytes <= s->workspace_bytes) return MRCNN_OK;
    if (s->workspace) s->executor->release(s->workspace);
    s->workspace_bytes = 0;
    s->workspace = s->executor->alloc(bytes);
    if (!s->workspace) return mr_fail_memory(err, bytes, "activations");
    s->workspace_bytes = bytes;
    return MRCNN_OK;
}

/* An empty place, or that of the pipeline used longest ago. */
static mr_pipeline **place_for_pipeline(mrcnn_session *s) {
    mr_pipeline **oldest = &s->pipelines[0];
    int sizes = mr_view_sizes(mr_config_settings(s->model->config));
    int places = sizes > MR_USUAL_PIPELINES ? sizes : MR_USUAL_PIPELINES;
    for (int i = 0; i < places; i++) {
        if (!s->pipelines[i]) return &s->pipelines[i];
        if (s->pipelines[i]->last_used < (*oldest)->last_used) oldest = &s->pipelines[i];
    }
    return oldest;
}

mrcnn_status mr_session_pipeline(mrcnn_session *s, int height, int width, int batch,
                                 mr_pipeline **pipeline, mrcnn_error *err) {
    mr_pipeline **place = NULL;
    for (int i = 0; i < MR_MAX_PIPELINES && !place; i++) {
        const mr_pipeline *p = s->pipelines[i];
        if (p && p->height == height && p->width == width && p->batch == batch)
            place = &s->pipelines[i];
    }
    if (!place) {
        place = place_for_pipeline(s);
        mr_pipeline_free(place);
        mr_pipeline_options options = {.model = s->model,
                                       .executor = s->executor,
                                       .height = height,
                                       .width = width,
                                       .batch = batch,
                                       .precision = s->precision,
                                       .ranges = s->ranges,
                                       .tuning = s->tuning,
                                       .observer = s->observer,
                                       .observer_user = s->observer_user,
                                       .threads = s->threads};
        mrcnn_status status = mr_pipeline_create(place, &options, err);
        if (status != MRCNN_OK) return status;
        if (s->tuning) mr_tuning_save(s->tuning);
    }
    /* Also for one that was there: growing the workspace may have failed since, and lost it. */
    mrcnn_status status = mr_session_reserve(s, mr_pipeline_workspace_bytes(*place), err);
    if (status != MRCNN_OK) return status;
    mr_pipeline_settle(*place, s->workspace);
    (*place)->last_used = ++s->clock;
    *pipeline = *place;
    return MRCNN_OK;
}

/* --------------------------------------------------------------------------------- results */

/* One mask to make: the RoI's row in the mask head's output, and where the mask goes. */
typedef struct mask_job {
    const float *masks;
    int rows, columns;
    mr_mask_resize mode;
    mr_detection_score score;
    mrcnn_instance **instances;
    mr_spot *spots;
    const mr_fit **fits;
    mrcnn_status *status;
    mrcnn_error *err; /* the first one's message */
} mask_job;

float mr_mask_certainty(const float *mask, size_t count) {
    double sum = 0;
    size_t inside = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(mask[i] >= 0.5f)) continue;
        sum += mask[i];
        inside++;
    }
    return inside ? (float)(sum / (double)inside) : 0;
}

static void unmold_masks(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mask_job *job = context;
    for (size_t i = begin; i < end; i++) {
        mrcnn_instance *it = job->instances[i];
        const float *mask = job->masks + i * (size_t)job->rows * (size_t)job->columns;
        if (job->score == MR_SCORE_CLASS_AND_MASK)
            it->score *= mr_mask_certainty(mask, (size_t)job->rows * (size_t)job->columns);
        job->status[i] =
            mr_unmold_mask(&it->mask, mask, job->rows, job->columns, job->spots[i].box,
                           job->spots[i].samples, job->fits[i]->original_height,
                           job->fits[i]->original_width, job->mode, i == 0 ? job->err : NULL);
    }
}

/* Boxes, classes and scores of one picture's detections (N38), each with a row for the mask head.
 */
static mrcnn_status start_result(mrcnn_result **out, mr_pipeline *p, const mrcnn_model *model,
                                 int image, const mr_fit *fit, mask_job *job, size_t *mask_count,
                                 mrcnn_error *err) {
    size_t count = p->detection_counts[image];
    const mr_detection *detections = p->detections + (size_t)image * p->max_detections;
    mrcnn_result *r = mr_calloc(1, sizeof *r);
    if (r) r->instances = mr_calloc(count, sizeof *r->instances);
    if (!r || !r->instances) {
        free(r);
        return mr_fail_memory(err, count * sizeof *r->instances, "a result");
    }
    r->height = fit->original_height;
    r->width = fit->original_width;
    for (size_t i = 0; i < count; i++) {
        mr_spot *spot = &job->spots[*mask_count];
        if (!mr_unmold_spot(detections[i].box, fit, p->settings, spot)) continue;
        p->mask_rows[(size_t)image * p->max_detections + r->count] = (int32_t)r->count;
        mrcnn_instance *it = &r->instances[r->count++];
        it->y1 = spot->box[0];
        it->x1 = spot->box[1];
        it->y2 = spot->box[2];
        it->x2 = spot->box[3];
        it->class_id = detections[i].class_id;
        it->class_name = mrcnn_model_class_name(model, it->class_id);
        it->score = detections[i].score;
        job->instances[*mask_count] = it;
        job->fits[*mask_count] = fit;
        mr_pipeline_add_mask(p, (*mask_count)++, image, &detections[i]);
    }
    *out = r;
    return MRCNN_OK;
}

/* Highest score first; of equal scores, as they were. */
static void sort_by_score(mrcnn_result *r, int32_t *rows) {
    for (size_t i = 1; i < r->count; i++) {
        mrcnn_instance moved = r->instances[i];
        int32_t row = rows[i];
        size_t k = i;
        for (; k > 0 && r->instances[k - 1].score < moved.score; k--) {
            r->instances[k] = r->instances[k - 1];
            rows[k] = rows[k - 1];
        }
        r->instances[k] = moved;
        rows[k] = row;
    }
}

static mrcnn_status make_results(mr_pipeline *p, mrcnn_session *s, const mr_fit *fits,
                                 mrcnn_result **results, mrcnn_error *err) {
    size_t most = (size_t)p->batch * p->max_detections, masks = 0;
    mask_job job = {.rows = p->settings->mask_shape.values[0],
                    .columns = p->settings->mask_shape.values[1],
                    .mode = p->settings->mask_resize,
                    .score = p->settings->detection_score,
                    .instances = mr_calloc(most, sizeof *job.instances),
                    .spots = mr_calloc(most, sizeof *job.spots),
                    .fits = mr_calloc(most, sizeof *job.fits),
                    .status = mr_calloc(most, sizeof *job.status),
                    .err = err};
    mrcnn_status status = MRCNN_OK;
    if (!job.instances || !job.spots || !job.fits || !job.status)
        status = mr_fail_memory(err, most * sizeof *job.instances, "results");
    for (int i = 0; status == MRCNN_OK && i < p->batch; i++)
        status = start_result(&results[i], p, s->model, i, &fits[i], &job, &masks, err);
    if (status == MRCNN_OK && masks) {
        job.masks = mr_pipeline_masks(p, masks, s->workspace);
        double before = mr_milliseconds();
        mr_parallel_dynamic(s->threads, masks, 1, unmold_masks, &job);
        mr_pipeline_time(p, "unmold", mr_milliseconds() - before, 0);
        for (size_t i = 0; i < masks && status == MRCNN_OK; i++) status = job.status[i];
        if (status != MRCNN_OK && err && err->status == MRCNN_OK)
            mr_fail_memory(err, most, "masks");
        for (int i = 0; i < p->batch && job.score != MR_SCORE_CLASS; i++)
            sort_by_score(results[i], p->mask_rows + (size_t)i * p->max_detections);
    }
    free(job.instances);
    free(job.spots);
    free(job.fits);
    free(job.status);
    return status;
}

/* ------------------------------------------------------------------------------- detection */

void mr_session_add_times(mrcnn_session *s, const mr_pipeline *p) {
    for (size_t i = 0; i < p->stage_count; i++) {
        size_t k = 0;
        while (k < s->stage_count && strcmp(s->stages[k].name, p->stages[i].name) != 0) k++;
        if (k == MR_MAX_STAGES_TIMED) continue;
        if (k == s->stage_count) {
            mrcnn_stage_time fresh = {p->stages[i].name, 0, 0};
            s->stages[s->stage_count++] = fresh;
        }
        s->stages[k].milliseconds += p->stages[i].milliseconds;
        s->stages[k].gflop += p->stages[i].gflop;
    }
}

mrcnn_status mr_session_infer(mrcnn_session *s, mr_pipeline *p, const mr_fit *fits,
                              mrcnn_error *err) {
    mr_pipeline_features(p, s->workspace);
    mr_pipeline_propose(p);
    return mr_pipeline_detect(p, fits, s->workspace, err);
}

/* The pictures into p->image. */
static mrcnn_status mold(mr_pipeline *p, const mrcnn_prepared *const *pictures, int threads,
                         mrcnn_error *err) {
    size_t pixels = (size_t)p->height * (size_t)p->width;
    size_t size = pixels * (size_t)p->settings->image_channel_count;
    double before = mr_milliseconds();
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; status == MRCNN_OK && i < p->batch; i++) {
        const mrcnn_prepared *picture = pictures[i];
        float *out = p->image + (size_t)i * size;
        if (picture->resized)
            mr_mold_image(picture->resized, pixels, &p->settings->mean_pixel, out);
        else
            status =
                mr_stretch_and_mold(&picture->image, &picture->fit, p->settings, out, threads, err);
    }
    mr_pipeline_time(p, "mold", mr_milliseconds() - before, 0);
    return status;
}

mrcnn_status mr_session_run(mrcnn_session *s, mr_pipeline *p, const mrcnn_prepared *const *pictures,
                            mrcnn_result **results, mrcnn_error *err) {
    mr_fit fits[MR_MAX_BATCH];
    for (int i = 0; i < p->batch; i++) fits[i] = pictures[i]->fit;
    p->stage_count = 0;
    mrcnn_status status = mold(p, pictures, s->threads, err);
    if (status != MRCNN_OK) return status;
    status = mr_session_infer(s, p, fits, err);
    if (status == MRCNN_OK) status = make_results(p, s, fits, results, err);
    mr_session_add_times(s, p);
    return status;
}

/* Pictures of one network size through one pipeline. */
static mrcnn_status detect_batch(mrcnn_session *s, const mrcnn_prepared *const *pictures, int batch,
                                 mrcnn_result **results, mrcnn_error *err) {
    mr_pipeline *p;
    const mr_fit *fit = &pictures[0]->fit;
    mrcnn_status status = mr_session_pipeline(s, fit->height, fit->width, batch, &p, err);
    return status == MRCNN_OK ? mr_session_run(s, p, pictures, results, err) : status;
}

/* How many of the pictures, the first one among them, go through the network together: those that need
 * the same size, at most a batch (IMAGES_PER_GPU) of them. */
static size_t batch_size(const mrcnn_session *s, const mrcnn_prepared *const *pictures,
                         size_t count) {
    size_t n = 1, limit = (size_t)mr_config_settings(s->model->config)->images_per_gpu;
    if (limit > MR_MAX_BATCH) limit = MR_MAX_BATCH;
    while (n < count && n < limit && !pictures[n]->wants_views &&
           pictures[n]->fit.height == pictures[0]->fit.height &&
           pictures[n]->fit.width == pictures[0]->fit.width)
        n++;
    return n;
}

static mrcnn_status detect_all(mrcnn_session *s, const mrcnn_prepared *const *pictures,
                               size_t count, mrcnn_result **results, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0, n; status == MRCNN_OK && i < count; i += n) {
        n = pictures[i]->wants_views ? 1 : batch_size(s, pictures + i, count - i);
        status = pictures[i]->wants_views
                     ? mr_session_detect_views(s, &pictures[i]->image, &results[i], err)
                     : detect_batch(s, pictures + i, (int)n, results + i, err);
    }
    return status;
}

/* All or none. */
static mrcnn_status detect(mrcnn_session *s, const mrcnn_prepared *const *pictures, size_t count,
                           mrcnn_result **results, mrcnn_error *err) {
    mrcnn_result **made = mr_calloc(count, sizeof *made);
    if (!made) return mr_fail_memory(err, count * sizeof(mrcnn_result *), "results");
    int old = mr_set_library_threads(s->threads);
    s->stage_count = 0;
    mrcnn_status status = detect_all(s, pictures, count, made, err);
    mr_set_library_threads(old);
    for (size_t i = 0; i < count; i++) {
        if (status == MRCNN_OK)
            results[i] = made[i];
        else
            mrcnn_result_free(&made[i]);
    }
    free(made);
    return status;
}

mrcnn_status mrcnn_detect(mrcnn_session *s, const mrcnn_image *images, size_t count,
                          mrcnn_result **results, mrcnn_error *err) {
    mrcnn_prepared *placed = mr_calloc(count, sizeof *placed);
    const mrcnn_prepared **pictures = mr_calloc(count, sizeof *pictures);
    mrcnn_status status = MRCNN_OK;
    if (!placed || !pictures) status = mr_fail_memory(err, count * sizeof *placed, "pictures");
    for (size_t i = 0; status == MRCNN_OK && i < count; i++) {
        status = mr_place_picture(&placed[i], s->model, &images[i], i, err);
        pictures[i] = &placed[i];
    }
    if (status == MRCNN_OK) status = detect(s, pictures, count, results, err);
    free(pictures);
    free(placed);
    return status;
}

mrcnn_status mrcnn_detect_prepared(mrcnn_session *s, const mrcnn_prepared *const *prepared,
                                   size_t count, mrcnn_result **results, mrcnn_error *err) {
    for (size_t i = 0; i < count; i++)
        if (prepared[i]->model != s->model)
            return mr_fail(err, MRCNN_E_ARGUMENT,
                           "picture %zu was prepared for another model than the session's: prepare "
                           "it with the session's own",
                           i);
    return detect(s, prepared, count, results, err);
}
