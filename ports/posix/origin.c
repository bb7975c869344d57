/* SPDX-License-Identifier: MIT */
/*
 * Names for memcheck's origins. What it knows of a value that was never set is the stack of the request
 * that made it so, and what it prints of a stack is names of functions, which it reads from every file that
 * is mapped the way a linker maps one. So each name gets a file with one function of that name, which makes
 * the request, and is the first of the stack:
 *
 *	| headers, function, names | a page of data, without which valgrind does not look |
 *
 * The file is gone when it is mapped. The function stays: a stack may be printed long after the cache's end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "memcheck.h"

enum { CODE_BYTES = 32, FRAME_BYTES = 48, NAME_BYTES = 128, PATH_BYTES = 256 };
enum { NONE, TEXT, FRAME, SYMBOLS, STRINGS, SECTIONS };

/*
 * The function, which is copied, and the table .eh_frame for who walks up the stack from it: a part with the
 * unit of offsets, the number of the return address's register, and where that and the caller's stack
 * pointer are; then whom it is about, relative to where that is said.
 */
#define CODE(text, unit_and_number, rules)                                         \
	__asm__(".pushsection .rodata\n"                                           \
		".globl port_origin_code\n"                                        \
		".hidden port_origin_code\n"                                       \
		"port_origin_code:\n" text "\n.skip 32 - (. - port_origin_code)\n" \
		".long 20, 0; .byte 1; .asciz \"zR\"\n"                            \
		".byte 1, " unit_and_number ", 1, 0x1b, " rules "\n"               \
		".skip 56 - (. - port_origin_code)\n"                              \
		".long 16, 28\n.long port_origin_code - .\n.long 32, 0, 0\n"       \
		".popsection\n")
extern const unsigned char port_origin_code[CODE_BYTES + FRAME_BYTES]
	__attribute__((visibility("hidden")));

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
CODE("mov %rdi, %rax; xor %edx, %edx\n"
     "rol $3, %rdi; rol $13, %rdi; rol $61, %rdi; rol $51, %rdi; xchg %rbx, %rbx; ret",
     "0x78, 16", "12, 7, 8, 0x90, 1");
#elif defined(__i386__)
enum { MACHINE = EM_386 };
CODE("mov 4(%esp), %eax; xor %edx, %edx\n"
     "rol $3, %edi; rol $13, %edi; rol $29, %edi; rol $19, %edi; xchg %ebx, %ebx; ret",
     "0x7c, 8", "12, 4, 4, 0x88, 1");
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
CODE("mov x4, x0; mov x3, #0; ror x12, x12, #3; ror x12, x12, #13\n"
     "ror x12, x12, #51; ror x12, x12, #61; orr x10, x10, x10; ret",
     "0x78, 30", "12, 31, 0");
#else
enum { MACHINE = EM_NONE };
CODE("", "0, 0", "0");
#endif

struct image {
	ElfW(Ehdr) head;
	ElfW(Phdr) load[2];
	ElfW(Shdr) section[SECTIONS];
	ElfW(Sym) symbol[2];
	unsigned char code[CODE_BYTES], frame[FRAME_BYTES];
	struct {
		char none, text[6], frame[10], symbols[8], strings[8], function[NAME_BYTES];
	} names;
};
#define AT(member)   (offsetof(struct image, member))
#define NAME(member) (AT(names.member) - AT(names))

