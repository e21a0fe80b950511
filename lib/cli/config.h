#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

struct err;

/*
 * Settings by name (CSVP_DATABASE_URL, ...): the environment, else the config
 * file, else NULL. The file is CSVP_CONFIG (78 if it is named and missing),
 * else ~/.config/csvp/csvp.conf ($XDG_CONFIG_HOME), else /etc/csvp/csvp.conf:
 * NAME=value lines as in a systemd EnvironmentFile (comments with #, ' or "
 * quotes around a value). A line it cannot read, or an unknown CSVP_ name, is
 * 78 with file and line. An empty value counts as not set.
 */
int config_load(struct err *e) __attribute__((warn_unused_result));
const char *config_get(const char *name);

/* Where the value came from: "environment", "FILE:LINE" or "default"; static until the next call. */
const char *config_origin(const char *name);

/*
 * Each variable of the environment that begins with CSVP_ and that csvp does
 * not know, with the name that was meant if a typing mistake explains it, else
 * NULL. No error, as it is in a file: they may be another program's.
 */
void config_unknown(void (*each)(void *ctx, const char *name, const char *near), void *ctx);

/* Every name csvp knows, NULL-terminated, with its one-line meaning at the same index. */
const char *const *config_names(void);
const char *config_meaning(const char *name);

#endif
