# SPDX-License-Identifier: Apache-2.0
#
# Weir. Targets:
#	all (default)    the program and every plugin whose library is here; the last lines say what was skipped and why
#	install, uninstall   below PREFIX; nothing of it needs the source tree
#	deps             install the Debian or Fedora packages listed in packaging/ (as root or with sudo)
#	quickstart       build, run conf/laptop.yaml on ./var and watch it (DURATION=8s: for so long; else until Ctrl-C)
#	check            all tests; T=PATTERN: those whose name contains it
#	lint, format     rules of the sources; clang-format
#	docs, docs-check generate docs/plugins and the man pages from the tables; are they fresh?
#	bench, fuzz      benchmarks; libFuzzer with clang, FUZZ_SECONDS for each target
#	clean, help
#
# Variables:
#	O=DIR            folder of results; default build, build-san-address-undefined, build-coverage, ...
#	SAN=address,undefined | thread     sanitizers        COVERAGE=1   for gcov        FAILPOINTS=1   -DWEIR_FAILPOINTS
#	CC CFLAGS CPPFLAGS LDFLAGS         as everywhere; what Weir itself needs is added
#	WERROR=1         warnings are errors; so with CI=true
#	EXPECT="NAMES"   fail unless these plugins are built (perf, stores/timescale)
#	PREFIX=/usr/local DESTDIR= BINDIR LIBDIR INCLUDEDIR MANDIR DATADIR UNITDIR
#	V=1              show the commands
#
# Plugins are found, never listed: plugins/{samplers,parsers,stores}/NAME.c or NAME/*.c. The first comment of a file says what
# libraries it needs; scripts/needs.sh tells how.

ifeq ($(origin CC),default)
CC = gcc
endif
.DEFAULT_GOAL := all
PKG_CONFIG ?= pkg-config
CFLAGS ?= $(if $(SAN)$(COVERAGE),-O1,-O2) -g
comma := ,
O ?= build$(if $(SAN),-san-$(subst $(comma),-,$(SAN)))$(if $(COVERAGE),-coverage)$(if $(FAILPOINTS),-failpoints)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
override O := $(patsubst %/,%,$(O))

