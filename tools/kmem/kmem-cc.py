#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The driver of `kmem cc`, and the one place that says how kernel sources are compiled.

	sources, helpers of lib/ ---> objects ---> headers that are missing: listed, with what to do
	                                      ---> program, or symbols that are missing: likewise

A header that is missing stops the compiler, so an empty one is put in its place and the source
compiled again: all that it lacks is known then, and what else the compiler says is a consequence.
Everything is made in a folder beside the program, which is moved into place when it is whole.
`make env-flags` prints the flags with --print-flags.
"""
import concurrent.futures
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

FINE, FINDINGS, USAGE, TROUBLE = 0, 1, 2, 3

# No header of the C library, the tree behind ours. The folder kunit is on the path so that
# "../mm/slab.h" of a source that is not in lib/ finds mm/slab.h here.
FLAGS = """-std=gnu11 -nostdinc -ffreestanding -fno-strict-aliasing -fno-strict-overflow
	-fno-delete-null-pointer-checks -fno-common -fshort-wchar -ffunction-sections -fdata-sections
	-fPIE -Wno-pointer-sign -w -Werror=implicit-function-declaration -Werror=int-conversion
	-D__KERNEL__ -DKMEM_INLINE -include linux/kconfig.h -include linux/compiler_types.h""".split()
# What most sources want of the tree's lib/ besides themselves; --gc-sections drops what is not used.
HELPERS = """find_bit bitmap hweight kstrtox ctype string hexdump sort list_sort rbtree bsearch refcount
	math/div64""".split()
# Variant: how sources are compiled, how the program is linked.
VARIANTS = {
    "": (["-O2", "-g"], []),
    "asan": (["-O1", "-g", "-fsanitize=address"], ["-fsanitize=address,undefined"]),
    "tsan": (["-O1", "-g", "-fsanitize=thread"], ["-fsanitize=thread"]),
    "msan": (["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=memory", "-fsanitize-memory-track-origins"],
             ["-fsanitize=memory"]),
}
ONLY_64 = {"tsan": "ThreadSanitizer", "msan": "MemorySanitizer"}
# MemorySanitizer is clang's alone.
CLANGS = ["clang-14", "clang"]
# The folders of a tree that are looked through for the definition of a symbol.
DEFINERS = ["lib", "kernel", "mm", "fs", "block", "crypto", "drivers/base", "net/core"]
HEADERS_AT_MOST = 200


class End(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def say(text):
    print("kmem cc: " + text, file=sys.stderr)


def usage(text):
    return End(USAGE, text + "\nTry 'kmem help cc'.")


def run(command):
    """Status and messages, which are searched and so must be in one language."""
    try:
        done = subprocess.run(command, check=False, text=True, errors="replace", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, LC_ALL="C"))
    except OSError as e:
        raise End(TROUBLE, "%s: %s" % (command[0], e.strerror)) from e
    return done.returncode, done.stdout


def kernel_flags(compiler, overlay, kernel, extra=()):
    """As words. The overlay of the source has <kmem/...> beside itself, that of an installation inside."""
    status, own = run(compiler + ["-print-file-name=include"])
    if status:
        raise End(TROUBLE, "%s: %s" % (compiler[0], own.strip()))
    public = next((p for p in (os.path.join(overlay, "include"), os.path.join(os.path.dirname(overlay), "include"))
                   if os.path.isdir(p)), overlay)
    ours = [overlay, os.path.join(overlay, "env"), os.path.join(overlay, "env", "kunit"), public]
    trees = [os.path.join(kernel, "include"), os.path.join(kernel, "include", "uapi")]
    return (FLAGS + ["-isystem", own.strip()] + ["-I" + p for p in ours] + list(extra) +
            ["-I" + p for p in trees])


# ---- The command line ------------------------------------------------------------------------------


class Options:
    def __init__(self, words):
        self.lib = self.overlay = self.kernel = self.output = None
        self.variant, self.m32, self.print_flags = "", False, False
        self.compiler = shlex.split(os.environ.get("CC", ""))
        self.extra, self.sources = [], []
        words = list(words)
        while words:
            self.take(words.pop(0), words)
        self.finish()

    def take(self, word, words):
        def value():
            if not words:
                raise usage("%s needs a value" % word)
            return words.pop(0)

        if word in ["--" + v for v in VARIANTS if v]:
            if self.variant not in ("", word[2:]):
                raise usage("--%s and %s exclude each other" % (self.variant, word))
            self.variant = word[2:]
        elif word == "-m32":
            self.m32 = True
        elif word == "--print-flags":
            self.print_flags = True
        elif word in ("--lib", "--overlay", "--cc", "-K", "-o"):
            self.named(word, value())
        elif word in ("-D", "-U", "-I"):
            self.extra.append(word + value())
        elif word.startswith("-K"):
            self.named("-K", word[2:])
        elif word.startswith("-o"):
            self.named("-o", word[2:])
        elif re.match(r"-[DUI].|-[Og]", word):
            self.extra.append(word)
        elif word.startswith("-"):
            raise usage("there is no option '%s'" % word)
        else:
            self.sources.append(word)

    def finish(self):
        """What was not said."""
        if not self.compiler and self.variant == "msan":
            self.compiler = [next(filter(shutil.which, CLANGS), CLANGS[0])]
        self.compiler = self.compiler or ["gcc"]

    def named(self, word, value):
        if not value:
            raise usage("%s needs a value" % word)
        if word == "--lib":
            self.lib = value
        elif word == "--overlay":
            self.overlay = os.path.abspath(value)
        elif word == "--cc":
            self.compiler = shlex.split(value)
        elif word == "-K":
            self.kernel = os.path.abspath(value)
        else:
            self.output = value

    def check(self):
        """All that can be known to be wrong before anything is made."""
        if not self.kernel:
            raise usage("where is the kernel tree? -K FOLDER says it")
        if not os.path.isdir(os.path.join(self.kernel, "include", "linux")):
            raise End(USAGE, "-K %s: no kernel tree: it has no include/linux" % self.kernel)
        if not self.output:
            raise usage("no program to make: -o FILE names it")
        if not self.sources:
            raise usage("no source to compile")
        if self.m32 and self.variant in ONLY_64:
            raise usage("--%s and -m32: %s has no 32-bit form" % (self.variant, ONLY_64[self.variant]))
        for name in self.sources:
            if not name.endswith(".c"):
                raise usage("%s: not a C source" % name)
        self.sources = [self.find(name) for name in self.sources]
        if os.path.lexists(self.output) and not os.path.isfile(self.output):
            raise End(TROUBLE, "-o %s: it is there and is not a file" % self.output)

    def find(self, name):
        path = name if os.path.exists(name) else os.path.join(self.kernel, name)
        try:
            with open(path, "rb"):
                return path
        except FileNotFoundError as e:
            raise End(USAGE, "%s: neither here nor in %s" % (name, self.kernel)) from e
        except OSError as e:
            raise End(TROUBLE, "%s: %s" % (name, e.strerror)) from e

    def libraries(self):
        """The archives of the variant. A build folder has its variants beside it, an installation one only."""
        build = re.fullmatch(r"posix-([a-z0-9_]+?)(-debug|-asan|-tsan|-msan)?", os.path.basename(self.lib))
        if build:
            arch = "i386" if self.m32 else build.group(1)
            kinds = ["-" + self.variant] if self.variant else [build.group(2) or "", "", "-debug"]
            folders = [os.path.join(os.path.dirname(self.lib), "posix-" + arch + kind) for kind in kinds]
        else:
            folders = [os.path.join(self.lib, "i386") if self.m32 else self.lib]
        for folder in folders:
            both = [os.path.join(folder, name) for name in ("libkmem-env.a", "libkmem.a")]
            if all(os.path.exists(p) for p in both):
                if self.variant and not build:
                    say("warning: %s: the library there is not built for --%s: what your sources do is checked, "
                        "what it does itself is not" % (folder, self.variant))
                return both
        made = ["make"] + (["ARCH=i386"] if self.m32 else []) + (["VARIANT=" + self.variant] if self.variant else [])
        raise End(TROUBLE, "%s: no libkmem-env.a and libkmem.a there%s" % (
            folders[0], ": build them with '%s libs'" % " ".join(made) if build else ""))


# ---- Compiling -------------------------------------------------------------------------------------


class Source:
    """One source: its object, the headers it lacks, and what the compiler says."""

    def __init__(self, path, folder, number):
        self.path, self.name = path, os.path.basename(path)[:-2]
        self.folder = os.path.join(folder, "%03d" % number)
        self.object = os.path.join(self.folder, self.name + ".o")
        self.missing, self.said, self.good = [], "", False

    def seen(self, overlay):
        """A header "../x" that the overlay has is not to be the tree's, which lies nearer: seen from elsewhere."""
        with open(self.path, encoding="utf-8", errors="replace") as f:
            above = re.findall(r'^\s*#\s*include\s*"\.\./([^"]+)"', f.read(), flags=re.M)
        if not any(os.path.exists(os.path.join(overlay, "env", h)) for h in above):
            return self.path, []
        link = os.path.join(self.folder, os.path.basename(self.path))
        os.symlink(os.path.abspath(self.path), link)
        return link, ["-I" + (os.path.dirname(self.path) or ".")]

    def compile(self, command, overlay):
        stubs = os.path.join(self.folder, "stubs")
        os.makedirs(stubs)
        path, more = self.seen(overlay)
        name = '-DKBUILD_MODNAME="%s"' % self.name.replace("-", "_")
        command = command + more + [name, "-I" + stubs, "-c", path, "-o", self.object]
        while True:
            status, self.said = run(command)
            self.said = self.said.replace(path, self.path)
            lost = re.search(r"^.*?: fatal error: (\S+): No such file or directory$", self.said, flags=re.M)
            if not lost or lost.group(1) in self.missing or len(self.missing) == HEADERS_AT_MOST:
                break
            self.missing.append(lost.group(1))
            stub = os.path.normpath(os.path.join(stubs, lost.group(1)))
            if not stub.startswith(stubs + os.sep):
                break
            os.makedirs(os.path.dirname(stub), exist_ok=True)
            with open(stub, "w", encoding="ascii"):
                pass
        self.good = status == 0 and not self.missing
        return self


