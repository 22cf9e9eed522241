# SPDX-License-Identifier: Apache-2.0
"""A node of the real binary for a test: own data directory, a port that the system chooses, ended with the test.

    with Node(models=[MODEL]) as node:
        node.client().chat.completions.create(model="small", ...)

What all end-to-end tests read from the environment: HANSE_BIN (the program) and HANSE_TEST_MODEL (a GGUF file).
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
from pathlib import Path

BINARY = os.environ.get("HANSE_BIN", "")
MODEL_FILE = os.environ.get("HANSE_TEST_MODEL", "")
SANITIZED = os.environ.get("HANSE_SANITIZED", "") not in ("", "0")
# Sanitized builds are several times slower, and tests of one machine run side by side.
PATIENCE = 180 if SANITIZED else 60
MODEL = {"name": "small", "file": MODEL_FILE, "context": 4096, "sequences": 8}


def toml(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def wait_until(condition, what: str, seconds: float = PATIENCE):
    """The first true value of `condition()`; AssertionError with `what` if none comes in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.02)


class Answer:
    def __init__(self, status: int, headers, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Node:
    """Tables of the configuration as keyword arguments; `models` and `upstreams` are lists of tables."""

    def __init__(self, environment: dict | None = None, **tables):
        self.environment = environment or {}
        self.tables = {"server": {}, "models": [MODEL], "logging": {"level": "info"}, "data": {}, **tables}
        self.tables["server"] = {"port": 0, **self.tables["server"]}
        self.tables["data"] = {"serve_store": False, **self.tables["data"]}
        self.folder = tempfile.TemporaryDirectory(prefix="hanse-e2e-")
        self.data = Path(self.folder.name)
        self.config = self.data / "hanse.toml"
        self.log = self.data / "log"
        self.process: subprocess.Popen | None = None
        self.url = ""

    # The node's life

    def write_config(self, **tables) -> None:
        self.tables.update(tables)
        lines = []
        for name, table in self.tables.items():
            for one in table if isinstance(table, list) else [table]:
                lines.append(f"[[{name}]]" if isinstance(table, list) else f"[{name}]")
                lines += [f"{key} = {toml(value)}" for key, value in one.items()]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def start(self) -> "Node":
        self.write_config()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", "--data", str(self.data)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "NO_COLOR": "1", **self.environment})
        wait_until(self.announced, f"the node to listen; its log: {self.log_text()[-2000:]}")
        return self

    def announced(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended with {self.process.returncode}: {self.log_text()[-3000:]}")
        try:
            found = json.loads((self.data / "node.json").read_text())
        except (OSError, ValueError):
            return False
        self.url = found["url"]
        return found["pid"] == self.process.pid

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = PATIENCE) -> int:
        return self.process.wait(seconds)

    def __enter__(self) -> "Node":
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_) -> None:
        code = 0
        if self.process:
            if self.process.poll() is None:
                self.terminate()
                try:
                    self.wait()
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            code = self.process.returncode
        text = self.log_text()
        self.folder.cleanup()
        if code not in (0, -signal.SIGKILL) or "runtime error:" in text or "Sanitizer" in text:
            raise AssertionError(f"the node ended with {code}; the end of its log:\n{text[-4000:]}")

    def log_text(self) -> str:
        try:
            return self.log.read_text(errors="replace")
        except OSError:
            return ""

    # What can be asked of it

    @property
    def address(self) -> tuple[str, int]:
        parts = urllib.parse.urlsplit(self.url)
        return parts.hostname, parts.port

    def ask(self, method: str, path: str, body=None, headers: dict | None = None, timeout: float = PATIENCE) -> Answer:
        """One plain HTTP request; `body` as bytes, or as what becomes JSON."""
        connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        try:
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def chat(self, text: str = "Say hello.", headers: dict | None = None, **more) -> Answer:
        return self.ask("POST", "/v1/chat/completions", {"model": "small", "messages": [{"role": "user", "content": text}], "max_tokens": 8, **more}, headers)

    def stream(self, text: str = "Tell a long story.", **more) -> "Stream":
        return Stream(self.address, {"model": "small", "messages": [{"role": "user", "content": text}], "stream": True, **more})

    def client(self, **options):
        """The official client; it checks each answer against OpenAI's own types, which it does not do by default."""
        import openai
        return openai.OpenAI(**{"base_url": self.url + "/v1", "api_key": "unused", "timeout": PATIENCE, "max_retries": 0, "_strict_response_validation": True, **options})

    def metric(self, name: str, **labels) -> float:
        """The sum of the metric's samples that carry these labels."""
        total, found = 0.0, False
        for line in self.ask("GET", "/metrics").body.decode().splitlines():
            match = re.fullmatch(r"([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)", line)
            if match and match[1] == name and all(f'{k}="{v}"' in (match[2] or "") for k, v in labels.items()):
                total, found = total + float(match[3]), True
        if not found:
            raise AssertionError(f"no metric {name} with {labels}")
        return total

    def idle(self) -> bool:
        return self.metric("hanse_in_flight") == 0

    def command(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        """A command of the program on this node's data directory."""
        return run_hanse(*arguments, environment={"HANSE_DATA": str(self.data)}, **options)


def run_hanse(*arguments: str, environment: dict | None = None, **options) -> subprocess.CompletedProcess:
    return subprocess.run([BINARY, *arguments], env={**os.environ, "NO_COLOR": "1", **(environment or {})},
                          **{"capture_output": True, "text": True, "timeout": PATIENCE, "stdin": subprocess.DEVNULL, **options})


class Stream:
    """A streamed chat read from the bare socket, so that a test decides when to read and when to vanish."""

    def __init__(self, address: tuple[str, int], body: dict, path: str = "/v1/chat/completions", receive_buffer: int = 0):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address)
        data = json.dumps(body).encode()
        self.socket.sendall(f"POST {path} HTTP/1.1\r\nHost: {address[0]}\r\nContent-Type: application/json\r\n"
                            f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
        self.raw = b""

    def read_some(self) -> bytes:
        piece = self.socket.recv(65536)
        self.raw += piece
        return piece

    def read_until(self, pattern: bytes) -> "Stream":
        while pattern not in self.raw:
            if not self.read_some():
                raise AssertionError(f"the stream ended before {pattern!r}: …{self.raw[-500:]!r}")
        return self

    def read_all(self) -> bytes:
        try:
            while self.read_some():
                pass
        finally:
            self.close()
        return self.raw

    def body(self) -> bytes:
        """What came, without HTTP's chunks, which may end anywhere within an event."""
        rest, out = self.raw.partition(b"\r\n\r\n")[2], b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            out, rest = out + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return out

    def close(self) -> None:
        self.socket.close()

    @property
    def ended_well(self) -> bool:
        """With [DONE] and HTTP's own last chunk."""
        return b"data: [DONE]\n\n" in self.raw and self.raw.endswith(b"0\r\n\r\n")


def main() -> None:
    if not BINARY or not os.access(BINARY, os.X_OK):
        sys.exit("HANSE_BIN names no program")
    if not os.path.isfile(MODEL_FILE):
        print("skipped: HANSE_TEST_MODEL names no model file (script/test sets it)")
        sys.exit(77)
    unittest.main(module="__main__", verbosity=2)
