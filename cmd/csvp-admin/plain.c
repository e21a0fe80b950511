#include "admin.h"
#include "base/err.h"
#include "cli/options.h"

int
admin_plain(const struct program *program, int argc, char **argv, int (*work)(void *ctx, struct err *e), void *ctx)
{
	struct err e = {0};
	char **operands;
	size_t count;

	if (options_parse(program, argc, argv, &operands, &count, &e) == 0) {
		if (count > 0)
			err_set(&e, ERR_USAGE, "unexpected operand: %s", operands[0]);
		else if (work(ctx, &e) != 0 && e.code == ERR_NONE)
			err_set(&e, ERR_BUG, "it failed without saying why");
	}
	return options_exit(&e);
}
