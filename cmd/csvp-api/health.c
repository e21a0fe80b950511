#include "health.h"

#include <cjson/cJSON.h>

#include "call.h"

int
api_health_live(struct call *c, struct err *e)
{
	cJSON *object = cJSON_CreateObject();

	(void)e;
	cJSON_AddStringToObject(object, "status", "ok");
	return response_json(&c->response, 200, object);
}
