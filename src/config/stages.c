/* stages.c - see stages.h. */
#include "config/stages.h"

#include "base/error.h"
#include "base/number.h"
#include "config/text.h"

#include <stdio.h>
#include <string.h>

enum { WORDS = 3, MOST_EPOCHS = 1000000 };
#define BLANKS " \t\r\n"

static mrcnn_status fail_stage(int number, const char *text, const char *problem,
                               mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    return mr_fail(err, MRCNN_E_CONFIG,
                   "STAGES: stage %d, %s: %s; write layers, last epoch and, perhaps, a factor of "
                   "LEARNING_RATE, as in \"heads 20; all 40 0.1\"",
                   number, mr_text_show(text, shown), problem);
}

/* The words of a text that is shorter than MR_LAYERS_TEXT. Their number, or WORDS + 1 when there
 * are more. */
static int split(const char *text, char words[WORDS][MR_LAYERS_TEXT]) {
    int count = 0;
    for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
        size_t length = strcspn(text, BLANKS);
        if (count == WORDS) return WORDS + 1;
        memcpy(words[count], text, length);
        words[count++][length] = 0;
        text += length;
    }
    return count;
}

static mrcnn_status check_layers(int number, const char *layers, mrcnn_error *err) {
    regex_t pattern;
    mrcnn_status status = mr_layer_pattern_compile(&pattern, layers, err);
    if (status != MRCNN_OK) {
        char place[32];
        snprintf(place, sizeof place, "STAGES: stage %d", number);
        return mr_prefix(err, status, place);
    }
    regfree(&pattern);
    return MRCNN_OK;
}

static mrcnn_status parse_stage(mr_stage *stage, int number, const char *text, mrcnn_error *err) {
    char words[WORDS][MR_LAYERS_TEXT];
    int64_t epoch;
    int count = split(text, words);
    if (count == 0) return fail_stage(number, text, "nothing is there", err);
    if (count == 1) return fail_stage(number, text, "the last epoch is missing", err);
    if (count > WORDS) return fail_stage(number, text, "more than three words", err);
    if (!mr_integer_parse(words[1], &epoch) || epoch < 1 || epoch > MOST_EPOCHS)
        return fail_stage(number, text, "the last epoch is no whole number from 1 to 1000000", err);
    stage->factor = 1;
    if (count == WORDS &&
        (!mr_number_parse(words[2], &stage->factor) || stage->factor <= 0 || stage->factor > 1e6))
        return fail_stage(number, text, "the factor is no number above 0 and up to 1000000", err);
    stage->last_epoch = (int)epoch;
    strcpy(stage->layers, words[0]);
    return check_layers(number, stage->layers, err);
}

mrcnn_status mr_stages_parse(mr_stages *stages, const char *text, mrcnn_error *err) {
    mr_stages read = {0};
    if (text[strspn(text, BLANKS)] == 0) {
        *stages = read;
        return MRCNN_OK;
    }
    for (const char *from = text;;) {
        char part[MR_LAYERS_TEXT];
        size_t length = strcspn(from, ";");
        int number = read.count + 1;
        if (read.count == MR_MAX_TRAIN_STAGES)
            return mr_fail(err, MRCNN_E_CONFIG,
                           "STAGES: more than %d stages; run the rest by another training",
                           MR_MAX_TRAIN_STAGES);
        if (length >= sizeof part) return fail_stage(number, from, "too long", err);
        memcpy(part, from, length);
        part[length] = 0;
        mr_stage *stage = &read.items[read.count];
        mrcnn_status status = parse_stage(stage, number, part, err);
        if (status != MRCNN_OK) return status;
        if (number > 1 && stage->last_epoch <= stage[-1].last_epoch)
            return fail_stage(number, part, "its last epoch is not above that of the stage before",
                              err);
        read.count++;
        if (from[length] == 0) break;
        from += length + 1;
    }
    *stages = read;
    return MRCNN_OK;
}
