# SPDX-License-Identifier: Apache-2.0
"""Witnesses between running nodes: who co-signs whom, how many a receipt needs, and what is seen of a log that turns back."""

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from hanse_node import Node, main, run_hanse, wait_until
from mock_upstream import MockUpstream
from tls_test import openssl


def keys_of(node: Node, *which: str) -> list[str]:
    """Makes the node's keys, if they are not there, and gives those of its journal or as a witness."""
    node.write_config()
    made = node.command("init")
    assert made.returncode == 0, made.stderr
    (node.data / "policy.toml").unlink(missing_ok=True)
    return node.command("identity", "show", *which).stdout.split()


class Witness(Node):
    """A node without models that co-signs the logs of these nodes."""

    def __init__(self, *logs: Node, name: str = "witness", **tables):
        super().__init__(models=[], identity={"name": name}, witness={"logs": "logs.keys"}, **tables)
        (self.data / "logs.keys").write_text("".join(key + "\n" for log in logs for key in keys_of(log, "--keys")))
        keys_of(self, "--keys")

    def policy_lines(self, name: str, url: str | None = None) -> str:
        ed25519, ml_dsa = self.command("identity", "show", "--witness").stdout.split()
        url = (url or self.url) + "/witness/"
        return f"witness {name}-1 {ed25519} {url}\nwitness {name}-2 {ml_dsa} {url}\ngroup {name} any {name}-1 {name}-2\n"


def records(node: Node, kind: str) -> list[dict]:
    out = node.command("journal", "search", "--kind", kind, "--json")
    assert out.returncode in (0, 5), out.stderr  # 5: there is none
    return [json.loads(line)["record"] for line in out.stdout.splitlines()]


