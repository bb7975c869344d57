# SPDX-License-Identifier: MIT
# Completion of kmem for bash.

_kmem_pids() {
	kmem stat 2>/dev/null | awk 'NR > 1 && $1 + 0 { print $1 }'
}

_kmem_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_kmem_files() {
	mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}

# Values of the options that two verbs share; fails if the word before is none of them.
_kmem_value() {
	case $1 in
	-z | --zones) _kmem_words 'i386 x86_64 flat' ;;
	-m | --mem) _kmem_words '16M 64M 256M 512M 1G 4G' ;;
	-n | --nr-cpus) _kmem_words '1 2 4 8' ;;
	--cmdline) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

_kmem_run() {
	local i
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-m | -z | --mem | --zones | --cmdline) i=$((i + 1)) ;;
		--)
			i=$((i + 1))
			break
			;;
		-*) ;;
		*) break ;;
		esac
	done
	# Behind the program: its own completion where bash has one, otherwise files.
	if ((i < COMP_CWORD)); then
		if declare -F _command_offset >/dev/null; then
			_command_offset "$i"
		else
			_kmem_files
		fi
		return
	fi
	if ((i > COMP_CWORD)); then
		_kmem_value "${COMP_WORDS[COMP_CWORD - 1]}"
		return
	fi
	case ${COMP_WORDS[COMP_CWORD]} in
	-*) _kmem_words '--mem --zones --cmdline --stat --leaks --' ;;
	*) mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}") ;;
	esac
}

_kmem_replay() {
	_kmem_value "${COMP_WORDS[COMP_CWORD - 1]}" && return
	case ${COMP_WORDS[COMP_CWORD]} in
	-*) _kmem_words '--mem --zones --nr-cpus --cmdline --slab --pages --pin --reclaim' ;;
	*) _kmem_files ;;
	esac
}

_kmem_stat() {
	case ${COMP_WORDS[COMP_CWORD]}:${COMP_WORDS[COMP_CWORD - 1]} in
	-*) _kmem_words '--json' ;;
	*:stat | *:--json) _kmem_words "$(_kmem_pids)" ;;
	*) _kmem_words 'slabinfo buddyinfo zoneinfo vmstat pagetypeinfo' ;;
	esac
}

_kmem_bench() {
	case ${COMP_WORDS[COMP_CWORD]}:${COMP_WORDS[COMP_CWORD - 1]} in
	-*) _kmem_words '--quick --rounds --ms --threads --peers --peer --trace --out --list' ;;
	*:--peers) _kmem_words 'glibc jemalloc mimalloc tcmalloc' ;;
	*:--rounds | *:--ms | *:--threads) COMPREPLY=() ;;
	*:--peer | *:--trace | *:--out) _kmem_files ;;
	*) _kmem_words "$(kmem bench --list 2>/dev/null)" ;;
	esac
}

_kmem_cc() {
	case ${COMP_WORDS[COMP_CWORD]} in
	-*) _kmem_words '-K -o --asan --tsan --msan -m32' ;;
	*) _kmem_files ;;
	esac
}

_kmem_sweep() {
	case ${COMP_WORDS[COMP_CWORD]} in
	-*)
		_kmem_words '--malloc --from --every --max --jobs --timeout --ok --restart --stop-at-first --json --'
		;;
	*) mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}") ;;
	esac
}

_kmem() {
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_kmem_words 'run replay stat sweep sim bench cc help --version --help'
		return
	fi
	case ${COMP_WORDS[1]} in
	run) _kmem_run ;;
	replay) _kmem_replay ;;
	sweep) _kmem_sweep ;;
	stat) _kmem_stat ;;
	bench) _kmem_bench ;;
	cc) _kmem_cc ;;
	help) _kmem_words 'run replay stat sweep sim bench cc help' ;;
	esac
}

complete -o filenames -F _kmem kmem
