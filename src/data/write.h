/* write.h - the parts of writing a data set that know no format: the driver (write.c), names of pictures
 * (write_names.c), their files (write_picture.c). */
#ifndef MR_DATA_WRITE_H
#define MR_DATA_WRITE_H

#include "data/writer.h"

/* mrcnn_dataset_write with a writer that need not be in the table; the options are complete. */
mrcnn_status mr_dataset_write_as(const mr_dataset *set, const char *folder,
                                 const mr_dataset_writer *writer,
                                 const mrcnn_dataset_write_options *options,
                                 mrcnn_dataset_written *written, mrcnn_error *err);

/* Names for the pictures of a set, by their ids: no absolute path or way up, no control characters,
 * valid UTF-8, each with the ending of a picture, and different even without their endings.
 * names[i] is NULL where chosen[i] is 0. */
mrcnn_status mr_name_pictures(char ***names, const mr_dataset *set, const uint8_t *chosen,
                              mrcnn_error *err);
void mr_free_picture_names(char **names, size_t count);

/* Makes the picture's file at `path`, and the folders above it; nothing may be there yet. link: as a
 * second name of the source's file, if that is possible. */
mrcnn_status mr_put_picture(const mr_dataset *set, size_t index, const char *path, int link,
                            mrcnn_error *err);

/* Removes a file, and the folders above it below `root` that become empty. */
void mr_take_away(const char *path, const char *root);

#endif
