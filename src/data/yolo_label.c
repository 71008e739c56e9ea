/* yolo_label.c - the lines of YOLO's label files, and the names of those files. */
#include "data/yolo.h"

#include "base/memory.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 1 << 16 };

static const char *const blanks = " \t\r\n\v\f";

/* The next word of a text, with a 0 behind it; NULL at the end. */
static char *next_word(char **text) {
    char *word = *text + strspn(*text, blanks);
    if (!*word) return NULL;
    char *end = word + strcspn(word, blanks);
    *text = *end ? end + 1 : end;
    *end = 0;
    return word;
}

static int fail(char why[MR_YOLO_WHY], const char *text) {
    snprintf(why, MR_YOLO_WHY, "%s", text);
    return -1;
}

/* A little outside is cut off where it is drawn; far outside means pixels instead of parts. */
static int read_coordinates(char *text, mr_numbers *numbers, char why[MR_YOLO_WHY]) {
    for (char *word = next_word(&text); word; word = next_word(&text)) {
        double value;
        if (!mr_number_parse(word, &value)) {
            snprintf(why, MR_YOLO_WHY, "\"%.40s\" is no number", word);
            return -1;
        }
        if (!(value >= -1 && value <= 2)) {
            snprintf(why, MR_YOLO_WHY,
                     "a coordinate is %.40s: they are parts of the picture's width and height, "
                     "from 0 to 1",
                     word);
            return -1;
        }
        if (!mr_numbers_add(numbers, value)) return fail(why, "there is no memory for the line");
    }
    return 1;
}

static int judge_box(const double *v, char why[MR_YOLO_WHY]) {
    return v[2] > 0 && v[3] > 0
               ? 1
               : fail(why, "the box has no area: its width or height is not positive");
}

int mr_yolo_read_line(char *text, mr_yolo_line *line, mr_numbers *numbers, char why[MR_YOLO_WHY]) {
    double number;
    char *word = next_word(&text);
    numbers->count = 0;
    if (!word) return 0;
    if (!mr_number_parse(word, &number) || number != floor(number) || number < 0 ||
        number >= MR_YOLO_MAX_CLASSES) {
        snprintf(why, MR_YOLO_WHY, "\"%.40s\" is no class number", word);
        return -1;
    }
    line->number = (int)number;
    if (read_coordinates(text, numbers, why) < 0) return -1;
    line->is_box = numbers->count == 4;
    if (line->is_box) return judge_box(numbers->values, why);
    if (numbers->count % 2) {
        snprintf(why, MR_YOLO_WHY, "the line has an odd number of coordinates: %zu",
                 numbers->count);
        return -1;
    }
    return mr_polygon_has_fault(numbers->values, numbers->count / 2, why, MR_YOLO_WHY) ? -1 : 1;
}

double mr_yolo_to_pixels(double part, int size) {
    double pixels = part * size, whole = rint(pixels);
    return fabs(pixels - whole) <= 1e-3 ? whole : pixels;
}

/* --------------------------------------------------------------------------------------- files */

/* The last folder called "images" in a path; NULL for none. */
static const char *find_images(const char *path) {
    const char *found = NULL;
    for (const char *part = path; (part = strstr(part, "images/")) != NULL; part++)
        if (part == path || part[-1] == '/') found = part;
    return found;
}

char *mr_yolo_label_name(const char *picture) {
    const char *images = find_images(picture);
    int length = (int)mr_stem_length(picture);
    if (!images) return mr_format("%.*s.txt", length, picture);
    int before = (int)(images - picture), after = before + (int)strlen("images");
    return mr_format("%.*slabels%.*s.txt", before, picture, length - after, picture + after);
}

char *mr_yolo_label_folder(const char *pictures) {
    char *inside = mr_format("%s/x", pictures), *name = inside ? mr_yolo_label_name(inside) : NULL;
    if (name) *strrchr(name, '/') = 0;
    free(inside);
    return name;
}

/* A class number and four more numbers, which every line has; or nothing at all. */
static int starts_like_labels(char *text) {
    double number;
    text += strspn(text, blanks);
    if (!*text) return 1;
    text[strcspn(text, "\n")] = 0;
    for (int i = 0; i < 5; i++) {
        const char *word = next_word(&text);
        if (!word || !mr_number_parse(word, &number)) return 0;
        if (i == 0 && (number != floor(number) || number < 0)) return 0;
    }
    return 1;
}

int mr_yolo_is_label_file(const char *path) {
    char *text = mr_calloc(FIRST_BYTES + 1, 1);
    FILE *file = text ? fopen(path, "rb") : NULL;
    size_t length = file ? fread(text, 1, FIRST_BYTES, file) : 0;
    int seems = file && strlen(text) == length && starts_like_labels(text);
    if (file) fclose(file);
    free(text);
    return seems;
}
