#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

/*
 * A growable byte buffer. Always NUL-terminated behind `length`, so that
 * `bytes` of a buffer ever written to is a C string. Out of memory ends the
 * program with status 75: nothing here can be undone half way,
 * and every unit of work is a transaction that rolls back.
 */
struct buf {
	char *bytes;
	size_t length;
	size_t capacity;
};

/* An empty buffer is all zeros; buf_init is for reused storage. */
void buf_init(struct buf *b);

/* Release the memory; the buffer is empty and usable again. */
void buf_fini(struct buf *b);

/* Forget the content, keep the memory. */
void buf_reset(struct buf *b);

/* Make room for `more` bytes behind `length`; return where they begin. */
char *buf_reserve(struct buf *b, size_t more);

void buf_append(struct buf *b, const void *bytes, size_t length);
void buf_byte(struct buf *b, char byte);
void buf_string(struct buf *b, const char *string);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list ap);

/* Point at `count` texts that lie one behind the other, each with its NUL. Returns where the last one ends. */
const char *buf_texts(const char *at, const char **texts, size_t count);

/* The content as a string that the caller frees; the buffer is empty after. */
char *buf_detach(struct buf *b);

/* malloc, calloc, realloc, strdup that end the program instead of failing. */
void *buf_malloc(size_t size) __attribute__((malloc, returns_nonnull));
void *buf_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *buf_realloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *buf_strdup(const char *string) __attribute__((malloc, returns_nonnull));
char *buf_strndup(const char *bytes, size_t length) __attribute__((malloc, returns_nonnull));
char *buf_format(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#endif
