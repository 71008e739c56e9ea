/* test_data_via.c - VIA data sets: versions 1 and 2, shapes, classes, what is left out and said so,
 * and files that are broken in every way. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "data/data.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------------------------- a data set */

/* Texts are written without backslashes: ' for ", and these words, each with its end. */
typedef struct word {
    const char *word, *text, *end;
} word;

static const word words[] = {
    {"IN(", "'k':{'filename':", "}"}, /* IN('a.png',[...]) is an entry */
    {"',[", "','regions':[", NULL},
    {"',{", "','regions':{", NULL},
    {"SHAPE(", "{'shape_attributes':{", "}}"},
    {"POLYGON(", "{'shape_attributes':{'name':'polygon','all_points_x':", "}}"},
    {" Y ", ",'all_points_y':", NULL},
    {"RECT(",
     "{'shape_attributes':{'name':'rect','x':4,'y':5,'width':6,'height':7},'region_attributes':",
     "}"},
    {"SQUARE(",
     "{'shape_attributes':{'name':'polygon','all_points_x':[2,10,10,2],'all_points_y':[3,3,9,9]},"
     "'region_attributes':",
     "}"},
};
enum { WORDS = sizeof words / sizeof *words, TEXT = 8000 };

static const word *find_word(const char *text) {
    for (size_t i = 0; i < WORDS; i++)
        if (strncmp(text, words[i].word, strlen(words[i].word)) == 0) return &words[i];
    return NULL;
}

static void spell_out(const char *text, char out[TEXT]) {
    const char *ends[20];
    size_t depth = 0, used = 0;
    while (*text) {
        const word *w = find_word(text);
        const char *add = w ? w->text : *text == ')' && depth ? ends[--depth] : NULL;
        if (w && w->end) ends[depth++] = w->end;
        assert_true(depth < 20 && used + 200 < TEXT);
        if (add)
            used += (size_t)snprintf(out + used, TEXT - used, "%s", add);
        else
            out[used++] = *text;
        text += w ? strlen(w->word) : 1;
    }
    out[used] = 0;
    for (size_t i = 0; i < used; i++)
        if (out[i] == '\'') out[i] = '"';
}

static int enter(void **state) {
    cli_enter(state);
    mkdir("balloon", 0777);
    mkdir("balloon/train", 0777);
    mkdir("balloon/train/below", 0777);
    cli_picture("balloon/train/a.png", 40, 30);
    cli_picture("balloon/train/b.png", 20, 20);
    cli_picture("balloon/train/below/c.jpg", 24, 16);
    return 0;
}

static const char *const train = "balloon/train", *const file = "balloon/train/v.json";

static mrcnn_status try_open(mrcnn_dataset **set, const char *text, const char *const *classes,
                             mrcnn_error *err) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    char spelt[TEXT];
    o.class_names = classes;
    spell_out(text, spelt);
    cli_write(file, spelt);
    *set = NULL;
    return mrcnn_dataset_open(set, train, &o, err);
}

static mrcnn_dataset *open_text(const char *text, const char *const *classes) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set;
    if (try_open(&set, text, classes, &err) != MRCNN_OK) fail_msg("%s: %s", text, err.message);
    return set;
}

static void expect_error(const char *text, const char *message) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set;
    if (try_open(&set, text, NULL, &err) == MRCNN_OK) fail_msg("%s: opened", text);
    assert_null(set);
    assert_contains(err.message, message);
    assert_contains(err.message, train);
}

/* What mrcnn_dataset_check reports, one problem a line. */
typedef struct notes {
    char text[4000];
} notes;

static int note(void *user, const mrcnn_dataset_problem *p) {
    notes *n = user;
    size_t used = strlen(n->text);
    snprintf(n->text + used, sizeof n->text - used, "%c %s %d %s\n",
             p->level == MRCNN_PROBLEM_ERROR ? 'E' : 'W', p->picture, (int)p->object, p->text);
    return 0;
}

