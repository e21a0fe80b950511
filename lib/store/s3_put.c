/*
 * Writing an object of unknown length: one PUT if it fits in the first part,
 * else a multipart upload. Parts are sent while the next one is filled; each is
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
#include "io/crc32c.h"
#include "net/url.h"
#include "store/s3_internal.h"
#include "store/s3_xml.h"
#include "store/store.h"
#include "store/store_driver.h"

enum {
	MIB = 1 << 20,
	MOST_PARTS = 10000, /* that S3 allows */
	UNDER_WAY = 2       /* parts sent at once: while the server puts one away, it takes in the other */
};

/* A part being filled, or under way. */
struct part {
	char *bytes; /* NULL: no memory yet */
	size_t length, capacity;
	unsigned char sha256[32]; /* of the source up to its end; zeros: nobody resumes */
	char crc[CRC32C_BASE64];
	bool by_crc;                                          /* sent with nothing else to compare it by */
	struct http_exchange *exchange;                       /* under way; NULL: to be sent (again) */
	char etag[sizeof(((struct store_part *)NULL)->etag)]; /* the server has it, who resumes was not told yet */
};

/* What the server is told of a part at the end. */
struct sent {
	char *etag;
	char crc[CRC32C_BASE64];
};

struct writer {
	struct s3 *s3;
	char *key;
	char *upload; /* id of the multipart upload, encoded; NULL: not begun */
	const struct store_resume *resume;
	size_t known;        /* parts of `resume` that may be used */
	struct part filling; /* number `sent_count` + `flying_count` + 1 */
	struct part flying[UNDER_WAY];
	size_t flying_count; /* the first of them has number `sent_count` + 1 */
	struct part spare;   /* memory for the next one to be filled */
	struct sent *sent;   /* the parts the server has */
	size_t sent_count;
	bool lost;     /* an upload may have been begun whose id nobody knows: its answer was lost */
	bool doubtful; /* a commit may have worked although its answer was lost */
	bool committed;
	char nonce[60]; /* header by which we know an object as ours */
};

/* 8 MiB to begin with, and growing, so that 10,000 parts hold more than the 256 GiB an object may have. */
static size_t
part_size(size_t number)
{
	return (number <= 500 ? 8 : number <= 3000 ? 16 : 32) * (size_t)MIB;
}

/* How many parts may be under way beside one of this size being filled: a worker has 64 MB in all. */
static size_t
beside(size_t size)
{
	return size <= 8 * (size_t)MIB ? 2 : size <= 16 * (size_t)MIB ? 1 : 0;
}

static size_t
filling_number(const struct writer *w)
{
	return w->sent_count + w->flying_count + 1;
}

static void
prepare(struct writer *w)
{
	size_t capacity = part_size(filling_number(w));

	if (w->spare.capacity != capacity) {
		free(w->spare.bytes);
		w->spare.bytes = buf_malloc(capacity);
	}
	w->filling = (struct part){.bytes = w->spare.bytes, .capacity = capacity};
	w->spare = (struct part){0};
}

/* The part's memory is free for another one. */
static void
retire(struct writer *w, struct part *part)
{
	free(w->spare.bytes);
	w->spare = *part;
	*part = (struct part){0};
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
		prepare(w);
		return w;
	}
	http_end(answer);
	s3_put_end(w, true);
	return NULL;
}

