/* sampling.h - where tf.image.crop_and_resize samples (N22): one definition for all executors,
 * because the float32 order of operations decides whether a sample on the border counts (boxes that
 * end exactly at 1.0). */
#ifndef MR_GRAPH_SAMPLING_H
#define MR_GRAPH_SAMPLING_H

/* Position of sample i of `crop` along an axis of `n` pixels between the normalised ends lo and hi.
 */
static inline float mr_sample_position(float lo, float hi, int n, int crop, int i) {
    float last = (float)(n - 1);
    if (crop > 1) {
        float step = (hi - lo) * last / (float)(crop - 1);
        return lo * last + (float)i * step;
    }
    return (float)(0.5 * (double)(lo + hi) * (double)last); /* the 0.5 is a double there */
}

/* Two neighbours and the weight of the second; inside is 0 for a sample that counts as zero. */
typedef struct mr_sample {
    int low, high, inside;
    float weight;
} mr_sample;

static inline mr_sample mr_sample_at(float lo, float hi, int n, int crop, int i) {
    float position = mr_sample_position(lo, hi, n, crop, i);
    mr_sample sample = {0, 0, 0, 0.0f};
    if (!(position >= 0 && position <= (float)(n - 1))) return sample; /* also NaN */
    sample.inside = 1;
    sample.low = (int)position; /* floor: it is not negative */
    sample.weight = position - (float)sample.low;
    sample.high = sample.weight > 0 ? sample.low + 1 : sample.low; /* ceil */
    return sample;
}

#endif
