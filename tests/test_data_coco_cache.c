/* test_data_coco_cache.c - the index of a COCO file that is kept: what comes from it is what the file
 * says, and a file or a cache that was changed doesn't go unnoticed. */
#define _XOPEN_SOURCE 700 /* utimensat */

#include "helper_cli.h"
#include "helper_coco.h"

#include "base/crc32c.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SQUARE "'segmentation':[[2,3,10,3,10,9,2,9]]"

/* So that the file counts as one that is not being written. */
static void make_old(const char *path, time_t seconds) {
    const struct timespec times[2] = {{seconds, 5}, {seconds, 5}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void write_set(const char *name) {
    char categories[200];
    snprintf(categories, sizeof categories, "{'id':1,'name':'%s'},{'id':3,'name':'dog'}", name);
    coco_set(NULL,
             "{'image_id':2,'category_id':3,'iscrowd':1," SQUARE "},{'image_id':1,'category_id':1,"
             "'bbox':[2,3,8,6]," SQUARE
             "},{'image_id':1,'category_id':1},{'image_id':7,'category_id':"
             "1},{'image_id':2,'category_id':1,'segmentation':{'size':[20,20],'counts':[0,7,393]}}",
             categories);
    make_old("set/coco.json", 1000000);
}

static mrcnn_dataset *open_cached(const char *folder) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.index_cache = folder;
    return coco_open("set", &o);
}

/* What a user can see of a set. */
static void describe(const mrcnn_dataset *set, char text[4000]) {
    static coco_notes notes;
    mr_about_object about;
    size_t used = 0;
    int id;
    for (size_t i = 0; i < set->picture_count; i++)
        for (size_t k = 0; k < set->pictures[i].object_count; k++) {
            mr_dataset_about(set, i, k, &about);
            used += (size_t)snprintf(text + used, 4000 - used, "%s %s %u %d %d %zu; ",
                                     set->pictures[i].id, set->class_names[about.class_id],
                                     about.region, about.is_crowd, about.has_box,
                                     coco_area(set, i, k, 20, 20, &id));
        }
    mrcnn_dataset_summary *s = coco_check(set, 0, &notes);
    snprintf(text + used, 4000 - used, "%zu %zu %zu\n%s", s->objects_left_out, s->errors,
             s->pictures_left_out, notes.text);
    mrcnn_dataset_summary_free(&s);
}

static void expect_same(const mrcnn_dataset *set, const char *text) {
    char now[4000];
    describe(set, now);
    assert_string_equal(now, text);
}

/* The path of the only file in the cache. */
static const char *kept(const char *folder) {
    static char path[600];
    struct dirent *entry;
    DIR *open = opendir(folder);
    assert_non_null(open);
    path[0] = 0;
    while ((entry = readdir(open)) != NULL)
        if (strstr(entry->d_name, "coco-"))
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    closedir(open);
    return path;
}

/* 1 when the set came from the cache: the cache file is not written again then. */
static int leaves_cache_alone(const char *folder, const char *text) {
    struct stat info;
    char path[600];
    snprintf(path, sizeof path, "%s", kept(folder));
    make_old(path, 2000000);
    mrcnn_dataset *set = open_cached(folder);
    expect_same(set, text);
    mrcnn_dataset_free(&set);
    assert_int_equal(stat(path, &info), 0);
    return info.st_mtime == 2000000;
}

static void test_same_as_the_file(void **state) {
    (void)state;
    char text[4000];
    write_set("cat");
    mrcnn_dataset *set = coco_open("set", NULL);
    describe(set, text);
    mrcnn_dataset_free(&set);
    assert_contains(text, "a.png cat 1 0 1 48; b.png dog 0 1 0 48; b.png cat 4 0 0 7; 2 2 0\n");
    set = open_cached("cache/deep");
    expect_same(set, text);
    mrcnn_dataset_free(&set);
    assert_int_equal(cli_count("cache/deep", ""), 1);
    assert_true(leaves_cache_alone("cache/deep", text));
}

static void test_changed_file(void **state) {
    (void)state;
    char text[4000];
    mrcnn_dataset_free(&(mrcnn_dataset *){open_cached("cache/deep")});
    write_set("cow"); /* the same size, the same second */
    make_old("set/coco.json", 1000001);
    mrcnn_dataset *set = open_cached("cache/deep");
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "cow");
    describe(set, text);
    mrcnn_dataset_free(&set);
    assert_true(leaves_cache_alone("cache/deep", text));
    write_set("tiger");
    set = open_cached("cache/deep");
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "tiger");
    mrcnn_dataset_free(&set);
    /* one that may still be written to is not kept */
    write_set("x");
    utimensat(AT_FDCWD, "set/coco.json", NULL, 0);
    mrcnn_dataset_free(&(mrcnn_dataset *){open_cached("fresh")});
    assert_false(cli_exists("fresh"));
    write_set("cat");
}

