#include "throttle.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "call.h"
#include "db/pg.h"
#include "flow/site.h"
#include "ledger/rate.h"
#include "ledger/throttle.h"

static int
answer(struct call *c, struct pg *pg, struct err *e)
{
	cJSON *object = cJSON_CreateObject();

	for (int i = 0; i < THROTTLE_COUNT; i++) {
		struct rate rate;
		char text[RATE_TEXT];

		if (throttle_get(pg, (enum throttle_resource)i, &rate, e) != 0) {
			cJSON_Delete(object);
			return -1;
		}
		rate_print(&rate, text);
		cJSON_AddStringToObject(object, throttle_name((enum throttle_resource)i), text);
	}
	return response_json(&c->response, 200, object);
}

int
api_throttle_show(struct call *c, struct err *e)
{
	struct pg *pg = site_connect(c->site, e);
	int result = pg != NULL ? answer(c, pg, e) : -1;

	site_release(c->site, pg);
	return result;
}

/* What the body says of each: all of it is right before anything is set. 0; 1 it is not, and the call is answered. */
static int
read_rates(struct call *c, const cJSON *body, bool given[THROTTLE_COUNT], struct rate rates[THROTTLE_COUNT])
{
	cJSON *errors = cJSON_CreateArray(), *object;
	const cJSON *member;

	cJSON_ArrayForEach(member, body)
	{
		enum throttle_resource resource;
		struct err why = {0};

		if (!throttle_find(member->string, &resource))
			err_set(&why, ERR_USAGE, "has no throttle: load and index have");
		else if (!cJSON_IsString(member))
			err_set(&why, ERR_USAGE, "must be text as 5000/s, 2MB/s or unlimited");
		else if (rate_parse(member->valuestring, &rates[resource], &why) == 0)
			given[resource] = true;
		if (why.code == ERR_NONE)
			continue;
		object = cJSON_CreateObject();
		cJSON_AddStringToObject(object, "name", member->string);
		cJSON_AddStringToObject(object, "reason", why.message);
		cJSON_AddItemToArray(errors, object);
	}
	if (errors->child != NULL) {
		response_invalid(&c->response, errors, "no rate was set");
		return 1;
	}
	cJSON_Delete(errors);
	return 0;
}

int
api_throttle_set(struct call *c, struct err *e)
{
	bool given[THROTTLE_COUNT] = {false};
	struct rate rates[THROTTLE_COUNT];
	struct pg *pg = NULL;
	cJSON *body;
	int result = call_json(c, &body, e);

	if (result != 0)
		return result < 0 ? -1 : 0;
	if (read_rates(c, body, given, rates) == 0) {
		pg = site_connect(c->site, e);
		result = pg != NULL ? 0 : -1;
		for (int i = 0; result == 0 && i < THROTTLE_COUNT; i++)
			if (given[i])
				result = throttle_set(pg, (enum throttle_resource)i, &rates[i], e);
		if (result == 0)
			result = answer(c, pg, e);
	}
	site_release(c->site, pg);
	cJSON_Delete(body);
	return result;
}
