/* scale.c - see scale.h. Ticks are at multiples of 1, 2 or 5 times a power of ten. */
#include "viz/scale.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Beyond that, sums of an axis' ends might overflow. */
static const double LARGEST = 1e300;
/* A range smaller than this share of its values can't be labelled: it is one value. */
static const double NARROWEST = 1e-12;

mr_extent mr_extent_start(void) {
    return (mr_extent){INFINITY, -INFINITY, 1};
}

int mr_can_draw(double value, int is_log) {
    return fabs(value) <= LARGEST && (!is_log || value >= DBL_MIN);
}

void mr_extent_add(mr_extent *extent, double value, int is_log) {
    if (!mr_can_draw(value, is_log)) return;
    if (value < extent->low) extent->low = value;
    if (value > extent->high) extent->high = value;
    if (value != floor(value)) extent->is_whole = 0;
}

/* --------------------------------------------------------------------------------------- labels */

/* The locale's decimal comma, whatever its bytes, becomes a point. */
static void undo_locale(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        int ours = strchr("0123456789+-e", *from) != NULL;
        if (ours)
            *to++ = *from;
        else if (to == text || to[-1] != '.')
            *to++ = '.';
    }
    *to = 0;
}

/* "2.5e+06" as "2.5e6". */
static void shorten_exponent(char *text) {
    char *e = strchr(text, 'e');
    if (!e) return;
    char *digits = e + 1, *to = e + 1;
    if (*digits == '-') to++;
    digits++;
    while (*digits == '0' && digits[1]) digits++;
    memmove(to, digits, strlen(digits) + 1);
}

static void group_thousands(char *text) {
    size_t length = strlen(text), sign = text[0] == '-';
    if (length - sign < 5) return; /* 1000 is read well enough */
    for (size_t i = length; i > sign + 3; i -= 3) {
        size_t at = i - 3;
        if (at <= sign || strlen(text) + 2 > MR_TICK_BYTES) break;
        memmove(text + at + 1, text + at, strlen(text + at) + 1);
        text[at] = ',';
    }
}

/* A tick's label with the digits that tell it from its neighbours, `step` away. */
static void print_tick(char text[MR_TICK_BYTES], double value, double step, double largest) {
    int top = largest > 0.0 ? (int)floor(log10(largest)) : 0;
    int last = (int)floor(log10(step) + 1e-9); /* the place of the last digit that counts */
    int decimals = last < 0 ? -last : 0;
    if (fabs(value) < step / 1e6) value = 0.0; /* no -0, no 1e-17 */
    if ((top >= 6 && top - last <= 3) || top >= 15 || top <= -4 || last < -6) {
        int digits = top - last;
        snprintf(text, MR_TICK_BYTES, "%.*e", digits < 0 ? 0 : digits > 14 ? 14 : digits, value);
        if (value == 0.0) snprintf(text, MR_TICK_BYTES, "0");
        undo_locale(text);
        shorten_exponent(text);
    } else {
        snprintf(text, MR_TICK_BYTES, "%.*f", decimals, value);
        undo_locale(text);
        if (decimals == 0) group_thousands(text);
    }
}

/* ---------------------------------------------------------------------------------------- ticks */

static double round_step(double range, int most) {
    double raw = range / most, power = pow(10.0, floor(log10(raw)));
    static const double steps[] = {1.0, 2.0, 5.0, 10.0};
    for (int i = 0; i < 3; i++)
        if (steps[i] * power >= raw * (1.0 - 1e-9)) return steps[i] * power;
    return steps[3] * power;
}

static void add_tick(mr_scale *scale, double value, double step, double largest) {
    if (scale->count == MR_TICKS) return;
    scale->ticks[scale->count] = value;
    print_tick(scale->labels[scale->count++], value, step, largest);
}

/* Two ticks at least, even if that is more than `most` would give. */
static void linear_ticks(mr_scale *scale, int most, int is_whole) {
    double step = 0.0, first = 0.0, last = -1.0;
    for (; last - first < 1.0; most++) {
        step = round_step(scale->high - scale->low, most);
        if (is_whole && step < 1.0 && floor(scale->high) - ceil(scale->low) >= 1.0) step = 1.0;
        first = ceil(scale->low / step - 1e-9);
        last = floor(scale->high / step + 1e-9);
    }
    double largest = fmax(fabs(first * step), fabs(last * step));
    for (double i = first; i <= last && scale->count < MR_TICKS; i += 1.0)
        add_tick(scale, i * step, step, largest);
}

