#ifndef QUEUE_MESSAGE_H
#define QUEUE_MESSAGE_H

#include <stdint.h>

struct buf;
struct err;

/*
 * What a message says: work on this chunk, or on this job. As a body it is
 * JSON, {"job":42,"chunk":7}, without chunk for a whole job; dead letters also
 * have "stage" and "error", what failed and why.
 */
struct message {
	int64_t job;   /* from 1 */
	int64_t chunk; /* from 0; -1: the whole job */
	char *stage;   /* "load" (queue_stage); NULL: none */
	char *error;   /* NULL: none */
};

/* Append the body. Bytes of stage and error that are not UTF-8 become '?'. */
void message_print(const struct message *m, struct buf *body);

/*
 * Parse a body: 65 if it is none of ours. Members it does not know are passed
 * over. The caller calls message_fini; on failure there is nothing to free.
 */
int message_parse(const char *body, struct message *m, struct err *e) __attribute__((warn_unused_result));
void message_fini(struct message *m);

#endif
