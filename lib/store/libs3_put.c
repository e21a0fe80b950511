/*
 * Writing with libs3, which knows no multipart upload and wants the length
 * first: an object of more than one block is kept in a temporary file until it
 * is whole. And it knows no condition: whether a key exists is asked before and
 * after.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/err.h"
#include "io/digest.h"
#include "io/spill.h"
#include "store/libs3_internal.h"
#include "store/store_driver.h"

/* An object being written. */
struct writer {
	struct libs3 *store;
	char *key;
	struct buf block; /* all of it, until that is more than one block */
	int spill;        /* then the file that holds it; else -1 */
	uint64_t length;
	struct digest_md5 *md5;
	char nonce[LIBS3_NONCE];
};

bool
libs3_put_end(void *handle, bool keep)
{
	struct writer *w = handle;

	(void)keep; /* nothing of it is at the server */
	if (w->spill >= 0)
		close(w->spill);
	digest_md5_free(w->md5);
	buf_fini(&w->block);
	free(w->key);
	free(w);
	return false;
}

void *
libs3_put_create(void *handle, const char *key, const struct store_resume *resume, struct err *e)
{
	const struct clk *clk = clk_system();
	struct writer *w = buf_calloc(1, sizeof *w);
	struct libs3_call call;

	(void)resume; /* there are no parts */
	w->store = handle;
	w->spill = -1;
	w->key = buf_format("%s%s", w->store->prefix, key);
	w->md5 = digest_md5_new();
	snprintf(w->nonce, sizeof w->nonce, "%016" PRIx64 "%016" PRIx64, clk_random(clk), clk_random(clk));
	if (libs3_call_head(w->store, w->key, &call, e) == 0)
		err_set(e, ERR_DATA, "exists");
	else if (e->code == ERR_NOINPUT)
		return w;
	libs3_put_end(w, false);
	return NULL;
}

int
libs3_put_write(void *writer, const void *bytes, size_t length, struct err *e)
{
	static const char what[] = "an upload that is sent when it is whole";
	struct writer *w = writer;

	if (w->length == 0) {
		buf_append(&w->block, bytes, length);
	} else {
		if (w->spill < 0) {
			w->spill = spill_open(w->store->spill, e);
			if (w->spill < 0)
				return -1;
			if (spill_write(w->spill, 0, w->block.bytes, w->block.length, what, e) != 0)
				return -1;
			buf_fini(&w->block);
		}
		if (spill_write(w->spill, w->length, bytes, length, what, e) != 0)
			return -1;
	}
	digest_md5_add(w->md5, bytes, length);
	w->length += length;
	return 0;
}

/* As read(2) of what is to be sent. */
static int
on_wanted(int capacity, char *bytes, void *ctx)
{
	struct libs3_call *call = ctx;
	const struct writer *w = call->ctx;
	uint64_t left = w->length - call->sent;
	size_t wanted = (uint64_t)capacity < left ? (size_t)capacity : (size_t)left;
	ssize_t n = (ssize_t)wanted;

	if (wanted == 0)
		return 0;
	if (w->spill < 0)
		memcpy(bytes, w->block.bytes + call->sent, wanted);
	else
		do
			n = pread(w->spill, bytes, wanted, (off_t)call->sent);
		while (n < 0 && errno == EINTR);
	if (n > 0)
		call->sent += (uint64_t)n;
	return (int)n;
}

static int
send_object(struct writer *w, struct err *e)
{
	static const S3PutObjectHandler put = {{libs3_call_answer, libs3_call_done}, on_wanted};
	char md5[DIGEST_MD5_BASE64];
	const S3NameValue nonce = {"csvp", w->nonce};
	const S3PutProperties properties = {
	    .contentType = "application/octet-stream",
	    .md5 = w->md5 != NULL ? md5 : NULL,
	    .expires = -1,
	    .cannedAcl = S3CannedAclPrivate,
	    .metaDataCount = 1,
	    .metaData = &nonce,
	};
	struct libs3_call call;
	int status = libs3_call_begin(&call, w->store, e);

	digest_md5_base64(w->md5, md5);
	call.ctx = w;
	if (status == 0) {
		S3_put_object(&w->store->bucket, w->key, w->length, &properties, call.context, &put, &call);
		libs3_call_begun();
		status = libs3_call_finish(&call, e);
	}
	if (status != 0 && call.status == S3StatusAbortedByCallback)
		err_set(e, ERR_IO, "cannot read the temporary file of the upload at byte %" PRIu64, call.sent);
	libs3_call_end(&call);
	return status;
}

/* Is the object there, and whole? 1 it is ours, 0 there is none, -1 with an error: 65 if it is another's. */
static int
find_ours(struct writer *w, struct err *e)
{
	struct libs3_call call;

	if (libs3_call_head(w->store, w->key, &call, e) != 0)
		return e->code == ERR_NOINPUT ? 0 : -1;
	if (strcmp(call.nonce, w->nonce) == 0 && call.length == w->length)
		return 1;
	return err_set(e, ERR_DATA, "exists");
}

/* The second look: an earlier answer may be lost, or libs3 have taken an error for a success. */
int
libs3_put_commit(void *writer, struct err *e)
{
	struct writer *w = writer;
	int found = find_ours(w, e);

	if (found == 0 && send_object(w, e) != 0)
		return -1;
	if (found == 0)
		found = find_ours(w, e);
	if (found == 0)
		return err_set(e, ERR_AGAIN, "the server says it has it, and does not");
	return found > 0 ? 0 : -1;
}
