#ifndef CONTRACT_THINGS_H
#define CONTRACT_THINGS_H

#include "csv/dialect.h"
#include "csv/reader.h"
#include "csv/record.h"
#include "ledger/dataset.h"
#include "ledger/ledger.h"
#include "meanwhile.h"
#include "schema/shape.h"
#include "table/batch.h"
#include "table/create.h"
#include "table/encode.h"
#include "table/reading.h"
#include "table/target.h"

/*
 * The dataset `things` of a migrated database, made anew for each case: its
 * table, and records for it as a load encodes them.
 */
static struct pg *pg;     /* a worker's session */
static struct pg *person; /* psql's */
static struct err e;
static struct dataset things;
static struct shape shape;
static struct target target;
static struct batch batch;

static void
things_begin(void)
{
	bool created;

	sig_init();
	pg = session_open("");
	person = session_open("application_name=person");
	/* Nothing here is worth waiting for the disk. */
	OK(pg_exec(pg, "SET synchronous_commit = off", &e));
	OK(pg_exec(person, "SET synchronous_commit = off", &e));
	ck_assert_msg(ledger_migrate(pg, &e) >= 0, "%s", e.message);
	OK(ledger_worker(pg, &e));
	OK(pg_exec(pg,
	    "SET client_min_messages = warning;DROP TABLE IF EXISTS public.things CASCADE;DELETE FROM csvp.dataset;"
	    "DELETE FROM csvp.message",
	    &e));
	OK(dataset_ensure(pg, "things", "public", &things, &created, &e));
	ck_assert(created);
}

static void
things_end(void)
{
	batch_fini(&batch);
	shape_fini(&shape);
	dataset_fini(&things);
	pg_close(person);
	pg_close(pg);
}

/* What is in a query's rows: values apart by commas ('-' is NULL), rows by spaces. Freed by the caller. */
static inline char *
answer(const char *query)
{
	struct buf text = {0};
	struct pg_rows *rows;

	ck_assert_msg(pg_query(pg, &rows, &e, query, 0, NULL) == 0, "%s: %s", query, e.message);
	buf_string(&text, "");
	for (size_t row = 0; row < pg_rows_count(rows); row++)
		for (size_t column = 0; column < pg_rows_columns(rows); column++) {
			const char *value = pg_rows_text(rows, row, column);

			buf_printf(&text, "%s%s", column > 0 ? "," : row > 0 ? " " : "", value == NULL ? "-" : value);
		}
	pg_rows_free(rows);
	return buf_detach(&text);
}

/* The query's rows must be these. */
static inline void
expect(const char *query, const char *rows)
{
	char *text = answer(query);

	ck_assert_msg(strcmp(text, rows) == 0, "%s: '%s' instead of '%s'", query, text, rows);
	free(text);
}

static inline void
sql(struct pg *session, const char *statement)
{
	ck_assert_msg(pg_exec(session, statement, &e) == 0, "%s: %s", statement, e.message);
}

/* The columns of the table, `name type` apart by commas, the first `keys` of them its key. */
static inline void
things_shape(const char *columns, size_t keys)
{
	char *list = buf_strdup(columns), *rest = list, *column;

	shape_fini(&shape);
	while ((column = strsep(&rest, ",")) != NULL) {
		char *type = strchr(column, ' ');
		enum type_id t;

		*type++ = '\0';
		ck_assert(type_parse(type, &t));
		shape_add(&shape, column, column, t, false);
		if (shape.count <= keys)
			OK(shape_add_key(&shape, column, &e));
	}
	free(list);
	target = (struct target){things.id, things.generation, things.table_schema, things.table_name, &shape};
}

/* The table without its key, as the split of the first job makes it. */
static inline void
things_building(const char *columns, size_t keys)
{
	struct buf key = {0};

	things_shape(columns, keys);
	for (size_t i = 0; i < keys; i++)
		buf_printf(&key, "%s%s", i > 0 ? "," : "", shape.columns[i].header);
	OK(pg_begin(pg, &e));
	OK(pg_execf(pg, &e, "UPDATE csvp.dataset SET key = '{%s}'", keys > 0 ? key.bytes : ""));
	OK(create_table(pg, &target, &e));
	OK(dataset_define(pg, things.id, &shape, 0, &e));
	OK(pg_commit(pg, &e));
	buf_fini(&key);
	dataset_fini(&things);
	OK(dataset_load(pg, target.dataset, &things, &e));
	target = (struct target){things.id, things.generation, things.table_schema, things.table_name, &shape};
}

static inline void
things_build_key(bool unique)
{
	OK(pg_begin(pg, &e));
	OK(target_lock(pg, &target, "ACCESS EXCLUSIVE", &e));
	OK(create_key(pg, &target, unique, &e));
	OK(dataset_set_ready(pg, things.id, &e));
	OK(pg_commit(pg, &e));
}

/* The table with its key. */
static inline void
things_ready(const char *columns, size_t keys)
{
	things_building(columns, keys);
	things_build_key(true);
}

/* As the upload of job `seq` does: edits made from now on come after its records. */
static inline void
things_seq(int64_t seq)
{
	OK(pg_execf(pg, &e, "SELECT setval('csvp.version_%lld', %lld);UPDATE csvp.dataset SET seq = %lld",
	    (long long)things.id, (long long)ledger_version(seq, (uint64_t)LEDGER_EDIT_BIT), (long long)seq));
}

struct things_source {
	const char *at;
};

static inline ssize_t
things_read(void *ctx, void *bytes, size_t capacity, struct err *err)
{
	struct things_source *source = ctx;
	size_t length = strlen(source->at);

	(void)err;
	if (length > capacity)
		length = capacity;
	memcpy(bytes, source->at, length);
	source->at += length;
	return (ssize_t)length;
}

/* The records of a CSV text without header, as those of job `seq`, are the batch. */
static inline void
things_records(int64_t seq, const char *csv)
{
	struct things_source source = {csv};
	struct encode_fault fault;
	struct reading reading;
	struct encoder *encoder;
	struct reader *reader;
	struct record r;
	int columns[8], got;

	for (size_t i = 0; i < shape.count; i++)
		columns[i] = (int)i;
	reading_init(&reading);
	encoder = encode_new(&shape, columns, shape.count, &reading);
	reader = reader_new(&reading.dialect, 0, 1, things_read, &source);
	batch_reset(&batch);
	while ((got = reader_next(reader, &r, true, &e)) == 1) {
		size_t text = batch.texts.length, key = batch.keys.length;

		ck_assert_msg(
		    encode_record(encoder, &r, ledger_version(seq, r.offset), &batch.texts, &batch.keys, &fault) == 0,
		    "%s", fault.reason);
		ck_assert_int_eq(batch_add(&batch, r.offset, r.line, (uint32_t)r.length, text, key), 0);
	}
	ck_assert_int_eq(got, 0);
	reader_free(reader);
	encode_free(encoder);
	reading_fini(&reading);
}

#endif
