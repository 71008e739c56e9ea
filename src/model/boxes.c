/* boxes.c - coordinates of boxes. */
#include "model/boxes.h"

#include <math.h>

void mr_norm_box(const double box[4], int height, int width, float out[4]) {
    for (int i = 0; i < 4; i++) {
        double shift = i < 2 ? 0 : 1, scale = (i % 2 ? width : height) - 1;
        out[i] = (float)((box[i] - shift) / scale);
    }
}

void mr_denorm_box(const float box[4], int height, int width, int32_t out[4]) {
    for (int i = 0; i < 4; i++) {
        double shift = i < 2 ? 0 : 1, scale = (i % 2 ? width : height) - 1;
        double pixel = rint((double)box[i] * scale + shift); /* half to even */
        /* exp() of a wild delta can give anything: a box outside every picture stays one. */
        if (pixel != pixel) pixel = 0;
        out[i] = pixel > 1e9 ? 1000000000 : pixel < -1e9 ? -1000000000 : (int32_t)pixel;
    }
}

double mr_box_iou(const int32_t a[4], const int32_t b[4]) {
    double height = fmin(a[2], b[2]) - fmax(a[0], b[0]);
    double width = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    if (height <= 0 || width <= 0) return 0;
    double both = height * width;
    double area_a = ((double)a[2] - a[0]) * ((double)a[3] - a[1]);
    double area_b = ((double)b[2] - b[0]) * ((double)b[3] - b[1]);
    return both / (area_a + area_b - both);
}

void mr_apply_deltas(const float box[4], const float deltas[4], float out[4]) {
    float h = box[2] - box[0], w = box[3] - box[1];
    float cy = box[0] + 0.5f * h, cx = box[1] + 0.5f * w;
    cy += deltas[0] * h;
    cx += deltas[1] * w;
    h *= expf(deltas[2]); /* N15: no clamp */
    w *= expf(deltas[3]);
    out[0] = cy - 0.5f * h;
    out[1] = cx - 0.5f * w;
    out[2] = out[0] + h; /* N15: not cy + h/2 */
    out[3] = out[1] + w;
}

void mr_box_refinement(const float box[4], const float target[4], float deltas[4]) {
    float h = box[2] - box[0], w = box[3] - box[1];
    float gh = target[2] - target[0], gw = target[3] - target[1];
    deltas[0] = ((target[0] + 0.5f * gh) - (box[0] + 0.5f * h)) / h;
    deltas[1] = ((target[1] + 0.5f * gw) - (box[1] + 0.5f * w)) / w;
    deltas[2] = logf(gh / h);
    deltas[3] = logf(gw / w);
}

void mr_clip_box(float box[4], const float window[4]) {
    for (int i = 0; i < 4; i++) {
        float low = window[i % 2], high = window[2 + i % 2];
        box[i] = fmaxf(fminf(box[i], high), low);
    }
}

float mr_iou(const float a[4], const float b[4]) {
    float y1 = fmaxf(a[0], b[0]), x1 = fmaxf(a[1], b[1]);
    float y2 = fminf(a[2], b[2]), x2 = fminf(a[3], b[3]);
    float inter = fmaxf(x2 - x1, 0) * fmaxf(y2 - y1, 0);
    float area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
    return inter / (area_a + area_b - inter);
}

int mr_roi_level(const float box[4], double area) {
    float size = (box[2] - box[0]) * (box[3] - box[1]);
    float k = logf(sqrtf(size) / (224.0f / sqrtf((float)area))) / logf(2.0f);
    if (!isfinite(k)) return 2; /* N21: zero-area and NaN boxes */
    float level = 4 + rintf(k); /* half to even */
    return level < 2 ? 2 : level > 5 ? 5 : (int)level;
}
