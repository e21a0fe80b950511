#ifndef CONTRACT_SERVICES_H
#define CONTRACT_SERVICES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"

/*
 * Real servers for a contract test, from scripts/services, in a folder of this
 * test's own. TEST_TMP is set by tests/run, and by services_begin if not.
 */
static inline void
services_begin(void)
{
	static char folder[] = "/tmp/services-XXXXXX";
	char *state;

	if (getenv("TEST_TMP") == NULL && (mkdtemp(folder) == NULL || setenv("TEST_TMP", folder, 1) != 0))
		abort();
	state = buf_format("%s/services", getenv("TEST_TMP"));
	setenv("CSVP_SERVICES_DIR", state, 1);
	free(state);
}

/* Set the environment that the server's clients find it by. */
static inline void
services_export(const char *name)
{
	char *command = buf_format("scripts/services env %s", name);
	FILE *lines = popen(command, "r");
	char line[500];

	free(command);
	if (lines == NULL)
		abort();
	while (fgets(line, sizeof line, lines) != NULL) {
		char *value = strchr(line, '=');

		line[strcspn(line, "\n")] = '\0';
		if (value != NULL && strncmp(line, "export ", 7) == 0) {
			*value = '\0';
			setenv(line + 7, value + 1, 1);
		}
	}
	if (pclose(lines) != 0)
		abort();
}

/* Start it and set the environment; false, with a skipped case, if it is not installed. Ends the test if it fails. */
static inline bool
services_start(const char *name)
{
	char *command = buf_format("scripts/services start %s", name);
	int status = system(command);

	free(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 66) {
		printf("skip - %s: not installed; hint: scripts/services install %s\n", name, name);
		return false;
	}
	if (status != 0) {
		printf("not ok - %s does not start\n", name);
		exit(1);
	}
	services_export(name);
	return true;
}

/* End those that were started. */
static inline void
services_end(void)
{
	if (system("scripts/services stop") != 0)
		printf("not ok - the services do not stop\n");
}

#endif
