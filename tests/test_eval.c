/* test_eval.c - COCO's figures: cases with the figures that pycocotools gave, bit for bit, and rules
 * one by one. `test_eval FILE` checks another file of cases (data/eval/make.py makes them). */
#include "helper_assert.h"

#include "eval/coco.h"
#include "eval/truth.h"

#include "image/mask.h"

#include <mrcnn/eval.h>

#include <math.h>
#include <stdlib.h>

static const char *cases_path = TEST_DATA "/eval/cases.txt";

/* -------------------------------------------------------------------------------------- a case */

enum { MOST_ITEMS = 1000, MOST_CLASSES = 16, MOST_LINE = 20000, FIGURES = 12 };

typedef struct reader {
    FILE *file;
    char line[MOST_LINE], name[64];
    int class_count, in_picture, wrong;
    mrcnn_evaluation *evaluation;
    mrcnn_report *report;
    mrcnn_truth truths[MOST_ITEMS];
    mrcnn_instance instances[MOST_ITEMS];
    size_t truth_count;
    mrcnn_result found;
} reader;

static mrcnn_mask read_mask(const char *text, int32_t height, int32_t width) {
    mrcnn_mask mask = {0};
    assert_int_equal(mrcnn_mask_from_string(&mask, text, height, width, NULL), MRCNN_OK);
    return mask;
}

static void end_picture(reader *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (!r->in_picture) return;
    mrcnn_evaluation_add(r->evaluation, r->truths, r->truth_count, &r->found, &err);
    assert_string_equal(err.message, "");
    for (size_t i = 0; i < r->truth_count; i++) mrcnn_mask_free(&r->truths[i].mask);
    for (size_t i = 0; i < r->found.count; i++) mrcnn_mask_free(&r->instances[i].mask);
    r->truth_count = r->found.count = 0;
    r->in_picture = 0;
}

static void begin_picture(reader *r) {
    end_picture(r);
    r->in_picture = 1;
    r->found.instances = r->instances;
    assert_int_equal(sscanf(r->line, "picture %d %d", &r->found.height, &r->found.width), 2);
}

static void read_object(reader *r) {
    int mask_at = 0;
    assert_true(r->truth_count < MOST_ITEMS);
    mrcnn_truth *t = &r->truths[r->truth_count++];
    assert_int_equal(sscanf(r->line, "object %d %d %lf %lf %lf %lf %lf %n", &t->class_id,
                            &t->is_crowd, &t->x, &t->y, &t->width, &t->height, &t->area, &mask_at),
                     7);
    t->mask = read_mask(r->line + mask_at, r->found.height, r->found.width);
}

static void read_detection(reader *r) {
    int mask_at = 0;
    assert_true(r->found.count < MOST_ITEMS);
    mrcnn_instance *it = &r->instances[r->found.count++];
    assert_int_equal(sscanf(r->line, "found %d %f %d %d %d %d %n", &it->class_id, &it->score,
                            &it->y1, &it->x1, &it->y2, &it->x2, &mask_at),
                     6);
    it->mask = read_mask(r->line + mask_at, r->found.height, r->found.width);
}

/* Compares the numbers behind the first `at` characters of the line. */
static void expect(reader *r, int at, const double *have, size_t count, double tolerance) {
    char *text = r->line + at;
    for (size_t i = 0; i < count; i++) {
        double want = strtod(text, &text);
        if (fabs(have[i] - want) <= tolerance) continue;
        print_error("%s: number %zu of \"%.12s\" is %.17g, not %.17g\n", r->name, i, r->line,
                    have[i], want);
        r->wrong++;
    }
}

static void expect_figures(reader *r) {
    const mrcnn_figures *f = r->line[0] == 'b' ? &r->report->bbox : &r->report->segm;
    const double have[FIGURES] = {f->ap,        f->ap50,     f->ap75,      f->ap_small,
                                  f->ap_medium, f->ap_large, f->ar1,       f->ar10,
                                  f->ar100,     f->ar_small, f->ar_medium, f->ar_large};
    expect(r, 5, have, FIGURES, 0);
}

/* What is behind the class's number; returns that. */
static int read_class(const reader *r, int *at) {
    int id;
    assert_int_equal(sscanf(r->line + 10, "%d%n", &id, at), 1);
    assert_in_range(id, 1, r->class_count - 1);
    *at += 10;
    return id;
}

static void expect_class(reader *r) {
    int at;
    const mrcnn_class_figures *c = &r->report->classes[read_class(r, &at)];
    const double bbox[] = {c->bbox_ap, c->bbox_ap50, c->bbox_ap75};
    const double segm[] = {c->segm_ap, c->segm_ap50, c->segm_ap75};
    expect(r, at, r->line[0] == 'b' ? bbox : segm, 3, 0);
}

