#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pages that come from the plugins' tables, and checks of those by hand.

	docs.py docs         write docs/plugins/KIND/NAME.md and docs/man/weir-NAME.7 from `weir plugin describe`
	docs.py docs-check   are they fresh? do links lead somewhere? does `weir config check` take the examples?

Examples are conf/*.yaml and the blocks ```yaml of README.md and docs/*.md; a block ```yaml fragment is not checked. A page of a
plugin that this build skipped cannot be checked. The last line of docs-check is `N passed, N failed, N skipped`.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("WEIR_BUILD", ROOT / "build"))
WEIR = BUILD / "weir"
FORMATS = {"markdown": "docs/plugins/{kind}/{name}.md", "man": "docs/man/weir-{name}.7"}


def describe(kind, name, form):
	run = subprocess.run(
		[WEIR, "plugin", "describe", kind, name, "--format", form], capture_output=True, text=True, check=False, cwd=ROOT)
	if run.returncode != 0 or not run.stdout:
		sys.exit(f"docs: 'weir plugin describe {kind} {name} --format {form}' failed: {run.stderr.strip()}")
	return run.stdout


def generate():
	"""Path of each page -> its text."""
	pages = {}
	for plugin in sorted((BUILD / "plugins").glob("*/*.so")):
		for form, path in FORMATS.items():
			pages[path.format(kind=plugin.parent.name, name=plugin.stem)] = describe(plugin.parent.name.removesuffix("s"), plugin.stem, form)
	if not pages:
		sys.exit("docs: no plugin is built")
	return pages


def skipped_pages():
	"""Path of each page of a plugin that this build skipped -> package."""
	pages = {}
	for line in (BUILD / "skipped.txt").read_text().splitlines():
		plugin, package = line.split("\t")
		kind, name = plugin.split("/")
		for path in FORMATS.values():
			pages[path.format(kind=kind, name=name)] = package
	return pages


def existing_pages():
	found = list((ROOT / "docs/plugins").rglob("*.md")) + list((ROOT / "docs/man").glob("weir-*.7"))
	return sorted(str(path.relative_to(ROOT)) for path in found)


def write():
	pages = generate()
	skipped = skipped_pages()
	changed = 0
	for path in existing_pages():
		if path not in pages and path not in skipped:
			(ROOT / path).unlink()
			print(f"  removed  {path}")
	for path, text in pages.items():
		file = ROOT / path
		if not file.exists() or file.read_text() != text:
			file.parent.mkdir(parents=True, exist_ok=True)
			file.write_text(text)
			changed += 1
			print(f"  written  {path}")
	print(f"{len(pages)} pages, {changed} changed")


def check_pages():
	pages = generate()
	skipped = skipped_pages()
	for path, text in pages.items():
		file = ROOT / path
		fresh = file.exists() and file.read_text() == text
		yield path, None if fresh else "stale; run 'make docs'"
	for path in existing_pages():
		if path in skipped:
			yield path, f"SKIP its plugin is not built, needs {skipped[path]}"
		elif path not in pages:
			yield path, "its plugin is gone; run 'make docs'"


def hand_written():
	return [path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if "plugins" not in path.parts[-3:-1]]


def check_links():
	"""A relative link of any page leads to a file."""
	for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
		text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.S)
		dead = [
			target for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text)
			if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists()]
		yield f"links of {path.relative_to(ROOT)}", f"lead nowhere: {' '.join(dead)}" if dead else None


def check_manual():
	"""What mandoc says of the manual pages."""
	pages = sorted((ROOT / "docs/man").glob("*.[1-8]"))
	if pages and not shutil.which("mandoc"):
		yield "manual pages", "SKIP mandoc is not installed"
		return
	for page in pages:
		run = subprocess.run(
			["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False)
		said = [line for line in run.stdout.splitlines() if "STYLE" not in line]
		yield f"manual page {page.name}", "\n".join(said) if said or run.returncode > 1 else None


def examples():
	for path in sorted((ROOT / "conf").glob("*.yaml")):
		yield str(path.relative_to(ROOT)), path.read_text()
	for path in sorted(hand_written()):
		text = path.read_text()
		for match in re.finditer(r"^```yaml[ \t]*\n(.*?)^```", text, re.M | re.S):
			yield f"{path.relative_to(ROOT)}:{text[:match.start()].count(chr(10)) + 1}", match[1]


def check_examples():
	for name, text in examples():
		with tempfile.TemporaryDirectory() as folder:
			(Path(folder) / "weir.yaml").write_text(text)
			run = subprocess.run(
				[WEIR, "config", "check", f"{folder}/weir.yaml"], capture_output=True, text=True, check=False, cwd=ROOT)
			yield f"example {name}", None if run.returncode == 0 else f"is refused:\n{run.stderr.strip()}"


def check():
	passed = failed = skipped = 0
	for checks in (check_pages, check_links, check_manual, check_examples):
		for name, fault in checks():
			if fault is None:
				passed += 1
			elif fault.startswith("SKIP "):
				skipped += 1
				print(f"  skip  {name}: {fault[5:]}")
			else:
				failed += 1
				print(f"  FAIL  {name}: {fault}")
	print(f"{passed} passed, {failed} failed, {skipped} skipped")
	no_skips = os.environ.get("WEIR_NO_SKIPS") == "1" or os.environ.get("CI") == "true"
	return 1 if failed or not passed or skipped and no_skips else 0


if __name__ == "__main__":
	if sys.argv[1:] == ["docs"]:
		sys.exit(write())
	if sys.argv[1:] == ["docs-check"]:
		sys.exit(check())
	sys.exit(__doc__)
