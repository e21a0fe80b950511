#ifndef NET_AWS_H
#define NET_AWS_H

/* Who asks, and where, for services that speak as those of AWS do. NULL where nothing is configured. */
struct aws {
	const char *access_key; /* NULL: requests are not signed */
	const char *secret_key;
	const char *session_token;
	const char *region;   /* NULL: us-east-1 */
	const char *endpoint; /* http://host:port; NULL: AWS itself */
	const char *ca_file;  /* PEM file of the certificates to trust; NULL: the system's */
};

#endif
