#!/bin/sh
# check_docs.sh - what the pages say is there: check_docs.sh PROGRAM SOURCE-FOLDER COMPILER
#   1. each ```c block compiles: as it is if it begins with #include, else as the inside of a function
#      (data/docs/fragment.h says with which variables)
#   2. each mrcnn_name is in a public header
#   3. each option of each `mrcnn COMMAND ...` in a ```sh block is one of that command
#   4. each link to a file leads to one, and if it names a heading, to one that is there
#   5. each configuration key that isn't ours stands in from-matterport.md
set -eu
program=$1
source=$2
compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/wrong"
cd "$source"
pages="docs/*.md README*.md"

# block LANGUAGE PAGE: each such block into a file of its own, $work/NAME.NUMBER
blocks() {
    awk -v fence="\`\`\`$1" -v to="$work/$(basename "$2" .md).$1" '
        $0 == fence { inside = 1; file = to "." ++n; printf "" >file; next }
        /^```/ && inside { inside = 0; close(file) }
        inside { print >file }' "$2"
}

for page in $pages; do
    blocks c "$page"
    blocks sh "$page"
done

for block in "$work"/*.c.*; do
    if grep -q '^#include' "$block"; then
        cp "$block" "$block.c"
    else
        { printf '#include "fragment.h"\nvoid fragment(void) {\n'; cat "$block"; echo '}'; } >"$block.c"
    fi
    "$compiler" -std=c11 -Wall -Werror -Wno-unused -fsyntax-only -Iinclude -Itests/data/docs \
        "$block.c" 2>"$work/log" || { echo "does not compile: $(basename "$block")"; cat "$work/log"; }
done >>"$work/wrong"

names() {
    grep -oh '\bmrcnn_[a-z0-9_]*[a-z0-9]\b' "$@" | sort -u
}
names include/mrcnn/*.h tests/data/docs/other_names >"$work/there"
# shellcheck disable=SC2086
names $pages | comm -23 - "$work/there" | sed 's/$/: in no public header/' >>"$work/wrong"

# A command is its first word, or two: what `mrcnn WORD WORD --help` explains.
cat "$work"/*.sh.* | sed -e ':join' -e '/\\$/{N;s/\\\n//;b join' -e '}' -e 's/#.*//' |
    grep -o '\bmrcnn [a-z][^|;&]*' | sort -u >"$work/commands"
while read -r _ first second rest; do
    help="$work/help.$first"
    "$program" "$first" --help >"$help" 2>&1 || { echo "mrcnn $first: no such command"; continue; }
    if grep -q '^Usage: mrcnn '"$first"' COMMAND' "$help"; then
        "$program" "$first" "$second" --help >"$help" 2>&1 ||
            { echo "mrcnn $first $second: no such command"; continue; }
    fi
    for word in $second $rest; do
        case $word in
            --*) grep -q -e "^  ${word%%=*}\b" "$help" ||
                echo "mrcnn $first $second: has no option ${word%%=*}" ;;
        esac
    done
done <"$work/commands" >>"$work/wrong"

# anchors PAGE: its headings as links name them
anchors() {
    sed -n 's/^##* //p' "$1" | tr 'A-Z ' 'a-z-' | sed 's/[][`.,:;()?!*'"'"'\/]//g'
}
for page in $pages; do
    grep -o '](\([^):]*\))' "$page" | sed 's/^](//; s/)$//' | sort -u | while read -r link; do
        file=${link%%#*}
        if [ -n "$file" ]; then file=$(dirname "$page")/$file; else file=$page; fi
        if [ ! -e "$file" ]; then
            echo "$page: $link: there is no such file"
        elif [ "$link" != "${link#*#}" ] && ! anchors "$file" | grep -qx -e "${link#*#}"; then
            echo "$page: $link: there is no such heading"
        fi
    done
done >>"$work/wrong"

"$program" config keys | awk '/^[A-Z]/ { key = $1 } /^ / && !seen[key]++ { print key, $1 }' |
    while read -r key owner; do
        [ "$owner" = ours, ] || [ "$owner" = ours: ] || grep -q "\`$key\`" docs/from-matterport.md ||
            echo "docs/from-matterport.md: lacks the key $key"
    done >>"$work/wrong"

cat "$work/wrong" >&2
if [ -s "$work/wrong" ]; then exit 1; fi
echo "$(find "$work" -name '*.c.[0-9]' -o -name '*.c.[0-9][0-9]' | wc -l) pieces of C," \
    "$(wc -l <"$work/commands") commands"
