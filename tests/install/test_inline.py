#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Programs that have their hits inside of themselves (<kmem/inline.h>), by each compiler and language: that they have
sequences of their own where they should and none where they must not, and that what they do is what calls do.
"""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, done, ok, run, skip  # noqa: E402

BUILD = os.path.join(ROOT, "build", "posix-x86_64")
FLAGS = ["-DKMEM_INLINE", "-I" + os.path.join(ROOT, "include")]
STRICT = "-Wall -Wextra -Wshadow -Wconversion -Wundef -pedantic -Werror".split()

# The same in C and in C++. Two files have one(), of which a C++ linker keeps one.
HEADER = """
#include <kmem/kmem.h>
struct thing { long a, b, c; };
#ifdef __cplusplus
inline
#else
static inline
#endif
void *one(struct kmem_cache *cache)
{
	void *p = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	return p;
}
#ifdef __cplusplus
extern "C"
#endif
void *other(struct kmem_cache *cache);
"""
OTHER = """
#include "both.h"
void *other(struct kmem_cache *cache)
{
	return one(cache);
}
"""
MAIN = r"""
#include <stdio.h>
#include <string.h>
#include <stdint.h>
#include "both.h"

static unsigned long said;
static void misused(enum kmem_misuse code, const void *addr, void *arg)
{
	(void)code, (void)addr, (void)arg;
	said++;
}

static int wrong;
static void is(unsigned long have, unsigned long want, const char *what)
{
	if (have != want) {
		printf("%s: %lu, not %lu\n", what, have, want);
		wrong++;
	}
}

static void soil(void *p)
{
	memset(p, 0x5a, ksize(p));
}

/* All of a block is that, up to what there is room for. */
static void filled(size_t size, const void *p, char with)
{
	size_t n = ksize(p);

	is(n >= size, 1, "room");
	for (size_t i = 0; i < n; i++)
		if (((const char *)p)[i] != with) {
			printf("%zu bytes: byte %zu of %zu is not %d\n", size, i, n, with);
			wrong++;
			break;
		}
}

/*
 * The size is a constant to the compiler, so a macro. The block in the middle comes back, soiled: all that there is
 * room for is zeroed, and not a byte of the others.
 */
#define ZEROED(n)                                                                    \
	do {                                                                         \
		void *near[3];                                                       \
                                                                                     \
		for (int i = 0; i < 3; i++)                                          \
			soil(near[i] = kmalloc(n, GFP_KERNEL));                      \
		kfree(near[1]);                                                      \
		near[1] = kzalloc(n, GFP_KERNEL);                                    \
		for (int i = 0; i < 3; i++) {                                        \
			filled(n, near[i], i == 1 ? 0 : 0x5a);                       \
			kfree(near[i]);                                              \
		}                                                                    \
	} while (0)

static void good(struct kmem_cache *cache, size_t size)
{
	void *kept[300];
	char *p;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 300; i++)
			kept[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		for (int i = 0; i < 300; i++)
			kmem_cache_free(cache, kept[i]);
	}
	is(one(cache) == other(cache), 1, "the one that was freed last");
	kmem_preempt_disable();
	p = (char *)kmalloc(sizeof(struct thing), GFP_ATOMIC);
	is(p != NULL, 1, "where nobody may sleep");
	kfree(p);
	kmem_preempt_enable();
	p = (char *)kmalloc(size, GFP_KERNEL | __GFP_ZERO);
	is((unsigned long)p[size - 1], 0, "zeroed");
	kfree(p);
	ZEROED(1); ZEROED(8); ZEROED(9); ZEROED(16); ZEROED(17); ZEROED(32); ZEROED(33); ZEROED(64);
	ZEROED(65); ZEROED(96); ZEROED(97); ZEROED(128); ZEROED(129); ZEROED(192); ZEROED(193);
	ZEROED(256); ZEROED(257); ZEROED(512); ZEROED(513); ZEROED(1024); ZEROED(1025); ZEROED(2048);
	ZEROED(2049); ZEROED(4096); ZEROED(4097); ZEROED(8192); ZEROED(8193); ZEROED(20000);
	is(kzalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR, 1, "nothing, zeroed");
	p = (char *)kzalloc(size, GFP_KERNEL);
	is((unsigned long)p[size - 1], 0, "zeroed, of any size");
	kfree(p);
	is(kmalloc(size - size, GFP_KERNEL) == ZERO_SIZE_PTR, 1, "nothing");
	is(kmalloc(size << 40, GFP_KERNEL | __GFP_NOWARN) == NULL, 1, "more than there is");
	kfree(ZERO_SIZE_PTR);
	kfree(NULL);
	kfree(kmalloc(KMALLOC_MAX_CACHE_SIZE + size, GFP_KERNEL));
}

