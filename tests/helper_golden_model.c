/* helper_golden_model.c - see helper_golden_model.h. */
#include "helper_golden_model.h"

#include "helper_golden_json.h"
#include "helper_oracle.h"

#include <stdio.h>
#include <string.h>

static mrcnn_status make_config(const golden_file *golden, mrcnn_config **config, uint64_t *seed,
                                mrcnn_error *err) {
    const char *meta = golden_meta(golden), *keys = json_get(meta, "config"), *value;
    char key[96], text[256];
    mrcnn_status status = mrcnn_config_create(config, NULL, err);
    while (status == MRCNN_OK && json_next(&keys, key, sizeof key, &value)) {
        json_text(value, text, sizeof text);
        if (strcmp(key, "WIDTH_DIV") != 0) status = mrcnn_config_set(*config, key, text, err);
    }
    int div = (int)json_number(json_get(json_get(meta, "config"), "WIDTH_DIV"), 1);
    if (status == MRCNN_OK) status = oracle_set_widths(*config, div, err);
    *seed = (uint64_t)json_number(json_get(meta, "seed"), 1);
    return status;
}

int golden_model(mrcnn_model **model, const golden_file *golden, const char *weights,
                 mrcnn_error *err) {
    mrcnn_config *config = NULL;
    uint64_t seed = 0;
    mrcnn_status status = make_config(golden, &config, &seed, err);
    if (status == MRCNN_OK)
        status = weights ? mrcnn_model_load(model, weights, config, err)
                         : oracle_model(model, config, seed, err);
    mrcnn_config_free(&config);
    if (status != MRCNN_OK) fprintf(stderr, "model: %s\n", err->message);
    return status == MRCNN_OK;
}
