/* file_kind.c - see file_kind.h. The superblock is described in the HDF5 File Format Specification,
 * section II.A.
 */
#include "weights/file_kind.h"

#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 1024, SUPERBLOCK_BYTES = 96 };

static const unsigned char hdf5_signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

/* At most `room` bytes from `offset`; the number that there were. */
static size_t read_at(int fd, uint64_t offset, unsigned char *bytes, size_t room) {
    size_t used = 0;
    while (used < room) {
        ssize_t n = pread(fd, bytes + used, room - used, (off_t)(offset + used));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        used += (size_t)n;
    }
    return used;
}

static int contains(const unsigned char *head, size_t length, const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= length; i++)
        if (memcmp(head + i, word, n) == 0) return 1;
    return 0;
}

static int starts(const unsigned char *head, size_t length, const char *bytes, size_t n) {
    return length >= n && memcmp(head, bytes, n) == 0;
}

static int is_html(const unsigned char *head, size_t length) {
    size_t i = 0;
    while (i < length && isspace(head[i])) i++;
    static const char *const openings[] = {"<!doctype html", "<html", "<head", "<body"};
    for (size_t k = 0; k < sizeof openings / sizeof openings[0]; k++) {
        size_t n = strlen(openings[k]), j = 0;
        while (j < n && i + j < length && tolower(head[i + j]) == openings[k][j]) j++;
        if (j == n) return 1;
    }
    return 0;
}

static int is_text(const unsigned char *head, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (head[i] >= 0x7F || (head[i] < 0x20 && !isspace(head[i]))) return 0;
    return 1;
}

/* What the bytes of a file that is not HDF5 look like. */
static const char *describe(const unsigned char *head, size_t length) {
    if (length == 0) return "it is empty";
    if (starts(head, length, "PK\3\4", 4)) {
        if (contains(head, length, "data.pkl")) return "it looks like a PyTorch .pth file";
        if (contains(head, length, ".npy")) return "it looks like a NumPy .npz file";
        if (contains(head, length, "model.weights.h5") || contains(head, length, "metadata.json"))
            return "it looks like a Keras 3 .keras archive";
        return "it looks like a zip archive";
    }
    if (starts(head, length, "\x80\2\x8a\x0a", 4)) return "it looks like an old PyTorch .pth file";
    if (starts(head, length, "\x80\2", 2) || starts(head, length, "\x80\3", 2) ||
        starts(head, length, "\x80\4", 2))
        return "it looks like a Python pickle";
    if (starts(head, length, "\x93NUMPY", 6)) return "it looks like a NumPy .npy file";
    if (starts(head, length, "\x1f\x8b", 2)) return "it is compressed by gzip; unpack it first";
    if (starts(head, length, "\xff\xd8\xff", 3)) return "it looks like a JPEG picture";
    if (starts(head, length, "\x89PNG", 4)) return "it looks like a PNG picture";
    if (starts(head, length, "CDF", 3)) return "it looks like a NetCDF file";
    if (starts(head, length, "version https://git-lfs", 23))
        return "it is a Git LFS pointer; fetch the real file with git lfs pull";
    if (is_html(head, length)) return "it looks like HTML (a download page?)";
    if (contains(head, length, "saved_model") || starts(head, length, "\x08\x01\x12", 3))
        return "it looks like a TensorFlow SavedModel";
    if (length > 8 && starts(head + 4, length - 4, "TFL3", 4))
        return "it looks like a TensorFlow Lite model";
    if (contains(head, length, "pytorch") || contains(head, length, "ir_version"))
        return "it looks like an ONNX model";
    if (is_text(head, length)) return "it looks like text";
    return "its first bytes are not those of an HDF5 file";
}

static uint64_t number(const unsigned char *bytes) {
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--) n = n << 8 | bytes[i];
    return n;
}

/* The signature is at byte 0 or, behind a user's own header, at 512, 1024, 2048, ... */
static int find_superblock(int fd, uint64_t size, uint64_t *offset) {
    unsigned char bytes[8];
    for (uint64_t at = 0; at + 8 <= size && at < UINT64_C(1) << 40; at = at ? at * 2 : 512) {
        if (read_at(fd, at, bytes, 8) == 8 && memcmp(bytes, hdf5_signature, 8) == 0) {
            *offset = at;
            return 1;
        }
    }
    return 0;
}

static mrcnn_status check_superblock(int fd, const char *path, uint64_t at, uint64_t size,
                                     mrcnn_error *err) {
    unsigned char s[SUPERBLOCK_BYTES] = {0};
    if (read_at(fd, at, s, sizeof s) < 48)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: ends within its first %d bytes; the download is not complete", path,
                       SUPERBLOCK_BYTES);
    int version = s[8];
    if (version > 3)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: is an HDF5 file of version %d, newer than what is read here", path,
                       version);
    const unsigned char *sizes = version < 2 ? s + 13 : s + 9;
    if (sizes[0] != 8 || sizes[1] != 8)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: is an HDF5 file with addresses of %d bytes; Keras writes 8", path,
                       sizes[0]);
    const unsigned char *addresses = version == 0 ? s + 24 : version == 1 ? s + 28 : s + 12;
    uint64_t base = number(addresses), end = number(addresses + 16);
    if (version < 2 && number(addresses + 24) != UINT64_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: is one part of an HDF5 file in several parts; join them with h5repart",
                       path);
    if (base != at)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: the HDF5 file does not begin where it says", path);
    if (end > size)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: is cut off: it should have %llu bytes and has %llu; get it again", path,
                       (unsigned long long)end, (unsigned long long)size);
    return MRCNN_OK;
}

static mrcnn_status check_open_file(int fd, const char *path, uint64_t *size, mrcnn_error *err) {
    struct stat info;
    if (fstat(fd, &info) != 0)
        return mr_fail(err, MRCNN_E_IO, "%s: can't read it: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode)) {
        int saved_model = faccessat(fd, "saved_model.pb", F_OK, 0) == 0;
        return mr_fail(err, MRCNN_E_IO, "%s: is a folder%s; give an HDF5 file of weights (.h5)",
                       path, saved_model ? ", a TensorFlow SavedModel" : ", not a file");
    }
    if (!S_ISREG(info.st_mode))
        return mr_fail(err, MRCNN_E_IO, "%s: is not a plain file; weights can't be read from it",
                       path);
    *size = (uint64_t)info.st_size;
    uint64_t at;
    if (find_superblock(fd, *size, &at)) return check_superblock(fd, path, at, *size, err);
    unsigned char head[HEAD_BYTES];
    size_t length = read_at(fd, 0, head, sizeof head);
    return mr_fail(err, MRCNN_E_FORMAT, "%s: is not an HDF5 file of Keras weights (.h5): %s", path,
                   describe(head, length));
}

mrcnn_status mr_open_hdf5_file(int *fd, uint64_t *size, const char *path, mrcnn_error *err) {
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not block */
    if (*fd < 0) return mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", path, strerror(errno));
    mrcnn_status status = check_open_file(*fd, path, size, err);
    if (status != MRCNN_OK) close(*fd);
    return status;
}
