/* write_files.h - files and names that writers of several formats have in common. */
#ifndef MR_DATA_WRITE_FILES_H
#define MR_DATA_WRITE_FILES_H

#include "data/place.h"
#include "data/writer.h"

/* A text that grows; start with {0} and free `bytes`. */
typedef struct mr_text {
    char *bytes;
    size_t length, room;
    int failed; /* memory was short: it is no good */
} mr_text;

void mr_text_add(mr_text *text, const char *added);

/* A class's name as a line of a list, which is tidied when it is read (lines.h) and may not be empty
 * nor begin with `comment`; what that changes is told to w->lose. */
void mr_text_add_class(mr_text *text, const mr_writing *w, int class_id, char comment);

/* A file that all subsets of a data set share: one that is there must be the same, as it says what the
 * labels of the other subsets mean. */
mrcnn_status mr_text_check_shared(const mr_text *text, const char *path, mrcnn_error *err);
/* Writes it unless it is there. */
mrcnn_status mr_text_write_shared(const mr_text *text, const char *path, mrcnn_error *err);

/* Forgets what was written so far: files, and folders that hold PNGs and folders of PNGs. With
 * `root`, the data set's folder, takes it away, and folders that become empty. */
void mr_made_free(mr_listing *made, const char *root);

#endif
