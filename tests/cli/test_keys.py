#!/usr/bin/python3
"""Passwords and writers' credentials: who can open what, and what a writer cannot do.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_keys.py -v`.
"""

import ctypes
import hashlib
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import unittest

import support
import trees
from watching import WatchTest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "reader"))
import make_repository as make  # noqa: E402
import mbu_reader  # noqa: E402
import objects  # noqa: E402

ADD_KEY, KEYCTL = 248, 250  # system calls of x86-64
OTHER = "another password"
CHEAP = ("--kdf-memory", "8M", "--kdf-time", "3")


class Keys(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = trees.make_plain(self.path("tree"), files=8)

    def key(self, *arguments, **options):
        return self.run_mbu(["--json", "key", *arguments], **options)

    def slots(self):
        return {slot["name"]: slot for slot in self.key("list").json}

    def new_writer(self, name="laptop", *arguments, **options):
        path = self.path(name + ".credential")
        self.key("new-writer", "--name", name, "-o", path, *arguments, **options)
        return path

    def by(self, credential, arguments, expect=0, password=None, **options):
        return self.run_mbu(["--json", "--no-progress", "--credential", credential, *arguments], password=password, expect=expect, **options)

    def backup_by(self, credential, *arguments, **options):
        return self.by(credential, ["backup", *arguments, self.source], **options).summary


class Passwords(Keys):
    def test_another_one(self):
        self.key("add", "--name", "second", "--new-password-file", self.write("new", OTHER), *CHEAP)
        self.assertRegex(self.key("add", "--new-password-file", self.write("third", "third"), *CHEAP).of_type("key_added")[0]["name"], "@.*-2$")
        slots = self.slots()
        self.assertEqual({slot["role"] for slot in slots.values()}, {"owner"})
        self.assertEqual((slots["second"]["kdf_memory_kib"], slots["second"]["kdf_time"]), (8192, 3))
        self.assertFalse(slots["second"]["current"])
        self.run_mbu(["snapshots"], password=OTHER)
        self.run_mbu(["snapshots"])
        self.run_mbu(["snapshots"], password="wrong", expect=12)
        self.assert_says(self.key("add", "--name", "second", "--new-password-file", self.path("new"), expect=2), "already")
        self.check()

    def test_a_change_moves_no_data(self):
        self.backup(self.source)
        before = {name for name in self.objects() if not name.startswith(("keys/", "state/"))}
        size = self.size_of()
        changed = self.key("passwd", "--new-password-file", self.write("new", OTHER), *CHEAP)
        self.assertEqual(changed.of_type("key_changed")[0]["role"], "owner")
        self.run_mbu(["snapshots"], expect=12)
        self.run_mbu(["restore", "latest", "--target", self.path("back")], password=OTHER)
        trees.assert_same(self, self.source, self.path("back") + self.source)
        self.assertEqual({name for name in self.objects() if not name.startswith(("keys/", "state/"))}, before)
        self.assertLess(self.size_of() - size, 2048)
        self.run_mbu(["check"], password=OTHER)

    def test_an_old_one_that_comes_back_opens_nothing(self):
        keys = os.path.join(self.repo, "keys")
        old = os.listdir(keys)
        shutil.copytree(keys, self.path("kept"))
        self.key("passwd", "--new-password-file", self.write("new", OTHER), *CHEAP)
        for name in old:
            shutil.copy(self.path("kept", name), keys)
        self.assert_says(self.run_mbu(["snapshots"], expect=12), "removed")
        self.run_mbu(["snapshots"], password=OTHER)

    def test_the_same_one_again_with_another_cost(self):
        keys = os.path.join(self.repo, "keys")
        shutil.copytree(keys, self.path("kept"))
        self.key("passwd", "--new-password-file", self.write("new", support.PASSWORD), *CHEAP)
        shutil.copytree(self.path("kept"), keys, dirs_exist_ok=True)
        self.run_mbu(["snapshots"])
        self.check()

    def test_one_that_costs_too_much_is_refused_unless_one_insists(self):
        dear = self.path("dear")
        make.Repository(dear, support.PASSWORD.encode(), kdf=(objects.ARGON2ID, 8 * 1024, 17))
        refused = self.run_mbu(["-r", dear, "snapshots"], expect=20)
        self.assert_says(refused, "costs too much")
        self.assert_says(refused, "--any-kdf-cost")
        self.run_mbu(["-r", dear, "--any-kdf-cost", "snapshots"])

    def test_the_last_one_stays(self):
        name = next(iter(self.slots()))
        self.assert_says(self.key("remove", name, expect=1), "last password")
        self.key("add", "--name", "second", "--new-password-file", self.write("new", OTHER), *CHEAP)
        self.key("remove", name)
        self.run_mbu(["snapshots"], expect=12)
        self.assert_says(self.key("remove", "second", password=OTHER, expect=1), "last password")
        self.run_mbu(["check"], password=OTHER)

    def test_says_what_is_wrong(self):
        self.assert_says(self.key("sing", expect=2), "new-writer")
        self.key(expect=2)
        self.assert_says(self.key("remove", "nobody", expect=1), "no such password")
        self.assert_says(self.key("remove", expect=2), "wants the name")
        self.assert_says(self.key("add", expect=12), "--new-password-file")
        self.assert_says(self.key("new-writer", "-o", self.path("x"), expect=2), "--name")
        self.assert_says(self.key("new-writer", "--name", "x", expect=2), "-o FILE")
        self.assert_says(self.key("new-writer", "--name", "x", "-o", self.write("there", "x"), expect=1), "exists")
        self.assertEqual(self.read(self.path("there")), b"x")
        self.assertEqual(len(self.slots()), 1)


class Services(Keys):
    """What systemd hands over to a service."""

    def test_a_password(self):
        self.write(self.path("mbu.password"), support.PASSWORD + "\n")
        environment = {"CREDENTIALS_DIRECTORY": self.path()}
        self.run_mbu(["snapshots"], password=None, env=environment)
        self.run_mbu(["snapshots"], password="wrong", env=environment, expect=12)
        self.run_mbu(["snapshots"], password=None, env={"CREDENTIALS_DIRECTORY": self.path("nowhere")}, expect=12)

    def test_a_writers_credential(self):
        os.rename(self.new_writer(), self.path("mbu.credential"))
        environment = {"CREDENTIALS_DIRECTORY": self.path()}
        self.run_mbu(["backup", self.source], password=None, env=environment)
        self.run_mbu(["snapshots"], password=None, env=environment, expect=13)
        self.run_mbu(["snapshots"])


PROBE = f"""
import ctypes, sys
libc = ctypes.CDLL(None)
session = libc.syscall({KEYCTL}, 0, ctypes.c_int(-3), 0)
key = libc.syscall({ADD_KEY}, b"user", b"mbu-test", b"x", 1, session)
sys.exit(0 if key > 0 and libc.syscall({KEYCTL}, 21, key) == 0 else 1)
"""


def has_session_keys():
    """Whether the kernel keeps keys for us (a container may forbid it). Asked in a process of its own, which may get a keyring of its own by it."""
    return subprocess.run([sys.executable, "-c", PROBE], check=False).returncode == 0


@unittest.skipUnless(platform.machine() == "x86_64" and has_session_keys(), "the kernel keeps no keys for this process")
class Unlocked(Keys):
    def tearDown(self):
        self.run_mbu(["key", "lock"], password=None)
        super().tearDown()

    def test_nobody_is_asked_until_it_is_locked(self):
        self.run_mbu(["snapshots"], password=None, expect=12)
        for span, seconds in (("5min", 300), ("30m", 1800)):  # months, in forget's rules
            self.assertEqual(self.key("unlock", "--for", span).of_type("unlocked")[0]["seconds"], seconds)
        self.backup(self.source, password=None)
        self.assertEqual(len(self.run_mbu(["--json", "snapshots"], password=None).json), 1)
        self.run_mbu(["snapshots"], password="wrong", expect=12)
        self.assertTrue(self.key("lock", password=None).of_type("locked")[0]["was_unlocked"])
        self.run_mbu(["snapshots"], password=None, expect=12)
        self.assertFalse(self.key("lock", password=None).of_type("locked")[0]["was_unlocked"])

    def test_a_writers_credential_stays_a_writers(self):
        laptop = self.new_writer("laptop", "--new-password-file", self.write("new", OTHER), *CHEAP)
        self.by(laptop, ["key", "unlock"], password=OTHER)
        self.backup(self.source, password=None)
        self.run_mbu(["snapshots"], password=None, expect=13)
        self.key("remove", "laptop")
        self.assert_says(self.run_mbu(["backup", self.source], password=None, expect=12), "no password")

    def test_a_changed_password_locks_it(self):
        self.key("unlock")
        self.key("passwd", "--new-password-file", self.write("new", OTHER), *CHEAP, password=None)
        self.run_mbu(["snapshots"], password=OTHER)
        self.run_mbu(["key", "unlock"], password=OTHER)
        self.key("add", "--name", "third", "--new-password-file", self.write("new", "third"), *CHEAP, password=None)
        self.key("remove", next(name for name in self.slots_by(OTHER) if name != "third"), password="third")
        self.assert_says(self.run_mbu(["snapshots"], password=None, expect=12), "no password")

    def slots_by(self, password):
        return [slot["name"] for slot in self.key("list", password=password).json]

    def test_says_what_is_wrong(self):
        for span in ("1s", "31d", "soon", "8"):
            self.assert_says(self.key("unlock", "--for", span, expect=2), "--for wants")
        self.key("unlock", password="wrong", expect=12)
        self.run_mbu(["snapshots"], password=None, expect=12)


# What libsecret's program does, with a directory for a secret service.
SECRET_TOOL = r"""#!/bin/sh
echo "$@" >>"$SERVICE/calls"
command=$1
shift
case $1 in --label=*) shift ;; esac
item=$SERVICE/$(echo "$*" | tr ' ' -)
case $command in
  store) [ -e "$SERVICE/refuses" ] && exit 1; cat >"$item" ;;
  lookup) cat "$item" 2>/dev/null ;;
  clear) rm "$item" ;;
esac
"""


class Desktop(Keys):
    """The desktop's secret service, behind a double of the program that speaks to it."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("service"))
        os.mkdir(self.path("bin"))
        os.chmod(self.write(self.path("bin", "secret-tool"), SECRET_TOOL), 0o755)
        self.desktop = {"PATH": self.path("bin") + ":" + os.environ["PATH"], "SERVICE": self.path("service"), "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}

    def kept(self):
        return [self.read(self.path("service", name)) for name in os.listdir(self.path("service")) if name.startswith("application-mbu-repository-")]

    def test_nobody_is_asked_until_it_is_locked(self):
        self.run_mbu(["snapshots"], password=None, env=self.desktop, expect=12)
        self.assertTrue(self.key("unlock", "--desktop", env=self.desktop).of_type("unlocked")[0]["desktop"])
        self.assertEqual(self.kept(), [support.PASSWORD.encode()])
        self.run_mbu(["backup", self.source], password=None, env=self.desktop)
        self.run_mbu(["snapshots"], password=None, expect=12)
        self.assertTrue(self.key("lock", password=None, env=self.desktop).of_type("locked")[0]["was_unlocked"])
        self.assertEqual(self.kept(), [])
        self.run_mbu(["snapshots"], password=None, env=self.desktop, expect=12)
        self.assertFalse(self.key("lock", password=None, env=self.desktop).of_type("locked")[0]["was_unlocked"])
        self.assertNotIn(support.PASSWORD.encode(), self.read(self.path("service", "calls")))

    def test_a_password_that_is_given_comes_first(self):
        self.key("unlock", "--desktop", env=self.desktop)
        self.run_mbu(["snapshots"], password="wrong", env=self.desktop, expect=12)

    def test_one_that_was_changed_elsewhere_opens_nothing_and_does_no_harm(self):
        self.key("unlock", "--desktop", env=self.desktop)
        self.key("passwd", "--new-password-file", self.write("new", OTHER), *CHEAP)
        self.run_mbu(["snapshots"], password=None, env=self.desktop, expect=12)
        self.run_mbu(["snapshots"], password=OTHER, env=self.desktop)

    def test_a_change_takes_it_out(self):
        self.key("unlock", "--desktop", env=self.desktop)
        self.key("passwd", "--new-password-file", self.write("new", OTHER), *CHEAP, env=self.desktop)
        self.assertEqual(self.kept(), [])

    def test_what_is_wrong_is_not_kept(self):
        self.key("unlock", "--desktop", password="wrong", env=self.desktop, expect=12)
        self.assertEqual(self.kept(), [])
        self.write(self.path("service", "refuses"), "")
        self.assert_says(self.key("unlock", "--desktop", env=self.desktop, expect=1), "does not keep")

    def test_says_what_is_missing(self):
        self.assert_says(self.key("unlock", "--desktop", env={"DBUS_SESSION_BUS_ADDRESS": "", "XDG_RUNTIME_DIR": ""}, expect=1), "no desktop session")
        os.unlink(self.path("bin", "secret-tool"))
        self.assert_says(self.key("unlock", "--desktop", env={**self.desktop, "PATH": self.path("bin")}, expect=1), "libsecret-tools")


class Recovery(Keys):
    def sheet(self):
        return self.run_mbu(["key", "export-recovery"]).out

    def lines(self):
        return "".join(line + "\n" for line in self.sheet().splitlines() if re.match(" +[1-4]: ", line))

    def recover(self, lines, expect=0, **options):
        return self.key("recover", "--name", "found", "--sheet", self.write("sheet", lines), "--new-password-file", self.write("new", OTHER), *CHEAP,
                        password=None, expect=expect, **options)

    def test_opens_a_repository_whose_passwords_are_lost(self):
        self.backup(self.source)
        lines = self.lines()
        self.assertRegex(lines, r"^(  [1-4]: ([0-9A-Z]{4} ){3}[0-9A-Z]{4}\n){4}$")
        keys = os.path.join(self.repo, "keys")
        shutil.rmtree(keys)
        os.mkdir(keys)
        self.run_mbu(["snapshots"], expect=20)
        self.recover(lines.lower().replace(" ", "-").replace("--", " "))
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("back")], password=OTHER)
        trees.assert_same(self, self.source, self.path("back"))
        self.backup(self.source, password=OTHER)

    def test_what_was_printed_can_be_read_again_as_it_is(self):
        self.key("recover", "--sheet", self.write("sheet", self.sheet()), "--new-password-file", self.write("new", OTHER), *CHEAP, password=None)
        self.assertEqual(len(self.slots()), 2)
        self.run_mbu(["snapshots"], password=OTHER)

    def test_names_the_line_with_the_mistake(self):
        lines = self.lines().splitlines(keepends=True)
        third = lines[2][:5] + ("A" if lines[2][5] != "A" else "B") + lines[2][6:]
        result = self.recover("".join([*lines[:2], third, lines[3]]), expect=12)
        self.assert_says(result, "line 3 ")
        self.assert_says(self.recover("".join(lines[:3]), expect=12), "four lines")
        self.recover("", expect=12)
        self.assertEqual(len(self.slots()), 1)

    def test_is_of_one_repository(self):
        lines = self.lines()
        other = self.path("other")
        self.run_mbu(["-r", other, "init"])
        self.assert_says(self.recover(lines, expect=12, env={"MBU_REPOSITORY": other}), "another repository")

    @unittest.skipUnless(shutil.which("zbarimg"), "zbarimg is not installed: nothing reads QR codes")
    def test_a_camera_reads_it(self):
        blocks = {" ": (0, 0), "\u2580": (1, 0), "\u2584": (0, 1), "\u2588": (1, 1)}
        printed = self.run_mbu(["key", "export-recovery"], env={"LC_ALL": "C.UTF-8"}).out
        rows = []
        for line in printed.splitlines():
            if len(line) > 20 and set(line) <= set(blocks):
                rows += [[blocks[c][half] for c in line] for half in (0, 1)]
        written = re.sub(r"[^0-9A-Z]", "", "".join(re.findall(r"^  [1-4]: (.*)$", printed, re.MULTILINE)))
        self.assertEqual(self.scan(rows), written)

        page = self.run_mbu(["key", "export-recovery", "--html"]).out
        side = int(re.search(r'viewBox="-4 -4 (\d+) ', page).group(1))
        rows = [[0] * side for _ in range(side)]
        for column, row in re.findall(r"M(\d+) (\d+)h1v1h-1z", page):
            rows[int(row) + 4][int(column) + 4] = 1
        self.assertEqual(self.scan(rows), written)
        self.recover(written + "\n")
        self.recover_from([page], name="from the page")

    def scan(self, rows):
        """What a QR code says, by another program."""
        scale = 4
        pixels = b"".join(b"".join((b"\0" if dark else b"\xff") * scale for dark in row) * scale for row in rows)
        image = self.write("code.pgm", b"P5 %d %d 255\n" % (len(rows[0]) * scale, len(rows) * scale) + pixels)
        return subprocess.run(["zbarimg", "-q", "--raw", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode().strip()

    def shares(self, text):
        found = [self.run_mbu(["key", "export-recovery", "--shares", text]).out.split("\f")]
        return [sheet.strip() for sheet in found[0]]

    def recover_from(self, sheets, name="found", expect=0, **options):
        files = [self.write(f"sheet-{number}", sheet) for number, sheet in enumerate(sheets)]
        arguments = [word for file in files for word in ("--sheet", file)]
        return self.key("recover", "--name", name, *arguments, "--new-password-file", self.write("new", OTHER), *CHEAP, password=None, expect=expect, **options)

    def test_some_of_several_keepers_open_it_together(self):
        self.backup(self.source)
        sheets = self.shares("2/3")
        self.assertEqual(len(sheets), 3)
        self.assertIn("2 of 3", sheets[1])
        self.assert_says(self.recover_from(sheets[:1], expect=12), "2 sheets are needed together; here are 1")
        self.assert_says(self.recover_from([sheets[0], sheets[0]], expect=12), "twice")
        self.assert_says(self.recover_from([sheets[0], self.shares("2/3")[1]], expect=12), "different sets")
        self.assertEqual(len(self.slots()), 1)
        self.recover_from([sheets[2], sheets[0]])
        self.run_mbu(["restore", "latest", "--target", self.path("back")], password=OTHER)
        trees.assert_same(self, self.source, self.path("back") + self.source)

    def test_shares_are_as_the_format_says(self):
        def times(a, b):
            product = 0
            while b:
                product ^= a if b & 1 else 0
                a = a << 1 ^ (0x11d if a & 0x80 else 0)
                b >>= 1
            return product

        def inverse(a):
            return next(b for b in range(1, 256) if times(a, b) == 1)

        shares = {}
        for sheet in self.shares("3/4")[1:]:
            head, *lines = (mbu_reader.recovery_line(line) for line in re.findall(r"^ *[1-5]: (.*)$", sheet, re.MULTILINE))
            self.assertEqual(head[0], 3)
            shares[head[1]] = b"".join(line[:8] for line in lines)
        self.assertEqual(set(shares), {2, 3, 4})
        root = bytearray(32)
        for x, values in shares.items():
            weight = 1
            for other in shares:
                if other != x:
                    weight = times(weight, times(other, inverse(other ^ x)))
            for i, value in enumerate(values):
                root[i] ^= times(weight, value)
        self.assertEqual(bytes(root), mbu_reader.Repository(self.repo, support.PASSWORD.encode()).keys.root)

    def test_says_which_shares_cannot_be(self):
        for text in ("3", "1/3", "4/3", "2/256", "x/3", "/", "3/"):
            self.assert_says(self.run_mbu(["key", "export-recovery", "--shares", text], expect=2), "--shares")
        self.key("list", "--shares", "2/3", expect=2)

    def test_is_the_owners_and_for_paper(self):
        self.key("export-recovery", expect=2)
        laptop = self.new_writer()
        self.run_mbu(["--credential", laptop, "key", "export-recovery"], password=None, expect=13)


class Writers(Keys):
    def test_adds_snapshots_that_the_owner_reads(self):
        laptop = self.new_writer()
        self.assertEqual(stat.S_IMODE(os.stat(laptop).st_mode), 0o600)
        summary = self.backup_by(laptop)
        listed = self.snapshots()
        self.assertEqual([snapshot["id"] for snapshot in listed], [summary["snapshot_id"]])
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back"))
        self.check()
        self.run_mbu(["check", "--read-data"])

    def test_reads_nothing(self):
        laptop = self.new_writer()
        snapshot = self.backup_by(laptop)["snapshot_id"]
        for arguments in (["snapshots"], ["ls", "latest"], ["restore", "latest", "--target", self.path("back")], ["dump", "latest:/"],
                          ["diff", "latest", "latest"], ["check"], ["cat", "snapshot", snapshot], ["cat", "pack", "0"], ["forget", "latest"],
                          ["-d", self.source], ["key", "add", "--new-password-file", self.write("new", OTHER)],
                          ["key", "passwd", "--new-password-file", self.path("new")], ["key", "remove", "laptop"], ["key", "list"], ["key", "add"],
                          ["key", "new-writer", "--name", "x", "-o", self.path("x")]):
            with self.subTest(command=arguments):
                result = self.by(laptop, arguments, expect=13)
                self.assert_says(result, "owner's password")
        self.assertFalse(os.path.exists(self.path("x")))

    def test_reads_nothing_from_an_empty_repository_either(self):
        laptop = self.new_writer()
        self.by(laptop, ["snapshots"], expect=13)
        self.by(laptop, ["check"], expect=13)

    def test_costs_the_change(self):
        laptop = self.new_writer()
        first = self.backup_by(laptop)
        support.settle()
        again = self.backup_by(laptop)
        self.assertEqual((again["files_unmodified"], again["bytes_read"], again["parent"]),
                         (first["files_new"], 0, first["snapshot_id"]))
        self.assertLess(again["data_added_packed"], 2048)
        trees.write(f"{self.source}/new", b"something new")
        third = self.backup_by(laptop)
        self.assertEqual((third["files_new"], third["files_changed"], third["bytes_read"]), (1, 0, 13))
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back"))
        self.check()

    def test_reads_all_again_without_its_cache_and_stores_nothing_twice(self):
        laptop = self.new_writer()
        trees.write(f"{self.source}/large", os.urandom(3 << 20))
        first = self.backup_by(laptop)
        self.drop_cache()
        again = self.backup_by(laptop)
        self.assertGreater(again["bytes_read"], 3 << 20)
        self.assertLess(again["data_added_packed"], 64 << 10)
        self.assertNotIn("parent", again)
        self.assertEqual(again["total_files_processed"], first["total_files_processed"])
        self.check()

    def test_a_damaged_cache_is_no_cache(self):
        laptop = self.new_writer()
        self.backup_by(laptop)
        for folder, _, names in os.walk(self.cache):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "r+b") as file:
                    data = bytearray(file.read())
                    for at in range(100, len(data), 512):
                        data[at] ^= 0x55
                    file.seek(0)
                    file.write(data)
        self.backup_by(laptop)
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back"))
        self.check()

    def test_domains_share_nothing_unless_told(self):
        trees.write(f"{self.source}/large", os.urandom(2 << 20))
        added = [self.backup_by(self.new_writer(name, *arguments))["data_added_packed"]
                 for name, arguments in (("a", ()), ("b", ()), ("c", ("--domain", "work")), ("d", ("--domain", "work")))]
        self.assertGreater(min(added[:3]), 2 << 20)
        self.assertLess(added[3], 64 << 10)
        self.assertGreater(self.backup(self.source).summary["data_added_packed"], 2 << 20)
        self.assertLess(self.backup_by(self.new_writer("e", "--domain", "main"))["data_added_packed"], 64 << 10)
        slots = self.slots()
        self.assertEqual(slots["c"]["domain"], slots["d"]["domain"])
        self.assertEqual(len({slots[name]["domain"] for name in "abce"}), 4)
        self.assertEqual(len(self.snapshots()), 6)
        for snapshot in self.snapshots():
            target = self.path("back-" + snapshot["short_id"])
            self.run_mbu(["restore", f"{snapshot['id']}:{self.source}", "--target", target])
            trees.assert_same(self, self.source, target)
        self.check()

    def test_differences_between_domains_are_those_of_the_files(self):
        trees.write(f"{self.source}/large", os.urandom(2 << 20))
        one = self.backup(self.source).summary["snapshot_id"]
        two = self.backup_by(self.new_writer())["snapshot_id"]
        result = self.run_mbu(["--json", "diff", one, two])
        self.assertEqual(result.of_type("change"), [])
        trees.write(f"{self.source}/new", b"new")
        three = self.backup_by(self.path("laptop.credential"))["snapshot_id"]
        changes = self.run_mbu(["--json", "diff", one, three]).of_type("change")
        self.assertEqual([(change["modifier"], change["path"]) for change in changes], [("+", f"{self.source}/new")])

    def test_a_removed_writer_adds_nothing_and_loses_nothing(self):
        laptop = self.new_writer()
        kept = self.backup_by(laptop)["snapshot_id"]
        before = self.path("before")
        shutil.copytree(self.repo, before)
        self.key("remove", "laptop")
        self.assertEqual([snapshot["id"] for snapshot in self.snapshots()], [kept])
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back"))
        self.by(laptop, ["backup", self.source], expect=12)
        self.check()
        # Who does not know of it yet goes on, and what that adds does not count.
        trees.write(f"{self.source}/late", b"too late")
        self.run_mbu(["--json", "--credential", laptop, "-r", before, "backup", self.source], password=None)
        shutil.copytree(before, self.repo, dirs_exist_ok=True)
        self.assertEqual([snapshot["id"] for snapshot in self.snapshots()], [kept])
        notes = self.run_mbu(["--json", "check"]).summary["notes"]
        named = {note.split("/")[0] for note in notes if "not accepted: the owner removed its writer laptop" in note}
        self.assertIn(named, ({"data", "snapshots"}, {"data", "snapshots", "index"}), notes)  # an index when two workers made packs
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("again")])
        self.backup(self.source)
        # Unless the owner accepts it afterwards.
        self.key("accept", "nobody", expect=1)
        late = [snapshot["id"] for snapshot in self.key("accept").json]
        self.assertEqual(len(late), 1)
        self.assertEqual([snapshot["id"] for snapshot in self.key("accept", late[0][:12]).json], late)
        self.assertEqual(self.key("accept").json, [])
        self.assertIn(late[0], [snapshot["id"] for snapshot in self.snapshots()])
        self.run_mbu(["restore", f"{late[0]}:{self.source}", "--target", self.path("late")])
        trees.assert_same(self, self.source, self.path("late"))
        self.by(laptop, ["backup", self.source], expect=12)
        self.check()

    def test_its_slot_need_not_be_there_to_be_removed(self):
        laptop = self.new_writer()
        slot = self.slots()["laptop"]
        os.rename(os.path.join(self.repo, "keys", slot["id"]), self.path("elsewhere"))
        self.assertFalse(self.slots()["laptop"]["present"])
        self.key("new-writer", "--name", "laptop", "-o", self.path("x"), expect=2)
        self.key("remove", "laptop")
        self.by(laptop, ["backup", self.source], expect=12)

    def test_packs_that_arrive_after_the_removal_count(self):
        laptop = self.new_writer()
        self.backup_by(laptop)
        data = os.path.join(self.repo, "data")
        os.rename(data, self.path("on the way"))
        os.mkdir(data)
        self.key("remove", "laptop")
        os.rmdir(data)
        os.rename(self.path("on the way"), data)
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back"))
        self.check()

    def test_what_a_writer_plants_in_keys_is_no_credential(self):
        self.new_writer()
        name = next(name for name, slot in self.slots().items() if slot["role"] == "owner")
        own = self.slots()[name]["id"]
        data = bytearray(self.read(os.path.join(self.repo, "keys", own)))
        data[-1] ^= 1
        planted = hashlib.sha256(data).hexdigest()
        self.write(os.path.join(self.repo, "keys", planted), bytes(data))
        self.assertEqual(len(self.slots()), 2)
        self.assert_says(self.key("remove", name, expect=1), "last password")
        self.assertTrue(any(planted in note for note in self.run_mbu(["--json", "check"]).summary["notes"]))
        os.unlink(os.path.join(self.repo, "keys", planted))
        self.check()

    def test_nobody_speaks_for_another(self):
        laptop = self.new_writer()
        own = self.backup(self.source).summary["snapshot_id"]
        trees.write(f"{self.source}/evil", b"evil")
        late = self.backup_by(laptop, "--time", "2031-01-01 00:00:00")["snapshot_id"]
        self.assertEqual(self.run_mbu(["--json", "ls", "latest"]).json[0]["id"], own)
        self.assertEqual(self.run_mbu(["--json", "ls", "latest", "--writer", "laptop"]).json[0]["id"], late)
        self.assertEqual(self.unpackage(self.source, "--json").summary["snapshot_id"], own)
        self.assert_says(self.run_mbu(["snapshots"]), "by laptop")
        self.assertEqual(len(self.run_mbu(["--json", "snapshots", "--latest", "1"]).json), 2)
        self.key("new-writer", "--name", "desk", "-o", self.path("desk"))
        self.backup_by(self.path("desk"))
        self.run_mbu(["forget", own])
        self.assert_says(self.run_mbu(["ls", "latest"], expect=2), "desk", "laptop", "--writer")
        self.assert_says(self.run_mbu(["-d", self.source], expect=2), "desk", "laptop")

    def test_a_chain_that_forks_is_told(self):
        laptop = self.new_writer()
        self.backup_by(laptop)
        state = os.path.join(self.home, ".local/state/mbu")
        shutil.copytree(state, self.path("state"))
        shutil.copytree(self.cache, self.path("cache"))
        self.backup_by(laptop)
        for kept, place in ((self.path("state"), state), (self.path("cache"), self.cache)):
            shutil.rmtree(place)
            shutil.copytree(kept, place)
        self.backup_by(laptop)
        self.assertEqual(len(self.snapshots()), 3)
        notes = self.run_mbu(["--json", "check"]).summary["notes"]
        self.assertTrue(any("cloned" in note for note in notes), notes)

    def test_its_own_password(self):
        laptop = self.new_writer("laptop", "--new-password-file", self.write("new", OTHER), *CHEAP)
        self.assertNotIn(b"\nkey ", self.read(laptop))
        self.backup_by(laptop, password=OTHER)
        self.assert_says(self.by(laptop, ["backup", self.source], password="wrong", expect=12), "wrong password")
        self.by(laptop, ["backup", self.source], expect=12)
        # The repository holds the slot as well: the password alone is enough, and is still a writer's.
        self.run_mbu(["backup", self.source], password=OTHER)
        self.run_mbu(["snapshots"], password=OTHER, expect=13)

    def test_a_credential_that_is_none_says_so(self):
        laptop = self.new_writer()
        text = self.read(laptop).decode()
        for name, content in (("empty", ""), ("other", "ssh-ed25519 AAAA"), ("cut", text[:len(text) // 2]),
                              ("no hex", text.replace("slot 4d", "slot zz")), ("short key", text[:-3] + "\n"),
                              ("flipped", text.replace("key ", "key 0", 1)[:-2] + "\n"), ("unknown", text + "lock 00\n")):
            with self.subTest(name):
                self.by(self.write("bad", content), ["backup", self.source], expect=12)
        self.by(self.path("missing"), ["backup", self.source], expect=12)
        other = self.path("other repository")
        self.run_mbu(["-r", other, "init"])
        self.assert_says(self.by(laptop, ["-r", other, "backup", self.source], expect=12), "another repository")
        self.assertEqual(self.snapshots(), [])

    def test_its_credential_opens_nothing_for_the_reader_of_the_format(self):
        laptop = self.new_writer("laptop", "--new-password-file", self.write("new", OTHER), *CHEAP)
        self.backup_by(laptop, password=OTHER)
        self.backup(self.source)
        reader = mbu_reader.Repository(self.repo, OTHER.encode())
        owner = mbu_reader.Repository(self.repo, support.PASSWORD.encode())
        self.assertEqual(list(reader.snapshots()), [])
        self.assertEqual(len(list(owner.snapshots())), 2)
        blocks = [(pack, block) for pack in owner.packs.values() for block in pack.blocks]
        self.assertGreater(len(blocks), 1)
        for pack, block in blocks:
            owner.block(pack, block)
            with self.assertRaises(objects.Unreadable):
                reader.block(pack, block)

    def test_what_a_writer_can_confirm_by_guessing(self):
        """Whole chunks of his own domain, and nothing of another: docs/THREAT_MODEL.md."""
        laptop = self.new_writer("laptop", "--new-password-file", self.write("new", OTHER), *CHEAP)
        known, owners = os.urandom(6000), os.urandom(6000)  # one chunk each: too long to be inlined, too short to be cut
        trees.write(f"{self.source}/known", known)
        self.backup_by(laptop, password=OTHER)
        os.unlink(f"{self.source}/known")
        trees.write(f"{self.source}/owners", owners)
        self.backup(self.source)
        reader = mbu_reader.Repository(self.repo, OTHER.encode())
        self.assertEqual(len({pack.header.domain for pack in reader.packs.values()}), 1)
        domain = next(iter(reader.packs.values())).header.domain
        listed = {chunk for pack in reader.packs.values() for chunk in pack.places}
        guess = lambda data: reader.keys.domain(domain, 1).chunk_id(objects.DATA, data)  # noqa: E731
        self.assertIn(guess(known), listed)
        self.assertNotIn(guess(known[:-1] + b"?"), listed)
        self.assertNotIn(guess(owners), listed)
        with self.assertRaises(objects.Unreadable):
            reader.keys.domain(objects.MAIN, 1)

    def test_a_service_makes_no_repository_of_its_own(self):
        os.rename(self.new_writer(), self.path("mbu.credential"))
        self.write("mbu.password", OTHER)
        os.rename(self.repo, self.path("away"))
        shutil.rmtree(os.path.join(self.home, ".local/state/mbu"))
        self.run_mbu(["-o", self.source], password=None, env={"CREDENTIALS_DIRECTORY": self.path()}, expect=10)
        self.assertFalse(os.path.exists(self.repo))

    def test_a_writer_cannot_make_a_name_ambiguous(self):
        other = trees.make_plain(os.path.join(self.path(), "elsewhere"), files=1)
        os.rename(other, self.path("elsewhere2"))
        os.makedirs(self.path("x"))
        os.rename(self.path("elsewhere2"), self.path("x", "tree"))
        self.backup(self.source)
        self.by(self.new_writer(), ["backup", self.path("x", "tree")])
        self.run_mbu(["-d", "tree"])
        trees.assert_same(self, self.source, os.path.join(self.restored, "tree"))

    def test_packs_that_others_lean_on_stay_when_their_writer_goes(self):
        trees.write(f"{self.source}/large", os.urandom(2 << 20))
        first = self.new_writer("first", "--domain", "fleet")
        second = self.new_writer("second", "--domain", "fleet")
        copy = self.path("copy")
        shutil.copytree(self.repo, copy)
        snapshot = self.by(first, ["-r", copy, "backup", self.source]).summary["snapshot_id"]
        self.by(second, ["-r", copy, "backup", self.source])
        os.unlink(os.path.join(copy, "snapshots", snapshot))
        shutil.copytree(copy, self.repo, dirs_exist_ok=True)
        self.key("remove", "first")
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back"))
        self.check()

    def test_another_machine_has_a_chain_of_its_own(self):
        laptop = self.new_writer()
        self.backup_by(laptop)
        self.backup(self.source)
        self.backup_by(laptop)
        chains = {}
        for snapshot in self.snapshots():
            chains.setdefault((snapshot["writer"], snapshot["instance"]), []).append(snapshot["number"])
        self.assertEqual(sorted(chains.values()), [[1], [1, 2]])


class Stores(Keys):
    """What a store can do that has no key, and what it can see."""

    def test_one_that_goes_back_to_an_older_state_is_noticed(self):
        self.backup(self.source)
        shutil.copytree(self.repo, self.path("older"))
        trees.write(f"{self.source}/fresh", b"1")
        self.backup(self.source)
        shutil.rmtree(self.repo)
        os.rename(self.path("older"), self.repo)
        said = self.run_mbu(["snapshots"])
        self.assert_says(said, "snapshots/")
        self.assert_says(said, "gone")
        self.assert_says(self.run_mbu(["restore", "latest", "--target", self.path("back")]), "gone")
        self.assert_says(self.run_mbu(["check"], expect=20), "is missing: it was here before")
        self.assert_says(self.run_mbu(["backup", self.source]), "gone")
        memory = re.search(r"remove (/\S+/seen-at-[0-9a-f]+)", said.err).group(1)
        os.unlink(memory)
        self.assertNotIn("gone", self.run_mbu(["snapshots"]).err)

    def test_a_copy_elsewhere_may_be_behind(self):
        self.backup(self.source)
        copy = shutil.copytree(self.repo, self.path("copy"))
        trees.write(f"{self.source}/fresh", b"1")
        self.backup(self.source)
        self.assertNotIn("gone", self.run_mbu(["-r", copy, "snapshots"]).err)
        self.run_mbu(["-r", copy, "check"])

    def test_what_somebody_planted_may_go_again(self):
        self.backup(self.source)
        planted = [os.path.join(self.repo, folder, hashlib.sha256(b"rubbish").hexdigest()) for folder in ("state", "snapshots", "keys")]
        for path in planted:
            self.write(path, b"rubbish")
        self.run_mbu(["snapshots"], expect=20)
        self.run_mbu(["check"], expect=20)
        for path in planted:
            os.unlink(path)
        self.assertNotIn("gone", self.run_mbu(["snapshots"]).err)
        self.run_mbu(["check"])

    def test_one_that_hides_a_rotation_gets_no_second_one(self):
        before = set(os.listdir(os.path.join(self.repo, "state")))
        self.key("rotate")
        (statement,) = set(os.listdir(os.path.join(self.repo, "state"))) - before
        os.rename(os.path.join(self.repo, "state", statement), self.path("hidden"))
        self.assert_says(self.key("rotate", expect=1), "is gone")
        os.rename(self.path("hidden"), os.path.join(self.repo, "state", statement))
        self.assertEqual(self.key("rotate").of_type("keys_rotated")[0]["generation"], 3)

    def test_one_that_withholds_what_the_owner_said_is_noticed(self):
        self.backup(self.source)
        snapshot = self.snapshots()[0]["id"]
        before = set(os.listdir(os.path.join(self.repo, "state")))
        self.run_mbu(["forget", snapshot])
        self.assertNotIn("gone", self.run_mbu(["snapshots"]).err)
        (statement,) = set(os.listdir(os.path.join(self.repo, "state"))) - before
        os.unlink(os.path.join(self.repo, "state", statement))
        self.assert_says(self.run_mbu(["snapshots"]), f"state/{statement} is gone")

    def test_what_was_forgotten_may_go(self):
        for number in range(2):
            trees.write(f"{self.source}/fresh", b"%d" % number)
            self.backup(self.source)
        first = self.snapshots()[0]["id"]
        self.run_mbu(["forget", first])
        os.unlink(os.path.join(self.repo, "snapshots", first))
        self.assertNotIn("gone", self.run_mbu(["snapshots"]).err)

    def test_two_repositories_have_nothing_in_common(self):
        """The same password and the same files: no object, no piece of ciphertext, no id."""
        other = self.path("other")
        self.run_mbu(["-r", other, "init", *CHEAP])
        for repository in (self.repo, other):
            self.run_mbu(["-r", repository, "backup", self.source])
        one, two = (mbu_reader.Repository(path, support.PASSWORD.encode()) for path in (self.repo, other))
        chunks = [{chunk for pack in reader.packs.values() for chunk in pack.places} for reader in (one, two)]
        self.assertGreater(len(chunks[0]), 2)
        self.assertEqual(chunks[0] & chunks[1], set())

        def pieces(repository):
            found = set()
            for name in self.objects(repository):
                data = self.read(os.path.join(repository, name))
                found |= {data[at:at + 16] for at in range(len(data) - 15)}
            return found

        # But for what every repository has: magics, and versions and lengths, which are mostly zeros.
        self.assertEqual({piece for piece in pieces(self.repo) & pieces(other) if len(set(piece)) > 8 and b"MBU" not in piece}, set())

    def test_sizes_of_chunks_take_the_index_key(self):
        """Tables of contents open with the key of their domain alone. (What a pack's own size tells is padded: unit_format, unit_repo.)"""
        self.new_writer("laptop", "--new-password-file", self.write("new", OTHER), *CHEAP)
        self.source = self.path("one")
        os.mkdir(self.source)
        trees.write(f"{self.source}/secret", os.urandom(100_000))
        self.backup(self.source)
        self.assertEqual(mbu_reader.Repository(self.repo, OTHER.encode()).packs, {})
        owner = mbu_reader.Repository(self.repo, support.PASSWORD.encode())
        lengths = {place[2] for pack in owner.packs.values() for places in pack.places.values() for place in places if place[2] > 10_000}
        self.assertGreater(len(lengths), 0)
        for name in owner.packs:
            data = self.read(os.path.join(self.repo, name))
            for length in lengths:
                self.assertNotIn(length.to_bytes(4, "little"), data)


class Rotation(Keys):
    """`key rotate`: a new generation of keys for what is written from then on."""

    def reader(self, password=support.PASSWORD):
        return mbu_reader.Repository(self.repo, password.encode())

    def generations(self):
        """Of keys, of the packs that there are."""
        return {pack.header.generation for pack in self.reader().packs.values()}

    def assert_all_comes_back(self):
        self.run_mbu(["check", "--read-data"])
        reader = self.reader()
        self.assertEqual(len(list(reader.snapshots())), len(self.snapshots()))
        self.assertEqual([str(damage) for damage in reader.damage], [])
        self.run_mbu(["restore", "latest", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back") + self.source)

    def test_new_data_goes_under_new_keys_and_old_stays(self):
        self.backup(self.source)
        self.assertEqual(self.generations(), {1})
        old = {name for name in self.objects() if not name.startswith("state/")}
        said = self.key("rotate")
        self.assertEqual(said.of_type("keys_rotated")[0]["generation"], 2)
        self.assertEqual(len(said.of_type("keys_rotated")[0]["granted"]), 1)
        trees.write(f"{self.source}/fresh", os.urandom(6000))
        summary = self.backup(self.source).summary
        self.assertEqual((summary["files_new"], summary["files_changed"]), (1, 0))
        self.assertLess(summary["data_added"], 20_000)
        self.assertEqual(self.generations(), {1, 2})
        self.assertLessEqual(old, set(self.objects()))
        self.assertEqual(self.key("rotate").of_type("keys_rotated")[0]["generation"], 3)
        self.backup(self.source, "--force")
        self.assert_all_comes_back()

    def test_says_what_it_does_not_protect(self):
        self.assert_says(self.run_mbu(["key", "rotate"]), "only a new repository helps")

    def test_writers_are_given_it(self):
        laptop = self.new_writer()
        self.backup_by(laptop)
        self.key("rotate")
        trees.write(f"{self.source}/fresh", os.urandom(6000))
        summary = self.backup_by(laptop)
        self.assertEqual((summary["files_new"], summary["bytes_read"]), (1, 6000))
        self.assertEqual(self.generations(), {1, 2})
        shutil.rmtree(self.cache)
        self.assertLess(self.backup_by(laptop)["data_added"], self.size_of())
        self.assert_all_comes_back()

    def test_the_credential_of_a_removed_writer_is_worth_nothing_for_what_comes_after(self):
        """He shared the owner's domain, and could confirm guesses there."""
        self.new_writer("laptop", "--domain", "main", "--new-password-file", self.write("new", OTHER), *CHEAP)
        kept = shutil.copytree(self.path(self.repo, "keys"), self.path("kept"))
        self.key("remove", "laptop")
        self.key("rotate")
        secret = os.urandom(6000)
        trees.write(f"{self.source}/secret", secret)
        self.backup(self.source)
        shutil.copytree(kept, os.path.join(self.repo, "keys"), dirs_exist_ok=True)
        thief = self.reader(OTHER)
        with self.assertRaises(objects.Unreadable):
            thief.keys.domain(objects.MAIN, 2)
        self.assertEqual(thief.packs, {})
        guess = thief.keys.domain(objects.MAIN, 1).chunk_id(objects.DATA, secret)
        owner = self.reader()
        self.assertNotIn(guess, {chunk for pack in owner.packs.values() for chunk in pack.places})
        self.assertIn(owner.keys.domain(objects.MAIN, 2).chunk_id(objects.DATA, secret), {chunk for pack in owner.packs.values() for chunk in pack.places})

    def test_who_joins_later_gets_along_without_the_old_keys(self):
        self.backup(self.source)
        self.key("rotate")
        laptop = self.new_writer("laptop", "--domain", "main")
        self.backup_by(laptop)
        self.assertEqual(self.backup_by(laptop)["files_new"], 0)
        self.assert_all_comes_back()

    def test_a_statement_that_has_not_arrived_leaves_a_writer_with_the_old_keys(self):
        laptop = self.new_writer()
        self.backup_by(laptop)
        before = set(os.listdir(os.path.join(self.repo, "state")))
        self.key("rotate")
        (statement,) = set(os.listdir(os.path.join(self.repo, "state"))) - before
        os.rename(os.path.join(self.repo, "state", statement), self.path("late"))
        trees.write(f"{self.source}/fresh", b"1")
        self.backup_by(laptop)
        self.assertEqual(self.generations(), {1})
        os.rename(self.path("late"), os.path.join(self.repo, "state", statement))
        trees.write(f"{self.source}/fresher", b"2")
        self.backup_by(laptop)
        self.assertEqual(self.generations(), {1, 2})
        self.assert_all_comes_back()

    def test_names_of_one_file_stay_together(self):
        for name in ("a", "b"):
            os.mkdir(f"{self.source}/{name}")
        trees.write(f"{self.source}/a/x", b"linked")
        os.link(f"{self.source}/a/x", f"{self.source}/b/x")
        self.backup(self.source)
        self.key("rotate")
        os.rename(f"{self.source}/b", f"{self.source}/c")
        self.backup(self.source)
        self.run_mbu(["restore", "latest", "--target", self.path("back")])
        self.assertEqual(os.stat(self.path("back") + f"{self.source}/c/x").st_nlink, 2)

    def test_nobody_is_left_out_silently(self):
        self.new_writer()
        name = self.slots()["laptop"]["id"]
        os.unlink(os.path.join(self.repo, "keys", name))
        self.assert_says(self.key("rotate", expect=1), "laptop")
        self.key("remove", "laptop")
        self.key("rotate")

    def test_is_the_owners(self):
        self.assert_says(self.by(self.new_writer(), ["key", "rotate"], expect=13), "owner")

    def test_the_recovery_sheet_opens_every_generation(self):
        self.backup(self.source)
        sheet = self.write("sheet", self.run_mbu(["key", "export-recovery"]).stdout)
        self.key("rotate")
        trees.write(f"{self.source}/fresh", b"1")
        self.backup(self.source)
        shutil.rmtree(os.path.join(self.repo, "keys"))
        os.mkdir(os.path.join(self.repo, "keys"))
        self.run_mbu(["key", "recover", "--sheet", sheet, "--new-password-file", self.write("new", OTHER), *CHEAP], password=None)
        self.run_mbu(["restore", "latest", "--target", self.path("back")], password=OTHER)
        trees.assert_same(self, self.source, self.path("back") + self.source)


class Watching(WatchTest):
    def generations(self):
        reader = mbu_reader.Repository(self.repo, support.PASSWORD.encode())
        return {pack.header.generation for pack in reader.packs.values()}

    def check_that_a_watcher_goes_over(self, **options):
        watcher = self.watch(**options)
        watcher.ready()
        self.run_mbu(["key", "rotate"])
        trees.write(f"{self.source}/second", os.urandom(6000))
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        self.run_mbu(["key", "rotate"])
        trees.write(f"{self.source}/third", os.urandom(6000))
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0, watcher.said())
        self.assertEqual(self.generations(), {1, 2, 3})
        self.assert_last_snapshot_is_the_tree()
        self.check()

    def test_one_that_is_given_none_says_so(self):
        """Its password has been changed meanwhile."""
        watcher = self.watch()
        watcher.ready()
        self.run_mbu(["key", "passwd", "--new-password-file", self.write("new", OTHER), *CHEAP])
        self.run_mbu(["key", "rotate"], password=OTHER)
        trees.write(f"{self.source}/second", b"2")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end()
        self.assertIn("start it again", watcher.said())

    def test_an_owners_watcher_is_given_new_keys_though_it_has_forgotten_the_secret(self):
        self.check_that_a_watcher_goes_over()

    def test_a_writers_watcher_is_given_new_keys(self):
        credential = self.path("laptop.credential")
        self.run_mbu(["key", "new-writer", "--name", "laptop", "-o", credential])
        self.check_that_a_watcher_goes_over(env={"MBU_CREDENTIAL": credential})

    def test_a_writers_watcher(self):
        credential = self.path("laptop.credential")
        self.run_mbu(["key", "new-writer", "--name", "laptop", "-o", credential])
        os.mkdir(f"{self.source}/below")
        trees.write(f"{self.source}/below/first", b"123")
        environment = {"MBU_CREDENTIAL": credential}
        support.settle()
        watcher = self.watch(env=environment)
        watcher.ready()
        trees.write(f"{self.source}/second", b"2")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end(9)
        trees.write(f"{self.source}/third", b"3")
        support.settle()
        watcher = self.watch(env=environment)
        first = watcher.ready()
        self.assertEqual((first["files_new"], first["bytes_read"]), (1, 2), "after kill -9 only the directory that has changed is read")
        trees.write(f"{self.source}/fourth", b"4")
        self.assertIsNotNone(watcher.next("summary"), watcher.said())
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0, watcher.said())
        self.assert_last_snapshot_is_the_tree()
        self.check()

    def test_a_removed_writers_watcher_ends(self):
        credential = self.path("laptop.credential")
        self.run_mbu(["key", "new-writer", "--name", "laptop", "-o", credential])
        watcher = self.watch(env={"MBU_CREDENTIAL": credential})
        watcher.ready()
        self.run_mbu(["key", "remove", "laptop"])
        trees.write(f"{self.source}/late", b"x")
        self.assertEqual(watcher.process.wait(30), 13)
        watcher.join()
        self.assertIn(b"removed", watcher.stderr)
        self.assertEqual(len(self.snapshots()), 1)


if __name__ == "__main__":
    support.main()
