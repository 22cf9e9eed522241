# SPDX-License-Identifier: Apache-2.0
"""torchwood's litewitness co-signs a log of Hanse over HTTP; Hanse witnesses a log that torchwood's spicy made."""
import base64
import os
import shutil
import subprocess
import urllib.error
import urllib.request

from interop import consistency, folder, free_port, leaf_hash, need, root, run, tool, vkey, wait_for

need("litewitness", "witnessctl", "spicy-torchwood", "ssh-agent", "ssh-add", "ssh-keygen")
place = folder()
log = place / "log"
ed25519, ml_dsa = tool("make", log, 300).split()
origin = ed25519.split("+")[0]

# litewitness keeps its key in an agent.
run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "key")
socket_path = place / "agent"
agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket_path], stdout=subprocess.DEVNULL)
port = free_port()
witness = None


def post(body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/add-checkpoint", data=body.encode(), method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers["Content-Type"], refusal.read()


def up():
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


try:
    wait_for(socket_path.exists, "ssh-agent")
    run("ssh-add", place / "key", env=dict(os.environ, SSH_AUTH_SOCK=str(socket_path)))
    fingerprint = run("ssh-keygen", "-l", "-f", place / "key.pub").split()[1]
    public = base64.b64decode((place / "key.pub").read_text().split()[1])[-32:]
    witness_key = vkey("witness.example/lite", 4, public)
    database = place / "litewitness.db"
    run("witnessctl", "add-log", "-db", database, "-origin", origin)
    run("witnessctl", "add-key", "-db", database, "-origin", origin, "-key", ed25519)
    url = f"http://127.0.0.1:{port}"
    witness = subprocess.Popen(["litewitness", "-name", "witness.example/lite", "-db", database, "-ssh-agent", socket_path, "-key", fingerprint,
                                "-listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(up, "litewitness")
    policy = place / "policy"
    policy.write_text(f"log {ed25519}\nlog {ml_dsa}\nwitness lite {witness_key} {url}\nquorum lite\n")

    def cosign(old):
        status, kind, body = post(tool("ask", log, old))
        (place / "answer").write_bytes(body)
        return status, tool("heard", log, policy, url, status, kind, place / "answer").strip()

    assert cosign(0) == (200, "cosigned 1, witnessed 300"), "the first checkpoint"
    tool("make", log, 150)
    assert cosign(0) == (409, "again 300"), "an old size that is wrong"
    assert cosign(300) == (200, "cosigned 1, witnessed 450"), "a checkpoint that has grown"
    (place / "out").mkdir()
    tool("dump-witnessed", log, policy, 7, place / "out")
    worth = tool("receipt", policy, place / "out/receipt.tlog-proof").splitlines()
    assert worth[0] == "met" and any(line.startswith("witness.example/lite ed25519 ") for line in worth), worth
finally:
    for process in (witness, agent):
        if process:
            process.terminate()
            process.wait()

# The other way round: a log of torchwood, witnessed by Hanse.
spicy, secret = place / "spicy", place / "spicy.key"
spicy.mkdir()
said = subprocess.run(["spicy-torchwood", "-init", "spicy.example/log", "-key", secret, "-assets", spicy], capture_output=True, text=True)
assert said.returncode == 0, said.stderr
spicy_key = next(line.split("Public key:")[1].strip() for line in said.stderr.splitlines() if "Public key:" in line)
names = []


def grow(count):
    for _ in range(count):
        name = place / f"file{len(names)}"
        name.write_text(f"entry {len(names)} of somebody else\n")
        names.append(name)
        run("spicy-torchwood", "-key", secret, "-assets", spicy, name)


def witnessed(old, offered=None, proof=None):
    leaves = [leaf_hash(name.read_bytes()) for name in names]
    proof = consistency(old, leaves) if proof is None and old else proof or []
    lines = "".join(base64.b64encode(each).decode() + "\n" for each in proof)
    (place / "request").write_text(f"old {old}\n{lines}\n{offered or (spicy / 'latest').read_text()}")
    status, kind, body = tool("witness", place / "hanse-witness", spicy_key, place / "request").split("\n", 2)
    return int(status), kind, body


grow(5)
status, _, body = witnessed(0)
assert status == 200 and body.count("\n") == 2 and all(line.startswith("\u2014 witness.example/w1 ") for line in body.splitlines()), body
first = (spicy / "latest").read_text()
grow(6)
assert witnessed(0)[:2] == (409, "text/x.tlog.size")
assert witnessed(0)[2] == "5\n"
assert witnessed(5, proof=[root([leaf_hash(b"x")])])[0] == 422
assert witnessed(5)[0] == 200
assert witnessed(5, first)[0] == 409, "it turned back"
shutil.rmtree(place, ignore_errors=True)
print("litewitness co-signs Hanse's log, and Hanse co-signs spicy's")