LAYERS = base data config plugin wire flow cli
CORE_NEEDS = libevent_core libevent_extra yaml-0.1 libxxhash
CORE_USES =
CORE_SOURCES := $(sort $(wildcard $(LAYERS:%=core/%/*.c)))
CORE_OBJECTS := $(CORE_SOURCES:%.c=$(O)/obj/%.o) $(O)/obj/version.o
# For tests. The command line's verbs need its main; a test of one names it (with: core/cli/NAME.c).
LIB_OBJECTS := $(filter-out $(O)/obj/core/cli/%,$(CORE_OBJECTS))

# ---- what is here ----
# These targets look at nothing but themselves, so they run on a machine without compiler; check and quickstart install one.
BARE = help clean deps quickstart check fuzz format
ifneq ($(filter-out $(BARE),$(or $(MAKECMDGOALS),all)),)
BUILDING := $(shell CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' CORE_NEEDS='$(CORE_NEEDS)' CORE_USES='$(CORE_USES)' \
	scripts/needs.sh '$(O)' core plugins tests fuzz bench && echo yes)
$(if $(BUILDING),,$(error cannot write to '$(O)'))
include $(O)/needs.mk
$(if $(CORE_MISSING),$(error not installed: $(CORE_MISSING); run 'make deps' as root or with sudo))
endif

# ---- flags ----
STD = -std=gnu11 -D_GNU_SOURCE
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes $(if $(filter true,$(CI))$(WERROR),-Werror)
# Not of the flags that make other objects: the result is the same wherever the tree lies.
REPRODUCIBLE = -ffile-prefix-map=$(abspath $(O))=build -ffile-prefix-map=$(CURDIR)=.
HARDENING = $(if $(SAN),,$(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)) \
	-fstack-protector-strong -fstack-clash-protection
INSTRUMENT = $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer \
	$(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=undefined)) $(if $(COVERAGE),--coverage)
ALL_CFLAGS = $(STD) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) $(INSTRUMENT) -fvisibility=hidden \
	$(if $(FAILPOINTS),-DWEIR_FAILPOINTS)
ALL_LDFLAGS = -Wl,-z,relro,-z,now -Wl,--as-needed $(INSTRUMENT) $(LDFLAGS)
LIBS = $(CORE_LIBS) -lpthread -ldl -lm

# Objects depend on this file: other flags make other objects.
ifdef BUILDING
FLAGS := $(strip $(shell $(CC) -dumpfullversion 2>/dev/null) $(CC) $(ALL_CFLAGS) $(CORE_CFLAGS) $(ALL_LDFLAGS) $(LIBS))
ifneq ($(file <$(O)/flags.txt),$(FLAGS))
$(file >$(O)/flags.txt,$(FLAGS))
endif
# A tag of git, else VERSION; in one small object, so that a new commit compiles nothing else.
VERSION := $(or $(if $(wildcard .git),$(patsubst v%,%,$(shell git describe --tags --dirty --match 'v*' 2>/dev/null))),$(file <VERSION))
VERSION_C := extern const char weir_version[]; const char weir_version[] = "$(VERSION)";
ifneq ($(file <$(O)/version.c),$(VERSION_C))
$(file >$(O)/version.c,$(VERSION_C))
endif
STALE := $(filter-out $(PLUGINS),$(wildcard $(O)/plugins/*/*.so))
endif
quiet = $(if $(V),,@printf '  %-5s %s\n' $(1) $(patsubst $(O)/%,%,$@);)

# ---- results ----
all: summary
summary: $(O)/weir $(O)/libweir-core.a $(PLUGINS)
	@rm -f $(STALE)
	@EXPECT='$(EXPECT)' scripts/summary.sh '$(O)' $(PLUGINS:$(O)/plugins/%.so=%)

# A folder changes when a file of it goes away.
$(O)/weir $(O)/libweir-core.a: $(wildcard $(LAYERS:%=core/%))
$(O)/weir: $(CORE_OBJECTS) $(O)/flags.txt
	$(call quiet,LINK)$(CC) $(ALL_LDFLAGS) -pie -Wl,--export-dynamic -Wl,--exclude-libs,ALL -o $@ $(CORE_OBJECTS) $(LIBS)
$(O)/libweir-core.a: $(LIB_OBJECTS)
	$(call quiet,AR)rm -f $@ && $(AR) rcsD $@ $(LIB_OBJECTS)
$(PLUGINS): $(O)/flags.txt
	$(call quiet,SO)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -shared -o $@ $(filter %.o,$^) $(PLUGIN_LIBS) -lm
$(TESTS) $(BENCHES): $(O)/libweir-core.a $(O)/flags.txt
$(REPLAYS): $(O)/obj/tests/fuzz/replay.o $(O)/libweir-core.a $(O)/flags.txt
$(FUZZERS): $(O)/libweir-core.a $(O)/flags.txt
$(FUZZERS): ALL_LDFLAGS += -fsanitize=fuzzer
# The whole archive: a plugin that a test loads finds what the test itself does not call.
$(TESTS) $(BENCHES) $(REPLAYS) $(FUZZERS):
	$(call quiet,LINK)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -pie -Wl,--export-dynamic -o $@ $(filter %.o,$^) \
		-Wl,--whole-archive $(O)/libweir-core.a -Wl,--no-whole-archive $(TEST_LIBS) $(LIBS)

compile = $(call quiet,CC)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(REPRODUCIBLE) $(1) $(NEEDS_CFLAGS) -MMD -MP -c -o $@ $<
$(O)/obj/core/%.o: core/%.c $(O)/flags.txt
	$(call compile,-fPIE -Icore -Icore/include $(CORE_CFLAGS))
$(O)/obj/plugins/%.o: plugins/%.c $(O)/flags.txt
	$(call compile,-fPIC -Icore/include)
$(O)/obj/tests/%.o: tests/%.c $(O)/flags.txt
	$(call compile,-fPIE -I. -Icore -Icore/include -Itests $(CORE_CFLAGS))
$(O)/obj/version.o: $(O)/version.c $(O)/flags.txt
	$(call compile,-fPIE)
-include $(patsubst %.o,%.d,$(sort $(CORE_OBJECTS) $(PLUGIN_OBJECTS) $(TEST_OBJECTS)))
.DELETE_ON_ERROR:

# ---- checks ----
RUN = CC='$(CC)' O='$(abspath $(O))' SAN='$(SAN)' scripts/with-build.sh
check:
	@scripts/deps.sh --quiet build plugins test
	@$(MAKE) --no-print-directory check-built
check-built: all $(TESTS) $(REPLAYS)
	@$(RUN) tests/run.py --build '$(O)' $(if $(T),--filter '$(T)') $(TESTS_SKIPPED:%=--missing %) $(REPLAYS_SKIPPED:%=--missing %)
lint: all
	@$(RUN) tests/lint/lint.py
docs docs-check: all
	@$(RUN) scripts/docs.py $@
bench: all $(BENCHES)
	@$(RUN) scripts/bench.sh $(BENCHES)
fuzz:
	@$(MAKE) --no-print-directory O='$(O)-fuzz' CC=clang SAN=fuzzer-no-link,address,undefined fuzz-built
fuzz-built: $(FUZZERS)
	@$(RUN) scripts/fuzz.sh '$(FUZZ_SECONDS)' $(FUZZERS)
format:
	clang-format -i $(or $(FILES),$(shell find core plugins portal tests -name '*.[ch]' 2>/dev/null | sort))

# ---- the rest ----
LOCATIONS = PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' BINDIR='$(BINDIR)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' \
	MANDIR='$(MANDIR)' DATADIR='$(DATADIR)' UNITDIR='$(UNITDIR)' VERSION='$(VERSION)'
install: all
	@$(LOCATIONS) scripts/install.sh install '$(O)' $(PLUGINS)
uninstall:
	@$(LOCATIONS) scripts/install.sh uninstall '$(O)' $(PLUGINS)
deps:
	@scripts/deps.sh
quickstart:
	@DURATION='$(DURATION)' O='$(O)' scripts/quickstart.sh
clean:
	rm -rf build build-san-* build-coverage* build-failpoints* build-fuzz $(filter-out build,$(O))
help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile
.PHONY: all summary install uninstall deps check check-built lint format docs docs-check bench fuzz fuzz-built quickstart clean help
