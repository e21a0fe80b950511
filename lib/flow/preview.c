#include "flow/preview.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "db/pg.h"
#include "flow/fit.h"
#include "flow/site.h"
#include "flow/survey.h"
#include "flow/upload.h"
#include "io/input.h"
#include "ledger/dataset.h"
#include "ledger/intake.h"
#include "table/reading.h"

/* The file itself as a survey's source, opened again to read it from its start. */
struct source {
	const struct upload *upload;
	struct input *input;
};

static int
rewind_input(void *ctx, struct err *e)
{
	struct source *source = ctx;

	input_close(source->input);
	source->input = input_open(source->upload->path, source->upload->reading->encoding, e);
	return source->input != NULL ? 0 : -1;
}

static ssize_t
read_input(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct source *source = ctx;

	return sig_check(e) != 0 ? -1 : input_read(source->input, bytes, capacity, e);
}

/* Survey against the dataset as it is now; p->shape is filled on the way. */
static int
survey_file(struct pg *pg, const struct dataset *d, struct survey *survey, struct source *source, struct preview *p,
    struct err *e)
{
	const struct upload *u = source->upload;
	int *columns;
	int result = -1;

	if (rewind_input(source, e) != 0 || survey_open(survey, u->reading, read_input, rewind_input, source, e) != 0)
		return -1;
	columns = buf_calloc(survey->field_count, sizeof *columns);
	if (p->is_new ? fit_new(survey, u->key, u->key_count, e) != 0
		      : dataset_shape(pg, d, &p->shape, e) != 0 || fit_existing(survey, &p->shape, columns, e) != 0)
		goto done;
	if (survey_run(survey, UINT64_MAX, NULL, e) != 0)
		goto done;
	if (p->is_new && fit_shape(survey, &p->shape, columns, e) != 0)
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
	struct source source = {.upload = u};
	struct survey survey = {0};
	struct dataset dataset = {0};
	struct input_digest digest;
	struct pg *pg = site_connect(site, e);
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
	p->is_new = found == 0 || dataset.state == DATASET_NEW;
	if (survey_file(pg, &dataset, &survey, &source, p, e) != 0 || input_finish(source.input, &digest, e) != 0) {
		err_prefix(e, "%s", u->path);
		goto done;
	}
	p->records = survey.records;
	p->blank_lines = survey.blank_lines;
	p->bytes = digest.decoded;
	result = 0;

done:
	survey_fini(&survey);
	input_close(source.input);
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
}
