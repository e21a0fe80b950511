#ifndef TESTS_MOUNTS_H
#define TESTS_MOUNTS_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* Write a line into a file of /proc/self. */
static bool
mounts_tell(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool told = fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line);

	if (fd >= 0)
		close(fd);
	return told;
}

/*
 * From now on this process has a view of the file system of its own, to mount
 * in as a test needs it; not as root in a user namespace, where it is who it
 * was: files of nobody known cannot be made. False: not allowed here (errno).
 */
static bool
mounts_own(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0)
		return false;
	if (uid != 0) {
		snprintf(map, sizeof map, "%u %u 1", (unsigned)uid, (unsigned)uid);
		if (!mounts_tell("/proc/self/setgroups", "deny") || !mounts_tell("/proc/self/uid_map", map))
			return false;
		snprintf(map, sizeof map, "%u %u 1", (unsigned)gid, (unsigned)gid);
		if (!mounts_tell("/proc/self/gid_map", map))
			return false;
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#endif
