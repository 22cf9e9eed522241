# SPDX-License-Identifier: Apache-2.0
"""Bytes that no client should send and files that are no models: a clear error each, and the node goes on."""

import json
import socket
import struct
import unittest
from pathlib import Path

from hanse_node import MODEL, MODEL_FILE, Node, main

CHAT = "/v1/chat/completions"


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node(limits={"body": "64KiB", "headers": "8KiB", "header_timeout": "1s"})
        cls.addClassCleanup(cls.node.__exit__)
        cls.node.start()

    def tearDown(self):
        self.assertEqual(self.node.ask("GET", "/healthz").status, 200)

    def refused(self, body, status=400, path=CHAT, **expected):
        answer = self.node.ask("POST", path, body)
        self.assertEqual(answer.status, status, answer.body[:500])
        error = answer.json()["error"]
        self.assertEqual(set(error), {"message", "type", "param", "code"})
        self.assertTrue(error["message"])
        for name, value in expected.items():
            self.assertEqual(error[name], value, error)
        return error

    def raw(self, data: bytes) -> bytes:
        with socket.create_connection(self.node.address, timeout=30) as connection:
            answer = b""
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    answer += piece
            except OSError:  # refused in the middle of what it sends; the answer may be lost with the connection
                answer = answer or b"HTTP/1.1 431"
        return answer

    def test_malformed_json(self):
        for body in (b"", b"{", b"[]", b"null", b'"text"', b'{"model":}', b'{"model":"small"}}', b"{'model':'small'}", b'{"a":' * 5000,
                     b"[" * 60000, b'{"model":"small","messages":[{"role":"user","content":"a"}],}', b"\x00\x01\x02"):
            with self.subTest(body[:40]):
                self.refused(body)

    def test_wrong_types_name_the_parameter(self):
        good = {"model": "small", "messages": [{"role": "user", "content": "a"}]}
        for name, value in (("messages", "hello"), ("messages", []), ("messages", [1]), ("model", 5), ("temperature", "hot"), ("stream", "yes"), ("stop", 7),
                            ("max_tokens", 1.5), ("max_tokens", 1e300), ("tools", {}), ("n", "many"), ("logit_bias", {"x": 1}), ("response_format", {"type": "poem"})):
            with self.subTest(f"{name}={value}"):
                error = self.refused({**good, name: value})
                self.assertTrue((error["param"] or "").startswith(name), error)

    def test_invalid_utf8(self):
        for text in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
            with self.subTest(text):
                self.refused(b'{"model":"small","messages":[{"role":"user","content":"' + text + b'"}]}')

    def test_a_lone_surrogate_in_an_escape_never_comes_back_as_invalid_utf8(self):
        answer = self.node.ask("POST", CHAT, b'{"model":"small","max_tokens":2,"messages":[{"role":"user","content":"\\ud800"}]}')
        self.assertIn(answer.status, (200, 400))
        answer.body.decode("utf-8")

    def test_a_body_over_the_limit_is_413(self):
        self.refused(json.dumps({"model": "small", "messages": [{"role": "user", "content": "a" * 70_000}]}).encode(), status=413)

    def test_a_prompt_over_the_context(self):
        self.refused({"model": "small", "messages": [{"role": "user", "content": "word " * 5000}]}, code="context_length_exceeded")

    def test_an_unknown_model_an_unknown_path_and_a_wrong_method(self):
        self.refused({"model": "nobody", "messages": [{"role": "user", "content": "a"}]}, status=404, code="model_not_found")
        self.refused({}, path="/v1/nothing", status=404)
        answer = self.node.ask("GET", CHAT)
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST"))

    def test_hostile_http(self):
        for data, statuses in ((b"GARBAGE\r\n\r\n", (400,)), (b"GET /healthz HTTP/9.9\r\n\r\n", (400, 505)),
                               (b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", (400,)),
                               (b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", (400, 413)),
                               (b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n", (413,)),
                               (b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", (400,)),
                               (b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
                               (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", (400, 413, 431))):
            with self.subTest(data[:60]):
                answer = self.raw(data)
                self.assertTrue(answer.startswith(b"HTTP/1.1 "), answer[:100])
                self.assertIn(int(answer[9:12]), statuses, answer[:300])

    def test_a_header_that_never_ends_is_cut(self):
        with socket.create_connection(self.node.address, timeout=30) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
        self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 408"), answer[:100])

    def test_a_hostile_grammar_or_schema(self):
        deep = {"type": "object"}
        for _ in range(2000):
            deep = {"type": "array", "items": deep}
        ask = {"model": "small", "max_tokens": 2, "messages": [{"role": "user", "content": "a"}]}
        for schema in ({"type": "nonsense"}, {"$ref": "#/$defs/a"}, {"type": "string", "pattern": "(" * 500}, {"type": "array", "minItems": 10**12, "items": {"type": "null"}},
                       {"type": "object", "properties": 5}):
            with self.subTest(str(schema)[:60]):
                self.refused({**ask, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}})
        answer = self.node.ask("POST", CHAT, json.dumps({**ask, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": deep}}}).encode()[:60_000])
        self.assertEqual(answer.status, 400)

    def test_no_prompt_text_reaches_the_log(self):
        self.node.chat("The password of the harbour is kingfisher-41.")
        self.refused({"model": "small", "messages": [{"role": "user", "content": "kingfisher-41"}], "temperature": 9})
        self.assertNotIn("kingfisher-41", self.node.log_text())


class Files(unittest.TestCase):
    """Each is a model of the configuration that is asked for; the node says why not and serves the good one."""

    def broken(self, folder: Path) -> dict[str, Path]:
        whole = Path(MODEL_FILE).read_bytes()
        header = bytearray(whole[:24])
        files = {
            "empty": b"", "text": b"this is no model\n" * 50, "magic-only": b"GGUF", "cut-in-metadata": whole[:4096], "cut-in-tensors": whole[: len(whole) // 2],
            "short-by-one": whole[:-1],
            "many-tensors": bytes(header[:8]) + struct.pack("<QQ", 2**63, 1) + whole[24:8192],
            "many-keys": bytes(header[:16]) + struct.pack("<Q", 2**62) + whole[24:8192],
            "long-string": bytes(header[:16]) + struct.pack("<QQ", 1, 2**60) + b"key",
            "old-version": whole[:4] + struct.pack("<I", 1) + whole[8:8192],
            "flipped": whole[:40] + bytes(b ^ 0xFF for b in whole[40:3000]) + whole[3000:1_000_000],
        }
        found = {}
        for name, data in files.items():
            found[name] = folder / f"{name}.gguf"
            found[name].write_bytes(data)
        return found

    def test_a_file_that_is_not_there_is_told_before_the_node_listens(self):
        import tempfile
        from hanse_node import run_hanse, toml
        with tempfile.TemporaryDirectory(prefix="hanse-gguf-") as folder:
            Path(folder, "hanse.toml").write_text(f"[server]\nport = 0\n[[models]]\nname = \"ghost\"\nfile = {toml(folder + '/ghost.gguf')}\n")
            run = run_hanse("serve", "--data", folder)
            self.assertEqual(run.returncode, 5, run.stderr)
            self.assertIn("ghost.gguf", run.stderr)

    def test_files_that_are_no_models_are_told_and_the_node_goes_on(self):
        import tempfile
        with tempfile.TemporaryDirectory(prefix="hanse-gguf-") as folder:
            files = self.broken(Path(folder))
            with Node(models=[MODEL, *({"name": name, "file": str(path), "context": 512} for name, path in files.items())]) as node:
                for name in files:
                    with self.subTest(name):
                        answer = node.chat(model=name)
                        self.assertGreaterEqual(answer.status, 400)
                        self.assertTrue(answer.json()["error"]["message"])
                        self.assertNotIn(folder, answer.body.decode(), "a path of the node is nobody's business")
                        self.assertEqual(node.chat(max_tokens=1).status, 200)


if __name__ == "__main__":
    main()
