/* compare_sets.c - are two data sets the same, pixel by pixel? Pictures are matched by their names
 * without folders and endings, objects of a picture by class and mask, in any order:
 *
 *     compare_sets [OPTION]... SET_A SUBSET_A SET_B SUBSET_B        (SUBSET - : none)
 *
 *     --layer          of A only what is seen from the front counts: crowds behind objects, earlier
 *                      objects behind later ones; several crowds of a class are one
 *     --without-crowds leave A's crowds out
 *     --classes N      leave out A's objects (not its crowds) of classes beyond the N-th
 *
 * For formats that can't say everything these describe what is lost. Prints one line; exit status: 0
 * equal, 1 not, 2 wrong usage or unreadable sets. */
#include <mrcnn/mrcnn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct object {
    char class_name[128];
    int class_id, is_crowd, matched;
    uint8_t *pixels;
} object;

typedef struct picture {
    char stem[512];
    size_t index; /* in its set */
    int32_t height, width;
} picture;

typedef struct side {
    mrcnn_dataset *set;
    picture *pictures;
    size_t count;
} side;

static int layer, without_crowds, classes = 1000000;

static void *get(size_t count, size_t size) {
    void *memory = calloc(count + 1, size);
    if (!memory) exit(2);
    return memory;
}

static void die(const mrcnn_error *err) {
    fprintf(stderr, "compare_sets: %s\n", err->message);
    exit(2);
}

static int compare_stems(const void *a, const void *b) {
    return strcmp(((const picture *)a)->stem, ((const picture *)b)->stem);
}

static side open_side(const char *path, const char *subset) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    side s = {NULL, NULL, 0};
    options.subset = strcmp(subset, "-") == 0 ? NULL : subset;
    if (mrcnn_dataset_open(&s.set, path, &options, &err) != MRCNN_OK) die(&err);
    s.count = mrcnn_dataset_count(s.set);
    s.pictures = get(s.count, sizeof *s.pictures);
    for (size_t i = 0; i < s.count; i++) {
        const char *id = mrcnn_dataset_picture(s.set, i)->id, *slash = strrchr(id, '/');
        picture *p = &s.pictures[i];
        mrcnn_image image = {0};
        snprintf(p->stem, sizeof p->stem, "%s", slash ? slash + 1 : id);
        char *dot = strrchr(p->stem, '.');
        if (dot) *dot = 0;
        p->index = i;
        if (mrcnn_dataset_read(s.set, i, &image, &err) != MRCNN_OK) die(&err);
        p->height = image.height;
        p->width = image.width;
        mrcnn_image_free(&image);
    }
    qsort(s.pictures, s.count, sizeof *s.pictures, compare_stems);
    return s;
}

static int is_empty(const uint8_t *pixels, size_t count) {
    return !memchr(pixels, 1, count);
}

/* Objects with pixels. */
static object *read_objects(const side *s, const picture *p, size_t *count) {
    size_t all = mrcnn_dataset_picture(s->set, p->index)->object_count;
    size_t pixels = (size_t)p->height * (size_t)p->width;
    object *objects = get(all, sizeof *objects);
    mrcnn_error err = MRCNN_ERROR_INIT;
    *count = 0;
    for (size_t i = 0; i < all; i++) {
        mrcnn_mask mask = {0};
        int32_t id = 0;
        object *o = &objects[*count];
        if (mrcnn_dataset_mask(s->set, p->index, i, p->height, p->width, &mask, &id, &err) !=
            MRCNN_OK)
            die(&err);
        o->is_crowd = id < 0;
        o->class_id = abs(id);
        snprintf(o->class_name, sizeof o->class_name, "%s",
                 mrcnn_dataset_class_name(s->set, abs(id)));
        o->pixels = get(pixels, 1);
        mrcnn_mask_to_bytes(&mask, o->pixels);
        mrcnn_mask_free(&mask);
        if (is_empty(o->pixels, pixels))
            free(o->pixels);
        else
            ++*count;
    }
    return objects;
}

static void hide(object *behind, const object *front, size_t pixels) {
    for (size_t i = 0; i < pixels; i++) behind->pixels[i] &= !front->pixels[i];
}

static void drop_empty(object *objects, size_t *count, size_t pixels) {
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (!is_empty(objects[i].pixels, pixels))
            objects[kept++] = objects[i];
        else
            free(objects[i].pixels);
    }
    *count = kept;
}

