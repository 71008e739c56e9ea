/* download.c - see download.h. http and https alone, certificates verified, proxies as the
 * environment says, redirects followed but never from https to http.
 */
#include "weights/download.h"

#ifdef MRCNN_WITH_CURL
#include "base/error.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES (UINT64_C(1) << 33) /* no server may fill the disk */

typedef struct transfer {
    int fd;
    uint64_t have; /* bytes before this transfer */
    uint64_t end;  /* where the next bytes go */
    const mrcnn_fetch_options *options;
    int write_error; /* errno */
    int too_large;
    char message[CURL_ERROR_SIZE];
} transfer;

static void initialise_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *user) {
    transfer *t = user;
    size_t length = size * count, done = 0;
    if (t->end + length > MOST_BYTES) {
        t->too_large = 1;
        return 0;
    }
    while (done < length) {
        ssize_t n = pwrite(t->fd, bytes + done, length - done, (off_t)(t->end + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            t->write_error = n < 0 ? errno : EIO;
            return 0;
        }
        done += (size_t)n;
    }
    t->end += length;
    return length;
}

static int report_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total,
                           curl_off_t up_now) {
    const transfer *t = user;
    (void)now;
    (void)up_total;
    (void)up_now;
    return t->options->progress(t->options->user, t->end, total > 0 ? t->have + (uint64_t)total : 0)
               ? 1
               : 0;
}

/* A download may begin as http only if it was asked for so. */
static void allow_protocols(CURL *curl, const char *url) {
    int secure = strncmp(url, "https:", 6) == 0;
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    long both = CURLPROTO_HTTP | CURLPROTO_HTTPS;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, both);
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, secure ? (long)CURLPROTO_HTTPS : both);
#endif
}

static void set_options(CURL *curl, const char *url, transfer *t) {
    long stall = t->options->stall_seconds > 0 ? t->options->stall_seconds : 30;
    allow_protocols(curl, url);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->message);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "mrcnn");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, stall);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    if (t->have > 0) curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)t->have);
    if (t->options->progress) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, report_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    }
}

/* libcurl's words may quote the server. */
static const char *reason(transfer *t, CURLcode code) {
    for (char *p = t->message; *p; p++)
        if (*p < ' ' || *p > '~') *p = '?';
    return t->message[0] ? t->message : curl_easy_strerror(code);
}

static mrcnn_status explain(CURLcode code, long answer, const char *url, transfer *t,
                            mrcnn_error *err) {
    if (t->write_error)
        return mr_fail(err, MRCNN_E_IO, "%s: can't store the download: %s", url,
                       strerror(t->write_error));
    if (t->too_large)
        return mr_fail(err, MRCNN_E_NETWORK, "%s: sends more than 8 GB, which no weights need",
                       url);
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return mr_fail(err, MRCNN_E_CANCELLED, "%s: the download was stopped after %llu bytes", url,
                       (unsigned long long)t->end);
    case CURLE_HTTP_RETURNED_ERROR:
        return mr_fail(err, MRCNN_E_NETWORK, "%s: the server answers %ld%s", url, answer,
                       answer == 404   ? " (not found); is the address right?"
                       : answer >= 500 ? " (a fault of the server); try again later"
                                       : "; it does not give this file");
    case CURLE_OPERATION_TIMEDOUT:
        return mr_fail(err, MRCNN_E_NETWORK,
                       "%s: nothing arrives any more (%s); try again, what has arrived is kept",
                       url, reason(t, code));
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return mr_fail(err, MRCNN_E_NETWORK, "%s: the connection broke after %llu bytes; try again",
                       url, (unsigned long long)t->end);
    case CURLE_UNSUPPORTED_PROTOCOL:
        return mr_fail(err, MRCNN_E_NETWORK,
                       "%s: only http and https are followed, and never from https to http (%s)",
                       url, reason(t, code));
    default: return mr_fail(err, MRCNN_E_NETWORK, "%s: %s", url, reason(t, code));
    }
}

mrcnn_status mr_download(int fd, const char *url, uint64_t have, int *unresumable,
                         const mrcnn_fetch_options *options, mrcnn_error *err) {
    /* curl_easy_init would do it, but not safely from two threads before libcurl 7.84. */
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialise_curl);
    transfer t = {.fd = fd, .have = have, .end = have, .options = options};
    CURL *curl = curl_easy_init();
    *unresumable = 0;
    if (!curl) return mr_fail(err, MRCNN_E_NETWORK, "%s: libcurl can't be started", url);
    set_options(curl, url, &t);
    CURLcode code = curl_easy_perform(curl);
    long answer = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    curl_easy_cleanup(curl);
    /* libcurl calls it a success when there is nothing from that byte on (416). */
    if (code == CURLE_OK && answer != 416) return MRCNN_OK;
    *unresumable =
        have > 0 && t.end == have &&
        (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME || answer == 416);
    return explain(code, answer, url, &t, err);
}
#else
typedef int mr_download_is_empty;
#endif
