#!/usr/bin/python3
"""watch and -w: each change becomes a snapshot.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_watch.py -v`.
"""

import json
import os
import random
import re
import shutil
import signal
import time
import unittest

import mounts
import support
import trees
from watching import FEEDS, HAS_FANOTIFY, SETTLE, WatchTest


class Changes(WatchTest):
    def test_ready_comes_first_then_a_summary_for_each_snapshot(self):
        trees.write(f"{self.source}/a", b"1")
        watcher = self.watch("--feed", "inotify")
        first = watcher.ready()
        self.assertEqual([line["message_type"] for line in watcher.lines], ["ready", "summary"])
        self.assertEqual((watcher.lines[0]["feed"], watcher.lines[0]["paths"]), ("inotify", [self.source]))
        self.assertEqual(first["files_new"], 1)
        trees.write(f"{self.source}/b", b"2")
        second = watcher.next("summary")
        self.assertEqual((second["files_new"], second["total_files_processed"]), (1, 2))
        self.assertEqual([line["message_type"] for line in watcher.lines[2:]], ["change", "summary"])
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0, watcher.said())
        self.assertEqual([s["id"] for s in self.snapshots()], [first["snapshot_id"], second["snapshot_id"]])
        self.check()

    def test_each_kind_of_change_is_seen_by_each_feed(self):
        for feed in FEEDS:
            with self.subTest(feed=feed):
                shutil.rmtree(self.source)
                os.makedirs(f"{self.source}/d/e")
                for name in ("a", "b", "d/c", "d/e/f"):
                    trees.write(f"{self.source}/{name}", name.encode())
                watcher = self.watch("--feed", feed, **self.arguments_of(feed))
                watcher.ready()
                outside = self.path("outside")
                os.makedirs(f"{outside}/in/deep")
                trees.write(f"{outside}/in/deep/file", b"x")
                changes = [
                    lambda: trees.write(f"{self.source}/a", b"other"),
                    lambda: os.rename(f"{self.source}/a", f"{self.source}/d/e/moved"),
                    lambda: os.unlink(f"{self.source}/d/c"),
                    lambda: os.chmod(f"{self.source}/d/e/f", 0o600),
                    lambda: os.setxattr(f"{self.source}/b", "user.key", b"value"),
                    lambda: os.makedirs(f"{self.source}/new/er/est"),
                    lambda: trees.write(f"{self.source}/new/er/est/file", b"deep"),
                    lambda: os.symlink("nowhere", f"{self.source}/new/link"),
                    lambda: os.link(f"{self.source}/b", f"{self.source}/new/hard"),
                    lambda: os.rename(f"{outside}/in", f"{self.source}/came"),
                    lambda: trees.write(f"{self.source}/came/deep/file", b"changed where it came to"),
                    lambda: os.rename(f"{self.source}/came", f"{self.source}/new/went"),
                    lambda: trees.write(f"{self.source}/new/went/deep/file", b"and again"),
                    lambda: os.rename(f"{self.source}/new/er", f"{outside}/er"),
                    lambda: os.truncate(f"{self.source}/b", 0),
                    lambda: shutil.rmtree(f"{self.source}/d"),
                    lambda: os.utime(f"{self.source}/new", (1, 2)),
                ]
                for number, change in enumerate(changes):
                    change()
                    self.assertIsNotNone(watcher.next("summary"), f"change {number}: {watcher.said()}")
                    watcher.quiet(3 * SETTLE)  # another name of the file may be seen to afterwards
                    self.assert_last_snapshot_is_the_tree()
                watcher.end()
                self.assertEqual(watcher.process.returncode, 0, watcher.said())
                shutil.rmtree(outside)

    def test_what_goes_on_outside_wakes_nobody(self):
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        os.makedirs(f"{self.source}/gone/below")
        watcher.next("summary")
        os.rename(f"{self.source}/gone", self.path("gone"))
        watcher.next("summary")
        watcher.quiet(0.5)
        trees.write(self.path("gone/below/file"), b"1")
        trees.write(self.path("beside"), b"1")
        self.assertIsNone(watcher.next("change", 1.0), watcher.said())

    def test_saving_by_rename_is_one_snapshot(self):
        trees.write(f"{self.source}/text", b"first")
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        trees.write(f"{self.source}/.text.swp", b"second")
        os.rename(f"{self.source}/.text.swp", f"{self.source}/text")
        summary = watcher.next("summary")
        self.assertEqual((summary["files_new"], summary["files_changed"]), (0, 1), watcher.said())
        self.assertEqual(watcher.quiet(), 0, watcher.said())

    def test_what_never_rests_is_captured_after_the_longest_delay(self):
        watcher = self.watch("--feed", "inotify", "--max-delay", "500ms")
        watcher.ready()
        end = time.monotonic() + 2.5
        with open(f"{self.source}/log", "wb") as log:
            while time.monotonic() < end:
                log.write(b"line\n")
                log.flush()
                time.sleep(SETTLE / 5)
        count = watcher.quiet()
        self.assertGreaterEqual(count, 3, watcher.said())
        self.assertLessEqual(count, 7, watcher.said())
        self.assert_last_snapshot_is_the_tree()

    def test_mbus_own_places_wake_nobody_and_are_not_packaged(self):
        trees.write(f"{self.home}/file", b"1")
        watcher = self.watch("--feed", "inotify", paths=[self.home])
        watcher.ready()
        self.assertIsNone(watcher.next("change", 1.5), watcher.said())
        trees.write(f"{self.home}/file", b"2")
        self.assertIsNotNone(watcher.next("summary"))
        self.assertIsNone(watcher.next("change", 1.5), watcher.said())
        watcher.end()
        names = self.list_paths("latest")
        self.assertIn(os.fsencode(f"{self.home}/file"), names)
        own = (b"mbu-packages", b".cache/mbu", b"state/mbu")
        self.assertFalse([name for name in names if any(place in name for place in own)], names)

    def test_the_watched_directory_may_go_and_come_again(self):
        trees.write(f"{self.source}/a", b"1")
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        os.rename(self.source, self.path("away"))
        time.sleep(3 * SETTLE)
        os.mkdir(self.source)
        trees.write(f"{self.source}/other", b"2")
        watcher.quiet()
        self.assert_last_snapshot_is_the_tree()
        trees.write(f"{self.source}/third", b"3")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        self.assert_last_snapshot_is_the_tree()

    def test_a_single_file(self):
        path = f"{self.source}/file"
        trees.write(path, b"1")
        watcher = self.watch("--feed", "inotify", paths=[path])
        watcher.ready()
        trees.write(f"{self.source}/neighbour", b"1")
        self.assertIsNone(watcher.next("summary", 1.0), watcher.said())
        trees.write(f"{self.source}/temporary", b"2")
        os.rename(f"{self.source}/temporary", path)
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        self.assertEqual(self.run_mbu(["dump", f"latest:{path}"]).stdout, b"2")

    def test_a_file_that_changes_through_one_of_its_names(self):
        self.write(f"{self.source}/one/name", b"1")
        os.mkdir(f"{self.source}/other")
        os.link(f"{self.source}/one/name", f"{self.source}/other/name")
        support.settle()
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        trees.write(f"{self.source}/one/name", b"changed")
        self.assertIsNotNone(watcher.next("summary"))
        watcher.quiet()
        self.assert_last_snapshot_is_the_tree()
        self.assertEqual(self.run_mbu(["dump", f"latest:{self.source}/other/name"]).stdout, b"changed")
        trees.write(f"{self.source}/alone", b"2")
        watcher.quiet()
        os.link(f"{self.source}/alone", f"{self.source}/other/link")
        watcher.quiet()
        self.assert_last_snapshot_is_the_tree()

    def test_a_change_through_a_name_that_is_removed_at_once(self):
        self.write(f"{self.source}/kept/name", b"1")
        removals = {"emptied": os.unlink, "gone": lambda path: shutil.rmtree(os.path.dirname(path))}
        for directory in removals:
            os.mkdir(f"{self.source}/{directory}")
            os.link(f"{self.source}/kept/name", f"{self.source}/{directory}/name")
        support.settle()
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        for directory, remove in removals.items():
            with self.subTest(directory=directory):
                trees.write(f"{self.source}/{directory}/name", b"through " + directory.encode())
                remove(f"{self.source}/{directory}/name")
                self.assertIsNotNone(watcher.next("summary"), watcher.said())
                watcher.quiet()
                self.assertEqual(self.run_mbu(["dump", f"latest:{self.source}/kept/name"]).stdout, b"through " + directory.encode())
                self.assert_last_snapshot_is_the_tree()

    def test_excluded_directories_wake_nobody(self):
        os.makedirs(f"{self.source}/build/deep")
        watcher = self.watch("--feed", "inotify", "-e", "build")
        watcher.ready()
        trees.write(f"{self.source}/build/deep/file", b"1")
        self.assertIsNone(watcher.next("change", 1.0), watcher.said())

    def test_what_a_gitignore_left_out_comes_in_when_it_changes_or_goes(self):
        for name in (".gitignore", "sub/.gitignore", "sub/deep/a.o", "sub/deep/b.tmp", "c.o"):
            self.write(f"tree/{name}", "*.o\n" if name == ".gitignore" else "*.tmp\n" if name.endswith("ignore") else "x")
        watcher = self.watch("--gitignore")
        watcher.ready()

        def packaged():
            self.assertIsNotNone(watcher.next("summary"), watcher.said())
            prefix = os.fsencode(self.source) + b"/"
            return {path[len(prefix):] for path in self.list_paths() if path.startswith(prefix)} - {b"sub", b"sub/deep"}

        os.unlink(f"{self.source}/sub/.gitignore")
        self.assertEqual(packaged(), {b".gitignore", b"sub/deep/b.tmp"})
        self.write("tree/.gitignore", "deep/b.tmp\n")
        self.assertEqual(packaged(), {b".gitignore", b"sub/deep/a.o", b"sub/deep/b.tmp", b"c.o"})
        self.write("tree/sub/.gitignore", "*.o\n")
        self.assertEqual(packaged(), {b".gitignore", b"sub/.gitignore", b"sub/deep/b.tmp", b"c.o"})
        os.unlink(f"{self.source}/.gitignore")
        os.unlink(f"{self.source}/sub/.gitignore")
        self.assertEqual(packaged(), {b"sub/deep/a.o", b"sub/deep/b.tmp", b"c.o"})

    def test_two_watchers_of_one_tree_do_no_harm(self):
        one = self.watch("--feed", "inotify")
        one.ready()
        other = self.watch("--feed", "inotify")
        other.ready()
        for number in range(5):
            trees.write(f"{self.source}/{number}", os.urandom(5000))
            self.assertIsNotNone(one.next("summary"))
            self.assertIsNotNone(other.next("summary"))
        for watcher in (one, other):
            watcher.end()
            self.assertEqual(watcher.process.returncode, 0, watcher.said())
        self.assert_last_snapshot_is_the_tree()
        self.check()

    @support.needs_tool("strace")
    def test_only_the_dirty_directories_are_opened(self):
        for number in range(40):
            self.write(f"{self.source}/part-{number}/below/file", b"x")
        support.settle()
        log = self.path("calls")
        watcher = self.watch("--feed", "inotify", prefix=["strace", "-f", "-e", "trace=open,openat,openat2", "-o", log])
        watcher.ready()
        watcher.quiet(0.5)
        before = len(self.read(log))
        trees.write(f"{self.source}/part-7/below/other", b"y")
        self.assertIsNotNone(watcher.next("summary"))
        calls = self.read(log)[before:]
        opened = {line.split(b'"')[1] for line in calls.splitlines() if b"part-" in line}
        self.assertEqual(opened, {b"part-7"}, calls.decode())
        watcher.end()

    def listed(self, log, begin):
        """The directories that were listed since then, below the source, and how long the log is now."""
        calls = self.read(log)
        found = set(re.findall(rb"getdents64\(\d+<" + os.fsencode(self.source) + rb"/?([^>]*)>", calls[begin:]))
        return found, len(calls)

    def test_what_holds_a_directory_is_listed_only_when_that_has_other_times(self):
        for number in range(40):
            self.write(f"{self.source}/wide-{number}/below/file", b"x")
        support.settle()
        below = f"{self.source}/wide-7/below"
        for feed in [feed for feed in FEEDS if feed != "poll"]:
            with self.subTest(feed=feed):
                log = self.path(f"calls-{feed}")
                watcher = self.watch("--feed", feed, prefix=["strace", "-f", "-y", "-e", "trace=getdents64", "-o", log])
                watcher.ready()
                watcher.quiet(0.5)
                at = len(self.read(log))

                def change(work):
                    nonlocal at
                    work()
                    self.assertIsNotNone(watcher.next("summary"))
                    watcher.quiet(0.5)
                    found, at = self.listed(log, at)
                    self.assert_last_snapshot_is_the_tree()
                    return found

                self.assertEqual(change(lambda: trees.write(f"{below}/file", feed.encode())), {b"wide-7/below"})
                self.assertEqual(change(lambda: trees.write(f"{below}/{feed}", b"y")), {b"wide-7/below", b"wide-7"})
                for work in (lambda: os.chmod(below, 0o700), lambda: os.utime(below, (1, 1)), lambda: os.setxattr(below, "user.x", feed.encode()),
                             lambda: os.chmod(below, 0o755)):
                    def both(work=work):
                        trees.write(f"{below}/file", b"again " + feed.encode())
                        work()
                    self.assertIn(b"wide-7", change(both))
                watcher.end()

    def test_many_small_snapshots_get_index_objects(self):
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        for number in range(70):
            trees.write(f"{self.source}/file", str(number).encode())
            self.assertIsNotNone(watcher.next("summary"))
        watcher.end()
        objects = self.objects()
        self.assertEqual(len([name for name in objects if name.startswith("snapshots/")]), 71)
        self.assertEqual(len([name for name in objects if name.startswith("index/")]), 1)
        self.assertEqual(len([name for name in objects if name.startswith("data/")]), 71)
        self.check()


