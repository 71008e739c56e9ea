/* checksum.h - MD5 of a file, by OpenSSL: what publishers of Keras weights give. It finds damaged
 * downloads; that nobody changed them on the way is TLS's business.
 */
#ifndef MR_WEIGHTS_CHECKSUM_H
#define MR_WEIGHTS_CHECKSUM_H

#include <mrcnn/mrcnn.h>

/* 32 lower-case hexadecimal digits and a 0. */
mrcnn_status mr_file_md5(char digits[33], const char *path, mrcnn_error *err);

#endif
