#include "health.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/log.h"
#include "call.h"
#include "flow/doctor.h"
#include "flow/site.h"

/* Anybody may ask, and each examination writes to the store: so long an answer is good. */
enum { GOOD_FOR_MS = 1000, PATIENCE_S = 3 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t examined;
	bool examining; /* by one request, without the lock */
	int64_t at;
	bool ready;
	char *json; /* NULL: never examined */
} last = {.lock = PTHREAD_MUTEX_INITIALIZER, .examined = PTHREAD_COND_INITIALIZER};

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

/* Ask every service. */
static char *
examine(struct call *c, bool *ready)
{
	cJSON *object = cJSON_CreateObject(), *services = cJSON_CreateObject();
	struct err e = {0};
	char *json;

	if (call_site(c, &e) == 0) {
		*ready = doctor_ready(c->site, add_finding, services) == ERR_NONE;
	} else {
		log_error("not ready: %s", e.message);
		cJSON_AddStringToObject(services, "database", "failed");
		*ready = false;
	}
	cJSON_AddStringToObject(object, "status", *ready ? "ok" : "failed");
	cJSON_AddItemToObject(object, "services", services);
	json = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	return json;
}

static bool
is_good(void)
{
	return last.json != NULL && clk_now(clk_system()) - last.at <= GOOD_FOR_MS;
}

/* Many who ask at once get one answer; a service that lets one of them wait does not take the threads of all. */
static void
await_other(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE_S;
	while (last.examining && pthread_cond_timedwait(&last.examined, &last.lock, &end) == 0)
		;
}

int
api_health_ready(struct call *c, struct err *e)
{
	(void)e;
	pthread_mutex_lock(&last.lock);
	if (last.examining) {
		await_other();
	} else if (!is_good()) {
		char *json;
		bool ready;

		last.examining = true;
		pthread_mutex_unlock(&last.lock);
		json = examine(c, &ready);
		pthread_mutex_lock(&last.lock);
		free(last.json);
		last.json = json;
		last.ready = ready;
		last.at = clk_now(clk_system());
		last.examining = false;
		pthread_cond_broadcast(&last.examined);
	}
	/* One who is still at it waits for a service that does not answer. */
	if (last.examining)
		response_text(&c->response, 503, "application/json", "{\"status\":\"failed\",\"services\":{}}");
	else
		response_text(&c->response, last.ready ? 200 : 503, "application/json", last.json);
	pthread_mutex_unlock(&last.lock);
	return 0;
}
