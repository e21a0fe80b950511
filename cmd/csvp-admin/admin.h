#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

/*
 * The subcommands, one a file: argv[0] is the subcommand's name, what follows
 * are its options and operands. Each returns the program's exit code.
 */
int admin_config(int argc, char **argv);

#endif
