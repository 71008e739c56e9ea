/* test_fetch.c - downloads from a little HTTP server in this process that can misbehave in every
 * way in which servers and connections do.
 */
#include "base/file.h"
#include "helper_weights.h"
#include "weights/checksum.h"
#include "weights/fetch.h"
#include "weights/published.h"
#include "weights/weights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef MRCNN_WITH_CURL
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

/* ----------------------------------------------------------------------------------- the server */

typedef enum manner {
    SERVE,
    CUT,                /* promises all, sends half, closes */
    STALL,              /* sends half, then nothing */
    CORRUPT,            /* flips a byte */
    IGNORE_RANGE,       /* answers 200 with the whole file to any request */
    REDIRECT,           /* to /file, which is served */
    REDIRECT_ELSEWHERE, /* to a file: URL */
    NOT_FOUND,
    BROKEN, /* 503 */
    HTML,   /* a page with status 200 */
    NOTHING /* an empty 200 */
} manner;

static struct server {
    int listener;
    int port;
    pthread_t thread;
    atomic_int manner, requests, ranges, stop; /* ranges: requests that asked for a part */
    unsigned char *bytes;
    size_t length;
} server;

static void send_all(int to, const void *bytes, size_t length) {
    const char *p = bytes;
    while (length > 0) {
        ssize_t n = send(to, p, length, MSG_NOSIGNAL);
        if (n <= 0) return;
        p += n;
        length -= (size_t)n;
    }
}

static void send_head(int to, const char *status, size_t length, const char *more) {
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
             status, length, more);
    send_all(to, head, strlen(head));
}

static void send_range(int to, size_t from, size_t bytes) {
    char more[128];
    snprintf(more, sizeof more, "Content-Range: bytes %zu-%zu/%zu\r\n", from, server.length - 1,
             server.length);
    if (from >= server.length) {
        send_head(to, "416 Range Not Satisfiable", 0, "");
        return;
    }
    send_head(to, from ? "206 Partial Content" : "200 OK", server.length - from, from ? more : "");
    send_all(to, server.bytes + from, bytes < server.length - from ? bytes : server.length - from);
}

static void send_corrupt(int to, size_t from) {
    unsigned char *copy = malloc(server.length);
    memcpy(copy, server.bytes, server.length);
    copy[server.length - 1] ^= 1;
    char more[128];
    snprintf(more, sizeof more, "Content-Range: bytes %zu-%zu/%zu\r\n", from, server.length - 1,
             server.length);
    send_head(to, from ? "206 Partial Content" : "200 OK", server.length - from, from ? more : "");
    send_all(to, copy + from, server.length - from);
    free(copy);
}

static void wait_until_stopped_or_closed(int to) {
    char byte;
    for (int i = 0; i < 200 && !server.stop; i++) {
        struct pollfd fd = {to, POLLIN, 0};
        if (poll(&fd, 1, 50) > 0 && recv(to, &byte, 1, 0) <= 0) return;
    }
}

static void answer(int to) {
    static const char page[] = "<!DOCTYPE html><html>Sign in</html>";
    char request[4096] = "";
    size_t used = 0;
    while (used + 1 < sizeof request && !strstr(request, "\r\n\r\n")) {
        ssize_t n = recv(to, request + used, sizeof request - 1 - used, 0);
        if (n <= 0) return;
        used += (size_t)n;
        request[used] = 0;
    }
    size_t from = 0;
    const char *range = strstr(request, "Range: bytes=");
    if (range) from = strtoul(range + strlen("Range: bytes="), NULL, 10);
    server.requests++;
    if (range) server.ranges++;
    int manner = server.manner;
    if (strncmp(request, "GET /file ", 10) == 0) manner = SERVE;
    switch (manner) {
    case SERVE: send_range(to, from, server.length); break;
    case CUT: send_range(to, from, (server.length - from) / 2); break;
    case STALL:
        send_range(to, from, (server.length - from) / 2);
        wait_until_stopped_or_closed(to);
        break;
    case CORRUPT: send_corrupt(to, from); break;
    case IGNORE_RANGE: send_range(to, 0, server.length); break;
    case REDIRECT: send_head(to, "302 Found", 0, "Location: /file\r\n"); break;
    case REDIRECT_ELSEWHERE:
        send_head(to, "302 Found", 0, "Location: file:///etc/passwd\r\n");
        break;
    case NOT_FOUND: send_head(to, "404 Not Found", 0, ""); break;
    case BROKEN: send_head(to, "503 Service Unavailable", 0, ""); break;
    case HTML:
        send_head(to, "200 OK", sizeof page - 1, "Content-Type: text/html\r\n");
        send_all(to, page, sizeof page - 1);
        break;
    case NOTHING: send_head(to, "200 OK", 0, ""); break;
    }
}

