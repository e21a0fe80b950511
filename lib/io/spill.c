#include "io/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

int
spill_open(const char *folder, struct err *e)
{
	char *path = buf_format("%s/csvp-spill-XXXXXX", folder != NULL && folder[0] != '\0' ? folder : "/tmp");
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		err_errno(e, errno, "temporary file %s", path);
	else
		unlink(path);
	free(path);
	return fd;
}

int
spill_write(int fd, uint64_t offset, const void *bytes, size_t length, const char *what, struct err *e)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, length - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(e, n < 0 ? errno : ENOSPC,
			    "temporary file of %s; hint: set TMPDIR to a folder with more space", what);
		done += (size_t)n;
	}
	return 0;
}
