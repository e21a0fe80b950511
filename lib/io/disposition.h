#ifndef IO_DISPOSITION_H
#define IO_DISPOSITION_H

/*
 * Parameters of a MIME header, "VALUE; name=token; name=\"quoted\"" (RFC 2045,
 * 5.1; names in any case). In a quoted value a backslash stands before a quote
 * or a backslash only: browsers have sent whole Windows paths. NULL: it is not
 * there, or the header is broken before it. Freed by the caller.
 */
char *disposition_parameter(const char *header, const char *name);

/*
 * The file's name of a Content-Disposition: "filename*" (RFC 5987) if it is
 * in UTF-8, else "filename", in which %22, %0D and %0A are a quote, CR and LF,
 * as browsers and curl write them.
 */
char *disposition_file(const char *header);

#endif
