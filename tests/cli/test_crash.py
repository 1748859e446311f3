#!/usr/bin/python3
"""Runs that end before their time: killed, interrupted, two at once, a full disk, and calls that fail one by one.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_crash.py -v`. With MBU_LONG=1 many more calls are tried.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import time

import mounts
import support
import trees

DURABLE = "fsync,fdatasync,rename,renameat,renameat2"
CHANGING = DURABLE + ",openat,write,writev,pwrite64,unlink,unlinkat,flock"
CALL = re.compile(rb"^\d+ +(\w+)\((.*)$")


class Crash(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = trees.make_plain(self.path("tree"))
        self.package(self.source)
        self.first = trees.read_tree(self.source)
        self.steps = 0

    def change(self):
        """Something new to package."""
        self.steps += 1
        folder = f"{self.source}/d{self.steps % 5}"
        trees.write(f"{folder}/new", trees.noise(30_000, 500 + self.steps))
        trees.write(f"{folder}/tiny", b"%d" % self.steps)

    def assert_recovers(self, thorough=False):
        """The next -o works, cleans up and harms nothing."""
        self.package(self.source)
        self.check()
        self.assertEqual(self.leftovers(), [])
        if thorough:
            shutil.rmtree(self.restored, ignore_errors=True)
            self.unpackage(self.source)
            trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def assert_first_is_whole(self):
        first = self.snapshots()[0]["id"]
        self.run_mbu(["restore", f"{first}:{self.source}", "--target", self.path("first")])
        found = trees.read_tree(self.path("first"))
        del found[b""]
        wanted = dict(self.first)
        del wanted[b""]
        trees.assert_same(self, wanted, found)


@support.needs_tool("strace")
class Calls(Crash):
    """strace makes a chosen call of a run the last one, or lets it fail."""

    def traced(self, *options, arguments=None):
        """(result, lines of the log) of a run with one thread; -y shows what the descriptors are."""
        log = self.path("log")
        prefix = ["strace", "-f", "-y", "-s", "0", "-o", log, *options]
        result = self.run_mbu(arguments or ["--threads", "1", "-o", self.source], expect=None, prefix=prefix)
        return result, self.read(log).splitlines()

    def calls_of_a_run(self, names):
        """How often a run with a change makes each of the calls, as {name: [line]}."""
        self.change()
        result, lines = self.traced("-e", f"trace={names}")
        self.assertEqual(result.status, 0, str(result))
        made = {}
        for line in lines:
            call = CALL.match(line)
            if call:
                made.setdefault(call[1].decode(), []).append(line)
        return made

    def some(self, count):
        """The calls to try: all of a few, of many the first, the last and some between."""
        between = range(2, count)
        tried = min(16 if support.LONG else 1, len(between))
        return sorted({1, count, *random.Random(count).sample(between, tried)})

    def test_killed_at_any_call(self):
        kills = 0
        for name, lines in self.calls_of_a_run(CHANGING).items():
            for number in self.some(len(lines)):
                with self.subTest(call=name, number=number):
                    self.change()
                    process = self.start(["--threads", "1", "-o", self.source], prefix=[
                        "strace", "-f", "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={number}"])
                    process.communicate()
                    kills += process.returncode not in (0, 1)
                    self.assert_recovers(thorough=number % 8 == 1)
        self.assertGreater(kills, 10)
        self.assert_first_is_whole()

    def test_a_durable_call_that_fails_ends_the_run(self):
        tried = 0
        for name, lines in self.calls_of_a_run(DURABLE).items():
            for number in range(1, len(lines) + 1):
                with self.subTest(call=name, number=number):
                    tried += self.fail_call(name, number, "EIO")
        self.assertGreater(tried, 4)
        self.assert_first_is_whole()

    def test_a_write_that_fails_ends_the_run(self):
        tried = 0
        for name in ("write", "writev", "pwrite64"):
            lines = self.calls_of_a_run("write,writev,pwrite64").get(name, [])
            ours = [i + 1 for i, line in enumerate(lines) if self.repo.encode() in line]
            for index in self.some(len(ours)) if ours else ():
                for error in ("EIO", "ENOSPC") if index == 1 or support.LONG else ("EIO",):
                    with self.subTest(call=name, number=ours[index - 1], error=error):
                        tried += self.fail_call(name, ours[index - 1], error)
        self.assertGreater(tried, 1)  # calls shift from run to run: others hit cache or state
        self.assert_first_is_whole()

    def fail_call(self, name, number, error):
        """Whether the repository was what the failing call was about."""
        self.change()
        before = len(self.snapshots())
        result, lines = self.traced("-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={number}")
        injected = [line for line in lines if b"(INJECTED)" in line]
        hit = [line for line in injected if self.repo.encode() in line]
        if hit:
            self.assertEqual(result.status, 1, f"{hit}\n{result}")
            self.assertRegex(result.err, "No space left|nput/output error|full", str(result))
            self.assertNotRegex(result.text, "the snapshot is incomplete|skipped", str(result))
            # A call after the snapshot's own rename fails too late to take it back.
            self.assertLessEqual(len(self.snapshots()), before + 1)
        else:
            # The state numbers snapshots: not to be able to may end the run. The cache may not.
            state = any(self.state.encode() in line for line in injected)
            self.assertIn(result.status, (0, 1) if state else (0,), f"{injected}\n{result}")
            self.assertNotRegex(result.text, "the snapshot is incomplete|skipped", str(result))
        self.assert_recovers()
        return bool(hit)

    def test_whole_packs_of_a_killed_run_are_used(self):
        trees.write(f"{self.source}/large", trees.noise(24 << 20, 77))
        shutil.copytree(self.home, self.path("rehearsal"), symlinks=True)
        real_home, self.home = self.home, self.path("rehearsal")
        _, lines = self.traced("-e", "trace=rename,renameat,renameat2")
        self.home = real_home
        last = [i + 1 for i, line in enumerate(lines) if b"/snapshots/" in line]
        self.assertEqual(len(last), 1, lines)
        name = CALL.match(lines[last[0] - 1])[1].decode()
        process = self.start(["--threads", "1", "-o", self.source], prefix=[
            "strace", "-f", "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={last[0]}"])
        process.communicate()
        self.assertNotEqual(process.returncode, 0)
        self.assertGreater(self.size_of(), 24 << 20)
        self.assertEqual(len(self.snapshots()), 1)
        summary = self.package(self.source).summary
        self.assertLess(summary["data_added_packed"], 1 << 20)
        self.assertEqual(self.leftovers(), [])
        self.check()
        self.unpackage(self.source)
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def test_init_killed_at_any_call(self):
        for name in ("openat", "fsync", "rename", "mkdir", "write"):
            for number in (1, 2, 3, 10) if not support.LONG else range(1, 300, 9):
                with self.subTest(call=name, number=number):
                    repo = self.path(f"{name} {number}")
                    process = self.start(["-r", repo, "init", *support.FAST_KDF], prefix=[
                        "strace", "-f", "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={number}"])
                    process.communicate()
                    if not os.path.exists(os.path.join(repo, "config")):
                        shutil.rmtree(self.state, ignore_errors=True)
                        self.init("-r", repo)
                    self.run_mbu(["-r", repo, "check"])
                    self.backup("-r", repo, f"{self.source}/d0/f0")
                    self.assertEqual(self.leftovers(repo), [])
                    shutil.rmtree(repo)

    def test_a_killed_restore_is_finished_by_the_next(self):
        count = 0
        for name in ("write", "pwrite64", "openat", "rename", "renameat", "fchmod", "fchmodat"):
            for number in (1, 5, 30) if not support.LONG else range(1, 200, 11):
                process = self.start(["--threads", "1", "-d", self.source], prefix=[
                    "strace", "-f", "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={number}"])
                process.communicate()
                if process.returncode == 0:
                    continue
                count += 1
                with self.subTest(call=name, number=number):
                    self.unpackage(self.source)
                    target = os.path.join(self.restored, "tree")
                    trees.assert_same(self, self.first, target)
                    self.assertEqual(self.leftovers(self.restored), [])
                    shutil.rmtree(self.restored)
        self.assertGreater(count, 3)


class Interrupted(Crash):
    def test_killed_at_random_moments(self):
        source = random.Random(5)
        for _ in range(60 if support.LONG else 6):
            self.change()
            trees.write(f"{self.source}/large", trees.noise(12 << 20, self.steps))
            process = self.start(["-o", self.source])
            time.sleep(source.uniform(0.02, 0.6))
            process.kill()
            process.communicate()
            self.assert_recovers()
        self.assert_first_is_whole()

    def interrupt(self, number, arguments):
        """Sends a signal to a run that waits for its standard input, and says how it ended."""
        process = self.start(arguments, stdin=subprocess.PIPE)
        process.stdin.write(trees.noise(8 << 20, number))
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        return support.Result(arguments, process.returncode, out, err)

    def test_signals_end_a_run_with_130(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            result = self.interrupt(number, ["backup", "--stdin"])
            self.assertEqual(result.status, 130, str(result))
            self.assert_says(result, "interrupted", "run it again: what was finished is used")
            self.assertEqual(len(self.snapshots()), 1)
            self.check()
        result = self.interrupt(signal.SIGINT, ["--json", "backup", "--stdin"])
        self.assertEqual(result.exit_error["code"], 130)
        self.assert_recovers(thorough=True)

    def test_interrupted_while_it_packages(self):
        ended = None
        for attempt in range(8):
            for i in range(6):
                trees.write(f"{self.source}/large {i}", trees.noise(16 << 20, 100 * attempt + i))
            process = self.start(["-o", self.source])
            while process.poll() is None and not self.is_writing_a_pack():
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            ended = support.Result("-o", process.returncode, out, err)
            if ended.status != 0:
                break
        self.assertEqual(ended.status, 130, str(ended))
        self.assert_recovers(thorough=True)
        self.assert_first_is_whole()

    def is_writing_a_pack(self):
        return any(name.startswith(".mbu-tmp-") for name in os.listdir(os.path.join(self.repo, "data")))

    def test_interrupted_while_it_restores(self):
        for i in range(2000):
            trees.write(f"{self.source}/d0/many {i}", trees.noise(2000, i))
        self.package(self.source)
        process = self.start(["-d", self.source])
        while process.poll() is None and not os.path.exists(os.path.join(self.restored, "tree/d0")):
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (0, 130))
        self.assert_no_half_files()
        self.unpackage(self.source)
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))
        self.assertEqual(self.leftovers(self.restored), [])

    def assert_no_half_files(self):
        target = os.path.join(self.restored, "tree")
        wanted, found = trees.read_tree(self.source), trees.read_tree(target) if os.path.exists(target) else {}
        for path, entry in found.items():
            if "content" in entry:
                self.assertEqual(entry["content"], wanted[path]["content"], path)


class AtOnce(Crash):
    def all_succeed(self, *runs):
        processes = [self.start(arguments) for arguments in runs]
        for arguments, process in zip(runs, processes):
            out, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, str(support.Result(arguments, process.returncode, out, err)))
        self.check()
        self.assertEqual(self.leftovers(), [])

    def test_the_same_directory(self):
        for _ in range(3):
            self.change()
            trees.write(f"{self.source}/large", trees.noise(8 << 20, 900 + self.steps))
            self.all_succeed(*[["-o", self.source]] * 3)
        self.assertEqual(len(self.snapshots()), 1 + 9)
        self.unpackage(self.source)
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def test_different_directories(self):
        others = [trees.make_plain(self.path(f"other {i}"), seed=i) for i in range(3)]
        self.all_succeed(*[["-o", source] for source in [*others, self.source]])
        for source in others:
            self.unpackage(source)
            trees.assert_same(self, source, os.path.join(self.restored, os.path.basename(source)))

    def test_a_restore_and_a_check_meanwhile(self):
        trees.write(f"{self.source}/large", trees.noise(16 << 20, 5))
        self.all_succeed(["-o", self.source], ["-d", self.source], ["check", "--read-data"], ["snapshots"])

    def test_a_repository_that_both_make(self):
        shutil.rmtree(self.repo)
        shutil.rmtree(self.state)
        self.all_succeed(*[["-o", self.source]] * 2)
        self.assertEqual(len(self.snapshots()), 2)


class Full(Crash):
    def fill(self, disk, grow):
        """A repository on a disk too small for the second snapshot."""
        repo = os.path.join(disk, "repo")
        self.init("-r", repo)
        small = trees.make_plain(self.path("small"), files=10)
        self.backup("-r", repo, small)
        trees.write(self.path("huge/file"), b"") if os.path.isdir(self.path("huge")) else os.mkdir(self.path("huge"))
        for i in range(4):
            trees.write(self.path(f"huge/{i}"), trees.noise(12 << 20, i))
        for _ in range(2):
            result = self.run_mbu(["-r", repo, "backup", self.path("huge")], expect=1)
            self.assert_says(result, "No space left")
            self.assertNotIn("incomplete", result.text)
            self.assertEqual(self.leftovers(repo), [])
        self.run_mbu(["-r", repo, "check", "--read-data"])
        self.run_mbu(["-r", repo, "restore", f"latest:{small}", "--target", self.path("small again")])
        wanted, found = trees.read_tree(small), trees.read_tree(self.path("small again"))
        del wanted[b""], found[b""]
        trees.assert_same(self, wanted, found)
        if grow(disk):
            self.backup("-r", repo, self.path("huge"))
            self.run_mbu(["-r", repo, "check", "--read-data"])

    def test_tmpfs(self):
        disk = mounts.tmpfs(self, "24m")
        self.fill(disk, lambda disk: subprocess.run(["mount", "-o", "remount,size=200m", disk], check=False).returncode == 0)

    def test_ext4(self):
        disk = mounts.ext4(self, 32)
        self.fill(disk, lambda disk: False)

    def test_a_full_disk_for_the_cache_is_no_error(self):
        disk = mounts.tmpfs(self, "64k", "cache")
        self.change()
        self.package(self.source, "--cache-dir", disk)
        self.package(self.source, "--cache-dir", disk)
        self.check()

    def test_a_full_disk_for_the_restore(self):
        trees.write(f"{self.source}/large", trees.noise(10 << 20, 3))
        self.package(self.source)
        disk = mounts.tmpfs(self, "6m", "target")
        result = self.run_mbu(["restore", "latest", "--target", disk], expect=1)
        self.assert_says(result, "No space left")
        self.assertEqual(self.leftovers(disk), [])
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        self.run_mbu(["restore", "latest", "--target", disk])
        trees.assert_same(self, self.source, disk + self.source)

    @support.needs_root()
    def test_a_read_only_repository(self):
        disk = mounts.tmpfs(self, "50m", "frozen")
        repo = os.path.join(disk, "repo")
        self.init("-r", repo)
        self.backup("-r", repo, self.source)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        self.change()
        result = self.run_mbu(["-r", repo, "backup", self.source], expect=1)
        self.assert_says(result, "Read-only file system")
        self.run_mbu(["-r", repo, "check", "--read-data"])
        self.run_mbu(["-r", repo, "snapshots"])
        self.run_mbu(["-r", repo, "restore", "latest", "--target", self.path("out")])
        self.run_mbu(["-r", repo, "dump", f"latest:{self.source}/d0/big"])


if __name__ == "__main__":
    support.main()
