/* test_cli_manual.c - manual pages and completion: whatever --help shows is in both; pages that readers of
 * roff accept; what bash is told when Tab is pressed. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_WORDS = 8, ROOM = 512, NAME = 101 };

/* A command as typed, and how many words that is. */
typedef struct typed {
    const char *words[MOST_WORDS];
    int count;
} typed;

static const cli_result *run_typed(const char *first, const typed *command, const char *last) {
    const char *arguments[MOST_WORDS + 3];
    int n = 0;
    if (first) arguments[n++] = first;
    for (int i = 0; i < command->count; i++) arguments[n++] = command->words[i];
    if (last) arguments[n++] = last;
    arguments[n] = NULL;
    const cli_result *r = cli_run(MRCNN_PROGRAM, arguments, NULL);
    assert_int_equal(r->code, 0);
    assert_string_equal(r->err, "");
    return r;
}

static char *copy(const char *text) {
    size_t size = strlen(text) + 1;
    char *made = malloc(size);
    assert_non_null(made);
    return memcpy(made, text, size);
}

/* "man/man1/mrcnn-weights-get.1", read. */
static char *read_page(const typed *command) {
    char path[ROOM] = "man/man1/mrcnn";
    for (int i = 0; i < command->count; i++) {
        strcat(path, "-");
        strcat(path, command->words[i]);
    }
    strcat(path, ".1");
    char *page = cli_read(path);
    if (!page) fail_msg("%s is missing", path);
    return page;
}

/* The part of a help that begins with this title and ends with an empty line. */
static const char *find_section(const char *help, const char *title, const char **end) {
    const char *at = strstr(help, title);
    if (!at) return NULL;
    const char *stop = strstr(at, "\n\n");
    *end = stop ? stop : at + strlen(at);
    return at;
}

/* `word` as roff writes it, between a prefix and a suffix, is in the page. */
static void check_in_page(const char *page, const char *prefix, const char *word,
                          const char *suffix) {
    char wanted[ROOM];
    size_t n = strlen(strcpy(wanted, prefix));
    for (; *word; word++) {
        if (*word == '-') wanted[n++] = '\\';
        wanted[n++] = *word;
    }
    strcpy(wanted + n, suffix);
    assert_contains(page, wanted);
}

static void check_candidate(const char *answers, const char *word) {
    char wanted[ROOM];
    snprintf(wanted, sizeof wanted, "\n%s\t", word);
    if (strncmp(answers, wanted + 1, strlen(wanted + 1)) != 0) assert_contains(answers, wanted);
}

/* ------------------------------------------------------------- the same commands, options and keys */

static void check_options(const typed *command, const char *help, const char *page) {
    char *answers = copy(run_typed("complete", command, "--")->out);
    const char *end = NULL, *at = find_section(help, "\nOptions:\n", &end);
    size_t count = 0;
    assert_non_null(at);
    while ((at = strstr(at, "\n  --")) && at < end) {
        char name[NAME];
        assert_int_equal(sscanf(at, " %100s", name), 1);
        check_in_page(page, ".TP\n\\fB", name, "\\fR");
        check_candidate(answers, name);
        at += 4;
        count++;
    }
    assert_int_equal(cli_occurrences(answers, "\n"), count);
    assert_int_equal(cli_occurrences(page, ".TP\n\\fB\\-\\-"), count);
    free(answers);
}

static size_t check_below(const typed *command);

static size_t check_subcommands(const typed *command, const char *help, const char *page) {
    const char *end = NULL, *at = find_section(help, "\nCommands:\n", &end);
    size_t count = 0;
    if (!at) return 0;
    char *answers = copy(run_typed("complete", command, "")->out);
    for (at += strlen("\nCommands:"); (at = strstr(at, "\n  ")) && at < end; at++) {
        char name[NAME], full[ROOM] = "mrcnn";
        if (at[3] == ' ') continue;
        assert_int_equal(sscanf(at, " %100s", name), 1);
        check_candidate(answers, name);
        typed below = *command;
        below.words[below.count++] = name;
        for (int i = 0; i < below.count; i++)
            snprintf(full + strlen(full), sizeof full - strlen(full), "-%s", below.words[i]);
        check_in_page(page, "\n.BR ", full, " (1)");
        count += check_below(&below);
    }
    free(answers);
    return count;
}

/* A command and all below it. Returns how many. */
static size_t check_below(const typed *command) {
    char *help = copy(run_typed(NULL, command, "--help")->out);
    char *page = read_page(command);
    check_options(command, help, page);
    size_t count = 1 + check_subcommands(command, help, page);
    free(page);
    free(help);
    return count;
}