class Witnessed(unittest.TestCase):
    """A log node behind a model server that is a mock, so that answers are quick."""

    def setUp(self):
        self.mock = MockUpstream()
        self.mock.__enter__()
        self.addCleanup(self.mock.__exit__, None, None, None)

    def log_node(self, name: str = "asker", **tables) -> Node:
        node = Node(models=[], identity={"name": name}, upstreams=[{"name": "elsewhere", "url": self.mock.url, "renamed": {"small": "there"}}], **tables)
        self.addCleanup(node.__exit__)
        node.write_config()
        return node

    def start(self, node: Node) -> Node:
        node.start()
        self.addCleanup(self.ended, node)
        return node

    @staticmethod
    def ended(node: Node) -> None:
        if node.process and node.process.poll() is None:
            node.terminate()
            node.wait()

    def ask_to_be_witnessed(self, node: Node, lines: str, quorum: str, **more) -> Path:
        policy = node.data / "witnesses.policy"
        policy.write_text("".join(f"log {key}\n" for key in keys_of(node, "--keys")) + lines + f"quorum {quorum}\n")
        node.tables["journal"] = {"witnesses": "witnesses.policy", "witness_every": "100ms", **more}
        return policy

    def receipt(self, node: Node, answer) -> str:
        found = node.ask("GET", "/v1/hanse/receipts/" + answer.headers["Hanse-Receipt"])
        self.assertEqual(found.status, 200, found.body)
        return found.body.decode()

    def verify(self, proof: str, *arguments: str):
        with tempfile.TemporaryDirectory() as nowhere:
            return run_hanse("receipt", "verify", "-", *arguments, stdin=None, input=proof, environment={"HANSE_DATA": nowhere})

    def met(self, node: Node, answer, policy: Path):
        """The receipt, once it meets the policy."""
        def look():
            proof = self.receipt(node, answer)
            return proof if self.verify(proof, "--policy", str(policy)).returncode == 0 else None
        return wait_until(look, "a receipt that enough witnesses have signed", 30)

    def test_two_of_three_witnesses_are_enough_and_one_is_not(self):
        log = self.log_node()
        witnesses = [Witness(log, name=f"w{i}") for i in range(3)]
        for each in witnesses:
            self.addCleanup(each.__exit__)
        for each in witnesses[:2]:
            self.start(each)
        lines = "".join(each.policy_lines(f"w{i}", None if i < 2 else "http://127.0.0.1:9") for i, each in enumerate(witnesses))
        policy = self.ask_to_be_witnessed(log, lines + "group enough 2 w0 w1 w2\n", "enough")
        self.start(log)
        proof = self.met(log, log.chat(), policy)
        said = self.verify(proof, "--policy", str(policy))
        self.assertIn("is met: it was co-signed by w0-1, w0-2, w1-1, w1-2.", said.stdout)
        self.assertIn("Not co-signed by: w2-1, w2-2.", said.stdout)
        data = json.loads(self.verify(proof, "--policy", str(policy), "--json").stdout)
        self.assertEqual((data["proven"], data["policy"]["met"]), (True, True))
        self.assertEqual(sorted({each["name"] for each in data["signers"]}), ["asker/journal", "w0/witness", "w1/witness"])
        # Who trusts the log alone still can; who asks for all three is told no.
        strict = log.data / "strict.policy"
        strict.write_text(policy.read_text().replace("group enough 2", "group enough all"))
        said = self.verify(proof, "--policy", str(strict))
        self.assertEqual(said.returncode, 3)
        self.assertIn("NOT met", said.stdout)
        # The node's own checks and figures.
        checked = json.loads(log.command("journal", "check", "--policy", str(policy), "--json").stdout)
        self.assertTrue(checked["sound"], checked)
        self.assertGreater(checked["witnessed"], 0)
        self.assertEqual(log.metric("hanse_journal_witness_signs", witness="w0/witness"), 1)
        self.assertEqual(log.metric("hanse_journal_witness_signs", witness="w2/witness"), 0)
        self.assertGreater(log.metric("hanse_journal_witnessed_entries"), 0)
        self.assertGreater(witnesses[0].metric("hanse_witness_cosigned_total"), 0)
        origin = hashlib.sha256(b"asker/journal").hexdigest()
        kept = witnesses[0].ask("GET", f"/witness/{origin}/checkpoint")
        self.assertEqual(kept.status, 200)
        self.assertIn("w0/witness", kept.body.decode())
        self.assertEqual({each["witness"] for each in records(log, "witness_signed")}, {"w0/witness", "w1/witness"})
        self.assertEqual([each["witness"] for each in records(log, "witness_refused")], ["w2/witness"])
        # One goes: answers are as quick as before, and their receipts say what they lack.
        self.ended(witnesses[1])
        began = time.monotonic()
        answer = log.chat()
        self.assertLess(time.monotonic() - began, 5)
        wait_until(lambda: len(records(log, "witness_refused")) == 2, "the refusal on record", 30)
        said = self.verify(self.receipt(log, answer), "--policy", str(policy))
        self.assertEqual(said.returncode, 3, said.stdout)
        self.assertIn("NOT met", said.stdout)
        # It comes back, at the port it had, and what it missed is co-signed after all.
        witnesses[1].tables["server"]["port"] = witnesses[1].address[1]
        self.start(witnesses[1])
        self.met(log, answer, policy)
        made = log.command("journal", "receipt", answer.headers["Hanse-Receipt"])
        self.assertEqual(self.verify(made.stdout, "--policy", str(policy)).returncode, 0)

    def test_nobody_is_witnessed_who_is_not_known(self):
        log = self.log_node()
        stranger = self.log_node("stranger")
        witness = Witness(stranger)
        self.addCleanup(witness.__exit__)
        self.start(witness)
        policy = self.ask_to_be_witnessed(log, witness.policy_lines("w"), "w")
        self.start(log)
        answer = log.chat()
        refused = wait_until(lambda: records(log, "witness_refused"), "a refusal on record", 30)
        self.assertIn("does not know this log", refused[0]["reason"])
        self.assertEqual(self.verify(self.receipt(log, answer), "--policy", str(policy)).returncode, 3)
        # And a node that was not told to be a witness is none.
        self.assertEqual(log.ask("POST", "/witness/add-checkpoint", b"old 0\n\nnothing\n").status, 404)
        self.assertEqual(witness.ask("POST", "/witness/add-checkpoint", b"old 0\n").status, 400)
        self.assertEqual(witness.ask("GET", "/witness/add-checkpoint").status, 405)

    def test_a_log_that_turns_back_is_refused_and_accused(self):
        log = self.log_node()
        witness = Witness(log)
        self.addCleanup(witness.__exit__)
        self.start(witness)
        policy = self.ask_to_be_witnessed(log, witness.policy_lines("w"), "w")
        log.start()
        self.met(log, log.chat(), policy)
        log.terminate()
        log.wait()
        twin = self.log_node()
        shutil.rmtree(twin.data)
        shutil.copytree(log.data, twin.data)
        twin.tables = dict(log.tables)
        # The one goes on and is co-signed; the other goes another way.
        log.start()
        self.met(log, log.chat(), policy)
        log.terminate()
        log.wait()
        self.start(twin)
        for _ in range(12):
            answer = twin.chat()
        wait_until(lambda: records(twin, "witness_accused"), "the accusation on record", 40)
        self.assertEqual(self.verify(self.receipt(twin, answer), "--policy", str(policy)).returncode, 3)
        self.assertIn("witness_accuses", twin.log_text())
        self.assertTrue(list((witness.data / "witnessed").glob("*/evidence/*")))

    def test_a_witness_behind_https_is_asked_under_the_certificate_that_was_named(self):
        log = self.log_node()
        certificate, key = log.data / "cert.pem", log.data / "key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate))
        witness = Witness(log, server={"tls_certificate": str(certificate), "tls_key": str(key)})
        self.addCleanup(witness.__exit__)
        self.start(witness)
        policy = self.ask_to_be_witnessed(log, witness.policy_lines("w"), "w")
        log.start()
        log.chat()
        refused = wait_until(lambda: records(log, "witness_refused"), "a refusal on record", 30)
        self.assertIn("certificate", refused[0]["reason"].lower())
        log.terminate()
        log.wait()
        log.tables["journal"]["witness_ca_file"] = str(certificate)
        self.start(log)
        self.met(log, log.chat(), policy)

    def test_mistakes_in_the_files_stop_the_start_with_the_line(self):
        node = self.log_node(journal={"witnesses": "bad.policy"})
        (node.data / "bad.policy").write_text("quorum nobody\n")
        out = node.command("serve")
        self.assertNotEqual(out.returncode, 0)
        self.assertIn("line 1", out.stderr)
        node.write_config(journal={}, witness={"logs": "bad.keys"})
        (node.data / "bad.keys").write_text("# keys\nnonsense\n")
        out = node.command("serve")
        self.assertNotEqual(out.returncode, 0)
        self.assertIn("line 2", out.stderr)

    def test_torchwoods_litewitness_co_signs_a_running_node(self):
        for program in ("litewitness", "witnessctl", "ssh-agent", "ssh-add", "ssh-keygen"):
            if not shutil.which(program):
                self.skipTest(f"{program} is not installed")
        log = self.log_node()
        ed25519 = keys_of(log, "--keys")[0]
        place = log.data / "lite"
        place.mkdir()

        def run(*words, **options):
            done = subprocess.run([*map(str, words)], capture_output=True, text=True, **options)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return done.stdout

        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "key")
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", place / "agent"], stdout=subprocess.DEVNULL)
        self.addCleanup(lambda: (agent.terminate(), agent.wait()))
        wait_until((place / "agent").exists, "ssh-agent")
        run("ssh-add", place / "key", env={**os.environ, "SSH_AUTH_SOCK": str(place / "agent")})
        fingerprint = run("ssh-keygen", "-l", "-f", place / "key.pub").split()[1]
        public = base64.b64decode((place / "key.pub").read_text().split()[1])[-32:]
        name = "witness.example/lite"
        key_id = hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4].hex()
        key = f"{name}+{key_id}+{base64.b64encode(bytes([4]) + public).decode()}"
        run("witnessctl", "add-log", "-db", place / "db", "-origin", "asker/journal")
        run("witnessctl", "add-key", "-db", place / "db", "-origin", "asker/journal", "-key", ed25519)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        lite = subprocess.Popen(["litewitness", "-name", name, "-db", place / "db", "-ssh-agent", place / "agent", "-key", fingerprint,
                                 "-listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (lite.terminate(), lite.wait()))
        policy = self.ask_to_be_witnessed(log, f"witness lite {key} http://127.0.0.1:{port}\n", "lite")
        self.start(log)
        self.met(log, log.chat(), policy)
        self.met(log, log.chat(), policy)


if __name__ == "__main__":
    main()
