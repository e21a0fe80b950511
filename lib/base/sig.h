#ifndef BASE_SIG_H
#define BASE_SIG_H

#include <stdbool.h>

struct err;

/*
 * SIGINT, SIGTERM, SIGHUP ask a program to finish or roll back its unit of
 * work and leave; a second one ends it at once (status 128 + signal), unless
 * it comes within 0.2 s: then it is the first, sent by two.
 * SIGPIPE is ignored: a write that fails with EPIPE is a quiet end.
 */
void sig_init(void);

/* Has one of them arrived? Cheap; for loops. */
bool sig_pending(void);

/* What a second one does before the end (NULL: nothing); async-signal-safe. */
void sig_before_end(void (*act)(void));

/* If one has arrived: set code 130 or 143, "interrupted by SIGNAL", return -1; else 0. */
int sig_check(struct err *e) __attribute__((warn_unused_result));

/*
 * A descriptor that becomes readable when a signal has arrived and stays so
 * (never read from it): for poll() beside a socket. -1 before sig_init.
 */
int sig_fd(void);

/* In a child between fork and exec: default actions again, and no signal blocked. */
void sig_default(void);

#endif
