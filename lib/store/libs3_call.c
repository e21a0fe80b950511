/* One request of libs3 and its answer: waiting for it, and what its errors are. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"
#include "store/libs3_internal.h"

enum {
	STALL_MS = 15000, /* libs3's own limit for a transfer; it has none for a connection */
	LOOK_MS = 1000,   /* longest wait between two looks at libs3's clock */
	MOST_FDS = 8      /* of one request */
};

/* libs3 writes dates with gmtime(3): one request is composed at a time. */
static pthread_mutex_t composing = PTHREAD_MUTEX_INITIALIZER;

S3Status
libs3_call_answer(const S3ResponseProperties *properties, void *ctx)
{
	struct libs3_call *call = ctx;

	call->answered = true;
	call->length = properties->contentLength;
	for (int i = 0; i < properties->metaDataCount; i++)
		if (strcmp(properties->metaData[i].name, "csvp") == 0 &&
		    strlen(properties->metaData[i].value) < sizeof call->nonce)
			strcpy(call->nonce, properties->metaData[i].value);
	return S3StatusOK;
}

void
libs3_call_done(S3Status status, const S3ErrorDetails *details, void *ctx)
{
	struct libs3_call *call = ctx;

	call->done = true;
	call->status = status;
	if (details != NULL && details->message != NULL)
		buf_string(&call->message, details->message);
}

static const S3ResponseHandler handler = {libs3_call_answer, libs3_call_done};

int
libs3_call_begin(struct libs3_call *call, struct libs3 *store, struct err *e)
{
	*call = (struct libs3_call){.store = store, .context = store->idle};
	store->idle = NULL;
	if (call->context == NULL && S3_create_request_context(&call->context) != S3StatusOK)
		return err_set(e, ERR_AGAIN, "libs3 does not start");
	pthread_mutex_lock(&composing);
	return 0;
}

void
libs3_call_begun(void)
{
	pthread_mutex_unlock(&composing);
}

void
libs3_call_end(struct libs3_call *call)
{
	struct libs3 *store = call->store;

	if (call->context != NULL && call->done && store->idle == NULL)
		store->idle = call->context;
	else if (call->context != NULL)
		S3_destroy_request_context(call->context);
	buf_fini(&call->message);
	buf_fini(&call->bytes);
}

/* Wait until libs3 has something to do: 1, or 0 if only time has passed. */
static int
wait_ready(struct libs3_call *call, struct err *e)
{
	struct pollfd fds[1 + MOST_FDS] = {{.fd = call->store->shielded ? -1 : sig_fd(), .events = POLLIN}};
	int64_t limit = S3_get_request_context_timeout(call->context);
	fd_set in, out, except;
	nfds_t count = 1;
	int most = -1, ready;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	if (S3_get_request_context_fdsets(call->context, &in, &out, &except, &most) != S3StatusOK)
		return err_set(e, ERR_AGAIN, "libs3 lost its connections");
	for (int fd = 0; fd <= most && count < 1 + MOST_FDS; fd++) {
		int events = (FD_ISSET(fd, &in) ? POLLIN : 0) | (FD_ISSET(fd, &out) ? POLLOUT : 0);

		if (events != 0)
			fds[count++] = (struct pollfd){.fd = fd, .events = (short)events};
	}
	if (limit < 0 || limit > LOOK_MS)
		limit = LOOK_MS;
	/* A name is being looked up, or a descriptor is beyond what an fd_set holds. */
	if (count == 1 && limit > 20)
		limit = 20;
	ready = poll(fds, count, (int)limit);
	if (ready < 0 && errno != EINTR)
		return err_errno(e, errno, "cannot wait");
	if (!call->store->shielded && sig_check(e) != 0)
		return -1;
	return ready > 0;
}

int
libs3_call_run(struct libs3_call *call, size_t wanted, struct err *e)
{
	int64_t moved = clk_now(clk_system());

	while (!call->done && (wanted == 0 ? !call->answered : call->bytes.length < wanted)) {
		uint64_t before = call->arrived + call->sent;
		S3Status status;
		int left, ready;

		status = S3_runonce_request_context(call->context, &left);
		if (status != S3StatusOK)
			return err_set(e, ERR_AGAIN, "libs3: %s", S3_get_status_name(status));
		if (call->done || call->arrived + call->sent > before) {
			moved = clk_now(clk_system());
			continue;
		}
		if (call->bytes.length > 0)
			break;
		ready = wait_ready(call, e);
		if (ready < 0)
			return -1;
		if (ready > 0)
			moved = clk_now(clk_system());
		else if (clk_now(clk_system()) - moved > STALL_MS)
			return err_set(e, ERR_AGAIN, "no answer for %d s", STALL_MS / 1000);
	}
	return 0;
}

