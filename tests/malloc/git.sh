#!/bin/sh
# SPDX-License-Identifier: MIT
# git over libkmem: clone, checkout, log, gc, fsck of a local repository. Its packing is threaded.
. "$(dirname "$0")/lib.sh"
need git

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME="$tmp"
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'

# A repository of our own: some 60 commits over the sources of this tree.
origin=$tmp/origin
git init -q "$origin"
i=0
for f in "$top"/include/kmem/*.h "$here"/*.c "$here"/*.sh; do
	i=$((i + 1))
	cp "$f" "$origin/"
	head -c 20000 "$f" | rev >"$origin/rev$((i % 5))"
	git -C "$origin" add -A
	git -C "$origin" commit -q -m "commit $i" --allow-empty
done
git -C "$origin" branch -q old HEAD~5

pre 60 git clone -q "$origin" "$tmp/clone" >"$tmp/out" 2>&1
ok $? "clone"
show "$tmp/out"
git clone -q "$origin" "$tmp/clone.sys"
(cd "$tmp/clone" && pre 60 git checkout -q origin/old) >"$tmp/out" 2>&1
ok $? "checkout"
show "$tmp/out"
git -C "$tmp/clone.sys" checkout -q origin/old
diff -r -x .git "$tmp/clone" "$tmp/clone.sys" >"$tmp/out" 2>&1
ok $? "the same tree"
both "log" 60 git -C "$origin" log -p --stat
both "blame" 60 git -C "$origin" blame rev1
both "grep" 60 git -C "$origin" grep -n static
pre 60 git -C "$tmp/clone" gc -q --aggressive >"$tmp/out" 2>&1
ok $? "gc with its threads"
show "$tmp/out"
git -C "$tmp/clone" fsck --full >"$tmp/out" 2>&1
ok $? "what gc wrote is sound"
done_testing
