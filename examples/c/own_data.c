/* own_data.c - trains on pictures that the program has itself: discs on a grey ground, drawn when they
 * are asked for. Nothing is on disk; a data base or a camera would do as well.
 *
 *     ./own_data [EPOCHS]     (default 1: enough to see that it trains)
 */
#include <mrcnn/mrcnn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 128, PICTURES = 40, DISCS = 3 };

/* What the functions below need to know. */
typedef struct plates {
    mrcnn_dataset *set;
} plates;

/* Disc k of a picture: a function of the picture's name, so that any thread may ask. */
static void find_disc(const char *picture, size_t k, int *y, int *x, int *radius) {
    unsigned seed = (unsigned)atoi(picture) * 2654435761u + (unsigned)k * 40503u + 1;
    *radius = 8 + (int)((seed >> 8) % 14);
    *y = 24 + (int)((seed >> 14) % (SIDE - 48));
    *x = 24 + (int)((seed >> 22) % (SIDE - 48));
}

static void draw_disc(const char *picture, size_t k, uint8_t *to, size_t channels, uint8_t value) {
    int cy, cx, r;
    find_disc(picture, k, &cy, &cx, &r);
    for (int y = cy - r; y <= cy + r; y++)
        for (int x = cx - r; x <= cx + r; x++)
            if (y >= 0 && x >= 0 && y < SIDE && x < SIDE &&
                (y - cy) * (y - cy) + (x - cx) * (x - cx) <= r * r)
                memset(to + (size_t)(y * SIDE + x) * channels, value, channels);
}

static mrcnn_status read_plate(void *user, const char *picture, mrcnn_image *image,
                               mrcnn_error *err) {
    (void)user, (void)err; /* a status other than MRCNN_OK is enough */
    uint8_t *pixels = malloc(SIDE * SIDE * 3);
    if (!pixels) return MRCNN_E_MEMORY;
    memset(pixels, 90, SIDE * SIDE * 3);
    for (size_t k = 0; k < DISCS; k++) draw_disc(picture, k, pixels, 3, (uint8_t)(150 + 40 * k));
    *image = (mrcnn_image){SIDE, SIDE, 3, pixels};
    return MRCNN_OK;
}

/* What lies in front of a disc is taken out of it. */
static mrcnn_status mask_plate(void *user, const char *picture, size_t object, int32_t height,
                               int32_t width, uint8_t *mask, int32_t *class_id, mrcnn_error *err) {
    const plates *p = user;
    (void)height, (void)width, (void)err; /* those of the picture */
    draw_disc(picture, object, mask, 1, 1);
    for (size_t k = object + 1; k < DISCS; k++) draw_disc(picture, k, mask, 1, 0);
    *class_id = mrcnn_dataset_map_source_class(p->set, "plates.disc");
    return MRCNN_OK;
}

static mrcnn_status fill(plates *p, mrcnn_error *err) {
    mrcnn_source source = mrcnn_source_default();
    source.name = "plates";
    source.read = read_plate;
    source.mask = mask_plate;
    source.user = p;
    mrcnn_status status = mrcnn_dataset_create(&p->set, err);
    if (status == MRCNN_OK) status = mrcnn_dataset_add_source(p->set, &source, err);
    if (status == MRCNN_OK) status = mrcnn_dataset_add_class(p->set, "plates", "disc", "disc", err);
    for (int i = 0; i < PICTURES && status == MRCNN_OK; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        status = mrcnn_dataset_add_image(p->set, "plates", name, NULL, DISCS, err);
    }
    return status == MRCNN_OK ? mrcnn_dataset_prepare(p->set, err) : status;
}

static void on_epoch(void *user, const mrcnn_train_epoch *epoch) {
    (void)user;
    printf("epoch %d: loss %.3f, %s\n", epoch->epoch, epoch->losses.total, epoch->checkpoint);
}

int main(int argc, char **argv) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    plates p = {NULL};
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_train_options options = mrcnn_train_options_default();
    options.layers = "all";
    options.epochs = argc > 1 ? atoi(argv[1]) : 1;
    options.on_epoch = on_epoch;
    if (fill(&p, &err) == MRCNN_OK &&
        mrcnn_config_create(&config, "shapes-scratch", &err) == MRCNN_OK &&
        mrcnn_config_set(config, "NAME", "plates", &err) == MRCNN_OK &&
        mrcnn_config_set(config, "NUM_CLASSES", "2", &err) == MRCNN_OK &&
        mrcnn_config_set(config, "STEPS_PER_EPOCH", "10", &err) == MRCNN_OK &&
        mrcnn_model_create(&model, config, 1, &err) == MRCNN_OK)
        mrcnn_train(model, p.set, NULL, &options, NULL, &err);
    if (err.status != MRCNN_OK) fprintf(stderr, "%s\n", err.message);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    mrcnn_dataset_free(&p.set);
    return err.status == MRCNN_OK ? 0 : 1;
}