class Elsewhere(WatchTest):
    @support.needs_root()
    @unittest.skipUnless(HAS_FANOTIFY, "no fanotify here")
    def test_a_busy_file_system_above_does_not_wake_it(self):
        disk = mounts.tmpfs(self, "64m", name="disk")
        source = os.path.join(disk, "tree")
        os.mkdir(source)
        os.mkdir(self.path("beside"))
        watcher = self.watch("--feed", "fanotify", paths=[source])
        watcher.ready()
        time.sleep(0.5)
        before = self.switches(watcher)
        for number in range(300):
            self.write(self.path("beside", str(number)), b"x")
            time.sleep(0.003)  # so that each would wake it
        self.assertLess(self.switches(watcher) - before, 20)
        trees.write(os.path.join(source, "file"), b"x")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        os.rename(source, source + "-away")
        os.rename(source + "-away", source)
        trees.write(os.path.join(source, "other"), b"x")
        while self.run_mbu(["--json", "ls", "latest"]).out.count('"name":"other"') == 0:
            self.assertIsNotNone(watcher.next("summary"), watcher.said())

    @staticmethod
    def switches(watcher):
        with open(f"/proc/{watcher.process.pid}/status", encoding="ascii", errors="replace") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))


class Ends(WatchTest):
    def test_signals_end_it_after_what_has_changed_is_packaged(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                watcher = self.watch("--feed", "inotify", "--settle", "20s", "--max-delay", "60s")
                watcher.ready()
                trees.write(f"{self.source}/{number}", b"unpackaged")
                time.sleep(0.2)
                watcher.end(number)
                self.assertEqual(watcher.process.returncode, 0, watcher.said())
                self.assert_last_snapshot_is_the_tree()
        self.assertEqual(self.leftovers(), [])

    def test_a_wrong_path_a_wrong_flag(self):
        self.assert_says(self.run_mbu(["watch", self.path("missing")], expect=1), "no such file")
        self.assert_says(self.run_mbu(["watch", "--feed", "rumour", self.source], expect=2), "--feed wants one of auto")
        self.assert_says(self.run_mbu(["watch", "--settle", "soon", self.source], expect=2), "--settle wants a length of time")
        self.assert_says(self.run_mbu(["watch", self.repo], expect=2), "packaging directory")

    def test_the_short_form(self):
        watcher = self.start(["--json", "--no-progress", "-w", self.source])
        try:
            line = json.loads(watcher.stdout.readline())
            self.assertEqual(line["message_type"], "ready")
            self.assertEqual(json.loads(watcher.stdout.readline())["message_type"], "summary")
            watcher.send_signal(signal.SIGINT)
            watcher.communicate(timeout=30)
            self.assertEqual(watcher.returncode, 0)
        finally:
            watcher.kill()

    def test_killed_and_started_again_it_finds_what_it_missed(self):
        randomness = random.Random(7)
        for number in range(12):
            watcher = self.watch("--feed", "inotify")
            watcher.ready()
            for step in range(5):
                self.write(f"{self.source}/{randomness.randrange(10)}/{step}", os.urandom(3000))
                time.sleep(randomness.uniform(0, SETTLE))
            watcher.end(signal.SIGKILL)
            trees.write(f"{self.source}/while-dead", str(number).encode())
        watcher = self.watch("--feed", "inotify")
        watcher.ready()
        watcher.quiet(0.5)
        self.assert_last_snapshot_is_the_tree()
        watcher.end()
        self.check()


if __name__ == "__main__":
    support.main()
