#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

struct err;
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

#endif
