/* complete.h - what could stand at the end of an unfinished command line: the answer to a shell's Tab.
 * It follows from the tables of commands.h and from what the library knows: presets, keys, weights. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "options.h"

/* Prints what the last of the words (those behind "mrcnn") could become, a line each: the whole word, a
 * tab, a few words about it. Lines that begin with a colon say more:
 *   :nospace        what is chosen goes on, as KEY= does
 *   :files ENDING   files whose names end so, too; `:files` alone: any
 *   :folders        folders, too
 * Nothing is printed when anything may stand there. Returns EXIT_DONE. */
int complete_print(const command *root, int count, char *const *words);

#endif
