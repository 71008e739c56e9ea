/* report.c - bench_report: one table and one plot for each question about speed, in a page of Markdown.
 *
 *     bench_report [OPTION]... [QUESTION]...
 *
 * What is compared is run in turn, round after round, so that what else the machine does hits all of them: medians, with
 * the fastest and the slowest. Ours are processes of their own (mrcnn bench), and so are the peers' workers. */
#include "report.h"

#include "report_contender.h"

#include "base/machine.h"
#include "base/parallel.h"

#include <mrcnn/mrcnn.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct question {
    const char *name;
    void (*answer)(report *);
    const char *help;
} question;

static const question questions[] = {
    {"stages", report_stages, "each stage against the machine's limit, in f32, bf16 and int8"},
    {"peers", report_peers, "torchvision, ONNX Runtime, OpenVINO and OpenCV, where installed"},
    {"batch", report_batch, "pictures at a time, and sessions side by side"},
    {"size", report_size, "pictures of 256 to 2048 a side"},
    {"proposals", report_proposals, "100 to 2000 of them"},
    {"threads", report_threads, "one to all"},
    {"precision", report_precision, "time against AP, with the model that comes along"},
};
enum { QUESTIONS = sizeof questions / sizeof *questions };

static void print_help(FILE *stream) {
    fprintf(stream,
            "Usage: bench_report [OPTION]... [QUESTION]...\n\n"
            "Measures, and writes report.md with a table and a plot for each question.\n\n"
            "  --out DIR          where (default %s)\n"
            "  --rounds N         how often each contender is timed, 1 to %d (default 3)\n"
            "  --quick            smaller pictures, two rounds, fewer values\n"
            "  --backbone NAME    for all but the stages, which have two (default resnet50)\n"
            "  --size N           side of the pictures, a multiple of 64 (default 1024)\n"
            "  --threads N        default: one per core\n"
            "  --plots svg|png    what plots are drawn as (default svg)\n"
            "  --set KEY=VALUE    a setting of the network; may be given many times\n"
            "  --data DIR         data set for precision (default: the pictures that come along)\n"
            "  --subset NAME      of it\n\n"
            "Questions (default: all of them):\n",
            REPORT_OUT, REPORT_MAX_ROUNDS);
    for (int i = 0; i < QUESTIONS; i++)
        fprintf(stream, "  %-18s %s\n", questions[i].name, questions[i].help);
}

/* ------------------------------------------------------------------------------------------ options */

typedef struct choice {
    report report;
    unsigned asked; /* a bit for each question */
    size_t settings;
} choice;

static int wrong(const char *what, const char *why) {
    fprintf(stderr, "bench_report: %s: %s (--help says more)\n", what, why);
    return 2;
}

static int read_number(int *number, const char *option, const char *text, int low, int high) {
    char *end = NULL;
    long value = strtol(text, &end, 10);
    if (end == text || *end || value < low || value > high) return wrong(option, "no such number");
    *number = (int)value;
    return 0;
}

static int add_setting(choice *c, const char *setting) {
    if (c->settings == REPORT_MAX_SETTINGS) return wrong("--set", "there are too many");
    if (!strchr(setting, '=')) return wrong("--set", "write it as KEY=VALUE");
    c->report.settings[c->settings++] = setting;
    return 0;
}

static int take_option(choice *c, const char *option, const char *value) {
    report *r = &c->report;
    if (!value) return wrong(option, "its value is missing");
    if (strcmp(option, "--out") == 0)
        r->out = value;
    else if (strcmp(option, "--backbone") == 0)
        r->backbone = value;
    else if (strcmp(option, "--data") == 0)
        r->data = value;
    else if (strcmp(option, "--subset") == 0)
        r->subset = value;
    else if (strcmp(option, "--plots") == 0 &&
             (strcmp(value, "svg") == 0 || strcmp(value, "png") == 0))
        r->plots = value;
    else if (strcmp(option, "--set") == 0)
        return add_setting(c, value);
    else if (strcmp(option, "--rounds") == 0)
        return read_number(&r->rounds, option, value, 1, REPORT_MAX_ROUNDS);
    else if (strcmp(option, "--size") == 0)
        return read_number(&r->size, option, value, 64, 16384);
    else if (strcmp(option, "--threads") == 0)
        return read_number(&r->threads, option, value, 1, 1024);
    else
        return wrong(option, "there is no such option, or no such value");
    return 0;
}

