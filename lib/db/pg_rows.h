#ifndef DB_PG_ROWS_H
#define DB_PG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_rows;

/* The result of a statement: part of db/pg.h, which is what to include. Rows and columns count from 0. */
size_t pg_rows_count(const struct pg_rows *rows);
size_t pg_rows_columns(const struct pg_rows *rows);
/* Text of a value, NULL for SQL NULL; valid until pg_rows_free. */
const char *pg_rows_text(const struct pg_rows *rows, size_t row, size_t column);
size_t pg_rows_length(const struct pg_rows *rows, size_t row, size_t column);
int64_t pg_rows_int(const struct pg_rows *rows, size_t row, size_t column); /* 0 for NULL */
bool pg_rows_bool(const struct pg_rows *rows, size_t row, size_t column);
/* The first column as numbers, pg_rows_count of them; freed by the caller. */
int64_t *pg_rows_ids(const struct pg_rows *rows);
const char *pg_rows_name(const struct pg_rows *rows, size_t column);
/* Rows changed, as the command tag tells ("UPDATE 1"). */
uint64_t pg_rows_affected(const struct pg_rows *rows);
void pg_rows_free(struct pg_rows *rows);

#endif
