#include <errno.h>
#include <hiredis.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/num.h"
#include "cache/cache_driver.h"
#include "net/url.h"

/*
 * Redis (https://redis.io/docs/latest/commands/): GET, and SET with PX.
 *
 * The connection is non-blocking and every wait is ours, because hiredis's own
 * time-outs count each step anew: connecting, logging in and an answer that
 * drips in would together take many times the patience.
 */

#define DEFAULT_PORT 6379

struct redis {
	char *host;
	uint16_t port;
	char *user, *password; /* NULL: none */
	uint64_t database;
	char ttl[24];
	redisContext *connection; /* NULL before the first call and after a failure */
	int greetings;            /* answers to AUTH and SELECT that are still to come */
};

static void *
redis_open(const struct url *url, int64_t ttl, struct err *e)
{
	const char *database = url->path[0] == '/' ? url->path + 1 : url->path;
	struct redis *self;
	uint64_t number = 0;

	if (url->host == NULL || url->host[0] == '\0') {
		err_set(e, ERR_CONFIG, "no host; hint: redis://HOST:PORT");
		return NULL;
	}
	if (database[0] != '\0' && !num_uint64(database, &number)) {
		err_set(e, ERR_CONFIG, "'%s' is no number of a database; hint: redis://HOST:PORT/0", database);
		return NULL;
	}
	self = buf_calloc(1, sizeof *self);
	self->host = buf_strdup(url->host);
	self->port = url->port != 0 ? url->port : DEFAULT_PORT;
	self->user = url->user != NULL && url->user[0] != '\0' ? buf_strdup(url->user) : NULL;
	self->password = url->password != NULL ? buf_strdup(url->password) : NULL;
	self->database = number;
	snprintf(self->ttl, sizeof self->ttl, "%" PRId64, ttl);
	return self;
}

static void
disconnect(struct redis *self)
{
	if (self->connection != NULL)
		redisFree(self->connection);
	self->connection = NULL;
}

static void
redis_close(void *ctx)
{
	struct redis *self = ctx;

	disconnect(self);
	free(self->password);
	free(self->user);
	free(self->host);
	free(self);
}

static int64_t
now(void)
{
	return clk_now(clk_system());
}

/* It is of no use any more: what comes next on it would be the answer to something else. */
static int
lost(struct redis *self, struct err *e)
{
	const redisContext *c = self->connection;

	if (c == NULL)
		err_set(e, ERR_AGAIN, "cannot connect");
	else
		err_set(e, ERR_AGAIN, "%s", c->errstr[0] != '\0' ? c->errstr : "no connection");
	disconnect(self);
	return -1;
}

static int
await(struct redis *self, short events, int64_t deadline, struct err *e)
{
	struct pollfd fd = {.fd = self->connection->fd, .events = events};
	int64_t left;
	int ready;

	/* A signal does not stop it: it is over soon. */
	do {
		left = deadline - now();
		ready = left > 0 ? poll(&fd, 1, (int)left) : 0;
	} while (ready < 0 && errno == EINTR);
	if (ready > 0)
		return 0;
	disconnect(self);
	return err_set(e, ERR_AGAIN, "no answer in %d ms", CACHE_PATIENCE);
}

