#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three members of a federation on one machine: a company that asks, an institute with a specialised model, an authority.

script/demo runs it; test/e2e/federation_test.py uses its members, also with each in a network namespace of its own.

    demo_federation.py --hanse PROGRAM --model FILE --specialist FILE --folder DIR [--once]
"""

import argparse
import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.parse
from pathlib import Path

FEDERATION = "hansa"
# A base model that continues text: shown what a translation looks like, it translates. That is the institute's speciality.
TRANSLATOR = """{{ bos_token }}English: Good morning.
German: Guten Morgen.
English: Thank you for your letter, Mr Meyer.
German: Vielen Dank für Ihren Brief, Herr Meyer.
English: The ship with our goods arrives on Monday.
German: Das Schiff mit unseren Waren kommt am Montag an.
English: {{ messages[-1]['content'] }}
German:"""

HOUSE_PLACE = """
[[places]]
name = "{name}"
sort = "{sort}"
receivers = ["{house}"]
place = "house"
control = "house"
contents = ["personal", "pseudonymous", "special-category", "trade-secret", "copyrighted"]
keep = "none"
learn = "no"
acts_on = "member"
"""
PEER = """
[[places]]
name = "{name}"
sort = "peer"
receivers = ["{name}"]
place = "DE"
control = "DE"
contents = ["pseudonymous", "copyrighted"]
keep = "none"
learn = "no"
"""
KINDS = """
[[kinds]]
name = "shared"         # ordinary work that the institute may help with: what comes in without saying
readers = ["kontor", "institut"]
after = ["pseudonymise"]   # nothing in it to pseudonymise; so it does not forbid that for what comes with it

