/* format.c - see format.h. */
#include "format.h"

const char *format_word(int index) {
    static const char *const words[] = {"auto", "coco", "via", "shapes"};
    return words[index];
}
