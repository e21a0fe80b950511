/* Apart from site.c: a program that needs no store is not linked with its libraries, whose loading takes 2 ms. */
#include <stdlib.h>

#include "flow/site.h"
#include "flow/site_aws.h"
#include "store/store.h"

struct store *
site_store(const struct site *site, struct err *e)
{
	static const char *const endpoints[] = {"AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL", NULL};
	struct aws aws = site_aws(endpoints);

	return store_open(
	    &(struct store_options){.url = site_store_url(site), .aws = &aws, .spill = getenv("TMPDIR")}, e);
}