/* Three curves' precisions, then their scores, at every fortieth recall; -1 of a class without
 * objects. */
static void expect_curve(reader *r) {
    enum { CURVES = 3, POINTS = 3, STEP = 40 };
    double have[2 * CURVES * POINTS];
    int at, id = read_class(r, &at), next = 0;
    const mrcnn_class_curves *row = &r->report->curves[id];
    const mrcnn_curves *all = r->line[0] == 'b' ? row->bbox : row->segm;
    assert_true(!all == (r->report->classes[id].objects == 0));
    for (int scores = 0; scores < 2; scores++)
        for (int i = 0; i < CURVES; i++)
            for (int point = 0; point < POINTS; point++) {
                const mrcnn_curve *c = !all     ? NULL
                                       : i == 0 ? &all->at50
                                       : i == 1 ? &all->at75
                                                : &all->mean;
                have[next++] = !c       ? -1
                               : scores ? c->score[point * STEP]
                                        : c->precision[point * STEP];
            }
    expect(r, at, have, 2 * CURVES * POINTS, 1e-15);
}

static void expect_picture_map(reader *r) {
    const double have[2] = {r->report->picture_map50, r->report->picture_map};
    expect(r, 12, have, 2, 1e-12);
}

static void begin_case(reader *r) {
    assert_int_equal(sscanf(r->line, "case %63s %d", r->name, &r->class_count), 2);
    assert_int_equal(mrcnn_evaluation_create(&r->evaluation, r->class_count, NULL), MRCNN_OK);
}

static void read_line(reader *r) {
    const char *line = r->line;
    int is_figure = strncmp(line, "bbox", 4) == 0 || strncmp(line, "segm", 4) == 0;
    if (is_figure && !r->report) {
        end_picture(r);
        assert_int_equal(mrcnn_evaluation_report(r->evaluation, &r->report, NULL), MRCNN_OK);
    }
    if (strncmp(line, "case ", 5) == 0) begin_case(r);
    if (strncmp(line, "picture ", 8) == 0) begin_picture(r);
    if (strncmp(line, "object ", 7) == 0) read_object(r);
    if (strncmp(line, "found ", 6) == 0) read_detection(r);
    if (is_figure && line[4] == ' ') expect_figures(r);
    if (is_figure && strncmp(line + 4, "_class", 6) == 0) expect_class(r);
    if (is_figure && strncmp(line + 4, "_curve", 6) == 0) expect_curve(r);
    if (strncmp(line, "picture_map ", 12) == 0) expect_picture_map(r);
    if (strcmp(line, "end") != 0) return;
    mrcnn_report_free(&r->report);
    mrcnn_evaluation_free(&r->evaluation);
}

static void test_cases(void **state) {
    reader *r = calloc(1, sizeof *r);
    int cases = 0;
    (void)state;
    r->file = fopen(cases_path, "r");
    assert_non_null(r->file);
    while (fgets(r->line, sizeof r->line, r->file)) {
        r->line[strcspn(r->line, "\n")] = 0;
        cases += strcmp(r->line, "end") == 0;
        read_line(r);
    }
    fclose(r->file);
    assert_int_equal(r->wrong, 0);
    assert_true(cases >= 12);
    free(r);
}

/* ------------------------------------------------------------------------------------- by hand */

enum { SIDE = 100 };

/* A picture of SIDE x SIDE pixels whose objects and detections are boxes. */
typedef struct scene {
    mrcnn_truth truths[16];
    mrcnn_instance instances[16];
    size_t truth_count;
    mrcnn_result found;
} scene;

static mrcnn_mask box_mask(int y1, int x1, int y2, int x2) {
    mrcnn_mask mask = {0};
    uint8_t *bytes = calloc(SIDE * SIDE, 1);
    for (int y = y1; y < y2; y++)
        for (int x = x1; x < x2; x++) bytes[y * SIDE + x] = 1;
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, SIDE, SIDE, NULL), MRCNN_OK);
    free(bytes);
    return mask;
}

static scene *make_scene(void) {
    scene *s = calloc(1, sizeof *s);
    s->found = (mrcnn_result){SIDE, SIDE, 0, s->instances};
    return s;
}

static void put_object(scene *s, int class_id, int is_crowd, int y, int x, int height, int width) {
    s->truths[s->truth_count++] = (mrcnn_truth){class_id,
                                                is_crowd,
                                                x,
                                                y,
                                                width,
                                                height,
                                                (double)height * width,
                                                box_mask(y, x, y + height, x + width)};
}

