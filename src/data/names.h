/* names.h - a set of names, each with the number it was given: classes while annotations are read. */
#ifndef MR_DATA_NAMES_H
#define MR_DATA_NAMES_H

#include <stddef.h>

typedef struct mr_name {
    char *text;
    int id;
} mr_name;

/* Sorted by text, bytewise. Start with {0}. */
typedef struct mr_names {
    mr_name *items;
    size_t count, room;
    int keeps_order; /* classes come in the order in which they were added, not sorted */
} mr_names;

/* The id of a name, -1 if it isn't there. */
int mr_names_find(const mr_names *names, const char *text);

/* The id of a name, which becomes the number of names before it when it is new; -1: no memory. */
int mr_names_add(mr_names *names, const char *text);

void mr_names_free(mr_names *names);

/* A class name as annotations have it, without blanks at its ends; control bytes become blanks: names
 * end up in files line by line. 0 when it is too long. */
enum { MR_CLASS_TEXT = 201 };
int mr_tidy_name(const char *text, char name[MR_CLASS_TEXT]);

#endif
