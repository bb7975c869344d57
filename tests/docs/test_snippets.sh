#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the documentation says of the code is true as far as a machine can tell: examples compile and
# run, values are those of the headers, and what is named is there.
set -u
cd "$(dirname "$0")/../.." || exit 3
build=${KMEM_BUILD:-build/posix-$(uname -m)}
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
unset KMEM_CMDLINE LD_PRELOAD
nr=0
failed=0

ok() { # ok STATUS NAME [FILE]: the file is shown when it failed
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - test_snippets.sh: $2"
	else
		failed=1
		[ -z "${3:-}" ] || head -n 20 "$3" | sed 's/^/# /'
		echo "not ok $nr - test_snippets.sh: $2"
	fi
}

compile() { # compile FILE: links FILE.c into FILE
	gcc -std=gnu11 -Wall -Wextra -Werror -Iinclude "$1.c" "$build/libkmem.a" -lpthread -o "$1" \
		>"$tmp/log" 2>&1
}

runs() { # runs FILE NAME: compiles, and ends with 0, having reported nothing
	compile "$1" && timeout 60 "$1" >"$tmp/log" 2>&1 && [ ! -s "$tmp/log" ]
	ok $? "$2" "$tmp/log"
}

# ---- The blocks of C in README.md ---------------------------------------------------------------

awk -v dir="$tmp" '/^```c$/ { out = dir "/readme" ++n ".c"; next } /^```/ { out = "" }
	out { print > out }' README.md
blocks=("$tmp"/readme*.c)
[ -s "${blocks[0]}" ] && [ "${#blocks[@]}" -eq 2 ]
ok $? 'README.md has two blocks of C'
runs "$tmp/readme1" 'the first is a program without leaks'

# The second is a piece of a driver, for which this is the rest.
{
	printf '#include <errno.h>\n'
	printf 'struct device_queue { void *ring; struct tag { int nr; } *tag; };\n'
	cat "$tmp/readme2.c"
	cat <<'C'
int main(void)
{
	struct device_queue q;
	int rc = kmem_boot("mem=64M zones=i386");

	if (!rc)
		rc = start_io(&q);
	if (rc || page_zonenum(virt_to_page(q.ring)) != 0)
		return 1;
	free_pages((unsigned long)q.ring, 2);
	kfree(q.tag);
	return (int)kmem_shutdown();
}
C
} >"$tmp/driver.c"
runs "$tmp/driver" 'the second gets its ring from the zone DMA'

# ---- The example at the head of kmem.h ----------------------------------------------------------

{
	printf '#include <kmem/kmem.h>\nint main(void)\n{\n'
	awk 'NR > 1 && /\*\// { exit } /^ \*\t/ { sub(/^ \*/, ""); print }' include/kmem/kmem.h
	printf '\treturn kmem_booted();\n}\n'
} >"$tmp/header.c"
grep -q kmalloc "$tmp/header.c"
ok $? 'kmem.h begins with an example' "$tmp/header.c"
runs "$tmp/header" 'it runs, and leaves nothing behind'

# ---- The command lines of kmem(7) ---------------------------------------------------------------

