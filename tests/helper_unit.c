/* helper_unit.c - see helper_unit.h. */
#include "helper_unit.h"

#include "helper_assert.h"
#include "helper_golden_json.h"

#include "base/file.h"

#include <stdlib.h>

static int run_if(const char *entry, const char *folder, const char *op,
                  void (*run)(const unit_case *u)) {
    char text[64];
    unit_case u;
    json_text(json_get(entry, "op"), text, sizeof text);
    if (strcmp(text, op) != 0) return 0;
    snprintf(u.folder, sizeof u.folder, "%s", folder);
    json_text(json_get(entry, "case"), u.name, sizeof u.name);
    u.params = json_get(entry, "params");
    u.in = json_get(entry, "in");
    u.out = json_get(entry, "out");
    run(&u);
    return 1;
}

int unit_each(const char *index, const char *op, void (*run)(const unit_case *u)) {
    void *text = NULL;
    size_t length = 0;
    char folder[512];
    const char *entry;
    int count = 0;
    if (mr_file_read(index, 0, &text, &length, NULL) != MRCNN_OK) return -1;
    snprintf(folder, sizeof folder, "%s", index);
    *strrchr(folder, '/') = 0;
    for (size_t i = 0; (entry = json_item(text, i)); i++) count += run_if(entry, folder, op, run);
    free(text);
    return count;
}

npy_array unit_array(const unit_case *u, const char *name) {
    char file[128], path[768];
    npy_array array = {0};
    const char *value = json_get(u->in, name);
    json_text(value ? value : json_get(u->out, name), file, sizeof file);
    snprintf(path, sizeof path, "%s/%s", u->folder, file);
    if (!npy_read(path, &array)) fail_msg("%s: %s can't be read", u->name, path);
    return array;
}

float *unit_floats(const unit_case *u, const char *name) {
    npy_array array = unit_array(u, name);
    float *values = malloc((array.count + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < array.count; i++) values[i] = (float)array.data[i];
    npy_free(&array);
    return values;
}

double unit_number(const unit_case *u, const char *param) {
    return json_number(json_get(u->params, param), 0);
}
