// SPDX-License-Identifier: MIT
/*
 * Managed resources: what a driver has got for a device, in the order in which it got it, each with a
 * function that undoes it. They are released last first. A group is two entries of the list, its
 * beginning and its end; one that is open has no end yet.
 *
 * The whole file gives way to the kernel's drivers/base/devres.c where a program links that.
 */
#include "internal.h"
#include <errno.h>
#include <linux/device.h>

struct node {
	struct list_head entry;
	dr_release_t release;
	const char *name;
	size_t size;
	void *group; /* beginning or end of a group: its id */
	bool opens, closes;
};

/* The user's part begins after the node, aligned for anything. */
enum { NODE_SIZE = (sizeof(struct node) + 15) & ~(size_t)15 };

static void *data_of(struct node *n)
{
	return (char *)n + NODE_SIZE;
}

static struct node *node_of(void *res)
{
	return (struct node *)(void *)((char *)res - NODE_SIZE);
}

static struct node *node_new(dr_release_t release, size_t size, gfp_t gfp, const char *name)
{
	struct node *n;

	if (size > SIZE_MAX - NODE_SIZE)
		return NULL;
	n = kmalloc(NODE_SIZE + size, gfp | __GFP_ZERO);
	if (!n)
		return NULL;
	n->release = release;
	n->name = name;
	n->size = size;
	env_list_init(&n->entry);
	return n;
}

void *__devres_alloc_node(dr_release_t release, size_t size, gfp_t gfp, int nid, const char *name)
{
	struct node *n = node_new(release, size, gfp, name);

	(void)nid;
	return n ? data_of(n) : NULL;
}

void devres_free(void *res)
{
	struct node *n;

	if (!res)
		return;
	n = node_of(res);
	if (!env_list_empty(&n->entry))
		kmem_env_warn(__FILE__, __LINE__, __func__, "%s is freed while it is managed\n",
			      n->name);
	kfree(n);
}

/* ---- The list ----------------------------------------------------------------------------------- */

static struct node *find(struct device *dev, dr_release_t release, dr_match_t match,
			 void *match_data)
{
	for (struct list_head *at = dev->devres_head.prev; at != &dev->devres_head; at = at->prev) {
		struct node *n = env_entry(at, struct node, entry);

		if (n->group || n->release != release)
			continue;
		if (!match || match(dev, data_of(n), match_data))
			return n;
	}
	return NULL;
}

void devres_add(struct device *dev, void *res)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->devres_lock, flags);
	env_list_add_tail(&node_of(res)->entry, &dev->devres_head);
	spin_unlock_irqrestore(&dev->devres_lock, flags);
}

void devres_for_each_res(struct device *dev, dr_release_t release, dr_match_t match,
			 void *match_data, void (*fn)(struct device *, void *, void *), void *data)
{
	struct list_head *at, *prev;
	unsigned long flags;

	if (!fn)
		return;
	spin_lock_irqsave(&dev->devres_lock, flags);
	for (at = dev->devres_head.prev; at != &dev->devres_head; at = prev) {
		struct node *n = env_entry(at, struct node, entry);

		prev = at->prev;
		if (!n->group && n->release == release &&
		    (!match || match(dev, data_of(n), match_data)))
			fn(dev, data_of(n), data);
	}
	spin_unlock_irqrestore(&dev->devres_lock, flags);
}

void *devres_find(struct device *dev, dr_release_t release, dr_match_t match, void *match_data)
{
	unsigned long flags;
	struct node *n;

	spin_lock_irqsave(&dev->devres_lock, flags);
	n = find(dev, release, match, match_data);
	spin_unlock_irqrestore(&dev->devres_lock, flags);
	return n ? data_of(n) : NULL;
}

void *devres_get(struct device *dev, void *new_res, dr_match_t match, void *match_data)
{
	struct node *mine = node_of(new_res), *n;
	unsigned long flags;

	spin_lock_irqsave(&dev->devres_lock, flags);
	n = find(dev, mine->release, match, match_data);
	if (!n) {
		env_list_add_tail(&mine->entry, &dev->devres_head);
		n = mine;
		new_res = NULL;
	}
	spin_unlock_irqrestore(&dev->devres_lock, flags);
	devres_free(new_res);
	return data_of(n);
}

void *devres_remove(struct device *dev, dr_release_t release, dr_match_t match, void *match_data)
{
	unsigned long flags;
	struct node *n;

	spin_lock_irqsave(&dev->devres_lock, flags);
	n = find(dev, release, match, match_data);
	if (n)
		env_list_del(&n->entry);
	spin_unlock_irqrestore(&dev->devres_lock, flags);
	return n ? data_of(n) : NULL;
}

