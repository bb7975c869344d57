/* SPDX-License-Identifier: MIT */
/* The C library has these; the kernel's lib/string.c gives the rest. */
#ifndef KMEM_ENV_ASM_STRING_H
#define KMEM_ENV_ASM_STRING_H

#define __HAVE_ARCH_MEMCHR
#define __HAVE_ARCH_MEMCMP
#define __HAVE_ARCH_MEMCPY
#define __HAVE_ARCH_MEMMOVE
#define __HAVE_ARCH_MEMSET
#define __HAVE_ARCH_STRCASECMP
#define __HAVE_ARCH_STRCAT
#define __HAVE_ARCH_STRCHR
#define __HAVE_ARCH_STRCHRNUL
#define __HAVE_ARCH_STRCMP
#define __HAVE_ARCH_STRCPY
#define __HAVE_ARCH_STRCSPN
#define __HAVE_ARCH_STRLEN
#define __HAVE_ARCH_STRNCASECMP
#define __HAVE_ARCH_STRNCAT
#define __HAVE_ARCH_STRNCHR
#define __HAVE_ARCH_STRNCMP
#define __HAVE_ARCH_STRNCPY
#define __HAVE_ARCH_STRNLEN
#define __HAVE_ARCH_STRPBRK
#define __HAVE_ARCH_STRRCHR
#define __HAVE_ARCH_STRSEP
#define __HAVE_ARCH_STRSPN
#define __HAVE_ARCH_STRSTR

#include <linux/types.h>

void *memchr(const void *s, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int strcasecmp(const char *a, const char *b);
char *strcat(char *dst, const char *src);
char *strchr(const char *s, int c);
char *strchrnul(const char *s, int c);
int strcmp(const char *a, const char *b);
char *strcpy(char *dst, const char *src);
size_t strcspn(const char *s, const char *reject);
size_t strlen(const char *s);
int strncasecmp(const char *a, const char *b, size_t n);
char *strncat(char *dst, const char *src, size_t n);
char *strnchr(const char *s, size_t n, int c);
int strncmp(const char *a, const char *b, size_t n);
char *strncpy(char *dst, const char *src, size_t n);
size_t strnlen(const char *s, size_t n);
char *strpbrk(const char *s, const char *accept);
char *strrchr(const char *s, int c);
char *strsep(char **s, const char *delim);
size_t strspn(const char *s, const char *accept);
char *strstr(const char *s, const char *needle);

#endif
