/* confidence.c - how sure a model must be of a detection, class by class. */
#include "base/error.h"
#include "config/nearest.h"
#include "config/text.h"
#include "model/model.h"

#include <string.h>

double mrcnn_model_class_confidence(const mrcnn_model *model, int class_id) {
    const mr_settings *s = mr_config_settings(model->config);
    int at = class_id > 0 ? mr_class_scores_find(&s->class_min_confidence,
                                                 mrcnn_model_class_name(model, class_id))
                          : -1;
    return at >= 0 ? s->class_min_confidence.values[at] : s->detection_min_confidence;
}

static mrcnn_status check_name(const mrcnn_model *model, const char *name, mrcnn_error *err) {
    int count = mrcnn_model_class_count(model);
    char shown[MR_SHOWN_TEXT], nearest_shown[MR_SHOWN_TEXT];
    mr_nearest nearest = mr_nearest_start(name);
    for (int i = 1; i < count; i++) {
        const char *candidate = mrcnn_model_class_name(model, i);
        if (strcmp(candidate, name) == 0) return MRCNN_OK;
        mr_nearest_try(&nearest, candidate);
    }
    mr_text_show(name, shown);
    if (nearest.best)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "CLASS_MIN_CONFIDENCE: the model has no class %s; did you mean %s?", shown,
                       mr_text_show(nearest.best, nearest_shown));
    if (count < 2)
        return mr_fail(err, MRCNN_E_CONFIG, "CLASS_MIN_CONFIDENCE: the model has no class %s",
                       shown);
    return mr_fail(err, MRCNN_E_CONFIG,
                   "CLASS_MIN_CONFIDENCE: the model has no class %s; its %d classes are %s%s",
                   shown, count - 1, mr_text_show(mrcnn_model_class_name(model, 1), nearest_shown),
                   count > 2 ? ", ..." : "");
}

mrcnn_status mr_model_check_confidence(const mrcnn_model *model, mrcnn_error *err) {
    const mr_class_scores *scores = &mr_config_settings(model->config)->class_min_confidence;
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; i < scores->count && status == MRCNN_OK; i++)
        status = check_name(model, scores->names[i], err);
    return status;
}
