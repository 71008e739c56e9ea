/* schedule.h - the learning rate of a step: a pure function, so that a resumed run takes up the
 * rate that an uninterrupted one would have. */
#ifndef MR_TRAIN_SCHEDULE_H
#define MR_TRAIN_SCHEDULE_H

#include "config/config.h"

/* Where a run is. Epochs count from 1; a step is one batch. */
typedef struct mr_schedule_place {
    int64_t step;       /* steps before this one since epoch 1 began */
    int64_t first_step; /* the same of the run's very first step: where the warm-up begins */
    int steps_per_epoch;
    int first_epoch, last_epoch; /* of the stage (config/stages.h), even when it was resumed */
    double factor;               /* of the stage */
} mr_schedule_place;

/* LEARNING_RATE x factor, times
 *   LEARNING_RATE_SCHEDULE constant: 1 (matterport's)
 *   step: LEARNING_RATE_GAMMA for each of LEARNING_RATE_STEPS that is an epoch already done
 *   cosine: half a wave over the stage, 1 at its first step, 0 where the next step would be
 *           (Loshchilov, Hutter: SGDR, equation 5, without restarts)
 * and, while fewer than WARMUP_STEPS steps were made, times (steps made + 1) / WARMUP_STEPS. */
double mr_learning_rate(const mr_settings *settings, const mr_schedule_place *place);

#endif
