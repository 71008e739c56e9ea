/* adjust.c - see adjust.h. */
#include "image/adjust.h"

#include "base/prng.h"

void mr_adjust_values(uint8_t *pixels, size_t count, int channels, const uint8_t (*tables)[256]) {
    for (size_t i = 0; i < count; i++, pixels += channels)
        for (int c = 0; c < channels; c++) pixels[c] = tables[c][pixels[c]];
}

/* -------------------------------------------------------------------------------------- colour */

/* Pixels are changed in small planes, in loops without branches, for vectors' sake. */
enum { PLANE = 64 };

/* The part behind the point, also of what is below 0. */
static float wrap(float turns) {
    float rest = turns - (float)(int)turns;
    return rest < 0 ? rest + 1 : rest;
}

/* A channel of a saturated colour: 1 far from its own hue, 0 near it. `place` is 5 for red, 3 for
 * green, 1 for blue. */
static float lack(float hue, float place) {
    float at = place + 6 * hue;
    at = at >= 6 ? at - 6 : at;
    float s = at < 4 - at ? at : 4 - at;
    s = s < 0 ? 0 : s;
    return s > 1 ? 1 : s;
}

/* Grey, of span 0, has no hue to turn and no saturation to grow from: its saturation stays 0. */
static void change_plane(float *restrict r, float *restrict g, float *restrict b,
                         const mr_color_change *change) {
    float hue_factor = change->hue_factor, hue_shift = change->hue_shift;
    float factor = change->saturation_factor, shift = change->saturation_shift;
    for (int i = 0; i < PLANE; i++) {
        float most = r[i] > g[i] ? r[i] : g[i], least = r[i] < g[i] ? r[i] : g[i];
        most = b[i] > most ? b[i] : most;
        least = b[i] < least ? b[i] : least;
        float span = most - least, colored = span > 0 ? 1.0f : 0.0f;
        float by_r = g[i] - b[i], by_g = 2 * span + b[i] - r[i], by_b = 4 * span + r[i] - g[i];
        float sixths = most == g[i] ? by_g : by_b;
        sixths = (most == r[i] ? by_r : sixths) / (span + 1 - colored);
        float hue = wrap(wrap(sixths / 6) * hue_factor + hue_shift);
        float saturation = span / (most + 1 - colored) * factor + shift;
        saturation = saturation < 0 ? 0 : saturation;
        saturation = colored * (saturation > 1 ? 1 : saturation);
        r[i] = most - most * saturation * lack(hue, 5);
        g[i] = most - most * saturation * lack(hue, 3);
        b[i] = most - most * saturation * lack(hue, 1);
    }
}

void mr_adjust_color(uint8_t *pixels, size_t count, int channels, const mr_color_change *change) {
    float planes[3][PLANE] = {{0}};
    if (channels < 3) return;
    for (size_t done = 0; done < count; done += PLANE) {
        size_t left = count - done < PLANE ? count - done : PLANE;
        uint8_t *at = pixels + done * (size_t)channels;
        for (size_t i = 0; i < left; i++)
            for (size_t c = 0; c < 3; c++) planes[c][i] = at[i * (size_t)channels + c];
        change_plane(planes[0], planes[1], planes[2], change);
        for (size_t i = 0; i < left; i++)
            for (size_t c = 0; c < 3; c++)
                at[i * (size_t)channels + c] = (uint8_t)(int)(planes[c][i] + 0.5f);
    }
}

/* --------------------------------------------------------------------------------------- noise */

/* The sum of eight uniform bytes, less its mean: nearly normal, out to 4.9 deviations of 209. */
static int eight_bytes(uint64_t value) {
    uint64_t pairs = (value & 0x00FF00FF00FF00FFu) + (value >> 8 & 0x00FF00FF00FF00FFu);
    return (int)(pairs * 0x0001000100010001u >> 48) - 1020;
}

static uint8_t add_noise(uint8_t value, float noise) {
    float sum = (float)value + noise;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum + 0.5f);
}

void mr_adjust_noise(uint8_t *pixels, size_t count, int channels, double deviation, int per_channel,
                     uint64_t stream) {
    const double own_deviation = 209.0215299918275; /* sqrt(8 * (256 * 256 - 1) / 12) */
    float scale = (float)(deviation / own_deviation);
    if (per_channel) {
        count *= (size_t)channels;
        channels = 1;
    }
    for (size_t i = 0; i < count; i++, pixels += channels) {
        float noise = scale * (float)eight_bytes(mr_prng_value(stream, i));
        for (int c = 0; c < channels; c++) pixels[c] = add_noise(pixels[c], noise);
    }
}
