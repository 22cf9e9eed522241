# SPDX-License-Identifier: Apache-2.0
"""script/bench serve: Hanse beside Debian's llama-server, on the same file, with the same threads and context.

Both are started fresh for each case and repetition, one after the other and in turns, since a shared machine is noisy;
the table shows medians. All chats run closed-loop at temperature 0 with `ignore_eos`, so both servers generate the same
number of tokens. llama-server runs with the options that measured best for it here (`--tune` shows the measurement).
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import serve_figures as f  # noqa: E402
import serve_prompts as prompts  # noqa: E402
from serve_servers import MODEL_NAME, HanseServer, LlamaServer, Server  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
CHATS = {1: (3, 128), 4: (2, 96), 16: (2, 64), 64: (1, 64)}  # chats: rounds, tokens an answer
STEADY, STEADY_FRAMES = 7, 48


def body(question: str, tokens: int, system: str | None = None, **more) -> bytes:
    messages = ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": question}]
    return json.dumps({"model": MODEL_NAME, "messages": messages, "max_tokens": tokens, "temperature": 0, "stream": True,
                       "stream_options": {"include_usage": True}, "ignore_eos": True, **more}).encode()


def plan(workers: list[tuple[str, list[bytes]]]) -> bytes:
    lines = []
    for header, requests in workers:
        lines.append(f"worker {header}".encode())
        for request in requests:
            lines += [f"request /v1/chat/completions {len(request)}".encode(), request]
    return b"\n".join(lines) + b"\n"


class Chats:
    """So many chats at once; with `common`, all under one system prompt of 512 tokens."""

    context = 1024

    def __init__(self, chats: int, common: bool):
        self.parallel, self.common = chats, common
        self.name = f"{chats} chat{'s' if chats > 1 else ''}" + (", common prompt" if common else "")

    def run(self, server: Server, load, quick: bool) -> dict[str, float]:
        rounds, tokens = CHATS[self.parallel]
        if quick:
            rounds, tokens = 1, min(tokens, 48)
        system = prompts.common_system_prompt() if self.common else None
        result = load(server, plan([("chat", [body(prompts.story(chat + self.parallel * turn), tokens, system) for turn in range(rounds)])
                                    for chat in range(self.parallel)]))
        return f.figures(result)


class Mixed:
    """Steady chats; then prompts of 3,000 tokens arrive one after the other. Afterwards the same chats to the same length,
    undisturbed: a chat's gaps grow with its length in any server, so only that is like with like."""

    name, parallel, context = "mixed load", STEADY + 1, 4096

    def run(self, server: Server, load, quick: bool) -> dict[str, float]:
        steady = [("steady until=long", [body(prompts.story(100 + chat), 2000)]) for chat in range(STEADY)]
        long = [(f"long after=steady:{STEADY_FRAMES}", [body(prompts.long_question(n), 8) for n in range(1 if quick else 3)])]
        mixed = load(server, plan(steady + long))
        alone = [("chat", [body(prompts.story(100 + chat), f.steady_frames(mixed))]) for chat in range(STEADY)]
        return f.mixed_figures(mixed, load(server, plan(alone)), STEADY_FRAMES)


class Structured:
    """Four chats whose answers obey a JSON schema, and the same chats without it on the same server."""

    name, parallel, context = "4 chats, JSON schema", 4, 1024

    def run(self, server: Server, load, quick: bool) -> dict[str, float]:
        form = {"type": "json_schema", "json_schema": {"name": "crew", "strict": True, "schema": prompts.SCHEMA}}
        found = []
        for more in ({}, {"response_format": form}):
            asked = [[body(f"List the crew and passengers of ship number {chat}.{turn} as JSON.", 96, **more) for turn in range(1 if quick else 2)]
                     for chat in range(self.parallel)]
            found.append(f.figures(load(server, plan([("chat", requests) for requests in asked]))))
        free, structured = found
        return {**structured, "free_tokens_per_s": free["tokens_per_s"], "structured_of_free": structured["tokens_per_s"] / free["tokens_per_s"]}


