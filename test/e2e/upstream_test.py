# SPDX-License-Identifier: Apache-2.0
"""A node in front of model servers elsewhere: a mock that misbehaves, and another node."""

import json
import threading
import unittest

import openai
from hanse_node import Node, Stream, main, wait_until
from mock_upstream import MockUpstream


def upstream(url: str, **more) -> dict:
    return {"name": "elsewhere", "url": url, "renamed": {"remote": "there"}, "health_interval": "200ms", **more}


class Mock(unittest.TestCase):
    def setUp(self):
        self.mock = self.enterContext(MockUpstream())
        self.node = self.enterContext(Node(models=[], upstreams=[upstream(self.mock.url, api_key="key-for-there", retries=2, failures_to_open=3, open_for="400ms",
                                                                          idle_timeout="2s")], limits={"write_timeout": "1s"}))
        self.client = self.node.client()
        self.addCleanup(self.client.close)

    def chat(self, **more):
        return self.client.chat.completions.create(**{"model": "remote", "messages": [{"role": "user", "content": "Moin"}], **more})

    def test_answers_come_through_under_the_names_of_either_side(self):
        self.assertEqual([m.id for m in self.client.models.list()], ["remote"])
        self.assertEqual(self.chat().choices[0].message.content, "Moin from elsewhere")
        self.assertEqual(self.mock.asked[0]["model"], "there")
        self.assertEqual(self.mock.headers[0]["authorization"], "Bearer key-for-there")

    def test_streams_come_through_whole(self):
        text = "".join(c.choices[0].delta.content or "" for c in self.chat(stream=True) if c.choices)
        self.assertEqual(text, "Moin from elsewhere")

    def test_fields_that_the_node_does_not_know_are_passed_on(self):
        self.chat(extra_body={"guided_choice": ["a", "b"], "unknown": {"deep": [1, 2.50, None]}})
        self.assertEqual(self.mock.asked[0]["guided_choice"], ["a", "b"])
        self.assertIn(b"2.5", self.mock.asked[0]["raw"])

    def test_the_callers_key_is_not_handed_on(self):
        self.node.ask("POST", "/v1/chat/completions", {"model": "remote", "messages": []}, {"Authorization": "Bearer my-own-secret", "Cookie": "a=b"})
        if self.mock.headers:
            self.assertNotIn("my-own-secret", json.dumps(self.mock.headers))
            self.assertNotIn("cookie", self.mock.headers[-1])

    def test_failures_before_the_first_byte_are_tried_again(self):
        self.mock.behave = self.mock.fail_first(2)
        self.assertEqual(self.chat().choices[0].message.content, "Moin from elsewhere")
        self.assertEqual(len(self.mock.asked), 3)

    def test_refusals_of_the_upstream_come_back_as_they_are_and_are_not_tried_again(self):
        self.mock.behave = lambda handler, _: self.mock.json(handler, {"error": {"message": "too hot", "type": "invalid_request_error", "param": "temperature", "code": "x"}}, 400)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat()
        self.assertEqual((caught.exception.param, len(self.mock.asked)), ("temperature", 1))

    def test_a_stream_that_breaks_is_seen_as_broken_and_not_tried_again(self):
        self.mock.behave = self.mock.break_off_after(2)
        stream = self.node.stream(model="remote")
        try:
            stream.read_all()
        except ConnectionResetError:
            pass
        self.assertIn(b"Moin", stream.raw)
        self.assertFalse(stream.ended_well, stream.raw)
        self.assertEqual(len(self.mock.asked), 1)
        wait_until(self.node.idle, "the broken stream to be forgotten", 20)

    def test_an_upstream_that_falls_silent_is_given_up(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def behave(handler, _):
            self.mock.begin_stream(handler)
            self.mock.frame(handler, self.mock.delta("Moin"))
            release.wait(60)
            handler.close_connection = True

        self.mock.behave = behave
        stream = self.node.stream(model="remote")
        try:
            stream.read_all()
        except ConnectionResetError:
            pass
        self.assertFalse(stream.ended_well)
        wait_until(self.node.idle, "the silent stream to be given up", 20)

    def test_the_circuit_opens_after_failures_and_closes_again(self):
        self.mock.behave = self.mock.fail_first(10_000)
        for _ in range(3):
            self.assertGreaterEqual(self.node.chat(model="remote").status, 500)
        asked = len(self.mock.asked)
        for _ in range(5):
            self.assertEqual(self.node.chat(model="remote").status, 503)
        self.assertLessEqual(len(self.mock.asked), asked + 3, "an open circuit lets at most a trial through")
        self.mock.behave = self.mock.well
        wait_until(lambda: self.node.chat(model="remote").status == 200, "the circuit to close", 20)

    def test_a_client_that_goes_away_ends_the_request_there(self):
        gone = threading.Event()

        def behave(handler, _):
            self.mock.begin_stream(handler)
            try:
                while True:
                    self.mock.frame(handler, self.mock.delta("z" * 1000))
            except OSError:
                gone.set()
                raise

        self.mock.behave = behave
        stream = self.node.stream(model="remote").read_until(b"zzz")
        stream.close()
        self.assertTrue(gone.wait(30))
        wait_until(self.node.idle, "the request to end", 20)

    def test_a_reader_that_takes_nothing_is_cut_and_stalls_nobody(self):
        def behave(handler, body):
            if body["messages"][0]["content"] != "flood":
                return self.mock.well(handler, body)
            self.mock.begin_stream(handler)
            while True:
                self.mock.frame(handler, self.mock.delta("z" * 10_000))

        self.mock.behave = behave
        slow = Stream(self.node.address, {"model": "remote", "stream": True, "messages": [{"role": "user", "content": "flood"}]}, receive_buffer=4096)
        slow.read_until(b"zzz")
        for _ in range(20):
            self.assertEqual(self.node.chat(model="remote").status, 200)
        wait_until(self.node.idle, "the reader that takes nothing to be cut", 30)
        self.assertLess(self.node.metric("process_resident_memory_bytes"), 300e6)
        slow.close()

    def test_a_hundred_streams_at_once_lose_no_frame(self):
        self.mock.words = tuple(f" {n}" for n in range(50))
        texts = []

        def run():
            stream = self.node.stream(model="remote")
            stream.read_all()
            texts.append("".join(json.loads(line[6:])["choices"][0]["delta"].get("content", "") for line in stream.body().decode().splitlines() if line.startswith("data: {")))

        threads = [threading.Thread(target=run) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(texts, ["".join(self.mock.words)] * 100)


class Absent(unittest.TestCase):
    def test_an_upstream_that_is_not_there_is_told_fast_and_does_not_stop_the_node(self):
        with Node(models=[], upstreams=[upstream("http://127.0.0.1:9/v1", retries=1)]) as node:
            answer = node.chat(model="remote")
            self.assertEqual((answer.status, answer.json()["error"]["type"]), (503, "server_error"))
            wait_until(lambda: node.metric("hanse_upstream_healthy", upstream="elsewhere") == 0, "the upstream to count as ill", 20)


class Chain(unittest.TestCase):
    def test_a_node_in_front_of_a_node_gives_the_same_answer(self):
        with Node(keys={"required": "always"}) as far:
            made = far.command("key", "create", "--name", "near", "--json")
            self.assertEqual(made.returncode, 0, made.stderr)
            with Node(models=[], upstreams=[upstream(far.url + "/v1", renamed={"remote": "small"}, api_key=json.loads(made.stdout)["secret"])]) as near:
                wait_until(lambda: near.chat(model="remote", max_tokens=1).status == 200, "the far node to know the key", 20)
                ask = {"messages": [{"role": "user", "content": "Name a river."}], "max_tokens": 24, "temperature": 0}
                client = near.client()
                whole = client.chat.completions.create(model="remote", **ask)
                pieces = [c for c in client.chat.completions.create(model="remote", stream=True, stream_options={"include_usage": True}, **ask)]
                self.assertEqual("".join(c.choices[0].delta.content or "" for c in pieces if c.choices), whole.choices[0].message.content)
                self.assertEqual(pieces[-1].usage.completion_tokens, whole.usage.completion_tokens)
                with self.assertRaises(openai.BadRequestError):
                    client.chat.completions.create(model="remote", messages=[], max_tokens=1)
                stream = near.stream(model="remote", max_tokens=3000, ignore_eos=True).read_until(b'"content":"')
                stream.close()
                wait_until(near.idle, "the near node to be idle", 20)
                wait_until(far.idle, "the far node to be idle", 20)


if __name__ == "__main__":
    main()
