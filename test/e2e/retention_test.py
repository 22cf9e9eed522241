# SPDX-License-Identifier: Apache-2.0
"""Old records go under a promise that is published, and whoever reads the journal still can."""

import base64
import hashlib
import hmac
import json
import os
import struct
import time
import unittest

from hanse_node import Node, main, run_hanse, wait_until
from mock_upstream import MockUpstream

DAY = 24 * 3600
SEGMENT = 4096  # records in one file


def frame(index: int, when: float, text: bytes) -> bytes:
    """A record as src/journal/include/journal/record_store.hpp describes its bytes."""
    milliseconds = int(when * 1000)
    identifier = milliseconds.to_bytes(6, "big") + os.urandom(10)
    record = text.replace(b"@", b"hr_" + identifier.hex().encode())
    salt = os.urandom(32)
    head = struct.pack("<4sIQQQ16s32s32sQ", b"HNSJ", len(record), index, 0, milliseconds, identifier, salt, hmac.new(salt, record, hashlib.sha256).digest(), 0)
    whole = head + hashlib.sha256(head).digest()[:8] + record
    return whole + bytes(-len(whole) % 128)


def old_journal(node: Node, count: int, days: int) -> None:
    """Records of so many days ago, as a node of that time left them."""
    folder = node.data / "journal" / "records"
    folder.mkdir(parents=True)
    began = time.time() - days * DAY
    for first in range(0, count, SEGMENT):
        with open(folder / f"{first // SEGMENT:010}", "wb") as out:
            for index in range(first, min(count, first + SEGMENT)):
                when = began + index / 100
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + ".000Z"
                out.write(frame(index, when, f'{{"id":"@","kind":"answer","node":"old","outcome":"finished","time":"{stamp}","v":1}}'.encode()))


def exported(node: Node, *arguments: str) -> list[dict]:
    out = node.command("journal", "export", *arguments)
    assert out.returncode == 0, out.stderr
    return [json.loads(line) for line in out.stdout.splitlines()]


