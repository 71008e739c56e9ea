/* augmentation_ops.c - the table of operations: names and defaults are imgaug's, limits keep what is
 * no augmentation any more, and what would cost minutes, out. */
#include "config/augmentation.h"

#include <stddef.h>

#define RANGE MR_PARAMETER_RANGE
#define WHOLE MR_PARAMETER_WHOLE
#define ONE MR_PARAMETER_ONE
#define YES MR_PARAMETER_YES

/* clang-format off */
const mr_augment_kind mr_augment_kinds[MR_AUGMENT_OPS] = {
    [MR_AUGMENT_SEQUENTIAL] = {"Sequential", 1, 0, 1, {{"random_order", YES, 0, 1, {0, 0}}}},
    [MR_AUGMENT_SOME_OF] = {"SomeOf", 1, 0, 2,
        {{"count", WHOLE, 0, MR_AUGMENT_NODES, {0, MR_AUGMENT_NODES}},
         {"random_order", YES, 0, 1, {0, 0}}}},
    [MR_AUGMENT_ONE_OF] = {"OneOf", 1, 0, 0, {{NULL, RANGE, 0, 0, {0, 0}}}},
    [MR_AUGMENT_SOMETIMES] = {"Sometimes", 1, 0, 1, {{"p", ONE, 0, 1, {0.5, 0.5}}}},

    [MR_AUGMENT_FLIPLR] = {"Fliplr", 0, 1, 1, {{"p", ONE, 0, 1, {1, 1}}}},
    [MR_AUGMENT_FLIPUD] = {"Flipud", 0, 1, 1, {{"p", ONE, 0, 1, {1, 1}}}},
    [MR_AUGMENT_ROT90] = {"Rot90", 0, 1, 1, {{"k", WHOLE, -3, 3, {1, 1}}}},
    [MR_AUGMENT_AFFINE] = {"Affine", 0, 0, 5,
        {{"scale", MR_PARAMETER_AXES, 0.05, 20, {1, 1}},
         {"translate_percent", MR_PARAMETER_AXES, -1, 1, {0, 0}},
         {"translate_px", MR_PARAMETER_AXES, -16384, 16384, {0, 0}},
         {"rotate", RANGE, -360, 360, {0, 0}},
         {"shear", MR_PARAMETER_X_AXIS, -60, 60, {0, 0}}}},
    [MR_AUGMENT_CROP_AND_PAD] = {"CropAndPad", 0, 0, 2,
        {{"percent", RANGE, -0.49, 4, {0, 0}}, {"px", WHOLE, -16384, 16384, {0, 0}}}},
    [MR_AUGMENT_PIECEWISE_AFFINE] = {"PiecewiseAffine", 0, 1, 3,
        {{"scale", RANGE, 0, 0.25, {0, 0.04}},
         {"nb_rows", WHOLE, 2, 32, {4, 4}}, {"nb_cols", WHOLE, 2, 32, {4, 4}}}},
    [MR_AUGMENT_LARGE_SCALE_JITTER] = {"LargeScaleJitter", 0, 1, 1,
        {{"scale", RANGE, 0.05, 20, {0.1, 2}}}},

    [MR_AUGMENT_MULTIPLY] = {"Multiply", 0, 1, 2,
        {{"mul", RANGE, 0, 255, {0.8, 1.2}}, {"per_channel", YES, 0, 1, {0, 0}}}},
    [MR_AUGMENT_ADD] = {"Add", 0, 1, 2,
        {{"value", RANGE, -255, 255, {-20, 20}}, {"per_channel", YES, 0, 1, {0, 0}}}},
    [MR_AUGMENT_LINEAR_CONTRAST] = {"LinearContrast", 0, 1, 2,
        {{"alpha", RANGE, 0, 255, {0.6, 1.4}}, {"per_channel", YES, 0, 1, {0, 0}}}},
    [MR_AUGMENT_GAMMA_CONTRAST] = {"GammaContrast", 0, 1, 2,
        {{"gamma", RANGE, 0.01, 100, {0.7, 1.7}}, {"per_channel", YES, 0, 1, {0, 0}}}},
    [MR_AUGMENT_INVERT] = {"Invert", 0, 1, 1, {{"p", ONE, 0, 1, {1, 1}}}},
    [MR_AUGMENT_ADD_TO_HUE] = {"AddToHue", 0, 1, 1, {{"value", RANGE, -255, 255, {-20, 20}}}},
    [MR_AUGMENT_MULTIPLY_HUE] = {"MultiplyHue", 0, 1, 1, {{"mul", RANGE, -10, 10, {0.9, 1.1}}}},
    [MR_AUGMENT_ADD_TO_SATURATION] = {"AddToSaturation", 0, 1, 1,
        {{"value", RANGE, -255, 255, {-75, 75}}}},
    [MR_AUGMENT_MULTIPLY_SATURATION] = {"MultiplySaturation", 0, 1, 1,
        {{"mul", RANGE, 0, 255, {0, 3}}}},
    [MR_AUGMENT_GAUSSIAN_BLUR] = {"GaussianBlur", 0, 1, 1, {{"sigma", RANGE, 0, 20, {0, 3}}}},
    [MR_AUGMENT_NOISE] = {"AdditiveGaussianNoise", 0, 1, 2,
        {{"scale", RANGE, 0, 255, {0, 15}}, {"per_channel", YES, 0, 1, {0, 0}}}},
};
/* clang-format on */

int mr_parameter_slots(const mr_augment_parameter *parameter) {
    return parameter->kind == MR_PARAMETER_AXES || parameter->kind == MR_PARAMETER_X_AXIS ? 2 : 1;
}

int mr_augment_slots(mr_augment_op op) {
    const mr_augment_kind *kind = &mr_augment_kinds[op];
    int slots = 0;
    for (int i = 0; i < kind->parameter_count; i++)
        slots += mr_parameter_slots(&kind->parameters[i]);
    return slots;
}

const char *mr_augmentation_needs_color(const mr_augmentation *tree) {
    for (int i = 0; i < tree->count; i++) {
        int op = tree->nodes[i].op;
        if (op >= MR_AUGMENT_ADD_TO_HUE && op <= MR_AUGMENT_MULTIPLY_SATURATION)
            return mr_augment_kinds[op].name;
    }
    return NULL;
}
