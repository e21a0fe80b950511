/*
 * Writing an object of unknown length: one PUT if it fits in the first part,
 * else a multipart upload. A part is sent while the next one is filled; it is
 * kept until the server has it, so that it can be sent again.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "io/digest.h"
#include "net/url.h"
#include "store/s3_internal.h"
#include "store/s3_xml.h"
#include "store/store.h"
#include "store/store_driver.h"

enum {
	MIB = 1 << 20,
	MOST_PARTS = 10000, /* that S3 allows */
	BESIDE = 16 * MIB   /* the largest part that is filled beside one under way: a worker has 64 MB in all */
};

/* A part being filled, or under way. */
struct part {
	char *bytes;
	size_t length, capacity;
	unsigned char sha256[DIGEST_BYTES];
	struct http_exchange *exchange;                       /* under way; NULL: to be sent (again) */
	char etag[sizeof(((struct store_part *)NULL)->etag)]; /* the server has it, who resumes was not told yet */
};

struct writer {
	struct s3 *s3;
	char *key;
	char *upload; /* id of the multipart upload, encoded; NULL: not begun */
	const struct store_resume *resume;
	size_t known;        /* parts of `resume` that may be used */
	struct part filling; /* number `sent` + 1, or + 2 if one is flying */
	struct part flying;
	bool under_way; /* there is a flying part */
	char **etags;   /* of the parts the server has */
	size_t sent;    /* their count */
	bool doubtful;  /* a commit may have worked although its answer was lost */
	bool committed;
	char nonce[60]; /* header by which we know an object as ours */
};

/* 8 MiB to begin with, and growing, so that 10,000 parts hold more than the 256 GiB an object may have. */
static size_t
part_size(size_t number)
{
	return (number <= 500 ? 8 : number <= 3000 ? 16 : 32) * (size_t)MIB;
}

static void
prepare(struct writer *w, size_t number)
{
	struct part *part = &w->filling;

	part->length = 0;
	if (part->capacity != part_size(number)) {
		free(part->bytes);
		part->capacity = part_size(number);
		part->bytes = buf_malloc(part->capacity);
	}
}

/* Is the upload that is to be continued still there? */
static int
find_upload(struct writer *w, const struct store_resume *resume, struct err *e)
{
	char *id = url_encode_value(resume->upload);
	char *query = buf_format("max-parts=1&uploadId=%s", id);
	struct s3_request request = {.method = "GET", .key = w->key, .query = query};
	struct http_exchange *answer;
	int status = s3_request(w->s3, &request, &answer, e);

	if (status == 0) {
		w->upload = id;
		w->known = resume->count;
		id = NULL;
	} else if (s3_status(answer) == 404) {
		status = 0;
	}
	http_end(answer);
	free(query);
	free(id);
	return status;
}

void *
s3_put_create(void *handle, const char *key, const struct store_resume *resume, struct err *e)
{
	struct s3_request head = {.method = "HEAD", .key = key};
	struct writer *w = buf_calloc(1, sizeof *w);
	struct http_exchange *answer;
	const struct clk *clk = clk_system();

	w->s3 = handle;
	w->key = buf_strdup(key);
	w->resume = resume;
	snprintf(
	    w->nonce, sizeof w->nonce, "x-amz-meta-csvp: %016" PRIx64 "%016" PRIx64, clk_random(clk), clk_random(clk));
	/* Only to save the work: the commit decides. */
	if (s3_request(w->s3, &head, &answer, e) == 0)
		err_set(e, ERR_DATA, "exists");
	else if (s3_status(answer) == 404 &&
		 (resume == NULL || resume->upload == NULL || find_upload(w, resume, e) == 0)) {
		http_end(answer);
		prepare(w, 1);
		return w;
	}
	http_end(answer);
	s3_put_end(w, true);
	return NULL;
}

