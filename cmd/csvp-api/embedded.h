#ifndef API_EMBEDDED_H
#define API_EMBEDDED_H

#include <stddef.h>

/* A file that stands in the program itself (scripts/embed-files), so that no web server has to be told where it is. */
struct embedded_file {
	const char *name; /* without a folder; NULL ends the table */
	const char *bytes;
	size_t length;
	const char *digest;
};

extern const struct embedded_file embedded_files[];

#endif
