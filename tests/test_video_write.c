/* test_video_write.c - mrcnn_video_writer: what FFmpeg finds in the files, and what our reader gets back of
 * them. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_video.h"

#include <mrcnn/video.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#define CLIP(name) TEST_DATA "/video/" name

#ifdef MRCNN_WITH_VIDEO

/* Bars of the eight corners of the RGB cube, two levels of them. */
static mrcnn_image make_picture(int32_t width, int32_t height) {
    mrcnn_image image = {width, height, 3, malloc(3 * (size_t)width * (size_t)height)};
    assert_non_null(image.pixels);
    for (int32_t i = 0; i < width * height; i++) {
        int bar = i % width * 8 / width, level = i / width < height / 2 ? 255 : 128;
        for (int c = 0; c < 3; c++)
            image.pixels[3 * i + c] = (uint8_t)(bar >> c & 1 ? level : 255 - level);
    }
    return image;
}

static mrcnn_video_writer *begin(const char *path, const mrcnn_video_writer_options *options) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video_writer *writer = NULL;
    if (mrcnn_video_writer_create(&writer, path, options, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    return writer;
}

static void add(mrcnn_video_writer *writer, const mrcnn_image *image, int64_t pts,
                int64_t duration) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_video_write(writer, image, pts, duration, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
}

static void end(mrcnn_video_writer **writer, int cut) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_video_writer_finish(writer, cut, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_null(*writer);
}

static mrcnn_video_writer_options ten_a_second(int32_t width, int32_t height) {
    mrcnn_video_writer_options options = mrcnn_video_writer_options_default();
    options.width = width;
    options.height = height;
    options.rate_num = 10;
    options.rate_den = 1;
    return options;
}

/* The first frame of a file must be the picture, `grown` by what was added to odd sides. */
static void expect_picture(const char *path, const mrcnn_image *image, int grown, int tolerance) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video *video = NULL;
    mrcnn_frame frame = {0};
    int more = 0;
    assert_int_equal(mrcnn_video_open(&video, path, NULL, &err), MRCNN_OK);
    assert_int_equal(mrcnn_video_next(video, &frame, &more, &err), MRCNN_OK);
    assert_int_equal(frame.image.width, image->width + grown);
    assert_int_equal(frame.image.height, image->height + grown);
    int32_t bar = image->width / 8;
    const int32_t rows[] = {2, image->height * 3 / 4, frame.image.height - 1};
    for (int32_t r = 0; r < 3; r++)
        for (int32_t x = bar / 2; x < image->width; x += bar) {
            int32_t y = rows[r];
            int32_t from = y < image->height ? y : image->height - 1;
            const uint8_t *is = frame.image.pixels + 3 * (y * frame.image.width + x);
            const uint8_t *was = image->pixels + 3 * (from * image->width + x);
            for (int c = 0; c < 3; c++)
                if (abs(is[c] - was[c]) > tolerance)
                    fail_msg("%s: (%d, %d): %d %d %d, not %d %d %d", path, x, y, is[0], is[1],
                             is[2], was[0], was[1], was[2]);
        }
    mrcnn_image_free(&frame.image);
    mrcnn_video_free(&video);
}

/* -------------------------------------------------------------------------------------- pictures */

static void test_colors_come_back(void **state) {
    (void)state;
    static const struct {
        int32_t width, height;
        int matrix; /* AVCOL_SPC_SMPTE170M, AVCOL_SPC_BT709 */
    } sizes[] = {{160, 96, 6}, {1280, 32, 1}};
    for (size_t i = 0; i < 2; i++) {
        mrcnn_image image = make_picture(sizes[i].width, sizes[i].height);
        mrcnn_video_writer_options options = ten_a_second(image.width, image.height);
        options.quality = 4;
        mrcnn_video_writer *writer = begin("colors.mp4", &options);
        for (int f = 0; f < 3; f++) add(writer, &image, f, 1);
        end(&writer, 0);
        expect_picture("colors.mp4", &image, 0, 4);
        video_packets packets;
        assert_true(video_read_packets(&packets, "colors.mp4", 0));
        assert_int_equal(packets.matrix, sizes[i].matrix);
        assert_int_equal(packets.count, 3);
        assert_true(fabs(packets.seconds - 0.3) < 1e-6);
        mrcnn_image_free(&image);
    }
}

static void test_odd_sides_are_filled_up(void **state) {
    (void)state;
    mrcnn_image image = make_picture(161, 97);
    mrcnn_video_writer_options options = ten_a_second(161, 97);
    options.quality = 4;
    mrcnn_video_writer *writer = begin("odd.mp4", &options);
    add(writer, &image, 0, 1);
    end(&writer, 0);
    expect_picture("odd.mp4", &image, 1, 4);
    mrcnn_image_free(&image);
}

