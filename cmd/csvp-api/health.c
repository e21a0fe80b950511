#include "health.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "call.h"
#include "flow/doctor.h"
#include "flow/site.h"

/* Anybody may ask, and each examination writes to the store: so long an answer is good. */
enum { GOOD_FOR_MS = 1000 };

static struct {
	pthread_mutex_t lock;
	int64_t at; /* 0: never */
	bool ready;
	char *json;
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

int
api_health_live(struct call *c, struct err *e)
{
	cJSON *object = cJSON_CreateObject();

	(void)e;
	cJSON_AddStringToObject(object, "status", "ok");
	return response_json(&c->response, 200, object);
}

/* The worst of each service; what was found is for the log, since anybody may ask. */
static void
add_finding(void *ctx, const struct doctor_finding *f)
{
	cJSON *services = ctx, *was = cJSON_GetObjectItemCaseSensitive(services, f->service);
	const char *grade = f->grade == DOCTOR_FAIL ? "failed" : f->grade == DOCTOR_WARN ? "warned" : "ok";

	if (f->grade == DOCTOR_FAIL)
		log_error("not ready: %s: %s", f->service, f->what);
	if (was == NULL)
		cJSON_AddStringToObject(services, f->service, grade);
	else if (strcmp(was->valuestring, "failed") != 0 && f->grade > DOCTOR_OK)
		cJSON_SetValuestring(was, grade);
}

/* Ask every service, unless that was done a moment ago. Under the lock: many who ask at once get one answer. */
static void
examine(struct call *c)
{
	cJSON *object = cJSON_CreateObject(), *services = cJSON_CreateObject();
	struct err e = {0};

	if (call_site(c, &e) == 0) {
		last.ready = doctor_ready(c->site, add_finding, services) == ERR_NONE;
	} else {
		log_error("not ready: %s", e.message);
		cJSON_AddStringToObject(services, "database", "failed");
		last.ready = false;
	}
	cJSON_AddStringToObject(object, "status", last.ready ? "ok" : "failed");
	cJSON_AddItemToObject(object, "services", services);
	free(last.json);
	last.json = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	last.at = clk_now(clk_system());
}

int
api_health_ready(struct call *c, struct err *e)
{
	(void)e;
	pthread_mutex_lock(&last.lock);
	if (last.json == NULL || clk_now(clk_system()) - last.at > GOOD_FOR_MS)
		examine(c);
	response_text(&c->response, last.ready ? 200 : 503, "application/json", last.json);
	pthread_mutex_unlock(&last.lock);
	return 0;
}
