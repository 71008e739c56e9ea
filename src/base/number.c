/* number.c - see number.h. The C library converts correctly but obeys LC_NUMERIC, so conversions
 * run under the C locale of this thread alone. */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct c_locale {
    locale_t c, before;
} c_locale;

static c_locale enter_c_locale(void) {
    c_locale scope = {newlocale(LC_ALL_MASK, "C", (locale_t)0), (locale_t)0};
    if (scope.c) scope.before = uselocale(scope.c);
    return scope;
}

static void leave_c_locale(c_locale scope) {
    if (!scope.c) return;
    uselocale(scope.before);
    freelocale(scope.c);
}

static const char *skip_sign(const char *p) {
    return *p == '-' || *p == '+' ? p + 1 : p;
}

static const char *skip_digits(const char *p) {
    while (*p >= '0' && *p <= '9') p++;
    return p;
}

/* [sign] digits [. digits] [e [sign] digits], with a digit on at least one side of the point. */
static int is_decimal(const char *text) {
    const char *start = skip_sign(text);
    const char *p = skip_digits(start);
    int has_digits = p != start;
    if (*p == '.') {
        const char *fraction = p + 1;
        p = skip_digits(fraction);
        has_digits |= p != fraction;
    }
    if (!has_digits) return 0;
    if (*p == 'e' || *p == 'E') {
        const char *exponent = skip_sign(p + 1);
        p = skip_digits(exponent);
        if (p == exponent) return 0;
    }
    return *p == 0;
}

int mr_number_parse(const char *text, double *value) {
    if (!is_decimal(text)) return 0;
    c_locale scope = enter_c_locale();
    *value = strtod(text, NULL);
    leave_c_locale(scope);
    return 1;
}

int mr_integer_parse(const char *text, int64_t *value) {
    const char *digits = skip_sign(text);
    const char *end = skip_digits(digits);
    if (end == digits || *end != 0) return 0;
    int negative = *text == '-';
    int64_t n = 0;
    for (const char *p = digits; p < end; p++) {
        int digit = *p - '0';
        if (n > (INT64_MAX - digit) / 10) {
            *value = negative ? INT64_MIN : INT64_MAX;
            return 1;
        }
        n = n * 10 + digit;
    }
    *value = negative ? -n : n;
    return 1;
}

void mr_number_print(double value, char text[MR_NUMBER_TEXT]) {
    c_locale scope = enter_c_locale();
    if (fabs(value) < 1e15 && value == floor(value)) {
        snprintf(text, MR_NUMBER_TEXT, "%.0f", value); /* 100, which %g would call 1e+02 */
    } else {
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(text, MR_NUMBER_TEXT, "%.*g", digits, value);
            if (strtod(text, NULL) == value) break;
        }
    }
    leave_c_locale(scope);
}

static int clamp(int value, int least, int most) {
    return value < least ? least : value > most ? most : value;
}

void mr_number_fixed(double value, int digits, char text[MR_NUMBER_LONG]) {
    c_locale scope = enter_c_locale();
    snprintf(text, MR_NUMBER_LONG, "%.*f", clamp(digits, 0, 40), value);
    leave_c_locale(scope);
}

void mr_number_short(double value, int digits, char text[MR_NUMBER_LONG]) {
    c_locale scope = enter_c_locale();
    snprintf(text, MR_NUMBER_LONG, "%.*g", clamp(digits, 1, 17), value);
    leave_c_locale(scope);
}
