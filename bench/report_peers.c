/* report_peers.c - the question of peers: the same work in other programs, as far as they are installed. Their workers
 * (peer_*.py) stay in memory while everybody takes turns. */
#include "report_page.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OURS = 2, PARTS = 3, MAX_PYTHONS = 8, PATH_ROOM = 1200 };

/* What a peer is run by, and what it needs. */
typedef struct peer {
    const char *name, *script;
    const char *module; /* of Python */
    const char *precision;
    int channels_last;
    int in_parts; /* runs the files of peer_graphs.py */
} peer;

static const peer peers[] = {
    {"torchvision f32", "peer_torchvision.py", "torchvision", "f32", 0, 0},
    {"torchvision f32 NHWC", "peer_torchvision.py", "torchvision", "f32", 1, 0},
    {"torchvision bf16 NHWC", "peer_torchvision.py", "torchvision", "bf16", 1, 0},
    {"ONNX Runtime f32", "peer_onnxruntime.py", "onnxruntime", "f32", 0, 1},
    {"OpenVINO f32", "peer_openvino.py", "openvino", "f32", 0, 1},
    {"OpenVINO bf16", "peer_openvino.py", "openvino", "bf16", 0, 1},
    {"OpenCV f32", "peer_opencv.py", "cv2", "f32", 0, 1},
};
enum { PEERS = sizeof peers / sizeof *peers, ALL = OURS + PEERS };

static const char *const our_names[OURS] = {"mrcnn f32", "mrcnn bf16"};
static const char *const our_precisions[OURS] = {"f32", "bf16"};

/* What a part is called by us (stages), and by the peers. */
static const char *const our_parts[PARTS][4] = {
    {"backbone", "fpn", "rpn", NULL}, {"box head", NULL}, {"mask head", NULL}};
static const char *const their_parts[PARTS][2] = {{"pyramid", NULL}, {"box", NULL}, {"mask", NULL}};

/* ------------------------------------------------------------------------------------------- Python */

typedef struct pythons {
    char text[2000]; /* cut into names */
    const char *names[MAX_PYTHONS + 1];
    size_t count;
} pythons;

/* $MRCNN_BENCH_PYTHON may be several, with colons between them: packages live apart from each other. */
static void find_pythons(pythons *all) {
    const char *asked = getenv("MRCNN_BENCH_PYTHON");
    snprintf(all->text, sizeof all->text, "%s:python3:/usr/bin/python3", asked ? asked : "");
    all->count = 0;
    for (char *name = strtok(all->text, ":"); name && all->count < MAX_PYTHONS;
         name = strtok(NULL, ":"))
        all->names[all->count++] = name;
}

/* The first one that has the module; NULL: none. */
static const char *python_with(const pythons *all, const char *module) {
    static const char look[] = "import importlib.util, sys\n"
                               "sys.exit(importlib.util.find_spec(sys.argv[1]) is None)";
    for (size_t i = 0; i < all->count; i++) {
        char reason[REPORT_REASON];
        const char *arguments[] = {all->names[i], "-c", look, module, NULL};
        char *text = process_run(arguments, reason, sizeof reason);
        free(text);
        if (text) return all->names[i];
    }
    return NULL;
}

static char *script_path(char path[PATH_ROOM], const char *script) {
    snprintf(path, PATH_ROOM, "%s/%s", MRCNN_BENCH_SOURCE, script);
    return path;
}

/* The network as ONNX files; 0, or -1 with a reason. */
static int write_graphs(const report *r, const pythons *all, const char *folder, char *reason,
                        size_t room) {
    char script[PATH_ROOM], size[16];
    const char *python = python_with(all, "onnx");
    if (!python) {
        snprintf(reason, room, "it takes the Python package onnx to write the network for it");
        return -1;
    }
    snprintf(size, sizeof size, "%d", r->size);
    const char *arguments[] = {python,       script_path(script, "peer_graphs.py"),
                               "--backbone", r->backbone,
                               "--size",     size,
                               "--graphs",   folder,
                               NULL};
    char *text = process_run(arguments, reason, room);
    free(text);
    return text ? 0 : -1;
}

static void remove_graphs(const char *folder) {
    static const char *const names[] = {"pyramid", "box", "mask"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_ROOM + 16];
        snprintf(path, sizeof path, "%s/%s.onnx", folder, names[i]);
        remove(path);
    }
    remove(folder);
}

/* -------------------------------------------------------------------------------------- contenders */

static void add_peer(contender *c, const report *r, const peer *p, const pythons *all,
                     const char *folder) {
    char script[PATH_ROOM], size[16], threads[16];
    const char *python = python_with(all, p->module);
    snprintf(size, sizeof size, "%d", r->size);
    snprintf(threads, sizeof threads, "%d", r->threads);
    const char *arguments[] = {python ? python : "python3",
                               script_path(script, p->script),
                               "--backbone",
                               r->backbone,
                               "--size",
                               size,
                               "--threads",
                               threads,
                               "--precision",
                               p->precision,
                               "--graphs",
                               folder,
                               p->channels_last ? "--channels-last" : NULL,
                               NULL};
    contender_worker(c, p->name, arguments);
    if (!python)
        snprintf(c->failure, sizeof c->failure,
                 "no Python has the package %s; MRCNN_BENCH_PYTHON can name one that has",
                 p->module);
}

