/* checksum.c - see checksum.h. Only built to check downloads. */
#include "weights/checksum.h"

#ifdef MRCNN_WITH_CURL
#include "base/error.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 18 };

static mrcnn_status digest_file(EVP_MD_CTX *digest, FILE *file, const char *path,
                                mrcnn_error *err) {
    unsigned char *block = malloc(BLOCK_BYTES);
    if (!block) return mr_fail_memory(err, BLOCK_BYTES, path);
    mrcnn_status status = MRCNN_OK;
    size_t n;
    while ((n = fread(block, 1, BLOCK_BYTES, file)) > 0) EVP_DigestUpdate(digest, block, n);
    if (ferror(file))
        status = mr_fail(err, MRCNN_E_IO, "%s: can't read it: %s", path, strerror(errno));
    free(block);
    return status;
}

mrcnn_status mr_file_md5(char digits[33], const char *path, mrcnn_error *err) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    mrcnn_status status;
    FILE *file = fopen(path, "rb");
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!file)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", path, strerror(errno));
    else if (!digest || !EVP_DigestInit_ex(digest, EVP_md5(), NULL))
        status = mr_fail(err, MRCNN_E_UNSUPPORTED,
                         "%s: OpenSSL does not compute MD5 here, so the download can't be checked",
                         path);
    else
        status = digest_file(digest, file, path, err);
    if (status == MRCNN_OK && EVP_DigestFinal_ex(digest, bytes, &length))
        for (unsigned i = 0; i < 16 && i < length; i++)
            snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    EVP_MD_CTX_free(digest);
    if (file) fclose(file);
    return status;
}
#else
typedef int mr_checksum_is_empty;
#endif
