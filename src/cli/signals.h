/* signals.h - Ctrl-C and SIGTERM: the first one asks the command to finish what is under way, the
 * second one ends the program at once. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

/* A reader of stdout that goes away must not cost the files: that becomes a write error. */
void signals_catch(void);
/* Has one arrived? */
int signals_came(void);

#endif
