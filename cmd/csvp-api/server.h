#ifndef API_SERVER_H
#define API_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ledger/api_token.h"

struct gateway;
struct server;
struct site;

/* What all requests of a process share. */

/*
 * Read the settings; 78 if one is wrong, of a `persistent` one (FastCGI) also if an URL is none that can be used. Nothing
 * else is needed to begin: a database that is not there yet is looked for again by each request that needs it.
 */
struct server *server_open(bool persistent, struct err *e);
void server_close(struct server *server);

/* The configuration's handles (flow/site.h), opened by who needs them first; from any thread. */
const struct site *server_site(struct server *server, struct err *e);

bool server_persistent(const struct server *server);
enum api_scope server_anonymous(const struct server *server); /* CSVP_API_ANONYMOUS */
const char *server_origin(const struct server *server);       /* CSVP_API_ORIGIN; NULL: no other origin may call */

uint64_t server_max_upload(const struct server *server); /* CSVP_API_MAX_UPLOAD, bytes; 0: no limit */

/*
 * Requests that take long hold a thread each; a sixth of them is left to others. At most half may wait for something;
 * false: answer now, as if the time were over. False for an upload: refuse it for now.
 */
void server_set_threads(struct server *server, unsigned threads);
bool server_begin_wait(struct server *server);
void server_end_wait(struct server *server);
bool server_begin_upload(struct server *server);
void server_end_upload(struct server *server);

#endif
