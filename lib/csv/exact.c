#include "csv/exact.h"

#include "csv/dialect.h"

enum mark {
	MARK_NONE,
	MARK_END,    /* of a field */
	MARK_LINE,   /* of a record, or of a line inside a value */
	MARK_CHANGE, /* the value is not its bytes */
};

/* A CR before LF is the first half of a line end: nothing happens before the LF. */
static enum mark
step_quoted(const struct dialect *d, enum exact_state *state, char c, bool line_end)
{
	if (d->escape != '\0' && c == d->escape) {
		*state = EXACT_ESCAPED_QUOTED;
		return MARK_CHANGE;
	}
	if (c == d->quote)
		*state = EXACT_QUOTE;
	return line_end ? MARK_LINE : MARK_NONE;
}

static enum mark
step_escaped(enum exact_state *state, enum exact_state after, char c, bool line_end)
{
	if (c == '\r' && !line_end)
		return MARK_NONE;
	*state = after;
	return line_end ? MARK_LINE : MARK_NONE;
}

static enum mark
step_outside(const struct dialect *d, enum exact_state *state, char c, bool line_end)
{
	enum exact_state before = *state;

	if (c == d->delimiter) {
		*state = EXACT_FIELD;
		return MARK_END;
	}
	if (line_end) {
		*state = EXACT_RECORD;
		return MARK_LINE;
	}
	if (c == '\r') {
		*state = EXACT_FIELD;
		return MARK_NONE;
	}
	if (d->escape != '\0' && c == d->escape) {
		*state = EXACT_ESCAPED_PLAIN;
		return MARK_CHANGE;
	}
	*state = EXACT_PLAIN;
	return before == EXACT_QUOTE ? MARK_CHANGE : MARK_NONE;
}

static enum mark
step(const struct dialect *d, enum exact_state *state, char c, bool line_end)
{
	switch (*state) {
	case EXACT_RECORD:
		if (d->comment != '\0' && c == d->comment) {
			*state = EXACT_COMMENT;
			return MARK_NONE;
		}
		/* fallthrough */
	case EXACT_FIELD:
		if (d->quote != '\0' && c == d->quote) {
			*state = EXACT_QUOTED;
			return MARK_NONE;
		}
		break;
	case EXACT_QUOTE:
		if (c == d->quote) {
			*state = EXACT_QUOTED;
			return MARK_CHANGE;
		}
		break;
	case EXACT_PLAIN:
		break;
	case EXACT_QUOTED:
		return step_quoted(d, state, c, line_end);
	case EXACT_ESCAPED_QUOTED:
		return step_escaped(state, EXACT_QUOTED, c, line_end);
	case EXACT_ESCAPED_PLAIN:
		return step_escaped(state, EXACT_PLAIN, c, line_end);
	case EXACT_COMMENT:
		if (line_end)
			*state = EXACT_RECORD;
		return line_end ? MARK_LINE : MARK_NONE;
	}
	return step_outside(d, state, c, line_end);
}

struct exact_marks
exact_block(const struct dialect *d, bool fields, enum exact_state *state, const char *bytes, size_t length, char next)
{
	struct exact_marks marks = {0, 0};

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i], behind = i + 1 < length ? bytes[i + 1] : next;
		enum mark mark = step(d, state, c, c == '\n' || (c == '\r' && behind != '\n'));

		if (mark == MARK_NONE || (mark != MARK_LINE && !fields))
			continue;
		marks.at |= (uint64_t)1 << i;
		if (mark == MARK_CHANGE || (mark == MARK_LINE && *state != EXACT_RECORD))
			marks.inside |= (uint64_t)1 << i;
	}
	return marks;
}
