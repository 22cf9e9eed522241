# SPDX-License-Identifier: Apache-2.0
"""A conversation with personal data goes to a back end elsewhere under pseudonyms and comes back with the names in place. What
left is read from the bytes that the back end got."""

import json
import re
import subprocess
import unittest

from hanse_node import BINARY, Node, main
from mock_upstream import MockUpstream

POLICY = """version = 1
standard = "customers"
[house]
name = "acme"
in = "DE"
[[kinds]]
name = "customers"
preset = "personal"
after = ["pseudonymise"]
[[places]]
name = "local"
sort = "model"
receivers = ["acme"]
place = "house"
control = "house"
contents = ["personal"]
keep = "none"
learn = "no"
[[places]]
name = "answer"
sort = "caller"
receivers = ["acme"]
place = "house"
control = "house"
contents = ["personal", "pseudonymous"]
keep = "none"
learn = "no"
[[places]]
name = "cloud"
sort = "backend"
receivers = ["acme"]
place = "EU"
control = "EU"
contents = ["pseudonymous"]
keep = "none"
learn = "no"
"""
DIRECTORY = """[[people]]
name = "Anna-Lena Brinkmann"
[[people]]
name = "Jürgen Müller"
"""
PSEUDONYM = re.compile(r"[A-Z]+_\d+_[A-Z2-9]{10}")
SECRETS = ("Brinkmann", "Müller", "M\\u00fcller", "DE89370400440532013000", "anna@example.org")
TALK = [{"role": "user", "content": "Frau Brinkmann (anna@example.org) schuldet Jürgen Müller Geld."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": json.dumps({"who": "Jürgen Müller", "iban": "DE89370400440532013000"})}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Jürgen Müller: 20 Euro"},
        {"role": "user", "content": "Schreib Brinkmann und Müller."}]


