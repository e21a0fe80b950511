#ifndef API_GATEWAY_H
#define API_GATEWAY_H

#include <sys/types.h>

#include "base/err.h"

/* What a web server gives and takes for one request (RFC 3875, "The Common Gateway Interface"), however it is reached. */
struct gateway {
	/* A meta-variable, as REQUEST_METHOD or HTTP_ACCEPT; NULL: not given. Valid to the end of the request. */
	const char *(*variable)(void *ctx, const char *name);
	/* The next bytes of the body: how many, 0 at its end; 74 if the client has gone. */
	ssize_t (*read)(void *ctx, void *bytes, size_t capacity, struct err *e);
	/* Bytes of the answer, all of them; 74 if nobody wants them any more. */
	int (*write)(void *ctx, const void *bytes, size_t length, struct err *e);
	/* The answer cannot be finished: make the client see that it is cut short, where that can be done. */
	void (*cut)(void *ctx);
	/*
	 * With it, a thread of its own may read the body. Nobody wants the rest of it: send what there is of the answer, and
	 * let a read that waits return. NULL: only the thread that answers may read.
	 */
	void (*finish)(void *ctx);
	void *ctx;
};

#endif
