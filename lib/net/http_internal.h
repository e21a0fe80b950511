#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"

/* A client as http.c makes it and http_exchange.c drives it. */
struct http {
	CURLM *multi;
	char *ca_file;
	char *user, *password;
	char *header;
	char *sign; /* aws:amz:REGION:SERVICE; NULL: not signed */
	char *access_key, *secret_key;
	char *token; /* the session token's header */
	int64_t connect, stall;
	bool shielded;
};

#endif
