/* names.c - see names.h. NUMERICS section 8 lists what occurs in the wild:
 *   conv1           conv1/kernel:0            Keras 2
 *   conv1           conv1_1/kernel:0          Keras 2, second model of a session
 *   conv1           conv1/conv1/kernel:0      tf.keras
 *   conv1           conv1_W_1:0               Keras 1
 *   rpn_model       rpn_conv_shared/kernel:0  a nested model, matched by name
 */
#include "weights/names.h"

#include <ctype.h>
#include <string.h>

/* What a parameter may be called, and what it is. Keras 1's running_std holds the variance. */
static const struct {
    const char *name, *param;
} parameters[] = {
    {"kernel", "kernel"},
    {"bias", "bias"},
    {"gamma", "gamma"},
    {"beta", "beta"},
    {"moving_mean", "moving_mean"},
    {"moving_variance", "moving_variance"},
    {"W", "kernel"},
    {"b", "bias"},
    {"running_mean", "moving_mean"},
    {"running_std", "moving_variance"},
};

typedef struct text {
    const char *begin;
    size_t length;
} text;

static text whole(const char *s) {
    return (text){s, strlen(s)};
}

static int equal(text a, text b) {
    return a.length == b.length && memcmp(a.begin, b.begin, a.length) == 0;
}

static int begins_with(text a, text prefix) {
    return a.length >= prefix.length && memcmp(a.begin, prefix.begin, prefix.length) == 0;
}

/* "kernel_1" -> "kernel", "kernel:0" -> "kernel": drops `mark` and the digits behind it. */
static text drop_number(text t, char mark) {
    size_t n = t.length;
    while (n > 0 && isdigit((unsigned char)t.begin[n - 1])) n--;
    if (n > 1 && n < t.length && t.begin[n - 1] == mark) t.length = n - 1;
    return t;
}

static text last_component(const char *name) {
    const char *slash = strrchr(name, '/');
    return whole(slash ? slash + 1 : name);
}

/* The component before the last one: the layer's name in the variable's; empty if there is none. */
static text layer_component(const char *name) {
    const char *slash = strrchr(name, '/');
    if (!slash) return (text){name, 0};
    const char *begin = slash;
    while (begin > name && begin[-1] != '/') begin--;
    return (text){begin, (size_t)(slash - begin)};
}

static const char *known_parameter(text t) {
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (equal(t, whole(parameters[i].name))) return parameters[i].param;
    return NULL;
}

/* The parameter that a variable's last component stands for; itself when it is none of ours. */
static text parameter_of(text last, text group, int exact) {
    text plain = drop_number(last, ':');
    if (begins_with(plain, group) && plain.length > group.length + 1 &&
        plain.begin[group.length] == '_') /* Keras 1: "conv1_W_1" */
        plain = (text){plain.begin + group.length + 1, plain.length - group.length - 1};
    const char *param = known_parameter(plain);
    if (!param && !exact) param = known_parameter(drop_number(plain, '_'));
    return param ? whole(param) : plain;
}

static int store(char *to, size_t room, text t) {
    if (t.length == 0 || t.length >= room) return 0;
    memcpy(to, t.begin, t.length);
    to[t.length] = 0;
    return 1;
}

int mr_group_is_nested(const char *group, char *const *weight_names, size_t count) {
    if (begins_with(whole(group), whole("rpn_model"))) return 1;
    for (size_t i = 1; i < count; i++)
        if (!equal(layer_component(weight_names[i]), layer_component(weight_names[0]))) return 1;
    return 0;
}

int mr_weight_key_make(mr_weight_key *key, const char *group, const char *name, int nested,
                       int exact) {
    text layer = whole(group), own = layer_component(name);
    if (nested && own.length > 0) {
        layer = own;
        /* No layer of the RPN ends in a number of its own. */
        if (!exact && begins_with(layer, whole("rpn_"))) layer = drop_number(layer, '_');
    }
    text param = parameter_of(last_component(name), layer, exact);
    return store(key->layer, sizeof key->layer, layer) &&
           store(key->param, sizeof key->param, param);
}
