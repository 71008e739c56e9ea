/* test_subpixel.c - MASK_RESIZE subpixel: a head that answers exactly what it is taught gives masks that
 * are nearer to the objects than those of the other modes, whichever way the picture was scaled. */
#include "helper_assert.h"

#include "base/prng.h"
#include "data/mini_mask.h"
#include "image/bits.h"
#include "image/mask.h"
#include "model/detections.h"
#include "model/targets.h"

#include <math.h>
#include <stdlib.h>

enum { CELLS = 28, MODES = 3, NETWORK = 256 };

/* An ellipse in a picture, turned by some angle. */
typedef struct ellipse {
    double y, x, a, b, turn;
} ellipse;

static void draw(uint8_t *bytes, int side, const ellipse *e) {
    double c = cos(e->turn), s = sin(e->turn);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            double dy = y + 0.5 - e->y, dx = x + 0.5 - e->x;
            double u = (dx * c + dy * s) / e->a, v = (dy * c - dx * s) / e->b;
            bytes[y * side + x] = u * u + v * v <= 1;
        }
}

static void find_box(const uint8_t *bytes, int side, int32_t box[4]) {
    mrcnn_mask mask = {0};
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, side, side, NULL), MRCNN_OK);
    mr_mask_box(&mask, box);
    mrcnn_mask_free(&mask);
}

/* What the mask head is taught of an object in a proposal (N31); 0: the proposal is no positive. */
static int teach(const uint8_t *network_mask, const float proposal[4], const mrcnn_config *config,
                 float *target) {
    const mr_settings *s = mr_config_settings(config);
    int side = NETWORK, rows = s->use_mini_mask ? s->mini_mask_shape.values[0] : side;
    int32_t ids[1] = {1}, boxes[1][4];
    uint8_t *mini = calloc((size_t)rows, (size_t)rows);
    uint8_t *bits = calloc(mr_bits_size(rows, rows), 1);
    mr_roi_matcher *matcher = mr_roi_matcher_create(s);
    mr_roi_targets targets;
    assert_true(mini && bits && matcher);
    find_box(network_mask, side, boxes[0]);
    if (s->use_mini_mask)
        assert_int_equal(mr_minimize_mask(network_mask, side, boxes[0], mini, rows, rows, NULL),
                         MRCNN_OK);
    mr_bits_pack(s->use_mini_mask ? mini : network_mask, rows, rows, bits);
    mr_ground_truth truth = {1, ids, (const int32_t(*)[4])boxes, rows, rows, bits};
    assert_int_equal(mr_match_rois(matcher, proposal, 1, &truth, side, side, 0, &targets, NULL),
                     MRCNN_OK);
    int is_positive = targets.positive_count == 1;
    if (is_positive) memcpy(target, targets.masks, CELLS * CELLS * sizeof *target);
    mr_roi_matcher_free(&matcher);
    free(mini);
    free(bits);
    return is_positive;
}

static double iou_of(const mrcnn_mask *mask, const uint8_t *truth) {
    size_t count = (size_t)mask->height * (size_t)mask->width, both = 0, any = 0;
    uint8_t *bytes = malloc(count);
    assert_non_null(bytes);
    mrcnn_mask_to_bytes(mask, bytes);
    for (size_t i = 0; i < count; i++) {
        both += bytes[i] && truth[i];
        any += bytes[i] || truth[i];
    }
    free(bytes);
    return (double)both / (double)any;
}

typedef struct world {
    int side; /* of the picture; the network's is NETWORK */
    mr_fit fit;
    mrcnn_config *config;
} world;