def answers(server: Server) -> list[str]:
    return [server.post("/v1/chat/completions", {"model": MODEL_NAME, "messages": [{"role": "user", "content": question}], "max_tokens": 48,
                                                 "temperature": 0})["choices"][0]["message"]["content"] for question in prompts.QUESTIONS]


def cases(quick: bool) -> list:
    if quick:
        return [Chats(1, False), Chats(4, False), Chats(16, False), Chats(16, True), Mixed(), Structured()]
    return [Chats(n, common) for common in (False, True) for n in CHATS] + [Mixed(), Structured()]


def load_with(client: Path):
    def load(server: Server, text: bytes) -> dict:
        run = subprocess.run([client, "127.0.0.1", str(server.port)], input=text, stdout=subprocess.PIPE, timeout=600)
        if run.returncode != 0:
            raise RuntimeError(f"the load client ended with {run.returncode}")
        return json.loads(run.stdout)
    return load


def measure(kind: type[Server], case, arguments, load) -> dict[str, float]:
    with kind(arguments.model, case.parallel, case.context, arguments.threads) as server:
        found = case.run(server, load, arguments.quick)
        return {**found, "memory_mib": server.peak_memory_mib()}


def default_model() -> Path:
    return Path(os.environ.get("HANSE_TEST_MODEL") or subprocess.check_output([ROOT / "script/fetch-model"], text=True).strip())


def expectations(results: dict) -> list[tuple[str, float, str, float]]:
    """What the bench is run for: sentence, measured, comparison, bound. Only of what was measured."""
    def of(case, server, figure):
        return results.get(case, {}).get(server, {}).get(figure, math.nan)

    def against(case, figure):
        return f.ratio(of(case, "Hanse", figure), of(case, "llama-server", figure))

    found = [("1 chat: tokens/s to llama-server's", against("1 chat", "tokens_per_s"), "≥", 1.0)]
    found += [(f"{n} chats: tokens/s to llama-server's", against(f"{n} chats", "tokens_per_s"), "≥", 1.1) for n in (16, 64)]
    found.append(("mixed load: p99 gap to the undisturbed one",
                  f.ratio(of("mixed load", "Hanse", "gap_p99_ms"), of("mixed load", "Hanse", "undisturbed_gap_p99_ms")), "≤", 2.0))
    found.append(("mixed load: p99 gap to llama-server's", against("mixed load", "gap_p99_ms"), "≤", 0.2))
    for n in (4, 16, 64):
        speed, wait = against(f"{n} chats, common prompt", "tokens_per_s"), against(f"{n} chats, common prompt", "ttft_p50_ms")
        if speed >= 2 or math.isnan(wait):
            found.append((f"{n} chats, common prompt: tokens/s to llama-server's", speed, "≥", 2.0))
        else:
            found.append((f"{n} chats, common prompt: time to first token to llama-server's (tokens/s: {speed:.2f})", wait, "≤", 1 / 3))
    found.append(("JSON schema: tokens/s to free output", of("4 chats, JSON schema", "Hanse", "structured_of_free"), "≥", 0.8))
    found.append(("equal answers at temperature 0, of 20", of("temperature 0", "Hanse", "equal_answers"), "≥", 20))
    return [entry for entry in found if not math.isnan(entry[1])]


