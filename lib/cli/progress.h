#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

struct progress;

/*
 * A progress line on stderr, only if stderr is a terminal and not -q: verb,
 * bytes done of total, percent, records/s, ETA; redrawn at most 10 times a
 * second and cleared at the end. With --progress=json instead one JSON object
 * a line, at most one a second, whatever stderr is:
 * {"verb":"load","bytes":0,"total":0,"records":0,"seconds":0.0,"eta":null}.
 * Any thread may add. total 0: unknown.
 */
struct progress *progress_new(const char *verb);
void progress_total(struct progress *p, uint64_t bytes);
void progress_add(struct progress *p, uint64_t bytes, uint64_t records);
void progress_free(struct progress *p);

#endif
