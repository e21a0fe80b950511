#include "flow/fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "flow/survey.h"
#include "schema/names.h"
#include "schema/shape.h"
#include "table/reading.h"

/* The type the user gave a field, -1 none, -2 with *e set an unknown one. */
static int
given_type(const struct survey *s, size_t field, struct err *e)
{
	const struct reading *r = s->reading;

	for (size_t i = 0; i < r->type_count; i++) {
		enum type_id type;

		if (strcmp(r->types[i].header, s->fields[field].header) != 0)
			continue;
		if (!type_parse(r->types[i].value, &type)) {
			/* Checked before the upload, too; a job of another version of csvp must not stand in the way of later ones. */
			err_set(e, ERR_DATA, "--type %s=%s: unknown type", r->types[i].header, r->types[i].value);
			return -2;
		}
		return (int)type;
	}
	return -1;
}

/* Every column named in an option must be in the file. */
static int
check_named(const struct survey *s, const struct reading_pair *pairs, size_t count, const char *option, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		size_t f = 0;

		while (f < s->field_count && strcmp(s->fields[f].header, pairs[i].header) != 0)
			f++;
		if (f == s->field_count)
			return err_set(e, ERR_DATA, "--%s %s=%s: the file has no column '%s'", option, pairs[i].header,
			    pairs[i].value, pairs[i].header);
	}
	return 0;
}

static int
check_options(const struct survey *s, struct err *e)
{
	if (check_named(s, s->reading->types, s->reading->type_count, "type", e) != 0)
		return -1;
	return check_named(s, s->reading->nulls_in, s->reading->null_in_count, "null-in", e);
}

int
fit_type(const struct survey *s, size_t field, bool *undecided, struct err *e)
{
	int given = given_type(s, field, e);

	*undecided = false;
	if (given == -2)
		return -1;
	if (given >= 0)
		return given;
	*undecided = !s->fields[field].has_value;
	return *undecided ? TYPE_TEXT : (int)type_pick(s->fields[field].types);
}

int
fit_new(struct survey *s, const char *const *key, size_t key_count, struct err *e)
{
	if (check_options(s, e) != 0)
		return -1;
	for (size_t i = 0; i < s->field_count; i++) {
		int type = given_type(s, i, e);

		if (type == -2)
			return -1;
		s->fields[i].infer = type == -1;
	}
	s->key = buf_calloc(key_count, sizeof *s->key);
	for (size_t k = 0; k < key_count; k++) {
		size_t i = 0;

		while (i < s->field_count && strcmp(s->fields[i].header, key[k]) != 0)
			i++;
		if (i == s->field_count)
			return err_set(e, ERR_DATA,
			    "the key column '%s' is not in the file (its first column is '%s')%s%s", key[k],
			    s->fields[0].header, survey_delimiter(s) != NULL ? "; hint: --delimiter " : "",
			    survey_delimiter(s) != NULL ? survey_delimiter(s) : "");
		s->fields[i].key_type = SURVEY_RAW;
		s->key[s->key_count++] = i;
	}
	return 0;
}

int
fit_shape(const struct survey *s, struct shape *shape, int *columns, struct err *e)
{
	const char **headers = buf_calloc(s->field_count, sizeof *headers);
	char **names = buf_calloc(s->field_count, sizeof *names);
	int result = -1;

	*shape = (struct shape){0};
	for (size_t i = 0; i < s->field_count; i++)
		headers[i] = s->fields[i].header;
	if (names_columns(headers, s->field_count, names, e) != 0)
		goto done;
	for (size_t i = 0; i < s->field_count; i++) {
		bool undecided;
		int type = fit_type(s, i, &undecided, e);

		if (type < 0)
			goto done;
		shape_add(shape, headers[i], names[i], (enum type_id)type, undecided);
		columns[i] = (int)i;
	}
	for (size_t k = 0; k < s->key_count; k++)
		if (shape_add_key(shape, headers[s->key[k]], e) != 0)
			goto done;
	result = 0;

done:
	for (size_t i = 0; i < s->field_count; i++)
		free(names[i]);
	free(names);
	free(headers);
	return result;
}

