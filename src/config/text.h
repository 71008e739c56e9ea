/* text.h - bytes that somebody else wrote, made fit for messages and names. */
#ifndef MR_CONFIG_TEXT_H
#define MR_CONFIG_TEXT_H

enum { MR_SHOWN_TEXT = 80 };

/* The next character of UTF-8 text and moves *text past it; -1 for bytes that are not UTF-8. */
long mr_text_next(const char **text);

/* `text` in quotes for a message: cut to a readable length, what can't be printed shown as '?'. */
const char *mr_text_show(const char *text, char shown[MR_SHOWN_TEXT]);

#endif
