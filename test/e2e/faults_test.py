# SPDX-License-Identifier: Apache-2.0
"""Clients that vanish or read slowly, signals, and endings."""

import json
import signal
import threading
import time
import unittest

from hanse_node import MODEL, Node, Stream, main, wait_until


class Signals(unittest.TestCase):
    def test_running_streams_end_well_after_sigterm_and_new_ones_are_refused(self):
        with Node() as node:
            stream = node.stream(max_tokens=120, ignore_eos=True).read_until(b'"content":"')
            node.terminate()
            wait_until(lambda: self.refuses(node), "the draining node to refuse", 20)
            stream.read_all()
            self.assertTrue(stream.ended_well, stream.raw[-300:])
            self.assertIn(b'"finish_reason":"length"', stream.raw)
            self.assertEqual(node.wait(), 0)

    @staticmethod
    def refuses(node) -> bool:
        try:
            return node.chat().status == 503
        except OSError:
            return True

    def test_what_runs_too_long_after_sigterm_is_cut_and_seen_as_broken(self):
        with Node(limits={"drain": "200ms"}) as node:
            stream = node.stream(max_tokens=3500, ignore_eos=True).read_until(b'"content":"')
            begin = time.monotonic()
            node.terminate()
            try:
                stream.read_all()
            except ConnectionResetError:
                pass
            self.assertFalse(stream.ended_well)
            node.wait()
            self.assertLess(time.monotonic() - begin, 20)

    def test_a_second_signal_ends_at_once(self):
        node = Node()
        node.start()
        stream = node.stream(max_tokens=3500, ignore_eos=True).read_until(b'"content":"')
        node.terminate()
        wait_until(lambda: self.refuses(node), "the draining node to refuse", 20)
        node.terminate()
        self.assertIsNotNone(node.wait(20))
        stream.close()
        node.process = None  # its exit code is the signal's
        node.__exit__()

    def test_sighup_brings_a_new_model_without_hurting_a_stream(self):
        with Node() as node:
            stream = node.stream(max_tokens=150, ignore_eos=True).read_until(b'"content":"')
            node.write_config(models=[MODEL, {**MODEL, "name": "second"}])
            node.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "second" in [m["id"] for m in node.ask("GET", "/v1/models").json()["data"]], "the second model", 20)
            stream.read_all()
            self.assertTrue(stream.ended_well)

    def test_sighup_with_a_broken_file_leaves_all_as_it_was_and_says_why(self):
        with Node() as node:
            node.config.write_text("[server]\nport = 'many'\n[nonsense]\n")
            node.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "nonsense" in node.log_text(), "the complaint in the log", 20)
            self.assertEqual(node.chat().status, 200)

    def test_a_model_taken_away_by_sighup_is_unknown_afterwards(self):
        with Node(models=[MODEL, {**MODEL, "name": "second"}]) as node:
            self.assertEqual(node.chat(model="second").status, 200)
            node.write_config(models=[MODEL])
            node.process.send_signal(signal.SIGHUP)
            wait_until(lambda: node.chat(model="second").status == 404, "the model to be gone", 20)
            self.assertEqual(node.chat().status, 200)

    def test_a_second_node_on_the_same_data_is_refused(self):
        with Node() as node:
            second = node.command("serve")
            self.assertNotEqual(second.returncode, 0)
            self.assertIn("run", second.stderr)


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node(limits={"write_timeout": "1s"})
        cls.addClassCleanup(cls.node.__exit__)
        cls.node.start()

    def descriptors(self) -> float:
        return self.node.metric("process_open_fds")

    def test_work_stops_when_the_client_of_a_stream_goes_away(self):
        stream = self.node.stream(max_tokens=3500, ignore_eos=True).read_until(b'"content":"')
        self.assertEqual(self.node.metric("hanse_in_flight"), 1)
        stream.close()
        wait_until(self.node.idle, "the stream to be cancelled", 20)
        wait_until(lambda: self.node.metric("hanse_running") == 0, "the engine to be idle", 20)

    def test_work_stops_when_the_client_goes_away_before_the_first_token(self):
        stream = self.node.stream("word " * 3000, max_tokens=8)
        wait_until(lambda: self.node.metric("hanse_in_flight") == 1, "the request to be known", 20)
        stream.close()
        wait_until(self.node.idle, "the request to be cancelled", 20)

    def test_work_stops_when_the_client_of_a_whole_answer_goes_away(self):
        stream = self.node.stream(max_tokens=3500, ignore_eos=True, stream=False)
        wait_until(lambda: self.node.metric("hanse_in_flight") == 1, "the request to be known", 20)
        stream.close()
        wait_until(self.node.idle, "the request to be cancelled", 20)

    def test_a_reader_that_takes_nothing_stalls_nobody(self):
        slow = Stream(self.node.address, {"model": "small", "messages": [{"role": "user", "content": "Go on."}], "stream": True, "max_tokens": 200,
                                          "ignore_eos": True, "logprobs": True, "top_logprobs": 20}, receive_buffer=4096)
        slow.read_until(b"HTTP/1.1 200")
        for _ in range(5):
            self.assertEqual(self.node.chat(max_tokens=4).status, 200)
        wait_until(self.node.idle, "the slow reader's answer to end or to be cut")
        slow.close()

    def test_many_that_vanish_leave_nothing_behind(self):
        self.node.chat()
        wait_until(self.node.idle, "a quiet node", 20)
        before = self.descriptors()
        for turn in range(24):
            stream = self.node.stream(max_tokens=400, ignore_eos=True)
            if turn % 2:
                stream.read_until(b'"content":"')
            stream.close()
        wait_until(self.node.idle, "all to be cancelled")
        wait_until(lambda: self.descriptors() <= before + 1, "all descriptors to be closed", 20)
        self.assertEqual(self.node.chat().status, 200)

    def test_streams_beside_each_other_get_what_is_theirs(self):
        texts = {}

        def run(number):
            raw = self.node.stream(f"Count from {number}.", max_tokens=24, temperature=0).read_all().decode()
            frames = [json.loads(line[6:]) for line in raw.splitlines() if line.startswith("data: {")]
            texts[number] = "".join(c["delta"].get("content") or "" for f in frames for c in f["choices"])

        threads = [threading.Thread(target=run, args=(n % 4,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number in range(4):
            alone = self.node.chat(f"Count from {number}.", max_tokens=24, temperature=0).json()["choices"][0]["message"]["content"]
            # Sums in another order may turn a near tie, so the beginning is what must agree.
            self.assertEqual(texts[number][:8], alone[:8])


if __name__ == "__main__":
    main()
