/* schedule.c - see schedule.h. */
#include "train/schedule.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

static double step_decay(const mr_settings *settings, const mr_schedule_place *place) {
    int64_t epochs_done = place->step / place->steps_per_epoch;
    double factor = 1;
    for (int i = 0; i < settings->learning_rate_steps.count; i++)
        if (settings->learning_rate_steps.values[i] <= epochs_done)
            factor *= settings->learning_rate_gamma;
    return factor;
}

static double cosine_decay(const mr_schedule_place *place) {
    double done = (double)place->step - (place->first_epoch - 1.0) * place->steps_per_epoch;
    double all = (place->last_epoch - place->first_epoch + 1.0) * place->steps_per_epoch;
    double part = fmin(fmax(done / all, 0), 1);
    return 0.5 * (1 + cos(pi * part));
}

static double warm_up(const mr_settings *settings, const mr_schedule_place *place) {
    int64_t steps_done = place->step - place->first_step;
    if (steps_done >= settings->warmup_steps) return 1;
    return (double)(steps_done + 1) / settings->warmup_steps;
}

double mr_learning_rate(const mr_settings *settings, const mr_schedule_place *place) {
    double rate = settings->learning_rate * place->factor * warm_up(settings, place);
    switch (settings->learning_rate_schedule) {
    case MR_LR_CONSTANT: break;
    case MR_LR_STEP: return rate * step_decay(settings, place);
    case MR_LR_COSINE: return rate * cosine_decay(place);
    }
    return rate;
}
