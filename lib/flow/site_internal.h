#ifndef FLOW_SITE_INTERNAL_H
#define FLOW_SITE_INTERNAL_H

struct err;
struct site;

/* What the configuration says, without a database: for site_check_urls and site_close alone. */
struct site *site_read(struct err *e);

/* Can search index and queue have these URLs? 78 if not. */
int site_check_urls(const struct site *site, struct err *e) __attribute__((warn_unused_result));

#endif