[[kinds]]
name = "customers"      # letters to customers: the institute may help once the names are out
preset = "personal"
readers = ["kontor", "institut"]
after = ["pseudonymise"]
"""


def policy_of(name: str, others: list[str], kinds: str = "", standard: str = "internal") -> str:
    text = f'version = 1\nstandard = "{standard}"\n\n[house]\nname = "{name}"\nin = "DE"\n'
    text += "".join(f'\n[[members]]\nname = "{other}"\nin = "DE"\n' for other in others)
    text += kinds + "".join(HOUSE_PLACE.format(name=place, sort=sort, house=name) for place, sort in (("local", "model"), ("answer", "caller")))
    return text + "".join(PEER.format(name=other) for other in others)


def wait_until(condition, what: str, seconds: float = 60):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.02)


class Answer:
    def __init__(self, status: int, headers, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.json()["choices"][0]["message"]["content"].strip()

    @property
    def refusal(self) -> str:
        return self.json()["error"]["message"]


class Member:
    """One organisation: its data folder with keys and policy, and its node while it runs."""

    def __init__(self, program: str, folder: Path, name: str, title: str, host: str = "127.0.0.1", port: int = 0, inside: list[str] | None = None):
        self.program, self.name, self.title, self.host, self.port = program, name, title, host, port
        self.api_port = 0  # where clients ask; 0: chosen by the system
        self.inside = inside or []  # the command that enters the member's own network, where it has one
        self.data = folder / name
        self.data.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen | None = None
        self.url = ""

    def write(self, config: str, policy: str, directory: str = "", offers: str = "") -> None:
        head = f'[server]\nport = {self.api_port}\n\n[data]\nserve_store = false\n\n'
        (self.data / "hanse.toml").write_text(head + config, encoding="utf-8")
        (self.data / "federation.toml").write_text(f'address = "{self.host}"\nport = {self.port}\n\n{offers}', encoding="utf-8")
        (self.data / "policy.toml").write_text(policy, encoding="utf-8")
        if directory:
            (self.data / "directory.toml").write_text(directory, encoding="utf-8")

    def command(self, *arguments: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess:
        done = subprocess.run([*self.inside, self.program, *arguments, "--data", str(self.data)], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"hanse {' '.join(arguments[:2])} of {self.name}: {done.stderr.strip() or done.stdout.strip()}")
        return done

    def start(self) -> "Member":
        (self.data / "node.json").unlink(missing_ok=True)
        with open(self.data / "log", "ab") as log:
            self.process = subprocess.Popen([*self.inside, self.program, "serve", "--data", str(self.data)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.announced, f"the node of {self.name} to listen")
        return self

    def announced(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the node of {self.name} ended: {self.log()[-2000:]}")
        try:
            self.url = json.loads((self.data / "node.json").read_text())["url"]
        except (OSError, ValueError):
            return False
        return True

    def stop(self, how: int = signal.SIGTERM) -> int:
        if not self.process:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(60)
        self.process = None
        return code

    def log(self) -> str:
        try:
            return (self.data / "log").read_text(errors="replace")
        except OSError:
            return ""

    def ask(self, path: str, body: dict | None = None, headers: dict | None = None, timeout: float = 120) -> Answer:
        if self.inside:
            return self.ask_inside(path, body, headers, timeout)
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        try:
            connection.request("POST" if body is not None else "GET", path, json.dumps(body).encode() if body is not None else None, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def ask_inside(self, path: str, body: dict | None, headers: dict | None, timeout: float) -> Answer:
        """The same from within the member's own network, which only its own programs can reach."""
        arguments = ["curl", "--silent", "--include", "--max-time", str(int(timeout)), self.url + path]
        for name, value in {"Content-Type": "application/json", "Expect": "", **(headers or {})}.items():
            arguments += ["--header", f"{name}: {value}"]
        if body is not None:
            arguments += ["--data-binary", "@-"]
        done = subprocess.run([*self.inside, *arguments], input=json.dumps(body).encode() if body is not None else b"", capture_output=True, timeout=timeout + 10)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return Answer(int(lines[0].split()[1]), fields, rest)

    def chat(self, model: str, text: str, label: str = "", **more) -> Answer:
        body = {"model": model, "messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 48, "stop": ["\n"], **more}
        return self.ask("/v1/chat/completions", body, {"Hanse-Label": label} if label else {})

    def connected(self, *others: str) -> bool:
        done = self.command("federation", "status", "--json", check=False)
        if done.returncode != 0:
            return False
        state = {each["member"]: each["connected"] for each in json.loads(done.stdout)["partners"]}
        return all(state.get(other) for other in others)

    def models(self) -> list[str]:
        return [each["id"] for each in self.ask("/v1/models").json()["data"]]


class Federation:
    """The three of them, founded and joined as an administrator would: with the commands of the program."""

    def __init__(self, program: str, folder: Path, model: str, specialist: str, hosts: dict | None = None, ports: dict | None = None, inside: dict | None = None,
                 api_port: int = 0):
        hosts, ports, inside = hosts or {}, ports or {}, inside or {}

        def member(name: str, title: str) -> Member:
            return Member(program, folder, name, title, hosts.get(name, "127.0.0.1"), ports[name], inside.get(name))

        self.kontor = member("kontor", "Hansekontor GmbH")
        self.institut = member("institut", "Institut für Übersetzung")
        self.hafenamt = member("hafenamt", "Hafenamt Lübeck")
        self.members = [self.kontor, self.institut, self.hafenamt]
        self.kontor.api_port = api_port
        general = f'[[models]]\nname = "smollm2"\nfile = "{model}"\ncontext = 2048\nsequences = 4\npreload = true\n'
        self.kontor.write(general, policy_of("kontor", ["institut", "hafenamt"], KINDS, "shared"), '[[people]]\nname = "Anna Schmidt"\n\n[[people]]\nname = "Peter Holm"\n')
        (self.institut.data / "translator.jinja").write_text(TRANSLATOR, encoding="utf-8")
        self.institut.write(f'[[models]]\nname = "translator"\nfile = "{specialist}"\nchat_template_file = "translator.jinja"\ncontext = 2048\nsequences = 4\npreload = true\n',
                            policy_of("institut", ["kontor", "hafenamt"]), offers='[[offers]]\nmodel = "translator"\nskills = ["translation"]\nlanguages = ["de", "en"]\n')
        # Its model is offered to nobody, so it is for its own house alone.
        self.hafenamt.write(general.replace("smollm2", "harbour"), policy_of("hafenamt", ["kontor", "institut"]))

    def found(self) -> None:
        """With the commands a person would use, each on its own side; nothing if they are in one already."""
        if (self.hafenamt.data / "federation/charter/000001").exists():
            return
        self.kontor.command("federation", "create", FEDERATION, "--title", self.kontor.title)
        self.kontor.start()
        for newcomer in (self.institut, self.hafenamt):
            code = self.kontor.command("federation", "invite", newcomer.name, "--yes").stdout.strip()
            newcomer.command("federation", "join", code, "--title", newcomer.title, "--yes")

    def start(self) -> None:
        for member in self.members:
            if not member.process:
                member.start()

    def meet(self, seconds: float = 30) -> None:
        names = {member.name for member in self.members}
        for member in self.members:
            wait_until(lambda: member.connected(*(names - {member.name})), f"{member.name} to be connected with all others", seconds)
        wait_until(lambda: "institut/translator" in self.kontor.models(), "the institute's offer to arrive", seconds)

    def stop(self) -> None:
        for member in self.members:
            member.stop()


# --- What is shown --------------------------------------------------------------------------------------------------


def shown(text: str, width: int = 96, indent: str = "              ") -> str:
    lines = textwrap.wrap(" ".join(text.split()), width - len(indent)) or [""]
    return ("\n" + indent).join(lines)


def row(name: str, text: str) -> None:
    print(f"  {name:<11} {shown(text)}")


def record_in(receipt: str) -> dict:
    """What a receipt's record says: behind one byte and the salt, in the extra data of the proof."""
    return json.loads(base64.b64decode(re.search(r"^extra (\S+)$", receipt, re.MULTILINE)[1])[33:])


def receipt_check(federation: Federation, answer: Answer) -> str:
    record_id = answer.headers.get("hanse-receipt")
    if not record_id:
        return "no receipt"
    proof = federation.kontor.data / "receipt.tlog-proof"
    proof.write_bytes(federation.kontor.ask(f"/v1/hanse/receipts/{record_id}").body)
    done = federation.kontor.command("receipt", "verify", str(proof), "--json", check=False)
    text = f"{record_id[:11]}… genuine, in the company's journal" if done.returncode == 0 else f"NOT genuine: {done.stdout.strip()}"
    record = record_in(proof.read_text(encoding="utf-8"))
    if partner := record.get("partner"):
        text += f"; the company's node has checked that of {partner['member']} itself: {'it holds' if partner['verified'] == 'yes' else 'it proves nothing, since ' + partner['reason']}"
    for parent in [partner["receipt"]] if partner and "receipt" in partner else []:
        there = federation.institut.command("journal", "receipt", parent, check=False)
        (federation.kontor.data / "parent.tlog-proof").write_text(there.stdout, encoding="utf-8")
        keys = federation.institut.command("identity", "show", "--keys", check=False)
        (federation.kontor.data / "institut.keys").write_text(keys.stdout, encoding="utf-8")
        verified = federation.kontor.command("receipt", "verify", str(federation.kontor.data / "parent.tlog-proof"), "--trust", str(federation.kontor.data / "institut.keys"), check=False)
        text += f"; its parent {parent[:11]}… is {'genuine too, as its own node shows it' if verified.returncode == 0 else 'NOT genuine'}"
    return text


def route_of(federation: Federation, model: str, label: str) -> str:
    planned = federation.kontor.ask("/v1/hanse/route", {"model": model, **({"label": label} if label else {})}).json()
    order = [f"{each['place']}/{each['model']}" + (f" after {'+'.join(each['after'])}" if each["after"] else "") for each in planned["order"]]
    others = [f"{each['place']}/{each['model']} not ({each['exclusion']})" for each in planned["excluded"]]
    return ", then ".join(order) + ("" if not others else ("; " if order else "") + "; ".join(others))


def ask(federation: Federation, number: int, title: str, model: str, text: str, label: str = "") -> Answer:
    print(f"\n{number}. {title}")
    row("question", f"{text}   [{model}, label {label or 'shared'}]")
    row("route", route_of(federation, model, label))
    answer = federation.kontor.chat(model, text, label)
    if answer.status != 200:
        row("decision", f"refused ({answer.status})")
        row("reason", answer.refusal)
        return answer
    where = answer.headers.get("hanse-route") or "here"
    veiled = answer.headers.get("hanse-pseudonyms")
    row("decision", f"permitted after pseudonymising: {veiled}" if veiled else "permitted as it is")
    row("answered", f"by {where}")
    row("answer", answer.text)
    row("receipt", receipt_check(federation, answer))
    return answer


def demonstrate(federation: Federation) -> None:
    print("\nThree members of the federation, each with keys, data and a policy of its own:")
    print(textwrap.indent(federation.kontor.command("federation", "members").stdout, "  "))
    print("The specialist of the institute is Gemma 3 270M under the Gemma terms of use (https://ai.google.dev/gemma/terms), shown in")
    print("its own folder; the others run SmolLM2-135M-Instruct (Apache-2.0).")
    ask(federation, 1, "At home, since its label says so", "hanse/auto", "What did the Hanseatic League trade in?", "internal")
    ask(federation, 2, "By the institute's specialist", "hanse/translation", "The ship leaves the harbour tomorrow.")
    ask(federation, 3, "There under pseudonyms, and back with the names", "hanse/translation", "Thank you for the payment, Anna Schmidt.", "customers")
    ask(federation, 4, "Refused, with the reason and what would help", "hanse/translation", "Our recipe for the new tar is secret.", "trade-secret")
    outside = federation.kontor.chat("hafenamt/harbour", "Who may moor here?")
    inside = federation.hafenamt.chat("harbour", "What is a harbour? Answer in one sentence.")
    print("\nThe authority's model is for its own house alone")
    row("from outside", f"{outside.status}: {outside.refusal}")
    row("inside", inside.text)
    print("\nThe institute goes down")
    federation.institut.stop(signal.SIGKILL)
    began = time.monotonic()
    answer = federation.kontor.chat("hanse/translation", "Good evening.", "shared")
    row("translation", f"{answer.status} after {time.monotonic() - began:.2f} s: {answer.refusal if answer.status != 200 else answer.text}")
    answer = federation.kontor.chat("hanse/auto", "What is a cog?", "shared")
    row("any model", f"{answer.status}, answered by {answer.headers.get('hanse-route') or 'the company itself'}: {answer.text[:200]}")
    federation.institut.start()
    began = time.monotonic()
    wait_until(lambda: federation.kontor.connected("institut"), "the institute to be back", 30)
    row("back again", f"connected {time.monotonic() - began:.1f} s after its node listens")
    print(textwrap.dedent("""
        The same with two real machines, a.example (yours) and b.example (your partner's), each with Hanse installed:
          a$ hanse init --house acme --country DE         and in federation.toml: address = "0.0.0.0"
          a$ hanse federation create north --address a.example:8421
          a$ hanse serve
          a$ hanse federation invite bolt                  prints a code; tell it to your partner, and the fingerprint by telephone
          b$ hanse federation join CODE --address b.example:8421
          b$ hanse serve
        Each names the other in its policy.toml ([[members]], and a place of sort "peer"), and offers models in federation.toml ([[offers]]).
        docs/federation.md tells all of it."""))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("hanse", "model", "specialist", "folder"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    folder = Path(options.folder)
    noted = folder / "ports.json"
    folder.mkdir(parents=True, exist_ok=True)
    # A charter names addresses, so a second run comes back to the same.
    ports = json.loads(noted.read_text()) if noted.exists() else {name: free_port() for name in ("kontor", "institut", "hafenamt")}
    noted.write_text(json.dumps(ports))
    federation = Federation(options.hanse, folder, options.model, options.specialist, ports=ports, api_port=8420 if not options.once and is_free(8420) else 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        began = time.monotonic()
        federation.found()
        federation.start()
        federation.meet()
        print(f"hanse: three nodes run and are connected, after {time.monotonic() - began:.1f} s", file=sys.stderr)
        demonstrate(federation)
        if not options.once:
            print(f"\nhanse: the company's node answers at {federation.kontor.url}/v1 until Ctrl-C; models: {', '.join(federation.kontor.models())}", file=sys.stderr)
            signal.pause()
    except KeyboardInterrupt:
        return 130
    finally:
        federation.stop()
        if options.once:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
