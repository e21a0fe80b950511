#include "schema/type_time.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

#define SECOND INT64_C(1000000) /* in microseconds */
#define DAY (86400 * SECOND)

enum {
	DATE_LENGTH = 10,                 /* YYYY-MM-DD */
	DAYS_OF_400_YEARS = 146097,       /* the Gregorian calendar repeats */
	LAST_DAY = 3652058,               /* 9999-12-31, counted from 0001-01-01 = 0 */
	OFFSET_MAX = 15 * 3600 + 59 * 60, /* PostgreSQL's MAX_TZDISP_HOUR is 15 */
};

static const char outside[] = "outside the years 0001 to 9999";

/* Two digits as a number; over 99 if they are none. */
static inline unsigned
two(const char *p)
{
	unsigned tens = (unsigned char)(p[0] - '0'), ones = (unsigned char)(p[1] - '0');

	return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

static bool
leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 0001-01-01 to the first of a month; a year counted from March, so that the leap day is its last. */
static int64_t
days_before(unsigned year, unsigned month)
{
	unsigned y = month > 2 ? year : year - 1;
	unsigned m = month > 2 ? month - 3 : month + 9;

	return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - 306;
}

/* YYYY-MM-DD at p to days since 0001-01-01. */
static const char *
scan_date(const char *p, int64_t *days)
{
	static const unsigned char length[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned high = two(p), low = two(p + 2), month = two(p + 5), day = two(p + 8);
	unsigned year = high * 100 + low;

	if (high > 99 || low > 99 || month > 99 || day > 99 || p[4] != '-' || p[7] != '-')
		return "not a date (YYYY-MM-DD)";
	if (year == 0)
		return outside;
	if (month < 1 || month > 12)
		return "no such month";
	if (day < 1 || day > length[month] + (unsigned)(month == 2 && leap(year)))
		return "no such day";
	*days = days_before(year, month) + day - 1;
	return NULL;
}

/* HH:MM[:SS[.ffffff]] at *at, which is moved behind it. */
static const char *
scan_clock(const char **at, const char *end, int64_t *microseconds)
{
	static const char no_clock[] = "not a time of day (HH:MM[:SS[.ffffff]])";
	const char *p = *at;
	unsigned hour, minute, second = 0;
	int64_t fraction = 0;

	if (end - p < 5 || (hour = two(p)) > 99 || p[2] != ':' || (minute = two(p + 3)) > 99)
		return no_clock;
	p += 5;
	if (p < end && *p == ':') {
		if (end - p < 3 || (second = two(p + 1)) > 99)
			return no_clock;
		p += 3;
		if (p < end && *p == '.') {
			int64_t unit = SECOND;

			for (p++; p < end && (unsigned char)(*p - '0') <= 9; p++) {
				unit /= 10;
				if (unit == 0)
					return "more than 6 digits in a fraction of a second";
				fraction += (*p - '0') * unit;
			}
			if (unit == SECOND)
				return no_clock;
		}
	}
	if (hour > 23)
		return "hour over 23";
	if (minute > 59)
		return "minute over 59";
	if (second > 59)
		return second == 60 ? "leap second" : "second over 59";
	*microseconds = ((int64_t)hour * 3600 + minute * 60 + second) * SECOND + fraction;
	*at = p;
	return NULL;
}

/* Z, +HH, +HHMM or +HH:MM (or with -), to the text's end, in seconds east of UTC. */
static const char *
scan_offset(const char *p, const char *end, int *seconds)
{
	static const char no_offset[] = "not an offset from UTC (Z, +HH, +HH:MM or +HHMM)";
	unsigned hours, minutes = 0;
	size_t length = (size_t)(end - p);

	*seconds = 0;
	if (length == 1 && *p == 'Z')
		return NULL;
	if ((*p != '+' && *p != '-') || length < 3 || (hours = two(p + 1)) > 99)
		return no_offset;
	if (length == 5)
		minutes = two(p + 3);
	else if (length == 6 && p[3] == ':')
		minutes = two(p + 4);
	else if (length != 3)
		return no_offset;
	if (minutes > 99)
		return no_offset;
	if (minutes > 59 || hours * 3600 + minutes * 60 > OFFSET_MAX)
		return "no such offset from UTC (at most 15:59)";
	*seconds = (int)(hours * 3600 + minutes * 60);
	if (*p == '-')
		*seconds = -*seconds;
	return NULL;
}

const char *
type_time_scan(const char *bytes, size_t length, struct moment *m)
{
	const char *end = bytes + length;
	const char *p = bytes + DATE_LENGTH;
	const char *reason;
	int64_t days, clock;
	int offset;

	if (length < DATE_LENGTH)
		return length == 0 ? "empty, not a date" : "not a date (YYYY-MM-DD)";
	if ((reason = scan_date(bytes, &days)) != NULL)
		return reason;
	m->type = TYPE_DATE;
	m->microseconds = days * DAY;
	if (p == end)
		return NULL;
	if (*p != 'T' && *p != ' ')
		return "neither T nor a space behind the date";
	p++;
	if ((reason = scan_clock(&p, end, &clock)) != NULL)
		return reason;
	m->type = TYPE_TIMESTAMP;
	m->microseconds += clock;
	if (p == end)
		return NULL;
	if ((reason = scan_offset(p, end, &offset)) != NULL)
		return reason;
	m->type = TYPE_TIMESTAMPTZ;
	m->microseconds -= offset * SECOND;
	return m->microseconds < 0 || m->microseconds >= (LAST_DAY + 1) * DAY ? outside : NULL;
}

/* All moments are after the year 0001 began, so big endian is their order. A date needs only its days. */
void
type_time_sort_key(struct buf *out, const char *bytes, size_t length)
{
	struct moment m = {0};
	unsigned char key[8];
	uint64_t value;
	size_t width = sizeof key;

	if (type_time_scan(bytes, length, &m) != NULL)
		return;
	value = (uint64_t)m.microseconds;
	if (m.type == TYPE_DATE) {
		value /= DAY;
		width = 4;
	}
	for (size_t i = width; i-- > 0; value >>= 8)
		key[i] = (unsigned char)value;
	buf_append(out, key, width);
}

static char *
put_digits(char *to, unsigned value, int width)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + width;
}

/* The inverse of days_before: whole cycles of 400 years, then of 100, 4 and 1 (years from March). */
static char *
put_date(char *to, int64_t days)
{
	unsigned d = (unsigned)(days + 306); /* since 0000-03-01 */
	unsigned year = d / DAYS_OF_400_YEARS * 400;
	unsigned in_cycle = d % DAYS_OF_400_YEARS;
	unsigned y = (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
	unsigned in_year = in_cycle - (365 * y + y / 4 - y / 100);
	unsigned m = (5 * in_year + 2) / 153;
	unsigned month = m < 10 ? m + 3 : m - 9;

	year += y + (month <= 2);
	to = put_digits(to, year, 4);
	*to++ = '-';
	to = put_digits(to, month, 2);
	*to++ = '-';
	return put_digits(to, in_year - (153 * m + 2) / 5 + 1, 2);
}

void
type_time_canonical(struct buf *out, const char *bytes, size_t length)
{
	struct moment m = {0};
	char text[40];
	char *to;
	unsigned second, fraction;

	if (type_time_scan(bytes, length, &m) != NULL)
		return;
	to = put_date(text, m.microseconds / DAY);
	if (m.type != TYPE_DATE) {
		second = (unsigned)(m.microseconds % DAY / SECOND);
		fraction = (unsigned)(m.microseconds % SECOND);
		*to++ = ' ';
		to = put_digits(to, second / 3600, 2);
		*to++ = ':';
		to = put_digits(to, second / 60 % 60, 2);
		*to++ = ':';
		to = put_digits(to, second % 60, 2);
		if (fraction > 0) {
			*to++ = '.';
			to = put_digits(to, fraction, 6);
			while (to[-1] == '0')
				to--;
		}
		if (m.type == TYPE_TIMESTAMPTZ) {
			memcpy(to, "+00", 3);
			to += 3;
		}
	}
	buf_append(out, text, (size_t)(to - text));
}