static world make_world(int side, const char *mini) {
    world w = {.side = side};
    char scale[32];
    snprintf(scale, sizeof scale, "%d", NETWORK);
    assert_int_equal(mrcnn_config_create(&w.config, NULL, NULL), MRCNN_OK);
    const char *keys[][2] = {{"IMAGE_MIN_DIM", scale},    {"IMAGE_MAX_DIM", scale},
                             {"NUM_CLASSES", "2"},        {"USE_MINI_MASK", mini},
                             {"ROI_POSITIVE_RATIO", "1"}, {"TRAIN_ROIS_PER_IMAGE", "4"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(mrcnn_config_set(w.config, keys[i][0], keys[i][1], NULL), MRCNN_OK);
    assert_int_equal(mr_fit_image(&w.fit, side, side, mr_config_settings(w.config), NULL),
                     MRCNN_OK);
    return w;
}

/* Sums of IoU of the pasted masks, one a mode. */
static int paste_all(const world *w, const ellipse *e, uint64_t stream, double sums[MODES]) {
    size_t count = (size_t)w->side * (size_t)w->side;
    uint8_t *truth = malloc(count), *network = malloc(NETWORK * NETWORK);
    float target[CELLS * CELLS], proposal[4];
    int32_t box[4];
    double pixels[4], s = (double)NETWORK / w->side;
    ellipse in_network = {e->y * s, e->x * s, e->a * s, e->b * s, e->turn};
    assert_true(truth && network);
    draw(truth, w->side, e);
    draw(network, NETWORK, &in_network);
    find_box(network, NETWORK, box);
    for (int k = 0; k < 4; k++) {
        double size = box[2 + k % 2] - box[k % 2];
        pixels[k] = box[k] + 0.1 * size * (mr_prng_uniform(stream, (uint64_t)k) - 0.5);
    }
    mr_norm_box(pixels, NETWORK, NETWORK, proposal);
    int is_positive = teach(network, proposal, w->config, target);
    for (int mode = 0; is_positive && mode < MODES; mode++) {
        char words[][12] = {"matterport", "exact", "subpixel"};
        mr_spot spot;
        mrcnn_config_set(w->config, "MASK_RESIZE", words[mode], NULL);
        mrcnn_mask mask = {0};
        assert_true(mr_unmold_spot(proposal, &w->fit, mr_config_settings(w->config), &spot));
        assert_int_equal(mr_unmold_mask(&mask, target, CELLS, CELLS, spot.box, spot.samples,
                                        w->side, w->side, (mr_mask_resize)mode, NULL),
                         MRCNN_OK);
        sums[mode] += iou_of(&mask, truth);
        mrcnn_mask_free(&mask);
    }
    free(truth);
    free(network);
    return is_positive;
}

/* The mean IoU in each mode for ellipses that are low to high pixels long. */
static void measure(int side, const char *mini, double low, double high, double means[MODES]) {
    enum { COUNT = 24 };
    world w = make_world(side, mini);
    uint64_t stream = mr_prng_stream(7, "ellipses");
    int done = 0;
    for (int m = 0; m < MODES; m++) means[m] = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        double u[5];
        for (uint64_t k = 0; k < 5; k++) u[k] = mr_prng_uniform(stream, 5 * i + k);
        ellipse e = {.a = (low + (high - low) * u[0]) / 2, .turn = 3 * u[1]};
        e.b = e.a * (0.6 + 0.4 * u[2]);
        e.y = e.a + (side - 2 * e.a) * u[3];
        e.x = e.a + (side - 2 * e.a) * u[4];
        done += paste_all(&w, &e, mr_prng_value(stream, 1000000 + i), means);
    }
    mrcnn_config_free(&w.config);
    assert_true(done > COUNT / 2);
    for (int m = 0; m < MODES; m++) means[m] /= done;
}

/* Pictures that the network sees enlarged, as they are, and shrunk; objects of 12 to 120 pixels there;
 * taught with mini masks and without. */
static void is_nearest_to_what_was_taught(void **state) {
    (void)state;
    static const int sides[] = {128, 256, 512};
    static const double sizes[][2] = {{12, 20}, {20, 50}, {50, 120}}, least[] = {0.89, 0.93, 0.94};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            for (int mini = 0; mini < 2; mini++) {
                double f = sides[i] / (double)NETWORK, means[MODES];
                measure(sides[i], mini ? "true" : "false", sizes[k][0] * f, sizes[k][1] * f, means);
                assert_true(means[MR_MASK_SUBPIXEL] > means[MR_MASK_MATTERPORT]);
                assert_true(means[MR_MASK_SUBPIXEL] > means[MR_MASK_EXACT]);
                assert_true(means[MR_MASK_SUBPIXEL] > least[k]);
            }
}

/* ------------------------------------------------------------------------------- where boxes go */

static mr_spot spot_of(const char *const *keys, int height, int width, const double pixels[4],
                       mr_fit *fit, int *covers) {
    mrcnn_config *config = NULL;
    mr_spot spot = {{0}, {0}, {0}};
    float box[4];
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "MASK_RESIZE", "subpixel", NULL), MRCNN_OK);
    for (; *keys; keys += 2)
        assert_int_equal(mrcnn_config_set(config, keys[0], keys[1], NULL), MRCNN_OK);
    const mr_settings *s = mr_config_settings(config);
    assert_int_equal(mr_fit_image(fit, height, width, s, NULL), MRCNN_OK);
    mr_norm_box(pixels, fit->height, fit->width, box);
    *covers = mr_unmold_spot(box, fit, s, &spot);
    mrcnn_config_free(&config);
    return spot;
}

