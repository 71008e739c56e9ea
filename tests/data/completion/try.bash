# Does what bash does when Tab is pressed: try.bash SCRIPT LINE WORD... , where the words are LINE's as
# COMP_WORDBREAKS cuts them. Prints what bash would be told: a candidate a line, then the options.
# shellcheck shell=bash
compopt() { options+=" $2"; }
# shellcheck source=/dev/null
source "$1"

COMP_LINE=$2
COMP_POINT=${#COMP_LINE}
COMP_WORDS=("${@:3}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
options=
registered=$(complete -p mrcnn)
function=${registered#*-F }
"${function%% *}"
printf '%s\n' "${COMPREPLY[@]}" | sort
echo "options:$options"
