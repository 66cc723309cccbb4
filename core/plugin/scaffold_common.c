/* SPDX-License-Identifier: Apache-2.0 */
/* What a new plugin of any kind begins with. */
#include "plugin/scaffold.h"

#include <stddef.h>

/* clang-format off */
static const char makefile[] =
	"# make, make test, make install. pkg-config must find Weir (PKG_CONFIG_PATH), the shell "
	"weir (PATH).\n"
	"NAME = @NAME@\n"
	"KIND = @KIND@\n"
	"WEIR ?= weir\n"
	"CC = gcc\n"
	"CFLAGS ?= -O2 -g\n"
	"PKG_CONFIG ?= pkg-config\n"
	"PLUGINDIR ?= $(shell $(PKG_CONFIG) --variable=plugindir weir)\n"
	"# What the plugin links against: -lz\n"
	"LIBS =\n"
	"\n"
	"all: $(NAME).so\n"
	"$(NAME).so: $(wildcard *.c *.h)\n"
	"\t$(PKG_CONFIG) --exists --print-errors weir\n"
	"\t$(CC) -std=gnu11 -Wall -Wextra $(CPPFLAGS) $(CFLAGS) $$($(PKG_CONFIG) --cflags weir) \\\n"
	"\t\t-fPIC -fvisibility=hidden -shared $(LDFLAGS) -o $@ $(filter %.c,$^) $(LIBS)\n"
	"\tchmod o-w $@\n"
	"test: all\n"
	"\tWEIR='$(WEIR)' sh tests/test.sh\n"
	"install: all\n"
	"\tmkdir -p '$(DESTDIR)$(PLUGINDIR)/$(KIND)s'\n"
	"\tcp $(NAME).so '$(DESTDIR)$(PLUGINDIR)/$(KIND)s/$(NAME).so'\n"
	"uninstall:\n"
	"\trm -f '$(DESTDIR)$(PLUGINDIR)/$(KIND)s/$(NAME).so'\n"
	"clean:\n"
	"\trm -f $(NAME).so\n"
	".PHONY: all test install uninstall clean\n";

/* clang-format on */

const struct scaffold_file scaffold_common[] = {
	{ "Makefile", makefile },
	{ NULL, NULL },
};
