#!/bin/sh
# SPDX-License-Identifier: MIT
# The command itself: verbs, help, exit statuses, output that does not arrive.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

k
status 2 "no verb"
says err '^usage: kmem VERB' "no verb: how it is used"

k --version
status 0 "--version"
says out '^kmem [0-9]*\.[0-9]*\.[0-9]*$' "--version: a version"
k --help
status 0 "--help"
says out '^  replay ' "--help: the verbs, on standard output"

k frobnicate
status 2 "an unknown verb"
says err "'frobnicate'" "an unknown verb is named"
[ ! -s "$tmp/out" ]
ok $? "an unknown verb: nothing on standard output"

for verb in run replay stat sweep sim bench cc help; do
	k help "$verb"
	status 0 "help $verb"
	says out "^usage: kmem $verb" "help $verb: how it is used"
done
k sim --seed=1 --cpus=2 --ops=50
status 0 "sim finds the simulator and runs it"
says out "^seed 1: fine" "and passes on what it says"
k help frobnicate
status 2 "help of an unknown verb"
k help run stat
status 2 "help of two verbs"

for verb in run replay stat bench cc; do
	k "$verb" --frobnicate
	status 2 "$verb: an unknown option"
	says err frobnicate "$verb: the unknown option is named"
	k "$verb" --help
	status 0 "$verb --help"
done
k run --mem
status 2 "run: an option without its value"
says err mem "run: the option without its value is named"
k replay --nr-cpus 0 "$here/data/report-l.txt"
status 2 "replay: no CPU at all"
k replay --nr-cpus 1x "$here/data/report-l.txt"
status 2 "replay: a number with something behind it"
says err "1x" "replay: the number is named"
k replay --slab --pages "$here/data/report-l.txt"
status 2 "replay: both levels"
k replay
status 2 "replay: no recording"
k replay a b
status 2 "replay: two recordings"
k replay --mem lots "$here/data/report-l.txt"
status 2 "replay: a size that is none"
says err "mem" "replay: the size that is none is named"
k replay --zones 'dma:16M normal:rest' "$here/data/report-l.txt"
status 2 "replay: a zone table with a blank"
k stat slabinfo
status 2 "stat: a text of no process"
k stat --json
status 2 "stat: --json of no process"

if [ -w /dev/full ]; then
	"$kmem" --help >/dev/full 2>"$tmp/err"
	rc=$?
	: >"$tmp/out"
	status 3 "a full disk"
	says err 'standard output: No space left' "a full disk is named"
	"$kmem" replay "$here/data/report-l.txt" >/dev/full 2>"$tmp/err"
	rc=$?
	status 3 "replay to a full disk"
else
	skip "a full disk" "no /dev/full here"
fi
"$kmem" --help >&- 2>"$tmp/err"
rc=$?
status 3 "a closed output"

finish
