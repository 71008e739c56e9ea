/* learner_rpn.c - the RPN's two losses (N42) and their gradients, which touch a few hundred anchors
 * of a quarter of a million: they are gathered, and go back as a list of pixels. */
#include "train/learner_internal.h"

#include <string.h>

static mr_learner_level *level_of(mr_learner *l, size_t anchor) {
    int i = MR_LEVELS - 1;
    while (i > 0 && anchor < l->levels[i].first) i--;
    return &l->levels[i];
}

static int ratio_count(const mr_learner *l) {
    return l->options.settings->rpn_anchor_ratios.count;
}

/* Where an anchor of a picture stands in its level's outputs of the batch. */
static size_t place_of(const mr_learner_level *level, int image, size_t anchor) {
    return (size_t)image * level->anchors + (anchor - level->first);
}

const float *mr_learner_anchor_deltas(const mr_learner *l, int image, int32_t anchor) {
    const mr_learner_level *level = level_of((mr_learner *)l, (size_t)anchor);
    return level->deltas + 4 * place_of(level, image, (size_t)anchor);
}

static mr_anchor_gradient *add_entry(mr_learner *l, int image, size_t anchor) {
    mr_learner_level *level = level_of(l, anchor);
    size_t place = place_of(level, image, anchor);
    mr_anchor_gradient *entry = &level->entries[level->entry_count++];
    memset(entry, 0, sizeof *entry);
    entry->pixel = (int32_t)(place / (size_t)ratio_count(l));
    entry->ratio = (int32_t)(place % (size_t)ratio_count(l));
    return entry;
}

void mr_learner_add_delta_gradient(mr_learner *l, int image, int32_t anchor,
                                   const float gradient[4]) {
    memcpy(add_entry(l, image, (size_t)anchor)->deltas, gradient, 4 * sizeof *gradient);
}

typedef struct gathered {
    int count, positives;
} gathered;

static gathered gather(mr_learner *l, const mr_lesson *lessons) {
    gathered g = {0, 0};
    for (int b = 0; b < l->options.batch; b++) {
        const mr_rpn_targets *t = &lessons[b].rpn;
        for (int i = 0, positive = 0; i < t->count; i++, g.count++) {
            size_t anchor = (size_t)t->anchors[i];
            const mr_learner_level *level = level_of(l, anchor);
            size_t place = place_of(level, b, anchor);
            memcpy(l->rpn_logits[g.count], level->logits + 2 * place, 2 * sizeof(float));
            l->rpn_matches[g.count] = t->matches[i];
            if (t->matches[i] != 1) continue;
            memcpy(l->rpn_deltas[g.positives], level->deltas + 4 * place, 4 * sizeof(float));
            memcpy(l->rpn_targets[g.positives], t->deltas[positive], 4 * sizeof(float));
            positive++;
            g.positives++;
        }
    }
    return g;
}

static void scatter(mr_learner *l, const mr_lesson *lessons) {
    gathered at = {0, 0};
    for (int b = 0; b < l->options.batch; b++) {
        const mr_rpn_targets *t = &lessons[b].rpn;
        for (int i = 0; i < t->count; i++, at.count++) {
            mr_anchor_gradient *entry = add_entry(l, b, (size_t)t->anchors[i]);
            memcpy(entry->logits, l->rpn_logits_gradient[at.count], sizeof entry->logits);
            if (t->matches[i] != 1) continue;
            memcpy(entry->deltas, l->rpn_deltas_gradient[at.positives], sizeof entry->deltas);
            at.positives++;
        }
    }
}

void mr_learner_rpn_losses(mr_learner *l, const mr_lesson *lessons, mr_lesson_result *result) {
    const double *weights = l->options.settings->loss_weights.values;
    for (int i = 0; i < MR_LEVELS; i++) l->levels[i].entry_count = 0;
    gathered g = gather(l, lessons);
    result->anchors = g.count;
    result->positive_anchors = g.positives;
    result->losses[0] = mr_rpn_class_loss((const float(*)[2])l->rpn_logits, l->rpn_matches,
                                          (size_t)g.count, weights[0], l->rpn_logits_gradient);
    result->losses[1] =
        mr_rpn_bbox_loss((const float(*)[4])l->rpn_deltas, (const float(*)[4])l->rpn_targets,
                         (size_t)g.positives, weights[1], l->rpn_deltas_gradient);
    if (l->backward) scatter(l, lessons);
}

/* Shell sort by pixel: a few hundred entries, most of them in order already. */
static void sort_entries(mr_anchor_gradient *entries, int count) {
    for (int gap = count / 2; gap > 0; gap /= 2)
        for (int i = gap; i < count; i++) {
            mr_anchor_gradient entry = entries[i];
            int k = i;
            for (; k >= gap && entries[k - gap].pixel > entry.pixel; k -= gap)
                entries[k] = entries[k - gap];
            entries[k] = entry;
        }
}

static void list_pixels(mr_learner_level *level) {
    int count = 0;
    sort_entries(level->entries, level->entry_count);
    for (int i = 0; i < level->entry_count; i++)
        if (count == 0 || level->pixel_list[count - 1] != level->entries[i].pixel)
            level->pixel_list[count++] = level->entries[i].pixel;
    level->pixels.count = count;
    level->pixels.index = level->pixel_list;
}

static void write_rows(const mr_learner_level *level, int ratios, float *logits, float *deltas) {
    size_t rows = (size_t)level->pixels.count, r = (size_t)ratios, row = 0;
    memset(logits, 0, rows * r * 2 * sizeof *logits);
    memset(deltas, 0, rows * r * 4 * sizeof *deltas);
    for (int i = 0; i < level->entry_count; i++) {
        const mr_anchor_gradient *e = &level->entries[i];
        while (level->pixel_list[row] != e->pixel) row++;
        size_t at = row * r + (size_t)e->ratio;
        for (int k = 0; k < 2; k++) logits[2 * at + (size_t)k] += e->logits[k];
        for (int k = 0; k < 4; k++) deltas[4 * at + (size_t)k] += e->deltas[k];
    }
}

void mr_learner_rpn_gradients(mr_learner *l) {
    static const char *const names[MR_LEVELS][2] = {{"rpn_class_raw2", "rpn_bbox2"},
                                                    {"rpn_class_raw3", "rpn_bbox3"},
                                                    {"rpn_class_raw4", "rpn_bbox4"},
                                                    {"rpn_class_raw5", "rpn_bbox5"},
                                                    {"rpn_class_raw6", "rpn_bbox6"}};
    for (int i = 0; i < MR_LEVELS; i++) {
        mr_learner_level *level = &l->levels[i];
        list_pixels(level);
        mr_plan_set_pixels(l->pyramid, i, &level->pixels);
        float *logits = mr_plan_output_gradient(l->pyramid, l->workspace, names[i][0]);
        float *deltas = mr_plan_output_gradient(l->pyramid, l->workspace, names[i][1]);
        if (logits && deltas) write_rows(level, ratio_count(l), logits, deltas);
    }
}