static int
begin_upload(struct writer *w, struct err *e)
{
	struct s3_request request = {.method = "POST", .key = w->key, .query = "uploads=", .headers = {w->nonce}};
	struct http_exchange *answer;
	struct buf id = {0};
	int status = s3_request(w->s3, &request, &answer, e);

	if (status == 0 && !s3_xml_find(http_response(answer)->body.bytes, "UploadId", &id))
		status = err_set(e, ERR_IO, "the server gives no upload id");
	if (status == 0) {
		w->upload = url_encode_value(id.bytes);
		if (w->resume != NULL)
			status = w->resume->on_upload(w->resume->ctx, id.bytes, e);
	}
	http_end(answer);
	buf_fini(&id);
	return status;
}

static void
add_etag(struct writer *w, const char *etag)
{
	w->etags = buf_realloc(w->etags, w->sent + 1, sizeof *w->etags);
	w->etags[w->sent++] = buf_strdup(etag);
}

static int
begin_part(struct writer *w, struct err *e)
{
	char *query = buf_format("partNumber=%zu&uploadId=%s", w->sent + 1, w->upload);
	struct s3_request request = {
	    .method = "PUT",
	    .key = w->key,
	    .query = query,
	    .body = w->flying.bytes,
	    .length = w->flying.length,
	    .sha256 = w->flying.sha256,
	};

	w->flying.exchange = s3_begin(w->s3, &request, e);
	free(query);
	return w->flying.exchange != NULL ? 0 : -1;
}

/* Wait until the server has the part under way, if there is one. After an error it is sent again. */
static int
finish_part(struct writer *w, struct err *e)
{
	struct part *part = &w->flying;

	if (!w->under_way)
		return 0;
	if (part->etag[0] == '\0') {
		const char *etag = NULL;
		int status;

		if (part->exchange == NULL && begin_part(w, e) != 0)
			return -1;
		status = s3_finish(part->exchange, e);
		if (status == 0)
			etag = http_header(http_response(part->exchange), "ETag");
		if (status == 0 && (etag == NULL || strlen(etag) >= sizeof part->etag))
			status = err_set(e, ERR_IO, "part %zu: the server gives no ETag that can be used", w->sent + 1);
		else if (status == 0)
			strcpy(part->etag, etag);
		http_end(part->exchange);
		part->exchange = NULL;
		if (status != 0)
			return -1;
	}
	if (w->resume != NULL) {
		struct store_part done = {.length = part->length};

		memcpy(done.sha256, part->sha256, sizeof done.sha256);
		strcpy(done.etag, part->etag);
		if (w->resume->on_part(w->resume->ctx, w->sent + 1, &done, e) != 0)
			return -1;
	}
	add_etag(w, part->etag);
	part->etag[0] = '\0';
	w->under_way = false;
	return 0;
}

/* Does the server have this part from an earlier attempt, with the same bytes? */
static const struct store_part *
find_known(const struct writer *w)
{
	const struct store_part *part = w->sent < w->known ? &w->resume->parts[w->sent] : NULL;

	if (part == NULL || part->length != w->filling.length ||
	    memcmp(part->sha256, w->filling.sha256, sizeof part->sha256) != 0)
		return NULL;
	return part;
}

/* Begin to send what was filled; the other memory is filled next. */
static int
send_filled(struct writer *w, struct err *e)
{
	const struct store_part *known;
	struct part other;

	if (finish_part(w, e) != 0)
		return -1;
	if (w->sent + 1 > MOST_PARTS)
		return err_set(e, ERR_IO, "more than %d parts", MOST_PARTS);
	if (w->upload == NULL && begin_upload(w, e) != 0)
		return -1;
	digest_sha256(w->filling.bytes, w->filling.length, w->filling.sha256);
	known = find_known(w);
	if (known != NULL) {
		add_etag(w, known->etag);
		prepare(w, w->sent + 1);
		return 0;
	}
	other = w->flying;
	w->flying = w->filling;
	w->filling = other;
	w->under_way = true;
	/* If it does not begin, finish_part tries again. */
	if (begin_part(w, e) != 0 && e->code != ERR_AGAIN)
		return -1;
	if (part_size(w->sent + 1) > BESIDE) {
		/* Its memory is the only one of this size. */
		free(w->filling.bytes);
		w->filling = (struct part){0};
	} else {
		prepare(w, w->sent + 2);
	}
	return 0;
}

