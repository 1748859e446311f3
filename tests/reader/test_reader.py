#!/usr/bin/python3
"""Tests of the reader, of the writer, and of mbu against both.

Run as `/usr/bin/python3 tests/reader/test_reader.py -v`. Without MBU_BINARY (the path of mbu) only the reader is tested.
MBU_LONG=1 changes more bytes. Needs python3-cryptography, python3-nacl and python3-zstandard.
"""

import concurrent.futures
import contextlib
import io
import multiprocessing
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import traceback
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import blake3
import fb
import hostile
import make_repository as make
import mbu_reader
import objects as o
import tree

BINARY = os.environ.get("MBU_BINARY")
HERE = os.path.dirname(os.path.abspath(__file__))
PASSWORD = b"correct horse"
PROCESSES = 2
LONG = os.environ.get("MBU_LONG") == "1"


class Temporary(unittest.TestCase):
    """A test with a directory of its own that holds a password file."""

    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="mbu-reader-")
        self.addCleanup(self.remove)
        self.password_file = self.path("password")
        with open(self.password_file, "wb") as out:
            out.write(PASSWORD + b"\n")

    def remove(self):
        # What a case restored may have any mode, and paths too long for Python.
        subprocess.run(["chmod", "-R", "u+rwX", self.base], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["rm", "-rf", self.base], check=False)

    def path(self, *parts):
        return os.path.join(self.base, *parts)

    def check_all_cases(self):
        """check_case() of the class for all hostile cases, several processes at once; what fails is a subtest's failure."""
        with concurrent.futures.ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("fork")) as pool:
            running = {name: pool.submit(check_one_case, type(self), self.base, name) for name in hostile.CASES}
            for name, check in running.items():
                with self.subTest(name):
                    failure = check.result()
                    if failure:
                        self.fail(failure)


def check_one_case(kind, base, name):
    """In a process of its own: the traceback of what failed, or None."""
    test = kind("test_cases")
    test.base, test.password_file = base, os.path.join(base, "password")
    try:
        test.check_case(hostile.CASES[name])
    except Exception:  # whatever it is, the parent reports it
        return traceback.format_exc()
    return None


# The parts

class Blake3(unittest.TestCase):
    """The official test vectors: input bytes count modulo 251."""

    VECTORS = {
        0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
        1023: "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
        1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
        1025: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
        2048: "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
        31744: "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
        102400: "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
    }

    def test_hash(self):
        for length, expected in self.VECTORS.items():
            data = bytes(i % 251 for i in range(length))
            self.assertEqual(blake3.blake3(data).hex(), expected, length)

    def test_keyed(self):
        self.assertEqual(blake3.keyed_hash(b"whats the Elvish word for friend", b"").hex(),
                         "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26")

    def test_derive(self):
        self.assertEqual(blake3.derive_key("BLAKE3 2019-12-27 16:29:52 test vectors context", b"").hex(),
                         "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d")


class FlatBuffers(unittest.TestCase):
    def test_round_trip(self):
        toc = {"block_stored": [1, 2, 1 << 31], "block_roles": b"\1\2\xff", "chunk_ids": bytes(64)}
        index = {"packs": [{"name": b"n" * 32, "size": (1 << 64) - 1, "toc": toc}, {}], "supersedes": b"s" * 32}
        decoded = o.TOC.decode("Index", o.TOC.encode("Index", index))
        self.assertEqual(list(decoded.packs[0].toc.block_stored), toc["block_stored"])
        self.assertEqual((decoded.packs[0].name, decoded.packs[0].size), (b"n" * 32, (1 << 64) - 1))
        self.assertEqual((decoded.packs[1].size, decoded.packs[1].toc, decoded.supersedes), (0, None, b"s" * 32))

    def test_any_byte_changed(self):
        """Whatever is changed, decoding ends, with a table or an error."""
        data = o.SNAPSHOT.encode("Snapshot", {"host": "host", "tags": ["a", "b"], "paths": [{"bytes": b"/"}], "root": bytes(32)})
        for position in range(len(data)):
            for value in (0, 1, 0x7F, 0x80, 0xFF):
                changed = bytearray(data)
                changed[position] = value
                with contextlib.suppress(fb.Malformed):
                    o.SNAPSHOT.decode("Snapshot", changed)
        for length in range(len(data)):
            with self.assertRaises(fb.Malformed):
                o.SNAPSHOT.decode("Snapshot", data[:length])


