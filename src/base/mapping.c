/* mapping.c - see mapping.h. */
#include "base/mapping.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int mr_map_file(mr_mapping *mapping, const char *path) {
    struct stat info;
    void *bytes = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
        (uint64_t)info.st_size <= SIZE_MAX)
        bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED) return 0;
    mapping->bytes = bytes;
    mapping->length = (size_t)info.st_size;
    return 1;
}

void mr_unmap_file(mr_mapping *mapping) {
    if (mapping->bytes) munmap((void *)mapping->bytes, mapping->length);
    mapping->bytes = NULL;
    mapping->length = 0;
}
