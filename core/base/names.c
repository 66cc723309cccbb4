/* SPDX-License-Identifier: Apache-2.0 */
/* Which names schemas, keys, columns and instances may have. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/*
 * What cannot stand unquoted as the name of a table or column: PostgreSQL's words of category R and
 * T (15, and system_user of 16), and what SQLite 3.40 and DuckDB 2.0 refuse there. Sorted as strcmp
 * does.
 */
static const char *const words[] = {
	"add",
	"all",
	"alter",
	"analyse",
	"analyze",
	"and",
	"anti",
	"any",
	"array",
	"as",
	"asc",
	"asof",
	"asymmetric",
	"at",
	"authorization",
	"autoincrement",
	"between",
	"binary",
	"both",
	"by",
	"case",
	"cast",
	"check",
	"collate",
	"collation",
	"column",
	"commit",
	"concurrently",
	"constraint",
	"create",
	"cross",
	"current_catalog",
	"current_date",
	"current_role",
	"current_schema",
	"current_time",
	"current_timestamp",
	"current_user",
	"default",
	"deferrable",
	"delete",
	"desc",
	"describe",
	"distinct",
	"do",
	"drop",
	"else",
	"end",
	"escape",
	"except",
	"exists",
	"false",
	"fetch",
	"for",
	"foreign",
	"freeze",
	"from",
	"full",
	"glob",
	"grant",
	"group",
	"having",
	"if",
	"ilike",
	"in",
	"index",
	"initially",
	"inner",
	"insert",
	"intersect",
	"into",
	"is",
	"isnull",
	"join",
	"lambda",
	"lateral",
	"leading",
	"left",
	"like",
	"limit",
	"localtime",
	"localtimestamp",
	"natural",
	"not",
	"nothing",
	"notnull",
	"null",
	"offset",
	"on",
	"only",
	"or",
	"order",
	"outer",
	"overlaps",
	"pivot",
	"pivot_longer",
	"pivot_wider",
	"placing",
	"positional",
	"primary",
	"qualify",
	"raise",
	"references",
	"returning",
	"right",
	"select",
	"semi",
	"session_user",
	"set",
	"show",
	"similar",
	"some",
	"summarize",
	"symmetric",
	"system_user",
	"table",
	"tablesample",
	"then",
	"to",
	"trailing",
	"transaction",
	"true",
	"union",
	"unique",
	"unpack",
	"unpivot",
	"update",
	"user",
	"using",
	"values",
	"variadic",
	"verbose",
	"when",
	"where",
	"window",
	"with",
};

static int
compare(const void *name, const void *word)
{
	return strcmp(name, *(const char *const *)word);
}

bool
name_valid(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return size <= 63 && name[size] == '\0' && name[0] >= 'a' && name[0] <= 'z';
}

bool
name_reserved_sql(const char *name)
{
	return bsearch(name, words, sizeof(words) / sizeof(words[0]), sizeof(words[0]), compare) !=
		   NULL;
}
