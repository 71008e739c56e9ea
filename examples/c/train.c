/* train.c - trains a small model on generated squares, circles and triangles, and finds them in a
 * picture that it hasn't seen.
 *
 *     ./train [EPOCHS]        (default 2: enough to see the loss fall)
 */
#include <mrcnn/mrcnn.h>

#include <stdio.h>
#include <stdlib.h>

static void on_epoch(void *user, const mrcnn_train_epoch *epoch) {
    (void)user;
    printf("epoch %d: loss %.3f, %s\n", epoch->epoch, epoch->losses.total, epoch->checkpoint);
}

static mrcnn_status train(mrcnn_model *model, const mrcnn_dataset *set, int epochs,
                          mrcnn_train_result *result, mrcnn_error *err) {
    mrcnn_train_options options = mrcnn_train_options_default();
    options.layers = "all";
    options.epochs = epochs;
    options.on_epoch = on_epoch;
    return mrcnn_train(model, set, NULL, &options, result, err);
}

static mrcnn_status detect(const char *checkpoint, const mrcnn_dataset *unseen, mrcnn_error *err) {
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_image image = {0};
    mrcnn_result *result = NULL;
    if (mrcnn_model_load(&model, checkpoint, NULL, err) == MRCNN_OK &&
        mrcnn_session_create(&session, model, NULL, err) == MRCNN_OK &&
        mrcnn_dataset_read(unseen, 0, &image, err) == MRCNN_OK &&
        mrcnn_detect(session, &image, 1, &result, err) == MRCNN_OK) {
        printf("%zu shapes in a new picture:\n", result->count);
        for (size_t i = 0; i < result->count; i++)
            printf("  %s %.3f\n", result->instances[i].class_name, result->instances[i].score);
    }
    mrcnn_result_free(&result);
    mrcnn_image_free(&image);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    return err->status;
}

int main(int argc, char **argv) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_dataset *set = NULL, *unseen = NULL;
    mrcnn_model *model = NULL;
    mrcnn_train_result result;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.format = "shapes";
    options.subset = "train";
    if (mrcnn_config_create(&config, "shapes-scratch", &err) == MRCNN_OK &&
        mrcnn_config_set(config, "STEPS_PER_EPOCH", "20", &err) == MRCNN_OK &&
        mrcnn_dataset_open(&set, "shapes", &options, &err) == MRCNN_OK &&
        mrcnn_model_create(&model, config, 1, &err) == MRCNN_OK &&
        train(model, set, argc > 1 ? atoi(argv[1]) : 2, &result, &err) == MRCNN_OK) {
        options.subset = "unseen";
        if (mrcnn_dataset_open(&unseen, "shapes", &options, &err) == MRCNN_OK)
            detect(result.checkpoint, unseen, &err);
    }
    if (err.status != MRCNN_OK) fprintf(stderr, "%s\n", err.message);
    mrcnn_model_free(&model);
    mrcnn_dataset_free(&unseen);
    mrcnn_dataset_free(&set);
    mrcnn_config_free(&config);
    return err.status == MRCNN_OK ? 0 : 1;
}
