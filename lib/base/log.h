#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * Lines on stderr, "PROGRAM: text", each with one write so that lines of
 * several processes never mix. Libraries report errors through struct err;
 * these are for notices a person should see although nothing failed.
 */
enum log_level {
	LOG_QUIET,  /* -q: errors only */
	LOG_NORMAL, /* notices */
	LOG_VERBOSE /* -v: what is being done, too */
};

/* Set once by main before any thread starts. `program` must stay valid. */
void log_init(const char *program, enum log_level level);
enum log_level log_level(void);

/*
 * Called around each line, so that a progress line on a terminal can be
 * cleared before and drawn again after; NULL for none.
 */
void log_around(void (*before)(void), void (*after)(void));

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
