/* helper_cli.c - see helper_cli.h. */
#include "helper_cli.h"

#include "helper_assert.h"

#include <mrcnn/mrcnn.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A test that can't even be set up ends at once, with the reason. */
static void require(int condition, const char *what) {
    if (condition) return;
    perror(what);
    abort();
}

/* ------------------------------------------------------------------------------------- files */

char *cli_read(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    size_t used = 0, room = 4096;
    char *text = malloc(room + 1);
    require(text != NULL, "malloc");
    for (size_t got; (got = fread(text + used, 1, room - used, file)) > 0;) {
        used += got;
        if (used < room) continue;
        text = realloc(text, (room *= 2) + 1);
        require(text != NULL, "realloc");
    }
    fclose(file);
    text[used] = 0;
    return text;
}

void cli_write(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    require(file != NULL, path);
    fputs(text, file);
    require(fclose(file) == 0, path);
}

int cli_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

size_t cli_count(const char *folder, const char *part) {
    DIR *open_folder = opendir(folder);
    size_t count = 0;
    if (!open_folder) return 0;
    for (struct dirent *entry; (entry = readdir(open_folder));)
        count += entry->d_name[0] != '.' && strstr(entry->d_name, part) != NULL;
    closedir(open_folder);
    return count;
}

size_t cli_occurrences(const char *text, const char *part) {
    size_t count = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) count++;
    return count;
}

void cli_picture(const char *path, int width, int height) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {width, height, 3, malloc((size_t)width * (size_t)height * 3)};
    require(image.pixels != NULL, "malloc");
    for (int i = 0; i < width * height * 3; i++)
        image.pixels[i] = (uint8_t)((i / 24 % 2) * 150 + i / 3 / width % 100);
    if (mrcnn_image_write(&image, path, &err) != MRCNN_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    free(image.pixels);
}

/* ---------------------------------------------------------------------------------- the folder */

static char folder[512];

int cli_enter(void **state) {
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/mrcnn-cli-XXXXXX", base ? base : "/tmp");
    require(mkdtemp(folder) != NULL, folder);
    require(chdir(folder) == 0, folder);
    char cache[sizeof folder + 8]; /* nobody else's */
    snprintf(cache, sizeof cache, "%s/cache", folder);
    require(setenv("XDG_CACHE_HOME", cache, 1) == 0, cache);
    return 0;
}

static void remove_tree(const char *path) {
    struct stat info;
    if (lstat(path, &info) != 0) return;
    DIR *open_folder = S_ISDIR(info.st_mode) ? opendir(path) : NULL;
    if (open_folder) {
        for (struct dirent *entry; (entry = readdir(open_folder));) {
            char below[2048];
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
            snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
            remove_tree(below);
        }
        closedir(open_folder);
    }
    remove(path);
}

static cli_result last;

int cli_leave(void **state) {
    (void)state;
    free(last.out);
    free(last.err);
    memset(&last, 0, sizeof last);
    require(chdir("/") == 0, "/");
    remove_tree(folder);
    return 0;
}

/* ---------------------------------------------------------------------------------- the program */

enum { MOST_ARGUMENTS = 400 };

static void redirect(const char *path, int flags, int to) {
    int fd = open(path, flags, 0666);
    require(fd >= 0 && dup2(fd, to) >= 0, path);
    close(fd);
}

static void become(const char *program, const char *const *arguments, const cli_world *world) {
    char *argv[MOST_ARGUMENTS];
    int count = 0;
    argv[count++] = (char *)program;
    for (; *arguments && count < MOST_ARGUMENTS - 1; arguments++)
        argv[count++] = (char *)*arguments;
    argv[count] = NULL;
    redirect(world->stdin_path ? world->stdin_path : "/dev/null", O_RDONLY, 0);
    const char *out = world->stdout_path ? world->stdout_path : ".stdout";
    redirect(out, O_WRONLY | O_CREAT | O_TRUNC, 1);
    redirect(".stderr", O_WRONLY | O_CREAT | O_TRUNC, 2);
    if (world->file_limit) {
        struct rlimit limit = {(rlim_t)world->file_limit, (rlim_t)world->file_limit};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    setenv("OMP_WAIT_POLICY", "passive", 0); /* tests share the cores with each other */
    execv(program, argv);
    perror(program);
    _exit(126);
}

static int has_printed(void) {
    char *text = cli_read(".stdout");
    int printed = text && strchr(text, '\n');
    free(text);
    return printed;
}

/* Waits until it is time, then interrupts the program. */
static void interrupt(pid_t child, int (*when)(void)) {
    struct timespec pause = {0, 5000000};
    for (int i = 0; i < 4000; i++) {
        if (when()) break;
        nanosleep(&pause, NULL);
    }
    kill(child, SIGINT);
}

const cli_result *cli_run(const char *program, const char *const *arguments,
                          const cli_world *world) {
    static const cli_world plain;
    if (!world) world = &plain;
    free(last.out);
    free(last.err);
    remove(".stdout");
    fflush(NULL);
    pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) become(program, arguments, world);
    if (world->interrupt_when)
        interrupt(child, world->interrupt_when);
    else if (world->interrupt)
        interrupt(child, has_printed);
    int status = 0;
    require(waitpid(child, &status, 0) == child, "waitpid");
    last.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    last.out = world->stdout_path ? calloc(1, 1) : cli_read(".stdout");
    last.err = cli_read(".stderr");
    require(last.out && last.err, "output");
    return &last;
}

