#ifndef CLI_REDACT_H
#define CLI_REDACT_H

/*
 * The value of a setting as it may be shown: *** instead of the password of a
 * URL or of a libpq conninfo ("host=h password='p'"), and instead of the whole
 * value where the name says that it is a secret. The caller frees it.
 */
char *redact_value(const char *name, const char *value);

#endif
