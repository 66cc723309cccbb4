/* SPDX-License-Identifier: Apache-2.0 */
/* Speaking to a running instance through its control socket. */
#ifndef WEIR_CLI_CLIENT_H
#define WEIR_CLI_CLIENT_H

#include <weir/error.h>

/* --control PATH, else $WEIR_CONTROL, else the default. */
const char *client_path(const char *given);
/* Connect and send one request line; the descriptor, or -errno and a sentence that says what to do.
 */
int client_request(const char *path, const char *request, struct weir_err *);
/* An exit code for a failed request. */
int client_exit_code(int error);

#endif
