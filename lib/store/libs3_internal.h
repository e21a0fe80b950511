#ifndef STORE_LIBS3_INTERNAL_H
#define STORE_LIBS3_INTERNAL_H

#include <libs3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct store_resume;

/* An open bucket. Keys are put behind `prefix`, which is "" or ends in a slash. */
struct libs3 {
	S3BucketContext bucket; /* of what follows */
	char *host, *name, *access_key, *secret_key;
	char *region; /* NULL: the server's own */
	char *prefix;
	char *spill;            /* folder of temporary files */
	S3RequestContext *idle; /* with its connection; or NULL */
	bool shielded;
};

enum { LIBS3_NONCE = 33 };

/*
 * One request and its answer. libs3 pushes what it gets, so each has a context
 * of its own, which moves only when it is run: a reader takes as much as it
 * wants, and a request is broken off by destroying its context.
 */
struct libs3_call {
	struct libs3 *store;
	S3RequestContext *context;
	bool answered; /* with success: what follows is known, or on its way */
	bool done;
	S3Status status; /* once done */
	struct buf message;
	uint64_t length;         /* of the answer's body; of a HEAD the object's */
	char nonce[LIBS3_NONCE]; /* by which a writer knows an object as its own */
	struct buf bytes;        /* of a body: arrived, and not taken yet */
	uint64_t arrived;
	uint64_t sent;
	void *ctx; /* of who sends or receives */
};

/*
 * Prepare a request, which one of libs3's functions with call->context then
 * composes, and libs3_call_begun behind it: between the two no other thread
 * composes one. libs3_call_end always follows, also on an error.
 */
int libs3_call_begin(struct libs3_call *call, struct libs3 *store, struct err *e) __attribute__((warn_unused_result));
void libs3_call_begun(void);

/*
 * Run it until it is done, or its body has `wanted` bytes, or some and no more
 * just now; 0: until the answer is known. 0 also if that is an error, which
 * libs3_call_check tells when it is done. 75 if nothing moves for 15 s.
 */
int libs3_call_run(struct libs3_call *call, size_t wanted, struct err *e) __attribute__((warn_unused_result));
int libs3_call_check(const struct libs3_call *call, struct err *e) __attribute__((warn_unused_result));

/* To its end, and checked. */
int libs3_call_finish(struct libs3_call *call, struct err *e) __attribute__((warn_unused_result));

/* What is in it stays, but for its buffers. */
void libs3_call_end(struct libs3_call *call);

/* HEAD of a key with its prefix; what is known then is in *call, which has ended. */
int libs3_call_head(struct libs3 *store, const char *key, struct libs3_call *call, struct err *e)
    __attribute__((warn_unused_result));

/* What each of libs3's handlers begins with. */
S3Status libs3_call_answer(const S3ResponseProperties *properties, void *call);
void libs3_call_done(S3Status status, const S3ErrorDetails *details, void *call);

/* libs3_put.c: the writing half of the driver. */
void *libs3_put_create(void *handle, const char *key, const struct store_resume *resume, struct err *e);
int libs3_put_write(void *writer, const void *bytes, size_t length, struct err *e);
int libs3_put_commit(void *writer, struct err *e);
bool libs3_put_end(void *writer, bool keep);

#endif
