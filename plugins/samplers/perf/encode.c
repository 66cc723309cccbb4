/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event names through libpfm4. It stands alone because libpfm's perf_event.h and the kernel's
 * define the same things. pfm_initialize may be called any number of times: after the first it
 * returns at once. pfm_terminate is never called, as another instance of the process may be using
 * the library.
 */
#include "perf.h"

#include <errno.h>

#include <perfmon/pfmlib_perf_event.h>

int
perf_encode(const char *name, struct perf_code *code, struct weir_err *err)
{
	struct perf_event_attr attr = { .size = 0 };
	pfm_perf_encode_arg_t argument = { .attr = &attr, .size = sizeof(argument) };
	pfm_err_t rc = pfm_initialize();

	if (rc != PFM_SUCCESS)
		return weir_failx(err, -ENODEV, "cannot start libpfm: %s", pfm_strerror(rc));
	/* All levels: without PFM_PLMH it would exclude the hypervisor's. */
	rc = pfm_get_os_event_encoding(
		name, PFM_PLM0 | PFM_PLM3 | PFM_PLMH, PFM_OS_PERF_EVENT, &argument);
	if (rc != PFM_SUCCESS)
		return weir_failx(
			err, -ENOENT, "libpfm does not know the event '%s': %s", name, pfm_strerror(rc));
	*code = (struct perf_code){
		.type = attr.type,
		.config = attr.config,
		.config1 = attr.config1,
		.config2 = attr.config2,
		.exclude_user = attr.exclude_user,
		.exclude_kernel = attr.exclude_kernel,
	};
	return 0;
}
