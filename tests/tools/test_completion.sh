#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The completion for bash, asked as bash asks it; and the manual pages.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/kmem/completion.bash
. "$top/tools/kmem/completion.bash"
: >"$tmp/out"
: >"$tmp/err"

# completes "WORDS" WANT TEXT: completing the last word offers WANT.
completes() {
	local offered
	read -ra COMP_WORDS <<<"$1"
	[[ $1 == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_kmem
	offered=" ${COMPREPLY[*]} "
	echo "offered:$offered" >"$tmp/out"
	[[ $offered == *" $2 "* ]]
	ok $? "$3"
}

completes 'kmem re' replay 'a verb'
completes 'kmem run --l' --leaks 'an option of run'
completes 'kmem run --zones ' i386 'a preset'
completes 'kmem replay --p' --pages 'an option of replay'
completes 'kmem replay -z x' x86_64 'a preset of replay'
completes 'kmem stat --j' --json 'an option of stat'
completes 'kmem stat 1 ' buddyinfo 'a text'
completes 'kmem help s' stat 'a verb behind help'
cd "$here" || exit 1
completes 'kmem replay da' data 'a file'

# Every long option that help names is completed and in the manual.
for verb in run replay stat bench cc; do
	"$kmem" help "$verb" >"$tmp/help"
	while read -r option; do
		COMP_WORDS=(kmem "$verb" "$option")
		COMP_CWORD=2
		COMPREPLY=()
		_kmem
		[[ " ${COMPREPLY[*]} " == *" $option "* ]]
		ok $? "$verb $option is completed"
		grep -q "Fl ${option#-}\( \|$\)" "$top/man/kmem-$verb.1"
		ok $? "$verb $option is in the manual"
	done < <(grep -o -- '--[a-z][a-z-]*' "$tmp/help" | sort -u)
done

if command -v mandoc >/dev/null; then
	for page in "$top"/man/*.[1-9]; do
		mandoc -T lint -W warning "$page" >"$tmp/out" 2>&1
		ok $? "$(basename "$page"): mandoc"
	done
else
	skip "manual pages" "no mandoc here"
fi

finish