static int take_question(choice *c, const char *name) {
    for (int i = 0; i < QUESTIONS; i++)
        if (strcmp(questions[i].name, name) == 0) {
            c->asked |= 1u << i;
            return 0;
        }
    return wrong(name, "there is no such question");
}

/* 0, or the exit code. What --quick makes small, an option can still choose. */
static int read_arguments(choice *c, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        int code = 0;
        if (strcmp(argv[i], "--quick") == 0)
            c->report.quick = 1;
        else if (argv[i][0] != '-')
            code = take_question(c, argv[i]);
        else {
            code = take_option(c, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
            i++;
        }
        if (code) return code;
    }
    report *r = &c->report;
    if (!c->asked) c->asked = (1u << QUESTIONS) - 1;
    if (!r->rounds) r->rounds = r->quick ? 2 : 3;
    if (!r->size) r->size = r->quick ? 256 : 1024;
    if (r->size % 64) return wrong("--size", "no multiple of 64");
    return 0;
}

/* --------------------------------------------------------------------------------------------- page */

static void write_beginning(report *r) {
    char machine[400];
    mr_machine_describe(machine, sizeof machine);
    fprintf(
        r->page,
        "# How fast mrcnn is\n\n"
        "%s; %d cores, of which %d threads compute; measured f32 peak %.0f GFLOP/s.\n\n"
        "Pictures of %d x %d unless said, 1,000 proposals, 100 instances, 81 classes, fresh "
        "weights, %s. All contenders take turns, rounds: %d. Medians; in brackets the fastest and "
        "the slowest.\n",
        machine, mr_cores(), r->threads, r->peak_gflops, r->size, r->size, r->backbone, r->rounds);
    for (const char *const *s = r->settings; *s; s++)
        fprintf(r->page, "%s%s", s == r->settings ? "\nWith " : ", ", *s);
    if (r->settings[0]) fprintf(r->page, ".\n");
}

/* What is written so far is there if a later question is interrupted. */
static void answer(report *r, const question *q, FILE *file) {
    char *text = NULL;
    size_t length = 0;
    r->page = open_memstream(&text, &length);
    if (!r->page) return;
    if (q)
        q->answer(r);
    else
        write_beginning(r);
    fclose(r->page);
    if (!text) return;
    fwrite(text, 1, length, file);
    fflush(file);
    fwrite(text, 1, length, stdout);
    fflush(stdout);
    free(text);
}

static int write_report(choice *c) {
    report *r = &c->report;
    char path[1200];
    snprintf(path, sizeof path, "%s/report.md", r->out);
    FILE *file = mkdir(r->out, 0777) == 0 || errno == EEXIST ? fopen(path, "w") : NULL;
    if (!file) {
        fprintf(stderr, "bench_report: %s: %s\n", path, strerror(errno));
        return 1;
    }
    r->peak_gflops = mrcnn_peak_gflops(r->threads);
    answer(r, NULL, file);
    for (int i = 0; i < QUESTIONS; i++)
        if (c->asked >> i & 1) answer(r, &questions[i], file);
    int failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed) {
        fprintf(stderr, "bench_report: %s can't be written\n", path);
        return 1;
    }
    fprintf(stderr, "bench_report: wrote %s\n", path);
    return 0;
}

int main(int argc, char **argv) {
    choice c = {.report = {.out = REPORT_OUT,
                           .data = MRCNN_SOURCE "/examples/nucleus/val",
                           .backbone = "resnet50",
                           .plots = "svg",
                           .threads = mr_cores()}};
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(stdout);
            return 0;
        }
    int code = read_arguments(&c, argc, argv);
    if (code) return code;
    signal(SIGPIPE, SIG_IGN); /* a worker that died is an answer, too */
    return write_report(&c);
}