static void *serve(void *unused) {
    while (!server.stop) {
        struct pollfd fd = {server.listener, POLLIN, 0};
        if (poll(&fd, 1, 50) <= 0) continue;
        int to = accept(server.listener, NULL, NULL);
        if (to < 0) continue;
        answer(to);
        close(to);
    }
    return unused;
}

static void make_payload(void) {
    mr_tensors *set = mr_tensors_create();
    mr_tensor *t;
    int64_t shape[5] = {300, 400};
    assert_int_equal(mr_tensors_add(set, "fc", "kernel", 2, shape, &t, NULL), MRCNN_OK);
    mr_tensor_initialise(t, 1);
    assert_int_equal(mr_weights_write(set, NULL, scratch("payload.h5"), NULL), MRCNN_OK);
    mr_tensors_free(&set);
    void *bytes = NULL;
    assert_int_equal(mr_file_read(scratch("payload.h5"), 0, &bytes, &server.length, NULL),
                     MRCNN_OK);
    server.bytes = bytes;
}

static char md5[33], url[64];

static int start(void **state) {
    (void)state;
    static const char *const proxies[] = {"http_proxy", "https_proxy", "all_proxy",
                                          "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++) unsetenv(proxies[i]);
    make_scratch();
    make_payload();
    if (mr_file_md5(md5, scratch("payload.h5"), NULL) != MRCNN_OK) return -1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server.listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server.listener, 8) != 0 ||
        getsockname(server.listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    server.port = ntohs(address.sin_port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/weights.h5", server.port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop(void **state) {
    (void)state;
    server.stop = 1;
    pthread_join(server.thread, NULL);
    close(server.listener);
    free(server.bytes);
    remove_scratch();
    return 0;
}

/* ------------------------------------------------------------------------------------- requests */

static mrcnn_error err;

static mrcnn_status fetch(manner how, const char *checksum, const mrcnn_fetch_options *given,
                          char **path) {
    mrcnn_fetch_options options = mrcnn_fetch_options_default();
    options.stall_seconds = 1;
    mr_source source = {url, "weights.h5", checksum};
    server.manner = how;
    server.requests = server.ranges = 0;
    err = (mrcnn_error)MRCNN_ERROR_INIT;
    *path = NULL;
    return mr_fetch_file(path, &source, scratch("cache"), given ? given : &options, &err);
}

static void check_file(const char *path) {
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(mr_file_read(path, 0, &bytes, &length, NULL), MRCNN_OK);
    assert_int_equal(length, server.length);
    assert_memory_equal(bytes, server.bytes, length);
    free(bytes);
}

static int exists(const char *name) {
    return access(scratch(name), F_OK) == 0;
}

static void check_fetched(manner how, const char *checksum) {
    char *path;
    if (fetch(how, checksum, NULL, &path) != MRCNN_OK) fail_msg("%s", err.message);
    assert_string_equal(path, scratch("cache/weights.h5"));
    check_file(path);
    assert_false(exists("cache/weights.h5.part"));
    mrcnn_string_free(&path);
    assert_null(path);
}

static void check_failed(manner how, const char *checksum, mrcnn_status wanted, const char *says) {
    char *path;
    mrcnn_status status = fetch(how, checksum, NULL, &path);
    if (status != wanted || !strstr(err.message, says) || !strstr(err.message, url))
        fail_msg("%s: %s", mrcnn_status_name(status), err.message);
    assert_null(path);
    assert_false(exists("cache/weights.h5"));
}

static int clear(void **state) {
    (void)state;
    unlink(scratch("cache/weights.h5"));
    unlink(scratch("cache/weights.h5.part"));
    return 0;
}

static void put_part(const void *bytes, size_t length) {
    assert_int_equal(mr_make_directories(scratch("cache"), NULL), MRCNN_OK);
    assert_int_equal(mr_file_write(scratch("cache/weights.h5.part"), bytes, length, NULL),
                     MRCNN_OK);
}

/* --------------------------------------------------------------------------------------- tests */

static void test_fetch_and_cache(void **state) {
    (void)state;
    check_fetched(SERVE, md5);
    assert_int_equal(server.requests, 1);
    check_fetched(SERVE, md5);
    assert_int_equal(server.requests, 0); /* from the cache */
    check_fetched(SERVE, NULL);
    assert_int_equal(server.requests, 0); /* opens as weights */
    assert_int_equal(mr_file_write(scratch("cache/weights.h5"), "damaged", 7, NULL), MRCNN_OK);
    check_fetched(SERVE, md5);
    assert_int_equal(server.requests, 1); /* a damaged cache is replaced */
}

static void test_without_checksum(void **state) {
    (void)state;
    check_fetched(SERVE, NULL);
    clear(NULL);
    check_failed(HTML, NULL, MRCNN_E_NETWORK, "HTML");
    assert_false(exists("cache/weights.h5.part"));
    /* Nothing would tell whether a rest belongs to this file: from the beginning. */
    put_part("something else", 14);
    check_fetched(SERVE, NULL);
    assert_int_equal(server.ranges, 0);
    clear(NULL);
    check_failed(CUT, NULL, MRCNN_E_NETWORK, "broke");
    assert_false(exists("cache/weights.h5.part"));
}

static void test_resume(void **state) {
    (void)state;
    check_failed(CUT, md5, MRCNN_E_NETWORK, "goes on");
    assert_true(exists("cache/weights.h5.part"));
    check_fetched(SERVE, md5);
    assert_int_equal(server.requests, 1);
    assert_int_equal(server.ranges, 1);
}

static void test_resume_is_refused(void **state) {
    (void)state;
    check_failed(CUT, md5, MRCNN_E_NETWORK, "goes on");
    check_fetched(IGNORE_RANGE, md5);
    clear(NULL);
    put_part(server.bytes, server.length); /* stopped before it was renamed */
    check_fetched(SERVE, md5);
    assert_int_equal(server.requests, 0);
    clear(NULL);
    unsigned char *longer = calloc(1, server.length + 10);
    put_part(longer, server.length + 10); /* 416: from the beginning */
    free(longer);
    check_fetched(SERVE, md5);
    assert_int_equal(server.requests, 2);
}

static void test_stall(void **state) {
    (void)state;
    check_failed(STALL, md5, MRCNN_E_NETWORK, "nothing arrives");
    assert_true(exists("cache/weights.h5.part"));
    check_fetched(SERVE, md5);
    assert_int_equal(server.ranges, 1);
}

static void test_corrupt(void **state) {
    (void)state;
    check_failed(CORRUPT, md5, MRCNN_E_NETWORK, md5);
    assert_non_null(strstr(err.message, "removed"));
    assert_false(exists("cache/weights.h5.part"));
    check_fetched(SERVE, md5);
    clear(NULL);
    put_part("the beginning of something else", 31);
    check_failed(SERVE, md5, MRCNN_E_NETWORK, "checksum");
    assert_false(exists("cache/weights.h5.part"));
}

static void test_redirect(void **state) {
    (void)state;
    check_fetched(REDIRECT, md5);
    assert_int_equal(server.requests, 2);
    clear(NULL);
    check_failed(REDIRECT_ELSEWHERE, md5, MRCNN_E_NETWORK, "only http and https");
}

static void test_answers(void **state) {
    (void)state;
    check_failed(NOT_FOUND, md5, MRCNN_E_NETWORK, "404");
    check_failed(BROKEN, md5, MRCNN_E_NETWORK, "503");
    check_failed(NOTHING, md5, MRCNN_E_NETWORK, "checksum");
    check_failed(NOTHING, NULL, MRCNN_E_NETWORK, "empty");
    assert_false(exists("cache/weights.h5.part"));
    /* A server's bad moment must not cost what there is already. */
    check_failed(CUT, md5, MRCNN_E_NETWORK, "goes on");
    check_failed(BROKEN, md5, MRCNN_E_NETWORK, "503");
    check_fetched(SERVE, md5);
    assert_int_equal(server.ranges, 1);
}

static void test_no_server(void **state) {
    (void)state;
    char *path = NULL;
    mrcnn_fetch_options options = mrcnn_fetch_options_default();
    mr_source source = {"http://127.0.0.1:1/weights.h5", "weights.h5", md5};
    assert_int_equal(mr_fetch_file(&path, &source, scratch("cache"), &options, &err),
                     MRCNN_E_NETWORK);
    assert_non_null(strstr(err.message, source.url));
    source.url = "ftp://127.0.0.1/weights.h5";
    assert_int_equal(mr_fetch_file(&path, &source, scratch("cache"), &options, &err),
                     MRCNN_E_NETWORK);
    source.url = "file:///etc/passwd";
    assert_int_equal(mr_fetch_file(&path, &source, scratch("cache"), &options, &err),
                     MRCNN_E_NETWORK);
    assert_null(path);
}

typedef struct watch {
    int calls, stop_after;
    uint64_t done, total;
} watch;

static int watch_progress(void *user, uint64_t done, uint64_t total) {
    watch *w = user;
    w->calls++;
    if (done < w->done) w->calls = -1000000; /* never backwards */
    w->done = done;
    if (total) w->total = total;
    return w->stop_after && done > 0;
}

static void test_progress_and_cancel(void **state) {
    (void)state;
    char *path;
    watch w = {.stop_after = 1};
    mrcnn_fetch_options options = mrcnn_fetch_options_default();
    options.progress = watch_progress;
    options.user = &w;
    options.stall_seconds = 5;
    assert_int_equal(fetch(STALL, md5, &options, &path), MRCNN_E_CANCELLED);
    assert_null(path);
    assert_true(exists("cache/weights.h5.part"));
    assert_true(w.done < server.length);
    w = (watch){0};
    assert_int_equal(fetch(SERVE, md5, &options, &path), MRCNN_OK);
    assert_int_equal(server.ranges, 1);
    assert_true(w.calls > 0);
    assert_int_equal(w.done, server.length); /* with what was there before */
    assert_int_equal(w.total, server.length);
    mrcnn_string_free(&path);
}

static void *fetch_again(void *result) {
    char *path = NULL;
    mrcnn_fetch_options options = mrcnn_fetch_options_default();
    mr_source source = {url, "weights.h5", md5};
    *(mrcnn_status *)result = mr_fetch_file(&path, &source, scratch("cache"), &options, NULL);
    mrcnn_string_free(&path);
    return NULL;
}

/* While one download runs, another one of the same file does not write into it. */
static int start_second(void *user, uint64_t done, uint64_t total) {
    mrcnn_status *result = user;
    (void)done;
    (void)total;
    if (*result == MRCNN_OK) {
        pthread_t thread;
        pthread_create(&thread, NULL, fetch_again, result);
        pthread_join(thread, NULL);
    }
    return 0;
}

static void test_two_at_once(void **state) {
    (void)state;
    char *path;
    mrcnn_status second = MRCNN_OK;
    mrcnn_fetch_options options = mrcnn_fetch_options_default();
    options.progress = start_second;
    options.user = &second;
    assert_int_equal(fetch(SERVE, md5, &options, &path), MRCNN_OK);
    assert_int_equal(second, MRCNN_E_IO);
    check_file(path);
    mrcnn_string_free(&path);
}

static void test_unwritable(void **state) {
    (void)state;
    char *path = NULL;
    mrcnn_fetch_options options = mrcnn_fetch_options_default();
    mr_source source = {url, "weights.h5", md5};
    assert_int_equal(mr_fetch_file(&path, &source, scratch("payload.h5"), &options, &err),
                     MRCNN_E_IO);
    assert_non_null(strstr(err.message, "payload.h5"));
}

/* The public function: names, options and where the cache is. */
static void test_public(void **state) {
    (void)state;
    char *path = NULL, *again = NULL;
    mrcnn_fetch_options options = mrcnn_fetch_options_default();
    assert_int_equal(options.stall_seconds, 30);
    assert_int_equal(mrcnn_weights_fetch(&path, "nothing", &options, &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, "coco"));
    server.manner = SERVE;
    server.requests = 0;
    setenv("XDG_CACHE_HOME", scratch("xdg"), 1);
    options.url = url;
    assert_int_equal(mrcnn_weights_fetch(&path, "coco", &options, &err), MRCNN_OK);
    check_file(path);
    assert_true(strncmp(path, scratch("xdg/mrcnn/coco-"), strlen(scratch("xdg/mrcnn/coco-"))) == 0);
    assert_int_equal(mrcnn_weights_fetch(&again, "coco", &options, &err), MRCNN_OK);
    assert_string_equal(path, again);
    assert_int_equal(server.requests, 1);
    mrcnn_string_free(&path);
    mrcnn_string_free(&again);

    setenv("XDG_CACHE_HOME", "relative", 1); /* to be ignored */
    setenv("HOME", scratch("home"), 1);
    assert_int_equal(mrcnn_weights_fetch(&path, "balloon", &options, &err), MRCNN_OK);
    assert_non_null(strstr(path, "/home/.cache/mrcnn/balloon-"));
    mrcnn_string_free(&path);
    options.directory = scratch("mine");
    assert_int_equal(mrcnn_weights_fetch(&path, "imagenet", &options, &err), MRCNN_OK);
    assert_non_null(strstr(path, "/mine/imagenet-"));
    mrcnn_string_free(&path);

    options.directory = NULL;
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_int_equal(mrcnn_weights_fetch(&path, "coco", &options, &err), MRCNN_E_ARGUMENT);
    options.directory = scratch("mine");
    options.stall_seconds = 0;
    assert_int_equal(mrcnn_weights_fetch(&path, "coco", &options, &err), MRCNN_E_ARGUMENT);
    options.size = 0;
    assert_int_equal(mrcnn_weights_fetch(&path, "coco", &options, &err), MRCNN_E_ARGUMENT);
    assert_null(path);
}

static void test_md5(void **state) {
    (void)state;
    char digits[33];
    assert_int_equal(mr_file_write(scratch("abc"), "abc", 3, NULL), MRCNN_OK);
    assert_int_equal(mr_file_md5(digits, scratch("abc"), &err), MRCNN_OK);
    assert_string_equal(digits, "900150983cd24fb0d6963f7d28e17f72"); /* RFC 1321 */
    assert_int_equal(mr_file_md5(digits, scratch("none"), &err), MRCNN_E_IO);
}
#else
static void test_public(void **state) {
    (void)state;
    char *path = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_weights_fetch(&path, "coco", NULL, &err), MRCNN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "libcurl"));
    assert_null(path);
}
#endif

