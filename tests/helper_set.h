/* helper_set.h - opens the data sets that a test has written and says in short what is in them. */
#ifndef HELPER_SET_H
#define HELPER_SET_H

#include <mrcnn/mrcnn.h>

/* Opens a data set, or fails the test with the message. */
mrcnn_dataset *set_open(const char *path, const char *subset);

/* Opening it must fail with a message that contains the text. */
void set_expect_error(const char *path, const char *subset, const char *message);

enum { SET_NOTES = 8000 };

/* What mrcnn_dataset_check (with every mask drawn) reports, a problem a line: "E a.png 3 text". */
void set_notes(const mrcnn_dataset *set, char notes[SET_NOTES]);
/* The same must be `notes`; the data set is freed. */
void set_expect_notes(mrcnn_dataset *set, const char *notes);

/* Pixels of an object in a picture of that size; *class_id may be NULL. */
int64_t set_area(const mrcnn_dataset *set, size_t index, size_t object, int height, int width,
                 int32_t *class_id);

/* The mask's rows as text, from `top` and `left`: "##.", one behind the other with | between them. */
void set_rows(const mrcnn_dataset *set, size_t index, size_t object, const int32_t box[4],
              char rows[1000]);

#endif
