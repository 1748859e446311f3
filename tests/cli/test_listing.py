#!/usr/bin/python3
"""What is told about a repository: snapshots, ls, dump, diff, cat, as text and as JSON.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_listing.py -v`.
"""

import base64
import io
import json
import os
import stat
import subprocess
import tarfile
import zipfile

import support
import trees


# So many packs that no index names yet get one.
INDEX_FROM = 4


class Listing(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = self.path("tree")
        os.mkdir(self.source)


class Snapshots(Listing):
    def test_the_list(self):
        trees.write(f"{self.source}/x", b"12345")
        self.assertEqual(self.snapshots(), [])
        self.package(self.source)
        self.backup("--tag", "t1", "--tag", "t2", "--host", "other", self.source, "/etc/hostname")
        first, second = self.snapshots()
        for field in ("time", "tree", "paths", "hostname", "username", "uid", "gid", "id", "short_id", "program_version", "summary"):
            self.assertIn(field, first)
        self.assertEqual(first["short_id"], first["id"][:8])
        self.assertEqual(first["paths"], [self.source])
        self.assertEqual(second["paths"], sorted([self.source, "/etc/hostname"]))
        self.assertEqual(first["summary"]["total_bytes_processed"], 5)
        self.assertEqual((first["uid"], first["gid"]), (os.geteuid(), os.getegid()))
        self.assertEqual(set(name for name in self.objects() if name.startswith("snapshots/")),
                         {"snapshots/" + s["id"] for s in (first, second)})
        text = self.run_mbu(["snapshots"]).out
        for word in (first["short_id"], second["short_id"], "other", "t1, t2", self.source, "2 snapshots"):
            self.assertIn(word, text)

    def test_filters(self):
        trees.write(f"{self.source}/x", b"1")
        other = trees.make_plain(self.path("other"), files=2)
        plain = [self.package(self.source).summary["snapshot_id"] for _ in range(3)]
        tagged = self.backup("--tag", "t", other).summary["snapshot_id"]
        hosted = self.backup("--host", "h", "--tag", "v,u", other).summary["snapshot_id"]

        def ids(*flags):
            return [s["id"] for s in self.snapshots(*flags)]
        self.assertEqual(ids(), [*plain, tagged, hosted])
        self.assertEqual(ids("--tag", "t"), [tagged])
        self.assertEqual(ids("--tag", "t", "--tag", "u"), [tagged, hosted])
        self.assertEqual(ids("--tag", "u,v"), [hosted])
        self.assertEqual(ids("--tag", "t,u"), [])
        self.assertEqual(ids("--tag", "t, u", "--tag", "t"), [tagged])
        self.assertEqual(ids("--tag", ""), plain)
        self.assertEqual(ids("--host", "h"), [hosted])
        self.assertEqual(ids("--path", self.source), plain)
        self.assertEqual(ids("--path", other, "--host", "nobody"), [])
        self.assertEqual(ids("--latest", "1"), [plain[2], tagged, hosted])
        self.assertEqual(ids("--latest", "2", "--path", self.source), plain[1:])
        self.assertEqual(ids(plain[1][:10]), [plain[1]])
        self.assertEqual(ids("latest", "--path", self.source), [plain[2]])
        self.assertEqual(ids("latest~1", "--path", other), [tagged])
        self.run_mbu(["ls", "latest", "--tag", "t"])
        self.run_mbu(["ls", "latest", "--tag", "missing"], expect=1)

    def test_an_ambiguous_prefix(self):
        trees.write(f"{self.source}/x", b"1")
        ids = [self.package(self.source).summary["snapshot_id"] for _ in range(17)]
        twice = next(d for d in "0123456789abcdef" if sum(i.startswith(d) for i in ids) > 1)
        self.assert_says(self.run_mbu(["ls", twice], expect=2), "more digits")

    def test_the_chain(self):
        trees.write(f"{self.source}/x", b"1")
        for _ in range(3):
            self.package(self.source)
        first, second, third = self.snapshots()
        self.assertEqual([second["parent"], third["parent"]], [first["id"], second["id"]])
        self.assertEqual(first["instance"], third["instance"])
        self.assertEqual([s["number"] for s in (second, third)], [first["number"] + 1, first["number"] + 2])
        self.assertEqual(first["tree"], third["tree"])


class Ls(Listing):
    def setUp(self):
        super().setUp()
        os.makedirs(f"{self.source}/a/b")
        trees.write(f"{self.source}/a/b/file", b"12345")
        trees.write(f"{self.source}/z", b"1")
        os.chmod(f"{self.source}/z", 0o4751)
        os.utime(f"{self.source}/z", ns=(0, 1_500_000_000_123_456_789))
        os.symlink("a/b", f"{self.source}/link")
        os.mkfifo(f"{self.source}/fifo")
        self.package(self.source)

    def names(self, *arguments):
        return [line.removeprefix(self.source) for line in self.run_mbu(["ls", *arguments]).out.splitlines()]

    def test_trees(self):
        above = ["/" + "/".join(self.source.strip("/").split("/")[:i + 1]) for i in range(self.source.count("/"))]
        below = ["/a", "/a/b", "/a/b/file", "/fifo", "/link", "/z"]
        self.assertEqual(self.run_mbu(["ls", "latest"]).out.splitlines(), above + [self.source + name for name in below])
        self.assertEqual(self.names(f"latest:{self.source}"), ["/a", "/fifo", "/link", "/z"])
        self.assertEqual(self.names(f"latest:{self.source}", "--recursive"), ["/a", "/a/b", "/a/b/file", "/fifo", "/link", "/z"])
        self.assertEqual(self.names(f"latest:{self.source}/z"), ["/z"])
        self.assertEqual(self.names(f"latest:{self.source}//a/./b/"), ["/a/b/file"])
        for missing in ("/missing", "/z/below", "/link/file"):
            self.run_mbu(["ls", f"latest:{self.source}{missing}"], expect=1)

    def test_the_long_form(self):
        out = self.run_mbu(["ls", "-l", f"latest:{self.source}"]).out
        line = next(line for line in out.splitlines() if line.endswith("/z"))
        self.assertTrue(line.startswith("-rwsr-x--x "), line)
        self.assertIn("2017-07-14 02:40:00", line)
        self.assertIn(f"{self.source}/link -> a/b", out)
        self.assertIn("prw", out)

    def test_json(self):
        lines = self.run_mbu(["--json", "ls", f"latest:{self.source}", "--recursive"]).json
        self.assertEqual(lines[0]["message_type"], "snapshot")
        nodes = {n["path"].removeprefix(self.source): n for n in lines[1:]}
        z = nodes["/z"]
        self.assertEqual((z["type"], z["size"], stat.S_IMODE(z["mode"]), z["name"]), ("file", 1, 0o4751, "z"))
        self.assertEqual(z["mtime"], "2017-07-14T02:40:00.123456789Z")
        self.assertEqual((z["uid"], z["gid"]), (os.geteuid(), os.getegid()))
        self.assertEqual((nodes["/link"]["type"], nodes["/link"]["linktarget"]), ("symlink", "a/b"))
        self.assertEqual((nodes["/a"]["type"], nodes["/fifo"]["type"]), ("dir", "fifo"))
        self.assertEqual({n["message_type"] for n in nodes.values()}, {"node"})


class Names(Listing):
    """Names that a terminal would obey, or that are not text."""

    NAMES = [b"\x1b[2J\x1b]0;owned\x07", b"new\nline", b"\xff\xfe", b"back\\slash", b"\xc2\x9b31m", "rtl\u202eexe".encode(), b"tab\t",
             b"del\x7f", "plain ü 漢".encode()]

    def setUp(self):
        super().setUp()
        for name in self.NAMES:
            trees.write(os.fsencode(self.source) + b"/" + name, b"x")
        os.symlink(b"\x1b[31mtarget\xff", f"{self.source}/link")
        self.package(self.source)

    def assert_harmless(self, result):
        for data in (result.stdout, result.stderr):
            text = data.decode("utf-8")  # and valid
            for character in text:
                unsafe = (ord(character) < 32 and character != "\n") or 0x7F <= ord(character) <= 0x9F or character == "\u202e"
                self.assertFalse(unsafe, repr(text))

    def test_ls_escapes_them(self):
        result = self.run_mbu(["ls", "-l", f"latest:{self.source}"])
        self.assert_harmless(result)
        self.assertEqual(len(result.out.splitlines()), len(self.NAMES) + 1)
        self.assertIn("plain ü 漢", result.out)
        self.assertIn("new\\nline", result.out)

    def test_everything_else_does_too(self):
        odd = os.fsencode(self.path("")) + b"\x1b[31m\xffdirectory\n"
        os.mkdir(odd)
        trees.write(odd + b"/file", b"x")
        for arguments in (["-o", odd], ["snapshots"], ["-d", odd], ["-d", b"\x1b[2Jmissing"], ["ls", b"latest:/\x1b[2J"],
                          ["backup", b"\x1b]0;x\x07"], ["backup", "--tag", b"\x1b[1mtag", "--host", b"\x1bhost", odd],
                          ["snapshots"], [b"\x1bcommand"], [b"--\x1bflag"], ["-r", b"/tmp/\x1b[31m", "snapshots"],
                          ["restore", b"\x1b[2J"], ["diff", "latest~1", "latest"], ["dump", b"latest:/\x1b[2J"]):
            with self.subTest(arguments=arguments):
                self.assert_harmless(self.run_mbu(arguments, expect=None))
        target = os.fsencode(self.restored) + b"/" + os.path.basename(odd)
        trees.write(target + b"/file", b"newer")
        self.assert_harmless(self.run_mbu(["-d", odd], expect=3))

    def test_json_has_them_exactly(self):
        nodes = self.run_mbu(["--json", "ls", f"latest:{self.source}"]).of_type("node")
        exact = set()
        for node in nodes:
            self.assertEqual("path_b64" in node, "name_b64" in node)
            exact.add(base64.b64decode(node["name_b64"]) if "name_b64" in node else node["name"].encode())
        self.assertEqual(exact, {*self.NAMES, b"link"})
        invalid = next(n for n in nodes if n.get("name_b64"))
        self.assertEqual(base64.b64decode(invalid["path_b64"]), os.fsencode(self.source) + b"/\xff\xfe")
        self.assertIn("\ufffd", invalid["name"])
        link = next(n for n in nodes if n["name"] == "link")
        self.assertEqual(base64.b64decode(link["linktarget_b64"]), b"\x1b[31mtarget\xff")

    def test_they_can_be_named(self):
        for name in self.NAMES:
            self.assertEqual(self.run_mbu(["dump", b"latest:" + os.fsencode(self.source) + b"/" + name]).stdout, b"x")


class Dump(Listing):
    def test_a_file(self):
        for size in (0, 1, 5000, 3_000_000):
            trees.write(f"{self.source}/{size}", trees.noise(size))
        trees.write_sparse(f"{self.source}/sparse", 5 << 20, {1 << 20: b"in the middle"})
        self.package(self.source)
        for name in os.listdir(self.source):
            self.assertEqual(self.run_mbu(["dump", f"latest:{self.source}/{name}"]).stdout, self.read(f"{self.source}/{name}"))
        self.run_mbu(["dump", f"latest:{self.source}/missing"], expect=1)
        self.run_mbu(["dump", "latest:/missing/much"], expect=1)

    def test_what_is_no_file(self):
        os.symlink("x", f"{self.source}/link")
        os.mkfifo(f"{self.source}/fifo")
        self.package(self.source)
        for name in ("link", "fifo"):
            result = self.run_mbu(["dump", f"latest:{self.source}/{name}"], expect=1)
            self.assertEqual(result.stdout, b"")

    def unpack(self, data):
        os.mkdir(self.path("unpacked"))
        subprocess.run(["tar", "--xattrs", "--xattrs-include=*", "--acls", "-xpf", "-"], input=data, cwd=self.path("unpacked"), check=True)
        return trees.read_tree(self.path("unpacked") + self.source)

    @support.needs_tool("tar")
    def test_a_directory_as_tar(self):
        trees.make_names(f"{self.source}/names")
        trees.make_contents(f"{self.source}/contents")
        trees.make_times(f"{self.source}/times")
        trees.make_modes(f"{self.source}/modes")
        os.mkdir(f"{self.source}/links")
        trees.write(f"{self.source}/links/a", b"linked")
        os.link(f"{self.source}/links/a", f"{self.source}/links/b")
        trees.Attempts()("attribute", lambda: os.setxattr(f"{self.source}/links/a", "user.mark", b"\0binary\n"))
        trees.write_sparse(f"{self.source}/sparse", 3 << 20, {1 << 20: b"x"})
        self.package(self.source)
        found = self.unpack(self.run_mbu(["dump", f"latest:{self.source}"]).stdout)
        wanted = trees.read_tree(self.source)
        trees.assert_same(self, wanted, found, ignore=("blocks",))

    def test_a_directory_as_zip(self):
        trees.make_contents(f"{self.source}/contents")
        trees.write(f"{self.source}/ünïcode", b"text")
        os.symlink("contents", f"{self.source}/link")
        self.package(self.source)
        data = self.run_mbu(["dump", "--archive", "zip", f"latest:{self.source}"]).stdout
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self.assertIsNone(archive.testzip())
            names = {name.rstrip("/") for name in archive.namelist()}
            self.assertEqual(names, {(self.source + path.decode()).lstrip("/") for path in trees.read_tree(self.source)})
            for folder, _, files in os.walk(self.source):
                for file in files:
                    path = os.path.join(folder, file)
                    if not os.path.islink(path):
                        self.assertEqual(archive.read(path.lstrip("/")), self.read(path))

    def test_a_whole_snapshot(self):
        trees.write(f"{self.source}/x", b"1")
        self.package(self.source)
        with tarfile.open(fileobj=io.BytesIO(self.run_mbu(["dump", "latest:/"]).stdout)) as archive:
            self.assertIn(self.source.lstrip("/") + "/x", archive.getnames())

    def test_a_reader_that_has_enough(self):
        trees.write(f"{self.source}/large", trees.noise(5 << 20))
        self.package(self.source)
        process = self.start(["dump", f"latest:{self.source}/large"])
        process.stdout.read(1000)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        process.wait()
        self.assertEqual(err, b"")

    def test_an_output_that_is_full(self):
        trees.write(f"{self.source}/large", trees.noise(1 << 20))
        self.package(self.source)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.binary, "dump", f"latest:{self.source}/large"], env=self.environment(), stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)


