# SPDX-License-Identifier: Apache-2.0
"""The build: plugins are found, skipped with the reason, rebuilt when they must be; two places give the same bytes; an
installed tree works without its sources and goes away without a trace."""
import hashlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
PLUGIN = """#include <weir/x.h>

__attribute__((visibility("default"))) int weir_plugin(void);

#define WEIR_PLUGIN(value) int weir_plugin(void) { return weir_x(value); }
WEIR_PLUGIN(1)
"""
SOURCES = {
	"core/include/weir/x.h": '__attribute__((visibility("default"))) int weir_x(int value);\n',
	"core/base/x.c": '#include <weir/x.h>\n\nint\nweir_x(int value)\n{\n\treturn value + __FILE__[0];\n}\n',
	"core/cli/main.c": "#include <weir/x.h>\n\nint\nmain(void)\n{\n\treturn weir_x(0) == 0;\n}\n",
	"plugins/samplers/one.c": PLUGIN,
	"plugins/samplers/two/a.c": PLUGIN,
	"plugins/samplers/two/b.c": "int two_b(void);\n\nint\ntwo_b(void)\n{\n\treturn 2;\n}\n",
	"plugins/stores/shared/c.c": "int shared(void);\n\nint\nshared(void)\n{\n\treturn 3;\n}\n",
	"plugins/stores/four.c": "/*\n * with: plugins/stores/shared\n */\n" + PLUGIN,
	"plugins/stores/three.c": "/*\n * A store.\n *\n * needs: zlib no-such-library\n */\n" + PLUGIN,
	"plugins/parsers/five.c": "/*\n * needs: <no/such/header.h> -lfive (package libfive-dev)\n */\n" + PLUGIN,
	"conf/laptop.yaml": "cluster: laptop\n",
	"conf/systemd/weir.service": "[Service]\nExecStart=@bindir@/weir run\n",
}


def clean_environment(**more):
	dropped = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "O", "SAN", "CC", "CI", "WERROR", "PREFIX", "DESTDIR")
	return {**{key: value for key, value in os.environ.items() if key not in dropped}, "LC_ALL": "C", **more}


def make(tree, *arguments, check=True):
	run = subprocess.run(
		["make", *arguments], cwd=tree, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
		check=False)
	assert not check or run.returncode == 0, run.stdout
	return run


def write_tree(root):
	for name, text in SOURCES.items():
		path = root / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(text if path.suffix not in (".c", ".h") else SPDX + text)
	shutil.copytree(ROOT / "scripts", root / "scripts")
	for name in ("Makefile", "VERSION"):
		shutil.copy(ROOT / name, root)
	return root


@pytest.fixture(scope="module")
def built(tmp_path_factory):
	root = write_tree(tmp_path_factory.mktemp("tree"))
	make(root, "-j2")
	return root


@pytest.fixture
def tree(built, tmp_path):
	# The times of the files are kept, else make would build anew.
	return shutil.copytree(built, tmp_path / "tree")


def results(root):
	return sorted(str(path.relative_to(root / "build")) for path in (root / "build").rglob("*.so"))


def test_plugins_are_found(built):
	assert results(built) == ["plugins/samplers/one.so", "plugins/samplers/two.so", "plugins/stores/four.so"]
	names = subprocess.run(
		["nm", built / "build/plugins/stores/four.so"], capture_output=True, text=True, check=True).stdout
	assert re.search(r" t shared$", names, re.M)


def test_skipped_plugins_are_named_with_package(built):
	text = (built / "build/skipped.txt").read_text()
	assert text == "parsers/five\tlibfive-dev\nstores/three\tno-such-library-dev\n"
	lines = make(built).stdout.splitlines()
	assert lines[-4:] == [
		"built build/weir and 3 plugins: samplers/one samplers/two stores/four",
		"skipped 2:",
		"  parsers/five (needs the package libfive-dev)",
		"  stores/three (needs the package no-such-library-dev)",
	]


def test_expected_plugin_must_be_built(built):
	assert make(built, "EXPECT=one stores/four", check=False).returncode == 0
	run = make(built, "EXPECT=one three", check=False)
	assert run.returncode != 0
	assert "expected plugin 'three' was not built" in run.stdout


