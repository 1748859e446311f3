#!/usr/bin/python3
"""A watcher against a model: whatever happens to a tree, the last snapshot is that tree, and all before it restore.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_watch_model.py -v`; MBU_LONG=1: a minute of changes under each feed.
"""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import support
from watching import HAS_FANOTIFY, SETTLE, WatchTest


def disturb(root, seed, end):
    """Changes things at random until the time is up. Several of these at once: anything may have gone meanwhile."""
    randomness = random.Random(seed)

    def directory():
        path = root
        while randomness.random() < 0.6:
            below = [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
            if not below:
                break
            path = randomness.choice(below)
        return path

    def anything():
        entries = [entry.path for entry in os.scandir(directory())]
        return randomness.choice(entries) if entries else f"{root}/nothing"

    def fresh():
        return f"{directory()}/{seed}-{randomness.randrange(40)}"

    def write(mode, size):
        with open(fresh(), mode) as file:
            file.write(os.urandom(randomness.randrange(size)))

    steps = [
        lambda: write("wb", 20_000), lambda: write("wb", 500), lambda: write("ab", 2_000),
        lambda: os.truncate(anything(), randomness.randrange(1000)),
        lambda: os.rename(anything(), fresh()), lambda: os.rename(anything(), fresh()),
        lambda: os.unlink(anything()),
        lambda: os.mkdir(fresh()), lambda: os.makedirs(f"{fresh()}/a/b"),
        lambda: shutil.rmtree(anything()),
        lambda: os.link(anything(), fresh()),
        lambda: os.symlink(f"to-{randomness.randrange(10)}", fresh()),
        lambda: os.chmod(anything(), randomness.choice([0o700, 0o755, 0o777])),
        lambda: os.setxattr(anything(), "user.key", os.urandom(8), follow_symlinks=False),
        lambda: os.rename(anything(), f"{root}.out/{seed}-{randomness.randrange(5)}"),
        lambda: os.rename(f"{root}.out/{seed}-{randomness.randrange(5)}", fresh()),
    ]
    while time.monotonic() < end:
        try:
            randomness.choice(steps)()
        except OSError:
            pass
        if randomness.random() < 0.02:
            time.sleep(randomness.uniform(0, 3 * SETTLE))


class Model(WatchTest):
    """Several processes change a tree at random; when they rest, the last snapshot is the tree, and each before it restores."""

    SECONDS = 60 if support.LONG else 5
    FEWER_SECONDS = 20 if support.LONG else 5

    def disturbed(self, seconds, processes=3):
        os.makedirs(f"{self.source}.out", exist_ok=True)
        end = time.monotonic() + seconds
        seeds = random.Random(time.time_ns()).sample(range(1_000_000), processes)
        workers = [multiprocessing.Process(target=disturb, args=(self.source, seed, end)) for seed in seeds]
        for worker in workers:
            worker.start()
        return workers, seeds

    def expect_the_tree(self, watcher, seeds):
        watcher.quiet(2.0)
        self.assertIsNone(watcher.process.poll(), f"{seeds} {watcher.said()}")
        try:
            self.assert_last_snapshot_is_the_tree()
        except AssertionError as error:
            raise AssertionError(f"seeds {seeds}: {error}") from error
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0, f"{seeds} {watcher.said()}")
        for snapshot in self.snapshots():
            target = self.path("each")
            self.run_mbu(["restore", snapshot["id"], "--target", target])
            shutil.rmtree(target)
        self.check()

    def run_model(self, feed):
        watcher = self.watch("--feed", feed, "--max-delay", "1s", **self.arguments_of(feed))
        watcher.ready()
        workers, seeds = self.disturbed(self.SECONDS)
        for worker in workers:
            worker.join()
        self.expect_the_tree(watcher, seeds)

    @unittest.skipUnless(HAS_FANOTIFY, "may not use fanotify here")
    def test_fanotify(self):
        self.run_model("fanotify")

    def test_inotify(self):
        self.run_model("inotify")

    def test_poll(self):
        self.run_model("poll")

    def run_with_a_tiny_queue(self, feed):
        limit = f"/proc/sys/fs/{feed}/max_queued_events"
        usual = self.read(limit)

        def set_limit(value):
            with open(limit, "wb") as file:
                file.write(value)
        self.addCleanup(set_limit, usual)
        try:
            set_limit(b"16")
        except OSError as error:
            self.skipTest(f"the queue's length cannot be set: {error}")
        watcher = self.watch("--feed", feed, "--max-delay", "1s")
        watcher.ready()
        workers, seeds = self.disturbed(self.FEWER_SECONDS)
        for worker in workers:
            worker.join()
        watcher.quiet(1)
        [told] = self.run_mbu(["--json", "status"], password=None).json
        self.assertGreater(told["lost_events"], 0, "the queue never overflowed")
        self.expect_the_tree(watcher, seeds)

    @support.needs_root()
    def test_inotify_with_a_tiny_queue(self):
        self.run_with_a_tiny_queue("inotify")

    @support.needs_root()
    @unittest.skipUnless(HAS_FANOTIFY, "may not use fanotify here")
    def test_fanotify_with_a_tiny_queue(self):
        self.run_with_a_tiny_queue("fanotify")

    def test_inotify_with_a_handful_of_watches(self):
        limit = "echo 12 > /proc/sys/user/max_inotify_watches"
        few = ["unshare", "--user", "--map-root-user", "sh", "-c"]
        if subprocess.run([*few, limit], capture_output=True, check=False).returncode != 0:
            self.skipTest("watches cannot be limited in a user namespace here")
        for number in range(30):
            self.write(f"{self.source}/{number}/file", b"x")
        watcher = self.watch("--feed", "inotify", "--max-delay", "1s", config=self.polling(), prefix=[*few, limit + ' && exec "$@"', "sh"])
        watcher.ready()
        workers, seeds = self.disturbed(self.FEWER_SECONDS)
        for worker in workers:
            worker.join()
        self.expect_the_tree(watcher, seeds)
        self.assertIn(b"fs.inotify.max_user_watches", watcher.stderr)
        self.assertEqual(watcher.stderr.count(b"max_user_watches"), 1)

    def test_killed_at_random_times(self):
        workers, seeds = self.disturbed(self.SECONDS)
        randomness = random.Random(seeds[0])
        while any(worker.is_alive() for worker in workers):
            watcher = self.watch("--feed", "inotify", "--max-delay", "1s")
            time.sleep(randomness.uniform(0.1, 1.5))
            watcher.end(signal.SIGKILL)
        for worker in workers:
            worker.join()
        watcher = self.watch("--feed", "inotify", "--max-delay", "1s")
        watcher.ready()
        self.expect_the_tree(watcher, seeds)


if __name__ == "__main__":
    support.main()
