/* crc32c.c - see crc32c.h. Processors with SSE 4.2 have an instruction for it; elsewhere four bits at a time do. */
#include "base/crc32c.h"

#include <string.h>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

/* The remainders of 0..15, for the reflected polynomial 0x82F63B78. */
static const uint32_t table[16] = {
    0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};

uint32_t mr_crc32c_portable(const void *bytes, size_t length) {
    const unsigned char *p = bytes;
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < length; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(const void *bytes, size_t length) {
    const unsigned char *p = bytes;
    uint64_t crc = 0xFFFFFFFF;
    for (; length >= sizeof crc; length -= sizeof crc, p += sizeof crc) {
        uint64_t eight;
        memcpy(&eight, p, sizeof eight);
        crc = _mm_crc32_u64(crc, eight);
    }
    uint32_t rest = (uint32_t)crc;
    while (length--) rest = _mm_crc32_u8(rest, *p++);
    return ~rest;
}
#endif

uint32_t mr_crc32c(const void *bytes, size_t length) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return by_instruction(bytes, length);
#endif
    return mr_crc32c_portable(bytes, length);
}

uint32_t mr_crc32c_masked(const void *bytes, size_t length) {
    uint32_t crc = mr_crc32c(bytes, length);
    return (crc >> 15 | crc << 17) + 0xA282EAD8;
}