static mrcnn_dataset_summary *check(const mrcnn_dataset *set, int full, notes *n) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_check_options o = mrcnn_dataset_check_options_default();
    mrcnn_dataset_summary *summary = NULL;
    memset(n, 0, sizeof *n);
    o.full = full;
    o.report = note;
    o.user = n;
    if (mrcnn_dataset_check(set, &o, &summary, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return summary;
}

/* The problems of a data set, which must be these. */
static void expect_notes(const char *text, const char *const *classes, const char *problems) {
    notes n;
    mrcnn_dataset *set = open_text(text, classes);
    mrcnn_dataset_summary *summary = check(set, 1, &n);
    assert_string_equal(n.text, problems);
    mrcnn_dataset_summary_free(&summary);
    mrcnn_dataset_free(&set);
}

static size_t area(const mrcnn_dataset *set, size_t index, size_t object, int height, int width,
                   int *class_id) {
    uint8_t mask[64 * 64];
    size_t sum = 0;
    assert_int_equal(mr_dataset_mask(set, index, object, height, width, mask, class_id, NULL),
                     MRCNN_OK);
    for (int i = 0; i < height * width; i++) sum += mask[i];
    return sum;
}

/* ------------------------------------------------------------------------------------ versions */

static void check_two(const char *text) {
    int id;
    mrcnn_image image = {0};
    mrcnn_dataset *set = open_text(text, NULL);
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_int_equal(mrcnn_dataset_class_count(set), 2);
    assert_string_equal(mrcnn_dataset_class_name(set, 0), "BG");
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "balloon"); /* not "train" */
    assert_string_equal(mrcnn_dataset_format(set), "via");
    assert_string_equal(mrcnn_dataset_annotations(set), file);
    const mrcnn_picture *p = mrcnn_dataset_picture(set, 0);
    assert_string_equal(p->id, "a.png");
    assert_string_equal(p->path, "balloon/train/a.png");
    assert_string_equal(p->source, "balloon");
    assert_int_equal(p->object_count, 2);
    assert_string_equal(mrcnn_dataset_picture(set, 1)->id, "below/c.jpg");
    assert_int_equal(area(set, 0, 0, 30, 40, &id), 9 * 7); /* edges belong to it */
    assert_int_equal(id, 1);
    assert_int_equal(area(set, 0, 1, 30, 40, &id), 6 * 7);
    assert_int_equal(area(set, 0, 0, 5, 8, &id), 6 * 2); /* cut off */
    assert_int_equal(mrcnn_dataset_read(set, 1, &image, NULL), MRCNN_OK);
    assert_true(image.height == 16 && image.width == 24);
    mrcnn_image_free(&image);
    mrcnn_dataset_free(&set);
}

static void test_versions(void **state) {
    (void)state;
    check_two("{IN('a.png',{'0':SQUARE({}),'1':RECT({})}),IN('b.png',{}),IN('below/c.jpg',"
              "{'7':RECT({})})}");
    check_two("{IN('a.png',[SQUARE({}),RECT({})]),IN('b.png',[]),"
              "IN('below/c.jpg',[RECT({})])}");
    check_two("\xEF\xBB\xBF{'_via_settings':{'ui':[1]},"
              "'_via_img_metadata':{IN('a.png',[SQUARE({}),RECT({})]),"
              "IN('below/c.jpg',[RECT({})])},'_via_attributes':{'region':{}},"
              "'_via_data_format_version':'2.0.10','_via_image_id_list':['a.png1']}");
}

