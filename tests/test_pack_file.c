/* test_pack_file.c - files of packed weights: what was written comes back, and what is damaged, cut off, hostile, of
 * another identity or not there is not believed. */
#include "graph/pack_file.h"
#include "helper_assert.h"
#include "helper_cli.h"

#include "base/crc32c.h"
#include "base/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Details that are texts. */
static size_t freeze(const void *detail, void *bytes, size_t room) {
    size_t length = strlen(detail);
    if (length > room) return 0;
    memcpy(bytes, detail, length);
    return length;
}

static void *thaw(const void *bytes, size_t length) {
    char *text = calloc(length + 1, 1);
    memcpy(text, bytes, length);
    return text;
}

static const mr_detail_type texts = {free, freeze, thaw};

static char numbers[1000], letters[77], endless[4000];

static void write_three(const char *path) {
    for (size_t i = 0; i < sizeof numbers; i++) numbers[i] = (char)(i * 7);
    memset(letters, 'x', sizeof letters);
    memset(endless, 'e', sizeof endless - 1);
    mr_pack plain = {.key = "plain", .data = numbers, .bytes = sizeof numbers};
    mr_pack laid = {.key = "laid out",
                    .data = letters,
                    .bytes = sizeof letters,
                    .detail = "by rows",
                    .details = &texts};
    mr_pack never = {.key = "too long a detail",
                     .data = letters,
                     .bytes = 1,
                     .detail = endless,
                     .details = &texts};
    const mr_pack *packs[] = {&plain, &never, &laid};
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_pack_file_write(path, "me", packs, 3, &err) != MRCNN_OK) fail_msg("%s", err.message);
}

static void test_round_trip(void **state) {
    (void)state;
    write_three("p");
    mr_pack_file *file = mr_pack_file_open("p", "me");
    assert_non_null(file);
    assert_int_equal(mr_pack_file_count(file), 2);
    assert_string_equal(mr_pack_file_key(file, 1), "laid out");
    mr_pack pack = {0};
    assert_true(mr_pack_file_find(file, "plain", NULL, &pack));
    assert_int_equal(pack.bytes, sizeof numbers);
    assert_memory_equal(pack.data, numbers, sizeof numbers);
    assert_int_equal((uintptr_t)pack.data % 64, 0);
    assert_null(pack.detail);
    assert_false(mr_pack_file_find(file, "laid out", NULL, &pack)); /* nobody can thaw it */
    assert_true(mr_pack_file_find(file, "laid out", &texts, &pack));
    assert_string_equal(pack.detail, "by rows");
    assert_memory_equal(pack.data, letters, sizeof letters);
    free(pack.detail);
    assert_false(mr_pack_file_find(file, "too long a detail", &texts, &pack));
    assert_false(mr_pack_file_find(file, "", &texts, &pack));
    mr_pack_file_close(&file);
    assert_null(file);
}

static void test_not_believed(void **state) {
    (void)state;
    write_three("p");
    assert_null(mr_pack_file_open("p", "you"));
    assert_null(mr_pack_file_open("p", "me too"));
    assert_null(mr_pack_file_open("p", "m"));
    assert_null(mr_pack_file_open("nowhere", "me"));
    assert_null(mr_pack_file_open(".", "me"));
    cli_write("empty", "");
    assert_null(mr_pack_file_open("empty", "me"));
    cli_write("text", "mrcnn packs 1\n");
    assert_null(mr_pack_file_open("text", "me"));
}

typedef struct bytes {
    unsigned char *at;
    size_t count;
} bytes;

static bytes read_bytes(const char *path) {
    bytes b = {malloc(1 << 20), 0};
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    b.count = fread(b.at, 1, 1 << 20, in);
    fclose(in);
    return b;
}

