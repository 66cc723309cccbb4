# SPDX-License-Identifier: Apache-2.0
"""`make docs` writes the pages of the plugins that are built; `make docs-check` finds each way in which pages rot."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("WEIR_BUILD", ROOT / "build"))
EXAMPLE = "samplers:\n  loadavg: {interval: 10s}\nstores:\n  files: {plugin: csv, path: /tmp/x}\n"


def docs(tree, action):
	environment = {key: value for key, value in os.environ.items() if key not in ("CI", "WEIR_NO_SKIPS")}
	run = subprocess.run(
		[sys.executable, tree / "scripts/docs.py", action], env={**environment, "WEIR_BUILD": str(BUILD)}, stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT, text=True, check=False)
	return run.returncode, run.stdout


@pytest.fixture
def tree(tmp_path):
	(tmp_path / "scripts").mkdir()
	shutil.copy(ROOT / "scripts/docs.py", tmp_path / "scripts")
	(tmp_path / "docs").mkdir()
	(tmp_path / "conf").mkdir()
	(tmp_path / "conf/mine.yaml").write_text(EXAMPLE)
	(tmp_path / "README.md").write_text(f"[pages](docs/plugins)\n\n```yaml\n{EXAMPLE}```\n\n```yaml fragment\nstores: {{}}\n```\n")
	assert docs(tmp_path, "docs")[0] == 0
	return tmp_path


def test_pages_of_all_plugins_are_written_once(tree):
	plugins = sorted((BUILD / "plugins").glob("*/*.so"))
	assert plugins
	for plugin in plugins:
		assert (tree / f"docs/plugins/{plugin.parent.name}/{plugin.stem}.md").stat().st_size > 100
		assert (tree / f"docs/man/weir-{plugin.stem}.7").read_text().count(".SH") >= 2
	index = (tree / "docs/plugins/README.md").read_text()
	assert all(f"({plugin.parent.name}/{plugin.stem}.md)" in index for plugin in plugins)
	assert (tree / "conf/laptop.yaml").read_text().startswith("# Weir")
	# Two pages of each plugin, their list, conf/laptop.yaml and conf/agent.yaml.
	assert docs(tree, "docs")[1] == f"{2 * len(plugins) + 3} pages, 0 changed\n"


def test_fresh_pages_pass(tree):
	status, output = docs(tree, "docs-check")
	assert status == 0, output
	assert " 0 failed, 0 skipped" in output.splitlines()[-1]


def change(tree, name, old, new):
	path = tree / name
	path.parent.mkdir(parents=True, exist_ok=True)
	text = path.read_text() if path.exists() else ""
	assert old in text
	path.write_text(text.replace(old, new, 1) if old else text + new)


@pytest.mark.parametrize("name,old,new,finding", [
	("docs/plugins/samplers/loadavg.md", "", "more\n", "loadavg.md: stale"),
	("docs/plugins/samplers/gone.md", "", "x\n", "its plugin is gone"),
	("docs/man/weir-gone.7", "", ".TH X 7\n.SH NAME\nx \\- y\n", "its plugin is gone"),
	("README.md", "docs/plugins", "docs/nowhere", "lead nowhere: docs/nowhere"),
	("README.md", "```yaml fragment", "```sh run\nweir plugin describe nothing\n```\n\n```yaml fragment", "commands README.md:10: exit 64"),
	("README.md", "interval: 10s", "interval: 10", "example README.md:3: is refused"),
	("conf/mine.yaml", "loadavg", "loadavgg", "example conf/mine.yaml: is refused"),
	("docs/man/weir.1", "", ".TH WEIR 1\n.SH NAME\nweir \\- x\n.nosuchmacro\n", "manual page weir.1"),
])
def test_rot_is_found(tree, name, old, new, finding):
	if name.endswith(".1") and not shutil.which("mandoc"):
		pytest.skip("mandoc is not installed")
	change(tree, name, old, new)
	status, output = docs(tree, "docs-check")
	assert status == 1
	assert finding in output
	assert ", 1 failed" in output.splitlines()[-1]
	if "plugin" in finding or "stale" in finding:
		assert docs(tree, "docs")[0] == 0
		assert docs(tree, "docs-check")[0] == 0
