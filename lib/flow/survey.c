#include "flow/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/progress.h"
#include "csv/reader.h"
#include "csv/record.h"
#include "flow/proof.h"
#include "table/reading.h"

static void
name_fields(struct survey *s, const struct record *r, bool header)
{
	s->field_count = r->field_count;
	s->fields = buf_calloc(s->field_count, sizeof *s->fields);
	for (size_t i = 0; i < s->field_count; i++)
		s->fields[i] = (struct survey_field){
		    /* A column without a name is known by its place. */
		    .header = header && r->fields[i].length > 0 ? buf_strndup(r->fields[i].bytes, r->fields[i].length)
								: buf_format("column_%zu", i + 1),
		    .types = TYPE_ALL,
		    .key_type = -1,
		};
}

int
survey_open(struct survey *s, const struct reading *reading, survey_source *source, void *ctx, struct err *e)
{
	struct record r;
	int got;

	*s = (struct survey){.reading = reading};
	s->reader = reader_new(&reading->dialect, 0, 1, source, ctx);
	got = reader_next(s->reader, &r, true, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(
		    e, ERR_DATA, "%s", reading->dialect.header ? "the file is empty: no header" : "the file is empty");
	if (r.flaw != RECORD_SOUND)
		return err_set(e, ERR_DATA, "line %lu, byte %lu: the first record holds %s, so this is no CSV file%s",
		    (unsigned long)r.line, (unsigned long)r.flaw_offset,
		    r.flaw == RECORD_NUL ? "a NUL byte" : "bytes that are not UTF-8",
		    r.flaw == RECORD_NUL ? "" : "; hint: --encoding LATIN1");
	name_fields(s, &r, reading->dialect.header);
	if (!reading->dialect.header) {
		s->first = buf_malloc(sizeof *s->first);
		*s->first = r;
	}
	return 0;
}

/* As reader_next, which survey_open may have called for the first record already. */
static int
next_record(struct survey *s, struct record *r, bool fields, struct err *e)
{
	if (s->first == NULL)
		return reader_next(s->reader, r, fields, e);
	*r = *s->first;
	free(s->first);
	s->first = NULL;
	return 1;
}

static bool
is_null(const struct survey *s, size_t i, const struct field *f)
{
	const struct reading *reading = s->reading;

	if (f->length == 0 && !f->quoted)
		return true;
	for (size_t n = 0; n < reading->null_count; n++)
		if (strlen(reading->nulls[n]) == f->length && memcmp(reading->nulls[n], f->bytes, f->length) == 0)
			return true;
	for (size_t n = 0; n < reading->null_in_count; n++)
		if (strcmp(reading->nulls_in[n].header, s->fields[i].header) == 0 &&
		    strlen(reading->nulls_in[n].value) == f->length &&
		    memcmp(reading->nulls_in[n].value, f->bytes, f->length) == 0)
			return true;
	return false;
}

/* A record that will be a reject says nothing about types or keys. */
static bool
will_be_rejected(const struct survey *s, const struct record *r)
{
	return r->flaw != RECORD_SOUND || (r->field_count < s->field_count && !s->reading->pad) ||
	       (r->field_count > s->field_count && !s->reading->truncate);
}

static void
infer(struct survey *s, const struct record *r)
{
	for (size_t i = 0; i < s->field_count && i < r->field_count; i++) {
		struct survey_field *field = &s->fields[i];
		const struct field *f = &r->fields[i];

		if (!field->infer || (field->has_value && field->types == 1u << TYPE_TEXT) || is_null(s, i, f))
			continue;
		field->has_value = true;
		field->types = type_narrow(field->types, f->bytes, f->length);
	}
}

static int
prove(struct survey *s, struct proof *proof, const struct record *r, struct buf *key, struct err *e)
{
	buf_reset(key);
	for (size_t i = 0; i < s->key_count; i++) {
		const struct survey_field *field = &s->fields[s->key[i]];
		const struct field *f;

		if (s->key[i] >= r->field_count)
			return 0;
		f = &r->fields[s->key[i]];
		/* Such a record is a reject, and no key. */
		if (is_null(s, s->key[i], f))
			return 0;
		if (field->key_type == SURVEY_RAW) {
			buf_append(key, f->bytes, f->length);
			buf_byte(key, '\0');
		} else if (type_check((enum type_id)field->key_type, f->bytes, f->length) != NULL) {
			return 0;
		} else {
			type_sort_key((enum type_id)field->key_type, key, f->bytes, f->length);
		}
	}
	return proof_add(proof, proof_hash(key->bytes, key->length), e);
}

/* The record goes into the last chunk, or begins the next. */
static void
add_to_chunk(struct survey *s, const struct record *r, uint64_t chunk_bytes)
{
	struct chunk *last = s->chunk_count > 0 ? &s->chunks[s->chunk_count - 1] : NULL;

	if (last == NULL || last->records >= SURVEY_CHUNK_RECORDS || r->offset - last->byte >= chunk_bytes) {
		/* Doubling at powers of two: no capacity to keep. */
		if ((s->chunk_count & (s->chunk_count - 1)) == 0)
			s->chunks =
			    buf_realloc(s->chunks, s->chunk_count > 0 ? 2 * s->chunk_count : 1, sizeof *s->chunks);
		last = &s->chunks[s->chunk_count];
		*last = (struct chunk){.number = (int64_t)s->chunk_count++, .byte = r->offset, .line = r->line};
	}
	last->length = r->offset + r->length - last->byte;
	last->records++;
	s->records++;
}

int
survey_run(
    struct survey *s, uint64_t chunk_bytes, survey_each *each, void *ctx, struct progress *progress, struct err *e)
{
	struct proof *proof = s->key_count > 0 ? proof_new(PROOF_MEMORY) : NULL;
	struct buf key = {0};
	struct record r;
	uint64_t reported = 0, counted = 0;
	bool fields = proof != NULL || each != NULL;
	int got, result = -1;

	for (size_t i = 0; i < s->field_count; i++)
		fields = fields || s->fields[i].infer;
	while ((got = next_record(s, &r, fields, e)) == 1) {
		add_to_chunk(s, &r, chunk_bytes);
		if (fields && !will_be_rejected(s, &r)) {
			infer(s, &r);
			if (proof != NULL && prove(s, proof, &r, &key, e) != 0)
				goto done;
		}
		if (each != NULL && each(ctx, &r, e) != 0)
			goto done;
		if ((s->records & 4095) == 0) {
			if (sig_check(e) != 0)
				goto done;
			if (progress != NULL) {
				progress_add(progress, reader_offset(s->reader) - reported, s->records - counted);
				reported = reader_offset(s->reader);
				counted = s->records;
			}
		}
	}
	if (got < 0)
		goto done;
	s->blank_lines = reader_blank(s->reader);
	if (proof != NULL) {
		int unique = proof_unique(proof, e);

		if (unique < 0)
			goto done;
		s->unique_keys = unique == 1;
	}
	result = 0;

done:
	proof_free(proof);
	buf_fini(&key);
	return result;
}

const char *
survey_delimiter(const struct survey *s)
{
	static const struct {
		char byte;
		const char *option;
	} others[] = {{';', "';'"}, {'\t', "tab"}, {'|', "'|'"}, {',', "','"}};

	for (size_t i = 0; s->field_count == 1 && i < sizeof others / sizeof *others; i++)
		if (s->reading->dialect.delimiter != others[i].byte &&
		    strchr(s->fields[0].header, others[i].byte) != NULL)
			return others[i].option;
	return NULL;
}

void
survey_doubt(const struct survey *s, const char *file)
{
	const char *delimiter = survey_delimiter(s);

	if (delimiter != NULL)
		log_notice("%s: it has one column, '%s'; hint: --delimiter %s, if these are several", file,
		    s->fields[0].header, delimiter);
}

void
survey_fini(struct survey *s)
{
	for (size_t i = 0; i < s->field_count; i++)
		free(s->fields[i].header);
	free(s->fields);
	free(s->key);
	free(s->chunks);
	free(s->first);
	reader_free(s->reader);
	*s = (struct survey){0};
}
