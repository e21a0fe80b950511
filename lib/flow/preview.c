#include "flow/preview.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "csv/record.h"
#include "db/pg.h"
#include "flow/fit.h"
#include "flow/site.h"
#include "flow/survey.h"
#include "flow/upload.h"
#include "io/input.h"
#include "ledger/dataset.h"
#include "ledger/intake.h"
#include "table/encode.h"
#include "table/reading.h"

static ssize_t
read_input(void *input, void *bytes, size_t capacity, struct err *e)
{
	return sig_check(e) != 0 ? -1 : input_read(input, bytes, capacity, e);
}

/* How records are tried: as load would encode them. */
struct trial {
	struct preview *preview;
	struct encoder *encoder;
	struct buf line, key; /* of the record tried last */
};

static int
try_record(void *ctx, const struct record *r, struct err *e)
{
	struct trial *t = ctx;
	struct encode_fault fault;

	(void)e;
	buf_reset(&t->line);
	buf_reset(&t->key);
	if (encode_record(t->encoder, r, 0, &t->line, &t->key, &fault) != 0 && t->preview->rejected++ < PREVIEW_REJECTS)
		reject_add(&t->preview->rejects, r->offset, r->line, r->length, fault.header, fault.code, fault.reason);
	return 0;
}

static int
run_survey(struct survey *survey, const int *columns, struct preview *p, struct err *e)
{
	struct trial trial = {
	    .preview = p, .encoder = encode_new(&p->shape, columns, survey->field_count, survey->reading)};
	int result;

	result = survey_run(survey, UINT64_MAX, try_record, &trial, NULL, e);
	encode_free(trial.encoder);
	buf_fini(&trial.line);
	buf_fini(&trial.key);
	return result;
}

/* Columns of which this file has the first values, or whose type the user gave: 0, -1. */
static int
decide_types(const struct survey *survey, const int *columns, struct shape *shape, struct err *e)
{
	for (size_t i = 0; i < survey->field_count; i++) {
		struct column *column = &shape->columns[columns[i]];
		int type;

		if (!column->undecided)
			continue;
		type = fit_type(survey, i, &column->undecided, e);
		if (type < 0)
			return -1;
		column->type = (enum type_id)type;
	}
	return 0;
}

/* The columns as far as they are known before the records are; an undecided one takes every value. */
static int
fit_columns(struct pg *pg, const struct dataset *d, const struct upload *u, struct survey *survey, int *columns,
    struct preview *p, struct err *e)
{
	if (p->is_new)
		return fit_new(survey, u->key, u->key_count, e) != 0 ? -1 : fit_shape(survey, &p->shape, columns, e);
	if (dataset_shape(pg, d, &p->shape, e) != 0 || fit_existing(survey, &p->shape, columns, e) != 0)
		return -1;
	for (size_t i = 0; i < survey->field_count; i++)
		if (columns[i] < 0 && fit_add(survey, i, &p->shape, columns, e) != 0)
			return -1;
	return decide_types(survey, columns, &p->shape, e);
}

/* Survey against the dataset as it is now; p->shape is filled on the way. */
static int
survey_file(struct pg *pg, const struct dataset *d, const struct upload *u, struct input *input, struct survey *survey,
    struct preview *p, struct err *e)
{
	int *columns;
	int result = -1;

	if (survey_open(survey, u->reading, read_input, input, e) != 0)
		return -1;
	columns = buf_calloc(survey->field_count, sizeof *columns);
	if (fit_columns(pg, d, u, survey, columns, p, e) != 0 || run_survey(survey, columns, p, e) != 0 ||
	    decide_types(survey, columns, &p->shape, e) != 0)
		goto done;
	if (p->is_new)
		survey_doubt(survey, u->path);
	p->unique_keys = fit_unique_keys(survey);
	result = 0;

done:
	free(columns);
	return result;
}

int
preview_file(const struct site *site, const struct upload *u, struct preview *p, struct err *e)
{
	struct survey survey = {0};
	struct dataset dataset = {0};
	struct input_digest digest;
	struct pg *pg = site_connect(site, e);
	struct input *input = NULL;
	int found, result = -1;

	*p = (struct preview){0};
	if (pg == NULL)
		return -1;
	found = dataset_find(pg, u->dataset, &dataset, e);
	if (found < 0 || (found == 1 && intake_check_key(pg, &dataset, u->key, u->key_count, e) != 0))
		goto done;
	if (found == 0 && u->existing) {
		err_set(e, ERR_NOINPUT, "there is no dataset %s", u->dataset);
		goto done;
	}
	if (found == 0 && dataset_check_name(u->dataset, e) != 0)
		goto done;
	p->is_new = found == 0 || dataset.state == DATASET_NEW;
	input = input_open(u->path, u->reading->encoding, e);
	if (input == NULL || survey_file(pg, &dataset, u, input, &survey, p, e) != 0 ||
	    input_finish(input, &digest, e) != 0) {
		err_prefix(e, "%s", u->path);
		goto done;
	}
	p->records = survey.records;
	p->blank_lines = survey.blank_lines;
	p->bytes = digest.decoded;
	result = 0;

done:
	survey_fini(&survey);
	input_close(input);
	dataset_fini(&dataset);
	site_release(site, pg);
	if (result != 0)
		preview_fini(p);
	return result;
}

void
preview_fini(struct preview *p)
{
	shape_fini(&p->shape);
	reject_fini(&p->rejects);
}
