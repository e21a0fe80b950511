#include "ledger/intake.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "ledger/dataset.h"
#include "ledger/job.h"
#include "ledger/ledger.h"
#include "ledger/request.h"

/* The headers of a key as an SQL array literal, for a parameter. */
static void
key_array(struct buf *out, const char *const *key, size_t count)
{
	buf_byte(out, '{');
	for (size_t i = 0; i < count; i++) {
		buf_string(out, i > 0 ? ",\"" : "\"");
		for (const char *p = key[i]; *p != '\0'; p++) {
			if (*p == '"' || *p == '\\')
				buf_byte(out, '\\');
			buf_byte(out, *p);
		}
		buf_byte(out, '"');
	}
	buf_byte(out, '}');
}

/*
 * `fix`: write the key of a dataset that no live job has used yet. A key may
 * be given by header or by column name, in any order.
 */
static int
check_key(struct pg *pg, const struct dataset *d, const char *const *key, size_t count, bool fix, struct err *e)
{
	struct pg_rows *rows = NULL;
	struct buf given = {0};
	char id[24];
	int result = -1;

	snprintf(id, sizeof id, "%" PRId64, d->id);
	key_array(&given, key, count);
	if (PG_QUERY(pg, &rows, e,
		"SELECT d.state <> 'new' OR EXISTS (SELECT FROM csvp.job WHERE dataset = d.id AND seq IS NOT NULL"
		"       AND error IS NULL AND NOT cancelled),"
		"  (SELECT coalesce(array_agg(coalesce(c.header, k) ORDER BY coalesce(c.header, k)), '{}') FROM "
		"unnest($2::text[]) k"
		"     LEFT JOIN csvp.dataset_column c ON c.dataset = d.id AND k IN (c.header, c.name))"
		"  = (SELECT coalesce(array_agg(coalesce(c.header, k) ORDER BY coalesce(c.header, k)), '{}') FROM "
		"unnest(d.key) k"
		"     LEFT JOIN csvp.dataset_column c ON c.dataset = d.id AND k IN (c.header, c.name)),"
		"  coalesce(array_to_string(d.key, ', '), '') FROM csvp.dataset d WHERE d.id = $1",
		id, given.bytes) != 0)
		goto done;
	if (pg_rows_count(rows) != 1) {
		err_set(e, ERR_AGAIN, "dataset %s was dropped at this moment", d->name);
		goto done;
	}
	if (!pg_rows_bool(rows, 0, 0)) {
		result = fix ? PG_QUERY(pg, NULL, e,
				   "UPDATE csvp.dataset SET key = $2::text[], generation = generation + (key <> "
				   "$2::text[])::int WHERE id = $1",
				   id, given.bytes)
			     : 0;
	} else if (count > 0 && !pg_rows_bool(rows, 0, 1)) {
		const char *old = pg_rows_text(rows, 0, 2);
		struct buf names = {0};

		for (size_t i = 0; i < count; i++)
			buf_printf(&names, "%s%s", i > 0 ? ", " : "", key[i]);
		if (old[0] != '\0')
			err_set(e, ERR_DATA,
			    "the key of dataset %s is %s, not %s; hint: leave out -k, or -d OTHER-NAME", d->name, old,
			    names.bytes);
		else
			err_set(e, ERR_DATA,
			    "dataset %s has no key (its records are appended), so -k %s cannot be; hint: -d OTHER-NAME",
			    d->name, names.bytes);
		buf_fini(&names);
	} else {
		result = 0;
	}

done:
	pg_rows_free(rows);
	buf_fini(&given);
	return result;
}

int
intake_check_key(struct pg *pg, const struct dataset *d, const char *const *key, size_t count, struct err *e)
{
	return check_key(pg, d, key, count, false, e);
}

/*
 * The newest job of the same bytes, read the same way: what does it say?
 * Returns 1 when it stands for the upload (out filled), 0 for a new job.
 */
static int
same_bytes(struct pg *pg, const struct dataset *d, const struct intake *in, const char *sha, struct intake_result *out,
    struct err *e)
{
	struct pg_rows *rows;
	struct job_verdict v;
	char dataset[24], job[24], list[48];
	bool later, edited, keyed, removed, rejected;

