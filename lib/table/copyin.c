#include "table/copyin.h"

#include "db/pg.h"
#include "table/batch.h"

/* What is sent at a time: a call costs a look at signals and the socket, too much for each line. */
#define PIECE (256u << 10)

int
copyin_groups(struct pg *pg, const struct batch *b, size_t from, size_t to, const char *sql, struct err *e)
{
	struct buf piece = {0};
	int result = pg_copy_begin(pg, sql, e);

	for (size_t i = from; result == 0 && i < to; i++) {
		const struct batch_entry *entry = batch_winner(b, &b->groups[i]);

		if (entry == NULL)
			continue;
		/* Gathered, since sorted lines lie apart. */
		buf_append(&piece, b->texts.bytes + entry->text, entry->text_length);
		if (piece.length >= PIECE) {
			result = pg_copy_put(pg, piece.bytes, piece.length, e);
			buf_reset(&piece);
		}
	}
	if (result == 0 && piece.length > 0)
		result = pg_copy_put(pg, piece.bytes, piece.length, e);
	buf_fini(&piece);
	return result == 0 ? pg_copy_end(pg, e) : -1;
}