static void test_shapes_of_regions(void **state) {
    (void)state;
    static const struct {
        const char *shape;
        size_t pixels;
    } cases[] = {
        {"\"name\":\"circle\",\"cx\":10,\"cy\":12,\"r\":4", 45},
        {"\"name\":\"ellipse\",\"cx\":10,\"cy\":12,\"rx\":8,\"ry\":2", 41},
        {"\"name\":\"ellipse\",\"cx\":10,\"cy\":12,\"rx\":2,\"ry\":8,\"theta\":0", 41},
        {"\"name\":\"polyline\",\"all_points_x\":[1,5,5],\"all_points_y\":[1,1,5]", 15},
        {"\"name\":\"rect\",\"x\":-3,\"y\":-2,\"width\":6,\"height\":7", 15},
        {"\"name\":\"polygon\",\"all_points_x\":[1e300,-1e300,5],\"all_points_y\":[1e300,1,-1e300]",
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int id;
        char *text = malloc(1000);
        snprintf(text, 1000, "{IN('a.png',[{'shape_attributes':{%s}}])}", cases[i].shape);
        mrcnn_dataset *set = open_text(text, NULL);
        size_t pixels = area(set, 0, 0, 30, 40, &id);
        if (cases[i].pixels) assert_int_equal(pixels, cases[i].pixels);
        mrcnn_dataset_free(&set);
        free(text);
    }
}

/* ------------------------------------------------------------------------------------- classes */

static void expect_class(const char *attributes, const char *name) {
    char text[1000];
    snprintf(text, sizeof text,
             "{IN('a.png',[{'shape_attributes':{'name':'circle','cx':5,'cy':5,'r':4},"
             "'region_attributes':%s}])}",
             attributes);
    mrcnn_dataset *set = open_text(text, NULL);
    assert_int_equal(mrcnn_dataset_class_count(set), 2);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), name);
    mrcnn_dataset_free(&set);
}

static void test_class_attributes(void **state) {
    (void)state;
    expect_class("{\"class\":\"cat\"}", "cat");
    expect_class("{\"note\":\"big\",\"Name\":\" cat\\n\"}", "cat");
    expect_class("{\"type\":\"t\",\"label\":\"l\",\"category\":\"c\"}", "t");
    expect_class("{\"animal\":\"cat\"}", "cat");
    expect_class("{\"animal\":\"cat\",\"quality\":{},\"blur\":\"\"}", "cat");
    expect_class("{\"label\":{\"dog\":false,\"cat\":true}}", "cat");
    expect_class("{\"class\":7}", "7");
    expect_class("{\"class\":\"\"}", "balloon");
    expect_class("{\"class\":{\"cat\":false}}", "balloon");
    expect_class("null", "balloon");
    expect_class("{}", "balloon");
}

/* By name, whatever comes first in the file. */
static void test_class_order(void **state) {
    (void)state;
    int id;
    mrcnn_dataset *set = open_text(
        "{IN('a.png',[SQUARE({'c':'pear'}),RECT({'c':'Apple'}),RECT({'c':'apple'})])}", NULL);
    static const char *const names[] = {"BG", "Apple", "apple", "pear"};
    assert_int_equal(mrcnn_dataset_class_count(set), 4);
    for (int i = 0; i < 4; i++) assert_string_equal(mrcnn_dataset_class_name(set, i), names[i]);
    area(set, 0, 0, 30, 40, &id);
    assert_int_equal(id, 3);
    area(set, 0, 2, 30, 40, &id);
    assert_int_equal(id, 2);
    mrcnn_dataset_free(&set);
}

static void test_given_classes(void **state) {
    (void)state;
    static const char *const given[] = {"background", "pear", "plum", "apple", NULL};
    static const char *const only[] = {"BG", "pear", NULL};
    const char *text =
        "{IN('a.png',[SQUARE({'c':'apple'}),RECT({'c':'kiwi'}),RECT({'c':'pear'})])}";
    int id;
    mrcnn_dataset *set = open_text(text, given);
    assert_int_equal(mrcnn_dataset_class_count(set), 4);
    assert_string_equal(mrcnn_dataset_class_name(set, 0), "background");
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 2);
    assert_int_equal(area(set, 0, 0, 30, 40, &id), 63);
    assert_int_equal(id, 3);
    assert_int_equal(area(set, 0, 1, 30, 40, &id), 42);
    assert_int_equal(id, 1);
    for (int i = 0; i < 4; i++) assert_int_equal(mr_dataset_active_classes(set, 0)[i], 1);
    mrcnn_dataset_free(&set);
    expect_notes(text, given,
                 "W  -1 class \"kiwi\" is none of the 3 classes asked for: 1 object left out\n"
                 "W  -1 class \"plum\" has no object\n");
    set = open_text("{IN('a.png',[SQUARE({})])}", only);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "pear");
    mrcnn_dataset_free(&set);
}

