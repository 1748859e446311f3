#!/usr/bin/python3
"""What goes in by -o comes back by -d: every kind of entry with all of its metadata.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_roundtrip.py -v`.
"""

import os
import stat
import subprocess

import support
import trees


class RoundTrip(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()

    def round_trip(self, source, ignore=()):
        """-o, -d, and both must be the same."""
        before = trees.read_tree(source)
        made = self.package(source)
        done = self.unpackage(source)
        target = os.path.join(self.restored, os.path.basename(source))
        self.assertEqual(done.summary["target"], target)
        trees.assert_same(self, before, target, ignore)
        trees.assert_same(self, before, source)  # packaging has changed nothing
        return made, target

    def test_every_kind_of_entry(self):
        source = self.path("tree")
        missing = trees.make_everything(source)
        made, target = self.round_trip(source)
        for what in missing:
            print(f"not made on this file system: {what}")
        self.assertEqual(made.summary["problems"], 0)
        entries = trees.read_tree(source)
        del entries[b""]
        directories = [e for e in entries.values() if e["type"] == stat.S_IFDIR]
        self.assertEqual(made.summary["total_files_processed"], len(entries) - len(directories))
        found = self.list_paths(f"latest:{source}", "--recursive")
        self.assertEqual(found, {os.fsencode(source) + path for path in entries})
        self.check()
        self.assertEqual(self.leftovers(target), [])

    def test_diff_is_silent(self):
        source = self.path("tree")
        os.mkdir(source)
        trees.make_names(f"{source}/names")
        trees.make_contents(f"{source}/contents")
        trees.make_times(f"{source}/times")
        _, target = self.round_trip(source)
        done = subprocess.run(["diff", "-r", "--no-dereference", source, target], capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_restore_makes_the_absolute_path_again(self):
        source = self.path("tree")
        trees.make_everything(source)
        self.package(source)
        self.run_mbu(["restore", "latest", "--target", self.path("out")])
        trees.assert_same(self, source, self.path("out") + source)
        self.assertEqual(self.leftovers(self.path("out")), [])

    def test_restore_of_a_path_goes_straight_into_the_target(self):
        source = self.path("tree")
        trees.make_everything(source)
        self.package(source)
        self.run_mbu(["restore", f"latest:{source}/links", "--target", self.path("out")])
        wanted, found = trees.read_tree(f"{source}/links"), trees.read_tree(self.path("out"))
        del wanted[b""], found[b""]  # CLI.md: the contents of PATH
        trees.assert_same(self, wanted, found)

    def test_a_single_file_as_dir(self):
        source = self.write("some file", trees.text(70_000))
        os.utime(source, ns=(5, 1_600_000_000_123_456_789))
        os.chmod(source, 0o751)
        made = self.package(source)
        self.assertEqual(made.summary["total_files_processed"], 1)
        self.unpackage(source)
        self.assertEqual(os.listdir(self.restored), ["some file"])
        trees.assert_same(self, source, os.path.join(self.restored, "some file"))

    def test_a_symlink_means_its_target(self):
        source = trees.make_plain(self.path("real"))
        os.symlink("real", self.path("alias"))
        self.package(self.path("alias"))
        self.assertEqual([s["paths"] for s in self.snapshots()], [[source]])
        self.unpackage(self.path("alias"))
        trees.assert_same(self, source, os.path.join(self.restored, "real"))

    def test_backup_keeps_a_symlink_that_it_is_given(self):
        trees.make_plain(self.path("real"))
        os.symlink("real", self.path("alias"))
        self.backup(self.path("alias"))
        self.run_mbu(["restore", "latest", "--target", self.path("out")])
        self.assertEqual(os.readlink(self.path("out") + self.path("alias")), "real")

    def test_a_relative_directory(self):
        source = trees.make_plain(self.path("here/tree"))
        self.package("tree", cwd=self.path("here"))
        self.package("../here//tree/.", cwd=self.path("here"))
        self.assertEqual([s["paths"] for s in self.snapshots()], [[source]] * 2)
        self.unpackage("tree", cwd="/")
        trees.assert_same(self, source, os.path.join(self.restored, "tree"))

    def test_an_empty_directory(self):
        os.mkdir(self.path("nothing"))
        os.chmod(self.path("nothing"), 0o711)
        made, _ = self.round_trip(self.path("nothing"))
        self.assertEqual(made.summary["total_files_processed"], 0)

    def test_a_large_directory(self):
        source = self.path("large")
        os.mkdir(source)
        for i in range(10_000):
            trees.write(f"{source}/entry {i}", b"%d" % i if i % 3 else b"")
        self.round_trip(source)

    def test_a_path_longer_than_the_system_takes(self):
        source = self.path("deep")
        trees.make_deep(source)
        self.round_trip(source)
        self.check()

    def test_a_large_file(self):
        source = self.path("large")
        os.mkdir(source)
        data = trees.noise(6 << 20)
        trees.write(f"{source}/file", data + trees.text(20 << 20) + data + trees.noise(30 << 20, seed=2))
        made, _ = self.round_trip(source)
        self.assertLess(made.summary["data_added_packed"], 46 << 20)  # text compressed, the same noise stored once

    def test_every_compression(self):
        source = trees.make_plain(self.path("tree"))
        for level in ("off", "fast", "default", "max", "1", "19"):
            trees.write(f"{source}/unique", trees.text(200_000, seed=hash(level)))
            self.package(source, "--compression", level)
            self.unpackage(source, "--overwrite", "always")
            trees.assert_same(self, source, os.path.join(self.restored, "tree"))

    def test_threads(self):
        source = trees.make_plain(self.path("tree"), files=300)
        for threads in ("1", "2", "7"):
            trees.write(f"{source}/unique", trees.noise(3_000_000, seed=int(threads)))
            self.package(source, "--threads", threads)
            self.unpackage(source, "--overwrite", "always", "--threads", threads)
            trees.assert_same(self, source, os.path.join(self.restored, "tree"))

    def test_several_paths_and_the_folders_above(self):
        for name in ("one", "two/inner"):
            trees.make_plain(self.path(name), files=5)
        os.chmod(self.path("two"), 0o710)
        self.backup(self.path("one"), self.path("two/inner"), self.path("one/d0/big"))
        self.run_mbu(["restore", "latest", "--target", self.path("out")])
        for name in ("one", "two/inner"):
            trees.assert_same(self, self.path(name), self.path("out") + self.path(name))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("out") + self.path("two")).st_mode), 0o710)


