#include <cjson/cJSON.h>
#include <stdio.h>

#include "admin.h"
#include "base/err.h"

int
admin_print_json(cJSON *object, struct err *e)
{
	char *text = cJSON_PrintUnformatted(object);

	cJSON_Delete(object);
	if (text == NULL)
		return err_set(e, ERR_AGAIN, "out of memory");
	puts(text);
	cJSON_free(text);
	return 0;
}
