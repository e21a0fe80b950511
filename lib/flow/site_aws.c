#include "flow/site_aws.h"

#include <stddef.h>

#include "cli/config.h"

static const char *
first_setting(const char *const *names)
{
	for (; *names != NULL; names++)
		if (config_get(*names) != NULL)
			return config_get(*names);
	return NULL;
}

struct aws
site_aws(const char *const *endpoints)
{
	return (struct aws){
	    .access_key = config_get("AWS_ACCESS_KEY_ID"),
	    .secret_key = config_get("AWS_SECRET_ACCESS_KEY"),
	    .session_token = config_get("AWS_SESSION_TOKEN"),
	    .region = config_get("AWS_REGION"),
	    .endpoint = first_setting(endpoints),
	    .ca_file = config_get("AWS_CA_BUNDLE"),
	};
}
