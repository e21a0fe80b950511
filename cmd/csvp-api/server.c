#include "server.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/num.h"
#include "cli/config.h"
#include "flow/site.h"

struct server {
	bool persistent;
	enum api_scope anonymous;
	const char *origin;
	uint64_t max_upload;
	pthread_mutex_t lock; /* of what follows */
	struct site *site;
	unsigned waits, most_waits, uploads, most_long;
};

static int
read_anonymous(enum api_scope *scope, struct err *e)
{
	const char *text = config_get("CSVP_API_ANONYMOUS");

	*scope = API_NONE;
	if (text != NULL && (!api_token_find_scope(text, scope) || *scope == API_ADMIN))
		return err_set(e, ERR_CONFIG, "CSVP_API_ANONYMOUS '%s' is not none, read or write", text);
	return 0;
}

static int
read_max_upload(uint64_t *most, struct err *e)
{
	const char *text = config_get("CSVP_API_MAX_UPLOAD");

	if (text != NULL && (!num_bytes(text, most) || *most == 0))
		return err_set(
		    e, ERR_CONFIG, "CSVP_API_MAX_UPLOAD '%s' is not a size such as 1000000, 500M or 2G", text);
	return 0;
}

struct server *
server_open(bool persistent, struct err *e)
{
	struct server *server = buf_calloc(1, sizeof *server);

	server->persistent = persistent;
	server->most_waits = server->most_long = 1;
	pthread_mutex_init(&server->lock, NULL);
	if (config_load(e) == 0 && read_anonymous(&server->anonymous, e) == 0 &&
	    read_max_upload(&server->max_upload, e) == 0 && (!persistent || site_check(e) == 0)) {
		server->origin = config_get("CSVP_API_ORIGIN");
		return server;
	}
	server_close(server);
	return NULL;
}

void
server_close(struct server *server)
{
	if (server == NULL)
		return;
	site_close(server->site);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

const struct site *
server_site(struct server *server, struct err *e)
{
	const struct site *site;

	pthread_mutex_lock(&server->lock);
	if (server->site == NULL)
		server->site = site_open(e);
	site = server->site;
	pthread_mutex_unlock(&server->lock);
	return site;
}

bool
server_persistent(const struct server *server)
{
	return server->persistent;
}

enum api_scope
server_anonymous(const struct server *server)
{
	return server->anonymous;
}

const char *
server_origin(const struct server *server)
{
	return server->origin;
}

uint64_t
server_max_upload(const struct server *server)
{
	return server->max_upload;
}

void
server_set_threads(struct server *server, unsigned threads)
{
	server->most_waits = threads / 2;
	server->most_long = threads > 1 ? threads - (threads + 5) / 6 : 1;
}

bool
server_begin_wait(struct server *server)
{
	bool may;

	pthread_mutex_lock(&server->lock);
	may = server->waits < server->most_waits && server->waits + server->uploads < server->most_long;
	server->waits += may;
	pthread_mutex_unlock(&server->lock);
	return may;
}

void
server_end_wait(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	server->waits--;
	pthread_mutex_unlock(&server->lock);
}

bool
server_begin_upload(struct server *server)
{
	bool may;

	pthread_mutex_lock(&server->lock);
	may = server->waits + server->uploads < server->most_long;
	server->uploads += may;
	pthread_mutex_unlock(&server->lock);
	return may;
}

void
server_end_upload(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	server->uploads--;
	pthread_mutex_unlock(&server->lock);
}
