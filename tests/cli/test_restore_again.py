#!/usr/bin/python3
"""restore into what is there already: links, flags, modes, owners and mounted file systems that it meets.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_restore_again.py -v`.
"""

import os
import stat
import subprocess

import mounts
import support
import trees

OLD = 1_000_000_000 * 10 ** 9


class Again(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = self.path("tree")
        os.mkdir(self.source)
        self.target = self.path("tree-again", "tree")
        os.mkdir(self.path("tree-again"))

    def restore(self, *arguments, expect=0, path=""):
        return self.run_mbu(["--json", "restore", f"latest:{self.source}{path}", "--target", self.target, *arguments],
                            expect=expect)

    def inode(self, name):
        return os.lstat(f"{self.target}/{name}").st_ino


class Mounted(Again):
    """What a backup of one file system has as an empty directory may hold another one when it is restored."""

    def setUp(self):
        super().setUp()
        os.makedirs(f"{self.source}/mnt")
        trees.write(f"{self.source}/file", b"x")
        self.package(self.source)
        self.restore()

    def mount(self, name):
        os.makedirs(f"{self.target}/{name}", exist_ok=True)
        with_file = mounts.tmpfs(self, "1m", name="tmpfs-" + name.replace("/", "-"))
        self.write(f"{with_file}/below/precious", b"x")
        done = subprocess.run(["mount", "--bind", with_file, f"{self.target}/{name}"], check=False)
        if done.returncode != 0:
            self.skipTest("cannot bind")
        self.addCleanup(subprocess.run, ["umount", "-l", f"{self.target}/{name}"], check=False)
        return f"{self.target}/{name}/below/precious"

    @support.needs_root()
    def test_delete_removes_nothing_of_it(self):
        known, extra = self.mount("mnt"), self.mount("extra/mnt")
        trees.write(f"{self.target}/extra/file", b"x")
        result = self.restore("--delete", "-v")
        self.assertTrue(os.path.exists(known), str(result))
        self.assertTrue(os.path.exists(extra), str(result))
        self.assertFalse(os.path.exists(f"{self.target}/extra/file"))
        self.assert_says(result, f"{self.target}/mnt: another file system", f"{self.target}/extra/mnt: another file system")

    @support.needs_root()
    def test_nor_of_the_same_one_mounted_again(self):
        self.write("elsewhere/precious", b"x")
        done = subprocess.run(["mount", "--bind", self.path("elsewhere"), f"{self.target}/mnt"], check=False)
        if done.returncode != 0:
            self.skipTest("cannot bind")
        self.addCleanup(subprocess.run, ["umount", "-l", f"{self.target}/mnt"], check=False)
        self.restore("--delete")
        self.assertTrue(os.path.exists(self.path("elsewhere/precious")))

    @support.needs_root()
    def test_a_target_that_is_one_is_not_spared(self):
        self.target = mounts.tmpfs(self, "1m", name="itself")
        trees.write(f"{self.target}/extra", b"x")
        self.restore("--delete")
        self.assertEqual(sorted(os.listdir(self.target)), ["file", "mnt"])


class Deep(Again):
    def test_delete_stops_before_the_stack_does(self):
        trees.write(f"{self.source}/file", b"x")
        self.package(self.source)
        self.restore()
        trees.make_deep(f"{self.target}/extra", levels=3000, name=b"d")
        trees.write(f"{self.target}/other", b"x")
        self.restore()
        self.assert_says(self.restore("--delete", expect=3), f"{self.target}/extra", "deeper than 2500")
        self.assertEqual(sorted(os.listdir(self.target)), ["extra", "file"])


class Links(Again):
    def link(self, *names, data=b"linked" * 2000):
        trees.write(f"{self.source}/{names[0]}", data)
        for name in names[1:]:
            os.link(f"{self.source}/{names[0]}", f"{self.source}/{name}")

    def test_a_pair_whose_metadata_differs_stays_one(self):
        self.link("one", "two")
        self.package(self.source)
        self.restore()
        os.chmod(f"{self.target}/one", 0o600)
        self.restore()
        self.assertEqual(self.inode("one"), self.inode("two"))
        self.assertEqual(os.stat(f"{self.target}/two").st_mode, os.stat(f"{self.source}/two").st_mode)
        self.assertEqual(os.stat(f"{self.target}/one").st_nlink, 2)

    def test_a_pair_that_was_broken_is_one_again(self):
        self.link("one", "two")
        self.package(self.source)
        self.restore()
        data = self.read(f"{self.target}/two")
        os.unlink(f"{self.target}/two")
        trees.write(f"{self.target}/two", data)
        self.restore()
        self.assertEqual(self.inode("one"), self.inode("two"))
        self.assertEqual(self.restore().summary["files_restored"], 0)

    def test_what_was_edited_under_one_name_is_no_name_of_the_other(self):
        self.link("one", "two")
        self.package(self.source)
        self.restore()
        os.unlink(f"{self.target}/two")
        trees.write(f"{self.target}/two", b"mine")
        self.restore(expect=3)
        self.assertEqual(self.read(f"{self.target}/two"), b"mine")

    @support.needs_root()
    @support.needs_tool("chattr")
    def test_of_what_must_not_change(self):
        disk = mounts.ext4(self, 32)
        self.source, self.target = f"{disk}/tree", f"{disk}/again/tree"
        os.mkdir(self.source)
        os.mkdir(f"{disk}/again")
        self.link("one", "two")
        subprocess.run(["chattr", "+i", f"{self.source}/one"], check=True)
        self.package(self.source)
        self.restore()
        subprocess.run(["chattr", "-i", f"{self.target}/one"], check=True)
        os.unlink(f"{self.target}/two")
        subprocess.run(["chattr", "+i", f"{self.target}/one"], check=True)
        self.restore()
        self.assertEqual(self.inode("one"), self.inode("two"))
        flags = subprocess.run(["lsattr", f"{self.target}/two"], capture_output=True, text=True, check=True).stdout
        self.assertIn("i", flags.split()[0])

    def special(self, make, newer):
        """Three names of a special file restored, then the first replaced, the second missing; how the second run went."""
        make(f"{self.source}/one")
        for name in ("three", "two"):
            os.link(f"{self.source}/one", f"{self.source}/{name}", follow_symlinks=False)
        self.package(self.source)
        self.restore()
        os.unlink(f"{self.target}/one")
        os.unlink(f"{self.target}/two")
        trees.write(f"{self.target}/one", b"mine")
        if not newer:
            os.utime(f"{self.target}/one", ns=(OLD, OLD))
        return self.restore(expect=3 if newer else 0)

    def test_of_special_files(self):
        for name, make in (("fifo", os.mkfifo), ("symlink", lambda path: os.symlink("away", path))):
            for newer in (True, False):
                with self.subTest(kind=name, newer=newer):
                    self.source, self.target = self.path(f"{name}{newer}"), self.path(f"{name}{newer}-again")
                    os.mkdir(self.source)
                    result = self.special(make, newer)
                    kind = stat.S_IFMT(os.lstat(f"{self.source}/one").st_mode)
                    self.assertEqual(stat.S_IFMT(os.lstat(f"{self.target}/two").st_mode), kind, str(result))
                    self.assertEqual([e["kind"] for e in result.of_type("error")], ["kept"] if newer else [])
                    if newer:
                        self.assertEqual(self.inode("two"), self.inode("three"))

    def test_an_equal_special_file_is_restored(self):
        os.symlink("away", f"{self.source}/one")
        os.link(f"{self.source}/one", f"{self.source}/two", follow_symlinks=False)
        self.package(self.source)
        os.mkdir(self.target)
        for name in ("one", "two"):
            os.symlink("away", f"{self.target}/{name}")
        self.assertEqual(self.restore().of_type("error"), [])


class Locked(Again):
    """Directories that forbid what a restore does to its own user."""

    def setUp(self):
        super().setUp()
        self.write(f"{self.source}/a/file", b"x" * 5000)
        trees.write(f"{self.source}/file", b"x" * 5000)
        os.chmod(f"{self.source}/a", 0o555)
        os.chmod(self.source, 0o555)
        self.package(self.source)
        self.become_nobody()
        self.give_to_nobody(self.path("tree-again"))
        self.restore()

    def mode(self, name=""):
        return stat.S_IMODE(os.stat(f"{self.target}/{name}").st_mode)

    def chmod(self, name, mode):
        os.chmod(f"{self.target}/{name}", mode)

    def test_the_target_itself(self):
        for name in ("", "a"):
            self.chmod(name, 0o755)
        os.unlink(f"{self.target}/file")
        os.unlink(f"{self.target}/a/file")
        for name in ("a", ""):
            self.chmod(name, 0o555)
        self.restore()
        self.assertEqual(sorted(os.listdir(self.target)), ["a", "file"])
        self.assertEqual(os.listdir(f"{self.target}/a"), ["file"])
        self.assertEqual((self.mode(), self.mode("a")), (0o555, 0o555))

    def test_that_cannot_even_be_opened(self):
        for name in ("a", ""):
            self.chmod(name, 0o000)
        self.restore()
        self.assertEqual((self.mode(), self.mode("a")), (0o555, 0o555))

    def test_a_dry_run_changes_no_mode(self):
        self.chmod("", 0o755)
        self.chmod("a", 0o000)
        self.chmod("", 0o555)
        result = self.restore("-n")
        self.assertEqual((self.mode(), self.mode("a")), (0o555, 0o000))
        self.assert_says(result, f"{self.target}/a")

    @support.needs_root()
    def test_somebody_elses_directory_stops_nothing_below_it(self):
        self.chmod("a", 0o755)
        trees.write(f"{self.target}/a/file", b"older")
        os.utime(f"{self.target}/a/file", ns=(OLD, OLD))
        os.chown(f"{self.target}/a", 0, support.NOBODY)
        self.chmod("a", 0o070)
        self.restore(expect=3)
        self.assertEqual(self.read(f"{self.target}/a/file"), b"x" * 5000)


if __name__ == "__main__":
    support.main()