@support.needs_tool("setpriv")
class WithoutRights(support.MbuTest):
    """What a user without rights can package, he gets back."""

    def setUp(self):
        super().setUp()
        self.become_nobody()
        self.init()

    def make(self, script):
        """A tree made as the user that mbu runs as."""
        source = self.path("tree")
        os.mkdir(source)
        self.give_to_nobody(source)
        subprocess.run([*self.prefix, "sh", "-euc", script], cwd=source, check=True)
        return source

    def test_round_trip(self):
        source = self.make("""
            mkdir a a/b; echo x >a/file; echo y >a/b/other; ln a/file a/b/link; ln -s file a/symbolic; mkfifo fifo
            chmod 640 a/file; chmod 4750 a/b/other; mkdir locked; echo z >locked/inside; chmod 555 locked
            mkdir private; echo z >private/inside; chmod 500 private; mkdir empty; chmod 1777 empty
            truncate -s 5M sparse; head -c 300000 /dev/urandom >noise; touch -d '2001-02-03 04:05:06.789' noise a""")
        before = trees.read_tree(source)
        self.package(source)
        self.unpackage(source)
        trees.assert_same(self, before, os.path.join(self.restored, "tree"))
        # Once more over what is there: nothing changes and nothing is in the way.
        self.unpackage(source, "--overwrite", "always")
        trees.assert_same(self, before, os.path.join(self.restored, "tree"))

    @support.needs_root()
    def test_files_of_others_become_his(self):
        source = self.make("echo x >mine; echo y >other; chmod 644 other")
        os.chown(f"{source}/other", 1, 1)
        os.chmod(f"{source}/other", 0o4755)
        self.package(source)
        self.unpackage(source, "--overwrite", "always")
        other = os.stat(os.path.join(self.restored, "tree/other"))
        self.assertEqual((other.st_uid, other.st_gid), (support.NOBODY, support.NOBODY))
        self.assertEqual(stat.S_IMODE(other.st_mode), 0o755)  # setuid of somebody else's is not his to give
        self.assertEqual(self.read(os.path.join(self.restored, "tree/other")), b"y\n")


if __name__ == "__main__":
    support.main()