/* ---------------------------------------------------------------------------------- left out */

static void test_notes_about_regions(void **state) {
    (void)state;
    expect_notes("{IN('a.png',[POLYGON([1,2] Y [3,4]),POLYGON([1,2,3] Y [3,4]),"
                 "POLYGON([1,5,9] Y [1,3,5]),POLYGON([1,1,1] Y [2,2,2]),POLYGON([1,"
                 "'x',9] Y [1,3,5]),POLYGON(7 Y [1]),POLYGON([1,1e999,4] Y [1,3,5]),RECT({})])}",
                 NULL,
                 "E a.png 0 the polygon has 2 points, which makes no area\n"
                 "E a.png 1 the polygon has 3 x and 2 y coordinates\n"
                 "E a.png 2 the polygon has no area: all of its points lie on a line\n"
                 "E a.png 3 the polygon has no area: all of its points lie on a line\n"
                 "E a.png 4 point 1 of the polygon is not two usable numbers\n"
                 "E a.png 5 the polygon has no arrays all_points_x and all_points_y\n"
                 "E a.png 6 point 1 of the polygon is not two usable numbers\n");
    expect_notes("{IN('a.png',{'0':SHAPE('name':'rect','x':1,'y':2,'width':0,'height':4),"
                 "'1':SHAPE('name':'circle','cx':1,'cy':2,'r':-1),'2':SHAPE('name':'ellipse',"
                 "'cx':1,'cy':2,'rx':4,'ry':null),'3':SHAPE('name':'ellipse','cx':1,'cy':2,"
                 "'rx':4,'ry':3,'theta':''),'4':SHAPE('name':'star'),'5':SHAPE('name':4),'6':7,"
                 "'7':SHAPE('name':'circle','cx':1,'cy':1e999,'r':1),'8':RECT({})})}",
                 NULL,
                 "E a.png 0 the rectangle has no area: its width or height is not positive\n"
                 "E a.png 1 the circle has no area: its radius is not positive\n"
                 "E a.png 2 ry of the region is null instead of a number\n"
                 "E a.png 3 theta of the region is a string instead of a number\n"
                 "E a.png 4 the region's shape \"star\" is not one of VIA's\n"
                 "E a.png 5 the region has no shape_attributes with a name\n"
                 "E a.png 6 the region has no shape_attributes with a name\n"
                 "E a.png 7 cy of the region is too large instead of a number\n");
}

static void test_notes_about_classes(void **state) {
    (void)state;
    expect_notes(
        "{IN('a.png',[RECT({'class':'cat'}),RECT({}),RECT({'class':{'a':true,"
        "'b':true}}),RECT({'animal':'cat','colour':'red'}),RECT('cat')])}",
        NULL,
        "E a.png 2 the region has several classes: more than one of \"class\" is ticked\n"
        "E a.png 3 the region's class may be \"animal\" or \"colour\": call one attribute "
        "\"class\"\n"
        "E a.png 4 region_attributes is a string instead of an object\n"
        "E a.png 1 the region has no class: left out; set an attribute such as \"class\"\n");
}

static void test_notes_about_pictures(void **state) {
    (void)state;
    static const char *const good = "IN('a.png',[RECT({})])";
    char text[4000];
    snprintf(text, sizeof text, "{%s,%s}", good,
             "'k':5,'l':{'filename':7},'m':{'filename':'b.png','regions':3},"
             "IN('none.png',[]),IN('../train/a.png',[]),IN('/etc/passwd',[]),IN('below',[]),"
             "IN('http://x/y.png',[]),IN('',[]),'n':{'filename':'a.png',"
             "'regions':[SQUARE({})]}");
    expect_notes(text, NULL,
                 "E  -1 the entry \"k\" is a number without a filename\n"
                 "E  -1 the entry \"l\" is an object without a filename\n"
                 "E b.png -1 regions is a number instead of an array or object\n"
                 "E none.png -1 there is no such picture beside the annotations\n"
                 "E ../train/a.png -1 its file name leads out of the folder of the annotations\n"
                 "E /etc/passwd -1 its file name leads out of the folder of the annotations\n"
                 "E below -1 this is no file\n"
                 "E http://x/y.png -1 it is an address on the web: download the picture\n"
                 "E  -1 its file name is empty\n"
                 "E a.png -1 there is more than one entry for this picture: one with 1 objects was "
                 "left out\n");
}