static void write_bytes(const char *path, const unsigned char *at, size_t count) {
    FILE *out = fopen(path, "wb");
    assert_int_equal(fwrite(at, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
}

/* Whatever comes of it is what was written. */
static int check_what_opens(const char *path) {
    mr_pack_file *file = mr_pack_file_open(path, "me");
    int found = 0;
    mr_pack pack = {0};
    if (file && mr_pack_file_find(file, "plain", NULL, &pack)) {
        found++;
        assert_int_equal(pack.bytes, sizeof numbers);
        assert_memory_equal(pack.data, numbers, sizeof numbers);
    }
    if (file && mr_pack_file_find(file, "laid out", &texts, &pack)) {
        found++;
        assert_memory_equal(pack.data, letters, sizeof letters);
        assert_string_equal(pack.detail, "by rows");
        free(pack.detail);
    }
    mr_pack_file_close(&file);
    return found;
}

static void test_damaged(void **state) {
    (void)state;
    write_three("p");
    bytes b = read_bytes("p");
    size_t sound = 0;
    assert_int_equal(check_what_opens("p"), 2);
    for (size_t i = 0; i < b.count; i += 3) {
        b.at[i] ^= 0x55;
        write_bytes("damaged", b.at, b.count);
        sound += check_what_opens("damaged") == 2;
        b.at[i] ^= 0x55;
    }
    /* Only what lies behind the identity's end and between the packs may change. */
    assert_true(sound < MR_PACK_IDENTITY + 128);
    for (size_t length = 0; length < b.count; length += 97) {
        write_bytes("cut", b.at, length);
        assert_int_equal(check_what_opens("cut"), 0);
    }
    free(b.at);
}

/* Entries that lie, with checksums that are right. The file's parts as pack_file.c has them. */
static void test_hostile(void **state) {
    (void)state;
    enum { COUNT = 24, CHECKSUM = 32, ENTRIES = 40 + MR_PACK_IDENTITY, OFFSET = MR_PACK_KEY };
    static const uint64_t wrong[] = {UINT64_MAX, UINT64_MAX - 63, (uint64_t)1 << 40, 64000};
    write_three("p");
    bytes b = read_bytes("p");
    size_t entry = OFFSET + 4 * sizeof(uint64_t) + 1536;
    for (int field = 0; field < 4; field++)
        for (int k = 0; k < 4; k++) {
            unsigned char *at = b.at + ENTRIES + OFFSET + field * 8;
            uint64_t kept;
            memcpy(&kept, at, sizeof kept);
            memcpy(at, &wrong[k], sizeof kept);
            uint64_t sum = mr_crc32c(b.at + ENTRIES, 2 * entry);
            memcpy(b.at + CHECKSUM, &sum, sizeof sum);
            write_bytes("hostile", b.at, b.count);
            assert_true(check_what_opens("hostile") < 2);
            memcpy(at, &kept, sizeof kept);
        }
    for (int k = 0; k < 4; k++) {
        memcpy(b.at + COUNT, &wrong[k], sizeof wrong[k]);
        write_bytes("hostile", b.at, b.count);
        assert_int_equal(check_what_opens("hostile"), 0);
    }
    memset(b.at + ENTRIES, 'k', MR_PACK_KEY); /* a name without an end */
    uint64_t two = 2, sum = mr_crc32c(b.at + ENTRIES, 2 * entry);
    memcpy(b.at + COUNT, &two, sizeof two);
    memcpy(b.at + CHECKSUM, &sum, sizeof sum);
    write_bytes("hostile", b.at, b.count);
    assert_int_equal(check_what_opens("hostile"), 0);
    free(b.at);
}

static void test_no_room(void **state) {
    (void)state;
    const mr_pack *none[1] = {NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_pack_file_write("nowhere/p", "me", none, 0, &err), MRCNN_E_IO);
    assert_contains(err.message, "nowhere/p");
    assert_int_equal(mr_pack_file_write(".", "me", none, 0, &err), MRCNN_E_IO);
    assert_int_equal(cli_count(".", ".part"), 0);
}

static void test_checksum(void **state) {
    (void)state;
    unsigned char data[300];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * i);
    for (size_t length = 0; length + 8 < sizeof data; length += 7)
        for (size_t start = 0; start < 8; start++)
            assert_int_equal(mr_crc32c(data + start, length),
                             mr_crc32c_portable(data + start, length));
    assert_int_equal(mr_crc32c("123456789", 9), 0xE3069283); /* the check value of RFC 3720's CRC */
}

static void test_identity(void **state) {
    (void)state;
    char a[MR_IDENTITY], b[MR_IDENTITY];
    struct timespec moment = {0, 150000000};
    int fresh = 0;
    assert_false(mr_file_identity("nothing", a, &fresh));
    cli_write("f", "one");
    nanosleep(&moment, NULL);
    assert_true(mr_file_identity("f", a, &fresh));
    assert_false(fresh);
    assert_true(mr_file_identity("f", b, NULL));
    assert_string_equal(a, b);
    cli_write("f", "two");
    assert_true(mr_file_identity("f", b, NULL));
    assert_string_not_equal(a, b);
    cli_write("g", "two");
    assert_true(mr_file_identity("g", a, NULL));
    assert_string_not_equal(a, b);
    assert_int_equal(rename("g", "f"), 0);
    assert_true(mr_file_identity("f", a, NULL));
    assert_string_not_equal(a, b);
    assert_true(mr_code_identity(a));
    assert_true(mr_code_identity(b));
    assert_string_equal(a, b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_not_believed),
        cmocka_unit_test(test_damaged),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_no_room),    cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_identity),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
