#include "flow/split.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/sig.h"
#include "cli/progress.h"
#include "db/pg.h"
#include "flow/fit.h"
#include "flow/object.h"
#include "flow/survey.h"
#include "ledger/chunk.h"
#include "ledger/dataset.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
#include "schema/shape.h"
#include "table/create.h"
#include "table/reading.h"
#include "table/target.h"

/* A split under way. */
struct split {
	struct pg *pg;
	struct job job;
	struct dataset dataset;
	struct reading reading;
	struct survey survey;
	struct shape shape; /* of the dataset; of a new one after the survey */
	int *columns;
	bool is_new;
};

static struct target
target_of(const struct split *s)
{
	return (struct target){
	    .dataset = s->dataset.id,
	    .generation = s->dataset.generation,
	    .schema = s->dataset.table_schema,
	    .name = s->dataset.table_name,
	    .shape = &s->shape,
	};
}

static int
fit_key(struct split *s, struct err *e)
{
	struct pg_rows *rows;
	const char **key;
	char id[24];
	size_t count;
	int result;

	snprintf(id, sizeof id, "%" PRId64, s->dataset.id);
	if (PG_QUERY(s->pg, &rows, e, "SELECT unnest(key) FROM csvp.dataset WHERE id = $1", id) != 0)
		return -1;
	count = pg_rows_count(rows);
	key = buf_calloc(count, sizeof *key);
	for (size_t i = 0; i < count; i++)
		key[i] = pg_rows_text(rows, i, 0);
	result = fit_new(&s->survey, key, count, e);
	free(key);
	pg_rows_free(rows);
	return result;
}

/* How often a survey looks whether its job is still wanted, in milliseconds: it asks the database nothing else. */
#define LOOK_MS 250

/* The object of a job that may be cancelled or paused meanwhile. */
struct wanted_object {
	struct object_source source;
	const struct split *split;
	int64_t looked; /* when */
};

/* A job that was paused before is split because a later one needs its columns. */
static int
check_wanted(const struct split *s, struct err *e)
{
	return s->job.paused ? 0 : job_check_wanted(s->pg, s->job.id, e);
}

static ssize_t
wanted_read(void *ctx, void *bytes, size_t capacity, struct err *e)
{
	struct wanted_object *w = ctx;
	int64_t now = clk_now(clk_system());

	if (now - w->looked >= LOOK_MS) {
		if (check_wanted(w->split, e) != 0)
			return -1;
		w->looked = now;
	}
	return object_read(&w->source, bytes, capacity, e);
}

/* Read the whole object: its columns, chunks, types and keys. */
static int
survey_object(struct split *s, struct store *store, uint64_t chunk_bytes, struct progress *progress, struct err *e)
{
	struct wanted_object object = {
	    .source = {.store = store, .key = s->job.object, .length = s->job.object_bytes},
	    .split = s,
	    .looked = clk_now(clk_system()),
	};
	int result = -1;

	if (object_open(&object.source, e) != 0)
		goto done;
	if (survey_open(&s->survey, &s->reading, wanted_read, &object, e) != 0)
		goto done;
	s->columns = buf_calloc(s->survey.field_count, sizeof *s->columns);
	s->is_new = s->dataset.state == DATASET_NEW;
	if (s->is_new ? fit_key(s, e) != 0
		      : dataset_shape(s->pg, &s->dataset, &s->shape, e) != 0 ||
			    fit_existing(&s->survey, &s->shape, s->columns, e) != 0)
		goto done;
	if (survey_run(&s->survey, chunk_bytes, NULL, NULL, progress, e) != 0)
		goto done;
	if (s->survey.chunk_count > (size_t)LEDGER_MAX_CHUNKS) {
		err_set(e, ERR_USAGE, "%zu chunks are more than %" PRId64 "; hint: a higher --chunk-bytes",
		    s->survey.chunk_count, LEDGER_MAX_CHUNKS);
		goto done;
	}
	if (s->is_new && fit_shape(&s->survey, &s->shape, s->columns, e) != 0)
		goto done;
	s->survey.unique_keys = fit_unique_keys(&s->survey);
	result = 0;

done:
	object_close(&object.source);
	return result;
}

