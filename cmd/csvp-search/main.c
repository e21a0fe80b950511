#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/options.h"
#include "flow/find.h"
#include "flow/site.h"
#include "print.h"
#include "search/query.h"

#define DEFAULT_LIMIT 100
#define NO_LIMIT_GIVEN UINT64_MAX

struct asked {
	const char *dataset;
	struct option_list where, facets;
	const char *sort;
	uint64_t limit;
	const char *cursor;
	bool all, count, must_hit;
	const char *format;
	const char *highlight; /* NULL: not given; "": with the marks by default */
};

static int
check(struct asked *a, enum print_format *format, struct err *e)
{
	*format = isatty(STDOUT_FILENO) ? PRINT_TABLE : PRINT_NDJSON;
	if (a->dataset == NULL)
		return err_set(e, ERR_USAGE, "which dataset? hint: -d DATASET");
	if (a->all && a->limit != NO_LIMIT_GIVEN)
		return err_set(e, ERR_USAGE, "--all and --limit exclude each other");
	if (a->count && a->cursor != NULL)
		return err_set(e, ERR_USAGE, "--count and --cursor exclude each other: a count is of all pages");
	if (a->facets.count > 0 && (a->count || a->all))
		return err_set(e, ERR_USAGE, "--facet excludes --count and --all");
	return a->format != NULL ? print_format(a->format, format, e) : 0;
}

static int
make_query(struct query *q, const struct asked *a, char *const *words, const struct shape *shape, struct err *e)
{
	for (; *words != NULL; words++)
		if (query_text(q, *words, e) != 0)
			return -1;
	for (size_t i = 0; i < a->where.count; i++)
		if (query_where(q, shape, a->where.values[i], e) != 0)
			return err_prefix(e, "--where");
	if (a->sort != NULL && query_sort(q, shape, a->sort, e) != 0)
		return err_prefix(e, "--sort");
	for (size_t i = 0; i < a->facets.count; i++)
		if (query_facet(q, shape, a->facets.values[i], e) != 0)
			return err_prefix(e, "--facet");
	if (a->highlight != NULL && query_highlight(q, *a->highlight != '\0' ? a->highlight : NULL, e) != 0)
		return err_prefix(e, "--highlight");
	if (a->cursor != NULL)
		q->cursor = buf_strdup(a->cursor);
	q->limit = a->all ? QUERY_ALL : a->limit != NO_LIMIT_GIVEN ? a->limit : DEFAULT_LIMIT;
	return 0;
}

static int
print_nothing(void *ctx, const struct search_hit *hit, struct err *e)
{
	(void)ctx, (void)hit, (void)e;
	return 0;
}

/* Words were taken for others: say so, once for all pages. */
static void
tell_mistyped(const struct asked *a, const struct search_page *page)
{
	if (page->mistyped != NULL && a->cursor == NULL)
		log_notice(
		    "no record has %s: words near to it are searched for; hint: in double quotes it is taken as it is",
		    page->mistyped);
}

/* --count: only the number. */
static int
count_hits(struct find *find, const struct asked *a, struct query *q, uint64_t *hits, struct err *e)
{
	struct search_page page;

	q->limit = 0;
	q->total = true;
	if (find_run(find, q, print_nothing, NULL, &page, e) != 0)
		return -1;
	*hits = page.total;
	printf("%" PRIu64 "\n", page.total);
	tell_mistyped(a, &page);
	search_page_fini(&page);
	return 0;
}

/* --facet: instead of records the values and how many have each; in a page as JSON they come beside the records. */
static int
print_values(
    struct find *find, const struct asked *a, struct query *q, enum print_format format, uint64_t *hits, struct err *e)
{
	struct search_page page;
	int result;

	q->limit = 0;
	q->total = true;
	if (find_run(find, q, print_nothing, NULL, &page, e) != 0)
		return -1;
	*hits = page.total;
	result = print_facets(format, find_shape(find), &page, e);
	tell_mistyped(a, &page);
	search_page_fini(&page);
	return result;
}

/* A page was cut off: how to go on. */
static void
tell_next(const struct asked *a, const char *next, uint64_t hits)
{
	if (a->limit == NO_LIMIT_GIVEN && a->cursor == NULL)
		log_notice("these are the first %" PRIu64 "; --all gives all, --count their number", hits);
	if (log_level() != LOG_QUIET)
		fprintf(stderr, "next: %s\n", next);
}