/* What a picture with one number a pixel can say of the objects. */
static void flatten(object *objects, size_t *count, size_t pixels) {
    for (size_t i = 0; i < *count; i++)
        for (size_t k = 0; k < *count; k++)
            if (objects[i].is_crowd == objects[k].is_crowd ? k > i : objects[i].is_crowd)
                hide(&objects[i], &objects[k], pixels);
    for (size_t i = 0; i < *count; i++)
        for (size_t k = i + 1; k < *count; k++) {
            object *a = &objects[i], *b = &objects[k];
            if (!a->is_crowd || !b->is_crowd || strcmp(a->class_name, b->class_name) != 0) continue;
            for (size_t n = 0; n < pixels; n++) {
                a->pixels[n] |= b->pixels[n];
                b->pixels[n] = 0;
            }
        }
}

static void lose(object *objects, size_t *count, size_t pixels) {
    if (layer) flatten(objects, count, pixels);
    for (size_t i = 0; i < *count; i++)
        if (objects[i].is_crowd ? without_crowds : objects[i].class_id > classes)
            memset(objects[i].pixels, 0, pixels);
    drop_empty(objects, count, pixels);
}

static void free_objects(object *objects, size_t count) {
    for (size_t i = 0; i < count; i++) free(objects[i].pixels);
    free(objects);
}

/* Objects of `a` that have their like in `b`. */
static size_t match(object *a, size_t count_a, object *b, size_t count_b, size_t pixels) {
    size_t found = 0;
    for (size_t i = 0; i < count_a; i++)
        for (size_t k = 0; k < count_b && !a[i].matched; k++) {
            if (b[k].matched || a[i].is_crowd != b[k].is_crowd ||
                strcmp(a[i].class_name, b[k].class_name) != 0 ||
                memcmp(a[i].pixels, b[k].pixels, pixels) != 0)
                continue;
            a[i].matched = b[k].matched = 1;
            found++;
        }
    return found;
}

typedef struct totals {
    size_t pictures, objects_a, objects_b, equal;
    int unequal_pictures;
} totals;

static void compare_picture(totals *t, const side *a, const picture *pa, const side *b,
                            const picture *pb) {
    size_t count_a = 0, count_b = 0, pixels = (size_t)pa->height * (size_t)pa->width;
    object *objects_a = read_objects(a, pa, &count_a);
    object *objects_b = pb ? read_objects(b, pb, &count_b) : get(0, sizeof *objects_b);
    int same_size = !pb || (pa->height == pb->height && pa->width == pb->width);
    lose(objects_a, &count_a, pixels);
    size_t equal = same_size ? match(objects_a, count_a, objects_b, count_b, pixels) : 0;
    if (equal != count_a || equal != count_b) {
        fprintf(stderr, "%s: %zu and %zu objects, %zu equal\n", pa->stem, count_a, count_b, equal);
        t->unequal_pictures++;
    }
    t->pictures++;
    t->objects_a += count_a;
    t->objects_b += count_b;
    t->equal += equal;
    free_objects(objects_a, count_a);
    free_objects(objects_b, count_b);
}

/* A picture of A whose objects are all lost need not be in B. */
static totals compare(const side *a, const side *b) {
    totals t = {0};
    size_t used = 0;
    for (size_t i = 0; i < a->count; i++) {
        const picture *other = b->count ? bsearch(&a->pictures[i], b->pictures, b->count,
                                                  sizeof *b->pictures, compare_stems)
                                        : NULL;
        used += other != NULL;
        compare_picture(&t, a, &a->pictures[i], b, other);
    }
    if (used != b->count) {
        fprintf(stderr, "%zu pictures are in the second set alone\n", b->count - used);
        t.unequal_pictures++;
    }
    return t;
}

static int usage(void) {
    fprintf(
        stderr,
        "usage: compare_sets [--layer] [--without-crowds] [--classes N] SET SUBSET SET SUBSET\n");
    return 2;
}

int main(int argc, char **argv) {
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--layer") == 0)
            layer = 1;
        else if (strcmp(argv[at], "--without-crowds") == 0)
            without_crowds = 1;
        else if (strcmp(argv[at], "--classes") == 0 && at + 1 < argc)
            classes = atoi(argv[++at]);
        else
            return usage();
    }
    if (argc - at != 4) return usage();
    side a = open_side(argv[at], argv[at + 1]), b = open_side(argv[at + 2], argv[at + 3]);
    totals t = compare(&a, &b);
    printf("%zu pictures, %zu objects and %zu: %zu equal pixel by pixel\n", t.pictures, t.objects_a,
           t.objects_b, t.equal);
    int equal = t.unequal_pictures == 0;
    free(a.pictures);
    free(b.pictures);
    mrcnn_dataset_free(&a.set);
    mrcnn_dataset_free(&b.set);
    return equal ? 0 : 1;
}