static void test_summary(void **state) {
    (void)state;
    notes n;
    mrcnn_dataset *set =
        open_text("{IN('a.png',[RECT({'c':'x'}),SQUARE({'c':'y'}),RECT({'c':'y'}),"
                  "{'shape_attributes':{'name':'point','cx':1,'cy':1}}]),"
                  "IN('below/c.jpg',[SQUARE({'c':'y'})]),IN('b.png',[]),IN('none.png',[])}",
                  NULL);
    mrcnn_dataset_summary *s = check(set, 0, &n);
    assert_int_equal(s->pictures, 2);
    assert_int_equal(s->objects, 4);
    assert_int_equal(s->errors, 1);
    assert_int_equal(s->warnings, 0);
    assert_int_equal(s->without_objects, 1);
    assert_int_equal(s->pictures_left_out, 1);
    assert_int_equal(s->objects_left_out, 0);
    assert_int_equal(s->points, 1);
    assert_int_equal(s->class_count, 3);
    assert_int_equal(s->class_objects[1], 1);
    assert_int_equal(s->class_objects[2], 3);
    assert_int_equal(s->class_pictures[1], 1);
    assert_int_equal(s->class_pictures[2], 2);
    assert_true(s->picture_height.least == 16 && s->picture_height.median == 23);
    assert_true(s->picture_width.most == 40 && s->objects_per_picture.most == 3);
    assert_true(s->object_width.least == 6 && s->object_width.median == 7);
    mrcnn_dataset_summary_free(&s);
    s = check(set, 1, &n); /* from pixels: edges belong to polygons */
    assert_true(s->object_width.most == 9 && s->object_height.most == 7);
    mrcnn_dataset_summary_free(&s);
    assert_null(s);
    mrcnn_dataset_free(&set);
}

/* --------------------------------------------------------------------------- outside, broken */

static void test_outside(void **state) {
    (void)state;
    notes n;
    mrcnn_dataset *set =
        open_text("{IN('b.png',[POLYGON([5,20,20] Y [5,5,20]),POLYGON([5,30,20] Y [5,5,20]),"
                  "POLYGON([25,40,40] Y [5,5,20]),{'shape_attributes':{'name':'circle','cx':-9,"
                  "'cy':-9,'r':10}}])}",
                  NULL);
    mrcnn_dataset_summary *s = check(set, 0, &n);
    assert_string_equal(
        n.text, "W b.png 1 it reaches 10 pixels out of the picture of 20 x 20: cut off\n"
                "E b.png 2 it lies outside the picture of 20 x 20 pixels: was the picture resized "
                "or turned after it was annotated?\n"
                "W b.png 3 it reaches 19 pixels out of the picture of 20 x 20: cut off\n");
    assert_int_equal(s->objects, 3);
    mrcnn_dataset_summary_free(&s);
    s = check(set, 1, &n); /* the circle's box is in the picture, the circle is not */
    assert_contains(n.text, "E b.png 3 it covers no pixel of the picture\n");
    assert_int_equal(s->objects, 2);
    assert_int_equal(s->objects_left_out, 2);
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
}

static void copy_start(const char *from, const char *to, size_t drop) {
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char bytes[20000];
    assert_true(in && out);
    size_t length = fread(bytes, 1, sizeof bytes, in);
    assert_true(length > drop && length < sizeof bytes);
    fwrite(bytes, 1, length - drop, out);
    fclose(in);
    fclose(out);
}

