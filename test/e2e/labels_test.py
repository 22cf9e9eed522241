# SPDX-License-Identifier: Apache-2.0
"""What may go where, from outside: headers, refusals, caches, reloads. The upstream's side shows what left the node."""

import json
import signal
import unittest

from hanse_node import Node, main, wait_until
from mock_upstream import MockUpstream

POLICY = """version = 1
standard = "internal"
[house]
name = "acme"
in = "DE"
[[kinds]]
name = "personnel"
preset = "personal"
place = "house"
control = "house"
[[places]]
name = "local"
sort = "model"
receivers = ["acme"]
place = "house"
control = "house"
contents = ["personal", "trade-secret"]
keep = "none"
learn = "no"
[[places]]
name = "answer"
sort = "caller"
receivers = ["acme"]
place = "house"
control = "house"
contents = ["personal", "trade-secret"]
keep = "none"
learn = "no"
"""
CLOUD = """[[places]]
name = "cloud"
sort = "backend"
receivers = ["acme"]
place = "EU"
control = "EU"
keep = "none"
learn = "no"
"""
SECRET = "Anna earns 4711 euros"


class Labels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(MockUpstream())
        cls.node = Node(upstreams=[{"name": "cloud", "url": cls.upstream.url, "models": ["far"]}])
        cls.addClassCleanup(cls.node.__exit__)
        (cls.node.data / "policy.toml").write_text(POLICY + CLOUD, encoding="utf-8")
        cls.node.start()

    def ask(self, model: str = "small", label: str = "", text: str = SECRET, headers: dict | None = None, **more):
        return self.node.chat(text, headers={**({"Hanse-Label": label} if label else {}), **(headers or {})}, model=model, **more)

    def test_answers_carry_their_label_out(self):
        self.assertIn("owner=acme readers=acme place=EU", self.ask().headers["Hanse-Label"])
        self.assertIn("place=house", self.ask(label="personnel").headers["Hanse-Label"])
        self.assertIn("owner=acme", self.ask("far").headers["Hanse-Label"])

    def test_a_stream_carries_its_label_beside_the_usage_and_the_official_client_reads_on(self):
        chunks = list(self.node.client().chat.completions.create(model="small", messages=[{"role": "user", "content": "Hi"}], max_tokens=4, stream=True,
                                                                 stream_options={"include_usage": True}, extra_headers={"Hanse-Label": "personnel"}))
        self.assertIn("place=house", chunks[-1].model_extra["hanse_label"])

    def test_what_may_not_leave_is_refused_and_no_byte_of_it_leaves(self):
        for stream in (False, True):
            before = len(self.upstream.asked)
            answer = self.ask("far", "personnel", stream=stream)
            error = answer.json()["error"]
            self.assertEqual((answer.status, error["code"], error["type"]), (403, "label_denied", "permission_error"))
            self.assertIn("acme keeps this inside house:acme; cloud runs in EU; what would help: ", error["message"])
            self.assertNotIn("Anna", answer.body.decode())
            self.assertEqual(len(self.upstream.asked), before)
        german = self.ask("far", "personnel", headers={"Accept-Language": "de"})
        self.assertIn("was helfen würde", german.json()["error"]["message"])
        self.assertNotIn("Anna", self.node.log_text())

    def test_what_may_leave_leaves_and_the_label_stays_here(self):
        self.assertEqual(self.ask("far", text="Moin").status, 200)
        self.assertNotIn("hanse-label", self.upstream.headers[-1])

    def test_data_without_a_label_goes_nowhere(self):
        for model in ("small", "far"):
            self.assertEqual(self.ask(model, "top").status, 403)

    def test_an_unknown_word_is_a_mistake_and_not_nothing(self):
        answer = self.ask(label="personel")
        self.assertEqual((answer.status, answer.json()["error"]["code"]), (400, "unknown_word"))

    def test_decide_says_beforehand_and_sends_nothing(self):
        before = len(self.upstream.asked)
        told = self.node.ask("POST", "/v1/hanse/decide", {"model": "far", "label": "personnel"}).json()
        self.assertEqual((told["outcome"], told["prompt"]["place"], told["prompt"]["obstacles"][0]["term"]), ("deny", "cloud", "place"))
        self.assertEqual(self.node.ask("POST", "/v1/hanse/decide", {"model": "small", "label": "personnel"}).json()["outcome"], "permit")
        self.assertEqual(len(self.upstream.asked), before)

    def test_cached_prompts_are_shared_by_no_other_label_and_kept_for_nobody_where_nothing_may_be_kept(self):
        def cached(label: str) -> int:
            return self.ask(label=label, text="A long and particular question about the harbour of Lübeck. " * 8).json()["usage"]["prompt_tokens_details"]["cached_tokens"]
        cached("internal")
        own, other = cached("internal"), cached("personnel")
        self.assertGreater(own, 0)
        self.assertLess(other, own)
        cached("trade-secret")
        self.assertLess(cached("trade-secret"), own)

    def test_a_stored_answer_hands_its_label_on(self):
        first = self.node.ask("POST", "/v1/responses", {"model": "small", "input": SECRET, "max_output_tokens": 16}, {"Hanse-Label": "personnel"})
        self.assertEqual(first.status, 200, first.body)
        follow = {"input": "And Bert?", "max_output_tokens": 16, "previous_response_id": first.json()["id"]}
        self.assertIn("place=house", self.node.ask("POST", "/v1/responses", {"model": "small", **follow}).headers["Hanse-Label"])
        secret = self.node.ask("POST", "/v1/responses", {"model": "small", "input": SECRET, "max_output_tokens": 16}, {"Hanse-Label": "trade-secret"})
        self.assertEqual(self.node.ask("GET", "/v1/responses/" + secret.json()["id"]).status, 404)

    def test_a_key_has_a_label_and_a_ceiling(self):
        def secret(*options: str) -> dict:
            made = self.node.command("key", "create", "--json", "--name", "k", *options)
            self.assertEqual(made.returncode, 0, made.stderr)
            bearer = {"Authorization": "Bearer " + json.loads(made.stdout)["secret"]}
            wait_until(lambda: self.ask(headers=bearer).status != 401, "the new key to be known", 20)
            return bearer
        payroll = secret("--label", "personnel")
        self.assertIn("place=house", self.ask(headers=payroll).headers["Hanse-Label"])
        self.assertEqual(self.ask("far", headers=payroll).status, 403)
        self.assertEqual(self.ask("far", "public", headers=payroll).status, 403, "a header cannot loosen")
        narrow = secret("--ceiling", "internal")
        self.assertEqual(self.ask(label="personnel", headers=narrow).json()["error"]["code"], "label_denied")
        self.assertEqual(self.node.command("key", "create", "--name", "k", "--label", "nonsense").returncode, 2)

    def test_recent_decisions_show_what_a_new_policy_would_change(self):
        self.ask("far", text="Moin")
        record = self.node.data / "decisions.tsv"
        wait_until(lambda: record.exists() and "\tcloud\tanswer" in record.read_text(), "the record", 20)
        self.assertNotIn("Anna", record.read_text())
        (self.node.data / "next.toml").write_text(POLICY, encoding="utf-8")
        diff = self.node.command("policy", "diff", str(self.node.data / "next.toml"), "--json")
        self.assertEqual(diff.returncode, 1, diff.stderr)
        changed = json.loads(diff.stdout)["differences"]
        self.assertIn(("cloud", "permit", "deny acme readers"), [(each["place"], each["before"], each["after"]) for each in changed])


