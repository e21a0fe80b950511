#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stddef.h>

struct cJSON;
struct err;
struct option;
struct program;

/*
 * The subcommands, one a file: argv[0] is the subcommand's name, what follows
 * are its options and operands. Each returns the program's exit code.
 */
int admin_config(int argc, char **argv);
int admin_control(int argc, char **argv); /* cancel, pause, resume */
int admin_create_index(int argc, char **argv);
int admin_dataset(int argc, char **argv);
int admin_dead(int argc, char **argv);
int admin_doctor(int argc, char **argv);
int admin_down(int argc, char **argv);
int admin_gc(int argc, char **argv);
int admin_migrate(int argc, char **argv);
int admin_psql(int argc, char **argv);
int admin_requeue(int argc, char **argv);
int admin_throttle(int argc, char **argv);
int admin_token(int argc, char **argv);
int admin_up(int argc, char **argv);
int admin_verify(int argc, char **argv);

/* A subcommand that takes no operands: parse its options, do its work (0 or -1), print its error. */
int admin_plain(const struct program *program, int argc, char **argv, int (*work)(void *ctx, struct err *e), void *ctx);

/* What a subcommand with verbs was asked for; each file has its own. */
struct request;

struct verb {
	const char *name, *operands, *purpose;
	size_t least, most; /* operands */
	int (*run)(struct request *r, struct err *e);
};

struct verbs {
	const struct verb *all;
	size_t count;
	struct option *table; /* the options, and rows of zeros: one a verb, and one behind them */
	/* Look at the operands behind the verb, as many as it takes, open what it needs, and run it. */
	int (*act)(struct request *r, const struct verb *verb, char **operands, size_t count, struct err *e);
};

/* As admin_plain for a subcommand with verbs, as `token create NAME`; the program's options are `table`. */
int admin_verbs(const struct program *program, const struct verbs *verbs, struct request *r, int argc, char **argv);

/* Print an object as one line of stdout, and free it. */
int admin_print_json(struct cJSON *object, struct err *e) __attribute__((warn_unused_result));

#endif