int
fit_add(const struct survey *s, size_t field, struct shape *shape, int *columns, struct err *e)
{
	size_t count = shape->count + 1;
	const char **headers = buf_calloc(count, sizeof *headers);
	char **names = buf_calloc(count, sizeof *names);
	bool undecided;
	int type, result = -1;

	for (size_t i = 0; i < shape->count; i++)
		headers[i] = shape->columns[i].header;
	headers[count - 1] = s->fields[field].header;
	type = fit_type(s, field, &undecided, e);
	if (type < 0 || names_columns(headers, count, names, e) != 0)
		goto done;
	shape_add(shape, headers[count - 1], names[count - 1], (enum type_id)type, undecided);
	columns[field] = (int)(count - 1);
	result = 0;

done:
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	free(headers);
	return result;
}

bool
fit_unique_keys(const struct survey *s)
{
	for (size_t i = 0; i < s->key_count; i++) {
		bool undecided;
		struct err ignored;
		int type = s->fields[s->key[i]].key_type;

		if (type != SURVEY_RAW)
			continue;
		type = fit_type(s, s->key[i], &undecided, &ignored);
		if (type != TYPE_TEXT && type != TYPE_BIGINT && type != TYPE_DATE)
			return false;
	}
	return s->unique_keys;
}

static int
fit_field(struct survey *s, size_t i, const struct shape *shape, int *columns, struct err *e)
{
	struct survey_field *field = &s->fields[i];
	ssize_t column = shape_find(shape, field->header);
	int given = given_type(s, i, e);

	if (given == -2)
		return -1;
	columns[i] = (int)column;
	if (column < 0) {
		if (!s->reading->add_columns && survey_delimiter(s) != NULL)
			return err_set(e, ERR_DATA,
			    "column '%s' (the only one) is not in the dataset; hint: --delimiter %s", field->header,
			    survey_delimiter(s));
		if (!s->reading->add_columns)
			return err_set(e, ERR_DATA,
			    "column '%s' (field %zu) is not in the dataset; hint: --add-columns", field->header, i + 1);
		field->infer = given == -1;
		return 0;
	}
	for (size_t other = 0; other < i; other++)
		if (columns[other] == column)
			return err_set(e, ERR_DATA,
			    "columns '%s' and '%s' of the file are the same column of the dataset",
			    s->fields[other].header, field->header);
	if (shape->columns[column].undecided)
		field->infer = given == -1;
	else if (given >= 0 && given != (int)shape->columns[column].type)
		return err_set(e, ERR_DATA, "--type %s=%s: the dataset's column is %s", field->header,
		    type_sql((enum type_id)given), type_sql(shape->columns[column].type));
	return 0;
}

int
fit_existing(struct survey *s, const struct shape *shape, int *columns, struct err *e)
{
	if (check_options(s, e) != 0)
		return -1;
	for (size_t i = 0; i < s->field_count; i++)
		if (fit_field(s, i, shape, columns, e) != 0)
			return -1;
	s->key = buf_calloc(shape->key_count, sizeof *s->key);
	for (size_t c = 0; c < shape->count; c++) {
		size_t i = 0;

		while (i < s->field_count && columns[i] != (int)c)
			i++;
		if (i == s->field_count && !s->reading->missing_null)
			return err_set(e, ERR_DATA,
			    "column '%s' of the dataset is not in the file; hint: --missing=null",
			    shape->columns[c].header);
	}
	for (size_t k = 0; k < shape->key_count; k++) {
		size_t i = 0;

		while (i < s->field_count && columns[i] != (int)shape->key[k])
			i++;
		if (i == s->field_count)
			return err_set(e, ERR_DATA, "the key column '%s' is not in the file",
			    shape->columns[shape->key[k]].header);
		s->fields[i].key_type =
		    shape->columns[shape->key[k]].undecided ? SURVEY_RAW : (int)shape->columns[shape->key[k]].type;
		s->key[s->key_count++] = i;
	}
	return 0;
}
