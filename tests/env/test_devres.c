// SPDX-License-Identifier: MIT
/* Managed resources are released last first, by group, by hand, or when their device goes. */
#include "env_test.h"
#include <linux/device.h>

static char released[32];

static void release(struct device *dev, void *res)
{
	(void)dev;
	released[strlen(released)] = *(char *)res;
}

static void add(struct device *dev, char name)
{
	char *res = devres_alloc(release, 1, GFP_KERNEL);

	*res = name;
	devres_add(dev, res);
}

static int match(struct device *dev, void *res, void *name)
{
	(void)dev;
	return *(char *)res == *(char *)name;
}

TEST(resources_are_released_last_first)
{
	struct device *dev;

	env_begin();
	dev = root_device_register("dev");
	add(dev, 'a');
	add(dev, 'b');
	add(dev, 'c');
	root_device_unregister(dev);
	is_str(released, "cba");
	env_end();
}

TEST(one_resource_is_found_removed_and_released)
{
	char b = 'b', z = 'z';
	struct device *dev;
	char *res;

	env_begin();
	dev = root_device_register("dev");
	add(dev, 'a');
	add(dev, 'b');
	res = devres_find(dev, release, match, &b);
	ok(res && *res == 'b');
	is_ptr(devres_find(dev, release, match, &z), NULL);
	is(devres_release(dev, release, match, &b), 0);
	is_str(released, "b");
	is(devres_destroy(dev, release, match, &b), -2);
	devres_free(devres_remove(dev, release, NULL, NULL));
	root_device_unregister(dev);
	is_str(released, "b", "a was taken out");
	env_end();
}

TEST(a_group_is_released_alone)
{
	struct device *dev;
	void *id;

	env_begin();
	dev = root_device_register("dev");
	add(dev, 'a');
	id = devres_open_group(dev, NULL, GFP_KERNEL);
	add(dev, 'b');
	add(dev, 'c');
	devres_close_group(dev, id);
	add(dev, 'd');
	is(devres_release_group(dev, id), 2);
	is_str(released, "cb");
	id = devres_open_group(dev, NULL, GFP_KERNEL);
	add(dev, 'e');
	devres_remove_group(dev, id);
	root_device_unregister(dev);
	is_str(released, "cbeda");
	env_end();
}

static void act(void *data)
{
	released[strlen(released)] = *(char *)data;
}

TEST(actions_are_undone)
{
	char x[] = "xyz";
	struct device *dev;

	env_begin();
	dev = root_device_register("dev");
	is(devm_add_action(dev, act, &x[0]), 0);
	is(devm_add_action_or_reset(dev, act, &x[1]), 0);
	is(devm_add_action(dev, act, &x[2]), 0);
	devm_remove_action(dev, act, &x[1]);
	devm_release_action(dev, act, &x[0]);
	is_str(released, "x");
	root_device_unregister(dev);
	is_str(released, "xz");
	env_end();
}

static void gone(struct device *dev)
{
	(void)dev;
	released[strlen(released)] = '!';
}

TEST(the_last_reference_releases_the_device)
{
	struct device dev = {.init_name = "mine", .release = gone};

	env_begin();
	is(device_register(&dev), 0);
	is_str(dev_name(&dev), "mine");
	get_device(&dev);
	add(&dev, 'a');
	device_unregister(&dev);
	is_str(released, "a");
	put_device(&dev);
	is_str(released, "a!");
	env_end();
}
