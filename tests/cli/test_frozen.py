#!/usr/bin/python3
"""Frozen repositories (frozen.py): whatever mbu becomes, it reads what an earlier one wrote, and goes on with it.

Run as `/usr/bin/python3 tests/cli/test_frozen.py -v`; MBU_BINARY is the path of mbu.
"""

import os
import subprocess
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import frozen  # noqa: E402
import support  # noqa: E402
import trees  # noqa: E402

READER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "reader", "mbu_reader.py")
FORMATS = sorted(name.split(".")[0] for name in os.listdir(frozen.FOLDER))
# Whose files they are depends on who runs this, how much space they take on where they lie.
NOT_COMPARED = ("uid", "gid", "blocks")


class Frozen(support.MbuTest):
    def unpack(self, version):
        place = self.path(version)
        with tarfile.open(os.path.join(frozen.FOLDER, version + ".tar.xz")) as archive:
            archive.extractall(place)
        self.repo = os.path.join(place, "repository")
        self.credential, self.sheet = os.path.join(place, "writer.credential"), os.path.join(place, "sheet")
        self.drop_cache()

    def environment(self, password=support.PASSWORD, **more):
        return super().environment(password, **{"MBU_REPOSITORY": self.repo, **more})

    def each(self):
        for version in FORMATS:
            self.unpack(version)
            yield version

    def wanted(self, changed):
        root = self.path("wanted", str(changed))
        if not os.path.exists(root) and not frozen.tree(root, changed):
            self.skipTest("where temporary files lie there are no extended attributes")
        return trees.read_tree(root)

    def of_tag(self, tag, **options):
        return [snapshot["id"] for snapshot in self.snapshots("--tag", tag, **options)]

    def assert_restores(self, version, tag, **options):
        back = self.path("back", version, tag)
        self.run_mbu(["restore", f"{self.of_tag(tag, **options)[0]}:{frozen.TREE}", "--target", back, "--no-owner"], **options)
        trees.assert_same(self, self.wanted(frozen.SNAPSHOTS[tag]), back, ignore=NOT_COMPARED)

    def test_is_there(self):
        self.assertIn("format-1", FORMATS)

    def test_is_read(self):
        for version in self.each():
            self.check()
            for tag in frozen.SNAPSHOTS:
                if tag == frozen.FORGOTTEN:
                    self.assertEqual(self.of_tag(tag), [])
                else:
                    self.assert_restores(version, tag)

    def test_is_read_by_its_index(self):
        for _ in self.each():
            self.assertTrue(os.listdir(os.path.join(self.repo, "index")))
            counters = self.of_tag("counter")
            self.assertEqual(len(counters), frozen.COUNTED)
            dumps = [self.run_mbu(["dump", f"{snapshot}:{frozen.COUNTER}/number"]) for snapshot in counters]
            self.assertEqual(sorted(int(dump.stdout) for dump in dumps), list(range(frozen.COUNTED)))
            self.assertEqual({dump.stderr for dump in dumps}, {b""})

    def test_goes_on(self):
        for version in self.each():
            self.write("new/file", trees.noise(100_000))
            self.backup(self.path("new"))
            by_writer = self.run_mbu(["--json", "--credential", self.credential, "backup", self.path("new")], password=frozen.WRITERS_PASSWORD)
            self.assertEqual(by_writer.summary["total_files_processed"], 1)
            # Of these 2.6 MB nothing is new but pages, which tell when files were made: contents are found by their chunks' ids.
            self.wanted(frozen.SNAPSHOTS["rotated"])
            again = self.backup(self.path("wanted", str(frozen.SNAPSHOTS["rotated"])))
            self.assertGreater(again.summary["total_bytes_processed"], 2_600_000)
            self.assertLess(again.summary["data_added"], 200_000)
            self.assert_restores(version, "first")
            self.check()

    def test_opens_to_its_recovery_sheet(self):
        for version in self.each():
            new = self.write("new password", "another one")
            self.run_mbu(["key", "recover", "--name", "found", "--sheet", self.sheet, "--new-password-file", new, *support.FAST_KDF], password=None)
            self.assert_restores(version, "rotated", password="another one")

    def test_is_read_by_the_independent_reader(self):
        for version in self.each():
            password = self.write("password", frozen.PASSWORD + "\n")
            reader = ["/usr/bin/python3", "-B", READER, "--password-file", password, self.repo]
            subprocess.run([*reader, "check"], check=True, capture_output=True)
            back = self.path("by reader of " + version)
            subprocess.run([*reader, "extract", self.of_tag("first")[0], frozen.TREE, back], check=True, capture_output=True)
            trees.assert_same(self, self.wanted(False), back, ignore=NOT_COMPARED)


if __name__ == "__main__":
    support.main()
