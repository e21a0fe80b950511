#include "schema/json_number.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* More than PostgreSQL's numeric has before or behind its point. */
#define LONGEST 200000

bool
json_number(struct buf *out, const char *number, bool whole)
{
	bool negative = *number == '-';
	const char *before = number + negative;
	size_t length = strspn(before, "0123456789");
	const char *behind = before + length + (before[length] == '.');
	size_t fraction = strspn(behind, "0123456789");
	long exponent = behind[fraction] != '\0' ? strtol(behind + fraction + 1, NULL, 10) : 0;
	struct buf digits = {0};
	long point;
	size_t first = 0;

	buf_append(&digits, before, length);
	buf_append(&digits, behind, fraction);
	/* The digits are 0.DIGITS * 10^point; leading zeros have no say. */
	while (first + 1 < digits.length && digits.bytes[first] == '0')
		first++;
	if (digits.bytes[first] == '0' && first + 1 == digits.length) {
		/* Zero, whatever its exponent. */
		negative = false;
		exponent = 0;
	}
	if (exponent > LONGEST || exponent < -LONGEST || digits.length > LONGEST) {
		buf_fini(&digits);
		return false;
	}
	point = (long)length + exponent;
	if (negative)
		buf_byte(out, '-');
	/* Before the point. */
	if ((long)first >= point)
		buf_byte(out, '0');
	for (long i = (long)first; i < point; i++)
		buf_byte(out, i < (long)digits.length ? digits.bytes[i] : '0');
	/* Behind it. */
	size_t end = digits.length;
	if (whole)
		while ((long)end > point && end > 0 && digits.bytes[end - 1] == '0')
			end--;
	if ((long)end > point) {
		buf_byte(out, '.');
		for (long i = point; i < (long)end; i++)
			buf_byte(out, i < 0 ? '0' : digits.bytes[i]);
	}
	buf_fini(&digits);
	return true;
}
