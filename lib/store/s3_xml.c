#include "store/s3_xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Append what "&...;" at *p stands for and move *p behind it; false if it is no reference that we know. */
static bool
reference(const char **p, struct buf *text)
{
	static const struct {
		const char *name;
		char byte;
	} names[] = {{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};
	const char *begin = *p + 1;
	char *end;
	long code;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(begin, names[i].name, strlen(names[i].name)) == 0) {
			buf_byte(text, names[i].byte);
			*p = begin + strlen(names[i].name);
			return true;
		}
	if (*begin != '#')
		return false;
	code = begin[1] == 'x' ? strtol(begin + 2, &end, 16) : strtol(begin + 1, &end, 10);
	/* Beyond ASCII there is nothing of ours; it must only not look like it. */
	if (*end != ';' || code <= 0)
		return false;
	buf_byte(text, code < 128 ? (char)code : '?');
	*p = end + 1;
	return true;
}

bool
s3_xml_next(const char **at, const char *name, struct buf *text)
{
	size_t length = strlen(name);
	const char *p = *at;

	buf_reset(text);
	buf_append(text, "", 0);
	while ((p = strchr(p, '<')) != NULL) {
		p++;
		if (strncmp(p, name, length) == 0 && p[length] == '>')
			break;
	}
	if (p == NULL)
		return false;
	for (p += length + 1; *p != '\0' && *p != '<';)
		if (*p != '&' || !reference(&p, text))
			buf_byte(text, *p++);
	*at = p;
	return true;
}

bool
s3_xml_find(const char *document, const char *name, struct buf *text)
{
	const char *at = document != NULL ? document : "";

	return s3_xml_next(&at, name, text);
}
