# SPDX-License-Identifier: Apache-2.0
"""Keys that change: replaced, revoked, and half of them in a token."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from hanse_node import Node, main, run_hanse, wait_until
from mock_upstream import MockUpstream


def records(node: Node, kind: str) -> list[dict]:
    out = node.command("journal", "search", "--kind", kind, "--json")
    assert out.returncode in (0, 5), out.stderr  # 5: there is none
    return [json.loads(line)["record"] for line in out.stdout.splitlines()]


class Keys(unittest.TestCase):
    def setUp(self):
        self.mock = MockUpstream()
        self.mock.__enter__()
        self.addCleanup(self.mock.__exit__, None, None, None)

    def node(self, **tables) -> Node:
        node = Node(models=[], upstreams=[{"name": "elsewhere", "url": self.mock.url, "renamed": {"small": "there"}}], **tables)
        self.addCleanup(node.__exit__)
        return node.start()

    def stop(self, node: Node) -> None:
        node.terminate()
        node.wait()

    def receipt(self, node: Node, form: str = "") -> str:
        answer = node.chat()
        return node.ask("GET", "/v1/hanse/receipts/" + answer.headers["Hanse-Receipt"] + form).body.decode()

    def verify(self, node: Node | None, proof: str, *arguments: str):
        with tempfile.TemporaryDirectory() as nowhere:
            return run_hanse("receipt", "verify", "-", *arguments, stdin=None, input=proof, environment={"HANSE_DATA": str(node.data) if node else nowhere})

    def test_the_journals_keys_are_replaced_and_receipts_of_both_times_verify(self):
        node = self.node(identity={"name": "house"})
        before = self.receipt(node)
        first = node.data / "first.keys"
        first.write_text(node.command("identity", "show", "--keys").stdout)
        running = node.command("identity", "rotate", "log", "--reason", "yearly")
        self.assertEqual(running.returncode, 4)
        self.assertIn("stop it first", running.stderr)
        self.stop(node)
        done = node.command("identity", "rotate", "log", "--reason", "yearly", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        statement = Path(json.loads(done.stdout)["statement"])
        self.assertTrue(statement.read_text().startswith("hanse-key-change v1\nkind rotation\npurpose log\nname house/journal\n"))
        self.assertIn("reason yearly\n", statement.read_text())
        node.start()
        after = self.receipt(node)
        # Here, and where only the first keys are known, with the statement and without it.
        self.assertEqual(self.verify(node, before).returncode, 0)
        self.assertEqual(self.verify(node, after).returncode, 0)
        changes = node.data / "changes"
        changes.write_text(node.command("identity", "show", "--changes").stdout)
        self.assertEqual(changes.read_text(), statement.read_text())
        self.assertEqual(self.verify(None, before, "--trust", str(first)).returncode, 0)
        self.assertEqual(self.verify(None, after, "--trust", str(first)).returncode, 3)
        self.assertEqual(self.verify(None, after, "--trust", str(first), "--changes", str(changes)).returncode, 0)
        self.assertEqual(self.verify(None, before, "--trust", str(first), "--changes", str(changes)).returncode, 0)
        # A statement that was changed is believed by nobody.
        changes.write_text(statement.read_text().replace("reason yearly", "reason weekly"))
        self.assertEqual(self.verify(None, after, "--trust", str(first), "--changes", str(changes)).returncode, 3)
        said = records(node, "own_keys_changed")
        self.assertEqual([(each["keys"], each["reason"]) for each in said], [("log", "yearly")])
        self.assertNotEqual(said[0]["from"], said[0]["to"])
        checked = wait_until(lambda: (lambda out: json.loads(out.stdout) if out.returncode == 0 else None)(node.command("journal", "check", "--json")), "a sound log", 20)
        self.assertEqual(len(checked["signed_by"]), 2)
        # And once more: both statements together lead from the first keys to those of today.
        self.stop(node)
        self.assertEqual(node.command("identity", "rotate", "log", "--reason", "again").returncode, 0)
        node.start()
        third = self.receipt(node)
        changes.write_text(node.command("identity", "show", "--changes").stdout)
        for proof in (before, after, third):
            self.assertEqual(self.verify(node, proof).returncode, 0)
            self.assertEqual(self.verify(None, proof, "--trust", str(first), "--changes", str(changes)).returncode, 0)

    def test_the_identity_and_the_witness_get_new_keys_under_the_old_name(self):
        node = self.node(identity={"name": "house", "profile": "bsi"})
        before = json.loads(node.command("identity", "show", "--json").stdout)
        self.stop(node)
        for purpose in ("identity", "witness"):
            self.assertEqual(node.command("identity", "rotate", purpose, "--reason", "new machine").returncode, 0)
        node.start()
        after = json.loads(node.command("identity", "show", "--json").stdout)
        self.assertEqual((after["name"], after["profile"], after["replaced"]), ("house", "bsi", 1))
        self.assertNotEqual(after["fingerprint"], before["fingerprint"])
        self.assertEqual(after["log"], before["log"])
        self.assertNotEqual(after["witness"], before["witness"])
        self.assertEqual([each["keys"] for each in records(node, "own_keys_changed")], ["identity", "witness"])
        self.assertEqual(records(node, "own_keys_changed")[0]["to"], after["fingerprint"])
        self.assertEqual(records(node, "node_started")[-1]["fingerprint"], after["fingerprint"])

    def test_revoked_keys_start_no_node_and_convince_nobody(self):
        node = self.node(identity={"name": "house"})
        proof = self.receipt(node)
        keys = node.data / "first.keys"
        keys.write_text(node.command("identity", "show", "--keys").stdout)
        self.stop(node)
        unsure = node.command("identity", "revoke", "log", "--reason", "stolen")
        self.assertEqual(unsure.returncode, 2)
        self.assertIn("--yes", unsure.stderr)
        done = node.command("identity", "revoke", "log", "--reason", "stolen", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([each["reason"] for each in records(node, "own_keys_revoked")], ["stolen"])
        start = node.command("serve")
        self.assertEqual(start.returncode, 3)
        self.assertIn("revoked (stolen)", start.stderr)
        self.assertEqual(node.command("identity", "rotate", "log", "--reason", "too late").returncode, 3)
        changes = node.data / "changes"
        changes.write_text(node.command("identity", "show", "--changes").stdout)
        self.assertEqual(self.verify(None, proof, "--trust", str(keys)).returncode, 0)
        refused = self.verify(None, proof, "--trust", str(keys), "--changes", str(changes))
        self.assertEqual(refused.returncode, 3)
        self.assertIn("stolen", refused.stderr)
        # New keys, and a new log: the old one is nobody's any more.
        (node.data / "log.key").rename(node.data / "log.key.revoked")
        (node.data / "journal").rename(node.data / "journal.revoked")
        node.start()
        self.assertEqual(self.verify(node, self.receipt(node)).returncode, 0)

    def test_a_rotation_that_was_cut_off_ends_at_the_next_start(self):
        node = self.node(identity={"name": "house"})
        self.stop(node)
        old = (node.data / "log.key").read_bytes()
        self.assertEqual(node.command("identity", "rotate", "log", "--reason", "yearly").returncode, 0)
        new = (node.data / "log.key").read_bytes()
        # As if the power had gone before the last step.
        (node.data / "log.key.next").write_bytes(new)
        (node.data / "log.key.next").chmod(0o600)
        (node.data / "log.key").write_bytes(old)
        node.start()
        self.assertEqual((node.data / "log.key").read_bytes(), new)
        self.assertFalse((node.data / "log.key.next").exists())
        self.stop(node)
        # And one that nobody was told of is forgotten.
        shutil.copy(node.data / "witness.key", node.data / "log.key.next")
        node.start()
        self.assertEqual((node.data / "log.key").read_bytes(), new)
        self.assertFalse((node.data / "log.key.next").exists())
        self.assertEqual(self.verify(node, self.receipt(node)).returncode, 0)

    def test_a_cose_receipt_is_the_same_place_for_those_who_speak_cbor(self):
        node = self.node(identity={"name": "house"})
        receipt = node.chat().headers["Hanse-Receipt"]
        proof = node.data / "answer.tlog-proof"
        proof.write_bytes(node.ask("GET", "/v1/hanse/receipts/" + receipt).body)
        for query, headers in (("?form=cose", {}), ("?form=cose&algorithm=ml-dsa-44", {}), ("", {"Accept": "application/cose"})):
            found = node.ask("GET", "/v1/hanse/receipts/" + receipt + query, headers=headers)
            self.assertEqual(found.status, 200, found.body)
            self.assertTrue(found.headers["Content-Type"].startswith("application/cose"))
            self.assertEqual(found.body[0], 0xD2)
            file = node.data / "answer.cose"
            file.write_bytes(found.body)
            said = node.command("receipt", "verify", str(file), "--record", str(proof))
            self.assertEqual(said.returncode, 0, said.stderr)
            self.assertIn("genuine", said.stdout)
            data = json.loads(node.command("receipt", "verify", str(file), "--record", str(proof), "--json").stdout)
            self.assertEqual((data["proven"], data["form"], data["record"]["id"]), (True, "cose", receipt))
            self.assertEqual(data["signers"][0]["algorithm"], "ml-dsa-44" if "ml-dsa" in query else "ed25519")
            self.assertEqual(node.command("receipt", "verify", str(file)).returncode, 2)
            for at in range(0, len(found.body), 7):
                changed = bytearray(found.body)
                changed[at] ^= 1
                file.write_bytes(changed)
                self.assertNotEqual(node.command("receipt", "verify", str(file), "--record", str(proof)).returncode, 0, at)
                if at > 200 and "ml-dsa" in query:
                    break
        self.assertEqual(node.ask("GET", "/v1/hanse/receipts/" + receipt + "?form=xml").status, 400)
        self.assertEqual(node.ask("GET", "/v1/hanse/receipts/hr_" + "0" * 32 + "?form=cose").status, 404)
        # Another record is not what the place is of.
        other = node.data / "other.tlog-proof"
        other.write_text(self.receipt(node))
        file.write_bytes(node.ask("GET", "/v1/hanse/receipts/" + receipt + "?form=cose").body)
        self.assertEqual(node.command("receipt", "verify", str(file), "--record", str(other)).returncode, 1)


class Token(unittest.TestCase):
    """SoftHSM as the token of a running node."""

    def setUp(self):
        module = next((place for place in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so") if os.path.exists(place)), None)
        if not module or not shutil.which("softhsm2-util"):
            self.skipTest("SoftHSM is not installed")
        folder = tempfile.TemporaryDirectory(prefix="hanse-token-")
        self.addCleanup(folder.cleanup)
        self.place = Path(folder.name)
        (self.place / "tokens").mkdir()
        (self.place / "conf").write_text(f"directories.tokendir = {self.place}/tokens\nlog.level = ERROR\n")
        self.environment = {"SOFTHSM2_CONF": str(self.place / "conf")}
        self.run_tool("softhsm2-util", "--init-token", "--free", "--label", "hanse", "--pin", "1234", "--so-pin", "4321")
        for number, label in enumerate(("identity", "next")):
            self.run_tool("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.place / f"{label}.pem")
            self.run_tool("softhsm2-util", "--import", self.place / f"{label}.pem", "--token", "hanse", "--label", label, "--id", f"a{number}", "--pin", "1234")
        (self.place / "pin").write_text("1234\n")
        self.node = Node(environment=self.environment, models=[],
                         identity={"name": "house", "profile": "bsi", "token": "pkcs11:token=hanse;object=identity", "token_module": module, "token_pin_file": str(self.place / "pin")})
        self.addCleanup(self.node.__exit__)

    def run_tool(self, *words):
        done = subprocess.run([*map(str, words)], capture_output=True, text=True, env={**os.environ, **self.environment})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def command(self, *arguments: str):
        return run_hanse(*arguments, environment={"HANSE_DATA": str(self.node.data), **self.environment})

    def test_the_classical_key_lies_in_the_token_and_the_node_starts_with_its_pin_only(self):
        self.node.start()
        shown = json.loads(self.command("identity", "show", "--json").stdout)
        self.assertEqual((shown["profile"], shown["token"]), ("bsi", "pkcs11:token=hanse;object=identity"))
        self.assertIn("token 1 pkcs11:", (self.node.data / "identity.key").read_text())
        self.node.terminate()
        self.node.wait()
        (self.place / "pin").write_text("9999\n")
        refused = self.command("serve")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("token", refused.stderr)
        (self.place / "pin").write_text("1234\n")
        # The next key is made in the token too; by leaving it out nobody falls back to a file by mistake.
        self.assertEqual(self.command("identity", "rotate", "--reason", "yearly").returncode, 2)
        done = self.command("identity", "rotate", "--reason", "yearly", "--token", "pkcs11:token=hanse;object=next")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.node.start()
        after = json.loads(self.command("identity", "show", "--json").stdout)
        self.assertEqual((after["token"], after["replaced"]), ("pkcs11:token=hanse;object=next", 1))


if __name__ == "__main__":
    main()
