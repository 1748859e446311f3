#!/usr/bin/python3
"""Which directories mbu takes, which it refuses and how, where it puts things, and how commands end.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_places.py -v`.
"""

import os
import shutil
import socket

import mounts
import support
import trees


class Repositories(support.MbuTest):
    """When a repository is made, and when it is not."""

    def test_the_first_package_makes_the_configured_one(self):
        source = trees.make_plain(self.path("tree"))
        result = self.run_mbu(["-o", source])
        self.assert_says(result, "made repository", self.repo, "a lost password is lost data")
        self.assertNotIn("lost", self.run_mbu(["-o", source]).text)
        self.assertEqual(os.stat(self.repo).st_mode & 0o777, 0o700)
        self.run_mbu(["-d", source])
        trees.assert_same(self, source, os.path.join(self.restored, "tree"))

    def test_backup_makes_it_too(self):
        self.backup(trees.make_plain(self.path("tree")))
        self.assertEqual(len(self.snapshots()), 1)

    def test_what_a_package_says(self):
        source = trees.make_plain(self.path("tree"), files=5)
        result = self.run_mbu(["-o", source])
        self.assertRegex(result.out, r"snapshot [0-9a-f]{8} saved")
        self.assert_says(result, "seen:      7 files, ", "new:       7 files, ", "stored:", "time:", f"packages:  {self.repo}",
                         f"restore:   {self.binary} -d {source}\n")
        # The command that it gives is one that works.
        command = [line for line in result.out.splitlines() if line.startswith("restore:")][0].split()[1:]
        self.run_mbu(command[1:])
        trees.assert_same(self, source, os.path.join(self.restored, "tree"))

    def test_a_given_repository_is_made_by_init_only(self):
        source = trees.make_plain(self.path("tree"))
        missing = self.path("missing")
        for command in (["backup", source], ["-o", source], ["snapshots"], ["check"], ["restore", "latest"], ["-d", source],
                        ["ls", "latest"], ["dump", "latest:/x"], ["diff", "latest", "latest"], ["cat", "config"],
                        ["check", "--keyless"], ["backup", "-n", source]):
            for where in (["-r", missing], []):
                environment = {} if where else {"MBU_REPOSITORY": missing}
                with self.subTest(command=command):
                    result = self.run_mbu([*where, *command], expect=10, env=environment)
                    self.assert_says(result, missing, "there is no repository")
                    self.assertFalse(os.path.exists(missing))
        result = self.run_mbu(["-r", missing, "snapshots"], expect=10)
        self.assert_says(result, f"-r {missing} init")
        self.init("-r", missing)
        self.backup("-r", missing, source)
        self.run_mbu(["-r", missing, "init"], expect=1)

    def test_reading_makes_none(self):
        for command in (["snapshots"], ["-d", "/etc"], ["check"], ["backup", "-n", "/etc/hostname"]):
            result = self.run_mbu(command, expect=10)
            self.assert_says(result, "-o DIR", "init")
        self.assertFalse(os.path.exists(self.repo))

    def test_json_says_so_too(self):
        error = self.run_mbu(["--json", "snapshots"], expect=10).exit_error
        self.assertEqual(error["code"], 10)
        self.assertIn(self.repo, error["message"])

    def test_one_that_is_gone_is_not_made_again(self):
        source = trees.make_plain(self.path("tree"))
        self.package(source)
        os.rename(self.repo, self.path("unmounted"))
        os.mkdir(self.repo)  # the mount point
        for command in (["-o", source], ["backup", source], ["snapshots"]):
            self.assert_says(self.run_mbu(command, expect=10), self.repo, "gone")
        self.assertEqual(os.listdir(self.repo), [])
        os.rmdir(self.repo)
        self.run_mbu(["-o", source], expect=10)
        self.assertFalse(os.path.exists(self.repo))
        os.rename(self.path("unmounted"), self.repo)
        self.package(source)
        os.rename(self.repo, self.path("unmounted"))
        self.init()  # who says so gets a new one
        self.package(source)

    def test_init_does_not_touch_what_is_there(self):
        self.write(os.path.join(self.repo, "data/ab/" + "ab" * 32), b"pack")
        self.assert_says(self.init(expect=1), "config")
        self.assertEqual(list(self.objects()), ["data/ab/" + "ab" * 32])
        self.assertEqual(self.init("-r", self.write("a file", b"x"), expect=1).status, 1)

    def test_kinds_of_repositories_to_come_are_refused(self):
        for url in ("s3:https://host/bucket", "sftp:host:path", "rclone:remote:path", "some.mbu"):
            self.assert_says(self.run_mbu(["-r", url, "snapshots"], expect=2), "not in this version")

    def test_a_repository_by_a_relative_path(self):
        source = trees.make_plain(self.path("tree"))
        os.mkdir(self.path("work"))
        self.init("-r", "repo", cwd=self.path("work"))
        self.backup("-r", "../work/repo/", source, cwd=self.path("work"))
        self.assertEqual(len(self.snapshots("-r", self.path("work/repo"))), 1)