class Parts(unittest.TestCase):
    def test_padme(self):
        for length in range(100, 5000):
            self.assertLessEqual(length, o.padme(length))
            self.assertLess(o.padme(length), length * 1.12)
            self.assertEqual(o.padme(o.padme(length)), o.padme(length))

    def test_zstd_frames(self):
        for data in (b"x", b"abc" * 100000, os.urandom(1000)):
            for options in ({}, {"write_checksum": True}, {"write_content_size": False}):
                frame = make.zstandard.ZstdCompressor(**options).compress(data)
                self.assertEqual(o.zstd_frame(frame)[2], len(frame))
                self.assertEqual(o.decompress(frame, len(data), "x"), data)
                for wrong in (frame + b"\0", frame[:-1], frame + frame):
                    with self.assertRaises(o.Damaged):
                        o.decompress(wrong, len(data), "x")
        self.assertEqual(o.decompress(make.raw_frame(b"abc"), 3, "x"), b"abc")

    def test_sparse_map(self):
        runs = [(0, 1), (1 << 40, 300), (128, 1)]
        self.assertEqual(tree.parse_map(make.sparse_map(runs), 1 << 41, "x"), runs)

    def test_seal(self):
        keys = o.OwnerKeys(bytes(32), bytes(32))
        box = make.seal(keys.sealing_public(1), b"k" * 32, ephemeral=b"e" * 32)
        self.assertEqual(o.nacl.bindings.crypto_box_seal_open(box, keys.sealing_public(1), keys.sealing_secret(1)), b"k" * 32)

    def test_document_has_the_vectors(self):
        self.assertEqual(subprocess.run([sys.executable, os.path.join(HERE, "vectors.py"), "--check"], check=False).returncode, 0,
                         "run tests/reader/vectors.py --write")


# The reader against the writer

def read(path):
    with open(path, "rb") as file:
        return file.read()


def contents(root):
    """{path: what it is} of all below a directory, without following a link."""
    out = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in folders + files:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            value = os.readlink(path) if stat.S_ISLNK(mode) else read(path) if stat.S_ISREG(mode) else None
            out[os.path.relpath(path, os.fsencode(root))] = stat.S_IFMT(mode), value
    return out


