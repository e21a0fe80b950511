/* Apart from site.c: a program that needs no store is not linked with its libraries, whose loading takes 2 ms. */
#include <stdbool.h>
#include <stdlib.h>

#include "flow/site.h"
#include "flow/site_aws.h"
#include "flow/site_internal.h"
#include "store/store.h"

static struct store_options
options_of(const struct site *site, struct aws *aws)
{
	static const char *const endpoints[] = {"AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL", NULL};

	*aws = site_aws(endpoints);
	return (struct store_options){.url = site_store_url(site), .aws = aws, .spill = getenv("TMPDIR")};
}

static struct store *
open_store(const struct site *site, bool hasty, struct err *e)
{
	struct aws aws;
	struct store_options options = options_of(site, &aws);

	options.hasty = hasty;
	return store_open(&options, e);
}

struct store *
site_store(const struct site *site, struct err *e)
{
	return open_store(site, false, e);
}

struct store *
site_store_hasty(const struct site *site, struct err *e)
{
	return open_store(site, true, e);
}

int
site_check(struct err *e)
{
	struct site *site = site_read(e);
	struct aws aws;
	int result = site != NULL ? site_check_urls(site, e) : -1;

	if (result == 0) {
		const struct store_options options = options_of(site, &aws);

		result = store_check(&options, e);
	}
	site_close(site);
	return result;
}
