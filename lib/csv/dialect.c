#include "csv/dialect.h"

#include "base/err.h"

struct dialect
dialect_default(void)
{
	return (struct dialect){.delimiter = ',', .quote = '"', .header = true, .max_record = DIALECT_MAX_RECORD};
}

static int
check_character(const char *option, char c, struct err *e)
{
	if (c == '\n' || c == '\r')
		return err_set(e, ERR_USAGE, "--%s: a line end cannot be the %s", option, option);
	if ((unsigned char)c >= 0x80)
		return err_set(e, ERR_USAGE, "--%s: not an ASCII character", option);
	return 0;
}

int
dialect_check(const struct dialect *d, struct err *e)
{
	const struct {
		const char *option;
		char c;
	} all[] = {{"delimiter", d->delimiter}, {"quote", d->quote},
	    {"escape", d->escape == d->quote ? '\0' : d->escape}, {"comment", d->comment}};

	if (d->delimiter == '\0')
		return err_set(e, ERR_USAGE, "--delimiter: there is none; hint: ',', ';', '|' or a tab");
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		if (check_character(all[i].option, all[i].c, e) < 0)
			return -1;
		for (unsigned k = 0; k < i; k++)
			if (all[i].c != '\0' && all[i].c == all[k].c)
				return err_set(e, ERR_USAGE, "--%s: '%c' is already the %s", all[i].option, all[i].c,
				    all[k].option);
	}
	if (d->max_record == 0 || d->max_record > DIALECT_MAX_MAX_RECORD)
		return err_set(e, ERR_USAGE, "--max-record: %u is not between 1 byte and 1G", d->max_record);
	return 0;
}