def test_warnings_are_errors_where_asked(tree):
	(tree / "core/base/x.c").write_text("#include <weir/x.h>\nint weir_x(int value) { int unused; return value; }\n")
	assert "unused variable" in make(tree).stdout
	(tree / "core/base/x.c").touch()
	assert make(tree, "WERROR=1", "O=build-werror", check=False).returncode != 0


def test_nothing_changed_builds_nothing(built):
	assert make(built, "-q", "build/weir", "build/plugins/samplers/two.so", check=False).returncode == 0
	assert not re.search(r"^  (CC|LINK|SO|AR) ", make(built).stdout, re.M)


def compiled(output):
	return sorted(re.findall(r"^  CC +obj/(\S+)\.o$", output, re.M))


def test_header_rebuilds_what_includes_it(tree):
	later = time.time() + 5
	os.utime(tree / "core/include/weir/x.h", (later, later))
	assert compiled(make(tree).stdout) == [
		"core/base/x", "core/cli/main", "plugins/samplers/one", "plugins/samplers/two/a", "plugins/stores/four"]


def test_changed_flags_rebuild_everything(tree):
	assert len(compiled(make(tree, "CFLAGS=-O1").stdout)) == 8
	assert compiled(make(tree, "CFLAGS=-O1").stdout) == []


def test_new_version_compiles_one_object(tree):
	(tree / "VERSION").write_text("9.9.9\n")
	assert compiled(make(tree).stdout) == ["version"]


def test_plugin_without_source_goes_away(tree):
	(tree / "plugins/samplers/one.c").unlink()
	make(tree)
	assert results(tree) == ["plugins/samplers/two.so", "plugins/stores/four.so"]


def test_removed_source_leaves_the_result(tree):
	(tree / "plugins/samplers/two/b.c").unlink()
	output = make(tree).stdout
	assert re.findall(r"^  (SO|LINK) +(\S+)$", output, re.M) == [("SO", "plugins/samplers/two.so")]
	names = subprocess.run(["nm", tree / "build/plugins/samplers/two.so"], capture_output=True, text=True, check=True).stdout
	assert "two_b" not in names


def test_variants_have_folders_of_their_own(tree):
	make(tree, "SAN=address,undefined", "build-san-address-undefined/obj/core/base/x.o")
	make(tree, "COVERAGE=1", "build-coverage/obj/core/base/x.o")
	make(tree, "FAILPOINTS=1", "build-failpoints/obj/core/base/x.o")
	names = subprocess.run(
		["nm", tree / "build-san-address-undefined/obj/core/base/x.o"], capture_output=True, text=True, check=True).stdout
	assert "__asan_init" in names


def test_two_places_give_the_same_bytes(built, tmp_path):
	other = write_tree(tmp_path / "a" / "longer" / "way")
	make(other, f"O={tmp_path}/out")
	names = ["weir", "libweir-core.a", *results(built)]
	here = [hashlib.sha256((built / "build" / name).read_bytes()).hexdigest() for name in names]
	there = [hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() for name in names]
	assert here == there


def test_program_is_hardened(built):
	text = subprocess.run(["readelf", "-hdl", built / "build/weir"], capture_output=True, text=True, check=True).stdout
	assert "DYN (" in text
	assert "GNU_RELRO" in text
	assert re.search(r"FLAGS_1.*NOW", text)
	assert re.search(r"GNU_STACK\s+\S+ \S+ \S+\n\s+\S+ \S+\s+RW ", text)


def listing(root):
	return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_install_and_uninstall(tree, tmp_path):
	destination = tmp_path / "destination"
	(destination / "usr/lib").mkdir(parents=True)
	(destination / "usr/lib/other").write_text("another's")
	make(tree, "install", f"DESTDIR={destination}", "PREFIX=/usr")
	assert listing(destination) == [
		"usr/bin/weir",
		"usr/include/weir/x.h",
		"usr/lib/other",
		"usr/lib/pkgconfig/weir.pc",
		"usr/lib/systemd/system/weir.service",
		"usr/lib/weir/samplers/one.so",
		"usr/lib/weir/samplers/two.so",
		"usr/lib/weir/skipped.txt",
		"usr/lib/weir/stores/four.so",
		"usr/share/weir/laptop.yaml",
	]
	unit = (destination / "usr/lib/systemd/system/weir.service").read_text()
	assert "ExecStart=/usr/bin/weir run" in unit
	make(tree, "uninstall", f"DESTDIR={destination}", "PREFIX=/usr")
	assert sorted(path.name for path in destination.rglob("*")) == ["lib", "other", "usr"]


