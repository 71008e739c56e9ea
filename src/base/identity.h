/* identity.h - whether something is still what it was. */
#ifndef MR_BASE_IDENTITY_H
#define MR_BASE_IDENTITY_H

enum { MR_IDENTITY = 160 };

/* A line that another file, or the same one after any change, does not have: device, inode, size, times of the
 * content's and the inode's last change (which can't be set back). 0 when the file isn't there. *fresh: 1 when it
 * was changed so shortly ago that one more change might bear the same time. */
int mr_file_identity(const char *path, char line[MR_IDENTITY], int *fresh);

/* That of the file with this library's code in it. 0 when it can't be found, or was replaced meanwhile; so always where
 * there is no /proc. */
int mr_code_identity(char line[MR_IDENTITY]);

#endif
