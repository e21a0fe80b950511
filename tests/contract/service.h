#ifndef CONTRACT_SERVICE_H
#define CONTRACT_SERVICE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"

/* A server of this test program's own, by scripts/services (or the ready-made one that it names). */
struct service {
	char *folder;
	char *url;
};

/* `variable` is the one that says where it is: CSVP_QUEUE_URL. False, said as a skipped case, if it is not installed. */
static bool
service_start(struct service *service, const char *name, const char *variable)
{
	const char *above = getenv("TEST_TMP");
	char *command, line[400] = "";
	size_t length = strlen(variable);
	FILE *pipe;
	int status;

	service->folder = buf_format("%s/csvp-service.XXXXXX", above != NULL ? above : "/tmp");
	if (mkdtemp(service->folder) == NULL)
		abort();
	command = buf_format("export CSVP_SERVICES_DIR=%s; scripts/services start %s && scripts/services env %s 2>&1 |"
			     " sed -n 's/^export //p'",
	    service->folder, name, name);
	pipe = popen(command, "r");
	free(command);
	if (pipe == NULL)
		abort();
	while (fgets(line, sizeof line, pipe) != NULL)
		if (strncmp(line, variable, length) == 0 && line[length] == '=')
			service->url = buf_strndup(line + length + 1, strcspn(line + length + 1, "\n"));
	status = pclose(pipe);
	if (service->url != NULL)
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 66) {
		fprintf(stderr, "%s does not start: status %d\n", name, status);
		exit(1);
	}
	printf("skip - %s: not installed; scripts/services install %s\n", name, name);
	return false;
}

static void
service_stop(struct service *service)
{
	char *command =
	    buf_format("CSVP_SERVICES_DIR=%s scripts/services stop; rm -rf %s", service->folder, service->folder);

	if (system(command) != 0)
		fprintf(stderr, "%s: its servers did not stop\n", service->folder);
	free(command);
	free(service->folder);
	free(service->url);
}

#endif