static void test_grey_pictures(void **state) {
    (void)state;
    uint8_t pixels[16 * 16];
    memset(pixels, 77, sizeof pixels);
    mrcnn_image image = {16, 16, 1, pixels};
    mrcnn_video_writer_options options = ten_a_second(16, 16);
    mrcnn_video_writer *writer = begin("grey.mkv", &options);
    add(writer, &image, 0, 1);
    end(&writer, 0);
    uint8_t rgb[3 * 16 * 16];
    memset(rgb, 77, sizeof rgb);
    mrcnn_image expected = {16, 16, 3, rgb};
    expect_picture("grey.mkv", &expected, 0, 2);
}

/* The encoder that every FFmpeg has. Its clock is coarser. */
static void test_another_encoder(void **state) {
    (void)state;
    mrcnn_image image = make_picture(160, 96);
    mrcnn_video_writer_options options = ten_a_second(160, 96);
    options.encoder = "mpeg4";
    options.quality = 4;
    options.time_num = 1;
    options.time_den = 90000;
    mrcnn_video_writer *writer = begin("old.mp4", &options);
    assert_string_equal(mrcnn_video_writer_encoder(writer), "mpeg4");
    for (int f = 0; f < 5; f++) add(writer, &image, 9000 * f + f / 4, 9000);
    end(&writer, 0);
    expect_picture("old.mp4", &image, 0, 14);
    video_packets packets;
    assert_true(video_read_packets(&packets, "old.mp4", 0));
    assert_string_equal(packets.codec, "mpeg4");
    assert_int_equal(packets.count, 5);
    for (int f = 0; f < 5; f++) assert_true(fabs(packets.times[f] - 0.1 * f) < 1e-4);
    mrcnn_image_free(&image);
}

/* ------------------------------------------------------------------------- times and sound kept */

static void copy_clip(const char *from, const char *to, const mrcnn_video_options *how,
                      const char *encoder) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video *video = NULL;
    mrcnn_frame frame = {0};
    int more = 1;
    if (mrcnn_video_open(&video, from, how, &err) != MRCNN_OK) fail_msg("%s", err.message);
    mrcnn_video_writer_options options = mrcnn_video_writer_options_default();
    options.like = video;
    options.sound = from;
    options.encoder = encoder;
    if (how && how->start > 0) options.start = mrcnn_video_describe(video)->first;
    mrcnn_video_writer *writer = begin(to, &options);
    while (mrcnn_video_next(video, &frame, &more, &err) == MRCNN_OK && more)
        add(writer, &frame.image, frame.pts, frame.duration);
    end(&writer, how && how->end > 0);
    mrcnn_image_free(&frame.image);
    mrcnn_video_free(&video);
}

/* The packets of the copy are shown when those of the original are; of sound they are the same bytes. */
static void expect_same(const char *from, const char *to, int sound, double later) {
    video_packets was, is;
    assert_true(video_read_packets(&was, from, sound));
    assert_true(video_read_packets(&is, to, sound));
    assert_true(was.count > 1);
    assert_int_equal(is.count, was.count);
    for (int i = 0; i < was.count; i++) {
        double expected = was.times[i] + later;
        if (fabs(is.times[i] - expected) > 2e-3) /* .mkv counts in thousandths */
            fail_msg("%s: packet %d is at %.4f s, not %.4f", to, i, is.times[i], expected);
        if (sound && is.bytes[i] != was.bytes[i]) fail_msg("%s: packet %d has other bytes", to, i);
    }
    if (sound) assert_string_equal(is.codec, was.codec);
}

static void test_uneven_times_and_sound_are_kept(void **state) {
    (void)state;
    static const char *const copies[] = {"copy.mp4", "copy.mov", "copy.mkv"};
    for (size_t i = 0; i < 3; i++) {
        /* AAC begins one packet before 0, for which Matroska has no numbers: all of it is later. */
        double later = i == 2 ? 0.064 : 0;
        copy_clip(CLIP("vfr.mp4"), copies[i], NULL, NULL);
        expect_same(CLIP("vfr.mp4"), copies[i], 0, later);
        expect_same(CLIP("vfr.mp4"), copies[i], 1, later);
    }
    video_packets packets;
    assert_true(video_read_packets(&packets, "copy.mp4", 0));
    assert_true(packets.seconds > 0.74 && packets.seconds < 0.81); /* the last frame, too */
}