def compile_all(sources, command, overlay):
    """As many at a time as there are CPUs."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(lambda s: s.compile(command, overlay), sources))


# ---- What is missing, and what to do ---------------------------------------------------------------


def users(names):
    names = sorted(set(names))
    return ", ".join(names[:3]) + (" and %d more" % (len(names) - 3) if len(names) > 3 else "")


def group(findings):
    """{name: (advice, users)} as text: each advice once, its names below it."""
    by_advice = {}
    for name in sorted(findings):
        advice, who = findings[name]
        by_advice.setdefault(advice, []).append("    %-28s for %s" % (name, users(who)))
    return "\n".join("  %s\n%s" % (advice, "\n".join(names)) for advice, names in by_advice.items())


def files_of(kernel, folders, ending):
    for folder in folders:
        for place, below, names in os.walk(os.path.join(kernel, folder)):
            below[:] = sorted(n for n in below if n not in (".git", "Documentation", "tools", "scripts"))
            for name in sorted(names):
                if name.endswith(ending):
                    yield os.path.relpath(os.path.join(place, name), kernel)


def advise_header(name, headers):
    if name.startswith("generated/"):
        return "made by the kernel's own build: put one into a folder of yours, and -I it"
    found = [h for h in headers if h == name or h.endswith("/" + name)]
    if not found:
        return "neither provided nor in the tree: -I the folder it is in"
    machine = [h for h in found if h.startswith("arch/")]
    if len(machine) == len(found):
        return "of one machine, not provided: leave out what needs it, or -I a folder of yours with one"
    near = next(h for h in found if h not in machine)
    return "in the tree, not on the path: -I %s" % (near[:-len(name)].rstrip("/") or ".")


def tell_headers(sources, kernel):
    wanted = {}
    for s in sources:
        for name in s.missing:
            wanted.setdefault(name, []).append(os.path.basename(s.path))
    headers = list(files_of(kernel, ["."], ".h"))
    say("%d missing header%s" % (len(wanted), "" if len(wanted) == 1 else "s"))
    print(group({n: (advise_header(n, headers), who) for n, who in wanted.items()}), file=sys.stderr)


def defined_in(names, kernel, skip):
    """{name: file of the tree}: what is exported, or else what looks like a function's first line."""
    exported, plain = {}, {}
    one_of = "|".join(re.escape(n) for n in names)
    export = re.compile(r"^EXPORT_\w*SYMBOL\w*\((%s)[,)]" % one_of, re.M)
    head = re.compile(r"^(?!static\b|extern\b|return\b|typedef\b)[a-z][^;=\n]*\b(%s)\((?![^\n]*;)" % one_of, re.M)
    for path in files_of(kernel, DEFINERS, ".c"):
        if os.path.join(kernel, path) in skip:
            continue
        with open(os.path.join(kernel, path), encoding="utf-8", errors="replace") as f:
            text = f.read()
        for pattern, found in ((export, exported), (head, plain)):
            for name in pattern.findall(text):
                found.setdefault(name, path)
    return {**plain, **exported}


