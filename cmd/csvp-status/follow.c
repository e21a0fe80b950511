#include "follow.h"

#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/sig.h"
#include "cli/grid.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/screen.h"

#include "view.h"

/* How often a wait looks and a watch draws, in milliseconds. */
#define LOOK_MS 100
#define DRAW_MS 500

static int
put(const char *bytes, size_t length, struct err *e)
{
	bool closed = false;

	if (length == 0 || output_write(bytes, length, &closed, e) == 0)
		return 0;
	if (closed)
		/* The reader has seen enough. */
		*e = (struct err){.code = ERR_NONE};
	return -1;
}

/* Cells a line may fill; 0: any number. On the terminal the last one stays free (cli/screen.h). */
static size_t
width(const struct view_wish *wish)
{
	int columns = !wish->json && isatty(STDOUT_FILENO) != 0 ? grid_width(STDOUT_FILENO) : 0;

	return columns > 1 ? (size_t)columns - 1 : 0;
}

static int
take(struct view *v, struct pg *pg, const struct view_wish *wish, struct err *e)
{
	return view_take(v, pg, wish, width(wish), !wish->json && help_bold(STDOUT_FILENO), e);
}

static int
check_time(const struct view *v, int64_t began, int64_t timeout, struct err *e)
{
	if (timeout == 0 || clk_now(clk_system()) - began < timeout)
		return 0;
	return err_set(e, ERR_AGAIN, "job %" PRId64 " is still %s after %g s; hint: csvp-status %" PRId64, v->open,
	    v->open_state, (double)timeout / 1000, v->open);
}

int
follow_once(struct pg *pg, const struct view_wish *wish, struct err *e)
{
	struct view v = {0};
	int result = take(&v, pg, wish, e);

	if (result == 0)
		result = put(v.text.bytes, v.text.length, e);
	view_fini(&v);
	return result;
}

int
follow_wait(struct pg *pg, const struct view_wish *wish, int64_t timeout, enum err_code *code, struct err *e)
{
	/* Verdicts only. */
	const struct view_wish plain = {wish->ids, wish->count, true, false};
	int64_t began = clk_now(clk_system());
	struct view v = {0};
	int result;

	for (;;) {
		result = sig_check(e);
		if (result == 0)
			result = take(&v, pg, &plain, e);
		if (result == 0 && !v.ended)
			result = check_time(&v, began, timeout, e);
		if (result != 0 || v.ended)
			break;
		clk_sleep(clk_system(), LOOK_MS);
	}
	*code = v.worst;
	view_fini(&v);
	return result;
}

/* Print the lines of `now` that are not the same as in `before`, each at its place. */
static int
put_changes(const struct buf *before, const struct buf *now, struct err *e)
{
	const char *old = before->length > 0 ? before->bytes : "", *new = now->length > 0 ? now->bytes : "";
	struct buf lines = {0};
	int result;

	while (*new != '\0') {
		size_t length = strcspn(new, "\n") + 1, old_length = strcspn(old, "\n");

		if (old_length + 1 != length || memcmp(old, new, old_length) != 0)
			buf_append(&lines, new, length);
		new += length;
		old += old_length + (old[old_length] != '\0');
	}
	result = put(lines.bytes, lines.length, e);
	buf_fini(&lines);
	return result;
}

/* Not on a terminal: what is new since the last look. */
static int
put_news(const struct view *v, struct buf *before, const struct view_wish *wish, struct err *e)
{
	bool first = before->bytes == NULL;
	int result = 0;

	if (wish->json) {
		result = put_changes(before, &v->facts, e);
	} else if (first || before->length != v->facts.length ||
		   (before->length > 0 && memcmp(before->bytes, v->facts.bytes, before->length) != 0)) {
		result = first ? 0 : put("\n", 1, e);
		if (result == 0)
			result = put(v->text.bytes, v->text.length, e);
	}
	buf_reset(before);
	buf_append(before, v->facts.bytes != NULL ? v->facts.bytes : "", v->facts.length);
	return result;
}

/* A pipe whose reader has gone is noticed without writing to it. */
static bool
reader_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

int
follow_watch(struct pg *pg, const struct view_wish *wish, int64_t timeout, enum err_code *code, struct err *e)
{
	int64_t began = clk_now(clk_system());
	bool screen = !wish->json && screen_open();
	struct buf before = {0};
	struct view v = {0};
	struct err ignored;
	int result;

	for (;;) {
		result = take(&v, pg, wish, e);
		if (result == 0 && screen)
			screen_draw(v.text.bytes, v.head);
		else if (result == 0)
			result = put_news(&v, &before, wish, e);
		if (result != 0 || (v.ended && wish->count > 0))
			break;
		result = check_time(&v, began, timeout, e);
		if (result == 0)
			screen_wait(DRAW_MS);
		if (result == 0 && reader_gone())
			break;
		if (result == 0)
			result = sig_check(e);
		if (result != 0)
			break;
	}
	if (screen) {
		screen_close();
		/* The last picture stays, on the screen where the command was given. */
		if (v.text.length > 0 && put(v.text.bytes, v.text.length, &ignored) != 0)
			e->code = err_worse(e->code, ignored.code);
	}
	/* A signal is how one leaves. */
	if (result != 0 && (e->code == ERR_SIGINT || e->code == ERR_SIGTERM))
		e->message[0] = '\0';
	*code = v.worst;
	buf_fini(&before);
	view_fini(&v);
	return result;
}
