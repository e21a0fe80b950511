#include "flow/record_json.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "csv/utf8.h"
#include "schema/json.h"
#include "schema/json_flaw.h"
#include "schema/json_number.h"
#include "schema/shape.h"

/* More faults than that help nobody. */
#define MOST_FAULTS 50

void
record_json_fini(struct record_json *r)
{
	for (size_t i = 0; i < r->columns; i++)
		free(r->values[i]);
	for (size_t i = 0; i < r->fault_count; i++) {
		free(r->faults[i].field);
		free(r->faults[i].reason);
	}
	free(r->values);
	free(r->given);
	free(r->faults);
	*r = (struct record_json){0};
}

void
record_json_fault(struct record_json *r, const char *field, const char *format, ...)
{
	struct buf reason = {0};
	va_list ap;

	if (r->fault_count == MOST_FAULTS)
		return;
	va_start(ap, format);
	buf_vprintf(&reason, format, ap);
	va_end(ap);
	r->faults = buf_realloc(r->faults, r->fault_count + 1, sizeof *r->faults);
	r->faults[r->fault_count++] =
	    (struct record_fault){field != NULL ? buf_strdup(field) : NULL, buf_detach(&reason)};
}

/* The column of this name: that of PostgreSQL only, so that a member has one meaning. */
static size_t
column_of(const struct shape *shape, const char *name)
{
	size_t i = 0;

	while (i < shape->count && strcmp(shape->columns[i].name, name) != 0)
		i++;
	return i;
}

/* A number as the column's type wants it, or NULL: the reason is a fault already. */
static char *
take_number(struct record_json *r, const struct column *c, const char *number)
{
	struct buf plain = {0};

	if (json_number(&plain, number, c->type == TYPE_BIGINT))
		return buf_detach(&plain);
	record_json_fault(r, c->name, "more digits than a number can have");
	buf_fini(&plain);
	return NULL;
}

/* A string, a number, true or false; `first` is the byte that it begins with. */
static void
take_value(struct record_json *r, size_t column, const struct column *c, char first, const char *text)
{
	bool number = type_numeric(c->type), boolean = c->type == TYPE_BOOLEAN;
	const char *reason;
	char *value = NULL;

	if (first == 't' || first == 'f') {
		if (boolean)
			value = buf_strdup(text);
		else
			record_json_fault(r, c->name, "true or false in a column of %s", type_sql(c->type));
	} else if (first != '"') {
		if (number)
			value = take_number(r, c, text);
		else
			record_json_fault(r, c->name, "a number in a column of %s", type_sql(c->type));
	} else if (boolean) {
		record_json_fault(r, c->name, "neither true nor false");
	} else {
		value = buf_strdup(text);
	}
	if (value == NULL)
		return;
	reason = type_check(c->type, value, strlen(value));
	if (reason != NULL)
		record_json_fault(r, c->name, "%s", reason);
	r->values[column] = value;
}

/* The value of a column's member. False: there is no going on. */
static bool
take_member(struct record_json *r, const struct shape *shape, size_t column, struct json *j)
{
	const struct column *c = &shape->columns[column];
	char first, *text;

	if (r->given[column]) {
		record_json_fault(r, c->name, "given twice");
		json_skip(j);
		return !j->bad;
	}
	r->given[column] = true;
	j->at += strspn(j->at, " \t\r\n");
	first = *j->at;
	if (first == '{' || first == '[') {
		record_json_fault(r, c->name, "%s, not a value", first == '{' ? "an object" : "an array");
		json_skip(j);
		return !j->bad;
	}
	text = json_text(j);
	if (j->bad) {
		record_json_fault(r, c->name, "a character that PostgreSQL cannot hold: \\u0000, or half of a pair");
		return false;
	}
	if (text != NULL)
		take_value(r, column, c, first, text);
	return true;
}

static void
take_members(struct record_json *r, const struct shape *shape, struct json *j)
{
	char *name;

	while (json_member(j, &name)) {
		size_t column = column_of(shape, name);

		if (column == shape->count) {
			record_json_fault(r, name, "there is no such field");
			json_skip(j);
		} else if (!take_member(r, shape, column, j)) {
			return;
		}
	}
	if (j->bad)
		record_json_fault(r, NULL, "the name of a field has a character that PostgreSQL cannot hold");
}

int
record_json_read(struct record_json *r, const struct shape *shape, const char *bytes, size_t length)
{
	size_t flaw = utf8_flaw(bytes, length);
	char *text;

	*r = (struct record_json){
	    .values = buf_calloc(shape->count + 1, sizeof *r->values),
	    .given = buf_calloc(shape->count + 1, sizeof *r->given),
	    .columns = shape->count,
	};
	if (flaw < length)
		record_json_fault(r, NULL, "no UTF-8 at byte %zu", flaw + 1);
	else if ((flaw = json_flaw(bytes, length)) != SIZE_MAX)
		record_json_fault(r, NULL,
		    flaw == length ? "the JSON text ends too early, at byte %zu" : "no JSON at byte %zu", flaw + 1);
	if (r->fault_count > 0)
		return -1;
	text = buf_strndup(bytes, length);
	struct json j = {.at = text};
	bool object = json_object(&j);

	if (object)
		take_members(r, shape, &j);
	else
		record_json_fault(r, NULL, "not a JSON object");
	free(text);
	return object ? 0 : -1;
}
