#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static void __attribute__((noreturn)) out_of_memory(void)
{
	static const char text[] = "csvp: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);

	(void)ignored;
	_exit(ERR_AGAIN);
}

void *
buf_malloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
buf_calloc(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
buf_realloc(void *old, size_t count, size_t size)
{
	void *p;

	if (size > 0 && count > SIZE_MAX / size)
		out_of_memory();
	p = realloc(old, count * size > 0 ? count * size : 1);
	if (p == NULL)
		out_of_memory();
	return p;
}

char *
buf_strdup(const char *string)
{
	return buf_strndup(string, strlen(string));
}

char *
buf_strndup(const char *bytes, size_t length)
{
	char *p = buf_malloc(length + 1);

	if (length > 0)
		memcpy(p, bytes, length);
	p[length] = '\0';
	return p;
}

char *
buf_format(const char *format, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&b, format, ap);
	va_end(ap);
	return buf_detach(&b);
}

void
buf_init(struct buf *b)
{
	*b = (struct buf){0};
}

void
buf_fini(struct buf *b)
{
	free(b->bytes);
	buf_init(b);
}

void
buf_reset(struct buf *b)
{
	b->length = 0;
	if (b->bytes != NULL)
		b->bytes[0] = '\0';
}

char *
buf_reserve(struct buf *b, size_t more)
{
	if (more >= SIZE_MAX - b->length)
		out_of_memory();
	if (b->length + more + 1 > b->capacity) {
		size_t capacity = b->capacity < 64 ? 64 : b->capacity;

		/* Grow by half: a chunk's buffers count against the 64 MB of a worker. */
		while (capacity < b->length + more + 1)
			capacity += capacity / 2;
		b->bytes = buf_realloc(b->bytes, capacity, 1);
		b->capacity = capacity;
	}
	return b->bytes + b->length;
}

void
buf_append(struct buf *b, const void *bytes, size_t length)
{
	char *to = buf_reserve(b, length);

	if (length > 0)
		memcpy(to, bytes, length);
	b->length += length;
	b->bytes[b->length] = '\0';
}

void
buf_byte(struct buf *b, char byte)
{
	*buf_reserve(b, 1) = byte;
	b->bytes[++b->length] = '\0';
}

void
buf_string(struct buf *b, const char *string)
{
	buf_append(b, string, strlen(string));
}

void
buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	int length;

	va_copy(again, ap);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		return;
	vsnprintf(buf_reserve(b, (size_t)length), (size_t)length + 1, format, ap);
	b->length += (size_t)length;
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(b, format, ap);
	va_end(ap);
}

const char *
buf_texts(const char *at, const char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		texts[i] = at;
		at += strlen(at) + 1;
	}
	return at;
}

char *
buf_detach(struct buf *b)
{
	char *bytes;

	buf_reserve(b, 0)[0] = '\0';
	bytes = b->bytes;
	buf_init(b);
	return bytes;
}
