/* helper_assert.h - cmocka with the headers that it wants, and assertions that it lacks. */
#ifndef HELPER_ASSERT_H
#define HELPER_ASSERT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Both texts are printed when `part` is missing. */
#define assert_contains(text, part)                                                     \
    do {                                                                                \
        const char *whole_ = (text), *part_ = (part);                                   \
        if (!strstr(whole_, part_)) fail_msg("\"%s\" is not in \"%s\"", part_, whole_); \
    } while (0)

#endif
