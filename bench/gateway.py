# SPDX-License-Identifier: Apache-2.0
"""What the way through a node costs: `script/bench gateway [--policy] [--json FILE] [--seconds N] [--rate N] [--nodes LIST]`

A server that answers at once (gateway_mock) stands behind the node; gateway_load asks it through the node with a key
that the node checks, 1 KiB bodies, connections kept alive. The node runs alone on one core, mock and load share
another. Since those two may be the slower side, requests per second are told twice: as reached, and as processor time
of the node allows (requests per second of its own processor time).

Each answer is released when its record is on disk, and records that arrive together share a sync; the same node without a
journal stands beside it, and what the disk itself takes for a sync of 4 KiB, in a file that grows and over zeros.

With --policy the same node stands beside itself under a policy: the profile "mittelstand", each request looked through by all
recognisers for two rules on content, with the directory of test/privacy/corpus; then decided and let through, and, as
"pseudonyms", with every text veiled on its way out and restored on its way back.

Peers: the mock asked directly; nginx as a plain reverse proxy with one worker, if it is installed; and gateway_proxy,
the thinnest gateway made of Hanse's own network rooms, to show what the rooms above them cost.
"""

import argparse
import contextlib
import http.client
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(os.environ.get("HANSE_BIN", "build/release/bin/hanse")).resolve()
TOOLS = BIN.parent
FRAMES = 64
CORPUS = Path(__file__).resolve().parent.parent / "test/privacy/corpus"
UNITS = {"sync_p50_ms": "ms", "sync_p99_ms": "ms", "requests_per_s": "1/s", "requests_per_cpu_s": "1/s", "cpu_us": "µs", "p50_ms": "ms", "p99_ms": "ms", "added_p50_ms": "ms",
         "added_p99_ms": "ms", "memory_mib": "MiB", "start_ms": "ms", "frames_lost": "", "errors": ""}


def cores() -> tuple[int, int]:
    """One core for the node, one for mock and load; the same if there is no second."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


class Program:
    """A process on one core that says its port in its first line and ends when its standard input does."""

    def __init__(self, command: list, core: int):
        self.process = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.port = int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


class Gateway:
    """A gateway before the mock: pid, port, and how long its start took."""

    def __init__(self, name: str, pid: int, port: int, key: str, start_ms: float):
        self.name, self.pid, self.port, self.key, self.start_ms = name, pid, port, key, start_ms

    def cpu_seconds(self) -> float:
        total = 0
        for pid in [self.pid, *children(self.pid)]:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        total = 0
        for pid in [self.pid, *children(self.pid)]:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1])
        return total / 1024


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def healthy(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def started(command: list, core: int, port: int, name: str, key: str, environment: dict | None = None):
    """Starts a server with a known port and measures the time to its first answer."""
    with tempfile.TemporaryFile() as log:
        begun = time.perf_counter()
        process = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={**os.environ, **(environment or {})})
        try:
            while not healthy(port):
                if process.poll() is not None or time.perf_counter() - begun > 30:
                    log.seek(0)
                    raise RuntimeError(f"{name} did not start:\n{log.read().decode(errors='replace')[-2000:]}")
                time.sleep(0.001)
            yield Gateway(name, process.pid, port, key, (time.perf_counter() - begun) * 1000)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextlib.contextmanager
def hanse(mock_port: int, core: int, journal: bool = True, policy: str = "", name: str = ""):
    with tempfile.TemporaryDirectory(prefix="hanse-gateway-") as folder:
        port = free_port()
        if policy:
            Path(folder, "policy.toml").write_text(policy)
            shutil.copy(CORPUS / "directory.toml", folder)
        Path(folder, "hanse.toml").write_text(
            f'[server]\nport = {port}\nthreads = 1\n[data]\nserve_store = false\n[keys]\nrequired = "always"\n[limits]\nin_flight = 4096\n'
            f'[[upstreams]]\nname = "mock"\nurl = "http://127.0.0.1:{mock_port}/v1"\nmodels = ["mock"]\n'
            f"[journal]\nrecord = {str(journal).lower()}\n")
        made = subprocess.run([BIN, "key", "create", "--name", "bench", "--json", "--data", folder], stdout=subprocess.PIPE, check=True, text=True)
        key = json.loads(made.stdout)["secret"]
        with started([BIN, "serve", "--data", folder], core, port, name or ("Hanse" if journal else "Hanse without journal"), key) as gateway:
            yield gateway


def hanse_without_journal(mock_port: int, core: int):
    return hanse(mock_port, core, journal=False)


def profile(standard: str, more: str) -> str:
    """The policy that `hanse init` writes for a company, with the mock as the processor that it knows as eu-cloud."""
    with tempfile.TemporaryDirectory(prefix="hanse-policy-") as folder:
        subprocess.run([BIN, "init", "--profile", "mittelstand", "--house", "acme", "--country", "DE", "--data", folder], stdout=subprocess.DEVNULL, check=True)
        text = Path(folder, "policy.toml").read_text()
    return text.replace('standard = "internal"', f'standard = "{standard}"').replace('"eu-cloud"', '"mock"') + more


CONTENT = """
[[content]]
name = "people"
kind = "customers"
finds = ["person", "name", "email", "phone", "address", "birth-date", "iban", "tax-id"]
[[content]]
name = "keys"
kind = "trade-secret"
finds = ["credential", "secret-url"]
"""


def hanse_with_policy(mock_port: int, core: int):
    return hanse(mock_port, core, policy=profile("public", CONTENT), name="Hanse under a policy")


def hanse_with_pseudonyms(mock_port: int, core: int):
    return hanse(mock_port, core, policy=profile("customers", CONTENT), name="Hanse with pseudonyms")


def measure_disk() -> dict:
    """A sync of 4 KiB as the journal does it, on the disk that the nodes' data lies on."""
    results = {}
    with tempfile.NamedTemporaryFile(prefix="hanse-gateway-") as file:
        for case in ("disk, file grows", "disk, over zeros"):
            times = []
            for block in range(500):
                begun = time.perf_counter()
                os.pwrite(file.fileno(), bytes([block % 251 + 1]) * 4096, block * 4096)
                os.fdatasync(file.fileno())
                times.append((time.perf_counter() - begun) * 1000)
            times.sort()
            results[case] = {"sync_p50_ms": times[250], "sync_p99_ms": times[495]}
            os.pwrite(file.fileno(), bytes(500 * 4096), 0)
            os.fsync(file.fileno())
    return results


