/* tuning.h - what measurements on this machine have chosen, by what was asked: "conv 3x3 256 to 256 ..." ->
 * "winograd". Kept in a file, so that each is made once on a machine. */
#ifndef MR_GRAPH_TUNING_H
#define MR_GRAPH_TUNING_H

#include <mrcnn/mrcnn.h>

typedef struct mr_tuning mr_tuning;

enum { MR_TUNING_TEXT = 128 };

/* Reads directory/tuning.txt. A file that is not there, is damaged, or comes from another machine
 * or version is as if it were empty. */
mrcnn_status mr_tuning_open(mr_tuning **tuning, const char *directory, mrcnn_error *err);
void mr_tuning_free(mr_tuning **tuning);

/* NULL: not yet measured. */
const char *mr_tuning_find(const mr_tuning *tuning, const char *key);
/* key and choice: shorter than MR_TUNING_TEXT, printable. Forgotten when there is no memory. */
void mr_tuning_set(mr_tuning *tuning, const char *key, const char *choice);

/* Writes what is new. A folder that can't be written to costs the next process its measurements, no more. */
void mr_tuning_save(mr_tuning *tuning);

#endif
