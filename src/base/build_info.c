/* build_info.c - which libraries this library was built with or runs on, and which instructions the
 * processor has. Texts that must be put together are made once and never change. */
#include <mrcnn/mrcnn.h>

#include <dnnl.h>
#include <hdf5.h>
#include <png.h>
#include <pthread.h>
#include <stdio.h>
#include <jpeglib.h>
#include <string.h>
#include <yaml.h>
#ifdef MRCNN_WITH_CAIRO
#include <cairo.h>
#endif
#ifdef MRCNN_WITH_VIDEO
#include <libavutil/avutil.h>
#endif
#ifdef MRCNN_WITH_CURL
#include <curl/curl.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *mrcnn_version(void) {
    return DOTTED(MRCNN_VERSION_MAJOR, MRCNN_VERSION_MINOR, MRCNN_VERSION_PATCH);
}

static const char *jpeg_version(void) {
#ifdef LIBJPEG_TURBO_VERSION
    return TEXT(LIBJPEG_TURBO_VERSION);
#else
    return "another libjpeg, API " TEXT(JPEG_LIB_VERSION);
#endif
}

static const char *hdf5_version(void) {
    return DOTTED(H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
}

static const char *png_version(void) {
    return png_get_libpng_ver(NULL);
}

static const char *cairo_version_text(void) {
#ifdef MRCNN_WITH_CAIRO
    return cairo_version_string();
#else
    return "not built in";
#endif
}

static const char *ffmpeg_version_text(void) {
#ifdef MRCNN_WITH_VIDEO
    return av_version_info();
#else
    return "not built in";
#endif
}

static const char *curl_version_text(void) {
#ifdef MRCNN_WITH_CURL
    return curl_version_info(CURLVERSION_NOW)->version;
#else
    return "not built in";
#endif
}

static const char *compiler(void) {
#if defined(__clang__)
    return __VERSION__;
#elif defined(__GNUC__)
    return "GCC " __VERSION__;
#else
    return "unknown";
#endif
}

/* -------------------------------------------------------------------------- texts made once */

typedef struct made_texts {
    char dnnl[32];
    char cpu[64];
} made_texts;

static made_texts made; /* written under `once` and never again */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void describe_dnnl(char *text, size_t room) {
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, room, "%d.%d.%d", v->major, v->minor, v->patch);
}

static void add_word(char *text, size_t room, const char *word, int present) {
    size_t used = strlen(text);
    if (present) snprintf(text + used, room - used, "%s%s", used ? " " : "", word);
}

#if defined(__x86_64__)
/* AMX is too young for __builtin_cpu_supports: leaf 7, EDX, bit 24 (tiles). */
static int has_amx(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1);
}

static void describe_cpu(char *text, size_t room) {
    add_word(text, room, "SSE2", 1);
    add_word(text, room, "AVX2", __builtin_cpu_supports("avx2") != 0);
    add_word(text, room, "FMA", __builtin_cpu_supports("fma") != 0);
    int avx512 = __builtin_cpu_supports("avx512f") != 0;
    add_word(text, room, "AVX-512", avx512);
    add_word(text, room, "VNNI", avx512 && __builtin_cpu_supports("avx512vnni"));
    add_word(text, room, "BF16", avx512 && __builtin_cpu_supports("avx512bf16"));
    add_word(text, room, "AMX", avx512 && has_amx());
}
#elif defined(__aarch64__)
static void describe_cpu(char *text, size_t room) {
    add_word(text, room, "NEON", 1);
}
#else
static void describe_cpu(char *text, size_t room) {
    add_word(text, room, "generic", 1);
}
#endif

static void make_texts(void) {
    describe_dnnl(made.dnnl, sizeof made.dnnl);
    describe_cpu(made.cpu, sizeof made.cpu);
}

static const char *dnnl_version_text(void) {
    pthread_once(&once, make_texts);
    return made.dnnl;
}

static const char *cpu(void) {
    pthread_once(&once, make_texts);
    return made.cpu;
}

/* ---------------------------------------------------------------------------------- the list */

mrcnn_build_item mrcnn_build_info(size_t index) {
    static const struct {
        const char *name;
        const char *(*value)(void);
    } items[] = {
        {"mrcnn", mrcnn_version},
        {"oneDNN", dnnl_version_text},
        {"HDF5", hdf5_version},
        {"libjpeg-turbo", jpeg_version},
        {"libpng", png_version},
        {"libyaml", yaml_get_version_string},
        {"cairo", cairo_version_text},
        {"FFmpeg", ffmpeg_version_text},
        {"libcurl", curl_version_text},
        {"compiler", compiler},
        {"cpu", cpu},
    };
    mrcnn_build_item item = {NULL, NULL};
    if (index < sizeof items / sizeof *items) {
        item.name = items[index].name;
        item.value = items[index].value();
    }
    return item;
}
