#include "cli/span.h"

#include <inttypes.h>

#include "base/buf.h"

void
span_text(struct buf *out, int64_t seconds)
{
	if (seconds >= 3600)
		buf_printf(
		    out, "%" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60, seconds % 60);
	else
		buf_printf(out, "%" PRId64 ":%02" PRId64, seconds / 60, seconds % 60);
}
