/* shipped.c - see shipped.h. */
#include "shipped.h"

#include "files.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The installed folder lies where it always does from the program. NULL if this system doesn't tell
 * where that is. */
static char *folder_from_program(void) {
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return NULL;
    program[length] = 0;
    char *slash = strrchr(program, '/');
    if (!slash) return NULL;
    *slash = 0;
    char *path = path_join(program, MRCNN_SHARE_FROM_PROGRAM), *resolved = realpath(path, NULL);
    free(path);
    return resolved;
}

static char *find_in(const char *folder, const char *name) {
    char *path = path_join(folder, name);
    if (access(path, R_OK) == 0) return path;
    free(path);
    return NULL;
}

char *shipped_find(const char *name) {
    const char *given = getenv("MRCNN_SHARE");
    if (given && *given) return find_in(given, name);
    char *installed = folder_from_program();
    char *path = installed ? find_in(installed, name) : NULL;
    free(installed);
    return path ? path : find_in(MRCNN_SOURCE, name);
}

char *shipped_need(const char *name) {
    char *path = shipped_find(name);
    if (!path)
        message("%s, which comes along with this program, is not where it was installed; the "
                "environment variable MRCNN_SHARE names another folder that has it",
                name);
    return path;
}
