#!/usr/bin/python3
"""Files that cannot be read, that change, vanish or misbehave while they are packaged; progress, JSON and what errors say.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_errors.py -v`.
"""

import json
import os
import re
import shutil
import subprocess
import threading

import support
import trees
import watching


@support.needs_tool("setpriv")
class Unreadable(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.source = trees.make_plain(self.path("tree"))
        for folder, _, names in os.walk(self.source):
            self.give_to_nobody(folder, *(os.path.join(folder, name) for name in names))
        self.become_nobody()
        self.init()

    def test_a_file(self):
        os.chmod(f"{self.source}/d0/big", 0)
        for _ in range(2):  # the second time too
            support.settle()
            result = self.run_mbu(["-o", self.source], expect=3)
            self.assert_says(result, f"{self.source}/d0/big", "Permission denied", "incomplete", "snapshot ")
        result = self.package(self.source, expect=3)
        self.assertEqual([(e["item"], e["during"]) for e in result.of_type("error")], [(f"{self.source}/d0/big", "archival")])
        self.assertEqual(result.summary["problems"], 1)
        listed = self.snapshots()[-1]
        self.assertEqual(listed["problems"][0]["path"], f"{self.source}/d0/big")
        self.assertIn("(incomplete)", self.run_mbu(["snapshots"]).out)
        self.unpackage(self.source, expect=(0, 3))
        wanted = trees.read_tree(self.source) if os.geteuid() == 0 else None
        if wanted:
            del wanted[b"/d0/big"]
            trees.assert_same(self, wanted, os.path.join(self.restored, "tree"))
        self.check()
        os.chmod(f"{self.source}/d0/big", 0o644)
        self.assertEqual(self.package(self.source).summary["problems"], 0)
        self.unpackage(self.source)
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def test_a_directory(self):
        for mode in (0, 0o300, 0o600):
            with self.subTest(mode=oct(mode)):
                os.chmod(f"{self.source}/d1", mode)
                result = self.package(self.source, expect=3)
                named = [e["item"] for e in result.of_type("error")]
                self.assertTrue(named and all(item.startswith(f"{self.source}/d1") for item in named), named)
                listed = self.list_paths()
                self.assertIn(f"{self.source}/d0/big".encode(), listed)
                self.check()
        os.chmod(f"{self.source}/d1", 0o755)
        self.package(self.source)
        self.unpackage(self.source)
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def test_a_watcher_says_it_in_every_snapshot(self):
        """Also in those of which the file's directory was not looked at: restore --delete spares what is named."""
        os.chmod(f"{self.source}/d0/big", 0)
        watcher = watching.Watcher(self, [self.source])
        self.addCleanup(watching.WatchTest._stop, watcher)
        self.assertEqual(watcher.ready()["problems"], 1)
        for name in ("one", "two"):
            trees.write(f"{self.source}/d1/{name}", b"readable")
            self.assertEqual(watcher.next("summary")["problems"], 1)
            self.assertEqual([p["path"] for p in self.snapshots()[-1]["problems"]], [f"{self.source}/d0/big"])
        os.chmod(f"{self.source}/d0/big", 0o644)
        self.assertEqual(watcher.next("summary")["problems"], 0)
        watcher.end()
        self.assertEqual([line["item"] for line in watcher.lines if line["message_type"] == "error"], [f"{self.source}/d0/big"])  # told once

    def test_a_watcher_counts_what_a_snapshot_cannot_name(self):
        for number in range(1002):
            os.chmod(self.write(f"tree/secret/{number}/file", b"x"), 0)
        watcher = watching.Watcher(self, [self.source])
        self.addCleanup(watching.WatchTest._stop, watcher)
        self.assertEqual(watcher.ready()["problems"], 1002)
        trees.write(f"{self.source}/d1/new", b"readable")
        self.assertEqual(watcher.next("summary")["problems"], 1002)
        self.assertEqual(self.snapshots()[-1]["summary"]["problems"], 1002)
        self.assertEqual(watcher.quiet(), 0)
        watcher.end()

    def test_deeper_than_anybody_can_come_down(self):
        trees.make_deep(f"{self.source}/deep", levels=2600, name=b"d")
        trees.make_deep(f"{self.source}/long", levels=120, name=b"l" * 200)
        result = self.package(self.source, expect=3)
        self.assertEqual(len(result.of_type("error")), 2)
        self.assert_says(result, "deeper than 2500 directories")
        self.assertIn(f"{self.source}/d0/big".encode(), self.list_paths())
        self.check()

    @support.needs_tool("strace")
    def test_attributes(self):
        """What it is, and what is below it, is packaged without them."""
        for call in ("flistxattr", "llistxattr"):
            prefix = [*self.prefix, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:error=EIO"]
            result = self.backup(self.source, "--force", expect=3, prefix=prefix)
            self.assert_says(result, "packaged without its attributes")
            self.unpackage(self.source)
            trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))
            self.assertEqual(self.package(self.source).summary["problems"], 0)

    def test_a_repository_that_cannot_be_written(self):
        self.package(self.source)
        trees.write(f"{self.source}/d0/new", trees.noise(10_000))
        self.give_to_nobody(f"{self.source}/d0/new")
        for folder, _, _ in os.walk(self.repo):
            os.chmod(folder, 0o500)
        result = self.run_mbu(["-o", self.source], expect=1)
        self.assertNotIn("incomplete", result.text)
        self.assert_says(result, "Permission denied")
        self.check()
        for folder, _, _ in os.walk(self.repo):
            os.chmod(folder, 0o700)

    def test_a_target_that_cannot_be_written(self):
        self.package(self.source)
        os.mkdir(self.path("locked"))
        os.chmod(self.path("locked"), 0o555)
        result = self.run_mbu(["restore", "latest", "--target", self.path("locked")], expect=(1, 3))
        self.assert_says(result, self.path("locked"))
        os.makedirs(os.path.join(self.restored, "tree/d1"))
        if os.geteuid() == 0:  # somebody else's
            os.chmod(self.restored, 0o777)
            os.chmod(os.path.join(self.restored, "tree"), 0o777)
            os.chmod(os.path.join(self.restored, "tree/d1"), 0o755)
            result = self.unpackage(self.source, expect=3)
            self.assertTrue(any("/tree/d1" in e["item"] for e in result.of_type("error")))
            self.assertEqual(self.read(os.path.join(self.restored, "tree/d0/big")), self.read(f"{self.source}/d0/big"))


