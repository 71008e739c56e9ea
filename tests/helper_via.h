/* helper_via.h - annotations of VIA's as text: "{" ENTRY("a.png", RECT("4", "cat")) "}". */
#ifndef HELPER_VIA_H
#define HELPER_VIA_H

#define VIA_ENTRY(name, regions) \
    "\"" name "1\":{\"filename\":\"" name "\",\"regions\":[" regions "]}"
#define VIA_RECT(x, class)                                                                    \
    "{\"shape_attributes\":{\"name\":\"rect\",\"x\":" x ",\"y\":5,\"width\":6,\"height\":7}," \
    "\"region_attributes\":{\"class\":\"" class "\"}}"

#endif