/* A field that fills no column yet gets one. */
static int
add_column(struct split *s, size_t field, struct err *e)
{
	const struct column *column;
	struct target target;
	size_t last;

	if (fit_add(&s->survey, field, &s->shape, s->columns, e) != 0)
		return -1;
	last = s->shape.count - 1;
	column = &s->shape.columns[last];
	target = target_of(s);
	if (create_column(s->pg, &target, last, e) != 0)
		return -1;
	return dataset_add_column(s->pg, s->dataset.id, last, column->header, column->name, column->undecided, e);
}

/* A column of which this file has the first values takes their type. */
static int
decide_column(struct split *s, size_t field, struct err *e)
{
	struct column *column = &s->shape.columns[s->columns[field]];
	struct target target = target_of(s);
	bool undecided;
	int type = fit_type(&s->survey, field, &undecided, e);

	if (type < 0)
		return -1;
	if (undecided)
		return 0;
	column->type = (enum type_id)type;
	if (create_type(s->pg, &target, (size_t)s->columns[field], e) < 0)
		return -1;
	return dataset_decide(s->pg, s->dataset.id, (size_t)s->columns[field], e);
}

static int
change_columns(struct split *s, struct err *e)
{
	for (size_t i = 0; i < s->survey.field_count; i++) {
		if (s->columns[i] < 0) {
			if (add_column(s, i, e) != 0)
				return -1;
		} else if (s->shape.columns[s->columns[i]].undecided && decide_column(s, i, e) != 0) {
			return -1;
		}
	}
	return 0;
}

/* Does the file bring a new column, or the first values of one? */
static bool
changes_columns(const struct split *s)
{
	for (size_t i = 0; !s->is_new && i < s->survey.field_count; i++) {
		const struct survey_field *field = &s->survey.fields[i];

		if (s->columns[i] < 0 ||
		    (s->shape.columns[s->columns[i]].undecided && (field->has_value || !field->infer)))
			return true;
	}
	return false;
}

/* Columns, table, chunks and the state `split`, all or nothing. 1: the dataset has changed meanwhile, survey again. */
static int
record_split(struct split *s, struct err *e)
{
	struct target target = target_of(s);
	int64_t generation = s->dataset.generation;
	enum dataset_state state = s->dataset.state;

	/* The table before the dataset's row, as who builds its key does. */
	if (pg_begin(s->pg, e) != 0 ||
	    (changes_columns(s) && target_lock(s->pg, &target, "ACCESS EXCLUSIVE", e) != 0) ||
	    dataset_lock(s->pg, &s->dataset, e) != 0)
		goto fail;
	if (s->dataset.generation != generation || (state == DATASET_NEW) != (s->dataset.state == DATASET_NEW)) {
		pg_rollback(s->pg);
		return 1;
	}
	if (s->is_new) {
		target = target_of(s);
		if (create_table(s->pg, &target, e) != 0 ||
		    dataset_define(s->pg, s->dataset.id, &s->shape, s->job.id, e) != 0)
			goto fail;
	} else if (change_columns(s, e) != 0) {
		goto fail;
	}
	for (size_t i = 0; i < s->survey.chunk_count; i++)
		s->survey.chunks[i].job = s->job.id;
	if (chunk_add(s->pg, s->survey.chunks, s->survey.chunk_count, e) != 0 ||
	    job_set_split(s->pg, s->job.id, s->columns, s->survey.field_count, s->survey.unique_keys, s->survey.records,
		s->survey.blank_lines, e) != 0 ||
	    job_set_started(s->pg, s->job.id, e) != 0 || check_wanted(s, e) != 0 || pg_commit(s->pg, e) != 0)
		goto fail;
	return 0;

fail:
	pg_rollback(s->pg);
	return -1;
}

static void
forget_survey(struct split *s)
{
	survey_fini(&s->survey);
	shape_fini(&s->shape);
	dataset_fini(&s->dataset);
	free(s->columns);
	s->columns = NULL;
}

