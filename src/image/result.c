/* result.c - results are made by detection and, of annotations, by data sets; whoever made one, it is
 * freed here. */
#include <mrcnn/mrcnn.h>

#include <stdlib.h>

void mrcnn_result_free(mrcnn_result **result) {
    if (!result || !*result) return;
    for (size_t i = 0; i < (*result)->count; i++) mrcnn_mask_free(&(*result)->instances[i].mask);
    free((*result)->instances);
    free(*result);
    *result = NULL;
}
