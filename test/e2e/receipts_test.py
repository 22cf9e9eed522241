# SPDX-License-Identifier: Apache-2.0
"""Receipts as callers, auditors and operators meet them: asked for, verified offline, tampered with, erased."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import threading
import unittest
from pathlib import Path

from hanse_node import MODEL, Node, main, run_hanse, wait_until
from mock_upstream import MockUpstream


def record_of(proof: str) -> dict:
    """The record within a receipt, read without any code of ours."""
    extra = next(line for line in proof.splitlines() if line.startswith("extra ")).removeprefix("extra ")
    return json.loads(base64.b64decode(extra)[33:])


def fits(digest: dict, text: bytes) -> bool:
    return hmac.new(bytes.fromhex(digest["salt"]), text, hashlib.sha256).hexdigest() == digest["hmac_sha256"]


def records(node: Node, *arguments: str) -> list[dict]:
    out = node.command("journal", "export", *arguments)
    assert out.returncode == 0, out.stderr
    return [json.loads(line)["record"] for line in out.stdout.splitlines()]


class Receipts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.__exit__)
        cls.node.start()

    def receipt(self, answer) -> str:
        found = self.node.ask("GET", "/v1/hanse/receipts/" + answer.headers["Hanse-Receipt"])
        self.assertEqual(found.status, 200, found.body)
        return found.body.decode()

    def verify(self, proof: str, *arguments: str):
        return run_hanse("receipt", "verify", "-", *arguments, stdin=None, input=proof, environment={"HANSE_DATA": str(self.node.data)})

    def test_an_answer_has_a_receipt_that_proves_it_offline(self):
        request = json.dumps({"model": "small", "messages": [{"role": "user", "content": "Name a port."}], "max_tokens": 8, "temperature": 0}).encode()
        answer = self.node.ask("POST", "/v1/chat/completions", request)
        proof = self.receipt(answer)
        record = record_of(proof)
        text = answer.json()["choices"][0]["message"]["content"]
        self.assertEqual((record["kind"], record["v"], record["outcome"], record["decision"]), ("answer", 1, "finished", "permit"))
        self.assertTrue(fits(record["input"], request))
        self.assertTrue(fits(record["outputs"][0], text.encode()))
        digest = hashlib.sha256(Path(MODEL["file"]).read_bytes()).hexdigest()
        self.assertEqual(record["model"]["digest"], "sha256:" + digest)
        usage = answer.json()["usage"]
        self.assertEqual((record["tokens"]["prompt"], record["tokens"]["completion"]), (usage["prompt_tokens"], usage["completion_tokens"]))
        self.assertIn(record["energy"]["how"], ("measured", "modelled"))
        self.assertGreater(record["energy"]["millijoules"], 0)
        said = self.verify(proof)
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertIn("genuine", said.stdout)
        self.assertIn("Not proven", said.stdout)
        files = self.node.data / "request.json", self.node.data / "answer.txt"
        files[0].write_bytes(request)
        files[1].write_text(text)
        data = json.loads(self.verify(proof, "--json", "--input", str(files[0]), "--output", str(files[1])).stdout)
        self.assertTrue(data["proven"])
        self.assertEqual([each["fits"] for each in data["texts"]], [True, True])
        self.assertEqual({each["algorithm"] for each in data["signers"]}, {"ed25519", "ml-dsa-44"})
        files[1].write_text(text + "!")
        said = self.verify(proof, "--output", str(files[1]))
        self.assertEqual(said.returncode, 1)
        self.assertIn("is NOT an answer", said.stdout)

    def test_a_stream_names_its_receipt_in_its_head_and_the_record_is_there_when_it_ends(self):
        stream = self.node.stream("Count to three.", max_tokens=8).read_until(b"\r\n\r\n")
        head = stream.raw.partition(b"\r\n\r\n")[0].decode().lower()
        stream.read_all()
        self.assertTrue(stream.ended_well)
        receipt = next(line for line in head.splitlines() if line.startswith("hanse-receipt: ")).removeprefix("hanse-receipt: ")
        found = self.node.ask("GET", "/v1/hanse/receipts/" + receipt)
        self.assertEqual(found.status, 200)
        chunks = [json.loads(line[6:]) for line in stream.body().decode().splitlines() if line.startswith("data: {")]
        text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
        self.assertTrue(fits(record_of(found.body.decode())["outputs"][0], text.encode()))

    def test_whoever_trusts_another_key_is_told_that_nothing_is_proven(self):
        proof = self.receipt(self.node.chat())
        with Node(models=[]) as other:
            keys = other.data / "keys"
            keys.write_text(other.command("identity", "show", "--keys").stdout)
            said = self.verify(proof, "--trust", str(keys))
        self.assertEqual(said.returncode, 3)
        self.assertIn("Nothing is proven", said.stdout)

    def test_a_receipt_that_was_changed_is_refused(self):
        proof = self.receipt(self.node.chat())
        lines = proof.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if len(line) < 12:
                continue
            letter = "A" if line[10] != "A" else "B"
            changed = lines[:number] + [line[:10] + letter + line[11:]] + lines[number + 1 :]
            said = self.verify("".join(changed))
            self.assertNotEqual(said.returncode, 0, f"line {number}: {line[:40]!r}")

    def test_the_journal_checks_beside_the_running_node_and_in_german(self):
        self.node.chat()
        said = wait_until(lambda: (lambda done: done if done.returncode == 0 else None)(self.node.command("journal", "check", "--lang", "de")), "a sound log", 20)
        self.assertIn("ist heil", said.stdout)
        data = json.loads(self.node.command("journal", "check", "--json").stdout)
        self.assertTrue(data["sound"])
        self.assertEqual(len(data["signed_by"]), 2)

    def test_records_are_found_and_exported(self):
        answer = self.node.chat()
        receipt = answer.headers["Hanse-Receipt"]
        self.assertIn(receipt, self.node.command("journal", "tail", "-n", "5").stdout)
        shown = json.loads(self.node.command("journal", "show", receipt, "--json").stdout)
        self.assertEqual(shown["record"]["id"], receipt)
        found = self.node.command("journal", "search", "--kind", "answer", "--model", "small", "--json").stdout
        self.assertIn(receipt, found)
        self.assertEqual(self.node.command("journal", "search", "--kind", "nothing").returncode, 5)
        kinds = [record["kind"] for record in records(self.node)]
        self.assertEqual(kinds[0], "node_started")
        self.assertIn("model_loaded", kinds)
        lines = [json.loads(line) for line in self.node.command("journal", "export", "--article-12", "--system", "small", "--since", "2020", "--until", "2100").stdout.splitlines()]
        self.assertEqual(lines[0]["system"], "small")
        uses = [line for line in lines[1:-1] if line["event"] == "use"]
        self.assertIn(receipt, [use["record"]["id"] for use in uses])
        self.assertTrue(all(use["begin"] <= use["end"] for use in uses))
        self.assertEqual(lines[-1]["events"]["use"], len(uses))

    def test_a_receipt_can_be_made_from_the_files_alone(self):
        receipt = self.node.chat().headers["Hanse-Receipt"]
        made = wait_until(lambda: (lambda out: out.stdout if out.returncode == 0 else None)(self.node.command("journal", "receipt", receipt)), "a checkpoint", 20)
        self.assertEqual(record_of(made)["id"], receipt)
        self.assertEqual(self.verify(made).returncode, 0)

    def test_the_public_part_is_served_and_the_rest_is_not(self):
        self.node.chat()
        checkpoint = self.node.ask("GET", "/journal/checkpoint")
        self.assertEqual(checkpoint.status, 200)
        self.assertEqual(checkpoint.headers["Content-Type"], "text/plain; charset=utf-8")
        origin, size = checkpoint.body.decode().splitlines()[:2]
        self.assertTrue(origin.endswith("/journal"))
        width = min(int(size), 255)
        tile = self.node.ask("GET", f"/journal/tile/entries/000.p/{width}")
        self.assertEqual(tile.status, 200)
        self.assertEqual(len(tile.body), width * (2 + 33))
        for path in ("/journal/records/0000000000", "/journal/sealed", "/journal/tile/../records/0000000000", "/journal/%2e%2e/log.key"):
            self.assertEqual(self.node.ask("GET", path).status, 404, path)


class Erasure(unittest.TestCase):
    def test_an_erased_record_is_gone_with_its_texts_and_the_log_still_checks(self):
        with Node(journal={"keep": "30d"}, policy={"file": "policy.toml"}) as node:
            receipt = node.chat("The secret word is kingfisher.").headers["Hanse-Receipt"]
            other = node.chat("Another.").headers["Hanse-Receipt"]
            texts = json.loads(node.command("journal", "show", receipt, "--texts", "--json").stdout)
            self.assertIn("kingfisher", texts["input"])
            self.assertNotIn(b"kingfisher", b"".join(file.read_bytes() for folder in ("journal", "kept") for file in (node.data / folder).rglob("*") if file.is_file()))
            done = node.command("journal", "erase", receipt, "--reason", "asked for", "--json")
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            self.assertEqual(node.ask("GET", "/v1/hanse/receipts/" + receipt).status, 404)
            self.assertEqual(node.ask("GET", "/v1/hanse/receipts/" + other).status, 200)
            self.assertEqual(node.command("journal", "show", receipt, "--texts").returncode, 5)
            self.assertEqual(node.command("journal", "show", other, "--texts").returncode, 0)
            erasure = [record for record in records(node) if record["kind"] == "erasure"]
            self.assertEqual([(each["record"], each["reason"]) for each in erasure], [(receipt, "asked for")])
            checked = wait_until(lambda: (lambda out: json.loads(out.stdout) if out.returncode == 0 else None)(node.command("journal", "check", "--json")), "a sound log", 20)
            self.assertEqual(checked["erased"], 1)
            self.assertEqual(node.command("journal", "erase", receipt, "--reason", "again").returncode, 5)
            node.terminate()
            node.wait()
            # And without a node.
            self.assertEqual(node.command("journal", "erase", other, "--reason", "asked for").returncode, 0)
            self.assertEqual(json.loads(node.command("journal", "check", "--json").stdout)["erased"], 2)

    def setUp(self):
        # A policy whose standard label lets texts be kept.
        self.write = Node.write_config

        def with_policy(node, **tables):
            (node.data / "policy.toml").write_text(
                'version = 1\nstandard = "ours"\n[house]\nname = "acme"\nin = "DE"\n[[kinds]]\nname = "ours"\npreset = "internal"\nkeep = "days:60"\n'
                '[[places]]\nname = "local"\nsort = "model"\nreceivers = ["acme"]\nplace = "house"\ncontrol = "house"\nkeep = "days:30"\nlearn = "no"\n'
                '[[places]]\nname = "answer"\nsort = "caller"\nreceivers = ["acme"]\nplace = "house"\ncontrol = "house"\nkeep = "days:30"\nlearn = "no"\n')
            return self.write(node, **tables)

        Node.write_config = with_policy
        self.addCleanup(setattr, Node, "write_config", self.write)


class Evidence(unittest.TestCase):
    def test_keys_configuration_and_policy_are_on_record_across_restarts(self):
        node = Node(keys={"required": "always"})
        node.start()
        try:
            key = json.loads(node.command("key", "create", "--name", "anna", "--json").stdout)
            wait_until(lambda: "key_made" in [record["kind"] for record in records(node)], "the key on record", 20)
            node.terminate()
            node.wait()
            self.assertEqual(node.command("key", "revoke", key["id"]).returncode, 0)
            node.tables["limits"] = {"in_flight": 100}
            node.start()
            kinds = [record["kind"] for record in records(node)]
            self.assertEqual(kinds.count("node_started"), 2)
            self.assertEqual(kinds.count("node_stopped"), 1)
            self.assertEqual(kinds.count("config_changed"), 1)
            self.assertEqual(kinds.count("key_revoked"), 1)
            self.assertEqual(kinds.count("key_made"), 1)
        finally:
            node.__exit__()

    def test_a_refusal_by_label_is_on_record(self):
        with MockUpstream() as mock, Node(models=[], upstreams=[{"name": "elsewhere", "url": mock.url, "models": ["far"]}], policy={"file": "strict.toml"}) as node:
            pass_through = node.ask("POST", "/v1/chat/completions", {"model": "far", "messages": [{"role": "user", "content": "Hi"}]})
            self.assertEqual(pass_through.status, 403)
            denial = [record for record in records(node) if record["kind"] == "denial"]
            self.assertEqual([each["id"] for each in denial], [pass_through.headers["Hanse-Receipt"]])
            self.assertEqual(mock.headers, [])

    def setUp(self):
        self.write = Node.write_config

        def with_policy(node, **tables):
            (node.data / "strict.toml").write_text('version = 1\nstandard = "ours"\n[house]\nname = "acme"\nin = "DE"\n[[kinds]]\nname = "ours"\npreset = "internal"\n'
                '[[places]]\nname = "answer"\nsort = "caller"\nreceivers = ["acme"]\nplace = "house"\ncontrol = "house"\nkeep = "none"\nlearn = "no"\n')
            return self.write(node, **tables)

        Node.write_config = with_policy
        self.addCleanup(setattr, Node, "write_config", self.write)

    def test_a_node_between_makes_the_far_receipt_a_parent(self):
        with Node() as far, Node(models=[], upstreams=[{"name": "far", "url": far.url + "/v1", "models": ["small"]}]) as near:
            answer = near.chat()
            proof = near.ask("GET", "/v1/hanse/receipts/" + answer.headers["Hanse-Receipt"]).body.decode()
            parents = record_of(proof)["parents"]
            self.assertEqual(len(parents), 1)
            self.assertEqual(json.loads(far.command("journal", "show", parents[0], "--json").stdout)["record"]["kind"], "answer")

    def test_a_full_disk_refuses_before_any_work_and_goes_on_when_there_is_room(self):
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
            self.skipTest("needs a file system of its own")
        folder = Node(models=[MODEL])
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder.data)], capture_output=True)
        if mounted.returncode != 0:
            folder.folder.cleanup()
            self.skipTest("no tmpfs can be mounted here")
        try:
            with folder as node:
                self.assertEqual(node.chat().status, 200)
                filler = node.data / "filler"
                with open(filler, "wb") as out:
                    try:
                        while True:
                            out.write(b"x" * 4096)
                            out.flush()
                    except OSError:
                        pass

                def stopped():
                    answer = node.chat()
                    return answer if answer.status == 503 else None

                refused = wait_until(stopped, "a refusal", 30)
                self.assertEqual(refused.json()["error"]["code"], "journal_stopped")
                filler.unlink()
                wait_until(lambda: node.chat().status == 200, "an answer again", 30)
                self.assertIn("journal_resumed", [record["kind"] for record in records(node)])
        finally:
            subprocess.run(["umount", "-l", str(folder.data)], capture_output=True)

    def test_many_at_once_have_each_a_receipt_and_the_log_counts_them(self):
        with MockUpstream() as mock, Node(models=[], upstreams=[{"name": "elsewhere", "url": mock.url, "renamed": {"small": "there"}}]) as node:
            receipts: list[str] = []

            def run():
                for _ in range(10):
                    receipts.append(node.chat().headers["Hanse-Receipt"])

            threads = [threading.Thread(target=run) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(set(receipts)), 160)
            recorded = [record["id"] for record in records(node) if record["kind"] == "answer"]
            self.assertEqual(sorted(recorded), sorted(receipts))


if __name__ == "__main__":
    main()
