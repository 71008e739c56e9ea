/* test_cli_video.c - mrcnn detect and splash on videos, with a tiny model: files, lines, times, bad inputs,
 * interruption, a full disk. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_video.h"

#include <mrcnn/mrcnn.h>

#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

/* So that fresh weights find something; not much, to be quick. */
#define EAGER "--set", "DETECTION_MIN_CONFIDENCE=0", "--set", "DETECTION_MAX_INSTANCES=3"
#define DETECT "detect", "--weights", "tiny.h5", EAGER
#define SPLASH "splash", "--weights", "tiny.h5", EAGER
#define CLIP(name) TEST_DATA "/video/" name

static int enter(void **state) {
    cli_enter(state);
    cli_picture("a.png", 100, 60);
    return RUN("weights", "init", "--out", "tiny.h5", "--seed", "1", CLI_TINY, "--set",
               "NUM_CLASSES=3")
        ->code;
}

#ifdef MRCNN_WITH_VIDEO

/* The lines of a JSONL file; each must be JSON. NULL ends them. */
enum { MOST_LINES = 400 };

typedef struct lines {
    char *text;
    char *items[MOST_LINES + 1];
    int count;
} lines;

static lines read_lines(const char *path) {
    lines all = {cli_read(path), {NULL}, 0};
    if (!all.text) fail_msg("%s is not there", path);
    for (char *line = all.text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        assert_true(all.count < MOST_LINES);
        if (!cli_is_json(line)) fail_msg("%s: not JSON: %s", path, line);
        all.items[all.count++] = line;
    }
    return all;
}

static int frame_of(const char *line) {
    int frame = -1;
    assert_int_equal(sscanf(line, "{\"frame\": %d, \"time\": ", &frame), 1);
    return frame;
}

static double time_of(const char *line) {
    return atof(strstr(line, "\"time\": ") + 8);
}

/* ------------------------------------------------------------------------------------- outputs */

static void test_default_outputs(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out", "o1", CLIP("vfr.mp4"));
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
    assert_contains(r->out, "vfr.mp4: 10 frames, 30 instances, ");
    assert_contains(r->out, " tracks (class ");
    assert_contains(r->out, " ms/frame, ");
    assert_contains(r->out, "% of the time outside the network\n");
    assert_int_equal(cli_count("o1", ""), 2);
    lines all = read_lines("o1/vfr.jsonl");
    assert_int_equal(all.count, 10);
    for (int i = 0; i < all.count; i++) {
        assert_int_equal(frame_of(all.items[i]), i);
        assert_int_equal(cli_occurrences(all.items[i], "\"track_id\": "), 3);
        assert_int_equal(cli_occurrences(all.items[i], "\"size\": [48, 64], \"counts\": \""), 3);
    }
    assert_contains(all.items[9], "{\"frame\": 9, \"time\": 0.7, \"instances\": [{\"track_id\": ");
    assert_contains(all.items[0], "\"category_name\": \"class ");
    assert_contains(all.items[0], "\"bbox\": [");
    free(all.text);
    video_packets was, is;
    assert_true(video_read_packets(&was, CLIP("vfr.mp4"), 0));
    assert_true(video_read_packets(&is, "o1/vfr_overlay.mp4", 0));
    assert_string_equal(is.codec, was.codec);
    assert_int_equal(is.count, 10);
    for (int i = 0; i < 10; i++) assert_true(fabs(is.times[i] - was.times[i]) < 1e-3);
    assert_true(video_read_packets(&was, CLIP("vfr.mp4"), 1));
    assert_true(video_read_packets(&is, "o1/vfr_overlay.mp4", 1));
    assert_int_equal(is.count, was.count);
    assert_memory_equal(is.bytes, was.bytes, (size_t)was.count * sizeof *was.bytes);
}

static void test_nothing_is_said_of_a_good_clip(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--save=json", "--out", "o2", CLIP("turned.mp4"));
    assert_int_equal(r->code, 0);
    assert_string_equal(r->err, "");
    lines all = read_lines("o2/turned.jsonl");
    assert_int_equal(all.count, 3);
    assert_contains(all.items[0], "\"size\": [64, 48]");
    free(all.text);
}