static int
begin_upload(struct writer *w, struct err *e)
{
	struct s3_request request = {.method = "POST",
	    .key = w->key,
	    .query = "uploads=",
	    .headers = {w->nonce, "x-amz-checksum-algorithm: CRC32C"}};
	struct http_exchange *answer;
	struct buf id = {0};
	int status = s3_request(w->s3, &request, &answer, e);

	if (status != 0 && s3_status(answer) / 100 != 4)
		w->lost = true;
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
add_sent(struct writer *w, const char *etag, const char *crc)
{
	struct sent *sent;

	w->sent = buf_realloc(w->sent, w->sent_count + 1, sizeof *w->sent);
	sent = &w->sent[w->sent_count++];
	sent->etag = buf_strdup(etag);
	strcpy(sent->crc, crc);
}

/*
 * The server compares a CRC-32C of the part, which costs both sides a tenth of
 * a signed SHA-256 (of a loopback upload the hashes were a third of all
 * processor time). A server that does not answer with it gets the SHA-256, too.
 */
static int
begin_part(struct writer *w, struct part *part, size_t number, struct err *e)
{
	char *query = buf_format("partNumber=%zu&uploadId=%s", number, w->upload);
	char checksum[40];
	struct s3_request request = {
	    .method = "PUT",
	    .key = w->key,
	    .query = query,
	    .headers = {checksum},
	    .body = part->bytes,
	    .length = part->length,
	    .checked = !w->s3->no_crc,
	};

	part->by_crc = request.checked;
	snprintf(checksum, sizeof checksum, "x-amz-checksum-crc32c: %s", part->crc);
	part->exchange = s3_begin(w->s3, &request, e);
	free(query);
	return part->exchange != NULL ? 0 : -1;
}

/* What the server says of a part under way. */
static int
take_answer(struct writer *w, struct part *part, struct err *e)
{
	const char *etag;

	if (s3_finish(part->exchange, e) != 0)
		return -1;
	etag = http_header(http_response(part->exchange), "ETag");
	if (etag == NULL || strlen(etag) >= sizeof part->etag)
		return err_set(e, ERR_IO, "part %zu: the server gives no ETag that can be used", w->sent_count + 1);
	/* Two may have been under way before the first answer said so. */
	if (part->by_crc && http_header(http_response(part->exchange), "x-amz-checksum-crc32c") == NULL) {
		w->s3->no_crc = true;
		return err_set(e, ERR_AGAIN, "part %zu: the server has not compared its CRC-32C", w->sent_count + 1);
	}
	strcpy(part->etag, etag);
	return 0;
}

/* Wait until the server has the oldest part under way. After an error it is sent again. */
static int
finish_part(struct writer *w, struct err *e)
{
	struct part *part = &w->flying[0];

	if (part->etag[0] == '\0') {
		int status;

		if (part->exchange == NULL && begin_part(w, part, w->sent_count + 1, e) != 0)
			return -1;
		status = take_answer(w, part, e);
		http_end(part->exchange);
		part->exchange = NULL;
		if (status != 0)
			return -1;
	}
	if (w->resume != NULL) {
		struct store_part done = {.length = part->length};

		memcpy(done.sha256, part->sha256, sizeof done.sha256);
		strcpy(done.etag, part->etag);
		if (w->resume->on_part(w->resume->ctx, w->sent_count + 1, &done, e) != 0)
			return -1;
	}
	add_sent(w, part->etag, part->crc);
	retire(w, part);
	w->flying_count--;
	memmove(part, part + 1, w->flying_count * sizeof *part);
	return 0;
}

static int
finish_until(struct writer *w, size_t left, struct err *e)
{
	while (w->flying_count > left)
		if (finish_part(w, e) != 0)
			return -1;
	return 0;
}

/* Does the server have this part from an earlier attempt, with the same bytes? */
static const struct store_part *
find_known(const struct writer *w)
{
	const struct store_part *part = w->sent_count < w->known ? &w->resume->parts[w->sent_count] : NULL;

	/* Behind one that differs all do. */
	if (part == NULL || w->flying_count > 0 || part->length != w->filling.length ||
	    memcmp(part->sha256, w->filling.sha256, sizeof part->sha256) != 0)
		return NULL;
	return part;
}

/* Begin to send what was filled; then there is no memory to fill. */
static int
send_filled(struct writer *w, struct err *e)
{
	const struct store_part *known;

	if (finish_until(w, UNDER_WAY - 1, e) != 0)
		return -1;
	if (filling_number(w) > MOST_PARTS)
		return err_set(e, ERR_IO, "more than %d parts", MOST_PARTS);
	if (w->upload == NULL && begin_upload(w, e) != 0)
		return -1;
	crc32c_base64(w->filling.bytes, w->filling.length, w->filling.crc);
	known = find_known(w);
	if (known != NULL) {
		add_sent(w, known->etag, w->filling.crc);
		retire(w, &w->filling);
		return 0;
	}
	w->flying[w->flying_count++] = w->filling;
	w->filling = (struct part){0};
	/* If it does not begin, finish_part tries again. */
	if (begin_part(w, &w->flying[w->flying_count - 1], filling_number(w) - 1, e) != 0 && e->code != ERR_AGAIN)
		return -1;
	return 0;
}

/* Memory for the part to be filled, which is full or not there. */
static int
make_room(struct writer *w, struct err *e)
{
	if (w->filling.bytes != NULL && send_filled(w, e) != 0)
		return -1;
	if (finish_until(w, beside(part_size(filling_number(w))), e) != 0)
		return -1;
	prepare(w);
	return 0;
}

/* Note what the source is, up to the end of the part being filled. */
static void
note_source(struct writer *w)
{
	if (w->resume != NULL)
		w->resume->so_far(w->resume->ctx, w->filling.sha256);
}

void *
s3_put_room(void *writer, struct err *e)
{
	struct writer *w = writer;

	if (w->filling.length == w->filling.capacity && make_room(w, e) != 0)
		return NULL;
	return w->filling.bytes + w->filling.length;
}

int
s3_put_write(void *writer, const void *bytes, size_t length, struct err *e)
{
	struct writer *w = writer;
	struct err ignored;

	(void)bytes; /* they stand where s3_put_room said */
	(void)e;
	w->filling.length += length;
	if (w->filling.length == w->filling.capacity)
		note_source(w);
	/* What goes wrong here is met again by finish_part. */
	if (w->flying_count > 0 && w->flying[0].exchange != NULL)
		(void)!http_pump(w->flying[0].exchange, &ignored);
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
	for (size_t i = 0; i < w->sent_count; i++)
		buf_printf(&parts,
		    "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag><ChecksumCRC32C>%s</ChecksumCRC32C></Part>",
		    i + 1, w->sent[i].etag, w->sent[i].crc);
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
	bool single = w->upload == NULL && filling_number(w) == 1;
	int status;

	if (!single && w->filling.length > 0) {
		note_source(w);
		if (send_filled(w, e) != 0)
			return -1;
	}
	if (finish_until(w, 0, e) != 0)
		return -1;
	status = single ? s3_request(w->s3, &whole, &answer, e) : complete(w, &answer, e);
	if (status != 0 && w->doubtful && e->code != ERR_AGAIN && is_ours(w))
		status = 0;
	w->doubtful = w->doubtful || (status != 0 && e->code == ERR_AGAIN);
	http_end(answer);
	w->committed = status == 0;
	return status;
}

/* Also after a signal. */
static int
give_up(struct writer *w)
{
	bool before = http_shield(w->s3->http, true);
	struct err ignored;
	int status;

	if (w->lost)
		status = s3_abort_all(w->s3, w->key, &ignored);
	else
		status = s3_abort(w->s3, w->key, w->upload, &ignored);
	http_shield(w->s3->http, before);
	return status;
}

bool
s3_put_end(void *writer, bool keep)
{
	struct writer *w = writer;
	bool left = w->lost || (w->upload != NULL && !w->committed);

	for (size_t i = 0; i < w->flying_count; i++)
		http_end(w->flying[i].exchange);
	if (left && !keep)
		left = give_up(w) != 0;
	for (size_t i = 0; i < w->flying_count; i++)
		free(w->flying[i].bytes);
	free(w->filling.bytes);
	free(w->spare.bytes);
	for (size_t i = 0; i < w->sent_count; i++)
		free(w->sent[i].etag);
	free(w->sent);
	free(w->upload);
	free(w->key);
	free(w);
	return left;
}
