#ifndef CLI_GRID_H
#define CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct grid;

/*
 * A table for people: columns as wide as their content, texts cut with an
 * ellipsis to fit the terminal's width (not cut when stdout is no terminal),
 * numbers right-aligned and never cut, widths counted in terminal cells
 * (wcwidth), control characters and bytes that are not UTF-8 shown as \xNN. A
 * table with too many columns for the terminal is printed as one
 * "header  value" line a field, rows apart by a blank line. Bold header, and
 * colours, on a terminal unless NO_COLOR is set.
 */
struct grid *grid_new(const char *const *headers, const bool *right, size_t columns);
void grid_row(struct grid *g, const char *const *cells); /* NULL cell: empty */
void grid_print(const struct grid *g);                   /* on stdout */
void grid_free(struct grid *g);

/* Colour a cell of the row that was added last. */
enum grid_colour { GRID_PLAIN, GRID_GREEN, GRID_YELLOW, GRID_RED };
void grid_paint(struct grid *g, size_t column, enum grid_colour colour);

/* Append what grid_print prints, fit for `width` cells (0: nothing is cut), with bold and colours or without. */
void grid_text(const struct grid *g, size_t width, bool bold, struct buf *out);

/* Columns of the terminal on this descriptor, 80 if it is none. */
int grid_width(int fd);

#endif
