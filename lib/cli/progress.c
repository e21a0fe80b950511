#include "cli/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "cli/grid.h"
#include "cli/options.h"
#include "cli/span.h"

#define REDRAW_MS 100
#define JSON_MS 1000
/* Rates and ETA of the first moments are noise. */
#define SETTLED_MS 500

struct progress {
	struct progress_figures figures;
	const struct clk *clk;
	int64_t started; /* -1: the work has not begun; before it a stage of a pipeline only waits */
	int64_t reported;
	bool json;
	bool terminal;
	bool drawn; /* the line stands on the terminal */
};

/* Log lines and references come from anywhere and hold no handle: what is on the terminal is one per process. */
static struct progress *current;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
append_size(struct buf *out, uint64_t bytes)
{
	static const char units[] = "kMGTPE";
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		buf_printf(out, "%" PRIu64 " B", bytes);
		return;
	}
	for (; value >= 1024; unit++)
		value /= 1024;
	buf_printf(out, "%.1f %cB", value, units[unit]);
}

/* Milliseconds still to go at the speed so far; -1 unknown. */
static int64_t
remaining(const struct progress_figures *f)
{
	if (f->total == 0 || f->bytes <= f->first_bytes || f->elapsed < SETTLED_MS)
		return -1;
	if (f->bytes >= f->total)
		return 0;
	return (int64_t)((double)f->elapsed * (double)(f->total - f->bytes) / (double)(f->bytes - f->first_bytes));
}

void
progress_text(const struct progress_figures *f, size_t width, struct buf *out)
{
	size_t begin = out->length;
	int64_t left = remaining(f);

	buf_printf(out, "%s  ", f->verb);
	append_size(out, f->bytes);
	if (f->total > 0) {
		uint64_t done = f->bytes < f->total ? f->bytes : f->total;

		buf_string(out, " of ");
		append_size(out, f->total);
		buf_printf(out, "  %d%%", (int)((double)done * 100 / (double)f->total));
	}
	if (f->records > f->first_records && f->elapsed >= SETTLED_MS)
		buf_printf(
		    out, "  %.0f records/s", (double)(f->records - f->first_records) * 1000 / (double)f->elapsed);
	if (left >= 0) {
		buf_string(out, "  ETA ");
		span_text(out, (left + 999) / 1000);
	}
	if (out->length - begin > width) {
		out->length = begin + width;
		out->bytes[out->length] = '\0';
	}
}

void
progress_json(const struct progress_figures *f, struct buf *out)
{
	int64_t left = remaining(f);

	buf_printf(out,
	    "{\"verb\":\"%s\",\"bytes\":%" PRIu64 ",\"total\":%" PRIu64 ",\"records\":%" PRIu64 ",\"seconds\":%" PRId64
	    ".%" PRId64 ",\"eta\":",
	    f->verb, f->bytes, f->total, f->records, f->elapsed / 1000, f->elapsed % 1000 / 100);
	if (left < 0)
		buf_string(out, "null}\n");
	else
		buf_printf(out, "%" PRId64 ".%" PRId64 "}\n", left / 1000, left % 1000 / 100);
}

static void
put(struct buf *text)
{
	ssize_t ignored = write(STDERR_FILENO, text->bytes, text->length);

	(void)ignored;
	buf_fini(text);
}

/*
 * The programs of a pipeline share a terminal: who holds this lock draws. A
 * POSIX lock belongs to the process and goes with it, however it ends; where
 * the terminal cannot be locked everybody draws.
 */
static bool
own_terminal(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(STDERR_FILENO, F_SETLK, &whole) == 0 || (errno != EACCES && errno != EAGAIN);
}

static void
disown_terminal(void)
{
	struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	(void)fcntl(STDERR_FILENO, F_SETLK, &whole);
}

static void
erase(struct buf *text)
{
	buf_string(text, "\r\033[K");
}

static void
draw(struct progress *p)
{
	struct buf text = {0};

	if (!own_terminal())
		return;
	erase(&text);
	/* One cell less: a full line makes some terminals wrap, and an erased wrapped line leaves its first half. */
	progress_text(&p->figures, (size_t)grid_width(STDERR_FILENO) - 1, &text);
	put(&text);
	p->drawn = true;
}

static void
report(struct progress *p)
{
	struct buf text = {0};

	if (p->json) {
		progress_json(&p->figures, &text);
		put(&text);
	} else if (p->terminal) {
		draw(p);
	}
}

/* The clock starts with the work; true if it does so now. */
static bool
measure(struct progress *p)
{
	int64_t now = clk_now(p->clk);
	bool begins = p->started < 0;

	if (begins)
		p->started = now;
	p->figures.elapsed = now - p->started;
	return begins;
}

void
progress_hide(void)
{
	pthread_mutex_lock(&lock);
	/* Even if another program of the pipeline drew the line: it draws again within a tenth of a second. */
	if (current != NULL && current->terminal) {
		struct buf text = {0};

		erase(&text);
		put(&text);
	}
}

void
progress_show(void)
{
	if (current != NULL && current->drawn)
		draw(current);
	pthread_mutex_unlock(&lock);
}

struct progress *
progress_new(const char *verb)
{
	return progress_new_clock(verb, clk_system());
}

struct progress *
progress_new_clock(const char *verb, const struct clk *clk)
{
	struct progress *p = buf_calloc(1, sizeof *p);

	p->figures.verb = verb;
	p->clk = clk;
	p->started = -1;
	p->json = options_progress_json();
	p->terminal = !p->json && log_level() != LOG_QUIET && isatty(STDERR_FILENO) != 0;
	pthread_mutex_lock(&lock);
	current = p;
	pthread_mutex_unlock(&lock);
	/* Never taken back: both do nothing without a line, and a log line of another thread may be between the two. */
	if (p->terminal)
		log_around(progress_hide, progress_show);
	return p;
}

void
progress_total(struct progress *p, uint64_t bytes)
{
	pthread_mutex_lock(&lock);
	p->figures.total = bytes;
	(void)measure(p);
	pthread_mutex_unlock(&lock);
}

void
progress_add(struct progress *p, uint64_t bytes, uint64_t records)
{
	pthread_mutex_lock(&lock);
	p->figures.bytes += bytes;
	p->figures.records += records;
	if (measure(p)) {
		p->figures.first_bytes = bytes;
		p->figures.first_records = records;
	}
	if (p->figures.elapsed - p->reported >= (p->json ? JSON_MS : REDRAW_MS)) {
		p->reported = p->figures.elapsed;
		report(p);
	}
	pthread_mutex_unlock(&lock);
}

void
progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&lock);
	if (p->json) {
		if (p->started >= 0)
			(void)measure(p);
		report(p);
	}
	if (p->drawn) {
		struct buf text = {0};

		erase(&text);
		put(&text);
		disown_terminal();
	}
	if (current == p)
		current = NULL;
	pthread_mutex_unlock(&lock);
	free(p);
}
