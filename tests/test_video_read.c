/* test_video_read.c - mrcnn_video: colours, sizes, turns, times and numbers of frames, and files that are
 * no videos. The clips of data/video were made by FFmpeg (make.sh there); others are made here, by hand. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_video.h"

#include <mrcnn/video.h>

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef MRCNN_WITH_VIDEO

#define CLIP(name) TEST_DATA "/video/" name

static mrcnn_video *open_clip(const char *path, const mrcnn_video_options *options) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video *video = NULL;
    if (mrcnn_video_open(&video, path, options, &err) != MRCNN_OK)
        fail_msg("%s: %s", path, err.message);
    return video;
}

/* 0 at the end. */
static int next(mrcnn_video *video, mrcnn_frame *frame) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int more = -1;
    if (mrcnn_video_next(video, frame, &more, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_true(more == 0 || more == 1);
    return more;
}

static void close_clip(mrcnn_video **video, mrcnn_frame *frame) {
    mrcnn_image_free(&frame->image);
    mrcnn_video_free(video);
    assert_null(*video);
}

/* -------------------------------------------------------------------------------------- colours */

static void expect_color(const char *path, int red, int green, int blue, int tolerance) {
    mrcnn_frame frame = {0};
    mrcnn_video *video = open_clip(path, NULL);
    assert_int_equal(next(video, &frame), 1);
    const int32_t pixels[] = {0, frame.image.width - 1, frame.image.width * frame.image.height - 1};
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *p = frame.image.pixels + 3 * pixels[i];
        if (abs(p[0] - red) > tolerance || abs(p[1] - green) > tolerance ||
            abs(p[2] - blue) > tolerance)
            fail_msg("%s: pixel %d is %d %d %d, not %d %d %d", path, (int)pixels[i], p[0], p[1],
                     p[2], red, green, blue);
    }
    close_clip(&video, &frame);
}

/* Y'CbCr by the formulas of the standards: R = 1.164 (Y - 16) + 1.596 (V - 128) and so on for BT.601,
 * 1.793 for BT.709; full range has no 16 and no 1.164. */
static void test_matrices_and_ranges(void **state) {
    (void)state;
    video_y4m_color("sd.y4m", 33, 17, "", 81, 90, 240);
    expect_color("sd.y4m", 254, 0, 0, 2);
    video_y4m_color("hd.y4m", 1280, 16, "", 81, 90, 240);
    expect_color("hd.y4m", 255, 24, 0, 3); /* the same numbers are another red there */
    video_y4m_color("hd.y4m", 1280, 16, "", 63, 102, 240);
    expect_color("hd.y4m", 255, 1, 0, 3);
    video_y4m_color("full.y4m", 33, 17, " XCOLORRANGE=FULL", 76, 85, 255);
    expect_color("full.y4m", 254, 0, 0, 2);
    video_y4m_color("grey.y4m", 33, 17, "", 126, 128, 128);
    expect_color("grey.y4m", 128, 128, 128, 1);
    video_y4m_color("grey.y4m", 33, 17, " XCOLORRANGE=FULL", 126, 128, 128);
    expect_color("grey.y4m", 126, 126, 126, 1);
}

static void test_grey_for_a_grey_network(void **state) {
    (void)state;
    mrcnn_frame frame = {0};
    mrcnn_video_options options = mrcnn_video_options_default();
    options.channels = 1;
    video_y4m("steps.y4m", 20, 10, "F10:1 C420mpeg2", 3, 16, 100);
    mrcnn_video *video = open_clip("steps.y4m", &options);
    static const int luma[] = {0, 116, 233}; /* (Y - 16) * 255 / 219 */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(next(video, &frame), 1);
        assert_int_equal(frame.image.channels, 1);
        assert_in_range(frame.image.pixels[199], luma[i] ? luma[i] - 1 : 0, luma[i] + 1);
    }
    assert_int_equal(next(video, &frame), 0);
    close_clip(&video, &frame);
}

