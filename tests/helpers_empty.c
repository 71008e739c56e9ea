/* Keeps the helper library from being empty. */
typedef int helpers_empty;
