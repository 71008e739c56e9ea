/* number.h - numbers as text, the same in every locale: a library in a German program must still
 * write 0.5 and read it back. */
#ifndef MR_BASE_NUMBER_H
#define MR_BASE_NUMBER_H

#include <stdint.h>

enum {
    MR_NUMBER_TEXT = 32,
    MR_NUMBER_LONG = 352 /* the greatest double in full, with 40 digits behind the point */
};

/* The whole text must be one decimal number (-1.5e-3, no blanks, no hex, no nan or inf). Returns 1,
 * or 0 when it is not. What is too large for a double reads as infinity. */
int mr_number_parse(const char *text, double *value);

/* The same for whole numbers; what does not fit becomes INT64_MIN or INT64_MAX. */
int mr_integer_parse(const char *text, int64_t *value);

/* The fewest digits that read back as the same double: 0.1, 5, 1e-05. */
void mr_number_print(double value, char text[MR_NUMBER_TEXT]);

/* For people: with so many digits behind the point (0 to 40), or with so many significant ones (1 to
 * 17). */
void mr_number_fixed(double value, int digits, char text[MR_NUMBER_LONG]);
void mr_number_short(double value, int digits, char text[MR_NUMBER_LONG]);

#endif
