/* detect.c - finds the objects in one picture and draws them: the smallest useful program.
 *
 *     detect WEIGHTS.h5 PICTURE OUT.png
 *
 * prints one line an object and writes the picture with its instances over it. */
#include <mrcnn/mrcnn.h>

#include <stdio.h>

static void print_instances(const mrcnn_result *result) {
    for (size_t i = 0; i < result->count; i++) {
        const mrcnn_instance *it = &result->instances[i];
        printf("%s %.3f  x %d-%d  y %d-%d  %lld pixels\n", it->class_name, it->score, it->x1,
               it->x2, it->y1, it->y2, (long long)mrcnn_mask_area(&it->mask));
    }
    printf("%zu objects\n", result->count);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s WEIGHTS.h5 PICTURE OUT.png\n", argv[0]);
        return 2;
    }

    /* Everything that is freed below starts out empty, so that any step may fail. */
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_image picture = {0}, drawn = {0};
    mrcnn_result *result = NULL;

    /* NULL stands for the defaults: the configuration that the weights carry, a thread a core. */
    if (mrcnn_model_load(&model, argv[1], NULL, &err)) goto done;
    if (mrcnn_session_create(&session, model, NULL, &err)) goto done;
    if (mrcnn_image_read(&picture, argv[2], NULL, &err)) goto done;
    if (mrcnn_detect(session, &picture, 1, &result, &err)) goto done;
    print_instances(result);

    if (mrcnn_draw_instances(&drawn, &picture, result, NULL, &err)) goto done;
    if (mrcnn_image_write(&drawn, argv[3], &err)) goto done;

done:
    if (err.status) fprintf(stderr, "%s: %s\n", argv[0], err.message);
    mrcnn_result_free(&result);
    mrcnn_image_free(&drawn);
    mrcnn_image_free(&picture);
    mrcnn_session_free(&session); /* before the model that it uses */
    mrcnn_model_free(&model);
    return err.status ? 1 : 0;
}
