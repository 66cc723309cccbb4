# SPDX-License-Identifier: Apache-2.0
"""An agent for tests: started with a configuration in a folder of its own, asked through its control socket, stopped."""
import json
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEIR = os.environ.get("WEIR", str(ROOT / "build/weir"))
SLOW = 4 if "san" in WEIR or "valgrind" in os.environ.get("WEIR_WRAP", "") else 1


def build_plugin(source, name, folder, *flags):
	"""A plugin of tests/e2e/plugins, compiled with the sanitizers of the build under test."""
	out = pathlib.Path(folder) / (name + ".so")
	sanitize = ["-fsanitize=" + os.environ["SAN"]] if os.environ.get("SAN") else []
	subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-shared", "-fPIC",
					"-fvisibility=hidden", f"-I{ROOT}/core/include", *sanitize, *flags,
					str(ROOT / "tests/e2e/plugins" / source), "-o", str(out)], check=True)
	return out


def faulty(folder, name="faulty", flags="0"):
	return build_plugin("faulty.c", name, folder, f'-DFAULTY_NAME="{name}"', f"-DFAULTY_FLAGS={flags}")


class Agent:
	def __init__(self, folder, config, environment=None, wrap=(), start=True):
		self.folder = pathlib.Path(folder)
		self.config = self.folder / "weir.yaml"
		self.state = self.folder / "state"
		self.control = self.state / "control.sock"
		self.log = self.folder / "log"
		self.environment = {**os.environ, "WEIR_PLUGIN_PATH": str(self.folder), **(environment or {})}
		self.wrap = list(wrap)
		self.process = None
		self.write(config)
		if start:
			self.start()

	def write(self, config):
		self.config.write_text(f"state: {self.state}\nhost: n1\ncluster: test\n" + config)

	def start(self, ready=True):
		with open(self.log, "ab") as log:
			self.process = subprocess.Popen([*self.wrap, WEIR, "run", str(self.config)], stderr=log, env=self.environment)
		if ready:
			self.wait(lambda: self.status() is not None, 10, "the control socket")

	def wait(self, check, seconds, what):
		end = time.monotonic() + seconds * SLOW
		while True:
			result = check()
			if result:
				return result
			assert self.process is None or self.process.poll() is None, f"the agent ended: {self.text()}"
			assert time.monotonic() < end, f"waited {seconds * SLOW} s for {what}: {self.text()}"
			time.sleep(0.05)

	def run(self, *arguments, **keywords):
		return subprocess.run([WEIR, *arguments], capture_output=True, text=True, env=self.environment, **keywords)

	def status(self):
		answer = self.run("status", "--control", str(self.control), "--format", "json")
		return json.loads(answer.stdout) if answer.returncode in (0, 2) else None

	def sampler(self, name):
		return self.status()["samplers"][name]

	def reload(self):
		return self.run("reload", "--control", str(self.control))

	def tap(self, *arguments, duration="2s"):
		answer = self.run("tap", "--control", str(self.control), "--format", "json", "--duration", duration, *arguments)
		return [json.loads(line) for line in answer.stdout.splitlines()]

	def text(self):
		return self.log.read_text(errors="replace")

	def equation(self):
		"""The line that a stop ends with."""
		return [line for line in self.text().splitlines() if "produced " in line][-1]

	def stop(self, sig=signal.SIGTERM, expect=0, seconds=20):
		self.process.send_signal(sig)
		code = self.process.wait(seconds * SLOW)
		self.process = None
		if expect is not None:
			assert code == expect, f"exit {code}: {self.text()}"
		return code

	def kill(self):
		if self.process:
			self.process.kill()
			self.process.wait()
			self.process = None

	def __enter__(self):
		return self

	def __exit__(self, *unused):
		self.kill()
