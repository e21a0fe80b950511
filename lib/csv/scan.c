#include "csv/scan.h"

#include "csv/classify.h"
#ifdef __x86_64__
#include "csv/classify_x86.h"
#endif

#define BLOCK 64u
#define INLINE CLASSIFY_INLINE

typedef struct classify_masks classify(struct classify_bytes c, const char *bytes);

bool
scan_has(enum scan_path path)
{
	if (path == SCAN_BEST || path == SCAN_SWAR || path == SCAN_EXACT)
		return true;
#ifdef __x86_64__
	if (!__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("popcnt"))
		return false;
	if (path == SCAN_SSE2)
		return true;
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi"))
		return false;
	return path == SCAN_AVX2 || (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"));
#else
	return false;
#endif
}

void
scan_init(struct scan *s, const struct dialect *d, enum scan_path path)
{
	if (path == SCAN_BEST || !scan_has(path))
		for (path = SCAN_AVX512; !scan_has(path); path++)
			;
	*s = (struct scan){.dialect = *d, .state = EXACT_RECORD};
	if (d->escape == d->quote)
		s->dialect.escape = '\0';
	/* An escape could stand before any of the bytes that the masks know; a comment is no record. */
	s->fast = path != SCAN_EXACT && s->dialect.escape == '\0' && d->comment == '\0';
	s->path = path;
}

/* Position of the lowest bit; of no bit anything. */
INLINE uint32_t
lowest(uint64_t mask)
{
	return (uint32_t)__builtin_ctzll(mask | (uint64_t)1 << 63);
}

INLINE uint32_t *
append_tagged(uint32_t *to, struct exact_marks m, uint32_t base)
{
	for (; m.at != 0; m.at &= m.at - 1)
		*to++ = (base + lowest(m.at)) | ((m.inside & m.at & -m.at) != 0 ? SCAN_INSIDE : 0);
	return to;
}

/* The next two; the second may be none. */
INLINE uint64_t
append_two(uint32_t *to, uint64_t at, uint32_t base)
{
	to[0] = base + lowest(at);
	at &= at - 1;
	to[1] = base + lowest(at);
	return at & (at - 1);
}

/*
 * Append the positions of marks that are not inside a value. More is written
 * than there is, then what is true is counted: a branch for each bit would be
 * guessed wrong too often. A block has 5 field ends, but less than one record's.
 */
INLINE uint32_t *
append(uint32_t *to, uint64_t at, uint32_t base, bool fields)
{
	uint32_t *end = to + __builtin_popcountll(at);

	at = append_two(to, at, base);
	if (fields) {
		at = append_two(to + 2, at, base);
		at = append_two(to + 4, at, base);
		at = append_two(to + 6, at, base);
	}
	for (to += fields ? 8 : 2; __builtin_expect(to < end, 0); to += 2)
		at = append_two(to, at, base);
	return end;
}

/* The state as the masks need it. */
struct carry {
	uint64_t inside; /* all ones inside quotes */
	uint64_t quote;  /* 1 behind a quote */
	uint64_t plain;  /* 1 behind a byte outside quotes that is nothing but itself */
};

INLINE struct carry
carry_of(enum exact_state state)
{
	return (struct carry){state == EXACT_QUOTED ? ~(uint64_t)0 : 0, state == EXACT_QUOTE, state == EXACT_PLAIN};
}

INLINE enum exact_state
state_of(struct carry c)
{
	return c.inside != 0 ? EXACT_QUOTED : c.quote != 0 ? EXACT_QUOTE : c.plain != 0 ? EXACT_PLAIN : EXACT_FIELD;
}

/*
 * One block from its masks. False, and nothing changed, if a quote touches a
 * plain byte outside quotes: then it opens but is not a field's first byte, or
 * closes but is not its last, and parity cannot be trusted.
 */
INLINE bool
step(struct classify_masks m, const char *next, bool fields, struct carry *c, struct exact_marks *out)
{
	uint64_t inside = m.parity ^ c->inside;
	uint64_t plain = ~(m.delimiter | m.lf | m.cr | m.quote | inside);
	uint64_t behind_quote = m.quote << 1 | c->quote, behind_plain = plain << 1 | c->plain;
	uint64_t lone = m.cr & ~(m.lf >> 1);

	if (__builtin_expect(((plain & behind_quote) | (m.quote & behind_plain)) != 0, 0))
		return false;
	if (__builtin_expect(lone != 0, 0) && *next == '\n')
		lone &= ~((uint64_t)1 << 63);
	out->inside = inside;
	out->at = m.lf | lone;
	if (fields) /* and the second of two quotes: it opens again right behind one that closed */
		out->at |= (m.delimiter & ~inside) | (m.quote & inside & behind_quote);
	c->inside = 0 - (inside >> 63);
	c->quote = m.quote >> 63;
	c->plain = plain >> 63;
	return true;
}

/* Whole blocks with a byte behind each, until the index might not hold another. */
INLINE size_t
run(struct scan *s, classify *masks, bool fields, const char *bytes, size_t from, size_t to, uint32_t *index,
    size_t *count)
{
	const struct classify_bytes special = {
	    s->dialect.delimiter, s->dialect.quote, s->dialect.quote == '\0' ? 0 : ~(uint64_t)0};
	struct carry carry = carry_of(s->state);
	uint32_t *end = index + *count;
	size_t blocks = to > from ? (to - from - 1) / BLOCK : 0;

	while (blocks > 0 && end <= index + SCAN_INDEX - BLOCK) {
		size_t room = (size_t)(index + SCAN_INDEX - end) / BLOCK;
		size_t stop = from + BLOCK * (blocks < room ? blocks : room);

		blocks -= (stop - from) / BLOCK;
		for (; from < stop; from += BLOCK) {
			struct exact_marks m;

			if (!step(masks(special, bytes + from), bytes + from + BLOCK, fields, &carry, &m)) {
				enum exact_state state = state_of(carry);

				m = exact_block(&s->dialect, fields, &state, bytes + from, BLOCK, bytes[from + BLOCK]);
				carry = carry_of(state);
			}
			if (__builtin_expect((m.at & m.inside) != 0, 0))
				end = append_tagged(end, m, (uint32_t)from);
			else
				end = append(end, m.at, (uint32_t)from, fields);
		}
	}
	s->state = state_of(carry);
	*count = (size_t)(end - index);
	return from;
}

static size_t
run_swar(struct scan *s, const char *bytes, size_t from, size_t to, uint32_t *index, size_t *count)
{
	return s->fields ? run(s, classify_swar, true, bytes, from, to, index, count)
			 : run(s, classify_swar, false, bytes, from, to, index, count);
}

#ifdef __x86_64__
static CLASSIFY_SSE2 size_t
run_sse2(struct scan *s, const char *bytes, size_t from, size_t to, uint32_t *index, size_t *count)
{
	return s->fields ? run(s, classify_sse2, true, bytes, from, to, index, count)
			 : run(s, classify_sse2, false, bytes, from, to, index, count);
}

static CLASSIFY_AVX2 size_t
run_avx2(struct scan *s, const char *bytes, size_t from, size_t to, uint32_t *index, size_t *count)
{
	return s->fields ? run(s, classify_avx2, true, bytes, from, to, index, count)
			 : run(s, classify_avx2, false, bytes, from, to, index, count);
}

static CLASSIFY_AVX512 size_t
run_avx512(struct scan *s, const char *bytes, size_t from, size_t to, uint32_t *index, size_t *count)
{
	return s->fields ? run(s, classify_avx512, true, bytes, from, to, index, count)
			 : run(s, classify_avx512, false, bytes, from, to, index, count);
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

		*count = (size_t)(append_tagged(index + *count, marks, (uint32_t)from) - index);
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
	if (s->path == SCAN_AVX512)
		from = run_avx512(s, bytes, from, to, index, count);
	else if (s->path == SCAN_AVX2)
		from = run_avx2(s, bytes, from, to, index, count);
	else if (s->path == SCAN_SSE2)
		from = run_sse2(s, bytes, from, to, index, count);
	else
#endif
		from = run_swar(s, bytes, from, to, index, count);
	if (end && to - from <= BLOCK)
		from = run_exact(s, bytes, from, to, true, index, count);
	return from;
}