/* Decades, each `every`th with a label; between them, if they are few, 2 to 9. */
static void decade_ticks(mr_scale *scale, int most) {
    int first = (int)ceil(log10(scale->low) - 1e-9), last = (int)floor(log10(scale->high) + 1e-9);
    int every = (last - first) / most + 1, short_form = first < -4 || last > 5;
    for (int d = first - 1; d <= last; d++) {
        double power = pow(10.0, d);
        if (d >= first && (d - first) % every == 0) {
            add_tick(scale, power, power, power);
            if (short_form) snprintf(scale->labels[scale->count - 1], MR_TICK_BYTES, "1e%d", d);
        }
        for (int k = 2; k <= 9 && last - first <= 5 && scale->minor_count < MR_MINOR_TICKS; k++)
            if (k * power > scale->low && k * power < scale->high)
                scale->minor[scale->minor_count++] = k * power;
    }
}

/* Less than two decades: 1, 2 and 5 of each. */
static void part_ticks(mr_scale *scale) {
    static const double parts[] = {1.0, 2.0, 5.0};
    int first = (int)floor(log10(scale->low) - 1e-9), last = (int)floor(log10(scale->high) + 1e-9);
    for (int d = first; d <= last; d++)
        for (int k = 0; k < 3; k++) {
            double power = pow(10.0, d), value = parts[k] * power;
            if (value >= scale->low * (1.0 - 1e-9) && value <= scale->high * (1.0 + 1e-9))
                add_tick(scale, value, power, value);
        }
}

static void choose_ticks(mr_scale *scale, const mr_scale_options *options, int is_whole) {
    scale->count = scale->minor_count = 0;
    double decades = scale->is_log ? log10(scale->high / scale->low) : 0.0;
    if (decades >= 2.0)
        decade_ticks(scale, options->ticks);
    else if (decades >= 0.7)
        part_ticks(scale);
    else
        linear_ticks(scale, options->ticks, is_whole);
}

/* ---------------------------------------------------------------------------------------- range */

static void choose_log_range(mr_scale *scale, const mr_scale_options *options) {
    if (scale->low > scale->high) {
        scale->low = 0.1;
        scale->high = 1.0;
    }
    if (options->keep && scale->low < scale->high) return;
    double low = log10(scale->low), high = log10(scale->high);
    double pad = high - low < 1e-9 ? 0.5 : (high - low) * options->pad;
    scale->low = fmax(pow(10.0, low - pad), DBL_MIN);
    scale->high = fmin(pow(10.0, high + pad), LARGEST * 1e3);
}

static void choose_linear_range(mr_scale *scale, const mr_scale_options *options, int is_whole) {
    if (scale->low > scale->high) {
        scale->low = 0.0;
        scale->high = 1.0;
    }
    if (options->zero && scale->low > 0.0) scale->low = 0.0;
    if (options->zero && scale->high < 0.0) scale->high = 0.0;
    double range = scale->high - scale->low;
    double largest = fmax(fabs(scale->low), fabs(scale->high));
    if (range <= largest * NARROWEST || range < 1e-290) {
        double pad = largest < 1e-280 || (is_whole && largest < 1e6) ? 1.0 : largest * 0.1;
        scale->low -= pad;
        scale->high += pad;
    } else if (!options->keep) {
        double pad = range * options->pad;
        if (scale->low != 0.0 || !options->zero) scale->low -= pad;
        if (scale->high != 0.0 || !options->zero) scale->high += pad;
    }
}

void mr_scale_choose(mr_scale *scale, const mr_extent *extent, const mr_scale_options *options) {
    scale->low = extent->low;
    scale->high = extent->high;
    scale->is_log = options->is_log;
    if (options->is_log)
        choose_log_range(scale, options);
    else
        choose_linear_range(scale, options, extent->is_whole);
    choose_ticks(scale, options, extent->is_whole);
}

double mr_scale_at(const mr_scale *scale, double value) {
    if (scale->is_log)
        return (log10(value) - log10(scale->low)) / (log10(scale->high) - log10(scale->low));
    return (value - scale->low) / (scale->high - scale->low);
}
