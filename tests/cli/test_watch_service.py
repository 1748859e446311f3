#!/usr/bin/python3
"""A watcher as a service: what it keeps in memory, what it tells of itself, and what it outlives.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_watch_service.py -v`.
"""

import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import support
import trees
from watching import Watcher, WatchTest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "reader"))
import mbu_reader  # noqa: E402


def memory_of(process):
    """All that can be read of a process's memory."""
    with open(f"/proc/{process}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            bounds, rights = line.split()[:2]
            first, end = (int(number, 16) for number in bounds.split("-"))
            if not rights.startswith("r") or end - first > 1 << 30:
                continue
            try:
                memory.seek(first)
                yield memory.read(end - first)
            except (OSError, ValueError):
                continue


class Keys(WatchTest):
    """After the first snapshot only a writer's half of the keys is in memory."""

    def secrets(self):
        keys = mbu_reader.Repository(self.repo, support.PASSWORD.encode()).keys
        main = b"main" + bytes(12)
        return ({"password": support.PASSWORD.encode(), "root": keys.root, "owner's seed": keys.owner_seed,
                 "sealing secret": keys.sealing_secret(1), "domain secret": keys.domain(main, 1).secret},
                {"index key": keys.domain(main, 1).index})

    def found(self, process, secrets):
        found = set()
        for piece in memory_of(process):
            found.update(name for name, secret in secrets.items() if secret in piece)
        return found

    @support.needs_root()
    def test_neither_the_password_nor_an_owners_secret_is_in_its_memory(self):
        secrets, kept = self.secrets()
        for name, arguments, options in (
                ("environment", [], {}),
                ("file", ["--password-file", self.write("password", support.PASSWORD)], {"password": None}),
                ("command line", ["-p", support.PASSWORD], {"password": None})):
            with self.subTest(password=name):
                process = self.start(["--json", "--no-progress", *arguments, "watch", "--settle", "100ms", "--feed", "inotify",
                                      self.source], **options)
                try:
                    self.assertIn(b'"ready"', process.stdout.readline())
                    self.assertIn(b'"summary"', process.stdout.readline())
                    time.sleep(0.3)
                    self.assertEqual(self.found(process.pid, secrets), set())
                    self.assertEqual(self.found(process.pid, kept), set(kept), "where a secret is that must be there was not looked")
                    trees.write(f"{self.source}/{name}", b"changed")
                    self.assertIn(b'"change"', process.stdout.readline())
                    self.assertIn(b'"summary"', process.stdout.readline())
                    self.assertEqual(self.found(process.pid, secrets), set())
                finally:
                    process.terminate()
                    process.communicate()
                self.assertEqual(process.returncode, 0)

    @support.needs_tool("strace")
    def test_old_pages_come_from_the_cache(self):
        for number in range(30):
            self.write(f"{self.source}/part-{number}/below/file", b"x" * number)
        support.settle()
        log = self.path("calls")
        watcher = self.watch("--feed", "inotify", prefix=["strace", "-f", "-e", "trace=openat,openat2", "-o", log])
        watcher.ready()
        before = len(self.read(log))
        trees.write(f"{self.source}/part-7/below/other", b"y")
        summary = watcher.next("summary")
        self.assertEqual((summary["files_new"], summary["bytes_read"]), (1, 1), watcher.said())
        opened = [line for line in self.read(log)[before:].splitlines() if b"/data/" in line and b"O_CREAT" not in line]
        self.assertFalse([line for line in opened if b"O_DIRECTORY" not in line], opened)
        watcher.end()

    def test_a_cache_that_goes_costs_reading_and_nothing_else(self):
        for number in range(300):
            self.write(f"{self.source}/{number % 7}/{number}", os.urandom(6000))
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        for number in range(4):
            if number % 2 == 0:
                for name in os.listdir(self.cache):
                    with open(f"{self.cache}/{name}/cache.db", "r+b") as file:
                        file.truncate(5000)
            trees.write(f"{self.source}/{number}/changed", os.urandom(100))
            self.assertIsNotNone(watcher.next("summary"), watcher.said())
            self.assert_last_snapshot_is_the_tree()
        watcher.end()
        self.check()

    def test_without_a_cache_pages_stay_in_memory(self):
        for number in range(50):
            self.write(f"{self.source}/{number % 7}/{number}", b"%d" % number)
        watcher = self.watch("--feed", "inotify", "--no-cache")
        watcher.ready()
        for number in range(3):
            trees.write(f"{self.source}/{number}/changed", b"%d" % number)
            summary = watcher.next("summary")
            self.assertEqual((summary["files_new"], summary["dirs_changed"]), (1, 4), watcher.said())
        self.assert_last_snapshot_is_the_tree()
        watcher.end()

    def test_what_others_packaged_in_between_is_no_harm(self):
        self.write(f"{self.source}/d/file", b"1")
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        trees.write(f"{self.source}/d/file", b"2")
        self.assertIsNotNone(watcher.next("summary"))
        self.backup(self.source)
        trees.write(f"{self.source}/d/other", b"3")
        self.assertIsNotNone(watcher.next("summary"))
        watcher.end()
        self.assert_last_snapshot_is_the_tree()
        again = self.watch("--feed", "inotify")
        again.ready()
        trees.write(f"{self.source}/d/other", b"4")
        self.assertIsNotNone(again.next("summary"))
        again.end()
        self.assert_last_snapshot_is_the_tree()
        self.check()


class Status(WatchTest):
    def status(self):
        return self.run_mbu(["--json", "status"], password=None).json

    def test_it_tells_what_watchers_do(self):
        self.assertEqual(self.status(), [])
        self.assert_says(self.run_mbu(["status"], password=None), "no watcher is running")
        trees.write(f"{self.source}/file", b"1")
        watcher = self.watch("--feed", "inotify", "--settle", "1s")
        first = watcher.ready()
        time.sleep(0.2)
        [told] = self.status()
        self.assertEqual((told["process"], told["paths"], told["feed"], told["repository"]),
                         (watcher.process.pid, [self.source], "inotify", self.repo))
        self.assertEqual((told["state"], told["snapshots"], told["last_snapshot"]), ("waiting", 1, first["snapshot_id"]))
        self.assertEqual((told["missed"], told["lost_events"], told["pending_directories"]), (0, 0, 0))
        self.assertFalse(told["keeps_owner"])
        trees.write(f"{self.source}/file", b"2")
        time.sleep(0.2)
        self.assertGreater(self.status()[0]["pending_directories"], 0)
        second = watcher.next("summary")
        time.sleep(0.2)
        [told] = self.status()
        self.assertEqual((told["snapshots"], told["last_snapshot"]), (2, second["snapshot_id"]))
        text = self.run_mbu(["status"], password=None)
        self.assert_says(text, f"{self.source} by inotify", "waiting", second["snapshot_id"][:8], "a writer's", "nothing missed")
        other = self.watch("--feed", "poll", paths=[self.home])
        other.ready()
        self.assertEqual([told["feed"] for told in self.status()], ["inotify", "poll"])
        other.end()
        watcher.end(signal.SIGKILL)
        self.assertEqual(self.status(), [])

    def begin_a_long_packaging(self, **options):
        for number in range(20):
            trees.write(f"{self.source}/{number}", os.urandom(4_000_000))
        watcher = self.watch("--feed", "inotify", "--threads", "1", "--compression", "19", **options)
        self.assertIsNotNone(watcher.next("ready"))
        return watcher

    def test_a_writers_watcher_never_had_the_owners_keys(self):
        credential = self.path("laptop.credential")
        self.run_mbu(["key", "new-writer", "--name", "laptop", "-o", credential])
        watcher = self.begin_a_long_packaging(env={"MBU_CREDENTIAL": credential})
        [told] = self.status()
        self.assertEqual((told["snapshots"], told["keeps_owner"]), (0, False))
        watcher.end()

    def test_it_answers_while_a_long_packaging_goes_on(self):
        watcher = self.begin_a_long_packaging()
        [told] = self.status()
        self.assertEqual(told["process"], watcher.process.pid)
        self.assertIn(told["state"], ("comparing", "waiting"))
        watcher.end()


class Service(WatchTest):
    """What systemd needs: readiness, a watchdog, reloading."""

    def listen(self):
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notify.close)
        self.notify.bind(self.path("notify"))
        self.notify.settimeout(20)
        return {"NOTIFY_SOCKET": self.path("notify")}

    def told(self, text):
        """Waits for a message with that line."""
        seen = []
        while True:
            message = self.notify.recv(4096).decode()
            seen.append(message)
            if text in message.splitlines():
                return seen

    def test_readiness_watchdog_and_end(self):
        watcher = self.watch("--feed", "inotify", env={**self.listen(), "WATCHDOG_USEC": "400000"})
        self.told("READY=1")
        for _ in range(3):
            self.told("WATCHDOG=1")
        first = watcher.ready()
        trees.write(f"{self.source}/file", b"1")
        summary = watcher.next("summary")
        self.assertNotEqual(first["snapshot_id"], summary["snapshot_id"])
        self.told("STATUS=last snapshot " + summary["snapshot_id"][:8])
        watcher.end()
        self.told("STOPPING=1")

    def test_a_hang_up_reads_the_configuration_again(self):
        def configure(*excludes, rest=""):
            self.write("config.toml", f'[packer]\npackage_directory = "{self.repo}"\nexclude = {list(excludes)!r}\n[watcher]\n{rest}\n')
            os.chmod(self.path("config.toml"), 0o600)
        configure()
        for name in ("kept", "build"):
            self.write(f"{self.source}/{name}/file", b"1")
        watcher = self.watch("--feed", "inotify", config=self.path("config.toml"), env=self.listen())
        watcher.ready()
        self.told("READY=1")
        configure("build")
        watcher.process.send_signal(signal.SIGHUP)
        self.told("READY=1")
        self.assertIsNotNone(watcher.next("ready"), watcher.said())
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        names = self.list_paths("latest")
        self.assertIn(os.fsencode(f"{self.source}/kept/file"), names)
        self.assertNotIn(os.fsencode(f"{self.source}/build"), names)
        trees.write(f"{self.source}/build/file", b"2")
        self.assertIsNone(watcher.next("change", 1), watcher.said())
        trees.write(f"{self.source}/kept/file", b"2")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        configure(rest="settle = 7")
        watcher.process.send_signal(signal.SIGHUP)
        self.assertIsNotNone(watcher.next("ready"), watcher.said())
        trees.write(f"{self.source}/kept/file", b"3")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0)
        self.assertIn(b"everything stays as it was", watcher.stderr)
        configure()
        self.check()

    def configure(self, packer="", watcher=""):
        config = self.write("config.toml", f'[packer]\npackage_directory = "{self.repo}"\n{packer}\n[watcher]\n{watcher}\n')
        os.chmod(config, 0o600)
        return config

    def reload(self, watcher):
        watcher.process.send_signal(signal.SIGHUP)
        self.assertIsNotNone(watcher.next("ready"), watcher.said())

    def test_a_policy_that_comes_too_late_is_refused(self):
        watcher = self.watch("--feed", "inotify", config=self.configure())
        watcher.ready()
        self.configure(watcher='keep = "1h all"')
        self.reload(watcher)
        trees.write(f"{self.source}/file", b"1")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0, watcher.said())
        self.assertIn(b"mbu watch --keep-owner", watcher.stderr)
        self.assertIn(b"everything stays as it was", watcher.stderr)

    def test_a_restore_directory_that_is_named_later_is_not_packaged(self):
        watcher = self.watch("--feed", "inotify", config=self.configure())
        watcher.ready()
        self.configure(packer=f'restore_directory = "{self.source}/back"')
        self.reload(watcher)
        watcher.quiet()
        os.mkdir(f"{self.source}/back")
        watcher.quiet()
        trees.write(f"{self.source}/back/file", b"1")
        self.assertIsNone(watcher.next("change", 1), watcher.said())
        trees.write(f"{self.source}/file", b"1")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end()
        self.assertNotIn(os.fsencode(f"{self.source}/back"), self.list_paths("latest"))

    @support.needs_root()
    @support.needs_tool("setpriv")
    def test_a_feed_that_is_not_permitted_changes_nothing(self):
        def configure(module):
            self.write("config.toml", f'[packer]\npackage_directory = "{self.repo}"\n[watcher]\nmodule = "{module}"\n')
        configure("inotify")
        self.become_nobody()
        self.give_to_nobody(self.source)
        watcher = Watcher(self, [self.source], config=self.path("config.toml"), prefix=self.prefix)
        self.addCleanup(self._stop, watcher)
        watcher.ready()
        [told] = self.run_mbu(["--json", "status"], password=None).json
        self.assertEqual(told["process"], watcher.process.pid)
        configure("fanotify")
        watcher.process.send_signal(signal.SIGHUP)
        self.assertIsNotNone(watcher.next("ready"), watcher.said())
        trees.write(f"{self.source}/file", b"1")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0, watcher.said())
        self.assertIn(b"everything stays as it was", watcher.stderr)

    @support.needs_tool("systemd-analyze")
    def test_the_unit_is_one(self):
        unit = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../apps/mbu/systemd/mbu-watch@.service")
        instance = self.path("mbu-watch@srv-data.service")
        with open(unit, encoding="utf-8") as file:
            text = file.read()
        self.write(instance, text.replace("/usr/local/bin/mbu", self.binary))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", instance], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Errors(WatchTest):
    def test_a_repository_that_is_away_for_a_while(self):
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        os.rename(self.repo, self.path("away"))
        trees.write(f"{self.source}/file", b"1")
        self.assertIsNotNone(watcher.next("change"))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            [told] = self.run_mbu(["--json", "status"], password=None).json
            if told["state"] == "retrying":
                break
            time.sleep(0.1)
        self.assertEqual(told["state"], "retrying", watcher.said())
        self.assertIn("error", told)
        trees.write(f"{self.source}/meanwhile", b"2")
        os.rename(self.path("away"), self.repo)
        summary = watcher.next("summary")
        self.assertEqual(summary["files_new"], 2, watcher.said())
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0)
        self.assertIn(b"tried again in 1 s", watcher.stderr)
        self.assert_last_snapshot_is_the_tree()
        self.check()

    def test_another_repository_in_its_place_is_not_written_to(self):
        other = self.path("other")
        self.run_mbu(["-r", other, "init", *support.FAST_KDF])
        before = self.objects(other)
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        os.rename(self.repo, self.path("away"))
        os.rename(other, self.repo)
        trees.write(f"{self.source}/file", b"1")
        self.assertIsNotNone(watcher.next("change"))
        self.assertIsNone(watcher.next("summary", 2), watcher.said())
        os.rename(self.repo, other)
        os.rename(self.path("away"), self.repo)
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end()
        self.assertIn(b"another repository is in its place", watcher.stderr)
        self.assertEqual(self.objects(other), before)
        self.assert_last_snapshot_is_the_tree()

    def test_a_damaged_pack_does_not_keep_the_others_from_an_index(self):
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        for number in range(70):
            trees.write(f"{self.source}/file", str(number).encode())
            self.assertIsNotNone(watcher.next("summary"), watcher.said())
            if number == 10:
                pack = max((name for name in self.objects() if name.startswith("data/")),
                           key=lambda name: os.stat(f"{self.repo}/{name}").st_mtime_ns)
                with open(f"{self.repo}/{pack}", "r+b") as file:
                    file.seek(-150, os.SEEK_END)
                    file.write(bytes(64))
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0, watcher.said())
        self.assertEqual(len([name for name in self.objects() if name.startswith("index/")]), 1)
        self.assert_says(self.check(expect=20), pack)

    def test_told_to_end_it_does_not_say_that_all_is_well(self):
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        os.rename(self.repo, self.path("away"))
        trees.write(f"{self.source}/file", b"1")
        self.assertIsNotNone(watcher.next("change"))
        watcher.end()
        self.assertEqual(watcher.process.returncode, 1, watcher.said())

    @support.needs_tool("strace")
    @support.needs_root()
    def test_a_failed_sync_ends_it(self):
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-o", self.path("calls"),
                                   "-p", str(watcher.process.pid)], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            trees.write(f"{self.source}/file", b"1")
            self.assertEqual(watcher.process.wait(30), 1, watcher.said())
        finally:
            tracer.kill()
            tracer.wait()
        watcher.join()
        self.assertIn(b"fsync", watcher.stderr)