/* Each frame by itself gives what the frames together gave. */
static void test_batches_change_nothing(void **state) {
    (void)state;
    assert_int_equal(RUN(DETECT, "--save=json", "--out", "b1", CLIP("vfr.mp4"))->code, 0);
    assert_int_equal(RUN(DETECT, "--save=json", "--batch=4", "--out", "b4", CLIP("vfr.mp4"))->code,
                     0);
    char *one = cli_read("b1/vfr.jsonl"), *four = cli_read("b4/vfr.jsonl");
    assert_string_equal(one, four);
    free(one);
    free(four);
}

static void test_splash_and_overlay_together(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--save=splash,overlay", "--out", "o3", CLIP("sizes.ts"));
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "3 frames of another size than the first were scaled to 64 x 48");
    assert_int_equal(cli_count("o3", ""), 2);
    static const char *const files[] = {"o3/sizes_overlay.mp4", "o3/sizes_splash.mp4"};
    for (size_t i = 0; i < 2; i++) {
        video_packets packets;
        assert_true(video_read_packets(&packets, files[i], 0));
        assert_int_equal(packets.count, 6);
        assert_int_equal(packets.width, 64);
        assert_int_equal(packets.height, 48);
        assert_false(video_read_packets(&packets, files[i], 1));
    }
    r = RUN(SPLASH, "--out", "o4", CLIP("odd.mp4"), "a.png");
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->out, "track"));
    assert_true(cli_exists("o4/odd_splash.mp4"));
    assert_true(cli_exists("o4/a_splash.png"));
    assert_int_equal(cli_count("o4", ""), 2);
}

static void test_sound_that_mp4_cannot_hold(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--save=overlay", "--out", "o5", CLIP("pcm.avi"));
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "MP4 can't hold its sound (pcm_s16le)");
    video_packets packets;
    assert_true(video_read_packets(&packets, "o5/pcm_overlay.mkv", 1));
    assert_string_equal(packets.codec, "pcm_s16le");
}

/* -------------------------------------------------------------------------------- parts of clips */

static void test_start_end_and_stride(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--start=0.1", "--end=0:00:00.65", "--stride=2", "--out",
                              "o6", CLIP("vfr.mp4"));
    assert_int_equal(r->code, 0);
    lines all = read_lines("o6/vfr.jsonl");
    static const int frames[] = {2, 4, 6, 8};
    static const double times[] = {0.1, 0.2, 0.4, 0.6};
    assert_int_equal(all.count, 4);
    video_packets packets;
    assert_true(video_read_packets(&packets, "o6/vfr_overlay.mp4", 0));
    assert_int_equal(packets.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(frame_of(all.items[i]), frames[i]);
        assert_true(fabs(time_of(all.items[i]) - times[i]) < 1e-4);
        assert_true(fabs(packets.times[i] - (times[i] - 0.1)) < 1e-3);
    }
    free(all.text);
    assert_true(video_read_packets(&packets, "o6/vfr_overlay.mp4", 1));
    assert_true(packets.last < 0.75);
}

static void test_times_that_make_no_sense(void **state) {
    (void)state;
    static const char *const bad[] = {"--start=1:", "--start=x",   "--end=-1",
                                      "--end=0",    "--start=1e3", "--end=1:2:3:4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(RUN(DETECT, "--out", "o7", bad[i], CLIP("vfr.mp4"))->code, 2);
    assert_int_equal(RUN(DETECT, "--out", "o7", "--start=2", "--end=1", "a.mp4")->code, 2);
    assert_int_equal(RUN(DETECT, "--out", "o7", "--stride=0", "a.mp4")->code, 2);
    assert_int_equal(RUN(DETECT, "--out", "o7", "--batch=17", "a.mp4")->code, 2);
    assert_int_equal(RUN(DETECT, "--out", "o7", "--track=all", "a.mp4")->code, 2);
    const cli_result *r = RUN(DETECT, "--out", "o8", "--start=0:05", CLIP("vfr.mp4"));
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no frame lies between");
    assert_int_equal(cli_count("o8", ""), 0);
}

static void test_without_tracks(void **state) {
    (void)state;
    const cli_result *r =
        RUN(DETECT, "--track=none", "--save=json", "--out", "o9", CLIP("odd.mp4"));
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->out, "track"));
    lines all = read_lines("o9/odd.jsonl");
    assert_null(strstr(all.items[0], "track_id"));
    free(all.text);
}