static void add_all(contender *c, const report *r, const char *folder) {
    pythons all;
    char reason[REPORT_REASON] = "";
    find_pythons(&all);
    int written = write_graphs(r, &all, folder, reason, sizeof reason) == 0;
    for (int i = 0; i < OURS; i++) {
        const char *more[] = {"--precision", our_precisions[i], NULL};
        contender_bench(&c[i], r, our_names[i], more);
    }
    for (int i = 0; i < PEERS; i++) {
        contender *it = &c[OURS + i];
        add_peer(it, r, &peers[i], &all, folder);
        if (peers[i].in_parts && !written && !it->failure[0])
            snprintf(it->failure, sizeof it->failure, "%s", reason);
    }
}

/* ------------------------------------------------------------------------------------------- output */

static spread part_of(const contender *c, int index, int part) {
    return contender_stages(c, index < OURS ? our_parts[part] : their_parts[part]);
}

static int has_parts(int index) {
    return index < OURS || peers[index - OURS].in_parts;
}

static int has_whole(int index) {
    return index < OURS || !peers[index - OURS].in_parts;
}

/* Of all parts, which for us leaves out what stands between them. */
static spread sum_of(const contender *c, int index) {
    static const char *const ours[] = {"backbone", "fpn", "rpn", "box head", "mask head", NULL};
    return contender_stages(c, index < OURS ? ours : NULL);
}

static void write_row(report *r, const contender *c, int index) {
    fprintf(r->page, "| %s |", c->name);
    for (int part = 0; part < PARTS; part++)
        if (has_parts(index))
            fprintf(r->page, " %s |", number_write(part_of(c, index, part).median).text);
        else
            fprintf(r->page, " |");
    if (has_parts(index))
        fprintf(r->page, " %s |", spread_write(sum_of(c, index)).text);
    else
        fprintf(r->page, " |");
    if (has_whole(index))
        fprintf(r->page, " %s |", spread_write(contender_time(c)).text);
    else
        fprintf(r->page, " |");
    fprintf(r->page, " %.0f |\n", c->peak_bytes / 1e6);
}

static void write_versions(report *r, const contender *c) {
    const char *said = "";
    fprintf(r->page, "\nVersions:");
    for (int i = OURS; i < ALL; i++) {
        if (!c[i].rounds || strcmp(c[i].version, said) == 0) continue;
        fprintf(r->page, "%s %s", said[0] ? ";" : "", c[i].version);
        said = c[i].version;
    }
    fprintf(r->page, "%s\n", said[0] ? "." : " no peer ran.");
}

static void write_table(report *r, const contender *c) {
    fprintf(
        r->page,
        "| | backbone, FPN, RPN | box head | mask head | their sum, ms | whole, ms | memory, MB "
        "|\n|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < ALL; i++)
        if (c[i].rounds) write_row(r, &c[i], i);
    write_versions(r, c);
}

static void draw(report *r, const contender *c) {
    const char *names[ALL];
    double sums[ALL], wholes[ALL];
    mrcnn_chart chart = mrcnn_chart_default();
    for (int i = 0; i < ALL; i++) {
        if (!c[i].rounds) continue;
        names[chart.category_count] = c[i].name;
        sums[chart.category_count] = has_parts(i) ? sum_of(&c[i], i).median : NAN;
        wholes[chart.category_count++] = has_whole(i) ? contender_time(&c[i]).median : NAN;
    }
    mrcnn_series series[] = {{.name = "convolutions and products",
                              .kind = MRCNN_SERIES_BARS,
                              .count = chart.category_count,
                              .y = sums,
                              .color = 0},
                             {.name = "whole detection",
                              .kind = MRCNN_SERIES_BARS,
                              .count = chart.category_count,
                              .y = wholes,
                              .color = 1}};
    chart.title = "Peers";
    chart.y_label = "ms a picture";
    chart.series = series;
    chart.count = 2;
    chart.categories = names;
    chart.width = 1100;
    const mrcnn_chart *charts[] = {&chart};
    page_plot(r, "peers", charts, 1);
}

void report_peers(report *r) {
    static contender c[ALL];
    char folder[PATH_ROOM];
    page_heading(
        r, "Peers",
        "One picture in other programs on the same machine, in turn. torchvision runs its whole "
        "Mask R-CNN, with as many proposals, classes and instances; its RPN has 256 channels where "
        "ours has 512 (NHWC: its channels_last). The others run our network as three graphs "
        "(peer_graphs.py), on 1,000 "
        "proposals and 100 instances; what joins these is missing: reading and resizing the "
        "picture, choosing proposals, RoIAlign, choosing detections, masks of the picture's size. "
        "Their sum compares with the same parts of ours. Memory is the most that each process "
        "had.");
    snprintf(folder, sizeof folder, "%s/graphs", r->out);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        fprintf(r->page, "Not measured: %s: %s.\n", folder, strerror(errno));
        return;
    }
    add_all(c, r, folder);
    contenders_run(r, "peers", c, ALL);
    remove_graphs(folder);
    if (page_has_times(c, ALL)) {
        write_table(r, c);
        draw(r, c);
    }
    page_failures(r, c, ALL);
    for (int i = 0; i < ALL; i++) contender_free(&c[i]);
}
