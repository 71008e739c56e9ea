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
/* MRCNN_E_ARGUMENT when something is there already: what was made by others is neither written over nor
 * taken away. */
mrcnn_status mr_check_new(const char *path, mrcnn_error *err);

/* Notes what is going to be written, so that it can be taken away when the rest can't be: a file, or a
 * folder that holds PNGs and folders of PNGs. Nothing may be there yet. */
mrcnn_status mr_made_add(mr_listing *made, const char *path, mrcnn_error *err);
/* Writes a shared file unless it is there. */
mrcnn_status mr_made_shared(mr_listing *made, const mr_text *text, const char *path,
                            mrcnn_error *err);
/* Forgets what was noted; with `root`, the data set's folder, takes it away, and folders that become
 * empty. */
void mr_made_free(mr_listing *made, const char *root);

#endif
