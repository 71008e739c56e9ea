/* label_scan.c - see label_scan.h. */
#include "data/label_scan.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_THREADS = 8, /* each holds a decoded file, or two */
    MOST_OBJECTS = 65535
};

static int is_void(const mr_labels *labels, uint32_t value) {
    return labels->bytes >= 3 ? value == 0xE0E0C0 : labels->bytes == 1 && value == 255;
}

/* ------------------------------------------------------------------------------------- objects */

static mrcnn_status count_objects(mr_label_job *job, const mr_labels *labels, mrcnn_error *err) {
    size_t pixel = 0;
    for (int32_t y = 0; y < labels->height; y++)
        for (int32_t x = 0, length; x < labels->width; x += length, pixel += (size_t)length) {
            uint32_t value = mr_label_at(labels, pixel);
            length = 1;
            while (x + length < labels->width &&
                   mr_label_at(labels, pixel + (size_t)length) == value)
                length++;
            if (value == 0 || (job->has_void && is_void(labels, value))) continue;
            if (!mr_tally_add(&job->objects, value, y, x, length))
                return mr_fail_memory(err, 0, "objects of a data set");
            if (job->objects.count > MOST_OBJECTS)
                return mr_fail(err, MRCNN_E_FORMAT,
                               "%s: it has more than %d different values: are these labels?",
                               job->labels, MOST_OBJECTS);
        }
    mr_tally_sort(&job->objects);
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------- classes */

static size_t place_of(const mr_tally *sorted, uint64_t number) {
    size_t low = 0, high = sorted->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (sorted->counts[middle].number <= number)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Votes are numbered by the object's place and the class. */
static mrcnn_status count_votes(const mr_label_job *job, const mr_labels *labels,
                                const mr_labels *classes, mr_tally *votes, mrcnn_error *err) {
    size_t count = (size_t)labels->height * (size_t)labels->width, place = 0;
    uint32_t last = 0;
    mr_count *vote = NULL;
    for (size_t i = 0; i < count; i++) {
        uint32_t object = mr_label_at(labels, i), value = mr_label_at(classes, i);
        if (object == 0 || value == 0 || is_void(labels, object) || is_void(classes, value))
            continue;
        if (object != last) place = place_of(&job->objects, object);
        last = object;
        uint64_t number = (uint64_t)place << 32 | value;
        if (!vote || vote->number != number) vote = mr_tally_find(votes, number);
        if (!vote) return mr_fail_memory(err, 0, "classes of objects");
        vote->pixels++;
    }
    mr_tally_sort(votes);
    return MRCNN_OK;
}

/* The most frequent one; of equals the lowest. */
static mrcnn_status elect(mr_label_job *job, const mr_tally *votes, mrcnn_error *err) {
    uint64_t *most = mr_calloc(job->objects.count, sizeof *most);
    job->class_values = mr_calloc(job->objects.count, sizeof *job->class_values);
    if (!most || !job->class_values) {
        free(most);
        return mr_fail_memory(err, job->objects.count * 12, "classes of objects");
    }
    for (size_t i = 0; i < votes->count; i++) {
        size_t place = (size_t)(votes->counts[i].number >> 32);
        if (votes->counts[i].pixels <= most[place]) continue;
        most[place] = votes->counts[i].pixels;
        job->class_values[place] = (uint32_t)votes->counts[i].number;
    }
    free(most);
    return MRCNN_OK;
}

static mrcnn_status find_classes(mr_label_job *job, const mr_labels *labels, int64_t max_pixels,
                                 mrcnn_error *err) {
    mr_labels classes = {0};
    mr_tally votes = {0};
    mrcnn_status status = mr_labels_read(&classes, job->classes, max_pixels, err);
    if (status == MRCNN_OK && (classes.height != labels->height || classes.width != labels->width))
        status =
            mr_fail(err, MRCNN_E_FORMAT, "%s: it has %d x %d pixels, but %s %d x %d", job->classes,
                    classes.width, classes.height, job->labels, labels->width, labels->height);
    job->classes_are_colors = classes.bytes >= 3;
    if (status == MRCNN_OK) status = count_votes(job, labels, &classes, &votes, err);
    if (status == MRCNN_OK) status = elect(job, &votes, err);
    mr_tally_free(&votes);
    mr_labels_free(&classes);
    return status;
}

/* ------------------------------------------------------------------------------------ all of it */

static mrcnn_status scan(mr_label_job *job, int64_t max_pixels, mrcnn_error *err) {
    mr_labels labels = {0};
    mrcnn_status status = mr_labels_read(&labels, job->labels, max_pixels, err);
    if (status == MRCNN_OK) status = count_objects(job, &labels, err);
    if (status == MRCNN_OK && job->classes) status = find_classes(job, &labels, max_pixels, err);
    mr_labels_free(&labels);
    return status;
}

typedef struct scanner {
    mr_label_job *jobs;
    int64_t max_pixels;
    atomic_int out_of_memory;
} scanner;

static void scan_some(void *context, size_t begin, size_t end, int thread) {
    scanner *s = context;
    (void)thread;
    for (size_t i = begin; i < end && !atomic_load(&s->out_of_memory); i++) {
        mr_label_job *job = &s->jobs[i];
        mrcnn_error why = MRCNN_ERROR_INIT;
        if (!job->id || job->why) continue;
        mrcnn_status status = scan(job, s->max_pixels, &why);
        if (status == MRCNN_OK) continue;
        job->why = mr_strdup(why.message);
        if (status == MRCNN_E_MEMORY || !job->why) atomic_store(&s->out_of_memory, 1);
    }
}

mrcnn_status mr_label_scan(mr_label_job *jobs, size_t count, int64_t max_pixels, mrcnn_error *err) {
    scanner s = {.jobs = jobs, .max_pixels = max_pixels};
    int threads = mr_cores() < MOST_THREADS ? mr_cores() : MOST_THREADS;
    mr_parallel_dynamic(threads, count, 1, scan_some, &s);
    if (!atomic_load(&s.out_of_memory)) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_MEMORY, "out of memory while label files were read");
}

void mr_label_jobs_free(mr_label_job *jobs, size_t count) {
    for (size_t i = 0; jobs && i < count; i++) {
        free(jobs[i].path);
        free(jobs[i].labels);
        free(jobs[i].classes);
        free(jobs[i].why);
        free(jobs[i].class_values);
        mr_tally_free(&jobs[i].objects);
    }
    free(jobs);
}
