/* caption_text.h - what captions and labels say, safe for any font engine whatever names hold. */
#ifndef MR_VIZ_CAPTION_TEXT_H
#define MR_VIZ_CAPTION_TEXT_H

#include <mrcnn/mrcnn.h>

enum {
    MR_CAPTION_NAME = 64,                       /* characters of a class name that are used */
    MR_CAPTION_BYTES = 4 * MR_CAPTION_NAME + 40 /* with the ellipsis, the id and the score */
};

/* Copies at most so many characters, with an ellipsis behind them when there are more; bytes that are
 * not UTF-8 become U+FFFD, control characters blanks. `text` has room for 4 * characters + 4 bytes.
 * Returns the number of characters that were used. */
int mr_plain_text(char *text, const char *from, int characters);

/* "person 0.998", or with an id (NULL: none) "person #3 0.998". Names longer than `characters` (at most MR_CAPTION_NAME) end in an ellipsis;
 * bytes that are not UTF-8 become U+FFFD, control characters blanks. A score outside 0 .. 1 is
 * left out. Returns the number of characters of the name that were used. */
int mr_caption_text(char text[MR_CAPTION_BYTES], const mrcnn_instance *instance, const int32_t *id,
                    int characters);

#endif