class Reader(Temporary):
    def run_reader(self, *arguments):
        """(exit code, standard output, standard error) of the reader's command line."""
        out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        argv = ["mbu_reader.py", self.path("repo"), "--password-file", self.password_file, *arguments]
        with unittest.mock.patch("sys.argv", argv), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = mbu_reader.main()
            out.flush()
        return code, out.buffer.getvalue(), err.getvalue()

    def test_cases(self):
        self.check_all_cases()

    def check_case(self, case):
        base = self.path(case.name)
        repository, outside, target = (os.path.join(base, name) for name in ("repo", "outside", "target"))
        os.makedirs(outside)
        case.build(repository, PASSWORD, outside)
        opened, refused = None, False
        try:
            opened = mbu_reader.Repository(repository, PASSWORD)
            snapshot = opened.find_snapshot("latest")
            with contextlib.redirect_stderr(io.StringIO()):
                opened.collect(mbu_reader.Extraction(opened, target).run, opened.find(snapshot, "/"))
        except o.Refused:
            refused = True
        except mbu_reader.NotFound:
            self.assertFalse(case.kept)
        self.assertEqual(refused, case.reader == "refused")
        if not refused and case.reader != "*":
            named = [damage.object for damage in opened.damage]
            if case.reader is None:
                self.assertEqual([str(damage) for damage in opened.damage], [])
            else:
                self.assertTrue(any(name.startswith(case.reader) for name in named), named)
        for name, data in case.kept.items():
            self.assertEqual(read(os.path.join(target, name)), data, name)
        self.assertEqual(os.listdir(outside), [])
        self.assertLessEqual(set(os.listdir(base)), {"repo", "outside", "target"})

    def test_every_byte_of_every_object(self):
        """Whatever bit of whatever object changes or is cut off, it is noticed and no wrong byte is delivered."""
        source = self.path("repo")
        repository = make.Repository(source, PASSWORD)
        repository.add_snapshot([make.file("a", b"inline"), make.file("b", hostile.TEXT, kind=tree.TREE, chunk_size=1000)])
        whole = {os.path.join(folder, name) for folder, _, names in os.walk(source) for name in names}
        rng = random.Random(1)
        for path in sorted(whole):
            data = read(path)
            for position in sorted(rng.sample(range(len(data)), min(12 if LONG else 4, len(data)))):
                for changed in (hostile.flip(position)(data), data[:position]):
                    with self.subTest(path=path, position=position):
                        with open(path, "wb") as out:
                            out.write(changed)
                        try:
                            opened = mbu_reader.Repository(source, PASSWORD)
                            opened.check()
                            name = os.path.relpath(path, source)
                            self.assertIn(name, [damage.object for damage in opened.damage])
                        except o.Refused:
                            self.assertRegex(path, "/config$|/keys/")
            with open(path, "wb") as out:
                out.write(data)
        opened = mbu_reader.Repository(source, PASSWORD)
        opened.check()
        self.assertEqual(opened.damage, [])

    def test_removed_objects(self):
        """What is missing is named; a missing index does not matter."""
        repository = make.Repository(self.path("repo"), PASSWORD)
        repository.add_slot(b"second")
        repository.add_statement(slots_added=repository.slot)
        repository.add_snapshot([make.file("a", b"inline")])
        second = repository.slot.hex()
        first = repository.statements[0].hex()
        for name, expected in ((f"keys/{second}", f"keys/{second}"), (f"state/{first}", f"state/{first}"),
                               (f"data/{repository.packs[0].name.hex()[:2]}/{repository.packs[0].name.hex()}", "snapshots/"),
                               ("index/" + os.listdir(self.path("repo", "index"))[0], None)):
            os.rename(self.path("repo", name), self.path("away"))
            opened = mbu_reader.Repository(self.path("repo"), PASSWORD)
            opened.check()
            named = [damage.object for damage in opened.damage]
            self.assertTrue(any(n.startswith(expected) for n in named) if expected else not named, (name, named))
            os.rename(self.path("away"), self.path("repo", name))

    def test_writers_password(self):
        """A writer's slot opens, lists packs, and reads no content."""
        repository = make.Repository(self.path("repo"), PASSWORD)
        repository.add_snapshot([make.file("a", b"inline")], index=False)
        own, seed = os.urandom(32), os.urandom(32)
        secret = o.SLOT.encode("WriterCredential", {
            "signing_seed": seed, "x25519_secret": own, "common_key": repository.keys.common, "domain": o.MAIN,
            "domain_secrets": [{"generation": 1, "secret": repository.keys.domain(o.MAIN, 1).secret}],
            "sealing_keys": [{"generation": 1, "key": repository.keys.sealing_public(1)}]})
        repository.add_slot(b"writer", role=o.WRITER, secret=secret, x25519=own)
        repository.add_statement(admitted=[
            {"public_key": key, "name": "w", "domain": o.MAIN} for key in (o.public_of(seed), repository.keys.writer_public)])
        opened = mbu_reader.Repository(self.path("repo"), b"writer")
        self.assertEqual((len(opened.packs), opened.snapshots(), opened.damage), (1, [], []))

    def test_wrong_password(self):
        make.Repository(self.path("repo"), b"another")
        self.assertEqual(self.run_reader("list")[0], 12)

    def test_no_repository(self):
        self.assertEqual(self.run_reader("list")[0], 10)

    def test_second_copy_is_used(self):
        """A pack is damaged; all it holds is in another one, too."""
        repository = make.Repository(self.path("repo"), PASSWORD)
        entries = [make.file("a", b"inline"), make.file("b", hostile.TEXT)]
        copy = make.Pack(repository)
        repository.store_directory(copy, make.directory("/", entries))
        repository.put("data", hostile.flip(210)(copy.build()))
        repository.add_snapshot(entries)
        repository.add_index()
        self.assertEqual(self.run_reader("dump", "latest", "b")[1], hostile.TEXT)

    def test_commands(self):
        repository = make.Repository(self.path("repo"), PASSWORD)
        repository.add_snapshot([make.file("a", segments=[(5, b"x")], size=10), make.directory("d", [
            make.file("f", b"1", mode=0o600, link_group=9), make.file("g", b"1", mode=0o600, link_group=9),
            make.symlink("l", "../a")])], paths=("/a", "/d"), tags=["t"])
        code, out, err = self.run_reader("list")
        self.assertEqual((code, err), (0, ""))
        self.assertIn(b'"paths": ["/a", "/d"], "tags": ["t"]', out)
        self.assertEqual(self.run_reader("dump", "latest", "/a")[:2], (0, b"\0" * 5 + b"x" + b"\0" * 4))
        self.assertIn(b"l -> ../a", self.run_reader("ls", "latest", "/d")[1])
        self.assertEqual(self.run_reader("check"), (0, b"", ""))
        self.assertEqual(self.run_reader("extract", "latest", "/", self.path("out")), (0, b"", ""))
        info = os.lstat(self.path("out", "d", "f"))
        self.assertEqual((info.st_mode & 0o7777, info.st_nlink, info.st_mtime_ns), (0o600, 2, make.WHEN * 10 ** 9 + 123456789))
        self.assertEqual(self.run_reader("dump", "latest", "/nothing")[0], 1)
        self.assertEqual(self.run_reader("ls", "ffff")[0], 1)


