/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_BOTTOM_HALF_H
#define KMEM_ENV_LINUX_BOTTOM_HALF_H
#define _LINUX_BH_H

#include <linux/preempt.h>

#define _local_bh_enable()	       local_bh_enable()
#define __local_bh_disable_ip(ip, cnt) local_bh_disable()
#define __local_bh_enable_ip(ip, cnt)  local_bh_enable()
#define local_bh_enable_ip(ip)	       local_bh_enable()
#define local_bh_blocked()	       false

#endif
