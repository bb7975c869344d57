/* SPDX-License-Identifier: MIT */
/*
 * ldd3: the three drivers, and a folder of FUSE in which each is a file. One thread, so a driver's calls
 * exclude each other, as under a semaphore; its interrupt is excluded from nothing.
 *
 * Exit status: 0, 1 something was left behind or out of order at the end, 2 usage, 3 no FUSE here.
 */
#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 31
#endif
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct store *devices[3];
static const char ticks_name[] = "ticks";

static struct store *device(const char *path)
{
	for (size_t i = 0; i < 3; i++) {
		if (devices[i] && !strcmp(path + 1, devices[i]->name))
			return devices[i];
	}
	return NULL;
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	struct store *s = device(path);

	(void)fi;
	memset(st, 0, sizeof(*st));
	st->st_mode = !strcmp(path, "/") ? S_IFDIR | 0755 : s ? S_IFREG | 0600 : S_IFREG | 0400;
	st->st_nlink = 1;
	st->st_size = s ? s->size : 0;
	return s || !strcmp(path, "/") || !strcmp(path + 1, ticks_name) ? 0 : -ENOENT;
}

static int on_readdir(const char *path, void *buf, fuse_fill_dir_t add, off_t at,
		      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	(void)path;
	(void)at;
	(void)fi;
	(void)flags;
	add(buf, ticks_name, NULL, 0, 0);
	for (size_t i = 0; i < 3; i++)
		add(buf, devices[i]->name, NULL, 0, 0);
	return 0;
}

/* Nothing is kept by the host: each look, read and write comes here. */
static void *on_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	(void)conn;
	config->attr_timeout = 0;
	return NULL;
}

static int on_open(const char *path, struct fuse_file_info *fi)
{
	fi->direct_io = 1;
	if (fi->flags & O_TRUNC && device(path))
		store_trim(device(path));
	return 0;
}

static int on_read(const char *path, char *buf, size_t n, off_t at, struct fuse_file_info *fi)
{
	struct store *s = device(path);

	(void)fi;
	if (s)
		return (int)store_read(s, buf, n, at);
	return at ? 0 : (int)cache_ticks(buf, n);
}

static int on_write(const char *path, const char *buf, size_t n, off_t at,
		    struct fuse_file_info *fi)
{
	struct store *s = device(path);

	(void)fi;
	return s ? (int)store_write(s, buf, n, at) : -EACCES;
}

static int on_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	struct store *s = device(path);

	(void)fi;
	if (!s || size != 0)
		return -EINVAL;
	store_trim(s);
	return 0;
}

static const struct fuse_operations operations = {
	.init = on_init,
	.getattr = on_getattr,
	.readdir = on_readdir,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.truncate = on_truncate,
};

static int serve(const char *where)
{
	char *argv[] = {"ldd3", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse *fuse = fuse_new(&args, &operations, sizeof(operations), NULL);
	int rc = 3;

	if (fuse && fuse_mount(fuse, where) == 0) {
		fuse_set_signal_handlers(fuse_get_session(fuse));
		rc = fuse_loop(fuse) < 0 ? 3 : 0;
		fuse_remove_signal_handlers(fuse_get_session(fuse));
		fuse_unmount(fuse);
	}
	if (fuse)
		fuse_destroy(fuse);
	fuse_opt_free_args(&args);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = 3, faults;
	unsigned long left;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: ldd3 FOLDER [MACHINE]\n");
		return 2;
	}
	if (kmem_boot(argc > 2 ? argv[2] : "mem=32M zones=normal:16M,highmem:rest")) {
		fprintf(stderr, "ldd3: %s\n", kmem_boot_error());
		return 2;
	}
	devices[0] = cache_load();
	devices[1] = pages_load();
	devices[2] = virt_load();
	if (devices[0]) {
		rc = serve(argv[1]);
		cache_unload();
	}
	pages_unload();
	virt_unload();
	faults = kmem_check();
	left = kmem_shutdown();
	printf("%d faults, %lu left behind\n", faults, left);
	return rc ? rc : faults || left;
}