/* Memory for the part to be filled, which is full or not there. */
static int
make_room(struct writer *w, struct err *e)
{
	if (w->filling.bytes != NULL && send_filled(w, e) != 0)
		return -1;
	if (w->filling.bytes != NULL)
		return 0;
	if (finish_part(w, e) != 0)
		return -1;
	w->filling = w->flying;
	w->flying = (struct part){0};
	prepare(w, w->sent + 1);
	return 0;
}

int
s3_put_write(void *writer, const void *bytes, size_t length, struct err *e)
{
	struct writer *w = writer;

	if (w->filling.length == w->filling.capacity && make_room(w, e) != 0)
		return -1;
	memcpy(w->filling.bytes + w->filling.length, bytes, length);
	w->filling.length += length;
	/* What goes wrong here is met again by finish_part. */
	if (w->under_way && w->flying.exchange != NULL) {
		struct err ignored;

		(void)!http_pump(w->flying.exchange, &ignored);
	}
	return 0;
}

/* After an answer was lost: was it our commit that made the object? */
static bool
is_ours(struct writer *w)
{
	struct s3_request head = {.method = "HEAD", .key = w->key};
	struct http_exchange *answer;
	struct err ignored;
	const char *nonce = NULL;
	bool ours;

	if (s3_request(w->s3, &head, &answer, &ignored) == 0)
		nonce = http_header(http_response(answer), "x-amz-meta-csvp");
	ours = nonce != NULL && strcmp(nonce, strchr(w->nonce, ' ') + 1) == 0;
	http_end(answer);
	return ours;
}

static int
complete(struct writer *w, struct http_exchange **answer, struct err *e)
{
	char *query = buf_format("uploadId=%s", w->upload);
	struct buf parts = {0};
	struct s3_request request = {.method = "POST", .key = w->key, .query = query, .headers = {"If-None-Match: *"}};
	int status;

	buf_string(&parts, "<CompleteMultipartUpload>");
	for (size_t i = 0; i < w->sent; i++)
		buf_printf(&parts, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1, w->etags[i]);
	buf_string(&parts, "</CompleteMultipartUpload>");
	request.body = parts.bytes;
	request.length = parts.length;
	status = s3_request(w->s3, &request, answer, e);
	/* S3 answers 200 before it begins, and an error in the document. */
	if (status == 0)
		status = s3_error(http_response(*answer), e);
	buf_fini(&parts);
	free(query);
	return status;
}

int
s3_put_commit(void *writer, struct err *e)
{
	struct writer *w = writer;
	struct s3_request whole = {
	    .method = "PUT",
	    .key = w->key,
	    .headers = {"If-None-Match: *", w->nonce},
	    .body = w->filling.bytes,
	    .length = w->filling.length,
	};
	struct http_exchange *answer = NULL;
	bool single = w->upload == NULL && !w->under_way;
	int status;

	if (!single && ((w->filling.length > 0 && send_filled(w, e) != 0) || finish_part(w, e) != 0))
		return -1;
	w->filling.length = single ? w->filling.length : 0;
	status = single ? s3_request(w->s3, &whole, &answer, e) : complete(w, &answer, e);
	if (status != 0 && w->doubtful && e->code != ERR_AGAIN && is_ours(w))
		status = 0;
	w->doubtful = w->doubtful || (status != 0 && e->code == ERR_AGAIN);
	http_end(answer);
	w->committed = status == 0;
	return status;
}

void
s3_put_end(void *writer, bool keep)
{
	struct writer *w = writer;
	struct err ignored;

	http_end(w->flying.exchange);
	if (w->upload != NULL && !w->committed && !keep) {
		/* Also after a signal. What stays behind all the same goes with the key. */
		bool before = http_shield(w->s3->http, true);

		(void)!s3_abort(w->s3, w->key, w->upload, &ignored);
		http_shield(w->s3->http, before);
	}
	free(w->filling.bytes);
	free(w->flying.bytes);
	for (size_t i = 0; i < w->sent; i++)
		free(w->etags[i]);
	free(w->etags);
	free(w->upload);
	free(w->key);
	free(w);
}
