/* crc32c.h - the checksum of TFRecord files and of ours: CRC-32C (Castagnoli), RFC 3720 section 12.1. */
#ifndef MR_BASE_CRC32C_H
#define MR_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t mr_crc32c(const void *bytes, size_t length);
/* The same on any processor, slowly. */
uint32_t mr_crc32c_portable(const void *bytes, size_t length);

/* As TFRecord stores it: rotated and shifted, so that a checksum of checksums stays good. */
uint32_t mr_crc32c_masked(const void *bytes, size_t length);

#endif