static void test_published(void **state) {
    (void)state;
    const char *link, *help;
    assert_string_equal(mrcnn_weights_published(0, &link, &help), "coco");
    assert_true(strncmp(link, "https://", 8) == 0);
    assert_true(strlen(help) > 10);
    size_t count = 0;
    for (; mrcnn_weights_published(count, NULL, NULL); count++) {
        const mr_published *file = mr_published_at(count);
        assert_string_equal(strrchr(file->url, '/') + 1, file->file);
        assert_true(!file->md5 || strlen(file->md5) == 32);
        assert_ptr_equal(mr_published_find(file->name), file);
    }
    assert_int_equal(count, 3);
    assert_null(mr_published_find("none"));
}

int main(void) {
#ifdef MRCNN_WITH_CURL
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_md5),
        cmocka_unit_test_setup(test_fetch_and_cache, clear),
        cmocka_unit_test_setup(test_without_checksum, clear),
        cmocka_unit_test_setup(test_resume, clear),
        cmocka_unit_test_setup(test_resume_is_refused, clear),
        cmocka_unit_test_setup(test_stall, clear),
        cmocka_unit_test_setup(test_corrupt, clear),
        cmocka_unit_test_setup(test_redirect, clear),
        cmocka_unit_test_setup(test_answers, clear),
        cmocka_unit_test_setup(test_no_server, clear),
        cmocka_unit_test_setup(test_progress_and_cancel, clear),
        cmocka_unit_test_setup(test_two_at_once, clear),
        cmocka_unit_test_setup(test_unwritable, clear),
        cmocka_unit_test_setup(test_public, clear),
    };
    return cmocka_run_group_tests(tests, start, stop);
#else
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_published),
                                       cmocka_unit_test(test_public)};
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
