# SPDX-License-Identifier: Apache-2.0
"""What a partner's node costs: `script/bench hop [--json FILE] [--seconds N] [--streams N]`

A server that answers at once (gateway_mock) stands behind the far node, which offers it to the near one; both are members
of a federation on loopback. gateway_load asks the near node, and in the same run the far node directly with plain HTTP:
the difference is what the remote task adds (decision, label, session, mutual TLS, the ledger on disk, the receipts of both
journals). Cold: the connection between the nodes was cut just before, so that the question pays for TCP, TLS and hello.

Throughput of streams stands beside nginx: as a TLS reverse proxy before the same server (a near nginx that passes on to a
far one over TLS 1.3, as the two nodes do), and as one plain hop.
"""

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gateway import BIN, TOOLS, Program, free_port, load, started

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "script"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "test" / "e2e"))
from demo_federation import Member, policy_of, wait_until  # noqa: E402
from federation_test import Relay  # noqa: E402

KINDS = '\n[[kinds]]\nname = "internal"\nreaders = ["near", "far"]\n'
SERVER = """
[[places]]
name = "mock"
sort = "backend"
receivers = ["far"]
place = "house"
control = "house"
contents = ["pseudonymous"]
keep = "none"
learn = "no"
"""
FRAMES = 64


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


@contextmanager
def two_nodes(mock_port: int, folder: Path, relayed: bool):
    """Both and their relays: those cut, and cost time themselves, so warm questions do without."""
    ports = {"near": free_port(), "far": free_port()}
    relays = {name: Relay(free_port(), port) for name, port in ports.items()} if relayed else {}
    addresses = {name: f"127.0.0.1:{relays[name].listener.getsockname()[1] if relayed else port}" for name, port in ports.items()}
    folder.mkdir()
    near = Member(str(BIN), folder, "near", "near", port=ports["near"])
    far = Member(str(BIN), folder, "far", "far", port=ports["far"])
    near.write("", policy_of("near", ["far"], KINDS))
    far.write(f'[[upstreams]]\nname = "mock"\nurl = "http://127.0.0.1:{mock_port}/v1"\nmodels = ["mock"]\n', policy_of("far", ["near"], KINDS) + SERVER, offers='[[offers]]\nmodel = "mock"\n')
    try:
        near.command("federation", "create", "bench", "--address", addresses["near"])
        near.start()
        code = near.command("federation", "invite", "far", "--yes").stdout.strip()
        far.command("federation", "join", code, "--address", addresses["far"], "--yes")
        far.start()
        wait_until(lambda: near.connected("far") and "far/mock" in near.models(), "the two nodes to be connected", 30)
        for node in (near, far):
            subprocess.run(["taskset", "-a", "-cp", str(cores()[0]), str(node.process.pid)], check=True, capture_output=True)
        for _ in range(3):
            ask_once(port_of(near)), ask_once(port_of(far))
        yield near, far, relays
    finally:
        near.stop()
        far.stop()
        for relay in relays.values():
            relay.close()


def port_of(member: Member) -> int:
    return int(member.url.rsplit(":", 1)[1])


def ask_once(port: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    body = json.dumps({"model": "mock", "messages": [{"role": "user", "content": "x" * 900}]})
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    took = (time.perf_counter() - began) * 1000
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} from port {port}: {said[:300]}")
    return took


def cold(near: Member, far: Member, relays: dict[str, Relay], rounds: int) -> list[float]:
    """Added by a connection that has to be made: the near node asked the moment that it is cut, less the far one asked directly."""
    out = []
    for _ in range(rounds):
        for relay in relays.values():
            relay.cut()
        out.append(ask_once(port_of(near)) - ask_once(port_of(far)))
        time.sleep(0.3)
    return out