static int
print_hits(
    struct find *find, const struct asked *a, struct query *q, enum print_format format, uint64_t *hits, struct err *e)
{
	struct printer *printer = print_new(format, find_shape(find));
	struct search_page page = {0};
	int result;

	q->total = format == PRINT_JSON;
	result = find_run(find, q, print_hit, printer, &page, e);
	if (result == 0)
		result = print_end(printer, &page, e);
	*hits = print_count(printer);
	if (result == 0)
		tell_mistyped(a, &page);
	if (result == 0 && page.next != NULL && format != PRINT_JSON)
		tell_next(a, page.next, *hits);
	if (result != 0 && print_closed(printer)) {
		*e = (struct err){0};
		result = 0;
	}
	search_page_fini(&page);
	print_free(printer);
	return result;
}

static int
search(const struct asked *a, enum print_format format, char *const *words, uint64_t *hits, struct err *e)
{
	struct site *site = site_open_to_search(e);
	struct find *find = site != NULL ? find_open(site, a->dataset, e) : NULL;
	struct query q;
	int result = -1;

	query_init(&q);
	if (find != NULL && make_query(&q, a, words, find_shape(find), e) == 0)
		result = a->count                                      ? count_hits(find, a, &q, hits, e)
			 : a->facets.count > 0 && format != PRINT_JSON ? print_values(find, a, &q, format, hits, e)
								       : print_hits(find, a, &q, format, hits, e);
	query_fini(&q);
	find_close(find);
	site_close(site);
	return result;
}

int
main(int argc, char **argv)
{
	struct asked a = {.limit = NO_LIMIT_GIVEN};
	const struct option options[] = {
	    {"dataset", 'd', "DATASET", OPTION_STRING, &a.dataset, "where to search"},
	    {"where", 0, "EXPR", OPTION_LIST, &a.where,
		"only records with COL=V (or != < <= > >=), or \"COL is null\"; repeat it for more conditions"},
	    {"sort", 0, "COL[:desc]", OPTION_STRING, &a.sort, "order by this column (default: relevance, or the key)"},
	    {"limit", 0, "N", OPTION_COUNT, &a.limit, "print at most N records (default: 100)"},
	    {"cursor", 0, "CURSOR", OPTION_STRING, &a.cursor, "go on behind the page that printed \"next: CURSOR\""},
	    {"all", 0, NULL, OPTION_FLAG, &a.all, "print all records that match"},
	    {"count", 0, NULL, OPTION_FLAG, &a.count, "print only how many match"},
	    {"facet", 0, "COL", OPTION_LIST, &a.facets,
		"print the most frequent values of this column, and how many records have each; repeat it for more"},
	    {"highlight", 0, "?BEGIN,END", OPTION_STRING, &a.highlight,
		"put marks around the words that were found (default: [ and ])"},
	    {"format", 0, "FORMAT", OPTION_STRING, &a.format,
		"table, ndjson, csv or json (default: table on a terminal, else ndjson)"},
	    {"exit-code", 'e', NULL, OPTION_FLAG, &a.must_hit, "exit with 1 if nothing matches"},
	    {NULL, 0, NULL, OPTION_FLAG, NULL, NULL},
	};
	static const char *const environment[] = {"CSVP_DATABASE_URL", "CSVP_SEARCH_URL", "CSVP_CACHE_URL", "CSVP_HOME",
	    "CSVP_AUTOSTART", "CSVP_CONFIG", NULL};
	const struct program program = {"csvp-search", "-d DATASET [QUERY]...",
	    "Find records: by words, a \"quoted phrase\" or a prefix*, by conditions, or all.", options, environment};
	enum print_format format;
	struct err e = {0};
	uint64_t hits = 0;
	char **words;
	size_t count;
	int result, status;

	result = options_parse(&program, argc, argv, &words, &count, &e);
	if (result == 0)
		result = check(&a, &format, &e);
	if (result == 0)
		result = search(&a, format, words, &hits, &e);
	status = options_exit(&e);
	return result == 0 && status == 0 && a.must_hit && hits == 0 ? 1 : status;
}
