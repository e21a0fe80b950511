#include "schema/type_number.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "schema/type_text.h"

/* PostgreSQL's numeric (manual, "Numeric Types"): digits before and behind the point. */
enum { WHOLE_MAX = 131072, FRACTION_MAX = 16383 };

/* A longer number is a string in JSON, however many zeros it has. */
enum { JSON_NUMBER_MAX = 63 };

/* Digits at the start of [p, end). */
static inline size_t
digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && (unsigned char)(*p - '0') <= 9)
		p++;
	return (size_t)(p - start);
}

const char *
type_number_scan(const char *bytes, size_t length, struct number *n)
{
	const char *end = bytes + length;
	const char *p = bytes;

	if (length == 0)
		return "empty, not a number";
	n->negative = *p == '-';
	p += n->negative;
	n->whole = digits(p, end);
	n->fraction = 0;
	if (n->whole == 0)
		return *bytes == '+' ? "leading plus" : "not a number";
	if (*p == '0' && n->whole > 1)
		return "leading zero";
	if (n->whole > WHOLE_MAX)
		return "more than 131072 digits";
	if (p + n->whole == end)
		return n->negative && *p == '0' ? "minus zero" : NULL;
	p += n->whole;
	if (*p != '.')
		return "not a number";
	n->fraction = digits(p + 1, end);
	if (p + 1 + n->fraction != end)
		return "not a number";
	if (n->fraction == 0)
		return "no digits behind the point";
	return n->fraction > FRACTION_MAX ? "more than 16383 digits behind the point" : NULL;
}

bool
type_number_is_bigint(const struct number *n, const char *bytes)
{
	if (n->fraction > 0 || n->whole > 19)
		return false;
	if (n->whole < 19)
		return true;
	return n->negative ? memcmp(bytes + 1, "9223372036854775808", 19) <= 0
			   : memcmp(bytes, "9223372036854775807", 19) <= 0;
}

/* Two's complement of a valid bigint. */
static uint64_t
bigint(const char *bytes, size_t length)
{
	bool negative = *bytes == '-';
	uint64_t value = 0;

	for (size_t i = negative; i < length; i++)
		value = value * 10 + (uint64_t)(bytes[i] - '0');
	return negative ? 0 - value : value;
}

void
type_number_bigint_sort_key(struct buf *out, const char *bytes, size_t length)
{
	uint64_t value = bigint(bytes, length) ^ UINT64_C(1) << 63;
	unsigned char key[8];

	for (int i = 7; i >= 0; i--, value >>= 8)
		key[i] = (unsigned char)value;
	buf_append(out, key, sizeof key);
}

/* Without the zeros that end a fraction, and without a fraction of zeros only. */
static size_t
trimmed(const struct number *n, const char *bytes, size_t length)
{
	if (n->fraction == 0)
		return length;
	while (bytes[length - 1] == '0')
		length--;
	return bytes[length - 1] == '.' ? length - 1 : length;
}

/*
 * Sign, place of the point and digits of 0.DIGITS * 10^exponent with neither
 * leading nor trailing zeros, so that equal numbers have equal keys. One byte
 * for the sign (0 negative, 1 zero, 2 positive), three for the exponent, one
 * a digit, and a zero byte, which sorts before any digit. Behind the sign a
 * negative number has all bytes inverted, so that the larger sorts first.
 */
void
type_number_sort_key(struct buf *out, const char *bytes, size_t length)
{
	enum { BIAS = FRACTION_MAX + 1 };
	struct number n = {0};
	const char *whole, *end;
	char *key, *to;
	size_t exponent;

	if (type_number_scan(bytes, length, &n) != NULL)
		return;
	whole = bytes + n.negative;
	end = whole + n.whole + (n.fraction > 0) + n.fraction;
	to = key = buf_reserve(out, length + 6);
	exponent = BIAS + n.whole;
	if (*whole == '0') {
		/* The digits begin in the fraction, if there are any. */
		exponent = BIAS;
		whole += 1 + (n.fraction > 0);
		for (; whole < end && *whole == '0'; whole++)
			exponent--;
		n.whole = 0;
		n.fraction = (size_t)(end - whole);
	}
	if (whole == end) {
		*to++ = 1;
	} else {
		*to++ = n.negative ? 0 : 2;
		*to++ = (char)(exponent >> 16);
		*to++ = (char)(exponent >> 8);
		*to++ = (char)exponent;
		memcpy(to, whole, n.whole);
		to += n.whole;
		memcpy(to, end - n.fraction, n.fraction);
		to += n.fraction;
		while (to[-1] == '0')
			to--;
		*to++ = '\0';
	}
	for (char *p = key + 1; n.negative && p < to; p++)
		*p = (char)~*p;
	*to = '\0';
	out->length += (size_t)(to - key);
}

void
type_number_canonical(struct buf *out, const char *bytes, size_t length)
{
	struct number n = {0};

	if (type_number_scan(bytes, length, &n) != NULL)
		return;
	length = trimmed(&n, bytes, length);
	/* PostgreSQL knows no minus zero. */
	if (n.negative && length == 2 && bytes[1] == '0') {
		bytes++;
		length--;
	}
	buf_append(out, bytes, length);
}

void
type_number_bigint_json(struct buf *out, const char *bytes, size_t length)
{
	const int64_t limit = INT64_C(1) << 53;
	bool exact = length <= 15;

	if (!exact) {
		int64_t value = (int64_t)bigint(bytes, length);

		exact = -limit <= value && value <= limit;
	}
	if (exact)
		buf_append(out, bytes, length);
	else
		type_text_json(out, bytes, length);
}

/*
 * Does a reader that makes a double of the number, and prints it with the
 * fewest digits that identify it, print the same number? `significant` digits
 * begin at `first`: 16 or 17, since up to 15 (DBL_DIG) always survive, and 18
 * never do.
 */
static bool
survives(const char *bytes, size_t length, const char *first, size_t significant)
{
	char text[JSON_NUMBER_MAX + 1], printed[40];
	const char *p = printed;
	double value;

	memcpy(text, bytes, length);
	text[length] = '\0';
	value = strtod(text, NULL);
	snprintf(printed, sizeof printed, "%.*e", (int)significant - 1, value);
	p += *p == '-';
	for (size_t i = 0; i < significant; i++) {
		p += *p == '.';
		first += *first == '.';
		if (*p++ != *first++)
			return false;
	}
	/* It would print fewer digits if they identify the double; and if any fewer do, then one fewer does. */
	snprintf(printed, sizeof printed, "%.*e", (int)significant - 2, value);
	return strtod(printed, NULL) != value;
}

/* PostgreSQL prints NaN and Infinity, too. Whole numbers over 2^53 are strings, as with bigint. */
static bool
is_json_number(const char *bytes, size_t length)
{
	struct number n = {0};
	const char *first, *end;
	size_t significant;

	if (type_number_scan(bytes, length, &n) != NULL || n.whole > 15)
		return false;
	if (n.whole + n.fraction <= 15)
		return true;
	if (length > JSON_NUMBER_MAX)
		return false;
	length = trimmed(&n, bytes, length);
	end = bytes + length;
	for (first = bytes + n.negative; first < end && (*first == '0' || *first == '.');)
		first++;
	significant = (size_t)(end - first) - (memchr(first, '.', (size_t)(end - first)) != NULL);
	return significant <= 15 || (significant <= 17 && survives(bytes, length, first, significant));
}

void
type_number_json(struct buf *out, const char *bytes, size_t length)
{
	if (is_json_number(bytes, length))
		buf_append(out, bytes, length);
	else
		type_text_json(out, bytes, length);
}
