#!/usr/bin/python3
"""Size: many files, large files, sparse files, and the memory that they take. The largest run with MBU_LONG=1 only.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_limits.py -v`.
"""

import os
import shutil
import subprocess

import support
import trees

MIB = 1 << 20
MOST_MEMORY = 300 * MIB


class Limits(support.MbuTest):
    def measured(self, *arguments, expect=0):
        """A run of mbu that takes no more memory than mbu may; (result, seconds)."""
        result, peak, seconds = support.run_measured(self, ["--json", *arguments], expect)
        print(f"{' '.join(arguments)}: {peak / MIB:.0f} MiB, {seconds:.2f} s", flush=True)
        self.assertLess(peak, MOST_MEMORY)
        self.assertGreater(peak, 0)
        return result, seconds

    def round_trip(self, source):
        self.measured("-o", source)
        support.settle()
        summary = self.measured("-o", source)[0].summary
        self.assertEqual((summary["bytes_read"], summary["files_new"], summary["files_changed"]), (0, 0, 0))
        self.assertLess(summary["data_added_packed"], 10 * 1024)
        self.measured("-d", source)
        trees.assert_same(self, source, os.path.join(self.restored, os.path.basename(source)))
        self.measured("check", "--read-data")

    def make_many(self, count):
        source = self.path("many")
        for i in range(count):
            folder = f"{source}/{i % 97}/{i // 97 % 31}"
            if i < 97 * 31:
                os.makedirs(folder, exist_ok=True)
            with open(f"{folder}/file {i}", "wb") as file:
                file.write(b"%d\n" % i * (1 + i % 40))
        return source

    def test_many_files(self):
        self.round_trip(self.make_many(20_000))

    @support.takes_long()
    def test_300_000_files(self):
        self.round_trip(self.make_many(300_000))

    @support.takes_long()
    def test_300_000_files_in_one_directory(self):
        source = self.path("one")
        os.mkdir(source)
        for i in range(300_000):
            trees.write(f"{source}/{i}", b"%d" % i)
        self.round_trip(source)

    def test_a_sparse_file_of_5_tib(self):
        source = self.path("sparse")
        os.mkdir(source)
        pieces = {(i * 300 << 30) + i * 4096: trees.noise(64 * 1024, i) for i in range(16)}
        trees.write_sparse(f"{source}/file", 5 << 40, pieces)
        _, seconds = self.measured("-o", source)
        self.assertLess(seconds, 20)
        _, seconds = self.measured("-d", source)
        self.assertLess(seconds, 20)
        restored = os.stat(os.path.join(self.restored, "sparse/file"))
        self.assertEqual(restored.st_size, 5 << 40)
        self.assertLess(restored.st_blocks * 512, 2 * MIB)
        trees.assert_same(self, source, os.path.join(self.restored, "sparse"))
        self.measured("-o", source)
        with open(f"{source}/file", "r+b") as file:
            os.pwrite(file.fileno(), b"!", 4 << 40)
        summary = self.measured("-o", source)[0].summary
        self.assertLess(summary["data_added_packed"], MIB)

    def large(self, mebibytes):
        source = self.path("large")
        os.mkdir(source)
        with open(f"{source}/file", "wb") as file:
            for i in range(mebibytes // 16):
                file.write(trees.noise(16 * MIB, i))
        return source

    def one_byte(self, mebibytes):
        source = self.large(mebibytes)
        self.round_trip(source)
        with open(f"{source}/file", "r+b") as file:
            file.seek(mebibytes * MIB // 2)
            file.write(b"changed byte"[:1])
        support.settle()
        summary = self.measured("-o", source)[0].summary
        self.assertEqual(summary["files_changed"], 1)
        self.assertLess(summary["data_added_packed"], MIB)
        self.measured("-d", source, "--overwrite", "always")
        trees.assert_same(self, source, os.path.join(self.restored, "large"))

    def test_one_byte_of_128_mib(self):
        self.one_byte(128)

    @support.takes_long()
    def test_one_byte_of_1_gib(self):
        self.one_byte(1024)

    def test_a_part_of_usr(self):
        source = self.path("usr")
        os.mkdir(source)
        for name in ("share/zoneinfo", "share/perl5", "include", "share/doc"):
            folder = os.path.join("/usr", name)
            if os.path.isdir(folder):
                subprocess.run(["cp", "-a", "--parents", folder, source], check=False, stderr=subprocess.DEVNULL)
                sizes = subprocess.run(["du", "-sm", source], capture_output=True, text=True, check=True).stdout
                if int(sizes.split()[0]) > 60:
                    break
        self.round_trip(source)

    @support.takes_long()
    def test_usr(self):
        free = shutil.disk_usage(self.base).free
        used = int(subprocess.run(["du", "-sxm", "/usr"], capture_output=True, text=True, check=False).stdout.split()[0]) * MIB
        source = "/usr"
        if free < 3 * used:
            self.skipTest(f"needs {3 * used >> 30} GiB of free disk")
        self.measured("-o", source)
        self.measured("-d", source)
        target = os.path.join(self.restored, "usr")
        done = subprocess.run(["diff", "-r", "--no-dereference", source, target], capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout[:2000]), (0, b""))
        # Files may have names outside /usr, too: those inside are compared as "links".
        trees.assert_same(self, source, target, ignore=("nlink",))
        support.settle()
        summary = self.measured("-o", source)[0].summary
        self.assertEqual(summary["bytes_read"], 0)
        self.assertLess(summary["data_added_packed"], 10 * 1024)


if __name__ == "__main__":
    support.main()
