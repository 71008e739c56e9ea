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
                print_message("%4d %g..%g %d: %.4f %.4f %.4f\n", sides[i], sizes[k][0], sizes[k][1],
                              mini, means[0], means[1], means[2]);
                assert_true(means[MR_MASK_SUBPIXEL] > means[MR_MASK_MATTERPORT]);
                assert_true(means[MR_MASK_SUBPIXEL] > means[MR_MASK_EXACT]);
                assert_true(means[MR_MASK_SUBPIXEL] > least[k]);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_nearest_to_what_was_taught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
