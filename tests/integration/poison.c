/*
 * A library for LD_PRELOAD: whoever reads bytes that hold the text of TEST_POISON dies by SIGKILL, as a worker dies
 * whose input makes it grow until the kernel ends it. Used by 45-poison.sh.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static ssize_t
taste(const void *bytes, ssize_t length)
{
	const char *poison = getenv("TEST_POISON");

	if (poison != NULL && length > 0 && memmem(bytes, (size_t)length, poison, strlen(poison)) != NULL)
		kill(getpid(), SIGKILL);
	return length;
}

ssize_t
read(int fd, void *bytes, size_t capacity)
{
	static ssize_t (*real)(int, void *, size_t);

	if (real == NULL)
		real = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	return taste(bytes, real(fd, bytes, capacity));
}

ssize_t
pread(int fd, void *bytes, size_t capacity, off_t offset)
{
	static ssize_t (*real)(int, void *, size_t, off_t);

	if (real == NULL)
		real = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread");
	return taste(bytes, real(fd, bytes, capacity, offset));
}

ssize_t __read_chk(int fd, void *bytes, size_t capacity, size_t size);
ssize_t
__read_chk(int fd, void *bytes, size_t capacity, size_t size)
{
	return read(fd, bytes, capacity < size ? capacity : size);
}

ssize_t __pread_chk(int fd, void *bytes, size_t capacity, off_t offset, size_t size);
ssize_t
__pread_chk(int fd, void *bytes, size_t capacity, off_t offset, size_t size)
{
	return pread(fd, bytes, capacity < size ? capacity : size, offset);
}

/* The name under which glibc has pread where a library asks for large files (_FILE_OFFSET_BITS=64). */
ssize_t pread64(int fd, void *bytes, size_t capacity, off64_t offset);
ssize_t
pread64(int fd, void *bytes, size_t capacity, off64_t offset)
{
	return pread(fd, bytes, capacity, offset);
}
