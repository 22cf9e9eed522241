# SPDX-License-Identifier: Apache-2.0
"""script/bench soak: a node at twice its capacity for minutes on end, with clients that vanish.

Sizes are mixed: short and long prompts and answers, streams and whole answers, constrained ones, embeddings, bad
requests. Every third client goes away in the middle. What must hold at the end: nothing but 200 and 429 (and 400 where
the request was bad), memory flat after the warm-up, every descriptor given back, nothing counted as running.
"""

import argparse
import asyncio
import collections
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import serve_prompts as prompts

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}}, "required": ["name", "age"], "additionalProperties": False}
SLOPE_MAX = 1.0  # MiB a minute, of a run of five minutes or more
COARSE_MAX = 1.25  # times, of a shorter one


class Node:
    def __init__(self, binary: Path, model: Path, sequences: int, in_flight: int):
        self.folder = tempfile.TemporaryDirectory(prefix="hanse-soak-")
        folder = Path(self.folder.name)
        (folder / "hanse.toml").write_text(f"""\
[data]
serve_store = false
[server]
port = 0
[limits]
in_flight = {in_flight}
[logging]
level = "warning"
access_log = "access.log"
[[models]]
name = "soak"
file = "{model}"
context = 2048
sequences = {sequences}
cache_tokens = {sequences * 1024}
queue = {max(1, in_flight - sequences)}
host_cache = "32MiB"
preload = true
[[models]]
name = "embedder"
file = "{model}"
context = 512
embeddings = true
preload = true
""")
        self.log = open(folder / "log", "w+b")
        self.process = subprocess.Popen([binary, "serve", "--data", folder], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 120
        while True:
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit("the node did not start:\n" + self.log_text())
            try:
                self.url = json.loads((folder / "node.json").read_text())["url"]
                if self.get("/readyz")[0] == 200:
                    break
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        self.port = int(self.url.rsplit(":", 1)[1])

    def log_text(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-4000:]

    def get(self, path: str) -> tuple[int, str]:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.status, answer.read().decode()

    def metric(self, name: str) -> float:
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.get("/metrics")[1].splitlines() if line.startswith((name + "{", name + " ")))

    def resident_mib(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def a_request(chance: random.Random) -> tuple[str, dict, str]:
    """Path, body, and what status it should have besides 429."""
    kind = chance.randrange(20)
    number = chance.randrange(1_000_000)
    body = {"model": "soak", "messages": [{"role": "user", "content": prompts.story(number)}], "max_tokens": chance.choice([1, 8, 24, 64, 160]),
            "temperature": chance.choice([0, 0.8]), "stream": chance.random() < 0.7}
    if kind < 3:
        body["messages"].insert(0, {"role": "system", "content": prompts.common_system_prompt()})
    elif kind < 5:
        body["messages"][0]["content"] = prompts.text_of(chance.choice([300, 900, 1500]), f"soak {number}")
    elif kind < 7:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA}}
        body["max_tokens"] = 64
    elif kind == 7:
        return "/v1/embeddings", {"model": "embedder", "input": [prompts.story(number + i) for i in range(chance.randrange(1, 6))]}, "200"
    elif kind == 8:
        return "/v1/chat/completions", {**body, "temperature": 99}, "400"
    elif kind == 9:
        body.update(n=2, logprobs=True, top_logprobs=3)
    elif kind == 10:
        return "/v1/completions", {"model": "soak", "prompt": prompts.story(number), "max_tokens": 16, "stream": body["stream"]}, "200"
    return "/v1/chat/completions", body, "200"


