/* adjust.c - see adjust.h. */
#include "image/adjust.h"

#include "base/prng.h"

void mr_adjust_values(uint8_t *pixels, size_t count, int channels, const uint8_t (*tables)[256]) {
    for (size_t i = 0; i < count; i++, pixels += channels)
        for (int c = 0; c < channels; c++) pixels[c] = tables[c][pixels[c]];
}

/* -------------------------------------------------------------------------------------- colour */

static float wrap(float turns) {
    turns -= (float)(int)turns;
    return turns < 0 ? turns + 1 : turns;
}

/* Hue in turns of a colour whose largest and smallest values differ by `span`. */
static float hue_of(float r, float g, float b, float most, float span) {
    float sixths = most == r ? (g - b) / span : most == g ? 2 + (b - r) / span : 4 + (r - g) / span;
    return wrap(sixths / 6);
}

/* A channel of a saturated colour: 1 near its own hue, 0 far from it. `place` is 5 for red, 3 for
 * green, 1 for blue. */
static float strength(float hue, float place) {
    float at = place + 6 * hue;
    if (at >= 6) at -= 6;
    float s = at < 4 - at ? at : 4 - at;
    return s < 0 ? 0 : s > 1 ? 1 : s;
}

static void change_pixel(uint8_t *pixel, const mr_color_change *change) {
    float r = pixel[0], g = pixel[1], b = pixel[2];
    float most = r > g ? r : g, least = r < g ? r : g;
    if (b > most) most = b;
    if (b < least) least = b;
    float span = most - least;
    if (span <= 0) return; /* grey has no hue to turn, and no saturation to grow from */
    float hue = wrap(hue_of(r, g, b, most, span) * change->hue_factor + change->hue_shift);
    float saturation = span / most * change->saturation_factor + change->saturation_shift;
    saturation = saturation < 0 ? 0 : saturation > 1 ? 1 : saturation;
    for (int c = 0; c < 3; c++)
        pixel[c] = (uint8_t)(most - most * saturation * strength(hue, (float)(5 - 2 * c)) + 0.5f);
}

void mr_adjust_color(uint8_t *pixels, size_t count, int channels, const mr_color_change *change) {
    if (channels < 3) return;
    for (size_t i = 0; i < count; i++, pixels += channels) change_pixel(pixels, change);
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
