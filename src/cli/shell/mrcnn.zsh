#compdef mrcnn
# zsh completion for mrcnn. The program itself says what can follow (`mrcnn complete`), so that this
# can't be out of date.

_mrcnn() {
    local program=${~words[1]} answer word about folders=0 files=0
    local -a answers described suffix patterns
    answers=("${(@f)$("$program" complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    for answer in $answers; do
        case $answer in
            (:nospace) suffix=(-S '') ;;
            (:folders) folders=1 ;;
            (:files) files=1 ;;
            (:files\ *) patterns+=("*${answer#:files }") ;;
            (*)
                word=${answer%%$'\t'*} about=${answer#*$'\t'}
                described+=("${word//:/\\:}${about:+:$about}")
                ;;
        esac
    done
    (( $#described )) && _describe -V mrcnn described "${suffix[@]}"
    compset -P '--*='
    # Folders come along with files.
    if (( files )); then
        _files
    elif (( $#patterns )); then
        _files -g "$patterns"
    elif (( folders )); then
        _files -/
    fi
}

# Found by compinit, this file is the function's body; read by `source`, it only defines it.
if [[ $funcstack[1] == _mrcnn ]]; then _mrcnn "$@"; else compdef _mrcnn mrcnn; fi
