/* SPDX-License-Identifier: MIT */
/*
 * Devices as far as managed resources need them: a device with a parent, driver data, and a list of
 * what is to be undone when its driver goes. There is no bus; a test or a program makes a device by
 * root_device_register() or device_initialize(), and ends it by device_unregister() or put_device().
 */
#ifndef KMEM_ENV_LINUX_DEVICE_H
#define KMEM_ENV_LINUX_DEVICE_H
#define _DEVICE_H_

#include <linux/types.h>
#include <kmem/env.h>
#include <linux/spinlock.h>
#include <linux/mutex.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/kernel.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/gfp.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#endif

struct device_node;
struct fwnode_handle;
struct device;
struct bus_type {
	const char *name;
};
struct class
{
	const char *name;
};
struct device_driver {
	const char *name;
	const struct bus_type *bus;
	struct module *owner;
	int (*probe)(struct device *dev);
	int (*remove)(struct device *dev);
};
struct device_type {
	const char *name;
	void (*release)(struct device *dev);
};
struct kobject {
	const char *name;
};
struct device {
	struct kobject kobj;
	struct device *parent;
	const char *init_name;
	const struct device_type *type;
	const struct bus_type *bus;
	struct device_driver *driver;
	void *platform_data, *driver_data, *dma_pools_private;
	struct mutex mutex;
	u64 *dma_mask, coherent_dma_mask, bus_dma_limit;
	struct list_head dma_pools;
	struct device_node *of_node;
	struct fwnode_handle *fwnode;
	int numa_node;
	dev_t devt;
	u32 id;
	spinlock_t devres_lock;
	struct list_head devres_head;
	struct class *class;
	void (*release)(struct device *dev);
	unsigned int refs; /* the environment's, as what follows */
	bool added, on_heap;
	char name[32];
};
struct device_attribute {
	const char *name;
};

void device_initialize(struct device *dev);
int device_add(struct device *dev);
int device_register(struct device *dev);
/* Undoes device_add(): all managed resources are released, last first. */
void device_del(struct device *dev);
void device_unregister(struct device *dev);
struct device *get_device(struct device *dev);
/* The last one releases the device, and what is still managed. */
void put_device(struct device *dev);
struct device *kmem_env_root_device(const char *name);
#define root_device_register(name)   kmem_env_root_device(name)
#define __root_device_register(n, m) kmem_env_root_device(n)
#define root_device_unregister(dev)  device_unregister(dev)
int dev_set_name(struct device *dev, const char *fmt, ...);
const char *dev_name(const struct device *dev);
const char *dev_driver_string(const struct device *dev);

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}
static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}
static inline void *dev_get_platdata(const struct device *dev)
{
	return dev->platform_data;
}
#define kobj_to_dev(k)	 container_of(k, struct device, kobj)
#define dev_to_node(dev) ((void)(dev), -1)
#define set_dev_node(d, n) \
	do {               \
		(void)(d); \
		(void)(n); \
	} while (0)
#define device_lock(dev)	  mutex_lock(&(dev)->mutex)
#define device_unlock(dev)	  mutex_unlock(&(dev)->mutex)
#define device_is_registered(dev) ((dev)->added)

void kmem_env_dev_printk(int level, const struct device *dev, const char *fmt, ...);
#define dev_printk(lvl, dev, ...) kmem_env_dev_printk((lvl)[1] - '0', (dev), __VA_ARGS__)
#define dev_emerg(dev, ...)	  kmem_env_dev_printk(0, (dev), __VA_ARGS__)
#define dev_alert(dev, ...)	  kmem_env_dev_printk(1, (dev), __VA_ARGS__)
#define dev_crit(dev, ...)	  kmem_env_dev_printk(2, (dev), __VA_ARGS__)
#define dev_err(dev, ...)	  kmem_env_dev_printk(3, (dev), __VA_ARGS__)
#define dev_warn(dev, ...)	  kmem_env_dev_printk(4, (dev), __VA_ARGS__)
#define dev_notice(dev, ...)	  kmem_env_dev_printk(5, (dev), __VA_ARGS__)
#define dev_info(dev, ...)	  kmem_env_dev_printk(6, (dev), __VA_ARGS__)
#define dev_dbg(dev, ...)    \
	do {                 \
		(void)(dev); \
	} while (0)
#define dev_vdbg(dev, ...)   \
	do {                 \
		(void)(dev); \
	} while (0)
#define dev_err_ratelimited(dev, ...)  dev_err(dev, __VA_ARGS__)
#define dev_warn_ratelimited(dev, ...) dev_warn(dev, __VA_ARGS__)
#define dev_err_once(dev, ...)	       dev_err(dev, __VA_ARGS__)
#define dev_warn_once(dev, ...)	       dev_warn(dev, __VA_ARGS__)
#define dev_WARN(dev, ...)	       WARN(1, __VA_ARGS__)
#define dev_WARN_ONCE(dev, c, ...)     WARN_ONCE(c, __VA_ARGS__)
#define dev_err_probe(dev, err, ...)   (dev_err((dev), __VA_ARGS__), (err))

/* ---- Managed resources -------------------------------------------------------------------------- */

typedef void (*dr_release_t)(struct device *dev, void *res);
typedef int (*dr_match_t)(struct device *dev, void *res, void *match_data);

void *__devres_alloc_node(dr_release_t release, size_t size, gfp_t gfp, int nid, const char *name);
#define devres_alloc(release, size, gfp) __devres_alloc_node((release), (size), (gfp), -1, #release)
#define devres_alloc_node(release, size, gfp, nid) \
	__devres_alloc_node((release), (size), (gfp), (nid), #release)
void devres_for_each_res(struct device *dev, dr_release_t release, dr_match_t match,
			 void *match_data, void (*fn)(struct device *, void *, void *), void *data);
void devres_free(void *res);
void devres_add(struct device *dev, void *res);
void *devres_find(struct device *dev, dr_release_t release, dr_match_t match, void *match_data);
void *devres_get(struct device *dev, void *new_res, dr_match_t match, void *match_data);
void *devres_remove(struct device *dev, dr_release_t release, dr_match_t match, void *match_data);
int devres_destroy(struct device *dev, dr_release_t release, dr_match_t match, void *match_data);
int devres_release(struct device *dev, dr_release_t release, dr_match_t match, void *match_data);
/* Groups may nest; a group that is not closed reaches to the end. */
void *devres_open_group(struct device *dev, void *id, gfp_t gfp);
void devres_close_group(struct device *dev, void *id);
void devres_remove_group(struct device *dev, void *id);
int devres_release_group(struct device *dev, void *id);
int devres_release_all(struct device *dev);
int devm_add_action(struct device *dev, void (*action)(void *), void *data);
void devm_remove_action(struct device *dev, void (*action)(void *), void *data);
void devm_release_action(struct device *dev, void (*action)(void *), void *data);
static inline int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data)
{
	int err = devm_add_action(dev, action, data);

	if (err)
		action(data);
	return err;
}

#if !defined(KMEM_ENV_HOSTED) && __has_include(<linux/devm.h>)
#include <linux/devm.h>
#endif

#endif
