#ifndef DB_PRIVATE_INTERNAL_H
#define DB_PRIVATE_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

struct buf;
struct err;

/*
 * Where things are and whom they belong to. Only the folder's owner, the user
 * the server runs as, touches what is inside it: see private_child_run.
 *
 *   HOME/postgres/data  the cluster; locks are taken on HOME/postgres itself
 *   HOME/postgres/log   its logs, a week of them; start.log: its last start's first words
 *   HOME/postgres/run   its socket, if that path is short enough
 */
struct private_home {
	char *path;    /* HOME, canonical */
	char *folder;  /* HOME/postgres */
	char *data;    /* HOME/postgres/data */
	char *sockets; /* the socket's folder */
	bool outside;  /* ... is not in HOME */
	char *user;    /* whom the server runs as */
	uid_t uid;
	gid_t gid;
};

#define PRIVATE_PORT "5432"      /* names the socket only: each has a folder of its own */
#define PRIVATE_SUPERUSER "csvp" /* whoever can reach the socket is it */

/* private_home.c: 1 and *h filled, 0 there is no such folder (*h is empty), -1. */
int private_home_find(const char *home, struct private_home *h, struct err *e) __attribute__((warn_unused_result));
/* The same, making the folder if it is missing, and HOME/postgres: 0 or -1. */
int private_home_make(const char *home, struct private_home *h, struct err *e) __attribute__((warn_unused_result));
/* The folder of the socket must be the server user's alone: 1 it is, 0 there is none, -1. */
int private_home_sockets(const struct private_home *h, struct err *e) __attribute__((warn_unused_result));
void private_home_fini(struct private_home *h);

/*
 * private_child.c: run `work` in a child that is the server's user and stands
 * in HOME/postgres, which need not be reachable by name for it: the home it
 * gets has relative paths. Returns what work returned, with its error. A signal
 * is passed on, so that work ends early.
 */
int private_child_run(const struct private_home *h, int (*work)(const struct private_home *h, struct err *e),
    struct err *e) __attribute__((warn_unused_result));
/*
 * What to call the folder `path` on the command line of a program run with it:
 * `path`, or /proc/self/fd/3 if the way there is barred (to the server's user,
 * by a folder above that only root may enter).
 */
const char *private_child_folder(const char *path);
/* Run a program and append what it prints; its exit status (127: not there) or -1. `folder` may be NULL. */
int private_child_output(const char *folder, const char *const *argv, struct buf *output, struct err *e)
    __attribute__((warn_unused_result));
/* Become a program that has `folder` (or NULL) as descriptor 3, `output` as 1 and 2, little environment, no terminal. */
void private_child_exec(const char *folder, int output, const char *const *argv) __attribute__((noreturn));

/* private_binaries.c: the folder of PostgreSQL's programs, of this major version or (0) the newest. 0 or -1 (69). */
int private_binaries_find(int version, struct buf *folder, int *found, struct err *e)
    __attribute__((warn_unused_result));

/* private_cluster.c: make the cluster, in HOME/postgres. */
int private_cluster_make(const struct private_home *h, struct err *e) __attribute__((warn_unused_result));

/*
 * private_server.c: the server process. All but the first are work for
 * private_child_run, by a caller that has the lock; they wait, 60 s at most.
 */
bool private_server_ready(const struct private_home *h);
/* Let one that is starting or stopping finish: 1 ready, 0 does not run, -1. */
int private_server_settle(const struct private_home *h, struct err *e) __attribute__((warn_unused_result));
int private_server_start(const struct private_home *h, struct err *e) __attribute__((warn_unused_result));
/* 1 stopped, 0 did not run, -1. */
int private_server_stop(const struct private_home *h, struct err *e) __attribute__((warn_unused_result));
#endif
