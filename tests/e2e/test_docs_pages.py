# SPDX-License-Identifier: Apache-2.0
"""The pages by hand are followed literally: files written, commands run, what they print compared.

A fence of a page says what its block is: ```LANGUAGE file=NAME is a file (with `yaml check` one that must be good), ```sh step a
script to run where the one before it ended, ```output what the last one printed: each line is found, in order, in one line of
it; blanks count as one, and … stands for anything. ```sh step exit=N ends with N. Other blocks are not looked at.
"""
import os
import pathlib
import re
import shlex
import subprocess

import pytest

from agent import ROOT, WEIR

FENCE = re.compile(r"^```(\S+)[ \t]*([^\n]*)\n(.*?)^```[ \t]*$", re.M | re.S)
PAGES = {"docs/writing-a-plugin.md": 12, "docs/configuration.md": 12, "docs/operations.md": 8}


class Follower:
	"""A reader who types what the page says; folder and environment of a step are those of the next."""

	def __init__(self, folder, environment):
		self.folder = folder
		self.work = folder / "work"
		self.work.mkdir()
		self.environment = environment
		self.output = None
		self.done = 0

	def write(self, name, text):
		path = self.work / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(text)

	def step(self, script, status=0):
		after = self.folder / "after"
		tail = f"\n{{ pwd; export -p; }} >{shlex.quote(str(after))}\n"
		run = subprocess.run(
			["sh", "-eu"], input=script + (tail if status == 0 else ""), cwd=self.work, env=self.environment, text=True,
			stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
		self.output = run.stdout
		assert run.returncode == status, f"exit {run.returncode} of\n{script}\n{run.stdout}"
		if status == 0:
			self.work = pathlib.Path(after.read_text().split("\n", 1)[0])
			exports = subprocess.run(
				["sh", "-c", f"sed 1d {shlex.quote(str(after))} >{self.folder}/env; . {self.folder}/env; env -0"],
				capture_output=True, text=True, check=True, env={"PATH": self.environment["PATH"]})
			self.environment = dict(item.split("=", 1) for item in exports.stdout.split("\0") if item)

	def expect(self, block):
		assert self.output is not None, "an output without a step before it"
		lines = [" ".join(line.split()) for line in self.output.splitlines()]
		for wanted in filter(str.strip, block.splitlines()):
			if wanted.strip() == "…":
				continue
			pattern = re.compile(".*".join(re.escape(" ".join(part.split())) for part in wanted.split("…")).replace(r"\ ", " ?"))
			at = next((i for i, line in enumerate(lines) if pattern.search(line)), None)
			assert at is not None, f"'{wanted}' is not (or not in this order) in\n{self.output}"
			lines = lines[at + 1:]

	def block(self, language, info, text):
		words = info.split()
		name = next((word[5:] for word in words if word.startswith("file=")), None)
		status = next((int(word[5:]) for word in words if word.startswith("exit=")), 0)
		if name:
			self.write(name, text)
			if language == "yaml" and "check" in words:
				self.step(f"weir config check {shlex.quote(name)}")
		elif language == "sh" and "step" in words:
			self.step(text, status)
		elif language == "output":
			self.expect(text)
		else:
			return
		self.done += 1


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
	"""Weir as `make install` leaves it."""
	where = tmp_path_factory.mktemp("i") / "p"
	build = pathlib.Path(WEIR).parent
	environment = {**os.environ, "PREFIX": str(where), "DESTDIR": "", "VERSION": (ROOT / "VERSION").read_text().strip()}
	subprocess.run(
		[ROOT / "scripts/install.sh", "install", build, *sorted(build.glob("plugins/*/*.so"))], env=environment, check=True,
		capture_output=True)
	return where


def follower(folder, prefix):
	environment = {key: value for key, value in os.environ.items() if not key.startswith(("WEIR", "MAKE", "MFLAGS"))}
	environment["PATH"] = f"{prefix}/bin:{os.environ['PATH']}"
	environment["PKG_CONFIG_PATH"] = f"{prefix}/lib/pkgconfig"
	if os.environ.get("SAN"):
		environment["CFLAGS"] = f"-g -fsanitize={os.environ['SAN']}"
	return Follower(folder, environment)


def follow(text, folder, prefix):
	reader = follower(folder, prefix)
	for match in FENCE.finditer(text):
		try:
			reader.block(*match.groups())
		except AssertionError as error:
			raise AssertionError(f"line {text[:match.start()].count(chr(10)) + 1}: {error}") from None
	return reader.done


@pytest.mark.parametrize("page", PAGES)
def test_a_page_works_as_it_stands(page, tmp_path, prefix):
	# A page whose fences are misspelt runs nothing: so a least number of blocks.
	assert follow((ROOT / page).read_text(), tmp_path, prefix) >= PAGES[page]


@pytest.mark.parametrize("text,finding", [
	("```sh step\nfalse\n```\n", "line 1: exit 1"),
	("x\n\n```sh step\necho one\n```\n```output\ntwo\n```\n", "line 6: 'two' is not"),
	("```sh step\necho b; echo a\n```\n```output\na\nb\n```\n", "'b' is not"),
	("```sh step\necho 1 rows\n```\n```output\n… 2 rows\n```\n", "is not"),
	("```yaml check file=w.yaml\nsamplers: {}\n```\n", "exit 78"),
	("```sh step exit=3\ntrue\n```\n", "exit 0"),
	("```output\nx\n```\n", "without a step"),
])
def test_a_page_that_does_not_work_is_found(text, finding, tmp_path, prefix):
	with pytest.raises(AssertionError, match=re.escape(finding)):
		follow(text, tmp_path, prefix)


def test_steps_share_folder_and_environment(tmp_path, prefix):
	page = (
		"```sh step\nmkdir d; cd d; export X='a  b'\n```\n```text file=f\nhello\n```\n"
		"```sh step\n[ \"$X\" = 'a  b' ]; cat f; echo 7 apples of 8\n```\n```output\nhel\n7 … of 8\n```\n```sh\nfalse\n```\n")
	assert follow(page, tmp_path, prefix) == 4
	assert (tmp_path / "work/d/f").read_text() == "hello\n"