/* --------------------------------------------------------------------------------------- JSON */

static const char *skip_blanks(const char *s) {
    return s + strspn(s, " \t\r\n");
}

/* Bytes of one character, 0 if they are not valid UTF-8. */
static size_t character(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    uint32_t code = s[0];
    size_t length = s[0] < 0x80       ? 1
                    : s[0] >> 5 == 6  ? 2
                    : s[0] >> 4 == 14 ? 3
                    : s[0] >> 3 == 30 ? 4
                                      : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (length > 1) code &= 0x7Fu >> length;
    for (size_t i = 1; i < length; i++) {
        if (s[i] >> 6 != 2) return 0;
        code = code << 6 | (s[i] & 0x3F);
    }
    if (length && (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)))
        return 0;
    return length;
}

static const char *parse_string(const char *s) {
    if (*s++ != '"') return NULL;
    while (*s != '"') {
        size_t length = character(s);
        if ((unsigned char)*s < 0x20 || length == 0) return NULL;
        if (*s == '\\') {
            if (s[1] == 'u') {
                if (strspn(s + 2, "0123456789abcdefABCDEF") < 4) return NULL;
                s += 4;
            } else if (!s[1] || !strchr("\"\\/bfnrt", s[1])) {
                return NULL;
            }
            length = 2;
        }
        s += length;
    }
    return s + 1;
}

static const char *parse_digits(const char *s) {
    size_t digits = strspn(s, "0123456789");
    return digits ? s + digits : NULL;
}

static const char *parse_number(const char *s) {
    if (*s == '-') s++;
    if (*s == '0' && s[1] >= '0' && s[1] <= '9') return NULL;
    s = parse_digits(s);
    if (s && *s == '.') s = parse_digits(s + 1);
    if (s && (*s == 'e' || *s == 'E')) s = parse_digits(s + 1 + (s[1] == '+' || s[1] == '-'));
    return s;
}

static const char *parse_value(const char *s, int depth);

static const char *parse_container(const char *s, int depth) {
    char end = *s == '{' ? '}' : ']';
    int is_object = *s == '{';
    s = skip_blanks(s + 1);
    if (*s == end) return s + 1;
    for (;;) {
        if (is_object) {
            s = parse_string(s);
            if (!s) return NULL;
            s = skip_blanks(s);
            if (*s++ != ':') return NULL;
        }
        s = parse_value(s, depth + 1);
        if (!s) return NULL;
        s = skip_blanks(s);
        if (*s == end) return s + 1;
        if (*s++ != ',') return NULL;
        s = skip_blanks(s);
    }
}

static const char *parse_value(const char *s, int depth) {
    s = skip_blanks(s);
    if (depth > 50) return NULL;
    if (*s == '{' || *s == '[') return parse_container(s, depth);
    if (*s == '"') return parse_string(s);
    if (strncmp(s, "true", 4) == 0 || strncmp(s, "null", 4) == 0) return s + 4;
    if (strncmp(s, "false", 5) == 0) return s + 5;
    return parse_number(s);
}

int cli_is_json(const char *text) {
    const char *end = text ? parse_value(text, 0) : NULL;
    return end && *skip_blanks(end) == 0;
}

double cli_ap(const char *path, const char *section) {
    static const char key[] = "\"AP\": ";
    char *json = cli_read(path), name[64];
    snprintf(name, sizeof name, "\"%s\"", section);
    const char *at = json ? strstr(json, name) : NULL;
    at = at ? strstr(at, key) : NULL;
    double ap = at ? strtod(at + strlen(key), NULL) : -1;
    free(json);
    return ap;
}

/* The first seed whose network finds something, as fresh ones may not. */
int cli_weights(const char *program) {
    char seed[16];
    const char *const make[] = {"weights", "init",   "--out", "tiny.h5",       "--seed",
                                seed,      CLI_TINY, "--set", "NUM_CLASSES=3", NULL};
    static const char *const probe[] = {"detect", "--weights", "tiny.h5", CLI_EAGER,
                                        "--out",  "probe",     "a.png",   NULL};
    for (int i = 0; i < 20; i++) {
        snprintf(seed, sizeof seed, "%d", i);
        if (cli_run(program, make, NULL)->code != 0) return 0;
        if (cli_run(program, probe, NULL)->code != 0) return 0;
        char *json = cli_read("probe/detections.json");
        int found = json && strstr(json, "image_id");
        free(json);
        if (found) return 1;
    }
    return 0;
}

char *cli_read_json(const char *path) {
    char *text = cli_read(path);
    if (!text) fail_msg("%s is not there", path);
    if (!cli_is_json(text)) fail_msg("%s is not JSON:\n%s", path, text);
    return text;
}