static void test_broken_pictures(void **state) {
    (void)state;
    notes n;
    copy_start("balloon/train/a.png", "balloon/train/cut.png", 20);
    copy_start("balloon/train/below/c.jpg", "balloon/train/cut.jpg", 5);
    cli_write("balloon/train/text.jpg", "this is text");
    cli_write("balloon/train/empty.png", "");
    mrcnn_dataset *set =
        open_text("{IN('cut.png',[RECT({})]),IN('cut.jpg',[RECT({})]),IN('text.jpg',[RECT({}),"
                  "RECT({})]),IN('empty.png',[RECT({})])}",
                  NULL);
    for (int full = 0; full < 2; full++) {
        mrcnn_dataset_summary *s = check(set, full, &n);
        assert_int_equal(s->pictures, 0);
        assert_int_equal(s->errors, 4);
        assert_int_equal(s->pictures_left_out, 4);
        assert_int_equal(s->objects_left_out, 5);
        assert_true(s->picture_height.most == 0);
        assert_contains(n.text, "E cut.png -1 balloon/train/cut.png: the PNG is cut short");
        assert_contains(n.text, "E cut.jpg -1 balloon/train/cut.jpg: the JPEG is cut short");
        assert_contains(n.text, "E text.jpg -1 balloon/train/text.jpg: this is a text file");
        assert_contains(n.text, "E empty.png -1 balloon/train/empty.png: this is an empty file");
        mrcnn_dataset_summary_free(&s);
    }
    mrcnn_dataset_free(&set);
}

/* Without decoding, sizes must be those that decoding gives. */
static void test_sizes_from_headers(void **state) {
    (void)state;
    static const char *const names[] = {"grey1.png", "palette1.png", "jpeg_420.jpg",
                                        "jpeg_cmyk.jpg", "jpeg_progressive.jpg"};
    char text[4000], path[512];
    size_t used = (size_t)snprintf(text, sizeof text, "{");
    notes n;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "balloon/train/%s", names[i]);
        char from[512];
        snprintf(from, sizeof from, TEST_DATA "/image/%s", names[i]);
        copy_start(from, path, 0);
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s\"%s\":{\"filename\":\"%s\",\"regions\":[%s]}",
            i ? "," : "", names[i], names[i],
            "{\"shape_attributes\":{\"name\":\"rect\",\"x\":0,\"y\":0,\"width\":1,\"height\":1}}");
    }
    snprintf(text + used, sizeof text - used, "}");
    mrcnn_dataset *set = open_text(text, NULL);
    mrcnn_dataset_summary *quick = check(set, 0, &n);
    assert_string_equal(n.text, "");
    mrcnn_dataset_summary *full = check(set, 1, &n);
    assert_int_equal(quick->pictures, 5);
    assert_memory_equal(&quick->picture_height, &full->picture_height, sizeof(mrcnn_range));
    assert_memory_equal(&quick->picture_width, &full->picture_width, sizeof(mrcnn_range));
    mrcnn_dataset_summary_free(&quick);
    mrcnn_dataset_summary_free(&full);
    mrcnn_dataset_free(&set);
}

static void test_other_length(void **state) {
    (void)state;
    notes n;
    mrcnn_dataset *set = open_text("{'a':{'filename':'a.png','size':3,'regions':[RECT({})]},"
                                   "'b':{'filename':'b.png','size':-1,'regions':[RECT({})]}}",
                                   NULL);
    mrcnn_dataset_summary *s = check(set, 0, &n);
    assert_int_equal(s->warnings, 1);
    assert_int_equal(s->errors, 0);
    assert_contains(n.text, "W a.png -1 the file has ");
    assert_contains(n.text, "but 3 when it was annotated");
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
}

static int stop_at_once(void *user, const mrcnn_dataset_problem *problem) {
    (void)problem;
    ++*(int *)user;
    return 1;
}

static int stop_progress(void *user, size_t done, size_t total) {
    (void)user;
    return done + 1 == total;
}