class Terminal(WatchTest):
    """A person at the watcher's terminal."""

    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.shown = b""

    def begin(self, *arguments):
        def take_terminal():
            os.setsid()
            os.close(os.open(os.ttyname(2), os.O_RDWR))
        process = subprocess.Popen([self.binary, *arguments], env=self.environment(None), cwd=self.base, stdin=self.slave,
                                   stdout=self.slave, stderr=self.slave, preexec_fn=take_terminal)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def expect(self, text):
        """Waits until that is shown; what was shown up to it."""
        end = time.monotonic() + 30
        while text not in self.shown:
            self.assertLess(time.monotonic(), end, self.shown)
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 65536)
        before, self.shown = self.shown.split(text, 1)
        return before

    def type(self, text):
        time.sleep(0.1)
        os.write(self.master, text)

    def test_lines_that_one_types(self):
        trees.write(f"{self.source}/file", b"first")
        watcher = self.begin("-w", self.source)
        self.expect(b"password for")
        self.type(support.PASSWORD.encode() + b"\n")
        self.expect(b"type s for the state, -d to restore, q to end")
        self.expect(b"snapshot")
        trees.write(f"{self.source}/file", b"second")
        self.expect(b"1 changed of 1 file")
        self.type(b"-d\n")
        self.expect(b"password for")
        self.type(b"wrong\n")
        self.expect(b"password for")
        self.type(support.PASSWORD.encode() + b"\n")
        self.expect(b"restored 1 of 1 file")
        self.assertEqual(self.read(f"{self.restored}/tree/file"), b"second")
        trees.write(f"{self.source}/file", b"third")
        self.expect(b"1 changed of 1 file")
        self.type(b"s\n")
        self.expect(b"snapshots since the start")
        self.type(b"nonsense\n")
        self.expect(b"s shows the state")
        self.type(b"q\n")
        self.assertEqual(watcher.wait(30), 0)

    def test_a_terminal_that_closes_ends_it(self):
        watcher = self.begin("-p", support.PASSWORD, "-w", self.source)
        self.expect(b"snapshot")
        watcher.send_signal(signal.SIGHUP)
        self.assertEqual(watcher.wait(30), 0)


if __name__ == "__main__":
    support.main()
