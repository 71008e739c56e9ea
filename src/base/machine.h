/* machine.h - what results of measurements depend on. */
#ifndef MR_BASE_MACHINE_H
#define MR_BASE_MACHINE_H

#include <stddef.h>

/* The processor's name and instructions, and the versions of this library and of oneDNN, in one line. */
void mr_machine_describe(char *text, size_t room);

#endif
