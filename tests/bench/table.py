#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the rows of all benchmarks as one table.

usage: table.py FILE

A row is a line `row<TAB>NAME<TAB>UNIT<TAB>OURS<TAB>AGAINST<TAB>THEIRS<TAB>TARGET`. OURS is a number or '-'; AGAINST names the floor or
peer that THEIRS is of (both may be empty); TARGET is `ratio<=N` (OURS / THEIRS), `ours<=N`, `ours>=N`, or empty: reported only. Other
lines are not for the table. Exits 0 whatever is met: figures are for people, a busy machine must not fail a build.
"""
import sys


def number(text):
	return float(text) if text not in ("", "-") else None


def show(value):
	if value is None:
		return ""
	return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}" if value != 1 else "1"


def judge(target, ours, ratio):
	if not target or ours is None:
		return ""
	figure, operation = target.partition("<=")[0], "<="
	if ">=" in target:
		figure, operation = target.partition(">=")[0], ">="
	limit = float(target.split(operation)[1])
	value = ratio if figure == "ratio" else ours
	if value is None:
		return ""
	return "yes" if (value <= limit if operation == "<=" else value >= limit) else "NO"


def main():
	lines = [("", "ours", "unit", "against", "", "ratio", "target", "met")]
	met = missed = 0
	for line in open(sys.argv[1], encoding="utf-8"):
		field = line.rstrip("\n").split("\t")
		if field[0] != "row" or len(field) != 7:
			continue
		_, name, unit, ours, against, theirs, target = field
		ours, theirs = number(ours), number(theirs)
		ratio = ours / theirs if ours is not None and theirs else None
		verdict = judge(target, ours, ratio)
		met, missed = met + (verdict == "yes"), missed + (verdict == "NO")
		shown = target.replace("ratio", "x ").replace("ours", "").replace("<=", "<= ").replace(">=", ">= ")
		lines.append((name, "skipped" if ours is None else show(ours), unit, against, show(theirs),
					  "" if ratio is None else f"{ratio:.2f}", shown, verdict))
	width = [max(len(line[i]) for line in lines) for i in range(8)]
	for line in lines:
		cells = [text.rjust(width[i]) if i in (1, 4, 5) else text.ljust(width[i]) for i, text in enumerate(line)]
		print("  ".join(cells).rstrip())
	print(f"\n{met} targets met, {missed} not")


main()
