/* save.h - the files that one picture's detections become. Every function returns 0, or -1 after a
 * message. */
#ifndef CLI_SAVE_H
#define CLI_SAVE_H

#include "files.h"
#include "inputs.h"
#include "json.h"

#include <mrcnn/mrcnn.h>

/* Bits of --save, in the order of SAVE_WORDS. */
enum { SAVE_OVERLAY = 1, SAVE_MASKS = 2, SAVE_JSON = 4, SAVE_LABELME = 8, SAVE_SPLASH = 16 };
#define SAVE_WORDS "overlay,masks,json,labelme,splash"

/* Bits of --draw, in the order of DRAW_WORDS. */
enum { DRAW_MASKS = 1, DRAW_CONTOURS = 2, DRAW_BOXES = 4, DRAW_CAPTIONS = 8 };
#define DRAW_WORDS "masks,contours,boxes,captions"

/* How objects are drawn over a picture. */
typedef struct overlay_options {
    unsigned draw; /* DRAW_ bits; 0: all of them, but no captions that would hide a picture */
    int color_by_class;
} overlay_options;

/* A picture with what was found in it. */
typedef struct finding {
    const input *in;
    const mrcnn_image *image;
    const mrcnn_result *result;
    const char *folder;    /* where files go */
    const char *extension; /* of drawn pictures: ".png" or ".jpg" */
} finding;

/* 0 in a build without cairo: overlays then show masks alone. */
int overlay_has_lines(void);
/* What the drawing functions are told; without cairo masks alone. */
mrcnn_draw_options overlay_drawing(const overlay_options *options);
int save_overlay(const finding *found, const overlay_options *options);
int save_splash(const finding *found);
int save_masks(const finding *found);
int save_labelme(const finding *found);

/* detections.json: one array for all pictures, written as they come. */
typedef struct coco_file {
    new_file file;
    json out;
    int coco_ids;
} coco_file;

/* `coco_ids`: category_id is COCO's own (1..90, with gaps) instead of the model's class. */
int coco_open(coco_file *coco, const char *folder, int coco_ids);
int coco_add(coco_file *coco, const finding *found);
int coco_close(coco_file *coco);

/* What both COCO's file and those of videos say of an instance, as members of an open object. */
void put_instance(json *out, const mrcnn_instance *it, int coco_ids);

/* Whether the model's classes are COCO's 80, in COCO's order. */
int has_coco_classes(const mrcnn_model *model);

#endif
