#!/usr/bin/python3
"""restore: what it does with files in the way, which part it restores, and that it never leaves its target.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_restore.py -v`.
"""

import ctypes
import os
import shutil
import stat
import threading
import time

import support
import trees

RENAME_EXCHANGE = 2
OLD, NEW = 1_000_000_000 * 10 ** 9, 4_000_000_000 * 10 ** 9


def exchange(one, two):
    """Swaps two names in one step."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(two), RENAME_EXCHANGE)


class Restore(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = self.path("tree")
        os.makedirs(f"{self.source}/a/b")
        for name in ("one", "a/two", "a/b/three"):
            trees.write(f"{self.source}/{name}", f"of the snapshot: {name}".encode() * 500)
        os.symlink("one", f"{self.source}/link")
        self.package(self.source)
        self.wanted = trees.read_tree(self.source)
        self.target = self.path("target")

    def restore(self, *arguments, expect=0, path=""):
        return self.run_mbu(["--json", "restore", f"latest:{self.source}{path}", "--target", self.target, *arguments],
                            expect=expect)

    def assert_target(self, wanted=None):
        wanted, found = dict(wanted or self.wanted), trees.read_tree(self.target)
        wanted.pop(b""), found.pop(b"")
        trees.assert_same(self, wanted, found)

    def kept(self, result):
        return sorted(os.path.relpath(e["item"], self.target) for e in result.of_type("error") if e["kind"] == "kept")


class InTheWay(Restore):
    def setUp(self):
        super().setUp()
        self.restore()
        self.edit("one", b"older and different", OLD)
        self.edit("a/two", b"newer and different", NEW)
        same = self.read(f"{self.target}/a/b/three")
        self.edit("a/b/three", same, NEW)

    def edit(self, name, data, moment):
        trees.write(f"{self.target}/{name}", data)
        os.utime(f"{self.target}/{name}", ns=(moment, moment))

    def assert_replaced(self, *names):
        for name in ("one", "a/two", "a/b/three"):
            same = self.read(f"{self.target}/{name}") == self.read(f"{self.source}/{name}")
            self.assertEqual(same, name in names or name == "a/b/three", name)
            if name in names:
                self.assertEqual(os.stat(f"{self.target}/{name}").st_mtime_ns, os.stat(f"{self.source}/{name}").st_mtime_ns)

    def test_by_default_what_is_newer_stays(self):
        result = self.restore(expect=3)
        self.assert_replaced("one")
        self.assertEqual(self.kept(result), ["a/two"])
        self.assertEqual(result.summary["files_kept"], 1)
        result = self.run_mbu(["restore", f"latest:{self.source}", "--target", self.target], expect=3)
        self.assert_says(result, f"{self.target}/a/two", "1 existing file left as it was", "--overwrite always")
        command = [line.strip() for line in result.err.splitlines() if "--overwrite always" in line][-1].split()
        self.run_mbu(command[1:])
        self.assert_replaced("one", "a/two")

    def test_the_hint_restores_the_same_again(self):
        """With --delete or --overwrite always behind it: it must not reach further than what was asked for."""
        result = self.run_mbu(["restore", f"latest:{self.source}", "--target", self.target, "--path", self.source, "-i", "a", "-e", "a/b",
                               "--no-owner"], expect=3)
        command = [line.strip() for line in result.err.splitlines() if "--overwrite always" in line][-1].split()
        self.assertNotIn("latest", command[2])  # "latest" may be another one then
        self.run_mbu(["backup", self.write("other/file", "newer")])
        again = self.run_mbu(command[1:])
        self.assert_says(again, "restored 1 of 1 file")
        self.assert_replaced("a/two")

    def test_newer_is_the_default(self):
        self.restore("--overwrite", "if-newer", expect=3)
        self.assert_replaced("one")

    def test_never(self):
        result = self.restore("--overwrite", "never", expect=3)
        self.assert_replaced()
        self.assertEqual(self.kept(result), ["a/two", "one"])

    def test_if_changed_and_always(self):
        for policy in ("if-changed", "always"):
            self.edit("one", b"older and different", OLD)
            self.edit("a/two", b"newer and different", NEW)
            result = self.restore("--overwrite", policy)
            self.assert_replaced("one", "a/two")
            self.assertEqual(self.kept(result), [])

    def test_equal_files_are_left_as_they_are(self):
        before = os.stat(f"{self.target}/a/b/three")
        result = self.restore("--overwrite", "always")
        after = os.stat(f"{self.target}/a/b/three")
        self.assertEqual((before.st_ino, after.st_size), (after.st_ino, before.st_size))
        self.assertGreaterEqual(result.summary["files_skipped"], 1)
        self.assert_target() if after.st_mtime_ns != NEW else None

    def test_a_file_missing_comes_back(self):
        os.unlink(f"{self.target}/a/two")
        self.restore()
        self.assert_replaced("one", "a/two")

    def test_dry_run_writes_nothing(self):
        before = trees.read_tree(self.target)
        os.unlink(f"{self.target}/link")
        del before[b"/link"]
        before.pop(b"")
        found = None
        result = self.restore("-n", "--delete", expect=(0, 3))
        found = trees.read_tree(self.target)
        found.pop(b"")
        trees.assert_same(self, before, found)
        self.assertTrue(result.summary["dry_run"])
        self.assertGreaterEqual(result.summary["files_restored"], 2)

    def test_dry_run_makes_no_target(self):
        self.run_mbu(["restore", "latest", "-n", "--target", self.path("other")])
        self.assertFalse(os.path.exists(self.path("other")))

    def test_other_kinds_in_the_way(self):
        os.unlink(f"{self.target}/one")
        os.mkdir(f"{self.target}/one")
        shutil.rmtree(f"{self.target}/a")
        trees.write(f"{self.target}/a", b"a file where a directory belongs")
        os.unlink(f"{self.target}/link")
        trees.write(f"{self.target}/link", b"a file where a symlink belongs")
        for path in ("one", "a", "link"):
            os.utime(f"{self.target}/{path}", ns=(OLD, OLD))
        self.restore("--overwrite", "always")
        self.assert_target()

    def test_a_full_directory_is_not_lost_to_a_file(self):
        os.unlink(f"{self.target}/one")
        os.mkdir(f"{self.target}/one")
        trees.write(f"{self.target}/one/precious", b"x")
        for policy in ("never", "if-newer"):
            result = self.restore("--overwrite", policy, expect=3)
            self.assertEqual(self.read(f"{self.target}/one/precious"), b"x")
            self.assert_says(result, f"{self.target}/one")

    def test_a_special_file_in_the_way_is_not_opened(self):
        """Opening a FIFO would wait for ever, a device might do anything."""
        for name in ("one", "a/two"):
            os.unlink(f"{self.target}/{name}")
        os.mkfifo(f"{self.target}/one")
        if os.geteuid() == 0:
            os.mknod(f"{self.target}/a/two", 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        self.restore("--overwrite", "always", expect=0)
        self.assert_replaced("one", "a/two")


class Parts(Restore):
    def restored_names(self, *arguments, **options):
        shutil.rmtree(self.target, ignore_errors=True)
        self.restore(*arguments, **options)
        found = []
        for folder, _, names in os.walk(self.target):
            found += [os.path.relpath(os.path.join(folder, name), self.target) for name in names]
        return sorted(found)

    def test_includes_and_excludes(self):
        everything = ["a/b/three", "a/two", "link", "one"]
        self.assertEqual(self.restored_names(), everything)
        self.assertEqual(self.restored_names("-i", "thr*", "-i", "tw[o]"), ["a/b/three", "a/two"])
        self.assertEqual(self.restored_names("--include", "one", "--include", "link"), ["link", "one"])
        self.assertEqual(self.restored_names("-e", "b"), ["a/two", "link", "one"])
        self.assertEqual(self.restored_names("--exclude", "t?o", "-e", "th*", "-e", "link"), ["one"])
        self.assertEqual(self.restored_names("-i", "a", "-e", "three"), ["a/two"])
        # With a path, patterns are about what is below it.
        self.assertEqual(self.restored_names("-e", "/a/two"), ["a/b/three", "link", "one"])
        self.assertEqual(self.restored_names("-i", "/b", path="/a"), ["b/three"])
        self.assertEqual(self.restored_names("-i", f"{self.source}/a"), [])
        self.assertEqual(self.restored_names("-e", "tree"), everything)

    def test_a_subpath(self):
        self.assertEqual(self.restored_names(path="/a"), ["b/three", "two"])
        self.assertEqual(self.restored_names(path="/a/b/"), ["three"])
        self.assertEqual(self.restored_names(path="/one"), ["one"])
        self.restore(path="/missing", expect=1)

    def test_snapshots_by_name(self):
        first = self.snapshots()[0]["id"]
        trees.write(f"{self.source}/one", b"second")
        self.package(self.source)
        for name, data in (("latest", b"second"), ("latest~1", b"of the"), (first, b"of the"), (first[:8], b"of the")):
            self.run_mbu(["restore", f"{name}:{self.source}", "--target", self.path(name)])
            self.assertTrue(self.read(self.path(name, "one")).startswith(data))
        for name in ("latest~2", "ffffffffffff", "latest~x"):
            self.assert_says(self.run_mbu(["restore", name], expect=1), name)

    def test_the_default_target(self):
        self.run_mbu(["restore", "latest"])
        trees.assert_same(self, self.source, self.restored + self.source)

    def test_delete(self):
        self.restore()
        trees.write(f"{self.target}/a/extra", b"x")
        os.makedirs(f"{self.target}/a/extra directory/below")
        trees.write(f"{self.target}/a/extra directory/below/file", b"x")
        os.symlink("/etc", f"{self.target}/a/extra link")
        result = self.restore("--delete", "-n")
        self.assertTrue(os.path.exists(f"{self.target}/a/extra"))
        self.assertGreaterEqual(result.summary["files_deleted"], 3)
        self.restore("--delete")
        self.assert_target()
        self.assertTrue(os.path.isdir("/etc"))

    def test_delete_spares_what_is_not_asked_for(self):
        self.restore()
        trees.write(f"{self.target}/a/extra", b"x")
        trees.write(f"{self.target}/a/b/extra", b"x")
        self.run_mbu(["restore", f"latest:{self.source}/a/b", "--target", f"{self.target}/a/b", "--delete"])
        self.assertTrue(os.path.exists(f"{self.target}/a/extra"))
        self.assertFalse(os.path.exists(f"{self.target}/a/b/extra"))

    def test_delete_without_a_path_leaves_the_folders_above_alone(self):
        """Only what was packaged was restored: what lies beside it under the target is somebody else's."""
        self.run_mbu(["restore", "latest", "--target", self.target])
        above = self.target + self.base
        trees.write(f"{self.target}/beside", b"x")
        trees.write(f"{above}/beside", b"x")
        trees.write(f"{above}/tree/extra", b"x")
        self.run_mbu(["restore", "latest", "--target", self.target, "--delete"])
        self.assertTrue(os.path.exists(f"{self.target}/beside"))
        self.assertTrue(os.path.exists(f"{above}/beside"))
        self.assertFalse(os.path.exists(f"{above}/tree/extra"))

    def test_verify_and_sync(self):
        self.restore("--verify")
        self.assert_target()
        self.restore("--verify", "--overwrite", "always")
        self.restore("--sync")

    @support.needs_tool("strace")
    def test_sync_is_one_call(self):
        self.run_mbu(["restore", "latest", "--target", self.target, "--sync"],
                     prefix=["strace", "-f", "-e", "trace=syncfs", "-o", self.path("log")])
        self.assertEqual(self.read(self.path("log")).count(b"syncfs("), 1)

    @support.needs_root()
    def test_owners(self):
        os.chown(f"{self.source}/one", 12345, 54321)
        self.package(self.source)
        self.restore("--no-owner")
        status = os.stat(f"{self.target}/one")
        self.assertEqual((status.st_uid, status.st_gid), (os.geteuid(), os.getegid()))
        shutil.rmtree(self.target)
        self.restore()
        status = os.stat(f"{self.target}/one")
        self.assertEqual((status.st_uid, status.st_gid), (12345, 54321))

    @support.needs_root()
    @support.needs_tool("setpriv")
    def test_without_rights_everything_becomes_his(self):
        os.chown(f"{self.source}/one", 12345, 54321)
        os.chmod(f"{self.source}/one", 0o4755)
        self.package(self.source)
        self.become_nobody()
        os.mkdir(self.target)
        self.give_to_nobody(self.target)
        for flags in ([], ["--no-owner"]):
            self.restore("--overwrite", "always", *flags)
            status = os.stat(f"{self.target}/one")
            self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode)), (support.NOBODY, 0o755))
            self.assertEqual(self.read(f"{self.target}/one"), self.read(f"{self.source}/one"))

    @support.needs_tool("setpriv")
    def test_attributes_of_what_must_not_be_written(self):
        for path, mode in (("one", 0o444), ("a/b", 0o555)):
            os.setxattr(f"{self.source}/{path}", "user.note", b"kept")
            os.chmod(f"{self.source}/{path}", mode)
        self.package(self.source)
        self.become_nobody()
        os.mkdir(self.target)
        self.give_to_nobody(self.target)
        self.restore()
        for path, mode in (("one", 0o444), ("a/b", 0o555)):
            self.assertEqual(os.getxattr(f"{self.target}/{path}", "user.note"), b"kept")
            os.setxattr(f"{self.target}/{path}", "user.note", b"another")
            self.restore()
            self.assertEqual(os.getxattr(f"{self.target}/{path}", "user.note"), b"kept")
            self.assertEqual(stat.S_IMODE(os.stat(f"{self.target}/{path}").st_mode), mode)

    def test_leftovers_are_cleaned(self):
        self.restore()
        for folder in ("", "a/"):
            trees.write(f"{self.target}/{folder}.mbu-restore-0123456789abcdef", b"half a file")
        trees.write(f"{self.target}/.mbu-mine", b"not one of them")
        self.restore()
        self.assertEqual(self.leftovers(self.target), [".mbu-mine"])


