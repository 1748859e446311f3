#!/usr/bin/python3
"""A repository in which a byte has flipped, or an object is cut, exchanged or gone: check names it, and restore gives back
all that is not hit and never a wrong byte.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_damage.py -v`. With MBU_LONG=1 many more bytes are tried.
"""

import contextlib
import itertools
import json
import os
import random
import shutil
import subprocess
import tempfile

import support
import trees

SEALED_HEADER = 208  # bytes, of a pack


class Damage(support.MbuTest):
    """A small repository of four snapshots, damaged and mended again and again."""

    made = None

    def setUp(self):
        super().setUp()
        if not Damage.made:
            Damage.made = self.make()
        home, self.source, self.first, self.root_pack = Damage.made
        os.rmdir(self.home)
        shutil.copytree(home, self.home, symlinks=True)
        self.wanted = trees.read_tree(self.source)
        self.all = sorted(self.objects())
        for folder, count in (("keys/", 1), ("state/", 1), ("data/", 4), ("index/", 1), ("snapshots/", 4)):
            self.assertGreaterEqual(sum(name.startswith(folder) for name in self.all), count, self.all)
        self.few = self.some_of_each_kind()
        self.check()

    def make(self):
        """Once for all tests: (a home directory with the repository, what was packaged, the first snapshot, the last's pack)."""
        base = tempfile.mkdtemp(prefix="mbu-cli-damage-")
        self.addClassCleanup(shutil.rmtree, base)
        source = os.path.join(base, "tree")
        os.makedirs(f"{source}/a/b")
        os.mkdir(f"{source}/c")
        for i in range(6):
            trees.write(f"{source}/a/small {i}", trees.noise(100 + i, i))
            trees.write(f"{source}/c/middle {i}", trees.noise(20_000, 50 + i))
        trees.write(f"{source}/a/b/text", trees.text(30_000))
        self.init()
        first = self.package(source).summary["snapshot_id"]
        for i in range(3):  # as many packs as make an index worth writing
            trees.write(f"{source}/c/new {i}", trees.noise(25_000, 100 + i))
            before = self.objects()
            self.package(source)
        last, = [name for name in self.objects().keys() - before.keys() if name.startswith("data/")]
        home = os.path.join(base, "home")
        shutil.copytree(self.home, home, symlinks=True)
        shutil.rmtree(self.home)
        os.mkdir(self.home)
        return home, source, first, last

    def some_of_each_kind(self):
        """Enough objects to try everything on: of each kind the largest two."""
        kinds = {}
        for name in sorted(self.all, key=lambda name: -os.stat(os.path.join(self.repo, name)).st_size):
            kinds.setdefault(name.split("/")[0], []).append(name)
        return self.all if support.LONG else sorted(name for names in kinds.values() for name in names[:2])

    @contextlib.contextmanager
    def changed(self, name, data):
        """The object with other bytes, None: without it."""
        path = os.path.join(self.repo, name)
        kept = self.read(path)
        os.unlink(path)
        if data is not None:
            self.write(path, data)
        try:
            yield
        finally:
            self.write(path, kept)

    def assert_named(self, name, expect=20):
        result = self.check(expect=expect)
        self.assertIn(os.path.basename(name), result.text, str(result))
        return result

    def variants(self, name):
        """(what, bytes) of damage to an object, other than its removal."""
        data = self.read(os.path.join(self.repo, name))
        size = len(data)
        if support.LONG:
            offsets = sorted({0, size - 1, *random.Random(1).sample(range(size), min(size, 60))})
        else:
            offsets = sorted({0, 1, 9, 40, size // 4, size // 2, 3 * size // 4, size - 60, size - 9, size - 1})
        for offset in offsets:
            flipped = bytearray(data)
            flipped[offset] ^= 1 << (offset % 8)
            yield f"flipped at {offset} of {size}", bytes(flipped)
        for length in (size - 1, size // 2, 10, 0):
            yield f"cut to {length} of {size}", data[:length]
        yield "one byte more", data + b"\0"

    def each(self, action):
        """Calls `action(name, what)` for each kind of damage while it lasts."""
        for name in self.few:
            for what, data in self.variants(name):
                with self.subTest(object=name, what=what), self.changed(name, data):
                    action(name, what)

    def test_check_names_whatever_is_damaged(self):
        self.each(lambda name, _: self.assert_named(name))
        self.check()

    def test_what_is_removed(self):
        for name in self.all:
            if name.split("/")[0] in ("index", "config"):
                continue
            with self.subTest(object=name), self.changed(name, None):
                self.assert_named(name)

    def test_a_removed_only_slot_is_named_only_where_it_was_seen(self):
        name, = [name for name in self.all if name.startswith("keys/")]
        with self.changed(name, None):
            self.assert_named(name)
            shutil.rmtree(self.state)
            result = self.check(expect=20)
            self.assert_says(result, "keys/", "holds no slot")
            self.assertNotIn(os.path.basename(name), result.text)

    def test_a_removed_snapshot_is_missed_only_where_it_was_seen(self):
        with self.changed("snapshots/" + self.first, None):
            self.assert_named(self.first)
            shutil.rmtree(self.state)
            self.check()

    def test_a_removed_index_is_made_from_the_packs(self):
        for name in self.all:
            if name.startswith("index/"):
                os.unlink(os.path.join(self.repo, name))
        self.check()
        self.drop_cache()
        self.unpackage(self.source)
        trees.assert_same(self, self.wanted, os.path.join(self.restored, "tree"))
        summary = self.package(self.source).summary
        self.assertEqual(summary["data_blobs"], 0)
        self.check()

    def test_a_removed_config_is_no_repository(self):
        with self.changed("config", None):
            self.check(expect=10)

    def other_of_its_kind(self, name, other_repository):
        """Other objects of the same kind: here, else of another repository with the same password."""
        kind = name.split("/")[0]
        here = [o for o in self.all if o.split("/")[0] == kind and o != name]
        for other in here:
            yield self.read(os.path.join(self.repo, other))
        for other in sorted(self.objects(other_repository)):
            if other.split("/")[0] == kind:
                yield self.read(os.path.join(other_repository, other))
                return

    def test_replaced_by_another_of_its_kind(self):
        other = self.path("other")
        self.init("-r", other)
        self.backup("-r", other, self.source)
        for name in self.all:
            for data in self.other_of_its_kind(name, other):
                with self.subTest(object=name), self.changed(name, data):
                    self.assert_named(name)

    def test_objects_of_another_repository_under_their_own_names(self):
        """They hash to their names, but are signed and sealed for another repository."""
        other = self.path("other")
        self.init("-r", other)
        self.backup("-r", other, self.source)
        for name in sorted(self.objects(other)):
            if name == "config":
                continue
            with self.subTest(object=name):
                path = self.write(os.path.join(self.repo, name), self.read(os.path.join(other, name)))
                try:
                    self.assert_named(name)
                    self.assertEqual(len(self.run_mbu(["--json", "snapshots"], expect=None).json), 4)
                finally:
                    os.unlink(path)

    def assert_right_as_far_as_there(self, result, damaged):
        """Every restored byte is right; what is missing is named, itself or a directory above it."""
        if not result.of_type("summary"):  # the pages that everything hangs on are lost
            self.assertEqual((damaged, result.status), (self.root_pack, 20), str(result))
            self.assertRegex(result.exit_error["message"], f"^({damaged}|/): ")
            self.assertFalse(os.path.exists(self.restored) and os.listdir(self.restored))
            return True
        target = os.path.join(self.restored, "tree")
        found = trees.read_tree(target) if os.path.isdir(target) else {}
        for path, entry in found.items():
            self.assertIn(path, self.wanted, str(result))
            if "content" in entry:
                self.assertEqual(entry["content"], self.wanted[path]["content"], f"{path}: {result}")
                self.assertEqual(entry["mtime"], self.wanted[path]["mtime"], path)
        named = [line["item"].encode() for line in result.of_type("error")]
        root = self.source.encode()
        missing = self.wanted.keys() - found.keys()
        for path in missing:
            covered = any((root + path + b"/").startswith(name.rstrip(b"/") + b"/") for name in named)
            self.assertTrue(covered, f"{path} is missing and not named: {result}")
        if missing:
            self.assertEqual(result.status, 20, str(result))
        return missing

    def test_restore_of_a_damaged_repository(self):
        hit = []

        def restore(name, what):
            if not support.LONG and "cut" in what and "cut to 0" not in what:
                return
            for use_cache in ([], ["--no-cache"]) if name.startswith("data/") else ([],):
                shutil.rmtree(self.restored, ignore_errors=True)
                if not use_cache:
                    self.drop_cache()
                result = self.unpackage(self.source, *use_cache, expect=(0, 20))
                if result.status == 20 and not name.startswith("data/"):
                    # Refused, restored from an older snapshot, or restored after a warning.
                    self.assertIn(os.path.basename(name), result.text, str(result))
                    continue
                hit.append(bool(self.assert_right_as_far_as_there(result, name)))
        self.each(restore)
        self.assertGreater(sum(hit), 3)

    def test_restore_without_one_of_its_packs(self):
        hit = 0
        for name in self.all:
            if not name.startswith("data/"):
                continue
            with self.subTest(object=name), self.changed(name, None):
                shutil.rmtree(self.restored, ignore_errors=True)
                result = self.unpackage(self.source, expect=(0, 20))
                hit += bool(self.assert_right_as_far_as_there(result, name))
        self.assertGreater(hit, 0)

    def test_restore_leaves_what_is_there_rather_than_write_a_wrong_byte(self):
        self.unpackage(self.source)
        target = os.path.join(self.restored, "tree")
        trees.write(f"{target}/c/middle 0", b"mine")
        os.utime(f"{target}/c/middle 0", ns=(0, 0))
        packs = [name for name in self.all if name.startswith("data/")]
        largest = max(packs, key=lambda name: os.stat(os.path.join(self.repo, name)).st_size)
        with self.changed(largest, None):
            result = self.unpackage(self.source, "--overwrite", "always", expect=20)
            self.assert_says(result, "middle 0")
        self.assertEqual(self.read(f"{target}/c/middle 0"), b"mine")
        self.assertEqual(self.leftovers(target), [])

    def test_dump_of_what_is_damaged(self):
        packs = [name for name in self.all if name.startswith("data/")]
        largest = max(packs, key=lambda name: os.stat(os.path.join(self.repo, name)).st_size)
        whole = self.read(f"{self.source}/c/middle 3")
        with self.changed(largest, None):
            result = self.run_mbu(["dump", f"latest:{self.source}/c/middle 3"], expect=20)
            self.assertTrue(whole.startswith(result.stdout))

    def test_packaging_into_a_damaged_repository_mends_what_it_can(self):
        """Data that the repository has lost is stored again by the next snapshot of a tree that still has it."""
        for name in [name for name in self.all if name.startswith("data/")]:
            os.unlink(os.path.join(self.repo, name))
        self.package(self.source)
        self.unpackage(self.source)
        trees.assert_same(self, self.wanted, os.path.join(self.restored, "tree"))

    def test_a_second_config_is_refused(self):
        conflict = self.write(os.path.join(self.repo, "config (conflicted copy)"), self.read(os.path.join(self.repo, "config")))
        for command in (["snapshots"], ["-o", self.source], ["check"]):
            self.assert_says(self.run_mbu(command, expect=20), "config (conflicted copy)")
        os.unlink(conflict)
        self.check()

    def test_files_with_other_names_are_ignored(self):
        for name in ("data/README", "snapshots/notes.txt", "index/" + "g" * 64, "data/00/" + "1" * 64, "x", ".stfolder/y",
                     "snapshots/" + "A" * 64, "keys/.mbu-tmp-0123456789abcdef"):
            self.write(os.path.join(self.repo, name), b"?")
        self.write(os.path.join(self.repo, "data/ab/" + "12" * 32), b"in the wrong shard")
        os.unlink(os.path.join(self.repo, "data/00/" + "1" * 64))
        self.check()
        self.unpackage(self.source)

    @contextlib.contextmanager
    def replaced(self, name, make):
        """Something that is no file in the object's place."""
        with self.changed(name, None):
            make(os.path.join(self.repo, name))
            try:
                yield
            finally:
                subprocess.run(["rm", "-rf", os.path.join(self.repo, name)], check=True)

    def test_no_file_in_the_place_of_an_object(self):
        loop = lambda path: os.symlink(path, path)
        for name in (next(n for n in self.all if n.startswith("data/") and n != self.root_pack), "snapshots/" + self.first):
            for make in (os.mkfifo, os.mkdir, loop):
                with self.subTest(object=name, make=make), self.replaced(name, make):
                    self.assert_named(name)
                    shutil.rmtree(self.restored, ignore_errors=True)
                    result = self.unpackage(self.source, expect=(0, 20))
                    if name.startswith("data/"):
                        self.assert_right_as_far_as_there(result, name)

    @support.needs_tool("strace")
    def test_a_bad_sector_costs_what_is_on_it(self):
        packs = [name for name in self.all if name.startswith("data/")]
        largest = max(packs, key=lambda name: os.stat(os.path.join(self.repo, name)).st_size)
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", os.path.join(self.repo, largest),
                  "-e", "trace=pread64", "-e", "inject=pread64:error=EIO"]
        result = self.run_mbu(["--json", "check", "--read-data"], prefix=strace, expect=20)
        self.assertIn(os.path.basename(largest), result.text)
        result = self.unpackage(self.source, "--no-cache", prefix=strace, expect=20)
        self.assertTrue(self.assert_right_as_far_as_there(result, largest))
        self.assertEqual(len(result.of_type("summary")), 1)

    def test_a_damaged_page_costs_no_other_page_of_its_directory(self):
        many = self.path("many")
        for i in range(3000):
            self.write(f"{many}/{i:05}")
        before = self.objects()
        self.package(many)
        lost = [name for name in self.objects().keys() - before.keys() if name.startswith("data/")]
        self.write(f"{many}/01500 new")
        self.package(many)  # its page and those above it are in a pack of their own
        for name in lost:
            os.unlink(os.path.join(self.repo, name))
        shutil.rmtree(self.cache)
        result = self.unpackage(many, expect=20)
        self.assert_says(result, many)
        restored = os.listdir(os.path.join(self.restored, "many"))
        self.assertIn("01500 new", restored)
        listed = self.run_mbu(["--json", "ls", f"latest:{many}"], expect=20).of_type("node")
        self.assertEqual(sorted(node["name"] for node in listed), sorted(restored))
        self.check(expect=20)

    def test_keyless(self):
        self.run_mbu(["check", "--keyless"], password=None)
        for name in self.all:
            data = bytearray(self.read(os.path.join(self.repo, name)))
            data[len(data) // 2] ^= 4
            with self.subTest(object=name), self.changed(name, bytes(data)):
                result = self.run_mbu(["check", "--keyless"], password=None, expect=20)
                self.assertIn(os.path.basename(name), result.text)

    def test_arriving(self):
        """On a machine that never saw the missing pack it may be on its way; where it was seen, it is lost."""
        pack = next(name for name in self.all if name.startswith("data/"))
        with self.changed(pack, None):
            shutil.rmtree(self.state)
            self.assert_says(self.run_mbu(["check"], expect=20), "may not have arrived yet", f"{self.binary} check --arriving\n")
            self.assert_says(self.run_mbu(["check", "--arriving"], expect=3), os.path.basename(pack))

    def test_subsets(self):
        everything = self.run_mbu(["--json", "check", "--read-data"]).summary["packs_read"]
        parts = [self.run_mbu(["--json", "check", "--read-data-subset", f"{i}/3"]).summary["packs_read"] for i in (1, 2, 3)]
        self.assertEqual(sum(parts), everything)
        self.assertEqual(self.run_mbu(["--json", "check", "--read-data-subset", "100%"]).summary["packs_read"], everything)
        self.assertEqual(self.run_mbu(["--json", "check"]).summary["packs_read"], 0)
        for wrong in ("0%", "101%", "x", "4/3", "0/3", "3"):
            self.run_mbu(["check", "--read-data-subset", wrong], expect=2)

    def test_check_as_text(self):
        self.assert_says(self.run_mbu(["check", "--read-data"]), "no errors were found")
        with self.changed("snapshots/" + self.first, b"x"):
            result = self.run_mbu(["check"], expect=20)
            self.assertIn(f"snapshots/{self.first}", result.err)
            self.assertNotIn("no errors", result.text)


class Mending(support.MbuTest):
    """A backup that meets damage where it looks for what it has already."""

    def setUp(self):
        super().setUp()
        self.init()
        self.source = self.path("tree")
        for name in ("a/b/text", "a/small", "c/new 0", "c/new 1"):
            self.write(f"tree/{name}", trees.noise(20_000, len(name)))
        self.package(self.source)

    def flip(self, name, offset):
        path = os.path.join(self.repo, name)
        data = bytearray(self.read(path))
        data[offset] ^= 1
        os.unlink(path)
        self.write(path, bytes(data))

    def page_offset(self, name):
        """Where the pages of a pack begin, as its table of contents has it."""
        pack = json.loads(self.run_mbu(["cat", "pack", os.path.basename(name)]).stdout)
        before = itertools.takewhile(lambda block: block["role"] != "page", pack["blocks"])
        return SEALED_HEADER + sum(block["stored"] for block in before)

    def grow(self, name):
        with open(f"{self.source}/c/{name}", "ab") as file:
            file.write(b"x")
        self.wanted = trees.read_tree(self.source)

    def package_new_pages(self):
        """The pack of a snapshot that had to write the pages of c and of all above it."""
        before = self.objects()
        self.grow("new 0")
        self.package(self.source)
        name, = [name for name in self.objects().keys() - before.keys() if name.startswith("data/")]
        return name

    def assert_comes_back(self):
        shutil.rmtree(self.restored, ignore_errors=True)
        self.unpackage(self.source)
        trees.assert_same(self, self.wanted, os.path.join(self.restored, "tree"))

    def test_packaging_tells_the_damage_it_meets_and_mends_it(self):
        for flags in ([], ["--force"], ["--no-cache"]):
            with self.subTest(flags=flags):
                name = self.package_new_pages()
                self.flip(name, self.page_offset(name))
                self.grow("new 1")
                self.drop_cache()
                result = self.run_mbu(["backup", *flags, self.source], expect=20)
                self.assert_says(result, os.path.basename(name), "the repository is damaged")
                self.assertNotIn("incomplete", result.text)
                self.assert_comes_back()
                self.run_mbu(["backup", *flags, self.source])  # once is enough

    def test_packaging_does_not_lean_on_a_pack_that_was_cut_short(self):
        """An index object still says what was in it."""
        for i in range(4):
            trees.write(f"{self.source}/more {i}", trees.noise(30_000, 40 + i))
            self.package(self.source)
        packs = {name: size for name, size in self.objects().items() if name.startswith("data/")}
        largest = max(packs, key=packs.get)
        with open(os.path.join(self.repo, largest), "r+b") as file:
            file.truncate(packs[largest] - 10_000)
        shutil.copytree(f"{self.source}/a", f"{self.source}/copy of a")
        shutil.copytree(f"{self.source}/c", f"{self.source}/copy of c")
        self.wanted = trees.read_tree(self.source)
        result = self.run_mbu(["backup", self.source], expect=20)
        self.assert_says(result, os.path.basename(largest))
        self.assert_comes_back()

    def test_what_was_taken_over_unread_is_mended_too(self):
        """The cache says that c is unchanged, so that its page is not read; that of the directory above, in the same block, is."""
        name = self.package_new_pages()
        support.settle()
        self.package(self.source)
        self.flip(name, self.page_offset(name))
        trees.write(f"{self.source}/new", b"1")
        self.wanted = trees.read_tree(self.source)
        support.settle()
        self.run_mbu(["-o", self.source], expect=20)
        self.assert_comes_back()


if __name__ == "__main__":
    support.main()
