#include "fastcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <fcgiapp.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "base/sig.h"
#include "call.h"
#include "gateway.h"
#include "server.h"

enum {
	BACKLOG = 1024,
	STALLED_SECONDS = 120, /* a web server that neither sends nor takes anything for so long has forgotten us */
	PARTING_MS = 2000,     /* for it to take an answer that comes before the end of the body */
	LAST_MS = 10000        /* for what is under way when a signal comes */
};

struct crew {
	struct server *server;
	int socket;
	pthread_mutex_t door; /* one thread waits for the next connection, the others for it */
	_Atomic unsigned busy;
};

bool
fastcgi_inherited(void)
{
	return FCGX_IsCGI() == 0;
}

int
fastcgi_listen(const char *address, struct err *e)
{
	const char *colon = strrchr(address, ':');
	int socket;

	if (*address != '/' && (colon == NULL || colon[1] == '\0'))
		return err_set(e, ERR_USAGE, "'%s' is neither HOST:PORT nor the path of a socket", address);
	socket = FCGX_OpenSocket(address, BACKLOG);
	return socket >= 0 ? socket : err_errno(e, errno, "cannot listen on %s", address);
}

static const char *
variable(void *ctx, const char *name)
{
	FCGX_Request *request = ctx;

	return FCGX_GetParam(name, request->envp);
}

static ssize_t
read_body(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	FCGX_Request *request = ctx;
	int most = capacity > 1 << 20 ? 1 << 20 : (int)capacity;
	int got;

	if (sig_check(e) != 0)
		return -1;
	got = FCGX_GetStr(bytes, most, request->in);
	if (got > 0)
		return got;
	switch (FCGX_GetError(request->in)) {
	case 0:
		return 0;
	case EAGAIN:
		return err_set(e, ERR_IO, "nothing more of the body has come for %d s", STALLED_SECONDS);
	default:
		return err_set(e, ERR_IO, "the web server has gone in the middle of the body");
	}
}

static int
write_answer(void *ctx, const void *bytes, size_t length, struct err *e)
{
	FCGX_Request *request = ctx;
	const char *at = bytes;

	while (length > 0) {
		int piece = length > 1 << 20 ? 1 << 20 : (int)length;

		if (FCGX_PutStr(at, piece, request->out) != piece)
			return err_set(e, ERR_IO, "the web server takes no more of the answer");
		at += piece;
		length -= (size_t)piece;
	}
	return 0;
}

/* Without the end of the request the web server breaks the connection to the client, too. */
static void
cut(void *ctx)
{
	FCGX_Request *request = ctx;

	shutdown(request->ipcFd, SHUT_RDWR);
}

/* A web server that finds the connection closed while it sends the body does not look for the answer (nginx: 502). */
static void
finish(void *ctx)
{
	FCGX_Request *request = ctx;

	FCGX_FClose(request->err);
	FCGX_FClose(request->out);
	poll(&(struct pollfd){.fd = request->ipcFd, .events = POLLRDHUP}, 1, PARTING_MS);
	shutdown(request->ipcFd, SHUT_RDWR);
}

/* The next connection; -1 after a signal. */
static int
accept_next(struct crew *crew)
{
	struct pollfd fds[2] = {
	    {.fd = crew->socket, .events = POLLIN},
	    {.fd = sig_fd(), .events = POLLIN},
	};
	int fd = -1;

	pthread_mutex_lock(&crew->door);
	while (fd < 0 && !sig_pending()) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			log_error("cannot wait for requests: %s", strerror(errno));
		if (sig_pending())
			break;
		fd = accept4(crew->socket, NULL, NULL, SOCK_CLOEXEC);
		/* Another process of the same socket was faster, or the client has gone again; else it is out of memory. */
		if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			log_error("cannot take a request: %s", strerror(errno));
			clk_sleep(clk_system(), 100);
		}
	}
	pthread_mutex_unlock(&crew->door);
	return fd;
}

static void
limit_waits(int fd)
{
	const struct timeval stalled = {.tv_sec = STALLED_SECONDS};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stalled, sizeof stalled);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stalled, sizeof stalled);
}

/*
 * A connection that was accepted here is given to libfcgi as one that it has kept. Only so can the wait for one end by
 * a signal, and a stalled one by a time-out. It is closed after its one request: a kept one would hold a thread.
 */
static void
serve_connection(struct crew *crew, FCGX_Request *request, int fd)
{
	const struct gateway gateway = {variable, read_body, write_answer, cut, finish, request};

	limit_waits(fd);
	request->ipcFd = fd;
	request->keepConnection = 1;
	if (FCGX_Accept_r(request) != 0)
		return;
	/* That one broke off before its request was whole, and libfcgi has accepted another that waited. */
	if (request->ipcFd != fd)
		limit_waits(request->ipcFd);
	request->keepConnection = 0;
	atomic_fetch_add(&crew->busy, 1);
	call_answer(crew->server, &gateway);
	FCGX_Finish_r(request);
	atomic_fetch_sub(&crew->busy, 1);
}

static void *
work(void *ctx)
{
	struct crew *crew = ctx;
	FCGX_Request request;
	int fd;

	if (FCGX_InitRequest(&request, crew->socket, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return NULL;
	while ((fd = accept_next(crew)) >= 0)
		serve_connection(crew, &request, fd);
	FCGX_Free(&request, 1);
	return NULL;
}

/* Give what is under way some time; whoever needs more finds his connection broken. */
static bool
finished(struct crew *crew)
{
	int64_t end = clk_now(clk_system()) + LAST_MS;

	while (atomic_load(&crew->busy) > 0 && clk_now(clk_system()) < end)
		poll(NULL, 0, 20);
	return atomic_load(&crew->busy) == 0;
}

int
fastcgi_serve(struct server *server, int socket, unsigned threads, struct err *e)
{
	struct crew crew = {.server = server, .socket = socket};
	pthread_t *ids = buf_calloc(threads, sizeof *ids);
	unsigned started = 0;
	int flags = fcntl(socket, F_GETFL);

	/* libfcgi would wait in accept() if what it was given breaks off: then it shall find nothing. */
	if (FCGX_Init() != 0 || flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0) {
		free(ids);
		return err_errno(e, errno, "cannot begin to serve");
	}
	server_set_threads(server, threads);
	pthread_mutex_init(&crew.door, NULL);
	while (started < threads && pthread_create(&ids[started], NULL, work, &crew) == 0)
		started++;
	log_detail("%u threads take requests", started);
	while (started > 0 && sig_check(e) == 0)
		poll(&(struct pollfd){.fd = sig_fd(), .events = POLLIN}, 1, -1);
	if (started == 0)
		err_set(e, ERR_AGAIN, "no thread could be started");
	else if (!finished(&crew))
		/* Their memory is in use. */
		_exit(e->code);
	for (unsigned i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	pthread_mutex_destroy(&crew.door);
	free(ids);
	return -1;
}
