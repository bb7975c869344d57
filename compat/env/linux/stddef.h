/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_STDDEF_H
#define KMEM_ENV_LINUX_STDDEF_H
#define _LINUX_STDDEF_H

#include <stdbool.h>
#include <stddef.h>
#include <uapi/linux/stddef.h>

#define sizeof_field(type, member)	    sizeof(((type *)0)->member)
#define offsetofend(type, member)	    (offsetof(type, member) + sizeof_field(type, member))
#define struct_group(name, ...)		    __struct_group(, name, , __VA_ARGS__)
#define struct_group_attr(name, attrs, ...) __struct_group(, name, attrs, __VA_ARGS__)
#define struct_group_tagged(tag, name, ...) __struct_group(tag, name, , __VA_ARGS__)
#define DECLARE_FLEX_ARRAY(type, name)	    __DECLARE_FLEX_ARRAY(type, name)

#endif
