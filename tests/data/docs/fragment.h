/* fragment.h - what the pieces of C in docs/ take for granted (check_docs.sh). */
#include <mrcnn/mrcnn.h>

#include <stdio.h>
#include <stdlib.h>

static mrcnn_error err;
static mrcnn_config *config;
static mrcnn_model *model;
static mrcnn_session *session;
static mrcnn_image image, images[8], drawn;
static mrcnn_result *result;
