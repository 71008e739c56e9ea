/* custom.c - data sets that a program fills itself: matterport's utils.Dataset with functions in place
 * of a subclass. Sources, classes and pictures are added; preparing turns them into a set like any
 * other. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "image/picture.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct source_class {
    char *id;
    int class_id;
} source_class;

typedef struct source {
    mrcnn_source given; /* its name is ours */
    source_class *classes;
    size_t class_count, class_room;
    uint8_t *active; /* made by preparing */
} source;

typedef struct custom {
    source *sources;
    size_t source_count, source_room;
    size_t *picture_sources; /* of each picture, an index in `sources` */
    size_t picture_source_room;
    char **names; /* of classes; 0 is BG */
    size_t name_count, name_room;
    size_t pictures; /* that wait for preparing: set->picture_count is 0 till then */
    int is_prepared;
} custom;

static const mr_dataset_format format_custom;

mrcnn_source mrcnn_source_default(void) {
    mrcnn_source defaults = {.size = sizeof defaults};
    return defaults;
}

/* ------------------------------------------------------------------------------------- reading */

static const source *source_of(const mr_dataset *set, size_t index) {
    const custom *c = set->own;
    return &c->sources[c->picture_sources[index]];
}

/* The program's functions may fail without a word. */
static mrcnn_status pass_on(mrcnn_status status, mrcnn_error *given, const char *picture,
                            const char *what, mrcnn_error *err) {
    if (status == MRCNN_OK) return status;
    given->message[sizeof given->message - 1] = 0;
    return mr_fail(err, status, "%s: %s", picture, given->message[0] ? given->message : what);
}

static mrcnn_status read_picture(const mr_dataset *set, size_t index, mrcnn_image *image,
                                 mrcnn_error *err) {
    const source *s = source_of(set, index);
    const mr_picture *picture = &set->pictures[index];
    if (!s->given.read) return mr_dataset_read_file(set, index, image, err);
    mrcnn_error own = MRCNN_ERROR_INIT;
    mrcnn_image made = {0};
    mrcnn_status status = s->given.read(s->given.user, picture->id, &made, &own);
    if (status != MRCNN_OK)
        return pass_on(status, &own, picture->id, "its source can't read it", err);
    if (!made.pixels || made.height < 1 || made.width < 1 || made.channels < 1) {
        mrcnn_image_free(&made);
        return mr_fail(err, MRCNN_E_FORMAT, "%s: its source made no picture of it", picture->id);
    }
    *image = made;
    return MRCNN_OK;
}

static int is_file(const mr_dataset *set, size_t index) {
    return source_of(set, index)->given.read == NULL;
}

static mrcnn_status draw(const mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                         mrcnn_error *err) {
    const source *s = source_of(masks->set, masks->index);
    const char *picture = masks->set->pictures[masks->index].id;
    int count = masks->set->class_count;
    mrcnn_error own = MRCNN_ERROR_INIT;
    int32_t id = 0;
    size_t pixels = (size_t)masks->height * (size_t)masks->width;
    memset(mask, 0, pixels);
    mrcnn_status status =
        s->given.mask(s->given.user, picture, object, masks->height, masks->width, mask, &id, &own);
    if (status != MRCNN_OK)
        return pass_on(status, &own, picture, "its source can't draw an object", err);
    if (id == 0 || id >= count || id <= -count)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: object %zu is of class %d; classes are 1 to %d",
                       picture, object, id, count - 1);
    for (size_t i = 0; i < pixels; i++) mask[i] = mask[i] != 0;
    *class_id = id;
    return MRCNN_OK;
}

static const uint8_t *active(const mr_dataset *set, size_t index) {
    return source_of(set, index)->active;
}

