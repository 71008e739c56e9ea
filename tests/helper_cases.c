/* helper_cases.c - see helper_cases.h. */
#include "helper_cases.h"

#include "helper_assert.h"
#include "helper_golden_json.h"

#include "base/file.h"

#include <stdlib.h>

int cases_run(const char *folder, const char *op, void (*run)(const oracle_case *c)) {
    char path[512], entry_op[64];
    void *text = NULL;
    const char *entry;
    size_t length;
    int count = 0;
    snprintf(path, sizeof path, "%s/index.json", folder);
    if (mr_file_read(path, 0, &text, &length, NULL) != MRCNN_OK) return -1;
    for (size_t i = 0; (entry = json_item(text, i)); i++) {
        oracle_case c = {.folder = folder,
                         .params = json_get(entry, "params"),
                         .in = json_get(entry, "in"),
                         .out = json_get(entry, "out")};
        json_text(json_get(entry, "op"), entry_op, sizeof entry_op);
        json_text(json_get(entry, "case"), c.name, sizeof c.name);
        if (strcmp(entry_op, op) != 0) continue;
        run(&c);
        count++;
    }
    free(text);
    return count;
}

npy_array case_array(const oracle_case *c, const char *files, const char *name) {
    char file[128], path[768];
    npy_array array = {0};
    json_text(json_get(files, name), file, sizeof file);
    snprintf(path, sizeof path, "%s/%s", c->folder, file);
    if (!npy_read(path, &array)) fail_msg("%s: %s can't be read", c->name, path);
    return array;
}

void case_set(const oracle_case *c, mrcnn_config *config, const char *key, const char *param) {
    char text[256];
    mrcnn_error err = MRCNN_ERROR_INIT;
    json_text(json_get(c->params, param), text, sizeof text);
    if (mrcnn_config_set(config, key, text, &err) != MRCNN_OK)
        fail_msg("%s: %s", c->name, err.message);
}

int case_int_at(const oracle_case *c, const char *param, size_t index) {
    return (int)json_number(json_item(json_get(c->params, param), index), 0);
}