def test_folders_of_an_install_can_be_chosen(tree, tmp_path):
	make(tree, "install", f"DESTDIR={tmp_path}/d", "PREFIX=/usr", "LIBDIR=/usr/lib64", "UNITDIR=/lib/systemd/system")
	assert (tmp_path / "d/usr/lib64/weir/stores/four.so").exists()
	assert (tmp_path / "d/lib/systemd/system/weir.service").exists()
	text = (tmp_path / "d/usr/lib64/pkgconfig/weir.pc").read_text()
	assert "prefix=${pcfiledir}/../..\n" in text
	assert "plugindir=${libdir}/weir\n" in text


def pkg_config(prefix, *arguments):
	environment = clean_environment(PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"))
	return subprocess.run(
		["pkg-config", *arguments, "weir"], env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_pkgconfig_follows_a_moved_tree(tree, tmp_path):
	make(tree, "install", f"PREFIX={tmp_path}/first")
	(tmp_path / "first").rename(tmp_path / "second")
	flags = pkg_config(tmp_path / "second", "--cflags").split()
	assert [os.path.normpath(flag.removeprefix("-I")) for flag in flags] == [str(tmp_path / "second/include")]
	plugins = os.path.normpath(pkg_config(tmp_path / "second", "--variable=plugindir"))
	assert plugins == str(tmp_path / "second/lib/weir")


def test_targets_without_build_need_no_compiler(tree, tmp_path):
	"""On a bare machine the Makefile parses, says what to install, and how."""
	tools = tmp_path / "bin"
	tools.mkdir()
	for tool in "sh make sed awk grep rm mkdir cat cmp mv sort paste dirname basename tr printf head".split():
		(tools / tool).symlink_to(shutil.which(tool))
	environment = clean_environment(PATH=str(tools))

	def bare(*arguments):
		return subprocess.run(
			["make", "O=bare", *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False)

	assert bare("help").stdout.startswith("Weir. Targets:")
	assert bare("-n", "quickstart").returncode == 0
	run = bare("all")
	assert run.returncode != 0
	assert re.search(r"not installed: gcc pkg-config libevent-dev .*; run 'make deps'", run.stderr)


# ---- the build under test ----

@pytest.fixture(scope="module")
def installed(tmp_path_factory):
	"""What `make install` makes of the real build, moved away from where it was installed."""
	build = Path(os.environ.get("WEIR_BUILD", ROOT / "build"))
	prefix = tmp_path_factory.mktemp("install")
	plugins = sorted(str(path) for path in (build / "plugins").glob("*/*.so"))
	subprocess.run(
		["scripts/install.sh", "install", build, *plugins], cwd=ROOT, check=True, capture_output=True,
		env=clean_environment(PREFIX=str(prefix / "first"), VERSION="0"))
	(prefix / "first").rename(prefix / "second")
	return prefix / "second", plugins


def test_installed_program_finds_its_plugins(installed):
	prefix, plugins = installed
	run = subprocess.run(
		[prefix / "bin/weir", "plugin", "list"], cwd="/", env={"PATH": "/nonexistent"}, capture_output=True, text=True, check=False)
	assert run.returncode == 0, run.stderr
	assert plugins
	for plugin in plugins:
		assert re.search(rf"\b{Path(plugin).stem}\b", run.stdout), f"{plugin} is not in:\n{run.stdout}"


def test_installed_headers_are_enough(installed, tmp_path):
	prefix, _ = installed
	headers = sorted(path.name for path in (prefix / "include/weir").glob("*.h"))
	assert "plugin.h" in headers
	source = tmp_path / "all.c"
	source.write_text("".join(f"#include <weir/{name}>\n" for name in headers) + "int nothing;\n")
	subprocess.run(
		["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-c", "-o", "/dev/null", *pkg_config(prefix, "--cflags").split(), source],
		check=True)


def test_installed_files_name_no_source_folder(installed):
	prefix, _ = installed
	for path in prefix.rglob("*"):
		if path.is_file():
			assert str(ROOT).encode() + b"/" not in path.read_bytes(), path