/* ---------------------------------------------------------------------------- sizes and turns */

/* A quarter turn to the right: pixel (x, y) comes from (y, height - 1 - x). */
static void test_a_turned_clip_is_upright(void **state) {
    (void)state;
    mrcnn_frame flat = {0}, turned = {0};
    mrcnn_video *a = open_clip(CLIP("upright.mp4"), NULL), *b = open_clip(CLIP("turned.mp4"), NULL);
    assert_int_equal(mrcnn_video_describe(b)->orientation, 6);
    assert_int_equal(mrcnn_video_describe(b)->width, 48);
    assert_int_equal(mrcnn_video_describe(b)->height, 64);
    while (next(a, &flat)) {
        assert_int_equal(next(b, &turned), 1);
        for (int y = 0; y < 64; y++)
            for (int x = 0; x < 48; x++)
                assert_memory_equal(turned.image.pixels + 3 * (y * 48 + x),
                                    flat.image.pixels + 3 * ((47 - x) * 64 + y), 3);
    }
    assert_int_equal(next(b, &turned), 0);
    close_clip(&a, &flat);
    close_clip(&b, &turned);
}

static void test_sizes_that_change_are_scaled(void **state) {
    (void)state;
    mrcnn_frame frame = {0};
    mrcnn_video *video = open_clip(CLIP("sizes.ts"), NULL);
    int64_t count = 0, last = -1;
    for (; next(video, &frame); count++) {
        assert_int_equal(frame.image.width, 64);
        assert_int_equal(frame.image.height, 48);
        assert_int_equal(frame.number, count);
        assert_true(frame.pts > last);
        last = frame.pts;
    }
    assert_int_equal(count, 6);
    mrcnn_video_problems met = mrcnn_video_check(video);
    assert_int_equal(met.rescaled, 3);
    assert_int_equal(met.retimed, 1); /* where the second clock begins */
    assert_int_equal(met.broken, 0);
    close_clip(&video, &frame);
}

static void test_odd_sides_and_buffers_that_are_reused(void **state) {
    (void)state;
    mrcnn_frame frame = {0};
    mrcnn_video *video = open_clip(CLIP("odd.mp4"), NULL);
    assert_int_equal(next(video, &frame), 1);
    assert_int_equal(frame.image.width, 35);
    assert_int_equal(frame.image.height, 27);
    const uint8_t *pixels = frame.image.pixels;
    assert_int_equal(next(video, &frame), 1);
    assert_ptr_equal(frame.image.pixels, pixels);
    assert_int_equal(next(video, &frame), 0);
    assert_int_equal(next(video, &frame), 0); /* and stays there */
    assert_ptr_equal(frame.image.pixels, pixels);
    close_clip(&video, &frame);
}

/* --------------------------------------------------------------------------------------- times */

static const double vfr_times[] = {0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7};

static void test_times_and_numbers(void **state) {
    (void)state;
    mrcnn_frame frame = {0};
    mrcnn_video *video = open_clip(CLIP("vfr.mp4"), NULL);
    const mrcnn_video_info *info = mrcnn_video_describe(video);
    assert_string_equal(info->codec, "h264");
    assert_string_equal(info->sound, "aac");
    assert_int_equal(info->sound_fits_mp4, 1);
    assert_int_equal(info->frames, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(next(video, &frame), 1);
        assert_int_equal(frame.number, i);
        assert_true(fabs(frame.seconds - vfr_times[i]) < 1e-4);
        assert_true(fabs((double)frame.pts * info->time_num / info->time_den - frame.seconds) <
                    1e-9);
    }
    assert_int_equal(next(video, &frame), 0);
    mrcnn_video_problems met = mrcnn_video_check(video);
    assert_int_equal(met.broken + met.rescaled + met.retimed + met.cut_short, 0);
    close_clip(&video, &frame);
}

