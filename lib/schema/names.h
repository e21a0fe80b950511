#ifndef SCHEMA_NAMES_H
#define SCHEMA_NAMES_H

#include <stddef.h>

struct err;

/*
 * PostgreSQL names from headers, such that they can be typed without quotes.
 *
 *   Organization Id            organization_id        letters lowered, every other run of bytes is one `_`
 *   " Name (full) "            name_full              none at either end
 *   usageType                  usage_type             a capital behind a small letter begins a word;
 *   HTTPServer2Name, CO2Level  http_server2_name ...  behind a capital or digit only if small letters follow
 *   URL, IDs, 3D, H2O          url, ids, _3d, h2o     it: one behind a digit, two behind a capital
 *   Größe, ΑΒΓ, Имя, 名前      größe, αβγ, имя, 名前  letters beyond ASCII stay; Latin-1, Latin Extended-A,
 *                                                     Greek and Cyrillic are lowered (Unicode's simple mapping)
 *   Price €, a–b, x²           price, a_b, x          signs beyond ASCII, and bytes that are no UTF-8, separate
 *   2024, 1st                  _2024, _1st            no name begins with a digit
 *   "", "--"                   column_3               no letter and no digit: by position, from 1
 *   _version, _id              version, id            so the extra columns `_version`, `_id` never collide
 *   Order, user, xmin          order_, user_, xmin_   reserved words and system columns of PostgreSQL
 *   over 63 bytes              54 bytes_1a2b3c4d      cut at a character, hash of the whole header behind it
 *   "A b" and "a_b"            a_b and a_b_2          collisions count up, past names other headers have
 *   "a" and "a"                error                  identical headers, empty ones excepted
 */

/* One header's name, not looking at others; `position` counts columns from 1. The caller frees it. */
char *names_column(const char *header, size_t position);

/*
 * The same for a dataset's table: without any letter or digit it is
 * dataset_HASH; pg_... gets a `_` behind, since the catalog's names come first.
 */
char *names_table(const char *dataset);

/*
 * Names for all headers of a file, in order, all different. Errors (65):
 * identical headers, naming both positions; more columns than a table can
 * have beside the two extra ones. names[] gets strings that the caller frees,
 * none on error.
 */
int names_columns(const char *const *headers, size_t count, char **names, struct err *e)
    __attribute__((warn_unused_result));

/*
 * The default dataset name for a file: its base name without .gz or .zst, then
 * without .csv, .tsv or .txt, in any case. The caller frees it.
 */
char *names_dataset(const char *path);

#endif