/* --------------------------------------------------------------------------- pictures and videos */

/* By content where the content says it: a picture called .mp4, a video called .bin. */
static void test_names_that_lie(void **state) {
    (void)state;
    char command[1200];
    cli_picture("p.png", 40, 30);
    assert_int_equal(rename("p.png", "p.mp4"), 0);
    snprintf(command, sizeof command, "cp '%s' v.bin", CLIP("odd.mp4"));
    assert_int_equal(system(command), 0);
    const cli_result *r = RUN(DETECT, "--out", "o10", "p.mp4", "v.bin", "a.png");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 3);
    assert_true(cli_exists("o10/p_overlay.png"));
    assert_true(cli_exists("o10/v_overlay.mp4"));
    assert_true(cli_exists("o10/v.jsonl"));
    char *json = cli_read("o10/detections.json");
    assert_contains(json, "\"image_id\": 1, \"file_name\": \"p.mp4\"");
    assert_contains(json, "\"image_id\": 2, \"file_name\": \"a.png\"");
    assert_null(strstr(json, "v.bin"));
    free(json);
}

static void test_folders_give_their_pictures(void **state) {
    (void)state;
    char command[1200];
    mkdir("both", 0777);
    cli_picture("both/1.png", 30, 30);
    snprintf(command, sizeof command, "cp '%s' both/2.mp4", CLIP("odd.mp4"));
    assert_int_equal(system(command), 0);
    const cli_result *r = RUN(DETECT, "--save=json", "--out", "o11", "both");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
    assert_int_equal(remove("both/1.png"), 0);
    r = RUN(DETECT, "--save=json", "--out", "o12", "both");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "its videos must be named");
    cli_picture("both/1.png", 30, 30);
    r = RUN(DETECT, "--save=json", "--out", "o12", "both/*");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 2);
}

static void test_bad_videos_do_not_stop_the_others(void **state) {
    (void)state;
    char command[1200];
    cli_write("empty.mp4", "");
    cli_write("text.mp4", "This is text.\n");
    snprintf(command, sizeof command, "head -c 3000 '%s' >cut.mp4", CLIP("vfr.mp4"));
    assert_int_equal(system(command), 0);
    const cli_result *r =
        RUN(DETECT, "--save=json", "--out", "o13", "empty.mp4", "text.mp4", "cut.mp4",
            CLIP("sound.m4a"), CLIP("cover.m4a"), "missing.mp4", CLIP("odd.mp4"));
    assert_int_equal(r->code, 1);
    assert_int_equal(cli_occurrences(r->err, "mrcnn: "), 6);
    assert_int_equal(cli_occurrences(r->err, "\n"), 6); /* nothing of FFmpeg's own */
    assert_contains(r->err, "empty.mp4: is empty");
    assert_contains(r->err, "has sound, but no pictures");
    assert_contains(r->err, "missing.mp4: can't open it");
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
    assert_int_equal(cli_count("o13", ""), 1);
}

/* Our files have their index at the beginning: of the first half of one, some frames can be read. */
static void test_a_video_that_is_cut_short(void **state) {
    (void)state;
    video_y4m("whole.y4m", 64, 48, "F25:1 C420mpeg2", 100, 20, 2);
    assert_int_equal(RUN(DETECT, "--save=overlay", "--out", "o14", "whole.y4m")->code, 0);
    assert_int_equal(system("head -c $(($(wc -c <o14/whole_overlay.mp4) / 2)) "
                            "o14/whole_overlay.mp4 >cut.mp4"),
                     0);
    const cli_result *r = RUN(DETECT, "--save=json", "--out", "o14", "cut.mp4");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "cut.mp4: the file is cut short or broken at ");
    assert_contains(r->err, "(it should last 4.00 s)");
    lines all = read_lines("o14/cut.jsonl");
    assert_in_range(all.count, 5, 80);
    free(all.text);
}