# mbu against both

@unittest.skipUnless(BINARY, "MBU_BINARY is not set: mbu itself is not tested")
class Program(Temporary):
    def mbu(self, *arguments):
        """Run mbu with state, cache and configuration of its own."""
        home = self.path(f"home-{os.getpid()}")
        os.makedirs(home, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8"}
        environment.update({name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ})
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            environment[f"XDG_{name}_HOME"] = os.path.join(home, name.lower())
        return subprocess.run([os.path.abspath(BINARY), *arguments], cwd=home, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)

    def good(self, *arguments):
        done = self.mbu(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done

    def make_tree(self, path):
        rng = random.Random(7)
        os.makedirs(os.path.join(path, "deep", "er"))
        os.makedirs(os.path.join(path, "empty"))

        def write(name, data):
            with open(os.path.join(os.fsencode(path), os.fsencode(name)), "wb") as out:
                out.write(data)
        write("none", b"")
        write("one", b"1")
        write("text", b"All work and no play makes Jack a dull boy.\n" * 20000)
        write("random", rng.randbytes(3_000_000))
        write("deep/er/copy", rng.randbytes(100_000))
        write(b"deep/\xff\n odd", b"odd")
        for number in range(300):
            write(f"deep/tiny{number}", b"%d" % number)
        for number in range(20):
            write(f"deep/small{number}", rng.randbytes(rng.randrange(1, 20000)))
        with open(os.path.join(path, "sparse"), "wb") as out:
            out.truncate(50_000_000)
            for offset in (0, 9_000_000, 40_000_000):
                out.seek(offset)
                out.write(rng.randbytes(70_000))
        with open(os.path.join(path, "hole"), "wb") as out:
            out.truncate(1_000_000)
        with open(os.path.join(path, "perforated"), "wb") as out:
            for number in range(400):
                out.seek(number * 65536)
                out.write(b"x" * 4096)
        os.symlink("../one", os.path.join(path, "deep", "link"))
        os.symlink("/nonexistent/" + "l" * 200, os.path.join(path, "dangling"))
        os.link(os.path.join(path, "text"), os.path.join(path, "deep", "hard"))
        os.chmod(os.path.join(path, "one"), 0o4711)
        os.chmod(os.path.join(path, "deep", "er"), 0o1770)
        for name in ("one", "none", "deep/er"):
            os.utime(os.path.join(path, name), ns=(0, 1_234_567_890_123_456_789))

    def package(self):
        """(directory packaged, its path in the snapshot)"""
        source = self.path("source")
        self.make_tree(source)
        self.good("init", "-r", self.path("repo"), "--password-file", self.password_file)
        self.good("backup", "-r", self.path("repo"), "--password-file", self.password_file, source)
        return source

    def same(self, source, target):
        self.assertEqual(contents(source), contents(target))
        for folder, folders, files in os.walk(source):
            for name in folders + files:
                path = os.path.join(folder, name)
                have, want = os.lstat(os.path.join(target, os.path.relpath(path, source))), os.lstat(path)
                for field in ("st_mode", "st_size", "st_mtime_ns", "st_uid", "st_gid"):
                    self.assertEqual(getattr(have, field), getattr(want, field), (path, field))
                if not stat.S_ISDIR(want.st_mode):
                    self.assertEqual(have.st_nlink, want.st_nlink, path)

    def test_reader_reads_the_program(self):
        source = self.package()
        opened = mbu_reader.Repository(self.path("repo"), PASSWORD)
        opened.check()
        self.assertEqual([str(damage) for damage in opened.damage], [])
        snapshot = opened.find_snapshot("latest")
        self.assertTrue(snapshot.complete)
        self.assertEqual([path.bytes for path in snapshot.paths], [os.fsencode(source)])
        mbu_reader.Extraction(opened, self.path("out")).run(opened.find(snapshot, source))
        self.assertEqual([str(damage) for damage in opened.damage], [])
        self.same(source, self.path("out"))

    def test_reader_without_index(self):
        source = self.package()
        shutil.rmtree(self.path("repo", "index"))
        opened = mbu_reader.Repository(self.path("repo"), PASSWORD)
        found = opened.find(opened.find_snapshot("latest"), os.path.join(source, "random"))
        self.assertEqual(opened.read_file(found), read(os.path.join(source, "random")))
        self.assertEqual(opened.damage, [])

    def test_second_snapshot(self):
        source = self.package()
        with open(os.path.join(source, "one"), "ab") as out:
            out.write(b"more")
        self.good("backup", "-r", self.path("repo"), "--password-file", self.password_file, source)
        opened = mbu_reader.Repository(self.path("repo"), PASSWORD)
        opened.check()
        self.assertEqual([str(damage) for damage in opened.damage], [])
        first, second = opened.snapshots()
        self.assertEqual((second.number, second.previous), (first.number + 1, first.name))
        self.assertEqual(opened.read_file(opened.find(first, source + "/one")), b"1")
        self.assertEqual(opened.read_file(opened.find(second, source + "/one")), b"1more")

    def restore(self, repository, target):
        return self.mbu("restore", "latest", "-r", repository, "--password-file", self.password_file, "--target", target)

    def test_cases(self):
        self.check_all_cases()

    def check_case(self, case):
        base = self.path(case.name)
        repository, outside, target = (os.path.join(base, name) for name in ("repo", "outside", "target"))
        os.makedirs(outside)
        case.build(repository, PASSWORD, outside)
        before = contents(repository)
        done = self.restore(repository, target)
        said = done.stderr.decode(errors="replace")
        self.assertEqual(os.listdir(outside), [], "wrote outside its target")
        self.assertLessEqual(set(os.listdir(base)), {"repo", "outside", "target"}, "wrote outside its target")
        self.assertEqual(contents(repository), before, "changed the repository")
        self.assertGreaterEqual(done.returncode, 0, f"died of a signal: {said}")
        if case.program == "valid":
            self.assertEqual(done.returncode, 0, said)
        elif case.program == "damaged":
            self.assertEqual(done.returncode, 20, said)
        elif case.program == "refused":
            self.assertIn(done.returncode, (1, 10, 12, 20), said)
            files = [name for _, _, names in os.walk(target) for name in names]
            self.assertEqual(files, [], "restored something")
        else:
            self.assertIn(done.returncode, (0, 1, 3, 20), said)
        for name, data in case.kept.items():
            self.assertEqual(read(os.path.join(target, name)), data, (name, said))
        shutil.rmtree(os.path.join(base, "target"), ignore_errors=True)


if __name__ == "__main__":
    if not BINARY:
        print("MBU_BINARY is not set: mbu itself is not tested", file=sys.stderr)
    unittest.main()
