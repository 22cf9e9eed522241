# SPDX-License-Identifier: Apache-2.0
"""An owner loosens a request's label: written, signed by people who saw the exact bytes, presented, and gone by. What left the
node is read at the back end."""

import json
import unittest
from pathlib import Path

from hanse_node import Node, main
from labels_test import CLOUD, POLICY, SECRET
from mock_upstream import MockUpstream


class Declassify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(MockUpstream())
        cls.node = Node(upstreams=[{"name": "cloud", "url": cls.upstream.url, "models": ["far"]}])
        cls.addClassCleanup(cls.node.__exit__)
        cls.folder = Path(cls.node.data)
        signers = "".join(cls.hanse("signer", "--name", name, "--key", cls.folder / f"{name}.key").stdout for name in ("anna", "bert"))
        house = POLICY.replace('in = "DE"\n', 'in = "DE"\npeople = ["anna", "bert"]\n', 1)
        (cls.folder / "policy.toml").write_text(house + CLOUD + signers, encoding="utf-8")
        cls.node.start()

    @classmethod
    def hanse(cls, *arguments):
        return cls.node.command("policy", *map(str, arguments))

    def request(self, name: str, text: str) -> tuple[Path, bytes]:
        body = json.dumps({"model": "far", "messages": [{"role": "user", "content": text}]}).encode()
        (self.folder / name).write_bytes(body)
        return self.folder / name, body

    def send(self, body: bytes, label: str, declassification: str = ""):
        return self.node.ask("POST", "/v1/chat/completions", body, {"Hanse-Label": label, **({"Hanse-Declassification": declassification} if declassification else {})})

    def statement(self, payload: Path, source: str, *options: str) -> Path:
        file = payload.with_suffix(".statement")
        made = self.hanse("declassify", payload, "--from", source, "--to", "internal", "--reason", "she asked for it", "--until", "2099-12-31", "--out", file, *options)
        self.assertEqual(made.returncode, 0, made.stderr)
        return file

    def sign(self, file: Path, payload: Path, name: str, key: str = "", *options: str):
        return self.hanse("sign", file, "--payload", payload, "--as", name, "--key", self.folder / f"{key or name}.key", "--yes", *options)

    def present(self, file: Path) -> str:
        told = self.hanse("present", file, "--json")
        self.assertEqual(told.returncode, 0, told.stderr)
        return json.loads(told.stdout)["id"]

    def test_one_answer_goes_by_a_signed_statement_and_no_second_one(self):
        payload, body = self.request("letter.json", SECRET)
        before = len(self.upstream.asked)
        self.assertEqual(self.send(body, "personnel").status, 403)
        file = self.statement(payload, "internal+personnel")
        refused = self.hanse("present", file)
        self.assertEqual(refused.returncode, 3)
        self.assertIn("nobody signed it", refused.stderr)
        shown = self.sign(file, payload, "anna")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for told in ("from      owner=acme", "reason    she asked for it", "SHA-256", SECRET, "1 of 1"):
            self.assertIn(told, shown.stdout)
        named = self.present(file)
        self.assertEqual(len(self.upstream.asked), before)
        sent = self.send(body, "personnel", named)
        self.assertEqual(sent.status, 200, sent.body)
        self.assertIn("place=EU", sent.headers["Hanse-Label"])
        self.assertEqual(len(self.upstream.asked), before + 1)
        self.assertIn(SECRET.encode(), self.upstream.asked[-1]["raw"])
        again = self.send(body, "personnel", named)
        self.assertEqual((again.status, again.json()["error"]["code"]), (403, "declassification_refused"))
        self.assertEqual(len(self.upstream.asked), before + 1)
        # Also after the node was started anew.
        self.node.terminate()
        self.node.wait()
        self.node.start()
        self.assertIn("has been used", self.hanse("present", file).stderr)

    def test_a_statement_is_for_its_bytes_its_label_and_its_signer(self):
        payload, body = self.request("other.json", "Anna likes her tea black")
        file = self.statement(payload, "internal+personnel", "--scope", "standing")
        stranger, _ = self.request("stranger.json", "something else")
        self.assertIn("is not the payload", self.sign(file, stranger, "anna").stderr)
        self.assertEqual(self.sign(file, payload, "anna", "bert").returncode, 3)
        self.assertEqual(self.sign(file, payload, "anna").returncode, 0)
        self.assertIn("has signed already", self.sign(file, payload, "anna").stderr)
        named = self.present(file)
        for _ in range(2):
            self.assertEqual(self.send(body, "personnel", named).status, 200)
        changed = self.send(body.replace(b"black", b"white"), "personnel", named)
        self.assertIn("another payload", changed.json()["error"]["message"])
        other = self.send(body, "personal", named)
        self.assertIn("the request has the label owner=acme", other.json()["error"]["message"])
        text = file.read_text()
        file.write_text(text.replace("she asked", "he wanted"))
        self.assertIn("a signature is not good", self.hanse("present", file).stderr)

    def test_trade_secrets_take_two_people(self):
        payload, body = self.request("secret.json", "The recipe is 3 parts salt")
        file = self.statement(payload, "internal+trade-secret")
        self.assertIn("1 of 2", self.sign(file, payload, "anna").stdout)
        self.assertIn("two people must sign", self.hanse("present", file).stderr)
        self.assertIn("2 of 2", self.sign(file, payload, "bert").stdout)
        self.assertEqual(self.send(body, "trade-secret", self.present(file)).status, 200)

    def test_a_statement_that_could_never_hold_is_not_written(self):
        payload, _ = self.request("never.json", "x")
        tighter = self.hanse("declassify", payload, "--from", "internal", "--to", "personnel", "--reason", "r", "--until", "2099-12-31", "--out", self.folder / "no")
        self.assertIn("changes more than its signer's own terms", tighter.stderr)
        past = self.hanse("declassify", payload, "--to", "public", "--reason", "r", "--until", "2020-01-01", "--out", self.folder / "no")
        self.assertEqual(past.returncode, 2)
        self.assertFalse((self.folder / "no").exists())

    def test_nobody_signs_without_having_been_asked(self):
        payload, _ = self.request("asked.json", "x")
        file = self.statement(payload, "internal+personnel")
        silent = self.hanse("sign", file, "--payload", payload, "--as", "anna", "--key", self.folder / "anna.key")
        self.assertEqual(silent.returncode, 2)
        self.assertNotIn("signed acme/anna", file.read_text())


if __name__ == "__main__":
    main()
