#ifndef API_CGI_H
#define API_CGI_H

#include <stdbool.h>

struct gateway;

/* Has a web server started this program for a request? */
bool cgi_started(void);

/* The one request of a plain CGI program (RFC 3875): environment, standard input and output. Static storage. */
const struct gateway *cgi_gateway(void);

#endif
