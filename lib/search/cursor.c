#include "search/cursor.h"

#include <string.h>

#include "base/buf.h"
#include "schema/shape.h"
#include "search/query.h"
#include "search/search.h"

#define VERSION 1
#define NUMBER_BYTES 8
#define HEAD_BYTES (1 + NUMBER_BYTES)

/* FNV-1a, 64 bits: no single wrong byte goes unnoticed, since every step can be undone. */
static uint64_t
hash(const char *bytes, size_t length)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return h;
}

static void
put_number(struct buf *out, uint64_t number)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_byte(out, (char)(number >> shift));
}

static uint64_t
read_number(const char *bytes)
{
	uint64_t number = 0;

	for (size_t i = 0; i < NUMBER_BYTES; i++)
		number = number << 8 | (unsigned char)bytes[i];
	return number;
}

void
cursor_put(struct buf *state, const char *value)
{
	buf_byte(state, value != NULL ? '=' : '-');
	if (value != NULL)
		buf_append(state, value, strlen(value) + 1);
}

bool
cursor_take(const struct buf *state, size_t *at, const char **value)
{
	const char *end;

	*value = NULL;
	if (*at >= state->length)
		return false;
	if (state->bytes[(*at)++] == '-')
		return true;
	end = memchr(state->bytes + *at, '\0', state->length - *at);
	if (end == NULL)
		return false;
	*value = state->bytes + *at;
	*at = (size_t)(end - state->bytes) + 1;
	return true;
}

/* Every part with its length or kind, so that no two are written alike. */
void
cursor_describe(const char *driver, const struct search_index *index, const struct query *query, struct buf *all)
{
	const struct shape *shape = index->shape;

	cursor_put(all, driver);
	put_number(all, (uint64_t)index->dataset);
	for (size_t i = 0; i < shape->key_count; i++)
		cursor_put(all, type_sql(shape->columns[shape->key[i]].type));
	put_number(all, query->term_count);
	for (size_t i = 0; i < query->term_count; i++) {
		put_number(all, (uint64_t)query->terms[i].kind);
		cursor_put(all, query->terms[i].text);
	}
	put_number(all, query->filter_count);
	for (size_t i = 0; i < query->filter_count; i++) {
		cursor_put(all, shape->columns[query->filters[i].column].name);
		put_number(all, (uint64_t)query->filters[i].operator);
		cursor_put(all, query->filters[i].value);
	}
	if (query->sort >= 0) {
		cursor_put(all, shape->columns[query->sort].name);
		cursor_put(all, type_sql(shape->columns[query->sort].type));
		put_number(all, query->descending);
	}
}

uint64_t
cursor_binding(const char *driver, const struct search_index *index, const struct query *query)
{
	struct buf all = {0};
	uint64_t binding;

	cursor_describe(driver, index, query, &all);
	binding = hash(all.bytes, all.length);
	buf_fini(&all);
	return binding;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *
encode(const struct buf *bytes)
{
	struct buf text = {0};
	uint32_t bits = 0;
	int held = 0;

	buf_string(&text, "");
	for (size_t i = 0; i < bytes->length; i++) {
		bits = bits << 8 | (unsigned char)bytes->bytes[i];
		for (held += 8; held >= 6; held -= 6)
			buf_byte(&text, alphabet[bits >> (held - 6) & 63]);
	}
	if (held > 0)
		buf_byte(&text, alphabet[bits << (6 - held) & 63]);
	return buf_detach(&text);
}

/* False if a character is none of the alphabet's, or if this is not the one way to write these bytes. */
static bool
decode(const char *text, struct buf *bytes)
{
	uint32_t bits = 0;
	int held = 0;

	for (; *text != '\0'; text++) {
		const char *digit = strchr(alphabet, *text);

		if (digit == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(digit - alphabet);
		held += 6;
		if (held >= 8)
			buf_byte(bytes, (char)(bits >> (held -= 8)));
	}
	return held < 6 && (bits & ((1u << held) - 1)) == 0;
}

char *
cursor_seal(uint64_t binding, const struct buf *state)
{
	struct buf bytes = {0};
	char *text;

	buf_byte(&bytes, VERSION);
	put_number(&bytes, binding);
	buf_append(&bytes, state->bytes, state->length);
	put_number(&bytes, hash(bytes.bytes, bytes.length));
	text = encode(&bytes);
	buf_fini(&bytes);
	return text;
}

static int
check(const struct buf *bytes, uint64_t binding, struct err *e)
{
	size_t sealed = bytes->length - NUMBER_BYTES;

	if (bytes->length < HEAD_BYTES + NUMBER_BYTES ||
	    hash(bytes->bytes, sealed) != read_number(bytes->bytes + sealed))
		return err_set(
		    e, ERR_USAGE, "the cursor is damaged; hint: give it whole, as the page before printed it");
	if (bytes->bytes[0] != VERSION)
		return err_set(e, ERR_USAGE, "the cursor is of another version of csvp; hint: begin at the first page");
	if (read_number(bytes->bytes + 1) != binding)
		return err_set(e, ERR_USAGE,
		    "the cursor belongs to another query; hint: only the limit may differ from the page before");
	return 0;
}

int
cursor_unseal(const char *text, uint64_t binding, struct buf *state, struct err *e)
{
	struct buf bytes = {0};
	int result;

	if (!decode(text, &bytes))
		bytes.length = 0;
	result = check(&bytes, binding, e);
	if (result == 0)
		buf_append(state, bytes.bytes + HEAD_BYTES, bytes.length - HEAD_BYTES - NUMBER_BYTES);
	buf_fini(&bytes);
	return result;
}