static void bad(struct kmem_cache *cache)
{
	struct kmem_cache *second = kmem_cache_create("second", sizeof(struct thing), 0, SLAB_NO_MERGE, NULL);
	char *p = (char *)kmem_cache_alloc(cache, GFP_KERNEL), *k = (char *)kmalloc(100, GFP_KERNEL);
	unsigned long before = said;

	kmem_cache_free(cache, p + 8);
	is(said - before, 1, "inside of an object");
	kmem_cache_free(second, p); /* frees it to its own */
	is(said - before, 2, "another cache's");
	kmem_cache_free(cache, p);
	is(said - before, 3, "twice");
	kmem_cache_free(cache, NULL);
	is(said - before, 4, "NULL");
	kmem_cache_free(cache, &before);
	is(said - before, 5, "the program's own");
	kfree(k + 1);
	kfree((void *)(uintptr_t)-12);
	kfree(&before);
	is(said - before, 8, "kfree of what it never gave");
	kfree(k);
	kfree(k);
	is(said - before, 9, "kfree twice");
	kmem_cache_destroy(second);
}

int main(int argc, char **argv)
{
	struct kmem_cache *cache;
	void *p = kmalloc((size_t)argc * 40, GFP_KERNEL); /* starts a machine */

	(void)argv;
	is(p != NULL, 1, "the first of all");
	kfree(p);
	for (int round = 0; round < 2; round++) {
		is(round && kmem_boot("mem=64M") != 0, 0, "another machine");
		kmem_set_misuse_hook(misused, NULL);
		cache = kmem_cache_create("things", sizeof(struct thing), 0, SLAB_NO_MERGE, NULL);
		good(cache, (size_t)argc * 100);
		bad(cache);
		is((unsigned long)kmem_check(), 0, "kmem_check");
		is((unsigned long)kmem_cache_destroy(cache), 0, "destroyed");
		is((unsigned long)kmem_shutdown(), 0, "shut down");
	}
	return wrong ? 1 : 0;
}
"""

COMPILERS = [
    ["gcc", "-O2", "-std=gnu99"], ["gcc", "-O1", "-std=c11"], ["gcc", "-O3", "-fno-pie", "-no-pie"],
    ["gcc", "-O2", "-flto"], ["gcc", "-O2", "-fno-inline"], ["g++", "-O2", "-std=c++11"], ["g++", "-O3"],
    ["clang-14", "-O2"], ["clang++-14", "-O2", "-xc++"],
]
WITHOUT = ["-O0", "-O2 -fPIC", "-Os", "-O2 -fsanitize=address", "-O2 -fsanitize=thread", "-O2 -m32 -fno-pie"]


def has_sequences(path):
    return " __rseq_cs " in run(["readelf", "-SW", path]).stdout


def built(name, argv):
    made = run(argv, timeout=120)
    return ok(made.returncode == 0, name, made.stdout)


def try_program(tmp, compiler):
    prog = os.path.join(tmp, "prog")
    for libs in (["-L" + BUILD, "-lkmem"], [os.path.join(BUILD, "libkmem.a"), "-lpthread"]):
        sources = [os.path.join(tmp, n) for n in ("main.c", "other.c")]
        if not built("%s builds a program with %s" % (" ".join(compiler), os.path.basename(libs[-1])),
                     compiler + STRICT + FLAGS + sources + ["-xnone"] + libs + ["-o", prog]):
            continue
        if "-lkmem" in libs:
            ok(has_sequences(prog) == ("-fno-inline" not in compiler),
               "it has sequences of its own, if it may inline")
        for tunables in ("", "glibc.pthread.rseq=0"):
            did = run([prog], timeout=120,
                      env=dict(os.environ, LD_LIBRARY_PATH=BUILD, GLIBC_TUNABLES=tunables))
            ok(did.returncode == 0, "it does what calls do %s" % tunables, did.stdout)


def main():
    if os.uname().machine != "x86_64":
        skip("inline", "hits are inside of programs on x86-64 only")
        done()
    with tempfile.TemporaryDirectory() as tmp:
        for name, text in (("both.h", HEADER), ("main.c", MAIN), ("other.c", OTHER)):
            with open(os.path.join(tmp, name), "w", encoding="ascii") as f:
                f.write(text)
        for compiler in COMPILERS:
            if shutil.which(compiler[0]):
                try_program(tmp, compiler)
            else:
                skip(" ".join(compiler), "it is not installed")
        for flags in WITHOUT:
            obj = os.path.join(tmp, "other.o")
            source = os.path.join(tmp, "other.c")
            if built("gcc %s compiles" % flags, ["gcc"] + flags.split() + FLAGS + ["-c", source, "-o", obj]):
                ok(not has_sequences(obj), "and there are no sequences")
    done()


main()
