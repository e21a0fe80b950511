#ifndef API_FASTCGI_H
#define API_FASTCGI_H

#include <stdbool.h>

#include "base/err.h"

struct server;

/* FastCGI 1.0 by libfcgi. */

/* Was this program started with a socket to listen on as its standard input, as a web server or spawn-fcgi does it? */
bool fastcgi_inherited(void);

/* Listen on HOST:PORT, :PORT or the path of a socket; the descriptor, or -1. */
int fastcgi_listen(const char *address, struct err *e) MUST_CHECK;

/*
 * Answer what comes by this socket, with so many threads, until a signal: 130/143 then, after what is under way has
 * been answered, for at most 10 s. Waits end with the signal.
 */
int fastcgi_serve(struct server *server, int socket, unsigned threads, struct err *e) MUST_CHECK;

#endif
