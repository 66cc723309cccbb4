/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a configuration for a verb: what is wrong goes to standard error, and becomes an exit
 * code. */
#include "flow/settings.h"

#include <errno.h>
#include <stdio.h>

#include "cli/cli.h"

int
cli_judge(const char *path, const char *host, struct registry **registry, struct settings **set,
	struct report **report)
{
	struct weir_err err = { 0 };

	*report = report_new();
	int rc = *report ? settings_load(path, host, registry, *report, set, &err) : -ENOMEM;

	if (!rc)
		return report_errors(*report) ? EXIT_CONFIG : EXIT_DONE;
	report_free(*report);
	*report = NULL;
	return cli_fail(rc == -ENOENT ? EXIT_NO_INPUT : EXIT_CONFIG, "%s%s",
		err.text[0] ? err.text : "out of memory",
		rc == -ENOENT ? " ('weir config init agent' writes a starter)" : "");
}

int
cli_settings(const char *path, const char *host, struct registry **registry, struct settings **set)
{
	struct report *report;
	struct text text = { 0 };
	int rc = cli_judge(path, host, registry, set, &report);

	if (report)
		report_print(report, &text);
	if (text.size)
		fwrite(text.data, 1, text.size, stderr);
	text_free(&text);
	report_free(report);
	return rc;
}