class Diff(Listing):
    def test_differences(self):
        os.makedirs(f"{self.source}/gone/below")
        for name in ("same", "content", "mode", "kind", "gone/below/file"):
            trees.write(f"{self.source}/{name}", name.encode())
        self.package(self.source)
        subprocess.run(["rm", "-r", f"{self.source}/gone"], check=True)
        trees.write(f"{self.source}/content", b"something longer")
        os.chmod(f"{self.source}/mode", 0o600)
        os.unlink(f"{self.source}/kind")
        os.symlink("same", f"{self.source}/kind")
        os.mkdir(f"{self.source}/new")
        trees.write(f"{self.source}/new/file", b"123")
        self.package(self.source)
        result = self.run_mbu(["diff", "latest~1", "latest"])
        lines = {line[5:].removeprefix(self.source): line[0] for line in result.out.splitlines() if self.source in line}
        self.assertEqual(lines, {"/gone/": "-", "/gone/below/": "-", "/gone/below/file": "-", "/content": "M", "/kind": "T",
                                 "/new/": "+", "/new/file": "+"})
        metadata = self.run_mbu(["diff", "--metadata", "latest~1", "latest"]).out
        self.assertIn(f"U    {self.source}/mode\n", metadata)
        lines = self.run_mbu(["--json", "diff", "latest~1", "latest"]).json
        changes = {c["path"].removeprefix(self.source): c["modifier"] for c in lines if c["message_type"] == "change"}
        self.assertEqual(changes["/new/file"], "+")
        statistics = lines[-1]
        self.assertEqual(statistics["message_type"], "statistics")
        self.assertEqual(statistics["changed_files"], 1)
        self.assertEqual((statistics["added"]["files"], statistics["added"]["dirs"]), (1, 1))
        self.assertEqual((statistics["removed"]["files"], statistics["removed"]["dirs"]), (1, 2))
        self.assertEqual([l["path"] for l in self.run_mbu(["--json", "diff", "latest", "latest"]).of_type("change")], [])


