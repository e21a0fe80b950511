#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

/*
 * Typed errors. The code of an error is the exit status of the program that
 * meets it (sysexits.h numbers, and 3 for "done, with rejects inside the
 * limit"), so csvp-run and shell scripts decide from the code alone.
 */
enum err_code {
	ERR_NONE = 0,
	ERR_REJECTS = 3,      /* done, with rejects inside the allowed limit */
	ERR_USAGE = 64,       /* wrong options or operands */
	ERR_DATA = 65,        /* not a CSV, or rejects over the limit */
	ERR_NOINPUT = 66,     /* no such file, job or dataset */
	ERR_UNAVAILABLE = 69, /* a service is unavailable for good */
	ERR_BUG = 70,         /* must not happen */
	ERR_IO = 74,          /* disk or stream failed */
	ERR_AGAIN = 75,       /* try again later */
	ERR_PERMISSION = 77,  /* not permitted */
	ERR_CONFIG = 78,      /* wrong or missing configuration */
	ERR_SIGINT = 130,     /* ended by SIGINT, work handed back */
	ERR_SIGTERM = 143     /* ended by SIGTERM or SIGHUP, work handed back */
};

/* One error: filled by the deepest function that knows, printed by main. */
struct err {
	enum err_code code;
	char message[1000];
};

#define ERR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * Fill the error and return -1, so that a function can `return err_set(...)`.
 * The message is lower case without a full stop, holds the offending value,
 * and may end in "; hint: ...". Control characters in it are shown as \xNN.
 */
int err_set(struct err *e, enum err_code code, const char *format, ...) ERR_PRINTF(3, 4);

/*
 * As err_set, with ": " and strerror(number) appended and the code chosen by
 * number: ENOENT, ENOTDIR, EISDIR -> 66, EACCES, EPERM, EROFS -> 77, else 74.
 */
int err_errno(struct err *e, int number, const char *format, ...) ERR_PRINTF(3, 4);

/* Put "CONTEXT: " before the message of an error already set; return -1. */
int err_prefix(struct err *e, const char *format, ...) ERR_PRINTF(2, 3);

/* The worse of two codes: the higher number (DESIGN: "the worst code"). */
enum err_code err_worse(enum err_code a, enum err_code b);

#endif
