"""What the tests of watchers share: a running watcher, and what it says."""

import ctypes
import json
import os
import queue
import shutil
import signal
import tempfile
import threading
import time

import support
import trees

def has_fanotify():
    """Whether this process may watch the file system of its temporary files by fanotify."""
    libc = ctypes.CDLL(None, use_errno=True)
    report_names, mark_file_system, create = 0xC00, 0x101, 0x100
    fd = libc.fanotify_init(report_names, os.O_RDONLY)
    if fd < 0:
        return False
    marked = libc.fanotify_mark(fd, mark_file_system, ctypes.c_uint64(create), -100, os.fsencode(tempfile.gettempdir())) == 0
    os.close(fd)
    return marked


HAS_FANOTIFY = has_fanotify()
FEEDS = (("fanotify",) if HAS_FANOTIFY else ()) + ("inotify", "poll")
SETTLE = 0.1
# How long after the last change a snapshot may take on a busy machine before it counts as missed.
PATIENCE = 30


class Watcher:
    """A running `mbu --json watch`, and what it says."""

    def __init__(self, test, paths, *arguments, config=None, prefix=None, env=None):
        flags = ["-c", config] if config else []
        self.test = test
        self.process = test.start(["--json", "--no-progress", *flags, "watch", "--settle", f"{int(SETTLE * 1000)}ms", *arguments,
                                   *paths], prefix=prefix, env=env)
        self.lines = []
        self._queue = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._errors = threading.Thread(target=self._read_errors, daemon=True)
        self.stderr = b""
        self._errors.start()

    def _read(self):
        for line in self.process.stdout:
            self._queue.put(json.loads(line))
        self._queue.put(None)

    def _read_errors(self):
        self.stderr = self.process.stderr.read()

    def next(self, kind, timeout=PATIENCE):
        """The next line of that type; None when there is none in time."""
        end = time.monotonic() + timeout
        while True:
            try:
                line = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                return None
            if line is None:
                self._queue.put(None)
                return None
            self.lines.append(line)
            if line["message_type"] == kind:
                return line

    def ready(self):
        """Waits for the first snapshot: its summary."""
        self.test.assertIsNotNone(self.next("ready"), self.said())
        first = self.next("summary")
        self.test.assertIsNotNone(first, self.said())
        return first

    def quiet(self, seconds=1.0):
        """Waits until no snapshot has come for so long; how many came."""
        count = 0
        while self.next("summary", seconds) is not None:
            count += 1
        return count

    def end(self, number=signal.SIGTERM):
        os.killpg(self.process.pid, number)  # strace may be in between
        self.process.wait(60)
        self.join()

    def join(self):
        """Once it has ended: all that it said."""
        self._reader.join(10)
        self._errors.join(10)
        self.process.stdout.close()
        self.process.stderr.close()

    def said(self):
        return f"{self.lines}\n{self.stderr.decode('utf-8', 'replace')}"


class WatchTest(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = self.path("tree")
        os.mkdir(self.source)

    def watch(self, *arguments, paths=None, **options):
        watcher = Watcher(self, paths or [self.source], *arguments, **options)
        self.addCleanup(self._stop, watcher)
        return watcher

    @staticmethod
    def _stop(watcher):
        if watcher.process.poll() is None:
            watcher.end(signal.SIGKILL)

    def assert_last_snapshot_is_the_tree(self, snapshot="latest"):
        target = self.path("restored")
        shutil.rmtree(target, ignore_errors=True)
        self.run_mbu(["restore", f"{snapshot}:{self.source}", "--target", target])
        trees.assert_same(self, self.source, target, ignore=("nlink",))  # names may lie outside

    def polling(self):
        """A configuration with quick rounds for the poll feed."""
        config = self.write("watch.toml", f'[packer]\npackage_directory = "{self.repo}"\n[watcher]\npoll_interval = "300ms"\n')
        os.chmod(config, 0o600)
        return config

    def arguments_of(self, feed):
        return {"config": self.polling()} if feed == "poll" else {}
