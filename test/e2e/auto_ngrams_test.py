# SPDX-License-Identifier: Apache-2.0
"""hanse/auto leads a whole request to the model of the owner whose texts it is like, by tables that hanse forge ngrams makes."""

import signal
import tempfile
import unittest
from pathlib import Path

from forge_recombine_test import write_model
from hanse_node import Node, main, run_hanse, wait_until
from labels_test import CLOUD, POLICY
from mock_upstream import MockUpstream

LAW = "Der Antrag ist innerhalb eines Monats nach Bekanntgabe des Bescheides bei der Behoerde schriftlich zu stellen. " * 20
CODE = "def total(items):\n    return sum(item.price for item in items if item.price is not None)\n" * 20
QUESTIONS = {"law": "Wann ist der Bescheid der Behoerde bekanntgegeben, und in welcher Frist ist der Antrag zu stellen?",
             "code": "def mean(items):\n    return sum(item.price for item in items) / len(items)\n"}


class Auto(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="hanse-e2e-")))
        for seed, (name, text) in enumerate((("law", LAW), ("code", CODE), ("general", "")), 10):
            write_model(self.folder / f"{name}.gguf", seed)
            if text:
                (self.folder / f"{name}.txt").write_text(text)
                self.join(f"{name}.ngrams", name, f"{name}.txt")
        self.join("all.ngrams", "law", "law.txt")
        self.join("all.ngrams", "code", "code.txt")

    def join(self, table: str, owner: str, text: str) -> None:
        done = run_hanse("forge", "ngrams", "join", str(self.folder / table), str(self.folder / text), "--expert", owner)
        self.assertEqual(done.returncode, 0, done.stderr)

    def models(self, tables: bool) -> list[dict]:
        return [{"name": name, "file": str(self.folder / f"{name}.gguf"), "context": 256, **({"ngrams": str(self.folder / f"{name}.ngrams")} if tables and name != "general" else {})}
                for name in ("code", "general", "law")]

    def order(self, node: Node, body: dict) -> list[str]:
        answer = node.ask("POST", "/v1/hanse/route", {"model": "hanse/auto", **body})
        self.assertEqual(answer.status, 200, answer.body)
        return [each["model"] for each in answer.json()["order"]]

    def check(self, node: Node) -> None:
        for owner, question in QUESTIONS.items():
            with self.assertRaises(AssertionError, msg="nobody has asked it yet"):
                node.metric("hanse_prompt_tokens_total", model=owner)
            for body in ({"prompt": question}, {"messages": [{"role": "user", "content": question}]}):
                self.assertEqual(self.order(node, body)[0], owner, body)
            answer = node.ask("POST", "/v1/completions", {"model": "hanse/auto", "prompt": question, "max_tokens": 2})
            self.assertEqual(answer.status, 200, answer.body)
            self.assertGreater(node.metric("hanse_prompt_tokens_total", model=owner), 0)

    def test_a_request_goes_to_the_model_of_its_owner_and_the_explanation_shows_by_how_much(self):
        with Node(models=self.models(tables=True)) as node:
            self.check(node)
            told = node.ask("POST", "/v1/hanse/route", {"model": "hanse/auto", "prompt": QUESTIONS["law"]}).json()["order"]
            by_name = {each["model"]: each for each in told}
            self.assertLess(by_name["law"]["nats_per_byte"], by_name["code"]["nats_per_byte"])
            self.assertEqual(by_name["law"]["scores"]["fit"]["value"], 1)
            self.assertLess(by_name["code"]["scores"]["fit"]["value"], 0.01)
            self.assertEqual(by_name["general"]["scores"]["fit"]["value"], 0.5)
            self.assertNotIn("nats_per_byte", by_name["general"])
            self.assertEqual(self.order(node, {}), ["code", "general", "law"], "without the question nothing is compared")

    def test_one_table_can_speak_for_all_and_an_owner_that_leaves_it_is_compared_no_more_after_a_reload(self):
        with Node(models=self.models(tables=False), route={"ngrams": str(self.folder / "all.ngrams")}) as node:
            self.check(node)
            done = run_hanse("forge", "ngrams", "leave", str(self.folder / "all.ngrams"), "--expert", "law")
            self.assertEqual(done.returncode, 0, done.stderr)
            node.process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.order(node, {"prompt": QUESTIONS["law"]})[0] != "law", "the table to be read anew")

    def test_the_label_decides_first_and_what_it_forbids_is_not_even_compared(self):
        with MockUpstream() as upstream:
            (self.folder / "all.ngrams").unlink()
            for owner, text in (("far", "law.txt"), ("code", "code.txt"), ("general", "code.txt")):
                self.join("all.ngrams", owner, text)
            node = Node(models=self.models(tables=False)[:2], route={"ngrams": str(self.folder / "all.ngrams")},
                        upstreams=[{"name": "cloud", "url": upstream.url, "models": ["far"]}])
            (node.data / "policy.toml").write_text(POLICY + CLOUD, encoding="utf-8")
            with node:
                ask = {"prompt": QUESTIONS["law"]}
                self.assertEqual(self.order(node, ask)[0], "far")
                told = node.ask("POST", "/v1/hanse/route", {"model": "hanse/auto", "label": "personnel", **ask}).json()
                self.assertNotIn("far", [each["model"] for each in told["order"]])
                excluded = next(each for each in told["excluded"] if each["model"] == "far")
                self.assertEqual(excluded["exclusion"], "rule")
                self.assertNotIn("nats_per_byte", excluded)
                answer = node.ask("POST", "/v1/completions", {"model": "hanse/auto", "prompt": QUESTIONS["law"], "max_tokens": 1}, headers={"Hanse-Label": "personnel"})
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(upstream.asked, [])

    def test_a_table_that_is_not_there_is_named_at_the_start(self):
        done = run_hanse("serve", "--data", str(self.folder), environment={"HANSE_ROUTE_NGRAMS": str(self.folder / "none.ngrams"), "HANSE_SERVER_PORT": "0"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("route.ngrams", done.stderr)
        (self.folder / "none.ngrams").write_bytes(b"hanse-ngrams 2\n")
        done = run_hanse("serve", "--data", str(self.folder), environment={"HANSE_ROUTE_NGRAMS": str(self.folder / "none.ngrams"), "HANSE_SERVER_PORT": "0"})
        self.assertIn("n-gram table, magic", done.stderr)


if __name__ == "__main__":
    main()
