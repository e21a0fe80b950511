# fish completion of csvp and its programs: what a word may become, `csvp --complete` knows.
function __csvp_complete
    set -l words (commandline -opc) (commandline -ct)
    csvp --complete $words 2>/dev/null
end

for program in @PROGRAMS@
    complete -c $program -f -n 'test -n "$(__csvp_complete)"' -a '(__csvp_complete)'
end
