/* SPDX-License-Identifier: MIT */
/*
 * Names of the file layer that code around it mentions. There is no file layer: a character device's
 * operations can be called, nothing is mounted.
 */
#ifndef KMEM_ENV_LINUX_FS_H
#define KMEM_ENV_LINUX_FS_H
#define _LINUX_FS_H

#include <linux/types.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/list.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/shrinker.h>
#endif
#include <linux/rbtree.h>
#include <linux/stat.h>
#include <uapi/linux/fs.h>
#endif

struct super_block;
struct dentry;
struct block_device;
struct address_space;
struct page;
struct poll_table_struct;
struct vm_area_struct;
struct inode;
struct file;

struct address_space {
	struct inode *host;
	gfp_t gfp_mask;
	unsigned long flags;
	void *private_data;
};
struct file_operations {
	struct module *owner;
	loff_t (*llseek)(struct file *file, loff_t off, int whence);
	ssize_t (*read)(struct file *file, char *buf, size_t len, loff_t *pos);
	ssize_t (*write)(struct file *file, const char *buf, size_t len, loff_t *pos);
	__poll_t (*poll)(struct file *file, struct poll_table_struct *table);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	int (*open)(struct inode *inode, struct file *file);
	int (*flush)(struct file *file, void *id);
	int (*release)(struct inode *inode, struct file *file);
	int (*fsync)(struct file *file, loff_t from, loff_t to, int datasync);
};
struct inode {
	umode_t i_mode;
	unsigned long i_ino;
	dev_t i_rdev;
	loff_t i_size;
	void *i_private;
	struct super_block *i_sb;
	struct address_space *i_mapping;
};
struct file {
	const struct file_operations *f_op;
	unsigned int f_flags;
	fmode_t f_mode;
	loff_t f_pos;
	void *private_data;
	struct inode *f_inode;
};
#define FMODE_READ    0x1u
#define FMODE_WRITE   0x2u
#define file_inode(f) ((f)->f_inode)
#define iminor(inode) ((unsigned int)((inode)->i_rdev & 0xfffff))
#define imajor(inode) ((unsigned int)((inode)->i_rdev >> 20))
#define no_llseek     NULL
#define noop_llseek   NULL
ssize_t simple_read_from_buffer(void *to, size_t count, loff_t *pos, const void *from,
				size_t available);
ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *pos, const void *from,
			       size_t count);
ssize_t memory_read_from_buffer(void *to, size_t count, loff_t *pos, const void *from,
				size_t available);

#endif