class Cat(Listing):
    def setUp(self):
        super().setUp()
        trees.write(f"{self.source}/file", trees.noise(30_000))
        trees.write(os.fsencode(self.source) + b"/\xff", b"x")
        self.package(self.source)

    def cat(self, *arguments, **options):
        result = self.run_mbu(["cat", *arguments], **options)
        return json.loads(result.out) if result.status == 0 else result

    def test_each_kind(self):
        for i in range(INDEX_FROM):
            trees.write(f"{self.source}/file", b"%d" % i)
            self.package(self.source)
        folders = {}
        for name in self.objects():
            folders.setdefault(name.split("/")[0], []).append(os.path.basename(name))
        self.assertIsInstance(self.cat("config"), dict)
        for kind, folder in (("index", "index"), ("pack", "data"), ("snapshot", "snapshots")):
            for name in folders[folder]:
                whole = self.cat(kind, name)
                self.assertIsInstance(whole, dict)
            self.assertEqual(self.cat(kind, name[:12]), whole)
        snapshot = self.cat("snapshot", "latest")
        self.assertIn(self.source, json.dumps(snapshot))
        tree = self.cat("tree", f"latest:{self.source}")
        self.assertIn("file", json.dumps(tree))
        self.cat("tree", self.snapshots()[0]["tree"])

    def test_no_secret_is_shown(self):
        texts = [json.dumps(self.cat("config"))]
        for name in self.objects():
            kind = {"data": "pack", "index": "index", "snapshots": "snapshot"}.get(name.split("/")[0])
            if kind:
                texts.append(json.dumps(self.cat(kind, os.path.basename(name))))
        for text in texts:
            self.assertNotRegex(text.lower(), "secret|private|wrapped|salt")

    def test_what_is_not_there(self):
        for kind in ("index", "pack", "snapshot", "tree"):
            self.cat(kind, "ff" * 32, expect=1)
        self.cat("config", "surplus", expect=2)
        self.cat("nonsense", "x", expect=2)


if __name__ == "__main__":
    support.main()
