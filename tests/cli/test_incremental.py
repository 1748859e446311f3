#!/usr/bin/python3
"""What a second snapshot costs: only what has changed is read and stored, and nothing that has changed is missed.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_incremental.py -v`.
"""

import os
import shutil
import subprocess
import time

import mounts
import support
import trees

KIB = 1024
MIB = 1024 * KIB


class Incremental(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()

    def packaged(self, source):
        support.settle()
        self.package(source)
        return source

    def again(self, source, *arguments, **options):
        """A further snapshot: its summary, and by how much the repository has grown."""
        support.settle()
        before = self.size_of()
        result = self.package(source, *arguments, **options)
        grown = self.size_of() - before
        self.assertLess(abs(grown - result.summary["data_added_packed"]), 1024, str(result))
        return result.summary

    def assert_comes_back(self, source):
        shutil.rmtree(self.restored, ignore_errors=True)
        self.unpackage(source)
        trees.assert_same(self, source, os.path.join(self.restored, os.path.basename(source)))

    def test_an_unchanged_tree_costs_nothing(self):
        source = self.packaged(trees.make_plain(self.path("tree"), files=2000))
        files = sum(len(names) for _, _, names in os.walk(source))
        summary = self.again(source)
        self.assertEqual((summary["files_new"], summary["files_changed"], summary["files_unmodified"]), (0, 0, files))
        self.assertEqual((summary["dirs_new"], summary["dirs_changed"]), (0, 0))
        self.assertEqual((summary["bytes_read"], summary["data_blobs"]), (0, 0))
        self.assertLess(summary["data_added_packed"], 10 * KIB)
        self.assertEqual(summary["total_files_processed"], files)

    def test_it_says_so(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        support.settle()
        result = self.run_mbu(["-o", source])
        self.assert_says(result, "snapshot ", "unchanged: 42 files", "new:       0 files", "changed:   0 files", "0 B of files read")
        stored = [line for line in result.out.splitlines() if line.startswith("stored:")]
        self.assertRegex(stored[0], r"stored: +([0-9]{1,4} B|[0-9]\.[0-9] KiB) ")

    @support.needs_tool("strace")
    def test_an_unchanged_tree_is_not_opened(self):
        source = self.path("tree")
        os.mkdir(source)
        for i in range(50):
            trees.write(f"{source}/content-{i}", trees.noise(i * 1000, i))
        self.packaged(source)
        support.settle()
        log = self.path("calls")
        trace = ["strace", "-f", "-e", "trace=open,openat,openat2", "-s", "300", "-o", log]
        self.package(source, prefix=trace)
        calls = self.read(log)
        self.assertIn(b"openat", calls)
        opened = [line for line in calls.splitlines() if b"content-" in line]
        self.assertEqual(opened, [])
        self.package(source, prefix=[*trace[:-1], self.path("forced")])
        calls = self.read(self.path("forced"))
        self.assertNotIn(b"content-", calls)

    @support.needs_tool("strace")
    def test_packs_of_a_killed_run_are_made_durable(self):
        """Who published them may not have come to sync their folders; who relies on them must."""
        source = self.packaged(trees.make_plain(self.path("tree")))
        shards = {os.path.basename(os.path.dirname(name)) for name in self.objects() if name.startswith("data/")}

        def synced(*arguments):
            log = self.path("calls")
            self.package(source, *arguments, prefix=["strace", "-f", "-y", "-e", "trace=fsync", "-s", "300", "-o", log])
            return {line.split("<")[1].split(">")[0].removeprefix(self.repo + "/") for line in self.read(log).decode().splitlines()
                    if "fsync(" in line}
        support.settle()
        # What the last snapshot relies on costs an unchanged tree nothing.
        self.assertEqual({path for path in synced() if path.startswith("data")}, set())
        for name in self.objects():
            if name.startswith("snapshots/"):
                os.unlink(os.path.join(self.repo, name))
        again = synced()
        self.assertLessEqual({f"data/{shard}" for shard in shards} | {"data"}, again)

    def test_without_the_cache_it_reads_but_adds_nothing(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        self.drop_cache()
        summary = self.again(source)
        self.assertEqual((summary["data_blobs"], summary["tree_blobs"]), (0, 0))
        self.assertLess(summary["data_added_packed"], 10 * KIB)
        summary = self.again(source, "--no-cache")
        self.assertEqual(summary["data_blobs"], 0)
        self.assertLess(summary["data_added_packed"], 10 * KIB)

    def test_an_unchanged_tree_with_everything_in_it(self):
        source = self.path("tree")
        trees.make_everything(source)
        self.packaged(source)
        summary = self.again(source)
        self.assertEqual((summary["bytes_read"], summary["data_blobs"], summary["tree_blobs"]), (0, 0, 0))
        self.assertLess(summary["data_added_packed"], 10 * KIB)
        self.assertEqual(summary["files_new"] + summary["files_changed"], 0)

    def test_one_byte_of_a_large_file(self):
        source = self.path("tree")
        os.mkdir(source)
        trees.write(f"{source}/large", trees.noise(64 * MIB))
        self.packaged(source)
        with open(f"{source}/large", "r+b") as file:
            file.seek(31 * MIB + 17)
            byte = file.read(1)
            file.seek(31 * MIB + 17)
            file.write(bytes([byte[0] ^ 1]))
        summary = self.again(source)
        self.assertEqual((summary["files_changed"], summary["files_new"]), (1, 0))
        self.assertLess(summary["data_added_packed"], MIB)
        self.assert_comes_back(source)

    def test_a_byte_inserted_at_the_beginning(self):
        source = self.path("tree")
        os.mkdir(source)
        data = trees.noise(32 * MIB)
        trees.write(f"{source}/large", data)
        self.packaged(source)
        trees.write(f"{source}/large", b"!" + data)
        self.assertLess(self.again(source)["data_added_packed"], 4 * MIB)
        self.assert_comes_back(source)

    def make_folder(self):
        source = self.path("tree")
        os.makedirs(f"{source}/folder/below")
        for i in range(200):
            trees.write(f"{source}/folder/tiny {i}", trees.noise(200, i))
            trees.write(f"{source}/folder/below/small {i}", trees.noise(9_000, 1000 + i))
        trees.write(f"{source}/folder/large", trees.noise(8 * MIB, 9))
        return self.packaged(source)

    def test_a_renamed_directory_adds_no_data(self):
        source = self.make_folder()
        os.rename(f"{source}/folder", f"{source}/renamed")
        summary = self.again(source)
        self.assertEqual(summary["data_blobs"], 0)
        self.assertLess(summary["data_added_packed"], 64 * KIB)
        self.assert_comes_back(source)

    def test_a_copied_directory_adds_no_data(self):
        source = self.make_folder()
        subprocess.run(["cp", "-a", f"{source}/folder", f"{source}/copy"], check=True)
        summary = self.again(source)
        self.assertEqual(summary["data_blobs"], 0)
        self.assertLess(summary["data_added_packed"], 64 * KIB)
        subprocess.run(["cp", "-r", f"{source}/folder", f"{source}/younger copy"], check=True)
        summary = self.again(source)
        self.assertEqual(summary["data_blobs"], 0)
        self.assertLess(summary["data_added_packed"], 96 * KIB)
        self.assert_comes_back(source)

    def test_another_directory_with_the_same_files(self):
        source = self.make_folder()
        subprocess.run(["cp", "-a", source, self.path("elsewhere")], check=True)
        summary = self.again(self.path("elsewhere"))
        self.assertEqual(summary["data_blobs"], 0)
        self.assertLess(summary["data_added_packed"], 64 * KIB)

    def test_a_change_behind_an_old_time_is_noticed(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        file = f"{source}/d0/big"
        before = os.stat(file)
        data = self.read(file)
        support.settle()
        trees.write(file, bytes(byte ^ 1 for byte in data))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(self.again(source)["files_changed"], 1)
        self.assert_comes_back(source)

    def test_a_change_right_after_packaging_is_noticed(self):
        """Within one tick of the file system's clock nothing but the contents may differ."""
        source = self.path("tree")
        os.mkdir(source)
        for i in range(10):
            trees.write(f"{source}/file", b"a" * 5000 + b"%03d" % i)
            self.package(source)
            trees.write(f"{source}/file", b"b" * 5000 + b"%03d" % i)
            self.package(source)
            self.assertEqual(self.run_mbu(["dump", f"latest:{source}/file"]).stdout, b"b" * 5000 + b"%03d" % i)

    def test_a_change_within_a_second_where_times_are_whole_seconds(self):
        source = os.path.join(mounts.ext4(self, 16, "-I", "128"), "tree")
        os.mkdir(source)
        time.sleep(1 - time.time() % 1)
        trees.write(f"{source}/file", b"AAAA\n")
        self.package(source)
        trees.write(f"{source}/file", b"BBBB\n")
        self.package(source)
        self.assertEqual(self.run_mbu(["dump", f"latest:{source}/file"]).stdout, b"BBBB\n")

    def test_many_empty_directories_without_the_cache(self):
        """Their parent's groups are packed while others of its groups still wait for theirs."""
        source = self.path("tree")
        for i in range(12_000):
            os.makedirs(f"{source}/directory {i}")
        for _ in range(6):
            summary = self.package(source, "--no-cache", "--threads", "4").summary
            self.assertEqual(summary["dirs_new"] + summary["dirs_changed"] + summary["dirs_unmodified"],
                             12_000 + source.count("/"))

    def test_a_file_replaced_by_one_of_the_same_size_and_time(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        file = f"{source}/d0/big"
        before = os.stat(file)
        trees.write(f"{source}/new", bytes(byte ^ 1 for byte in self.read(file)))
        os.utime(f"{source}/new", ns=(before.st_atime_ns, before.st_mtime_ns))
        os.rename(f"{source}/new", file)
        self.assertEqual(self.again(source)["files_changed"], 1)
        self.assert_comes_back(source)

    def test_metadata_alone(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        os.chmod(f"{source}/d0/big", 0o600)
        os.utime(f"{source}/d2", ns=(0, 5))
        summary = self.again(source)
        self.assertEqual(summary["data_blobs"], 0)
        self.assertLess(summary["data_added_packed"], 32 * KIB)
        self.assert_comes_back(source)

    def test_files_come_go_and_change_their_kind(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        os.unlink(f"{source}/d0/f0")
        os.mkdir(f"{source}/d0/f0")
        trees.write(f"{source}/d0/f0/inside", b"1")
        shutil.rmtree(f"{source}/d3")
        trees.write(f"{source}/d3", b"now a file")
        os.unlink(f"{source}/link")
        os.symlink("elsewhere", f"{source}/link")
        os.link(f"{source}/d1/f1", f"{source}/d1/linked")
        summary = self.again(source)
        self.assertGreater(summary["files_new"], 0)
        self.assert_comes_back(source)
        self.check()

    def test_a_new_file_in_the_middle_of_a_large_directory(self):
        source = self.path("tree")
        os.mkdir(source)
        for i in range(20_000):
            trees.write(f"{source}/entry {i:05}", b"%d" % i)
        first = self.package(source).summary["data_added"]
        trees.write(f"{source}/entry 10000 and a half", b"new")
        summary = self.again(source)
        self.assertEqual((summary["files_new"], summary["files_changed"]), (1, 0))
        self.assertLess(summary["data_added_packed"], 64 * KIB)
        self.assertLess(summary["data_added"], first / 10)
        self.assert_comes_back(source)

    def test_force_reads_everything_again(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        support.settle()
        summary = self.backup(source, "--force").summary
        self.assertEqual(summary["bytes_read"], summary["total_bytes_processed"])
        self.assertEqual(summary["data_blobs"], 0)

    def test_dry_run_stores_nothing(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        trees.write(f"{source}/new", trees.noise(100_000, 99))
        support.settle()
        before = self.objects()
        summary = self.backup("-n", source).summary
        self.assertTrue(summary["dry_run"])
        self.assertNotIn("snapshot_id", summary)
        self.assertEqual(summary["files_new"], 1)
        self.assertGreater(summary["data_added"], 100_000)
        self.assertEqual(self.objects(), before)
        self.assert_says(self.run_mbu(["backup", "-n", source]), "dry run")
        # And what it noted must not hide the file from the run that follows.
        self.assertEqual(self.again(source)["files_new"], 1)
        self.assert_comes_back(source)

    def test_skip_if_unchanged(self):
        source = self.packaged(trees.make_plain(self.path("tree")))
        support.settle()
        before = self.objects()
        self.assertNotIn("snapshot_id", self.backup("--skip-if-unchanged", source).summary)
        self.assertEqual(self.objects(), before)
        trees.write(f"{source}/new", b"1")
        support.settle()
        self.assertIn("snapshot_id", self.backup("--skip-if-unchanged", source).summary)
        self.assertEqual(len(self.snapshots()), 2)

    def test_each_path_is_compared_with_its_own_past(self):
        one = self.packaged(trees.make_plain(self.path("one"), seed=1))
        two = self.packaged(trees.make_plain(self.path("two"), seed=2))
        for source in (one, two, one):
            summary = self.again(source)
            self.assertEqual((summary["bytes_read"], summary["files_new"]), (0, 0))
        listed = self.snapshots()
        self.assertEqual(self.package(two).summary["parent"], listed[-2]["id"])


if __name__ == "__main__":
    support.main()
