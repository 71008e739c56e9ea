/* video_options.c - see video_options.h. */
#include "video_options.h"

#include <stdlib.h>
#include <string.h>

video_options video_options_default(void) {
    return (video_options){.stride = 1, .quality = 20};
}

/* "90", "90.5", "1:30" and "0:01:30.5" as seconds; -1 for anything else. */
static double read_time(const char *text) {
    double seconds = 0;
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(text, "0123456789");
        if (digits < 1 || digits > 9) return -1;
        seconds = 60 * seconds + atoi(text);
        text += digits;
        if (*text != ':') break;
        text++;
    }
    if (*text == '.') {
        double unit = 0.1;
        for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
            seconds += unit * (*text - '0');
    }
    return *text ? -1 : seconds;
}

int video_options_read(const command *self, video_options *options) {
    options->start = options->start_text ? read_time(options->start_text) : 0;
    options->end = options->end_text ? read_time(options->end_text) : 0;
    if (options->start < 0 || options->end < 0)
        return message_usage(self->path,
                             "--%s: \"%s\" is no time; give seconds, as 12.5, or 1:02:03.5",
                             options->start < 0 ? "start" : "end",
                             options->start < 0 ? options->start_text : options->end_text);
    if (options->end_text && options->end <= options->start)
        return message_usage(self->path, "--end %s is not after --start %s", options->end_text,
                             options->start_text ? options->start_text : "0");
    return EXIT_DONE;
}
