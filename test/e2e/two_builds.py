# SPDX-License-Identifier: Apache-2.0
"""Two nodes of different builds work together: `script/two-builds [COMMIT]` builds the other one and runs this.

Each builds a federation with the other, asks it and is asked, whole and as a stream, and reads what it wrote before.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "script"))
from demo_federation import Member, free_port, policy_of, record_in, wait_until  # noqa: E402
from mock_upstream import MockUpstream  # noqa: E402

KINDS = '\n[[kinds]]\nname = "shared"\nreaders = ["one", "two"]\n'
SERVER = '\n[[places]]\nname = "server"\nsort = "backend"\nreceivers = ["{0}"]\nplace = "house"\ncontrol = "house"\ncontents = ["pseudonymous"]\nkeep = "none"\nlearn = "no"\n'


def commit_of(program: str) -> str:
    said = json.loads(subprocess.run([program, "version", "--json"], capture_output=True, text=True, check=True).stdout)
    return said["commit"] or said["version"]


def partner_on_record(member: Member, answer) -> str:
    receipt = answer.headers.get("hanse-receipt")
    record = record_in(member.ask(f"/v1/hanse/receipts/{receipt}").body.decode()) if receipt else {}
    partner = record.get("partner")
    if partner is None:
        return f"parent {'named' if record.get('parents') else 'unknown'}, not checked by this build"
    return "receipt verified" if partner["verified"] == "yes" else f"receipt not verified: {partner['reason']}"


def meet(founder: str, newcomer: str, folder: Path, server: MockUpstream) -> None:
    """`founder` and `newcomer` are programs; the members are called one and two."""
    members = {name: Member(program, folder, name, name, port=free_port()) for name, program in (("one", founder), ("two", newcomer))}
    for name, member in members.items():
        other = "two" if name == "one" else "one"
        member.write(f'[[upstreams]]\nname = "server"\nurl = "{server.url}"\nmodels = ["translator"]\n', policy_of(name, [other], KINDS, "shared") + SERVER.format(name), offers='[[offers]]\nmodel = "translator"\n')
    one, two = members["one"], members["two"]
    try:
        one.command("federation", "create", "builds", "--address", f"127.0.0.1:{one.port}")
        one.start()
        code = one.command("federation", "invite", "two", "--yes").stdout.strip()
        two.command("federation", "join", code, "--address", f"127.0.0.1:{two.port}", "--yes")
        two.start()
        wait_until(lambda: one.connected("two") and two.connected("one"), "the two builds to be connected", 30)
        for near, far in ((one, two), (two, one)):
            wait_until(lambda: f"{far.name}/translator" in near.models(), "the offer to arrive", 30)
            for stream in (False, True):
                answer = near.chat(f"{far.name}/translator", "Good morning.", "shared", stream=stream)
                assert answer.status == 200, (answer.status, answer.body)
                assert b"Moin" in answer.body, answer.body
            print(f"  {commit_of(near.program):<14} asks {commit_of(far.program):<14} answered, whole and as a stream; {partner_on_record(near, answer)}")
    finally:
        for member in members.values():
            member.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", required=True, help="the program of the other build")
    parser.add_argument("--now", required=True, help="the program of this one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hanse-two-builds-") as folder, MockUpstream() as server:
        for title, founder, newcomer in (("founded by the other build", options.before, options.now), ("founded by this build", options.now, options.before)):
            print(title)
            here = Path(folder, title.replace(" ", "-"))
            here.mkdir()
            meet(founder, newcomer, here, server)
    return 0


if __name__ == "__main__":
    sys.exit(main())
