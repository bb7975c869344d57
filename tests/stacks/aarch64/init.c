/* SPDX-License-Identifier: MIT */
/* The first and only process of the guest: runs /test, says how it ended, and switches off. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status = -1;

	if (mount("proc", "/proc", "proc", 0, NULL) || mount("tmpfs", "/tmp", "tmpfs", 0, NULL))
		perror("mount");
	if (fork() == 0) {
		setenv("TAP_SLOW", "40", 1);
		execl("/test", "/test", (char *)NULL);
		_exit(127);
	}
	wait(&status);
	printf("guest: status %d\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fflush(stdout);
	sync();
	return reboot(RB_POWER_OFF);
}
