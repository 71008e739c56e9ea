/* lines.c - see lines.h. */
#include "data/lines.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 28, LONGEST_LINE = 4000 };

/* Without blanks at both ends; changes the text. */
static char *tidy(char *line) {
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = ' ';
    while (*line == ' ') line++;
    char *end = line + strlen(line);
    while (end > line && end[-1] == ' ') end--;
    *end = 0;
    return line;
}

static mrcnn_status add_line(mr_listing *lines, const char *line, const char *path,
                             mrcnn_error *err) {
    if (strlen(line) > LONGEST_LINE)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: a line is longer than %d bytes: is it a list?",
                       path, LONGEST_LINE);
    return mr_listing_add(lines, line, err);
}

static mrcnn_status split(mr_listing *lines, char *text, const char *path, char comment,
                          mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3;
    while (*text && status == MRCNN_OK) {
        size_t length = strcspn(text, "\n");
        char *next = text + length + (text[length] == '\n');
        text[length] = 0;
        const char *line = tidy(text);
        if (*line && (!comment || *line != comment)) status = add_line(lines, line, path, err);
        text = next;
    }
    return status;
}

mrcnn_status mr_read_lines(mr_listing *lines, const char *path, char comment, mrcnn_error *err) {
    mr_listing made = {NULL, 0, 0};
    void *text = NULL;
    size_t length = 0;
    mrcnn_status status = mr_file_read(path, MOST_BYTES, &text, &length, err);
    if (status != MRCNN_OK) return status;
    if (memchr(text, 0, length))
        status = mr_fail(err, MRCNN_E_FORMAT, "%s: this is no text: it has zero bytes", path);
    else
        status = split(&made, text, path, comment, err);
    free(text);
    if (status == MRCNN_OK)
        *lines = made;
    else
        mr_listing_free(&made);
    return status;
}