static void test_commands_and_options_of_help(void **state) {
    (void)state;
    typed program = {{NULL}, 0};
    const cli_result *r = RUN("man", "--out", "man");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->err, "");
    size_t count = check_below(&program);
    assert_true(count > 30);
    assert_int_equal(cli_count("man/man1", ".1"), count);
    assert_int_equal(cli_count("man/man1", "mrcnn"), count);
    assert_int_equal(cli_count("man/man5", ""), 1);
}

static void test_keys_and_presets(void **state) {
    (void)state;
    char *keys = copy(RUN("config", "keys")->out), *presets = copy(RUN("config", "presets")->out);
    char *answers = copy(RUN("complete", "detect", "--set", "")->out);
    char *page = copy(RUN("man", "--keys")->out), *saved = cli_read("man/man5/mrcnn-config.5");
    assert_string_equal(page, saved);
    size_t count = 0;
    for (char *line = strtok(keys, "\n"); line; line = strtok(NULL, "\n")) {
        char name[NAME], candidate[ROOM / 2];
        if (*line == ' ') continue;
        assert_int_equal(sscanf(line, "%100s", name), 1);
        snprintf(candidate, sizeof candidate, "%s=", name);
        check_in_page(page, ".TP\n\\fB", name, "\\fR\n");
        check_candidate(answers, candidate);
        count++;
    }
    assert_true(count > 50);
    char *preset_answers = copy(RUN("complete", "config", "show", "--preset=")->out);
    for (char *line = strtok(presets, "\n"); line; line = strtok(NULL, "\n")) {
        char name[NAME], candidate[ROOM / 2];
        assert_int_equal(sscanf(line, "%100s", name), 1);
        snprintf(candidate, sizeof candidate, "--preset=%s", name);
        check_in_page(page, ".TP\n\\fB", name, "\\fR\n");
        check_candidate(preset_answers, candidate);
    }
    free(preset_answers);
    free(saved);
    free(page);
    free(answers);
    free(presets);
    free(keys);
}

/* ------------------------------------------------------------------------------------------- pages */

static int is_macro(const char *line) {
    static const char *const macros[] = {"\\\"", "TH", "SH", "PP", "TP", "TQ", "BR",
                                         "nf",   "fi", "in", "br", "nh", "ad", "IP"};
    size_t length = strcspn(line + 1, " \n");
    if (strncmp(line + 1, "\\\"", 2) == 0) return 1;
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        if (strlen(macros[i]) == length && strncmp(line + 1, macros[i], length) == 0) return 1;
    return 0;
}

/* No text is taken for a macro, and no letter of it for an escape. */
static void test_text_stays_text(void **state) {
    (void)state;
    static const typed pages[] = {{{"detect"}, 1},          {{"train"}, 1},      {{"eval"}, 1},
                                  {{"weights", "info"}, 2}, {{"completion"}, 1}, {{NULL}, 0}};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char *page = read_page(&pages[i]);
        for (char *line = strtok(page, "\n"); line; line = strtok(NULL, "\n")) {
            if (*line == '\'' || (*line == '.' && !is_macro(line)))
                fail_msg("a line begins with a control character: %s", line);
            for (char *at = line; line[0] != '.' && (at = strchr(at, '\\')); at += 2)
                if (!strchr("-fe&(", at[1])) fail_msg("an unknown escape: %s", at);
        }
        free(page);
    }
    char *page = cli_read("man/man1/mrcnn-detect.1");
    assert_contains(page, "mrcnn\\-detect \\- find objects");
    assert_contains(page, "\n\\fB\\-\\-set\\fR \\fIKEY\\fR=\\fIVALUE\\fR\n");
    assert_contains(page, "\n\\fB\\-\\-track\\fR \\fBiou\\fR|\\fBnone\\fR\n");
    assert_contains(page, "(\\fBIMAGE_CHANNEL_COUNT\\fR)");
    assert_contains(page, "\n.BR mrcnn\\-config\\-keys (1),\n"); /* the page mentions it */
    assert_contains(page, "\n.BR mrcnn\\-config (5)\n");
    free(page);
    page = cli_read("man/man1/mrcnn-weights-info.1");
    assert_contains(page, "\n\\fBmrcnn\\fR \\fBweights\\fR \\fBinfo\\fR [\\fB\\-\\-stats\\fR]"
                          " \\fIFILE.h5\\fR\n");
    free(page);
}