static double seconds_of_a_tick(const mrcnn_video *video) {
    const mrcnn_video_info *info = mrcnn_video_describe(video);
    return (double)info->time_num / info->time_den;
}

/* Whatever part is asked for, its frames are those of the whole, with the same numbers. */
static void test_parts_are_parts_of_the_whole(void **state) {
    (void)state;
    static const struct {
        double start, end;
        int stride, first, count;
    } parts[] = {{0.1, 0, 1, 2, 8},     {0.11, 0, 1, 3, 7}, {0, 0.3, 1, 0, 5},
                 {0.15, 0.61, 2, 3, 3}, {0.65, 9, 1, 9, 1}, {0, 0, 4, 0, 3}};
    mrcnn_frame whole[10];
    memset(whole, 0, sizeof whole);
    mrcnn_video *all = open_clip(CLIP("vfr.mp4"), NULL);
    for (int i = 0; i < 10; i++) assert_int_equal(next(all, &whole[i]), 1);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        mrcnn_frame frame = {0};
        mrcnn_video_options options = mrcnn_video_options_default();
        options.start = parts[p].start;
        options.end = parts[p].end;
        options.stride = parts[p].stride;
        mrcnn_video *video = open_clip(CLIP("vfr.mp4"), &options);
        assert_true(fabs(mrcnn_video_describe(video)->first - vfr_times[parts[p].first]) < 1e-4);
        for (int i = 0; i < parts[p].count; i++) {
            int at = parts[p].first + i * parts[p].stride;
            assert_int_equal(next(video, &frame), 1);
            assert_int_equal(frame.number, at);
            assert_int_equal(frame.pts, whole[at].pts);
            double ends = frame.seconds + frame.duration * seconds_of_a_tick(video);
            if (parts[p].end > 0) assert_true(ends < parts[p].end + 1e-4);
            assert_memory_equal(frame.image.pixels, whole[at].image.pixels, 64 * 48 * 3);
        }
        assert_int_equal(next(video, &frame), 0);
        close_clip(&video, &frame);
    }
    for (int i = 0; i < 9; i++) mrcnn_image_free(&whole[i].image);
    close_clip(&all, &whole[9]);
}

/* ---------------------------------------------------------------------------------- bad files */

static void expect_failure(const char *path, const mrcnn_video_options *options,
                           mrcnn_status expected, const char *part) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video *video = NULL;
    assert_int_equal(mrcnn_video_open(&video, path, options, &err), expected);
    assert_null(video);
    assert_int_equal(err.status, expected);
    if (path) assert_contains(err.message, path);
    assert_contains(err.message, part);
}

static void test_files_that_are_no_videos(void **state) {
    (void)state;
    cli_write("empty.mp4", "");
    cli_write("text.mp4", "This is text.\n");
    cli_write("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n" CLIP(
                               "sizes.ts") "\n#EXT-X-ENDLIST\n");
    cli_write("list.ffconcat", "ffconcat version 1.0\nfile " CLIP("sizes.ts") "\n");
    expect_failure("empty.mp4", NULL, MRCNN_E_FORMAT, "0 bytes");
    expect_failure("text.mp4", NULL, MRCNN_E_FORMAT, "as a video");
    expect_failure("missing.mp4", NULL, MRCNN_E_IO, "No such file");
    expect_failure(".", NULL, MRCNN_E_IO, "folder");
    expect_failure("list.ffconcat", NULL, MRCNN_E_UNSUPPORTED, "list of other files");
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video *video = NULL;
    assert_int_not_equal(mrcnn_video_open(&video, "list.m3u8", NULL, &err), MRCNN_OK);
    expect_failure("http://localhost/a.mp4", NULL, MRCNN_E_IO, "No such file");
    expect_failure(CLIP("sound.m4a"), NULL, MRCNN_E_FORMAT, "has sound, but no pictures");
    expect_failure(CLIP("cover.m4a"), NULL, MRCNN_E_FORMAT, "cover picture");
    expect_failure(NULL, NULL, MRCNN_E_ARGUMENT, "no video is named");
}

