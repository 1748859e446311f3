#!/usr/bin/python3
"""Which files a snapshot holds: excludes, lists of files, streams, file systems.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_selection.py -v`.
"""

import os
import time

import mounts
import support
import trees

CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# more\n"


class Selection(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = self.path("tree")
        os.mkdir(self.source)

    def make(self, *names, data=b"x"):
        for name in names:
            os.makedirs(os.path.dirname(f"{self.source}/{name}"), exist_ok=True)
            if not name.endswith("/"):
                trees.write(f"{self.source}/{name}", data)

    def chosen(self, *flags, paths=None, **options):
        """Names, below the source, of what a snapshot with these flags holds; directories end in a slash."""
        self.backup(*flags, *([self.source] if paths is None else paths), **options)
        nodes = self.run_mbu(["--json", "ls", "latest"]).of_type("node")
        prefix = self.source + "/"
        return sorted(n["path"][len(prefix):] + ("/" if n["type"] == "dir" else "") for n in nodes if n["path"].startswith(prefix))

    def test_excludes(self):
        self.make("keep", "drop.tmp", "a/drop.tmp", "a/keep.txt", "a/node_modules/x/y", "B/Upper.TMP", "b/log/1")
        self.assertEqual(self.chosen("-e", "*.tmp"),
                         ["B/", "B/Upper.TMP", "a/", "a/keep.txt", "a/node_modules/", "a/node_modules/x/", "a/node_modules/x/y",
                          "b/", "b/log/", "b/log/1", "keep"])
        self.assertEqual(self.chosen("--iexclude", "*.tmp", "--exclude", "node_modules", "-e", "log/*"),
                         ["B/", "a/", "a/keep.txt", "b/", "b/log/", "keep"])
        self.assertEqual(self.chosen("-e", f"{self.source}/a", "-e", f"{self.source}/b/log/1", "--iexclude", "UPPER*"),
                         ["B/", "b/", "b/log/", "drop.tmp", "keep"])
        self.assertEqual(self.chosen("-e", "a/*", "-e", "!keep.txt", "-e", "b", "-e", "B"), ["a/", "a/keep.txt", "drop.tmp", "keep"])
        self.assertEqual(self.chosen("-e", f"{self.source}/**/y", "-e", "?", "-e", "[ad]*", "-e", "B"), ["keep"])

    def test_an_exclude_file(self):
        self.make("keep", "one.tmp", "two.log", "# odd", " padded")
        patterns = self.write("patterns", "# a comment\n\n  *.tmp  \n*.log\n!two.log\n")
        self.assertEqual(self.chosen("--exclude-file", patterns), [" padded", "# odd", "keep", "two.log"])
        self.run_mbu(["backup", "--exclude-file", self.path("missing"), self.source], expect=(1, 2))

    def test_variables_in_an_exclude_file(self):
        self.make("a", "b", "c", "d", "$e", "f$", "${g", "home", "keep")
        patterns = self.write("patterns", "$ONE\n  ${TWO}$EMPTY\n$SOURCE/c\n$$e\nf$\n$EMPTY\n${}\n")
        variables = {"ONE": "a", "TWO": "b", "SOURCE": self.source, "e": "keep"}
        self.backup("--exclude-file", patterns, self.source, env=variables)
        left = {os.path.basename(path).decode() for path in self.list_paths()}
        self.assertEqual(left & {"a", "b", "c", "d", "$e", "f$", "${g", "home", "keep"}, {"d", "${g", "home", "keep"})
        self.backup("-e", "$ONE", self.source, env=variables)  # the shell has expanded these
        self.assertIn(f"{self.source}/a".encode(), self.list_paths())

    def test_a_wrong_pattern_is_named(self):
        self.make("x")
        self.assert_says(self.run_mbu(["backup", "-e", "[", self.source], expect=2), "[")

    def test_caches_and_marked_directories(self):
        self.make("cache/CACHEDIR.TAG", data=CACHE_TAG)
        self.make("cache/big", "not a cache/x", "marked/.nobackup", "marked/x", "marked/y/z")
        self.make("not a cache/CACHEDIR.TAG", data=b"something else")
        self.make("headed/mark", data=b"do not backup this")
        self.make("headed/x", "other/x")
        self.make("other/mark", data=b"whatever")
        without = self.chosen("--exclude-caches")
        self.assertNotIn("cache/big", without)
        self.assertIn("cache/CACHEDIR.TAG", without)  # the tag stays, as in restic
        self.assertIn("not a cache/x", without)
        without = self.chosen("--exclude-if-present", ".nobackup", "--exclude-if-present", "mark:do not")
        self.assertEqual([name for name in without if name.startswith("marked/")], ["marked/", "marked/.nobackup"])
        self.assertNotIn("headed/x", without)
        self.assertIn("other/x", without)

    def test_large_files(self):
        for size in (0, 999, 1000, 1024, 1025, 5000):
            self.make(str(size), data=bytes(size))
        self.assertEqual(self.chosen("--exclude-larger-than", "1k"), ["0", "1000", "1024", "999"])
        self.assertEqual(self.chosen("--exclude-larger-than", "0"), ["0"])
        self.assertEqual(len(self.chosen("--exclude-larger-than", "1T")), 6)

    def test_paths_given_by_name_are_selected_too(self):
        self.make("plain/large", data=bytes(100))
        self.make("plain/small", "marked/f", "marked/tag", "marked/sub/x", "marked/sub/deep/y")
        given = [f"{self.source}/plain/large", f"{self.source}/plain/small"]
        self.assertEqual(self.chosen("--exclude-larger-than", "50", paths=given), ["plain/", "plain/small"])
        given = [f"{self.source}/{name}" for name in ("marked/f", "marked/tag", "marked/sub", "plain/small")]
        self.assertEqual(self.chosen("--exclude-if-present", "tag", paths=given),
                         ["marked/", "marked/tag", "plain/", "plain/small"])
        # As restic: what counts is the directory that holds it, not those above.
        self.assertIn("marked/sub/deep/y", self.chosen("--exclude-if-present", "tag", paths=[f"{self.source}/marked/sub/deep"]))

    def test_case_beyond_ascii(self):
        self.make("\u00c9t\u00e9.txt", "\u00e9t\u00c9.TXT", "\u0416", "plain")
        self.assertEqual(self.chosen("--iexclude", "\u00e9T\u00e9.*", "--iexclude", "\u0436"), ["plain"])

    def test_gitignore(self):
        self.make("build/out.o", "src/main.c", "src/main.o", "src/keep.o", "note.txt", "deep/build", "local/x", "local/y")
        self.make(".gitignore", data=b"*.o\n/build/\n# comment\n!keep.o\n")
        self.make("local/.gitignore", data=b"x\n")
        everything = self.chosen()
        self.assertIn("src/main.o", everything)
        self.assertEqual(self.chosen("--gitignore"), [".gitignore", "deep/", "deep/build", "local/", "local/.gitignore", "local/y",
                                                      "note.txt", "src/", "src/keep.o", "src/main.c"])

    def test_one_file_system(self):
        self.make("here", "mounted/")
        os.makedirs(f"{self.source}/mounted", exist_ok=True)
        point = mounts.tmpfs(self, "1m", "tree/inner")
        trees.write(f"{point}/there", b"x")
        self.assertIn("inner/there", self.chosen())
        with_flag = self.chosen("-x")
        self.assertNotIn("inner/there", with_flag)
        self.assertIn("inner/", with_flag)
        self.assertEqual(self.chosen("--one-file-system", paths=[self.source, point]).count("inner/there"), 1)

    def test_one_file_system_with_a_file_mounted_in_it(self):
        self.make("here", "mounted", "same", "of here")
        other = mounts.tmpfs(self, "1m")
        trees.write(f"{other}/file", b"x")
        mounts.bind_onto(self, f"{other}/file", f"{self.source}/mounted")
        mounts.bind_onto(self, f"{self.source}/of here", f"{self.source}/same")
        self.assertEqual(self.chosen(), ["here", "mounted", "of here", "same"])
        self.assertEqual(self.chosen("-x"), ["here", "of here", "same"])

    def test_excludes_from_the_configuration(self):
        self.make("keep", "a.tmp", "b.log")
        config = self.write("config.toml", '[packer]\nexclude = ["*.tmp"]\n')
        self.assertEqual(self.chosen("-c", config, "-e", "*.log"), ["keep"])
        self.run_mbu(["-c", config, "-o", self.source])
        self.assertEqual(self.snapshots()[-1]["excludes"], ["*.tmp"])

    def test_another_selection_is_not_taken_for_an_unchanged_tree(self):
        self.make("a", "b/c", "b/d")
        support.settle()
        everything = self.chosen()
        self.assertEqual(self.chosen("-e", "d"), ["a", "b/", "b/c"])
        self.assertEqual(self.chosen(), everything)
        self.assertEqual(self.chosen("--exclude-larger-than", "0"), ["b/"])
        self.assertEqual(self.chosen(), everything)

    def test_files_from(self):
        self.make("one.txt", "two.txt", "three.md", "sub/four.txt", "  spaces ", "# hash", "st*r")
        patterns = self.write("patterns", f"# comment\n  {self.source}/*.txt  \n\n{self.source}/sub\n")
        self.assertEqual(self.chosen("--files-from", patterns, paths=[]), ["one.txt", "sub/", "sub/four.txt", "two.txt"])
        verbatim = self.write("verbatim", f"{self.source}/# hash\n{self.source}/st*r\n{self.source}/  spaces \n")
        self.assertEqual(self.chosen("--files-from-verbatim", verbatim, paths=[]), ["  spaces ", "# hash", "st*r"])
        newline = os.fsencode(self.source) + b"/new\nline"
        trees.write(newline, b"x")
        raw = self.write("raw", newline + b"\0" + os.fsencode(f"{self.source}/one.txt") + b"\0")
        self.assertEqual(self.chosen("--files-from-raw", raw, paths=[]), ["new\nline", "one.txt"])
        self.assertEqual(self.chosen("--files-from-raw", raw, paths=[f"{self.source}/sub"]),
                         ["new\nline", "one.txt", "sub/", "sub/four.txt"])
        from_input = self.chosen("--files-from", "-", paths=[], stdin=f"{self.source}/three.md\n".encode())
        self.assertEqual(from_input, ["three.md"])
        self.run_mbu(["backup", "--files-from", self.path("missing")], expect=2)
        self.run_mbu(["backup", "--files-from", self.write("empty", b"")], expect=(1, 2))

    def test_a_path_of_several_that_is_missing(self):
        self.make("here")
        result = self.backup(f"{self.source}/here", f"{self.source}/missing", expect=3)
        self.assertEqual([e["item"] for e in result.of_type("error")], [f"{self.source}/missing"])
        self.assertIn(f"{self.source}/here".encode(), self.list_paths())

    def test_standard_input(self):
        data = trees.noise(3_000_000) + trees.text(500_000)
        self.backup("--stdin", stdin=data)
        self.assertEqual(self.run_mbu(["dump", "latest:/stdin"]).stdout, data)
        summary = self.backup("--stdin", "--stdin-filename", "dumps/db.sql", stdin=data + b"!").summary
        self.assertLess(summary["data_added_packed"], 1_500_000)
        self.assertEqual(self.run_mbu(["dump", "latest:/dumps/db.sql"]).stdout, data + b"!")
        self.backup("--stdin", stdin=b"")
        self.assertEqual(self.run_mbu(["dump", "latest:/stdin"]).stdout, b"")
        for name in ("../x", "a/../b", "", "/"):
            self.run_mbu(["backup", "--stdin", "--stdin-filename", name], expect=(1, 2))
        self.check()

    def test_a_command(self):
        self.backup("--stdin-from-command", "--stdin-filename", "numbers", "--", "seq", "1", "100000")
        self.assertEqual(self.run_mbu(["dump", "latest:/numbers"]).stdout,
                         b"".join(b"%d\n" % i for i in range(1, 100001)))
        count = len(self.snapshots())
        for command in (["sh", "-c", "echo half; exit 3"], ["/nonexistent/command"], ["sh", "-c", "kill -9 $$"]):
            with self.subTest(command=command):
                self.run_mbu(["backup", "--stdin-from-command", "--", *command], expect=1)
        self.assertEqual(len(self.snapshots()), count)
        # The command does not get to see the password.
        self.backup("--stdin-from-command", "--", "env")
        self.assertNotIn(support.PASSWORD.encode(), self.run_mbu(["dump", "latest:/stdin"]).stdout)

    def test_tags_host_and_time(self):
        self.make("x")
        self.backup("--tag", "one, two", "--tag", "two", "--tag", "", "--host", "elsewhere", "--time", "2020-02-03 04:05:06", self.source)
        self.backup("--time", "2021-02-03T04:05:06.789+02:00", self.source)
        first, second = self.snapshots()
        self.assertEqual((first["tags"], first["hostname"]), (["one", "two"], "elsewhere"))
        self.assertTrue(first["time"].startswith("2020-02-03T04:05:06"))
        self.assertTrue(second["time"].startswith("2021-02-03T02:05:06.789"))
        self.assertEqual(second["program_version"], "mbu " + self.run_mbu(["version"]).out.split()[1])
        now = time.time()
        self.backup(self.source)
        moment = self.snapshots()[-1]["time"]
        self.assertTrue(moment.startswith(time.strftime("%Y-%m-%dT%H:", time.gmtime(now))), moment)

    def test_the_same_path_given_twice_or_within_another(self):
        self.make("a/b/c", "d")
        self.assertEqual(self.chosen(paths=[self.source, self.source, f"{self.source}/a", f"{self.source}/a/b/c"]),
                         ["a/", "a/b/", "a/b/c", "d"])
        self.check()

    def test_the_file_systems_root_without_most_of_it(self):
        """Walks / but for what is not of this test."""
        self.make("only")
        excludes = []
        parts = self.source.strip("/").split("/")
        for depth in range(len(parts)):
            above = "/" + "/".join(parts[:depth])
            for name in os.listdir(above):
                if name != parts[depth]:
                    excludes += ["-e", os.path.join(above, name)]
        if len(excludes) > 4000:
            self.skipTest("too much beside the test's directory")
        self.assertEqual(self.chosen(*excludes, paths=["/"]), ["only"])


if __name__ == "__main__":
    support.main()
