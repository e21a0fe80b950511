#include "flow/finalise.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "db/pg.h"
#include "ledger/chunk.h"
#include "ledger/dataset.h"
#include "ledger/job.h"
#include "schema/shape.h"
#include "table/create.h"
#include "table/target.h"

/* Are chunks of the building job still to come? 1, 0, -1. */
static int
still_filling(struct pg *pg, int64_t builder, struct err *e)
{
	struct pg_rows *rows;
	char id[24];
	int pending;

	snprintf(id, sizeof id, "%" PRId64, builder);
	if (PG_QUERY(pg, &rows, e,
		"SELECT EXISTS (SELECT FROM csvp.chunk c JOIN csvp.job j ON j.id = c.job"
		" WHERE c.job = $1 AND c.state = 'pending' AND NOT j.cancelled AND NOT " JOB_GIVEN_UP ")",
		id) != 0)
		return -1;
	pending = pg_rows_bool(rows, 0, 0);
	pg_rows_free(rows);
	return pending;
}

/* In a transaction that holds the table's exclusive lock. */
static int
build(struct pg *pg, struct dataset *d, const struct job *builder, struct err *e)
{
	struct shape shape;
	struct target target;
	int result;

	if (dataset_shape(pg, d, &shape, e) != 0)
		return -1;
	target = (struct target){d->id, d->generation, d->table_schema, d->table_name, &shape};
	result = create_key(pg, &target, builder->unique_keys || shape.key_count == 0, e);
	if (result == 0)
		result = chunk_supersede(pg, builder->id, e);
	if (result == 0)
		result = dataset_set_ready(pg, d->id, e);
	shape_fini(&shape);
	return result;
}

int
finalise_dataset(struct pg *pg, int64_t id, bool now, struct err *e)
{
	struct dataset d = {0};
	struct job builder = {0};
	struct target target;
	int filling, result = -1;

	if (dataset_load(pg, id, &d, e) != 0)
		return -1;
	if (d.state != DATASET_BUILDING) {
		result = d.state == DATASET_READY;
		goto done;
	}
	filling = now ? 0 : still_filling(pg, d.builder, e);
	if (filling != 0) {
		result = filling < 0 ? -1 : 0;
		goto done;
	}
	target = (struct target){.schema = d.table_schema, .name = d.table_name};
	if (job_load(pg, d.builder, &builder, e) != 0 || pg_begin(pg, e) != 0 ||
	    target_lock(pg, &target, "ACCESS EXCLUSIVE", e) != 0 || dataset_lock(pg, &d, e) != 0)
		goto done;
	if (d.state == DATASET_BUILDING) {
		log_detail("dataset %s: building its key", d.name);
		if (build(pg, &d, &builder, e) != 0 || pg_commit(pg, e) != 0)
			goto done;
	}
	result = 1;

done:
	pg_rollback(pg);
	job_fini(&builder);
	dataset_fini(&d);
	return result;
}

int
finalise_of_job(struct pg *pg, int64_t id, struct err *e)
{
	struct job job;
	int result;

	if (job_load(pg, id, &job, e) != 0)
		return -1;
	result = finalise_dataset(pg, job.dataset, false, e);
	job_fini(&job);
	return result;
}

int
finalise_cancelled(struct pg *pg, struct err *e)
{
	struct pg_rows *rows;
	int result = 0;

	if (pg_query(pg, &rows, e,
		"SELECT d.id FROM csvp.dataset d JOIN csvp.job j ON j.id = d.builder"
		" WHERE d.state = 'building' AND j.cancelled",
		0, NULL) != 0)
		return -1;
	for (size_t i = 0; result == 0 && i < pg_rows_count(rows); i++)
		result = finalise_dataset(pg, pg_rows_int(rows, i, 0), false, e) < 0 ? -1 : 0;
	pg_rows_free(rows);
	return result;
}