/* Split one job whose lock is held. */
static int
split_locked(
    struct pg *pg, struct store *store, int64_t id, uint64_t chunk_bytes, struct progress *progress, struct err *e)
{
	struct split s = {.pg = pg};
	struct err ignored;
	int result = -1;

	if (job_load(pg, id, &s.job, e) != 0)
		return -1;
	if (s.job.state != JOB_STORED) {
		result = 0;
		goto done;
	}
	if (reading_from_json(&s.reading, s.job.options, e) != 0)
		goto done;
	if (progress != NULL)
		progress_total(progress, s.job.object_bytes);
	do {
		forget_survey(&s);
		if (dataset_load(pg, s.job.dataset, &s.dataset, e) != 0 ||
		    survey_object(&s, store, chunk_bytes, progress, e) != 0) {
			result = -1;
			break;
		}
		if (s.is_new)
			survey_doubt(&s.survey, s.job.file);
		result = record_split(&s, e);
		/* A person's transaction may lock table and dataset in another order. */
		if (result < 0 && strcmp(pg_sqlstate(pg), "40P01") == 0)
			result = 1;
	} while (result == 1);
	/* Stopped: whatever its reading or its statement has ended with, the job says why, and is no bad file. */
	if (result != 0 && !pg_lost(pg) && !sig_pending() && check_wanted(&s, &ignored) != 0) {
		*e = ignored;
	} else if (result != 0 && e->code == ERR_DATA) {
		err_prefix(e, "%s", s.job.file);
		if (!pg_lost(pg) && job_set_error(pg, id, e, &ignored) != 0)
			log_error("job %" PRId64 ": %s", id, ignored.message);
	}

done:
	forget_survey(&s);
	reading_fini(&s.reading);
	job_fini(&s.job);
	return result;
}

/* 0 go on, -1; a job that cannot be split now says why. */
static int
check_splittable(const struct job *job, struct err *e)
{
	if (job_check_kept(job, e) != 0)
		return -1;
	if (job->cancelled)
		return err_set(e, ERR_DATA, "job %" PRId64 " is cancelled", job->id);
	if (job->paused)
		return err_set(
		    e, ERR_AGAIN, "job %" PRId64 " is paused; hint: csvp-admin resume %" PRId64, job->id, job->id);
	if (job->state == JOB_UPLOADING)
		return err_set(e, ERR_AGAIN, "job %" PRId64 " is still being uploaded", job->id);
	return 0;
}

int
split_job(
    struct pg *pg, struct store *store, int64_t id, uint64_t chunk_bytes, struct progress *progress, struct err *e)
{
	struct job job;
	int64_t next, key;
	bool last = false;
	int result = 0;

	if (job_load(pg, id, &job, e) != 0)
		return -1;
	while (result == 0 && !last && job.state != JOB_SPLIT) {
		result = check_splittable(&job, e);
		next = result == 0 ? job_lowest_unsplit(pg, job.dataset, e) : -1;
		if (next < 0) {
			result = -1;
			break;
		}
		/* Later jobs are none of ours; a failed one that a person names is tried again when nothing lower is left. */
		if (next != 0 && next != id) {
			struct job lower;

			if (job_load(pg, next, &lower, e) != 0) {
				result = -1;
				break;
			}
			if (lower.seq > job.seq)
				next = id;
			job_fini(&lower);
		}
		if (next == 0)
			next = id;
		last = next == id;
		key = ledger_lock_key(LEDGER_LOCK_SPLIT, next, 0);
		result = pg_lock(pg, key, e);
		if (result != 0)
			break;
		result = split_locked(pg, store, next, chunk_bytes, progress, e);
		pg_unlock(pg, key);
		if (result != 0 && !last && e->code == ERR_DATA) {
			log_notice("job %" PRId64 " cannot be split: %s", next, e->message);
			result = 0;
		} else if (result != 0 && !last) {
			err_prefix(e, "job %" PRId64 " of the same dataset comes first", next);
		}
	}
	job_fini(&job);
	return result;
}
