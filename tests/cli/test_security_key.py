#!/usr/bin/python3
"""FIDO2 security keys that open a repository, with an authenticator in software.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_security_key.py -v`.
"""

import os
import sys

import authenticator
import support
import trees

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "reader"))
import objects  # noqa: E402

CHEAP = ("--kdf-memory", "8M", "--kdf-time", "3")


class SecurityKey(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = trees.make_plain(self.path("tree"), files=3)

    def device(self, name="device", **options):
        device = authenticator.Authenticator(self.path(name), **options)
        self.addCleanup(device.close)
        return device

    def by(self, device, arguments, password=None, **options):
        return self.run_mbu(["--json", "--security-key", "--security-key-device", device.device, *arguments], password=password, **options)

    def add(self, device, *arguments, **options):
        return self.run_mbu(["--json", "--security-key-device", device.device, *arguments, "key", "add", "--on-security-key", "--name", "key"], **options)

    def test_opens_what_it_was_added_to(self):
        device = self.device()
        added = self.add(device).of_type("key_added")[0]
        self.assertEqual((added["kdf"], added["role"]), ("fido2", "owner"))
        self.assertEqual(device.touches, 2)
        self.by(device, ["backup", self.source])
        self.by(device, ["restore", "latest", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back") + self.source)
        self.assertEqual(device.touches, 4)
        self.run_mbu(["snapshots"])
        self.run_mbu(["snapshots"], password="wrong", expect=12)
        self.check()
        self.assertIn("a security key", self.run_mbu(["key", "list"]).out)
        self.assertIn("fido2-hmac-secret", self.run_mbu(["cat", "slot", added["id"]]).out)

    def test_another_one_opens_nothing(self):
        self.add(self.device())
        self.assert_says(self.by(self.device("other"), ["snapshots"], expect=12), "this security key")
        self.assert_says(self.by(self.device("third"), ["snapshots"], password="wrong", expect=12), "this security key")

    def test_one_with_a_pin_wants_it(self):
        device = self.device(pin="1234")
        self.assert_says(self.add(device, expect=12), "PIN")
        self.add(device, "--security-key-pin-file", self.write("pin", "1234\n"))
        self.by(device, ["--security-key-pin-file", self.path("pin"), "snapshots"])
        self.assert_says(self.by(device, ["snapshots"], expect=12), "PIN")
        self.assert_says(self.by(device, ["--security-key-pin-file", self.write("wrong", "4321"), "snapshots"], expect=12), "wrong PIN")

    def test_several_do_not_disturb_each_other(self):
        """Keys with a PIN and without; slots in whatever order."""
        devices = [self.device(f"device-{number}", pin="1234" if number % 2 else None) for number in range(4)]
        pin = ("--security-key-pin-file", self.write("pin", "1234"))
        for number, device in enumerate(devices):
            self.run_mbu(["--json", "--security-key-device", device.device, *(pin if device.pin else ()), "key", "add", "--on-security-key", "--name", str(number)])
        for device in devices:
            before = device.touches
            self.by(device, [*(pin if device.pin else ()), "snapshots"])
            self.assertEqual(device.touches - before, 1)

    def test_what_is_planted_keeps_nobody_out(self):
        device = self.device()
        added = self.add(device).of_type("key_added")[0]
        keys = os.path.join(self.repo, "keys")
        good = self.read(os.path.join(keys, added["id"]))
        label, wrapped = (int.from_bytes(good[at:at + 2], "little") for at in (104, 106))
        longest = good[:108] + (1024).to_bytes(2, "little") + good[110:112 + label] + bytes(1024) + good[-wrapped:]
        for planted in (good[:8] + bytes([good[8] ^ 1]) + good[9:], longest, b"no slot"):
            self.write(os.path.join(keys, objects.H(planted).hex()), planted)
        self.by(device, ["ls", "latest"], expect=1)  # opened: there is no snapshot
        self.assertEqual(device.touches, 3)

    def test_keeps_no_password_on_a_desktop(self):
        device = self.device()
        self.add(device)
        self.assert_says(self.by(device, ["key", "unlock", "--desktop"], expect=2), "it took none")

    def test_one_that_was_removed_opens_nothing(self):
        device = self.device()
        self.add(device)
        keys = os.path.join(self.repo, "keys")
        kept = {name: self.read(os.path.join(keys, name)) for name in os.listdir(keys)}
        self.run_mbu(["key", "remove", "key"])
        self.assert_says(self.by(device, ["snapshots"], expect=12), "this security key")
        for name, data in kept.items():
            self.write(os.path.join(keys, name), data)
        self.assert_says(self.by(device, ["snapshots"], expect=12), "removed")

    def test_may_be_the_last_access(self):
        device = self.device()
        self.add(device)
        name = next(slot["name"] for slot in self.run_mbu(["--json", "key", "list"]).json if slot["name"] != "key")
        self.by(device, ["key", "remove", name])
        self.assert_says(self.run_mbu(["snapshots"], expect=12), "takes a security key")
        self.by(device, ["snapshots"])
        self.assert_says(self.by(device, ["key", "remove", "key"], expect=1), "last password")
        self.by(device, ["key", "add", "--name", "again", "--new-password-file", self.write("new", "another"), *CHEAP])
        self.run_mbu(["snapshots"], password="another")

    def test_has_no_password_to_change(self):
        device = self.device()
        self.add(device)
        self.assert_says(self.by(device, ["key", "passwd", "--new-password-file", self.write("new", "another"), *CHEAP], expect=2), "no password to change")
        self.run_mbu(["snapshots"])

    def test_says_what_is_wrong_with_it(self):
        self.assert_says(self.add(self.device(extension=False), expect=1), "hmac-secret")
        broken = self.device("gone")
        broken.device += "-nowhere"
        self.assert_says(self.add(broken, expect=1), "cannot be opened")
        for wrong in (["key", "passwd", "--on-security-key"], ["key", "list", "--desktop"]):
            self.run_mbu(wrong, expect=2)

    def test_the_slot_is_as_the_format_says(self):
        """Its secret by the authenticator's own arithmetic, and what that opens by the independent reader's."""
        device = self.device()
        added = self.add(device).of_type("key_added")[0]
        config = self.read(os.path.join(self.repo, "config"))
        slot = self.read(os.path.join(self.repo, "keys", added["id"]))
        label, wrapped, credential = (int.from_bytes(slot[at:at + 2], "little") for at in (104, 106, 108))
        self.assertEqual(len(slot), 112 + label + credential + wrapped)
        self.assertEqual((slot[41], slot[44:52], slot[110:112]), (3, bytes(8), bytes(2)))
        identity = slot[112 + label:112 + label + credential]
        salt = objects.derive("mbu v1 fido2 salt", objects.H(config) + slot[56:72])
        secret = authenticator.mac(authenticator.mac(device.master, b"touched") + identity, salt)
        plain = objects.gcm_decrypt(objects.derive("mbu v1 slot key", secret), bytes(12), objects.H(slot[:-wrapped]), slot[-wrapped:], "slot", "secret")
        self.assertEqual(len(plain), 64)
        self.assertEqual(objects.OwnerKeys(plain[:32], config[16:48]).owner_public, config[48:80])


if __name__ == "__main__":
    support.main()
