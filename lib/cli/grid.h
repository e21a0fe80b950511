#ifndef CLI_GRID_H
#define CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>

struct grid;

/*
 * A table for people: columns as wide as their content, cut with an ellipsis
 * to fit the terminal's width (not cut when stdout is no terminal), numbers
 * right-aligned, widths counted in terminal cells (wcwidth), control
 * characters and bytes that are not UTF-8 shown as \xNN. A table with too many
 * columns for the terminal is printed as one "header  value" line a field,
 * rows apart by a blank line. Bold header on a terminal unless NO_COLOR is set.
 */
struct grid *grid_new(const char *const *headers, const bool *right, size_t columns);
void grid_row(struct grid *g, const char *const *cells); /* NULL cell: empty */
void grid_print(struct grid *g);                         /* on stdout */
void grid_free(struct grid *g);

/* Columns of the terminal on this descriptor, 80 if it is none. */
int grid_width(int fd);

#endif
