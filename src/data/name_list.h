/* name_list.h - some names for a message: "cat", "dog" and 3 more. */
#ifndef MR_DATA_NAME_LIST_H
#define MR_DATA_NAME_LIST_H

#include <stddef.h>

enum { MR_NAMES_SHOWN = 6 };

/* Start with {0}. */
typedef struct mr_name_list {
    char text[MR_NAMES_SHOWN * 64 + 40];
    size_t used, count;
} mr_name_list;

void mr_name_list_add(mr_name_list *list, const char *name);

/* The text with what was not shown counted at its end; nothing is added afterwards. */
const char *mr_name_list_text(mr_name_list *list);

#endif
