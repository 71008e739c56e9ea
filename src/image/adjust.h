/* adjust.h - changing pixels where they are: value by value, in colour, and with noise. Pixels are
 * `count` times `channels` bytes. */
#ifndef MR_IMAGE_ADJUST_H
#define MR_IMAGE_ADJUST_H

#include <stddef.h>
#include <stdint.h>

/* Looks every value up: tables[c] for channel c. */
void mr_adjust_values(uint8_t *pixels, size_t count, int channels, const uint8_t (*tables)[256]);

/* Hue in turns (1 is a whole one), saturation from 0 to 1: new = old * factor + shift; hue goes
 * round, saturation is cut off. */
typedef struct mr_color_change {
    float hue_factor, hue_shift, saturation_factor, saturation_shift;
} mr_color_change;

/* The first three channels as RGB in the hexagonal HSV model; value stays as it is, and so do other
 * channels. */
void mr_adjust_color(uint8_t *pixels, size_t count, int channels, const mr_color_change *change);

/* Adds normal noise of that standard deviation from a random stream: one number for each pixel, or
 * one for each of its channels. */
void mr_adjust_noise(uint8_t *pixels, size_t count, int channels, double deviation, int per_channel,
                     uint64_t stream);

#endif
