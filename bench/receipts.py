# SPDX-License-Identifier: Apache-2.0
"""script/bench receipts: what the journal costs those who ask, on the same model and machine.

Two nodes stand side by side, one that keeps a journal and one that does not. Short answers are asked of both in turns,
and the figure is the median of the pairs' differences, since a shared machine is noisy; then chats run on each alone, in
turns, for tokens a second. Expected: at most 3 ms at the median and 5 % of tokens/s.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import serve_figures as f  # noqa: E402
import serve_prompts as prompts  # noqa: E402
from serve import body, default_model, load_with, plan  # noqa: E402
from serve_servers import MODEL_NAME, HanseServer  # noqa: E402


class With(HanseServer):
    name = "with receipts"
    journal = "\n[journal]\nrecord = true\n"

    def command(self) -> list[str]:
        line = super().command()
        config = Path(self.folder.name, "hanse.toml")
        config.write_text(config.read_text() + self.journal)
        return line


class Without(With):
    name = "without"
    journal = "\n[journal]\nrecord = false\n"


def one(connection: http.client.HTTPConnection, tokens: int, turn: int) -> float:
    text = json.dumps({"model": MODEL_NAME, "messages": [{"role": "user", "content": f"Name port number {turn}."}], "max_tokens": tokens,
                       "temperature": 0, "ignore_eos": True})
    begun = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", text, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}")
    return (time.perf_counter() - begun) * 1000


def latencies(arguments):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(kind(arguments.model, 4, 1024, arguments.threads)) for kind in (With, Without)]
        connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=300) for server in servers]
        for tokens in (1, 16):
            pairs = []
            for turn in range(arguments.pairs + 10):
                order = (0, 1) if turn % 2 == 0 else (1, 0)
                took = {index: one(connections[index], tokens, turn) for index in order}
                if turn >= 10:
                    pairs.append((took[0], took[1]))
            added = statistics.median(a - b for a, b in pairs)
            yield {"case": f"{tokens} token{'s' if tokens > 1 else ''}, one after the other", "figure": "p50_ms", "unit": "ms",
                         "value": statistics.median(a for a, _ in pairs), "peer": "without", "peer_value": statistics.median(b for _, b in pairs), "added": added}


def speeds(arguments, load):
    for chats in (1, 16):
        found: dict[str, list[dict]] = {With.name: [], Without.name: []}
        for turn in range(arguments.repeat):
            for kind in (With, Without) if turn % 2 == 0 else (Without, With):
                with kind(arguments.model, chats, 1024, arguments.threads) as server:
                    work = plan([("chat", [body(prompts.story(chat + chats * n), 64) for n in range(2)]) for chat in range(chats)])
                    found[kind.name].append(f.figures(load(server, work)))
        ours, theirs = (statistics.median(run["tokens_per_s"] for run in found[kind.name]) for kind in (With, Without))
        yield {"case": f"{chats} chat{'s' if chats > 1 else ''}", "figure": "tokens_per_s", "unit": "1/s", "value": ours, "peer": "without", "peer_value": theirs,
                     "added": ours / theirs - 1}


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench receipts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write rows of case, figure, unit, value, peer, peer_value, ratio")
    parser.add_argument("--pairs", type=int, default=60, help="pairs of answers (60)")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of each run of chats (3)")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--model", type=Path, help="another GGUF file than the default model")
    arguments = parser.parse_args()
    arguments.model = arguments.model or default_model()
    HanseServer.binary = Path(os.environ.get("HANSE_BIN", "build/release/bin/hanse")).resolve()
    load = load_with(HanseServer.binary.parent / "serve_load")
    rows = []
    for row in itertools.chain(latencies(arguments), speeds(arguments, load)):
        rows.append(row)
        note = f"{row['added']:+.2f} ms" if row["unit"] == "ms" else f"{row['added']:+.1%}"
        print(f"{row['case']:34} {row['figure']:13} with {row['value']:9.2f}  without {row['peer_value']:9.2f}  {note}", flush=True)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([{**row, "ratio": row["value"] / row["peer_value"]} for row in rows], indent=1) + "\n")
    slow = [row["case"] for row in rows if (row["added"] > 3 if row["unit"] == "ms" else row["added"] < -0.05)]
    print("Receipts cost no more than expected." if not slow else f"More than expected: {', '.join(slow)}.")
    return 0 if not slow else 1


if __name__ == "__main__":
    sys.exit(main())
