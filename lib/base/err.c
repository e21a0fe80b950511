#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Messages go to terminals: an escape sequence from a file name or a field must not act there. */
static void
store_message(struct err *e, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t out = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (out + 5 > sizeof e->message)
			break;
		if (*p < 0x20 || *p == 0x7f) {
			e->message[out++] = '\\';
			e->message[out++] = 'x';
			e->message[out++] = hex[*p >> 4];
			e->message[out++] = hex[*p & 15];
		} else {
			e->message[out++] = (char)*p;
		}
	}
	e->message[out] = '\0';
}

int
err_set(struct err *e, enum err_code code, const char *format, ...)
{
	char text[sizeof e->message];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	e->code = code;
	store_message(e, text);
	return -1;
}

int
err_errno(struct err *e, int number, const char *format, ...)
{
	char text[sizeof e->message / 2];
	enum err_code code;
	va_list ap;

	switch (number) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
		code = ERR_NOINPUT;
		break;
	case EACCES:
	case EPERM:
	case EROFS:
		code = ERR_PERMISSION;
		break;
	default:
		code = ERR_IO;
	}
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	return err_set(e, code, "%s: %s", text, strerror(number));
}

int
err_prefix(struct err *e, const char *format, ...)
{
	char context[sizeof e->message / 2];
	char old[sizeof e->message];
	char text[sizeof e->message + sizeof context];
	va_list ap;

	va_start(ap, format);
	vsnprintf(context, sizeof context, format, ap);
	va_end(ap);
	memcpy(old, e->message, sizeof old);
	snprintf(text, sizeof text, "%s: %s", context, old);
	store_message(e, text);
	return -1;
}

enum err_code
err_worse(enum err_code a, enum err_code b)
{
	return a > b ? a : b;
}
