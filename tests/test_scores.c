/* test_scores.c - DETECTION_BACKGROUND and DETECTION_SCORE: what else than matterport's rules may say
 * of a proposal. */
#include "helper_config.h"
#include "helper_trace.h"

#include "config/config.h"
#include "model/detections.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* --------------------------------------------------------------------------------- background */

/* Four proposals far from each other; deltas of class c move a box down by c tenths of its height. */
static size_t detect_rows(const char *background, mr_detection *found) {
    static const float rois[4][4] = {
        {0, 0, .1f, .1f}, {.2f, .2f, .3f, .3f}, {.4f, .4f, .5f, .5f}, {.6f, .6f, .7f, .7f}};
    static const float probs[4][3] = {
        {.7f, .1f, .2f}, {.1f, .6f, .3f}, {.9f, .06f, .04f}, {.98f, .01f, .01f}};
    static const float window[4] = {0, 0, 1, 1};
    float deltas[4][3][4] = {{{0}}};
    for (int r = 0; r < 4; r++)
        for (int c = 0; c < 3; c++) deltas[r][c][0] = (float)c;
    const char *const keys[] = {"NUM_CLASSES", "3", "DETECTION_BACKGROUND", background, NULL};
    const float confidence[3] = {0.05f, 0.05f, 0.05f};
    mr_box_output output = {.rois = rois[0],
                            .roi_stride = 4,
                            .probs = probs[0],
                            .deltas = deltas[0][0],
                            .rois_count = 4,
                            .total = 4};
    size_t count = 0;
    mrcnn_config *config = config_with(NULL, keys);
    assert_int_equal(mr_refine_detections(&output, window, mr_config_settings(config), confidence,
                                          found, &count, NULL, NULL),
                     MRCNN_OK);
    mrcnn_config_free(&config);
    return count;
}

static void background_wins(void **state) {
    (void)state;
    mr_detection found[100];
    assert_int_equal(detect_rows("wins", found), 1);
    assert_int_equal(found[0].roi, 1);
    assert_int_equal(found[0].class_id, 1);
}

/* Of each proposal its best object, by falling score, down to the least confidence: the third's 0.06
 * is enough, the fourth's 0.01 is not. */
static void background_yields(void **state) {
    (void)state;
    static const int rois[] = {1, 0, 2}, classes[] = {1, 2, 1};
    static const float scores[] = {.6f, .2f, .06f};
    mr_detection found[100];
    assert_int_equal(detect_rows("yields", found), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(found[i].roi, rois[i]);
        assert_int_equal(found[i].class_id, classes[i]);
        assert_true(found[i].score == scores[i]);
        double top = 0.2 * rois[i] + 0.1 * 0.1 * classes[i]; /* BBOX_STD_DEV is 0.1 */
        assert_true(fabs(found[i].box[0] - top) < 1e-6);
    }
}

/* --------------------------------------------------------------------------------------- score */

static mrcnn_trace *trace_with(const char *score, mrcnn_model **model, mrcnn_session **session,
                               const mrcnn_image *image) {
    const char *const keys[] = {"DETECTION_SCORE",
                                score,
                                "DETECTION_BACKGROUND",
                                "yields",
                                "DETECTION_MIN_CONFIDENCE",
                                "0",
                                NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_trace *trace = NULL;
    mrcnn_config *config = config_with(NULL, keys);
    if (mrcnn_model_load(model, "net.h5", config, &err) ||
        mrcnn_session_create(session, *model, NULL, &err) ||
        mrcnn_trace_create(&trace, *session, image, NULL, &err))
        fail_msg("%s", err.message);
    mrcnn_config_free(&config);
    return trace;
}

static double certainty(const float *mask, size_t count) {
    double sum = 0, inside = 0;
    for (size_t i = 0; i < count; i++) {
        sum += mask[i] >= 0.5f ? (double)mask[i] : 0;
        inside += mask[i] >= 0.5f;
    }
    return inside > 0 ? sum / inside : 0;
}

static void check_rows(const mrcnn_trace *t) {
    size_t shown = 0;
    for (size_t i = 0; i < t->proposal_count; i++) {
        const mrcnn_proposal *row = &t->proposals[i];
        if (row->instance < 0) continue;
        const mrcnn_instance *it = &t->result->instances[row->instance];
        assert_true(it->score == row->final_score);
        assert_int_equal(it->class_id, row->class_id);
        shown++;
    }
    assert_int_equal(shown, t->result->count);
}

/* The same instances with the same masks, in the order of their new scores; and the trace's masks and
 * rows are those of the instances that they belong to. */
static void masks_have_a_say(void **state) {
    (void)state;
    char folder[] = "/tmp/mrcnn-scores-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    save_network("net.h5", NULL, 0);
    mrcnn_image image = noisy_picture(96, 128, 4);
    mrcnn_model *models[2];
    mrcnn_session *sessions[2];
    mrcnn_trace *plain = trace_with("class", &models[0], &sessions[0], &image);
    mrcnn_trace *both = trace_with("class_and_mask", &models[1], &sessions[1], &image);
    size_t count = plain->result->count, moved = 0;
    size_t pixels = (size_t)both->mask_height * (size_t)both->mask_width;
    assert_true(count > 3 && both->result->count == count);
    check_rows(plain);
    check_rows(both);
    for (size_t i = 0; i < count; i++) {
        const mrcnn_instance *it = &both->result->instances[i];
        size_t row = 0, old = 0;
        while (both->proposals[row].instance != (int32_t)i) row++;
        old = (size_t)plain->proposals[row].instance;
        double want = (double)plain->result->instances[old].score *
                      certainty(both->masks + i * pixels, pixels);
        assert_true(fabs((double)it->score - want) < 1e-6);
        assert_memory_equal(both->masks + i * pixels, plain->masks + old * pixels,
                            pixels * sizeof(float));
        assert_int_equal(it->mask.count, plain->result->instances[old].mask.count);
        assert_true(i == 0 || both->result->instances[i - 1].score >= it->score);
        moved += old != i;
    }
    assert_true(moved > 0);
    for (int k = 0; k < 2; k++) {
        mrcnn_trace **trace = k ? &both : &plain;
        mrcnn_trace_free(trace);
        mrcnn_session_free(&sessions[k]);
        mrcnn_model_free(&models[k]);
    }
    mrcnn_image_free(&image);
    assert_int_equal(unlink("net.h5"), 0);
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(background_wins),
        cmocka_unit_test(background_yields),
        cmocka_unit_test(masks_have_a_say),
    };
    return cmocka_run_group_tests_name("scores", tests, NULL, NULL);
}
