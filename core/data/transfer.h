/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches between a process and its isolated children on one machine: plain bytes, every length
 * checked on the way back, because the other side may have run wild. Not a format for disks or
 * networks.
 */
#ifndef WEIR_DATA_TRANSFER_H
#define WEIR_DATA_TRANSFER_H

#include "base/text.h"
#include "data/builder.h"

void transfer_pack(const struct weir_batch *, struct text *out);
/* Rows of `schema` into a builder. -EBADMSG when the bytes are none; the builder is then as it was.
 */
int transfer_unpack(const void *data, size_t size, const struct weir_schema *schema,
	struct builder *, struct weir_err *);

#endif
