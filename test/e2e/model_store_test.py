# SPDX-License-Identifier: Apache-2.0
"""`hanse model …` against a small server that behaves like the hub: redirects, ranges, cuts, wrong bytes."""

import hashlib
import http.server
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from hanse_node import BINARY, MODEL_FILE, Node, main, run_hanse, wait_until

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILE = "tiny-model.Q4_1.gguf"


class Hub:
    """One repository `sea/tiny` with one file; downloads go through a redirect, as from a content network."""

    def __init__(self, data: bytes):
        self.data, self.sha256 = data, hashlib.sha256(data).hexdigest()
        self.ranges: list[str] = []
        self.sent = 0
        self.stop_at: int | None = None   # stands still there, until let go
        self.cut_at: int | None = None    # breaks the connection there, once
        self.gated = False
        self.release = threading.Event()
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                try:
                    hub.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *_) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler) -> None:
        path = handler.path.split("?")[0]
        if path.startswith("/api/models/sea/tiny"):
            self.send(handler, 200, json.dumps({
                "id": "sea/tiny", "sha": COMMIT, "gated": False, "tags": ["license:apache-2.0"], "cardData": {"license": "apache-2.0"},
                "siblings": [{"rfilename": "README.md", "size": 5}, {"rfilename": FILE, "size": len(self.data), "lfs": {"sha256": self.sha256, "size": len(self.data)}}],
            }).encode())
        elif path.endswith(f"/{FILE}") and path.startswith("/sea/tiny/resolve/"):
            if self.gated:
                return self.send(handler, 401, b"gated", [("x-error-code", "GatedRepo")])
            self.send(handler, 302, b"", [("location", f"{self.url}/network/{FILE}?signature=x"), ("x-repo-commit", COMMIT), ("x-linked-size", str(len(self.data)))])
        elif path == f"/network/{FILE}":
            self.send_file(handler)
        else:
            self.send(handler, 404, b'{"error":"Repository not found"}', [("x-error-code", "RepoNotFound")])

    def send(self, handler, status: int, body: bytes, headers=()) -> None:
        handler.send_response(status)
        for name, value in (("content-length", str(len(body))), *headers):
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def send_file(self, handler) -> None:
        asked = handler.headers.get("range", "")
        self.ranges.append(asked)
        begin = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        handler.send_response(206 if asked else 200)
        if asked:
            handler.send_header("content-range", f"bytes {begin}-{len(self.data) - 1}/{len(self.data)}")
        handler.send_header("content-length", str(len(self.data) - begin))
        handler.send_header("etag", f'"{self.sha256}"')
        handler.end_headers()
        for at in range(begin, len(self.data), 1 << 18):
            if self.stop_at is not None and at >= self.stop_at:
                self.release.wait(120)
            if self.cut_at is not None and at >= self.cut_at:
                self.cut_at = None
                handler.close_connection = True
                return
            handler.wfile.write(self.data[at : at + (1 << 18)])
            self.sent = at + (1 << 18)


