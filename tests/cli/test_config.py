#!/usr/bin/python3
"""config.toml: where it is looked for, what it says, and how wrong ones are told.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_config.py -v`.
"""

import os
import subprocess

import support
import trees


class Configuration(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.source = trees.make_plain(self.path("tree"), files=3)
        self.default = os.path.join(self.home, ".config/mbu/config.toml")
        os.mkdir(self.path("work"))

    def config(self, name, repo, more=""):
        return self.write(name, f'[packer]\npackage_directory = "{repo}"\n{more}')

    def used(self, *arguments, **options):
        """The packaging directory that a command takes."""
        options.setdefault("cwd", self.path("work"))
        result = self.run_mbu(["--json", *arguments, "snapshots"], expect=10, **options)
        return result.exit_error["message"].split(": ")[0].split(" ")[0] and result.exit_error["message"]

    def assert_used(self, repo, *arguments, **options):
        self.assertIn(repo, self.used(*arguments, **options))

    def test_the_first_use_writes_a_default(self):
        self.assert_used(self.repo)
        self.assertEqual(os.stat(self.default).st_mode & 0o777, 0o600)
        text = self.read(self.default).decode()
        for word in ("[packer]", "package_directory", "restore_directory", "module", "compression", "exclude", "[watcher]", "settle",
                     "max_delay", "poll_interval", "[keys]", "kdf", "[pigeon]", "push", "# "):
            self.assertIn(word, text)
        self.assert_used(self.repo)  # and it can be read
        self.write(self.default, text.replace("~/mbu-packages", "~/elsewhere"))
        self.assert_used(os.path.join(self.home, "elsewhere"))

    def test_the_order(self):
        self.config(self.default, "/repo/of/home")
        self.assert_used("/repo/of/home")
        local = self.config("work/config.toml", "/repo/of/here")
        os.chmod(local, 0o644)
        self.assert_used("/repo/of/here")
        environment = self.config("environment.toml", "/repo/of/environment")
        self.assert_used("/repo/of/environment", env={"MBU_CONFIG": environment})
        flag = self.config("flag.toml", "/repo/of/flag")
        for name in ("-c", "--config"):
            self.assert_used("/repo/of/flag", name, flag, env={"MBU_CONFIG": environment})
        self.assert_used("/repo/of/r", "-r", "/repo/of/r", "-c", flag)
        self.assert_used("/repo/of/variable", "-c", flag, env={"MBU_REPOSITORY": "/repo/of/variable"})
        self.assert_used("/repo/of/xdg", cwd=self.base, env={"XDG_CONFIG_HOME": self.path("xdg")}) if self.config(
            "xdg/mbu/config.toml", "/repo/of/xdg") else None

    def test_a_given_file_must_be_there(self):
        for options in ({"env": {"MBU_CONFIG": "/nonexistent"}}, {}):
            arguments = [] if options else ["-c", "/nonexistent"]
            self.assert_says(self.run_mbu([*arguments, "snapshots"], expect=2, **options), "/nonexistent")

    def test_a_local_file_of_something_else_is_ignored(self):
        self.write("work/config.toml", '[server]\nport = 80\n')
        self.assert_used(self.repo)
        self.write("work/config.toml", 'this is = = not toml')
        self.assert_used(self.repo)

    def test_a_local_file_that_others_may_write_is_not_trusted(self):
        local = self.config("work/config.toml", "/repo/of/evil")
        for mode in (0o666, 0o664, 0o602):
            os.chmod(local, mode)
            result = self.run_mbu(["snapshots"], expect=10, cwd=self.path("work"))
            self.assertIn(self.repo, result.text)
            self.assert_says(result, "config.toml", "others may write")

    @support.needs_root()
    def test_a_local_file_of_another_user_is_not_trusted(self):
        local = self.config("work/config.toml", "/repo/of/evil")
        os.chmod(local, 0o644)
        os.chown(local, 12345, 12345)
        result = self.run_mbu(["snapshots"], expect=10, cwd=self.path("work"))
        self.assertIn(self.repo, result.text)
        self.assert_says(result, "another user")

    def test_relative_paths_and_home(self):
        self.config("work/config.toml", "packages")
        os.chmod(self.path("work/config.toml"), 0o644)
        self.assert_used(self.path("work/packages"))
        given = self.config("given/config.toml", "~/of/home", 'restore_directory = "back"\n')
        self.run_mbu(["-c", given, "-o", self.source], cwd="/")
        self.run_mbu(["-c", given, "-d", "tree"], cwd="/")
        trees.assert_same(self, self.source, self.path("given/back/tree"))
        self.assertTrue(os.path.exists(os.path.join(self.home, "of/home/config")))

    def test_a_repository_elsewhere_is_no_directory(self):
        for url in ("s3:https://host/bucket", "sftp:host:packages", "rclone:cloud:packages", "packages.mbu"):
            given = self.config("given.toml", url)
            self.assert_says(self.run_mbu(["-c", given, "-o", self.source], expect=2), url, "not in this version")
            self.assertFalse(os.path.exists(self.path(url)))
            self.run_mbu(["-c", given, "-r", self.path("repository"), "init", *support.FAST_KDF])
            subprocess.run(["rm", "-r", self.path("repository")], check=True)

    def test_the_printed_command_names_the_configuration(self):
        given = self.config("given.toml", self.path("packages"), f'restore_directory = "{self.path("back")}"\n')
        out = self.run_mbu(["-c", given, "-o", self.source]).out
        command = next(line for line in out.splitlines() if line.startswith("restore:")).split()[2:]
        self.run_mbu(command)
        trees.assert_same(self, self.source, self.path("back/tree"))

    def test_the_printed_command_works_anywhere(self):
        for where, arguments, env in (("work", ["-c", "sub/c.toml"], {}), ("work", [], {"MBU_CONFIG": "sub/c.toml"}),
                                      ("work/local", [], {})):
            with self.subTest(arguments=arguments, env=env):
                name = "config.toml" if where.endswith("local") else "sub/c.toml"
                file = self.config(f"{where}/{name}", f"packages {len(arguments)}{len(env)}", 'restore_directory = "back"\n')
                os.chmod(file, 0o600)
                program = os.path.relpath(self.binary, self.path(where))
                result = subprocess.run([program, *arguments, "-o", self.source], cwd=self.path(where), env=self.environment(**env),
                                        capture_output=True, text=True, check=True)
                command = next(line for line in result.stdout.splitlines() if line.startswith("restore:")).split(None, 1)[1]
                subprocess.run(command, shell=True, cwd="/", env=self.environment(), capture_output=True, check=True)
                back = os.path.join(os.path.dirname(file), "back")
                trees.assert_same(self, self.source, f"{back}/tree")
                subprocess.run(["rm", "-r", back], check=True)
                self.assertFalse(os.path.exists(self.repo))

    def test_unknown_keys_are_named_with_their_line(self):
        for text, key, line in (('[packer]\n\nnonsense = 1\n', "nonsense", 3), ('[packer]\n[other]\nx = 1\n', "other", 2),
                                ('[packer]\n[watcher]\n# c\nsetle = "1s"\n', "setle", 4), ('top = 1\n[packer]\n', "top", 1),
                                ('[keys]\npassword = "x"\n', "password", 2)):
            with self.subTest(text=text):
                result = self.run_mbu(["-c", self.write("bad.toml", text), "snapshots"], expect=2)
                self.assert_says(result, key, "bad.toml")
                self.assertRegex(result.err, rf"\b{line}\b")

    def test_wrong_values_are_named_with_their_line(self):
        for text, line in (('[packer]\nmodule = "other"\n', 2), ('[packer]\ncompression = "much"\n', 2), ('[packer]\nexclude = "x"\n', 2),
                           ('[packer]\npackage_directory = 5\n', 2), ('[watcher]\n\nsettle = "soon"\n', 3),
                           ('[watcher]\nsettle = 300\n', 2), ('[watcher]\nmodule = "dnotify"\n', 2), ('[keys]\nkdf = "md5"\n', 2),
                           ('[pigeon]\npush = "x"\n', 2), ('[packer]\nbroken = \n', 2), ('[packer\n', 1)):
            with self.subTest(text=text):
                result = self.run_mbu(["-c", self.write("bad.toml", text), "snapshots"], expect=2)
                self.assertRegex(result.err, rf"bad\.toml.*\b{line}\b")

    def test_compression(self):
        given = self.config("given.toml", self.path("packages"), 'compression = "off"\n')
        os.mkdir(self.path("text"))
        trees.write(self.path("text/file"), trees.text(1_000_000))
        stored = self.run_mbu(["--json", "-c", given, "-o", self.path("text")]).summary["data_added_packed"]
        self.assertGreater(stored, 1_000_000)
        trees.write(self.path("text/file"), trees.text(1_000_000, seed=2))
        stored = self.run_mbu(["--json", "-c", given, "--compression", "19", "-o", self.path("text")]).summary["data_added_packed"]
        self.assertLess(stored, 500_000)

    def test_copies_to_come(self):
        given = self.config("given.toml", self.path("packages"), '[pigeon]\npush = ["/elsewhere"]\n')
        self.assert_says(self.run_mbu(["-c", given, "-o", self.source]), "push", "not in this version", "given.toml")
        self.assertNotIn("push", self.run_mbu(["-c", given, "-d", self.source]).text)
        self.assertFalse(os.path.exists("/elsewhere"))
        empty = self.config("given.toml", self.path("packages"), "[pigeon]\npush = []\n")
        self.assertNotIn("push", self.run_mbu(["-c", empty, "-o", self.source]).text)

    def test_modules_to_come(self):
        given = self.config("given.toml", self.path("packages"), 'module = "package"\n')
        self.assert_says(self.run_mbu(["-c", given, "-o", self.source], expect=2), "not in this version")
        self.init("-c", given, "-r", self.path("other"))


if __name__ == "__main__":
    support.main()
