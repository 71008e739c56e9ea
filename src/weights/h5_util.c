/* h5_util.c - see h5_util.h: sections, reasons and paths. Attributes are in h5_strings.c. */
#include "weights/h5_util.h"

#include "base/error.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The only lock of the library: HDF5 is one big global state. */
static pthread_mutex_t hdf5_lock = PTHREAD_MUTEX_INITIALIZER;

/* Walking upwards the first entry is the innermost: what really happened. */
static herr_t take_first(unsigned n, const H5E_error2_t *entry, void *data) {
    mr_h5_reason *reason = data;
    if (n == 0 && entry->desc) snprintf(reason->text, sizeof reason->text, "%s", entry->desc);
    return 0;
}

/* HDF5 calls this at each failure, where it would print its error stack. The stack itself is gone
 * after the next call, such as one that closes a handle. */
static herr_t remember(hid_t stack, void *data) {
    return H5Ewalk2(stack, H5E_WALK_UPWARD, take_first, data);
}

void mr_h5_lock(void) {
    pthread_mutex_lock(&hdf5_lock);
}

void mr_h5_unlock(void) {
    pthread_mutex_unlock(&hdf5_lock);
}

void mr_h5_remember(mr_h5_reason *reason) {
    *reason = (mr_h5_reason){"HDF5 gives no reason"};
    H5Eset_auto2(H5E_DEFAULT, remember, reason);
}

mr_h5_reason mr_h5_why(void) {
    mr_h5_reason reason = {"HDF5 gives no reason"};
    H5E_auto2_t function;
    void *data;
    if (H5Eget_auto2(H5E_DEFAULT, &function, &data) >= 0 && function == remember)
        reason = *(const mr_h5_reason *)data;
    for (char *p = reason.text; *p; p++)
        if (*p < ' ' || *p > '~') *p = '?'; /* parts of the file may be quoted there */
    return reason;
}

/* Longest step of a path, and most steps: Keras needs four of some thirty letters. */
enum { LONGEST_STEP = 255, MOST_STEPS = 12 };

/* Cuts the next step off *path into `step`: 1 for a step, 0 at the end, -1 if it is too long. */
static int next_step(const char **path, char step[LONGEST_STEP + 1]) {
    while (**path == '/') (*path)++;
    size_t n = strcspn(*path, "/");
    if (n == 0) return 0;
    if (n > LONGEST_STEP) return -1;
    memcpy(step, *path, n);
    step[n] = 0;
    *path += n;
    return 1;
}

typedef enum step_result { STEP_OK, STEP_ABSENT, STEP_SOFT, STEP_BROKEN } step_result;

static step_result check_link(hid_t from, const char *step) {
    if (strcmp(step, ".") == 0) return STEP_ABSENT;
    htri_t there = H5Lexists(from, step, H5P_DEFAULT);
    if (there < 0) return STEP_BROKEN;
    if (there == 0) return STEP_ABSENT;
    H5L_info_t info;
    if (H5Lget_info(from, step, &info, H5P_DEFAULT) < 0) return STEP_BROKEN;
    return info.type == H5L_TYPE_HARD ? STEP_OK : STEP_SOFT;
}

/* Follows the path; on failure `step` holds the step that failed. */
static step_result walk(hid_t *object, hid_t from, const char *path, char step[LONGEST_STEP + 1]) {
    hid_t at = H5Oopen(from, ".", H5P_DEFAULT);
    step_result result = at < 0 ? STEP_BROKEN : STEP_OK;
    *object = H5I_INVALID_HID;
    strcpy(step, ".");
    for (int steps = 0; result == STEP_OK; steps++) {
        int more = next_step(&path, step);
        if (more == 0) break;
        if (more < 0 || steps >= MOST_STEPS) {
            result = STEP_ABSENT;
            break;
        }
        result = H5Iget_type(at) == H5I_GROUP ? check_link(at, step) : STEP_ABSENT;
        if (result != STEP_OK) break;
        hid_t next = H5Oopen(at, step, H5P_DEFAULT);
        H5Oclose(at);
        at = next;
        if (at < 0) result = STEP_BROKEN;
    }
    if (result == STEP_OK)
        *object = at;
    else if (at >= 0)
        H5Oclose(at);
    return result;
}

mrcnn_status mr_h5_open(hid_t *object, hid_t from, const char *path, H5I_type_t type,
                        const char *file, mrcnn_error *err) {
    char step[LONGEST_STEP + 1];
    switch (walk(object, from, path, step)) {
    case STEP_OK: break;
    case STEP_ABSENT:
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: lists %.300s but does not hold it (there is no \"%s\"): the file is "
                       "damaged or not finished",
                       file, path, step);
    case STEP_SOFT:
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: \"%s\" in %.300s is a soft or external link, which is not followed; "
                       "copy the weights into one plain file",
                       file, step, path);
    case STEP_BROKEN:
        return mr_fail(err, MRCNN_E_FORMAT, "%s: can't open %.300s (%s): the file is damaged", file,
                       path, mr_h5_why().text);
    }
    if (H5Iget_type(*object) == type) return MRCNN_OK;
    H5Oclose(*object);
    *object = H5I_INVALID_HID;
    return mr_fail(err, MRCNN_E_FORMAT, "%s: %.300s should be a %s and is not", file, path,
                   type == H5I_GROUP ? "group" : "dataset");
}

int mr_h5_exists(hid_t from, const char *path) {
    char step[LONGEST_STEP + 1];
    hid_t object;
    if (walk(&object, from, path, step) != STEP_OK) return 0;
    H5Oclose(object);
    return 1;
}

hid_t mr_h5_half_type(hid_t order) {
    hid_t type = H5Tcopy(order);
    if (type < 0) return type;
    if (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 ||
        H5Tset_ebias(type, 15) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}