/* What a header claims is not believed until it is looked at. */
static void test_frames_that_are_too_large(void **state) {
    (void)state;
    video_y4m("huge.y4m", 15000, 15000, "F10:1 C420mpeg2", 0, 0, 0);
    FILE *file = fopen("huge.y4m", "ab");
    assert_non_null(file);
    fputs("FRAME\nnot so many bytes", file);
    fclose(file);
    mrcnn_video_options options = mrcnn_video_options_default();
    options.max_pixels = 224999999;
    expect_failure("huge.y4m", &options, MRCNN_E_UNSUPPORTED, "15000 x 15000");
}

static void test_options_that_make_no_sense(void **state) {
    (void)state;
    mrcnn_video_options options = mrcnn_video_options_default();
    options.max_pixels = 64 * 48 - 1;
    expect_failure(CLIP("upright.mp4"), &options, MRCNN_E_UNSUPPORTED, "64 x 48");
    options = mrcnn_video_options_default();
    options.start = 5;
    expect_failure(CLIP("upright.mp4"), &options, MRCNN_E_ARGUMENT, "no frame lies between");
    options.end = 4;
    expect_failure(CLIP("upright.mp4"), &options, MRCNN_E_ARGUMENT, "the end after it");
    options = mrcnn_video_options_default();
    options.start = NAN;
    expect_failure(CLIP("upright.mp4"), &options, MRCNN_E_ARGUMENT, "start");
    options = mrcnn_video_options_default();
    options.stride = 0;
    expect_failure(CLIP("upright.mp4"), &options, MRCNN_E_ARGUMENT, "stride");
    options.stride = 1;
    options.channels = 4;
    expect_failure(CLIP("upright.mp4"), &options, MRCNN_E_UNSUPPORTED, "4 channels");
}

static size_t copy_part(const char *from, const char *to, size_t most) {
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out);
    size_t copied = 0;
    for (int c; copied < most && (c = fgetc(in)) != EOF; copied++) fputc(c, out);
    fclose(in);
    assert_int_equal(fclose(out), 0);
    return copied;
}

/* Every beginning of a file is either refused or gives frames, and then it says what is missing. */
static void test_beginnings_of_files(void **state) {
    (void)state;
    static const char *const clips[] = {CLIP("sizes.ts"), CLIP("pcm.avi"), CLIP("vfr.mp4")};
    int opened = 0, told = 0;
    for (size_t c = 0; c < sizeof clips / sizeof *clips; c++) {
        size_t whole = copy_part(clips[c], "part", SIZE_MAX);
        for (size_t length = 1; length < whole; length += whole / 23) {
            mrcnn_error err = MRCNN_ERROR_INIT;
            mrcnn_video *video = NULL;
            mrcnn_frame frame = {0};
            copy_part(clips[c], "part", length);
            if (mrcnn_video_open(&video, "part", NULL, &err) != MRCNN_OK) {
                assert_true(*err.message);
                continue;
            }
            while (next(video, &frame)) assert_non_null(frame.image.pixels);
            opened++;
            mrcnn_video_problems met = mrcnn_video_check(video);
            told += met.cut_short || met.broken;
            close_clip(&video, &frame);
        }
    }
    assert_true(opened > 10);
    assert_true(told > 0);
}

