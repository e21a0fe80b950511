#include "table/copyin.h"

#include "db/pg.h"
#include "table/batch.h"

/* Lines that lie one behind the other are sent as one piece, up to this size. */
#define PIECE (256u << 10)

int
copyin_groups(struct pg *pg, const struct batch *b, size_t from, size_t to, const char *sql, struct err *e)
{
	size_t piece = 0, length = 0;

	if (pg_copy_begin(pg, sql, e) != 0)
		return -1;
	for (size_t i = from; i < to; i++) {
		const struct batch_entry *entry = batch_winner(b, &b->groups[i]);

		if (entry == NULL)
			continue;
		if (length > 0 && (entry->text != piece + length || length > PIECE)) {
			if (pg_copy_put(pg, b->texts.bytes + piece, length, e) != 0)
				return -1;
			length = 0;
		}
		if (length == 0)
			piece = entry->text;
		length += entry->text_length;
	}
	if (length > 0 && pg_copy_put(pg, b->texts.bytes + piece, length, e) != 0)
		return -1;
	return pg_copy_end(pg, e);
}
