#include "cli/grid.h"

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/buf.h"
#include "cli/help.h"

#define GAP 2
/* Narrower, a cell tells nothing. */
#define CELL_MIN 8

/* A cell as it is printed: control characters already spelled out. */
struct cell {
	char *text;
	size_t cells;
	enum grid_colour colour;
};

struct grid {
	size_t columns;
	size_t rows; /* the header is row 0 */
	struct cell *cells;
	bool *right;
};

int
grid_width(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/*
 * The character at `text`: its bytes, and its width in cells; -1 if it is not
 * printable or not UTF-8 (RFC 3629), then one byte. Runs under C.UTF-8.
 */
static size_t
next_character(const char *text, int *width)
{
	wchar_t character;
	mbstate_t shift = {0};
	size_t bytes = mbrtowc(&character, text, strlen(text), &shift);

	*width = bytes < (size_t)-2 && bytes > 0 ? wcwidth(character) : -1;
	return *width < 0 ? 1 : bytes;
}

static struct cell
make_cell(const char *text)
{
	struct buf out = {0};
	size_t cells = 0;

	while (text != NULL && *text != '\0') {
		int width;
		size_t bytes = next_character(text, &width);

		if (width < 0) {
			buf_printf(&out, "\\x%02x", (unsigned char)*text);
			width = 4;
		} else {
			buf_append(&out, text, bytes);
		}
		cells += (size_t)width;
		text += bytes;
	}
	return (struct cell){buf_detach(&out), cells, GRID_PLAIN};
}

/* Widths are those of UTF-8 text whatever the person's locale: under `env -i` there is none. */
static locale_t
enter_utf8(locale_t *utf8)
{
	*utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return *utf8 != (locale_t)0 ? uselocale(*utf8) : (locale_t)0;
}

static void
leave_utf8(locale_t utf8, locale_t old)
{
	if (utf8 == (locale_t)0)
		return;
	uselocale(old);
	freelocale(utf8);
}

void
grid_row(struct grid *g, const char *const *cells)
{
	locale_t utf8, old = enter_utf8(&utf8);

	g->cells = buf_realloc(g->cells, (g->rows + 1) * g->columns, sizeof *g->cells);
	for (size_t i = 0; i < g->columns; i++)
		g->cells[g->rows * g->columns + i] = make_cell(cells[i]);
	g->rows++;
	leave_utf8(utf8, old);
}

void
grid_paint(struct grid *g, size_t column, enum grid_colour colour)
{
	g->cells[(g->rows - 1) * g->columns + column].colour = colour;
}

struct grid *
grid_new(const char *const *headers, const bool *right, size_t columns)
{
	struct grid *g = buf_calloc(1, sizeof *g);

	g->columns = columns;
	g->right = buf_calloc(columns, sizeof *g->right);
	if (columns > 0)
		memcpy(g->right, right, columns * sizeof *right);
	grid_row(g, headers);
	return g;
}

/* Bytes of `text` that fit into `limit` cells, and how many of them they fill. */
static size_t
fitting(const char *text, size_t limit, size_t *filled)
{
	size_t length = 0;

	*filled = 0;
	while (text[length] != '\0') {
		int width;
		size_t bytes = next_character(text + length, &width);

		if (width > 0 && *filled + (size_t)width > limit)
			break;
		*filled += width > 0 ? (size_t)width : 0;
		length += bytes;
	}
	return length;
}

static void
print_cell(struct buf *out, const struct cell *c, size_t width, bool right, bool last, bool colours)
{
	static const char *const begin[] = {"", "\033[32m", "\033[33m", "\033[31m"};
	size_t filled = c->cells, length = strlen(c->text);
	bool cut = c->cells > width, painted = colours && c->colour != GRID_PLAIN;

	if (cut) {
		length = fitting(c->text, width - 1, &filled);
		filled++;
	}
	if (right)
		buf_printf(out, "%*s", (int)(width - filled), "");
	buf_string(out, painted ? begin[c->colour] : "");
	buf_append(out, c->text, length);
	if (cut)
		buf_string(out, "…");
	buf_string(out, painted ? "\033[0m" : "");
	if (!right && !last)
		buf_printf(out, "%*s", (int)(width - filled), "");
}

static void
natural_widths(const struct grid *g, size_t *widths)
{
	for (size_t i = 0; i < g->columns; i++) {
		widths[i] = 0;
		for (size_t row = 0; row < g->rows; row++)
			if (g->cells[row * g->columns + i].cells > widths[i])
				widths[i] = g->cells[row * g->columns + i].cells;
	}
}

/* Cells of a line whose columns of text are no wider than `cap`. */
static size_t
line_width(const struct grid *g, const size_t *widths, size_t cap)
{
	size_t total = g->columns > 0 ? (g->columns - 1) * GAP : 0;

	for (size_t i = 0; i < g->columns; i++)
		total += g->right[i] || widths[i] < cap ? widths[i] : cap;
	return total;
}

/*
 * Cut the widest columns of text to one width, so that all fit; false if cells
 * would become too narrow to read. Half a number is a wrong one: never cut.
 */
static bool
shrink(const struct grid *g, size_t *widths, size_t limit)
{
	size_t cap = limit, spare;

	if (line_width(g, widths, SIZE_MAX) <= limit)
		return true;
	while (cap >= CELL_MIN && line_width(g, widths, cap) > limit)
		cap--;
	if (cap < CELL_MIN)
		return false;
	spare = limit - line_width(g, widths, cap);
	for (size_t i = 0; i < g->columns; i++) {
		if (g->right[i] || widths[i] <= cap)
			continue;
		widths[i] = cap + (spare > 0);
		spare -= spare > 0;
	}
	return true;
}

static void
print_table(const struct grid *g, const size_t *widths, bool bold, struct buf *out)
{
	for (size_t row = 0; row < g->rows; row++) {
		bool emphasis = bold && row == 0;

		if (emphasis)
			buf_string(out, "\033[1m");
		for (size_t i = 0; i < g->columns; i++) {
			if (i > 0)
				buf_printf(out, "%*s", GAP, "");
			print_cell(
			    out, &g->cells[row * g->columns + i], widths[i], g->right[i], i + 1 == g->columns, bold);
		}
		if (emphasis)
			buf_string(out, "\033[0m");
		buf_byte(out, '\n');
	}
}

static void
print_fields(const struct grid *g, bool bold, struct buf *out)
{
	size_t width = 0;

	for (size_t i = 0; i < g->columns; i++)
		if (g->cells[i].cells > width)
			width = g->cells[i].cells;
	for (size_t row = 1; row < g->rows; row++) {
		if (row > 1)
			buf_byte(out, '\n');
		for (size_t i = 0; i < g->columns; i++) {
			buf_string(out, bold ? "\033[1m" : "");
			print_cell(out, &g->cells[i], width, false, false, false);
			buf_printf(out, "%s  %s\n", bold ? "\033[0m" : "", g->cells[row * g->columns + i].text);
		}
	}
}

void
grid_text(const struct grid *g, size_t width, bool bold, struct buf *out)
{
	locale_t utf8, old = enter_utf8(&utf8);
	size_t *widths = buf_calloc(g->columns, sizeof *widths);

	natural_widths(g, widths);
	if (width == 0 || shrink(g, widths, width))
		print_table(g, widths, bold, out);
	else
		print_fields(g, bold, out);
	free(widths);
	leave_utf8(utf8, old);
}

void
grid_print(const struct grid *g)
{
	struct buf out = {0};

	grid_text(
	    g, isatty(STDOUT_FILENO) != 0 ? (size_t)grid_width(STDOUT_FILENO) : 0, help_bold(STDOUT_FILENO), &out);
	fwrite(out.bytes, 1, out.length, stdout);
	buf_fini(&out);
}

void
grid_free(struct grid *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->rows * g->columns; i++)
		free(g->cells[i].text);
	free(g->cells);
	free(g->right);
	free(g);
}