/* Bytes that are overwritten at random places end in frames or in an error, never in a crash. */
static void test_damaged_files(void **state) {
    (void)state;
    static const char *const clips[] = {CLIP("sizes.ts"), CLIP("vfr.mp4"), CLIP("pcm.avi")};
    uint32_t random = 1;
    for (int round = 0; round < 45; round++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_video *video = NULL;
        mrcnn_frame frame = {0};
        size_t whole = copy_part(clips[round % 3], "damaged", SIZE_MAX);
        FILE *file = fopen("damaged", "r+b");
        assert_non_null(file);
        for (int i = 0; i < 20; i++) {
            random = random * 1664525 + 1013904223;
            fseek(file, (long)(random % whole), SEEK_SET);
            fputc((int)(random >> 24), file);
        }
        fclose(file);
        if (mrcnn_video_open(&video, "damaged", NULL, &err) != MRCNN_OK) continue;
        int more = 1;
        while (more && mrcnn_video_next(video, &frame, &more, &err) == MRCNN_OK) {
        }
        close_clip(&video, &frame);
    }
}

static void test_recognising(void **state) {
    (void)state;
    cli_write("text.mp4", "This is text.\n");
    cli_write("empty.mp4", "");
    cli_picture("picture.mp4.png", 20, 20);
    assert_int_equal(rename("picture.mp4.png", "picture.mp4"), 0);
    assert_int_equal(mrcnn_video_recognise(CLIP("vfr.mp4")), 1);
    assert_int_equal(mrcnn_video_recognise(CLIP("sizes.ts")), 1);
    assert_int_equal(mrcnn_video_recognise(CLIP("pcm.avi")), 1);
    assert_int_equal(mrcnn_video_recognise("picture.mp4"), 0);
    assert_int_equal(mrcnn_video_recognise("text.mp4"), 0);
    assert_int_equal(mrcnn_video_recognise("empty.mp4"), 0);
    assert_int_equal(mrcnn_video_recognise("missing.mp4"), 0);
    assert_int_equal(mrcnn_video_recognise("."), 0);
    assert_int_equal(mrcnn_video_recognise(NULL), 0);
}

/* FFmpeg writes what it minds about such a file to stderr, unless it is told not to. */
static void test_nothing_is_printed(void **state) {
    (void)state;
    copy_part(CLIP("vfr.mp4"), "part.mp4", 3000);
    fflush(stderr);
    int kept = dup(2);
    assert_non_null(freopen("printed", "wb", stderr));
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video *video = NULL;
    mrcnn_status status = mrcnn_video_open(&video, "part.mp4", NULL, &err);
    mrcnn_video_free(&video);
    fflush(stderr);
    assert_true(dup2(kept, 2) >= 0);
    close(kept);
    assert_int_not_equal(status, MRCNN_OK);
    char *printed = cli_read("printed");
    assert_string_equal(printed, "");
    free(printed);
}

#else

static void test_a_build_without_ffmpeg_says_so(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video *video = NULL;
    mrcnn_video_writer *writer = NULL;
    assert_int_equal(mrcnn_video_open(&video, "a.mp4", NULL, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "a.mp4: videos need FFmpeg");
    assert_int_equal(mrcnn_video_writer_create(&writer, "b.mp4", NULL, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "b.mp4: videos need FFmpeg");
    assert_int_equal(mrcnn_video_recognise("a.mp4"), 0);
    assert_null(video);
    assert_null(writer);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef MRCNN_WITH_VIDEO
        cmocka_unit_test(test_matrices_and_ranges),
        cmocka_unit_test(test_grey_for_a_grey_network),
        cmocka_unit_test(test_a_turned_clip_is_upright),
        cmocka_unit_test(test_sizes_that_change_are_scaled),
        cmocka_unit_test(test_odd_sides_and_buffers_that_are_reused),
        cmocka_unit_test(test_times_and_numbers),
        cmocka_unit_test(test_parts_are_parts_of_the_whole),
        cmocka_unit_test(test_files_that_are_no_videos),
        cmocka_unit_test(test_frames_that_are_too_large),
        cmocka_unit_test(test_options_that_make_no_sense),
        cmocka_unit_test(test_beginnings_of_files),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_recognising),
        cmocka_unit_test(test_nothing_is_printed),
#else
        cmocka_unit_test(test_a_build_without_ffmpeg_says_so),
#endif
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
