/* SPDX-License-Identifier: MIT */
/* <net/sock.h>: there are no sockets; what the allocator has to do with them. */
#ifndef KMEM_ENV_SOCK_H
#define KMEM_ENV_SOCK_H
#define _SOCK_H

#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/preempt.h>

static inline gfp_t gfp_any(void)
{
	return in_softirq() ? GFP_ATOMIC : GFP_KERNEL;
}
/* True: *frag has a block with room for size bytes, which the user cuts; see <linux/gfp.h>. */
bool skb_page_frag_refill(unsigned int size, struct page_frag *frag, gfp_t gfp);

#endif