class Moving(support.MbuTest):
    """Files that do not hold still."""

    def setUp(self):
        super().setUp()
        self.init()
        self.source = self.path("tree")
        os.mkdir(self.source)

    def while_running(self, action, arguments, expect):
        done = threading.Event()

        def loop():
            while not done.is_set():
                action()
        thread = threading.Thread(target=loop)
        thread.start()
        try:
            return self.run_mbu(arguments, expect=expect)
        finally:
            done.set()
            thread.join()

    def test_a_file_that_changes_all_the_time(self):
        trees.write(f"{self.source}/calm", b"calm")
        trees.write(f"{self.source}/restless", trees.noise(16 << 20))
        fd = os.open(f"{self.source}/restless", os.O_WRONLY)
        self.addCleanup(os.close, fd)

        def scribble():
            os.pwrite(fd, os.urandom(16), 12345)

        result = self.while_running(scribble, ["--json", "-o", self.source], 3)
        errors = result.of_type("error")
        self.assertEqual([(e["item"], e["kind"]) for e in errors], [(f"{self.source}/restless", "changed")])
        self.assertEqual(len(self.snapshots()), 1)
        self.assertEqual(self.run_mbu(["dump", f"latest:{self.source}/calm"]).stdout, b"calm")
        self.check()
        # Once it is calm it is taken as it is.
        support.settle()
        self.package(self.source)
        self.unpackage(self.source)
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def test_a_file_that_grows(self):
        trees.write(f"{self.source}/log", trees.text(8 << 20))
        fd = os.open(f"{self.source}/log", os.O_WRONLY | os.O_APPEND)
        self.addCleanup(os.close, fd)
        self.while_running(lambda: os.write(fd, b"one more line\n"), ["-o", self.source], (0, 3))
        self.check()
        restored = self.run_mbu(["dump", f"latest:{self.source}/log"]).stdout
        self.assertTrue(self.read(f"{self.source}/log").startswith(restored))
        self.assertGreaterEqual(len(restored), 8 << 20)

    def test_a_file_that_is_cut(self):
        path = f"{self.source}/file"

        def cut_and_fill():
            os.truncate(path, 1000)
            os.truncate(path, 10 << 20)

        trees.write(path, trees.noise(10 << 20))
        for _ in range(3):
            self.while_running(cut_and_fill, ["-o", self.source], (0, 3))
        self.check()

    def test_entries_that_come_and_go(self):
        for i in range(1500):
            trees.write(f"{self.source}/still {i}", b"%d" % i)

        def flicker():
            for i in range(20):
                trees.write(f"{self.source}/flicker {i}", b"x")
            os.mkdir(f"{self.source}/folder")
            trees.write(f"{self.source}/folder/inside", b"x")
            shutil.rmtree(f"{self.source}/folder")
            for i in range(20):
                os.unlink(f"{self.source}/flicker {i}")
        for _ in range(3):
            result = self.while_running(flicker, ["--json", "-o", self.source], (0, 3))
            for error in result.of_type("error"):
                self.assertRegex(error["item"], "flicker|folder")
        self.check()
        listed = self.list_paths()
        for i in range(1500):
            self.assertIn(f"{self.source}/still {i}".encode(), listed)

    def test_a_file_that_becomes_a_fifo_is_not_waited_for(self):
        path = f"{self.source}/changing"
        trees.write(path, b"x")

        def change():
            os.mkfifo(path + ".fifo")
            os.rename(path + ".fifo", path)
            trees.write(path + ".file", os.urandom(50_000))
            os.rename(path + ".file", path)
        for _ in range(6):
            self.while_running(change, ["backup", "-e", "*.fifo", "-e", "*.file", self.source], (0, 3))
        self.check()

    def test_a_file_that_becomes_a_symlink_is_not_followed(self):
        outside = self.write("outside", b"must not be packaged")
        path = f"{self.source}/changing"
        trees.write(path, b"inside")

        def change():
            os.symlink(outside, path + ".new")
            os.rename(path + ".new", path)
            trees.write(path + ".new", b"inside")
            os.rename(path + ".new", path)
        for _ in range(6):
            self.while_running(change, ["backup", "-e", "*.new", self.source], (0, 3))
            node = [n for n in self.run_mbu(["--json", "ls", f"latest:{self.source}"]).of_type("node") if n["name"] == "changing"]
            if node and node[0]["type"] == "file":
                self.assertEqual(self.run_mbu(["dump", f"latest:{path}"]).stdout, b"inside")

    @support.needs_tool("strace")
    def test_a_read_error_is_that_files_own(self):
        for i in range(5):
            trees.write(f"{self.source}/file {i}", trees.noise(400_000, i))
        for error in ("EIO", "EACCES"):
            call = "read,pread64,preadv" if error == "EIO" else "openat,openat2"
            result = self.package(self.source, "--threads", "1", expect=3, prefix=[
                "strace", "-f", "-o", "/dev/null", "-P", f"{self.source}/file 2", "-P", "file 2", "-e", f"trace={call}",
                "-e", f"inject={call}:error={error}"])
            self.assertEqual([e["item"] for e in result.of_type("error")], [f"{self.source}/file 2"])
            self.assertEqual(result.summary["total_files_processed"], 4)


