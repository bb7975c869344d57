// SPDX-License-Identifier: MIT
/*
 * Devices, as far as managed resources need them: a count of references, a name, and a release. A
 * device is released when its last reference goes, and its resources with it if they still are there.
 */
#include "internal.h"
#include <errno.h>
#include <linux/device.h>
#include <stdio.h>
#include <stdlib.h>

void device_initialize(struct device *dev)
{
	dev->refs = 1;
	spin_lock_init(&dev->devres_lock);
	env_list_init(&dev->devres_head);
	env_list_init(&dev->dma_pools);
	mutex_init(&dev->mutex);
	dev->numa_node = -1;
}

int device_add(struct device *dev)
{
	if (dev->init_name)
		snprintf(dev->name, sizeof(dev->name), "%s", dev->init_name);
	if (!dev->name[0])
		return -EINVAL;
	get_device(dev);
	if (dev->parent)
		get_device(dev->parent);
	dev->added = true;
	return 0;
}

int device_register(struct device *dev)
{
	device_initialize(dev);
	return device_add(dev);
}

void device_del(struct device *dev)
{
	dev->added = false;
	devres_release_all(dev);
	if (dev->parent)
		put_device(dev->parent);
	put_device(dev);
}

void device_unregister(struct device *dev)
{
	device_del(dev);
	put_device(dev);
}

struct device *get_device(struct device *dev)
{
	if (dev)
		__atomic_fetch_add(&dev->refs, 1, __ATOMIC_RELAXED);
	return dev;
}

void put_device(struct device *dev)
{
	if (!dev || __atomic_sub_fetch(&dev->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	devres_release_all(dev);
	if (dev->on_heap)
		free(dev);
	else if (dev->release)
		dev->release(dev);
	else if (dev->type && dev->type->release)
		dev->type->release(dev);
	else
		kmem_env_warn(__FILE__, __LINE__, __func__, "device %s has no release function\n",
			      dev->name);
}

struct device *kmem_env_root_device(const char *name)
{
	struct device *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return (struct device *)(intptr_t)-ENOMEM;
	dev->on_heap = true;
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	device_register(dev);
	return dev;
}

int dev_set_name(struct device *dev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kmem_env_vsnprintf(dev->name, sizeof(dev->name), fmt, ap);
	va_end(ap);
	return 0;
}

const char *dev_name(const struct device *dev)
{
	return dev->init_name ? dev->init_name : dev->name;
}

const char *dev_driver_string(const struct device *dev)
{
	return dev->driver ? dev->driver->name : dev->bus ? dev->bus->name : "";
}

void kmem_env_dev_printk(int level, const struct device *dev, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	kmem_env_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (dev)
		_printk("\001%d%s %s: %s", level, dev_driver_string(dev), dev_name(dev), text);
	else
		_printk("\001%d(NULL device *): %s", level, text);
}
