#ifndef FLOW_SITE_H
#define FLOW_SITE_H

#include <stdbool.h>
#include <stdint.h>

struct cache;
struct err;
struct pg;
struct queue;
struct search;
struct site;
struct store;

/*
 * Where csvp works: configuration (cli/config.h) turned into open handles.
 * Loads the configuration, finds or starts the database (DESIGN 4, "The
 * embedded default"), and checks that it is migrated: the private one migrates
 * itself, another is 78 naming `csvp-admin migrate`.
 */
struct site *site_open(struct err *e);
void site_close(struct site *site);

/* The same for one who is about to search: what that needs is made ready meanwhile. */
struct site *site_open_to_search(struct err *e);

/* The same without the check, for `csvp-admin migrate` and `psql`. */
struct site *site_open_unmigrated(struct err *e);

/*
 * For a server that opens its site when it is asked something: is the configuration such as can be used, as far as that
 * is known without what stands behind its URLs? 78 if not.
 */
int site_check(struct err *e) __attribute__((warn_unused_result));

/* Are the rates in the settings, which are the throttles' first, rates? 78 if not. */
int site_check_rates(struct err *e) __attribute__((warn_unused_result));

/*
 * A session for work: its writes are no edits. It is given back by
 * site_release, which keeps it for the next call if it is as it was, or closed
 * by pg_close if it has temporary tables, settings or locks. A handle is one
 * thread's at a time; these functions may be called from any.
 */
struct pg *site_connect(const struct site *site, struct err *e);
void site_release(const struct site *site, struct pg *pg);

/* Start a private server that has died, and that nobody has stopped (opening a session does): was it? */
bool site_revive(const struct site *site);

/* A new session as the server gives it, for who looks at the server itself; closed by the caller. */
struct pg *site_open_session(const struct site *site, struct err *e);

/* The object store of this site; closed by the caller. */
struct store *site_store(const struct site *site, struct err *e);

/* The same, for who asks whether it is there: what fails is not tried again for a minute. */
struct store *site_store_hasty(const struct site *site, struct err *e);

/* The search index, the queue and the cache; closed by the caller, or kept for the next call. */
struct search *site_search(const struct site *site, struct err *e);
void site_release_search(const struct site *site, struct search *search);
struct queue *site_queue(const struct site *site, struct err *e);
void site_release_queue(const struct site *site, struct queue *queue);
struct cache *site_cache(const struct site *site, struct err *e);
void site_release_cache(const struct site *site, struct cache *cache);

/* The URL of the search index; valid until site_close. */
const char *site_search_url(const struct site *site);

/* CSVP_VISIBILITY in milliseconds: how long a message is hidden from others while its worker shows no sign of life. */
int64_t site_visibility(const struct site *site);

/* What libpq connects with, and the schema of the users' tables; valid until site_close. */
const char *site_conninfo(const struct site *site);
const char *site_store_url(const struct site *site);
const char *site_schema(const struct site *site);

/* CSVP_HOME or its default; freed by the caller. */
char *site_home(struct err *e);

/* Is a database named in the configuration (then there is no private one)? */
bool site_database_named(void);

#endif
