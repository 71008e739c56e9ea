/* base64.h - base64 (RFC 4648): to bytes, as JSON files have pictures in them, and from bytes, as pages
 * have. */
#ifndef MR_BASE_BASE64_H
#define MR_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Decodes a whole text into malloc'ed memory; blanks and line ends in it are passed over, padding may
 * be missing. NULL when it is not base64, or memory is short. */
uint8_t *mr_base64_decode(const char *text, size_t *length);

/* Writes the bytes with padding, and a 0 behind them, into at least length / 3 * 4 + 5 characters.
 * Returns how many there are without the 0. */
size_t mr_base64_encode(char *text, const uint8_t *bytes, size_t length);

#endif
