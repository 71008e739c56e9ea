/* augmentation.h - AUGMENTATION: what may happen to a training picture, as a tree of operations with
 * imgaug's names. Text becomes a tree once, when the key is set; drawing (data/augment.h) only reads
 * the tree. It holds no pointers, so that settings are copied as they are. */
#ifndef MR_CONFIG_AUGMENTATION_H
#define MR_CONFIG_AUGMENTATION_H

#include <mrcnn/mrcnn.h>

enum {
    MR_AUGMENT_NODES = 64,
    MR_AUGMENT_RANGES = 192,
    MR_AUGMENT_DEPTH = 8,     /* operations inside operations */
    MR_AUGMENT_TEXT = 2048,   /* the longest canonical text, with its 0 */
    MR_AUGMENT_MOST_SLOTS = 9 /* of an operation: Affine's */
};

typedef enum mr_augment_op {
    /* what chooses among operations below it */
    MR_AUGMENT_SEQUENTIAL,
    MR_AUGMENT_SOME_OF,
    MR_AUGMENT_ONE_OF,
    MR_AUGMENT_SOMETIMES,
    /* what moves pixels: pictures and masks alike */
    MR_AUGMENT_FLIPLR,
    MR_AUGMENT_FLIPUD,
    MR_AUGMENT_ROT90,
    MR_AUGMENT_AFFINE,
    MR_AUGMENT_CROP_AND_PAD,
    MR_AUGMENT_PIECEWISE_AFFINE,
    MR_AUGMENT_LARGE_SCALE_JITTER,
    /* what changes them: the picture alone */
    MR_AUGMENT_MULTIPLY,
    MR_AUGMENT_ADD,
    MR_AUGMENT_LINEAR_CONTRAST,
    MR_AUGMENT_GAMMA_CONTRAST,
    MR_AUGMENT_INVERT,
    MR_AUGMENT_ADD_TO_HUE,
    MR_AUGMENT_MULTIPLY_HUE,
    MR_AUGMENT_ADD_TO_SATURATION,
    MR_AUGMENT_MULTIPLY_SATURATION,
    MR_AUGMENT_GAUSSIAN_BLUR,
    MR_AUGMENT_NOISE,
    MR_AUGMENT_OPS
} mr_augment_op;

/* Slots: an operation's numbers, each a range [low, high] from which one is drawn. */
enum { MR_SLOT_COUNT = 0, MR_SLOT_SOME_ORDER = 1 }; /* SomeOf */
enum { MR_SLOT_ORDER = 0 };                         /* Sequential */
enum { MR_SLOT_P = 0 };                             /* Sometimes, Fliplr, Flipud, Invert */
enum { MR_SLOT_VALUE = 0, MR_SLOT_PER_CHANNEL = 1 };
enum { MR_SLOT_GRID_ROWS = 1, MR_SLOT_GRID_COLUMNS = 2 }; /* PiecewiseAffine */
enum { MR_SLOT_PERCENT = 0, MR_SLOT_PX = 1 };             /* CropAndPad */
enum {
    MR_SLOT_SCALE_X, /* Affine; y follows x */
    MR_SLOT_SCALE_Y,
    MR_SLOT_TRANSLATE_PERCENT_X,
    MR_SLOT_TRANSLATE_PERCENT_Y,
    MR_SLOT_TRANSLATE_PX_X,
    MR_SLOT_TRANSLATE_PX_Y,
    MR_SLOT_ROTATE,
    MR_SLOT_SHEAR_X,
    MR_SLOT_SHEAR_Y
};

typedef struct mr_range {
    double low, high;
} mr_range;

typedef struct mr_augment_node {
    int16_t op;
    int16_t end;    /* the node behind this one's last descendant: its next sibling, if any */
    int16_t first;  /* of its ranges */
    uint16_t joint; /* bit s: slots s and s + 1 (x and y) are one draw */
} mr_augment_node;

/* Nodes in the order of the text: children follow their parent. Node 0 is a Sequential, the list at
 * the top. Unused space is zero. */
typedef struct mr_augmentation {
    int count; /* 0: no augmentation */
    int range_count;
    mr_augment_node nodes[MR_AUGMENT_NODES];
    mr_range ranges[MR_AUGMENT_RANGES];
} mr_augmentation;

/* Reads flow text: "none", "[]", "[{Fliplr: 0.5}, {SomeOf: {count: [0, 2], of: [...]}}]". The tree
 * is untouched on failure. Messages don't name the key. */
mrcnn_status mr_augmentation_parse(mr_augmentation *tree, const char *text, mrcnn_error *err);

/* The canonical text: reading it gives the same tree. Every tree that was read fits. */
void mr_augmentation_print(const mr_augmentation *tree, char text[MR_AUGMENT_TEXT]);

/* How long that text is, without its 0; of any tree. */
size_t mr_augmentation_length(const mr_augmentation *tree);

/* The name of an operation that only works on colours (three channels or more); NULL: there is
 * none. */
const char *mr_augmentation_needs_color(const mr_augmentation *tree);

/* ------------------------------------------------------------------- the table of operations */

typedef enum mr_parameter_kind {
    MR_PARAMETER_RANGE, /* a number, or [low, high] */
    MR_PARAMETER_WHOLE, /* the same of whole numbers, both ends included */
    MR_PARAMETER_ONE,   /* one number */
    MR_PARAMETER_YES,   /* true, false, or a probability */
    MR_PARAMETER_AXES,  /* a range for both axes, or {x: range, y: range}; two slots */
    MR_PARAMETER_X_AXIS /* a range for x alone, or {x: range, y: range}; two slots */
} mr_parameter_kind;

typedef struct mr_augment_parameter {
    const char *name;
    mr_parameter_kind kind;
    double low, high; /* both allowed */
    mr_range normal;  /* when it isn't given */
} mr_augment_parameter;

enum { MR_AUGMENT_MOST_PARAMETERS = 5 };

typedef struct mr_augment_kind {
    const char *name;
    int takes_list; /* operations below it */
    int has_main;   /* the first parameter may stand alone: {Fliplr: 0.5} */
    int parameter_count;
    mr_augment_parameter parameters[MR_AUGMENT_MOST_PARAMETERS];
} mr_augment_kind;

extern const mr_augment_kind mr_augment_kinds[MR_AUGMENT_OPS];

/* Ranges that the operation has, and those that one parameter has. */
int mr_augment_slots(mr_augment_op op);
int mr_parameter_slots(const mr_augment_parameter *parameter);

#endif
