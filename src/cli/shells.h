/* shells.h - the scripts of src/cli/shell as text; src/CMakeLists.txt makes shells.c of them. */
#ifndef CLI_SHELLS_H
#define CLI_SHELLS_H

extern const char shell_bash[], shell_zsh[], shell_fish[];

#endif