static int
connect_once(struct redis *self, int64_t deadline, struct err *e)
{
	socklen_t size = sizeof(int);
	int number = 0;

	if (self->connection != NULL)
		return 0;
	self->connection = redisConnectNonBlock(self->host, self->port);
	if (self->connection == NULL || self->connection->err != 0)
		return lost(self, e);
	if (await(self, POLLOUT, deadline, e) != 0)
		return -1;
	if (getsockopt(self->connection->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0 || number != 0) {
		disconnect(self);
		return err_set(e, ERR_AGAIN, "%s", strerror(number != 0 ? number : errno));
	}
	self->greetings = 0;
	if (self->password != NULL) {
		self->greetings++;
		if (self->user != NULL)
			redisAppendCommand(self->connection, "AUTH %s %s", self->user, self->password);
		else
			redisAppendCommand(self->connection, "AUTH %s", self->password);
	}
	if (self->database != 0) {
		self->greetings++;
		redisAppendCommand(self->connection, "SELECT %llu", (unsigned long long)self->database);
	}
	return 0;
}

static int
write_commands(struct redis *self, int64_t deadline, struct err *e)
{
	int done = 0;

	for (;;) {
		if (redisBufferWrite(self->connection, &done) != REDIS_OK)
			return lost(self, e);
		if (done)
			return 0;
		if (await(self, POLLOUT, deadline, e) != 0)
			return -1;
	}
}

static redisReply *
read_reply(struct redis *self, int64_t deadline, struct err *e)
{
	void *reply = NULL;

	for (;;) {
		if (redisGetReplyFromReader(self->connection, &reply) != REDIS_OK) {
			lost(self, e);
			return NULL;
		}
		if (reply != NULL)
			return reply;
		if (await(self, POLLIN, deadline, e) != 0)
			return NULL;
		if (redisBufferRead(self->connection) != REDIS_OK) {
			lost(self, e);
			return NULL;
		}
	}
}

/* Log in, and send a command: its reply, NULL on failure. */
static redisReply *
ask_once(struct redis *self, int count, const char **words, const size_t *lengths, int64_t deadline, struct err *e)
{
	redisReply *reply;

	if (connect_once(self, deadline, e) != 0)
		return NULL;
	redisAppendCommandArgv(self->connection, count, words, lengths);
	if (write_commands(self, deadline, e) != 0)
		return NULL;
	for (; self->greetings > 0; self->greetings--) {
		reply = read_reply(self, deadline, e);
		if (reply == NULL)
			return NULL;
		if (reply->type == REDIS_REPLY_ERROR) {
			err_set(e, ERR_AGAIN, "%s", reply->str);
			freeReplyObject(reply);
			disconnect(self);
			return NULL;
		}
		freeReplyObject(reply);
	}
	return read_reply(self, deadline, e);
}

/* A connection from before may have been closed meanwhile, by a restart or as idle: that is no outage yet. */
static redisReply *
ask(struct redis *self, int count, const char **words, const size_t *lengths, struct err *e)
{
	int64_t deadline = now() + CACHE_PATIENCE;
	bool before = self->connection != NULL;
	redisReply *reply = ask_once(self, count, words, lengths, deadline, e);

	if (reply == NULL && before && now() < deadline)
		reply = ask_once(self, count, words, lengths, deadline, e);
	return reply;
}

/* Errors that a later call would meet, too, are an outage (https://redis.io/docs/latest/develop/reference/protocol-spec/). */
static int
refused(const char *text, struct err *e)
{
	static const char *const lasting[] = {"NOAUTH", "NOPERM", "LOADING", "MASTERDOWN", "READONLY", "DENIED"};
	enum err_code code = ERR_UNAVAILABLE;

	for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
		if (strncmp(text, lasting[i], strlen(lasting[i])) == 0)
			code = ERR_AGAIN;
	return err_set(e, code, "%s", text);
}

static int
redis_get(void *ctx, const struct buf *key, struct buf *value, struct err *e)
{
	const char *words[] = {"GET", key->bytes};
	const size_t lengths[] = {3, key->length};
	redisReply *reply = ask(ctx, 2, words, lengths, e);
	int result = 0;

	if (reply == NULL)
		return -1;
	if (reply->type == REDIS_REPLY_ERROR) {
		result = refused(reply->str, e);
	} else if (reply->type == REDIS_REPLY_STRING) {
		buf_append(value, reply->str, (size_t)reply->len);
		result = 1;
	}
	freeReplyObject(reply);
	return result;
}

static int
redis_put(void *ctx, const struct buf *key, const struct buf *value, struct err *e)
{
	struct redis *self = ctx;
	const char *words[] = {"SET", key->bytes, value->bytes, "PX", self->ttl};
	const size_t lengths[] = {3, key->length, value->length, 2, strlen(self->ttl)};
	redisReply *reply = ask(self, 5, words, lengths, e);
	int result = 0;

	if (reply == NULL)
		return -1;
	if (reply->type == REDIS_REPLY_ERROR)
		result = refused(reply->str, e);
	freeReplyObject(reply);
	return result;
}

const struct cache_driver *
redis_driver(void)
{
	static const struct cache_driver driver = {
	    .open = redis_open,
	    .close = redis_close,
	    .get = redis_get,
	    .put = redis_put,
	};

	return &driver;
}
