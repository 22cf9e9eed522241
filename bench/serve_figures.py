# SPDX-License-Identifier: Apache-2.0
"""From the times that bench/serve_load.cpp wrote down to figures, and from figures to a table."""

import math
import statistics

FIRST_TOKEN_MAX_S = 2.0  # a request with a longer wait, or a longer gap, does not count as good
GAP_MAX_S = 0.2

UNITS = {"tokens_per_s": "1/s", "goodput": "%", "ttft_p50_ms": "ms", "ttft_p99_ms": "ms", "gap_p50_ms": "ms", "gap_p99_ms": "ms",
         "memory_mib": "MiB", "undisturbed_gap_p99_ms": "ms", "long_ttft_p50_ms": "ms", "tokens_per_frame": "", "equal_answers": "of 20"}
HIGHER_IS_BETTER = {"tokens_per_s", "goodput", "equal_answers"}


def percentile(values: list[float], share: float) -> float:
    """Nearest rank: always a value that was measured."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def gaps_of(request: dict, begin: float = -math.inf, end: float = math.inf) -> list[float]:
    """Milliseconds between frames of which the later came between the two times."""
    frames = request["frames"]
    return [(later - earlier) / 1000 for earlier, later in zip(frames, frames[1:]) if begin <= later <= end]


def is_good(request: dict) -> bool:
    if request["error"] or not request["frames"] or request["status"] != 200:
        return False
    return request["frames"][0] - request["start"] <= FIRST_TOKEN_MAX_S * 1e6 and max(gaps_of(request), default=0) <= GAP_MAX_S * 1e3


def check(result: dict) -> None:
    failed = [r for r in result["requests"] if r["status"] != 200 or r["error"] not in ("", "left")]
    if failed:
        first = failed[0]
        raise RuntimeError(f"{len(failed)} of {len(result['requests'])} requests failed: the first is number {result['requests'].index(first)}, status "
                           f"{first['status']}, {len(first['frames'])} frames, {(first['end'] - first['start']) / 1e3:.0f} ms: {first['error']}")


def figures(result: dict) -> dict[str, float]:
    """Of chats that ran from beginning to end."""
    check(result)
    requests = result["requests"]
    seconds = (max(r["end"] for r in requests) - min(r["start"] for r in requests)) / 1e6
    tokens = sum(r["completion_tokens"] for r in requests)
    first = [(r["frames"][0] - r["start"]) / 1000 for r in requests if r["frames"]]
    gaps = [gap for r in requests for gap in gaps_of(r)]
    return {
        "tokens_per_s": tokens / seconds,
        "goodput": 100 * sum(map(is_good, requests)) / len(requests),
        "ttft_p50_ms": percentile(first, 0.5), "ttft_p99_ms": percentile(first, 0.99),
        "gap_p50_ms": percentile(gaps, 0.5), "gap_p99_ms": percentile(gaps, 0.99),
        "tokens_per_frame": tokens / max(1, sum(len(r["frames"]) for r in requests)),
    }


def of_group(result: dict, group: str) -> list[dict]:
    return [r for r in result["requests"] if r["group"] == group]


def steady_frames(result: dict) -> int:
    """How long the longest steady chat was when the last long prompt was answered."""
    end = max(r["end"] for r in of_group(result, "long"))
    return max(sum(1 for f in r["frames"] if f <= end) for r in of_group(result, "steady"))


def mixed_figures(result: dict, alone: dict, skip: int) -> dict[str, float]:
    """Of steady chats while long prompts arrive one after the other, and of the same chats alone behind their first `skip` frames."""
    check(result)
    check(alone)
    steady, long = of_group(result, "steady"), of_group(result, "long")
    begin, end = min(r["start"] for r in long), max(r["end"] for r in long)
    # A stream that stood still to the end of the window has a gap too, though no frame closes it.
    disturbed = [gap for r in steady for gap in gaps_of(r, begin, end)]
    for request in steady:
        last = max((f for f in request["frames"] if f <= end), default=request["start"])
        if request["end"] >= end and end - last > 0:
            disturbed.append((end - last) / 1000)
    undisturbed = [gap for r in alone["requests"] for gap in gaps_of(r, r["frames"][min(skip, len(r["frames"]) - 2)], r["end"])]
    frames = sum(1 for r in steady for f in r["frames"] if begin <= f <= end)
    good = sum(1 for r in long if (r["frames"][0] - r["start"]) / 1e6 <= FIRST_TOKEN_MAX_S)
    good += sum(1 for r in steady if max(gaps_of(r, begin, end), default=0) <= GAP_MAX_S * 1e3)
    return {
        "tokens_per_s": frames / ((end - begin) / 1e6),
        "goodput": 100 * good / (len(steady) + len(long)),
        "gap_p50_ms": percentile(disturbed, 0.5), "gap_p99_ms": percentile(disturbed, 0.99),
        "undisturbed_gap_p99_ms": percentile(undisturbed, 0.99),
        "long_ttft_p50_ms": percentile([(r["frames"][0] - r["start"]) / 1000 for r in long], 0.5),
    }


def median_of(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]} if runs else {}


def ratio(value: float, peer: float) -> float:
    return value / peer if peer else math.nan


def cell(value: float) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


COLUMNS = [("tokens/s", "tokens_per_s"), ("good %", "goodput"), ("first token ms", "ttft_p50_ms"), ("p99", "ttft_p99_ms"), ("gap ms", "gap_p50_ms"),
           ("p99", "gap_p99_ms"), ("memory MiB", "memory_mib")]


def table(results: dict[str, dict[str, dict[str, float]]], names: tuple[str, str]) -> str:
    """`results`: case → server → figure → value. Each cell is ours / theirs and, where it says something, the ratio."""
    ours, theirs = names
    rows = [["case"] + [title for title, _ in COLUMNS]]
    for case, servers in results.items():
        first, second = servers.get(ours, {}), servers.get(theirs, {})
        row = [case]
        for _, figure in COLUMNS:
            value, peer = first.get(figure), second.get(figure)
            if value is None and peer is None:
                row.append("")
            elif value is None or peer is None:
                row.append(cell(value if peer is None else peer))
            else:
                row.append(f"{cell(value)} / {cell(peer)}" + (f" = {ratio(value, peer):.2f}" if figure in ("tokens_per_s", "memory_mib") and peer else ""))
        rows.append(row)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, "─" * max(map(len, lines)))
    return "\n".join(lines)


def rows_for_json(results: dict, names: tuple[str, str]) -> list[dict]:
    ours, theirs = names
    rows = []
    for case, servers in results.items():
        first, second = servers.get(ours, {}), servers.get(theirs, {})
        for figure in [*first, *(f for f in second if f not in first)]:
            value, peer = first.get(figure), second.get(figure)
            both = value is not None and peer is not None
            rows.append({"case": case, "figure": figure, "unit": UNITS.get(figure, ""), "value": value, "peer": theirs, "peer_value": peer,
                         "ratio": ratio(value, peer) if both and peer else None})
    return rows
