# bash completion of csvp and its programs: what a word may become, `csvp --complete` knows.
_csvp()
{
	local word line words=()
	COMPREPLY=()
	# bash takes `--name=value` apart; `csvp --complete` wants it whole.
	for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
		if ((${#words[@]} > 1)) && [[ $word == = || ${words[-1]} == --*= ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
	done
	while IFS= read -r line; do
		line=${line%%$'\t'*}
		[[ ${words[-1]} == --*=* ]] && line=${line#*=}
		COMPREPLY+=("$line")
	done < <(csvp --complete "${words[@]}" 2>/dev/null)
}
complete -o bashdefault -o default -F _csvp @PROGRAMS@