def report(results: dict, arguments) -> None:
    print(f.table({case: servers for case, servers in results.items() if case != "temperature 0"}, ("Hanse", "llama-server")))
    mixed = results.get("mixed load", {})
    for name, found in mixed.items():
        print(f"mixed load, {name}: p99 gap {f.cell(found['gap_p99_ms'])} ms, undisturbed {f.cell(found['undisturbed_gap_p99_ms'])} ms, "
              f"first token of a long prompt after {f.cell(found['long_ttft_p50_ms'])} ms")
    for case, servers in results.items():
        for name, found in servers.items():
            if found.get("tokens_per_frame", 1) > 1.05:
                print(f"{case}, {name}: {found['tokens_per_frame']:.2f} tokens a frame, so its gaps are gaps between frames")
    print()
    for sentence, value, comparison, bound in expectations(results):
        met = value >= bound if comparison == "≥" else value <= bound
        print(f"{'met   ' if met else 'MISSED'}  {sentence}: {value:.2f}, expected {comparison} {bound:.2f}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(f.rows_for_json(results, ("Hanse", "llama-server")), indent=1) + "\n")


def tune(arguments, load) -> None:
    """llama-server against itself: which of its options serve it best in which case."""
    sets = {"defaults": (), "unified cache": ("-kvu",), "flash attention off": ("-fa", "off"), "large ubatch": ("-ub", "2048"),
            "small batches": ("-b", "512", "-ub", "128"), "n-gram speculation": ("--spec-type", "ngram-simple"), "no polling": ("--poll", "0")}
    for case in (Chats(1, False), Chats(16, False), Chats(64, False), Chats(16, True), Mixed()):
        if arguments.case and arguments.case not in case.name:
            continue
        for title, options in sets.items():
            kind = type("Tuned", (LlamaServer,), {"options": options})
            try:
                found = measure(kind, case, arguments, load)
                print(f"{case.name:24} {title:22} tokens/s {f.cell(found['tokens_per_s']):>6}  gap p99 {f.cell(found['gap_p99_ms']):>6} ms  "
                      f"first token {f.cell(found.get('ttft_p50_ms', math.nan)):>6} ms  memory {f.cell(found['memory_mib']):>6} MiB", flush=True)
            except RuntimeError as failure:
                print(f"{case.name:24} {title:22} {str(failure).splitlines()[0]}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench serve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write rows of case, figure, unit, value, peer, peer_value, ratio")
    parser.add_argument("--quick", action="store_true", help="fewer cases, once each: four minutes")
    parser.add_argument("--case", help="only cases whose name contains this")
    parser.add_argument("--server", choices=["hanse", "llama-server"], help="only this one")
    parser.add_argument("--repeat", type=int, help="repetitions of each case (3; 1 with --quick)")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--tune", action="store_true", help="compare llama-server's own options instead")
    parser.add_argument("--model", type=Path, help="another GGUF file than the default model")
    arguments = parser.parse_args()
    arguments.model = arguments.model or default_model()
    HanseServer.binary = Path(os.environ.get("HANSE_BIN", ROOT / "build/release/bin/hanse"))
    load = load_with(HanseServer.binary.with_name("serve_load"))
    if arguments.tune:
        tune(arguments, load)
        return 0
    kinds: list[type[Server]] = [kind for kind in (HanseServer, LlamaServer) if arguments.server in (None, kind.name.lower())]
    chosen = [case for case in cases(arguments.quick) if not arguments.case or arguments.case in case.name]
    repeat = arguments.repeat or (1 if arguments.quick else 3)
    begin = time.monotonic()
    runs: dict[str, dict[str, list]] = {case.name: {kind.name: [] for kind in kinds} for case in chosen}
    for turn in range(repeat):
        for case in chosen:
            for kind in kinds if turn % 2 == 0 else reversed(kinds):
                print(f"[{time.monotonic() - begin:4.0f} s] {case.name}, {kind.name}, {turn + 1} of {repeat}", file=sys.stderr, flush=True)
                runs[case.name][kind.name].append(measure(kind, case, arguments, load))
    results = {case: {name: f.median_of(found) for name, found in servers.items()} for case, servers in runs.items()}
    if len(kinds) == 2 and (not arguments.case or arguments.case in "temperature 0"):
        given = []
        for kind in kinds:
            print(f"[{time.monotonic() - begin:4.0f} s] temperature 0, {kind.name}", file=sys.stderr, flush=True)
            with kind(arguments.model, 1, 1024, arguments.threads) as server:
                given.append(answers(server))
        results["temperature 0"] = {"Hanse": {"equal_answers": sum(a == b for a, b in zip(*given))}}
        for question, ours, theirs in zip(prompts.QUESTIONS, *given):
            if ours != theirs:
                at = next((i for i, (x, y) in enumerate(zip(ours, theirs)) if x != y), min(len(ours), len(theirs)))
                print(f"differs after {at} characters: {question}", file=sys.stderr)
    print(f"{arguments.model.name}, {arguments.threads} threads, median of {repeat}; each cell is Hanse / llama-server = ratio")
    report(results, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