int devres_destroy(struct device *dev, dr_release_t release, dr_match_t match, void *match_data)
{
	void *res = devres_remove(dev, release, match, match_data);

	if (!res)
		return -ENOENT;
	devres_free(res);
	return 0;
}

int devres_release(struct device *dev, dr_release_t release, dr_match_t match, void *match_data)
{
	void *res = devres_remove(dev, release, match, match_data);

	if (!res)
		return -ENOENT;
	release(dev, res);
	devres_free(res);
	return 0;
}

/* From after `from` to before `to`, last first; the functions are called without the lock. */
static int release_between(struct device *dev, struct list_head *from, struct list_head *to)
{
	int count = 0;

	for (;;) {
		struct node *n;
		unsigned long flags;

		spin_lock_irqsave(&dev->devres_lock, flags);
		if (to->prev == from) {
			spin_unlock_irqrestore(&dev->devres_lock, flags);
			return count;
		}
		n = env_entry(to->prev, struct node, entry);
		env_list_del(&n->entry);
		spin_unlock_irqrestore(&dev->devres_lock, flags);
		if (!n->group) {
			n->release(dev, data_of(n));
			count++;
		}
		kfree(n);
	}
}

int devres_release_all(struct device *dev)
{
	if (!dev->devres_head.next)
		return -ENODEV;
	return release_between(dev, &dev->devres_head, &dev->devres_head);
}

/* ---- Groups ------------------------------------------------------------------------------------- */

/* id NULL: the one that was opened last and is open. */
static struct node *find_group(struct device *dev, void *id, bool end)
{
	for (struct list_head *at = dev->devres_head.prev; at != &dev->devres_head; at = at->prev) {
		struct node *n = env_entry(at, struct node, entry);

		if (n->group && n->closes == end && (!id || n->group == id))
			return n;
	}
	return NULL;
}

void *devres_open_group(struct device *dev, void *id, gfp_t gfp)
{
	struct node *n = node_new(NULL, 0, gfp, "group");

	if (!n)
		return NULL;
	n->group = id ? id : n;
	n->opens = true;
	devres_add(dev, data_of(n));
	return n->group;
}

void devres_close_group(struct device *dev, void *id)
{
	struct node *open = find_group(dev, id, false), *n;

	if (!open) {
		kmem_env_warn(__FILE__, __LINE__, __func__, "no such group\n");
		return;
	}
	n = node_new(NULL, 0, GFP_ATOMIC, "group end");
	if (!n)
		return; /* then it reaches to the end, which releases no less */
	n->group = open->group;
	n->closes = true;
	devres_add(dev, data_of(n));
}

static void forget(struct node *n)
{
	if (!n)
		return;
	env_list_del(&n->entry);
	kfree(n);
}

void devres_remove_group(struct device *dev, void *id)
{
	struct node *open = find_group(dev, id, false);

	if (!open) {
		kmem_env_warn(__FILE__, __LINE__, __func__, "no such group\n");
		return;
	}
	forget(find_group(dev, open->group, true));
	forget(open);
}

int devres_release_group(struct device *dev, void *id)
{
	struct node *open = find_group(dev, id, false), *end;
	int count;

	if (!open) {
		kmem_env_warn(__FILE__, __LINE__, __func__, "no such group\n");
		return 0;
	}
	end = find_group(dev, open->group, true);
	count = release_between(dev, &open->entry, end ? &end->entry : &dev->devres_head);
	forget(end);
	forget(open);
	return count;
}

/* ---- Actions ------------------------------------------------------------------------------------ */

struct action {
	void *data;
	void (*fn)(void *data);
};

static void action_release(struct device *dev, void *res)
{
	struct action *a = res;

	(void)dev;
	a->fn(a->data);
}

static int action_match(struct device *dev, void *res, void *match_data)
{
	struct action *a = res, *b = match_data;

	(void)dev;
	return a->fn == b->fn && a->data == b->data;
}

int devm_add_action(struct device *dev, void (*fn)(void *), void *data)
{
	struct action *a = devres_alloc(action_release, sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	*a = (struct action){data, fn};
	devres_add(dev, a);
	return 0;
}

void devm_remove_action(struct device *dev, void (*fn)(void *), void *data)
{
	struct action a = {data, fn};

	if (devres_destroy(dev, action_release, action_match, &a))
		kmem_env_warn(__FILE__, __LINE__, __func__, "no such action\n");
}

void devm_release_action(struct device *dev, void (*fn)(void *), void *data)
{
	struct action a = {data, fn};

	if (devres_release(dev, action_release, action_match, &a))
		kmem_env_warn(__FILE__, __LINE__, __func__, "no such action\n");
}