/* One packet of sound is 64 ms: one that the cut goes through stays in. */
static void test_a_part_has_its_part_of_the_sound(void **state) {
    (void)state;
    mrcnn_video_options how = mrcnn_video_options_default();
    how.start = 0.2;
    how.end = 0.55;
    copy_clip(CLIP("vfr.mp4"), "part.mp4", &how, NULL);
    video_packets pictures, sound;
    assert_true(video_read_packets(&pictures, "part.mp4", 0));
    assert_true(video_read_packets(&sound, "part.mp4", 1));
    static const double times[] = {0, 0.1, 0.2, 0.3};
    assert_int_equal(pictures.count, 4);
    for (int i = 0; i < 4; i++) assert_true(fabs(pictures.times[i] - times[i]) < 1e-3);
    assert_true(sound.first > -0.065 && sound.first <= 0.065);
    assert_true(sound.last < 0.41 && sound.last > 0.2);
}

static void append(const char *from, FILE *to) {
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;) fputc(c, to);
    fclose(file);
}

/* Recordings behind each other, of which each begins with the same time. */
static void test_clocks_that_begin_anew(void **state) {
    (void)state;
    FILE *file = fopen("twice.ts", "wb");
    assert_non_null(file);
    append(CLIP("tape.ts"), file);
    append(CLIP("tape.ts"), file);
    assert_int_equal(fclose(file), 0);
    copy_clip("twice.ts", "twice.mp4", NULL, NULL);
    video_packets once, twice;
    for (int sound = 0; sound < 2; sound++) {
        assert_true(video_read_packets(&once, CLIP("tape.ts"), sound));
        assert_true(video_read_packets(&twice, "twice.mp4", sound));
        assert_int_equal(twice.count, 2 * once.count);
        double longest = sound ? 0.066 : 0.101, shortest = sound ? 0.062 : 0.099;
        for (int i = 1; i < twice.count; i++) {
            double step = twice.times[i] - twice.times[i - 1];
            if (step < shortest || step > longest) fail_msg("%d: step %d is %g", sound, i, step);
        }
    }
}

static void test_sound_that_mp4_cannot_hold(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video_writer *writer = NULL;
    mrcnn_video_writer_options options = ten_a_second(32, 32);
    options.sound = CLIP("pcm.avi");
    assert_int_equal(mrcnn_video_writer_create(&writer, "pcm.mp4", &options, &err),
                     MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "pcm.mp4");
    assert_contains(err.message, "pcm_s16le");
    assert_contains(err.message, ".mkv");
    assert_int_equal(cli_count(".", "pcm"), 0);
    copy_clip(CLIP("pcm.avi"), "pcm.mkv", NULL, NULL);
    expect_same(CLIP("pcm.avi"), "pcm.mkv", 0, 0);
    expect_same(CLIP("pcm.avi"), "pcm.mkv", 1, 0);
}

static void test_a_turned_clip_needs_no_turn_any_more(void **state) {
    (void)state;
    copy_clip(CLIP("turned.mp4"), "upright.mp4", NULL, NULL);
    video_packets packets;
    assert_true(video_read_packets(&packets, "upright.mp4", 0));
    assert_int_equal(packets.width, 48);
    assert_int_equal(packets.height, 64);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video *video = NULL;
    assert_int_equal(mrcnn_video_open(&video, "upright.mp4", NULL, &err), MRCNN_OK);
    assert_int_equal(mrcnn_video_describe(video)->orientation, 1);
    assert_null(mrcnn_video_describe(video)->sound);
    mrcnn_video_free(&video);
}

/* ---------------------------------------------------------------------------------- whole files */