/* The same bytes every time; only SOURCE_DATE_EPOCH changes the date. */
static void test_pages_are_the_same_every_time(void **state) {
    (void)state;
    char *saved = cli_read("man/man1/mrcnn-weights-get.1");
    assert_string_equal(RUN("man", "weights", "get")->out, saved);
    assert_int_equal(setenv("SOURCE_DATE_EPOCH", "951782400", 1), 0);
    const cli_result *r = RUN("man", "weights", "get");
    assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
    assert_contains(r->out, ".TH MRCNN\\-WEIGHTS\\-GET 1 2000-02-29 ");
    const char *other = strchr(strstr(r->out, "2000-02-29"), ' ');
    assert_string_equal(strchr(strstr(saved, "GET 1 ") + 6, ' '), other);
    assert_int_equal(setenv("SOURCE_DATE_EPOCH", "soon", 1), 0);
    r = RUN("man", "weights", "get");
    assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
    assert_string_equal(r->out, saved);
    free(saved);
}

static const cli_result *shell(const char *line) {
    return cli_run("/bin/sh", (const char *const[]){"-c", line, NULL}, NULL);
}

static int is_there(const char *program) {
    char line[ROOM];
    snprintf(line, sizeof line, "command -v %s >/dev/null", program);
    if (shell(line)->code == 0) return 1;
    print_message("%s is not installed: skipped\n", program);
    return 0;
}

static void test_mandoc_finds_nothing_wrong(void **state) {
    (void)state;
    if (!is_there("mandoc")) return;
    const cli_result *r = shell("mandoc -T lint -W style man/man1/* man/man5/*");
    assert_string_equal(r->out, "");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
}

static void test_groff_sets_them(void **state) {
    (void)state;
    if (!is_there("groff")) return;
    const cli_result *r = shell("groff -man -ww -Tascii -P-cbu -rLL=78n man/man1/*.1 man/man5/*.5");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->err, "");
    assert_contains(r->out, "mrcnn-detect - find objects");
    for (const char *line = r->out; line; line = strchr(line + 1, '\n'))
        if (strcspn(line + 1, "\n") > 88) fail_msg("a long line:%.120s", line);
}

static void check_usage(const cli_result *r, const char *part) {
    assert_int_equal(r->code, 2);
    assert_string_equal(r->out, "");
    assert_contains(r->err, part);
}

static void test_wrong_usage(void **state) {
    (void)state;
    check_usage(RUN("man", "detekt"), "did you mean detect?");
    check_usage(RUN("man", "weights", "gett"), "did you mean get?");
    check_usage(RUN("man", "detect", "fast"), "\"fast\"");
    check_usage(RUN("man", "--keys", "detect"), "--keys");
    check_usage(RUN("man", "--out", "more", "detect"), "--out");
    check_usage(RUN("completion"), "is missing");
    check_usage(RUN("completion", "tcsh"), "bash, zsh and fish");
    assert_false(cli_exists("more"));
    cli_write("file", "");
    const cli_result *r = RUN("man", "--out", "file");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "file");
}

/* --------------------------------------------------------------------------------------- completion */

#define CHECK_ANSWERS(expected, ...)                         \
    do {                                                     \
        const cli_result *r_ = RUN("complete", __VA_ARGS__); \
        assert_int_equal(r_->code, 0);                       \
        assert_string_equal(r_->err, "");                    \
        assert_string_equal(r_->out, expected);              \
    } while (0)

static void test_values(void **state) {
    (void)state;
    CHECK_ANSWERS("iou\t\nnone\t\n", "detect", "--track", "");
    CHECK_ANSWERS("--track=iou\t\n--track=none\t\n", "detect", "--track=n");
    CHECK_ANSWERS(":nospace\njson,masks,overlay\t\njson,masks,labelme\t\njson,masks,splash\t\n",
                  "detect", "--save", "json,masks,");
    CHECK_ANSWERS(":nospace\ntrain,val\t\ntrain,test\t\n", "train", "--subset", "train,");
    CHECK_ANSWERS("KEEP_BEST=true\t\nKEEP_BEST=false\t\n", "train", "--set", "KEEP_BEST=");
    CHECK_ANSWERS("--set=COMPAT=matterport\t\n--set=COMPAT=paper\t\n", "train", "--set=COMPAT=x");
    CHECK_ANSWERS("", "train", "--set", "POOL_SIZE=");
    CHECK_ANSWERS("", "train", "--set", "NO_SUCH_KEY=");
    CHECK_ANSWERS("", "train", "--epochs", "");
    CHECK_ANSWERS(":folders\n", "train", "--logs", "");
    CHECK_ANSWERS("shapes\t\n:files .json\n:folders\n", "train", "--dataset", "");
    CHECK_ANSWERS(":files .yaml\n:files .yml\n:folders\n", "train", "--config=");
    CHECK_ANSWERS("heads\t\n3+\t\n4+\t\n5+\t\nall\t\n", "train", "--layers", "");
    const cli_result *r = RUN("complete", "train", "--weights", "");
    assert_contains(r->out, "none\t\nlast\t\n:files .h5\n:folders\n");
    check_candidate(r->out, "imagenet");
    check_candidate(r->out, "nuclei"); /* comes along */
    r = RUN("complete", "data", "convert", "--to", "");
    check_candidate(r->out, "yolo");
}

