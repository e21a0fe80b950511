#include "ledger/reject.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/pg.h"
#include "schema/type.h"

void
reject_add(struct reject_list *list, uint64_t byte, uint64_t line, uint64_t length, const char *header,
    const char *code, const char *reason)
{
	/* Doubling at powers of two: no capacity to keep. */
	if ((list->count & (list->count - 1)) == 0)
		list->rejects =
		    buf_realloc(list->rejects, list->count > 0 ? 2 * list->count : 1, sizeof *list->rejects);
	list->rejects[list->count++] = (struct reject){
	    .byte = byte,
	    .line = line,
	    .length = length,
	    .header = header != NULL ? buf_strdup(header) : NULL,
	    .code = code,
	    .reason = buf_strdup(reason),
	};
}

void
reject_fini(struct reject_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->rejects[i].header);
		free(list->rejects[i].reason);
	}
	list->count = 0;
	free(list->rejects);
	list->rejects = NULL;
}

static void
copy_text(struct buf *row, const char *text)
{
	if (text == NULL)
		buf_string(row, "\\N");
	else
		type_copy(TYPE_TEXT, row, text, strlen(text));
}

int
reject_write(struct pg *pg, int64_t job, int64_t chunk, const struct reject_list *list, struct err *e)
{
	struct buf rows = {0};
	int result;

	if (pg_execf(pg, e, "DELETE FROM csvp.reject WHERE job = %" PRId64 " AND chunk = %" PRId64, job, chunk) != 0)
		return -1;
	if (list->count == 0)
		return 0;
	if (pg_copy_begin(
		pg, "COPY csvp.reject (job, chunk, byte, line, length, header, code, reason) FROM STDIN", e) != 0)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		const struct reject *r = &list->rejects[i];

		buf_printf(&rows, "%" PRId64 "\t%" PRId64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t", job, chunk,
		    r->byte, r->line, r->length);
		copy_text(&rows, r->header);
		buf_printf(&rows, "\t%s\t", r->code);
		copy_text(&rows, r->reason);
		buf_byte(&rows, '\n');
	}
	result = pg_copy_put(pg, rows.bytes, rows.length, e);
	if (result == 0)
		result = pg_copy_end(pg, e);
	buf_fini(&rows);
	return result;
}

const char *
reject_doubt(const char *code, bool utf8)
{
	return utf8 && strcmp(code, "encoding") == 0 ? " (or is it --encoding LATIN1?)" : "";
}

void
reject_words(struct buf *words, const struct reject_summary *s)
{
	buf_printf(words, "%s: %" PRIu64 " of %" PRIu64 " records rejected, %s the limit of %s; ", s->file, s->rejected,
	    s->records, s->over ? "over" : "within", s->limit);
	if (s->reason == NULL) {
		buf_string(words, "csvp-admin gc has removed them");
		return;
	}
	buf_printf(words, "the first in line %" PRIu64 ", byte %" PRIu64, s->line, s->byte);
	if (s->header != NULL)
		buf_printf(words, ", column '%s'", s->header);
	buf_printf(words, ": %s", s->reason);
	buf_string(words, reject_doubt(s->code, s->utf8));
}

int
reject_explain(struct pg *pg, int64_t job, struct buf *words, struct err *e)
{
	struct pg_rows *rows;
	char id[24];
	int result = 0;

	snprintf(id, sizeof id, "%" PRId64, job);
	if (PG_QUERY(pg, &rows, e,
		"SELECT j.file, j.rejected - j.replayed, j.records, j.max_rejects, j.over_limit,"
		"  j.options->>'encoding' IS NULL, r.line, r.byte, r.header, r.code, r.reason"
		"  FROM csvp.job_status j LEFT JOIN LATERAL ("
		"    SELECT * FROM csvp.reject WHERE job = j.id AND NOT replayed ORDER BY byte LIMIT 1) r ON true"
		" WHERE j.id = $1 AND (r.byte IS NOT NULL OR j.removed_at IS NOT NULL)",
		id) != 0)
		return -1;
	if (pg_rows_count(rows) == 1)
		reject_words(words, &(struct reject_summary){
					.file = pg_rows_text(rows, 0, 0),
					.rejected = (uint64_t)pg_rows_int(rows, 0, 1),
					.records = (uint64_t)pg_rows_int(rows, 0, 2),
					.limit = pg_rows_text(rows, 0, 3),
					.over = pg_rows_bool(rows, 0, 4),
					.utf8 = pg_rows_bool(rows, 0, 5),
					.line = (uint64_t)pg_rows_int(rows, 0, 6),
					.byte = (uint64_t)pg_rows_int(rows, 0, 7),
					.header = pg_rows_text(rows, 0, 8),
					.code = pg_rows_text(rows, 0, 9),
					.reason = pg_rows_text(rows, 0, 10),
				    });
	else
		result = err_set(e, ERR_AGAIN, "the rejects of job %" PRId64 " were replayed at this moment", job);
	pg_rows_free(rows);
	return result;
}
