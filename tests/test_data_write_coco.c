/* test_data_write_coco.c - data sets written as COCO: what is read again is what was written. */
#include "helper_cli.h"
#include "helper_coco.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct told {
    char text[1000];
} told;

static void lost(void *user, const char *what, size_t count) {
    told *t = user;
    size_t used = strlen(t->text);
    snprintf(t->text + used, sizeof t->text - used, "%s: %zu\n", what, count);
}

static mrcnn_status try_write(const mrcnn_dataset *set, const char *folder, int polygons, told *t,
                              mrcnn_error *err) {
    mrcnn_dataset_write_options o = mrcnn_dataset_write_options_default();
    memset(t, 0, sizeof *t);
    o.polygons = polygons;
    o.lost = lost;
    o.user = t;
    return mrcnn_dataset_write(set, folder, &o, NULL, err);
}

/* Writes the set and opens what was written. */
static mrcnn_dataset *copy(const mrcnn_dataset *set, const char *folder, int polygons) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    told t;
    if (try_write(set, folder, polygons, &t, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_string_equal(t.text, "");
    return coco_open(folder, NULL);
}

static int different_pixels(const mrcnn_dataset *a, const mrcnn_dataset *b, size_t i, size_t k,
                            int *same_class) {
    static uint8_t x[64 * 64], y[64 * 64];
    int height, width, class_a, class_b, count = 0;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_dataset_picture_size(a, i, &height, &width, &err), MRCNN_OK);
    assert_true(height * width <= 64 * 64);
    assert_int_equal(mr_dataset_mask(a, i, k, height, width, x, &class_a, &err), MRCNN_OK);
    assert_int_equal(mr_dataset_mask(b, i, k, height, width, y, &class_b, &err), MRCNN_OK);
    for (int p = 0; p < height * width; p++) count += x[p] != y[p];
    *same_class = class_a == class_b;
    return count;
}

/* The largest difference of two masks. */
static int compare(const mrcnn_dataset *a, const mrcnn_dataset *b) {
    int most = 0, same;
    assert_int_equal(mrcnn_dataset_count(a), mrcnn_dataset_count(b));
    assert_int_equal(mrcnn_dataset_class_count(a), mrcnn_dataset_class_count(b));
    for (int i = 1; i < a->class_count; i++) {
        assert_string_equal(a->class_names[i], b->class_names[i]);
        assert_string_equal(a->class_ids[i], b->class_ids[i]);
    }
    for (size_t i = 0; i < a->picture_count; i++) {
        assert_string_equal(a->pictures[i].id, b->pictures[i].id);
        assert_int_equal(a->pictures[i].object_count, b->pictures[i].object_count);
        for (size_t k = 0; k < a->pictures[i].object_count; k++) {
            int different = different_pixels(a, b, i, k, &same);
            assert_true(same);
            if (different > most) most = different;
        }
    }
    return most;
}

#define OBJECT(image, category, rest) "{'image_id':" #image ",'category_id':" #category "," rest "}"

static mrcnn_dataset *everything(void) {
    coco_set(
        NULL,
        OBJECT(1, 1, "'segmentation':[[2,3,10,3,10.1,9.25,2,9],[20,3,25,3,25,9,20,9]]") "," OBJECT(1, 3, "'segmentation':[[-5.5,2,30,40,33.333333333333336,1]]") "," OBJECT(
            2, 1,
            "'segmentation':{'"
            "size':[20,20],'"
            "counts':[19,3,0,2,"
            "376]}") "," OBJECT(2, 3,
                                "'iscrowd':1,'"
                                "segmentation':{'"
                                "size':[20,20],'"
                                "counts':[0,7,"
                                "393]}") "," OBJECT(2, 1,
                                                    "'iscrowd':1,'segmentation':[[1,1,9,1,5,9]]"),
        NULL);
    return coco_open("set", NULL);
}

static void test_round_trip(void **state) {
    (void)state;
    mrcnn_dataset *set = everything(), *again = copy(set, "again", 0);
    mr_polygon_list list;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(compare(set, again), 0);
    assert_string_equal(mrcnn_dataset_picture(again, 0)->path, "again/train/a.png");
    assert_string_equal(mrcnn_dataset_annotations(again), "again/annotations/instances_train.json");
    assert_int_equal(mr_dataset_polygons(again, 0, 1, &list, &err), MRCNN_OK);
    assert_true(list.count == 1 && list.xy[0] == -5.5 && list.xy[4] == 33.333333333333336);
    mr_polygon_list_free(&list);
    char *text = cli_read("again/annotations/instances_train.json");
    assert_true(cli_is_json(text));
    assert_contains(text, "\"bbox\":[2,3,23,6]");
    assert_contains(text, "\"area\":78,\"iscrowd\":0,\"image_id\":1,");
    assert_contains(text, "{\"file_name\":\"a.png\",\"height\":30,\"width\":40,\"id\":1}");
    assert_contains(text,
                    "\"categories\":[{\"id\":1,\"name\":\"cat\"},{\"id\":3,\"name\":\"dog\"}]");
    assert_int_equal(cli_count("again/annotations", ""), 1);
    free(text);
    mrcnn_dataset_free(&again);
    mrcnn_dataset_free(&set);
}