	snprintf(dataset, sizeof dataset, "%" PRId64, d->id);
	snprintf(job, sizeof job, "%" PRId64, in->job);
	/* Later: one that has changed the table or may do so, or that came after edits (those since are in the sequence). */
	if (PG_QUERY(pg, &rows, e,
		"SELECT j.id, EXISTS (SELECT FROM csvp.job l WHERE l.dataset = j.dataset AND l.seq > j.seq"
		"   AND (NOT l.cancelled AND l.error IS NULL OR l.after_edits"
		"     OR EXISTS (SELECT FROM csvp.chunk WHERE job = l.id AND state IN ('loaded', 'indexed')))),"
		"  coalesce(pg_sequence_last_value(format('csvp.version_%s', d.id)::regclass), 0)"
		"    > ((d.seq << 39) | (1::bigint << 38)),"
		"  d.key <> '{}', j.removed_at IS NOT NULL"
		"  FROM csvp.job j JOIN csvp.dataset d ON d.id = j.dataset"
		" WHERE j.sha256 = $1::bytea AND j.dataset = $2 AND j.seq IS NOT NULL AND NOT j.cancelled"
		/* One that could not be split has done nothing, and cannot go on without its object. */
		"   AND (j.removed_at IS NULL OR j.error IS NULL)"
		"   AND j.options = (SELECT options FROM csvp.job WHERE id = $3) ORDER BY j.seq DESC LIMIT 1",
		sha, dataset, job) != 0)
		return -1;
	if (pg_rows_count(rows) == 0) {
		pg_rows_free(rows);
		return 0;
	}
	out->job = pg_rows_int(rows, 0, 0);
	later = pg_rows_bool(rows, 0, 1);
	edited = pg_rows_bool(rows, 0, 2);
	keyed = pg_rows_bool(rows, 0, 3);
	removed = pg_rows_bool(rows, 0, 4);
	pg_rows_free(rows);
	if (in->max_rejects != NULL && job_set_limit(pg, out->job, in->max_rejects, e) != 0)
		return -1;
	if (job_verdict(pg, out->job, &v, e) != 0)
		return -1;

	out->reused = true;
	if (strcmp(v.state, "paused") == 0)
		return err_set(e, ERR_AGAIN,
		    "job %" PRId64 " has these bytes and is paused; hint: csvp-admin resume %" PRId64, out->job,
		    out->job);
	/* Failed by its rejects, and by nothing else: all that is good in it is loaded and indexed. */
	rejected =
	    strcmp(v.state, "failed") == 0 && v.open_rejects > 0 && v.pending + v.held + v.failed + v.to_index == 0;
	if (strcmp(v.state, "done") != 0 && !rejected) {
		out->failed = strcmp(v.state, "failed") == 0;
		snprintf(out->notice, sizeof out->notice, "job %" PRId64 " has these bytes and is %s: continued%s",
		    out->job, v.state, later ? "; later jobs keep precedence over it (--force makes a new job)" : "");
		return 1;
	}
	out->finished = true;
	if (rejected) {
		snprintf(list, sizeof list, "csvp-status --rejects %" PRId64, out->job);
		err_set(e, ERR_DATA,
		    "job %" PRId64 " has these bytes and failed by its rejects (%" PRId64 ")%s; hint: %s", out->job,
		    v.open_rejects, removed ? ", which gc has removed" : "",
		    removed ? "--force loads them again" : list);
		return -1;
	}
	if (!later && !edited) {
		snprintf(out->notice, sizeof out->notice,
		    "job %" PRId64 " has these bytes and is done: nothing to do (--force loads them again)", out->job);
		return 1;
	}
	out->reused = out->finished = false;
	if (!keyed)
		return err_set(e, ERR_DATA,
		    "job %" PRId64
		    " appended these bytes to %s, which has changed since; hint: --force appends them once more",
		    out->job, d->name);
	return 0;
}