static void test_nothing_is_left_of_what_is_not_finished(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = make_picture(32, 32);
    mrcnn_video_writer_options options = ten_a_second(32, 32);
    mrcnn_video_writer *writer = begin("gone.mp4", &options);
    assert_false(cli_exists("gone.mp4"));
    assert_int_equal(cli_count(".", "gone.mp4.part"), 1);
    add(writer, &image, 0, 1);
    mrcnn_video_writer_free(&writer);
    assert_null(writer);
    writer = begin("gone.mp4", &options);
    assert_int_equal(mrcnn_video_writer_finish(&writer, 0, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "no frames");
    assert_null(writer);
    assert_int_equal(cli_count(".", "gone"), 0);
    mrcnn_video_writer_free(&writer);
    mrcnn_video_writer_free(NULL);
    mrcnn_image_free(&image);
}

static void test_a_full_disk(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = make_picture(320, 240);
    mrcnn_video_writer_options options = ten_a_second(320, 240);
    options.quality = 0;
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 20000;
    signal(SIGXFSZ, SIG_IGN);
    mrcnn_video_writer *writer = begin("full.mp4", &options);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    mrcnn_status status = MRCNN_OK;
    uint32_t random = 1;
    for (int f = 0; f < 60 && status == MRCNN_OK; f++) {
        for (int i = 0; i < 320 * 240 * 3; i += 7) {
            random = random * 1664525 + 1013904223;
            image.pixels[i] = (uint8_t)(random >> 24);
        }
        status = mrcnn_video_write(writer, &image, f, 1, &err);
    }
    mrcnn_status ended = mrcnn_video_writer_finish(&writer, 0, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(ended, MRCNN_E_IO);
    assert_contains(err.message, "full.mp4");
    assert_int_equal(cli_count(".", "full"), 0);
    mrcnn_image_free(&image);
}

static void expect_refusal(const char *path, const mrcnn_video_writer_options *options,
                           mrcnn_status expected, const char *part) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_video_writer *writer = NULL;
    assert_int_equal(mrcnn_video_writer_create(&writer, path, options, &err), expected);
    assert_null(writer);
    assert_contains(err.message, part);
}

static void test_options_that_make_no_sense(void **state) {
    (void)state;
    mrcnn_video_writer_options good = ten_a_second(32, 32), o = good;
    expect_refusal("a.avi", &o, MRCNN_E_ARGUMENT, ".mp4, .m4v, .mov or .mkv");
    expect_refusal(NULL, &o, MRCNN_E_ARGUMENT, "no name");
    expect_refusal("missing/a.mp4", &o, MRCNN_E_IO, "missing/a.mp4");
    expect_refusal("a.mp4", NULL, MRCNN_E_ARGUMENT, "0 x 0");
    o.width = 20000;
    expect_refusal("a.mp4", &o, MRCNN_E_ARGUMENT, "20000 x 32");
    o = good, o.rate_num = 0;
    expect_refusal("a.mp4", &o, MRCNN_E_ARGUMENT, "rate");
    o = good, o.quality = 52;
    expect_refusal("a.mp4", &o, MRCNN_E_ARGUMENT, "quality 52");
    o = good, o.encoder = "aac";
    expect_refusal("a.mp4", &o, MRCNN_E_UNSUPPORTED, "aac");
    o = good, o.sound = "missing.mp4";
    expect_refusal("a.mp4", &o, MRCNN_E_IO, "missing.mp4");
    o = good, o.start = NAN;
    expect_refusal("a.mp4", &o, MRCNN_E_ARGUMENT, "begin");
    assert_int_equal(cli_count(".", "a.mp4"), 0);
}

static void test_frames_that_do_not_fit(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = make_picture(32, 32), other = make_picture(40, 32);
    mrcnn_video_writer_options options = ten_a_second(32, 32);
    options.start = 0.5;
    mrcnn_video_writer *writer = begin("fit.mp4", &options);
    assert_int_equal(mrcnn_video_write(writer, &other, 5, 1, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "32 x 32");
    assert_int_equal(mrcnn_video_write(writer, &image, 4, 1, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "before the start");
    add(writer, &image, 5, 1);
    assert_int_equal(mrcnn_video_write(writer, &image, 5, 1, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "must rise");
    add(writer, &image, 6, 1);
    end(&writer, 0);
    video_packets packets;
    assert_true(video_read_packets(&packets, "fit.mp4", 0));
    assert_int_equal(packets.count, 2);
    assert_true(fabs(packets.first) < 1e-6);
    mrcnn_image_free(&image);
    mrcnn_image_free(&other);
}

#else

static void test_defaults_are_there_without_ffmpeg(void **state) {
    (void)state;
    assert_int_equal(mrcnn_video_writer_options_default().quality, 20);
    assert_int_equal(mrcnn_video_options_default().stride, 1);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef MRCNN_WITH_VIDEO
        cmocka_unit_test(test_colors_come_back),
        cmocka_unit_test(test_odd_sides_are_filled_up),
        cmocka_unit_test(test_grey_pictures),
        cmocka_unit_test(test_another_encoder),
        cmocka_unit_test(test_uneven_times_and_sound_are_kept),
        cmocka_unit_test(test_a_part_has_its_part_of_the_sound),
        cmocka_unit_test(test_clocks_that_begin_anew),
        cmocka_unit_test(test_sound_that_mp4_cannot_hold),
        cmocka_unit_test(test_a_turned_clip_needs_no_turn_any_more),
        cmocka_unit_test(test_nothing_is_left_of_what_is_not_finished),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_options_that_make_no_sense),
        cmocka_unit_test(test_frames_that_do_not_fit),
#else
        cmocka_unit_test(test_defaults_are_there_without_ffmpeg),
#endif
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