{
	printf '#include <stdio.h>\n#include <kmem/kmem.h>\nint main(void)\n{\n\tint bad = 0;\n'
	sed -n "s/^\.Dl *//; s/^KMEM_CMDLINE='\(.*\)'/\1/; s/\\\\-/-/g
		/^[a-z_]*=[a-z0-9,:=A-Z -]*$/s/.*/\tbad |= kmem_boot(\"&\") != 0;\n\tfputs(kmem_boot_error(), stdout);\n\tkmem_shutdown();/p" \
		man/kmem.7
	printf '\treturn bad;\n}\n'
} >"$tmp/cmdline.c"
[ "$(grep -c 'kmem_boot(' "$tmp/cmdline.c")" -eq 3 ]
ok $? 'kmem(7) has three example command lines' "$tmp/cmdline.c"
runs "$tmp/cmdline" 'each of them starts a machine'

# Every option is in the manual, by its name.
cat >"$tmp/options.c" <<'C'
#include <stdio.h>
#include <kmem/kmem.h>
int main(void)
{
	static char text[1 << 16];

	kmem_options_help(text, sizeof(text));
	return fputs(text, stdout) < 0;
}
C
compile "$tmp/options" && "$tmp/options" | cut -f1 >"$tmp/names"
while read -r option; do
	grep -Eq "Cm ([a-z_]+ , )?$option( |\$)" man/kmem.7 || echo "$option"
done <"$tmp/names" >"$tmp/log"
[ -s "$tmp/names" ] && [ ! -s "$tmp/log" ]
ok $? 'every option of the machine is in kmem(7)' "$tmp/log"

# ---- The values of docs/gfp.md ------------------------------------------------------------------

# | `NAME`, `NAME` | anything | VALUE; VALUE | in rows of compositions and flags; | CODE | `NAME` | of misuse.
{
	printf '#include <kmem/kmem.h>\n'
	awk -F ' *[|] *' '
	/^\| `_*GFP_/ {
		names = $2
		values = $3 ~ /^0x/ ? $3 : $4
		gsub(/`/, "", names)
		n = split(names, name, /, /)
		if (n == split(values, value, /[,;] /))
			for (i = 1; i <= n; i++)
				print "_Static_assert((" name[i] ") == " value[i] ", \"" name[i] "\");"
	}
	/^\| [0-9]+ \| `/ {
		gsub(/`/, "", $3)
		print "_Static_assert(KMEM_MISUSE_" $3 " == " $2 ", \"" $3 "\");"
	}' docs/gfp.md
	printf 'int main(void) { return 0; }\n'
} >"$tmp/values.c"
[ "$(grep -c 'GFP' "$tmp/values.c")" -ge 40 ] && compile "$tmp/values"
ok $? 'the values of docs/gfp.md' "$tmp/log"
{
	sed -n 's/^#define \(__GFP_[A-Z0-9_]*\)  *__KMEM_GFP.*/\1/p' include/kmem/gfp.h
	sed -n 's/^\tKMEM_MISUSE_\([A-Z_]*\) = .*/\1/p' include/kmem/kmem.h | grep -v NONE
} | while read -r name; do
	grep -q "\`$name\`" docs/gfp.md || echo "$name"
done | grep -Ev '^__GFP_(RECLAIM|BITS_MASK)$' >"$tmp/log"
[ ! -s "$tmp/log" ]
ok $? 'docs/gfp.md has every flag and every code of misuse' "$tmp/log"

# ---- Names --------------------------------------------------------------------------------------

pages=(README.md malloc/README.md docs/design-notes.md docs/gfp.md docs/life-of-a-kmalloc.md docs/performance.md docs/port.md)
grep -oh '`[a-z_0-9]*()`' "${pages[@]}" | tr -d '`()' | sort -u | while read -r name; do
	grep -rqw --include='*.[ch]' "$name" src include ports malloc || echo "$name()"
done >"$tmp/log"
[ ! -s "$tmp/log" ]
ok $? 'every function that a page names exists' "$tmp/log"
grep -ohE '\b(src|docs|include|ports|man|malloc|tests|tools|mk|examples)/[a-zA-Z0-9_./-]*\.(c|h|md|mk|sh|py|[137])\b' \
	"${pages[@]}" include/kmem/*.h | sort -u | while read -r path; do
	[ -e "$path" ] || [[ $path == ports/yours/* ]] || echo "$path"
done >"$tmp/log"
[ ! -s "$tmp/log" ]
ok $? 'every file that a page names exists' "$tmp/log"
sed -n 's/^\.Fn \([a-z_0-9A-Z]*\).*/\1/p' man/*.[137] | sort -u | while read -r name; do
	grep -rqw "$name" include malloc || echo "$name"
done >"$tmp/log"
[ ! -s "$tmp/log" ]
ok $? 'every function that a manual page names is public' "$tmp/log"

echo "1..$nr"
exit $failed