/* Other formats' polygons have other pixels: run lengths keep them, moved polygons nearly. */
static void test_from_via(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = NULL;
    mr_polygon_list list;
    mkdir("via", 0777);
    cli_picture("via/c.png", 50, 40);
    coco_write(
        "via/v.json",
        "{'c':{'filename':'c.png','regions':[{'shape_attributes':{'name':'polygon',"
        "'all_points_x':[3,40,44,20],'all_points_y':[2,5,30,37]},'region_attributes':{'class':"
        "'b'}},{'shape_attributes':{'name':'circle','cx':20,'cy':20,'r':12},"
        "'region_attributes':{'class':'a'}}]}}");
    o.format = "via";
    assert_int_equal(mrcnn_dataset_open(&set, "via", &o, &err), MRCNN_OK);
    mrcnn_dataset *exact = copy(set, "exact", 0), *editable = copy(set, "editable", 1);
    assert_int_equal(compare(set, exact), 0);
    int most = compare(set, editable);
    assert_true(most > 0 && most < 60);
    assert_int_equal(mr_dataset_polygons(exact, 0, 0, &list, &err), MRCNN_OK);
    assert_int_equal(list.rule, MR_RULE_NONE);
    assert_int_equal(mr_dataset_polygons(editable, 0, 0, &list, &err), MRCNN_OK);
    assert_int_equal(list.points[0], 4);
    assert_true(list.xy[0] == 3.5 && list.xy[1] == 2.5);
    mr_polygon_list_free(&list);
    assert_int_equal(mr_dataset_polygons(editable, 0, 1, &list, &err), MRCNN_OK);
    assert_true(list.count == 1 && list.points[0] < 40);
    mr_polygon_list_free(&list);
    mrcnn_dataset_free(&exact);
    mrcnn_dataset_free(&editable);
    mrcnn_dataset_free(&set);
}

/* Holes and several parts as polygons: small masks along their pixels, so that nothing changes. */
static void test_rings(void **state) {
    (void)state;
    mr_polygon_list list;
    mrcnn_error err = MRCNN_ERROR_INIT;
    /* a ring of 5 x 5 around a hole of 1, a dot, and two dots without a hole */
    coco_set(NULL,
             OBJECT(2, 1,
                    "'segmentation':{'size':[20,20],'counts':[42,5,15,5,15,2,1,2,15,5,15,5,5,1,"
                    "267]}") "," OBJECT(2, 3,
                                        "'segmentation':{'size':[20,20],'counts':[42,1,20,1,336]}"),
             NULL);
    mrcnn_dataset *set = coco_open("set", NULL), *again = copy(set, "rings", 1);
    assert_int_equal(compare(set, again), 0);
    assert_int_equal(mr_dataset_polygons(again, 0, 0, &list, &err), MRCNN_OK);
    assert_int_equal(list.count, 1);
    mr_polygon_list_free(&list);
    assert_int_equal(mr_dataset_polygons(again, 0, 1, &list, &err), MRCNN_OK);
    assert_int_equal(list.count, 2);
    mr_polygon_list_free(&list);
    mrcnn_dataset_free(&again);
    mrcnn_dataset_free(&set);
}

/* Ids that are no numbers, or in another order than the classes, become 1, 2, ... */
static void test_class_ids(void **state) {
    (void)state;
    static const char *const order[] = {"BG", "dog", "cat", NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    told t;
    o.class_names = order;
    mrcnn_dataset_free(&(mrcnn_dataset *){everything()});
    mrcnn_dataset *set = coco_open("set", &o);
    assert_int_equal(try_write(set, "ids", 0, &t, &err), MRCNN_OK);
    assert_string_equal(t.text, "the source's own class ids: 1\n");
    mrcnn_dataset *again = coco_open("ids", NULL);
    assert_string_equal(again->class_names[1], "dog");
    assert_string_equal(again->class_ids[1], "1");
    assert_string_equal(again->class_names[2], "cat");
    mrcnn_dataset_free(&again);
    mrcnn_dataset_free(&set);
}

/* Nothing stays behind when it fails. */
static void test_failures(void **state) {
    (void)state;
    static const char *const broken[] = {"BG", "cat", "\xFF", NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    told t;
    o.class_names = broken;
    mrcnn_dataset_free(&(mrcnn_dataset *){everything()});
    mrcnn_dataset *set = coco_open("set", &o);
    assert_int_equal(try_write(set, "failed", 0, &t, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "failed/annotations/instances_train.json: a name of a class or a "
                                 "picture is not UTF-8");
    assert_false(cli_exists("failed/annotations"));
    assert_false(cli_exists("failed/train"));
    mrcnn_dataset_free(&set);
    set = everything();
    cli_write("blocked", "");
    assert_int_not_equal(try_write(set, "blocked", 0, &t, &err), MRCNN_OK);
    mrcnn_dataset *again = copy(set, "twice", 0);
    assert_int_equal(try_write(set, "twice", 0, &t, &err), MRCNN_E_ARGUMENT);
    mrcnn_dataset_free(&again);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_from_via),
        cmocka_unit_test(test_rings),      cmocka_unit_test(test_class_ids),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, coco_enter, cli_leave);
}