class Pseudonyms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = cls.enterClassContext(MockUpstream())
        cls.node = Node(models=[], upstreams=[{"name": "cloud", "url": cls.upstream.url, "models": ["far"]}], logging={"level": "info"})
        cls.addClassCleanup(cls.node.__exit__)
        (cls.node.data / "policy.toml").write_text(POLICY, encoding="utf-8")
        (cls.node.data / "directory.toml").write_text(DIRECTORY, encoding="utf-8")
        cls.node.start()
        cls.client = cls.node.client()
        cls.addClassCleanup(cls.client.close)

    def setUp(self):
        self.upstream.asked.clear()
        self.upstream.behave = self.upstream.well

    def sent(self) -> str:
        self.assertEqual(len(self.upstream.asked), 1)
        wire = self.upstream.asked[0]["raw"].decode()
        for secret in SECRETS:
            self.assertNotIn(secret, wire)
        return wire

    def say_back(self, handler, body):
        """An answer out of the pseudonyms of the question, in small pieces, with one that nobody gave out."""
        words = self.words = PSEUDONYM.findall(json.dumps(body["messages"]))
        text = f"An {words[0]}s Adresse: {words[-1]}, nicht PERSON_7_ABCDEFGHJK. Stop"
        self.upstream.words = [text[at:at + 5] for at in range(0, len(text), 5)]
        self.upstream.well(handler, body)

    def test_a_conversation_leaves_under_pseudonyms_and_comes_back_with_names(self):
        self.upstream.behave = self.say_back
        answer = self.client.chat.completions.create(model="far", messages=TALK)
        wire = self.sent()
        self.assertEqual(answer.choices[0].message.content, "An Brinkmanns Adresse: Müller, nicht PERSON_7_ABCDEFGHJK. Stop")
        # Consistent: the full name was said three times, with one pseudonym, and its number is that of the family name.
        people = [p for p in PSEUDONYM.findall(wire) if p.startswith("PERSON")]
        self.assertEqual(max(people.count(p) for p in people), 3)
        self.assertEqual({p.split("_")[1] for p in people}, {"1", "2"})
        json.loads(json.loads(wire)["messages"][1]["tool_calls"][0]["function"]["arguments"])

    def test_a_stream_comes_back_with_names_though_every_pseudonym_is_cut(self):
        self.upstream.behave = self.say_back
        stream = self.client.chat.completions.create(model="far", messages=TALK, stream=True)
        text = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
        self.sent()
        self.assertEqual(text, "An Brinkmanns Adresse: Müller, nicht PERSON_7_ABCDEFGHJK. Stop")

    def test_tool_calls_come_back_with_names_in_their_arguments(self):
        def behave(handler, body):
            name = PSEUDONYM.findall(json.dumps(body["messages"]))[0]
            self.upstream.begin_stream(handler)
            arguments = json.dumps({"to": name, "cc": "PERSON_1_"})
            for at in range(0, len(arguments), 3):
                call = {"index": 0, "function": {"arguments": arguments[at:at + 3]}, **({"id": "call_2", "type": "function"} if at == 0 else {})}
                if at == 0:
                    call["function"]["name"] = "send_mail"
                self.upstream.frame(handler, json.dumps({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "far", "choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]}))
            self.upstream.frame(handler, json.dumps({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "far", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}))
            self.upstream.frame(handler, "[DONE]")
            handler.wfile.write(b"0\r\n\r\n")

        self.upstream.behave = behave
        stream = self.client.chat.completions.create(model="far", messages=TALK[:1], stream=True)
        arguments = "".join(c.choices[0].delta.tool_calls[0].function.arguments or "" for c in stream if c.choices and c.choices[0].delta.tool_calls)
        self.assertEqual(json.loads(arguments), {"to": "Brinkmann", "cc": "PERSON_1_"})

    def test_pseudonyms_of_one_request_mean_nothing_in_the_next(self):
        self.client.chat.completions.create(model="far", messages=TALK[:1])
        foreign = PSEUDONYM.findall(self.sent())[0]
        self.upstream.asked.clear()
        self.upstream.words = (f"Wer ist {foreign}?",)
        answer = self.client.chat.completions.create(model="far", messages=TALK[:1])
        self.assertNotIn(foreign, self.sent())
        self.assertEqual(answer.choices[0].message.content, f"Wer ist {foreign}?")

    def test_what_has_no_names_leaves_as_its_bytes(self):
        body = {"model": "far", "messages": [{"role": "user", "content": "Wie spät ist es?"}], "temperature": 0.5}
        raw = self.node.ask("POST", "/v1/chat/completions", body)
        self.assertEqual((raw.status, raw.headers["Hanse-Pseudonyms"]), (200, "nothing replaced"))
        self.assertEqual(json.loads(self.upstream.asked[0]["raw"]), body)

    def test_evidence_names_kinds_and_counts_and_no_text(self):
        answer = self.node.ask("POST", "/v1/chat/completions", {"model": "far", "messages": TALK})
        self.assertEqual(answer.headers["Hanse-Pseudonyms"], "replaced iban 1, email 1, person 6; 5 pseudonyms")
        log = self.node.log_text()
        for secret in SECRETS:
            self.assertNotIn(secret, log)

    def test_code_is_neither_changed_nor_sent(self):
        answer = self.node.ask("POST", "/v1/chat/completions", {"model": "far", "messages": [{"role": "user", "content": "```\nto = 'anna@example.org'\n```"}]})
        self.assertEqual((answer.status, answer.json()["error"]["code"]), (403, "label_denied"))
        self.assertEqual(self.upstream.asked, [])


class Scan(unittest.TestCase):
    def test_the_command_shows_what_is_found_where(self):
        with Node(models=[]) as node:
            (node.data / "directory.toml").write_text(DIRECTORY, encoding="utf-8")
            letter = node.data / "letter.txt"
            letter.write_text("Guten Tag,\nFrau Brinkmanns Konto: DE89 3704 0044 0532 0130 00\n", encoding="utf-8")
            done = subprocess.run([BINARY, "policy", "scan", str(letter), "--json", "--data", str(node.data)], capture_output=True, text=True, check=True)
            self.assertEqual([(f["kind"], f["line"], f["column"], f["text"]) for f in json.loads(done.stdout)],
                             [("person", 2, 6, "Brinkmanns"), ("iban", 2, 24, "DE89 3704 0044 0532 0130 00")])


if __name__ == "__main__":
    main()
