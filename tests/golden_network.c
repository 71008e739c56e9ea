/* golden_network.c - compares this library with golden files of whole networks and prints a table:
 *
 *     golden_network [--weights W.h5] [--executor cpu|reference] FILE.h5...
 *
 * Exit status: 0 all checks hold, 1 one does not, 2 wrong usage or an unreadable file. */
#include "helper_golden_network.h"
#include "helper_golden_train.h"

#include <string.h>

static int usage(void) {
    fprintf(stderr,
            "usage: golden_network [--weights W.h5] [--executor cpu|reference] FILE.h5...\n");
    return 2;
}

int main(int argc, char **argv) {
    const char *weights = NULL, *executor = "cpu";
    golden_table table = {.out = stdout, .verbose = 1};
    int files = 0;
    for (int i = 1; i < argc; i++) {
        int has_value = i + 1 < argc;
        if (strcmp(argv[i], "--weights") == 0 && has_value) {
            weights = argv[++i];
        } else if (strcmp(argv[i], "--executor") == 0 && has_value) {
            executor = argv[++i];
        } else if (argv[i][0] == '-') {
            return usage();
        } else {
            printf("%s, %s executor\n", argv[i], executor);
            files++;
            if (!golden_network(argv[i], weights, executor, &table)) return 2;
            if (!golden_train(argv[i], weights, executor, &table)) return 2;
        }
    }
    if (files == 0) return usage();
    golden_summary(&table);
    return table.failures ? 1 : 0;
}
