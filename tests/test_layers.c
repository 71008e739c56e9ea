/* test_layers.c - which tensors are trained. The counts are those of the oracle's trainable_names
 * for 81 classes. */
#include "helper_assert.h"

#include "model/model.h"
#include "train/layers.h"

#include <stdlib.h>

static mr_tensors *make(const char *backbone) {
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = mr_tensors_create();
    mrcnn_config_create(&config, "coco", &err);
    mrcnn_config_set(config, "BACKBONE", backbone, &err);
    mr_required_tensors(set, mr_config_settings(config), &err);
    assert_string_equal(err.message, "");
    mrcnn_config_free(&config);
    return set;
}

static void test_published_models(void **state) {
    (void)state;
    static const struct {
        const char *backbone, *layers;
        size_t tensors, elements;
        const char *first, *last;
    } cases[] = {
        {"resnet50", "heads", 54, 21494264, "fpn_c5p5", "mrcnn_mask"},
        {"resnet50", "5+", 94, 36470264, "res5a_branch2a", "mrcnn_mask"},
        {"resnet50", "4+", 170, 43578872, "res4a_branch2a", "mrcnn_mask"},
        {"resnet50", "3+", 222, 44802040, "res3a_branch2a", "mrcnn_mask"},
        {"resnet50", "all", 266, 45028856, "conv1", "mrcnn_mask"},
        {"resnet50", ".*", 266, 45028856, "conv1", "mrcnn_mask"},
        {"resnet50", "(res5.*)|(mrcnn\\_.*)", 52, 31913958, "res5a_branch2a", "mrcnn_mask"},
        {"resnet50", "res2a_branch2a|bn_conv1", 4, 4288, "bn_conv1", "res2a_branch2a"},
        {"resnet50", "(mrcnn\\_.*)|(rpn\\_.*)|(fpn\\_.*)", 54, 21494264, "fpn_c5p5", "mrcnn_mask"},
        {"resnet101", "heads", 54, 21494264, "fpn_c5p5", "mrcnn_mask"},
        {"resnet101", "4+", 374, 62597112, "res4a_branch2a", "mrcnn_mask"},
        {"resnet101", "all", 470, 64047096, "conv1", "mrcnn_mask"},
    };
    mr_tensors *weights = NULL;
    const char *backbone = "";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_tensor **chosen = NULL;
        size_t count = 0, elements = 0;
        mrcnn_error err = MRCNN_ERROR_INIT;
        if (strcmp(backbone, cases[i].backbone) != 0) {
            mr_tensors_free(&weights);
            weights = make(backbone = cases[i].backbone);
        }
        mr_layers_select(weights, cases[i].layers, &chosen, &count, &err);
        assert_string_equal(err.message, "");
        for (size_t j = 0; j < count; j++) {
            elements += chosen[j]->count;
            assert_null(strstr(chosen[j]->param, "moving"));
        }
        assert_int_equal(count, cases[i].tensors);
        assert_int_equal(elements, cases[i].elements);
        assert_string_equal(chosen[0]->layer, cases[i].first);
        assert_string_equal(chosen[count - 1]->layer, cases[i].last);
        free(chosen);
    }
    mr_tensors_free(&weights);
}

static int begins(const mr_tensor *t, const char *with) {
    return strncmp(t->layer, with, strlen(with)) == 0;
}

/* Basic blocks have the same names; what each word selects is counted here once more, by prefix. */
static void test_shallow_models(void **state) {
    (void)state;
    static const char *const words[] = {"heads", "5+", "4+", "3+"};
    static const char *const prefixes[] = {"mrcnn_", "rpn_", "fpn_", "res5", "bn5",
                                           "res4",   "bn4",  "res3", "bn3"};
    for (int depth = 18; depth <= 34; depth += 16) {
        mr_tensors *weights = make(depth == 18 ? "resnet18" : "resnet34");
        size_t before = 0;
        for (size_t i = 0; i < 4; i++) {
            mr_tensor **chosen = NULL;
            size_t count = 0, expected = 0;
            assert_int_equal(mr_layers_select(weights, words[i], &chosen, &count, NULL), MRCNN_OK);
            for (size_t k = 0; k < mr_tensors_count(weights); k++)
                for (size_t p = 0; p < 3 + 2 * i; p++)
                    expected += begins(mr_tensors_at(weights, k), prefixes[p]) &&
                                !strstr(mr_tensors_at(weights, k)->param, "moving");
            assert_int_equal(count, expected);
            assert_true(count > before);
            before = count;
            free(chosen);
        }
        mr_tensors_free(&weights);
    }
}

static void test_gradients(void **state) {
    (void)state;
    mr_tensors *weights = make("resnet18"), *gradients = NULL;
    assert_int_equal(mr_layers_gradients(weights, "mrcnn_class.*", &gradients, NULL), MRCNN_OK);
    assert_int_equal(mr_tensors_count(gradients), 10);
    for (size_t i = 0; i < mr_tensors_count(gradients); i++) {
        const mr_tensor *g = mr_tensors_at(gradients, i);
        const mr_tensor *w = mr_tensors_find(weights, g->layer, g->param);
        assert_non_null(w);
        assert_int_equal(g->rank, w->rank);
        assert_memory_equal(g->shape, w->shape, (size_t)g->rank * sizeof *g->shape);
        for (size_t k = 0; k < g->count; k++) assert_true(g->values[k] == 0);
    }
    mr_tensors_free(&gradients);
    mr_tensors_free(&weights);
}

static void test_nothing_selected(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"head", "did you mean heads?"},
        {"fpn_c5p6", "did you mean fpn_c5p5?"},
        {"rpn_con_shared", "did you mean rpn_conv_shared?"},
        {"mrcnn_mask_con1", "did you mean mrcnn_mask_conv1?"},
        {"rpn_model", "no layer"},
        {"res", "no layer"},
        {"vgg.*", "the first one is conv1"},
        {"(res5", "regular expression"},
        {"", "there is nothing"},
    };
    mr_tensors *weights = make("resnet50"), *nothing = mr_tensors_create();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_tensor **chosen = NULL;
        mr_tensors *gradients = NULL;
        size_t count = 77;
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(mr_layers_select(weights, cases[i][0], &chosen, &count, &err),
                         MRCNN_E_CONFIG);
        assert_contains(err.message, cases[i][1]);
        assert_null(chosen);
        assert_int_equal(count, 77);
        assert_int_equal(mr_layers_gradients(weights, cases[i][0], &gradients, NULL),
                         MRCNN_E_CONFIG);
        assert_null(gradients);
        assert_int_equal(mr_layers_select(nothing, cases[i][0], &chosen, &count, NULL),
                         MRCNN_E_CONFIG);
    }
    mr_tensors_free(&weights);
    mr_tensors_free(&nothing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_models),
        cmocka_unit_test(test_shallow_models),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_nothing_selected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
