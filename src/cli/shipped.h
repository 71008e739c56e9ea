/* shipped.h - what comes along with the program: a trained model and sample pictures. */
#ifndef CLI_SHIPPED_H
#define CLI_SHIPPED_H

/* The model's name for --weights, its file, and annotated pictures: half of them it was trained on
 * (train), half of them it has never seen (val). */
#define SHIPPED_MODEL "nuclei"
#define SHIPPED_WEIGHTS "models/nuclei.h5"
#define SHIPPED_PICTURES "examples/nucleus"

/* Where such a file or folder is: in the folder that MRCNN_SHARE names, if it is set; else where it
 * was installed, wherever the whole tree was put; else in the source tree that this was built from.
 * malloc'ed; NULL when it is not there. */
char *shipped_find(const char *name);

/* The same; NULL after a message. */
char *shipped_need(const char *name);

#endif
