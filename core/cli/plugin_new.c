/* SPDX-License-Identifier: Apache-2.0 */
/* weir plugin new: a plugin to start from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/plugin.h"
#include "plugin/scaffold.h"

/* The name is also that of its schema. */
static int
check_name(const char *name)
{
	if (!name_valid(name))
		return cli_usage("plugin", "'%s' is no name for a plugin: write [a-z][a-z0-9_]*", name);
	if (!strncmp(name, "weir", 4))
		return cli_usage("plugin", "'%s': names that begin with 'weir' are Weir's own", name);
	if (name_reserved_sql(name))
		return cli_usage(
			"plugin", "'%s' is a reserved word of SQL, so no rows can be named so", name);
	return EXIT_DONE;
}

int
plugin_new(int argc, char **argv)
{
	struct text made = { 0 };
	struct weir_err err = { 0 };

	if (argc != 4)
		return cli_usage("plugin", "new sampler|parser|store NAME DIR");
	enum weir_kind kind = plugin_kind_named(argv[1]);

	if (!kind)
		return cli_usage("plugin", "'%s' is not sampler, parser or store", argv[1]);
	int rc = check_name(argv[2]);

	if (rc)
		return rc;
	if (scaffold_write(kind, argv[2], argv[3], &made, &err)) {
		text_free(&made);
		return cli_fail(EXIT_CANNOT_CREATE, "%s", err.text);
	}
	text_printf(&made, "next: cd %s && make test\n", argv[3]);
	rc = cli_write(&made);
	text_free(&made);
	return rc;
}