static void put_detection(scene *s, int class_id, float score, int y, int x, int height,
                          int width) {
    s->instances[s->found.count++] = (mrcnn_instance){
        y, x, y + height, x + width, class_id, score, NULL, box_mask(y, x, y + height, x + width)};
}

static void free_scene(scene *s) {
    for (size_t i = 0; i < s->truth_count; i++) mrcnn_mask_free(&s->truths[i].mask);
    for (size_t i = 0; i < s->found.count; i++) mrcnn_mask_free(&s->instances[i].mask);
    free(s);
}

/* The report of one picture; frees the scene. */
static mrcnn_report *report_on(scene *s, int class_count) {
    mrcnn_evaluation *e = NULL;
    mrcnn_report *report = NULL;
    assert_int_equal(mrcnn_evaluation_create(&e, class_count, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_evaluation_add(e, s->truths, s->truth_count, &s->found, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_evaluation_report(e, &report, NULL), MRCNN_OK);
    mrcnn_evaluation_free(&e);
    free_scene(s);
    return report;
}

static void test_perfect(void **state) {
    (void)state;
    scene *s = make_scene();
    put_object(s, 1, 0, 0, 0, 20, 20);
    put_object(s, 2, 0, 40, 40, 50, 50);
    put_detection(s, 1, 0.5f, 0, 0, 20, 20);
    put_detection(s, 2, 0.9f, 40, 40, 50, 50);
    mrcnn_report *r = report_on(s, 3);
    assert_float_equal(r->bbox.ap, 1, 1e-12);
    assert_float_equal(r->segm.ap, 1, 1e-12);
    assert_float_equal(r->segm.ap_small, 1, 1e-12);
    assert_float_equal(r->segm.ap_medium, 1, 1e-12);
    assert_float_equal(r->segm.ap_large, -1, 0);
    assert_float_equal(r->segm.ar1, 1, 0);
    assert_float_equal(r->picture_map, 1, 0);
    assert_int_equal(r->pictures, 1);
    assert_int_equal(r->objects, 2);
    assert_int_equal(r->detections, 2);
    assert_int_equal(r->crowds, 0);
    assert_int_equal(r->classes[2].objects, 1);
    mrcnn_report_free(&r);
    assert_null(r);
    mrcnn_report_free(&r);
}

/* An IoU of exactly 0.5 is enough at 0.50, and at no other threshold. */
static void test_threshold(void **state) {
    (void)state;
    scene *s = make_scene();
    put_object(s, 1, 0, 0, 0, 20, 20);
    put_detection(s, 1, 0.5f, 0, 0, 20, 10);
    mrcnn_report *r = report_on(s, 2);
    assert_float_equal(r->bbox.ap50, 1, 1e-12);
    assert_float_equal(r->bbox.ap, 0.1, 1e-12);
    assert_float_equal(r->segm.ap, 0.1, 1e-12);
    assert_float_equal(r->picture_map50, 1, 1e-12);
    assert_float_equal(r->picture_map, 0.1, 1e-12);
    mrcnn_report_free(&r);
}

/* A wrong detection before the right one halves precision; behind it, it costs nothing; elsewhere in
 * the picture a second one for the same object is wrong. */
static void test_order(void **state) {
    (void)state;
    for (int first = 0; first < 2; first++) {
        scene *s = make_scene();
        put_object(s, 1, 0, 0, 0, 20, 20);
        put_detection(s, 1, 0.5f, 0, 0, 20, 20);
        put_detection(s, 1, first ? 0.9f : 0.1f, 0, 0, 20, 9);
        mrcnn_report *r = report_on(s, 2);
        assert_float_equal(r->segm.ap, first ? 0.5 : 1, 1e-12);
        assert_float_equal(r->picture_map50, first ? 0.5 : 1, 1e-12);
        assert_float_equal(r->segm.ar1, first ? 0 : 1, 1e-12); /* the best detection only */
        assert_float_equal(r->segm.ar10, 1, 1e-12);
        mrcnn_report_free(&r);
    }
}

/* Detections inside a crowd count neither way, however many; outside they are wrong. */
static void test_crowd(void **state) {
    (void)state;
    scene *s = make_scene();
    put_object(s, 1, 0, 0, 0, 20, 20);
    put_object(s, 1, 1, 40, 0, 60, 100);
    put_detection(s, 1, 0.9f, 50, 10, 10, 10);
    put_detection(s, 1, 0.8f, 50, 12, 10, 10);
    put_detection(s, 1, 0.7f, 0, 0, 20, 20);
    mrcnn_report *r = report_on(s, 2);
    assert_float_equal(r->bbox.ap, 1, 1e-12);
    assert_float_equal(r->segm.ap, 1, 1e-12);
    assert_int_equal(r->objects, 1);
    assert_int_equal(r->crowds, 1);
    /* For matterport's figure there are no crowds: two wrong ones come before the right one. */
    assert_float_equal(r->picture_map50, 1.0 / 3, 1e-12);
    mrcnn_report_free(&r);
    s = make_scene();
    put_object(s, 1, 0, 0, 0, 20, 20);
    put_object(s, 1, 1, 40, 0, 60, 100);
    put_detection(s, 1, 0.9f, 25, 10, 10, 10);
    put_detection(s, 1, 0.7f, 0, 0, 20, 20);
    r = report_on(s, 2);
    assert_float_equal(r->segm.ap, 0.5, 1e-12);
    mrcnn_report_free(&r);
}

/* A detection takes the object that it covers best, and leaves the other one to the next: a box of
 * 20 x 13 lies nearer to 20 x 10 (IoU 0.77) than to 20 x 20 (0.65). */
static void test_best_object(void **state) {
    (void)state;
    for (int swapped = 0; swapped < 2; swapped++) {
        scene *s = make_scene();
        put_object(s, 1, 0, 0, 0, 20, swapped ? 10 : 20);
        put_object(s, 1, 0, 0, 0, 20, swapped ? 20 : 10);
        put_detection(s, 1, 0.9f, 0, 0, 20, 13);
        put_detection(s, 1, 0.8f, 0, 0, 20, 20);
        mrcnn_report *r = report_on(s, 2);
        assert_float_equal(r->picture_map, (6 * 1 + 4 * 0.25) / 10, 1e-12);
        assert_float_equal(r->segm.ap, (6 * 1 + 4 * 0.5 * 51 / 101) / 10, 1e-12);
        assert_float_equal(r->bbox.ap, r->segm.ap, 0);
        mrcnn_report_free(&r);
    }
}

static void test_truth_of_mask(void **state) {
    (void)state;
    mrcnn_mask mask = box_mask(10, 20, 15, 90);
    mrcnn_truth t = mr_truth_of_mask(&mask, -3);
    const double have[] = {t.x, t.y, t.width, t.height, t.area}, want[] = {20, 10, 70, 5, 350};
    assert_memory_equal(have, want, sizeof have);
    assert_int_equal(t.class_id, 3);
    assert_int_equal(t.is_crowd, 1);
    t = mr_truth_of_mask(&mask, 2);
    assert_int_equal(t.class_id, 2);
    assert_int_equal(t.is_crowd, 0);
    assert_ptr_equal(t.mask.counts, mask.counts);
    mrcnn_mask_free(&mask);
}

/* Another class's detection finds nothing. */
static void test_classes(void **state) {
    (void)state;
    scene *s = make_scene();
    put_object(s, 1, 0, 0, 0, 20, 20);
    put_detection(s, 2, 0.9f, 0, 0, 20, 20);
    mrcnn_report *r = report_on(s, 4);
    assert_float_equal(r->segm.ap, 0, 0);
    assert_float_equal(r->classes[1].segm_ap, 0, 0);
    assert_float_equal(r->classes[2].segm_ap, -1, 0); /* there is none to find */
    assert_float_equal(r->classes[3].bbox_ap50, -1, 0);
    assert_float_equal(r->picture_map50, 0, 0);
    mrcnn_report_free(&r);
}

static void test_nothing(void **state) {
    mrcnn_evaluation *e = NULL;
    mrcnn_report *r = NULL;
    (void)state;
    assert_int_equal(mrcnn_evaluation_create(&e, 3, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_evaluation_report(e, &r, NULL), MRCNN_OK);
    assert_float_equal(r->bbox.ap, -1, 0);
    assert_float_equal(r->segm.ar_large, -1, 0);
    assert_float_equal(r->picture_map50, -1, 0);
    assert_int_equal(r->pictures, 0);
    mrcnn_report_free(&r);
    mrcnn_evaluation_free(&e);
    assert_null(e);
    mrcnn_evaluation_free(&e);
}

/* A report may be asked for at any time, and changes nothing. */
static void test_report_between(void **state) {
    mrcnn_evaluation *e = NULL;
    mrcnn_report *r = NULL;
    double before[3];
    (void)state;
    assert_int_equal(mrcnn_evaluation_create(&e, 2, NULL), MRCNN_OK);
    scene *s = make_scene();
    put_object(s, 1, 0, 0, 0, 20, 20);
    put_detection(s, 1, 0.1f, 0, 0, 20, 20);
    put_detection(s, 1, 0.9f, 60, 60, 20, 20);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mrcnn_evaluation_add(e, s->truths, s->truth_count, &s->found, NULL), 0);
        assert_int_equal(mrcnn_evaluation_report(e, &r, NULL), MRCNN_OK);
        before[i] = r->segm.ap;
        assert_int_equal(r->pictures, i + 1);
        mrcnn_report_free(&r);
        assert_int_equal(mrcnn_evaluation_report(e, &r, NULL), MRCNN_OK);
        assert_float_equal(r->segm.ap, before[i], 0);
        mrcnn_report_free(&r);
    }
    assert_float_equal(before[0], 0.5, 1e-12);
    assert_float_equal(before[2], 0.5, 1e-12);
    free_scene(s);
    mrcnn_evaluation_free(&e);
}

/* ------------------------------------------------------------------------------------- hostile */

static void expect_refused(mrcnn_evaluation *e, const scene *s, const char *part) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_report *r = NULL;
    assert_int_equal(mrcnn_evaluation_add(e, s->truths, s->truth_count, &s->found, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, part);
    assert_int_equal(mrcnn_evaluation_report(e, &r, NULL), MRCNN_OK);
    assert_int_equal(r->pictures, 0); /* nothing was added */
    assert_int_equal(r->detections, 0);
    assert_int_equal(r->classes[1].objects, 0);
    mrcnn_report_free(&r);
}

static void test_refused(void **state) {
    mrcnn_evaluation *e = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    (void)state;
    assert_int_equal(mrcnn_evaluation_create(&e, 0, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_evaluation_create(&e, 2000000000, &err), MRCNN_E_ARGUMENT);
    assert_null(e);
    assert_int_equal(mrcnn_evaluation_create(&e, 2, NULL), MRCNN_OK);
    scene *s = make_scene();
    put_object(s, 1, 0, 0, 0, 20, 20);
    put_detection(s, 1, 0.5f, 0, 0, 20, 20);
    mrcnn_truth *object = &s->truths[0];
    mrcnn_instance *found = &s->instances[0];
    object->class_id = 2;
    expect_refused(e, s, "object 0: class 2 is none of 1 to 1");
    object->class_id = 0;
    expect_refused(e, s, "object 0: class 0");
    object->class_id = 1;
    found->class_id = -1;
    expect_refused(e, s, "detection 0: class -1");
    found->class_id = 1;
    found->score = NAN;
    expect_refused(e, s, "detection 0: its box, area or score");
    found->score = 0.5f;
    object->area = INFINITY;
    expect_refused(e, s, "object 0: its box, area or score");
    object->area = 400;
    object->width = NAN;
    expect_refused(e, s, "object 0: its box, area or score");
    object->width = 20;
    found->mask.height = 50;
    expect_refused(e, s, "detection 0: a mask of 100 x 50 pixels in a picture of 100 x 100");
    found->mask.height = SIDE;
    found->mask.counts[1] += 1;
    expect_refused(e, s, "detection 0: the runs of its mask don't add up");
    found->mask.counts[1] = UINT32_MAX;
    expect_refused(e, s, "detection 0: the runs of its mask don't add up");
    free_scene(s);
    mrcnn_evaluation_free(&e);
}

/* Runs of length 0 are legal in a mask from elsewhere. */
static void test_intersection(void **state) {
    uint32_t a[] = {0, 3, 0, 0, 4, 3}, b[] = {2, 4, 2, 0, 0, 2}, c[] = {10};
    const mrcnn_mask x = {10, 1, 6, a}, y = {10, 1, 6, b}, z = {10, 1, 1, c}, none = {10, 1, 0, a};
    (void)state;
    assert_int_equal(mr_mask_intersection(&x, &y), 3); /* 0-2 and 7-9 with 2-5 and 8-9 */
    assert_int_equal(mr_mask_intersection(&y, &x), 3);
    assert_int_equal(mr_mask_intersection(&x, &x), 6);
    assert_int_equal(mr_mask_intersection(&x, &z), 0);
    assert_int_equal(mr_mask_intersection(&none, &x), 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),       cmocka_unit_test(test_perfect),
        cmocka_unit_test(test_threshold),   cmocka_unit_test(test_order),
        cmocka_unit_test(test_crowd),       cmocka_unit_test(test_classes),
        cmocka_unit_test(test_nothing),     cmocka_unit_test(test_report_between),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_intersection),
        cmocka_unit_test(test_best_object), cmocka_unit_test(test_truth_of_mask)};
    if (argc > 1) cases_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