static void assert_numbers(const double *got, const double *wanted) {
    for (int k = 0; k < 4; k++)
        if (!(fabs(got[k] - wanted[k]) < 1e-3)) fail_msg("%d: %g, not %g", k, got[k], wanted[k]);
}

/* Worked out by hand: what was scaled, padded and cropped goes back. */
static void boxes_go_back_where_they_came_from(void **state) {
    (void)state;
    static const char *const shrunk[] = {
        "IMAGE_MIN_DIM", "128", "IMAGE_MAX_DIM", "256", "USE_MINI_MASK", "false", NULL};
    static const char *const mini[] = {"IMAGE_MIN_DIM", "128", "IMAGE_MAX_DIM", "256", NULL};
    static const char *const cropped[] = {"IMAGE_RESIZE_MODE",
                                          "crop",
                                          "IMAGE_MIN_DIM",
                                          "128",
                                          "IMAGE_MIN_SCALE",
                                          "2",
                                          "USE_MINI_MASK",
                                          "false",
                                          NULL};
    mr_fit fit;
    int covers;
    /* 400 x 800 becomes 128 x 256, with 64 rows of padding above. */
    mr_spot spot = spot_of(shrunk, 400, 800, (const double[]){74, 10, 94, 50}, &fit, &covers);
    assert_true(covers && fit.pad_top == 64 && fit.scaled_height == 128);
    assert_numbers(spot.edges, (const double[]){31.25, 31.25, 93.75, 156.25});
    assert_numbers(spot.samples, (const double[]){32.3125, 32.3125, 91.6875, 154.1875});
    assert_memory_equal(spot.box, ((const int32_t[]){31, 31, 94, 156}), sizeof spot.box);
    /* Mini masks have 56 cells: the outermost samples lie in the middle of the outermost cells. */
    spot = spot_of(mini, 400, 800, (const double[]){74, 10, 94, 50}, &fit, &covers);
    assert_numbers(spot.samples,
                   (const double[]){31.25 + 62.5 / 112 - 0.5, 31.25 + 125.0 / 112 - 0.5,
                                    93.75 - 62.5 / 112 - 0.5, 156.25 - 125.0 / 112 - 0.5});
    /* 100 x 100 becomes 200 x 200, of which the middle 128 x 128 is seen. */
    spot = spot_of(cropped, 100, 100, (const double[]){0, 64, 2, 128}, &fit, &covers);
    assert_true(covers && fit.crop_x == 36);
    assert_numbers(spot.edges, (const double[]){18, 50, 19, 82});
    assert_memory_equal(spot.box, ((const int32_t[]){18, 50, 19, 82}), sizeof spot.box);
    /* Between two centres there is no pixel; outside the picture neither. */
    spot_of(cropped, 100, 100, (const double[]){1.2, 0, 1.8, 128}, &fit, &covers);
    assert_true(covers == 0);
    spot = spot_of(mini, 400, 800, (const double[]){0, 0, 256, 256}, &fit, &covers);
    assert_memory_equal(spot.box, ((const int32_t[]){0, 0, 400, 800}), sizeof spot.box);
    spot_of(mini, 400, 800, (const double[]){10, 0, 50, 256}, &fit, &covers);
    assert_true(covers == 0);
    spot = spot_of(mini, 400, 800, (const double[]){NAN, -1e30, INFINITY, NAN}, &fit, &covers);
    assert_true(covers == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_go_back_where_they_came_from),
        cmocka_unit_test(is_nearest_to_what_was_taught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