static void test_arguments(void **state) {
    (void)state;
    CHECK_ANSWERS(":files\n", "detect", "--out", "d", "");
    CHECK_ANSWERS(":files\n", "detect", "a.jpg", "--recursive", "b");
    CHECK_ANSWERS(":files\n", "detect", "--", "-");
    CHECK_ANSWERS(":files .h5\n:folders\n", "weights", "convert", "a.h5", "");
    CHECK_ANSWERS("bash\t\nzsh\t\nfish\t\n", "completion", "");
    CHECK_ANSWERS("", "no", "such", "");
    CHECK_ANSWERS("", "completion", "bash", "--", "");
    const cli_result *r = RUN("complete", "weights", "get", "");
    check_candidate(r->out, "imagenet");
    r = RUN("complete", "help", "weights", "");
    check_candidate(r->out, "convert");
    r = RUN("complete", "man", "--out", "x", "config", "");
    check_candidate(r->out, "presets");
    r = RUN("complete", "eval", ""); /* no arguments: options */
    check_candidate(r->out, "--dataset");
    r = RUN("complete", "eval", "--limit", "3", "--set", "A=1", "--");
    assert_null(strstr(r->out, "--limit\t"));
    check_candidate(r->out, "--set"); /* may be given again */
    r = RUN("complete");
    check_candidate(r->out, "detect");
    check_candidate(r->out, "help");
}

/* ------------------------------------------------------------------------------------------- bash */

/* `line` behind the program's name, and its words as bash cuts them. */
static const cli_result *tab(const char *line, const char *const *words) {
    char whole[ROOM * 4];
    const char *arguments[MOST_WORDS + 8] = {
        "-c",  "exec bash \"$@\"", "sh", TEST_DATA "/completion/try.bash", "./script",
        whole, MRCNN_PROGRAM};
    int n = 7;
    snprintf(whole, sizeof whole, "%s %s", MRCNN_PROGRAM, line);
    while (*words) arguments[n++] = *words++;
    arguments[n] = NULL;
    const cli_result *r = cli_run("/bin/sh", arguments, NULL);
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    return r;
}

#define CHECK_TAB(expected, line, ...) \
    assert_string_equal(tab(line, (const char *const[]){__VA_ARGS__, NULL})->out, expected)

static void test_bash(void **state) {
    (void)state;
    if (!is_there("bash")) return;
    assert_int_equal(mkdir("tab", 0777) || chdir("tab") || mkdir("my folder", 0777), 0);
    cli_write("script", RUN("completion", "bash")->out);
    cli_write("mine.h5", "");
    cli_write("mine.txt", "");
    CHECK_TAB("convert\noptions:\n", "weights co", "weights", "co");
    CHECK_TAB("--weights\noptions:\n", "detect --wei", "detect", "--wei");
    CHECK_TAB("mine.h5\nmy folder\noptions: filenames\n", "detect --weights m", "detect",
              "--weights", "m");
    CHECK_TAB("mine.h5\nmy folder\noptions: filenames\n", "detect --weights=m", "detect",
              "--weights", "=", "m");
    CHECK_TAB("imagenet\noptions: filenames\n", "train --weights=i", "train", "--weights", "=",
              "i");
    CHECK_TAB("POOL_SIZE=\noptions: nospace\n", "train --set POOL", "train", "--set", "POOL");
    CHECK_TAB("matterport\npaper\noptions:\n", "train --set COMPAT=", "train", "--set", "COMPAT",
              "=");
    CHECK_TAB("paper\noptions:\n", "train --set=COMPAT=p", "train", "--set", "=", "COMPAT", "=",
              "p");
    CHECK_TAB("json,masks\noptions: nospace\n", "detect --save json,m", "detect", "--save",
              "json,m");
    CHECK_TAB("mine.h5\nmine.txt\noptions: filenames\n", "detect mi", "detect", "mi");
    CHECK_TAB("my folder\noptions: filenames\n", "detect --out \"my f", "detect", "--out",
              "\"my f");
    CHECK_TAB("my folder\noptions: filenames\n", "detect --out my\\ f", "detect", "--out",
              "my\\ f");
    CHECK_TAB("\noptions: default\n", "detect mine.h5 > m", "detect", "mine.h5", ">", "m");
    CHECK_TAB("\noptions:\n", "nonsense ", "nonsense", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_and_options_of_help),
        cmocka_unit_test(test_keys_and_presets),
        cmocka_unit_test(test_text_stays_text),
        cmocka_unit_test(test_pages_are_the_same_every_time),
        cmocka_unit_test(test_mandoc_finds_nothing_wrong),
        cmocka_unit_test(test_groff_sets_them),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_bash),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
