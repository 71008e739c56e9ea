/* json_cut.h - finds where an array or object of JSON ends without parsing it: for the parts of an
 * annotation file that are most of it and are read when they are needed. */
#ifndef MR_DATA_JSON_CUT_H
#define MR_DATA_JSON_CUT_H

#include <stddef.h>
#include <stdint.h>

/* What is known of a value that was cut out. */
typedef struct mr_json_cut {
    uint64_t begin, length; /* bytes of the file */
    /* It is an array of arrays that hold at least six values each, in pairs, and has no letter, no
     * string and no further nesting. (That it is correct JSON shows when it is parsed.) */
    int is_pairs;
    int is_object; /* not an array */
    int is_empty;  /* nothing but white space between the brackets */
} mr_json_cut;

/* Start with {0} at the opening bracket. */
typedef struct mr_json_cutter {
    uint64_t depth, newlines;
    uint64_t commas; /* of the innermost array, when there are two */
    int in_string, escaped;
    int is_object, has_content, odd; /* odd: can't be pairs */
} mr_json_cutter;

/* Goes on with `length` bytes. Returns how many of them belong to the value; when it ended there,
 * `depth` is 0. */
size_t mr_json_cut_go_on(mr_json_cutter *cutter, const unsigned char *bytes, size_t length);

/* What was cut, without `begin` and `length`. */
mr_json_cut mr_json_cut_result(const mr_json_cutter *cutter);

#endif
