#include "net/retry.h"

#include <stdio.h>
#include <string.h>

#include "base/clk.h"
#include "base/err.h"
#include "base/sig.h"

void
retry_start(struct retry *retry, const struct retry_policy *policy, const struct clk *clk)
{
	*retry = (struct retry){.policy = policy, .clk = clk, .pause = policy->base, .started = clk_now(clk)};
}

/* Move the last attempt's message to the earlier ones, unless it is there already or is the one of now. */
static void
fold(struct retry *retry, const char *now)
{
	size_t used = strlen(retry->earlier);

	if (retry->last[0] != '\0' && strcmp(retry->last, now) != 0 && strstr(retry->earlier, retry->last) == NULL)
		snprintf(
		    retry->earlier + used, sizeof retry->earlier - used, "%s%s", used > 0 ? "; " : "", retry->last);
	snprintf(retry->last, sizeof retry->last, "%s", now);
}

static bool
give_up(const struct retry *retry, struct err *e)
{
	int64_t took = clk_now(retry->clk) - retry->started;

	if (retry->attempts == 1)
		return false;
	if (retry->earlier[0] != '\0')
		err_set(e, e->code, "%s (before that: %s)", e->message, retry->earlier);
	err_prefix(
	    e, "%d attempts in %lld.%lld s", retry->attempts, (long long)took / 1000, (long long)took % 1000 / 100);
	return false;
}

static bool
interrupted(struct err *e)
{
	struct err signal;

	if (sig_check(&signal) == 0)
		return false;
	err_set(e, signal.code, "%s while trying again after: %s", signal.message, e->message);
	return true;
}

static int64_t
draw_pause(const struct retry *retry)
{
	const struct retry_policy *policy = retry->policy;
	int64_t span = retry->pause * 3 - policy->base;
	int64_t pause = policy->base + (int64_t)(clk_random(retry->clk) % (uint64_t)(span + 1));

	return pause < policy->cap ? pause : policy->cap;
}

bool
retry_again(struct retry *retry, struct err *e)
{
	retry->attempts++;
	fold(retry, e->message);
	if (e->code != ERR_AGAIN || retry->attempts >= retry->policy->tries)
		return give_up(retry, e);
	retry->pause = draw_pause(retry);
	if (clk_now(retry->clk) - retry->started + retry->pause > retry->policy->time)
		return give_up(retry, e);
	if (interrupted(e))
		return false;
	clk_sleep(retry->clk, retry->pause);
	if (interrupted(e))
		return false;
	*e = (struct err){0};
	return true;
}
