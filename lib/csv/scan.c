#include "csv/scan.h"

#define BLOCK 64u
#define GROUP 16u /* blocks classified at a time: 1 kB of text and its masks stay in the first-level cache */
#define INLINE static inline __attribute__((always_inline))

bool
scan_has(enum scan_path path)
{
#ifdef __x86_64__
	if (path == SCAN_AVX2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") &&
		       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
	return true;
#else
	return path != SCAN_AVX2 && path != SCAN_SSE2;
#endif
}

void
scan_init(struct scan *s, const struct dialect *d, enum scan_path path)
{
	if (path == SCAN_BEST || !scan_has(path))
		path = scan_has(SCAN_AVX2) ? SCAN_AVX2 : scan_has(SCAN_SSE2) ? SCAN_SSE2 : SCAN_SWAR;
	*s = (struct scan){.dialect = *d, .state = EXACT_RECORD};
	if (d->escape == d->quote)
		s->dialect.escape = '\0';
	/* An escape could stand before any of the bytes that the masks know; a comment is no record. */
	s->fast = path != SCAN_EXACT && s->dialect.escape == '\0' && d->comment == '\0';
	s->wide = path == SCAN_AVX2;
	s->classify = path == SCAN_AVX2 ? classify_avx2 : path == SCAN_SSE2 ? classify_sse2 : classify_swar;
}

INLINE unsigned
lowest(uint64_t mask)
{
	return (unsigned)__builtin_ctzll(mask | (uint64_t)1 << 63);
}

/* Append the positions of the marked bits. */
INLINE size_t
append(uint32_t *index, size_t count, struct exact_marks m, size_t base)
{
	size_t more = (size_t)__builtin_popcountll(m.at);

	if (__builtin_expect((m.at & m.inside) != 0, 0)) {
		for (uint64_t at = m.at; at != 0; at &= at - 1)
			index[count++] = (uint32_t)(base + lowest(at)) | ((m.inside & at & -at) != 0 ? SCAN_INSIDE : 0);
		return count;
	}
	/* Write more than there is and count what is true: a branch for each bit would be guessed wrong too often. */
	for (size_t i = 0; i < more; i += 4)
		for (size_t k = 0; k < 4; k++) {
			index[count + i + k] = (uint32_t)(base + lowest(m.at));
			m.at &= m.at - 1;
		}
	return count + more;
}

/* The state as the masks need it: what the bit before the first would have been. */
struct carry {
	uint64_t inside; /* all ones inside quotes */
	uint64_t close;  /* 1 behind a closing quote */
	uint64_t plain;  /* 1 where a quote may not open */
};

INLINE struct carry
carry_of(enum exact_state state)
{
	return (struct carry){state == EXACT_QUOTED ? ~(uint64_t)0 : 0, state == EXACT_QUOTE, state == EXACT_PLAIN};
}

INLINE enum exact_state
state_of(struct carry c)
{
	return c.inside != 0 ? EXACT_QUOTED : c.close != 0 ? EXACT_QUOTE : c.plain != 0 ? EXACT_PLAIN : EXACT_FIELD;
}

/*
 * One block from its masks. False, and nothing changed, if a quote stands
 * where quote parity cannot be trusted: one that opens but is not a field's
 * first byte, or one that closes but is not its last.
 */
INLINE bool
step(const struct classify_masks *m, bool next_is_lf, bool fields, struct carry *c, struct exact_marks *out)
{
	uint64_t inside = m->parity ^ c->inside;
	uint64_t open = m->quote & inside, close = m->quote & ~inside;
	uint64_t end = m->delimiter | m->lf | m->cr | m->quote;
	uint64_t behind_close = close << 1 | c->close;
	uint64_t line_end = m->lf | (m->cr & ~(m->lf >> 1 | (uint64_t)next_is_lf << 63));

	if (__builtin_expect(((open & ~(end << 1 | (c->plain ^ 1))) | (behind_close & ~end)) != 0, 0))
		return false;
	out->inside = inside;
	out->at = line_end;
	if (fields)
		out->at |= (m->delimiter & ~inside) | (open & behind_close);
	c->inside = (uint64_t)((int64_t)inside >> 63);
	c->close = close >> 63;
	c->plain = ~(end | inside) >> 63;
	return true;
}

/* Whole blocks with a byte behind each; stops when the index might not hold another group. */
INLINE size_t
run(struct scan *s, const char *bytes, size_t from, size_t to, bool fields, uint32_t *index, size_t *total)
{
	struct carry carry = carry_of(s->state);
	size_t count = *total;

	while (to - from > BLOCK && count + GROUP * BLOCK <= SCAN_INDEX) {
		struct classify_masks masks[GROUP];
		size_t blocks = (to - from - 1) / BLOCK;

		if (blocks > GROUP)
			blocks = GROUP;
		s->classify(&s->dialect, bytes + from, blocks, masks);
		for (size_t b = 0; b < blocks; b++, from += BLOCK) {
			struct exact_marks marks;

			if (!step(&masks[b], bytes[from + BLOCK] == '\n', fields, &carry, &marks)) {
				enum exact_state state = state_of(carry);

				marks =
				    exact_block(&s->dialect, fields, &state, bytes + from, BLOCK, bytes[from + BLOCK]);
				carry = carry_of(state);
			}
			count = append(index, count, marks, from);
		}
	}
	s->state = state_of(carry);
	*total = count;
	return from;
}

static size_t
run_base(struct scan *s, const char *bytes, size_t from, size_t to, uint32_t *index, size_t *count)
{
	return s->fields ? run(s, bytes, from, to, true, index, count) : run(s, bytes, from, to, false, index, count);
}

#ifdef __x86_64__
static __attribute__((target("avx2,bmi,popcnt"))) size_t
run_wide(struct scan *s, const char *bytes, size_t from, size_t to, uint32_t *index, size_t *count)
{
	return s->fields ? run(s, bytes, from, to, true, index, count) : run(s, bytes, from, to, false, index, count);
}
#endif

/* A block at a time, without masks: all of it in a dialect that has none, and the last few bytes in any. */
static size_t
run_exact(struct scan *s, const char *bytes, size_t from, size_t to, bool end, uint32_t *index, size_t *count)
{
	while (from < to && (end || to - from > BLOCK) && *count + BLOCK <= SCAN_INDEX) {
		size_t length = to - from < BLOCK ? to - from : BLOCK;
		char next = from + length < to ? bytes[from + length] : '\0';
		struct exact_marks marks = exact_block(&s->dialect, s->fields, &s->state, bytes + from, length, next);

		*count = append(index, *count, marks, from);
		from += length;
	}
	return from;
}

size_t
scan_run(struct scan *s, const char *bytes, size_t from, size_t to, bool end, uint32_t *index, size_t *count)
{
	*count = 0;
	if (!s->fast)
		return run_exact(s, bytes, from, to, end, index, count);
#ifdef __x86_64__
	if (s->wide)
		from = run_wide(s, bytes, from, to, index, count);
	else
#endif
		from = run_base(s, bytes, from, to, index, count);
	if (end && to - from <= BLOCK)
		from = run_exact(s, bytes, from, to, true, index, count);
	return from;
}