@contextmanager
def nginx_hops(mock_port: int, folder: Path):
    """A near nginx that speaks TLS 1.3 with a far one, which passes on to the mock; and the far one's plain port."""
    certificate, key = folder / "nginx.pem", folder / "nginx.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
    near_port, tls_port, plain_port = free_port(), free_port(), free_port()
    common = (f"daemon off; master_process off; worker_processes 1; error_log {folder}/error.log;\nevents {{ worker_connections 4096; }}\nhttp {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; "
              f"fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;\n")
    passing = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;'
    far = folder / "far.conf"
    far.write_text(f"pid {folder}/far.pid; {common}upstream mock {{ server 127.0.0.1:{mock_port}; keepalive 1024; keepalive_requests 1000000000; }}\n"
                   f"server {{ listen 127.0.0.1:{tls_port} ssl; listen 127.0.0.1:{plain_port}; ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3; ssl_verify_client optional_no_ca;\n"
                   f'location = /healthz {{ return 200 "ok"; }}\nlocation / {{ proxy_pass http://mock; {passing} }} }} }}\n')
    near = folder / "near.conf"
    near.write_text(f"pid {folder}/near.pid; {common}upstream far {{ server 127.0.0.1:{tls_port}; keepalive 1024; keepalive_requests 1000000000; }}\n"
                    f'server {{ listen 127.0.0.1:{near_port}; location = /healthz {{ return 200 "ok"; }}\n'
                    f"location / {{ proxy_pass https://far; proxy_ssl_protocols TLSv1.3; proxy_ssl_certificate {certificate}; proxy_ssl_certificate_key {key}; {passing} }} }} }}\n")
    program = shutil.which("nginx")
    core = cores()[0]
    with started([program, "-c", far, "-e", f"{folder}/error.log"], core, plain_port, "nginx", ""), started([program, "-c", near, "-e", f"{folder}/error.log"], core, near_port, "nginx", ""):
        yield near_port, plain_port


def streams(port: int, count: int, rounds: int) -> float:
    """Frames a second of that many streams at once; the best of some rounds, since others share this machine."""
    best = 0.0
    for _ in range(rounds):
        began = time.perf_counter()
        result = load(cores()[-1], port, "stream", count, FRAMES, "")
        took = time.perf_counter() - began
        if result["frames_lost"] or result["errors"]:
            raise RuntimeError(f"port {port}: {result}")
        best = max(best, count * FRAMES / took)
    return best


class Rows(list):
    """Case, figure, unit, value, limit; each is shown as soon as it is known."""

    def append(self, row: tuple) -> None:
        super().append(row)
        case, figure, unit, value, limit = row
        print(f"{case:<22}  {figure:<26}  {unit:<9}  {value:>10.3f}  {'' if limit is None else limit}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench hop", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write rows of case, figure, unit, value, limit")
    parser.add_argument("--seconds", type=float, default=4, help="length of each latency measurement (4)")
    parser.add_argument("--streams", type=int, default=256, help="streams at once (256)")
    parser.add_argument("--rounds", type=int, default=5, help="of cold connections and of streams (5)")
    parser.add_argument("--disk", action="store_true", help="data on the disk of the temporary folder, not in memory")
    options = parser.parse_args()
    found = Rows()
    print(f"{'case':<22}  {'figure':<26}  {'unit':<9}  {'value':>10}  limit")
    # In memory where there is such a disk: what a sync costs is the disk's matter, and each task waits for one.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) and not options.disk else None
    with tempfile.TemporaryDirectory(prefix="hanse-hop-", dir=memory) as name, ExitStack() as stack:
        folder = Path(name)
        mock = Program([TOOLS / "gateway_mock"], cores()[-1])
        stack.callback(mock.end)
        with two_nodes(mock.port, folder / "cold", relayed=True) as (near, far, relays):
            found.append(("one question, cold", "added", "ms", statistics.median(cold(near, far, relays, options.rounds)), 10))
        near, far, _ = stack.enter_context(two_nodes(mock.port, folder / "warm", relayed=False))
        # One after the other, as an interactive question comes; in turns, so that both see the same machine.
        through, direct = [], []
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            result = load(cores()[-1], port_of(near), "closed", 1, 0.5, "")
            through.append(result["p50_ms"])
            direct.append(load(cores()[-1], port_of(far), "closed", 1, 0.5, "")["p50_ms"])
        warm = statistics.median(through) - statistics.median(direct)
        found.append(("one question, warm", "through near", "ms", statistics.median(through), None))
        found.append(("one question, warm", "far directly", "ms", statistics.median(direct), None))
        found.append(("one question, warm", "added", "ms", warm, 1.5))
        ours = streams(port_of(near), options.streams, options.rounds)
        found.append((f"{options.streams} streams", "two nodes", "frames/s", ours, None))
        if shutil.which("nginx"):
            near_port, plain_port = stack.enter_context(nginx_hops(mock.port, folder))
            hops, one = streams(near_port, options.streams, options.rounds), streams(plain_port, options.streams, options.rounds)
            found.append((f"{options.streams} streams", "nginx, TLS, nginx", "frames/s", hops, None))
            found.append((f"{options.streams} streams", "one nginx, plain", "frames/s", one, None))
            found.append((f"{options.streams} streams", "ours over nginx with TLS", "", ours / hops, 0.7))
        else:
            print("nginx is not installed: without that peer", file=sys.stderr)
    if options.json:
        Path(options.json).write_text(json.dumps([dict(zip(("case", "figure", "unit", "value", "limit"), row)) for row in found], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