class Pull(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.whole = Path(MODEL_FILE).read_bytes()

    def setUp(self):
        self.data = self.enterContext(tempfile.TemporaryDirectory(prefix="hanse-e2e-"))

    def environment(self, hub: Hub) -> dict[str, str]:
        return {"HANSE_DATA": self.data, "HF_ENDPOINT": hub.url}

    def pull(self, hub: Hub, *more: str) -> subprocess.CompletedProcess:
        return run_hanse("model", "pull", f"hf:sea/tiny:{FILE}", *more, environment=self.environment(hub), timeout=300)

    def listed(self) -> list[dict]:
        run = run_hanse("model", "list", "--json", environment={"HANSE_DATA": self.data})
        self.assertEqual(run.returncode, 0, run.stderr)
        found = json.loads(run.stdout)
        return found if isinstance(found, list) else found["models"]

    def files(self) -> list[Path]:
        return [p for p in Path(self.data).rglob("*.gguf")]

    def check_whole(self, hub: Hub) -> None:
        self.assertEqual(len(self.listed()), 1)
        self.assertEqual([hashlib.sha256(p.read_bytes()).hexdigest() for p in self.files()], [hub.sha256])

    def test_fetches_checks_and_lists(self):
        with Hub(self.whole) as hub:
            run = self.pull(hub)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.check_whole(hub)
            self.assertIn("apache-2.0", json.dumps(self.listed()))
            again = self.pull(hub)
            self.assertEqual((again.returncode, len(hub.ranges)), (0, 1), "a second pull fetches nothing")

    def test_continues_after_kill_9_where_it_stopped(self):
        with Hub(self.whole) as hub:
            hub.stop_at = len(self.whole) // 2
            process = subprocess.Popen([BINARY, "model", "pull", f"hf:sea/tiny:{FILE}"], env={**os.environ, **self.environment(hub)}, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            parts = lambda: [p for p in Path(self.data).rglob("*.part") if p.stat().st_size >= hub.stop_at - (4 << 20)]
            wait_until(parts, "half of the file")
            process.send_signal(signal.SIGKILL)
            process.wait()
            hub.stop_at = None
            hub.release.set()
            self.assertEqual(self.listed(), [])
            self.assertEqual(self.files(), [])
            run = self.pull(hub)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.check_whole(hub)
            begin = int(hub.ranges[-1].removeprefix("bytes=").split("-")[0])
            self.assertGreater(begin, len(self.whole) // 4)

    def test_goes_on_by_itself_when_the_connection_breaks(self):
        with Hub(self.whole) as hub:
            hub.cut_at = len(self.whole) // 3
            run = self.pull(hub)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertGreaterEqual(len(hub.ranges), 2)
            self.assertTrue(hub.ranges[-1].startswith("bytes="))
            self.check_whole(hub)

    def test_keeps_nothing_of_wrong_bytes(self):
        with Hub(self.whole) as hub:
            hub.sha256 = "0" * 64
            run = self.pull(hub)
            self.assertNotEqual(run.returncode, 0)
            self.assertIn("SHA-256", run.stderr)
            self.assertEqual((self.listed(), self.files()), ([], []))

    def test_keeps_nothing_that_is_no_model(self):
        for data in (b"no model at all" * 1000, self.whole[:100_000]):
            with self.subTest(len(data)), Hub(data) as hub:
                run = self.pull(hub)
                self.assertNotEqual(run.returncode, 0)
                self.assertEqual((self.listed(), self.files()), ([], []))

    def test_says_what_is_gated_and_what_is_not_there(self):
        with Hub(self.whole) as hub:
            hub.gated = True
            run = self.pull(hub)
            self.assertEqual(run.returncode, 3, run.stderr)
            run = run_hanse("model", "pull", "hf:sea/nothing", environment=self.environment(hub))
            self.assertEqual(run.returncode, 5, run.stderr)

    def test_ctrl_c_ends_at_once_and_says_how_to_go_on(self):
        with Hub(self.whole) as hub:
            hub.stop_at = len(self.whole) // 4
            process = subprocess.Popen([BINARY, "model", "pull", f"hf:sea/tiny:{FILE}"], env={**os.environ, **self.environment(hub), "LANG": "C"}, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            wait_until(lambda: hub.sent >= hub.stop_at, "a quarter of the file")
            begin = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)
            self.assertLess(time.monotonic() - begin, 10)
            self.assertEqual(process.returncode, 130)
            self.assertIn("continue", told)

    def test_a_running_node_serves_what_was_pulled(self):
        with Hub(self.whole) as hub, Node(models=[], data={"serve_store": True}) as node:
            self.data = str(node.data)
            run = self.pull(hub, "--name", "fresh")
            self.assertEqual(run.returncode, 0, run.stderr)
            wait_until(lambda: node.chat(model="fresh", max_tokens=2).status == 200, "the node to serve the new model", 60)


class Manage(unittest.TestCase):
    def setUp(self):
        self.data = self.enterContext(tempfile.TemporaryDirectory(prefix="hanse-e2e-"))

    def hanse(self, *arguments: str) -> subprocess.CompletedProcess:
        return run_hanse(*arguments, environment={"HANSE_DATA": self.data, "LANG": "C"})

    def test_add_show_verify_and_remove(self):
        self.assertEqual(self.hanse("model", "add", MODEL_FILE, "--name", "small").returncode, 0)
        shown = self.hanse("model", "show", "small", "--json")
        self.assertIn(hashlib.sha256(Path(MODEL_FILE).read_bytes()).hexdigest(), shown.stdout)
        self.assertEqual(self.hanse("model", "verify", "small").returncode, 0)
        self.assertEqual(self.hanse("model", "rm", "small").returncode, 0)
        self.assertEqual(self.hanse("model", "show", "small").returncode, 5)
        self.assertTrue(Path(MODEL_FILE).exists())

    def test_a_changed_file_is_found_by_verify(self):
        copy = Path(self.data, "copy.gguf")
        copy.write_bytes(Path(MODEL_FILE).read_bytes())
        self.assertEqual(self.hanse("model", "add", str(copy), "--name", "small").returncode, 0)
        stored = next(p for p in Path(self.data, "models").rglob("*.gguf"))
        stored.chmod(0o644)
        with open(stored, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last[0] ^ 1]))
        self.assertNotEqual(self.hanse("model", "verify", "small").returncode, 0)

    def test_add_refuses_what_is_no_model(self):
        for data in (b"", b"GGUF", b"text" * 1000, Path(MODEL_FILE).read_bytes()[:50_000]):
            bad = Path(self.data, "bad.gguf")
            bad.write_bytes(data)
            run = self.hanse("model", "add", str(bad), "--name", "bad")
            self.assertNotEqual(run.returncode, 0)
            self.assertTrue(run.stderr.strip())
            self.assertEqual(self.hanse("model", "show", "bad").returncode, 5)

    def test_the_built_in_list_names_european_models(self):
        text = self.hanse("model", "list", "--available", "--json").stdout
        for name in ("eurollm", "salamandra", "teuken", "apertus"):
            self.assertIn(name, text.lower())


if __name__ == "__main__":
    main()