/* The code for what libs3 or the server calls an error. */
static enum err_code
code_of(S3Status status)
{
	static const struct {
		S3Status first, last;
		enum err_code code;
	} codes[] = {
	    {S3StatusInvalidBucketNameTooLong, S3StatusInvalidBucketNameDotQuadNotation, ERR_CONFIG},
	    {S3StatusInternalError, S3StatusInterrupted, ERR_AGAIN}, /* the first of them also: the connection broke */
	    {S3StatusXmlParseFailure, S3StatusXmlParseFailure, ERR_AGAIN},
	    {S3StatusErrorAccessDenied, S3StatusErrorAccountProblem, ERR_PERMISSION},
	    {S3StatusErrorBadDigest, S3StatusErrorBadDigest, ERR_AGAIN},
	    {S3StatusErrorIncompleteBody, S3StatusErrorIncompleteBody, ERR_AGAIN},
	    {S3StatusErrorInvalidAccessKeyId, S3StatusErrorInvalidAccessKeyId, ERR_PERMISSION},
	    {S3StatusErrorInvalidBucketName, S3StatusErrorInvalidBucketName, ERR_CONFIG},
	    {S3StatusErrorInvalidLocationConstraint, S3StatusErrorInvalidLocationConstraint, ERR_CONFIG},
	    {S3StatusErrorInvalidSecurity, S3StatusErrorInvalidSecurity, ERR_PERMISSION},
	    {S3StatusErrorNoSuchBucket, S3StatusErrorNoSuchBucket, ERR_CONFIG},
	    {S3StatusErrorNoSuchKey, S3StatusErrorNoSuchKey, ERR_NOINPUT},
	    {S3StatusErrorNotSignedUp, S3StatusErrorNotSignedUp, ERR_PERMISSION},
	    {S3StatusErrorPermanentRedirect, S3StatusErrorPermanentRedirect, ERR_CONFIG},
	    {S3StatusErrorRequestTimeTooSkewed, S3StatusErrorRequestTimeTooSkewed, ERR_PERMISSION},
	    {S3StatusErrorSignatureDoesNotMatch, S3StatusErrorSignatureDoesNotMatch, ERR_PERMISSION},
	    {S3StatusErrorSlowDown, S3StatusErrorSlowDown, ERR_AGAIN},
	    {S3StatusErrorUnknown, S3StatusErrorUnknown,
		ERR_AGAIN}, /* libs3 does not tell the status, which may be 503 */
	    {S3StatusHttpErrorMovedTemporarily, S3StatusHttpErrorMovedTemporarily, ERR_CONFIG},
	    {S3StatusHttpErrorForbidden, S3StatusHttpErrorForbidden, ERR_PERMISSION},
	    {S3StatusHttpErrorNotFound, S3StatusHttpErrorNotFound, ERR_NOINPUT},
	    {S3StatusHttpErrorConflict, S3StatusHttpErrorUnknown, ERR_AGAIN},
	};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (status >= codes[i].first && status <= codes[i].last)
			return codes[i].code;
	return S3_status_is_retryable(status) ? ERR_AGAIN : ERR_IO;
}

int
libs3_call_check(const struct libs3_call *call, struct err *e)
{
	const char *message = call->message.length > 0 ? call->message.bytes : "";
	const char *name = S3_get_status_name(call->status);
	const char *hint = "";
	enum err_code code;

	if (call->status == S3StatusOK)
		return 0;
	code = code_of(call->status);
	if (call->status == S3StatusErrorRequestTimeTooSkewed)
		hint = "; hint: this machine's clock is wrong";
	if (call->status == S3StatusHttpErrorForbidden)
		hint = "; hint: the credentials, or a server that wants Signature V4, as s3:// speaks it";
	if (strstr(message, "AWS4-HMAC-SHA256") != NULL) {
		code = ERR_CONFIG;
		hint = "; hint: this server wants Signature V4, as s3:// speaks it";
	}
	return err_set(e, code, "%s%s%s%s", name, message[0] != '\0' ? ", " : "", message, hint);
}

int
libs3_call_finish(struct libs3_call *call, struct err *e)
{
	return libs3_call_run(call, SIZE_MAX, e) == 0 ? libs3_call_check(call, e) : -1;
}

int
libs3_call_head(struct libs3 *store, const char *key, struct libs3_call *call, struct err *e)
{
	int status = libs3_call_begin(call, store, e);

	if (status == 0) {
		S3_head_object(&store->bucket, key, call->context, &handler, call);
		libs3_call_begun();
		status = libs3_call_finish(call, e);
	}
	libs3_call_end(call);
	return status;
}
