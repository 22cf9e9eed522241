# SPDX-License-Identifier: Apache-2.0
"""The two servers that `script/bench serve` compares, each started fresh, asked, measured and ended."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

MODEL_NAME = "bench"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A running server. `parallel` chats of `context` tokens each, on `threads` threads."""

    name = ""

    def __init__(self, model: Path, parallel: int, context: int, threads: int):
        self.model, self.parallel, self.context, self.threads = model, parallel, context, threads
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="hanse-bench-")
        self.process: subprocess.Popen | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def ready_path(self) -> str:
        raise NotImplementedError

    def __enter__(self) -> "Server":
        self.log = Path(self.folder.name, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment())
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.ready_path()}", timeout=2) as answer:
                    if answer.status == 200:
                        self.warm_up()
                        return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        tail = self.log.read_text(errors="replace")[-2000:]
        self.__exit__()
        raise RuntimeError(f"{self.name} did not start:\n{tail}")

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.folder.cleanup()

    def warm_up(self):
        """Loads the model where that happens with the first request, and touches the weights."""
        self.post("/v1/chat/completions", {"model": MODEL_NAME, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2})

    def post(self, path: str, body: dict, timeout: float = 300) -> dict:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)

    def peak_memory_mib(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmHWM")


class LlamaServer(Server):
    """Debian's llama-server in its best configuration for the case; `script/bench serve --tune` shows how it was found."""

    name = "llama-server"
    options: tuple[str, ...] = ()

    def command(self) -> list[str]:
        return ["llama-server", "-m", str(self.model), "-t", str(self.threads), "-tb", str(self.threads), "-np", str(self.parallel),
                "-c", str(self.parallel * self.context), "--host", "127.0.0.1", "--port", str(self.port), "--alias", MODEL_NAME, *self.options]

    def ready_path(self) -> str:
        return "/health"


class HanseServer(Server):
    name = "Hanse"
    binary = Path("hanse")

    def command(self) -> list[str]:
        config = Path(self.folder.name, "hanse.toml")
        config.write_text(f"""\
[data]
serve_store = false
[server]
port = {self.port}
[logging]
level = "warning"
[[models]]
name = "{MODEL_NAME}"
file = "{self.model}"
context = {self.context}
sequences = {self.parallel}
cache_tokens = {self.parallel * self.context}
threads = {self.threads}
preload = true
""")
        return [str(self.binary), "serve", "--config", str(config), "--data", self.folder.name]

    def ready_path(self) -> str:
        return "/readyz"