class Spared(support.MbuTest):
    """--delete takes away what the snapshot lacks because it was not there, and nothing that a backup left out on its own."""

    def test_mbus_own_places(self):
        self.write("home/docs/file", b"important")
        self.run_mbu(["-o", self.home])
        self.run_mbu(["-d", "docs"], expect=1)  # never packaged by that name: makes nothing
        os.makedirs(self.restored)
        self.write("home/extra", b"x")
        before = self.objects()
        for target, what in (("/", "latest"), (self.home, f"latest:{self.home}")):
            with self.subTest(target=target):
                self.write("home/extra", b"x")
                dry = self.run_mbu(["--json", "restore", what, "--target", target, "--delete", "-n"]).summary
                self.assertEqual(dry["files_deleted"], 1)
                done = self.run_mbu(["--json", "restore", what, "--target", target, "--delete"]).summary
                self.assertEqual(done["files_deleted"], 1)
                self.assertFalse(os.path.exists(os.path.join(self.home, "extra")))
                self.assertEqual(self.objects(), before)
                for own in (self.repo, self.restored, self.cache, self.state):
                    self.assertTrue(os.path.isdir(own), own)
        self.assertEqual(self.run_mbu(["--json", "restore", f"latest:{self.home}", "--target", self.home]).summary.get("files_extra", 0), 0)
        self.check()

    def test_own_places_within_what_is_deleted_and_under_another_name(self):
        config = self.write("config.toml", f'[packer]\npackage_directory = "{self.path("tree", "disk", "packages")}"\n')
        self.write("tree/file", b"x")
        self.run_mbu(["-c", config, "-o", self.path("tree")])
        os.symlink(self.path("tree"), self.path("alias"))
        self.write("tree/disk/other", b"x")
        summary = self.run_mbu(["-c", config, "--json", "restore", f"latest:{self.path('tree')}", "--target",
                                self.path("alias"), "--delete"]).summary
        self.assertEqual(summary["files_deleted"], 1)
        self.assertFalse(os.path.exists(self.path("tree/disk/other")))
        self.run_mbu(["-c", config, "check"])

    def unreadable(self, count):
        self.write("tree/readable", b"x")
        for i in range(count):
            os.chmod(self.write(f"tree/secret/{i}", b"the only copy"), 0)
        for folder, _, names in os.walk(self.path("tree")):
            self.give_to_nobody(folder)
        prefix = self.prefix
        self.become_nobody()
        self.backup(self.path("tree"), expect=3)
        self.prefix = prefix

    @support.needs_root()
    def test_what_could_not_be_read(self):
        self.unreadable(1)
        self.write("tree/extra", b"x")
        flags = ["--json", "restore", f"latest:{self.path('tree')}", "--target", self.path("tree")]
        self.assertEqual(self.run_mbu(flags).summary["files_extra"], 1)
        self.assertEqual(self.run_mbu([*flags, "--delete"]).summary["files_deleted"], 1)
        self.assertEqual(self.read(self.path("tree/secret/0")), b"the only copy")
        self.assertFalse(os.path.exists(self.path("tree/extra")))

    @support.needs_root()
    def test_more_than_a_snapshot_can_name(self):
        self.unreadable(1001)
        self.write("tree/extra", b"x")
        result = self.run_mbu(["restore", f"latest:{self.path('tree')}", "--target", self.path("tree"), "--delete"])
        self.assert_says(result, "nothing is deleted")
        self.assertEqual(len(os.listdir(self.path("tree/secret"))), 1001)
        self.assertTrue(os.path.exists(self.path("tree/extra")))