class Directories(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()

    def refused(self, directory, expect, *texts):
        before = self.objects()
        for command in (["-o", directory], ["backup", directory]):
            result = self.run_mbu(command, expect=expect)
            self.assert_one_line(result)
            self.assert_says(result, *texts)
        self.assertEqual(self.objects(), before)

    def test_one_that_does_not_exist(self):
        self.refused(self.path("missing"), 1, self.path("missing"), "no such file or directory")
        self.refused(self.path("missing/below"), 1, "no such file or directory")

    def test_dangling_links(self):
        os.symlink("nowhere", self.path("dangling"))
        result = self.run_mbu(["-o", self.path("dangling")], expect=1)
        self.assert_one_line(result)

    def test_an_empty_name(self):
        for command in (["-o", ""], ["-d", ""], ["backup", ""]):
            self.run_mbu(command, expect=2)

    def test_mbus_own_places(self):
        self.package(trees.make_plain(self.path("tree")))
        self.unpackage("tree")
        for directory, what in ((self.repo, "packaging"), (os.path.join(self.repo, "data"), "packaging"),
                                (self.restored, "restore"), (os.path.join(self.restored, "tree"), "restore"),
                                (self.cache, "cache"), (self.state, "state")):
            with self.subTest(directory=directory):
                self.assertTrue(os.path.exists(directory))
                self.refused(directory, 2, what, "never packaged")
        os.symlink(self.repo, self.path("alias"))
        self.assert_says(self.run_mbu(["-o", self.path("alias")], expect=2), "never packaged")

    def test_a_given_repository_and_cache_are_own_places_too(self):
        repo, cache = self.path("given"), self.path("cache")
        self.init("-r", repo)
        flags = ["-r", repo, "--cache-dir", cache]
        os.mkdir(cache)
        for directory in (repo, cache, self.repo):
            self.assert_says(self.run_mbu([*flags, "-o", directory], expect=2), "never packaged")

    def test_what_holds_them_is_packaged_without_them(self):
        self.write("home/file", b"x")
        self.write("home/.cache/other", b"x")
        self.write("home/.config/mbu/note", b"x")
        self.package(trees.make_plain(self.path("tree"), files=3))
        self.unpackage("tree")
        for _ in range(2):
            support.settle()
            summary = self.package(self.home).summary
            self.assertEqual(summary["problems"], 0)
            listed = {path.decode() for path in self.list_paths()}
            for wanted in ("file", ".cache/other", ".config/mbu/note", ".config/mbu/config.toml"):
                self.assertIn(os.path.join(self.home, wanted), listed)
            for own in (self.repo, self.restored, self.cache, self.state):
                self.assertEqual([path for path in listed if path.startswith(own + "/")], [])
        self.assertEqual((summary["files_new"], summary["files_changed"], summary["bytes_read"]), (0, 0, 0))
        self.assertLess(summary["data_added_packed"], 10 * 1024)
        self.backup(self.base)
        self.assertFalse(any(path.startswith(self.repo.encode() + b"/") for path in self.list_paths()))

    def test_own_places_mounted_within_are_left_out(self):
        trees.write(os.path.join(self.home, "mine"), b"1")
        for name, what in (("whole", self.repo), ("data", f"{self.repo}/data"), ("keys", f"{self.repo}/keys")):
            point = os.path.join(self.home, name)
            os.mkdir(point)
            mounts.bind_onto(self, what, point)
        self.package(self.home)
        listed = self.list_paths()
        self.assertIn(os.path.join(self.home, "mine").encode(), listed)
        for name in ("whole", "data", "keys"):
            self.assertEqual([path for path in listed if path.startswith(os.path.join(self.home, name).encode())], [])

    def test_what_is_left_out_is_said(self):
        self.package(trees.make_plain(self.path("tree"), files=3))
        result = self.run_mbu(["-o", self.home])
        self.assert_says(result, f"left out, as mbu's own: {self.cache}, {self.state}, {self.repo}\n")
        self.assertEqual(self.backup(self.base, self.home).summary["left_out"], [self.cache, self.state, self.repo])
        self.assertNotIn("left out", self.run_mbu(["-o", self.path("tree")]).text)

    def test_own_places_under_another_name(self):
        self.package(trees.make_plain(self.path("tree"), files=3))
        alias = mounts.bind(self, self.repo)
        for directory in (alias, f"{alias}/data"):
            for command in ("-o", "backup"):
                self.assert_says(self.run_mbu([command, directory], expect=2), "never packaged")
        self.assertEqual(len(self.snapshots()), 1)

    def test_nothing_is_restored_into_the_repository(self):
        source = trees.make_plain(self.path("tree"))
        self.package(source)
        before = self.objects()
        for target in (self.repo, os.path.join(self.repo, "data")):
            self.assert_says(self.run_mbu(["restore", "latest", "--target", target], expect=2), target)
        self.assertEqual(self.objects(), before)


class ShortForms(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()

    def test_what_was_never_packaged(self):
        self.assert_says(self.run_mbu(["-d", "/etc"], expect=1), "never packaged", "empty")
        for name in ("one", "two"):
            self.package(trees.make_plain(self.path(name), files=2))
        result = self.run_mbu(["-d", self.path("three")], expect=1)
        self.assert_says(result, "never packaged", self.path("one"), self.path("two"))
        self.assertFalse(os.path.exists(self.restored))
        # A part of what was packaged was not packaged itself.
        self.run_mbu(["-d", self.path("one/d0")], expect=1)

    def test_restore_needs_no_directory(self):
        source = trees.make_plain(self.path("tree"))
        wanted = trees.read_tree(source)
        self.package(source)
        shutil.rmtree(source)
        for name in (source, source + "/", "tree", "tree/"):
            result = self.run_mbu(["-d", name])
            self.assert_says(result, os.path.join(self.restored, "tree"))
            trees.assert_same(self, wanted, os.path.join(self.restored, "tree"))
            shutil.rmtree(self.restored)

    def test_an_ambiguous_name(self):
        one, two = (trees.make_plain(self.path(f"{where}/tree"), files=4, seed=len(where)) for where in ("a", "bcd"))
        self.package(one)
        self.unpackage("tree")
        self.package(two)
        result = self.run_mbu(["-d", "tree"], expect=2)
        self.assert_says(result, one, two)
        # By its path, each goes where it cannot meet the other.
        for source in (one, two):
            result = self.unpackage(source)
            self.assertEqual(result.summary["target"], self.restored + source)
            trees.assert_same(self, source, self.restored + source)

    def test_the_latest_is_restored(self):
        source = trees.make_plain(self.path("tree"))
        self.package(source)
        trees.write(f"{source}/d0/f0", b"newer")
        self.package(source)
        self.unpackage(source)
        trees.assert_same(self, source, os.path.join(self.restored, "tree"))

    def test_snapshots_of_this_host_come_first(self):
        source = trees.make_plain(self.path("tree"), files=4)
        self.package(source)
        mine = trees.read_tree(source)
        trees.write(f"{source}/of the other", b"x")
        self.backup("--host", "elsewhere", source)
        self.unpackage(source)
        trees.assert_same(self, mine, os.path.join(self.restored, "tree"))
        self.assertNotEqual(socket.gethostname(), "elsewhere")

    def test_snapshots_of_another_host_if_there_are_no_others(self):
        source = trees.make_plain(self.path("tree"), files=4)
        self.backup("--host", "elsewhere", source)
        self.unpackage(source)
        trees.assert_same(self, source, os.path.join(self.restored, "tree"))

    def test_what_is_too_much_is_counted(self):
        source = trees.make_plain(self.path("tree"))
        self.package(source)
        self.unpackage(source)
        target = os.path.join(self.restored, "tree")
        trees.write(f"{target}/d0/mine", b"x")
        trees.write(f"{target}/also mine", b"x")
        result = self.run_mbu(["-d", source])
        self.assert_says(result, "2 files", "not in the snapshot", "--delete")
        self.assertEqual(self.unpackage(source).summary["files_extra"], 2)
        self.assertTrue(os.path.exists(f"{target}/also mine"))
        self.assertEqual(self.unpackage(source, "--delete").summary["files_deleted"], 2)
        trees.assert_same(self, source, target)

    def test_long_forms(self):
        source = trees.make_plain(self.path("tree"), files=3)
        self.run_mbu(["--package", source])
        self.run_mbu([f"--package={source}"])
        self.run_mbu(["-d" + source])
        self.assertEqual(len(self.snapshots()), 2)

    def test_they_stand_alone(self):
        source = trees.make_plain(self.path("tree"), files=3)
        before = self.objects()
        for arguments in (["-o", source, "-d", source], ["-o", source, "-o", source], ["-o", source, "backup", source],
                          ["backup", source, "-o", source], ["-o", source, source], ["-d", source, "snapshots"],
                          ["-o", source, "snapshots"], ["-w", source, "-o", source], ["-o", source, "--delete"],
                          ["-o", source, "--overwrite", "always"], ["-o"], ["-d"]):
            with self.subTest(arguments=arguments):
                result = self.run_mbu(arguments, expect=2)
                self.assertEqual(result.out, "")
        self.assertEqual(self.objects(), before)


class Usage(support.MbuTest):
    def test_mbu_alone_prints_the_help(self):
        alone = self.run_mbu([], password=None)
        for arguments in (["help"], ["-h"], ["--help"]):
            self.assertEqual(self.run_mbu(arguments, password=None).out, alone.out)
        for word in ("-o DIR", "-d DIR", "backup", "restore", "snapshots", "check", "--password-file", "Exit codes"):
            self.assertIn(word, alone.out)
        self.assertEqual(alone.err, "")

    def test_the_help_of_each_command(self):
        for command in ("init", "backup", "watch", "restore", "snapshots", "ls", "dump", "diff", "check", "cat", "version", "completion",
                        "help"):
            result = self.run_mbu(["help", command], password=None)
            self.assertIn(f"usage: mbu {command}", result.out)
            self.assertEqual(self.run_mbu([command, "--help"], password=None).out, result.out)
        for flag in ("--exclude", "--iexclude", "--exclude-file", "--exclude-caches", "--exclude-if-present", "--gitignore",
                     "--exclude-larger-than", "--one-file-system", "--files-from", "--stdin", "--stdin-filename", "--tag", "--host",
                     "--stdin-from-command", "--dry-run", "--force", "--skip-if-unchanged", "--time"):
            self.assertIn(flag, self.run_mbu(["help", "backup"]).out)

    def test_asking_for_help_or_the_version_does_nothing_else(self):
        directory = self.write("tree/file", b"x") and self.path("tree")
        for form in ("-o", "-d", "-w"):
            for question in ("-h", "--help", "-V", "--version"):
                for arguments in ([question, form, directory], [form, directory, question], [form, directory, "--delete", question]):
                    with self.subTest(arguments=arguments):
                        result = self.run_mbu(arguments)
                        self.assertTrue(result.out.startswith("mbu "), str(result))
                        self.assertEqual(os.listdir(self.home), [])

    def test_the_version(self):
        out = self.run_mbu(["version"], password=None).out
        self.assertRegex(out, r"^mbu [0-9]+\.[0-9]+\.[0-9]+\n$")
        for arguments in (["-V"], ["--version"]):
            self.assertEqual(self.run_mbu(arguments, password=None).out, out)
        self.assertIn("version", self.run_mbu(["--json", "version"]).json[0])

    def test_completions(self):
        for shell in ("bash", "zsh", "fish"):
            out = self.run_mbu(["completion", shell], password=None).out
            for word in ("mbu", "snapshots", "restore"):
                self.assertIn(word, out)
        self.run_mbu(["completion", "tcsh"], expect=2)

    @support.needs_tool("bash")
    def test_the_completion_of_bash_completes(self):
        script = self.write("completion.bash", self.run_mbu(["completion", "bash"]).out)
        self.binary, kept = "bash", self.binary
        for words, wanted in (("sn", "snapshots"), ("completion ''", "bash zsh fish"), ("cat sn", "snapshot"), ("help sn", "snapshots"),
                              ("help ''", "init backup watch status restore snapshots ls dump diff forget key check cat version completion help")):
            with self.subTest(words=words):
                ask = (f"source {script}; COMP_WORDS=(mbu {words}); COMP_CWORD={len(words.split())}; COMPREPLY=(); "
                       "eval \"$(complete -p mbu | sed 's/.*-F \\([^ ]*\\).*/\\1/')\" mbu; echo \"${COMPREPLY[@]}\"")
                result = self.run_mbu(["--norc", "-c", ask])
                self.assertEqual(result.out.strip(), wanted, str(result))
        self.binary = kept

    def test_wrong_usage(self):
        for arguments in (["nonsense"], ["--nonsense"], ["backup"], ["restore"], ["ls"], ["dump", "latest"], ["diff", "latest"],
                          ["cat"], ["cat", "pack"], ["snapshots", "--latest", "0"], ["help", "nonsense"],
                          ["check", "surplus"], ["--threads", "0", "snapshots"], ["--compression", "99", "snapshots"],
                          ["init", "--kdf", "md5"], ["init", "--kdf-memory", "1M"], ["init", "--kdf-time", "1"],
                          ["init", "--kdf", "pbkdf2", "--kdf-time", "1000"], ["restore", "latest", "--overwrite", "perhaps"],
                          ["backup", "--exclude-larger-than", "much", "/etc"], ["backup", "--time", "soon", "/etc"],
                          ["backup", "--stdin", "/etc"], ["backup", "--stdin-from-command"], ["-r"], ["restore", ":x"],
                          ["version", "--bad"], ["ls", "latest", "two"], ["completion"], ["ls", "latest:/a/../b"]):
            with self.subTest(arguments=arguments):
                result = self.run_mbu(arguments, expect=2)
                self.assertEqual(result.out, "", str(result))
                self.assertTrue(result.err.startswith("mbu: "), str(result))
        self.assertFalse(os.path.exists(self.repo))

    def test_commands_to_come(self):
        for arguments in (["prune"], ["mount", "x"], ["repair", "index"], ["find", "x"],
                          ["stats"], ["tag"], ["copy", "--from", "x"], ["push"], ["pull"], ["export"], ["import"],
                          ["help", "prune"]):
            with self.subTest(arguments=arguments):
                self.assert_says(self.run_mbu(arguments, expect=2), "not in this version")

    def test_a_flag_without_its_value(self):
        for form in ("-o", "--package", "-d", "-w"):
            result = self.run_mbu(["-q", form], expect=2)
            self.assertTrue(result.err.startswith(f"mbu: {form} wants a directory"), str(result))
        self.assert_says(self.run_mbu(["snapshots", "-r"], expect=2), "-r wants a value")

    def test_hints_lead_to_this_repository(self):
        """What is said to be typed next works as it is."""
        config = self.write("config.toml", f'[packer]\npackage_directory = "{self.path("configured")}"\n')
        os.chmod(config, 0o600)
        source = trees.make_plain(self.path("tree"), files=3)
        self.init("-r", self.path("repo"))
        for flags, wanted in ((["-r", "repo"], f"-c {config} -r {self.path('repo')} "), (["-c", "config.toml"], f"-c {config} ")):
            self.run_mbu([*flags, "backup", source])
            for command, then in ((["ls", "0123456789"], "snapshots"), (["ls", "latest:/missing"], "ls SNAPSHOT"),
                                  (["dump", "latest:/missing"], "ls SNAPSHOT"), (["restore", "latest:/missing"], "ls SNAPSHOT"),
                                  (["init"], "backup PATH")):
                with self.subTest(flags=flags, command=command):
                    self.assert_says(self.run_mbu([*flags, *command], expect=1), f": {self.binary} {wanted}{then}")
        self.assertNotIn(" -c", self.run_mbu(["restore"], expect=2).text)

    def test_no_line_ends_in_a_blank(self):
        for command in ("check", "init", "version"):
            self.assertIn(f"usage: mbu {command}\n", self.run_mbu(["help", command]).out)

    def test_wrong_usage_as_json(self):
        self.assertEqual(self.run_mbu(["--json", "nonsense"], expect=2).exit_error["code"], 2)

    def test_quiet_says_nothing(self):
        self.init("-q")
        source = trees.make_plain(self.path("tree"))
        for arguments in (["-q", "-o", source], ["-q", "-d", source], ["-q", "check"]):
            self.assertEqual(self.run_mbu(arguments).text, "")


class Homes(support.MbuTest):
    def test_no_home(self):
        source = trees.make_plain(self.path("tree"))
        repo = self.path("repo")
        self.init("-r", repo, env={"HOME": None})
        self.backup("-r", repo, source, env={"HOME": None})
        self.run_mbu(["-r", repo, "restore", "latest", "--target", self.path("out")], env={"HOME": None})
        trees.assert_same(self, source, self.path("out") + source)
        result = self.run_mbu(["-o", source], expect=2, env={"HOME": None})
        self.assert_says(result, "-r")
        self.run_mbu(["-r", repo, "-d", source], expect=2, env={"HOME": None})

    def test_a_home_that_is_not_there_is_none(self):
        source, home = trees.make_plain(self.path("tree")), self.path("nowhere")
        self.assert_says(self.run_mbu(["-o", source], expect=2, env={"HOME": home}), "no home directory")
        self.init("-r", self.path("repo"), env={"HOME": home})
        self.backup("-r", self.path("repo"), source, env={"HOME": home})
        self.assertFalse(os.path.exists(home))

    @support.needs_tool("setpriv")
    def test_a_home_that_cannot_be_written(self):
        source = trees.make_plain(self.path("tree"))
        os.mkdir(self.path("place"))
        self.give_to_nobody(self.path("place"))
        self.become_nobody()
        if os.geteuid() == 0:
            os.chown(self.home, 0, 0)
        os.chmod(self.home, 0o555)
        repo = self.path("place/repo")
        self.init("-r", repo)
        self.backup("-r", repo, source)
        self.backup("-r", repo, source)
        self.run_mbu(["-r", repo, "restore", "latest", "--target", self.path("place/out")])
        self.assertEqual(len(self.snapshots("-r", repo)), 2)
        os.chmod(self.home, 0o755)

    def test_xdg_directories(self):
        source = trees.make_plain(self.path("tree"))
        env = {f"XDG_{kind.upper()}_HOME": self.path(kind) for kind in ("cache", "state", "config")}
        self.run_mbu(["-o", source], env=env)
        for kind in ("cache", "state", "config"):
            self.assertEqual(os.listdir(self.path(kind)), ["mbu"])
        self.assertEqual(sorted(os.listdir(self.home)), ["mbu-packages"])

    def test_private_files_are_private(self):
        os.umask(0)
        self.addCleanup(os.umask, 0o022)
        self.package(trees.make_plain(self.path("tree")))
        for top in (self.repo, self.cache, self.state, os.path.join(self.home, ".config/mbu")):
            for folder, _, names in os.walk(top):
                for path in [folder] + [os.path.join(folder, name) for name in names]:
                    self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)


if __name__ == "__main__":
    support.main()