class Reload(unittest.TestCase):
    def test_a_policy_is_exchanged_whole_or_not_at_all(self):
        with MockUpstream() as upstream:
            node = Node(models=[], upstreams=[{"name": "cloud", "url": upstream.url, "models": ["far"]}])
            policy = node.data / "policy.toml"
            policy.write_text(POLICY + CLOUD, encoding="utf-8")
            with node:
                self.assertEqual(node.chat(model="far").status, 200)
                policy.write_text(POLICY + CLOUD + 'colour = "red"\n', encoding="utf-8")
                node.process.send_signal(signal.SIGHUP)
                wait_until(lambda: "reload_refused" in node.log_text(), "the refusal")
                self.assertIn("unknown key places.cloud.colour", node.log_text())
                self.assertEqual(node.chat(model="far").status, 200, "the old one is in force")
                policy.write_text(POLICY, encoding="utf-8")
                node.process.send_signal(signal.SIGHUP)
                wait_until(lambda: node.chat(model="far").status == 403, "the new policy")
                told = node.log_text()
                self.assertIn("decision_changes", told, "what turns out differently is told before")

    def test_a_node_with_a_broken_policy_does_not_start(self):
        node = Node(models=[])
        (node.data / "policy.toml").write_text("version = 1\n", encoding="utf-8")
        node.write_config()
        told = node.command("serve")
        node.folder.cleanup()
        self.assertEqual(told.returncode, 2)
        self.assertIn("house is missing", told.stderr)

    def test_without_a_policy_file_data_stays_on_this_machine(self):
        with MockUpstream() as upstream:
            elsewhere = {"name": "elsewhere", "url": "http://model-server.example/v1", "models": ["away"]}
            with Node(models=[], upstreams=[{"name": "beside", "url": upstream.url, "models": ["far"]}, elsewhere]) as node:
                self.assertIn("no_policy_file", node.log_text())
                self.assertEqual(node.chat(model="far").status, 200)
                self.assertEqual(node.chat(model="far", headers={"Hanse-Label": "trade-secret"}).status, 403)
                self.assertEqual(node.chat(model="away").json()["error"]["code"], "label_denied")


if __name__ == "__main__":
    main()
