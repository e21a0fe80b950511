#include "ledger/rate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"

/* PostgreSQL computes with it as a double. */
static const uint64_t largest = (uint64_t)1 << 53;

int
rate_parse(const char *text, struct rate *out, struct err *e)
{
	char number[RATE_TEXT];
	size_t length = strlen(text);
	struct rate rate = {.bytes = false};

	if (strcmp(text, "unlimited") == 0) {
		*out = rate;
		return 0;
	}
	if (length < 3 || length >= sizeof number || strcmp(text + length - 2, "/s") != 0)
		goto wrong;
	memcpy(number, text, length - 2);
	number[length - 2] = '\0';
	rate.bytes = number[length - 3] == 'B';
	/* Without a letter in front of its B it is a plain number. */
	if (rate.bytes && strspn(number, "0123456789") == length - 3)
		number[length - 3] = '\0';
	if (!(rate.bytes ? num_bytes(number, &rate.limit) : num_uint64(number, &rate.limit)))
		goto wrong;
	if (rate.limit == 0 || rate.limit > largest)
		goto wrong;
	*out = rate;
	return 0;

wrong:
	return err_set(e, ERR_USAGE, "'%s' is not a rate; hint: 5000/s (records), 2MB/s (bytes) or unlimited", text);
}

void
rate_print(const struct rate *rate, char text[RATE_TEXT])
{
	static const char *const units[] = {"", "k", "M", "G", "T"};
	uint64_t limit = rate->limit;
	size_t unit = 0;

	if (limit == 0) {
		snprintf(text, RATE_TEXT, "unlimited");
		return;
	}
	for (; rate->bytes && limit % 1024 == 0 && unit < 4; unit++)
		limit /= 1024;
	snprintf(text, RATE_TEXT, "%" PRIu64 "%s%s/s", limit, units[unit], rate->bytes ? "B" : "");
}