class Json(support.MbuTest):
    def test_every_line_is_json_and_known(self):
        source = trees.make_plain(self.path("tree"), files=60)
        lines = self.run_mbu(["--json", "-o", source]).json
        self.assertEqual(lines[0]["message_type"], "initialized")
        self.assertTrue(all(line["message_type"] in ("initialized", "status", "summary") for line in lines))
        status = [line for line in lines if line["message_type"] == "status"]
        for field in ("percent_done", "total_files", "files_done", "total_bytes", "bytes_done", "seconds_elapsed"):
            self.assertIn(field, status[-1])
        self.assertEqual(status[-1]["percent_done"], 1.0)
        summary = lines[-1]
        for field in ("files_new", "files_changed", "files_unmodified", "dirs_new", "dirs_changed", "dirs_unmodified", "data_added",
                      "data_added_packed", "total_files_processed", "total_bytes_processed", "total_duration", "snapshot_id"):
            self.assertIn(field, summary)
        self.assertRegex(summary["snapshot_id"], "^[0-9a-f]{64}$")
        self.assertEqual(summary["files_new"], summary["total_files_processed"])
        lines = self.run_mbu(["--json", "-d", source]).json
        self.assertTrue(all(line["message_type"] in ("status", "summary") for line in lines))
        self.assertEqual(lines[-1]["files_restored"], summary["total_files_processed"])
        self.assertEqual((lines[-1]["bytes_skipped"], lines[-1]["bytes_restored"]), (0, summary["total_bytes_processed"]))
        again = self.run_mbu(["--json", "-d", source]).json
        for line in (again[-2], again[-1]):
            self.assertEqual((line["files_restored"], line["bytes_restored"]), (0, 0))
            self.assertEqual((line["files_skipped"], line["bytes_skipped"]),
                             (summary["total_files_processed"], summary["total_bytes_processed"]))
        checked = self.check().summary
        self.assertEqual(checked["num_errors"], 0)

    def test_progress_goes_up(self):
        os.mkdir(self.path("big"))
        for i in range(6):
            trees.write(self.path(f"big/{i}"), trees.noise(8 << 20, i))
        self.init()
        status = self.package(self.path("big")).of_type("status")
        done = [line["bytes_done"] for line in status]
        self.assertEqual(done, sorted(done))
        self.assertEqual(status[-1]["bytes_done"], 6 * (8 << 20))

    def test_plain_output_has_no_control_characters(self):
        self.init()
        result = self.run_mbu(["backup", "--stdin-from-command", "--", "sh", "-c", "echo; sleep 5.5; echo"])
        self.assertRegex(result.err, r"^\[0:0[56]\] ")
        self.assertNotRegex(result.text, re.compile("[\r\x1b]"))

    def test_errors_of_every_code(self):
        self.assertEqual(self.run_mbu(["--json", "snapshots"], expect=10).exit_error["code"], 10)
        self.init()
        for arguments, code, options in ((["nonsense"], 2, {}), (["restore", "latest"], 1, {}), (["snapshots"], 12, {"password": "x"})):
            result = self.run_mbu(["--json", *arguments], expect=code, **options)
            self.assertEqual(result.exit_error["code"], code)
            self.assertEqual(result.stdout, b"")
            self.assertIsInstance(json.loads(result.err.splitlines()[-1])["message"], str)

    def test_wrong_words_are_told_in_json_wherever_they_stand(self):
        self.init()
        for words in (["--json", "--threads", "x", "snapshots"], ["--threads", "x", "snapshots", "--json"], ["--json", "-p"], ["--json", "-o"],
                      ["--json", "--no-cache=foo", "snapshots"]):
            result = self.run_mbu(words, expect=2)
            self.assertEqual(result.exit_error["code"], 2)
            self.assertEqual(result.stdout, b"")

    def test_what_is_incomplete_ends_with_an_exit_error(self):
        self.init()
        self.write("tree/here", "here")
        result = self.run_mbu(["--json", "backup", self.path("tree"), self.path("missing")], expect=3)
        self.assertEqual(result.exit_error["code"], 3)
        self.assertNotIn("exit_error", self.run_mbu(["--json", "backup", self.path("tree")]).err)

    def test_the_next_step_has_its_flags_once(self):
        """However mbu was called: here as a shell finds it."""
        environment = {**self.environment(), "PATH": os.path.dirname(self.binary)}
        result = subprocess.run(["mbu", "-r", self.path("elsewhere"), "snapshots"], env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 10)
        self.assertEqual(result.stderr.count("-r "), 1, result.stderr)


class Descriptors(support.MbuTest):
    @support.needs_tool("prlimit")
    def test_too_few_descriptors_end_the_run(self):
        """What this process lacks says nothing of the file that it was about to open."""
        self.init()
        source = self.path("tree")
        os.makedirs(source + "/deep" * 60)
        trees.write(source + "/deep" * 60 + "/file", b"x")
        result = self.run_mbu(["-o", source], expect=1, prefix=["prlimit", "--nofile=40:40"])
        self.assert_says(result, "Too many open files", "ulimit -n")
        self.assertEqual(self.snapshots(), [])
        self.package(source)


if __name__ == "__main__":
    support.main()