static void test_stopping(void **state) {
    (void)state;
    int calls = 0;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_check_options o = mrcnn_dataset_check_options_default();
    mrcnn_dataset_summary *s = NULL;
    mrcnn_dataset *set = open_text("{IN('a.png',[RECT({}),POLYGON([] Y []),POLYGON([] Y [])]),"
                                   "IN('b.png',[RECT({})])}",
                                   NULL);
    o.report = stop_at_once;
    o.user = &calls;
    assert_int_equal(mrcnn_dataset_check(set, &o, &s, &err), MRCNN_E_CANCELLED);
    assert_int_equal(calls, 1);
    o.report = NULL;
    o.progress = stop_progress;
    assert_int_equal(mrcnn_dataset_check(set, &o, &s, &err), MRCNN_E_CANCELLED);
    assert_null(s);
    assert_int_equal(mrcnn_dataset_check(set, NULL, &s, &err), MRCNN_OK);
    assert_int_equal(s->errors, 2);
    mrcnn_dataset_summary_free(&s);
    assert_int_equal(mrcnn_dataset_check(NULL, NULL, &s, &err), MRCNN_E_ARGUMENT);
    mrcnn_dataset_free(&set);
}

/* -------------------------------------------------------------------------------------- hostile */

static void test_nothing_usable(void **state) {
    (void)state;
    expect_error("{IN('a.png',[]),IN('none.png',[])}",
                 "of 2 entries 1 have no picture and 1 no usable object");
    expect_error("{IN('a.png',[{}])}", "first: a.png: the region has no shape_attributes");
    expect_error("{}", "there are no annotations");
    expect_error("[]", "there are no annotations");
    expect_error("", "the file is empty");
    expect_error("{\"a\":\n{\"filename\":}}", "line 2, byte ");
}

/* Whatever is cut off, it is an error that names the file. */
static void test_cut_short(void **state) {
    (void)state;
    char whole[TEXT], text[TEXT];
    spell_out("{'a':{'filename':'a.png','size':-1,'regions':[SQUARE({'class':{'cat':true}})]}}",
              whole);
    for (size_t length = 0; length < strlen(whole); length++) {
        snprintf(text, sizeof text, "%.*s", (int)length, whole);
        expect_error(text, "v.json");
    }
    mrcnn_dataset *set = open_text(whole, NULL);
    mrcnn_dataset_free(&set);
}

/* Each value in turn replaced by values of other kinds: any result, but no crash, and what opens can
 * be checked and drawn. */
static void test_wrong_kinds(void **state) {
    (void)state;
    static const char *const pieces[] = {"{\"a\":",
                                         "{\"filename\":",
                                         "\"a.png\"",
                                         ",\"size\":",
                                         "12",
                                         ",\"regions\":",
                                         "[",
                                         "{\"shape_attributes\":",
                                         "{\"name\":",
                                         "\"ellipse\"",
                                         ",\"cx\":",
                                         "5",
                                         ",\"cy\":",
                                         "6",
                                         ",\"rx\":",
                                         "3",
                                         ",\"ry\":",
                                         "2",
                                         ",\"theta\":",
                                         "0.5",
                                         "}",
                                         ",\"region_attributes\":",
                                         "{\"class\":",
                                         "\"cat\"",
                                         "}",
                                         "}",
                                         "]",
                                         "}",
                                         "}"};
    static const char *const values[] = {"null",       "true",        "-1e308",   "1e999",
                                         "\"\"",       "[]",          "{}",       "[[[]]]",
                                         "{\"0\":{}}", "\"polygon\"", "\"point\""};
    enum { PIECES = sizeof pieces / sizeof *pieces };
    int opened = 0;
    for (size_t at = 0; at < PIECES; at++) {
        if (strchr("{,}[]", pieces[at][0]) && pieces[at][1]) continue;
        if (strchr("}[]", pieces[at][0])) continue;
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            char text[1000] = "";
            notes n;
            mrcnn_error err = MRCNN_ERROR_INIT;
            mrcnn_dataset *set;
            for (size_t i = 0; i < PIECES; i++) strcat(text, i == at ? values[v] : pieces[i]);
            if (try_open(&set, text, NULL, &err) != MRCNN_OK) {
                assert_true(err.message[0] != 0);
                continue;
            }
            mrcnn_dataset_summary *s = check(set, 1, &n);
            mrcnn_dataset_summary_free(&s);
            mrcnn_dataset_free(&set);
            opened++;
        }
    }
    assert_in_range(opened, 20, 80);
}