@contextlib.contextmanager
def nginx(mock_port: int, core: int):
    with tempfile.TemporaryDirectory(prefix="hanse-nginx-") as folder:
        port = free_port()
        config = Path(folder, "nginx.conf")
        config.write_text(
            f"daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
            f"events {{ worker_connections 4096; }}\nhttp {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; "
            f"fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;\n"
            f"upstream mock {{ server 127.0.0.1:{mock_port}; keepalive 1024; keepalive_requests 1000000000; }}\n"
            f'server {{ listen 127.0.0.1:{port}; location = /healthz {{ return 200 "ok"; }}\n'
            f'location / {{ proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }} }} }}\n')
        with started([shutil.which("nginx"), "-c", config, "-e", f"{folder}/error.log"], core, port, "nginx", "") as gateway:
            yield gateway


@contextlib.contextmanager
def rooms_alone(mock_port: int, core: int):
    begun = time.perf_counter()
    proxy = Program([TOOLS / "gateway_proxy", mock_port, "bench"], core)
    try:
        yield Gateway("net and engine alone", proxy.pid, proxy.port, "bench", (time.perf_counter() - begun) * 1000)
    finally:
        proxy.end()


def load(core: int, port: int, mode: str, *arguments) -> dict:
    command = ["taskset", "-c", str(core), TOOLS / "gateway_load", port, mode, *arguments]
    out = subprocess.run([str(part) for part in command if part != ""], stdout=subprocess.PIPE, check=True, text=True, timeout=180).stdout
    return json.loads(out)


def measure_closed(core: int, port: int, key: str, gateway: Gateway | None, chats: int, seconds: float) -> dict:
    before = gateway.cpu_seconds() if gateway else 0
    result = load(core, port, "closed", chats, seconds, key)
    figures = {"requests_per_s": result["requests_per_s"], "p50_ms": result["p50_ms"], "p99_ms": result["p99_ms"], "errors": result["errors"]}
    if gateway:
        # The processor time includes the warm-up, which is a tenth; so do the requests that it is divided by.
        cpu, requests = gateway.cpu_seconds() - before, result["requests"] / 0.9
        if cpu > 0 and requests > 0:
            figures |= {"requests_per_cpu_s": requests / cpu, "cpu_us": cpu / requests * 1e6}
    return figures


def added(through: dict, direct: dict) -> dict:
    return {"added_p50_ms": through["p50_ms"] - direct["p50_ms"], "added_p99_ms": through["p99_ms"] - direct["p99_ms"],
            "p50_ms": through["p50_ms"], "p99_ms": through["p99_ms"], "errors": through["errors"]}


