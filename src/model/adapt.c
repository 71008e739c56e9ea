/* adapt.c - see adapt.h. Whatever the numbers of channels are, each new channel is a mix of old ones:
 * one small matrix says it all. */
#include "model/adapt.h"

#include "base/memory.h"
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

enum { INPUTS = 2 }; /* the axis of Keras' kernels: height, width, inputs, outputs */

typedef struct mix {
    int have, want;                                 /* channels */
    int have_c, want_c;                             /* of them, colours */
    double share[MR_MAX_CHANNELS][MR_MAX_CHANNELS]; /* of an old channel in a new one */
} mix;

static int count_colours(int channels) {
    return channels < 3 ? 1 : 3;
}

static int is_few(int64_t channels) {
    return channels >= 1 && channels <= MR_MAX_CHANNELS;
}

int mr_can_adapt(const mr_tensor *have, const mr_tensor *want, int channels) {
    if (strcmp(want->layer, "conv1") != 0 || strcmp(want->param, "kernel") != 0) return 0;
    if (have->rank != 4 || want->rank != 4 || want->shape[INPUTS] != channels) return 0;
    if (!is_few(have->shape[INPUTS]) || !is_few(want->shape[INPUTS])) return 0;
    return have->shape[0] == want->shape[0] && have->shape[1] == want->shape[1] &&
           have->shape[3] == want->shape[3];
}

static mix make_mix(const mr_tensor *want, const mr_tensor *have) {
    static const double luma[3] = {0.299, 0.587, 0.114};
    mix m = {.have = (int)have->shape[INPUTS], .want = (int)want->shape[INPUTS]};
    m.have_c = count_colours(m.have);
    m.want_c = count_colours(m.want);
    for (int i = 0; i < 3; i++) {
        if (m.have_c == m.want_c && i < m.want_c) m.share[i][i] = 1;
        if (m.have_c > m.want_c) m.share[0][i] = 1;
        if (m.have_c < m.want_c) m.share[i][0] = luma[i];
    }
    for (int i = m.want_c; i < m.want; i++) {
        int old = m.have_c + i - m.want_c;
        if (old < m.have) m.share[i][old] = 1;
        for (int k = 0; old >= m.have && k < m.have_c; k++) m.share[i][k] = 1.0 / 3.0;
    }
    return m;
}

void mr_adapt(mr_tensor *want, const mr_tensor *have) {
    mix m = make_mix(want, have);
    size_t taps = (size_t)(want->shape[0] * want->shape[1]), filters = (size_t)want->shape[3];
    for (size_t tap = 0; tap < taps; tap++)
        for (int i = 0; i < m.want; i++)
            for (size_t f = 0; f < filters; f++) {
                const float *from = have->values + tap * (size_t)m.have * filters + f;
                double sum = 0;
                for (int k = 0; k < m.have; k++) sum += m.share[i][k] * from[(size_t)k * filters];
                want->values[(tap * (size_t)m.want + (size_t)i) * filters + f] = (float)sum;
            }
}

/* "channel 4" or "channels 4 to 6". */
static char *name_channels(int first, int last) {
    return first == last ? mr_format("channel %d", first)
                         : mr_format("channels %d to %d", first, last);
}

char *mr_adapt_note(const mr_tensor *want, const mr_tensor *have) {
    mix m = make_mix(want, have);
    const char *colours = m.have_c > m.want_c ? "grey starts as the sum of R, G and B"
                          : m.have_c < m.want_c
                              ? "R, G and B start as 0.299, 0.587 and 0.114 of grey"
                              : "";
    int kept = m.have - m.have_c, room = m.want - m.want_c;
    char *behind = NULL, *channels = NULL;
    if (room > kept) {
        channels = name_channels(m.want_c + kept + 1, m.want);
        behind = channels ? mr_format("%s start%s as %s", channels, room - kept == 1 ? "s" : "",
                                      m.have_c == 3 ? "the mean of R, G and B" : "a third of grey")
                          : NULL;
    } else if (room < kept) {
        channels = name_channels(m.have_c + room + 1, m.have);
        behind = channels ? mr_format("%s of the file %s dropped", channels,
                                      kept - room == 1 ? "is" : "are")
                          : NULL;
    } else {
        behind = mr_strdup("");
    }
    char *note =
        behind ? mr_format("%s%s%s", colours, *colours && *behind ? "; " : "", behind) : NULL;
    free(channels);
    free(behind);
    return note;
}
