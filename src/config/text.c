/* text.c - see text.h. */
#include "config/text.h"

#include <string.h>

long mr_text_next(const char **text) {
    static const long smallest[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)*text;
    int more = *p < 0x80 ? 0 : *p < 0xC2 ? -1 : *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : *p < 0xF5 ? 3 : -1;
    *text += 1;
    if (more < 0) return -1;
    long c = more == 0 ? *p : *p & (0x3F >> more);
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80) return -1; /* stops at the final 0 as well */
        c = c << 6 | (p[i] & 0x3F);
    }
    if (c < smallest[more] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return -1;
    *text += more;
    return c;
}

const char *mr_text_show(const char *text, char shown[MR_SHOWN_TEXT]) {
    enum { ROOM = MR_SHOWN_TEXT - 6 }; /* two quotes, three dots, the final 0 */
    size_t used = 0;
    shown[used++] = '"';
    while (*text) {
        const char *start = text;
        long c = mr_text_next(&text);
        size_t length = (size_t)(text - start);
        if (used + length > ROOM) {
            memcpy(shown + used, "...", 3);
            used += 3;
            break;
        }
        int printable = c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0);
        if (printable)
            memcpy(shown + used, start, length);
        else
            shown[used] = '?';
        used += printable ? length : 1;
    }
    shown[used++] = '"';
    shown[used] = 0;
    return shown;
}
