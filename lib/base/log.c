#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include "base/buf.h"

static struct {
	const char *program;
	enum log_level level;
	void (*before)(void);
	void (*after)(void);
	pthread_mutex_t lock;
} state = {"csvp", LOG_NORMAL, NULL, NULL, PTHREAD_MUTEX_INITIALIZER};

void
log_init(const char *program, enum log_level level)
{
	state.program = program;
	state.level = level;
}

enum log_level
log_level(void)
{
	return state.level;
}

void
log_around(void (*before)(void), void (*after)(void))
{
	state.before = before;
	state.after = after;
}

/* As in error messages: an escape sequence from a file name must not act on the terminal. */
static void
hide_controls(struct buf *line)
{
	for (size_t i = 0; i < line->length; i++)
		if ((unsigned char)line->bytes[i] < 0x20 || line->bytes[i] == 0x7f)
			line->bytes[i] = '?';
}

static void
print(enum log_level level, const char *format, va_list ap)
{
	struct buf line = {0};
	ssize_t ignored;

	if (level > state.level)
		return;
	buf_printf(&line, "%s: ", state.program);
	buf_vprintf(&line, format, ap);
	hide_controls(&line);
	buf_byte(&line, '\n');
	pthread_mutex_lock(&state.lock);
	if (state.before != NULL)
		state.before();
	ignored = write(STDERR_FILENO, line.bytes, line.length);
	(void)ignored;
	if (state.after != NULL)
		state.after();
	pthread_mutex_unlock(&state.lock);
	buf_fini(&line);
}

void
log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print(LOG_QUIET, format, ap);
	va_end(ap);
}

void
log_notice(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print(LOG_NORMAL, format, ap);
	va_end(ap);
}

void
log_detail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print(LOG_VERBOSE, format, ap);
	va_end(ap);
}