static void test_repeated_keys(void **state) {
    (void)state;
    int id;
    mrcnn_dataset *set = open_text("{'a':{'filename':'none.png','filename':'a.png','regions':[],"
                                   "'regions':[RECT({'class':'x','class':'x'})]}}",
                                   NULL);
    assert_int_equal(area(set, 0, 0, 30, 40, &id), 42);
    mrcnn_dataset_free(&set);
}

/* --------------------------------------------------------------------------------- where it is */

static void test_finding(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = NULL;
    char text[TEXT];
    spell_out("{IN('a.png',[RECT({})])}", text);
    cli_write(file, text);
    cli_write("balloon/train/coco.json", "{\"images\":[],\"info\":{}}");
    cli_write("balloon/train/broken.json", "{");
    assert_int_equal(mrcnn_dataset_open(&set, "balloon", &o, &err), MRCNN_OK); /* train */
    assert_string_equal(mrcnn_dataset_annotations(set), file);
    mrcnn_dataset_free(&set);
    assert_int_equal(mrcnn_dataset_open(&set, file, &o, &err), MRCNN_OK);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->path, "balloon/train/a.png");
    mrcnn_dataset_free(&set);
    cli_write("balloon/train/w.json", text);
    assert_int_equal(mrcnn_dataset_open(&set, train, &o, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "balloon/train/w.json is a VIA file too");
    cli_write("balloon/train/via_region_data.json", text); /* settles it */
    o.subset = "train";
    assert_int_equal(mrcnn_dataset_open(&set, "balloon/", &o, &err), MRCNN_OK);
    mrcnn_dataset_free(&set);
    unlink("balloon/train/via_region_data.json");
    unlink("balloon/train/w.json");
    unlink("balloon/train/coco.json");
    unlink("balloon/train/broken.json");
    o.subset = "val";
    assert_int_equal(mrcnn_dataset_open(&set, "balloon", &o, &err), MRCNN_E_IO);
    assert_contains(err.message, "balloon/val: there is no such folder");
    assert_int_equal(mrcnn_dataset_open(&set, file, &o, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_open(&set, "nowhere", &o, &err), MRCNN_E_IO);
    assert_int_equal(mrcnn_dataset_open(&set, NULL, &o, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_open(NULL, train, &o, &err), MRCNN_E_ARGUMENT);
    assert_null(set);
}

static void test_real_balloons(void **state) {
    (void)state;
    static const struct {
        const char *subset;
        size_t pictures, objects;
    } cases[] = {{"train", 61, 255}, {"val", 13, 50}};
    struct stat info;
    if (stat(SHARED_DIR "/data/balloon", &info) != 0) {
        print_message("skipped: no " SHARED_DIR "/data/balloon\n");
        skip();
    }
    for (size_t i = 0; i < 2; i++) {
        notes n;
        mrcnn_dataset_options o = mrcnn_dataset_options_default();
        mrcnn_dataset *set = NULL;
        o.subset = cases[i].subset;
        assert_int_equal(mrcnn_dataset_open(&set, SHARED_DIR "/data/balloon", &o, NULL), MRCNN_OK);
        mrcnn_dataset_summary *s = check(set, 0, &n);
        assert_string_equal(n.text, ""); /* points on the far edge are no problem */
        assert_int_equal(s->pictures, cases[i].pictures);
        assert_int_equal(s->objects, cases[i].objects);
        assert_string_equal(mrcnn_dataset_class_name(set, 1), "balloon");
        mrcnn_dataset_summary_free(&s);
        mrcnn_dataset_free(&set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_shapes_of_regions),
        cmocka_unit_test(test_class_attributes),
        cmocka_unit_test(test_class_order),
        cmocka_unit_test(test_given_classes),
        cmocka_unit_test(test_notes_about_regions),
        cmocka_unit_test(test_notes_about_classes),
        cmocka_unit_test(test_notes_about_pictures),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_broken_pictures),
        cmocka_unit_test(test_sizes_from_headers),
        cmocka_unit_test(test_other_length),
        cmocka_unit_test(test_stopping),
        cmocka_unit_test(test_nothing_usable),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_wrong_kinds),
        cmocka_unit_test(test_repeated_keys),
        cmocka_unit_test(test_finding),
        cmocka_unit_test(test_real_balloons),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
