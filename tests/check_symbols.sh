#!/bin/sh
# check_symbols.sh - the border of libmrcnn: check_symbols.sh LIBRARY OBJECTS-FOLDER HEADER...
#   1. whatever the shared library exports begins with mrcnn_
#   2. whatever the public headers declare is exported
#   3. inside, whatever is not static begins with mr_ or mrcnn_: a static libmrcnn shares one
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

# A declaration is "MRCNN_API type name(": the name stands before the first parenthesis.
declared=$(cat "$@" | tr '\n' ' ' | grep -o 'MRCNN_API [^(;]*(' | grep -o 'mrcnn_[a-z0-9_]*($' |
    tr -d '(' | sort -u)
if [ -z "$declared" ]; then fail "no declarations found in" "$*"; fi
for name in $declared; do
    echo "$exported" | grep -qx "$name" || fail "declared, but not exported" "$name"
done

inside=$(find "$objects" -name '*.o' -exec nm -g --defined-only {} + | awk 'NF == 3 {print $3}' |
    sort -u | grep -v -e '^mr_' -e '^mrcnn_' || true)
if [ -n "$inside" ]; then fail "neither static nor prefixed mr_" "$inside"; fi

if [ $failed -eq 0 ]; then echo "$(echo "$exported" | wc -l) exported symbols, all as declared"; fi
exit $failed
