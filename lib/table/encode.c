#include "table/encode.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "csv/record.h"
#include "schema/shape.h"
#include "table/reading.h"

/* One column of the table: which field fills it, and which spellings mean NULL there. */
struct source {
	int field; /* -1: none */
	enum type_id type;
	bool in_key;
	const char **nulls;
	size_t null_count;
};

struct encoder {
	const struct shape *shape;
	const struct reading *reading;
	size_t field_count; /* of a whole record */
	struct source *sources;
};

struct encoder *
encode_new(const struct shape *shape, const int *columns, size_t count, const struct reading *reading)
{
	struct encoder *encoder = buf_malloc(sizeof *encoder);

	*encoder = (struct encoder){.shape = shape,
	    .reading = reading,
	    .field_count = count,
	    .sources = buf_calloc(shape->count, sizeof(struct source))};
	for (size_t i = 0; i < shape->count; i++) {
		struct source *source = &encoder->sources[i];

		*source = (struct source){.field = -1, .type = shape->columns[i].type};
		source->nulls = buf_calloc(reading->null_count + reading->null_in_count, sizeof *source->nulls);
		for (size_t n = 0; n < reading->null_count; n++)
			source->nulls[source->null_count++] = reading->nulls[n];
		for (size_t n = 0; n < reading->null_in_count; n++)
			if (shape_find(shape, reading->nulls_in[n].header) == (ssize_t)i)
				source->nulls[source->null_count++] = reading->nulls_in[n].value;
	}
	for (size_t i = 0; i < count; i++)
		if (columns[i] >= 0 && (size_t)columns[i] < shape->count)
			encoder->sources[columns[i]].field = (int)i;
	for (size_t i = 0; i < shape->key_count; i++)
		encoder->sources[shape->key[i]].in_key = true;
	return encoder;
}

void
encode_free(struct encoder *encoder)
{
	if (encoder == NULL)
		return;
	for (size_t i = 0; i < encoder->shape->count; i++)
		free(encoder->sources[i].nulls);
	free(encoder->sources);
	free(encoder);
}

/* The field of a record that fills a column, or NULL when its value is NULL. */
static const struct field *
value_of(const struct source *source, const struct record *r)
{
	const struct field *f;

	if (source->field < 0 || (uint32_t)source->field >= r->field_count)
		return NULL;
	f = &r->fields[source->field];
	if (f->length == 0 && !f->quoted)
		return NULL;
	for (size_t i = 0; i < source->null_count; i++)
		if (strlen(source->nulls[i]) == f->length && memcmp(source->nulls[i], f->bytes, f->length) == 0)
			return NULL;
	return f;
}

/* At most 40 bytes of a value for a message, cut at a character. */
static int
excerpt(const struct field *f)
{
	uint32_t length = f->length;

	if (length > 40)
		for (length = 40; length > 0 && ((unsigned char)f->bytes[length] & 0xc0) == 0x80; length--)
			continue;
	return (int)length;
}

static int
whole_record_fault(const struct encoder *encoder, const struct record *r, struct encode_fault *fault)
{
	size_t have = r->field_count, want = encoder->field_count;

	*fault = (struct encode_fault){.byte = r->offset};
	if (r->flaw != RECORD_SOUND) {
		fault->code = r->flaw == RECORD_NUL ? "nul" : "encoding";
		fault->byte = r->flaw_offset;
		snprintf(fault->reason, sizeof fault->reason, "%s at byte %" PRIu64 " (field %" PRIu32 ")",
		    r->flaw == RECORD_NUL ? "a NUL byte" : "not UTF-8", r->flaw_offset, r->flaw_field + 1);
		return 1;
	}
	if ((have < want && !encoder->reading->pad) || (have > want && !encoder->reading->truncate)) {
		fault->code = "fields";
		snprintf(fault->reason, sizeof fault->reason, "%zu field%s instead of %zu", have, have == 1 ? "" : "s",
		    want);
		return 1;
	}
	return 0;
}

static int
column_fault(const struct encoder *encoder, size_t i, const struct record *r, const struct field *f, const char *code,
    const char *reason, struct encode_fault *fault)
{
	fault->code = code;
	fault->header = encoder->shape->columns[i].header;
	fault->byte = r->offset;
	if (f != NULL)
		snprintf(fault->reason, sizeof fault->reason, "%s: '%.*s'%s", reason, excerpt(f), f->bytes,
		    f->length > 40 ? "..." : "");
	else
		snprintf(fault->reason, sizeof fault->reason, "%s", reason);
	return 1;
}

/* What the transcoder could not decode it wrote as U+FFFD. */
static bool
undecoded(const struct encoder *encoder, const struct field *f)
{
	return encoder->reading->encoding != NULL && memmem(f->bytes, f->length, "\xef\xbf\xbd", 3) != NULL;
}

static int
encode_value(const struct encoder *encoder, size_t i, const struct record *r, struct buf *line, size_t *key_length,
    struct encode_fault *fault)
{
	const struct source *source = &encoder->sources[i];
	const struct field *f = value_of(source, r);
	const char *reason;

	if (f == NULL) {
		if (source->in_key)
			return column_fault(encoder, i, r, NULL, "key", "the key is empty", fault);
		buf_append(line, "\\N", 2);
		return 0;
	}
	if (undecoded(encoder, f))
		return column_fault(encoder, i, r, f, "encoding", "could not be decoded", fault);
	reason = type_check(source->type, f->bytes, f->length);
	if (reason != NULL)
		return column_fault(encoder, i, r, f, "type", reason, fault);
	if (source->in_key) {
		/* 8 bytes more a column: the array of texts that a tombstone keeps is indexed, too. */
		*key_length += f->length + 8;
		if (*key_length > ENCODE_MAX_KEY)
			return column_fault(encoder, i, r, f, "key", "the key is longer than 2600 bytes", fault);
	}
	type_copy(source->type, line, f->bytes, f->length);
	return 0;
}

int
encode_record(struct encoder *encoder, const struct record *r, int64_t version, struct buf *line, struct buf *key,
    struct encode_fault *fault)
{
	const struct shape *shape = encoder->shape;
	size_t begin = line->length, key_length = 0;

	if (whole_record_fault(encoder, r, fault) != 0)
		return 1;
	for (size_t i = 0; i < shape->count; i++) {
		if (encode_value(encoder, i, r, line, &key_length, fault) != 0) {
			line->length = begin;
			return 1;
		}
		buf_byte(line, '\t');
	}
	if (shape->key_count == 0)
		buf_printf(line, "%" PRId64 "\t", version);
	buf_printf(line, "%" PRId64 "\n", version);
	for (size_t i = 0; i < shape->key_count; i++) {
		const struct field *f = value_of(&encoder->sources[shape->key[i]], r);

		type_sort_key(encoder->sources[shape->key[i]].type, key, f->bytes, f->length);
	}
	return 0;
}

void
encode_key_text(const struct encoder *encoder, const struct record *r, size_t i, struct buf *text)
{
	const struct source *source = &encoder->sources[encoder->shape->key[i]];
	const struct field *f = value_of(source, r);

	if (f != NULL)
		type_canonical(source->type, text, f->bytes, f->length);
}
