/* files.h - paths, folders, and text files that appear whole or not at all. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdio.h>

/* All of these return malloc'ed text. */
char *path_join(const char *folder, const char *name);
char *path_name(const char *path);            /* "a/b.jpg" -> "b.jpg" */
char *path_stem(const char *path);            /* "a/b.jpg" -> "b" */
const char *path_extension(const char *path); /* part of path: ".jpg", or "" */

int path_is_folder(const char *path);
int path_exists(const char *path);
int path_is_plain(const char *path); /* a file that can be read more than once */

/* Where `path` lies, seen from `folder`: "../photos/a.jpg". Both must exist; else the path as it
 * is. */
char *path_from(const char *folder, const char *path);

/* mkdir -p. 0, or -1 after a message. */
int make_folders(const char *path);

/* A file that is written beside its destination and renamed when it is complete. */
typedef struct new_file {
    FILE *stream;
    char *path, *part;
} new_file;

/* 0, or -1 after a message. */
int new_file_open(new_file *file, const char *path);
/* Makes the file appear. Asks for write errors (a full disk) first. 0, or -1 after a message. */
int new_file_commit(new_file *file);
/* Forgets the file; does nothing after a commit. */
void new_file_abandon(new_file *file);

/* All bytes of a stream, at most `limit`. 0, or -1 with a sentence to free that calls it `name`. */
int read_stream(FILE *stream, const char *name, size_t limit, void **bytes, size_t *length,
                char **problem);

/* A whole text file with a 0 behind it; NULL after a message. */
char *read_text_file(const char *path);

#endif
