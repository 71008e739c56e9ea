/* report_contender.c - see report_contender.h. */
#include "report_contender.h"

#include "median.h"

#include "report_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ making one */

static void add_argument(contender *c, const char *argument) {
    size_t count = 0;
    while (c->arguments[count]) count++;
    if (count < CONTENDER_MAX_ARGUMENTS) c->arguments[count] = strdup(argument);
}

static void add_arguments(contender *c, const char *const *arguments) {
    for (; arguments && *arguments; arguments++) add_argument(c, *arguments);
}

static void add_number(contender *c, const char *option, int number) {
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    add_argument(c, option);
    add_argument(c, text);
}

static void start_contender(contender *c, const char *name) {
    *c = (contender){.is_worker = 0};
    snprintf(c->name, sizeof c->name, "%s", name);
}

void contender_bench(contender *c, const report *r, const char *name, const char *const *more) {
    static const char *const program[] = {MRCNN_PROGRAM, "bench", "--json", "-",
                                          "--runs",      "1",     NULL};
    char backbone[80];
    start_contender(c, name);
    add_arguments(c, program);
    add_number(c, "--size", r->size);
    add_number(c, "--threads", r->threads);
    snprintf(backbone, sizeof backbone, "BACKBONE=%s", r->backbone ? r->backbone : "");
    if (r->backbone) {
        add_argument(c, "--set");
        add_argument(c, backbone);
    }
    for (const char *const *s = r->settings; *s; s++) {
        add_argument(c, "--set");
        add_argument(c, *s);
    }
    add_arguments(c, more);
}

void contender_worker(contender *c, const char *name, const char *const *arguments) {
    start_contender(c, name);
    c->is_worker = 1;
    add_arguments(c, arguments);
}

void contender_free(contender *c) {
    for (char **argument = c->arguments; *argument; argument++) free(*argument);
    c->arguments[0] = NULL;
}

/* --------------------------------------------------------------------------------- what it answers */

/* What isn't said is 0. */
static double number_of(const mr_json *object, const char *key) {
    double number = json_number(object, key);
    return isnan(number) ? 0 : number;
}

static contender_stage *stage_called(contender *c, const char *name) {
    for (size_t i = 0; i < c->stage_count; i++)
        if (strcmp(c->stages[i].name, name) == 0) return &c->stages[i];
    if (c->stage_count == CONTENDER_MAX_STAGES) return NULL;
    contender_stage *stage = &c->stages[c->stage_count++];
    snprintf(stage->name, sizeof stage->name, "%s", name);
    return stage;
}

static void take_stages(contender *c, const mr_json *stages) {
    if (!stages || stages->kind != MR_JSON_ARRAY) return;
    for (const mr_json *it = stages->first; it; it = it->next) {
        const char *name = mr_json_text(mr_json_get(it, "name"));
        contender_stage *stage = name ? stage_called(c, name) : NULL;
        if (!stage) continue;
        stage->gflop = number_of(it, "gflop");
        stage->ms[c->rounds] = number_of(it, "ms");
    }
}

static void take_times(contender *c, const mr_json *answer) {
    double peak = number_of(answer, "peak_bytes");
    c->ms[c->rounds] = number_of(answer, "total_ms");
    c->pictures_per_second[c->rounds] = number_of(answer, "pictures_per_second");
    c->instances = number_of(answer, "instances");
    if (peak > c->peak_bytes) c->peak_bytes = peak;
    take_stages(c, mr_json_get(answer, "stages"));
    c->rounds++;
}

static void take_answer(void *user, const mr_json *answer) {
    contender *c = user;
    const char *failure = mr_json_text(mr_json_get(answer, "failure"));
    const char *version = mr_json_text(mr_json_get(answer, "version"));
    if (failure)
        snprintf(c->failure, sizeof c->failure, "%s", failure);
    else if (mr_json_get(answer, "total_ms"))
        take_times(c, answer);
    else if (version)
        snprintf(c->version, sizeof c->version, "%s", version);
}