class Clients:
    def __init__(self, node: Node, seed: int):
        self.node, self.chance = node, random.Random(seed)
        self.seen: collections.Counter = collections.Counter()
        self.wrong: list[str] = []
        self.running = True

    async def ask(self) -> None:
        path, body, expected = a_request(self.chance)
        leaves = self.chance.random() < 1 / 3
        data = json.dumps(body).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.node.port)
        try:
            writer.write(f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
            await writer.drain()
            if leaves:
                # Before the answer, in its head, or after some frames of it.
                await asyncio.wait_for(reader.read(self.chance.choice([1, 200, 2000])), self.chance.choice([0.05, 0.5, 5]))
                self.seen["left"] += 1
                return
            answer = await asyncio.wait_for(reader.read(), 300)
            status = answer[9:12].decode()
            self.seen[status] += 1
            whole = answer.endswith(b"0\r\n\r\n") and b"data: [DONE]" in answer if body.get("stream") and status == "200" else len(answer) > 12
            if status not in (expected, "429") or not whole:
                self.wrong.append(f"{path} {status}: {answer[:200]!r} … {answer[-200:]!r}")
            if status == "429":
                await asyncio.sleep(0.05)
        except TimeoutError:
            if leaves:
                self.seen["left"] += 1
            else:
                self.wrong.append(f"{path}: no answer in 300 s")
        finally:
            writer.transport.abort() if leaves else writer.close()

    async def run_one(self) -> None:
        while self.running:
            try:
                await self.ask()
            except OSError as error:
                self.wrong.append(f"connection: {error}")
                await asyncio.sleep(0.2)

    async def run(self, count: int, minutes: float, samples: list[tuple[float, float]]) -> None:
        tasks = [asyncio.create_task(self.run_one()) for _ in range(count)]
        begin = time.monotonic()
        while (now := time.monotonic() - begin) < minutes * 60 and self.node.process.poll() is None:
            samples.append((now / 60, self.node.resident_mib()))
            if int(now) % 30 == 0:
                print(f"[{now:4.0f} s] {samples[-1][1]:.0f} MiB, {self.node.descriptors()} descriptors, {dict(self.seen)}, {len(self.wrong)} wrong", file=sys.stderr, flush=True)
            await asyncio.sleep(1)
        self.running = False
        await asyncio.wait(tasks, timeout=300)


def slope(samples: list[tuple[float, float]]) -> float:
    """MiB a minute: the median of the slopes between all pairs (Theil-Sen), which a single jump does not bend."""
    step = max(1, len(samples) // 200)
    thin = samples[::step]
    pairs = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(thin) for b in thin[i + 1 :] if b[0] > a[0]]
    return statistics.median(pairs) if pairs else 0.0


def settled(node: Node, condition, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--sequences", type=int, default=8, help="answers at once; there are twice as many clients as places")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    model = Path(os.environ.get("HANSE_TEST_MODEL") or subprocess.check_output([ROOT / "script/fetch-model"], text=True).strip())
    binary = Path(os.environ.get("HANSE_BIN", ROOT / "build/release/bin/hanse"))
    capacity = 2 * arguments.sequences
    node = Node(binary, model, arguments.sequences, capacity)
    clients = Clients(node, arguments.seed)
    samples: list[tuple[float, float]] = []
    try:
        settled(node, lambda: node.metric("hanse_in_flight") == 0)
        before = node.descriptors()
        asyncio.run(clients.run(2 * capacity, arguments.minutes, samples))
        alive = node.process.poll() is None
        quiet = alive and settled(node, lambda: node.metric("hanse_in_flight") == 0 and node.metric("hanse_running") == 0)
        closed = alive and settled(node, lambda: node.descriptors() <= before)
        after = node.descriptors() if alive else -1
    finally:
        code = node.end()
    # Caches fill at first; what grows after a third of the time is a leak. A short run is mostly warm-up: it finds coarse
    # leaks only, by what its last third needs beyond the second.
    growth = slope([s for s in samples if s[0] >= arguments.minutes / 3])
    second, last = (max(s[1] for s in samples if third <= 3 * s[0] / arguments.minutes <= third + 1) for third in (1, 2))
    flat = growth <= SLOPE_MAX if arguments.minutes >= 5 else last <= second * COARSE_MAX
    answered = sum(n for status, n in clients.seen.items() if status != "left")
    checks = [("only 200, 429, and 400 for bad requests", not clients.wrong, f"{answered} answers {dict(clients.seen)}, {len(clients.wrong)} wrong"),
              ("there was work, and there was too much of it", clients.seen["200"] > 0 and clients.seen["429"] > 0, f"{clients.seen['200']} answered, {clients.seen['429']} refused"),
              ("memory flat", flat, f"{growth:+.2f} MiB a minute, at most {second:.0f} MiB in the second third and {last:.0f} in the last"),
              ("descriptors given back", closed, f"{before} before, {after} after"),
              ("nothing counted as running", quiet, ""), ("ended well on SIGTERM", code == 0, f"exit code {code}")]
    for sentence, good, detail in checks:
        print(f"{'held  ' if good else 'FAILED'}  {sentence}{': ' + detail if detail else ''}")
    for line in clients.wrong[:5]:
        print("  " + line)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([
            {"case": "soak", "figure": "minutes", "unit": "min", "value": arguments.minutes}, {"case": "soak", "figure": "answers", "unit": "", "value": answered},
            {"case": "soak", "figure": "wrong_answers", "unit": "", "value": len(clients.wrong)},
            {"case": "soak", "figure": "memory_growth", "unit": "MiB/min", "value": growth},
            {"case": "soak", "figure": "descriptors_lost", "unit": "", "value": after - before}], indent=1) + "\n")
    return 0 if all(good for _, good, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
