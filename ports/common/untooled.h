/* SPDX-License-Identifier: MIT */
/*
 * The verbs of tools that look at every access to memory, and of those who choose which requests
 * fail, for a port under which there are none. One source file of the port includes this.
 */
#ifndef PORT_UNTOOLED_H
#define PORT_UNTOOLED_H

#include <kmem/port.h>

bool port_watch_start(void (*describe)(const void *addr))
{
	(void)describe;
	return false;
}

void port_watch_hide(const void *p, size_t n)
{
	(void)p;
	(void)n;
}

void port_watch_show(const void *p, size_t n, bool defined)
{
	(void)p;
	(void)n;
	(void)defined;
}

void port_watch_slab(const void *base, size_t n, const char *name)
{
	(void)base;
	(void)n;
	(void)name;
}

void port_watch_slab_end(const void *base, size_t n)
{
	(void)base;
	(void)n;
}

void port_watch_object(const void *base, const void *obj, size_t n, bool defined)
{
	(void)base;
	(void)obj;
	(void)n;
	(void)defined;
}

void port_watch_object_free(const void *base, const void *obj, size_t n)
{
	(void)base;
	(void)obj;
	(void)n;
}

port_fault_fn port_fault(void)
{
	return NULL;
}

void port_fault_end(unsigned long leaks, unsigned long misuses)
{
	(void)leaks;
	(void)misuses;
}

#endif
