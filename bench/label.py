# SPDX-License-Identifier: Apache-2.0
"""script/bench label: what one decision costs, in a federation of 256 members with labels of three owners.

  script/bench label [--json FILE] [--seconds S]

Medians of repetitions of build/release/bin/label_decide_bench. The peer is the test of readers alone over sets of names,
as a policy without a compiled form would do it; a whole decision here tests eight terms for each owner. The
bar is 50 ns for a flow check without allocation, and 200 µs for the slowest hundredth of whole decisions of a request
(build/release/bin/task_rules_bench), the one that looks through 2 KiB of text for everything included; exit code 1 where one
is missed.
"""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BIN = Path(os.environ.get("HANSE_BIN", REPOSITORY / "build/release/bin/hanse")).parent
CASES = {"flow_check": "flow check, three owners", "decision_with_permit": "decision with its permit", "labels_compared": "two labels compared",
         "labels_joined": "two labels joined", "header_read": "Hanse-Label header read"}
WHOLE = {"decided_before": "request like one before", "decided_before_with_key_and_header": "the same, key and header", "decided_anew": "decided for the first time", "decided_by_content_of_2_kib": "2 KiB looked through"}
BAR_NS = 50
BAR_P99_NS = 200_000


def run(program: str, seconds: float) -> dict:
    out = subprocess.run([program, "--benchmark_format=json", f"--benchmark_min_time={seconds}s", "--benchmark_repetitions=7",
                          "--benchmark_enable_random_interleaving=true"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "HANSE_CORPUS": str(REPOSITORY / "test/privacy/corpus")})
    return {b["run_name"]: b for b in json.loads(out.stdout)["benchmarks"] if b.get("aggregate_name") == "median"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--seconds", type=float, default=0.2, help="of each repetition")
    parser.add_argument("--program", default=str(BIN / "label_decide_bench"))
    given = parser.parse_args()
    medians = run(given.program, given.seconds)
    whole = run(str(Path(given.program).parent / "task_rules_bench"), given.seconds)
    peer = medians["readers_as_names"]["cpu_time"]
    rows = []
    print(f"{'case':<28} {'ns':>9} {'allocations':>12} {'names only, ns':>15} {'ratio':>7}")
    for key, title in CASES.items():
        spent, allocations = medians[key]["cpu_time"], medians[key]["allocations"]
        beside = peer if key in ("flow_check", "decision_with_permit") else None
        ratio = spent / beside if beside else None
        print(f"{title:<28} {spent:>9.1f} {allocations:>12.2f} {f'{beside:.1f}' if beside else '':>15} {f'{ratio:.2f}' if ratio else '':>7}")
        rows.append({"case": title, "figure": "time", "unit": "ns", "value": spent, "peer": "set of names" if beside else None, "peer_value": beside, "ratio": ratio})
        rows.append({"case": title, "figure": "allocations", "unit": "count", "value": allocations, "peer": None, "peer_value": None, "ratio": None})
    print(f"\n{'whole decision of a request':<28} {'mean, ns':>9} {'p99, ns':>12}")
    for key, title in WHOLE.items():
        spent, slow = whole[key]["cpu_time"], whole[key]["p99_ns"]
        print(f"{title:<28} {spent:>9.1f} {slow:>12.1f}")
        for figure, value in (("mean", spent), ("p99", slow)):
            rows.append({"case": title, "figure": figure, "unit": "ns", "value": value, "peer": None, "peer_value": None, "ratio": None})
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=1) + "\n")
    flow = medians["flow_check"]
    good = flow["cpu_time"] <= BAR_NS and flow["allocations"] == 0
    print(f"flow check within {BAR_NS} ns and without allocation: {'yes' if good else 'no'}")
    quick = max(row["p99_ns"] for row in whole.values()) <= BAR_P99_NS
    print(f"whole decisions within {BAR_P99_NS / 1000:.0f} µs at p99: {'yes' if quick else 'no'}")
    return 0 if good and quick else 1


if __name__ == "__main__":
    sys.exit(main())