static int
give_seq(struct pg *pg, const struct dataset *d, const struct intake *in, const char *sha, struct err *e)
{
	struct pg_rows *rows;
	char dataset[24];
	int64_t seq;
	bool after_edits;

	snprintf(dataset, sizeof dataset, "%" PRId64, d->id);
	/*
	 * An upload that failed in its commit has raised the sequence (setval is not transactional), and edits may have
	 * taken versions behind that seq: the number is passed over, or those edits would beat this later job.
	 */
	if (PG_QUERY(pg, &rows, e,
		"WITH s AS (SELECT id, seq, coalesce(pg_sequence_last_value(format('csvp.version_%s', id)::regclass), "
		"0)"
		"   AS last FROM csvp.dataset WHERE id = $1)"
		" UPDATE csvp.dataset d SET seq = greatest(s.seq, s.last >> 39) + 1 FROM s WHERE d.id = s.id"
		" RETURNING d.seq, s.last > ((s.seq << 39) | (1::bigint << 38))",
		dataset) != 0)
		return -1;
	seq = pg_rows_count(rows) == 1 ? pg_rows_int(rows, 0, 0) : 0;
	after_edits = seq > 0 && pg_rows_bool(rows, 0, 1);
	pg_rows_free(rows);
	if (seq == 0)
		return err_set(e, ERR_AGAIN, "dataset %s was dropped at this moment", d->name);
	if (seq > LEDGER_MAX_SEQ)
		return err_set(
		    e, ERR_DATA, "dataset %s has had %" PRId64 " jobs, the most there can be", d->name, LEDGER_MAX_SEQ);
	/* Always raised: edits count up in steps of one, and a whole seq is 2^39 of them. */
	return pg_execf(pg, e,
	    "SELECT setval('csvp.version_%" PRId64 "', %" PRId64
	    ");UPDATE csvp.job SET state = 'stored', seq = %" PRId64
	    ", after_edits = %s, sha256 = '%s', bytes = %" PRIu64 ", object_bytes = %" PRIu64 " WHERE id = %" PRId64,
	    d->id, ledger_version(seq, (uint64_t)LEDGER_EDIT_BIT), seq, after_edits ? "true" : "false", sha, in->bytes,
	    in->object_bytes, in->job);
}

int
intake_store(struct pg *pg, const struct dataset *d, const struct intake *in, struct intake_result *out, struct err *e)
{
	char lock[80], sha[2 + 64 + 1] = "\\x";
	int64_t known;
	int dropped, same = 0;

	*out = (struct intake_result){.job = in->job};
	if (in->object_bytes > LEDGER_MAX_OBJECT)
		return err_set(e, ERR_DATA,
		    "%" PRIu64 " bytes are more than the 256 GiB an object may have; hint: cut the file in parts",
		    in->object_bytes);
	for (size_t i = 0; i < 32; i++)
		snprintf(sha + 2 + 2 * i, 3, "%02x", in->sha256[i]);
	if (pg_begin(pg, e) != 0)
		return -1;
	snprintf(lock, sizeof lock, "SELECT FROM csvp.dataset WHERE id = %" PRId64 " FOR NO KEY UPDATE", d->id);
	if (pg_exec_waiting(pg, lock, e) != 0)
		goto fail;
	dropped = dataset_dropped(pg, d, e);
	if (dropped > 0)
		err_set(e, ERR_AGAIN, "the table of dataset %s was dropped at this moment", d->name);
	if (dropped != 0)
		goto fail;
	if (check_key(pg, d, in->key, in->key_count, true, e) != 0)
		goto fail;
	if (in->request != NULL)
		same = request_find(pg, d->id, in->request, in->job, sha, &known, e);
	if (same == 1) {
		out->job = known;
		out->reused = true;
		goto commit;
	}
	if (same == 0 && !in->force)
		same = same_bytes(pg, d, in, sha, out, e);
	if (same < 0) {
		/* A verdict asked for by a new --max-rejects is kept, whatever it now says. */
		if (out->reused && out->finished) {
			struct err ignored;

			if (pg_commit(pg, &ignored) == 0)
				return -1;
		}
		goto fail;
	}
	if (same == 0) {
		out->job = in->job;
		if (give_seq(pg, d, in, sha, e) != 0)
			goto fail;
	}
	if (in->request != NULL && request_keep(pg, d->id, in->request, out->job, e) != 0)
		goto fail;
commit:
	if (pg_commit(pg, e) == 0)
		return 0;
	out->reused = out->finished = out->failed = false;

fail:
	pg_rollback(pg);
	return -1;
}
