/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel itself says of a PMU: its type, how its terms lie in the config words, its named
 * events and their scales.
 */
#include "perf.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

bool
perf_pmu_type(const struct weir_ctx *ctx, const char *pmu, uint32_t *type)
{
	uint64_t value;

	if (!weir_slurp_u64(ctx, &value, PERF_DEVICES "/%s/type", pmu) || value > UINT32_MAX)
		return false;
	*type = (uint32_t)value;
	return true;
}

/*
 * Put the value into the bits of a format, lowest first: "config:0-7,32-35". False when the value
 * does not fit.
 */
static bool
place_bits(const char *format, uint64_t value, struct perf_code *code)
{
	uint64_t *word = &code->config;
	const char *at = strchr(format, ':');

	if (!at)
		return false;
	if (!strncmp(format, "config1:", 8))
		word = &code->config1;
	else if (!strncmp(format, "config2:", 8))
		word = &code->config2;
	else if (strncmp(format, "config:", 7))
		return false;
	do {
		char *end;
		unsigned long low = strtoul(at + 1, &end, 10), high = low;

		if (*end == '-')
			high = strtoul(end + 1, &end, 10);
		if (low > high || high > 63)
			return false;
		for (unsigned long bit = low; bit <= high; bit++, value >>= 1)
			*word |= (value & 1) << bit;
		at = end;
	} while (*at == ',');
	return !value;
}

static int
put_term(const struct weir_ctx *ctx, const char *pmu, char *term, bool nested,
	struct perf_code *code, struct weir_err *err)
{
	char *equals = strchr(term, '='), text[256], *end;
	uint64_t value = 1;

	if (equals) {
		*equals = '\0';
		value = strtoull(equals + 1, &end, 0);
		if (end == equals + 1 || *end)
			return weir_failx(err, -EINVAL, "'%s' of '%s/%s=%s/' is no number", equals + 1, pmu,
				term, equals + 1);
	}
	if (!*term || strchr(term, '/') || !strcmp(term, ".."))
		return weir_failx(err, -EINVAL, "'%s' is no term of PMU '%s'", term, pmu);
	if (weir_slurp(ctx, text, sizeof(text), PERF_DEVICES "/%s/format/%s", pmu, term) > 0) {
		if (!place_bits(text, value, code))
			return weir_failx(err, -EINVAL, "0x%llx does not fit '%s' (%s) of PMU '%s'",
				(unsigned long long)value, term, text, pmu);
		return 0;
	}
	if (!nested && !equals &&
		weir_slurp(ctx, text, sizeof(text), PERF_DEVICES "/%s/events/%s", pmu, term) > 0) {
		for (char *next, *part = strtok_r(text, ",", &next); part;
			 part = strtok_r(NULL, ",", &next)) {
			int rc = put_term(ctx, pmu, part, true, code, err);

			if (rc)
				return rc;
		}
		return 0;
	}
	if (equals && !strcmp(term, "config"))
		code->config |= value;
	else if (equals && !strcmp(term, "config1"))
		code->config1 |= value;
	else if (equals && !strcmp(term, "config2"))
		code->config2 |= value;
	else
		return weir_failx(
			err, -ENOENT, "PMU '%s' has neither a format nor an event '%s'", pmu, term);
	return 0;
}

int
perf_terms(const struct weir_ctx *ctx, const char *pmu, const char *terms, struct perf_code *code,
	struct weir_err *err)
{
	char text[256];
	size_t length = strlen(terms);

	*code = (struct perf_code){ .type = 0 };
	if (!perf_pmu_type(ctx, pmu, &code->type))
		return weir_failx(err, -ENOENT, "there is no PMU '%s' in '" PERF_DEVICES "'", pmu);
	if (!length || length >= sizeof(text))
		return weir_failx(err, -EINVAL, "PMU '%s': '%s' is no event", pmu, terms);
	memcpy(text, terms, length + 1);
	for (char *next, *term = strtok_r(text, ",", &next); term; term = strtok_r(NULL, ",", &next)) {
		int rc = put_term(ctx, pmu, term, false, code, err);

		if (rc)
			return rc;
	}
	return 0;
}

uint64_t
perf_scale(const struct weir_ctx *ctx, const char *pmu, const char *alias, uint64_t fallback)
{
	char text[64], unit[16] = "", *end;

	if (weir_slurp(ctx, text, sizeof(text), PERF_DEVICES "/%s/events/%s.scale", pmu, alias) <= 0)
		return fallback;
	/*
	 * The kernel writes a decimal point whatever the locale, and the agent never leaves the locale
	 * "C".
	 */
	double scale = strtod(text, &end);

	(void)weir_slurp(ctx, unit, sizeof(unit), PERF_DEVICES "/%s/events/%s.unit", pmu, alias);
	if (!strcmp(unit, "MiB"))
		scale *= 1048576;
	else if (!strcmp(unit, "KiB"))
		scale *= 1024;
	return end != text && scale >= 0.5 && scale < 65536 ? (uint64_t)llround(scale) : fallback;
}
