#ifndef UPLOAD_DRY_RUN_H
#define UPLOAD_DRY_RUN_H

struct err;
struct site;
struct upload;

/*
 * -n: read the file, store nothing, print on stdout what would be loaded. Rejects end it as they would end csvp-load: 65, or 3
 * without a message in *e.
 */
int dry_run(const struct site *site, const struct upload *u, struct err *e) __attribute__((warn_unused_result));

#endif
