/* SPDX-License-Identifier: Apache-2.0 */
/* ${env:X}, ${env:X:-text}, ${file:/p}, ${cred:n} in scalars; $${ stands for ${. One pass: what
 * comes in is not looked at again. */
#ifndef WEIR_CONFIG_SUBSTITUTE_H
#define WEIR_CONFIG_SUBSTITUTE_H

#include "config/node.h"

/* Only the form of every ${...} below `node`; faults are reported and mark the scalar broken. */
void substitute_check(struct node *, const char *where, struct report *);
/* Replaces below `node`; scalars already broken or substituted are left alone. -ENOMEM is the only
 * error returned. */
int substitute(struct node *, const char *where, struct arena *, struct report *);

#endif
