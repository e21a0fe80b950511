#ifndef SCHEMA_JSON_H
#define SCHEMA_JSON_H

#include <stdbool.h>

/*
 * A JSON text (RFC 8259) read forward where it stands: no tree, and every
 * number as it is written (a reader of doubles would round versions). Texts
 * are decoded in place, so nothing is read twice. After a fault `bad` is set
 * and every call says that there is nothing more.
 */
struct json {
	char *at; /* what is read next; NUL-terminated */
	bool bad;
	bool first; /* nothing of the object or array just entered was read */
};

/* What is read is an object / an array: go into it; false, with nothing read, if it is not. */
bool json_object(struct json *j);
bool json_array(struct json *j);

/* The next member of the object gone into: its name, and its value is read next; false behind the last one. */
bool json_member(struct json *j, char **name);

/* Is there a next element in the array gone into? It is read next. */
bool json_element(struct json *j);

/* A text, or a number, true or false as text; NULL for null. An object or array is a fault. */
char *json_text(struct json *j);

/* Pass over a value, whatever it is. */
void json_skip(struct json *j);

#endif
