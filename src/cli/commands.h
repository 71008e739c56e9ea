/* commands.h - the program's commands, one file each. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

extern const command command_detect;
extern const command command_splash;
extern const command command_train;
extern const command command_eval;
extern const command command_data;
extern const command command_weights;
extern const command command_config;
extern const command command_inspect;
extern const command command_quantize;
extern const command command_plot;
extern const command command_bench;
extern const command command_demo;
extern const command command_man;
extern const command command_completion;

/* The program itself, which has all of them below it. It is in main.c. */
extern const command command_program;

#endif
