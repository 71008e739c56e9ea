/* bench_output.c - the figures of mrcnn bench as a table and as JSON. */
#include "bench.h"
#include "files.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

static double rate_of(double gflop, double milliseconds) {
    return milliseconds > 0 ? 1e3 * gflop / milliseconds : 0;
}

static double total_gflop(const bench_figures *f) {
    double sum = 0;
    for (size_t i = 0; i < f->stage_count; i++) sum += f->stages[i].gflop;
    return sum;
}

/* ------------------------------------------------------------------------------------------ text */

static void print_row(const char *name, double milliseconds, double gflop, double peak) {
    printf("%-18s %10.2f", name, milliseconds);
    if (gflop > 0) {
        double rate = rate_of(gflop, milliseconds);
        printf(" %10.3f %10.1f %8.1f %%", gflop, rate, peak > 0 ? 100 * rate / peak : 0);
    }
    putchar('\n');
}

static void print_heading(const bench_figures *f, const bench_plan *plan,
                          const mrcnn_config *config) {
    printf("%s, %s, picture %lld x %lld, %zu instances, ", mrcnn_config_get(config, "BACKBONE"),
           f->precision, (long long)plan->size, (long long)plan->size, f->instances);
    if (plan->batch > 1) printf("%lld pictures a pass, ", (long long)plan->batch);
    if (plan->sessions > 1)
        printf("%lld sessions (threads: %lld each), ", (long long)plan->sessions,
               (long long)bench_threads_of_each(plan));
    printf("median of %lld runs\n\n", (long long)plan->runs);
}

static void print_table(const bench_figures *f, const bench_plan *plan,
                        const mrcnn_config *config) {
    const double megabyte = 1e6;
    print_heading(f, plan, config);
    printf("%-18s %10s %10s %10s %10s\n", "stage", "ms", "GFLOP", "GFLOP/s", "of peak");
    for (size_t i = 0; i < f->stage_count; i++)
        print_row(f->stages[i].name, f->stages[i].ms, f->stages[i].gflop, f->peak_gflops);
    print_row("total", f->latency, total_gflop(f), f->peak_gflops);
    printf("\nlatency                %10.2f ms a pass, %.2f to %.2f\n", f->latency, f->fastest,
           f->slowest);
    printf("throughput             %10.2f pictures a second, %.2f ms each\n",
           f->pictures_per_second, f->pictures_per_second > 0 ? 1e3 / f->pictures_per_second : 0);
    printf("peak of this machine   %10.1f GFLOP/s\n", f->peak_gflops);
    printf("model and session      %10.1f MB\n", (double)f->session_bytes / megabyte);
    printf("most memory in use     %10.1f MB\n", (double)f->process_bytes / megabyte);
}

/* ------------------------------------------------------------------------------------------ JSON */

static void put_real(json *out, const char *key, double number) {
    json_key(out, key);
    json_real(out, number, 7);
}

static void put_stages(json *out, const bench_figures *f) {
    json_key(out, "stages");
    json_begin(out, '[');
    for (size_t i = 0; i < f->stage_count; i++) {
        const bench_stage *stage = &f->stages[i];
        json_begin(out, '{');
        json_put_text(out, "name", stage->name);
        put_real(out, "ms", stage->ms);
        put_real(out, "gflop", stage->gflop);
        put_real(out, "gflops", rate_of(stage->gflop, stage->ms));
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void put_latency(json *out, const bench_figures *f) {
    json_key(out, "latency_ms");
    json_begin(out, '{');
    put_real(out, "median", f->latency);
    put_real(out, "min", f->fastest);
    put_real(out, "max", f->slowest);
    json_end(out, '}');
}

static void put_figures(FILE *stream, const bench_figures *f, const bench_plan *plan,
                        const mrcnn_config *config) {
    json out = {stream, 0, 0, 0, 2};
    json_begin(&out, '{');
    json_put_text(&out, "version", mrcnn_version());
    json_put_text(&out, "backbone", mrcnn_config_get(config, "BACKBONE"));
    json_put_text(&out, "precision", f->precision);
    json_put_integer(&out, "size", (size_t)plan->size);
    json_put_integer(&out, "threads", (size_t)plan->threads);
    json_put_integer(&out, "batch", (size_t)plan->batch);
    json_put_integer(&out, "sessions", (size_t)plan->sessions);
    json_put_integer(&out, "runs", (size_t)plan->runs);
    json_put_integer(&out, "instances", f->instances);
    put_real(&out, "total_ms", f->latency);
    put_latency(&out, f);
    put_real(&out, "pictures_per_second", f->pictures_per_second);
    put_real(&out, "total_gflop", total_gflop(f));
    put_stages(&out, f);
    put_real(&out, "peak_gflops", f->peak_gflops);
    json_put_integer(&out, "session_bytes", f->session_bytes);
    json_put_integer(&out, "peak_bytes", f->process_bytes);
    json_end(&out, '}');
}

int bench_report(const char *path, const bench_figures *f, const bench_plan *plan,
                 const mrcnn_config *config) {
    if (path && strcmp(path, "-") == 0) {
        put_figures(stdout, f, plan, config);
        return EXIT_DONE;
    }
    print_table(f, plan, config);
    if (!path) return EXIT_DONE;
    new_file file;
    if (new_file_open(&file, path)) return EXIT_FAILED;
    put_figures(file.stream, f, plan, config);
    return new_file_commit(&file) ? EXIT_FAILED : EXIT_DONE;
}
