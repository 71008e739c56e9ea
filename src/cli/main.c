/* main.c - the program's entry. */
#include <mrcnn/mrcnn.h>

int main(void) {
    return 0;
}
