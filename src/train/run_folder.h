/* run_folder.h - where a training keeps its things, and what they are called: matterport's names
 * (NUMERICS 6), so that his tools find ours and the other way round. Knows names and folders, not
 * what is in the files.
 *
 *     <logs>/balloon20261121T0309/mask_rcnn_balloon_0007.h5           after 7 epochs
 *                                 mask_rcnn_balloon_interrupted.h5    stopped within an epoch
 *                                 mask_rcnn_balloon_best.h5           highest AP, or lowest validation loss
 *                                 mask_rcnn_balloon_nonfinite.h5      before a step that was skipped
 */
#ifndef MR_TRAIN_RUN_FOLDER_H
#define MR_TRAIN_RUN_FOLDER_H

#include <mrcnn/mrcnn.h>
#include <time.h>

enum { MR_RUN_NAME = 64 };

typedef struct mr_run_folder {
    char *path;             /* malloc'ed, without a final slash */
    char name[MR_RUN_NAME]; /* the key NAME as file names have it */
} mr_run_folder;

void mr_run_folder_free(mr_run_folder *run);

/* NAME in lower case (ASCII; as Python's lower() for such names). What matterport's pattern has no
 * place for, like blanks and dots, becomes "_". */
void mr_run_name(char run_name[MR_RUN_NAME], const char *name);

/* Makes <logs>/<name><YYYYMMDD>T<HHMM>, and <logs> if need be. `now` is local time. If the folder
 * exists, a run has begun in this minute already: the next free minute is taken, which keeps to the
 * pattern and to the order. The folder has been written to once when this returns MRCNN_OK. */
mrcnn_status mr_run_folder_create(mr_run_folder *run, const char *logs, const char *name,
                                  const struct tm *now, mrcnn_error *err);

/* Continues in an existing folder, after checking that it can be written to. */
mrcnn_status mr_run_folder_open(mr_run_folder *run, const char *folder, const char *name,
                                mrcnn_error *err);

/* ---------------------------------------------------------------------------------- checkpoints */

typedef enum mr_checkpoint_kind {
    MR_CHECKPOINT_EPOCH,
    MR_CHECKPOINT_INTERRUPTED,
    MR_CHECKPOINT_BEST,
    MR_CHECKPOINT_NON_FINITE
} mr_checkpoint_kind;

/* malloc'ed path of a checkpoint; NULL: no memory. `epoch` is the number of finished epochs. */
char *mr_checkpoint_path(const mr_run_folder *run, mr_checkpoint_kind kind, int64_t epoch);

/* Takes a file's name (no folder) apart. Returns 1 if it is a checkpoint of this run with the
 * ending `ending` (".h5"). */
int mr_checkpoint_name_parse(const char *file, const char *run_name, const char *ending,
                             mr_checkpoint_kind *kind, int64_t *epoch);

/* What a checkpoint's path says about the run that it belongs to. */
typedef struct mr_checkpoint_origin {
    char *folder;  /* malloc'ed */
    int64_t epoch; /* finished epochs; -1: the state file knows */
    int same_name; /* folder and file carry the name that was asked about */
} mr_checkpoint_origin;

/* Returns 1 if the path is one that matterport continues from (NUMERICS 6, "Resume"):
 *     .*[/\\][\w-]+(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})[/\\]mask\_rcnn\_[\w-]+(\d{4})\.h5
 * Beyond that, the path may begin with the folder itself, checkpoints within an epoch count, and
 * more than four digits are read as written. 0 if it is not, or memory is short. */
int mr_checkpoint_origin_parse(mr_checkpoint_origin *origin, const char *path, const char *name);

/* The run folders of this name below `logs`, newest first by the date in their names. Free each and
 * the list. No folder at all is a list of none. */
mrcnn_status mr_run_folders_list(char ***folders, size_t *count, const char *logs, const char *name,
                                 mrcnn_error *err);

/* Makes names that were renamed or removed in the folder last through a power cut. */
mrcnn_status mr_sync_folder(const char *folder, mrcnn_error *err);

#endif