static void test_kinds_that_videos_have_not(void **state) {
    (void)state;
    const cli_result *r =
        RUN(DETECT, "--save=masks,json", "--out", "o15", "a.png", CLIP("odd.mp4"));
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "odd.mp4 is a video");
    assert_false(cli_exists("o15"));
}

/* ------------------------------------------------------------------------ interruption, full disk */

static int has_begun(void) {
    glob_t found;
    struct stat info;
    int begun = glob("o16/long.jsonl.part*", 0, NULL, &found) == 0 &&
                stat(found.gl_pathv[0], &info) == 0 && info.st_size > 0;
    globfree(&found);
    return begun;
}

/* The files are whole as far as they go, and the sound ends with the pictures. */
static void test_an_interrupt_leaves_files_that_play(void **state) {
    (void)state;
    video_y4m("long.y4m", 64, 48, "F25:1 C420mpeg2", 3000, 20, 0);
    cli_world world = {.interrupt_when = has_begun};
    const cli_result *r = RUN_IN(&world, DETECT, "--out", "o16", "long.y4m", "a.png");
    assert_int_equal(r->code, 130);
    assert_contains(r->err, "long.y4m: interrupted after ");
    assert_contains(r->err, "interrupted after 1 of 2 inputs");
    assert_int_equal(cli_count("o16", ""), 3); /* with detections.json, which has nothing in it */
    assert_int_equal(cli_count("o16", "part"), 0);
    int frames = atoi(strstr(r->out, ": ") + 2);
    assert_true(frames > 0 && frames < 3000);
    char *text = cli_read("o16/long.jsonl");
    assert_int_equal(cli_occurrences(text, "{\"frame\": "), frames);
    free(text);
    if (frames >= VIDEO_MOST_PACKETS) return;
    video_packets packets;
    assert_true(video_read_packets(&packets, "o16/long_overlay.mp4", 0));
    assert_int_equal(packets.count, frames);
    assert_true(fabs(packets.seconds - 0.04 * frames) < 1e-3);
}

static void test_a_full_disk(void **state) {
    (void)state;
    video_y4m("wide.y4m", 64, 48, "F25:1 C420mpeg2", 100, 20, 2);
    cli_world full = {.file_limit = 2000};
    const cli_result *r = RUN_IN(&full, DETECT, "--out", "o17", "wide.y4m");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "wide");
    assert_contains(r->err, "can't write it");
    assert_string_equal(r->out, "");
    assert_int_equal(cli_count("o17", ""), 0);
}

#else

static void test_a_build_without_ffmpeg_says_so(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--save=json", "--out", "o1", CLIP("odd.mp4"), "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "odd.mp4: videos need FFmpeg");
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef MRCNN_WITH_VIDEO
        cmocka_unit_test(test_default_outputs),
        cmocka_unit_test(test_nothing_is_said_of_a_good_clip),
        cmocka_unit_test(test_batches_change_nothing),
        cmocka_unit_test(test_splash_and_overlay_together),
        cmocka_unit_test(test_sound_that_mp4_cannot_hold),
        cmocka_unit_test(test_start_end_and_stride),
        cmocka_unit_test(test_times_that_make_no_sense),
        cmocka_unit_test(test_without_tracks),
        cmocka_unit_test(test_names_that_lie),
        cmocka_unit_test(test_folders_give_their_pictures),
        cmocka_unit_test(test_bad_videos_do_not_stop_the_others),
        cmocka_unit_test(test_a_video_that_is_cut_short),
        cmocka_unit_test(test_kinds_that_videos_have_not),
        cmocka_unit_test(test_an_interrupt_leaves_files_that_play),
        cmocka_unit_test(test_a_full_disk),
#else
        cmocka_unit_test(test_a_build_without_ffmpeg_says_so),
#endif
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
