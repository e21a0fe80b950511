#include "base/num.h"

#include <stddef.h>
#include <string.h>

/* Digits at the start of text; returns what follows them, or NULL without a digit or on overflow. */
static const char *
digits(const char *text, uint64_t *out)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return NULL;
	if (p == text)
		return NULL;
	*out = value;
	return p;
}

bool
num_uint64(const char *text, uint64_t *out)
{
	uint64_t value;
	const char *rest = digits(text, &value);

	if (rest == NULL || *rest != '\0')
		return false;
	*out = value;
	return true;
}

bool
num_int64(const char *text, int64_t *out)
{
	uint64_t value;
	bool negative = text[0] == '-';

	if (!num_uint64(text + negative, &value) || value > (uint64_t)INT64_MAX + negative)
		return false;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

bool
num_bytes(const char *text, uint64_t *out)
{
	static const char units[] = "kmgt";
	uint64_t value;
	const char *rest = digits(text, &value);

	if (rest == NULL)
		return false;
	if (*rest != '\0') {
		const char *unit = memchr(units, *rest | 0x20, sizeof units - 1);
		uint64_t factor = 1;

		if (unit == NULL)
			return false;
		for (const char *u = units; u <= unit; u++)
			factor *= 1024;
		if (__builtin_mul_overflow(value, factor, &value))
			return false;
		rest++;
		if (strcmp(rest, "") != 0 && strcmp(rest, "B") != 0 && strcmp(rest, "iB") != 0)
			return false;
	}
	*out = value;
	return true;
}

bool
num_milliseconds(const char *text, int64_t *out)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	uint64_t value;
	const char *rest = digits(text, &value);

	if (rest == NULL)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(rest, units[i].unit) != 0)
			continue;
		if (__builtin_mul_overflow(value, units[i].factor, &value) || value > INT64_MAX)
			return false;
		*out = (int64_t)value;
		return true;
	}
	return false;
}