static unsigned char *read_bytes(const char *path, size_t *length) {
    struct stat info;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    *length = (size_t)info.st_size;
    unsigned char *bytes = malloc(*length);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *length, file), *length);
    fclose(file);
    return bytes;
}

static void write_bytes(const char *path, const unsigned char *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* Every byte changed, and every length: the file is read again, and the cache is made anew. */
static void test_broken_cache(void **state) {
    (void)state;
    char text[4000], path[600];
    size_t length;
    mrcnn_dataset *set = open_cached("cache/deep");
    describe(set, text);
    mrcnn_dataset_free(&set);
    snprintf(path, sizeof path, "%s", kept("cache/deep"));
    unsigned char *bytes = read_bytes(path, &length);
    for (size_t i = 0; i < length; i += 23) {
        bytes[i] ^= 0x55;
        write_bytes(path, bytes, length);
        bytes[i] ^= 0x55;
        assert_false(leaves_cache_alone("cache/deep", text));
    }
    for (size_t i = 0; i < length; i += 331) {
        write_bytes(path, bytes, i);
        assert_false(leaves_cache_alone("cache/deep", text));
    }
    write_bytes(path, bytes, length);
    assert_true(leaves_cache_alone("cache/deep", text));
    free(bytes);
}

/* The layout of coco_cache.c's header, for checksums that are right in files that are not. */
enum {
    COUNTS = 96,
    KINDS = COUNTS + 7 * 8 + 16,
    SUMS = KINDS + 8 + 8 * MR_PROBLEM_KINDS,
    HEAD = SUMS + 32
};

static void put_sum(unsigned char *at, const unsigned char *bytes, size_t length) {
    uint32_t sum = mr_crc32c(bytes, length);
    memcpy(at, &sum, sizeof sum);
}

static void seal(unsigned char *bytes) {
    static const size_t sizes[7] = {16, 16, 32, 8, 32, 1, 1};
    size_t at = HEAD;
    for (int i = 0; i < 7; i++) {
        uint64_t count;
        memcpy(&count, bytes + COUNTS + 8 * i, sizeof count);
        put_sum(bytes + SUMS + 4 * i, bytes + at, (size_t)count * sizes[i]);
        at += (size_t)count * sizes[i];
    }
    put_sum(bytes + SUMS + 28, bytes, SUMS + 28);
}

/* Made by somebody who knows the checksums: no crash, whatever numbers are in it. */
static void test_forged_cache(void **state) {
    (void)state;
    char text[4000], path[600];
    size_t length;
    int refused = 0;
    mrcnn_dataset *set = open_cached("cache/deep");
    describe(set, text);
    mrcnn_dataset_free(&set);
    snprintf(path, sizeof path, "%s", kept("cache/deep"));
    unsigned char *bytes = read_bytes(path, &length), *forged = malloc(length);
    assert_non_null(forged);
    memcpy(forged, bytes, length);
    seal(forged);
    assert_memory_equal(forged, bytes, length); /* the layout is as it is said here */
    for (size_t i = HEAD; i < length; i++) {
        memcpy(forged, bytes, length);
        forged[i] ^= 0xFF;
        seal(forged);
        write_bytes(path, forged, length);
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_dataset_options o = mrcnn_dataset_options_default();
        static uint8_t mask[400];
        int id;
        o.index_cache = "cache/deep";
        set = NULL;
        if (mrcnn_dataset_open(&set, "set", &o, &err) == MRCNN_OK)
            for (size_t p = 0; p < set->picture_count; p++)
                for (size_t k = 0; k < set->pictures[p].object_count; k++)
                    refused += mr_dataset_mask(set, p, k, 20, 20, mask, &id, &err) != MRCNN_OK;
        mrcnn_dataset_free(&set);
    }
    assert_true(refused > 0);
    write_bytes(path, bytes, length);
    free(bytes);
    free(forged);
}

static void test_no_place_for_a_cache(void **state) {
    (void)state;
    static coco_notes notes;
    cli_write("file", "");
    mrcnn_dataset *set = open_cached("file");
    mrcnn_dataset_summary *s = coco_check(set, 0, &notes);
    assert_contains(notes.text, "W  -1 file");
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_file),     cmocka_unit_test(test_changed_file),
        cmocka_unit_test(test_broken_cache),         cmocka_unit_test(test_forged_cache),
        cmocka_unit_test(test_no_place_for_a_cache),
    };
    return cmocka_run_group_tests(tests, coco_enter, cli_leave);
}