class Escapes(Restore):
    """Somebody else works in the target meanwhile; what is outside of it stays as it was."""

    def setUp(self):
        super().setUp()
        self.outside = self.path("outside")
        os.mkdir(self.outside)
        trees.write(f"{self.outside}/precious", b"as it was")
        os.chmod(f"{self.outside}/precious", 0o640)
        self.untouched = trees.read_tree(self.outside)

    def assert_outside_untouched(self):
        trees.assert_same(self, self.untouched, self.outside)

    def test_symlinks_that_are_there(self):
        os.mkdir(self.target)
        os.symlink(self.outside, f"{self.target}/a")
        os.symlink(f"{self.outside}/precious", f"{self.target}/one")
        for policy in ("never", "if-newer"):
            self.restore("--overwrite", policy, expect=(0, 3))
            self.assert_outside_untouched()
        self.restore("--overwrite", "always")
        self.assert_outside_untouched()
        self.assert_target()

    def test_symlinks_on_the_way_of_an_absolute_path(self):
        os.mkdir(self.target)
        first = self.base.strip("/").split("/")[0]
        os.symlink(self.outside, f"{self.target}/{first}")
        self.run_mbu(["restore", "latest", "--target", self.target, "--overwrite", "always"], expect=(0, 3))
        self.assert_outside_untouched()

    def test_delete_follows_no_symlink(self):
        self.restore()
        os.symlink(self.outside, f"{self.target}/extra")
        shutil.rmtree(f"{self.target}/a")
        os.symlink(self.outside, f"{self.target}/a")
        self.restore("--delete", "--overwrite", "always")
        self.assert_outside_untouched()
        self.assert_target()

    def test_a_hard_link_to_something_outside_is_not_written_through(self):
        self.restore()
        os.unlink(f"{self.target}/one")
        os.link(f"{self.outside}/precious", f"{self.target}/one")
        os.utime(f"{self.outside}/precious", ns=(OLD, OLD))
        self.restore("--overwrite", "always")
        self.assertEqual(self.read(f"{self.outside}/precious"), b"as it was")
        self.assertEqual(os.stat(f"{self.outside}/precious").st_mode & 0o777, 0o640)

    def race(self, *arguments):
        """Restores while a thread swaps the directory "many" for a symlink that leads out, as fast as it can."""
        source = f"{self.source}/many"
        os.makedirs(f"{source}/below")
        for i in range(600):
            trees.write(f"{source}/file {i}", b"evil %d" % i * 20)
            trees.write(f"{source}/below/file {i}", b"evil %d" % i * 20)
        self.package(self.source)
        os.makedirs(f"{self.target}/many")
        os.mkdir(f"{self.outside}/below")
        self.untouched = trees.read_tree(self.outside)
        os.symlink(self.outside, f"{self.target}/swap")
        done = threading.Event()

        def swap():
            while not done.is_set():
                exchange(f"{self.target}/many", f"{self.target}/swap")

        thread = threading.Thread(target=swap)
        thread.start()
        try:
            for _ in range(20 if support.LONG else 6):
                self.restore(*arguments, expect=(0, 1, 3))
                self.assert_outside_untouched()
        finally:
            done.set()
            thread.join()
        self.assert_outside_untouched()

    def test_a_directory_swapped_for_a_symlink(self):
        self.race("--overwrite", "always")

    def test_a_directory_swapped_for_a_symlink_while_it_deletes(self):
        for i in range(100):
            trees.write(f"{self.outside}/victim {i}", b"x")
        self.race("--overwrite", "always", "--delete")

    @support.needs_tool("strace")
    def test_a_symlink_swapped_for_another_file(self):
        """Its name means a file of another place between the setting of its owner and that of its time."""
        shutil.rmtree(self.source)
        os.mkdir(self.source)
        os.symlink("x", f"{self.source}/link")
        self.package(self.source)
        os.link(f"{self.outside}/precious", self.path("swap"))
        process = self.start(["restore", f"latest:{self.source}", "--target", self.target], prefix=[
            "strace", "-f", "-qq", "-o", self.path("log"), "-e", "trace=fchownat", "-e", "inject=fchownat:delay_exit=2000000"])
        until = time.monotonic() + 60
        while b"fchownat" not in self.log() and time.monotonic() < until:
            time.sleep(0.02)
        os.rename(self.path("swap"), f"{self.target}/link")
        process.communicate()
        os.unlink(f"{self.target}/link")
        self.assert_outside_untouched()

    def log(self):
        return self.read(self.path("log")) if os.path.exists(self.path("log")) else b""

    def test_a_directory_moved_out(self):
        """The other way round: what was inside when it was opened is moved elsewhere; nothing else is touched."""
        source = f"{self.source}/many"
        os.makedirs(source)
        for i in range(600):
            trees.write(f"{source}/file {i}", b"x")
        self.package(self.source)
        done = threading.Event()

        def move():
            number = 0
            while not done.is_set():
                number += 1
                try:
                    os.rename(f"{self.target}/many", self.path(f"moved {number}"))
                except OSError:
                    pass

        thread = threading.Thread(target=move)
        thread.start()
        try:
            for _ in range(4):
                self.restore(expect=(0, 1, 3))
        finally:
            done.set()
            thread.join()
        self.assert_outside_untouched()


if __name__ == "__main__":
    support.main()