def tell_symbols(text, kernel, skip):
    wanted = {}
    for who, name in re.findall(r"([^\s:()]+):(?:\d+|\([^)]*\)): undefined reference to `([^']+)'", text):
        wanted.setdefault(name, []).append(os.path.basename(who))
    if not wanted:
        return say("the linker says\n" + text.rstrip())
    where = defined_in(wanted, kernel, skip)
    say("%d undefined symbol%s" % (len(wanted), "" if len(wanted) == 1 else "s"))
    print(group({n: ("add %s" % where[n] if n in where else
                     "not provided, and not found in the tree: define it in a source of yours", who)
                 for n, who in wanted.items()}), file=sys.stderr)
    adding = sorted({where[n] for n in wanted if n in where})
    if adding:
        print("  in short: add " + " ".join(adding), file=sys.stderr)
    return None


# ---- The whole -------------------------------------------------------------------------------------


def build(o, folder):
    libraries = o.libraries()
    flags, link = VARIANTS[o.variant]
    machine = ["-m32"] if o.m32 else []
    command = o.compiler + kernel_flags(o.compiler, o.overlay, o.kernel, flags + machine + o.extra)
    sources = [Source(p, folder, i) for i, p in enumerate(o.sources)]
    own = {os.path.abspath(p) for p in o.sources}
    paths = [os.path.join(o.kernel, "lib", h + ".c") for h in HELPERS]
    helpers = [Source(p, folder, 100 + len(sources) + i) for i, p in enumerate(paths)
               if os.path.exists(p) and p not in own]
    compile_all(sources + helpers, command, o.overlay)

    if any(s.missing for s in sources):
        tell_headers(sources, o.kernel)
    for s in sources:
        if not s.good and not s.missing:
            say("%s does not compile\n%s" % (s.path, s.said.rstrip()))
    bad = [s for s in sources if not s.good]
    if bad:
        raise End(FINDINGS, "%d of %d sources do not compile" % (len(bad), len(sources)))
    for s in helpers:
        if not s.good:
            say("warning: %s does not compile here, and is left out: %s" % (
                s.path, (s.said.strip().splitlines() or ["?"])[0]))

    archive, program = os.path.join(folder, "libk.a"), os.path.join(folder, "program")
    status, text = run(["ar", "rcs", archive] + [s.object for s in helpers if s.good])
    if status:
        raise End(TROUBLE, "ar: " + text.strip())
    status, text = run(o.compiler + machine + link + ["-Wl,--gc-sections"] + [s.object for s in sources] +
                       [archive] + libraries + ["-lpthread", "-ldl", "-o", program])
    if status:
        tell_symbols(text, o.kernel, own)
        raise End(FINDINGS, "%s is not made" % o.output)
    os.replace(program, o.output)


def main(words):
    o = Options(words)
    if o.print_flags:
        overlay = o.overlay or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "compat")
        flags = kernel_flags(o.compiler, os.path.abspath(overlay), o.kernel or "")
        print(shlex.join(o.compiler + flags))
        print(" ".join(HELPERS))
        return
    o.check()
    try:
        folder = tempfile.mkdtemp(prefix=".kmem-cc-", dir=os.path.dirname(o.output) or ".")
    except OSError as e:
        raise End(TROUBLE, "-o %s: %s" % (o.output, e.strerror)) from e
    try:
        build(o, os.path.abspath(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ended(number, _):
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ended)
    signal.signal(signal.SIGINT, ended)
    try:
        main(sys.argv[1:])
    except End as end:
        say(str(end))
        sys.exit(end.status)
    except OSError as error:
        say("%s: %s" % (error.filename or "trouble", error.strerror))
        sys.exit(TROUBLE)
