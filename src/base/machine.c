/* machine.c - see machine.h. */
#include "base/machine.h"

#include <mrcnn/mrcnn.h>

#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { BRAND = 49 };

/* The processor's own name for itself: 48 letters in three leaves. */
static void brand(char text[BRAND]) {
    memset(text, 0, BRAND);
#if defined(__x86_64__)
    for (unsigned leaf = 0; leaf < 3; leaf++) {
        unsigned words[4] = {0};
        if (!__get_cpuid(0x80000002u + leaf, &words[0], &words[1], &words[2], &words[3])) return;
        memcpy(text + leaf * sizeof words, words, sizeof words);
    }
#endif
}

static const char *item(const char *name) {
    mrcnn_build_item found;
    for (size_t i = 0; (found = mrcnn_build_info(i)).name; i++)
        if (strcmp(found.name, name) == 0) return found.value;
    return "";
}

void mr_machine_describe(char *text, size_t room) {
    char name[BRAND];
    brand(name);
    for (char *c = name; *c; c++)
        if (*c < ' ' || *c > '~') *c = ' ';
    snprintf(text, room, "%s; %s; mrcnn %s; oneDNN %s", name, item("cpu"), mrcnn_version(),
             item("oneDNN"));
}
