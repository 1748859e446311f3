"""What the tests that run mbu share: a home of their own for each test, running mbu as a user does, and its memory.

MBU_BINARY names the program. MBU_LONG=1 also runs what takes long, much memory or much disk.
trees.py makes and compares directory trees; mounts.py mounts small file systems.
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BINARY = os.environ.get("MBU_BINARY")
LONG = os.environ.get("MBU_LONG") == "1"
NOBODY = 65534
PASSWORD = "correct horse"
FAST_KDF = ["--kdf-memory", "8M", "--kdf-time", "3"]
# Files younger than this look as if they might change without notice, and are read again (src/ingest/fingerprint.cpp).
GRAIN_SECONDS = 0.05


def needs_root():
    return unittest.skipIf(os.geteuid() != 0, "needs root")


def needs_tool(name):
    return unittest.skipIf(shutil.which(name) is None, f"needs {name}")


def takes_long():
    return unittest.skipUnless(LONG, "takes long: set MBU_LONG=1")


def settle():
    """Waits until what was just written is old enough for its times to be trusted."""
    time.sleep(GRAIN_SECONDS)


def as_bytes(path):
    return os.fsencode(path)


class Result:
    """How a run ended."""

    def __init__(self, arguments, status, out, err):
        self.arguments, self.status, self.stdout, self.stderr = arguments, status, out, err
        self.out = out.decode("utf-8", "surrogateescape")
        self.err = err.decode("utf-8", "surrogateescape")

    @property
    def text(self):
        return self.out + self.err

    @property
    def json(self):
        """Standard output with --json: an array, or the objects of its lines."""
        lines = [json.loads(line) for line in self.stdout.decode("utf-8").splitlines()]
        return lines[0] if len(lines) == 1 and isinstance(lines[0], list) else lines

    def of_type(self, kind):
        return [line for line in self.json if line.get("message_type") == kind]

    @property
    def summary(self):
        found = self.of_type("summary")
        assert len(found) == 1, self
        return found[0]

    @property
    def exit_error(self):
        lines = [json.loads(line) for line in self.stderr.decode("utf-8").splitlines()]
        found = [line for line in lines if line["message_type"] == "exit_error"]
        assert len(found) == 1, self
        return found[0]

    def __str__(self):
        def cut(text):
            return text if len(text) < 6000 else text[:3000] + "\n[...]\n" + text[-3000:]
        return f"{self.arguments}\nstatus {self.status}\n-- stdout\n{cut(self.out)}\n-- stderr\n{cut(self.err)}"


class MbuTest(unittest.TestCase):
    """A test with a home directory of its own: self.home, self.repo and self.restored are mbu's default places."""

    def setUp(self):
        if not BINARY:
            self.skipTest("MBU_BINARY is not set")
        self.base = os.path.realpath(tempfile.mkdtemp(prefix="mbu-cli-"))
        self.addCleanup(self._remove_base)
        os.chmod(self.base, 0o755)
        self.home = self.path("home")
        os.mkdir(self.home)
        self.repo = os.path.join(self.home, "mbu-packages")
        self.restored = os.path.join(self.home, "mbu-restored")
        self.cache = os.path.join(self.home, ".cache/mbu")
        self.state = os.path.join(self.home, ".local/state/mbu")
        self.binary = BINARY
        self.prefix = []

    def _remove_base(self):
        # What a test makes may be of any mode, and deeper than a path can name.
        if os.geteuid() != 0:
            subprocess.run(["chmod", "-R", "u+rwX", self.base], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", self.base], stderr=subprocess.DEVNULL, check=False)

    # Files

    def path(self, *parts):
        return os.path.join(self.base, *parts)

    def write(self, path, data=b""):
        path = os.path.join(self.base, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return path

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    # Running mbu

    def environment(self, password=PASSWORD, **more):
        variables = {"PATH": os.environ["PATH"], "HOME": self.home, "TERM": "dumb", "LANG": "C.UTF-8", "TZ": "UTC"}
        if password is not None:
            variables["MBU_PASSWORD"] = password
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                variables[name] = os.environ[name]
        variables.update(more)
        return {name: value for name, value in variables.items() if value is not None}

    def start(self, arguments, password=PASSWORD, env=None, cwd=None, prefix=None, stdin=subprocess.DEVNULL, **options):
        """mbu started in a session of its own: there is no terminal that it could ask at."""
        command = [*(self.prefix if prefix is None else prefix), self.binary, *arguments]
        return subprocess.Popen(command, env=self.environment(password, **(env or {})), cwd=cwd or self.base, stdin=stdin,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **options)

    def run_mbu(self, arguments, expect=0, stdin=b"", timeout=300, **options):
        """Runs mbu to its end. `expect`: the exit status, several, or None for any that is an exit."""
        process = self.start(arguments, stdin=subprocess.PIPE, **options)
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            self.fail(f"{arguments} did not end within {timeout} s")
        result = Result(arguments, process.returncode, out, err)
        self.check_status(result, expect)
        return result

    def check_status(self, result, expect):
        if expect is None:
            self.assertGreaterEqual(result.status, 0, str(result))
        elif isinstance(expect, int):
            self.assertEqual(result.status, expect, str(result))
        else:
            self.assertIn(result.status, expect, str(result))

    def init(self, *arguments, **options):
        return self.run_mbu([*arguments, "init", *FAST_KDF], **options)

    def package(self, directory, *arguments, **options):
        """-o DIR with --json; the result's summary tells what was done."""
        return self.run_mbu(["--json", "-o", directory, *arguments], **options)

    def backup(self, *arguments, **options):
        return self.run_mbu(["--json", "backup", *arguments], **options)

    def unpackage(self, directory, *arguments, **options):
        return self.run_mbu(["--json", "-d", directory, *arguments], **options)

    def check(self, expect=0, **options):
        return self.run_mbu(["--json", "check", "--read-data"], expect=expect, **options)

    def snapshots(self, *arguments, **options):
        return self.run_mbu(["--json", "snapshots", *arguments], **options).json

    def list_paths(self, snapshot="latest", *arguments):
        """The exact paths of all that is in a snapshot."""
        nodes = self.run_mbu(["--json", "ls", snapshot, *arguments]).of_type("node")
        return {base64.b64decode(n["path_b64"]) if "path_b64" in n else n["path"].encode() for n in nodes}

    def assert_says(self, result, *texts):
        for text in texts:
            self.assertIn(text, result.text, str(result))

    def assert_one_line(self, result):
        """An error of one line, and perhaps one that says what to do next."""
        lines = result.err.splitlines()
        self.assertTrue(lines and lines[0].startswith("mbu: "), str(result))
        self.assertTrue(len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("     ")), str(result))

    # The repository

    def objects(self, repo=None):
        """{path within the repository: size} of all that is in it."""
        repo = repo or self.repo
        found = {}
        for folder, _, names in os.walk(repo):
            for name in names:
                path = os.path.join(folder, name)
                found[os.path.relpath(path, repo)] = os.lstat(path).st_size
        return found

    def size_of(self, repo=None):
        return sum(self.objects(repo).values())

    def leftovers(self, folder=None):
        """Temporary files that a run left behind."""
        return [name for name in self.objects(folder) if os.path.basename(name).startswith(".mbu-")]

    def drop_cache(self):
        shutil.rmtree(self.cache, ignore_errors=True)

    def become_nobody(self):
        """From here on mbu runs as a user without rights, whose home is self.home."""
        if os.geteuid() != 0:
            return
        copy = self.path("mbu")
        shutil.copy(BINARY, copy)
        os.chmod(copy, 0o755)
        self.binary = copy
        self.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        for folder, _, names in os.walk(self.home):
            for path in [folder] + [os.path.join(folder, name) for name in names]:
                os.lchown(path, NOBODY, NOBODY)

    def give_to_nobody(self, *paths):
        if os.geteuid() == 0:
            for path in paths:
                os.lchown(path, NOBODY, NOBODY)


class Memory:
    """The most anonymous memory that a process had, looked at every 10 ms while it ran."""

    def __init__(self, pid):
        self.peak = 0
        self._status = f"/proc/{pid}/status"
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while True:
            try:
                with open(self._status, encoding="ascii", errors="replace") as file:
                    sizes = [line.split()[1] for line in file if line.startswith("RssAnon:")]
            except OSError:
                return
            if not sizes:
                return  # ended, and not yet waited for
            self.peak = max(self.peak, int(sizes[0]) * 1024)
            time.sleep(0.01)

    def wait(self):
        self._thread.join()
        return self.peak


def run_measured(test, arguments, expect=0, **options):
    """(result, peak of RssAnon in bytes, seconds) of a run of mbu."""
    began = time.monotonic()
    process = test.start(arguments, **options)
    memory = Memory(process.pid)
    out, err = process.communicate()
    result = Result(arguments, process.returncode, out, err)
    test.check_status(result, expect)
    return result, memory.wait(), time.monotonic() - began


def main():
    unittest.main(module=sys.modules["__main__"])
