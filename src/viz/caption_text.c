/* caption_text.c - see caption_text.h. */
#include "viz/caption_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the UTF-8 character at `text`, 0 if it is none. Surrogates, overlong forms and
 * non-characters are none: cairo refuses the whole text for one of them. */
static int character_length(const char *text) {
    const unsigned char *p = (const unsigned char *)text;
    int length = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    static const uint32_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07},
                          least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (length == 0 || p[0] > 0xF4) return 0;
    uint32_t code = p[0] & lead_bits[length];
    for (int i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0; /* stops at the final 0 too */
        code = code << 6 | (p[i] & 0x3F);
    }
    int surrogate = code >= 0xD800 && code <= 0xDFFF;
    int non_character = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
    return code < least[length] || code > 0x10FFFF || surrogate || non_character ? 0 : length;
}

static int is_control(const char *text, int length) {
    unsigned char c = (unsigned char)text[0];
    return length == 1 ? c < 0x20 || c == 0x7F
                       : length == 2 && c == 0xC2 && (unsigned char)text[1] < 0xA0;
}

static char *append(char *to, const char *from, int bytes) {
    memcpy(to, from, (size_t)bytes);
    return to + bytes;
}

int mr_plain_text(char *text, const char *from, int characters) {
    char *end = text;
    int used = 0;
    for (; *from && used < characters; used++) {
        int length = character_length(from);
        if (length == 0)
            end = append(end, "\xEF\xBF\xBD", 3);
        else if (is_control(from, length))
            end = append(end, " ", 1);
        else
            end = append(end, from, length);
        from += length ? length : 1;
    }
    if (*from) end = append(end, "\xE2\x80\xA6", 3);
    *end = 0;
    return used;
}

int mr_caption_text(char text[MR_CAPTION_BYTES], const mrcnn_instance *instance, const int32_t *id,
                    int characters) {
    char number[24];
    const char *name = instance->class_name;
    if (!name || !*name) {
        snprintf(number, sizeof number, "class %d", (int)instance->class_id);
        name = number;
    }
    int used =
        mr_plain_text(text, name, characters < MR_CAPTION_NAME ? characters : MR_CAPTION_NAME);
    if (id) snprintf(text + strlen(text), 16, " #%d", (int)*id);
    /* Thousandths by integers: printf would use the locale's decimal comma. The product is exact
     * in double, so ties round to even as Python's "{:.3f}" does. */
    if (instance->score >= 0.0F && instance->score <= 1.0F) {
        int thousandths = (int)lrint((double)instance->score * 1000.0);
        snprintf(text + strlen(text), 16, " %d.%03d", thousandths / 1000, thousandths % 1000);
    }
    return used;
}
