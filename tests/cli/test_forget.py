#!/usr/bin/python3
"""What forgetting takes away, and what it must not.

Run as `MBU_BINARY=…/mbu /usr/bin/python3 tests/cli/test_forget.py -v`.
"""

import os
import sys
import time

import support
import trees
from watching import WatchTest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "reader"))
import mbu_reader  # noqa: E402


class Forget(support.MbuTest):
    def setUp(self):
        super().setUp()
        self.init()
        self.source = trees.make_plain(self.path("tree"), files=5)

    def make(self, *times, arguments=()):
        """One snapshot for each of the times: their ids."""
        ids = []
        for when in times:
            trees.write(f"{self.source}/changing", when.encode())
            ids.append(self.backup("--time", when, *arguments, self.source).summary["snapshot_id"])
        return ids

    def listed(self):
        return [snapshot["id"] for snapshot in self.snapshots()]

    def forget(self, *arguments, **options):
        return self.run_mbu(["forget", *arguments], **options)

    def test_by_name(self):
        ids = self.make("2026-01-01 10:00:00", "2026-01-01 11:00:00", "2026-01-01 12:00:00")
        result = self.forget(ids[1][:10], "latest")
        self.assert_says(result, "forgot 2 snapshots", ids[1][:8])
        self.assertEqual(self.listed(), [ids[0]])
        self.run_mbu(["ls", ids[1][:10]], expect=1)
        self.assertEqual(self.run_mbu(["--json", "ls", "latest"]).json[0]["id"], ids[0])
        self.forget(ids[1][:10], expect=1)
        self.check()

    def test_by_rules(self):
        ids = self.make("2026-01-01 10:00:00", "2026-01-01 10:30:00", "2026-01-02 09:00:00", "2026-01-02 10:00:00", "2026-01-02 10:01:00")
        dry = self.forget("--keep-daily", "7", "--keep-last", "2", "-n")
        self.assert_says(dry, "would forget 2 snapshots, 3 kept")
        self.assertEqual(self.listed(), ids)
        groups = self.run_mbu(["--json", "forget", "--keep-daily", "7", "--keep-last", "2"]).json
        self.assertEqual(len(groups), 1)
        self.assertEqual([s["id"] for s in groups[0]["keep"]], [ids[4], ids[3], ids[1]])
        self.assertEqual([s["id"] for s in groups[0]["remove"]], [ids[2], ids[0]])
        self.assertEqual(groups[0]["reasons"][0], {"snapshot": groups[0]["keep"][0], "matches": ["last snapshot", "daily snapshot"]})
        self.assertEqual(self.listed(), [ids[1], ids[3], ids[4]])
        self.assert_says(self.forget("--keep-within", "1m"), "forgot 0 snapshots, 3 kept")
        self.check()

    def test_groups(self):
        self.make("2026-01-01 10:00:00", "2026-01-01 11:00:00", arguments=["--host", "a"])
        self.make("2026-01-01 10:00:00", "2026-01-01 11:00:00", arguments=["--host", "b", "--tag", "x"])
        self.assert_says(self.forget("--keep-last", "1", "-n"), "would forget 2 snapshots, 2 kept")
        self.assert_says(self.forget("--keep-last", "1", "-n", "--group-by", ""), "would forget 3 snapshots, 1 kept")
        self.assert_says(self.forget("--keep-last", "1", "-n", "--group-by", "tags"), "would forget 2 snapshots, 2 kept")
        self.assert_says(self.forget("--keep-last", "1", "-n", "--keep-tag", "x"), "would forget 1 snapshot, 3 kept")
        self.assert_says(self.forget("--keep-last", "1", "-n", "--host", "a"), "would forget 1 snapshot, 1 kept")

    def test_says_what_is_wrong(self):
        self.make("2026-01-01 10:00:00")
        self.assert_says(self.forget(expect=2), "nothing says which snapshots to keep")
        self.assert_says(self.forget("latest", "--keep-last", "1", expect=2), "not both")
        self.forget("--keep-last", "x", expect=2)
        self.assert_says(self.forget("--keep-within", "7q", expect=2), "--keep-within wants")
        self.assert_says(self.forget("--group-by", "moon", expect=2), "--group-by wants")
        self.assertEqual(len(self.listed()), 1)

    def test_the_next_backup_still_costs_the_change(self):
        trees.write(f"{self.source}/changing", b"changing")
        support.settle()
        last = self.backup(self.source).summary["snapshot_id"]
        self.forget(last)
        summary = self.backup(self.source).summary
        self.assertEqual((summary["files_unmodified"], summary["bytes_read"], summary.get("parent")), (8, 0, last))
        self.run_mbu(["restore", f"latest:{self.source}", "--target", self.path("back")])
        trees.assert_same(self, self.source, self.path("back"))
        self.check()

    def test_the_reader_of_the_format_agrees(self):
        ids = self.make("2026-01-01 10:00:00", "2026-01-01 11:00:00")
        self.forget(ids[0])
        repository = mbu_reader.Repository(self.repo, support.PASSWORD.encode())
        current = [snapshot.name.hex() for snapshot in repository.snapshots() if not snapshot.forgotten]
        self.assertEqual(current, ids[1:])


class Keep(WatchTest):
    """`[watcher] keep`"""

    def keeping(self, policy):
        config = self.write("keep.toml", f'[packer]\npackage_directory = "{self.repo}"\n[watcher]\nkeep = "{policy}"\n')
        os.chmod(config, 0o600)
        return config

    def test_wants_the_owners_keys(self):
        result = self.run_mbu(["-c", self.keeping("1h all"), "watch", self.source], expect=2)
        self.assert_says(result, "--keep-owner", "keep")
        result = self.run_mbu(["-c", self.keeping("1h all"), "-w", self.source], expect=2)
        self.assert_says(result, "--keep-owner")
        self.assertEqual(self.snapshots(), [])

    def test_a_wrong_policy_is_named(self):
        result = self.run_mbu(["-c", self.keeping("1h sometimes"), "watch", self.source], expect=2)
        self.assert_says(result, "watcher.keep must be a policy", "line 4")

    def test_thins_out_what_it_makes(self):
        other = trees.make_plain(self.path("other"), files=2)
        kept = self.backup(other).summary["snapshot_id"]
        for number in range(3):  # of the same series, before it starts
            trees.write(f"{self.source}/before", b"%d" % number)
            self.backup("--time", f"2020-01-0{number + 1} 10:00:00", self.source)
        watcher = self.watch("--keep-owner", config=self.keeping("5s all"))
        self.assertIsNotNone(watcher.next("ready"), watcher.said())
        self.assertTrue(watcher.lines[-1]["keeps_owner"])
        made = [watcher.next("summary")["snapshot_id"]]
        end = time.monotonic() + 9
        while time.monotonic() < end:
            trees.write(f"{self.source}/changing", b"%f" % time.monotonic())
            made.append(watcher.next("summary")["snapshot_id"])
        watcher.end()
        self.assertEqual(watcher.process.returncode, 0, watcher.said())
        listed = [snapshot["id"] for snapshot in self.snapshots()]
        self.assertIn(kept, listed)
        self.assertIn(made[-1], listed)
        self.assertNotIn(made[0], listed)
        here = [snapshot for snapshot in listed if snapshot != kept]
        self.assertEqual(here, made[-len(here):], "the newest of the series stay, and nothing else of it")
        self.assertLess(len(here), len(made))
        self.check()
        self.assert_last_snapshot_is_the_tree()


if __name__ == "__main__":
    support.main()
