/* name_list.c - see name_list.h. */
#include "data/name_list.h"

#include <stdio.h>

/* Long names are cut, whole characters of UTF-8 or not: names are shown to be recognised. */
void mr_name_list_add(mr_name_list *list, const char *name) {
    if (list->count++ >= MR_NAMES_SHOWN) return;
    list->used += (size_t)snprintf(list->text + list->used, sizeof list->text - list->used,
                                   "%s\"%.50s\"", list->used ? ", " : "", name);
}

const char *mr_name_list_text(mr_name_list *list) {
    if (list->count > MR_NAMES_SHOWN)
        snprintf(list->text + list->used, sizeof list->text - list->used, " and %zu more",
                 list->count - MR_NAMES_SHOWN);
    return list->text;
}