def measure_gateway(make, mock_port: int, arguments, say) -> dict:
    own, other = cores()
    results = {}
    with make(mock_port, own) as gateway:
        say(f"{gateway.name}: started in {gateway.start_ms:.0f} ms")
        results["start"] = {"start_ms": gateway.start_ms}
        for chats in (16, 64):
            say(f"{gateway.name}: {chats} chats")
            results[f"{chats} chats"] = measure_closed(other, gateway.port, gateway.key, gateway, chats, arguments.seconds)
        rate = arguments.rate or results["16 chats"]["requests_per_s"] / 2
        say(f"{gateway.name}: {rate:.0f} requests/s, and the same directly")
        direct = load(other, mock_port, "open", 64, arguments.seconds, rate)
        through = load(other, gateway.port, "open", 64, arguments.seconds, rate, gateway.key)
        results["half rate"] = {**added(through, direct), "requests_per_s": through["requests_per_s"]}
        say(f"{gateway.name}: {arguments.streams} streams")
        streams = load(other, gateway.port, "stream", arguments.streams, FRAMES, gateway.key)
        results[f"{arguments.streams} streams"] = {"frames_lost": streams["frames_lost"], "errors": streams["errors"]}
        results["all"] = {"memory_mib": gateway.memory_mib()}
    return results


def measure_direct(mock_port: int, arguments, say) -> dict:
    _, other = cores()
    results = {}
    for chats in (16, 64):
        say(f"directly: {chats} chats")
        results[f"{chats} chats"] = measure_closed(other, mock_port, "", None, chats, arguments.seconds)
    return results


def rows(results: dict[str, dict], ours: str) -> list[dict]:
    """Ours beside each peer that has the same figure; figures without a peer once."""
    out = []
    for case, figures in results[ours].items():
        for figure, value in figures.items():
            peers = {name: found for name, found in ((n, r.get(case, {}).get(figure)) for n, r in results.items() if n != ours) if found is not None}
            for peer, peer_value in peers.items() or [(None, None)]:
                ratio = value / peer_value if peer_value else None
                out.append({"case": case, "figure": figure, "unit": UNITS.get(figure, ""), "value": value, "peer": peer, "peer_value": peer_value, "ratio": ratio})
    return out


def table(found: list[dict]) -> str:
    def cell(value) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        return f"{value:,.0f}" if abs(value) >= 100 or value == math.floor(value) else f"{value:.3g}"

    columns = ["case", "figure", "unit", "value", "peer", "peer_value", "ratio"]
    lines = [columns] + [[cell(row[column]) for column in columns] for row in found]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    text = ["  ".join(part.rjust(width) if i in (3, 5, 6) else part.ljust(width) for i, (part, width) in enumerate(zip(line, widths))).rstrip() for line in lines]
    text.insert(1, "─" * max(map(len, text)))
    return "\n".join(text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench gateway", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write rows of case, figure, unit, value, peer, peer_value, ratio")
    parser.add_argument("--seconds", type=float, default=5, help="length of each measurement (5)")
    parser.add_argument("--rate", type=float, help="requests/s of the latency measurement (half of what 16 chats reach)")
    parser.add_argument("--streams", type=int, default=512, help="streams at once (512)")
    parser.add_argument("--nodes", default="hanse,bare,nginx,rooms", help="which gateways: hanse, bare (without its journal), policy, pseudonyms, nginx, rooms")
    parser.add_argument("--policy", action="store_true", help="the node beside itself under a policy: --nodes policy,pseudonyms,hanse")
    arguments = parser.parse_args()
    if arguments.policy:
        arguments.nodes = "policy,pseudonyms,hanse"
    makers = {"policy": ("under a policy", hanse_with_policy), "pseudonyms": ("with pseudonyms", hanse_with_pseudonyms), "hanse": ("Hanse", hanse), "bare": ("Hanse without journal", hanse_without_journal), "nginx": ("nginx", nginx), "rooms": ("net and engine alone", rooms_alone)}

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    mock = Program([TOOLS / "gateway_mock"], cores()[1])
    results: dict[str, dict] = {}
    try:
        for word in arguments.nodes.split(","):
            name, maker = makers[word.strip()]
            if maker is nginx and not shutil.which("nginx"):
                say("nginx is not installed: without that peer")
                continue
            results[name] = measure_gateway(maker, mock.port, arguments, say)
        results[next(iter(results))] |= measure_disk()
        results["direct"] = measure_direct(mock.port, arguments, say)
    finally:
        mock.end()
    found = rows(results, next(iter(results)))
    print(table(found))
    if cores()[0] == cores()[1]:
        print("There is only one core here: node, mock and load shared it.")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
