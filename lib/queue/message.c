#include "queue/message.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "csv/utf8.h"

/* Beyond it a JSON number is no longer every integer (RFC 8259, 6). */
static const double largest = 9007199254740991.0;

static void
print_text(struct buf *body, const char *name, const char *text)
{
	char *clean = buf_strdup(text), *quoted;
	size_t length = strlen(clean);
	cJSON *string;

	for (size_t at = utf8_flaw(clean, length); at < length; at += utf8_flaw(clean + at, length - at))
		clean[at] = '?';
	string = cJSON_CreateStringReference(clean);
	quoted = string != NULL ? cJSON_PrintUnformatted(string) : NULL;
	buf_printf(body, ",\"%s\":%s", name, quoted != NULL ? quoted : "null");
	cJSON_free(quoted);
	cJSON_Delete(string);
	free(clean);
}

void
message_print(const struct message *m, struct buf *body)
{
	buf_printf(body, "{\"job\":%" PRId64, m->job);
	if (m->chunk >= 0)
		buf_printf(body, ",\"chunk\":%" PRId64, m->chunk);
	if (m->stage != NULL)
		print_text(body, "stage", m->stage);
	if (m->error != NULL)
		print_text(body, "error", m->error);
	buf_byte(body, '}');
}

/* A whole number from `least`; one that is missing leaves *out alone. */
static bool
take_number(const cJSON *object, const char *name, double least, int64_t *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (item == NULL)
		return true;
	/* The range first: not every double is an int64_t. */
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= least && item->valuedouble <= largest) ||
	    (double)(int64_t)item->valuedouble != item->valuedouble)
		return false;
	*out = (int64_t)item->valuedouble;
	return true;
}

static bool
take_text(const cJSON *object, const char *name, char **out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsString(item))
		*out = buf_strdup(item->valuestring);
	return item == NULL || cJSON_IsString(item);
}

int
message_parse(const char *body, struct message *m, struct err *e)
{
	cJSON *object = cJSON_ParseWithOpts(body, NULL, true);
	bool good;

	*m = (struct message){.chunk = -1};
	good = cJSON_IsObject(object) && take_number(object, "job", 1, &m->job) && m->job > 0 &&
	       take_number(object, "chunk", 0, &m->chunk) && take_text(object, "stage", &m->stage) &&
	       take_text(object, "error", &m->error);
	cJSON_Delete(object);
	if (good)
		return 0;
	message_fini(m);
	return err_set(e, ERR_DATA, "no message of csvp: %.200s", body);
}

void
message_fini(struct message *m)
{
	free(m->stage);
	free(m->error);
	*m = (struct message){.chunk = -1};
}
