# fish completion for mrcnn. The program itself says what can follow (`mrcnn complete`), so that this
# can't be out of date.

function __mrcnn_complete
    set -l words (commandline -opc)
    set -l whole (commandline -ct)
    # Of "--out=fo" the file is "fo".
    set -l prefix (string match -r -- '^--[^=]*=' $whole)
    set -l file (string replace -r -- '^--[^=]*=' '' $whole)
    set -l program (string replace -r '^~' $HOME $words[1])
    for answer in ($program complete $words[2..] $whole 2>/dev/null)
        switch $answer
            case ':nospace'
                # fish appends no blank to what ends in "=" or ","
            case ':folders'
                string replace -r '^' -- "$prefix" (__fish_complete_directories $file)
            case ':files'
                string replace -r '^' -- "$prefix" (__fish_complete_path $file)
            case ':files *'
                set -l ending (string replace ':files ' '' $answer)
                string replace -r '^' -- "$prefix" (__fish_complete_path $file | string match -r -- ".*$ending(?:\t.*)?\$")
            case '*'
                echo $answer
        end
    end
end

complete -c mrcnn -f -a '(__mrcnn_complete)'
