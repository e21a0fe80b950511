#ifndef RUN_PIPELINE_H
#define RUN_PIPELINE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "cli/refs.h"

/* The programs of a pipeline, each with its NULL-terminated arguments; argv[0] is the program's name. */
struct pipeline_stage {
	const char *const *argv;
};

/*
 * Run the stages joined by pipes and give each line that the last one prints
 * to `each`. The first stage has stdin; -1 from `each` ends the pipeline. The
 * programs are those beside this one, else those of PATH. SIGINT and SIGTERM
 * go to all of them. *code: the worst exit status, 75 for a stage that a signal
 * killed (130/143 if this program got one). -1: it could not be started.
 */
int pipeline_run(const struct pipeline_stage *stages, size_t count,
    int (*each)(void *ctx, const struct ref *ref, struct err *e), void *ctx, enum err_code *code,
    struct err *e) MUST_CHECK;

/*
 * Start one program in the background, with this one's stdin, stdout and stderr: its pid, or -1. It gets SIGTERM
 * when the thread that started it ends, however that ends.
 */
pid_t pipeline_start(const char *const *argv, struct err *e) MUST_CHECK;

/* Become this one program (execvp); returns only if that fails, -1. */
int pipeline_become(const char *const *argv, struct err *e) MUST_CHECK;

#endif
