#ifndef CONTRACT_STORES_H
#define CONTRACT_STORES_H

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/err.h"
#include "net/aws.h"
#include "store/store.h"
#include "../unit/scratch.h"
#include "services.h"

/*
 * The same cases over every driver of an object store: a file store of its
 * own, s3: on two servers, s3+v2: on the one of them that speaks it, or each
 * URL (separated by blanks) of CSVP_TEST_STORE_URL.
 */
static const char *given; /* the URL the cases run over now; NULL: a file store made anew for each */
static char *url;
static char *folder; /* of the keys of this case: a bucket may be shared */
static struct store *store;
static struct err e;

/* A source of `length` bytes that begin with `seed`; `before_end` is called when half of them were given. */
struct made {
	size_t length;
	size_t given;
	unsigned seed;
	int (*half)(struct err *e);
};

static inline char
made_byte(unsigned seed, size_t at)
{
	return (char)(seed + at * 7 + at / 251);
}

static inline ssize_t
made_read(void *ctx, void *bytes, size_t capacity, struct err *err)
{
	struct made *made = ctx;
	char *to = bytes;
	size_t n = made->length - made->given;

	if (made->half != NULL && made->given >= made->length / 2 && made->half(err) != 0)
		return -1;
	if (n > capacity)
		n = capacity;
	/* Odd pieces, as a pipe or a decoder gives them. */
	if (n > 60001)
		n = 60001;
	for (size_t i = 0; i < n; i++)
		to[i] = made_byte(made->seed, made->given + i);
	made->given += n;
	return (ssize_t)n;
}

static inline const char *
key(const char *name)
{
	static char keys[4][256];
	static int next;
	char *to = keys[next++ % 4];

	snprintf(to, sizeof keys[0], "%s/%s", folder, name);
	return to;
}

static inline int
put(const char *name, size_t length, unsigned seed)
{
	struct made made = {.length = length, .seed = seed};
	uint64_t size;

	if (store_put(store, key(name), made_read, &made, &size, &e) != 0)
		return -1;
	ck_assert_uint_eq(size, length);
	return 0;
}

/* Read a range by pieces; 0, or -1 with e. Checks each byte. */
static inline int
get(const char *name, uint64_t offset, uint64_t length, unsigned seed)
{
	static char bytes[100000];
	struct object *object = store_get(store, key(name), offset, length, &e);
	uint64_t at = offset;
	ssize_t n;

	if (object == NULL)
		return -1;
	while ((n = store_read(object, bytes, sizeof bytes, &e)) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			if (bytes[i] != made_byte(seed, at))
				ck_abort_msg("byte %llu differs", (unsigned long long)at);
	if (n == 0)
		ck_assert_uint_eq(at, offset + length);
	store_release(object);
	return (int)n;
}

static inline void
expect_code(int status, enum err_code code)
{
	ck_assert_int_eq(status, -1);
	ck_assert_msg(e.code == code, "%d, not %d: %s", e.code, code, e.message);
}

static inline struct store *
open_store(void)
{
	struct aws aws = {
	    .access_key = getenv("AWS_ACCESS_KEY_ID"),
	    .secret_key = getenv("AWS_SECRET_ACCESS_KEY"),
	    .region = getenv("AWS_REGION"),
	    .endpoint = getenv("AWS_ENDPOINT_URL_S3"),
	};
	struct store *opened = store_open(&(struct store_options){.url = url, .aws = &aws}, &e);

	ck_assert_msg(opened != NULL, "%s", e.message);
	return opened;
}

static inline int
count_key(void *ctx, const char *name, struct err *err)
{
	(void)name;
	(void)err;
	++*(int *)ctx;
	return 0;
}

/* No trace of it: not got, not sized, not listed. */
static inline void
expect_invisible(const char *name)
{
	uint64_t size;
	int count = 0;

	expect_code(get(name, 0, 1, 0), ERR_NOINPUT);
	expect_code(store_size(store, key(name), &size, &e), ERR_NOINPUT);
	ck_assert_int_eq(store_list(store, key(name), count_key, &count, &e), 0);
	ck_assert_int_eq(count, 0);
}

static inline int
break_off(struct err *err)
{
	return err_set(err, ERR_AGAIN, "the source fails");
}

static inline void
begin(void)
{
	scratch_begin();
	url = given != NULL ? buf_strdup(given) : buf_format("file://%s/store", scratch);
	folder = buf_format("test-%d-%llx", getpid(), (unsigned long long)clk_random(clk_system()));
	store = open_store();
}

static inline int
remove_key(void *ctx, const char *name, struct err *err)
{
	(void)ctx;
	return store_remove(store, name, err);
}

static inline void
end(void)
{
	char *all = buf_format("%s/", folder);

	ck_assert_msg(store_list(store, all, remove_key, NULL, &e) == 0, "%s", e.message);
	store_close(store);
	free(all);
	free(url);
	free(folder);
	scratch_end();
}

/* The cases over one store; NULL: a file store. */
static inline int
run_over(const char *name, const TTest *const *tests, size_t count)
{
	given = name;
	return scratch_run_between(name != NULL ? name : "file store", begin, end, tests, count);
}

static inline int
stores_run(const TTest *const *tests, size_t count)
{
	static const char *const servers[] = {"minio", "versitygw"};
	static const char *const urls[] = {"s3://csvp-contract/some/prefix/", "s3+v2://csvp-contract-v2/some/prefix/"};
	const char *more = getenv("CSVP_TEST_STORE_URL");
	char *list = buf_strdup(more != NULL ? more : ""), *rest = list, *one;
	int failed = run_over(NULL, tests, count);

	while ((one = strsep(&rest, " ")) != NULL)
		if (one[0] != '\0')
			failed |= run_over(one, tests, count);
	free(list);
	services_begin();
	for (size_t i = 0; more == NULL && i < sizeof servers / sizeof *servers; i++)
		if (services_start(servers[i]))
			for (size_t j = 0; j < (i == 0 ? 2 : 1); j++)
				failed |= run_over(urls[j], tests, count);
	services_end();
	return failed;
}

#endif