static const struct image plain = {
	.head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
			     sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB,
			     EV_CURRENT},
		 .e_type = ET_DYN,
		 .e_machine = MACHINE,
		 .e_version = EV_CURRENT,
		 .e_phoff = AT(load),
		 .e_shoff = AT(section),
		 .e_ehsize = sizeof(ElfW(Ehdr)),
		 .e_phentsize = sizeof(ElfW(Phdr)),
		 .e_phnum = 2,
		 .e_shentsize = sizeof(ElfW(Shdr)),
		 .e_shnum = SECTIONS,
		 .e_shstrndx = STRINGS},
	.load = {{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = sizeof(struct image)},
		 {.p_type = PT_LOAD, .p_flags = PF_R | PF_W}},
	.section = {[TEXT] = {.sh_name = NAME(text),
			      .sh_type = SHT_PROGBITS,
			      .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			      .sh_addr = AT(code),
			      .sh_offset = AT(code),
			      .sh_size = CODE_BYTES},
		    [FRAME] = {.sh_name = NAME(frame),
			       .sh_type = SHT_PROGBITS,
			       .sh_flags = SHF_ALLOC,
			       .sh_addr = AT(frame),
			       .sh_offset = AT(frame),
			       .sh_size = FRAME_BYTES},
		    [SYMBOLS] = {.sh_name = NAME(symbols),
				 .sh_type = SHT_SYMTAB,
				 .sh_offset = AT(symbol),
				 .sh_size = 2 * sizeof(ElfW(Sym)),
				 .sh_link = STRINGS,
				 .sh_info = 1,
				 .sh_entsize = sizeof(ElfW(Sym))},
		    [STRINGS] = {.sh_name = NAME(strings),
				 .sh_type = SHT_STRTAB,
				 .sh_offset = AT(names),
				 .sh_size = sizeof(((struct image *)0)->names)}},
	.symbol = {[1] = {.st_name = NAME(function),
			  .st_value = AT(code),
			  .st_size = CODE_BYTES,
			  .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			  .st_shndx = TEXT}},
	.names = {.text = ".text",
		  .frame = ".eh_frame",
		  .symbols = ".symtab",
		  .strings = ".strtab"},
};

/* The file as a linker maps it; its function, or NULL. */
static port_origin_fn *image_map(int fd, size_t page)
{
	char *at = mmap(NULL, 2 * page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED)
		return NULL;
	if (mmap(at + page, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
		 (off_t)page) == MAP_FAILED) {
		munmap(at, 2 * page);
		return NULL;
	}
	return (port_origin_fn *)(uintptr_t)(at + AT(code));
}

static port_origin_fn *image_write(int fd, const char *name)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct image image = plain;

	image.load[1].p_offset = image.load[1].p_vaddr = page;
	image.load[1].p_filesz = image.load[1].p_memsz = page;
	image.load[0].p_memsz = sizeof(image);
	memcpy(image.code, port_origin_code, CODE_BYTES);
	memcpy(image.frame, port_origin_code + CODE_BYTES, FRAME_BYTES);
	strncpy(image.names.function, name, NAME_BYTES - 1);
	if (write(fd, &image, sizeof(image)) != (ssize_t)sizeof(image) ||
	    ftruncate(fd, (off_t)(2 * page)) != 0)
		return NULL;
	return image_map(fd, page);
}

uintptr_t port_origin_nameless(const uintptr_t *r)
{
	return (uintptr_t)VALGRIND_DO_CLIENT_REQUEST_EXPR(0, r[0], r[1], r[2], r[3], r[4], r[5]);
}

static void say_refused(const char *folder)
{
	static const char text[] =
		"kmem: sanitize=1: memcheck is not told names of caches: no code from files in ";
	static bool said;

	if (__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		return;
	port_log(4, text, sizeof(text) - 1);
	port_log(4, folder, strlen(folder));
	port_log(4, " (TMPDIR)\n", sizeof(" (TMPDIR)\n") - 1);
}

port_origin_fn *port_origin(const char *name)
{
	const char *folder = secure_getenv("TMPDIR"), *file = "/libkmem-XXXXXX";
	char path[PATH_BYTES], line[64];
	port_origin_fn *fn = NULL;
	int fd, saved = errno;

	if (!folder || strlen(folder) + strlen(file) >= sizeof(path))
		folder = "/tmp";
	strcat(strcpy(path, folder), file);
	fd = MACHINE == EM_NONE ? -1 : mkostemp(path, O_CLOEXEC);
	if (fd >= 0) {
		fn = image_write(fd, name);
		/* It is read now, and not when a stack is printed and there is no file. */
		if (fn)
			(void)VALGRIND_MAP_IP_TO_SRCLOC((uintptr_t)fn, line);
		unlink(path);
		close(fd);
	}
	if (!fn)
		say_refused(folder);
	errno = saved;
	return fn ? fn : port_origin_nameless;
}
