/* type.c - see type.h. */
#include "base/type.h"

#include "base/bf16.h"
#include "base/round.h"

void mr_read_numbers(mr_type type, float scale, const void *from, size_t first, float *to,
                     size_t count) {
    switch (type) {
    case MR_F32: memcpy(to, (const float *)from + first, count * sizeof *to); break;
    case MR_BF16: mr_bf16_to_floats((const mr_bf16 *)from + first, to, count); break;
    case MR_U8:
        for (size_t i = 0; i < count; i++)
            to[i] = (float)((const uint8_t *)from)[first + i] * scale;
        break;
    case MR_S8:
        for (size_t i = 0; i < count; i++) to[i] = (float)((const int8_t *)from)[first + i] * scale;
        break;
    }
}

static float cut(float x, float least, float most) {
    x = x > least ? x : least;
    return x < most ? x : most;
}

void mr_write_numbers(mr_type type, float scale, const float *from, void *to, size_t first,
                      size_t count) {
    float factor = 1 / scale;
    switch (type) {
    case MR_F32: memcpy((float *)to + first, from, count * sizeof *from); break;
    case MR_BF16: mr_bf16_from_floats(from, (mr_bf16 *)to + first, count); break;
    case MR_U8:
        for (size_t i = 0; i < count; i++)
            ((uint8_t *)to)[first + i] = (uint8_t)mr_round(cut(from[i] * factor, 0, 255));
        break;
    case MR_S8:
        for (size_t i = 0; i < count; i++)
            ((int8_t *)to)[first + i] = (int8_t)mr_round(cut(from[i] * factor, -128, 127));
        break;
    }
}