static const char *find_source_class(const mr_dataset *set, int class_id, const char *name) {
    const custom *c = set->own;
    for (size_t i = 0; i < c->source_count; i++) {
        const source *s = &c->sources[i];
        if (strcmp(s->given.name, name) != 0) continue;
        for (size_t k = 0; k < s->class_count; k++)
            if (s->classes[k].class_id == class_id) return s->classes[k].id;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------- filling */

static void close_custom(mr_dataset *set) {
    custom *c = set->own;
    if (!c) return;
    for (size_t i = 0; i < c->source_count; i++) {
        source *s = &c->sources[i];
        if (s->given.release) s->given.release(s->given.user);
        for (size_t k = 0; k < s->class_count; k++) free(s->classes[k].id);
        free((char *)s->given.name);
        free(s->classes);
        free(s->active);
    }
    for (size_t i = 0; i < c->name_count; i++) free(c->names[i]);
    if (!c->is_prepared) set->picture_count = c->pictures;
    free(c->names);
    free(c->picture_sources);
    free(c->sources);
    free(c);
}

static const mr_dataset_format format_custom = {
    .name = "custom",
    .files = "a program's own pictures",
    .close = close_custom,
    .read = read_picture,
    .is_file = is_file,
    .draw = draw,
    .active = active,
    .source_class = find_source_class,
};

static mrcnn_status add_name(custom *c, const char *text, size_t length, mrcnn_error *err) {
    if (!mr_dataset_grow((void **)&c->names, &c->name_room, c->name_count, 1, sizeof *c->names))
        return mr_fail_memory(err, length, "class names");
    char *copy = mr_format("%.*s", (int)length, text);
    if (!copy) return mr_fail_memory(err, length, "class names");
    c->names[c->name_count++] = copy;
    return MRCNN_OK;
}

mrcnn_status mrcnn_dataset_create(mrcnn_dataset **set, mrcnn_error *err) {
    if (!set) return mr_fail(err, MRCNN_E_ARGUMENT, "making a data set: set is NULL");
    mr_dataset *made = mr_calloc(1, sizeof *made);
    custom *c = mr_calloc(1, sizeof *c);
    mrcnn_status status = MRCNN_OK;
    if (!made || !c) {
        free(made);
        free(c);
        return mr_fail_memory(err, sizeof *made + sizeof *c, "a data set");
    }
    made->format = &format_custom;
    made->image = mrcnn_image_options_default();
    made->own = c;
    status = add_name(c, "BG", 2, err);
    if (status != MRCNN_OK)
        mrcnn_dataset_free(&made);
    else
        *set = made;
    return status;
}

/* What a set must be for something to be added. */
static mrcnn_status check_open(const mr_dataset *set, const char *what, mrcnn_error *err) {
    if (!set || set->format != &format_custom)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: the set was not made by mrcnn_dataset_create",
                       what);
    if (set->class_names)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: the set is prepared already", what);
    return MRCNN_OK;
}

mrcnn_status mrcnn_dataset_set_image_options(mrcnn_dataset *set, const mrcnn_image_options *options,
                                             mrcnn_error *err) {
    mrcnn_status status = check_open(set, "choosing how pictures are read", err);
    return status == MRCNN_OK ? mr_image_take_options(&set->image, options, err) : status;
}

static source *find_source(const custom *c, const char *name) {
    for (size_t i = 0; name && i < c->source_count; i++)
        if (strcmp(c->sources[i].given.name, name) == 0) return &c->sources[i];
    return NULL;
}

mrcnn_status mrcnn_dataset_add_source(mrcnn_dataset *set, const mrcnn_source *given,
                                      mrcnn_error *err) {
    mrcnn_source taken = mrcnn_source_default();
    mrcnn_status status = check_open(set, "adding a source", err);
    if (status == MRCNN_OK && !given)
        status = mr_fail(err, MRCNN_E_ARGUMENT, "adding a source: it is NULL");
    if (status == MRCNN_OK)
        status = mr_take_options(&taken, sizeof taken, given, "mrcnn_source", err);
    if (status != MRCNN_OK) return status;
    custom *c = set->own;
    if (!taken.name || !*taken.name || strchr(taken.name, '.'))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "adding a source: its name is \"%s\"; it must not be empty or have a dot",
                       taken.name ? taken.name : "");
    if (find_source(c, taken.name))
        return mr_fail(err, MRCNN_E_ARGUMENT, "adding a source: there is a \"%s\" already",
                       taken.name);
    if (!taken.mask)
        return mr_fail(err, MRCNN_E_ARGUMENT, "adding source \"%s\": mask is NULL", taken.name);
    if (!mr_dataset_grow((void **)&c->sources, &c->source_room, c->source_count, 1,
                         sizeof *c->sources))
        return mr_fail_memory(err, sizeof *c->sources, "a source");
    taken.name = mr_strdup(taken.name);
    if (!taken.name) return mr_fail_memory(err, 0, "a source");
    c->sources[c->source_count++] = (source){.given = taken};
    return MRCNN_OK;
}

static mrcnn_status need_source(source **found, const mr_dataset *set, const char *name,
                                const char *what, mrcnn_error *err) {
    mrcnn_status status = check_open(set, what, err);
    if (status != MRCNN_OK) return status;
    *found = find_source(set->own, name);
    if (*found) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT, "%s: there is no source \"%s\"", what, name ? name : "");
}

