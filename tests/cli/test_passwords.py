#!/usr/bin/python3
"""Where passwords come from, that they stay secret, and what happens when they are wrong.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_passwords.py -v`.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import support
import trees

SECRET = "s3cret pass wörd"


class Passwords(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.source = trees.make_plain(self.path("tree"), files=3)


class Sources(Passwords):
    def setUp(self):
        super().setUp()
        self.init(password=SECRET)

    def opens(self, *flags, env=None, expect=0, **options):
        return self.run_mbu([*flags, "snapshots"], password=None, env=env, expect=expect, **options)

    def test_every_source(self):
        good = self.write("good", SECRET + "\nsecond line\n")
        windows = self.write("windows", SECRET + "\r\n")
        bare = self.write("bare", SECRET)
        for flags in (["-p", SECRET], ["-p" + SECRET], ["--password", SECRET], ["--password=" + SECRET], ["-qp", SECRET],
                      ["--password-file", good], ["--password-file", windows], ["--password-file", bare],
                      ["--password-command", f"cat '{good}'"], ["--password-command", f"printf '%s' '{SECRET}'"]):
            with self.subTest(flags=flags):
                self.opens(*flags)
                self.run_mbu(["snapshots", *flags], password=None)  # they work on both sides of the command
        for env in ({"MBU_PASSWORD": SECRET}, {"MBU_PASSWORD_FILE": good}, {"MBU_PASSWORD_COMMAND": f"head -1 '{good}'"}):
            with self.subTest(env=env):
                self.opens(env=env)

    def test_a_descriptor(self):
        for data in (SECRET.encode() + b"\n", SECRET.encode()):
            read, write = os.pipe()
            os.write(write, data)
            os.close(write)
            self.opens("--password-fd", str(read), pass_fds=[read])
            os.close(read)
        self.opens("--password-fd", "0", stdin=SECRET.encode() + b"\n")
        self.opens("--password-fd", "77", expect=12)
        self.opens("--password-fd", "x", expect=2)

    def test_the_command_line_comes_before_the_environment(self):
        good = self.write("good", SECRET)
        self.opens("-p", SECRET, env={"MBU_PASSWORD": "wrong", "MBU_PASSWORD_FILE": "/nonexistent"})
        self.opens("--password-file", good, env={"MBU_PASSWORD": "wrong"})
        self.opens("-p", "wrong", env={"MBU_PASSWORD": SECRET}, expect=12)

    def test_wrong_ones(self):
        before = self.objects()
        state = self.snapshots(password=SECRET)
        bad = self.write("bad", "wrong")
        for flags in (["-p", "wrong"], ["-p", ""], ["-p", SECRET + " "], ["--password-file", bad], ["--password-file", "/nonexistent"],
                      ["--password-command", "exit 3"], ["--password-command", "echo wrong"], ["--password-file", self.base]):
            for command in (["snapshots"], ["-o", self.source], ["-d", "tree"], ["check"], ["restore", "latest"],
                            ["backup", self.source]):
                with self.subTest(flags=flags, command=command):
                    result = self.run_mbu([*flags, *command], password=None, expect=12)
                    self.assertEqual(result.out, "")
        self.assertEqual(self.objects(), before)
        self.assertFalse(os.path.exists(self.restored))
        self.assertEqual(self.snapshots(password=SECRET), state)
        self.assertEqual(self.run_mbu(["--json", "-p", "x", "snapshots"], expect=12).exit_error["code"], 12)

    def test_none_at_all(self):
        result = self.opens(expect=12, stdin=SECRET.encode() + b"\n")  # standard input is never read for it
        for source in ("-p", "--password-file", "--password-command", "--password-fd", "MBU_PASSWORD", "MBU_PASSWORD_FILE",
                       "MBU_PASSWORD_COMMAND"):
            self.assertIn(source, result.err)

    def test_the_empty_variable_counts_as_unset(self):
        self.opens(env={"MBU_PASSWORD": "", "MBU_PASSWORD_FILE": self.write("good", SECRET)})

    def test_unusual_ones(self):
        for i, password in enumerate(("-x", "--json", "'\"\\", " ", "p" * 1000, "日本語", "a\tb")):
            repo = self.path(f"repo {i}")
            self.init("-r", repo, "-p", password, password=None)
            self.run_mbu(["-r", repo, "-p", password, "snapshots"], password=None)
            self.run_mbu(["-r", repo, "-p", password + "!", "snapshots"], password=None, expect=12)


class First(Passwords):
    """The first use of a repository."""

    def test_without_a_password_nothing_is_made(self):
        for flags in ([], ["-p", ""], ["--password-file", self.write("empty", "\n")], ["--password-command", "true"]):
            for command in (["-o", self.source], ["init"], ["backup", self.source]):
                self.run_mbu([*flags, *command], password=None, expect=12)
                self.assertFalse(os.path.exists(self.repo))

    def test_the_key_derivations(self):
        for i, flags in enumerate((["--kdf", "argon2id"], ["--kdf", "pbkdf2"], ["--kdf", "pbkdf2", "--kdf-time", "600000"],
                                   ["--kdf-memory", "16M", "--kdf-time", "4"], ["--kdf-memory", "64M"])):
            repo = self.path(f"repo {i}")
            self.run_mbu(["-r", repo, "init", *flags])
            self.run_mbu(["-r", repo, "snapshots"])
            self.run_mbu(["-r", repo, "snapshots"], password="wrong", expect=12)

    def test_the_configured_key_derivation(self):
        config = self.write("config.toml", f'[packer]\npackage_directory = "{self.repo}"\n[keys]\nkdf = "pbkdf2"\n')
        began = self.run_mbu(["-c", config, "-o", self.source])
        self.assertIn("made repository", began.out)
        slot = next(name for name in self.objects() if name.startswith("keys/"))
        self.assertIn("pbkdf2", self.run_mbu(["cat", "slot", os.path.basename(slot)]).out)

    def test_the_memory_of_the_derivation_is_given_back(self):
        self.run_mbu(["init", "--kdf-memory", "256M", "--kdf-time", "3"])
        _, peak, _ = support.run_measured(self, ["snapshots"])
        self.assertGreater(peak, 200 << 20)  # it was measured
        os.mkdir(self.path("plain"))
        for i in range(4):
            trees.write(self.path(f"plain/{i}"), trees.noise(12 << 20, i))
        process = self.start(["-o", self.path("plain")])
        sizes = []
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                sizes += [int(line.split()[1]) for line in status if line.startswith("RssAnon")]
            time.sleep(0.005)
        process.communicate()
        self.assertLess(sizes[-1], 200 * 1024)


class Secrecy(Passwords):
    def waiting(self, arguments, env=None):
        """mbu while it waits for its standard input, all flags read."""
        process = self.start(arguments, password=None, env=env, stdin=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
                if file.read().startswith("0 0x0 "):  # read(2) of descriptor 0
                    return process
            time.sleep(0.01)
        self.fail("it does not wait")

    def proc(self, process, name):
        return self.read(f"/proc/{process.pid}/{name}")

    @support.needs_root()  # others may not look into a process that holds secrets
    def test_neither_arguments_nor_environment_show_it(self):
        self.init(password=SECRET)
        secret = SECRET.encode()
        for flags, env in ((["-p", SECRET], None), (["-p" + SECRET], None), (["--password=" + SECRET], None),
                           ([], {"MBU_PASSWORD": SECRET})):
            with self.subTest(flags=flags):
                process = self.waiting([*flags, "backup", "--stdin"], env)
                self.assertIsNone(process.poll())
                self.assertNotIn(secret, self.proc(process, "cmdline"))
                self.assertNotIn(secret, self.proc(process, "environ"))
                self.assertIn(b"stdin", self.proc(process, "cmdline"))

    def test_after_a_short_form(self):
        for flags in (["-p", SECRET], ["-p" + SECRET], ["--password", SECRET], ["--password=" + SECRET]):
            for form in (["-o", *flags, self.source], ["--package", *flags, self.source], ["-d", *flags, self.source]):
                with self.subTest(form=form):
                    self.run_mbu(form, password=None)
        result = self.run_mbu(["-o", "-p", SECRET, self.source, "surplus"], password=None, expect=2)
        self.assertNotIn(SECRET, result.text)

    def test_no_core_is_dumped(self):
        self.init(password=SECRET)
        process = self.waiting(["-p", SECRET, "backup", "--stdin"])
        limits = self.proc(process, "limits").decode()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        self.assertEqual(core.split()[4:6], ["0", "0"])

    def test_nothing_that_is_kept_holds_it(self):
        self.run_mbu(["-p", SECRET, "-o", self.source], password=None)
        self.run_mbu(["-d", "tree"], password=SECRET)
        for folder, _, names in os.walk(self.home):
            for name in names:
                self.assertNotIn(SECRET.encode(), self.read(os.path.join(folder, name)), name)

    def test_nothing_of_the_tree_is_readable_in_repository_cache_or_state(self):
        marker = b"a marker that no compression hides "
        os.mkdir(self.path("secret folder"))
        trees.write(self.path("secret folder/secret name"), marker + trees.noise(40_000))
        trees.write(self.path("secret folder/tiny secret"), marker)
        self.run_mbu(["--compression", "off", "-o", self.path("secret folder")])
        self.run_mbu(["ls", "latest"])
        for top in (self.repo, self.cache, self.state):
            for folder, _, names in os.walk(top):
                for name in names:
                    data = self.read(os.path.join(folder, name))
                    for text in (marker, b"secret name", b"tiny secret", b"secret folder"):
                        self.assertNotIn(text, data, os.path.join(folder, name))


class Prompts(Passwords):
    """A person at a terminal."""

    def talk(self, arguments, *answers, stdin=None, terminal="dumb", through=(), columns=80):
        """(exit status, all that the terminal showed). Each answer is typed once the terminal asks and echoes nothing."""
        master, slave = pty.openpty()
        attributes = termios.tcgetattr(slave)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        self.assertTrue(attributes[3] & termios.ECHO)

        def take_terminal():
            os.setsid()
            os.close(os.open(os.ttyname(2), os.O_RDWR))

        process = subprocess.Popen([*through, self.binary, *arguments], env=self.environment(None, TERM=terminal), cwd=self.base,
                                   stdin=slave if stdin is None else stdin, stdout=slave if stdin is None else subprocess.DEVNULL,
                                   stderr=slave, preexec_fn=take_terminal)
        shown = b""
        waiting = list(answers)
        end = time.monotonic() + 60
        asked = 0
        while time.monotonic() < end:
            ready, _, _ = select.select([master], [], [], 0.02)
            if ready:
                try:
                    shown += os.read(master, 65536)
                except OSError:
                    break
            elif process.poll() is not None:
                break
            questions = shown.count(b"password for ") + shown.count(b"the same again: ") + shown.count(b"recovery sheet, line ")
            if waiting and questions > asked and not termios.tcgetattr(slave)[3] & termios.ECHO:
                asked += 1
                answer = waiting.pop(0)
                if isinstance(answer, bytes):
                    os.write(master, answer)
                else:
                    os.killpg(process.pid, answer)
        else:
            process.kill()
            self.fail(f"did not end: {shown!r}")
        status = process.wait()
        self.assertEqual(termios.tcgetattr(slave), attributes, "the terminal is left as it was")
        os.close(slave)
        os.close(master)
        self.assertEqual(waiting, [], shown)
        return status, shown.decode()

    def test_a_new_repository_asks_twice(self):
        status, shown = self.talk(["-o", self.source], SECRET.encode() + b"\n", SECRET.encode() + b"\n")
        self.assertEqual(status, 0, shown)
        self.assertIn("new password for", shown)
        self.assertIn("the same again", shown)
        self.assertNotIn(SECRET, shown)
        self.assertIn("lost password is lost data", shown)
        self.snapshots(password=SECRET)

    def test_two_that_differ(self):
        for command in (["-o", self.source], ["init"]):
            status, shown = self.talk(command, SECRET.encode() + b"\n", b"other\n")
            self.assertEqual(status, 12, shown)
            self.assertIn("differ", shown)
            self.assertFalse(os.path.exists(self.repo))

    def test_an_existing_one_asks_once(self):
        self.init(password=SECRET)
        status, shown = self.talk(["snapshots"], SECRET.encode() + b"\n")
        self.assertEqual(status, 0, shown)
        self.assertNotIn("again", shown)
        self.assertNotIn(SECRET, shown)

    def test_a_mistyped_one_can_be_typed_again(self):
        self.init(password=SECRET)
        status, shown = self.talk(["snapshots"], b"oops\n", SECRET.encode() + b"\n")
        self.assertEqual(status, 0, shown)
        status, shown = self.talk(["snapshots"], b"no\n", b"no\n", b"no\n")
        self.assertEqual(status, 12, shown)

    def test_the_end_of_input_and_an_interrupt(self):
        self.init(password=SECRET)
        status, shown = self.talk(["snapshots"], b"\x04")
        self.assertEqual(status, 12, shown)
        status, shown = self.talk(["snapshots"], signal.SIGINT)
        self.assertEqual(status, 130, shown)
        status, shown = self.talk(["snapshots"], b"\x03")
        self.assertEqual(status, 130, shown)

    def test_stopped_and_continued(self):
        self.init(password=SECRET)
        shell = ["bash", "--norc", "-m", "-c", '"$@"; stty -a; echo stopped; fg', "bash"]
        status, shown = self.talk(["snapshots"], b"half\x1a", SECRET.encode() + b"\n", through=shell)
        self.assertEqual(status, 0, shown)
        before, after = shown.split("stopped\r\n")
        self.assertRegex(before, r"[ ;]echo ")
        self.assertIn("password for", after)
        self.assertIn("0 snapshots", after)
        self.assertNotIn(SECRET, shown)

    def test_standard_input_stays_free(self):
        self.init(password=SECRET)
        with open(self.write("data", b"to be packaged"), "rb") as data:
            status, shown = self.talk(["backup", "--stdin"], SECRET.encode() + b"\n", stdin=data)
        self.assertEqual(status, 0, shown)
        self.assertEqual(self.run_mbu(["dump", "latest:/stdin"], password=SECRET).stdout, b"to be packaged")

    def test_a_recovery_sheet_is_typed_line_by_line(self):
        """A mistake is told, and asked for again, at once; nothing has to say that it is all."""
        self.init(password=SECRET)
        for flags, count in ((), 4), (("--shares", "2/3"), 10):
            printed = self.run_mbu(["key", "export-recovery", *flags], password=SECRET).out
            lines = re.findall(r"^ +\d: ([0-9A-Z ]+)$", printed, re.M)[:count]
            self.assertEqual(len(lines), count)
            mistaken = lines[2][:-1] + ("2" if lines[2][-1] != "2" else "3")
            typed = [*lines[:2], mistaken, "", lines[2][:9], *lines[2:], "another", "another"]
            name = f"typed {count}"
            status, shown = self.talk(["key", "recover", "--name", name], *(line.encode() + b"\n" for line in typed))
            self.assertEqual(status, 0, shown)
            self.assertIn("line 3 has a mistake", shown)
            self.assertIn("line 3 has less than sixteen characters", shown)
            self.assertNotIn(lines[1], shown)
            self.assertIn(name, self.run_mbu(["key", "list"], password="another").out)
            self.run_mbu(["key", "remove", name], password=SECRET)

    def test_a_recovery_sheet_is_not_asked_for_in_vain(self):
        status, shown = self.talk(["key", "recover"])
        self.assertEqual(status, 10, shown)

    def test_a_progress_bar_on_a_terminal(self):
        self.init()
        slow = "for i in 1 2 3 4 5 6; do head -c 100000 /dev/zero; sleep 0.2; done"
        run = ["-p", support.PASSWORD, "backup", "--stdin-from-command", "--", "sh", "-c", slow]
        status, shown = self.talk(run, terminal="xterm")
        self.assertEqual(status, 0)
        self.assertRegex(shown, r"\r\x1b\[K\[0:0[0-2]\].* files .*KiB.*/s")
        self.assertIn("snapshot ", shown.split("\x1b[K")[-1])
        for flags in (["-q"], ["--no-progress"], ["--json", "-q"]):
            status, shown = self.talk([*flags, *run], terminal="xterm")
            self.assertEqual(status, 0)
            self.assertNotIn("\x1b", shown)
        status, shown = self.talk(run, terminal="dumb")
        self.assertNotIn("\x1b", shown)

    def test_a_progress_bar_on_a_narrow_terminal(self):
        self.init()
        slow = "for i in 1 2 3 4 5 6; do head -c 100000 /dev/zero; sleep 0.2; done"
        run = ["-p", support.PASSWORD, "backup", "--stdin-from-command", "--stdin-filename", "a long name of a stream", "--",
               "sh", "-c", slow]
        for columns, first in ((200, "[0:0"), (80, "[0:0"), (50, "0 / "), (30, "0 / "), (20, "")):
            with self.subTest(columns=columns):
                status, shown = self.talk(run, terminal="xterm", columns=columns)
                self.assertEqual(status, 0)
                bars = [bar.split("\r")[0] for bar in shown.split("\r\x1b[K") if "/s" in bar.split("\r")[0]]
                self.assertTrue(bars, shown)
                for bar in bars:
                    self.assertLessEqual(len(bar), columns - 3)
                    self.assertTrue(bar.startswith(first), bar)


if __name__ == "__main__":
    support.main()
