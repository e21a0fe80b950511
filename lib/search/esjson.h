#ifndef SEARCH_ESJSON_H
#define SEARCH_ESJSON_H

#include <stdbool.h>

/*
 * A JSON text (RFC 8259) read forward where it stands: no tree, and every
 * number as it is written (a reader of doubles would round versions). Texts
 * are decoded in place, so nothing is read twice. After a fault `bad` is set
 * and every call says that there is nothing more.
 */
struct esjson {
	char *at; /* what is read next; NUL-terminated */
	bool bad;
	bool first; /* nothing of the object or array just entered was read */
};

/* What is read is an object / an array: go into it; false, with nothing read, if it is not. */
bool esjson_object(struct esjson *j);
bool esjson_array(struct esjson *j);

/* The next member of the object gone into: its name, and its value is read next; false behind the last one. */
bool esjson_member(struct esjson *j, char **name);

/* Is there a next element in the array gone into? It is read next. */
bool esjson_element(struct esjson *j);

/* A text, or a number, true or false as text; NULL for null. An object or array is a fault. */
char *esjson_text(struct esjson *j);

/* Pass over a value, whatever it is. */
void esjson_skip(struct esjson *j);

#endif
