#!/usr/bin/python3
"""The cache may be deleted, cut, filled with garbage or locked away at any time: the next command works all the same.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_cache.py -v`.
"""

import json
import os
import random
import shutil
import sqlite3
import stat
import threading

import support
import trees


class Cache(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = trees.make_plain(self.path("tree"), files=200)
        self.package(self.source)
        self.run_mbu(["ls", "latest"])

    def cache_files(self):
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(self.cache) for name in names)

    def assert_works(self):
        """Everything works, and at most one line says that the cache is made anew."""
        trees.write(f"{self.source}/d0/changing", os.urandom(20))
        support.settle()
        for arguments in (["-o", self.source], ["-o", self.source], ["ls", "latest"], ["check"]):
            result = self.run_mbu(arguments)
            self.assertLessEqual(len(result.err.splitlines()), 1, str(result))
            for line in result.err.splitlines():
                self.assertRegex(line, "cache.*(rebuilt|made anew|rebuild)")
        self.run_mbu(["-d", self.source, "--overwrite", "always"])
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def test_deleted(self):
        self.assertTrue(self.cache_files())
        shutil.rmtree(self.cache)
        self.assert_works()
        self.assertTrue(self.cache_files())

    def test_garbage(self):
        for seed in range(3):
            for path in self.cache_files():
                trees.write(path, trees.noise(os.stat(path).st_size or 5000, seed))
            self.assert_works()

    def test_other_garbage(self):
        for data in (b"", b"SQLite format 3\0", bytes(100_000), b"SQLite format 3\0" + bytes(8000), b"\xff" * 70_000):
            for path in self.cache_files():
                trees.write(path, data)
            self.assert_works()

    def test_cut(self):
        for part in (1, 100, 4096, 5000, 0.3, 0.9):
            for path in self.cache_files():
                size = os.stat(path).st_size
                os.truncate(path, int(size * part) if part < 1 else min(part, size))
            self.assert_works()

    def test_flipped_bytes(self):
        source = random.Random(3)
        for _ in range(30 if support.LONG else 5):
            for path in self.cache_files():
                data = bytearray(self.read(path))
                for _ in range(20):
                    if data:
                        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
                trees.write(path, bytes(data))
            self.assert_works()

    def test_every_file_a_directory(self):
        for path in self.cache_files():
            os.unlink(path)
            os.mkdir(path)
        self.run_mbu(["-o", self.source])
        self.run_mbu(["ls", "latest"])
        shutil.rmtree(self.cache)
        self.write(self.cache, b"a file where the folder belongs")
        self.run_mbu(["-o", self.source])
        self.run_mbu(["ls", "latest"])

    def test_a_dangling_or_looping_link(self):
        shutil.rmtree(self.cache)
        for target in ("nowhere/at/all", "mbu"):
            os.symlink(target, self.cache)
            self.run_mbu(["-o", self.source])
            os.unlink(self.cache)

    def test_cut_while_it_runs(self):
        """A mapped file that is cut ends a program by SIGBUS."""
        done = threading.Event()
        source = random.Random(4)

        def spoil():
            while not done.is_set():
                for path in self.cache_files():
                    try:
                        os.truncate(path, source.randrange(1 + os.stat(path).st_size))
                        with open(path, "r+b") as file:
                            file.seek(source.randrange(5000))
                            file.write(b"garbage")
                    except OSError:
                        pass
        thread = threading.Thread(target=spoil)
        thread.start()
        try:
            for i in range(5):
                trees.write(f"{self.source}/d1/changing", b"%d" % i)
                self.run_mbu(["-o", self.source])
                self.run_mbu(["ls", "latest"])
        finally:
            done.set()
            thread.join()
        self.assert_works()
        self.check()

    def test_deleted_while_it_runs(self):
        done = threading.Event()

        def spoil():
            while not done.is_set():
                shutil.rmtree(self.cache, ignore_errors=True)
        thread = threading.Thread(target=spoil)
        thread.start()
        try:
            for i in range(5):
                trees.write(f"{self.source}/d1/changing", b"%d" % i)
                self.run_mbu(["-o", self.source])
        finally:
            done.set()
            thread.join()
        self.assert_works()

    def test_a_cache_of_another_time(self):
        """An old copy of the cache is put back: what has changed since must not be overlooked."""
        shutil.copytree(self.cache, self.path("old"))
        trees.write(f"{self.source}/d0/f0", b"second")
        support.settle()
        self.package(self.source)
        shutil.rmtree(self.cache)
        shutil.copytree(self.path("old"), self.cache)
        self.assert_works()

    def test_a_cache_whose_repository_was_put_back(self):
        """The other way round: the cache knows of pages that the repository has lost."""
        shutil.copytree(self.repo, self.path("old"))
        trees.write(f"{self.source}/d0/f0", b"second")
        trees.write(f"{self.source}/d0/new", trees.noise(50_000, 9))
        support.settle()
        self.package(self.source)
        shutil.rmtree(self.repo)
        shutil.copytree(self.path("old"), self.repo)
        self.package(self.source)
        self.unpackage(self.source)
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def test_two_repositories_share_no_cache(self):
        other = self.path("other")
        self.init("-r", other)
        self.backup("-r", other, self.source)
        support.settle()
        summary = self.backup("-r", other, self.source).summary
        self.assertEqual(summary["bytes_read"], 0)
        self.run_mbu(["-r", other, "restore", "latest", "--target", self.path("out")])
        trees.assert_same(self, self.source, self.path("out") + self.source)

    def test_no_cache(self):
        shutil.rmtree(self.cache)
        for _ in range(2):
            self.run_mbu(["--no-cache", "-o", self.source])
            self.run_mbu(["--no-cache", "ls", "latest"])
            self.run_mbu(["--no-cache", "check"])
        self.assertFalse(os.path.exists(self.cache))

    def test_another_place(self):
        shutil.rmtree(self.cache)
        self.run_mbu(["--cache-dir", self.path("elsewhere"), "-o", self.source])
        self.run_mbu(["-o", self.source], env={"MBU_CACHE_DIR": self.path("variable")})
        for name in ("elsewhere", "variable"):
            self.assertEqual(len(os.listdir(self.path(name))), 1)
        self.assertFalse(os.path.exists(self.cache))

    def database(self, statement, *values):
        (path,) = [path for path in self.cache_files() if path.endswith("cache.db")]
        connection = sqlite3.connect(path)
        with connection:
            rows = connection.execute(statement, values).fetchall()
        connection.close()
        return rows

    def count(self, table):
        return self.database(f"SELECT count(*) FROM {table}")[0][0]

    def let_pass(self, days):
        for table in ("directories", "uses"):
            self.database(f"UPDATE {table} SET day = day - ?", days)

    def test_one_of_an_older_version_is_begun_anew(self):
        self.database("DROP TABLE pages")
        self.database("CREATE TABLE pages(key INTEGER PRIMARY KEY, sealed BLOB NOT NULL)")
        self.database("PRAGMA user_version=3")
        self.assertEqual(self.backup(self.source).stderr, b"")
        support.settle()
        again = self.backup(self.source)
        self.assertEqual(again.stderr, b"")
        self.assertEqual(again.summary["bytes_read"], 0)
        self.assertEqual(self.database("PRAGMA user_version"), [(4,)])

    def test_what_nobody_packages_any_more_is_purged(self):
        """Records of directories, and with a writer's credential pages: those of one tree go, those of the other stay and are used."""
        credential = self.path("laptop")
        self.run_mbu(["key", "new-writer", "--name", "laptop", "-o", credential])
        shutil.rmtree(self.cache)
        writer = ("--credential", credential)
        self.backup(*writer, self.source)
        kept = {table: self.count(table) for table in ("directories", "pages", "uses")}
        for directory in range(20):
            self.write(self.path("other", str(directory), "file"), b"%d" % directory)
        self.backup(*writer, self.path("other"))
        for table, count in kept.items():
            self.assertGreater(self.count(table), count)
        self.let_pass(50)
        support.settle()
        self.backup(*writer, self.source)
        self.let_pass(50)
        summary = self.backup(*writer, self.source).summary
        self.assertEqual(summary["bytes_read"], 0)
        self.assertEqual(self.count("directories"), kept["directories"])
        self.assertEqual(self.count("uses"), kept["uses"])
        self.assertLess(abs(self.count("pages") - kept["pages"]), 5)  # what is remembered of each snapshot
        self.let_pass(1000)
        self.backup(*writer, self.source)
        self.check()

    def test_state_deleted_or_garbage(self):
        files = [os.path.join(folder, name) for folder, _, names in os.walk(self.state) for name in names]
        self.assertTrue(files)
        for data in (trees.noise(3000), b"", b"\n\n\n", b"x" * 100_000):
            for path in files:
                trees.write(path, data)
            self.run_mbu(["-o", self.source])
            self.run_mbu(["-d", self.source])
        shutil.rmtree(self.state)
        self.run_mbu(["-o", self.source])
        self.check()

    @support.needs_tool("setpriv")
    def test_places_that_can_be_opened_but_not_written(self):
        """The state's lock is there, what must be written beside it cannot be."""
        self.become_nobody()
        for folder, _, _ in os.walk(self.state):
            os.chmod(folder, 0o555)
        for _ in range(2):
            trees.write(f"{self.source}/d0/f0", os.urandom(30))
            self.run_mbu(["-o", self.source])
        self.check()
        chains = self.chains()
        self.assertEqual(len(chains), 3)
        self.assertEqual(set(map(tuple, chains.values())), {(1,)})

    def chains(self):
        """The numbers of all snapshots, by instance."""
        chains = {}
        for snapshot in self.snapshots():
            decoded = json.loads(self.run_mbu(["cat", "snapshot", snapshot["id"]]).stdout)
            chains.setdefault(decoded["instance"], []).append(decoded["number"])
        return chains

    def test_a_state_that_lost_its_chain_gives_no_number_twice(self):
        self.package(self.source)
        for folder, _, names in os.walk(self.state):
            for name in names:
                if name.startswith("chain-"):
                    os.unlink(os.path.join(folder, name))
        before = len(self.snapshots())
        for _ in range(2):
            self.package(self.source)
        self.assertEqual(sorted(map(len, self.chains().values())), sorted([before, 2]))
        for numbers in self.chains().values():
            self.assertEqual(sorted(set(numbers)), sorted(numbers))

    def test_a_state_that_was_put_back_gives_no_number_twice(self):
        shutil.copytree(self.state, self.path("old"))
        self.package(self.source)
        shutil.rmtree(self.state)
        shutil.copytree(self.path("old"), self.state)
        self.package(self.source)
        for numbers in self.chains().values():
            self.assertEqual(sorted(set(numbers)), sorted(numbers))

    def test_a_dry_run_leaves_no_trace(self):
        for i in range(700):  # more directories than are written in one transaction
            self.write(f"{self.source}/many/{i}/file", b"%d" % i)
        support.settle()
        before = {path: self.read(path) for path in self.cache_files()}
        self.backup("-n", self.source)
        self.assertEqual({path: self.read(path) for path in self.cache_files()}, before)

    @support.needs_tool("setpriv")
    def test_places_that_cannot_be_written(self):
        self.become_nobody()
        for folder, folders, names in os.walk(self.home):
            if folder.startswith((self.cache, self.state)):
                for path in [folder] + [os.path.join(folder, name) for name in names]:
                    os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & 0o555)
        for _ in range(2):
            trees.write(f"{self.source}/d0/f0", os.urandom(30))
            self.run_mbu(["-o", self.source])
            self.run_mbu(["ls", "latest"])
        self.check()
        for path in self.cache_files():
            os.chmod(path, 0)
        self.run_mbu(["-o", self.source])


if __name__ == "__main__":
    support.main()