class Retention(unittest.TestCase):
    def setUp(self):
        self.mock = MockUpstream()
        self.mock.__enter__()
        self.addCleanup(self.mock.__exit__, None, None, None)

    def node(self, **journal) -> Node:
        node = Node(models=[], upstreams=[{"name": "elsewhere", "url": self.mock.url, "renamed": {"small": "there"}}], journal=journal)
        self.addCleanup(node.__exit__)
        return node

    def sound(self, node: Node) -> dict:
        def look():
            out = node.command("journal", "check", "--json")
            return json.loads(out.stdout) if out.returncode == 0 else None
        return wait_until(look, "a sound log", 20)

    def test_what_is_older_than_promised_goes_by_itself_and_everything_else_still_works(self):
        node = self.node(retention="200d")
        old_journal(node, 2 * SEGMENT + 10, 300)
        node.start()
        wait_until((node.data / "journal" / "pruned").exists, "the journal to be pruned", 30)
        checked = self.sound(node)
        self.assertEqual(checked["pruned"], 2 * SEGMENT)
        said = node.command("journal", "check")
        self.assertIn(f"The records before entry {2 * SEGMENT} were removed on purpose", said.stdout)
        files = sorted(path.name for path in (node.data / "journal" / "records").iterdir() if not path.name.endswith(".index"))
        self.assertEqual(files, [f"{2:010}"])
        # Reading begins with the first that is kept.
        lines = exported(node)
        self.assertEqual(lines[0]["index"], 2 * SEGMENT)
        self.assertEqual([line["index"] for line in lines], list(range(2 * SEGMENT, 2 * SEGMENT + len(lines))))
        pruned = [line["record"] for line in lines if line["record"]["kind"] == "pruned"]
        self.assertEqual([(each["minimum"], each["days"]) for each in pruned], [(2 * SEGMENT, 200)])
        answer = node.chat()
        receipt = answer.headers["Hanse-Receipt"]
        self.assertIn(receipt, node.command("journal", "tail", "-n", "3").stdout)
        self.assertEqual(len(node.command("journal", "tail", "-n", "5").stdout.splitlines()), 5)
        self.assertEqual(node.command("journal", "show", receipt).returncode, 0)
        self.assertEqual(node.command("journal", "search", "--kind", "pruned").returncode, 0)
        gone = node.command("journal", "show", "hr_" + "0" * 32)
        self.assertEqual(gone.returncode, 5)
        self.assertIn(f"before entry {2 * SEGMENT}", gone.stderr)
        # A receipt of a record that is left leads through the tiles of what is gone.
        left = lines[3]["record"]["id"]
        made = wait_until(lambda: (lambda out: out.stdout if out.returncode == 0 else None)(node.command("journal", "receipt", left)), "a checkpoint", 20)
        said = run_hanse("receipt", "verify", "-", stdin=None, input=made, environment={"HANSE_DATA": str(node.data)})
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertEqual(node.ask("GET", "/v1/hanse/receipts/" + receipt).status, 200)
        # The promise is public, and what is gone is gone there too.
        public = node.ask("GET", "/journal/pruned").body.decode()
        self.assertIn(f"minimum {2 * SEGMENT}\ndays 200\n", public)
        self.assertEqual(node.ask("GET", "/journal/tile/entries/000").status, 404)
        self.assertEqual(node.ask("GET", "/journal/tile/0/000").status, 200)
        self.assertEqual(node.metric("hanse_journal_pruned_entries"), 2 * SEGMENT)
        # After a restart the same.
        node.terminate()
        node.wait()
        node.start()
        self.assertEqual(self.sound(node)["pruned"], 2 * SEGMENT)

    def test_the_command_prunes_with_and_without_a_node_and_never_below_six_months_or_the_promise(self):
        node = self.node()
        old_journal(node, SEGMENT + 5, 300)
        node.start()
        self.assertEqual(node.command("journal", "prune").returncode, 2)
        short = node.command("journal", "prune", "--keep", "100d")
        self.assertEqual(short.returncode, 2)
        self.assertIn("184", short.stderr)
        done = node.command("journal", "prune", "--keep", "365d", "--json")
        self.assertEqual(json.loads(done.stdout), {"minimum": 0, "days": 365}, done.stderr)
        done = node.command("journal", "prune", "--keep", "184d", "--json")
        self.assertEqual(json.loads(done.stdout), {"minimum": SEGMENT, "days": 184}, done.stderr)
        self.assertEqual(self.sound(node)["pruned"], SEGMENT)
        node.terminate()
        node.wait()
        node.tables["journal"] = {"retention": "400d"}
        node.write_config()
        self.assertEqual(node.command("journal", "prune", "--keep", "200d").returncode, 3)
        done = node.command("journal", "prune", "--json")
        self.assertEqual(json.loads(done.stdout)["minimum"], SEGMENT, done.stderr)
        self.assertEqual(self.sound(node)["pruned"], SEGMENT)

    def test_a_promise_under_six_months_is_no_configuration(self):
        node = self.node(retention="30d")
        node.write_config()
        out = node.command("serve")
        self.assertNotEqual(out.returncode, 0)
        self.assertIn("184d", out.stderr)

    def test_a_change_where_records_were_pruned_is_found(self):
        node = self.node()
        old_journal(node, SEGMENT + 40, 300)
        node.start()
        node.command("journal", "prune", "--keep", "184d")
        node.terminate()
        node.wait()
        self.assertEqual(node.command("journal", "check").returncode, 0)
        folder = node.data / "journal"
        for name in ("tile/0/003", "pruned", f"records/{1:010}"):
            file = folder / name
            whole = bytearray(file.read_bytes())
            whole[len(whole) // 2] ^= 1
            file.write_bytes(whole)
            said = node.command("journal", "check")
            self.assertEqual(said.returncode, 1, name)
            self.assertIn(name.split("/")[0], said.stdout, name)
            whole[len(whole) // 2] ^= 1
            file.write_bytes(whole)
        self.assertEqual(node.command("journal", "check").returncode, 0)


class BesideAWriter(unittest.TestCase):
    def test_a_journal_that_is_written_fast_is_never_called_damaged(self):
        import threading

        with MockUpstream() as mock, Node(models=[], upstreams=[{"name": "elsewhere", "url": mock.url, "renamed": {"small": "there"}}]) as node:
            ended = threading.Event()

            def write():
                while not ended.is_set():
                    node.chat()

            threads = [threading.Thread(target=write) for _ in range(8)]
            for each in threads:
                each.start()
            try:
                for _ in range(25):
                    checked = node.command("journal", "check", "--json")
                    self.assertEqual(checked.returncode, 0, checked.stdout)
                    self.assertEqual(node.command("journal", "tail", "-n", "3").returncode, 0)
            finally:
                ended.set()
                for each in threads:
                    each.join()


if __name__ == "__main__":
    main()
