#include "csv/place.h"

#include "csv/dialect.h"

struct place
place_find(const struct dialect *d, const char *bytes, size_t length)
{
	struct place p = {EXACT_RECORD, 0, 0, 0};
	uint64_t lines = 0;

	for (size_t i = 0; i < length; i++) {
		char next = i + 1 < length ? bytes[i + 1] : '\0';
		struct exact_marks m = exact_block(d, true, &p.state, bytes + i, 1, next);

		if (m.at == 0)
			continue;
		if (m.inside != 0) {
			lines += bytes[i] == '\n' || bytes[i] == '\r';
			continue;
		}
		p.field = i + 1;
		p.index++;
		p.lines = lines;
	}
	return p;
}

bool
place_in_quotes(enum exact_state state)
{
	return state == EXACT_QUOTED || state == EXACT_ESCAPED_QUOTED;
}