static void read_answer(contender *c, const char *text) {
    json_take(c->name, text, take_answer, c, c->failure, sizeof c->failure);
}

/* ------------------------------------------------------------------------------------ taking turns */

static void run_program(contender *c) {
    char *text = process_run((const char *const *)c->arguments, c->failure, sizeof c->failure);
    if (!text) return;
    read_answer(c, text);
    free(text);
}

static void end_worker(contender *c) {
    char complaint[sizeof c->failure];
    if (!c->is_running) return;
    process_end(&c->worker, complaint, sizeof complaint);
    if (!c->failure[0] && !c->rounds) snprintf(c->failure, sizeof c->failure, "%s", complaint);
    c->is_running = 0;
}

static void read_line(contender *c) {
    enum { ROOM = 1 << 16 };
    char *line = malloc(ROOM);
    if (line && fgets(line, ROOM, c->worker.from))
        read_answer(c, line);
    else
        end_worker(c);
    free(line);
}

static void ask_worker(contender *c) {
    if (!c->is_running) return;
    fputc('\n', c->worker.to);
    fflush(c->worker.to);
    read_line(c);
}

/* Its first line says what it is; its first pass warms up, and is forgotten. */
static void start_worker(contender *c) {
    int problem = process_start(&c->worker, (const char *const *)c->arguments);
    if (problem) {
        snprintf(c->failure, sizeof c->failure, "%s: %s", c->arguments[0], strerror(problem));
        return;
    }
    c->is_running = 1;
    read_line(c);
    if (!c->failure[0]) ask_worker(c);
    c->rounds = 0;
}

static void take_turn(const report *r, const char *question, contender *c) {
    int before = c->rounds;
    if (c->failure[0]) return;
    if (c->is_worker)
        ask_worker(c);
    else
        run_program(c);
    if (c->failure[0])
        fprintf(stderr, "%s: %s: %s\n", question, c->name, c->failure);
    else if (c->rounds > before)
        fprintf(stderr, "%s: round %d of %d, %s: %.1f ms\n", question, c->rounds, r->rounds,
                c->name, c->ms[before]);
}

void contenders_run(const report *r, const char *question, contender *c, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (c[i].is_worker && !c[i].failure[0]) start_worker(&c[i]);
    for (int round = 0; round < r->rounds; round++)
        for (size_t i = 0; i < count; i++) take_turn(r, question, &c[i]);
    for (size_t i = 0; i < count; i++) end_worker(&c[i]);
}

/* ----------------------------------------------------------------------------------------- figures */

static spread spread_of(const double *values, int count) {
    double sorted[REPORT_MAX_ROUNDS];
    if (count == 0) return (spread){0, 0, 0};
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    double middle = median(sorted, count);
    return (spread){middle, sorted[0], sorted[count - 1]};
}

spread contender_time(const contender *c) {
    return spread_of(c->ms, c->rounds);
}

spread contender_rate(const contender *c) {
    return spread_of(c->pictures_per_second, c->rounds);
}

static int is_among(const char *name, const char *const *names) {
    if (!names) return 1;
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return 1;
    return 0;
}

spread contender_stages(const contender *c, const char *const *names) {
    double sums[REPORT_MAX_ROUNDS] = {0};
    for (size_t i = 0; i < c->stage_count; i++)
        for (int round = 0; round < c->rounds && is_among(c->stages[i].name, names); round++)
            sums[round] += c->stages[i].ms[round];
    return spread_of(sums, c->rounds);
}

static int decimals_of(double number) {
    return number < 1 ? 3 : number < 10 ? 2 : number < 100 ? 1 : 0;
}

spread_text number_write(double number) {
    spread_text t;
    snprintf(t.text, sizeof t.text, "%.*f", decimals_of(number), number);
    return t;
}

spread_text spread_write(spread s) {
    spread_text t;
    int decimals = decimals_of(s.median);
    if (s.low == s.high) return number_write(s.median);
    snprintf(t.text, sizeof t.text, "%.*f (%.*f to %.*f)", decimals, s.median, decimals, s.low,
             decimals, s.high);
    return t;
}
