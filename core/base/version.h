/* SPDX-License-Identifier: Apache-2.0 */
/* The version, from a small object of its own so that a new commit compiles nothing else. */
#ifndef WEIR_BASE_VERSION_H
#define WEIR_BASE_VERSION_H

extern const char weir_version[];

#endif
