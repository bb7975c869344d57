// SPDX-License-Identifier: MIT
/*
 * Names of functions, static ones included: from the program file's own symbol table, mapped when the first
 * name is asked for. A linear search, as it is for reports. What lies in a shared library has dladdr().
 */
#include "internal.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const ElfW(Sym) * symbols;
static size_t nr_symbols;
static const char *names;
static uintptr_t bias;

static int first_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	bias = info->dlpi_addr;
	return 1;
}

static const ElfW(Ehdr) * program_file(size_t *size)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st = {0}; /* MemorySanitizer does not see fstat() */
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		*size = (size_t)st.st_size;
		p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static void load(void)
{
	size_t size = 0;
	const ElfW(Ehdr) *file = program_file(&size);
	const ElfW(Shdr) * sections;

	if (!file || file->e_shoff + (size_t)file->e_shnum * sizeof(*sections) > size)
		return;
	sections = (const void *)((const char *)file + file->e_shoff);
	for (unsigned int i = 0; i < file->e_shnum; i++) {
		const ElfW(Shdr) *s = &sections[i];

		if (s->sh_type != SHT_SYMTAB || s->sh_offset + s->sh_size > size)
			continue;
		dl_iterate_phdr(first_object, NULL);
		names = (const char *)file + sections[s->sh_link].sh_offset;
		symbols = (const void *)((const char *)file + s->sh_offset);
		nr_symbols = s->sh_size / sizeof(*symbols);
		return;
	}
}

const char *env_symbol(const void *p, size_t *offset)
{
	static unsigned int loaded;
	uintptr_t at;

	if (!__atomic_exchange_n(&loaded, 1, __ATOMIC_ACQ_REL))
		load();
	at = (uintptr_t)p - bias;
	for (size_t i = 0; i < nr_symbols; i++) {
		const ElfW(Sym) *s = &symbols[i];

		if ((s->st_info & 15) == STT_FUNC && at >= s->st_value &&
		    at < s->st_value + s->st_size) {
			*offset = at - s->st_value;
			return names + s->st_name;
		}
	}
	return NULL;
}
