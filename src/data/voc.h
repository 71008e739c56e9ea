/* voc.h - names and colours of Pascal VOC's classes, for reading and writing. */
#ifndef MR_DATA_VOC_H
#define MR_DATA_VOC_H

#include "data/place.h"

enum { MR_VOC_CLASSES = 20, MR_VOC_VOID = 255 };

extern const char *const mr_voc_names[MR_VOC_CLASSES]; /* of the classes 1 to 20 */

/* VOC's colour of a number, of a class or of an object: 0xRRGGBB. */
uint32_t mr_voc_color(int number);

/* The classes of a data set, the background first. */
typedef struct mr_voc_classes {
    mr_listing names;
    uint32_t *colors; /* of each */
    size_t color_room;
} mr_voc_classes;

/* From labelmap.txt, class_names.txt or classes.txt in the folder; else VOC's. */
mrcnn_status mr_voc_read_classes(mr_voc_classes *classes, const char *folder, mrcnn_error *err);
void mr_voc_classes_free(mr_voc_classes *classes);

#endif
