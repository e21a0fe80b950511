#ifndef UPLOAD_DRY_RUN_H
#define UPLOAD_DRY_RUN_H

struct err;
struct site;
struct upload;

/* -n: read the file, store nothing, print on stdout what would be loaded. */
int dry_run(const struct site *site, const struct upload *u, struct err *e) __attribute__((warn_unused_result));

#endif
