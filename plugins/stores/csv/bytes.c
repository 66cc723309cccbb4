/* SPDX-License-Identifier: Apache-2.0 */
/* A growing buffer that gives memory back: a node has a buffer per schema and they must be small.
 */
#include "csv.h"

#include <errno.h>
#include <stdlib.h>

/* Below it a buffer is not worth giving back. */
#define CSV_SMALL 16384

int
csv_bytes_reserve(struct csv_bytes *bytes, size_t more)
{
	if (bytes->room - bytes->size >= more)
		return 0;
	size_t room = bytes->room ? bytes->room : 1024;
	while (room - bytes->size < more)
		room *= 2;
	char *data = realloc(bytes->data, room);
	if (!data)
		return -ENOMEM;
	bytes->data = data;
	bytes->room = room;
	return 0;
}

void
csv_bytes_reset(struct csv_bytes *bytes)
{
	size_t used = bytes->size;
	bytes->size = 0;
	if (bytes->room <= CSV_SMALL || used > bytes->room / 8)
		return;
	csv_bytes_free(bytes);
}

void
csv_bytes_free(struct csv_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct csv_bytes){ 0 };
}
