/* helper_weights.c - see helper_weights.h. */
#include "helper_weights.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

const char *make_scratch(void) {
    strcpy(folder, "/tmp/mrcnn-test-XXXXXX");
    if (!mkdtemp(folder)) abort();
    return folder;
}

static void remove_all(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char inside[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        struct stat info;
        if (lstat(inside, &info) == 0 && S_ISDIR(info.st_mode))
            remove_all(inside);
        else
            unlink(inside);
    }
    closedir(dir);
    rmdir(path);
}

void remove_scratch(void) {
    if (folder[0]) remove_all(folder);
}

const char *scratch(const char *name) {
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

int scratch_holds(const char *part) {
    int found = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        found |= strstr(entry->d_name, part) != NULL;
    if (dir) closedir(dir);
    return found;
}

hid_t new_file(const char *path) {
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) abort();
    return file;
}

static void put_attribute(hid_t object, const char *name, hid_t type, size_t count,
                          const void *values) {
    hsize_t n = count;
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || (count > 0 && H5Awrite(attribute, type, values) < 0)) abort();
    H5Aclose(attribute);
    H5Sclose(space);
}

static hid_t string_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    if (size != H5T_VARIABLE) H5Tset_strpad(type, H5T_STR_NULLPAD);
    return type;
}

/* Fixed-length names without room for a final 0. */
static void put_fixed(hid_t object, const char *attribute, const char *const *names, size_t count) {
    size_t width = 1;
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) > width) width = strlen(names[i]);
    char *values = calloc(count, width);
    for (size_t i = 0; i < count; i++) memcpy(values + i * width, names[i], strlen(names[i]));
    hid_t type = string_type(width);
    put_attribute(object, attribute, type, count, values);
    H5Tclose(type);
    free(values);
}

void put_names(hid_t object, const char *attribute, names_style style, const char *const *names) {
    size_t count = 0;
    while (names[count]) count++;
    if (count == 0) {
        put_attribute(object, attribute, H5T_IEEE_F64LE, 0, NULL);
    } else if (style == NAMES_FIXED) {
        put_fixed(object, attribute, names, count);
    } else if (style == NAMES_VARIABLE) {
        hid_t type = string_type(H5T_VARIABLE);
        put_attribute(object, attribute, type, count, names);
        H5Tclose(type);
    } else {
        for (size_t i = 0; i < count; i++) {
            char part[64];
            snprintf(part, sizeof part, "%s%zu", attribute, i);
            put_fixed(object, part, names + i, 1);
        }
    }
}

void put_text(hid_t object, const char *attribute, const char *text) {
    hid_t type = string_type(H5T_VARIABLE), space = H5Screate(H5S_SCALAR);
    hid_t id = H5Acreate2(object, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Awrite(id, type, &text) < 0) abort();
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
}

hid_t put_layer(hid_t root, const char *layer, names_style style, const char *const *weights) {
    hid_t group = H5Gcreate2(root, layer, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (group < 0) abort();
    put_names(group, "weight_names", style, weights);
    return group;
}

hid_t half_type(hid_t order) {
    hid_t type = H5Tcopy(order);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
    return type;
}

void put_values(hid_t group, const char *name, hid_t type, layout how, double first,
                const hsize_t *dims) {
    int rank = 0;
    size_t count = 1;
    for (; dims[rank]; rank++) count *= dims[rank];
    double *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = first + 0.25 * (double)i;
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t links = H5Pcreate(H5P_LINK_CREATE), create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    if (how == COMPACT) H5Pset_layout(create, H5D_COMPACT);
    if (how == CHUNKED || how == GZIPPED) H5Pset_chunk(create, rank, dims);
    if (how == GZIPPED) {
        H5Pset_shuffle(create);
        H5Pset_deflate(create, 6);
        H5Pset_fletcher32(create);
    }
    hid_t dataset = H5Dcreate2(group, name, type, space, links, create, H5P_DEFAULT);
    if (dataset < 0 ||
        H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        abort();
    H5Dclose(dataset);
    H5Pclose(create);
    H5Pclose(links);
    H5Sclose(space);
    free(values);
}
