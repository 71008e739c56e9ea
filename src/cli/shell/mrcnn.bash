# bash completion for mrcnn. The program itself says what can follow (`mrcnn complete`), so that this
# can't be out of date. Here: bash's words become the program's, its answers bash's.
# shellcheck shell=bash

_mrcnn() {
    local line=${COMP_LINE:0:COMP_POINT} words=() word='' blank i
    # bash cuts words at "=" and ":"; what no blank separates is one word.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blank=${line%%[![:space:]]*}
        line=${line#"$blank"}
        word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$line
        line=${line#"$word"}
        if [[ $blank || $i -eq 0 ]]; then words+=("$word"); else words[-1]+=$word; fi
    done

    # What stands before the part that bash replaces, and that part without quotes, for file names.
    local whole=${words[-1]} prefix
    [[ $word != [=:] ]] || word=''
    prefix=${whole%"$word"}
    word=${word#[\"\']}
    word=${word//\\/}

    COMPREPLY=()
    if [[ $whole == *[\<\>]* || ${COMP_WORDS[COMP_CWORD-1]} == *[\<\>]* ]]; then
        compopt -o default
        return
    fi
    local program=${words[0]/#\~/$HOME} answer ending
    while IFS=$'\t' read -r answer _; do
        case $answer in
            :nospace) compopt -o nospace ;;
            :folders)
                compopt -o filenames
                mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$word")
                ;;
            :files)
                compopt -o filenames
                mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
                ;;
            :files\ *)
                ending=${answer#:files }
                mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -X "!*$ending" -- "$word")
                ;;
            "$whole"*) COMPREPLY+=("${answer#"$prefix"}") ;;
        esac
    done < <("$program" complete "${words[@]:1}" 2>/dev/null)
}

complete -F _mrcnn mrcnn
