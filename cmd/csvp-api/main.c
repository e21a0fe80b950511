#include <stdint.h>

#include "base/err.h"
#include "base/sig.h"
#include "call.h"
#include "cgi.h"
#include "cli/options.h"
#include "fastcgi.h"
#include "route.h"
#include "server.h"

enum { THREADS = 24, MOST_THREADS = 1000 };

/* Plain CGI: whatever happens is told to the client, so it ends with 0. */
static int
serve_one(struct err *e)
{
	struct server *server = server_open(false, e);

	if (server == NULL)
		return -1;
	call_answer(server, cgi_gateway());
	server_close(server);
	return 0;
}

static int
serve_all(const char *address, uint64_t threads, struct err *e)
{
	/* Who finds the socket finds somebody who can answer. */
	struct server *server = server_open(true, e);
	int socket = server == NULL ? -1 : address != NULL ? fastcgi_listen(address, e) : 0;
	int result = -1;

	if (socket >= 0)
		result = fastcgi_serve(server, socket, (unsigned)threads, e);
	server_close(server);
	return result;
}

int
main(int argc, char **argv)
{
	const char *address = NULL;
	uint64_t threads = THREADS;
	const struct option table[] = {
	    {"listen", 'l', "ADDRESS", OPTION_STRING, &address,
		"FastCGI on HOST:PORT, :PORT or a socket's path (default: as the web server that starts it says)"},
	    {"jobs", 'j', "N", OPTION_COUNT, &threads, "FastCGI: answer so many requests at once (default: 24)"},
	    {.name = NULL},
	};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_STORE_URL", "CSVP_QUEUE_URL",
	    "CSVP_SEARCH_URL", "CSVP_CACHE_URL", "CSVP_HOME", "CSVP_SCHEMA", "CSVP_API_ANONYMOUS", "CSVP_API_ORIGIN",
	    "CSVP_API_MAX_UPLOAD", "CSVP_CONFIG", NULL};
	static const struct program program = {"csvp-api", "[-l ADDRESS] [-j N]",
	    "The HTTP API, for a web server to run: as plain CGI or FastCGI.", NULL, environment};
	struct program with_options = program;
	struct err e = {0};
	char **operands;
	size_t count;

	route_init();
	with_options.options = table;
	if (options_parse(&with_options, argc, argv, &operands, &count, &e) != 0)
		return options_exit(&e);
	if (count > 0)
		err_set(&e, ERR_USAGE, "no operands are taken, but '%s' is one", operands[0]);
	else if (threads < 1 || threads > MOST_THREADS)
		err_set(&e, ERR_USAGE, "--jobs must be from 1 to %d", MOST_THREADS);
	else if (address == NULL && cgi_started() && !fastcgi_inherited())
		(void)serve_one(&e);
	else if (address == NULL && !fastcgi_inherited())
		err_set(&e, ERR_USAGE, "no web server has started this; hint: --listen, or see csvp-api(1)");
	else if (serve_all(address, threads, &e) != 0 && e.code == ERR_NONE)
		e.code = ERR_BUG;
	return options_exit(&e);
}
