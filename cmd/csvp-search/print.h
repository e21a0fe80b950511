#ifndef CSVP_SEARCH_PRINT_H
#define CSVP_SEARCH_PRINT_H

#include <stdbool.h>

#include "search/search.h"

struct printer;

/* How records are printed: "table", "ndjson", "csv", "json"; 64 for another name. */
enum print_format { PRINT_TABLE, PRINT_NDJSON, PRINT_CSV, PRINT_JSON };
int print_format(const char *name, enum print_format *format, struct err *e) MUST_CHECK;

/* Print records on stdout in bounded memory. The shape must outlive it. */
struct printer *print_new(enum print_format format, const struct shape *shape);
void print_free(struct printer *printer);

/* A search_each; ctx is the printer. 74 if it cannot be written, 130/143 if a signal ended the wait for the reader. */
int print_hit(void *ctx, const struct search_hit *hit, struct err *e);

/* What stands behind the last record. */
int print_end(struct printer *printer, const struct search_page *page, struct err *e) MUST_CHECK;

/* Print the values of a page's facets instead: column, value (none: no value), count. */
int print_facets(
    enum print_format format, const struct shape *shape, const struct search_page *page, struct err *e) MUST_CHECK;

/* Records printed; and whether the last failure was that the reader had gone, a quiet end. */
uint64_t print_count(const struct printer *printer);
bool print_closed(const struct printer *printer);

#endif