mrcnn_status mrcnn_dataset_add_class(mrcnn_dataset *set, const char *source_name, const char *id,
                                     const char *name, mrcnn_error *err) {
    source *s = NULL;
    mrcnn_status status = need_source(&s, set, source_name, "adding a class", err);
    if (status != MRCNN_OK) return status;
    if (!id || !name || !*name || *name == ',')
        return mr_fail(err, MRCNN_E_ARGUMENT, "adding a class of \"%s\": it has no %s", source_name,
                       id ? "name" : "id");
    for (size_t i = 0; i < s->class_count; i++)
        if (strcmp(s->classes[i].id, id) == 0) return MRCNN_OK;
    custom *c = set->own;
    size_t length = strcspn(name, ","), known = 0;
    while (known < c->name_count &&
           (strncmp(c->names[known], name, length) != 0 || c->names[known][length]))
        known++;
    if (known == 0 || known > INT_MAX - 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "adding a class: \"%s\" is the background's name",
                       name);
    if (!mr_dataset_grow((void **)&s->classes, &s->class_room, s->class_count, 1,
                         sizeof *s->classes))
        return mr_fail_memory(err, sizeof *s->classes, "class names");
    if (known == c->name_count) status = add_name(c, name, length, err);
    if (status != MRCNN_OK) return status;
    char *copy = mr_strdup(id);
    if (!copy) return mr_fail_memory(err, strlen(id), "class names");
    s->classes[s->class_count++] = (source_class){copy, (int)known};
    return MRCNN_OK;
}

mrcnn_status mrcnn_dataset_add_image(mrcnn_dataset *set, const char *source_name, const char *id,
                                     const char *path, size_t object_count, mrcnn_error *err) {
    source *s = NULL;
    mrcnn_status status = need_source(&s, set, source_name, "adding a picture", err);
    if (status != MRCNN_OK) return status;
    if (!id || (!path && !s->given.read))
        return mr_fail(err, MRCNN_E_ARGUMENT, "adding picture \"%s\": it has no %s", id ? id : "",
                       id ? "path, and its source has no read" : "id");
    custom *c = set->own;
    if (!mr_dataset_grow((void **)&set->pictures, &set->picture_room, c->pictures, 1,
                         sizeof *set->pictures) ||
        !mr_dataset_grow((void **)&c->picture_sources, &c->picture_source_room, c->pictures, 1,
                         sizeof *c->picture_sources))
        return mr_fail_memory(err, sizeof *set->pictures, "pictures of a data set");
    /* One block for both: the path, then the id; without a path the id alone. */
    size_t path_size = path ? strlen(path) + 1 : 0, id_size = strlen(id) + 1;
    char *text = malloc(path_size + id_size);
    if (!text) return mr_fail_memory(err, path_size + id_size, "a picture's path");
    if (path) memcpy(text, path, path_size);
    memcpy(text + path_size, id, id_size);
    c->picture_sources[c->pictures] = (size_t)(s - c->sources);
    set->pictures[c->pictures++] =
        (mr_picture){text + path_size, path ? text : NULL, NULL, object_count};
    return MRCNN_OK;
}

/* ----------------------------------------------------------------------------------- preparing */

static mrcnn_status make_active(custom *c, mrcnn_error *err) {
    for (size_t i = 0; i < c->source_count; i++) {
        source *s = &c->sources[i];
        s->active = mr_calloc(c->name_count, 1);
        if (!s->active) return mr_fail_memory(err, c->name_count, "class names");
        s->active[0] = 1;
        for (size_t k = 0; k < s->class_count; k++) s->active[s->classes[k].class_id] = 1;
    }
    return MRCNN_OK;
}

mrcnn_status mrcnn_dataset_prepare(mrcnn_dataset *set, mrcnn_error *err) {
    mrcnn_status status = check_open(set, "preparing a data set", err);
    if (status != MRCNN_OK) return status;
    custom *c = set->own;
    if (c->pictures == 0 || c->name_count < 2)
        return mr_fail(err, MRCNN_E_ARGUMENT, "preparing a data set: it has no %s",
                       c->pictures ? "class" : "picture");
    status = make_active(c, err);
    if (status == MRCNN_OK)
        status = mr_dataset_set_classes(set, NULL, (const char *const *)c->names + 1,
                                        c->name_count - 1, err);
    if (status == MRCNN_OK) status = mr_dataset_number_classes(set, err);
    if (status != MRCNN_OK) return status;
    for (size_t i = 0; i < c->pictures; i++) {
        set->pictures[i].source = c->sources[c->picture_sources[i]].given.name;
        set->without_objects += set->pictures[i].object_count == 0;
    }
    set->picture_count = c->pictures;
    c->is_prepared = 1;
    return mr_dataset_name_sources(set, err);
}
