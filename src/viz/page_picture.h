/* page_picture.h - what pictures, charts and grids of a page have in common: a figure with a link to
 * the PNG file, a caption, and an entry in the JSON. */
#ifndef MR_VIZ_PAGE_PICTURE_H
#define MR_VIZ_PAGE_PICTURE_H

#include "viz/page.h"

/* Up to the <img>; `kind` is its class. A wide picture takes the whole width. */
void mr_page_begin_picture(mrcnn_page *page, const char *kind, const char *name, int width,
                           int height);
/* From behind the source of the <img>: what is inside of it has that size. */
void mr_page_end_picture(mrcnn_page *page, const char *caption, int width, int height);
void mr_page_put_caption(mrcnn_page *page, const char *caption);

/* {"file": ..., "caption": ...; the caller goes on with a comma, and closes the bracket. */
mr_buffer *mr_page_picture_entry(mrcnn_page *page, mr_page_member member, const char *name,
                                 const char *caption);

#endif
