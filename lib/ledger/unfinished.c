#include "ledger/unfinished.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "io/digest.h"
#include "store/store.h"

enum { NUMBER = 32 }; /* a number's text, also of nanoseconds */

/* A file's identity as parameters. */
struct identity {
	char device[NUMBER], inode[NUMBER], size[NUMBER], modified[NUMBER];
};

static struct identity
identify(const struct stat *file)
{
	struct identity id;

	snprintf(id.device, NUMBER, "%ju", (uintmax_t)file->st_dev);
	snprintf(id.inode, NUMBER, "%ju", (uintmax_t)file->st_ino);
	snprintf(id.size, NUMBER, "%jd", (intmax_t)file->st_size);
	snprintf(id.modified, NUMBER, "%jd%09ld", (intmax_t)file->st_mtim.tv_sec, file->st_mtim.tv_nsec);
	return id;
}

int64_t
unfinished_find(struct pg *pg, const struct unfinished_command *command, const struct stat *file, struct err *e)
{
	struct identity id = identify(file);
	struct pg_rows *rows;
	char dataset[NUMBER];
	int64_t job;

	snprintf(dataset, NUMBER, "%" PRId64, command->dataset);
	if (PG_QUERY(pg, &rows, e,
		"SELECT j.id FROM csvp.upload u JOIN csvp.job j ON j.id = u.job"
		" WHERE j.state = 'uploading' AND u.device = $1::numeric AND u.inode = $2::numeric AND u.size = "
		"$3::bigint"
		"   AND u.modified = $4::numeric AND j.dataset = $5::bigint AND j.options = $6::jsonb"
		"   AND j.max_rejects = $7 AND j.fail_fast = $8::boolean ORDER BY j.id DESC LIMIT 1",
		id.device, id.inode, id.size, id.modified, dataset, command->options, command->max_rejects,
		command->fail_fast ? "t" : "f") != 0)
		return -1;
	job = pg_rows_count(rows) == 1 ? pg_rows_int(rows, 0, 0) : 0;
	pg_rows_free(rows);
	return job;
}

/* One row: length, sha256 in hex, etag. */
static void
read_part(const struct pg_rows *rows, size_t row, struct store_part *part)
{
	const char *hex = pg_rows_text(rows, row, 1);

	*part = (struct store_part){.length = (uint64_t)pg_rows_int(rows, row, 0)};
	for (size_t i = 0; i < sizeof part->sha256 && hex[2 * i] != '\0' && hex[2 * i + 1] != '\0'; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		part->sha256[i] = (unsigned char)strtoul(two, NULL, 16);
	}
	snprintf(part->etag, sizeof part->etag, "%s", pg_rows_text(rows, row, 2));
}

int
unfinished_load(struct pg *pg, int64_t job, struct unfinished *u, struct err *e)
{
	struct pg_rows *rows;
	char id[NUMBER];
	bool found;

	*u = (struct unfinished){.job = job};
	snprintf(id, NUMBER, "%" PRId64, job);
	if (PG_QUERY(pg, &rows, e,
		"SELECT j.object, u.upload FROM csvp.upload u JOIN csvp.job j ON j.id = u.job"
		" WHERE j.id = $1 AND j.state = 'uploading'",
		id) != 0)
		return -1;
	found = pg_rows_count(rows) == 1;
	if (found) {
		u->object = buf_strdup(pg_rows_text(rows, 0, 0));
		u->upload = buf_strdup(pg_rows_text(rows, 0, 1));
	}
	pg_rows_free(rows);
	if (!found)
		return 0;
	if (PG_QUERY(pg, &rows, e,
		"SELECT length, encode(sha256, 'hex'), etag FROM csvp.upload_part WHERE job = $1 ORDER BY number",
		id) != 0)
		return -1;
	u->count = pg_rows_count(rows);
	u->parts = buf_calloc(u->count + 1, sizeof *u->parts);
	for (size_t i = 0; i < u->count; i++)
		read_part(rows, i, &u->parts[i]);
	pg_rows_free(rows);
	return 1;
}

void
unfinished_fini(struct unfinished *u)
{
	free(u->object);
	free(u->upload);
	free(u->parts);
	*u = (struct unfinished){0};
}

int
unfinished_recent(struct pg *pg, int64_t job, struct err *e)
{
	struct pg_rows *rows;
	char id[NUMBER];
	int recent;

	snprintf(id, NUMBER, "%" PRId64, job);
	if (PG_QUERY(pg, &rows, e,
		"SELECT FROM csvp.upload WHERE job = $1 AND begun_at > clock_timestamp() - interval '1 day'", id) != 0)
		return -1;
	recent = pg_rows_count(rows) > 0;
	pg_rows_free(rows);
	return recent;
}

int
unfinished_begin(struct pg *pg, int64_t job, const struct stat *file, const char *upload, struct err *e)
{
	struct identity is = identify(file);
	char id[NUMBER];

	snprintf(id, NUMBER, "%" PRId64, job);
	return PG_QUERY(pg, NULL, e,
	    "WITH void AS (DELETE FROM csvp.upload_part WHERE job = $1)"
	    " INSERT INTO csvp.upload (job, upload, device, inode, size, modified)"
	    " VALUES ($1, $2, $3::numeric, $4::numeric, $5::bigint, $6::numeric)"
	    " ON CONFLICT (job) DO UPDATE SET upload = excluded.upload, begun_at = excluded.begun_at",
	    id, upload, is.device, is.inode, is.size, is.modified);
}

int
unfinished_part(struct pg *pg, int64_t job, size_t number, const struct store_part *part, struct err *e)
{
	char id[NUMBER], position[NUMBER], length[NUMBER], hex[DIGEST_HEX];

	snprintf(id, NUMBER, "%" PRId64, job);
	snprintf(position, NUMBER, "%zu", number);
	snprintf(length, NUMBER, "%" PRIu64, part->length);
	digest_hex(part->sha256, hex);
	/* Nobody waits for the disk: a part that is lost with the server is sent again. */
	return PG_QUERY(pg, NULL, e,
	    "INSERT INTO csvp.upload_part (job, number, length, sha256, etag)"
	    " SELECT $1, $2::int, $3::bigint, decode($4, 'hex'), $5"
	    "   FROM set_config('synchronous_commit', 'off', true)"
	    " ON CONFLICT (job, number) DO UPDATE SET length = excluded.length, sha256 = excluded.sha256, etag = "
	    "excluded.etag",
	    id, position, length, hex, part->etag);
}

int
unfinished_forget(struct pg *pg, int64_t job, struct err *e)
{
	return pg_execf(pg, e, "DELETE FROM csvp.upload WHERE job = %" PRId64, job);
}
