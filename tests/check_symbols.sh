#!/bin/sh
# check_symbols.sh - the border of libmrcnn: check_symbols.sh LIBRARY OBJECTS-FOLDER
#   1. whatever the shared library exports begins with mrcnn_
#   2. inside, whatever is not static begins with mr_ or mrcnn_: a static libmrcnn shares one
#      namespace with its users
set -eu
library=$1
objects=$2
shift 2
failed=0

fail() {
    echo "$1:" >&2
    echo "$2" | sed 's/^/    /' >&2
    failed=1
}

exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sort -u)
foreign=$(echo "$exported" | grep -v '^mrcnn_' || true)
if [ -n "$foreign" ]; then fail "exported, but not part of the public interface" "$foreign"; fi

inside=$(find "$objects" -name '*.o' -exec nm -g --defined-only {} + | awk 'NF == 3 {print $3}' |
    sort -u | grep -v -e '^mr_' -e '^mrcnn_' || true)
if [ -n "$inside" ]; then fail "neither static nor prefixed mr_" "$inside"; fi

if [ $failed -eq 0 ]; then echo "$(echo "$exported" | wc -l) exported symbols, all as declared"; fi
exit $failed
